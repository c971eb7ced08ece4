r"""How sure a number is: what it changes when a speaker is left out, and from seed to seed.

A metric is a `Tally`: sums of scores and numbers of utterances by seed, speaker, fold and class.
It is a mean of ratios, so that leaving out a speaker is a matrix product. Leaving out each of G
speakers in turn gives G pseudo-values (the delete-one jackknife: Efron and Tibshirani 1993, chapter
11), which behave as G observations: their mean is the metric, and Student's t its interval.

- `over_speakers`, of a number by itself: another sample of speakers, these trainings; or, with a
  fold for each speaker, of sessions.
- `over_speakers_and_seeds`, of a difference between models, whose trainings are random, too. The
  pseudo-values x of seed r and speaker s are a two-way layout of random effects,

      x_rs = mean + speaker_s + seed_r + rest_rs,

  and the variance of their mean is MS_seed / RG + max(0, MS_speaker - MS_rest) / RG (R seeds, G
  speakers; Searle, Casella and McCulloch 1992, chapter 4). Degrees of freedom: Satterthwaite 1946,
  of the two terms. The first holds the luck of a single run, which a session's speakers share.

No interval here sees that folds share training data. tests/test_resampling.py simulates all this.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit  # Student's t; a hundred times as fast as scipy.stats

Floats = NDArray[np.float64]
Aggregate = Literal["mean", "pooled"]

LEVEL = 0.95
POWER = 0.8


@dataclass(frozen=True)
class Tally:
    """Scores of one model by one metric, float64; all but UA have one class.

    Attributes:
        scores: sums over utterances, [seeds, speakers, folds, classes].
        counts: the utterances behind each sum, [speakers, folds, classes].
    """

    scores: Floats
    counts: Floats


class Error(NamedTuple):
    """A standard error and its degrees of freedom; NaN where they cannot be had."""

    size: float
    freedom: float


UNKNOWN = Error(np.nan, np.nan)


def value(tally: Tally, aggregate: Aggregate, weights: Floats | None = None) -> Floats:
    """The metric: the mean over classes of each class's mean score.

    Of the utterances of all folds together (``pooled``), or of each fold and then the mean over
    folds (``mean``). A class or fold without utterances does not take part, as in metrics.csv. With
    weights a fold counts as its speakers do: in a balanced design each speaker has the same say.

    ``weights``: how often each speaker counts, [weightings, speakers]; None: each once. Returns
    float64 [seeds, weightings].
    """
    scores, counts = tally.scores, tally.counts
    if aggregate == "pooled":
        scores, counts = scores.sum(axis=2, keepdims=True), counts.sum(axis=1, keepdims=True)
    if weights is None:
        weights = np.ones((1, len(counts)))
    ratios = mean_of_ratios(
        np.einsum("ws,rsfc->rwfc", weights, scores), np.einsum("ws,sfc->wfc", weights, counts)
    )  # [seeds, weightings, folds]
    present = counts.any(axis=2).astype(np.float64)  # [speakers, folds]
    say = weights @ (present / np.maximum(present.sum(axis=0), 1))  # [weightings, folds]
    return ratio((np.nan_to_num(ratios) * say).sum(axis=2), say.sum(axis=1))


def mean_of_ratios(scores: Floats, counts: Floats) -> Floats:
    """Mean over the last axis of scores / counts, where there are counts; else NaN."""
    ratios = np.divide(scores, counts, out=np.zeros_like(scores), where=counts > 0)
    return ratio(ratios.sum(axis=-1), (counts > 0).sum(axis=-1).astype(np.float64))


def ratio(a: Floats, b: Floats) -> Floats:
    """A quotient a / b that is NaN where b is 0."""
    quotient: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)
    return quotient


def pseudo_values(tally: Tally, aggregate: Aggregate, by: Literal["speaker", "fold"]) -> Floats:
    """G times the metric, less G - 1 times the metric without one of G speakers (or folds).

    Float64 [seeds, G], for those that have utterances.
    """
    there = tally.counts.sum(axis=2) > 0  # [speakers, folds]
    groups = np.diag(there.sum(axis=1) > 0) if by == "speaker" else there.T
    groups = groups[groups.sum(axis=1) > 0].astype(np.float64)
    n, without = len(groups), value(tally, aggregate, 1.0 - groups)
    return n * value(tally, aggregate) - (n - 1) * np.nan_to_num(without)


def over_speakers(pseudo: Floats) -> Error:
    """Of the mean of pseudo-values [seeds, G] when speakers vary; unknown for one speaker."""
    groups = pseudo.shape[1]
    if groups < 2:
        return UNKNOWN
    return Error(float(np.sqrt(pseudo.mean(axis=0).var(ddof=1) / groups)), groups - 1)


def over_speakers_and_seeds(pseudo: Floats) -> Error:
    """Of the mean of pseudo-values [seeds, G] when both vary; unknown for one of either.

    All pseudo-values 0, the difference of a model from itself, are without error for one seed, too.
    """
    if not pseudo.any():
        return Error(0.0, np.inf)
    if min(pseudo.shape) < 2:
        return UNKNOWN
    of_seeds, of_speakers = pseudo.mean(axis=1), pseudo.mean(axis=0)
    seeds, speakers = pseudo.shape
    rest = pseudo - of_seeds[:, None] - of_speakers + pseudo.mean()
    noise = (rest**2).sum() / ((seeds - 1) * (speakers - 1)) / pseudo.size
    from_seeds = of_seeds.var(ddof=1) / seeds
    from_speakers = max(0.0, of_speakers.var(ddof=1) / speakers - noise)
    variance = from_seeds + from_speakers
    if variance == 0:
        return Error(0.0, np.inf)
    freedom = variance**2 / (from_seeds**2 / (seeds - 1) + from_speakers**2 / (speakers - 1))
    return Error(float(np.sqrt(variance)), float(freedom))


def half_width(error: Error, level: float = LEVEL) -> float:
    """How far an interval of this level reaches on either side: Student's t times the error."""
    return float(stdtrit(error.freedom, (1 + level) / 2) * error.size)


def p_value(difference: float, error: Error) -> float:
    """Two-sided, of Student's t: below 1 - level exactly where the interval leaves out zero."""
    if error.size == 0:
        return float(difference == 0)
    return float(2 * stdtr(error.freedom, -abs(difference) / error.size))


def detectable(error: Error) -> float:
    """The true difference whose interval leaves out zero in four of five repetitions."""
    return half_width(error) + float(stdtrit(error.freedom, POWER) * error.size)


def prediction_interval(values_by_seed: ArrayLike) -> tuple[float, float]:
    """Where one more run of the same experiment, with another seed, would lie (95%).

    Whether a number is reproduced is judged by it, as the paper's experiment has the same speakers
    and utterances. Low and high are mean +- t s sqrt(1 + 1/k), for values [k] of k seeds, their
    standard deviation s (k - 1), t of k - 1 degrees (Hahn and Meeker 1991, chapter 4); NaN for one.

    >>> low, high = prediction_interval([0.60, 0.62, 0.64])
    >>> round(low, 4), round(high, 4)
    (0.5206, 0.7194)
    """
    values = np.asarray(values_by_seed, dtype=np.float64)
    if len(values) < 2:
        return np.nan, np.nan
    spread = values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
    reach = half_width(Error(float(spread), len(values) - 1))
    return float(values.mean()) - reach, float(values.mean()) + reach
