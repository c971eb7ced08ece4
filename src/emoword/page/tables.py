"""Tables 1 to 6 on the page: tableN.json, and the trace behind each cell by its address."""

import shlex
from typing import Any
from urllib.parse import quote

import pandas as pd

from emoword.layout import Place
from emoword.schemas import NEIGHBOURS
from emoword.tables import model
from emoword.tables.model import Key, Near, Table
from emoword.tables.word_tables import neighbours_of


def read_tables(place: Place) -> tuple[list[Table], dict[str, Any]]:
    """The tables that are there, and the traces of their cells by address."""
    folder = place.root / "tables"
    near = NEIGHBOURS.read_text(place.root / f"neighbours/{place.variant.name}.csv")
    near["rank"] = near["rank"].astype(int)
    near = near[near["variant"] == place.variant.name]
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
