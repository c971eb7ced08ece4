"""Say how sure the numbers are: 95% intervals, and paired differences between models.

Writes intervals.csv, one row a number of metrics.csv that is over all seeds (fold `mean` and
`pooled`), with low and high; and differences.csv, one row a pair of models that were tested on the
same utterances, ours minus theirs, with low, high and a permutation p-value. Pairs are all models
of a variant, and the same model of two variants.

Speakers are what is drawn anew, whole, 10,000 times, all seeds with them; the interval is the value
plus and minus Student's t for (speakers - 1) degrees of freedom times the bootstrap's standard
error. The p-value swaps the two models' answers speaker by speaker. What they cover: new speakers.
What they do not: that speakers of one fold share a model, and that folds share training data.

    emoword intervals --decisions decisions/*.csv --utterances utterances.csv \
        --intervals intervals.csv --differences differences.csv
"""

import argparse
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from emoword.evaluation.evaluate import metric_columns
from emoword.io.errors import InputError
from emoword.io.files import read_table, write_table
from emoword.schemas import RUN_KEYS as RUN
from emoword.statistics.resampling import (
    Aggregate,
    Floats,
    Tally,
    half_width,
    permutation_p,
    resampled,
    shares,
    speakers_of,
    standard_error,
    value,
)

MODEL = ["variant", "model", "loss"]
MEASURE = ["fold", "measured_on", "metric"]
INTERVAL = ["value", "low", "high", "standard_error", "speakers", "folds", "seeds", "utterances"]
AGAINST = ["against_variant", "against_model", "against_loss"]
DIFFERENCE = ["difference", "low", "high", "standard_error", "p", "speakers", "utterances"]


class Model(NamedTuple):
    """What one model did, whatever the seed.

    Attributes:
        tested: its test utterances: index utterance, columns speaker, fold, true.
        scores: (measured_on, metric) -> mean over seeds by utterance, float64, NaN: not measured.
        seeds: how many.
    """

    tested: pd.DataFrame
    scores: dict[tuple[str, str], Floats]
    seeds: int


class Measured(NamedTuple):
    """A metric of a model, and its numbers of speakers, folds, seeds and utterances."""

    tally: Tally
    value: float
    shares: Floats
    resamples: Floats
    about: tuple[int, int, int, int]


Key = tuple[str, str, str]  # variant, model, loss
Where = tuple[str, str, str]  # fold (mean or pooled), measured_on, metric


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword intervals``."""
    add = parser.add_argument
    add("--decisions", type=Path, nargs="+", required=True, help="decisions.csv of each variant")
    add("--utterances", type=Path, required=True, help="utterances.csv: who speaks")
    add("--intervals", type=Path, required=True, help="intervals.csv, written")
    add("--differences", type=Path, required=True, help="differences.csv, written")


def main(arguments: argparse.Namespace) -> None:
    """Write intervals.csv and differences.csv."""
    speakers = read_table(arguments.utterances, ["utterance", "speaker"])
    speaker_of = speakers.set_index("utterance")["speaker"]
    models: dict[Key, Model] = {}
    for path in arguments.decisions:
        decisions = read_table(path, [*RUN, "utterance", "true", "predicted"])
        for key, rows in decisions.groupby(MODEL, sort=False):
            variant, model, loss = map(str, key)
            models[variant, model, loss] = read_model(rows, speaker_of, path)
    intervals, differences, unpaired = compare(models)
    write_table(intervals, arguments.intervals)
    write_table(differences, arguments.differences)
    print(f"{len(intervals)} intervals, {len(differences)} paired differences")
    for pair in unpaired:
        print(f"not compared, as they were not tested on the same utterances: {pair}")


def read_model(rows: pd.DataFrame, speaker_of: pd.Series, path: Path) -> Model:
    """Average a model's decisions over seeds.

    Args:
        rows: of decisions.csv, one model's, cells as strings.
        speaker_of: utterance -> speaker.
        path: named in errors.

    Raises:
        InputError: an utterance is unknown, or was not tested once by each seed.
    """
    rows = rows.sort_values(["utterance", "seed"])
    name = " ".join(rows[MODEL].iloc[0])
    seeds = rows["seed"].nunique()
    first = rows.drop_duplicates("utterance").set_index("utterance")
    wrong = rows.groupby("utterance").size() != seeds
    if wrong.any() or rows.duplicated(["utterance", "seed"]).any():
        example = wrong.index[wrong][0] if wrong.any() else rows["utterance"].iloc[0]
        raise InputError(f"{path}: {name}: {example} is not there once for each of {seeds} seeds")
    unknown = first.index.difference(speaker_of.index)
    if len(unknown):
        raise InputError(f"{path}: {unknown[0]} is not in utterances.csv")
    tested = first[["fold", "true"]].assign(speaker=speaker_of.loc[first.index])

    def by_utterance(cells: pd.Series) -> Floats:
        values: Floats = cells.to_numpy(dtype=np.float64).reshape(len(first), seeds).mean(axis=1)
        return values

    hits = by_utterance((rows["predicted"] == rows["true"]).astype(float))
    scores = {("class", "UA"): hits, ("class", "WA"): hits}
    for column, metric in metric_columns(rows):
        measured = by_utterance(rows[column].replace("", "nan").fillna("nan").astype(float))
        if not np.isnan(measured).all():
            scores[re.findall("S[123]", column)[0], metric] = measured
    return Model(tested, scores, seeds)


def compare(models: dict[Key, Model]) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """All intervals, all paired differences, and the pairs that could not be compared."""
    measured = measure(models)
    intervals = [
        (*key, *where, found.value, *ends(found.value, found.resamples, found.tally), *found.about)
        for key, by_metric in measured.items()
        for where, found in by_metric.items()
    ]
    differences, unpaired = [], []
    for ours, theirs in pairs(list(models)):
        if models[ours].tested.equals(models[theirs].tested):
            for where, row in paired(measured[ours], measured[theirs]):
                differences.append((*ours, *theirs, *where, *row))
        else:
            unpaired.append(f"{' '.join(ours)} and {' '.join(theirs)}")
    return (
        pd.DataFrame(intervals, columns=[*MODEL, *MEASURE, *INTERVAL]),
        pd.DataFrame(differences, columns=[*MODEL, *AGAINST, *MEASURE, *DIFFERENCE]),
        unpaired,
    )


def measure(models: dict[Key, Model]) -> dict[Key, dict[Where, Measured]]:
    """Each model's value and resamples by (fold, measured_on, metric)."""
    codes = {
        name: sorted(set(itertools.chain(*(model.tested[name] for model in models.values()))))
        for name in ("speaker", "fold", "true")
    }
    measured: dict[Key, dict[Where, Measured]] = {key: {} for key in models}
    for key, model in models.items():
        for (on, metric), scores in model.scores.items():
            made = tally(model.tested, scores, codes, by_class=metric == "UA")
            n = int((~np.isnan(scores)).sum())
            folds = int(made.counts.any(axis=(0, 2)).sum())
            for fold in get_args(Aggregate):
                measured[key][fold, on, metric] = Measured(
                    made,
                    float(value(made, fold)[0]),
                    shares(made, fold),
                    resampled(made, fold),
                    (speakers_of(made), folds, model.seeds, n),
                )
    return measured


def tally(
    tested: pd.DataFrame, scores: Floats, codes: dict[str, list[str]], by_class: bool
) -> Tally:
    """Sum scores by speaker, fold and true class (or all classes as one)."""
    there = ~np.isnan(scores)
    names = ["speaker", "fold", *(["true"] if by_class else [])]
    places = [pd.Categorical(tested[name][there], codes[name]).codes for name in names]
    shape = tuple(len(codes[name]) for name in names)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, tuple(places), scores[there])
    np.add.at(counts, tuple(places), 1)
    full = (*shape[:2], -1)
    return Tally(sums.reshape(full), counts.reshape(full))


def pairs(keys: Sequence[Key]) -> Iterator[tuple[Key, Key]]:
    """The models to compare: all of a variant, and the same model of two variants."""
    for ours, theirs in itertools.combinations(keys, 2):
        if ours[0] == theirs[0] or ours[1:] == theirs[1:]:
            yield ours, theirs


def paired(
    ours: dict[Where, Measured], theirs: dict[Where, Measured]
) -> Iterator[tuple[Where, tuple[float, ...]]]:
    """Ours minus theirs, by metric, where both measured the same utterances."""
    for where, mine in ours.items():
        other = theirs.get(where)
        if other is None or not np.array_equal(mine.tally.counts, other.tally.counts):
            continue
        difference = mine.value - other.value
        low, high, error = ends(difference, mine.resamples - other.resamples, mine.tally)
        p = permutation_p(mine.shares, other.shares)
        speakers, _, _, n = mine.about
        yield where, (difference, low, high, error, p, speakers, n)


def ends(middle: float, resamples: Floats, made: Tally) -> tuple[float, float, float]:
    """The interval's ends and the standard error; NaN where there is one speaker."""
    speakers = speakers_of(made)
    error = standard_error(resamples, speakers)
    reach = half_width(error, speakers)
    return middle - reach, middle + reach, error
