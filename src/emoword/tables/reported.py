"""What the paper prints (paper/reported.csv), and our tables with it below each of our values."""

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.tables.model import Cell, Table
from emoword.tables.number_tables import Show, cosine, percent, signed

# table, row, column -> value as text; accuracies are fractions
Reported = Mapping[tuple[str, str, str], str]
WORDS = ("4", "5")  # the tables of words
NOTE = (
    "Small, below ours: the paper's value and the difference (ours minus the paper's), with "
    "≈ where it lies where another run of ours, with a seed of its own, would lie (95%); of words, "
    "the paper's where it is another."
)
REPRODUCED, HIGHER, LOWER = "reproduced", "ours is higher", "ours is lower"
ONE_SEED, NOT_MEASURED = "not judged: one seed", "not measured"


def read_reported(path: Path) -> dict[tuple[str, str, str], str]:
    """Read paper/reported.csv; tests/test_tables.py checks its sources, rows and columns.

    Raises:
        InputError: a value stands there twice, or is no number in a table of numbers.
    """
    rows = read_table(path, ["table", "row", "column", "value"])
    reported: dict[tuple[str, str, str], str] = {}
    for line, row in enumerate(rows.to_dict("records"), start=2):
        key, value = (row["table"], row["row"], row["column"]), row["value"]
        said = f"{path}: line {line}: {' '.join(key)}"
        if key in reported:
            raise InputError(f"{said} stands there twice")
        if row["table"] not in WORDS:
            try:
                float(value)
            except ValueError:
                raise InputError(f"{said}: {value!r} is no number") from None
        reported[key] = value
    return reported


def judge(theirs: float, cell: Cell) -> str:
    """Whether the paper's number lies where another run of ours would (95%); else, on which side.

    >>> judge(0.6, Cell("62.00", 0.62, repeat_low=0.59, repeat_high=0.65))
    'reproduced'
    """
    if cell.value is None:
        return NOT_MEASURED
    if cell.repeat_low is None or cell.repeat_high is None:
        return ONE_SEED
    if cell.repeat_low <= theirs <= cell.repeat_high:
        return REPRODUCED
    return HIGHER if cell.value > theirs else LOWER


def beside(table: Table, reported: Reported) -> Table:
    """The table with the paper's value and the difference, or the paper's word, in each cell."""

    def with_paper(row: str, column: str, cell: Cell) -> Cell:
        said = reported.get((table.number, row, column), "")
        if table.number in WORDS:
            said = "" if said == cell.text else said
        elif said:
            show, theirs = shown(table.number), float(said)
            mark = " ≈" * (judge(theirs, cell) == REPRODUCED)
            apart = "" if cell.value is None else f" ({signed(cell.value - theirs, show)})"
            said = show(theirs) + apart + mark
        return replace(cell, paper=said)

    rows = tuple(
        replace(row, cells={n: with_paper(row.name, n, cell) for n, cell in row.cells.items()})
        for row in table.rows
    )
    noted = any(cell.paper for row in rows for cell in row.cells.values())
    return replace(table, rows=rows, notes=table.notes + (NOTE,) * noted)


def shown(table: str) -> Show:
    """How the numbers of a table are printed."""
    return cosine if table == "3" else percent
