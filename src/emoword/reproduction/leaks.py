"""Leak checks: whether test data leaked into training, in what the runs really did."""

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
from emoword.layout import read_variant
from emoword.schemas import SPLIT, UTTERANCES
from emoword.settings import LabelSet, Settings
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

    def named(self, *parts: str) -> list[str]:
        """The utterances of these parts, in the order of split.csv."""
        return list(self.parts["utterance"][self.parts["part"].isin(parts)])


@dataclass(frozen=True)
class Corpus:
    """What the runs were made from."""

    utterances: pd.DataFrame
    truth: dict[str, str]
    classes: list[str]
    sets: dict[LabelSet, pd.DataFrame]
    vectors: dict[LabelSet, LabelVectors]
    chosen: Settings


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
    chosen = place.variant.settings
    corpus_column = ["corpus"] if chosen.training.of_a_union else []
    table = UTTERANCES.read(utterances, "utterance", "wav", "speaker", "fold", *corpus_column)
    truth = read_truth(place.targets("S1"))
    corpus = Corpus(
        table,
        truth,
        read_classes(place.targets("S1")),
        read_label_sets(place),
        {name: LabelVectors.open(place.path(f)) for name, f in place.variant.vectors.items()},
        chosen,
    )
    runs = [read_checked(folder) for folder in place.runs()]
    moments = FrameMoments.of(Features.open(place.features), sorted(truth))
    leaks = [*corpus_leaks(table)]
    for run in runs:
        leaks += [f"{run.folder}: {leak}" for leak in run_leaks(run, corpus, moments)]
    leaks += fold_leaks(runs)
    if leaks:
        more = len(leaks) - REPORTED_AT_MOST
        raise InputError(
            "LEAK: " + "; ".join(leaks[:REPORTED_AT_MOST]) + (f"; and {more} more" * (more > 0))
        )
    checked = {
        "runs": len(runs),
        "utterances": len(truth),
        "speakers": int(table["speaker"].nunique()),
        "folds": int(table["fold"].nunique()),
        "runs with statistics of frames": sum(has_statistics(run) for run in runs),
        "runs with fingerprints of targets": len(runs),
        "leaks": 0,
    }
    write_json(checked, out)
    print(", ".join(f"{number} {what}" for what, number in checked.items()))


def read_checked(folder: Path) -> Checked:
    """Read a run's record and split."""
    split = SPLIT.read(folder / "split.csv")
    record = read_json(folder / "run.json")
    if "targets" not in record:
        raise InputError(f"{folder}/run.json: no fingerprints of the targets; train this run again")
    return Checked(folder, record, split)


def corpus_leaks(utterances: pd.DataFrame) -> Iterator[str]:
    """Utterances, audio files and speakers that are in two folds; an utterance that comes twice."""
    for what in ("utterance", "wav", "speaker"):
        folds = utterances.groupby(what)["fold"].nunique()
        twice = list(folds.index[folds > 1])
        if twice:
            yield f"in two folds: {what} {some(twice)}"
    again = list(utterances["utterance"][utterances["utterance"].duplicated()])
    if again:
        yield f"twice in utterances.csv: {some(again)}"


def run_leaks(run: Checked, corpus: Corpus, moments: "FrameMoments") -> Iterator[str]:
    """What leaked in one run."""
    part = run.parts.groupby("utterance")["part"].agg(lambda parts: " and ".join(sorted(parts)))
    twice = list(part.index[run.parts["utterance"].value_counts().reindex(part.index) > 1])
    if twice:
        yield f"{some([f'{name} is in {part[name]}' for name in twice])}"
    fold = corpus.utterances.drop_duplicates("utterance").set_index("utterance")
    test, learned = run.named("test"), run.named("train", "validation")
    own = {n for n in corpus.truth if fold["fold"].get(n) == run.record["fold"]}
    foreign, forgotten = sorted(set(test) - own), sorted(own - set(test))
    if foreign:
        yield f"tested on utterances of other folds: {some(foreign)}"
    if forgotten:
        yield f"utterances of the test fold that were not tested: {some(forgotten)}"
    strange = sorted(set(run.parts["utterance"]) - set(corpus.truth))
    if strange:
        yield f"utterances that take no part: {some(strange)}"
        return
    tested = set(fold["speaker"].reindex(test))
    heard = sorted(tested & set(fold["speaker"].reindex(learned)))
    if heard:
        yield f"speakers of the test fold in training or validation: {some(heard)}"
    yield from kept_out_leaks(run, corpus)
    yield from statistics_leaks(run, corpus, moments)
    yield from target_leaks(run, corpus)


def kept_out_leaks(run: Checked, corpus: Corpus) -> Iterator[str]:
    """Utterances that were trained on, though their corpus or their class was to stay out."""
    training, learned = corpus.chosen.training, run.named("train", "validation")
    words = corpus.sets[run.record["label_set"]]
    named = naming(corpus.truth, words, training, corpus.chosen.labels).intersection(learned)
    if named:
        unseen = ", ".join(training.unseen)
        yield f"{unseen} was to stay unseen, and is trained or validated on: {some(sorted(named))}"
    if training.corpora != "all":
        of = dict(corpus.utterances[["utterance", "corpus"]].to_numpy())
        tested = {of[name] for name in run.named("test")}
        wrong = [n for n in learned if (of[n] in tested) != (training.corpora == "own")]
        if wrong:
            what = "not to be" if training.corpora == "others" else "alone to be"
            yield f"{', '.join(sorted(tested))} was {what} trained on; there is {some(wrong)}"


def has_statistics(run: Checked) -> bool:
    """Whether the run standardised its frames by statistics."""
    return run.record["settings"]["training"]["standardise"] in ("run", "corpus")


def statistics_leaks(run: Checked, corpus: Corpus, moments: "FrameMoments") -> Iterator[str]:
    """Whether the statistics in the weights are those of other frames than the training part's."""
    if not has_statistics(run):
        return
    if run.record["settings"]["training"]["standardise"] == "corpus":
        of = dict(corpus.utterances[["utterance", "corpus"]].to_numpy())
        corpora = [of[name] for name in run.parts["utterance"]]
        for name in sorted(set(corpora)):
            own = heard_of(name, run.parts, corpora)
            if off(moments.statistics(own), statistics_in(run, MEAN + name, STD + name)) > CLOSE:
                yield f"frames of {name} standardised by others than those that it may hear"
        return
    found = statistics_in(run, "input_mean", "input_std")
    mean, std = moments.statistics(run.named("train"))
    miss = off((mean, std), found)
    if miss <= CLOSE:
        return
    for parts in (("train", "validation"), ("train", "test"), ("train", "validation", "test")):
        other, _ = moments.statistics(run.named(*parts))
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


def target_leaks(run: Checked, corpus: Corpus) -> Iterator[str]:
    """Whether a part was trained on other targets than those made without the test utterances."""
    test = set(run.named("test"))
    loss, label_set = run.record["loss"], run.record["label_set"]
    table = corpus.sets[label_set]
    table = table[~table["utterance"].isin(test)]
    truth = {name: label for name, label in corpus.truth.items() if name not in test}
    vectors = corpus.vectors[label_set] if loss not in CLASS_LOSSES else None
    learned = table[table["utterance"].isin(run.named("train"))]
    outputs = output_words(loss, learned, corpus.classes)
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
    tested: dict[tuple[str, str, int], list[str]] = {}
    for run in runs:
        key = (run.record["model"], run.record["loss"], run.record["seed"])
        tested.setdefault(key, []).extend(run.named("test"))
    for (model, loss, seed), names in tested.items():
        counts = pd.Series(names).value_counts()
        twice = sorted(counts.index[counts > 1])
        if twice:
            yield f"{model} {loss} seed {seed} tests twice: {some(twice)}"


@dataclass(frozen=True)
class FrameMoments:
    """Sums over the frames of each utterance, so that any part's statistics are quickly there.

    Attributes:
        row: utterance -> row of the arrays.
        counts: frames, int64 [n].
        sums: of the frames less ``offset``, float64 [n, dim].
        squares: of the same, squared, float64 [n, dim].
        offset: float64 [dim], near the mean, so that the subtraction of squares loses nothing.
    """

    row: dict[str, int]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def of(cls, features: Features, names: list[str]) -> "FrameMoments":
        """Read the frames once, an utterance at a time."""
        shape = (len(names), features.dim)
        sums, squares = np.zeros(shape), np.zeros(shape)
        counts = np.array([len(features.of(name)) for name in names], dtype=np.int64)
        offset = features.of(names[0]).double().numpy().mean(axis=0)
        for i, name in enumerate(names):
            frames = features.of(name).double().numpy() - offset
            sums[i], squares[i] = frames.sum(axis=0), (frames**2).sum(axis=0)
        return cls({name: i for i, name in enumerate(names)}, counts, sums, squares, offset)

    def statistics(self, names: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation [dim] over the frames of these utterances; a constant one has 1."""
        rows = [self.row[name] for name in names]
        count = self.counts[rows].sum()
        shifted = self.sums[rows].sum(axis=0) / count
        std = np.sqrt(np.maximum(self.squares[rows].sum(axis=0) / count - shifted**2, 0))
        std[std < 1e-6] = 1.0
        return self.offset + shifted, std
