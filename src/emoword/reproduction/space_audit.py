"""Table A7: what the word space brings along, and what that does to decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import permutation_test

from emoword.evaluation.decide import read_run
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.io.yaml_files import read_yaml_as
from emoword.labels.decision import decide, unweighted_accuracy
from emoword.labels.words import read_label_sets
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

Classes = Sequence[str]


class WordLists(Struct, frozen=True, forbid_unknown_fields=True):
    """Two lists of words to ask an association with; a row of paper/word_lists.yaml."""

    says: str
    first: tuple[str, ...]
    second: tuple[str, ...]


class Association(NamedTuple):
    """A word's association with two lists: effect size, and p of the permutation test."""

    effect: float
    p: float


class Drift(NamedTuple):
    """Two groups' mean predictions: their similarity, shared nearest words, p of the split."""

    similarity: float
    shared: int
    p: float


def space_audit(*variants: Path, lists: Path, out: Out) -> None:
    r"""Make Table A7: what the word space brings along, and what that does to decisions.

    Three tables. Labels: how often each is nearest to a random direction (hubness; without any, all
    would be alike), by equation 5 and by CSLS, what M1 decides on beside the truth, and its
    association with pairs of word lists (the single-category WEAT of Caliskan et al. 2017: mean
    cosine similarity with the first list less that with the second, in standard deviations; p by
    permutation). Decisions: UA of M1 by equation 5 and by CSLS, which takes from each similarity
    half of the mean similarity of the label with its ten nearest words (Conneau et al. 2018; there
    the neighbours are queries). Sex: the similarity of the mean predictions for women and men by
    emotion, how many of their five nearest words they share, and the share of other splits of the
    speakers into groups of these sizes that lie as far apart.

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
    spaces = [Labels.of(place) for place in places]
    tables = [label_table(spaces, pairs), decision_table(spaces), drift_table(places[0])]
    notes = said_of(places[0].variant)
    out.write([table.with_notes(*notes) for table in tables if table.rows])


# ------------------------------------------------------------------------------ labels


@dataclass(frozen=True)
class Labels:
    """The labels of a variant in its space.

    Attributes:
        vectors: float32 [classes, d].
        crowding: half of the mean similarity of each label with its nearest words, [classes].
    """

    place: Place
    space: WordSpace
    classes: Classes
    vectors: NDArray[np.float32]
    crowding: Float64

    @classmethod
    def of(cls, place: Place) -> "Labels":
        """Of a variant."""
        space, classes = WordSpace.open(place.space), classes_of(place)
        vectors = space.vectors_of(classes)
        _, similarities = nearest_words(
            space, vectors, NEAREST + 1
        )  # the nearest is the label itself
        return cls(place, space, classes, vectors, similarities[:, 1:].mean(axis=1) / 2)


def label_table(spaces: Sequence[Labels], pairs: Sequence[WordLists]) -> Table:
    """The labels in each space: hubness, decisions, associations."""
    rows = []
    for own in spaces:
        by_cosine = hubness(own.vectors, np.zeros(len(own.classes)))
        by_csls = hubness(own.vectors, own.crowding)
        decided = m1_decisions(own.place)
        found = [associations(own, pair) for pair in pairs]
        for i, name in enumerate(own.classes):
            cells = {
                "random": share(by_cosine[i]),
                "random CSLS": share(by_csls[i]),
                "true": share((decided["true"] == name).mean()),
                "M1": share((decided["predicted"] == name).mean()),
            }
            for pair, asked in zip(pairs, found, strict=True):
                if asked:
                    text = f"{asked[i].effect:+.2f} ({asked[i].p:.3f})".replace("-", "−")
                    cells[pair.says] = Cell(text, asked[i].effect)
            rows.append(Row((own.place.variant.name, name), cells))
    columns = [Column("random", "eq. 5", "random directions, %")]
    columns += [Column("random CSLS", "CSLS", "random directions, %")]
    columns += [Column("true", "true", "utterances, %"), Column("M1", "M1", "utterances, %")]
    columns += [Column(pair.says, width=0.12) for pair in pairs]
    caption = (
        f"The label words in the space: the share of {DIRECTIONS:,} random directions to which "
        "each is nearest; of test utterances, true and decided by M1; association with pairs of "
        "word lists, in standard deviations (positive: nearer to the first named), with p of a "
        "permutation test, not corrected for their number."
    )
    stub = (Column("variant", words=True, once=True), Column("label", words=True))
    return Table("A7", "The word space", caption, stub, tuple(columns), tuple(rows))


def classes_of(place: Place) -> list[str]:
    """The labels that are decided between."""
    return sorted(set(read_label_sets(place)["S1"]["word"]))


def hubness(vectors: NDArray[np.floating], less: Float64) -> Float64:
    """The share of random directions to which each of ``vectors`` [n, d] is nearest, [n]."""
    random = np.random.default_rng(SEED)
    units = unit(vectors)
    wins = np.zeros(len(units))
    for _ in range(DIRECTIONS // 1000):
        directions = unit(random.standard_normal((1000, units.shape[1])))
        wins += np.bincount((directions @ units.T - less).argmax(axis=1), minlength=len(units))
    return wins / DIRECTIONS


def associations(own: Labels, pair: WordLists) -> list[Association]:
    """The association of each label with two lists; none where the space has few of a list."""
    space = own.space
    known = [[word for word in words if word in space] for words in (pair.first, pair.second)]
    if min(map(len, known)) < FEWEST:
        return []
    first, second = (space.vectors_of(words) for words in known)
    return [association(cosine(first, label), cosine(second, label)) for label in own.vectors]


def association(first: Float64, second: Float64) -> Association:
    """The effect size of two lists' similarities, and its two-sided p by permutation.

    >>> association(np.array([0.9, 0.8, 0.7]), np.array([0.1, 0.2, 0.3])).effect.round(3)
    np.float64(1.852)
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
    return Association((first.mean() - second.mean()) / spread, float(tested.pvalue))


# --------------------------------------------------------------------------- decisions


def m1_decisions(place: Place) -> pd.DataFrame:
    """The rows of decisions.csv of M1, with the tables' loss."""
    path = place.path(f"decisions/{place.variant.name}.csv")
    rows = read_table(path, ["model", "loss", "utterance", "true", "predicted"])
    return rows[(rows["model"] == "M1") & (rows["loss"] == place.variant.settings.table_loss)]


def decision_table(spaces: Sequence[Labels]) -> Table:
    """UA of M1 by equation 5 and by CSLS, in each space."""
    rows = []
    for own in spaces:
        between = [float(cosine(a, b)) for a, b in combinations(own.vectors, 2)]
        by_cosine, by_csls = m1_accuracies(own)
        cells = {
            "labels": Cell(f"{np.mean(between):.3f}", float(np.mean(between))),
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
    truth = read_label_sets(own.place)["S1"].set_index("utterance")["word"]
    found = []
    for run in map(read_run, own.place.runs([own.place.variant.settings.table_loss])):
        if run.record["model"] == "M1":
            true = truth.loc[run.utterances].reset_index(drop=True)
            similarity = cosine(run.predictions[:, None], own.vectors) - own.crowding
            chosen = (decide(run.predictions, own.vectors), similarity.argmax(axis=1))
            named = (pd.Series([own.classes[i] for i in which]) for which in chosen)
            found.append([unweighted_accuracy(true, labels) for labels in named])
    by_cosine, by_csls = np.mean(found, axis=0)
    return float(by_cosine), float(by_csls)


# --------------------------------------------------------------------------------- sex


def drift_table(place: Place) -> Table:
    """The mean predictions for women and men, by model and emotion; none where sex is unknown."""
    columns = (Column("similarity", "cosine"), Column("shared", "words shared"), Column("p"))
    stub = (Column("model", words=True, once=True), Column("emotion", words=True))
    caption = (
        "Women and men: cosine similarity of the mean predictions for both, how many of their five "
        "nearest words they share, and the share of splits of the speakers into groups of these "
        "sizes whose means are as far apart (p)."
    )
    utterances = read_table(place.path("utterances.csv"), ["utterance", "speaker"])
    known = {"F", "M"} <= set(utterances.get("sex", ()))
    rows = tuple(drift_rows(place, utterances.set_index("utterance"))) if known else ()
    return Table("A7sex", "Women and men", caption, stub, columns, rows)


def drift_rows(place: Place, about: pd.DataFrame) -> Iterator[Row]:
    """A row a model and emotion; ``about``: speaker and sex of each utterance."""
    truth = read_label_sets(place)["S1"].set_index("utterance")["word"]
    space = WordSpace.open(place.space)
    for model, (names, vectors) in predictions(place).items():
        speakers = about.loc[names, "speaker"].to_numpy()
        sex = about.loc[names, "sex"].to_numpy()
        sexes = {s: of == "F" for s, of in zip(speakers, sex, strict=True)}
        for emotion in classes_of(place):
            own = (truth.loc[names].to_numpy() == emotion) & np.isin(sex, ["F", "M"])
            if len({sexes[s] for s in speakers[own]}) < 2:  # of one of them there are none
                yield Row((model, emotion), {c: Cell("–") for c in ("similarity", "shared", "p")})
                continue
            found = drift(vectors[own], speakers[own], sexes, space)
            cells = {
                "similarity": Cell(f"{found.similarity:.3f}", found.similarity),
                "shared": Cell(f"{found.shared} of 5", found.shared),
                "p": Cell(f"{found.p:.3f}", found.p),
            }
            yield Row((model, emotion), cells)


def predictions(place: Place) -> Mapping[str, tuple[list[str], Float64]]:
    """Model -> test utterances and predictions of all runs, with the tables' loss."""
    names: dict[str, list[str]] = {}
    vectors: dict[str, list[NDArray[np.float32]]] = {}
    for run in map(read_run, place.runs([place.variant.settings.table_loss])):
        names.setdefault(run.record["model"], []).extend(run.utterances)
        vectors.setdefault(run.record["model"], []).append(run.predictions)
    return {
        model: (own, np.concatenate(vectors[model]).astype(float)) for model, own in names.items()
    }


def drift(
    vectors: Float64, speakers: NDArray[np.object_], sexes: Mapping[str, bool], space: WordSpace
) -> Drift:
    """How far the means of two groups of speakers lie apart, beside other splits of them.

    ``vectors`` [n, d] are predictions of what ``speakers`` [n] say; ``sexes``: speaker -> whether
    of the first group.
    """
    known = sorted(set(speakers))
    sums = np.stack([vectors[speakers == name].sum(axis=0) for name in known])
    counts = np.array([(speakers == name).sum() for name in known], dtype=float)
    first = np.array([sexes[name] for name in known])

    def means(group: NDArray[np.bool_]) -> tuple[Float64, Float64]:
        return tuple(sums[own].sum(axis=0) / counts[own].sum() for own in (group, ~group))

    def similarity(group: NDArray[np.bool_]) -> float:
        return float(cosine(*means(group)))

    observed = similarity(first)
    splits = [similarity(split) for split in other_splits(first)]
    near, _ = nearest_words(space, np.stack(means(first)), 5)
    shared = len(set(near[0]) & set(near[1]))
    return Drift(observed, shared, float(np.mean(np.array(splits) <= observed + 1e-12)))


def other_splits(first: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """All splits into groups of the same sizes, or as many random ones as `SPLITS`."""
    n, size = len(first), int(first.sum())
    if comb(n, size) <= SPLITS:
        for members in combinations(range(n), size):
            split = np.zeros(n, dtype=bool)
            split[list(members)] = True
            yield split
    else:
        random = np.random.default_rng(SEED)
        for _ in range(SPLITS):
            yield random.permutation(first)
