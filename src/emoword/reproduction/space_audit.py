"""Table A7: what the word space brings along, and what that does to decisions."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import permutation_test

from emoword.evaluation.decide import Run, read_run
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.io.yaml_files import read_yaml_as
from emoword.labels.decision import unweighted_accuracy
from emoword.labels.words import read_truth
from emoword.layout import Place, read_variant
from emoword.spaces.geometry import Float64, cosine, unit
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.tables.appended import Out, said_of, share
from emoword.tables.model import Cell, Column, Row, Table
from emoword.tables.number_tables import points
from emoword.training.targets import CLASS_LOSSES

DIRECTIONS = 100_000  # random ones, for which the labels compete
NEAREST = 10  # words whose mean similarity says how crowded it is around a label
SPLITS = 1_000  # of the speakers into two groups, at most
SEED = 0
FEWEST = 4  # words of a list that the space has to have


class WordLists(Struct, frozen=True, forbid_unknown_fields=True):
    """Two lists of words to ask an association with; a row of paper/word_lists.yaml."""

    says: str
    first: tuple[str, ...]
    second: tuple[str, ...]


def space_audit(*variants: Path, lists: Path, out: Out) -> None:
    r"""Make Table A7: what the word space brings along, and what that does to decisions.

    Labels: how often each is nearest to a random direction (hubness; without any, all would be
    alike), by equation 5 and by CSLS, what M1 decides on beside the truth, and its association with
    pairs of word lists (the single-category WEAT of Caliskan et al. 2017: mean cosine similarity
    with the first list less that with the second, in standard deviations; p by permutation).
    Decisions: UA of M1 by equation 5 and by CSLS, which takes from each similarity half of the mean
    similarity of the label with its ten nearest words (Conneau et al. 2018; there the neighbours
    are queries). Sex: the similarity of the mean predictions for women and men by emotion, how many
    of their five nearest words they share, and the share of other splits of the speakers into
    groups of these sizes that lie as far apart.

        emoword space-audit results/demo/variants/paper.json results/demo/variants/centred.json \
            --lists paper/word_lists.yaml --template paper/templates/table.tex.j2 \
            --csv tableA7.csv --tex tableA7.tex

    Args:
        variants: The variants' files, the default first; the others process its space.
        lists: paper/word_lists.yaml.
        out: Where it goes.
    """
    places = [read_variant(path) for path in variants]
    if places[0].variant.settings.table_loss in CLASS_LOSSES:
        raise InputError(f"{variants[0]}: its models predict classes, no vector among words")
    pairs = read_yaml_as(tuple[WordLists, ...], lists)
    spaces = [Labels(place) for place in places]
    tables = [label_table(spaces, pairs), decision_table(spaces), drift_table(spaces[0])]
    notes = said_of(places[0].variant)
    out.write([table.with_notes(*notes) for table in tables if table.rows])


class Labels:
    """The labels of a variant in its space.

    ``vectors`` are float32 [classes, d]; ``crowding`` [classes] is half of the mean similarity of
    each label with its nearest words.
    """

    def __init__(self, place: Place) -> None:
        self.place, self.space = place, WordSpace.open(place.space)
        self.truth = pd.Series(read_truth(place.targets("S1")))
        self.classes: list[str] = sorted(set(self.truth))
        self.vectors = self.space.vectors_of(self.classes)
        # the nearest is the label itself
        _, similarities = nearest_words(self.space, self.vectors, NEAREST + 1)
        self.crowding: Float64 = similarities[:, 1:].mean(axis=1) / 2

    def runs(self) -> dict[str, list[Run]]:
        """The runs of each model with the tables' loss."""
        found: dict[str, list[Run]] = {}
        for run in map(read_run, self.place.runs([self.place.variant.settings.table_loss])):
            found.setdefault(run.record["model"], []).append(run)
        return found


# ------------------------------------------------------------------------------ labels


def label_table(spaces: Sequence[Labels], pairs: Sequence[WordLists]) -> Table:
    """The labels in each space: hubness, decisions, associations."""
    rows = []
    for own in spaces:
        by_cosine = hubness(own.vectors, np.zeros(len(own.classes)))
        by_csls = hubness(own.vectors, own.crowding)
        decided = m1_decisions(own.place)
        cells = {
            name: {
                "random": share(by_cosine[i]),
                "random CSLS": share(by_csls[i]),
                "true": share((decided["true"] == name).mean()),
                "M1": share((decided["predicted"] == name).mean()),
            }
            for i, name in enumerate(own.classes)
        }
        for pair in pairs:
            known = [[w for w in words if w in own.space] for words in (pair.first, pair.second)]
            if min(map(len, known)) < FEWEST:
                continue
            first, second = map(own.space.vectors_of, known)
            for name, label in zip(own.classes, own.vectors, strict=True):
                effect, p = association(cosine(first, label), cosine(second, label))
                text = f"{effect:+.2f} ({p:.3f})".replace("-", "−")
                cells[name][pair.says] = Cell(text, effect)
        rows += [Row((own.place.variant.name, name), found) for name, found in cells.items()]
    columns = (
        Column("random", "eq. 5", "random directions, %"),
        Column("random CSLS", "CSLS", "random directions, %"),
        Column("true", "true", "utterances, %"),
        Column("M1", "M1", "utterances, %"),
        *(Column(pair.says, width=0.12) for pair in pairs),
    )
    caption = (
        f"The label words in the space: the share of {DIRECTIONS:,} random directions to which "
        "each is nearest; of test utterances, true and decided by M1; association with pairs of "
        "word lists, in standard deviations (positive: nearer to the first named), with p of a "
        "permutation test, not corrected for their number."
    )
    stub = (Column("variant", words=True, once=True), Column("label", words=True))
    return Table("A7", "The word space", caption, stub, columns, tuple(rows))


def m1_decisions(place: Place) -> pd.DataFrame:
    """The rows of decisions.csv of M1, with the tables' loss."""
    path = place.path(f"decisions/{place.variant.name}.csv")
    rows = read_table(path, ["model", "loss", "utterance", "true", "predicted"])
    return rows[(rows["model"] == "M1") & (rows["loss"] == place.variant.settings.table_loss)]


def hubness(vectors: NDArray[np.floating], less: Float64) -> Float64:
    """The share of random directions to which each of ``vectors`` [n, d] is nearest, [n]."""
    random = np.random.default_rng(SEED)
    units = unit(vectors)
    wins = np.zeros(len(units))
    for _ in range(DIRECTIONS // 1000):
        directions = unit(random.standard_normal((1000, units.shape[1])))
        wins += np.bincount((directions @ units.T - less).argmax(axis=1), minlength=len(units))
    return wins / DIRECTIONS


def association(first: Float64, second: Float64) -> tuple[float, float]:
    """The effect size of two lists' similarities, and its two-sided p by permutation.

    >>> effect, _ = association(np.array([0.9, 0.8, 0.7]), np.array([0.1, 0.2, 0.3]))
    >>> round(effect, 3)
    1.762
    """
    exact = comb(len(first) + len(second), len(first))
    tested = permutation_test(
        (first, second),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        vectorized=True,
        n_resamples=min(exact, 20_000),
        rng=np.random.default_rng(SEED),
    )
    spread = np.concatenate([first, second]).std(ddof=1)
    return float((first.mean() - second.mean()) / spread), float(tested.pvalue)


# --------------------------------------------------------------------------- decisions


def decision_table(spaces: Sequence[Labels]) -> Table:
    """UA of M1 by equation 5 and by CSLS, in each space."""
    rows = []
    for own in spaces:
        between = float(np.mean([cosine(a, b) for a, b in combinations(own.vectors, 2)]))
        by_cosine, by_csls = m1_accuracies(own)
        cells = {
            "labels": Cell(f"{between:.3f}", between),
            "equation 5": share(by_cosine),
            "CSLS": share(by_csls),
            "difference": share(by_csls - by_cosine, points),
        }
        rows.append(Row((own.place.variant.name,), cells))
    columns = (
        Column("labels", "between labels", "cosine"),
        *(Column(name, group="UA of M1, %") for name in ("equation 5", "CSLS", "difference")),
    )
    caption = (
        "Spaces: mean cosine similarity between two labels; UA of M1 by equation 5 and by CSLS, "
        "the mean over runs."
    )
    stub = (Column("variant", words=True),)
    return Table("A7decisions", "Decisions", caption, stub, columns, tuple(rows))


def m1_accuracies(own: Labels) -> tuple[float, float]:
    """UA of M1 by equation 5 and by CSLS: the mean over its runs."""
    found = []
    for run in own.runs()["M1"]:
        true = own.truth.loc[run.utterances].reset_index(drop=True)
        similarity = cosine(run.predictions[:, None], own.vectors)
        chosen = (similarity.argmax(axis=1), (similarity - own.crowding).argmax(axis=1))
        named = (pd.Series(np.array(own.classes)[which]) for which in chosen)
        found.append([unweighted_accuracy(true, labels) for labels in named])
    by_cosine, by_csls = np.mean(found, axis=0)
    return float(by_cosine), float(by_csls)


# --------------------------------------------------------------------------------- sex


def drift_table(own: Labels) -> Table:
    """The mean predictions for women and men, by model and emotion; none where sex is unknown."""
    columns = (Column("similarity", "cosine"), Column("shared", "words shared"), Column("p"))
    stub = (Column("model", words=True, once=True), Column("emotion", words=True))
    caption = (
        "Women and men: cosine similarity of the mean predictions for both, how many of their five "
        "nearest words they share, and the share of splits of the speakers into groups of these "
        "sizes whose means are as far apart (p)."
    )
    utterances = read_table(own.place.path("utterances.csv"), ["utterance", "speaker"])
    rows: list[Row] = []
    if {"F", "M"} <= set(utterances.get("sex", ())):
        for model, runs in own.runs().items():
            names = [name for run in runs for name in run.utterances]
            vectors = np.concatenate([run.predictions for run in runs]).astype(float)
            about = utterances.set_index("utterance").loc[names]
            rows += drift_rows(model, own, about, vectors)
    return Table("A7sex", "Women and men", caption, stub, columns, tuple(rows))


def drift_rows(model: str, own: Labels, about: pd.DataFrame, vectors: Float64) -> Iterator[Row]:
    """A row an emotion; ``about``: who says what is predicted, columns speaker and sex."""
    speakers, sex = about["speaker"].to_numpy(), about["sex"].to_numpy()
    women = {name: of == "F" for name, of in zip(speakers, sex, strict=True)}
    true = own.truth.loc[about.index].to_numpy()
    for emotion in own.classes:
        said = (true == emotion) & np.isin(sex, ["F", "M"])
        cells = {name: Cell("–") for name in ("similarity", "shared", "p")}
        if len({women[name] for name in speakers[said]}) == 2:
            similarity, shared, p = drift(vectors[said], speakers[said], women, own.space)
            cells = {
                "similarity": Cell(f"{similarity:.3f}", similarity),
                "shared": Cell(f"{shared} of 5", shared),
                "p": Cell(f"{p:.3f}", p),
            }
        yield Row((model, emotion), cells)


def drift(
    vectors: Float64, speakers: NDArray[np.object_], sexes: Mapping[str, bool], space: WordSpace
) -> tuple[float, int, float]:
    """How far the means of two groups of speakers lie apart, beside other splits of them.

    Of predictions [n, d] of what ``speakers`` [n] say; ``sexes``: speaker -> whether of the first
    group. Returns the means' similarity, how many of their five nearest words they share, and the
    share of splits whose means are no nearer.
    """
    known = sorted(set(speakers))
    sums = np.stack([vectors[speakers == name].sum(axis=0) for name in known])
    counts = np.array([(speakers == name).sum() for name in known], dtype=float)
    first = np.array([sexes[name] for name in known])

    def means(group: NDArray[np.bool_]) -> Float64:
        return np.stack([sums[own].sum(axis=0) / counts[own].sum() for own in (group, ~group)])

    def similarity(group: NDArray[np.bool_]) -> float:
        return float(cosine(*means(group)))

    observed = similarity(first)
    splits = [similarity(split) for split in other_splits(first)]
    near, _ = nearest_words(space, means(first), 5)
    shared = len(set(near[0]) & set(near[1]))
    return observed, shared, float(np.mean(np.array(splits) <= observed + 1e-12))


def other_splits(first: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """All splits into groups of the same sizes, or as many random ones as `SPLITS`."""
    n, size = len(first), int(first.sum())
    if comb(n, size) <= SPLITS:
        for members in combinations(range(n), size):
            yield np.isin(np.arange(n), members)
    else:
        random = np.random.default_rng(SEED)
        for _ in range(SPLITS):
            yield random.permutation(first)
