"""Training targets: a word vector, a class, or the raters' shares of classes or of all words."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.labels.encoding import Vectors, encode

# What these predict says how much each class, or word, is meant: the largest decides.
CLASS_LOSSES = ("ce", "soft", "soft_words", "co_occurrence", "dirichlet", "triplet")
SHARES = ("soft", "soft_words", "co_occurrence", "dirichlet")  # raters' labels, as shares or counts


def output_words(loss: str, learned: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    """What the outputs of a network stand for: the classes; of soft_words, then all other words.

    Typed descriptions become further classes so (not as in the paper's [20], which makes them
    positive or negative). A word that the label set of the training part (``learned``: utterance,
    word, count) lacks gets no output. Of losses on vectors, outputs stand for no word.
    """
    others = sorted(set(learned["word"]).difference(classes)) if loss == "soft_words" else []
    return [*classes, *others]


def output_costs(loss: str, learned: pd.DataFrame, outputs: Sequence[str]) -> NDArray[np.float32]:
    """What the cross entropy of each output is multiplied by: float32 [outputs], 1 in most losses.

    co_occurrence adds a penalty (Chou, Lee and Busso 2022, the paper's [21], as Chou's dissertation
    has it, arXiv 2510.05934, section 5.3 and equation 5.6 with both weights 1): mistakes cost more
    about a class that raters seldom name where they name others, so above all about a rare one. Of
    the training part's utterances (``learned``: utterance, word, count) that name class z, a share
    W_jz names class j, too; P_jz = 1 - W_jz (1 for all j, if none names z); the factor of class j
    is 1 + sum over z of P_jz.
    """
    if loss != "co_occurrence":
        return np.ones(len(outputs), dtype=np.float32)
    named = pd.crosstab(learned["utterance"], learned["word"]).reindex(columns=list(outputs))
    there = (named.to_numpy() > 0).astype(np.float64)  # [utterances, outputs]
    both = there.T @ there
    penalties = 1.0 - both / np.maximum(both.diagonal(), 1.0)  # of each column those that name it
    costs: NDArray[np.float32] = (1.0 + penalties.sum(1)).astype(np.float32)
    return costs


def training_targets(
    loss: str,
    names: Sequence[str],
    targets: pd.DataFrame,
    truth: Mapping[str, str],
    outputs: Sequence[str],
    vectors: Vectors | None,
    costs: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32] | NDArray[np.int64], NDArray[np.bool_]]:
    """The training targets of utterances, and which of them have one.

    Args:
        loss: mse, mae, lc, cosine: the mean vector of the words (paper, equation 4). ce, triplet:
            the class. soft, soft_words: each output's share of the words that have one (the
            weights of equation 4); co_occurrence: these by their costs; dirichlet: how often each
            class was named.
        names: the utterances, in this order.
        targets: the label set: utterance, word, count.
        truth: utterance -> ground truth, one of ``outputs``.
        outputs: what they stand for, as `output_words` says.
        vectors: where words have vectors; None for losses on classes.
        costs: of the outputs, as `output_costs` says; none: 1.

    Returns:
        float32 [n, dim] or [n, outputs], or int64 [n]; and bool [n]. An utterance has no target (a
        row of zeros) where the label set has no words for it; for shares and counts, none that
        have an output.
    """
    if loss in ("ce", "triplet"):
        indices = np.array([outputs.index(truth[name]) for name in names], dtype=np.int64)
        return indices, np.ones(len(names), dtype=np.bool_)
    if loss in SHARES:
        named = targets[targets["word"].isin(outputs)]
        table = named.pivot_table("count", "utterance", "word", aggfunc="sum", fill_value=0)
        table = table.reindex(index=list(names), columns=list(outputs), fill_value=0)
        counts = table.to_numpy(dtype=np.float64)
        totals = counts.sum(1, keepdims=True)
        shares = counts if loss == "dirichlet" else counts / np.maximum(totals, 1)
        wanted: NDArray[np.float32] = shares.astype(np.float32) * (1 if costs is None else costs)
        return wanted, totals[:, 0] > 0
    if vectors is None:
        raise InputError("a loss on word vectors needs --vectors, the folder of the label set's")
    there = np.isin(names, targets["utterance"])
    wanted = np.zeros((len(names), vectors.dim), dtype=np.float32)
    having = [name for name, has in zip(names, there, strict=True) if has]
    wanted[there] = encode(targets, having, vectors)
    return wanted, there


def fingerprint(names: Sequence[str], targets: NDArray[np.generic]) -> str:
    """The sha256 of what each utterance is trained on; names [n], targets [n, ...].

    In thousandths, since a mean may differ in its last bit by how many others are made with it.
    """
    digest = hashlib.sha256("\n".join(names).encode())
    digest.update(np.rint(1000.0 * targets.astype(np.float64)).astype("<i8").tobytes())
    return digest.hexdigest()
