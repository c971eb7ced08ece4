"""Vectors read as words: the nearest words of example targets (Table 4), predictions (Table 5)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import Run, read_run
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.labels.decision import decide
from emoword.labels.encoding import encode, proportions
from emoword.labels.words import read_classes, read_words
from emoword.layout import read_variant
from emoword.schemas import NEIGHBOURS
from emoword.settings import LabelSet
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.training.targets import CLASS_LOSSES

LISTED = 10
SHOWN: tuple[LabelSet, ...] = ("S1", "S2", "S3", "S3")  # rows of Table 4
HEAD = ["model", "loss", "collapsed", "name"]  # of a mean prediction
VOTES = 5  # as many words as Table 5 shows

Nearest = tuple[NDArray[np.int64], NDArray[np.float64]]  # rows of the space; similarities


def neighbours(variant: Path, /, *, out: Path, means: Path) -> None:
    """Read vectors as words: nearest words of example targets (Table 4) and predictions (Table 5).

    Writes OUT (kind, variant, model, loss, seed, collapsed, name, words, rank, word, similarity).
    For kind `target`, name is a label set and words an example of it; for kind `prediction`, name
    is an emotion, and the vector is the mean of a model's predictions of the test utterances of
    that emotion (with `table5_by: predicted`: taken for it), over folds and seeds (kind `prediction
    of a seed`: of one); collapsed counts the runs that say nothing. With the setting `table5: vote`
    each prediction votes for its five nearest words instead, and similarity is the share that voted
    for the word. MEANS holds the mean vectors, for the map of the word space.

        emoword neighbours results/demo/variants/paper.json --out neighbours.csv --means means.csv

    Args:
        variant: The variant's file.
        out: neighbours.csv.
        means: means.csv.
    """
    place = read_variant(variant)
    chosen, space = place.variant.settings, WordSpace.open(place.space)
    # what predicts classes has no predictions that words are near to
    losses = [chosen.table_loss] if chosen.table_loss not in CLASS_LOSSES else []
    truth = read_words(place.targets("S1")).set_index("utterance")["word"]
    classes = read_classes(place.targets("S1"))
    said: list[Said] = []
    for run in map(read_run, place.runs(losses)):
        emotions = truth.loc[run.utterances].to_numpy()
        if chosen.table5_by == "predicted":
            by = decide(run.predictions, space.vectors_of(classes), chosen.decision)
            emotions = np.array(classes, dtype=object)[by]
        said.append(Said(run, emotions))
    examples = [example(*words) for words in chosen.table4_examples]
    if not examples:
        examples = typical_examples({s: read_words(place.targets(s)) for s in chosen.label_sets})

    tables = list(target_rows(examples, space))
    for seed in ("", *map(str, place.variant.seeds)):  # first of all
        own = [one for one in said if seed in ("", str(one.run.record["seed"]))]
        kind = "prediction of a seed" if seed else "prediction"
        for head, vectors in by_emotion(own, classes):
            near = voted(vectors, space) if chosen.table5 == "vote" else near_mean(vectors, space)
            tables.append(as_rows(space, near, **head, kind=kind, seed=seed, words=""))
    listed = pd.concat(tables or [pd.DataFrame(columns=NEIGHBOURS.names)])
    write_table(listed.assign(variant=place.variant.name)[NEIGHBOURS.names], out)
    averages = [
        {**head, **{f"v{i}": x for i, x in enumerate(mean_of(vectors).round(7))}}
        for head, vectors in by_emotion(said, classes)
    ]
    table = pd.DataFrame(averages, columns=None if averages else HEAD)
    table.insert(0, "variant", place.variant.name)
    write_table(table, means)


class Said(NamedTuple):
    """A run, and the emotion that each of its predictions belongs to."""

    run: Run
    emotions: NDArray[np.object_]


class Example(NamedTuple):
    """A target that Table 4 shows: its label set, and word -> count."""

    label_set: str
    words: Mapping[str, int]


def example(label_set: str, *words: str) -> Example:
    """An example as it is written in the settings: a label set, then words.

    Raises:
        InputError: it is not written so.
    """
    if label_set not in ("S1", "S2", "S3") or not words:
        said = " ".join((label_set, *words))
        raise InputError(f"table4_examples: one is S1, S2 or S3 and words, not {said}")
    return Example(label_set, Counter(words))


def typical_examples(label_sets: Mapping[LabelSet, pd.DataFrame]) -> list[Example]:
    """An S1, an S2 and two S3 targets, as in the paper's Table 4, of different emotions.

    Each is the most frequent of its kind, and then the first in the alphabet: of S2 and S3 a
    mixture of at least two words, of S3 with a word that S2 lacks if there is such a mixture.
    Emotions come again where there are too few.

    Args:
        label_sets: utterance, word, count by label set; without S2 and S3 there are no examples.
    """
    truth = dict(label_sets["S1"][["utterance", "word"]].to_numpy())
    labels = set(label_sets["S2"]["word"]) if "S2" in label_sets else set()
    targets = {
        name: {str(utterance): proportions(own) for utterance, own in table.groupby("utterance")}
        for name, table in label_sets.items()
    }
    chosen: dict[tuple[tuple[str, int], ...], Example] = {}
    emotions: set[str] = set()
    for name in SHOWN if len(targets) > 1 else ():
        own = {
            utterance: words
            for utterance, words in targets.get(name, {}).items()
            if len(words) > (name != "S1") and words not in chosen
        }
        own = {u: words for u, words in own.items() if truth[u] not in emotions} or own
        commented = {u: words for u, words in own.items() if not labels.issuperset(dict(words))}
        own = commented if name == "S3" and commented else own
        counts = Counter(own.values())
        if counts:
            best = min(counts, key=lambda words: (-counts[words], words))
            called = Counter(truth[utterance] for utterance in own if own[utterance] == best)
            emotions.add(called.most_common(1)[0][0])
            chosen[best] = Example(name, dict(best))
    return list(chosen.values())


def target_vector(target: Example, space: WordSpace) -> NDArray[np.float32]:
    """The vector of an example, float32 [dim] (paper, equation 4)."""
    table = pd.DataFrame(target.words.items(), columns=["word", "count"])
    vector: NDArray[np.float32] = encode(table.assign(utterance="example"), ["example"], space)[0]
    return vector


def target_rows(examples: Iterable[Example], space: WordSpace) -> Iterator[pd.DataFrame]:
    """The nearest words of the examples' target vectors (paper, Table 4).

    An example with a word that the space lacks is left out, and said to be.
    """
    for target in examples:
        lacking = [word for word in target.words if word not in space]
        if lacking:
            print(f"an example of {target.label_set} is left out: not in {space.folder}: {lacking}")
            continue
        text = " ".join(f"{word}:{count}" for word, count in sorted(target.words.items()))
        head = {**dict.fromkeys(HEAD, ""), "name": target.label_set, "words": text}
        near = near_mean(target_vector(target, space)[None], space)
        yield as_rows(space, near, **head, kind="target", seed="")


def by_emotion(
    said: Sequence[Said], classes: Sequence[str]
) -> Iterator[tuple[dict[str, str], NDArray[np.float32]]]:
    """Each model's predictions of each emotion, under `HEAD`; without those that have none.

    ``collapsed`` is ``2 of 5 runs``, or empty.
    """
    for model in dict.fromkeys(one.run.record["model"] for one in said):
        own = [one for one in said if one.run.record["model"] == model]
        vectors = np.concatenate([one.run.predictions for one in own])
        emotions = np.concatenate([one.emotions for one in own])
        fallen = sum(one.run.record["collapsed"] for one in own)
        collapsed = f"{fallen} of {len(own)} runs" if fallen else ""
        for emotion in classes:
            if (emotions == emotion).any():
                values = (model, own[0].run.record["loss"], collapsed, emotion)
                yield dict(zip(HEAD, values, strict=True)), vectors[emotions == emotion]


def mean_of(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean vector [dim] of vectors [n, dim]."""
    mean: NDArray[np.float64] = vectors.astype(np.float64).mean(axis=0)
    return mean


def near_mean(vectors: NDArray[np.float32], space: WordSpace) -> Nearest:
    """The words nearest to the mean vector, with their similarities (paper, Table 5)."""
    indices, similarities = nearest_words(space, mean_of(vectors)[None], LISTED)
    return indices[0], similarities[0]


def voted(vectors: NDArray[np.float32], space: WordSpace) -> Nearest:
    """The words that most vectors have among their nearest, with the share that has them.

    Of equally many votes the word that comes first in the space is first.
    """
    nearest, _ = nearest_words(space, vectors, VOTES)
    rows, votes = np.unique(nearest, return_counts=True)
    first = np.argsort(-votes, kind="stable")[:LISTED]
    return rows[first], votes[first] / len(vectors)


def as_rows(space: WordSpace, near: Nearest, **head: str) -> pd.DataFrame:
    """Words of a space, best first, as rows of neighbours.csv."""
    indices, similarities = near
    table = pd.DataFrame({"rank": range(1, len(indices) + 1), "similarity": similarities.round(6)})
    return table.assign(word=[space.word(int(i)) for i in indices], **head)
