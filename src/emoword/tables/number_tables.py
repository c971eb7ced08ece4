"""Tables 1, 2, 3 and 6: the numbers of metrics.csv, as data and as LaTeX cells.

A table is a function from the metrics to its CSV and to what its template may name: `cells` by row
and column (LaTeX), `notes` (sentences for the caption), and `missing`, the reason why there is no
table, or "". Which number stands where is a design: row -> column -> key.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.tables.latex import Latex, bold, escape
from emoword.tables.word_tables import NO_RATERS, does_not_apply

MODELS = ("M1", "M2", "M3")
LOSSES = ("mse", "mae", "lc")
NO_WORKS = "No published work is listed, as the values at hand are for other speech."
NO_VALUE = "An en dash stands where there is no value."


class Key(NamedTuple):
    """What a value was measured on."""

    model: str
    loss: str
    measured_on: str
    metric: str


class Measured(NamedTuple):
    """A value, the number of utterances (or runs) behind it, and its interval, if there is one."""

    value: float
    n: int
    low: float = math.nan
    high: float = math.nan


NOTHING = Measured(math.nan, 0)
NO_KEY = Key("", "", "", "")
Metrics = Mapping[Key, Measured]
Design = Mapping[str, Mapping[str, Key]]


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
    numbers = {"value": float, "low": float, "high": float}
    design = ["speakers", "folds", "seeds"]
    rows = read_table(path, [*names, *numbers, *design], numbers)
    rows = rows[(rows["variant"] == variant) & (rows["fold"] == fold)]
    known = dict(metrics)
    for line, row in zip(rows.index + 2, rows.to_dict("records"), strict=True):
        key = Key(row["model"], row["loss"], row["measured_on"], row["metric"])
        if key not in known or not math.isclose(known[key].value, row["value"], abs_tol=1e-9):
            raise InputError(f"{path}: line {line}: metrics.csv has another value: make it anew")
        known[key] = known[key]._replace(low=row["low"], high=row["high"])
    counts = [" or ".join(sorted(set(rows[name]), key=int)) for name in design]
    units = zip(counts, ("speaker", "fold", "seed"), strict=True)
    speakers, folds, seeds = (f"{n} {unit}{'' if n == '1' else 's'}" for n, unit in units)
    what = {"mean": f"Values are means over {folds} and {seeds}"}.get(
        fold, f"Values are of the utterances of {folds} pooled, means over {seeds}"
    )
    if rows["low"].isna().all():
        return known, f"{what}; {speakers}: too few for intervals."
    return known, f"{what}; below each its 95% interval, over {speakers}."


def read_literature(path: Path, dataset: str | None) -> pd.DataFrame:
    r"""Read the published results on a dataset (None: on none); UA and WA are fractions.

    Raises:
        InputError: a key is nothing that \cite takes, or a value is no fraction.
    """
    names = ["key", "name", "year", "dataset", "features", "UA", "WA", "protocol", "source"]
    works = read_table(path, names, {"UA": float, "WA": float})
    for line, work in enumerate(works.to_dict("records"), start=2):
        if not re.fullmatch(r"[A-Za-z0-9:_-]+", work["key"]):
            raise InputError(f"{path}: line {line}: {work['key']!r} is no BibTeX key")
        for name in ("UA", "WA"):
            if work[name] < 0 or work[name] > 1:
                raise InputError(f"{path}: line {line}: {name} is a fraction, from 0 to 1")
    return works[works["dataset"] == dataset].reset_index(drop=True)


# ------------------------------------------------------------------------------------ the tables


def accuracy_table(metrics: Metrics) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table 1: UA and WA of M1..M3 with each loss, and of the baseline."""
    return fill(metrics, accuracy_design(), percent)


def accuracy_design() -> Design:
    """What stands where in Table 1."""
    design = {model: accuracies(model, LOSSES) for model in MODELS}
    return {**design, "baseline": accuracies("baseline", ["ce"])}


def accuracies(model: str, losses: Iterable[str]) -> dict[str, Key]:
    """The columns of a model in Table 1, such as `LC UA`."""
    return {
        f"{loss.upper()} {metric}": Key(model, loss, "class", metric)
        for loss in losses
        for metric in ("UA", "WA")
    }


def comparison_table(
    metrics: Metrics, loss: str, works: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table 2: published work, and M1 and the baseline beside it."""
    ours, values = fill(metrics, comparison_design(loss), percent)
    published = works.assign(model=works["name"] + " " + works["year"])
    frame = pd.concat([published, ours.assign(source="computed here")], ignore_index=True)
    columns = ["model", "key", "features", "protocol", "UA", "WA", "collapsed", "source"]
    frame = frame.reindex(columns=columns)
    text = [name for name in columns if name not in ("UA", "WA")]
    frame[text] = frame[text].fillna("")
    # the best of a column is the best of everyone's
    marked = list(frame["collapsed"] != "")
    printed = [print_column(frame[name], marked, percent) for name in ("UA", "WA")]
    cells = [
        # a key is checked where it is read, and \cite would not find an escaped one
        {**row, "key": Latex(row["key"]), "UA": ua, "WA": wa}
        for row, ua, wa in zip(frame.to_dict("records"), *printed, strict=True)
    ]
    notes = [*([] if len(works) else [NO_WORKS]), *values["notes"]]
    if NO_VALUE not in notes and works[["UA", "WA"]].isna().any(axis=None):
        notes.append(NO_VALUE)
    values = {"published": cells[: len(works)], "ours": cells[len(works) :], "notes": notes}
    return frame, {**values, "missing": ""}


def comparison_design(loss: str) -> Design:
    """What stands where in Table 2, below the published work."""
    pairs = {f"M1 {loss.upper()}": ("M1", loss), "baseline CE": ("baseline", "ce")}
    return {
        name: {metric: Key(*pair, "class", metric) for metric in ("UA", "WA")}
        for name, pair in pairs.items()
    }


def similarity_table(metrics: Metrics, loss: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table 3: mean cosine similarity of M1..M3's predictions with S1..S3's targets."""
    return rater_table(metrics, similarity_design(loss), cosine)


def similarity_design(loss: str) -> Design:
    """What stands where in Table 3."""
    sets = ("S1", "S2", "S3")
    return {model: {on: Key(model, loss, on, "cosine") for on in sets} for model in MODELS}


def top10_table(metrics: Metrics, loss: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table 6: how often l1 and l2 are among the ten words nearest to the prediction.

    The CSV has the number of utterances behind each value in columns such as `S2 l2 n`.
    """
    design = top10_design(loss)
    frame, values = rater_table(metrics, design, percent)
    if values["missing"]:
        return frame, values
    counts = {
        column: [metrics.get(keys[column], NOTHING).n for keys in design.values()]
        for column in design[MODELS[0]]
    }
    # the same for every model, unless one of them is not there
    values["counts"] = {
        column: " / ".join(str(n) for n in sorted(set(numbers) - {0})) or "0"
        for column, numbers in counts.items()
    }
    return frame.assign(**{f"{column} n": numbers for column, numbers in counts.items()}), values


def top10_design(loss: str) -> Design:
    """What stands where in Table 6."""
    pairs = [(on, label) for on in ("S2", "S3") for label in ("l1", "l2")]
    return {
        model: {f"{on} {label}": Key(model, loss, on, f"top10_{label}") for on, label in pairs}
        for model in MODELS
    }


def rater_table(
    metrics: Metrics, design: Design, show: Callable[[float], str]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Make a table of M1..M3 with one loss, or say that there is neither S2 nor S3."""
    wanted = {key[2:] for keys in design.values() for key in keys.values()}
    if not any(key[2:] in wanted and key.measured_on != "S1" for key in metrics):
        return does_not_apply(NO_RATERS)
    return fill(metrics, design, show)


# ------------------------------------------------------------------------- from design to cells


def fill(
    metrics: Metrics, design: Design, show: Callable[[float], str]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Put the values of a design into a frame, and print them.

    Returns:
        The CSV: `model`, the design's columns, `collapsed` (which of the row's runs, as text), and
        for each column with intervals `low` and `high`. And `cells`, `ranges` (empty where there
        are no intervals), `notes`, `missing` for the template.
    """
    fallen = collapsed(metrics)
    values = {
        row: {column: metrics.get(key, NOTHING).value for column, key in keys.items()}
        for row, keys in design.items()
    }
    frame = pd.DataFrame([{"model": row, **numbers} for row, numbers in values.items()])
    cells: dict[str, dict[str, Latex]] = {row: {} for row in design}
    for column in frame.columns[1:]:
        marked = [column in keys and keys[column][:2] in fallen for keys in design.values()]
        for row, cell in zip(design, print_column(frame[column], marked, show), strict=True):
            cells[row][column] = cell
    ranges = print_ranges(metrics, design, show)
    pairs = {row: dict.fromkeys(key[:2] for key in keys.values()) for row, keys in design.items()}
    frame["collapsed"] = [
        "; ".join(f"{pair[1].upper()}: {fallen[pair]}" for pair in pairs[row] if pair in fallen)
        for row in design
    ]
    notes: list[str] = collapse_note(
        f"{row} {text}" for row, text in zip(design, frame["collapsed"], strict=True) if text
    )
    if any(math.isnan(number) for numbers in values.values() for number in numbers.values()):
        notes.append(NO_VALUE)
    for column in list(frame.columns[1:-1]) if ranges else []:
        ends = [metrics.get(keys.get(column, NO_KEY), NOTHING) for keys in design.values()]
        frame[f"{column} low"] = [found.low for found in ends]
        frame[f"{column} high"] = [found.high for found in ends]
    return frame, {"cells": cells, "ranges": ranges, "notes": notes, "missing": ""}


def collapsed(metrics: Metrics) -> dict[tuple[str, str], str]:
    """Which (model, loss) has collapsed runs, and how many: `3 of 25 runs`."""
    return {
        (key.model, key.loss): f"{int(measured.value)} of {measured.n} runs"
        for key, measured in metrics.items()
        if key.metric == "collapsed" and measured.value > 0
    }


def collapse_note(runs: Iterable[str]) -> list[str]:
    """Explain the dagger, if there is one."""
    text = escape("; ".join(runs))
    sentence = "Collapsed, i.e.\\ predicting hardly more than one vector:"
    return [Latex(rf"\textdagger~{sentence} {text}.")] if text else []


def print_column(
    numbers: Sequence[float] | pd.Series, marked: Sequence[bool], show: Callable[[float], str]
) -> list[Latex]:
    """Print the numbers of a column: the best in bold, a dagger where marked, NaN as an en dash.

    What is printed alike is equally good. A number without any to compare with is not bold.
    """
    values = [float(number) for number in numbers]
    there = [number for number in values if not math.isnan(number)]
    best = show(max(there)) if len(there) > 1 else None

    def cell(number: float, dagger: bool) -> Latex:
        if math.isnan(number):
            return Latex("--")
        text = Latex(show(number).replace("-", r"\textminus{}"))
        # \rlap: the dagger takes no room, so that the digits stay in line
        return Latex(
            (bold(text) if show(number) == best else text)
            + (r"\rlap{\textdagger}" if dagger else "")
        )

    return [cell(number, dagger) for number, dagger in zip(values, marked, strict=True)]


def print_ranges(
    metrics: Metrics, design: Design, show: Callable[[float], str]
) -> dict[str, dict[str, Latex]]:
    """The intervals of a design, by row and column; empty where no value has one."""
    found = {
        row: {column: metrics.get(key, NOTHING) for column, key in keys.items()}
        for row, keys in design.items()
    }
    if all(math.isnan(cell.low) for cells in found.values() for cell in cells.values()):
        return {}
    return {
        row: {column: print_range(cell, show) for column, cell in cells.items()}
        for row, cells in found.items()
    }


def print_range(measured: Measured, show: Callable[[float], str]) -> Latex:
    """Print an interval, small, as ``48.3--63.8``; nothing where there is none."""
    if math.isnan(measured.low):
        return Latex("")
    low, high = (show(end).replace("-", r"\textminus{}") for end in (measured.low, measured.high))
    return Latex(rf"{{\scriptsize {low}--{high}}}")


def percent(fraction: float) -> str:
    """Print a fraction in per cent with one decimal."""
    return f"{100 * fraction:.1f}"


def cosine(similarity: float) -> str:
    """Print a cosine similarity with three decimals."""
    return f"{similarity:.3f}"
