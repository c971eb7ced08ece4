"""UA and WA: how many utterances are decided rightly, by class and overall."""

import pandas as pd


def unweighted_accuracy(true: pd.Series, predicted: pd.Series) -> float:
    """UA, the unweighted average recall: the mean over the classes of each class's recall.

    >>> unweighted_accuracy(pd.Series(["a", "a", "a", "b"]), pd.Series(["a", "a", "b", "b"]))
    0.8333333333333333
    """
    return float((predicted == true).groupby(true).mean().mean())


def weighted_accuracy(true: pd.Series, predicted: pd.Series) -> float:
    """WA: the share of utterances that are decided rightly.

    >>> weighted_accuracy(pd.Series(["a", "a", "a", "b"]), pd.Series(["a", "a", "b", "b"]))
    0.75
    """
    return float((predicted == true).mean())
