"""Tables as plain text, for a terminal."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from emoword.io.errors import plain
from emoword.io.files import read_table
from emoword.tables import model
from emoword.tables.model import Cell, Table

WIDTH = 100  # of notes
FRACTION = re.compile(r"-?\d+\.\d+(e-?\d+)?")


def show(*tables: Path, notes: bool = True) -> None:
    """Print tables as text: values as printed, with their intervals and what the paper has.

        emoword show results/demo/tables/table1.csv results/demo/tables/table2.csv

    Args:
        tables: tableN.csv, tableN.tex or tableN.json: the JSON beside it is read; of the CSVs of
            Tables A1 to A8, which have none, the numbers are shown without their intervals.
        notes: With the caption's notes.
    """
    for path in tables:
        whole = path.with_suffix(".json")
        lines = numbers(path) if path.is_file() and not whole.exists() else None
        print(*(lines or text(model.read(whole), notes)), sep="\n", end="\n\n")


def numbers(path: Path) -> list[str]:
    """A table that is kept as CSV alone (A1 to A8), in lines; its intervals' ends stay there."""
    table = read_table(path, [])
    kept = table[[name for name in map(str, table) if not name.endswith((" low", " high"))]]
    rounded = kept.map(lambda cell: f"{float(cell):.3f}" if FRACTION.fullmatch(cell) else cell)
    left = [not rounded[name].str.match(r"-?[\d.]*$").all() for name in rounded]
    return [f"Table {path.stem.removeprefix('table')}", *aligned([[*kept], *rounded.values], left)]


def text(table: Table, notes: bool = True) -> Iterator[str]:
    """A table in lines, its columns aligned; what a terminal would act on is taken out."""
    yield plain(f"Table {table.number}: {table.title}")
    if table.missing:
        yield plain(f"  {table.missing}")
        return
    for row in (row for row in table.rows if row.columns):  # on a line of their own
        own = ", ".join(f"{column.name} {said(row.cells[column.name])}" for column in row.columns)
        yield plain(f"  {row.name}: {own}")
    names = [column.head.strip() or column.name for column in table.stub]
    heads = [f"{column.group} {column.head or column.name}".strip() for column in table.columns]
    lines = [[*names, *heads]]
    for row in (row for row in table.rows if not row.columns):
        cells = [row.cells.get(column.name, Cell("")) for column in table.columns]
        lines.append([*row.stub, *map(said, cells)])
        if any(cell.interval for cell in cells):
            lines.append([*[""] * len(row.stub), *(cell.interval for cell in cells)])
    left = [True] * len(names) + [column.words for column in table.columns]
    yield from aligned(lines, left)
    for note in table.notes if notes else ():
        yield from textwrap.wrap(plain(note), WIDTH, initial_indent="  ", subsequent_indent="  ")


def said(cell: Cell) -> str:
    """What is printed of a cell, and the paper's value in brackets."""
    return f"{cell.text} [{cell.paper}]" if cell.paper else cell.text


def aligned(lines: Sequence[Sequence[str]], left: Sequence[bool]) -> Iterator[str]:
    """Lines of cells, each column as wide as its widest cell."""
    lines = [[plain(cell) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, left, strict=True)
        ]
        yield ("  " + "  ".join(cells)).rstrip()
