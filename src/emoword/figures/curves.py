"""Draw the learning curves of runs: training and validation loss per epoch.

In: history.csv files, each in its run's folder, whose run.json says which run it is (without one,
the path does: runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}/history.csv). Out: the
figure, and with --data all losses. A panel a model and loss: thin lines are runs (folds, seeds),
dots their best epochs, thick lines the mean over the epochs that every run reached.

Example:
    emoword figure curves --history runs/paper/*/*/history.csv --pdf curves.pdf --png curves.png
"""

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from emoword.figures.style import (
    COLOURS,
    FAINT,
    INK,
    LOSSES,
    MODELS,
    check_models,
    fitting,
    in_order,
    sorted_rows,
)
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table

KEYS = ["variant", "model", "loss", "fold", "seed"]
FOLDER = re.compile(
    r"(?P<variant>[^/]+)/(?P<label_set>S[123])-(?P<loss>[^/]+)/fold(?P<fold>\d+)-seed(?P<seed>\d+)$"
)
PANEL = 1.42, 1.15
"""Inches: width and height."""
DASHED: Any = (0, (3, 1))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the inputs."""
    parser.add_argument(
        "--history", type=Path, nargs="+", required=True, help="history.csv of each run (in)"
    )


def numbers(arguments: argparse.Namespace) -> pd.DataFrame:
    """The losses of all runs.

    Returns:
        Columns variant, model, loss, fold, seed, collapsed (by its run.json), epoch, train_loss,
        validation_loss, best (whether the run's validation loss is lowest in this epoch).

    Raises:
        InputError: a file is malformed or tells no run, or a run is given twice.
    """
    frame = pd.concat([_read(path) for path in arguments.history], ignore_index=True)
    twice = frame[frame.duplicated([*KEYS, "epoch"])]
    if len(twice):
        run = ", ".join(f"{key} {twice.iloc[0][key]}" for key in KEYS)
        raise InputError(f"--history: the run of {run} is given twice")
    return sorted_rows(frame, [*KEYS, "epoch"])


def _read(path: Path) -> pd.DataFrame:
    losses = ["train_loss", "validation_loss"]
    history = read_table(path, ["epoch", *losses], {"epoch": int, **dict.fromkeys(losses, float)})
    if history.empty:
        raise InputError(f"{path}: has no epochs below its header")
    validation = history["validation_loss"].replace([np.inf, -np.inf], np.nan)
    history["best"] = False
    if validation.notna().any():
        history.loc[validation.idxmin(), "best"] = True
    run = run_of(path)
    frame = history[["epoch", *losses, "best"]]
    for position, key in enumerate([*KEYS, "collapsed"]):
        frame.insert(position, key, run[key])
    check_models(frame, path.parent)
    return frame


def run_of(path: Path) -> dict[str, Any]:
    """Which run a history.csv is of: variant, model, loss, fold, seed, collapsed.

    Raises:
        InputError: neither the run.json beside it nor its path tells.
    """
    record = path.parent / "run.json"
    if record.exists():
        run = {"variant": "", **read_json(record)}
        missing = [key for key in KEYS if not isinstance(run, dict) or key not in run]
        if missing:
            raise InputError(f"{record}: no key {', '.join(missing)}")
        for key in ("fold", "seed"):
            if not isinstance(run[key], int):
                raise InputError(f"{record}: {key} must be an integer, not {run[key]!r}")
        names = {key: str(run[key]) for key in ("variant", "model", "loss")}
        collapsed = bool(run.get("collapsed", False))
        return {**names, "fold": run["fold"], "seed": run["seed"], "collapsed": collapsed}
    match = FOLDER.search(path.absolute().parent.as_posix())
    if not match:
        raise InputError(
            f"{path}: cannot tell which run this is: no run.json beside it, and its folder is not "
            f"{{variant}}/{{label_set}}-{{loss}}/fold{{fold}}-seed{{seed}}"
        )
    model = "baseline" if match["loss"] == "ce" else f"M{match['label_set'][1]}"
    return {
        "variant": match["variant"],
        "model": model,
        "loss": match["loss"],
        "fold": int(match["fold"]),
        "seed": int(match["seed"]),
        "collapsed": False,
    }


def draw(numbers: pd.DataFrame) -> tuple[Figure, list[str]]:
    """Draw a row a model and a column a loss; the baseline has the last row's last place."""
    variants = list(dict.fromkeys(numbers["variant"]))
    rows = [
        (variant, model)
        for variant in variants
        for model in in_order(numbers.loc[numbers["variant"] == variant, "model"], MODELS)
    ]
    losses = in_order(numbers["loss"], tuple(LOSSES))
    # the baseline alone has cross entropy: beside the last model, not in a row of its own
    places = {}
    for i, (variant, model) in enumerate(rows):
        beside = model == "baseline" and i > 0 and rows[i - 1][0] == variant
        places[variant, model] = rows[i - 1] if beside else (variant, model)
    lines = list(dict.fromkeys(places.values()))
    figure = Figure(
        figsize=(0.45 + PANEL[0] * max(len(losses), 2), 0.55 + PANEL[1] * len(lines)),
        layout="constrained",
    )
    grid = figure.subplots(len(lines), len(losses), sharex=True, sharey="col", squeeze=False)
    used = set()
    for key, panel in numbers.groupby(["variant", "model", "loss"], sort=False):
        variant, model, loss = map(str, key)
        i, j = lines.index(places[variant, model]), losses.index(loss)
        axes = grid[i, j]
        used.add((i, j))
        _panel(axes, panel, COLOURS[model])
        name = model if len(variants) == 1 else f"{fitting(variant, 45, 7.5)}: {model}"
        axes.set_title(name, color=COLOURS[model], fontweight="bold")
        axes.set_ylabel(LOSSES[loss])
    for (i, j), axes in np.ndenumerate(grid):
        if (i, j) not in used:
            axes.axis("off")
            continue
        lowest = max(row for row, column in used if column == j) == i
        axes.tick_params(labelbottom=lowest, labelleft=True)
        if lowest:
            axes.set_xlabel("epoch")
    _legend(figure)
    return figure, _notes(numbers)


def _panel(axes: Axes, panel: pd.DataFrame, colour: str) -> None:
    panel = panel.replace([np.inf, -np.inf], np.nan)
    runs = [run for _, run in panel.groupby(["fold", "seed"])]
    common = min(run["epoch"].max() for run in runs)
    for column, shade, style in (("train_loss", FAINT, DASHED), ("validation_loss", colour, "-")):
        for run in runs:
            axes.plot(run["epoch"], run[column], color=shade, linewidth=0.4, alpha=0.5)
        mean = panel[panel["epoch"] <= common].groupby("epoch")[column].mean()
        axes.plot(mean.index, mean, color=shade, linewidth=1.3, linestyle=style)
    best = panel[panel["best"]]
    axes.plot(
        best["epoch"],
        best["validation_loss"],
        linestyle="none",
        marker="o",
        markersize=3,
        markerfacecolor=colour,
        markeredgecolor="white",
        markeredgewidth=0.4,
        zorder=3,
    )
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=FAINT, linewidth=1.3, linestyle=DASHED, label="training, mean"),
        Line2D([], [], color=INK, linewidth=1.3, label="validation, mean"),
        Line2D([], [], color=INK, linewidth=0.4, label="one run"),
        Line2D([], [], color=INK, marker="o", markersize=3, linewidth=0, label="its best epoch"),
    ]
    width = figure.get_figwidth()
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=4 if width > 5 else 2,
        handlelength=1.8,
    )


def _notes(numbers: pd.DataFrame) -> list[str]:
    runs = numbers.drop_duplicates(KEYS)
    notes = []
    collapsed = runs[runs["collapsed"].astype(bool)]
    for key, rows in collapsed.groupby(["model", "loss"], sort=False):
        model, loss = map(str, key)
        total = ((runs["model"] == model) & (runs["loss"] == loss)).sum()
        notes.append(f"{model} ({LOSSES[loss]}) {len(rows)} of {total}")
    return [f"Collapsed runs: {', '.join(notes)}."] if notes else []
