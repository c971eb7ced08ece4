"""Emotions never trained on, beside shuffled vectors and models trained on them."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emoword.figures import style
from emoword.io.files import read_table
from emoword.reproduction.unseen import LEARNED, NEVER, SHUFFLED

SHOWN = {NEVER: style.COLOURS["M1"], SHUFFLED: style.FAINT, LEARNED: style.COLOURS["M3"]}
MARKS = {NEVER: "o", SHUFFLED: "x", LEARNED: "s"}
METRICS = ("recall", "UA of the others", "harmonic mean")
LINE = 0.3  # inches an emotion


def figure_unseen(*, table: Path, out: style.Out) -> None:
    """Recall of emotions never trained on, UA of the others, and the harmonic mean of both.

    A panel a metric, of the first word-embedding model: never trained on, the same in shuffled
    vectors, trained on; with 95% intervals over speakers.

    Args:
        table: tableA5.csv.
        out: Where it goes.
    """
    names = [f"{metric}{end}" for metric in METRICS for end in ("", " low", " high")]
    rows = read_table(table, ["emotion", "how", "model", *names], dict.fromkeys(names, float))
    shown = (rows["model"] == rows["model"].iloc[0]) & rows["how"].isin(list(SHOWN))
    out.publish(draw, rows.loc[shown, ["emotion", "how", "model", *names]])


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw a panel a metric, a line an emotion."""
    emotions = list(dict.fromkeys(numbers["emotion"]))
    figure = Figure((style.PAGE, 0.7 + LINE * len(emotions)), layout="constrained")
    panels = figure.subplots(1, len(METRICS), sharex=True, sharey=True)
    for metric, axes in zip(METRICS, panels, strict=True):
        for place, (how, colour) in enumerate(SHOWN.items()):
            rows = numbers[numbers["how"] == how]
            y = [emotions.index(name) + 0.22 * (place - 1) for name in rows["emotion"]]
            values, low, high = (
                100 * rows[f"{metric}{end}"].to_numpy() for end in ("", " low", " high")
            )
            axes.hlines(y, np.clip(low, 0, 100), np.clip(high, 0, 100), colour, linewidth=0.8)
            look = {"color": colour, "marker": MARKS[how], "label": how}
            axes.plot(values, y, linestyle="none", markersize=3.5, **look)
        axes.set(xlim=(0, 100), xlabel=f"{metric} (%)")
    panels[0].set_yticks(
        range(len(emotions)), [style.fitting(n, 60, style.SMALL) for n in emotions]
    )
    panels[0].set_ylim(len(emotions) - 0.5, -0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    model = style.printable(str(numbers["model"].iloc[0]))
    style.note(figure, [f"{model}; decided among all classes; lines: 95% intervals over speakers."])
    return figure
