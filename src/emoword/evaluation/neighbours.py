"""Vectors read as words: the nearest words of example targets (Table 4), predictions (Table 5)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from emoword.schemas import MODEL, NEIGHBOURS
from emoword.settings import LabelSet
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.training.targets import CLASS_LOSSES

LISTED = 10
SHOWN: tuple[LabelSet, ...] = ("S1", "S2", "S3", "S3")  # rows of Table 4
MEAN_KEYS = [*MODEL, "collapsed", "name"]
VOTES = 5  # as many words as Table 5 shows


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
    name, chosen = place.variant.name, place.variant.settings
    space = WordSpace.open(place.space)
    # what predicts classes has no predictions that words are near to
    losses = [chosen.table_loss] if chosen.table_loss not in CLASS_LOSSES else []
    runs = [read_run(folder) for folder in place.runs(losses)]
    truth = read_words(place.targets("S1")).set_index("utterance")["word"]
    examples = [example(*words) for words in chosen.table4_examples]
    if not examples:
        examples = typical_examples({s: read_words(place.targets(s)) for s in chosen.label_sets})
    classes = read_classes(place.targets("S1"))

    def emotions(run: Run) -> Emotions:
        if chosen.table5_by == "true":
            return truth.loc[run.utterances].to_numpy()
        by = decide(run.predictions, space.vectors_of(classes), chosen.decision)
        return np.array(classes, dtype=object)[by]

    def predicted(own: Sequence[Run], averages: pd.DataFrame) -> pd.DataFrame:
        if chosen.table5 == "vote":
            return vote_rows(own, emotions, averages, space)
        return prediction_rows(averages, space)

    averages = mean_predictions(runs, emotions, classes, name)

    tables = [target_rows(examples, space, name), predicted(runs, averages)]
    for seed in place.variant.seeds:
        own = [run for run in runs if run.record["seed"] == seed]
        rows = predicted(own, mean_predictions(own, emotions, classes, name))
        tables.append(rows.assign(kind="prediction of a seed", seed=str(seed)))
    write_table(pd.concat(tables).fillna({"seed": ""})[NEIGHBOURS.names], out)
    write_table(averages.round(7), means)


Emotions = NDArray[np.object_]
EmotionsOf = Callable[[Run], Emotions]  # of each test utterance of a run


class Example(NamedTuple):
    """A target that Table 4 shows: its label set, and word -> count."""

    label_set: str
    words: pd.Series


def example(label_set: str, *words: str) -> Example:
    """An example as it is written in the settings: a label set, then words.

    Raises:
        InputError: it is not written so.
    """
    if label_set not in ("S1", "S2", "S3") or not words:
        said = " ".join((label_set, *words))
        raise InputError(f"table4_examples: one is S1, S2 or S3 and words, not {said}")
    return Example(label_set, pd.Series(words).value_counts(sort=False))


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
            chosen[best] = Example(name, pd.Series(dict(best)))
    return list(chosen.values())


def target_vector(target: Example, space: WordSpace) -> NDArray[np.float32]:
    """The vector of an example, float32 [dim] (paper, equation 4)."""
    words = target.words
    table = pd.DataFrame({"utterance": "example", "word": words.index, "count": words.to_numpy()})
    vector: NDArray[np.float32] = encode(table, ["example"], space)[0]
    return vector


def target_rows(examples: Iterable[Example], space: WordSpace, variant: str) -> pd.DataFrame:
    """The nearest words of the examples' target vectors (paper, Table 4).

    An example with a word that the space lacks is left out, and said to be.
    """
    tables = [pd.DataFrame(columns=NEIGHBOURS.names)]
    for target in examples:
        lacking = [word for word in target.words.index if word not in space]
        if lacking:
            print(f"an example of {target.label_set} is left out: not in {space.folder}: {lacking}")
            continue
        text = " ".join(f"{word}:{count}" for word, count in target.words.sort_index().items())
        head = {"kind": "target", "variant": variant, "model": "", "loss": "", "collapsed": ""}
        vector = target_vector(target, space)
        tables.append(listed(vector, space, **head, name=target.label_set, words=text))
    return pd.concat(tables[1:] or tables)


def mean_predictions(
    runs: Sequence[Run], emotions: EmotionsOf, classes: Sequence[str], variant: str
) -> pd.DataFrame:
    """Each model's mean prediction by emotion; an emotion that has none is left out.

    Returns:
        Columns variant, model, loss, collapsed (``2 of 5 runs``, or empty), name (the emotion),
        v0 .. v{dim-1}.
    """
    rows, dim = [], 0
    for model in dict.fromkeys(run.record["model"] for run in runs):
        own = [run for run in runs if run.record["model"] == model]
        vectors = np.concatenate([run.predictions for run in own]).astype(np.float64)
        dim = vectors.shape[1]
        fallen = sum(run.record["collapsed"] for run in own)
        collapsed = f"{fallen} of {len(own)} runs" if fallen else ""
        labels = np.concatenate([emotions(run) for run in own])
        for emotion in [name for name in classes if (labels == name).any()]:
            mean = vectors[labels == emotion].mean(axis=0)
            rows.append((variant, model, own[0].record["loss"], collapsed, emotion, *mean))
    return pd.DataFrame(rows, columns=[*MEAN_KEYS, *(f"v{i}" for i in range(dim))])


def prediction_rows(means: pd.DataFrame, space: WordSpace) -> pd.DataFrame:
    """The nearest words of the mean predictions (paper, Table 5)."""
    vectors = means.drop(columns=MEAN_KEYS).to_numpy(dtype=np.float64)
    keys = means[MEAN_KEYS].itertuples(index=False, name=None)
    tables = [
        listed(vector, space, kind="prediction", words="", **dict(zip(MEAN_KEYS, key, strict=True)))
        for vector, key in zip(vectors, keys, strict=True)
    ]
    return pd.concat(tables or [pd.DataFrame(columns=NEIGHBOURS.names)])


def vote_rows(
    runs: Sequence[Run], emotions: EmotionsOf, means: pd.DataFrame, space: WordSpace
) -> pd.DataFrame:
    """The words that most predictions of an emotion have among their nearest.

    Of equally many votes the word that comes first in the space is first.
    """
    tables = []
    for key in means[MEAN_KEYS].itertuples(index=False, name=None):
        head: dict[str, str] = dict(zip(MEAN_KEYS, key, strict=True))
        own = [run for run in runs if run.record["model"] == head["model"]]
        vectors = np.concatenate([run.predictions for run in own])
        labels = np.concatenate([emotions(run) for run in own])
        said = vectors[labels == head["name"]]
        nearest, _ = nearest_words(space, said, VOTES)
        rows, votes = np.unique(nearest, return_counts=True)
        first = np.argsort(-votes, kind="stable")[:LISTED]
        made = as_rows(space, rows[first], votes[first] / len(said), kind="prediction", words="")
        tables.append(made.assign(**head))
    return pd.concat(tables or [pd.DataFrame(columns=NEIGHBOURS.names)])


def listed(vector: NDArray[np.floating], space: WordSpace, **head: str) -> pd.DataFrame:
    """The nearest words of one vector, one row a word, with ``head`` in front."""
    indices, similarities = nearest_words(space, vector[None], LISTED)
    return as_rows(space, indices[0], similarities[0], **head)


def as_rows(
    space: WordSpace, indices: NDArray[np.int64], similarities: NDArray[np.float64], **head: str
) -> pd.DataFrame:
    """Words of a space, best first, as rows of neighbours.csv."""
    table = pd.DataFrame({"rank": range(1, len(indices) + 1), "similarity": similarities.round(6)})
    return table.assign(word=[space.word(int(i)) for i in indices], **head)
