"""Our tables beside the paper's, cell by cell."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from emoword.io.files import write_table
from emoword.layout import read_variant
from emoword.tables import model
from emoword.tables.model import Cell, Table
from emoword.tables.number_tables import signed
from emoword.tables.reported import NOT_MEASURED, WORDS, Reported, judge, read_reported, shown

LISTS = "5"  # on the page of claims


class Compared(NamedTuple):
    """A row of versus_paper.csv (schemas.py says what its columns are)."""

    table: str
    row: str
    column: str
    reported: Any
    ours: Any
    difference: float
    low: float
    high: float
    verdict: str


COLUMNS = list(Compared._fields)


def versus_paper(variant: Path, /, *, reported: Path, out: Path) -> None:
    r"""Set our tables beside the paper's, cell by cell.

    Writes OUT, one row a cell of the paper's Tables 1, 3, 4, 5 and 6: reported, ours, difference
    (ours minus the paper's), where another run of ours with another seed would lie (low, high), and
    a verdict: `reproduced` (the paper's number lies there), `ours is higher`, `ours is lower`, `not
    judged: one seed` or `not measured` (ours is not there). The five words nearest to one vector
    (Tables 4 and 5) are one row: how many the two lists share, and how many stand in the same
    place. On corpora other than IEMOCAP nothing is compared: there are no rows.

        emoword versus-paper results/iemocap/variants/paper.json --reported paper/reported.csv \
            --out versus_paper.csv

    Args:
        variant: The variant's file; tables/tableN.json lie in the same results folder.
        reported: paper/reported.csv.
        out: The comparison.
    """
    place = read_variant(variant)
    values = read_reported(reported) if place.variant.kind == "iemocap" else {}
    numbers = sorted({table for table, *_ in values if table.isdigit()})
    tables = [model.read(place.path(f"tables/table{number}.json")) for number in numbers]
    rows = [row for table in tables for row in compare(table, values)]
    write_table(pd.DataFrame(rows, columns=COLUMNS), out)
    for verdict, count in Counter(row.verdict for row in rows).items():
        print(f"{count} {verdict}")


def compare(table: Table, reported: Reported) -> Iterator[Compared]:
    """The paper's cells of a table, ours beside them."""
    theirs = {key[1:]: value for key, value in reported.items() if key[0] == table.number}
    ours = {key: table.cells().get(key, Cell("")) for key in theirs}
    lists: dict[str, list[tuple[str, str]]] = {}
    for (row, column), said in theirs.items():
        cell = ours[row, column]
        if table.number in WORDS:
            name = row if table.number == "4" else f"{row.partition(' ')[0]} {column}"
            lists.setdefault(name, []).append((row, column))
            continue
        paper = float(said)
        value, low, high = (
            math.nan if x is None else x for x in (cell.value, cell.repeat_low, cell.repeat_high)
        )
        numbers = (paper, value, value - paper, low, high)
        yield Compared(table.number, row, column, *numbers, judge(paper, cell))
    for name, keys in lists.items():
        yield words(table.number, name, [theirs[k] for k in keys], [ours[k].text for k in keys])


def words(table: str, name: str, theirs: Sequence[str], ours: Sequence[str]) -> Compared:
    """The five words nearest to one vector beside the paper's."""
    shared = len(set(theirs) & set(ours))
    placed = sum(a == b for a, b in zip(theirs, ours, strict=True))
    said = f"{shared} of {len(theirs)} words, {placed} in their place"
    nan, verdict = math.nan, said if any(ours) else NOT_MEASURED
    found = " ".join(filter(None, ours))
    return Compared(table, name, "words", " ".join(theirs), found, nan, nan, nan, verdict)


# ------------------------------------------------------------------------------ cells as text


def transcribed(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The cells as text: shares in per cent, cosines with three decimals."""
    rows = frame.to_dict("records")
    return [printed({str(name): value for name, value in row.items()}) for row in rows]


def printed(row: Mapping[str, Any]) -> dict[str, str]:
    """One cell as text: table, row, column, verdict, reported, ours, difference, interval."""
    texts = {name: str(row[name]) for name in COLUMNS}
    if row["table"] not in WORDS:
        show = shown(row["table"])
        numbers = {name: float(texts[name] or "nan") for name in COLUMNS[3:-1]}
        texts |= {name: "–" if math.isnan(x) else show(x) for name, x in numbers.items()}
        if not math.isnan(numbers["difference"]):
            texts["difference"] = signed(numbers["difference"], show)
    interval = "" if texts["low"] in ("", "nan", "–") else f"{texts['low']}–{texts['high']}"
    return texts | {"interval": interval}
