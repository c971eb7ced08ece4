"""The bootstrap and the permutation test, against brute force, scipy, and simulated truth."""

import itertools

import numpy as np
import pandas as pd
import pytest
from emoword.labels.accuracy import unweighted_accuracy
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emoword.statistics.resampling import (
    Aggregate,
    Floats,
    Tally,
    draws,
    half_width,
    permutation_p,
    resampled,
    shares,
    standard_error,
    value,
)

CLASSES = 4


def some_answers(seed: int, speakers: int = 6, utterances: int = 90) -> pd.DataFrame:
    """Answers of one model: speaker, fold (two speakers each), true, predicted."""
    random = np.random.default_rng(seed)
    speaker = random.integers(speakers, size=utterances)
    true = random.choice(CLASSES, size=utterances, p=[0.5, 0.3, 0.15, 0.05])
    wrong = random.integers(CLASSES, size=utterances)
    predicted = np.where(random.random(utterances) < 0.4, true, wrong)
    return pd.DataFrame(
        {"speaker": speaker, "fold": speaker // 2, "true": true, "predicted": predicted}
    )


def tally_of(answers: pd.DataFrame, speakers: int = 6) -> Tally:
    shape = (speakers, (speakers + 1) // 2, CLASSES)
    sums, counts = np.zeros(shape), np.zeros(shape)
    for speaker, fold, true, predicted in answers.to_numpy():
        counts[speaker, fold, true] += 1
        sums[speaker, fold, true] += true == predicted
    return Tally(sums, counts)


def recount(answers: pd.DataFrame, aggregate: Aggregate) -> float:
    """UA as metrics.csv has it."""
    if aggregate == "pooled":
        return unweighted_accuracy(answers["true"], answers["predicted"])
    folds = [unweighted_accuracy(f["true"], f["predicted"]) for _, f in answers.groupby("fold")]
    return float(np.mean(folds))


@given(st.integers(0, 10**6), st.sampled_from(["mean", "pooled"]), st.integers(5, 90))
def test_value_and_shares_are_what_is_counted(seed: int, aggregate: Aggregate, n: int) -> None:
    answers = some_answers(seed, utterances=n)
    tally = tally_of(answers)
    wanted = pytest.approx(recount(answers, aggregate))
    assert value(tally, aggregate)[0] == wanted
    assert shares(tally, aggregate).sum() == wanted


@given(st.integers(0, 10**6))
def test_a_resample_is_the_answers_of_the_speakers_drawn(seed: int) -> None:
    answers = some_answers(seed)
    times = np.random.default_rng(seed).multinomial(6, [1 / 6] * 6)
    drawn = pd.concat([answers[answers["speaker"] == s] for s in np.repeat(np.arange(6), times)])
    weights = times[None].astype(float)
    tally = tally_of(answers)
    assert value(tally, "pooled", weights)[0] == pytest.approx(recount(drawn, "pooled"))
    # mean over folds: as often as the fold's speakers were drawn
    folds = [drawn[drawn["fold"] == fold] for fold in range(3)]
    by_fold = [unweighted_accuracy(f["true"], f["predicted"]) for f in folds if len(f)]
    share = [times[2 * k] + times[2 * k + 1] for k, f in enumerate(folds) if len(f)]
    wanted = np.average(by_fold, weights=share)
    assert value(tally, "mean", weights)[0] == pytest.approx(wanted)


def test_the_standard_error_is_scipys() -> None:
    """scipy draws speakers itself; the spread of 10,000 resamples agrees within 3%."""
    tally = tally_of(some_answers(1, speakers=10, utterances=400), speakers=10)
    ours = standard_error(resampled(tally, "pooled"), 10) / np.sqrt(10 / 9)
    scores, counts = tally.scores.sum(axis=1), tally.counts.sum(axis=1)

    def statistic(drawn: Floats, axis: int = -1) -> Floats:
        del axis
        chosen = drawn.astype(int)
        ratios: Floats = scores[chosen].sum(axis=-2) / counts[chosen].sum(axis=-2)
        return np.asarray(ratios.mean(axis=-1))

    theirs = stats.bootstrap(
        (np.arange(10),), statistic, n_resamples=10_000, method="percentile", vectorized=True, rng=3
    )
    assert ours == pytest.approx(theirs.standard_error, rel=0.03)


def test_for_equal_speakers_it_is_students_interval() -> None:
    """One score a speaker and one fold each: the textbook's t interval of ten numbers."""
    scores = np.random.default_rng(0).random(10)
    tally = Tally(np.diag(scores)[:, :, None], np.eye(10)[:, :, None])
    wanted = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    low, high = float(wanted.low), float(wanted.high)
    for aggregate in ("mean", "pooled"):
        middle = value(tally, aggregate)[0]
        reach = half_width(standard_error(resampled(tally, aggregate), 10), 10)
        assert middle == pytest.approx(scores.mean())
        assert middle - reach == pytest.approx(low, abs=0.01 * (high - low))
        assert middle + reach == pytest.approx(high, abs=0.01 * (high - low))


@pytest.mark.parametrize("aggregate", ["mean", "pooled"])
def test_the_permutation_p_counts_exchanges(aggregate: Aggregate) -> None:
    """All 2**6 exchanges of two models' answers, speaker by speaker, recounted from the rows."""
    ours, theirs = some_answers(2), some_answers(2)
    theirs["predicted"] = some_answers(3)["predicted"].where(ours["speaker"] > 1, ours["true"])
    observed = abs(recount(ours, aggregate) - recount(theirs, aggregate))
    extreme = 0
    for swapped in itertools.product([False, True], repeat=6):
        swap = ours["speaker"].map(dict(enumerate(swapped)))
        a = ours.assign(predicted=ours["predicted"].mask(swap, theirs["predicted"]))
        b = theirs.assign(predicted=theirs["predicted"].mask(swap, ours["predicted"]))
        difference = abs(recount(a, aggregate) - recount(b, aggregate))
        extreme += difference >= observed - 1e-12
    p = permutation_p(shares(tally_of(ours), aggregate), shares(tally_of(theirs), aggregate))
    assert p == pytest.approx(extreme / 2**6)


def test_the_permutation_p_is_scipys_default() -> None:
    random = np.random.default_rng(4)
    a, b = random.random(10), random.random(10) + 0.2
    theirs = stats.permutation_test(
        (a, b), lambda x, y: np.mean(x) - np.mean(y), permutation_type="samples", vectorized=False
    )
    assert permutation_p(a, b) == pytest.approx(theirs.pvalue)
    assert permutation_p(a, a) == 1
    assert permutation_p(np.zeros(10), np.ones(10)) == pytest.approx(2 / 2**10)


def test_one_speaker_has_no_interval() -> None:
    tally = Tally(np.ones((1, 1, 1)), np.full((1, 1, 1), 2.0))
    assert np.isnan(standard_error(resampled(tally, "mean"), 1))
    assert np.isnan(half_width(0.1, 1))


# --------------------------------------------------------- does 95% hold the truth 95 times in 100?

REPEATS = 2000
SHARES = np.array([0.2, 0.3, 0.2, 0.3])  # of the classes, near IEMOCAP's


class World:
    """Speakers, utterances and answers as they might be, and what a model is really worth there.

    Each speaker has a skill, and one for each class (logits, of standard deviation 0.28 each), an
    own number of utterances and own shares of the classes.
    """

    def __init__(self, speakers: int, utterances: int, fold_effect: float = 0) -> None:
        self.speakers, self.utterances, self.fold_effect = speakers, utterances, fold_effect
        self.random = np.random.default_rng(speakers * utterances)

    def draw(self, repeats: int, speakers: int) -> tuple[Floats, Floats, Floats]:
        """Right answers of two models and utterances: float64 [repeats, speakers, classes]."""
        normal = self.random.standard_normal
        shape = (repeats, speakers)
        n = np.maximum(4, self.utterances * np.exp(0.25 * normal(shape)))
        counts = np.floor(n[..., None] * self.random.dirichlet(20 * SHARES, shape)) + 1
        skill = 0.28 * (normal((*shape, 1)) + normal((*shape, CLASSES)))
        fold = normal((repeats, speakers // 2, 1)).repeat(2, axis=1)  # two speakers, one model
        logits = np.array([0.7, 0.1, 0.6, 0.2]) + skill + self.fold_effect * fold
        right = [
            self.random.binomial(counts.astype(int), 1 / (1 + np.exp(-(logits + other))))
            for other in (0, 0.1 + 0.2 * normal((*shape, CLASSES)))
        ]
        return right[0].astype(float), right[1].astype(float), counts

    def coverage(self, aggregate: Aggregate, classes: bool, difference: bool) -> dict[str, float]:
        """How often the truth lies inside, for our intervals and for plain percentiles."""

        def ratio(scores: Floats, counts: Floats) -> Floats:
            scores, counts = scores.sum(axis=-2), counts.sum(axis=-2)
            if not classes:
                return np.asarray(scores.sum(axis=-1) / counts.sum(axis=-1))
            return np.asarray((scores / counts).mean(axis=-1))

        a, b, counts = self.draw(1, 200_000)
        truth = (ratio(a - b, counts) if difference else ratio(a, counts))[0]
        a, b, counts = self.draw(REPEATS, self.speakers)
        fold = np.eye(self.speakers // 2).repeat(2, axis=0)[:, :, None]
        weights = draws(self.speakers)[:1000]
        inside = {"ours": 0, "percentile": 0}
        for repeat in range(REPEATS):
            scores = a[repeat] - b[repeat] if difference else a[repeat]
            total = counts[repeat]
            if not classes:
                scores, total = scores.sum(-1, keepdims=True), total.sum(-1, keepdims=True)
            tally = Tally(fold * scores[:, None], fold * total[:, None])
            resamples = value(tally, aggregate, weights)
            reach = half_width(standard_error(resamples, self.speakers), self.speakers)
            low, high = np.quantile(resamples, [0.025, 0.975])
            inside["ours"] += abs(value(tally, aggregate)[0] - truth) <= reach
            inside["percentile"] += low <= truth <= high
        return {name: count / REPEATS for name, count in inside.items()}


@pytest.mark.parametrize(
    ("speakers", "utterances"),
    [(10, 550), (10, 18), (20, 100)],
    ids=["IEMOCAP", "demo", "20 speakers"],
)
@pytest.mark.parametrize(
    ("aggregate", "classes", "difference"),
    [("pooled", True, False), ("mean", True, False), ("mean", False, False), ("mean", True, True)],
    ids=["UA pooled", "UA over folds", "WA over folds", "difference of UA"],
)
def test_intervals_hold_the_truth(
    speakers: int, utterances: int, aggregate: Aggregate, classes: bool, difference: bool
) -> None:
    """Of 2,000 samples, 95% +- 2%; a proportion of them is off by 0.5% (one sigma) by chance."""
    inside = World(speakers, utterances).coverage(aggregate, classes, difference)
    assert 0.93 <= inside["ours"] <= 0.97
    assert inside["percentile"] < (0.93 if speakers == 10 else 0.95)


def test_where_they_do_not_hold_it() -> None:
    """What a fold's two speakers share, such as one model that trained badly, is not seen."""
    assert World(10, 550, fold_effect=0.4).coverage("mean", True, False)["ours"] < 0.92
