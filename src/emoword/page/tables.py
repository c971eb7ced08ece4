"""Tables 1 to 6 on the page: the trace behind each cell by its address, and Table 1 in short."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd

from emoword.layout import Place
from emoword.schemas import NEIGHBOURS
from emoword.tables import model
from emoword.tables.model import Cell, Key, Near, Table
from emoword.tables.word_tables import neighbours_of


def read_tables(place: Place) -> tuple[list[Table], dict[str, Any]]:
    """The tables that are there, and the traces of their cells by address."""
    folder = place.root / "tables"
    near = NEIGHBOURS.read_text(place.root / f"neighbours/{place.variant.name}.csv")
    near["rank"] = near["rank"].astype(int)
    tables = [model.read(path) for path in sorted(folder.glob("table[1-6].json"))]
    return tables, {
        address(table, row, column): {
            "table": table.number,
            "row": row,
            "column": column,
            "shown": cell.text,
            "exact": str(cell.value),
            "interval": cell.interval,
            "paper": cell.paper,
            "command": shlex.join(["emoword", "trace", path.as_posix(), row, column]),
            **behind(cell.source, near),
        }
        for table in tables
        for path in [folder / f"table{table.number}.csv"]
        for (row, column), cell in table.cells().items()
        if cell.source and cell.value is not None
    }


def address(table: Table, row: str, column: str) -> str:
    """Where in the page a cell's trace is: ``trace/1/M1/LC%20UA``."""
    return f"trace/{table.number}/{quote(row, safe='')}/{quote(column, safe='')}"


def behind(source: Key | Near, near: pd.DataFrame) -> dict[str, Any]:
    """The rows of metrics.csv, or of neighbours.csv, that a cell was taken from."""
    if isinstance(source, Key):
        return {"key": list(source)}
    listed = neighbours_of(source, near)[["word", "similarity"]].to_numpy().tolist()
    about = {name: getattr(source, name) for name in ("kind", "name", "model", "words", "rank")}
    return {"vector": {**about, "nearest": listed}}


def outcome(tables: Sequence[Table], loss: str) -> list[dict[str, Any]]:
    """Table 1 in short: UA and WA of M1 to M3 with one loss, the baseline, the linear references.

    A line has the model, its cells with their addresses, and notes: it is below the better linear
    reference, or has collapsed runs.
    """
    lines = [line for table in tables for line in lines_of(table, loss.upper())]
    linear = [cells[0][0].value or 0.0 for name, cells in lines if "linear" in name]
    listed = []
    for name, cells in lines:
        ua = cells[0][0]
        below = ua.value is not None and ua.value < max(linear, default=0.0)
        notes = ["below the linear reference"] * (below and "linear" not in name)
        notes += [f"collapsed: {ua.collapsed}"] * bool(ua.collapsed)
        listed.append({"model": name.removesuffix(" (here)"), "cells": cells, "notes": notes})
    return listed


def lines_of(table: Table, loss: str) -> Iterator[tuple[str, list[tuple[Cell, str]]]]:
    """The lines that the overview shows of a table: model, UA and WA with their addresses."""
    for row in table.rows:
        own = {"1": "CE " if row.columns else f"{loss} ", "2": ""}.get(table.number)
        names = [f"{own}{metric}" for metric in ("UA", "WA")]
        linear = "linear reference" in row.name
        if own is not None and linear == (table.number == "2") and set(names) <= set(row.cells):
            yield row.name, [(row.cells[name], address(table, row.name, name)) for name in names]
