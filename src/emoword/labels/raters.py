"""Raters: their shares of the classes, and how far they agree."""

import numpy as np
from numpy.typing import NDArray

from emoword.spaces.geometry import Float64


def shares(counts: Float64) -> Float64:
    """Counts [n, classes] as shares; NaN in a row where there is nothing to share."""
    totals = counts.sum(axis=1, keepdims=True)
    found: Float64 = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    return found


def alpha(by_utterance: Float64, speakers: NDArray[np.intp]) -> tuple[float, Float64]:
    """Krippendorff's alpha of nominal values, and the same without each speaker's utterances.

    alpha = 1 - (n - 1) (n - sum of o_cc) / (n^2 - sum of n_c^2), with o_cc the coincidences of
    value c with itself and n_c how often it occurs, over utterances that two or more rated
    (Krippendorff, Content Analysis, 2004, chapter 11). NaN where only one value occurs.

    Args:
        by_utterance: how many raters gave each value, [utterances, values].
        speakers: of each utterance, 0 ... G - 1.

    Returns:
        alpha, and float64 [G].
    """
    counts = by_utterance * (by_utterance.sum(axis=1, keepdims=True) > 1)
    others = np.maximum(counts.sum(axis=1) - 1, 1)
    agreed = (counts * (counts - 1)).sum(axis=1) / others
    groups = int(speakers.max()) + 1
    of_speakers = np.stack([np.bincount(speakers, column, groups) for column in counts.T], axis=1)
    coincide = np.bincount(speakers, agreed, groups)
    values = np.vstack([of_speakers.sum(0), of_speakers.sum(0) - of_speakers])  # [1 + G, values]
    same = np.append(coincide.sum(), coincide.sum() - coincide)
    n = values.sum(axis=1)
    expected = n**2 - (values**2).sum(axis=1)
    disagreement = np.divide(
        (n - 1) * (n - same), expected, out=np.full(len(n), np.nan), where=expected > 0
    )
    return float(1 - disagreement[0]), 1 - disagreement[1:]
