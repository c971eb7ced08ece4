"""Table A3: are the utterances found whose raters wrote a word?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from emoword.inference.results import Results
from emoword.io.errors import InputError
from emoword.labels.label_sets import rater_words
from emoword.labels.words import read_label_sets
from emoword.layout import Place, read_variant
from emoword.settings import LabelSet
from emoword.spaces.geometry import cosine
from emoword.spaces.word_space import WordSpace
from emoword.tables.appended import SYNTHETIC, Out, share
from emoword.tables.model import Cell, Column, Row, Table

FEWEST = 5  # utterances of a word: with fewer, its average precision hangs on one or two
LISTED = 20  # words of a label set that have a row of their own, the most frequent
SETS: tuple[LabelSet, ...] = ("S2", "S3")
RATERS, CHANCE = "a rater", "chance"


def retrieval(variant: Path, /, *, out: Out) -> None:
    r"""Make Table A3: average precision of finding the utterances whose raters wrote a word.

    For each word of S2 and S3 the test utterances are ranked by the cosine similarity of their
    predictions with the word's vector; right are those whose raters wrote it. Beside the models
    stand chance (the expectation of a random order) and the raters: each rater's own words rank the
    utterances that he or she rated, and right are those of which another rater wrote the word.
    Words of comments are no class of any classifier.

        emoword retrieval results/demo/variants/paper.json \
            --template paper/templates/table.tex.j2 --csv tableA3.csv --tex tableA3.tex

    Args:
        variant: The variant's file.
        out: Where it goes.
    """
    out.write([retrieval_table(read_variant(variant))])


def retrieval_table(place: Place) -> Table:
    """Table A3 of a variant; without S2 and S3 there is none."""
    title, about = "Finding utterances by a word", place.variant
    sets = {name: words for name, words in read_label_sets(place).items() if name in SETS}
    if not sets:
        return Table("A3", title, title, missing="no ratings, and so no words of raters")
    results, space = Results(place.root), WordSpace.open(place.space)
    models = [f"M{name[1]}" for name in about.targets]
    found = {model: results.mean_predictions(model, about.name) for model in models}
    truth = read_label_sets(place)["S1"].set_index("utterance")["word"]
    said, _ = rater_words(results.annotations(), truth, about.settings.labels, space)
    rows: list[Row] = []
    for label_set, words in sets.items():
        own = said if label_set == "S3" else said[said["kind"] == "label"]
        measured = precision_by_word(words, found, space, own)
        rows += rows_of(label_set, measured, [*models, RATERS, CHANCE], first=not rows)
    columns = (Column("utterances"), *(Column(name) for name in (*models, RATERS, CHANCE)))
    caption = (
        "Average precision, in per cent, of finding the test utterances whose raters wrote a word, "
        "by the cosine similarity of predictions with the word's vector; the mean over words, and "
        f"the {LISTED} most frequent words."
    )
    notes = [
        f"Words of at least {FEWEST} test utterances. Chance: a random order. A rater: each "
        "rater's words as the ranking, against those of the others, on the utterances that he or "
        "she rated, so that fewer are right; the mean over raters.",
        f"Dataset {about.dataset}, loss {about.settings.table_loss}.",
        *[SYNTHETIC] * about.synthetic,
    ]
    stub = (Column("set", words=True, once=True), Column("word", words=True))
    return Table("A3", title, caption, stub, columns, tuple(rows), tuple(notes))


def precision_by_word(
    words: pd.DataFrame,
    found: Mapping[str, tuple[list[str], NDArray[np.float32]]],
    space: WordSpace,
    said: pd.DataFrame,
) -> pd.DataFrame:
    """Average precision of each word: index word; columns utterances, each model, rater, chance.

    ``words`` (utterance, word, count) are the label set's; ``found``: model -> test utterances, and
    their predictions [n, dim]; ``said``: utterance, rater, word.
    """
    names = next(iter(found.values()))[0]
    tested = words[words["utterance"].isin(names)]
    counts = tested.groupby("word")["utterance"].nunique()
    kept = counts[(counts >= FEWEST) & (counts < len(names))]
    if kept.empty:
        raise InputError(f"no word is of {FEWEST} test utterances, so that none can be looked for")
    said = said[said["utterance"].isin(names)]
    records = []
    for word, vector in zip(kept.index, space.vectors_of(list(kept.index)), strict=True):
        right = set(tested["utterance"][tested["word"] == word])
        record: dict[str, object] = {"word": word, "utterances": len(right)}
        for model, (utterances, vectors) in found.items():
            relevant = np.array([name in right for name in utterances])
            record[model] = average_precision_score(relevant, cosine(vectors, vector))
        record[RATERS] = precision_of_raters(said, str(word))
        record[CHANCE] = chance(len(right), len(names))
        records.append(record)
    return pd.DataFrame(records).set_index("word")


def precision_of_raters(said: pd.DataFrame, word: str) -> float:
    """Average precision of a rater's use of a word against the others', the mean over raters."""
    wrote = said.assign(wrote=said["word"] == word)
    by_rater = wrote.groupby(["utterance", "rater"])["wrote"].any().unstack()
    values = []
    for rater in by_rater:
        others = by_rater.drop(columns=rater)  # NaN: did not rate it
        rated = by_rater[rater].notna() & others.notna().any(axis=1)
        relevant = others[rated].eq(True).any(axis=1)
        if relevant.any():
            own = by_rater[rater][rated].to_numpy(np.float64)
            values.append(average_precision_score(relevant, own))
    return float(np.mean(values)) if values else float("nan")


def chance(relevant: int, count: int) -> float:
    """The expected average precision of a random order of ``count``, ``relevant`` of them right.

    At rank k a relevant one stands with probability r / n, and the k - 1 before it hold
    (k - 1)(r - 1) / (n - 1) others on average.

    >>> chance(1, 2)
    0.75
    """
    ranks = np.arange(1, count + 1)
    expected = (1 + (ranks - 1) * (relevant - 1) / max(count - 1, 1)) / ranks
    return float(expected.mean())


def rows_of(
    label_set: str, measured: pd.DataFrame, names: Sequence[str], *, first: bool
) -> list[Row]:
    """The rows of a label set: the mean over words, then the most frequent."""
    mean = {"utterances": Cell("–")} | {name: share(measured[name].mean()) for name in names}
    rows = [Row((label_set, f"mean of {len(measured)} words"), mean, rule=not first)]
    ordered = measured.sort_values("utterances", ascending=False, kind="stable")
    for word, numbers in ordered.head(LISTED).iterrows():
        count = int(numbers["utterances"])
        cells = {"utterances": Cell(str(count), count)}
        cells |= {name: share(float(numbers[name])) for name in names}
        rows.append(Row((label_set, str(word)), cells))
    return rows
