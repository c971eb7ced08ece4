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
from emoword.tables.latex import render_tables, write_latex
from emoword.tables.model import Cell, Column, Row, Table
from emoword.tables.number_tables import cosine, percent, signed
from emoword.tables.reported import WORDS, Reported, read_reported

REPRODUCED, HIGHER, LOWER = "reproduced", "ours is higher", "ours is lower"
ONE_SEED = "not judged: one seed"
NOT_TRANSCRIBED, NOT_MEASURED = "not transcribed", "not measured"
LISTS = "5"  # on the page of claims
ELSEWHERE = "does not apply: this corpus is not the paper's"


class Compared(NamedTuple):
    """A row of versus_paper.csv; of words, both lists are texts and there is no difference."""

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


def versus_paper(variant: Path, /, *, reported: Path, template: Path, csv: Path, tex: Path) -> None:
    r"""Set our tables beside the paper's, cell by cell.

    Writes CSV, one row a cell of Tables 1, 3, 4, 5 and 6: reported, ours, difference (ours minus
    the paper's), where another run of ours with another seed would lie (low, high), and a verdict:
    `reproduced` (the paper's number lies there), `ours is higher`, `ours is lower`, `not judged:
    one seed`, `not transcribed` (the paper's number is not in reported.csv) or `not measured` (ours
    is not there). The five words nearest to one vector (Tables 4 and 5) are one row: how many the
    two lists share, and how many stand in the same place. TEX counts the verdicts by table. On
    corpora other than IEMOCAP nothing is compared: there are no rows.

        emoword versus-paper results/iemocap/variants/paper.json --reported paper/reported.csv \
            --template paper/templates/table.tex.j2 --csv versus_paper.csv --tex versus_paper.tex

    Args:
        variant: The variant's file; tables/tableN.json lie in the same results folder.
        reported: paper/reported.csv.
        template: paper/templates/table.tex.j2.
        csv: The comparison.
        tex: How many cells came out how.
    """
    place = read_variant(variant)
    is_papers = place.variant.kind == "iemocap"
    values = read_reported(reported)
    tables = [model.read(place.path(f"tables/table{n}.json")) for n in (1, 3, 4, 5, 6) if is_papers]
    rows = [row for table in tables for row in compare(table, values)]
    latex = render_tables(template, [counts(rows, is_papers)])
    write_table(pd.DataFrame(rows, columns=COLUMNS), csv)
    write_latex(latex, tex)
    for verdict, count in Counter(row.verdict for row in rows).items():
        print(f"{count} {verdict}")


def compare(table: Table, reported: Reported) -> Iterator[Compared]:
    """The cells of a table, ours beside the paper's; none if there is no such table."""
    theirs = {key[1:]: value for key, value in reported.items() if key[0] == table.number}
    ours = table.cells()
    lists: dict[str, list[tuple[str, str]]] = {}
    for key in dict.fromkeys([*ours, *theirs] if ours else []):
        if table.number not in WORDS:
            yield number(table.number, key, theirs.get(key, ""), ours.get(key, Cell("")))
        else:
            name = key[0] if table.number == "4" else f"{key[0].partition(' ')[0]} {key[1]}"
            lists.setdefault(name, []).append(key)
    for name, keys in lists.items():
        said = [theirs.get(key, "") for key in keys]
        yield words(table.number, name, said, [ours.get(key, Cell("")).text for key in keys])


def number(table: str, key: tuple[str, str], theirs: str, ours: Cell) -> Compared:
    """One number beside the paper's."""
    said = float(theirs or "nan")
    value, low, high = (
        math.nan if x is None else x for x in (ours.value, ours.repeat_low, ours.repeat_high)
    )
    numbers = (said, value, value - said, low, high)
    return Compared(table, *key, *numbers, judge(said, value, low, high))


def judge(theirs: float, ours: float, low: float, high: float) -> str:
    """Whether the paper's number lies where another run of ours would; else, on which side.

    >>> judge(0.6, 0.62, 0.59, 0.65)
    'reproduced'
    """
    if math.isnan(theirs):
        return NOT_TRANSCRIBED
    if math.isnan(ours):
        return NOT_MEASURED
    if math.isnan(low):
        return ONE_SEED
    return REPRODUCED if low <= theirs <= high else HIGHER if ours > theirs else LOWER


def words(table: str, name: str, theirs: Sequence[str], ours: Sequence[str]) -> Compared:
    """The five words nearest to one vector beside the paper's."""
    shared = len((set(theirs) & set(ours)) - {""})
    placed = sum(a == b != "" for a, b in zip(theirs, ours, strict=True))
    verdict = f"{shared} of {len(theirs)} words, {placed} in their place"
    if not any(theirs) or not any(ours):
        verdict = NOT_MEASURED if any(theirs) else NOT_TRANSCRIBED
    said, found = (" ".join(filter(None, listed)) for listed in (theirs, ours))
    return Compared(table, name, "words", said, found, math.nan, math.nan, math.nan, verdict)


def counts(rows: Sequence[Compared], is_papers: bool) -> Table:
    """How many cells of each table came out how."""
    names = (REPRODUCED, HIGHER, LOWER, ONE_SEED, NOT_TRANSCRIBED, NOT_MEASURED)
    made = []
    for number_ in dict.fromkeys(row.table for row in rows if row.table not in WORDS):
        found = Counter(row.verdict for row in rows if row.table == number_)
        made.append(Row((number_,), {name: Cell(str(found[name])) for name in names}))
    caption = (
        "The numbers of the paper's Tables 1, 3 and 6 beside ours: in how many cells what came "
        "out. Reproduced: the paper's number lies where another run of ours, with a seed of its "
        "own, would lie (95%)."
    )
    return Table(
        "versus", "The paper's numbers and ours", caption, (Column("table", words=True),),
        tuple(map(Column, names)), tuple(made), missing="" if is_papers else ELSEWHERE,
    )  # fmt: skip


# ------------------------------------------------------------------------------ cells as text


def transcribed(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The cells that can be compared, as text: shares in per cent, cosines with three decimals."""
    rows = frame[frame["verdict"] != NOT_TRANSCRIBED].to_dict("records")
    return [printed({str(name): value for name, value in row.items()}) for row in rows]


def printed(row: Mapping[str, Any]) -> dict[str, str]:
    """One cell as text: table, row, column, verdict, reported, ours, difference, interval."""
    texts = {name: str(row[name]) for name in COLUMNS}
    if row["table"] not in WORDS:
        show = cosine if row["table"] == "3" else percent
        numbers = {name: float(texts[name] or "nan") for name in COLUMNS[3:-1]}
        texts |= {name: "–" if math.isnan(x) else show(x) for name, x in numbers.items()}
        if texts["difference"] != "–":
            texts["difference"] = signed(numbers["difference"], show)
    interval = "" if texts["low"] in ("", "nan", "–") else f"{texts['low']}–{texts['high']}"
    return texts | {"interval": interval}
