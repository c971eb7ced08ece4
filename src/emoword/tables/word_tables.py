"""Tables 4 and 5: the nearest words of neighbours.csv.

A table is a function from the neighbours to a `Table`. Words are hostile text: they are escaped
where they are printed.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from emoword.io.errors import InputError
from emoword.schemas import NEIGHBOURS
from emoword.tables.model import Cell, Column, Near, Row, Table, collapse_note

PLACES = ("1st", "2nd", "3rd", "4th", "5th")
EMOTIONS = ("anger", "neutral", "happiness", "sadness")  # in the order of the paper's Table 5
NO_RATERS = "does not apply: this dataset has no ratings by several raters"
NO_PREDICTIONS = "does not apply: this variant has no predictions of models with the tables' loss"


def read_neighbours(path: Path, variant: str) -> pd.DataFrame:
    """Read the nearest words of a variant, rank 1 to 5.

    Raises:
        InputError: the file is no neighbours.csv, has no row of the variant, or words of a target
            that cannot be read; names the line.
    """
    rows = NEIGHBOURS.read(path)
    rows = rows[rows["variant"] == variant]
    if rows.empty:
        raise InputError(f"{path}: no rows of variant {variant!r}")
    for position, words in rows.loc[rows["kind"] == "target", "words"].items():
        try:
            parse_words(words)
        except InputError as error:
            raise InputError(f"{path}: line {int(str(position)) + 2}: {error}") from None
    return rows[rows["rank"] <= len(PLACES)]


def target_table(neighbours: pd.DataFrame) -> Table:
    """Table 4: the words of example targets, and the words nearest to the target's vector."""
    rows = []
    targets = neighbours[neighbours["kind"] == "target"]
    for (name, words), group in targets.groupby(["name", "words"], sort=False):
        multiset = parse_words(str(words))
        own = {word for word, _ in multiset}
        label = ", ".join(word for word, count in sorted(multiset) for _ in range(count))
        cells = dict(zip(PLACES, word_cells(group, own), strict=False))
        rows.append(Row((str(name), label), cells))
    title = "Top 5 nearest neighbours of the target labels"
    caption = (
        "The words of example targets of the label sets, and the five words nearest to their "
        "average. Bold: words of the target."
    )
    if not rows:
        return Table("4", title, caption, missing=NO_RATERS)
    stub = (Column("set", "Set", words=True), Column("label", "Label", width=0.24, words=True))
    columns = tuple(Column(place, words=True) for place in PLACES)
    return Table("4", title, caption, stub, columns, tuple(rows))


def prediction_table(neighbours: pd.DataFrame, loss: str) -> Table:
    """Table 5: the words nearest to the predictions: a column an emotion, a block a model."""
    title = "Top 5 nearest neighbours of the predictions"
    caption = "The five words nearest to the predictions of each model, by emotion."
    predicted = neighbours[(neighbours["kind"] == "prediction") & (neighbours["loss"] == loss)]
    if predicted.empty:
        return Table("5", title, caption, missing=NO_PREDICTIONS)
    there = list(dict.fromkeys(predicted["name"]))
    emotions = sorted(there, key=lambda name: (*EMOTIONS, *there).index(name))
    rows: list[Row] = []
    for model, own in predicted.groupby("model"):
        lists = {str(name): word_cells(group) for name, group in own.groupby("name")}
        for rank, place in enumerate(PLACES[: max(map(len, lists.values()))]):
            known = (name for name in emotions if rank < len(lists.get(name, [])))
            cells = {name: lists[name][rank] for name in known}
            rows.append(Row((str(model), place), cells, rule=rank == 0 and bool(rows)))
    stub = (Column("model", "Model", words=True, once=True), Column("rank", " ", words=True))
    columns = tuple(Column(name, group="Emotion label", words=True) for name in emotions)
    return Table("5", title, caption, stub, columns, tuple(rows), collapse_note(rows))


def word_cells(group: pd.DataFrame, bold: Sequence[str] | set[str] = ()) -> list[Cell]:
    """The words nearest to one vector, nearest first.

    Raises:
        InputError: two words have the same rank, so that rows of two vectors were mixed up.
    """
    group = group.sort_values("rank")
    if group["rank"].duplicated().any():
        raise InputError(f"neighbours of {group['name'].iloc[0]!r}: two words have the same rank")
    return [
        Cell(
            row["word"],
            row["similarity"],
            source=Near(**{name: row[name] for name in Near.__struct_fields__}),
            bold=row["word"] in bold,
            collapsed=row["collapsed"],
        )
        for row in group.to_dict("records")
    ]


def neighbours_of(source: Near, neighbours: pd.DataFrame) -> pd.DataFrame:
    """The rows of neighbours.csv of the vector behind a word, nearest first."""
    wanted = pd.Series(True, index=neighbours.index)
    for name in ("kind", "model", "loss", "name", "words"):
        wanted &= neighbours[name] == getattr(source, name)
    return neighbours[wanted].sort_values("rank")


def parse_words(text: str) -> list[tuple[str, int]]:
    """Read a multiset such as ``anger:2 frustration:1``; words may hold colons and spaces.

    Raises:
        InputError: it is no such text.
    """
    # word, count, word, count, ..., and what is left, which is nothing
    pieces = re.split(r":(\d+)(?: |\Z)", text)
    words, counts = pieces[:-1:2], pieces[1::2]
    if pieces[-1] or not words or not all(words):
        raise InputError(f"{text!r} is not written as word:count word:count")
    return [(word, int(count)) for word, count in zip(words, counts, strict=True)]
