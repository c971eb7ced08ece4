"""What the paper prints (paper/reported.csv), and our tables with it below each of our values."""

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.tables.model import Cell, Table
from emoword.tables.number_tables import LOSSES, MODELS, Show, cosine, percent, signed
from emoword.tables.word_tables import EMOTIONS, PLACES

# table, row, column -> value as text; accuracies are fractions
Reported = Mapping[tuple[str, str, str], str]
WORDS = ("4", "5")  # the tables of words
OTHERS = ("text", "targets", "corpus")
# row and column of each cell of the paper's other tables, and of Table 5
CELLS = {
    "1": {(m, f"{loss.upper()} {a}") for m in MODELS for loss in LOSSES for a in ("UA", "WA")}
    | {("baseline", "CE UA"), ("baseline", "CE WA")},
    "3": {(m, label_set) for m in MODELS for label_set in ("S1", "S2", "S3")},
    "5": {(f"{m} {place}", emotion) for m in MODELS for place in PLACES for emotion in EMOTIONS},
    "6": {(m, f"{s} {label}") for m in MODELS for s in ("S2", "S3") for label in ("l1", "l2")},
}
NOTE = (
    "Small, below ours: the paper's value and the difference (ours minus the paper's), with "
    "≈ where it lies where another run of ours, with a seed of its own, would lie (95%); of words, "
    "the paper's where it is another."
)
REPRODUCED, HIGHER, LOWER = "reproduced", "ours is higher", "ours is lower"
ONE_SEED, NOT_MEASURED = "not judged: one seed", "not measured"


def read_reported(path: Path) -> dict[tuple[str, str, str], str]:
    """Read paper/reported.csv.

    Raises:
        InputError: a value stands there twice, has no source, is no number in a table of numbers,
            or the paper's tables have no such row and column.
    """
    rows = read_table(path, ["table", "row", "column", "value", "source"])
    reported: dict[tuple[str, str, str], str] = {}
    for line, row in enumerate(rows.to_dict("records"), start=2):
        table, *cell = key = (row["table"], row["row"], row["column"])
        said = f"{path}: line {line}: {' '.join(key)}"
        if key in reported:
            raise InputError(f"{said} stands there twice")
        if not row["source"]:
            raise InputError(f"{said} has no source")
        target = table == "4" and cell[0][:3] in ("S1 ", "S2 ", "S3 ") and cell[1] in PLACES
        if not target and table not in OTHERS and tuple(cell) not in CELLS.get(table, ()):
            raise InputError(f"{said}: the paper has no such table, row and column")
        if table not in WORDS:
            try:
                float(row["value"])
            except ValueError:
                raise InputError(f"{said}: {row['value']!r} is no number") from None
        reported[key] = row["value"]
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
