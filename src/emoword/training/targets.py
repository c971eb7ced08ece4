"""Training targets: a word vector, a class, or the raters' shares of the classes."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.labels.encoding import Vectors, encode

VECTOR_LOSSES = ("mse", "mae", "lc", "cosine")
# What these predict says how much each class is meant: the largest decides.
CLASS_LOSSES = ("ce", "soft", "triplet")


def training_targets(
    loss: str,
    names: Sequence[str],
    targets: pd.DataFrame,
    truth: Mapping[str, str],
    classes: Sequence[str],
    vectors: Vectors | None,
) -> tuple[NDArray[np.float32] | NDArray[np.int64], NDArray[np.bool_]]:
    """The training targets of utterances, and which of them have one.

    Args:
        loss: mse, mae, lc, cosine: the mean vector of the words (paper, equation 4). ce, triplet:
            the class. soft: each class's share of the words that are classes.
        names: the utterances, in this order.
        targets: the label set: utterance, word, count.
        truth: utterance -> ground truth, one of ``classes``.
        classes: in the order of the outputs.
        vectors: where words have vectors; None for losses on classes.

    Returns:
        float32 [n, dim] or [n, classes], or int64 [n]; and bool [n]. An utterance has no target (a
        row of zeros) where the label set has no words for it; for soft, no words that are classes.
    """
    if loss in ("ce", "triplet"):
        indices = np.array([classes.index(truth[name]) for name in names], dtype=np.int64)
        return indices, np.ones(len(names), dtype=np.bool_)
    if loss == "soft":
        targets = targets[targets["word"].isin(classes)]
    there = np.isin(names, targets["utterance"])
    having = [name for name, has in zip(names, there, strict=True) if has]
    if loss == "soft":
        found = class_shares(targets, having, classes)
    else:
        found = encode(targets, having, needed(vectors))
    wanted = np.zeros((len(names), found.shape[1]), dtype=np.float32)
    wanted[there] = found
    return wanted, there


def fingerprint(names: Sequence[str], targets: NDArray[np.generic]) -> str:
    """The sha256 of what each utterance is trained on; names [n], targets [n, ...].

    In thousandths, since a mean may differ in its last bit by how many others are made with it.
    """
    digest = hashlib.sha256("\n".join(names).encode())
    digest.update(np.rint(1000.0 * targets.astype(np.float64)).astype("<i8").tobytes())
    return digest.hexdigest()


def needed(vectors: Vectors | None) -> Vectors:
    """The vectors of words, without which there are no targets."""
    if vectors is None:
        raise InputError("a loss on word vectors needs --vectors, the folder of the label set's")
    return vectors


def class_shares(
    targets: pd.DataFrame, utterances: Sequence[str], classes: Sequence[str]
) -> NDArray[np.float32]:
    """Soft labels: how the raters' labels of each utterance are spread over the classes.

    Args:
        targets: utterance, word (one of ``classes``), count.
        utterances: in this order; each has words.
        classes: in the order of the outputs.

    Returns:
        float32 [utterances, classes]; rows sum to 1.
    """
    counts = targets.pivot_table("count", "utterance", "word", aggfunc="sum", fill_value=0)
    counts = counts.reindex(index=list(utterances), columns=list(classes), fill_value=0)
    numbers = counts.to_numpy(dtype=np.float64)
    shares: NDArray[np.float32] = (numbers / numbers.sum(1, keepdims=True)).astype(np.float32)
    return shares
