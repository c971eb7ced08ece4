r"""Table A1: UA and WA of M1 (log-cosh) by word space, and the difference of each pair of spaces.

Values and differences are those of `emoword intervals`, by the same test as for every other claim.

    emoword compare-spaces --metrics comparisons/spaces/metrics.csv \
        --intervals comparisons/spaces/intervals.csv \
        --differences comparisons/spaces/differences.csv --variants paper word2vec \
        --spaces results/spaces/glove_840b/meta.json results/spaces/word2vec/meta.json \
        --template paper/templates/table.tex.j2 --dataset iemocap \
        --csv tableA1.csv --tex tableA1.tex
"""

import argparse
from itertools import combinations
from pathlib import Path

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, write_table
from emoword.tables.latex import render_tables, write_latex
from emoword.tables.model import Cell, Column, Key, Row, Table, collapse_note, frame
from emoword.tables.number_tables import (
    Measured,
    add_intervals,
    number_cell,
    number_row,
    percent,
    read_metrics,
    signed,
)
from emoword.tables.paper_tables import AGGREGATES, SYNTHETIC

METRICS = ("UA", "WA")
KEYS = {metric: Key("M1", "lc", "class", metric) for metric in METRICS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword compare-spaces``."""
    add = parser.add_argument
    add("--metrics", type=Path, required=True, help="metrics.csv of the comparison")
    add("--intervals", type=Path, required=True, help="its intervals.csv")
    add("--differences", type=Path, required=True, help="its differences.csv")
    add("--variants", nargs="+", required=True, help="variants that differ in their word space")
    add("--spaces", type=Path, nargs="+", required=True, help="meta.json of each variant's space")
    add("--aggregate", choices=list(AGGREGATES), default="mean", help="over folds")
    add("--template", type=Path, required=True, help="paper/templates/table.tex.j2")
    add("--csv", type=Path, required=True, help="the table as CSV, written")
    add("--tex", type=Path, required=True, help="the table as LaTeX, written")
    add("--dataset", required=True, help="its name")
    add("--synthetic", action="store_true", help="say so in the caption")


def main(arguments: argparse.Namespace) -> None:
    """Write Table A1."""
    variants, fold = arguments.variants, arguments.aggregate
    if len(variants) != len(arguments.spaces):
        count = len(arguments.spaces)
        raise InputError(f"{len(variants)} --variants and {count} --spaces: one for each")
    spaces = dict(zip(variants, arguments.spaces, strict=True))
    notes = [f"Dataset {arguments.dataset}.", *([SYNTHETIC] if arguments.synthetic else [])]
    tables = [
        values_table(spaces, arguments.metrics, arguments.intervals, fold).with_notes(*notes),
        pairs_table(spaces, arguments.differences, fold).with_notes(*notes),
    ]
    latex = render_tables(arguments.template, [table for table in tables if table.rows])
    write_table(pd.concat(map(frame, tables)), arguments.csv)
    write_latex(latex, arguments.tex)


def values_table(spaces: dict[str, Path], metrics: Path, intervals: Path, fold: str) -> Table:
    """The spaces, and M1 in each."""
    rows, said = [], ""
    for variant, path in spaces.items():
        values, said = add_intervals(read_metrics(metrics, variant, fold), intervals, variant, fold)
        meta = read_json(path)
        source = (
            f"{Path(str(meta['source'])).name}{', ' * ('vector' in meta)}{meta.get('vector', '')}"
        )
        about = {"words": meta["words"], "dimensions": meta["dim"]}
        cells = {name: Cell(f"{number:,}", number) for name, number in about.items()}
        cells |= number_row(values, variant, KEYS, percent).cells
        rows.append(Row((path.parent.name, source), cells))
    columns = tuple(Column(name) for name in ("words", "dimensions", *METRICS))
    stub = (Column("space", words=True), Column("source", width=0.3, words=True))
    caption = "Word spaces: UA and WA in per cent of M1 with log-cosh."
    notes = (said, *collapse_note(rows))
    return Table("A1", "Word spaces", caption, stub, columns, tuple(rows), notes)


def pairs_table(spaces: dict[str, Path], differences: Path, fold: str) -> Table:
    """The paired difference of each two spaces, in points.

    Raises:
        InputError: one is not in differences.csv.
    """
    numbers = ["difference", "low", "high", "p"]
    same = ["model", "loss", "measured_on", "metric"]
    names = [*same, "variant", "against_variant", "against_model", "fold", *numbers]
    table = read_table(differences, names, dict.fromkeys(numbers, float))
    table = table[(table["fold"] == fold) & (table["model"] == table["against_model"])]
    found = {
        (row["variant"], row["against_variant"], *(row[name] for name in same)): row
        for row in table.to_dict("records")
    }
    rows = []
    for first, second in combinations(spaces, 2):
        cells: dict[str, Cell] = {}
        for metric, key in KEYS.items():
            row = found.get((first, second, *key))
            if row is None:
                raise InputError(
                    f"{differences}: no difference in {metric} of {first} and {second}"
                )
            value, low, high, p = (row[name] for name in numbers)
            measured = Measured(value, 0, low, high)
            cells[f"{metric} difference"] = number_cell(measured, lambda x: signed(x, percent))
            cells[f"{metric} p"] = number_cell(Measured(p, 0), "{:.3f}".format)
        rows.append(Row((spaces[first].parent.name, spaces[second].parent.name), cells))
    columns = [Column(f"{m} {name}", name, m) for m in METRICS for name in ("difference", "p")]
    caption = (
        "Each two word spaces: the first minus the second in points, M1 of both on the same "
        "utterances, with the 95% interval and p of `emoword intervals`, not corrected for the "
        "number of pairs."
    )
    stub = (Column("space", words=True), Column("against", words=True))
    return Table("A1pairs", "Pairs of word spaces", caption, stub, tuple(columns), tuple(rows))
