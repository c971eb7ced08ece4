"""Intervals of numbers, and paired differences between models: what `resampling` is asked for."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar, get_args

import numpy as np
import pandas as pd

from emoword.evaluation.evaluate import AVERAGED
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.schemas import DECISIONS, DIFFERENCES, INTERVALS, MODEL, UTTERANCES
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


class Model(NamedTuple):
    """What one model did on its test utterances, with each seed."""

    tested: pd.DataFrame  # index utterance, columns speaker, fold, true
    scores: dict[tuple[str, str], Floats]  # measured_on, metric -> [seeds, utterances], or NaN
    seeds: tuple[str, ...]


class Measured(NamedTuple):
    """A metric of a model, over all seeds and by seed; pseudo-values [seeds, speakers or folds]."""

    tally: Tally
    value: float
    by_seed: Floats
    by_speaker: Floats
    by_fold: Floats
    seeds: tuple[str, ...]
    utterances: int

    def interval(self) -> tuple[float, float, float]:
        """Low, high and standard error for another sample of speakers; NaN for one speaker."""
        error = over_speakers(self.by_speaker)
        reach = half_width(error)
        return self.value - reach, self.value + reach, error.size

    def row(self) -> tuple[float, ...]:
        """What intervals.csv says of it."""
        counts = (self.by_fold.shape[1], self.by_speaker.shape[1], len(self.seeds))
        repeated = prediction_interval(self.by_seed)
        return (self.value, *self.interval(), *repeated, *counts, self.utterances)


class Difference(NamedTuple):
    """A paired difference between two models: a row of differences.csv; NaN: cannot be had."""

    difference: float
    low: float
    high: float
    standard_error: float
    p: float
    freedom: float
    detectable: float
    session_low: float
    session_high: float
    speakers: int
    seeds: int
    utterances: int

    def turned(self) -> "Difference":
        """Theirs minus ours."""
        return self._replace(
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
            session_low=-self.session_high,
            session_high=-self.session_low,
        )


Key = tuple[str, str, str]  # variant, model, loss
K = TypeVar("K")
Where = tuple[str, str, str]  # fold (mean or pooled), measured_on, metric
UNITS = ("speaker", "fold", "true")  # that scores are summed by


def intervals(*decisions: Path, utterances: Path, intervals: Path, differences: Path) -> None:
    r"""Say how sure the numbers are: 95% intervals, and paired differences between models.

    Writes INTERVALS, one row a number of metrics.csv that is over all seeds (fold `mean` and
    `pooled`): low and high for another sample of speakers, repeat_low and repeat_high for another
    run of the experiment with a seed of its own. And DIFFERENCES, one row a pair of models that
    were tested on the same utterances with the same seeds: low, high and p for other speakers and
    seeds; session_low and session_high by folds, as a check; detectable, the smallest true
    difference that would be found in four of five repetitions. Pairs are all models of a variant,
    and the same model of two variants.

        emoword intervals decisions/paper.csv --utterances utterances.csv \
            --intervals intervals.csv --differences differences.csv

    Args:
        decisions: decisions.csv of each variant.
        utterances: utterances.csv: who speaks.
        intervals: intervals.csv.
        differences: differences.csv.
    """
    speaker_of = read_speakers(utterances)
    models = {
        key: read_model(rows, speaker_of, path)
        for path in decisions
        for key, rows in by_model(path)
    }
    made = measure(models)
    numbers = [
        (*key, *where, *found.row()) for key, own in made.items() for where, found in own.items()
    ]
    contrasts: list[tuple[object, ...]] = []
    unpaired = []
    for ours, theirs in pairs(list(models)):
        mine, other = models[ours], models[theirs]
        if mine.tested.equals(other.tested) and mine.seeds == other.seeds:
            found = paired(made[ours], made[theirs])
            contrasts += [(*ours, *theirs, *where, *row) for where, row in found]
        else:
            unpaired.append(f"{' '.join(ours)} and {' '.join(theirs)}")
    write_table(pd.DataFrame(numbers, columns=INTERVALS.names), intervals)
    write_table(pd.DataFrame(contrasts, columns=DIFFERENCES.names), differences)
    print(f"{len(numbers)} intervals, {len(contrasts)} paired differences")
    for pair in unpaired:
        print(f"not compared, as they were not tested on the same utterances and seeds: {pair}")


def read_speakers(utterances: Path) -> pd.Series:
    """Utterance -> speaker, of utterances.csv."""
    return UTTERANCES.read(utterances, "utterance", "speaker").set_index("utterance")["speaker"]


def by_model(decisions: Path) -> Iterator[tuple[Key, pd.DataFrame]]:
    """The rows of each model in decisions.csv, cells as strings."""
    for key, rows in DECISIONS.read_text(decisions).groupby(MODEL, sort=False):
        variant, model, loss = map(str, key)
        yield (variant, model, loss), rows


def read_model(rows: pd.DataFrame, speaker_of: pd.Series, path: Path) -> Model:
    """Gather a model's rows of decisions.csv, cells as strings, by seed and utterance.

    Raises:
        InputError: an utterance is unknown, or was not tested once by each seed; names ``path``.
    """
    rows = rows.sort_values(["seed", "utterance"])
    name = " ".join(rows[MODEL].iloc[0])
    seeds = tuple(rows["seed"].unique())
    first = rows.drop_duplicates("utterance").set_index("utterance").sort_index()
    counts = rows.groupby("utterance")["seed"].agg(["size", "nunique"])
    for example in counts.index[(counts != len(seeds)).any(axis=1)]:
        raise InputError(
            f"{path}: {name}: {example} is not there once for each of {len(seeds)} seeds"
        )
    unknown = first.index.difference(speaker_of.index)
    if len(unknown):
        raise InputError(f"{path}: {unknown[0]} is not in utterances.csv")
    tested = first[["fold", "true"]].assign(speaker=speaker_of.loc[first.index])

    def by_seed(cells: pd.Series) -> Floats:
        return cells.to_numpy(dtype=np.float64).reshape(len(seeds), len(first))

    hits = by_seed((rows["predicted"] == rows["true"]).astype(float))
    scores = {("class", "UA"): hits, ("class", "WA"): hits}
    for column, metric in AVERAGED.items():
        if column in rows:
            measured = by_seed(rows[column].replace("", "nan").fillna("nan").astype(float))
            if not np.isnan(measured).all():
                scores[metric] = measured
    return Model(tested, scores, seeds)


def measure(models: Mapping[K, Model]) -> dict[K, dict[Where, Measured]]:
    """Each model's metrics by (fold, measured_on, metric), under the model's key."""
    codes = {
        name: sorted(set(itertools.chain(*(model.tested[name] for model in models.values()))))
        for name in UNITS
    }
    return {
        key: {
            (fold, on, metric): measured(
                tally(model.tested, scores, codes, by_class=metric == "UA"), fold, model.seeds
            )
            for (on, metric), scores in model.scores.items()
            for fold in get_args(Aggregate)
        }
        for key, model in models.items()
    }


def tally(
    tested: pd.DataFrame, scores: Floats, codes: dict[str, list[str]], by_class: bool
) -> Tally:
    """Sum scores [seeds, utterances] by speaker, fold and true class (or all classes as one)."""
    there = np.flatnonzero(~np.isnan(scores).any(axis=0))
    rows = tested.iloc[there]
    if not by_class:
        rows, codes = rows.assign(true=""), {**codes, "true": [""]}
    shape = tuple(len(codes[name]) for name in UNITS)
    places = [pd.Categorical(rows[name], codes[name]).codes for name in UNITS]
    cells = np.ravel_multi_index(places, shape)
    sums = [np.bincount(cells, one[there], np.prod(shape)).reshape(shape) for one in scores]
    counts = np.bincount(cells, minlength=np.prod(shape)).reshape(shape)
    return Tally(np.stack(sums), counts.astype(np.float64))


def measured(made: Tally, fold: Aggregate, seeds: tuple[str, ...]) -> Measured:
    """A metric, with what its intervals are made of."""
    by_seed = value(made, fold)[:, 0]
    speakers, folds = pseudo_values(made, fold, "speaker"), pseudo_values(made, fold, "fold")
    n = int(made.counts.sum())
    return Measured(made, float(by_seed.mean()), by_seed, speakers, folds, seeds, n)


def pairs(keys: Sequence[Key]) -> Iterator[tuple[Key, Key]]:
    """The models to compare: all of a variant, and the same model of two variants."""
    for ours, theirs in itertools.combinations(keys, 2):
        if ours[0] == theirs[0] or ours[1:] == theirs[1:]:
            yield ours, theirs


def paired(
    ours: dict[Where, Measured], theirs: dict[Where, Measured]
) -> Iterator[tuple[Where, Difference]]:
    """Ours minus theirs, by metric, where both measured the same utterances with the same seeds."""
    for where, mine in ours.items():
        other = theirs.get(where)
        if other is None or mine.seeds != other.seeds:
            continue
        if np.array_equal(mine.tally.counts, other.tally.counts):
            yield where, contrast(mine, other)


def contrast(mine: Measured, other: Measured) -> Difference:
    """Mine minus the other's, seed by seed; of one seed, whose luck is unknown, no interval."""
    by_speaker = mine.by_speaker - other.by_speaker
    by_session = half_width(over_speakers(mine.by_fold - other.by_fold))
    counts = (by_speaker.shape[1], len(mine.seeds), mine.utterances)
    error = over_speakers_and_seeds(by_speaker)
    return difference_of(mine.value - other.value, error, by_session, counts)


def difference_of(
    value: float, error: Error, by_session: float, counts: tuple[int, int, int]
) -> Difference:
    """A difference with what follows from its standard error."""
    reach = half_width(error)
    return Difference(
        value,
        value - reach,
        value + reach,
        error.size,
        p_value(value, error),
        error.freedom,
        detectable(error),
        value - by_session,
        value + by_session,
        *counts,
    )
