"""Our tables beside the paper's, cell by cell."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.files import write_table
from emoword.layout import read_variant
from emoword.schemas import VERSUS_PAPER
from emoword.tables import model
from emoword.tables.model import Cell, Table
from emoword.tables.number_tables import signed
from emoword.tables.reported import NOT_MEASURED, WORDS, Reported, judge, read_reported, shown

Compared = tuple[Any, ...]  # a row of versus_paper.csv


def versus_paper(variant: Path, /, *, reported: Path, out: Path) -> None:
    r"""Set our tables beside the paper's, cell by cell.

    Writes OUT, one row a cell of the paper's Tables 1, 3, 4, 5 and 6: reported, ours, difference,
    where another run of ours with another seed would lie (low, high), and a verdict: `reproduced`
    (the paper's number lies there), `ours is higher` or `lower`, `not judged: one seed` or `not
    measured`. The five words nearest to one vector (Tables 4 and 5) are one row: how many the two
    lists share, and how many stand in the same place. On corpora other than IEMOCAP there are none.

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
    frame = pd.DataFrame(rows, columns=VERSUS_PAPER.names)
    write_table(frame, out)
    for verdict, count in Counter(frame["verdict"]).items():
        print(f"{count} {verdict}")


def compare(table: Table, reported: Reported) -> Iterator[Compared]:
    """The paper's cells of a table, ours beside them."""
    theirs = {key[1:]: value for key, value in reported.items() if key[0] == table.number}
    ours = table.cells()
    lists: dict[str, list[tuple[str, str]]] = {}  # the paper's word and ours
    for (row, column), said in theirs.items():
        cell = ours.get((row, column), Cell(""))
        if table.number in WORDS:
            name = row if table.number == "4" else f"{row.partition(' ')[0]} {column}"
            lists.setdefault(name, []).append((said, cell.text))
            continue
        paper = float(said)
        value, low, high = (
            math.nan if x is None else x for x in (cell.value, cell.repeat_low, cell.repeat_high)
        )
        numbers = (paper, value, value - paper, low, high)
        yield table.number, row, column, *numbers, judge(paper, cell)
    for name, pairs in lists.items():
        printed, found = zip(*pairs, strict=True)
        placed = sum(a == b for a, b in pairs)
        shared = f"{len({*printed} & {*found})} of {len(pairs)} words, {placed} in their place"
        words = (" ".join(printed), " ".join(filter(None, found)))
        verdict = shared if any(found) else NOT_MEASURED
        yield table.number, name, "words", *words, math.nan, math.nan, math.nan, verdict


# ------------------------------------------------------------------------------ cells as text


def transcribed(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The cells as text: shares in per cent, cosines with three decimals."""
    cells = []
    for row in frame.to_dict("records"):
        texts = {str(name): str(value) for name, value in row.items()} | {"interval": ""}
        if texts["table"] not in WORDS:
            show = shown(texts["table"])
            for name in ("reported", "ours", "difference", "low", "high"):
                texts[name] = show(float(texts[name])) if texts[name] else "–"
            if row["difference"]:
                texts["difference"] = signed(float(row["difference"]), show)
            if row["low"]:
                texts["interval"] = f"{texts['low']}–{texts['high']}"
        cells.append(texts)
    return cells
