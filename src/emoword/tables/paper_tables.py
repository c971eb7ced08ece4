r"""Make one of the paper's tables: as CSV (exact), LaTeX (a float to \input) and JSON (all of it).

    emoword table 1 --metrics metrics.csv --intervals intervals.csv --dataset demo --synthetic \
        --template paper/templates/table.tex.j2 --csv table1.csv --tex table1.tex --json table1.json

Table N is made from:
    1  UA and WA by model and loss                 --metrics
    2  published work, and ours among it           --metrics --literature
    3  mean cosine similarity with the targets     --metrics
    4  nearest words of example targets            --neighbours
    5  nearest words of the predictions            --neighbours
    6  top-10 accuracy of l1 and l2                --metrics
With --space the captions of 4 to 6 say which words could be listed: how many, by which filter.

Of metrics.csv the rows are printed whose seed is `all` and whose fold is what --aggregate names.
Tables 1, 3 and 6 have the 95% interval of each value below it if --intervals names them.
Accuracies are fractions in the CSV, per cent in the LaTeX. The highest value of a column is bold
(ties as printed: all of them; a column with one value: none). A dagger marks values with a
collapsed run behind them, an en dash a value that is not there. A table that needs what the dataset
has not got (ratings by several raters) says so. The JSON says what is behind each cell; page, trace
and versus-paper read it.
"""

import argparse
from pathlib import Path

from emoword.io.errors import InputError
from emoword.io.files import read_json, write_table
from emoword.spaces.filters import caption
from emoword.tables import model
from emoword.tables.latex import render_tables, write_latex
from emoword.tables.number_tables import (
    accuracy_table,
    add_intervals,
    comparison_table,
    read_literature,
    read_metrics,
    similarity_table,
    top10_table,
)
from emoword.tables.reported import beside, read_reported
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
    add("--reported", type=Path, help="paper/reported.csv: the paper's values, printed below ours")
    add("--template", type=Path, required=True, help="paper/templates/table.tex.j2")
    add("--csv", type=Path, required=True, help="the table as CSV, written")
    add("--tex", type=Path, required=True, help="the table as LaTeX, written")
    add("--json", type=Path, required=True, help="the table with what is behind it, written")
    add("--dataset", required=True, help="its name; table 2 lists the works on this dataset")
    add("--variant", default="paper", help="whose values are printed (default: paper)")
    add("--aggregate", choices=list(AGGREGATES), default="mean", help="over folds (default: mean)")
    add("--loss", choices=list(LOSSES), default="lc", help="of tables 2 to 6 (default: lc)")
    add("--synthetic", action="store_true", help="say so in the caption, and list no works")


def main(arguments: argparse.Namespace) -> None:
    """Make the table that the command line asks for."""
    given = arguments
    for option in READS[given.number]:
        if getattr(given, option) is None:
            raise InputError(f"table {given.number} is made from --{option}: name the file")
    if given.number in (4, 5):
        table = words_table(given.number, given.neighbours, given.variant, given.loss)
    else:
        works = None if given.synthetic else given.dataset
        table = numbers_table(
            given.number, given.metrics, given.intervals, given.literature, works,
            given.variant, given.aggregate, given.loss,
        )  # fmt: skip
    if not table.missing and given.number > 2:
        table = table.with_notes(f"Loss: {LOSSES[given.loss]}.") if given.number != 4 else table
        if given.space and given.number > 3:
            table = table.with_notes(caption(given.space.parent.name, read_json(given.space)))
    table = beside(table, read_reported(given.reported)) if given.reported else table
    table = table.with_notes(f"Dataset {given.dataset}, variant {given.variant}.")
    table = table.with_notes(SYNTHETIC) if given.synthetic else table
    latex = render_tables(given.template, [table])
    write_table(model.frame(table), given.csv)
    write_latex(latex, given.tex)
    model.write(table, given.json)


def words_table(number: int, neighbours: Path, variant: str, loss: str) -> model.Table:
    """Read and make Table 4 or 5."""
    rows = read_neighbours(neighbours, variant)
    return target_table(rows) if number == 4 else prediction_table(rows, loss)


def numbers_table(
    number: int, metrics_file: Path, intervals: Path | None, literature: Path, works_on: str | None,
    variant: str, aggregate: str, loss: str,
) -> model.Table:  # fmt: skip
    """Read and make Table 1, 2, 3 or 6; Table 2 lists the works on a dataset, or none."""
    metrics = read_metrics(metrics_file, variant, aggregate)
    said = AGGREGATES[aggregate]
    if intervals and number != 2:
        metrics, said = add_intervals(metrics, intervals, variant, aggregate)
    if number == 1:
        table = accuracy_table(metrics)
    elif number == 2:
        # Beside synthetic speech even a row of published results would be a comparison.
        table = comparison_table(metrics, loss, read_literature(literature, works_on))
    else:
        table = (similarity_table if number == 3 else top10_table)(metrics, loss)
    return table if table.missing else table.with_notes(said)
