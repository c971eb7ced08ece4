"""Intervals of speakers and seeds: against brute force, textbooks, and simulated truth."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emoword.labels.decision import unweighted_accuracy
from emoword.statistics.intervals import tally as tally_of_scores
from emoword.statistics.resampling import (
    Aggregate,
    Error,
    Floats,
    Tally,
    detectable,
    half_width,
    over_speakers,
    over_speakers_and_seeds,
    p_value,
    prediction_interval,
    pseudo_values,
    value,
)

CLASSES = 4
SEVEN_SEEDS = Path(__file__).parent / "fixtures/seven_seeds.csv.xz"


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
    return Tally(sums[None], counts)


def recount(answers: pd.DataFrame, aggregate: Aggregate) -> float:
    """UA as metrics.csv has it."""
    if aggregate == "pooled":
        return unweighted_accuracy(answers["true"], answers["predicted"])
    folds = [unweighted_accuracy(f["true"], f["predicted"]) for _, f in answers.groupby("fold")]
    return float(np.mean(folds))


@given(st.integers(0, 10**6), st.sampled_from(["mean", "pooled"]), st.integers(5, 90))
def test_a_value_is_what_is_counted(seed: int, aggregate: Aggregate, n: int) -> None:
    answers = some_answers(seed, utterances=n)
    wanted = pytest.approx(recount(answers, aggregate))
    assert value(tally_of(answers), aggregate)[0, 0] == wanted


@given(st.integers(0, 10**6))
def test_weights_are_how_often_speakers_count(seed: int) -> None:
    answers = some_answers(seed)
    times = np.random.default_rng(seed).multinomial(6, [1 / 6] * 6)
    drawn = pd.concat([answers[answers["speaker"] == s] for s in np.repeat(np.arange(6), times)])
    weights = times[None].astype(float)
    tally = tally_of(answers)
    assert value(tally, "pooled", weights)[0, 0] == pytest.approx(recount(drawn, "pooled"))
    # mean over folds: as often as the fold's speakers count
    folds = [drawn[drawn["fold"] == fold] for fold in range(3)]
    by_fold = [unweighted_accuracy(f["true"], f["predicted"]) for f in folds if len(f)]
    share = [times[2 * k] + times[2 * k + 1] for k, f in enumerate(folds) if len(f)]
    wanted = np.average(by_fold, weights=share)
    assert value(tally, "mean", weights)[0, 0] == pytest.approx(wanted)


@pytest.mark.parametrize(("by", "groups"), [("speaker", 6), ("fold", 3)])
def test_pseudo_values_leave_out_one(by: str, groups: int) -> None:
    answers = some_answers(5)
    found = pseudo_values(tally_of(answers), "pooled", by)  # type: ignore[arg-type]
    whole = recount(answers, "pooled")
    for group in range(groups):
        without = recount(answers[answers[by] != group], "pooled")
        assert found[0, group] == pytest.approx(groups * whole - (groups - 1) * without)


def test_for_equal_speakers_it_is_students_interval() -> None:
    """One score a speaker and one fold each: the textbook's t interval of ten numbers."""
    scores = np.random.default_rng(0).random(10)
    tally = Tally(np.diag(scores)[None, :, :, None], np.eye(10)[:, :, None])
    wanted = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    for aggregate in ("mean", "pooled"):
        middle = value(tally, aggregate)[0, 0]
        reach = half_width(over_speakers(pseudo_values(tally, aggregate, "speaker")))
        assert middle == pytest.approx(scores.mean())
        assert (middle - reach, middle + reach) == pytest.approx((wanted.low, wanted.high))


def test_a_two_way_layout_by_hand() -> None:
    """Rows: two seeds; columns: three speakers.

    Means of rows 2 and 4, of columns 1, 3, 5, of all 3; the rest 0.5, 0, -0.5 and -0.5, 0, 0.5.
    Mean squares: seeds 3 * (1 + 1) / 1 = 6, speakers 2 * (4 + 0 + 4) / 2 = 8, rest 1 / 2; each
    divided by the 6 numbers.
    """
    table = np.array([[0.5, 2.0, 3.5], [1.5, 4.0, 6.5]])
    error = over_speakers_and_seeds(table)
    seeds, speakers = 1.0, 8 / 6 - 0.5 / 6
    assert error.size**2 == pytest.approx(seeds + speakers)
    assert error.freedom == pytest.approx((seeds + speakers) ** 2 / (seeds**2 + speakers**2 / 2))
    # speakers that differ by less than chance add nothing
    noise = np.array([[1.0, -1.0], [1.0, 3.0]])
    assert over_speakers_and_seeds(noise) == pytest.approx((1.0, 1.0))


def test_where_there_is_no_interval() -> None:
    one_speaker, one_seed = np.ones((3, 1)), np.ones((1, 3))
    assert np.isnan(half_width(over_speakers(one_speaker)))
    assert np.isnan(half_width(over_speakers_and_seeds(one_speaker)))
    assert np.isnan(half_width(over_speakers_and_seeds(one_seed)))
    assert np.isnan(p_value(0.1, over_speakers_and_seeds(one_seed)))
    assert np.isnan(prediction_interval([0.6])).all()
    # a model does not differ from itself
    assert half_width(over_speakers_and_seeds(0 * one_seed)) == 0
    assert p_value(0.0, over_speakers_and_seeds(0 * one_seed)) == 1


@given(st.floats(-0.3, 0.3), st.floats(1e-3, 0.2), st.floats(1, 40))
def test_interval_and_p_agree(difference: float, size: float, freedom: float) -> None:
    error = Error(size, freedom)
    p, reach = p_value(difference, error), half_width(error)
    assert abs(p - 0.05) < 1e-9 or (p < 0.05) == (abs(difference) > reach)


def test_p_is_that_of_students_test() -> None:
    scores = np.random.default_rng(4).random(10) - 0.3
    wanted = stats.ttest_1samp(scores, 0).pvalue
    assert p_value(scores.mean(), over_speakers(scores[None])) == pytest.approx(wanted)


def test_what_is_detectable_is_found_in_four_of_five() -> None:
    random = np.random.default_rng(0)
    true = detectable(Error(1 / np.sqrt(30), 29))  # standard deviation 1, 30 speakers
    found = 0
    for _ in range(2000):
        sample = true + random.standard_normal((1, 30))
        found += sample.mean() > half_width(over_speakers(sample))
    assert found / 2000 == pytest.approx(0.8, abs=0.03)


def test_one_more_run_lies_in_the_prediction_interval() -> None:
    random = np.random.default_rng(1)
    for seeds in (3, 5):
        inside = 0
        for _ in range(2000):
            *known, one_more = random.normal(0.6, 0.02, seeds + 1)
            low, high = prediction_interval(known)
            inside += low <= one_more <= high
        assert inside / 2000 == pytest.approx(0.95, abs=0.015)


# --------------------------------------------------------- does 95% hold the truth 95 times in 100?

REPEATS = 1000
SHARES = np.array([0.2, 0.3, 0.2, 0.3])  # of the classes, near IEMOCAP's


class World:
    """Speakers, utterances, trainings and answers as they might be.

    Each speaker has a skill, and one for each class (logits, of standard deviation 0.28 each), an
    own number of utterances and own shares of the classes. ``run``: of each training, by fold and
    seed; ``seed``: of the seed on all folds; ``fold``: what a fold's model is worth whatever the
    seed; ``lead``: how far the second model lies behind, with ``apart`` by speaker and class. All
    are logits.
    """

    def __init__(self, speakers: int, utterances: int, seeds: int = 1, **logits: float) -> None:
        self.speakers, self.utterances, self.seeds = speakers, utterances, seeds
        self.logits = logits
        self.random = np.random.default_rng(speakers * utterances)

    def normal(self, name: str, *shape: int) -> Floats:
        return np.asarray(self.logits.get(name, 0.0) * self.random.standard_normal(shape))

    def draw(self, speakers: int, seeds: int) -> tuple[Floats, Floats, Floats]:
        """Right answers of two models [seeds, speakers, classes], and utterances."""
        random = self.random
        n = np.maximum(4, self.utterances * np.exp(0.25 * random.standard_normal(speakers)))
        counts = np.floor(n[:, None] * random.dirichlet(20 * SHARES, speakers)) + 1
        skill = random.standard_normal((speakers, 1)) + random.standard_normal((speakers, CLASSES))
        logits = np.array([0.7, 0.1, 0.6, 0.2]) + 0.28 * skill
        apart = self.logits.get("lead", 0.0) + self.normal("apart", speakers, CLASSES)
        right = []
        for behind in (0, apart):
            runs = self.normal("run", seeds, speakers // 2, 1)
            runs = runs + self.normal("fold", 1, speakers // 2, 1)
            luck = self.normal("seed", seeds, 1, 1) + runs.repeat(2, axis=1)
            share = 1 / (1 + np.exp(behind - logits - luck))
            right.append(random.binomial(counts.astype(int), share).astype(float))
        return right[0], right[1], counts

    def truth(self) -> float:
        """The difference of UA of 200,000 speakers, each pair with trainings of its own."""
        luck = {"run": np.hypot(self.logits.get("run", 0), self.logits.get("seed", 0)), "seed": 0}
        many = World(10, self.utterances, **{**self.logits, **luck})
        a, b, counts = many.draw(200_000, 1)
        return float(((a - b).sum(axis=(0, 1)) / counts.sum(axis=0)).mean())

    def tallies(self, classes: bool = True) -> tuple[Tally, Tally]:
        a, b, counts = self.draw(self.speakers, self.seeds)
        if not classes:
            a, b, counts = (table.sum(axis=-1, keepdims=True) for table in (a, b, counts))
        fold = np.eye(self.speakers // 2).repeat(2, axis=0)[:, :, None]
        whole = fold * counts[:, None]
        return Tally(fold * a[:, :, None], whole), Tally(fold * b[:, :, None], whole)

    def misses(self, truth: float) -> dict[str, float]:
        """How often the difference's interval does not hold the truth."""
        missed = dict.fromkeys(("speakers", "both", "sessions"), 0)
        for _ in range(REPEATS):
            for name, off in intervals(*self.tallies(), truth).items():
                missed[name] += off
        return {name: count / REPEATS for name, count in missed.items()}


def intervals(a: Tally, b: Tally, truth: float = 0.0) -> dict[str, bool]:
    """Whether the truth lies outside of each of the three intervals of a difference of UA."""
    difference = (value(a, "mean") - value(b, "mean")).mean()
    speakers, folds = (
        pseudo_values(a, "mean", by) - pseudo_values(b, "mean", by) for by in ("speaker", "fold")
    )
    errors = {
        "speakers": over_speakers(speakers),
        "both": over_speakers_and_seeds(speakers),
        "sessions": over_speakers(folds),
    }
    return {name: abs(difference - truth) > half_width(error) for name, error in errors.items()}


@pytest.mark.parametrize(
    ("speakers", "utterances"),
    [(10, 550), (10, 18), (20, 100)],
    ids=["IEMOCAP", "demo", "20 speakers"],
)
@pytest.mark.parametrize(
    ("aggregate", "classes"),
    [("pooled", True), ("mean", True), ("mean", False)],
    ids=["UA pooled", "UA over folds", "WA over folds"],
)
def test_a_number_is_held_for_other_speakers(
    speakers: int, utterances: int, aggregate: Aggregate, classes: bool
) -> None:
    """Of 1,000 samples, 95% +- 2%; a proportion of them is off by 0.7% (one sigma) by chance."""
    world = World(speakers, utterances)
    a, _, counts = world.draw(200_000, 1)
    right, total = a[0].sum(axis=0), counts.sum(axis=0)
    truth = (right / total).mean() if classes else right.sum() / total.sum()
    inside = 0
    for _ in range(REPEATS):
        tally, _ = world.tallies(classes)
        reach = half_width(over_speakers(pseudo_values(tally, aggregate, "speaker")))
        inside += abs(value(tally, aggregate)[0, 0] - truth) <= reach
    assert inside / REPEATS == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("utterances", [550, 18], ids=["IEMOCAP", "demo"])
def test_a_model_and_itself_with_other_seeds(seeds: int, utterances: int) -> None:
    """A/A with trainings that differ by some 3 points: 5% +- 2% (three sigma of 1,000)."""
    found = World(10, utterances, seeds, run=0.3).misses(0.0)
    assert found["both"] == pytest.approx(0.05, abs=0.02)
    assert found["sessions"] == pytest.approx(0.05, abs=0.02)
    if utterances == 550:
        assert found["speakers"] > 0.1  # the error of before: trainings taken as given


@pytest.mark.parametrize(
    "logits",
    [
        {"apart": 0.4},
        {"apart": 0.2, "run": 0.2},
        {"apart": 0.2, "run": 0.2, "seed": 0.1},
        {"run": 0.1, "seed": 0.2},
    ],
    ids=["speakers", "and runs", "and seeds", "mostly seeds"],
)
def test_a_difference_is_held(logits: dict[str, float]) -> None:
    world = World(10, 200, 5, lead=0.2, **logits)
    assert world.misses(world.truth())["both"] == pytest.approx(0.05, abs=0.02)


def test_where_it_is_not_held_sessions_hold_it() -> None:
    """What a fold's model is worth with every seed is unseen by speakers and seeds."""
    found = World(10, 550, 3, run=0.1, fold=0.3).misses(0.0)
    assert found["both"] > 0.08
    assert found["sessions"] == pytest.approx(0.05, abs=0.02)


# --------------------------------------------------------------- stored decisions of seven seeds


def stored(model: str, by_class: bool) -> Tally:
    """What seven trainings of the demo decided: 182 utterances, right (1) or wrong (0)."""
    rows = pd.read_csv(SEVEN_SEEDS)
    scores = rows[[f"{model} {seed}" for seed in range(7)]].to_numpy(dtype=float).T
    codes = {name: sorted(rows[name].unique()) for name in ("speaker", "fold", "true")}
    return tally_of_scores(rows, scores, codes, by_class)


def held(scores: Floats, counts: Floats, *seeds: list[int]) -> tuple[Tally, Tally]:
    """Some seeds against others."""
    first, other = (Tally(scores[chosen], counts) for chosen in seeds)
    return first, other


def rates(pairs: list[tuple[Tally, Tally]]) -> dict[str, float]:
    """How often two halves of the same trainings are found to differ."""
    found = [intervals(a, b) for a, b in pairs]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def test_stored_decisions_of_the_same_model_do_not_differ() -> None:
    """Trainings are exchanged within each fold, and three held against three: 2,000 times.

    Of two models and two metrics; the mean of their rates is known to some 1%, as the trainings
    are 70 in all.
    """
    random = np.random.default_rng(0)
    pairs: list[tuple[Tally, Tally]] = []
    single: list[tuple[Tally, Tally]] = []
    for model, by_class in itertools.product(("M1", "baseline"), (True, False)):
        whole = stored(model, by_class)
        for _ in range(500):
            order = np.array([random.permutation(7) for _ in range(5)])
            exchanged = np.stack([whole.scores[order[f], :, f] for f in range(5)], axis=2)
            pairs.append(held(exchanged, whole.counts, [0, 1, 2], [3, 4, 5]))
        for i, j in itertools.combinations(range(7), 2):
            single.append(held(whole.scores, whole.counts, [i], [j]))
    found = rates(pairs)
    assert found["both"] == pytest.approx(0.05, abs=0.02)
    assert found["sessions"] == pytest.approx(0.05, abs=0.02)
    # a seed against a seed, by speakers alone, as it was judged before
    assert rates(single)["speakers"] > 0.12


def test_whole_seeds_of_stored_decisions() -> None:
    """Three seeds against three others, in every pairing: 420 of the same seven."""
    pairs = []
    for model in ("M1", "baseline"):
        whole = stored(model, by_class=True)
        for first in itertools.combinations(range(7), 3):
            rest = [seed for seed in range(7) if seed not in first]
            for other in itertools.permutations(rest, 3):
                if first < other:
                    pairs.append(held(whole.scores, whole.counts, list(first), list(other)))
    assert rates(pairs)["both"] <= 0.07
