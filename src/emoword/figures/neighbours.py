"""The words nearest to each model's mean prediction of each emotion, as dots on a scale."""

from collections.abc import Container
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from emoword.figures import style
from emoword.io.errors import InputError
from emoword.schemas import DECISIONS, MODEL, NEAREST, NEIGHBOURS

LINE = 0.135  # inches: the height of a word's line
RUN = ["model", "fold", "seed", "utterance"]


def figure_neighbours(
    *,
    neighbours: Path,
    nearest: Path | None = None,
    decisions: Path | None = None,
    loss: str = "lc",
    words: style.Count = 5,
    out: style.Out,
) -> None:
    """Nearest words of the predictions, per model and emotion, with their cosine similarities.

    Args:
        neighbours: neighbours.csv; its `prediction` rows are shown.
        nearest: nearest.csv, the words near each prediction: for the share behind the dots.
        decisions: decisions.csv, which says of which emotion an utterance is; with nearest.
        loss: Of the models.
        words: Per model and emotion.
        out: Where it goes.
    """
    near = read_predictions(neighbours, loss, words)
    shares = None
    if nearest and decisions:
        true = style.of_loss(DECISIONS.read_text(decisions), decisions, loss)
        true = true.rename(columns={"true": "emotion"})
        names = [name for name in NEAREST.names if name.startswith("word ")][:words]
        listed = NEAREST.read(nearest, "of", *RUN[1:], *names).rename(columns={"of": "model"})
        shares = shares_of(listed[[*RUN, *names]], true)
    out.publish(draw, numbers(near, shares))


def read_predictions(path: Path, loss: str, words: int) -> pd.DataFrame:
    """The prediction rows of one loss in neighbours.csv, up to rank ``words``.

    Returns:
        Columns variant, model, loss, collapsed, emotion, rank (int), word, similarity (float; NaN
        where the mean prediction has no direction), by emotion, model and rank.

    Raises:
        InputError: the file is malformed, or has no such rows.
    """
    columns = [*MODEL, "collapsed", "name", "rank", "word", "similarity"]
    rows = NEIGHBOURS.read(path, "kind", *columns)
    rows = style.of_loss(rows[rows["kind"] == "prediction"], path, loss)  # of all seeds
    for i in rows.index[rows.duplicated(["model", "name", "rank"])]:
        raise InputError(f"{path}: line {i + 2}: a rank occurs twice")
    rows = rows.loc[rows["rank"] <= words, columns].rename(columns={"name": "emotion"})
    return style.sorted_rows(rows, ["emotion", "model", "rank"])


def shares_of(nearest: pd.DataFrame, true: pd.DataFrame) -> pd.Series:
    """The shares of an emotion's utterances that have a word among the nearest to their prediction.

    ``nearest`` has RUN and a column of words a rank, ``true`` RUN and emotion; the shares are over
    folds and seeds, by model, emotion and word.
    """
    rows = true[[*RUN, "emotion"]].merge(nearest, on=RUN)
    words = rows.melt([*RUN, "emotion"], value_name="word")
    counts = words.groupby(["model", "emotion", "word"]).size()
    return (counts / rows.groupby(["model", "emotion"]).size()).round(6)


def numbers(near: pd.DataFrame, shares: pd.Series | None = None) -> pd.DataFrame:
    """The rows of ``read_predictions`` with share, as of ``shares_of`` (NaN without it)."""
    keys = pd.MultiIndex.from_frame(near[["model", "emotion", "word"]])
    share = np.nan if shares is None else shares.reindex(keys, fill_value=0.0).to_numpy()
    return near.assign(share=share)


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw a row an emotion and a column a model; the scale begins where the data do."""
    models = style.in_order(numbers["model"], style.MODELS)
    emotions = list(dict.fromkeys(numbers["emotion"]))
    words = int(numbers["rank"].max())
    low = lowest(numbers)
    width = style.COLUMN if len(models) == 1 else style.PAGE
    layout = ConstrainedLayoutEngine(h_pad=0.03, w_pad=0.03)
    figure = Figure((width, 0.7 + len(emotions) * (words * LINE + 0.12)), layout=layout)
    grid = figure.subplots(len(emotions), len(models), sharex=True, squeeze=False)
    shares = bool(numbers["share"].notna().any())
    for (i, j), axes in np.ndenumerate(grid):
        rows = numbers[(numbers["emotion"] == emotions[i]) & (numbers["model"] == models[j])]
        known = rows.dropna(subset="similarity")
        whole = axes.get_yaxis_transform()  # the shares have the panel's width as their scale
        axes.barh(known["rank"], known["share"].fillna(0), 0.8, color=style.PALE, transform=whole)
        panel(axes, known, {emotions[i]}, style.COLOURS[models[j]])
        axes.set(xlim=(low, 1), ylim=(words + 0.6, 0.4))
    for model, axes in zip(models, grid[0], strict=True):
        axes.set_title(model, color=style.COLOURS[model], fontweight="bold")
        if shares:
            upper = axes.secondary_xaxis("top")
            upper.set_xticks([low, (1 + low) / 2, 1], ["0", "50", "100%"])
            upper.tick_params(length=0, pad=1)
    for emotion, axes in zip(emotions, grid[:, 0], strict=True):
        axes.set_ylabel(style.fitting(emotion, 72 * words * LINE, style.TEXT))
    for axes in grid[-1]:
        axes.set_xlabel("cosine similarity")
    figure.align_ylabels()
    fallen = numbers[numbers["collapsed"] != ""].drop_duplicates("model")
    runs = ", ".join(fallen["model"] + " " + fallen["collapsed"])
    behind = (
        "Dots: similarity to the mean prediction. Grey, upper scale: share of the emotion's "
        f"utterances with the word among the {words} nearest to their own prediction."
    )
    notes = [behind] * shares + style.absent(models, style.MODELS[:3])
    what = "predicting hardly more than one vector or never one of the classes"
    notes += [f"Collapsed, {what}: {runs}."] * bool(runs)
    style.note(figure, notes)
    return figure


def lowest(numbers: pd.DataFrame) -> float:
    """Where the scale of similarities begins: a tenth below all of them."""
    return float(np.floor(10 * np.nanmin([1, *numbers["similarity"]]) - 0.2) / 10)


def panel(axes: Axes, rows: pd.DataFrame, bold: Container[str], colour: str) -> None:
    """Draw words (rank, word, similarity) as dots, some in bold."""
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=style.PALE, linewidth=0.5)
    axes.plot(rows["similarity"], rows["rank"], "o", color=colour, markersize=4, clip_on=False)
    weights = ["bold" if word in bold else "normal" for word in rows["word"]]
    words = zip(rows["word"], weights, strict=True)
    axes.set_yticks(rows["rank"], [style.fitting(w, 56, style.SMALL, heavy) for w, heavy in words])
    for label, weight in zip(axes.get_yticklabels(), weights, strict=True):
        label.set_fontweight(weight)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if rows.empty:
        axes.text(0.5, 0.5, "no predictions", transform=axes.transAxes, ha="center")
