"""Label encoding: the words of an utterance -> one vector (paper, equation 4)."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError


class Vectors(Protocol):
    """Where words have vectors: a word space, or the vectors of a label set."""

    @property
    def dim(self) -> int:
        """Numbers a vector."""

    def vectors_of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Float32 [len(words), dim]."""


def encode(targets: pd.DataFrame, utterances: Sequence[str], space: Vectors) -> NDArray[np.float32]:
    """The target vectors w = mean of W(y) over an utterance's words (paper, equation 4).

    A word that was named twice counts twice. Sums are made in float64.

    Args:
        targets: utterance, word, count.
        utterances: one row each, in this order.
        space: the word space W, or as much of it as is needed.

    Returns:
        Float32 [utterances, dim].

    Raises:
        InputError: an utterance has no words, or a word is not in the space.
    """
    table = targets.pivot_table("count", "utterance", "word", aggfunc="sum", fill_value=0)
    table = table.reindex(list(utterances), fill_value=0)
    counts = np.ascontiguousarray(table.to_numpy(np.float64))  # BLAS sums by it
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        raise InputError(f"utterance {utterances[totals.argmin()]} has no target words")
    vectors = space.vectors_of(list(table.columns)).astype(np.float64)
    means: NDArray[np.float32] = ((counts / totals) @ vectors).astype(np.float32)
    return means


def proportions(words: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """One utterance's words (word, count) in their exact proportions: equal for equal targets.

    Anger twice and sadness twice is the mean of anger and sadness, which floats may hide. Counts
    have no common divisor; words are in the order of the alphabet.
    """
    divisor = math.gcd(*words["count"])
    counts = (int(count) // divisor for count in words["count"])
    return tuple(sorted(zip(words["word"], counts, strict=True)))
