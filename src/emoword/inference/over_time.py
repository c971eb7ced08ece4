"""Emotion words over the time of a recording: a picture of its windows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoword.figures import style
from emoword.io.files import replacing

# Okabe and Ito's palette, told apart with any colour vision
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#333333", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", ":")


def draw_over_time(rows: Sequence[Mapping[str, str]], words: Sequence[str], path: Path) -> None:
    """Draw the cosine similarity of each window's prediction with words, against time in seconds.

    Args:
        rows: the rows of ``emoword predict --window``: start, end, ``cosine WORD``.
        words: what is drawn; lines are broken where a window is silent.
        path: .png or .pdf.
    """
    with style.house_style():
        figure = draw(rows, words)
        key = "CreationDate" if path.suffix.lower() == ".pdf" else "Software"
        with replacing(path) as made:
            figure.savefig(
                made, format=path.suffix[1:].lower(), metadata={key: None}, bbox_inches="tight"
            )


def draw(rows: Sequence[Mapping[str, str]], words: Sequence[str]) -> Figure:
    """A line a word, a point a window, at its middle."""
    figure = Figure((style.PAGE, 2.4), layout="constrained")
    axes = figure.subplots()
    middle = np.array([(float(row["start"]) + float(row["end"])) / 2 for row in rows])
    for i, word in enumerate(words):
        similarity = [float(row[f"cosine {word}"] or "nan") for row in rows]
        axes.plot(
            middle,
            similarity,
            marker="o",
            markersize=2,
            linewidth=1.1,
            color=COLOURS[i % len(COLOURS)],
            linestyle=DASHES[i // len(COLOURS) % len(DASHES)],
            label=style.printable(word),
        )
    axes.set(xlabel="time (s)", ylabel="cosine similarity", xlim=(0, float(rows[-1]["end"])))
    axes.xaxis.set_major_locator(MaxNLocator(10))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.axhline(0, color=style.PALE, linewidth=0.6, zorder=0)
    figure.legend(loc="outside upper center", ncols=min(len(words), 7))
    about = f"{style.printable(rows[0]['file'])}: similarity of the prediction of each window."
    style.note(figure, [about])
    return figure
