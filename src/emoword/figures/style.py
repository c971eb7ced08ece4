"""What the figures share: sizes, fonts, colours, text that may be anything, saving.

Widths are those of a two-column paper (80 and 170 mm), so that 7 points stay 7 in print.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

from emoword.io.errors import InputError
from emoword.io.files import replacing

COLUMN_WIDTH = 3.15
TEXT_WIDTH = 6.69
"""Inches: one column and both."""

MODELS = ("M1", "M2", "M3", "baseline")
# Okabe and Ito's palette, told apart with any colour vision
COLOURS = {"M1": "#0072B2", "M2": "#D55E00", "M3": "#009E73", "baseline": "#333333"}
MARKERS = {"M1": "o", "M2": "s", "M3": "^", "baseline": "D"}

LOSSES = {
    "mse": "MSE",
    "mae": "MAE",
    "lc": "log-cosh",
    "cosine": "cosine",
    "soft": "soft labels",
    "triplet": "triplets",
    "ce": "cross entropy",
}

# The order of the paper; labels of other corpora follow in alphabetical order.
EMOTIONS = ("anger", "happiness", "excitement", "sadness", "neutral", "frustration")

INK = "#222222"
FAINT = "#8A8A8A"
SMALL_PRINT = "#555555"
NOTE_SIZE = 6.5
ACCENTS = "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f"

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a word may hold `$`
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType: text in the PDF can be searched and edited
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in our style whatever the user's matplotlibrc says; for drawing and saving."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


def in_order(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """The distinct ``names``: those in ``known`` in its order, then the others alphabetically."""
    given = set(names)
    return [name for name in known if name in given] + sorted(given.difference(known))


def sorted_rows(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The rows in the order of some columns, models, losses and emotions in ours."""
    known = {"model": MODELS, "loss": tuple(LOSSES), "emotion": EMOTIONS}

    def key(column: pd.Series) -> pd.Series:
        if column.name not in known:
            return column
        return column.map(in_order(column, known[str(column.name)]).index)

    return frame.sort_values(list(by), key=key, kind="stable", ignore_index=True)


def check_models(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a table with a model or loss that has no colour, line style or name here.

    Raises:
        InputError: with the first unknown name.
    """
    for column, known in (("model", MODELS), ("loss", tuple(LOSSES))):
        for name in frame[column].unique():
            if name not in known:
                raise InputError(f"{path}: unknown {column} {name!r}; known: {', '.join(known)}")


def of_variant(frame: pd.DataFrame, path: Path, variant: str | None) -> pd.DataFrame:
    """The rows of one variant; None means the only one that there is.

    Raises:
        InputError: there is none, or several to choose from; the message names them.
    """
    found = sorted(frame["variant"].unique())
    if not found:
        raise InputError(f"{path}: has no rows to draw")
    if variant is None and len(found) == 1:
        return frame
    if variant not in found:
        what = "has several variants" if variant is None else f"no variant {variant!r}"
        raise InputError(f"{path}: {what}; choose with --variant one of: {', '.join(found)}")
    return frame[frame["variant"] == variant]


@cache
def _shown(character: str) -> bool:
    # C: control, format (such as bidirectional overrides), private, unassigned; Zl, Zp: line ends
    category = unicodedata.category(character)
    font = get_font(findfont(FontProperties(family=str(STYLE["font.family"]))))
    return (
        category[0] != "C"
        and category not in ("Zl", "Zp")
        and bool(font.get_char_index(ord(character)))
    )


def printable(text: str, longest: int = 60) -> str:
    """``text`` on one line, with a box for what cannot be drawn, cut at ``longest`` characters."""
    # a pile of accents would reach into other lines: two are kept on each letter
    text = re.sub(f"([{ACCENTS}]{{2}})[{ACCENTS}]+", r"\1", text[: 10 * longest])
    shown = "".join(c if _shown(c) else "□" for c in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def text_size(text: str, size: float, weight: str = "normal") -> tuple[float, float]:
    """Width and height of one line of text in points, at a font size in points."""
    font = FontProperties(family=str(STYLE["font.family"]), size=size, weight=weight)
    width, height, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return width, height


def fitting(text: str, width: float, size: float, weight: str = "normal") -> str:
    """``printable(text)``, cut with an ellipsis so that it is no wider than ``width`` points."""
    whole = shown = printable(text)
    length = len(whole)
    while length and text_size(shown, size, weight)[0] > width:
        length -= 1
        shown = whole[:length] + "…"
    return shown


def add_notes(figure: Figure, notes: Sequence[str], title_note: str = "") -> None:
    """Add small print below the figure (one line a note, wrapped) and, in italics, above it.

    The layout is made once, and the figure grows by what the lines need: nothing drawn moves.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    width, inner = figure.get_size_inches()
    above = wrapped(title_note, width * 72 - 8, NOTE_SIZE)
    below = [line for note in notes for line in wrapped(note, width * 72 - 8, NOTE_SIZE)]
    # a line is 1.2 times its font, and the small print keeps off what is drawn
    top, bottom = (
        (len(lines) * NOTE_SIZE * 1.2 + 6 * bool(lines)) / 72 for lines in (above, below)
    )
    height = inner + top + bottom
    figure.set_figheight(height)
    for axes in figure.axes:
        box = axes.get_position(original=True)
        low, high = ((bottom + y * inner) / height for y in (box.y0, box.y1))
        axes.set_position((box.x0, low, box.width, high - low))
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0, bottom / height, 1, inner / height), figure.transFigure)
    style: dict[str, Any] = {"fontsize": NOTE_SIZE, "color": SMALL_PRINT}
    edge = 0.03 / height
    figure.text(0.5, 1 - edge, "\n".join(above), style="italic", ha="center", va="top", **style)
    figure.text(4 / 72 / width, edge, "\n".join(below), va="bottom", **style)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """``printable(text)`` in lines no wider than ``width`` points; words that are wider are cut."""
    lines: list[str] = []
    for word in printable(text, 600).split():
        word = fitting(word, width, size)
        if lines and text_size(f"{lines[-1]} {word}", size)[0] <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def absent(models: Iterable[str], expected: Sequence[str] = MODELS) -> list[str]:
    """A note that names the ``expected`` models that are not among ``models``; none, no note."""
    missing = [name for name in expected if name not in set(models)]
    return [f"Not in the input, so not shown: {', '.join(missing)}."] if missing else []


def save(figure: Figure, pdf: Path, png: Path) -> None:
    """Write the figure as PDF and as PNG, the same bytes for the same figure."""
    with replacing(pdf) as made:
        figure.savefig(made, format="pdf", metadata={"CreationDate": None})
    with replacing(png) as made:
        figure.savefig(made, format="png", metadata={"Software": None})
