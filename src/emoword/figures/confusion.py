"""Draw one confusion matrix a model, pooled over folds and seeds.

In: decisions.csv (one row per run and test utterance). Out: the figure, and with --data one row
per model, true and predicted label. Each row of a matrix is a true label; the shade and the upper
number are its share in per cent, the lower number counts utterances (once for each seed).

Example:
    emoword figure confusion --decisions decisions.csv --pdf confusion.pdf --png confusion.png
"""

import argparse
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emoword.figures.style import (
    COLOURS,
    EMOTIONS,
    INK,
    MODELS,
    TEXT_WIDTH,
    absent,
    check_models,
    fitting,
    in_order,
    of_variant,
    printable,
)
from emoword.io.errors import InputError
from emoword.io.files import read_table

COLUMNS = ["variant", "model", "loss", "fold", "seed", "collapsed", "true", "predicted"]
CELL = 0.235, 0.45
"""Inches: the smallest side of a cell that holds its two numbers, and the largest that it needs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the inputs."""
    parser.add_argument("--decisions", type=Path, required=True, help="decisions.csv (in)")
    parser.add_argument("--variant", help="the variant to show (default: the only one)")
    parser.add_argument(
        "--loss", default="lc", help="the loss of M1..M3 (default: lc); the baseline's is ce"
    )


def numbers(arguments: argparse.Namespace) -> pd.DataFrame:
    """Count true and predicted labels per model, pooled over folds and seeds.

    Returns:
        Columns variant, model, loss, runs, collapsed (how many of the runs), true, predicted,
        count, share (of the true label's row; NaN where it has no utterance). All pairs of labels,
        also those never seen.

    Raises:
        InputError: the file is malformed or has nothing of this variant and loss.
    """
    path = arguments.decisions
    decisions = read_table(path, COLUMNS)
    check_models(decisions, path)
    for column in ("true", "predicted"):
        empty = decisions.index[decisions[column] == ""]
        if len(empty):
            raise InputError(f"{path}: line {empty[0] + 2}: no {column} label")
    decisions = of_variant(decisions, path, arguments.variant)
    loss = decisions["model"].map(lambda model: "ce" if model == "baseline" else arguments.loss)
    decisions = decisions[decisions["loss"] == loss]
    if decisions.empty:
        raise InputError(f"{path}: no rows of M1..M3 with loss {arguments.loss}, nor a baseline")
    return confusion(decisions)


def confusion(decisions: pd.DataFrame) -> pd.DataFrame:
    """Decisions of one variant, and of one loss a model -> the table of ``numbers``."""
    labels = in_order([*decisions["true"], *decisions["predicted"]], EMOTIONS)
    tables = []
    for model in in_order(decisions["model"], MODELS):
        rows = decisions[decisions["model"] == model]
        pairs = pd.MultiIndex.from_product([labels, labels], names=["true", "predicted"])
        counts = rows.groupby(["true", "predicted"]).size().reindex(pairs, fill_value=0)
        table = counts.rename("count").reset_index()
        totals = table.groupby("true")["count"].transform("sum")
        table["share"] = (table["count"] / totals.where(totals > 0)).round(6)
        runs = rows.drop_duplicates(["fold", "seed"])
        keys = {key: rows[key].iloc[0] for key in ("variant", "model", "loss")}
        keys |= {"runs": len(runs), "collapsed": (runs["collapsed"] == "1").sum()}
        for position, (key, value) in enumerate(keys.items()):
            table.insert(position, key, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def draw(numbers: pd.DataFrame) -> tuple[Figure, list[str]]:
    """Draw a matrix a model, in rows as wide as the page."""
    models = list(dict.fromkeys(numbers["model"]))
    labels = list(dict.fromkeys(numbers["true"]))
    margin = 0.75
    columns = min(len(models), max(1, int((TEXT_WIDTH - margin) / (len(labels) * CELL[0] + 0.1))))
    cell = min(CELL[1], max(CELL[0], (TEXT_WIDTH - margin - 0.1 * columns) / columns / len(labels)))
    side = cell * len(labels)
    rows = math.ceil(len(models) / columns)
    figure = Figure(
        figsize=(margin + columns * (side + 0.1), rows * (side + 0.25) + margin - 0.15),
        layout="constrained",
    )
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    sizes = (7.5, 5.5) if cell > 0.3 else (6.5, 5.0)
    for i, (axes, model) in enumerate(zip(grid.flat, models, strict=False)):
        _matrix(axes, numbers[numbers["model"] == model], labels, sizes)
        axes.set_title(model, color=COLOURS[model], fontweight="bold")
        if i % columns == 0:
            axes.set_ylabel("true label")
        if i + columns >= len(models):
            axes.set_xlabel("predicted label")
            axes.tick_params(labelbottom=True)
    for axes in grid.flat[len(models) :]:
        axes.remove()
    notes = ["Upper number: per cent of the row. Lower: utterances, over all folds and seeds."]
    return figure, [*notes, *absent(models), *_warnings(numbers)]


def _matrix(
    axes: Axes, numbers: pd.DataFrame, labels: list[str], sizes: tuple[float, float]
) -> None:
    shape = len(labels), len(labels)
    counts = numbers["count"].to_numpy().reshape(shape)
    shares = numbers["share"].to_numpy().reshape(shape)
    colours = mpl.colormaps["Purples"](np.nan_to_num(shares))
    for (i, j), _ in np.ndenumerate(counts):
        square = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colours[i, j], edgecolor="white")
        axes.add_patch(square)
    axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5))
    shown = [fitting(label, 60, 6.5) for label in labels]
    axes.set_xticks(range(len(labels)), shown, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), shown)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (i, j), count in np.ndenumerate(counts):
        # perceived lightness (ITU-R BT.601)
        colour = INK if colours[i, j, :3] @ (0.299, 0.587, 0.114) > 0.55 else "white"
        weight = "bold" if i == j else "normal"
        share = "–" if np.isnan(shares[i, j]) else f"{100 * shares[i, j]:.0f}"
        style: dict[str, Any] = {"ha": "center", "color": colour}
        axes.text(j, i - 0.17, share, va="center", fontsize=sizes[0], fontweight=weight, **style)
        axes.text(j, i + 0.23, str(count), va="center", fontsize=sizes[1], **style)


def _warnings(numbers: pd.DataFrame) -> list[str]:
    """Notes on collapsed runs, and on models that decide for one label whatever they hear."""
    collapsed, notes = [], []
    for model, rows in numbers.groupby("model", sort=False):
        first = rows.iloc[0]
        if first["collapsed"]:
            collapsed.append(f"{model} {first['collapsed']} of {first['runs']}")
        answers = rows.loc[rows["count"] > 0, "predicted"].unique()
        if len(answers) == 1:
            notes.append(f"{model} predicts {printable(answers[0], 30)} for every utterance.")
    return [f"Collapsed runs: {', '.join(collapsed)}."] * bool(collapsed) + notes
