"""What the appended tables (A1 to A8) share: where they go, their cells, what stands below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter
from msgspec.structs import replace

from emoword.io.files import write_table
from emoword.layout import Variant
from emoword.statistics.intervals import Measured, Where, paired
from emoword.tables.latex import render, write_latex
from emoword.tables.model import Cell, Row, Table, frame, loss_name
from emoword.tables.number_tables import Show, number_cell, percent, points

# which of the overall values are printed, and what the caption says of it
AGGREGATES = {
    "mean": "Values are means over the folds.",
    "pooled": "Values are of the utterances of all folds pooled.",
}
SYNTHETIC = (
    "The speech is synthetic: the numbers show that the pipeline works and say nothing about the "
    "paper."
)
ROWS = 20  # of a page


@dataclass(frozen=True)
class Output:
    """Where tables go.

    Attributes:
        template: paper/templates/table.tex.j2.
        csv: The tables as CSV.
        tex: The tables as LaTeX.
    """

    template: Path
    csv: Path
    tex: Path

    def write(self, tables: Sequence[Table], csv: pd.DataFrame | None = None) -> None:
        """Write tables below each other; ``csv``: the exact numbers, if not those of their cells.

        Raises:
            InputError: the template cannot be used; nothing is written.
        """
        latex = render(self.template, {"tables": tables})
        write_table(pd.concat(map(frame, tables)) if csv is None else csv, self.csv)
        write_latex(latex, self.tex)


Out = Annotated[Output, Parameter(name="*")]  # of the commands: each field is an option


def said_of(variant: Variant) -> list[str]:
    """The notes that every table has: its dataset, and whether the speech is synthetic."""
    return [f"Dataset {variant.dataset}.", *[SYNTHETIC] * variant.synthetic]


def paged(table: Table) -> list[Table]:
    """A table in parts of whole groups (rows whose first cell is the same) that fit on a page.

    Caption and notes stand above the first part alone, so that two of the others may share a page.
    """
    parts: list[tuple[Row, ...]] = [()]
    for _, group in groupby(table.rows, key=lambda row: row.stub[0]):
        rows = tuple(group)
        if parts[-1] and len(parts[-1]) + len(rows) > ROWS:
            parts.append(())
        parts[-1] += rows
    further = replace(table, caption=f"{table.title}, continued.", notes=())
    return [
        replace(further if i else table, number=table.number + "-continued" * i, rows=part)
        for i, part in enumerate(parts)
    ]


def share(value: float, show: Show = percent) -> Cell:
    """A share in per cent; with ``points``, a difference of two; an en dash where there is none."""
    return number_cell(value, show)


def between(value: float, low: float, high: float, show: Show = percent) -> Cell:
    """A number with half the width of its interval, which takes less room than its ends."""
    cell = number_cell(value, show, low, high)
    return replace(cell, interval=f"±{percent((high - low) / 2)}" if cell.interval else "")


def with_interval(found: Measured) -> Cell:
    """An accuracy with its interval over speakers."""
    return between(found.value, *found.interval()[:2])


def difference(ours: dict[Where, Measured], theirs: dict[Where, Measured], where: Where) -> Cell:
    """A paired difference in points with its interval, if it can be had."""
    for _, (value, low, high, *_) in paired({where: ours[where]}, theirs):
        return between(value, low, high, points)
    return Cell("–")


def named(model: str, loss: str) -> str:
    """A model as tables write it: `M1 LC`, `mean of S1`, `majority`."""
    name = model.replace("_", " of ")
    return f"{name} {loss_name(loss)}".strip()
