"""Draw the nearest words of each model's predictions per emotion, with their similarities.

In: neighbours.csv (its `prediction` rows). Out: the figure, and with --data the words it shows.
A row a true emotion, a column a model; bold is the word of the emotion itself.

Example:
    emoword figure neighbours --neighbours neighbours.csv --pdf words.pdf --png words.png
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from emoword.figures.style import (
    COLOURS,
    FAINT,
    MODELS,
    TEXT_WIDTH,
    absent,
    check_models,
    fitting,
    in_order,
    of_variant,
    sorted_rows,
)
from emoword.io.errors import InputError
from emoword.io.files import read_table

COLUMNS = ["kind", "variant", "model", "loss", "collapsed", "name", "words"]
COLUMNS += ["rank", "word", "similarity"]
BAR = 0.145
"""Inches: the height of a bar and its gap."""
ROOM = 100
"""Points: the width that a word may take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the inputs."""
    parser.add_argument("--neighbours", type=Path, required=True, help="neighbours.csv (in)")
    parser.add_argument("--variant", help="the variant to show (default: the only one)")
    parser.add_argument("--loss", default="lc", help="the loss to show (default: lc)")
    parser.add_argument("--words", type=int, default=5, help="words per panel (default: 5)")


def numbers(arguments: argparse.Namespace) -> pd.DataFrame:
    """The nearest words to show: of the prediction rows those up to rank --words.

    Returns:
        Columns variant, model, loss, collapsed, emotion, rank, word, similarity; by emotion, model
        and rank.

    Raises:
        InputError: the file is malformed or has no predictions of this variant and loss.
    """
    if arguments.words < 1:
        raise InputError("--words: must be 1 or more")
    rows = predictions(arguments.neighbours, arguments.variant, arguments.loss)
    rows = rows[rows["rank"] <= arguments.words].rename(columns={"name": "emotion"})
    columns = ["variant", "model", "loss", "collapsed", "emotion", "rank", "word", "similarity"]
    return sorted_rows(rows[columns], ["emotion", "model", "rank"])


def predictions(path: Path, variant: str | None, loss: str) -> pd.DataFrame:
    """The prediction rows of one variant and loss in neighbours.csv, checked.

    Raises:
        InputError: the file is malformed, or has no such rows.
    """
    rows = read_table(path, COLUMNS, {"rank": int, "similarity": float})
    rows = rows[rows["kind"] == "prediction"]
    check_models(rows, path)
    rows = of_variant(rows, path, variant)
    rows = rows[rows["loss"] == loss]
    if rows.empty:
        raise InputError(f"{path}: no predictions with loss {loss!r}")
    twice = rows.index[rows.duplicated(["model", "name", "rank"])]
    if len(twice):
        raise InputError(f"{path}: line {twice[0] + 2}: a rank occurs twice")
    return rows


def draw(numbers: pd.DataFrame) -> tuple[Figure, list[str]]:
    """Draw the panels; bars start at similarity 0."""
    models = in_order(numbers["model"], MODELS)
    emotions = list(dict.fromkeys(numbers["emotion"]))
    words = int(numbers["rank"].max())
    width = min(TEXT_WIDTH, 0.75 + 1.98 * len(models))
    height = 0.5 + len(emotions) * (words * BAR + 0.12)
    layout = ConstrainedLayoutEngine(h_pad=0.03, w_pad=0.06)
    figure = Figure(figsize=(width, height), layout=layout)
    grid = figure.subplots(len(emotions), len(models), sharex=True, sharey=True, squeeze=False)
    low = float(np.nanmin([0.0, *numbers["similarity"]]))
    grid[0, 0].set(xlim=(low, 1), ylim=(words + 0.5, 0.5))
    for i, emotion in enumerate(emotions):
        for j, model in enumerate(models):
            axes = grid[i, j]
            axes.tick_params(left=False, labelleft=False, bottom=i == len(emotions) - 1)
            axes.spines["bottom"].set_visible(i == len(emotions) - 1)
            axes.spines["left"].set_visible(False)
            axes.axvline(0, color=FAINT, linewidth=0.8)
            chosen = (numbers["emotion"] == emotion) & (numbers["model"] == model)
            # the mean over no utterance has no similarity
            chosen &= np.isfinite(numbers["similarity"])
            if i == 0:
                axes.set_title(model, color=COLOURS[model], fontweight="bold")
            if i == len(emotions) - 1:
                axes.set_xlabel("cosine similarity")
            if j == 0:
                label = fitting(emotion, 55, 7.5)
                axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=7.5)
            if chosen.any():
                _bars(axes, numbers[chosen], emotion, COLOURS[model])
            else:
                axes.text(0.5, 0.5, "no predictions", transform=axes.transAxes, ha="center")
    fallen = numbers[numbers["collapsed"] != ""].drop_duplicates("model")
    runs = ", ".join(fallen["model"] + " " + fallen["collapsed"])
    notes = [f"Collapsed, predicting hardly more than one vector: {runs}."] if runs else []
    return figure, [*absent(models, MODELS[:3]), *notes]


def _bars(axes: Axes, rows: pd.DataFrame, emotion: str, colour: str) -> None:
    # a tint: the word is read on it as well as beside it
    tint = tuple(0.35 * channel + 0.65 for channel in to_rgb(colour))
    axes.barh(rows["rank"], rows["similarity"], height=0.8, color=[tint])
    for rank, word, similarity in rows[["rank", "word", "similarity"]].itertuples(index=False):
        weight = "bold" if word == emotion else "normal"
        value = f"{similarity:.2f}".replace("-", "−")
        style: dict[str, Any] = {"textcoords": "offset points", "va": "center_baseline"}
        left, right = axes.get_xlim()
        shown = fitting(word, ROOM, 7, weight)
        axes.annotate(shown, (left, rank), (3, 0), fontweight=weight, **style)
        axes.annotate(value, (right, rank), (3, 0), fontsize=6.5, **style)
