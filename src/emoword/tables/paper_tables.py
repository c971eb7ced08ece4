r"""Make one of the paper's tables, as CSV (full precision) and as LaTeX (a float to \input).

    emoword table 1 --metrics metrics.csv --template paper/templates/table1.tex.j2 \
        --csv table1.csv --tex table1.tex --dataset demo --synthetic

Table N is made from:
    1  UA and WA by model and loss                 --metrics
    2  published work, and ours beside it          --metrics --literature
    3  mean cosine similarity with the targets     --metrics
    4  nearest words of example targets            --neighbours
    5  nearest words of the predictions            --neighbours
    6  top-10 accuracy of l1 and l2                --metrics
With --space the captions of 4 to 6 say which words could be listed: how many, by which filter.

Of metrics.csv the rows are printed whose seed is `all` and whose fold is what --aggregate names.
Tables 1, 3 and 6 have the 95% interval of each value below it if --intervals names them.
Accuracies are fractions in the CSV, per cent in the LaTeX. The best value of a column is bold (ties
at the printed precision: all of them; a column with one value: none). A dagger marks values with a
collapsed run behind them, an en dash a value that is not there. A table that needs what the dataset
has not got (ratings by several raters) says so in both files.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json, replacing, write_table
from emoword.spaces.filters import caption
from emoword.tables.latex import render
from emoword.tables.number_tables import (
    accuracy_table,
    add_intervals,
    comparison_table,
    read_literature,
    read_metrics,
    similarity_table,
    top10_table,
)
from emoword.tables.word_tables import prediction_table, read_neighbours, target_table

READS = {
    1: ["metrics"],
    2: ["metrics", "literature"],
    3: ["metrics"],
    4: ["neighbours"],
    5: ["neighbours"],
    6: ["metrics"],
}
# which of the overall values are printed, and what the caption says of it
AGGREGATES = {
    "mean": "Values are means over the folds.",
    "pooled": "Values are of the utterances of all folds pooled.",
}
LOSSES = {
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "lc": "log-cosh",
    "cosine": "cosine distance",
    "soft": "cross entropy with soft labels",
    "triplet": "triplet loss",
}
SYNTHETIC = (
    "The speech is synthetic: the numbers show that the pipeline works and say nothing about the "
    "paper."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword table``."""
    add = parser.add_argument
    add("number", type=int, choices=sorted(READS), help="which of the paper's tables")
    add("--metrics", type=Path, help="metrics.csv of `emoword evaluate`")
    add("--neighbours", type=Path, help="neighbours.csv of `emoword neighbours`")
    add("--intervals", type=Path, help="intervals.csv of `emoword intervals`: printed below values")
    add("--space", type=Path, help="meta.json of the word space, for the captions of tables 4 to 6")
    add("--literature", type=Path, help="paper/literature.csv: published results by dataset")
    add("--template", type=Path, required=True, help="paper/templates/tableN.tex.j2")
    add("--csv", type=Path, required=True, help="the table as CSV, written")
    add("--tex", type=Path, required=True, help="the table as LaTeX, written")
    add("--dataset", required=True, help="its name; table 2 lists the works on this dataset")
    add("--variant", default="paper", help="whose values are printed (default: paper)")
    add("--aggregate", choices=list(AGGREGATES), default="mean", help="over folds (default: mean)")
    add("--loss", choices=list(LOSSES), default="lc", help="of tables 2 to 6 (default: lc)")
    add("--synthetic", action="store_true", help="say so in the caption, and list no works")


def main(arguments: argparse.Namespace) -> None:
    """Make the table that the command line asks for."""
    for option in READS[arguments.number]:
        if getattr(arguments, option) is None:
            raise InputError(f"table {arguments.number} is made from --{option}: name the file")
    frame, values = make_table(arguments)
    if arguments.space and arguments.number in (4, 5, 6) and not values["missing"]:
        values["notes"] += [caption(arguments.space.parent.name, read_json(arguments.space))]
    values["notes"] += [SYNTHETIC] if arguments.synthetic else []
    text = render(
        arguments.template,
        {
            "dataset": arguments.dataset,
            "variant": arguments.variant,
            "loss": LOSSES[arguments.loss],
            **values,
        },
    )
    write_table(frame, arguments.csv)
    with replacing(arguments.tex) as made:
        made.write_text(text, encoding="utf-8", newline="\n")


def make_table(arguments: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read what the table is made from; return its CSV and what its template may name."""
    number, loss = arguments.number, arguments.loss
    if number in (4, 5):
        neighbours = read_neighbours(arguments.neighbours, arguments.variant)
        return target_table(neighbours) if number == 4 else prediction_table(neighbours, loss)
    metrics = read_metrics(arguments.metrics, arguments.variant, arguments.aggregate)
    said = AGGREGATES[arguments.aggregate]
    if arguments.intervals and number != 2:
        metrics, said = add_intervals(
            metrics, arguments.intervals, arguments.variant, arguments.aggregate
        )
    if number == 1:
        frame, values = accuracy_table(metrics)
    elif number == 2:
        # Beside synthetic speech even a row of published results would be a comparison.
        works = read_literature(
            arguments.literature, None if arguments.synthetic else arguments.dataset
        )
        frame, values = comparison_table(metrics, loss, works)
    else:
        frame, values = (similarity_table if number == 3 else top10_table)(metrics, loss)
    values["notes"] += [] if values["missing"] else [said]
    return frame, values
