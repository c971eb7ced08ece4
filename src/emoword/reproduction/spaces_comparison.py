"""Table A1: word spaces side by side."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.layout import Place, read_variant
from emoword.schemas import DIFFERENCES
from emoword.tables.appended import Out, said_of
from emoword.tables.model import Cell, Column, Key, Row, Table, collapse_note, frame
from emoword.tables.number_tables import (
    add_intervals,
    number_cell,
    number_row,
    percent,
    points,
    read_metrics,
)

METRICS = ("UA", "WA")
KEYS = {metric: Key("M1", "lc", "class", metric) for metric in METRICS}


def compare_spaces(*variants: Path, comparison: Path, out: Out) -> None:
    r"""Table A1: UA and WA of M1 (log-cosh) by word space, and the difference of each two spaces.

    Values and differences are those of `emoword intervals`, by the same test as every other claim.

        emoword compare-spaces results/iemocap/variants/space_*.json \
            --comparison results/iemocap/comparisons/spaces \
            --template paper/templates/table.tex.j2 --csv tableA1.csv --tex tableA1.tex

    Args:
        variants: The files of variants that differ in their word space; their order is the table's.
        comparison: Folder of the comparison's metrics.csv, intervals.csv and differences.csv.
        out: Where it goes.
    """
    places = [read_variant(variant) for variant in variants]
    notes = said_of(places[0].variant)
    tables = [
        values_table(places, comparison).with_notes(*notes),
        pairs_table(places, comparison / "differences.csv").with_notes(*notes),
    ]
    whole = dict.fromkeys(["words", "dimensions"], "Int64")
    exact = pd.concat(map(frame, tables)).astype(whole)
    out.write([table for table in tables if table.rows], exact)


def values_table(places: Sequence[Place], comparison: Path) -> Table:
    """The spaces, and M1 in each."""
    rows, said = [], ""
    for place in places:
        name, fold = place.variant.name, place.variant.settings.aggregate
        metrics = read_metrics(comparison / "metrics.csv", name, fold)
        values, said = add_intervals(metrics, comparison / "intervals.csv", name, fold)
        meta = read_json(place.space / "meta.json")
        source = ", ".join(
            [Path(str(meta["source"])).name, *([meta["vector"]] if "vector" in meta else [])]
        )
        about = {"words": meta["words"], "dimensions": meta["dim"]}
        cells = {name: Cell(f"{number:,}", number) for name, number in about.items()}
        cells |= number_row(values, name, KEYS, percent).cells
        rows.append(Row((place.variant.settings.space, source), cells))
    columns = tuple(Column(name) for name in ("words", "dimensions", *METRICS))
    stub = (Column("space", words=True), Column("source", width=0.3, words=True))
    caption = "Word spaces: UA and WA in per cent of M1 with log-cosh."
    notes = (said, *collapse_note(rows))
    return Table("A1", "Word spaces", caption, stub, columns, tuple(rows), notes)


def pairs_table(places: Sequence[Place], differences: Path) -> Table:
    """The paired difference of each two spaces, in points.

    Raises:
        InputError: one is not in differences.csv.
    """
    index = ["variant", "model", "loss", "against_variant", "against_model", "fold"]
    index += ["measured_on", "metric"]
    numbers = ["difference", "low", "high", "p"]
    table = DIFFERENCES.read(differences, *index, *numbers)
    keys, values = (table[names].itertuples(index=False, name=None) for names in (index, numbers))
    found = dict(zip(keys, values, strict=True))
    fold, rows = places[0].variant.settings.aggregate, []
    for pair in combinations([place.variant for place in places], 2):
        first, second = (variant.name for variant in pair)
        cells: dict[str, Cell] = {}
        for metric, key in KEYS.items():
            where = (first, key.model, key.loss, second, key.model, fold, *key[2:])
            if where not in found:
                raise InputError(
                    f"{differences}: no difference in {metric} of {first} and {second}"
                )
            value, low, high, p = found[where]
            cells[f"{metric} difference"] = number_cell(value, points, low, high)
            cells[f"{metric} p"] = number_cell(p, "{:.3f}".format)
        rows.append(Row((pair[0].settings.space, pair[1].settings.space), cells))
    columns = [Column(f"{m} {name}", name, m) for m in METRICS for name in ("difference", "p")]
    caption = (
        "Each two word spaces: the first minus the second in points, M1 of both on the same "
        "utterances, with the 95% interval and p of `emoword intervals`, not corrected for the "
        "number of pairs."
    )
    stub = (Column("space", words=True), Column("against", words=True))
    return Table("A1pairs", "Pairs of word spaces", caption, stub, tuple(columns), tuple(rows))
