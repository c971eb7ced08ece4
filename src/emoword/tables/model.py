"""The model of a table: what each cell prints, how exact it is, and what is behind it.

A table is built once, by a function of `number_tables` or `word_tables`, and kept as tableN.json.
It is shown as CSV (`frame`), LaTeX (`latex.render`) and HTML (the page); `emoword trace` and
`emoword versus-paper` find its cells by the names of row and column that its CSV has.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
import pandas as pd
from msgspec import Struct
from msgspec.structs import replace

from emoword.io.errors import InputError
from emoword.io.files import replacing
from emoword.schemas import CONSTANT, LINEAR


class Key(NamedTuple):
    """The rows of metrics.csv that a number stands in."""

    model: str
    loss: str
    measured_on: str
    metric: str


class Near(Struct, frozen=True):
    """The row of neighbours.csv that a word stands in."""

    kind: str
    model: str
    loss: str
    name: str
    words: str
    rank: int


class Cell(Struct, frozen=True, omit_defaults=True):
    """What stands in one place of a table.

    Attributes:
        text: as printed: a rounded number, an en dash where there is none, or a word.
        value: the exact number; of a word, its similarity.
        source: where the value was taken from; None: from the literature.
        interval: of another sample of speakers, as printed; low and high are its ends.
        repeat_low: with repeat_high, where another run with a seed of its own would lie.
        bold: the highest of its column; of a word of Table 4: one of the target's own.
        collapsed: how many of the runs behind it say nothing, such as ``3 of 25 runs``.
        paper: what the paper has here, and the difference, as printed.
    """

    text: str
    value: float | None = None
    source: Key | Near | None = None
    interval: str = ""
    low: float | None = None
    high: float | None = None
    repeat_low: float | None = None
    repeat_high: float | None = None
    bold: bool = False
    collapsed: str = ""
    paper: str = ""


class Column(Struct, frozen=True, omit_defaults=True):
    """A column.

    Attributes:
        name: in the CSV and in addresses of cells.
        head: as printed; empty: the name.
        group: printed once above neighbouring columns with the same one.
        width: share of the line that its text is wrapped to; 0: as wide as its text.
        words: holds words, set to the left.
        once: of a column that names rows: printed once for neighbouring rows that share it;
        across: on a line of its own above them.
    """

    name: str
    head: str = ""
    group: str = ""
    width: float = 0.0
    words: bool = False
    once: bool = False
    across: bool = False


class Row(Struct, frozen=True, omit_defaults=True):
    """A row: the cells that name it, its cells by column, and whether a rule is above it.

    One that is printed as a line across the table, above the heads, has columns of its own.
    """

    stub: tuple[str, ...]
    cells: dict[str, Cell]
    columns: tuple[Column, ...] = ()
    rule: bool = False

    @property
    def name(self) -> str:
        """Its address: the cells that name it, with a space between."""
        return " ".join(self.stub)


class Table(Struct, frozen=True, omit_defaults=True):
    """A table; ``missing`` is the reason why there is none, and ``cite`` are BibTeX keys."""

    number: str
    title: str
    caption: str
    stub: tuple[Column, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    cite: tuple[str, ...] = ()
    missing: str = ""

    def cells(self) -> dict[tuple[str, str], Cell]:
        """All cells by row and column, in the order of the table."""
        return {(row.name, name): cell for row in self.rows for name, cell in row.cells.items()}

    def find(self, row: str, column: str) -> Cell:
        """A cell.

        Raises:
            InputError: there is no such row, or no such cell in it.
        """
        names = dict.fromkeys(own.name for own in self.rows)
        if row not in names:
            raise InputError(f"table {self.number}: no row {row!r}; there are: {', '.join(names)}")
        cells = self.cells()
        if (row, column) not in cells:
            known = ", ".join(name for own, name in cells if own == row)
            raise InputError(
                f"table {self.number}, row {row!r}: no column {column!r}; there are: {known}"
            )
        return cells[row, column]

    def groups(self) -> Iterator[tuple[str, int, int]]:
        """What stands above the heads: (text, its first column, its last), from 1."""
        places = enumerate(self.columns, start=len(self.stub) + 1)
        for text, members in groupby(places, key=lambda place: place[1].group):
            own = [number for number, _ in members]
            yield text, own[0], own[-1]

    def with_notes(self, *notes: str) -> "Table":
        """The same table with further sentences below its caption."""
        return replace(self, notes=(*self.notes, *notes))


def loss_name(loss: str) -> str:
    """A loss as tables write it: `LC`, `SOFT WORDS`; nothing for models that have none."""
    return "" if loss in (CONSTANT, LINEAR) else loss.upper().replace("_", " ")


def collapses(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """What is behind the daggers of a table: ``M1``, ``LC: 3 of 25 runs``."""
    for cell in (cell for row in rows for cell in row.cells.values()):
        if cell.collapsed and cell.source:
            yield cell.source.model, f"{loss_name(cell.source.loss)}: {cell.collapsed}"


def collapse_note(rows: Iterable[Row]) -> tuple[str, ...]:
    """What the daggers of a table say, if there are any."""
    runs = dict.fromkeys(map(" ".join, collapses(rows)))
    what = "predicting hardly more than one vector or never one of the classes"
    return (f"† Collapsed, {what}: {'; '.join(runs)}.",) * bool(runs)


def read(path: Path) -> Table:
    """Read a tableN.json.

    Raises:
        InputError: it cannot be read, or is none of this version.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Table)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: make it with `emoword table`") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table of this version: {error}") from None


def write(table: Table, path: Path) -> None:
    """Write a tableN.json."""
    with replacing(path) as made:
        made.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n")


def frame(table: Table) -> pd.DataFrame:
    """The CSV of a table: exact values, which runs collapsed, ends of intervals.

    A word has its similarity in a column beside it. A table that there is not has one column, note.
    """
    if table.missing:
        return pd.DataFrame({"note": [table.missing]})
    records = []
    for row in table.rows:
        record: dict[str, str | float | None] = {
            column.name: text for column, text in zip(table.stub, row.stub, strict=True)
        }
        for name, cell in row.cells.items():
            if isinstance(cell.source, Near):
                record |= {name: cell.text, f"{name} similarity": cell.value}
            else:
                record[name] = cell.value
        record["collapsed"] = "; ".join(dict.fromkeys(fallen for _, fallen in collapses([row])))
        for name, cell in row.cells.items():
            if cell.low is not None:
                record |= {f"{name} low": cell.low, f"{name} high": cell.high}
        records.append(record)
    return pd.DataFrame(records)
