"""Leak checks: whether test data leaked into training, in what the runs really did."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from emoword.corpora.corpus import some
from emoword.features.frames import Features
from emoword.io.errors import InputError
from emoword.io.files import read_json, write_json
from emoword.labels.words import LabelVectors, read_classes, read_label_sets, read_truth
from emoword.layout import Place, read_variant
from emoword.schemas import SPLIT, UTTERANCES
from emoword.training.split import MEAN, STD, heard_of, naming
from emoword.training.targets import (
    CLASS_LOSSES,
    fingerprint,
    output_costs,
    output_words,
    training_targets,
)

# Deviations of the frames by which the statistics in the weights (float32) may miss ours (float64).
# A single utterance more among thousands moves some dimension by more.
CLOSE = 1e-4
REPORTED_AT_MOST = 5

Statistics = tuple[NDArray[np.floating], NDArray[np.floating]]  # mean and deviation [dim]


@dataclass(frozen=True)
class Checked:
    """What ``emoword train`` left of one run, as far as leaks are concerned."""

    folder: Path
    record: Mapping[str, Any]
    parts: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> "Checked":
        """Read a run's record and split."""
        split, record = SPLIT.read(folder / "split.csv"), read_json(folder / "run.json")
        if "targets" not in record:
            raise InputError(
                f"{folder}/run.json: no fingerprints of the targets; train this run again"
            )
        return cls(folder, record, split)

    def named(self, *parts: str) -> list[str]:
        """The utterances of these parts, in the order of split.csv."""
        return list(self.parts["utterance"][self.parts["part"].isin(parts)])

    @property
    def standardised(self) -> str:
        """By what the frames were standardised; by statistics: `run` or `corpus`."""
        by: str = self.record["settings"]["training"]["standardise"]
        return by


class FrameMoments:
    """Sums over the frames of each utterance, so that any part's statistics are quickly there.

    They are of the frames less an offset near the mean, so that the subtraction of squares loses
    nothing; ``sums`` and ``squares`` are float64 [n, dim].
    """

    def __init__(self, features: Features, names: list[str]) -> None:
        self.row = {name: i for i, name in enumerate(names)}
        self.offset = features.of(names[0]).double().numpy().mean(axis=0)
        self.counts = np.zeros(len(names), np.int64)
        self.sums, self.squares = np.zeros((2, len(names), features.dim))
        for i, name in enumerate(names):
            frames = features.of(name).double().numpy() - self.offset
            self.counts[i], self.sums[i] = len(frames), frames.sum(axis=0)
            self.squares[i] = (frames**2).sum(axis=0)

    def statistics(self, names: list[str]) -> Statistics:
        """Mean and deviation [dim] over the frames of these utterances; a constant one has 1."""
        rows = [self.row[name] for name in names]
        count = self.counts[rows].sum()
        shifted = self.sums[rows].sum(axis=0) / count
        std = np.sqrt(np.maximum(self.squares[rows].sum(axis=0) / count - shifted**2, 0))
        std[std < 1e-6] = 1.0
        return self.offset + shifted, std


class Sources:
    """What the runs were made from; ``utterances`` has their names as its index."""

    def __init__(self, place: Place, utterances: pd.DataFrame) -> None:
        self.training = place.variant.settings.training
        self.labels = place.variant.settings.labels
        self.utterances = utterances.drop_duplicates("utterance").set_index("utterance")
        self.truth = read_truth(place.targets("S1"))
        self.classes = read_classes(place.targets("S1"))
        self.sets = read_label_sets(place)
        folders = place.variant.vectors.items()
        self.vectors = {name: LabelVectors.open(place.path(folder)) for name, folder in folders}
        self.moments = FrameMoments(Features.open(place.features), sorted(self.truth))


def check_leaks(variant: Path, /, *, utterances: Path, out: Path) -> None:
    r"""Look for leaks of test data into training, in what the runs of a variant really did.

    Fails, and names what leaked, if

    - an utterance, or its audio file, is in two folds, or a speaker is;
    - a run tested other utterances than those of its fold that take part, or anything twice;
    - a speaker of the test fold was trained on or validated on;
    - an utterance is in two parts of a run (validation utterances in training, say);
    - the frames' mean and deviation in a run's weights are not those of its training part's frames
      (standardised by corpus: of each corpus, see the docs);
    - a run trained on an utterance of a corpus that it is not to hear (training: corpora), or
      from one whose class is to stay unseen or whose target names it (training: unseen);
    - what a run was trained on is not what targets made without any test utterance say (soft
      labels, mixtures and classes alike: run.json keeps a fingerprint of them);
    - an utterance is tested twice, or never, by the folds of a model.

    Writes what was checked, and how often. The workflow decides and evaluates nothing before this.

        emoword check-leaks results/demo/variants/paper.json --utterances utterances.csv \
            --out leaks.json

    Args:
        variant: The variant's file.
        utterances: utterances.csv.
        out: leaks.json: what was checked.
    """
    place = read_variant(variant)
    corpus_column = ["corpus"] if place.variant.settings.training.of_a_union else []
    table = UTTERANCES.read(utterances, "utterance", "wav", "speaker", "fold", *corpus_column)
    runs, sources = [Checked.read(folder) for folder in place.runs()], Sources(place, table)
    leaks = [*corpus_leaks(table)]
    for run in runs:
        leaks += [f"{run.folder}: {leak}" for leak in run_leaks(run, sources)]
    leaks += fold_leaks(runs)
    if leaks:
        more = len(leaks) - REPORTED_AT_MOST
        raise InputError(
            "LEAK: " + "; ".join(leaks[:REPORTED_AT_MOST]) + (f"; and {more} more" * (more > 0))
        )
    checked = {
        "runs": len(runs),
        "utterances": len(sources.truth),
        "speakers": int(table["speaker"].nunique()),
        "folds": int(table["fold"].nunique()),
        "runs with statistics of frames": sum(r.standardised in ("run", "corpus") for r in runs),
        "runs with fingerprints of targets": len(runs),
        "leaks": 0,
    }
    write_json(checked, out)
    print(", ".join(f"{number} {what}" for what, number in checked.items()))


def corpus_leaks(utterances: pd.DataFrame) -> Iterator[str]:
    """Utterances, audio files and speakers that are in two folds; an utterance that comes twice."""
    found = {}
    for what in ("utterance", "wav", "speaker"):
        folds = utterances.groupby(what)["fold"].nunique()
        found[f"in two folds: {what} "] = list(folds.index[folds > 1])
    again = utterances["utterance"].duplicated()
    found["twice in utterances.csv: "] = list(utterances["utterance"][again])
    yield from (what + some(which) for what, which in found.items() if which)


def run_leaks(run: Checked, sources: Sources) -> Iterator[str]:
    """What leaked in one run."""
    repeated = run.parts[run.parts["utterance"].duplicated(keep=False)]
    twice = [
        f"{name} is in {' and '.join(sorted(parts))}"
        for name, parts in repeated.groupby("utterance")["part"]
    ]
    fold, speaker = sources.utterances["fold"], sources.utterances["speaker"]
    test, learned = run.named("test"), run.named("train", "validation")
    own = {name for name in sources.truth if fold.get(name) == run.record["fold"]}
    strange = set(run.parts["utterance"]).difference(sources.truth)
    found = {
        "": twice,
        "tested on utterances of other folds: ": set(test) - own,
        "utterances of the test fold that were not tested: ": own.difference(test),
        "utterances that take no part: ": strange,
    }
    if not strange:
        heard = set(speaker.reindex(test)).intersection(speaker.reindex(learned))
        found["speakers of the test fold in training or validation: "] = heard
    yield from (what + some(sorted(which)) for what, which in found.items() if which)
    if not strange:
        yield from kept_out_leaks(run, sources)
        yield from statistics_leaks(run, sources)
        yield from target_leaks(run, sources)


def kept_out_leaks(run: Checked, sources: Sources) -> Iterator[str]:
    """Utterances that were trained on, though their corpus or their class was to stay out."""
    training, learned = sources.training, run.named("train", "validation")
    words = sources.sets[run.record["label_set"]]
    named = naming(sources.truth, words, training, sources.labels).intersection(learned)
    if named:
        unseen = ", ".join(training.unseen)
        yield f"{unseen} was to stay unseen, and is trained or validated on: {some(sorted(named))}"
    if training.corpora != "all":
        of = sources.utterances["corpus"]
        tested = set(of[run.named("test")])
        own = of[learned].isin(tested)
        wrong = list(own.index[own != (training.corpora == "own")])
        if wrong:
            what = "not to be" if training.corpora == "others" else "alone to be"
            yield f"{', '.join(sorted(tested))} was {what} trained on; there is {some(wrong)}"


def statistics_leaks(run: Checked, sources: Sources) -> Iterator[str]:
    """Whether the statistics in the weights are those of other frames than the training part's."""
    if run.standardised == "corpus":
        corpora = list(sources.utterances["corpus"][run.parts["utterance"]])
        for name in sorted(set(corpora)):
            wanted = sources.moments.statistics(heard_of(name, run.parts, corpora))
            if off(wanted, statistics_in(run, MEAN + name, STD + name)) > CLOSE:
                yield f"frames of {name} standardised by others than those that it may hear"
    if run.standardised != "run":
        return
    found = statistics_in(run, "input_mean", "input_std")
    mean, std = sources.moments.statistics(run.named("train"))
    miss = off((mean, std), found)
    if miss <= CLOSE:
        return
    for parts in (("train", "validation"), ("train", "test"), ("train", "validation", "test")):
        other, _ = sources.moments.statistics(run.named(*parts))
        if np.abs((found[0] - other) / std).max() <= CLOSE:
            yield f"frames standardised by those of {' and '.join(parts)}"
            return
    yield f"frames standardised by others than the training part's ({miss:.2g} deviations off)"


def statistics_in(run: Checked, mean: str, std: str) -> Statistics:
    """Mean and deviation in the weights of a run."""
    path = run.folder / "weights.safetensors"
    try:
        with safe_open(path, framework="numpy") as file:
            return file.get_tensor(mean), file.get_tensor(std)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def off(wanted: Statistics, found: Statistics) -> float:
    """By how many deviations statistics miss at most."""
    (mean, std), (own_mean, own_std) = wanted, found
    return float(max(np.abs((own_mean - mean) / std).max(), np.abs(own_std / std - 1).max()))


def target_leaks(run: Checked, sources: Sources) -> Iterator[str]:
    """Whether a part was trained on other targets than those made without the test utterances."""
    test, loss, label_set = set(run.named("test")), run.record["loss"], run.record["label_set"]
    table = sources.sets[label_set]
    table = table[~table["utterance"].isin(test)]
    truth = {name: label for name, label in sources.truth.items() if name not in test}
    vectors = sources.vectors[label_set] if loss not in CLASS_LOSSES else None
    learned = table[table["utterance"].isin(run.named("train"))]
    outputs = output_words(loss, learned, sources.classes)
    costs = output_costs(loss, learned, outputs)
    for part in ("train", "validation"):
        names = [name for name in run.named(part) if name in truth]
        wanted, _ = training_targets(loss, names, table, truth, outputs, vectors, costs)
        if fingerprint(names, wanted) != run.record["targets"][part]:
            yield (
                f"the targets of its {part} part are not what {label_set} says without the "
                "utterances of the test fold"
            )


def fold_leaks(runs: Iterable[Checked]) -> Iterator[str]:
    """Utterances that a model's folds test twice, by model, loss and seed."""
    tested = defaultdict[tuple[str, str, int], Counter[str]](Counter)
    for run in runs:
        key = (run.record["model"], run.record["loss"], run.record["seed"])
        tested[key].update(run.named("test"))
    for (model, loss, seed), counts in tested.items():
        twice = sorted(name for name, count in counts.items() if count > 1)
        if twice:
            yield f"{model} {loss} seed {seed} tests twice: {some(twice)}"
