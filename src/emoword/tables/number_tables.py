"""Tables 1, 2, 3 and 6: the numbers of metrics.csv.

A table is a function from the metrics to a `Table`; a missing value is printed as an en dash.
"""

import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from msgspec.structs import replace

from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.tables.model import Cell, Column, Key, Row, Table, collapse_note
from emoword.tables.word_tables import NO_RATERS

MODELS = ("M1", "M2", "M3")
LOSSES = ("mse", "mae", "lc")
LISTED_BY = ("paper", "us")
NO_WORKS = "No published work is listed, as the values at hand are for other speech."
PAPERS_WORKS = (
    "Published values are as the paper's Table 2 has them, with the paper's numbers of its "
    "references; it prints EPATA for ECAPA. Protocols differ."
)
Show = Callable[[float], str]


class Measured(NamedTuple):
    """A value, how many utterances (or runs) are behind it, and its intervals, if there are any."""

    value: float
    n: int
    low: float = math.nan
    high: float = math.nan
    repeat_low: float = math.nan
    repeat_high: float = math.nan


NOTHING = Measured(math.nan, 0)
Metrics = Mapping[Key, Measured]


def read_metrics(path: Path, variant: str, fold: str) -> dict[Key, Measured]:
    """Read the overall values of a variant: those over all seeds, and over folds as named.

    Raises:
        InputError: the file is no metrics.csv, has none of these rows, or one of them twice.
    """
    names = ["variant", "model", "loss", "fold", "seed", "measured_on", "metric", "value", "n"]
    rows = read_table(path, names, {"value": float, "n": float})
    overall = (rows["variant"] == variant) & (rows["seed"] == "all")
    printed = overall & (rows["fold"] == fold)
    metrics: dict[Key, Measured] = {}
    for line, row in zip(rows.index[printed] + 2, rows[printed].to_dict("records"), strict=True):
        key = Key(row["model"], row["loss"], row["measured_on"], row["metric"])
        if key in metrics:
            raise InputError(f"{path}: line {line}: {' '.join(key)} stands there twice")
        metrics[key] = Measured(row["value"], 0 if math.isnan(row["n"]) else int(row["n"]))
    if not metrics:
        there = ", ".join(rows["fold"][overall].unique()) or "there are none with any fold"
        raise InputError(
            f"{path}: no rows of variant {variant!r} with seed `all` and fold {fold!r}: {there}"
        )
    return metrics


def add_intervals(
    metrics: Metrics, path: Path, variant: str, fold: str
) -> tuple[dict[Key, Measured], str]:
    """Add the intervals of intervals.csv to the values.

    Returns:
        The values, and what they are means of and where the intervals are from, for the caption.

    Raises:
        InputError: the file is no intervals.csv, or a value in it is another: it is out of date.
    """
    names = ["variant", "model", "loss", "fold", "measured_on", "metric"]
    ends = ["low", "high", "repeat_low", "repeat_high"]
    numbers = dict.fromkeys(["value", *ends], float)
    design = ["speakers", "folds", "seeds"]
    rows = read_table(path, [*names, *numbers, *design], numbers)
    rows = rows[(rows["variant"] == variant) & (rows["fold"] == fold)]
    known = dict(metrics)
    for line, row in zip(rows.index + 2, rows.to_dict("records"), strict=True):
        key = Key(row["model"], row["loss"], row["measured_on"], row["metric"])
        if key not in known or not math.isclose(known[key].value, row["value"], abs_tol=1e-9):
            raise InputError(f"{path}: line {line}: metrics.csv has another value: make it again")
        known[key] = known[key]._replace(**{name: row[name] for name in ends})
    counts = [" or ".join(sorted(set(rows[name]), key=int)) for name in design]
    units = zip(counts, ("speaker", "fold", "seed"), strict=True)
    speakers, folds, seeds = (f"{n} {unit}{'' if n == '1' else 's'}" for n, unit in units)
    what = {"mean": f"Values are means over {folds} and {seeds}"}.get(
        fold, f"Values are of the utterances of {folds} pooled, means over {seeds}"
    )
    if rows["low"].isna().all():
        return known, f"{what}; {speakers}: too few for intervals."
    return known, f"{what}; below each its 95% interval, by a bootstrap over {speakers}."


def read_literature(path: Path, dataset: str | None) -> pd.DataFrame:
    r"""Read the published results on a dataset (None: on none); UA and WA are fractions.

    Raises:
        InputError: a key is nothing that \cite takes, or a value is no fraction.
    """
    names = ["key", "approach", "dataset", "UA", "WA", "listed_by", "source"]
    works = read_table(path, names, {"UA": float, "WA": float})
    for line, work in enumerate(works.to_dict("records"), start=2):
        if not re.fullmatch(r"[A-Za-z0-9:_-]+", work["key"]):
            raise InputError(f"{path}: line {line}: {work['key']!r} is no BibTeX key")
        if work["listed_by"] not in LISTED_BY:
            raise InputError(f"{path}: line {line}: listed_by is paper or us")
        for name in ("UA", "WA"):
            if work[name] < 0 or work[name] > 1:
                raise InputError(f"{path}: line {line}: {name} is a fraction, from 0 to 1")
    return works[works["dataset"] == dataset].reset_index(drop=True)


# ------------------------------------------------------------------------------------ the tables


def accuracy_table(metrics: Metrics) -> Table:
    """Table 1: UA and WA of M1..M3 with each loss, and the baseline as one line above."""
    columns = [
        Column(f"{loss.upper()} {metric}", metric, loss.upper())
        for loss in LOSSES
        for metric in ("UA", "WA")
    ]
    above = tuple(Column(f"CE {metric}", f"% {metric}") for metric in ("UA", "WA"))
    baseline = number_row(metrics, "baseline", accuracies("baseline", ["ce"]), percent)
    rows = [number_row(metrics, model, accuracies(model, LOSSES), percent) for model in MODELS]
    caption = (
        "Unweighted (UA) and weighted accuracy (WA) in per cent of M1, M2, M3, the models trained "
        "on label sets S1, S2, S3, with mean squared error (MSE), mean absolute error (MAE) and "
        "log-cosh (LC); of the baseline, trained on S1 with cross entropy."
    )
    table = number_table("1", "Model accuracies on the four labels", caption, columns, rows)
    return replace(table, rows=(*table.rows, replace(baseline, columns=above)))


def accuracies(model: str, losses: Iterable[str]) -> dict[str, Key]:
    """The columns of a model in Table 1, such as `LC UA`."""
    return {
        f"{loss.upper()} {metric}": Key(model, loss, "class", metric)
        for loss in losses
        for metric in ("UA", "WA")
    }


def comparison_table(metrics: Metrics, loss: str, works: pd.DataFrame) -> Table:
    """Table 2: published works, with M1 and the baseline among those of the paper by UA.

    Works that we list beside the paper's stand below a rule.
    """
    names = ("UA", "WA")
    rows = {by: [work_row(work) for work in works[works["listed_by"] == by].to_dict("records")]
            for by in LISTED_BY}  # fmt: skip
    for name, model, own in (
        (f"Word embeddings, M1 {loss.upper()} (here)", "M1", loss),
        ("Baseline CE (here)", "baseline", "ce"),
    ):
        keys = {metric: Key(model, own, "class", metric) for metric in names}
        rows["paper"].append(number_row(metrics, name, keys, percent))
    listed = sorted(rows["paper"], key=lambda row: row.cells["UA"].value or 0)
    listed += [replace(row, rule=i == 0) for i, row in enumerate(rows["us"])]
    table = number_table(
        "2", "Comparison with recent work", "Comparison with recent work: UA and WA in per cent.",
        [Column(name) for name in names], listed, "approach",
    )  # fmt: skip
    notes = table.notes if len(works) else (*table.notes, NO_WORKS)
    if len(rows["paper"]) > 2:
        notes = (*notes, PAPERS_WORKS)
    if rows["us"]:
        notes = (*notes, "Below the rule: works that we list, as their abstracts have them.")
    return replace(table, notes=notes, cite=tuple(works["key"].unique()))


def work_row(work: Mapping[Hashable, Any]) -> Row:
    """A published work: values without anything of ours behind them."""
    cells = {name: number_cell(Measured(work[name], 0), percent) for name in ("UA", "WA")}
    return Row((work["approach"],), cells)


def similarity_table(metrics: Metrics, loss: str) -> Table:
    """Table 3: mean cosine similarity of M1..M3's predictions with S1..S3's targets."""
    columns = [Column(name) for name in ("S1", "S2", "S3")]
    rows = [
        number_row(metrics, m, {c.name: Key(m, loss, c.name, "cosine") for c in columns}, cosine)
        for m in MODELS
    ]
    caption = (
        "Average cosine similarity between the predictions of the models and the targets of the "
        "label sets."
    )
    title = "Average cosine similarity across the label sets"
    return needs_raters(number_table("3", title, caption, columns, rows))


def top10_table(metrics: Metrics, loss: str) -> Table:
    """Table 6: how often l1 and l2 are among the ten words nearest to the prediction."""
    pairs = [(on, label) for on in ("S2", "S3") for label in ("l1", "l2")]
    columns = [Column(f"{on} {label}", {"l1": "l₁", "l2": "l₂"}[label], on) for on, label in pairs]
    keys = {
        m: {f"{on} {label}": Key(m, loss, on, f"top10_{label}") for on, label in pairs}
        for m in MODELS
    }
    caption = (
        "Top-10 accuracy in per cent: how often the most frequent (l₁) and the second most "
        "frequent label (l₂) of an utterance in S2 and S3 are among the ten words nearest to the "
        "prediction."
    )
    rows = [number_row(metrics, m, own, percent) for m, own in keys.items()]
    title = "Top-10 accuracy for l1 and l2 on S2 and S3"
    table = needs_raters(number_table("6", title, caption, columns, rows))
    counts = {
        name: {metrics[own[name]].n for own in keys.values() if own[name] in metrics}
        for name in keys["M1"]
    }
    behind = (f"{' or '.join(map(str, sorted(ns))) or 0} in {name}" for name, ns in counts.items())
    said = f"Utterances, each once a seed: {', '.join(behind)}."
    return table if table.missing else table.with_notes(said)


def needs_raters(table: Table) -> Table:
    """The table, or that there is none, as nothing was measured on S2 or S3."""
    rated = (
        cell.value is not None and isinstance(cell.source, Key) and cell.source.measured_on != "S1"
        for cell in table.cells().values()
    )
    return (
        table if any(rated) else Table(table.number, table.title, table.caption, missing=NO_RATERS)
    )


# ------------------------------------------------------------------------- from metrics to cells


def number_table(
    number: str, title: str, caption: str, columns: Sequence[Column], rows: Sequence[Row],
    stub: str = "model",
) -> Table:  # fmt: skip
    """A table of numbers whose rows are named by one column, the highest values in bold.

    What is printed alike is equally high. A value without any to compare it with is not bold.
    """
    best: dict[str, str] = {}
    for column in columns:
        there = [cell for row in rows if (cell := row.cells[column.name]).value is not None]
        if len(there) > 1:
            best[column.name] = max(there, key=lambda cell: cell.value or 0.0).text
    bold = [
        {n: replace(cell, bold=cell.text == best.get(n)) for n, cell in row.cells.items()}
        for row in rows
    ]
    return Table(
        number, title, caption + " Bold: the highest value of a column.",
        (Column(stub, stub.capitalize(), words=True),), tuple(columns),
        tuple(replace(row, cells=cells) for row, cells in zip(rows, bold, strict=True)),
        notes=collapse_note(rows),
    )  # fmt: skip


def number_row(metrics: Metrics, name: str, keys: Mapping[str, Key], show: Show) -> Row:
    """A row of a table: the cells of the keys, with how many of the runs behind each collapsed."""
    cells = {}
    for column, key in keys.items():
        runs = metrics.get(Key(key.model, key.loss, "class", "collapsed"), NOTHING)
        fallen = f"{int(runs.value)} of {runs.n} runs" if runs.value > 0 else ""
        cell = number_cell(metrics.get(key, NOTHING), show)
        cells[column] = replace(cell, source=key, collapsed=fallen)
    return Row((name,), cells)


def number_cell(measured: Measured, show: Show) -> Cell:
    """A number as it is printed; an en dash where there is none."""
    value, low, high, again, most = (
        None if math.isnan(x) else x for x in (measured.value, *measured[2:])
    )
    if value is None:
        return Cell("–")
    between = " to " if measured.low < 0 else "–"
    interval = "" if low is None or high is None else show(low) + between + show(high)
    return Cell(show(value), value, None, interval, low, high, again, most)


def signed(value: float, show: Show) -> str:
    """Print a difference with its sign."""
    return ("+" if value >= 0 else "") + show(value)


def percent(fraction: float) -> str:
    """Print a fraction in per cent with two decimals, as the paper does."""
    return f"{100 * fraction:.2f}".replace("-", "−")


def cosine(similarity: float) -> str:
    """Print a cosine similarity with three decimals, as the paper does."""
    return f"{similarity:.3f}".replace("-", "−")
