"""Set our tables beside the paper's numbers, cell by cell.

Reads Tables 1, 3, 5 and 6 (tableN.csv, with intervals) and paper/reported.csv, and writes
versus_paper.csv, one row a cell: reported, ours, difference (ours minus the paper's), our 95%
interval, and a verdict: `inside our interval`, `ours is higher`, `ours is lower`, `not transcribed`
(the paper's number is not in reported.csv) or `not measured` (ours is not there). A row of Table 5
is a list of five words; its verdict is how many the two lists share. The same as LaTeX: a count of
cells by table, and the transcribed cells.

    emoword versus-paper --tables tables/table[1356].csv --reported paper/reported.csv \
        --template paper/templates/versus_paper.tex.j2 --dataset demo \
        --csv versus_paper.csv --tex versus_paper.tex
"""

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table, replacing, write_table
from emoword.tables.latex import Latex, render
from emoword.tables.paper_tables import SYNTHETIC

COLUMNS = ["table", "row", "column", "reported", "ours", "difference", "low", "high", "verdict"]
INSIDE, HIGHER, LOWER = "inside our interval", "ours is higher", "ours is lower"
NOT_TRANSCRIBED, NOT_MEASURED = "not transcribed", "not measured"
ABOUT_VALUES = re.compile(" (low|high|n)$")
COSINES = "3"  # the one table whose values are no shares
LISTS = "5"
NUMBERS = ("reported", "ours", "difference", "interval")
Reported = Mapping[tuple[str, str, str], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword versus-paper``."""
    add = parser.add_argument
    add("--tables", type=Path, nargs="+", required=True, help="tableN.csv of `emoword table`")
    add("--reported", type=Path, required=True, help="paper/reported.csv")
    add("--template", type=Path, required=True, help="paper/templates/versus_paper.tex.j2")
    add("--dataset", required=True, help="its name")
    add("--synthetic", action="store_true", help="say so")
    add("--csv", type=Path, required=True, help="versus_paper.csv, written")
    add("--tex", type=Path, required=True, help="the same as LaTeX, written")


def main(arguments: argparse.Namespace) -> None:
    """Write the comparison."""
    reported = read_reported(arguments.reported)
    rows: list[tuple[Any, ...]] = []
    numbers = set()
    for path in arguments.tables:
        number = re.fullmatch(r"table(\d)\.csv", path.name)
        if number is None:
            raise InputError(f"{path}: is not called tableN.csv, so its number is not known")
        table = read_table(path, [])
        numbers.add(number[1])
        if "note" not in table:  # else the table does not apply to this dataset
            compare = compare_lists if number[1] == LISTS else compare_numbers
            rows += compare(number[1], table, reported)
    there = {row[:3] for row in rows}
    for key, value in reported.items():
        if key[0] in numbers - {LISTS} and key not in there:
            rows.append((*key, number_of(value, key), *[math.nan] * 4, NOT_MEASURED))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    write_table(frame, arguments.csv)
    values = {
        "dataset": arguments.dataset,
        "note": SYNTHETIC if arguments.synthetic else "",
        **latex_values(frame),
    }
    text = render(arguments.template, values)
    with replacing(arguments.tex) as made:
        made.write_text(text, encoding="utf-8", newline="\n")
    for verdict, count in Counter(frame["verdict"]).items():
        print(f"{count} {verdict}")


def read_reported(path: Path) -> dict[tuple[str, str, str], str]:
    """The paper's numbers: (table, row, column) -> value, as text.

    Raises:
        InputError: a number stands there twice, or has no source.
    """
    rows = read_table(path, ["table", "row", "column", "value", "source"])
    reported: dict[tuple[str, str, str], str] = {}
    for line, row in enumerate(rows.to_dict("records"), start=2):
        key = (row["table"], row["row"], row["column"])
        if key in reported:
            raise InputError(f"{path}: line {line}: {' '.join(key)} stands there twice")
        if not row["source"]:
            raise InputError(f"{path}: line {line}: {' '.join(key)} has no source")
        reported[key] = row["value"]
    return reported


def compare_numbers(
    number: str, table: pd.DataFrame, reported: Reported
) -> Iterator[tuple[Any, ...]]:
    """The cells of Tables 1, 3 and 6; what neither has is no cell."""
    names = [str(name) for name in table if name not in ("model", "collapsed")]
    columns = [name for name in names if not ABOUT_VALUES.search(name)]
    for row in table.to_dict("records"):
        for column in columns:
            key = (number, str(row["model"]), column)
            theirs = number_of(reported.get(key, ""), key)
            ours, low, high = (
                number_of(row.get(name, ""), key)
                for name in (column, f"{column} low", f"{column} high")
            )
            if not math.isnan(ours) or key in reported:
                said = verdict(theirs, ours, low, high)
                yield (*key, theirs, ours, ours - theirs, low, high, said)


def number_of(text: str, key: tuple[str, str, str]) -> float:
    """A cell as a number; NaN where it is empty."""
    try:
        return float(text) if text else math.nan
    except ValueError as error:
        raise InputError(f"table {key[0]}, {key[1]}, {key[2]}: {text!r} is no number") from error


def verdict(theirs: float, ours: float, low: float, high: float) -> str:
    """Whether the paper's number lies in our interval; without one, on which side it lies.

    >>> verdict(0.6, 0.62, 0.59, 0.65)
    'inside our interval'
    """
    if math.isnan(theirs):
        return NOT_TRANSCRIBED
    if math.isnan(ours):
        return NOT_MEASURED
    if low <= theirs <= high:
        return INSIDE
    return HIGHER if ours > theirs else LOWER


def compare_lists(
    number: str, table: pd.DataFrame, reported: Reported
) -> Iterator[tuple[Any, ...]]:
    """The lists of words of Table 5, whatever their order."""
    names = [str(name) for name in table if re.fullmatch(r"word \d+", str(name))]
    for row in table.to_dict("records"):
        name = f"{row['emotion']} {row['model']}"
        theirs = [reported.get((number, name, column), "") for column in names]
        ours = [row[column] for column in names]
        shared = len((set(theirs) & set(ours)) - {""})
        said = f"{shared} of {len(names)} words" if any(theirs) else NOT_TRANSCRIBED
        lists = (" ".join(filter(None, words)) for words in (theirs, ours))
        yield (number, name, "words", *lists, math.nan, math.nan, math.nan, said)


# ------------------------------------------------------------------------------------ LaTeX


def latex_values(frame: pd.DataFrame) -> dict[str, Any]:
    """For the template: cells by table and verdict, and the transcribed ones."""
    counts = []
    for table, cells in frame.groupby("table"):
        found = Counter(cells["verdict"])
        words = sum(count for name, count in found.items() if name.endswith("words"))
        listed = {name: found[name] for name in (INSIDE, HIGHER, LOWER, NOT_MEASURED)}
        counts.append(
            {
                "table": table,
                "cells": len(cells),
                "transcribed": len(cells) - found[NOT_TRANSCRIBED],
                "words": words,
                **{name.replace(" ", "_"): count for name, count in listed.items()},
            }
        )
    shown = [
        # the numbers are ours; words are escaped where the template prints them
        {**cell, **{name: minus(cell[name]) for name in NUMBERS if cell["table"] != LISTS}}
        for cell in transcribed(frame)
    ]
    return {
        "counts": counts,
        "cells": [cell for cell in shown if cell["table"] != LISTS],
        "lists": [cell for cell in shown if cell["table"] == LISTS],
    }


def minus(text: str) -> Latex:
    """A number as text, with LaTeX's minus sign."""
    return Latex(text.replace("\N{MINUS SIGN}", r"\textminus{}").replace("\N{EN DASH}", "--"))


# ------------------------------------------------------------------------------ cells as text


def transcribed(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The cells that can be compared, as text: shares in per cent, cosines with three decimals."""
    rows = frame[frame["verdict"] != NOT_TRANSCRIBED]
    return [printed(row) for row in rows.to_dict("records")]


def printed(row: Mapping[Any, Any]) -> dict[str, str]:
    """One cell as text: table, row, column, verdict, reported, ours, difference, interval."""
    cell = {name: str(row[name]) for name in ("table", "row", "column", "verdict")}
    if cell["table"] == LISTS:
        return {**cell, "reported": row["reported"], "ours": row["ours"]}

    def show(name: str, sign: str = "") -> str:
        number = float(row[name] or "nan")
        if math.isnan(number):
            return "\N{EN DASH}"
        shares = cell["table"] != COSINES
        text = f"{100 * number:{sign}.1f}" if shares else f"{number:{sign}.3f}"
        return text.replace("-", "\N{MINUS SIGN}")

    cell |= {name: show(name) for name in ("reported", "ours")}
    cell["difference"] = show("difference", "+")
    without = math.isnan(float(row["low"] or "nan"))
    cell["interval"] = "" if without else f"{show('low')}\N{EN DASH}{show('high')}"
    return cell
