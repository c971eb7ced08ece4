"""The command that makes one of the paper's tables: as CSV, LaTeX and JSON."""

from pathlib import Path
from typing import Literal

from emoword.io.files import read_json, write_table
from emoword.layout import Place, read_variant
from emoword.spaces.filters import caption
from emoword.tables import model
from emoword.tables.appended import AGGREGATES, SYNTHETIC
from emoword.tables.latex import render, write_latex
from emoword.tables.model import Table
from emoword.tables.number_tables import (
    accuracy_table,
    add_intervals,
    comparison_table,
    read_literature,
    read_metrics,
    similarity_table,
    top10_table,
    with_floors,
)
from emoword.tables.reported import beside, read_reported
from emoword.tables.word_tables import prediction_table, read_neighbours, target_table

LOSSES = {
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "lc": "log-cosh",
    "cosine": "cosine distance",
    "soft": "cross entropy with soft labels",
    "soft_words": "cross entropy with soft labels over all words",
    "co_occurrence": "cross entropy with soft labels and a co-occurrence penalty",
    "dirichlet": "likelihood under a Dirichlet prior",
    "triplet": "triplet loss",
}


def table(
    number: Literal[1, 2, 3, 4, 5, 6],
    variant: Path,
    /,
    *,
    literature: Path,
    reported: Path,
    template: Path,
    csv: Path,
    tex: Path,
    json: Path,
) -> None:
    r"""Make one of the paper's tables: as CSV (exact), LaTeX (a float) and JSON (all of it).

    Tables 1, 2, 3 and 6 print metrics.csv beside the variant's folder, over all seeds and, of
    folds, what the setting `aggregate` names; 1, 3 and 6 with the intervals of intervals.csv, and 3
    and 6 with constant predictors if there is a floors/{variant}.csv. Tables 4 and 5 print
    neighbours/{variant}.csv. Accuracies are fractions in the CSV, per cent in print. The highest
    value of a column is bold (ties as printed: all of them; a column with one value: none). A
    dagger marks values with a collapsed run behind them, an en dash a value that is not there. On
    IEMOCAP the paper's values stand below ours. A table that needs what the dataset has not got
    (ratings by several raters) says so. Page, trace and versus-paper read the JSON.

        emoword table 1 results/demo/variants/paper.json --literature paper/literature.csv \
            --reported paper/reported.csv --template paper/templates/table.tex.j2 \
            --csv table1.csv --tex table1.tex --json table1.json

    Args:
        number: Which of the paper's tables.
        variant: The variant's file.
        literature: paper/literature.csv: published results by dataset.
        reported: paper/reported.csv: the paper's values.
        template: paper/templates/table.tex.j2.
        csv: The table as CSV.
        tex: The table as LaTeX.
        json: The table with what is behind it.
    """
    place = read_variant(variant)
    if number in (4, 5):
        name = place.variant.name
        rows = read_neighbours(place.path(f"neighbours/{name}.csv"), name)
        loss = place.variant.settings.table_loss
        made = target_table(rows) if number == 4 else prediction_table(rows, loss)
    else:
        made = numbers_table(number, place, literature)
    if place.variant.kind == "iemocap":
        made = beside(made, read_reported(reported))
    made = made.with_notes(*choices(made, place))
    latex = render(template, {"tables": [made]})
    write_table(model.frame(made), csv)
    write_latex(latex, tex)
    model.write(made, json)


def numbers_table(number: int, place: Place, literature: Path) -> Table:
    """Read and make Table 1, 2, 3 or 6."""
    name, chosen = place.variant.name, place.variant.settings
    fold, loss = chosen.aggregate, chosen.table_loss
    metrics, said = read_metrics(place.path("metrics.csv"), name, fold), AGGREGATES[fold]
    intervals, floors = place.path("intervals.csv"), place.path(f"floors/{name}.csv")
    if number != 2 and intervals.is_file():
        metrics, said = add_intervals(metrics, intervals, name, fold)
    if number in (3, 6) and floors.is_file():
        metrics = with_floors(metrics, floors, name, fold)
    if number == 1:
        made = accuracy_table(metrics)
    elif number == 2:
        # Beside synthetic speech even a row of published results would be a comparison.
        works_on = None if place.variant.synthetic else place.variant.dataset
        made = comparison_table(metrics, loss, read_literature(literature, works_on))
    else:
        made = (similarity_table if number == 3 else top10_table)(metrics, loss)
    return made if made.missing else made.with_notes(said)


def choices(made: Table, place: Place) -> list[str]:
    """What a table shows, in sentences: its loss, the words that it could list, whose numbers."""
    notes = []
    if made.number in ("3", "5", "6") and not made.missing:
        notes.append(f"Loss: {LOSSES[place.variant.settings.table_loss]}.")
    if made.number in ("4", "5", "6") and not made.missing:
        notes.append(caption(place.space.resolve().name, read_json(place.space / "meta.json")))
    notes.append(f"Dataset {place.variant.dataset}, variant {place.variant.name}.")
    return [*notes, SYNTHETIC] if place.variant.synthetic else notes
