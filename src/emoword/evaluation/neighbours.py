"""Vectors read as words: the nearest words of example targets (Table 4), predictions (Table 5)."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import Run, read_run
from emoword.io.files import write_table
from emoword.labels.encoding import encode, proportions
from emoword.labels.words import read_classes, read_words
from emoword.layout import read_variant
from emoword.schemas import MODEL, NEIGHBOURS
from emoword.spaces.word_space import WordSpace

LISTED = 10
EXAMPLES = 4  # rows of Table 4
MEAN_KEYS = [*MODEL, "collapsed", "name"]
VOTES = 5  # as many words as Table 5 shows


def neighbours(variant: Path, /, *, out: Path, means: Path) -> None:
    """Read vectors as words: nearest words of example targets (Table 4) and predictions (Table 5).

    Writes OUT (kind, variant, model, loss, seed, collapsed, name, words, rank, word, similarity).
    For kind `target`, name is an example and words its target words; for kind `prediction`, name is
    an emotion, and the vector is the mean of a model's predictions of the test utterances of that
    emotion, over folds and seeds (kind `prediction of a seed`: of one); collapsed counts the runs
    that say nothing. With the setting
    `table5: vote` each prediction votes for its five nearest words instead, and similarity is the
    share that voted for the word. MEANS holds the mean vectors, for the map of the word space.

        emoword neighbours results/demo/variants/paper.json --out neighbours.csv --means means.csv

    Args:
        variant: The variant's file.
        out: neighbours.csv.
        means: means.csv.
    """
    place = read_variant(variant)
    name, chosen = place.variant.name, place.variant.settings
    space = WordSpace.open(place.space)
    runs = [read_run(folder) for folder in place.runs([chosen.table_loss])]
    truth = read_words(place.targets("S1")).set_index("utterance")["word"]
    if chosen.table4_examples:
        examples = [pd.Series(words).value_counts(sort=False) for words in chosen.table4_examples]
    else:
        examples = frequent_mixtures(read_words(place.targets(max(chosen.label_sets))), EXAMPLES)
    classes = read_classes(place.targets("S1"))
    averages = mean_predictions(runs, truth, classes, name)

    def predicted(own: Sequence[Run], averages: pd.DataFrame) -> pd.DataFrame:
        vote = chosen.table5 == "vote"
        return vote_rows(own, truth, averages, space) if vote else prediction_rows(averages, space)

    tables = [target_rows(examples, space, name), predicted(runs, averages)]
    for seed in place.variant.seeds:
        own = [run for run in runs if run.record["seed"] == seed]
        rows = predicted(own, mean_predictions(own, truth, classes, name))
        tables.append(rows.assign(kind="prediction of a seed", seed=str(seed)))
    write_table(pd.concat(tables).fillna({"seed": ""})[NEIGHBOURS.names], out)
    write_table(averages.round(7), means)


def frequent_mixtures(targets: pd.DataFrame, count: int) -> list[pd.Series]:
    """The most frequent targets of at least two distinct words, each as word -> reduced count.

    Ties go to the target that comes first in the alphabet of its words.
    """
    mixtures: dict[tuple[tuple[str, int], ...], int] = {}
    for _, words in targets.groupby("utterance"):
        if len(words) > 1:
            key = proportions(words)
            mixtures[key] = mixtures.get(key, 0) + 1
    ordered = sorted(mixtures, key=lambda key: (-mixtures[key], key))
    return [pd.Series(dict(key)) for key in ordered[:count]]


def target_rows(examples: Iterable[pd.Series], space: WordSpace, variant: str) -> pd.DataFrame:
    """The nearest words of the examples' target vectors (paper, Table 4)."""
    tables = []
    for number, words in enumerate(examples, start=1):
        ordered = words.sort_values(ascending=False, kind="stable")
        target = pd.DataFrame(
            {"utterance": "example", "word": ordered.index, "count": ordered.to_numpy()}
        )
        vector = encode(target, ["example"], space)
        text = " ".join(f"{word}:{count}" for word, count in ordered.items())
        head = {"kind": "target", "variant": variant, "model": "", "loss": "", "collapsed": ""}
        tables.append(listed(vector[0], space, **head, name=f"example {number}", words=text))
    return pd.concat(tables) if tables else pd.DataFrame(columns=NEIGHBOURS.names)


def mean_predictions(
    runs: Sequence[Run], truth: pd.Series, classes: Sequence[str], variant: str
) -> pd.DataFrame:
    """Each model's mean prediction by emotion.

    Returns:
        Columns variant, model, loss, collapsed (``2 of 5 runs``, or empty), name (the emotion),
        v0 .. v{dim-1}.
    """
    rows = []
    for model in dict.fromkeys(run.record["model"] for run in runs):
        own = [run for run in runs if run.record["model"] == model]
        vectors = np.concatenate([run.predictions for run in own]).astype(np.float64)
        fallen = sum(run.record["collapsed"] for run in own)
        collapsed = f"{fallen} of {len(own)} runs" if fallen else ""
        labels = truth.loc[[name for run in own for name in run.utterances]].to_numpy()
        for emotion in classes:
            mean = vectors[labels == emotion].mean(axis=0)
            rows.append((variant, model, own[0].record["loss"], collapsed, emotion, *mean))
    names = [f"v{i}" for i in range(vectors.shape[1])]
    return pd.DataFrame(rows, columns=[*MEAN_KEYS, *names])


def prediction_rows(means: pd.DataFrame, space: WordSpace) -> pd.DataFrame:
    """The nearest words of the mean predictions (paper, Table 5)."""
    vectors = means.drop(columns=MEAN_KEYS).to_numpy(dtype=np.float64)
    return pd.concat(
        listed(vector, space, kind="prediction", words="", **dict(zip(MEAN_KEYS, key, strict=True)))
        for vector, key in zip(
            vectors, means[MEAN_KEYS].itertuples(index=False, name=None), strict=True
        )
    )


def vote_rows(
    runs: Sequence[Run], truth: pd.Series, means: pd.DataFrame, space: WordSpace
) -> pd.DataFrame:
    """The words that most predictions of an emotion have among their nearest.

    Of equally many votes the word that comes first in the space is first.
    """
    tables = []
    for key in means[MEAN_KEYS].itertuples(index=False, name=None):
        head: dict[str, str] = dict(zip(MEAN_KEYS, key, strict=True))
        own = [run for run in runs if run.record["model"] == head["model"]]
        vectors = np.concatenate([run.predictions for run in own])
        labels = truth.loc[[name for run in own for name in run.utterances]].to_numpy()
        said = vectors[labels == head["name"]]
        nearest, _ = space.nearest(said, min(VOTES, len(space)))
        rows, votes = np.unique(nearest, return_counts=True)
        first = np.argsort(-votes, kind="stable")[:LISTED]
        table = pd.DataFrame(
            {
                "rank": range(1, len(first) + 1),
                "word": [space.word(int(rows[i])) for i in first],
                "similarity": (votes[first] / len(said)).round(6),
            }
        )
        tables.append(table.assign(**head, kind="prediction", words=""))
    return pd.concat(tables)


def listed(vector: NDArray[np.floating], space: WordSpace, **head: str) -> pd.DataFrame:
    """The nearest words of one vector, one row a word, with ``head`` in front."""
    indices, similarities = space.nearest(vector[None], min(LISTED, len(space)))
    table = pd.DataFrame(
        {
            "rank": range(1, indices.shape[1] + 1),
            "word": [space.word(i) for i in indices[0]],
            "similarity": similarities[0].round(6),
        }
    )
    return table.assign(**head)
