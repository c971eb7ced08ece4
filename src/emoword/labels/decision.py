"""Decision: a predicted vector -> a label (paper, equation 5); UA and WA."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.spaces.geometry import Floats, cosine


def decide(outputs: Floats, label_vectors: Floats, by: str = "largest") -> NDArray[np.intp]:
    """The label whose vector has the largest cosine similarity with the output (equation 5).

    The paper prints argmin, an erratum: ``by`` is ``largest``, or ``smallest``, to the letter. Of
    equal similarities the first label wins. From outputs [n, dim] and label vectors [labels, dim]:
    indices of labels [n].
    """
    similarity = cosine(outputs[:, None], label_vectors)
    chosen: NDArray[np.intp] = (similarity if by == "largest" else -similarity).argmax(axis=1)
    return chosen


def softmax(outputs: Floats) -> NDArray[np.float64]:
    """Logits [n, outputs] as probabilities."""
    exponentials = np.exp(outputs - outputs.max(1, keepdims=True), dtype=np.float64)
    shares: NDArray[np.float64] = exponentials / exponentials.sum(1, keepdims=True)
    return shares


def class_probabilities(
    outputs: NDArray[np.float32],
    words: Sequence[str],
    classes: Sequence[str],
    merge: Mapping[str, str],
) -> NDArray[np.float64]:
    """How probable each class is, where outputs [n, words] are logits: float64 [n, classes].

    A word that counts as a class in the ground truth (``merge``: word -> class) counts as one here:
    with excitement merged with happiness (section 4.1), happiness has the probability of both.
    """
    found: NDArray[np.float64] = softmax(outputs) @ counts_as(words, classes, merge)
    return found


def counts_as(
    words: Sequence[str], classes: Sequence[str], merge: Mapping[str, str]
) -> NDArray[np.float64]:
    """Which word counts as which class: float64 [words, classes] of 0 and 1.

    >>> counts_as(["joy", "fear"], ["happiness", "fear"], {"joy": "happiness"}).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    found = [[merge.get(word, word) == name for name in classes] for word in words]
    return np.array(found, np.float64)


def decide_by_words(
    outputs: NDArray[np.float32],
    words: Sequence[str],
    classes: Sequence[str],
    merge: Mapping[str, str],
) -> NDArray[np.intp]:
    """The class with the largest of `class_probabilities`, as indices [n]; of equals the first."""
    chosen: NDArray[np.intp] = class_probabilities(outputs, words, classes, merge).argmax(axis=1)
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


def macro_f1(true: pd.Series, predicted: pd.Series) -> float:
    """Macro F1: the mean over all labels, true or predicted, of 2 TP / (2 TP + FP + FN).

    >>> macro_f1(pd.Series(["a", "a", "a", "b"]), pd.Series(["a", "a", "b", "b"]))
    0.7333333333333334
    """
    right = true[true == predicted].value_counts()
    named = true.value_counts().add(predicted.value_counts(), fill_value=0)  # 2 TP + FP + FN
    return float((2 * right.reindex(named.index, fill_value=0) / named).mean())
