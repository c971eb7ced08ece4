"""Emotion words over the time of a recording: a picture of its windows."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoword.figures import style
from emoword.io.files import replacing

# Okabe and Ito's palette, told apart with any colour vision
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#333333", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", ":")


def draw_over_time(table: pd.DataFrame, words: Sequence[str], path: Path) -> None:
    """Draw the cosine similarity of each window's prediction with words, against time in seconds.

    Args:
        table: of ``emoword predict --window``: file, start, end, ``cosine WORD``.
        words: what is drawn, a point a window, at its middle; lines are broken where it is silent.
        path: .png or .pdf.
    """
    with style.house_style():
        figure = Figure((style.PAGE, 2.4), layout="constrained")
        axes = figure.subplots()
        for i, word in enumerate(words):
            axes.plot(
                (table["start"] + table["end"]) / 2,
                table[f"cosine {word}"],
                marker="o",
                markersize=2,
                linewidth=1.1,
                color=COLOURS[i % len(COLOURS)],
                linestyle=DASHES[i // len(COLOURS) % len(DASHES)],
                label=style.printable(word),
            )
        end = table["end"].iloc[-1]
        axes.set(xlabel="time (s)", ylabel="cosine similarity", xlim=(0, end))
        axes.xaxis.set_major_locator(MaxNLocator(10))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.axhline(0, color=style.PALE, linewidth=0.6, zorder=0)
        figure.legend(loc="outside upper center", ncols=min(len(words), 7))
        name = style.printable(table["file"][0])
        style.note(figure, [f"{name}: similarity of the prediction of each window."])
        kind = path.suffix[1:].lower()
        key = "CreationDate" if kind == "pdf" else "Software"
        with replacing(path) as made:
            figure.savefig(made, format=kind, metadata={key: None}, bbox_inches="tight")
