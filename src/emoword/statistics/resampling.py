"""How sure a number is: a bootstrap and a permutation test that take speakers as they come, whole.

Utterances of one speaker are alike, so that what varies from sample to sample is who speaks. All
seeds are pooled: they are averaged, and drawing a speaker draws what every seed made of them.

UA, WA, mean cosine similarity and top-10 accuracy are all one thing here, a `Tally`: sums of scores
and numbers of utterances by speaker, fold and class (WA and the rest have one class). A metric of
a tally is a mean of ratios, so that it is linear in the scores, and drawing speakers is a matrix
product: 10,000 resamples of 10 speakers, 5 folds and 4 classes take 4 million multiplications.
(The package confidence-intervals takes thousands of times as long, draws utterances within the
drawn speakers as well, takes percentiles, and has no paired differences.)
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Aggregate = Literal["mean", "pooled"]

RESAMPLES = 10_000
SEED = 0
LEVEL = 0.95


@dataclass(frozen=True)
class Tally:
    """Scores of one model by one metric.

    Attributes:
        scores: sums over seeds and utterances, float64 [speakers, folds, classes]: of ones where
            the decision is right (UA, WA), or of similarities.
        counts: the utterances behind each sum, once a seed, float64 [speakers, folds, classes].
    """

    scores: Floats
    counts: Floats


def value(tally: Tally, aggregate: Aggregate, weights: Floats | None = None) -> Floats:
    """The metric: the mean over classes of each class's mean score.

    Of the utterances of all folds together (``pooled``), or of each fold and then the mean over
    folds (``mean``). A class or fold without utterances does not take part, as in metrics.csv.
    When speakers are drawn anew, a fold weighs as many times its share as its speakers were drawn:
    for a balanced design each speaker then has the same say, drawn or not.

    Args:
        tally: the scores.
        aggregate: over folds.
        weights: how often each speaker is drawn, [resamples, speakers]; None: each once.

    Returns:
        float64 [resamples].
    """
    speakers, folds, classes = tally.scores.shape
    if weights is None:
        weights = np.ones((1, speakers))
    if aggregate == "pooled":
        scores = weights @ tally.scores.sum(axis=1)
        counts = weights @ tally.counts.sum(axis=1)
        return mean_of_ratios(scores, counts)
    shape = (len(weights), folds, classes)
    scores = (weights @ tally.scores.reshape(speakers, -1)).reshape(shape)
    counts = (weights @ tally.counts.reshape(speakers, -1)).reshape(shape)
    present = tally.counts.any(axis=2).astype(np.float64)  # [speakers, folds]
    drawn = weights @ (present / np.maximum(present.sum(axis=0), 1))  # [resamples, folds]
    by_fold = np.nan_to_num(mean_of_ratios(scores, counts))  # a fold without utterances: drawn is 0
    return ratio((by_fold * drawn).sum(axis=1), drawn.sum(axis=1))


def mean_of_ratios(scores: Floats, counts: Floats) -> Floats:
    """Mean over the last axis of scores / counts, where there are counts; else NaN."""
    ratios = np.divide(scores, counts, out=np.zeros_like(scores), where=counts > 0)
    return ratio(ratios.sum(axis=-1), (counts > 0).sum(axis=-1).astype(np.float64))


def ratio(a: Floats, b: Floats) -> Floats:
    """A quotient a / b that is NaN where b is 0."""
    quotient: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)
    return quotient


def shares(tally: Tally, aggregate: Aggregate) -> Floats:
    """What each speaker adds to the metric: float64 [speakers], whose sum is the value.

    The numbers of utterances are held fixed, so that the shares of two models that were tested on
    the same utterances can be exchanged speaker by speaker.
    """
    folds = tally.counts.sum(axis=0)  # [folds, classes]
    if aggregate == "pooled":
        folds = np.broadcast_to(folds.sum(axis=0), folds.shape)
    present = folds > 0
    share = np.divide(tally.scores, folds, out=np.zeros_like(tally.scores), where=present)
    share = share / np.maximum(present.sum(axis=1), 1)[:, None]
    parts = 1 if aggregate == "pooled" else int(present.any(axis=1).sum())
    total: Floats = share.sum(axis=(1, 2)) / parts
    return total


@cache
def draws(speakers: int) -> Floats:
    """How often each speaker is drawn: [RESAMPLES, speakers], the same whenever it is asked for."""
    generator = np.random.default_rng(SEED)
    drawn = generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=RESAMPLES)
    return drawn.astype(np.float64)


def speakers_of(tally: Tally) -> int:
    """How many speakers have utterances in it."""
    return int(tally.counts.any(axis=(1, 2)).sum())


def resampled(tally: Tally, aggregate: Aggregate) -> Floats:
    """The metric of each resample of speakers, float64 [RESAMPLES]."""
    there = tally.counts.any(axis=(1, 2))
    tally = Tally(tally.scores[there], tally.counts[there])
    return value(tally, aggregate, draws(len(tally.scores)))


def standard_error(resamples: Floats, speakers: int) -> float:
    """Standard deviation over the resamples, times sqrt(G / (G - 1)) for G speakers; else NaN.

    A bootstrap's spread is too narrow by that factor, by 5% for ten speakers (Hesterberg 2015).
    """
    there = resamples[~np.isnan(resamples)]
    if speakers < 2 or len(there) < 2:
        return float("nan")
    return float(there.std(ddof=1) * np.sqrt(speakers / (speakers - 1)))


def half_width(error: float, speakers: int, level: float = LEVEL) -> float:
    """How far an interval of this level reaches on either side: Student's t, G - 1 degrees.

    With ten speakers a bootstrap's own percentiles hold the truth in 88 to 91 of 100 cases where
    they promise 95; these intervals hold it in 93 to 96 (tests/test_resampling.py shows both, and
    where they do not). Few clusters: Cameron, Gelbach and Miller 2008; Hesterberg 2015.
    """
    if speakers < 2:
        return float("nan")
    return float(stats.t.ppf((1 + level) / 2, speakers - 1) * error)


def permutation_p(ours: Floats, theirs: Floats) -> float:
    """Two-sided p-value of a paired difference, by exchanging two models' answers.

    Permuted is which model gave which answers, for all utterances of a speaker and all seeds at
    once: if the models are alike, then a speaker's answers may as well be the other's. With G
    speakers that is 2**G exchanges, all of which are tried up to 13 speakers (the smallest p is
    2 / 2**G: .002 for 10, .06 for 5), and RESAMPLES of them beyond.

    Args:
        ours: `shares` of one model.
        theirs: of the other, on the same utterances.
    """
    if len(ours) < 2 or not np.any(ours != theirs):
        return 1.0  # every exchange is as extreme as what was observed
    result = stats.permutation_test(
        (ours, theirs),
        lambda a, b, axis: (a - b).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(SEED),
    )
    return float(result.pvalue)
