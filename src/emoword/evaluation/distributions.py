"""How far a distribution over the classes is from the raters': three measures."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon

Floats = NDArray[np.float64]
BINS = 15  # of equal width (Guo et al. 2017)


def jensen_shannon(said: Floats, wanted: Floats) -> Floats:
    """Jensen-Shannon divergence in bits, 0 to 1: [n] of two times [n, classes].

    >>> jensen_shannon(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).tolist()
    [1.0]
    """
    distance: Floats = np.asarray(jensenshannon(said, wanted, base=2, axis=1))
    return distance**2


def brier(said: Floats, wanted: Floats) -> Floats:
    """Brier score, the sum over classes of squared differences, 0 to 2: [n].

    >>> brier(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])).tolist()
    [0.5]
    """
    squares: Floats = ((said - wanted) ** 2).sum(axis=1)
    return squares


def calibration(said: Floats, wanted: Floats, groups: NDArray[np.intp]) -> tuple[float, Floats]:
    """Expected calibration error, and the same without each group.

    Of the rows of a bin of confidence (the largest probability), the mean confidence is held
    against the mean share of raters who chose that class; ECE, 0 to 1, is the mean absolute
    difference over bins, weighted by their rows. Where all raters agree this is the usual ECE
    (Naeini et al. 2015, Guo et al. 2017). ``said`` and ``wanted`` are [n, classes]; ``groups`` are
    those of the rows, such as speakers, 0 ... G - 1.
    """
    best = said.argmax(axis=1)[:, None]
    excess = (np.take_along_axis(said, best, 1) - np.take_along_axis(wanted, best, 1))[:, 0]
    bins = np.minimum((said.max(axis=1) * BINS).astype(np.intp), BINS - 1)
    count = int(groups.max()) + 1
    cells = groups * BINS + bins
    gaps = np.bincount(cells, excess, count * BINS).reshape(count, BINS)
    rows = np.bincount(groups, minlength=count)
    error = np.abs(gaps.sum(axis=0)).sum() / rows.sum()
    without = np.abs(gaps.sum(axis=0) - gaps).sum(axis=1) / np.maximum(rows.sum() - rows, 1)
    return float(error), without
