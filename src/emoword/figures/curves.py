"""Learning curves: a panel a loss, a colour a model."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from emoword.figures import style
from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.schemas import HISTORY

KEYS = ["model", "loss", "fold", "seed"]


def figure_curves(*, history: list[Path], out: style.Out) -> None:
    """Training and validation loss per epoch, of each run and on average.

    Args:
        history: history.csv of each run; the run.json beside it says which run it is.
        out: Where it goes.
    """
    out.publish(draw, numbers(pd.concat(map(_read_run, history), ignore_index=True)))


def _read_run(path: Path) -> pd.DataFrame:
    """Read a history.csv and the run.json beside it: the columns of ``numbers``, but ``best``."""
    losses = ["train_loss", "validation_loss"]
    history = HISTORY.read(path, "epoch", *losses)
    if history.empty:
        raise InputError(f"{path}: has no epochs below its header")
    record = path.parent / "run.json"
    run = {"variant": "", "collapsed": False, **read_json(record)}
    missing = [key for key in KEYS if key not in run]
    if missing:
        raise InputError(f"{record}: no key {', '.join(missing)}")
    known = {key: run[key] for key in ("variant", *KEYS, "collapsed")}
    frame = history.assign(**known)[[*known, "epoch", *losses]]
    style.check_models(frame, record)
    return frame


def numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """The losses of all runs (which may be infinite or NaN), as `_read_run` has them, ordered.

    Adds best: whether the run's validation loss is lowest in this epoch.

    Raises:
        InputError: a run is given twice.
    """
    for _, row in runs[runs.duplicated([*KEYS, "epoch"])].iterrows():
        run = ", ".join(f"{key} {row[key]}" for key in KEYS)
        raise InputError(f"--history: the run of {run} is given twice")
    runs = style.sorted_rows(runs, [*KEYS, "epoch"])
    known = np.isfinite(runs["validation_loss"])
    losses = runs["validation_loss"].where(known, np.inf)
    first = losses.groupby([runs[key] for key in KEYS]).transform("idxmin")
    return runs.assign(best=(first == runs.index) & known)


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw a panel a loss, a colour a model."""
    losses = style.in_order(numbers["loss"], style.ORDERS["loss"])
    models = style.in_order(numbers["model"], style.MODELS)
    size = (style.COLUMN if len(losses) == 1 else style.PAGE, 1.85)
    figure = Figure(size, layout="constrained")
    grid = figure.subplots(1, len(losses), sharex=True, squeeze=False)[0]
    for loss, axes in zip(losses, grid, strict=True):
        for model in models:
            rows = numbers[(numbers["loss"] == loss) & (numbers["model"] == model)]
            _curves(axes, rows, style.COLOURS[model])
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set(title=style.LOSSES[loss], xlabel="epoch")
    grid[0].set_ylabel("loss")
    handles = [Line2D([], [], color=style.COLOURS[model], label=model) for model in models]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    about = (
        "Thick: mean over the epochs that every run reached, of training (dotted) and validation. "
        "Thin: validation of each run; dots: its best epoch."
    )
    fallen = style.collapsed(
        (f"{model} ({style.LOSSES[str(loss)]})", sum(runs["collapsed"]), len(runs))
        for (model, loss), runs in numbers.drop_duplicates(KEYS).groupby(["model", "loss"])
    )
    style.note(figure, [about, *fallen])
    return figure


def _curves(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    rows = rows.replace([np.inf, -np.inf], np.nan)
    runs = [run for _, run in rows.groupby(["fold", "seed"])]
    for run in runs:
        axes.plot(run["epoch"], run["validation_loss"], color=colour, linewidth=0.4, alpha=0.35)
    shortest = min((run["epoch"].max() for run in runs), default=0)
    means = rows[rows["epoch"] <= shortest].groupby("epoch").mean(numeric_only=True)
    dotted: Any = (0, (1, 1))
    axes.plot(means["train_loss"], color=colour, linewidth=1.2, linestyle=dotted)
    axes.plot(means["validation_loss"], color=colour, linewidth=1.2)
    best = rows[rows["best"]]
    axes.plot(best["epoch"], best["validation_loss"], "o", color=colour, markersize=2.5)
