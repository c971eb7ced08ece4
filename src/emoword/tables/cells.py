"""What stands in a cell of Tables 1 to 6: a key of metrics.csv, or rows of neighbours.csv.

A cell is named as in the table's own CSV: its row by `model` (Tables 1, 2, 3, 6), by `name`
(Table 4) or by `emotion` and `model` with a space between (Table 5), its column by the header. The
designs of the tables say what stands where; nothing is listed here a second time.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pandas as pd

from emoword.io.errors import InputError
from emoword.tables.number_tables import (
    Design,
    Key,
    accuracy_design,
    comparison_design,
    similarity_design,
    top10_design,
)

ROW_NAMES = {
    1: ["model"],
    2: ["model"],
    3: ["model"],
    4: ["name"],
    5: ["emotion", "model"],
    6: ["model"],
}


class MetricCell(NamedTuple):
    """A number of metrics.csv; ``field`` is its column there, ``value`` or ``n``."""

    key: Key
    field: str


class WordCell(NamedTuple):
    """A word near a vector; ``field`` is the column of neighbours.csv, word or similarity."""

    kind: str
    name: str
    model: str
    rank: int
    field: str


def is_table(path: Path) -> bool:
    """Whether a file is named as one of the paper's tables, such as table3.csv."""
    return re.fullmatch(r"table[1-6]\.csv", path.name) is not None


def table_number(path: Path) -> int:
    """Which of the paper's tables a file such as table3.csv is.

    Raises:
        InputError: its name is not that of a table.
    """
    if not is_table(path):
        raise InputError(f"{path}: not one of table1.csv .. table6.csv")
    return int(path.stem[-1])


def row_names(number: int, table: pd.DataFrame) -> list[str]:
    """The names of a table's rows, in its order.

    >>> row_names(5, pd.DataFrame({"emotion": ["anger"], "model": ["M2"]}))
    ['anger M2']
    """
    columns = [table[name] for name in ROW_NAMES[number]]
    return [" ".join(parts) for parts in zip(*columns, strict=True)]


def design(number: int, loss: str) -> Design:
    """Row -> column -> key of Table 1, 2, 3 or 6, where Tables 2, 3 and 6 show ``loss``."""
    if number == 1:
        return accuracy_design()
    return {2: comparison_design, 3: similarity_design, 6: top10_design}[number](loss)


def metric_cell(number: int, row: str, column: str, loss: str = "lc") -> MetricCell:
    """What a cell of Table 1, 2, 3 or 6 shows.

    >>> metric_cell(6, "M2", "S3 l1 n").key
    Key(model='M2', loss='lc', measured_on='S3', metric='top10_l1')

    Raises:
        InputError: the design has no such row, or no number in that column.
    """
    rows = design(number, loss)
    if row not in rows:
        lost(number, "row", row, list(rows))
    field = "n" if number == 6 and column.endswith(" n") else "value"
    name = column.removesuffix(" n") if field == "n" else column
    if name not in rows[row]:
        lost(number, f"number in row {row!r} and column", column, list(rows[row]))
    return MetricCell(rows[row][name], field)


def word_cell(number: int, row: str, column: str) -> WordCell:
    """What a cell of Table 4 or 5 shows.

    >>> word_cell(5, "anger M2", "word 3")
    WordCell(kind='prediction', name='anger', model='M2', rank=3, field='word')

    Raises:
        InputError: the row is not named as such rows are, or the column holds no word.
    """
    found = re.fullmatch(r"(word|similarity) ([1-9]\d*)", column)
    if not found:
        lost(number, "word in column", column, ["word 1", "similarity 1", "..."])
    name, model = (row, "") if number == 4 else row.rpartition(" ")[::2]
    if number == 5 and not name:
        lost(number, "row", row, ["anger M1", "..."])
    kind = "target" if number == 4 else "prediction"
    return WordCell(kind, name, model, int(found[2]), found[1])


def neighbours_of(cell: WordCell, neighbours: pd.DataFrame, loss: str = "lc") -> pd.DataFrame:
    """The rows of neighbours.csv of the vector behind a cell of Table 4 or 5, nearest first.

    Args:
        cell: from `word_cell`.
        neighbours: the rows of one variant.
        loss: of the predictions; a target has none.
    """
    wanted = (neighbours["kind"] == cell.kind) & (neighbours["name"] == cell.name)
    wanted &= neighbours["model"] == cell.model
    if cell.kind == "prediction":
        wanted &= neighbours["loss"] == loss
    return neighbours[wanted].sort_values("rank")


def cells_with(wanted: Callable[[Key], bool], loss: str = "lc") -> list[str]:
    """The cells of Tables 1, 2, 3 and 6 whose key is wanted, row by row, in words.

    >>> cells_with(lambda key: key.model == "M2" and key.metric == "cosine")
    ['Table 3 M2: S1, S2, S3']
    """
    found = []
    for number in (1, 2, 3, 6):
        for row, keys in design(number, loss).items():
            columns = [column for column, key in keys.items() if wanted(key)]
            if columns:
                found.append(f"Table {number} {row}: {', '.join(columns)}")
    return found


def lost(number: int, what: str, name: str, known: Sequence[str]) -> NoReturn:
    """Say that a table has no such row or column, and which it has."""
    raise InputError(f"table {number} has no {what} {name!r}; there are: {', '.join(known)}")
