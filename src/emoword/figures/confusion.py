"""One confusion matrix a model, with the recalls and their mean, pooled over folds and seeds."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emoword.figures import style
from emoword.schemas import DECISIONS, MODEL

# inches: the smallest side of a cell that holds its number, the largest, and room for the labels
CELL, LARGEST, MARGIN = 0.2, 0.36, 0.85


def figure_confusion(*, decisions: Path, loss: str = "lc", out: style.Out) -> None:
    """Confusion matrices of the models: what was decided for each true label, in per cent.

    Args:
        decisions: decisions.csv.
        loss: Of M1 to M3; the baseline's is ce.
        out: Where it goes.
    """
    rows = DECISIONS.read(decisions)
    out.publish(draw, numbers(style.of_loss(rows, decisions, loss)))


def numbers(decisions: pd.DataFrame) -> pd.DataFrame:
    """Count true and predicted labels per model, pooled over folds and seeds, of one variant.

    Returns:
        Columns variant, model, loss, runs, collapsed (how many of the runs), true, predicted,
        count, share (of the true label's row, on the diagonal its recall; NaN where it has no
        utterance). All pairs of labels, also those never seen.
    """
    labels = style.in_order([*decisions["true"], *decisions["predicted"]], style.EMOTIONS)
    pairs = pd.MultiIndex.from_product([labels, labels], names=["true", "predicted"])
    tables = []
    for model in style.in_order(decisions["model"], style.MODELS):
        rows = decisions[decisions["model"] == model]
        counts = rows.groupby(["true", "predicted"]).size().reindex(pairs, fill_value=0)
        totals = counts.groupby("true").transform("sum")
        table = pd.DataFrame({"count": counts, "share": (counts / totals).round(6)}).reset_index()
        runs = rows.drop_duplicates(["fold", "seed"])
        keys = {**rows[MODEL].iloc[0], "runs": len(runs), "collapsed": runs["collapsed"].sum()}
        tables.append(table.assign(**keys)[[*keys, *table.columns]])
    return pd.concat(tables, ignore_index=True)


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw a matrix a model, in rows as wide as the page."""
    models = list(dict.fromkeys(numbers["model"]))
    labels = list(dict.fromkeys(numbers["true"]))
    size = len(labels)
    narrow = len(models) * size * LARGEST + MARGIN < style.COLUMN
    width = style.COLUMN if narrow else style.PAGE
    columns = min(len(models), max(1, int((width - MARGIN) / (size * CELL + 0.1))))
    cell = min(LARGEST, (width - MARGIN - 0.1 * columns) / columns / size)
    rows = math.ceil(len(models) / columns)
    figure = Figure((width, rows * (size * cell + 0.4) + MARGIN - 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, model in zip(grid.flat, models, strict=False):
        own = numbers[numbers["model"] == model].pivot(index="true", columns="predicted")
        shares = own["share"].loc[labels, labels]
        _matrix(axes, shares)
        title = f"{model}: UA {100 * np.nanmean(np.diag(shares)):.1f}"
        axes.set_title(title, color=style.COLOURS[model], fontweight="bold")
    for axes in grid[:, 0]:
        axes.set_ylabel("true label")
    style.finish_grid(grid, len(models), "predicted label")
    totals = sorted(set(numbers.groupby("model")["count"].sum()))
    about = (
        "Per cent of the true label's utterances, all folds and seeds together "
        f"({' or '.join(map(str, totals))} a model); on the diagonal the recall, whose mean is UA. "
        "Tables have the mean over folds."
    )
    runs = numbers.drop_duplicates("model")[["model", "collapsed", "runs"]]
    fallen = style.collapsed(runs.itertuples(index=False, name=None))
    said = numbers[numbers["count"] > 0].groupby("model", sort=False)["predicted"].unique()
    same = [
        f"{model} predicts {style.printable(answers[0], 30)} for every utterance."
        for model, answers in said.items()
        if len(answers) == 1
    ]
    style.note(figure, [about, *style.absent(models), *fallen, *same])
    return figure


def _matrix(axes: Axes, shares: pd.DataFrame) -> None:
    places, edges = range(len(shares)), np.arange(len(shares) + 1) - 0.5
    # not an image, whose pixels would not be vectors
    axes.pcolormesh(edges, edges, shares.fillna(0), cmap="Purples", vmin=0, vmax=1, edgecolor="w")
    axes.set_ylim(len(shares) - 0.5, -0.5)
    shown = [style.fitting(str(label), 48, style.SMALL) for label in shares]
    axes.set_xticks(places, shown, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, shown)
    axes.tick_params(length=0, pad=1)
    axes.spines[:].set_visible(False)
    for (i, j), share in np.ndenumerate(shares.to_numpy(float)):
        colour, weight = "white" if share > 0.6 else style.INK, "bold" if i == j else "normal"
        text = "\N{EN DASH}" if np.isnan(share) else f"{100 * share:.0f}"
        axes.text(j, i, text, ha="center", va="center", color=colour, fontweight=weight)
