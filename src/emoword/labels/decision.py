"""Decision: a predicted vector -> a label (paper, equation 5); UA and WA."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.spaces.geometry import Floats, cosine


def decide(outputs: Floats, label_vectors: Floats, by: str = "largest") -> NDArray[np.intp]:
    """The label whose vector has the largest cosine similarity with the output (equation 5).

    The paper prints argmin, an erratum. Of equal similarities the first label wins.

    Args:
        outputs: [n, dim].
        label_vectors: [labels, dim].
        by: ``largest``, or ``smallest``: equation 5 to the letter.

    Returns:
        Indices of labels [n].
    """
    similarity = cosine(outputs[:, None], label_vectors)
    chosen: NDArray[np.intp] = (similarity if by == "largest" else -similarity).argmax(axis=1)
    return chosen


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
