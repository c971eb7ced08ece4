"""What the figures share: widths, fonts, colours, orders, text that may be anything, saving.

A figure is as wide as one column of a paper (8 cm) or as both (17 cm) and as high as it needs to
be; its text is 8 points, its small print 7, in a typeface like the Times of the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import matplotlib.style
import numpy as np
import pandas as pd
from cyclopts import Parameter
from cyclopts.validators import Number
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import replacing, write_table

COLUMN, PAGE = 8 / 2.54, 17 / 2.54  # inches
TEXT, SMALL = 8, 7  # points
NOTE = 12 / 72  # inches above a figure with a title note: the report, which says it once, cuts it
MODELS = ("M1", "M2", "M3", "baseline")
# Okabe and Ito's palette, told apart with any colour vision
COLOURS = {"M1": "#0072B2", "M2": "#D55E00", "M3": "#009E73", "baseline": "#333333"}
LOSSES = {"mse": "MSE", "mae": "MAE", "lc": "log-cosh", "cosine": "cosine", "soft": "soft labels"}
LOSSES |= {"soft_words": "soft labels over all words", "co_occurrence": "co-occurrence"}
LOSSES |= {"dirichlet": "Dirichlet prior", "triplet": "triplets", "ce": "cross entropy"}
# the order of the paper's Table 5; labels of other corpora follow in alphabetical order
EMOTIONS = ("anger", "neutral", "happiness", "excitement", "sadness", "frustration")
ORDERS: dict[Any, Sequence[str]] = {"model": MODELS, "loss": list(LOSSES), "emotion": EMOTIONS}

INK, FAINT, PALE = "#222222", "#777777", "#E4E4E4"
ACCENTS = "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f"
# both come with matplotlib; the second has what the first lacks, such as Hebrew
FAMILY = ["STIXGeneral", "DejaVu Sans"]
STYLE: dict[str, Any] = {
    "font.family": FAMILY,
    "font.size": TEXT,
    **dict.fromkeys(("axes.titlesize", "axes.labelsize", "legend.fontsize"), TEXT),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), SMALL),
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), FAINT),
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6),
    **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 2.5),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    **dict.fromkeys(("figure.dpi", "savefig.dpi"), 200),
    **{"legend.handlelength": 1.5, "legend.columnspacing": 1.2, "legend.borderaxespad": 0.2},
    "text.hinting": "none",  # letters as wide on a screen as in print
    "text.parse_math": False,  # a word may hold `$`
    "pdf.fonttype": 42,  # TrueType: text in the PDF can be searched and edited
}


def house_style() -> AbstractContextManager[None]:
    """Draw in our style whatever the user's matplotlibrc says; for drawing and saving."""
    return matplotlib.style.context(["default", STYLE])


def in_order(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """The distinct ``names``: those in ``known`` in its order, then the others alphabetically."""
    given = set(names)
    return [name for name in known if name in given] + sorted(given.difference(known))


def sorted_rows(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The rows in the order of some columns; models, losses and emotions in ours."""

    def key(cells: pd.Series) -> pd.Series:
        known = ORDERS.get(cells.name)
        return cells if known is None else cells.map(in_order(cells, known).index)

    return frame.sort_values(list(by), key=key, kind="stable", ignore_index=True)


def check_models(frame: pd.DataFrame, path: Path) -> None:
    """Raise an InputError for a model or loss that has no colour or name here."""
    for column in ("model", "loss"):
        for name in set(frame[column]).difference(ORDERS[column]):
            known = ", ".join(ORDERS[column])
            raise InputError(f"{path}: unknown {column} {name!r}; known: {known}")


def of_loss(frame: pd.DataFrame, path: Path, loss: str) -> pd.DataFrame:
    """The rows of models with one loss (the baseline's is cross entropy), of one variant.

    Raises:
        InputError: there are no such rows, or those of several variants.
    """
    frame = frame[frame["model"] != ""]
    check_models(frame, path)
    frame = frame[frame["loss"] == frame["model"].map({"baseline": "ce"}).fillna(loss)]
    if frame.empty:
        raise InputError(f"{path}: no rows of models with loss {loss!r}")
    if frame["variant"].nunique() > 1:
        raise InputError(f"{path}: several variants: {', '.join(frame['variant'].unique())}")
    return frame


def absent(models: Iterable[str], expected: Sequence[str] = MODELS) -> list[str]:
    """A note that names the ``expected`` models that are not among ``models``; none, no note."""
    missing = ", ".join(name for name in expected if name not in set(models))
    return [f"Not in the input, so not shown: {missing}."] * bool(missing)


def collapsed(runs: Iterable[tuple[str, int, int]]) -> list[str]:
    """A note on collapsed runs, if there are any; ``runs``: model, how many, of how many."""
    fallen = ", ".join(f"{model} {count} of {whole}" for model, count, whole in runs if count)
    return [f"Collapsed runs: {fallen}."] * bool(fallen)


def finish_grid(grid: NDArray[np.object_], count: int, label: str) -> None:
    """Keep the first ``count`` panels of a grid, and name the scale below the lowest of them."""
    for axes in grid.flat[count:]:
        axes.remove()
    for axes in grid.flat[max(0, count - grid.shape[1]) : count]:
        axes.set_xlabel(label)
        axes.tick_params(labelbottom=True)


@cache
def _shown(character: str) -> bool:
    # C: control, format (such as bidirectional overrides), private, unassigned; Zl, Zp: line ends
    category = unicodedata.category(character)
    fonts = (get_font(findfont(FontProperties(family=family))) for family in FAMILY)
    known = any(font.get_char_index(ord(character)) for font in fonts)
    return known and category[0] != "C" and category not in ("Zl", "Zp")


def printable(text: str, longest: int = 60) -> str:
    """``text`` on one line, with a box for what cannot be drawn, cut at ``longest`` characters."""
    # a pile of accents would reach into other lines: two are kept on each letter
    text = re.sub(f"([{ACCENTS}]{{2}})[{ACCENTS}]+", r"\1", text[: 10 * longest])
    shown = "".join(c if _shown(c) else "□" for c in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line of text in points, at a font size in points."""
    font = FontProperties(family=FAMILY, size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def fitting(text: str, width: float, size: float, weight: str = "normal") -> str:
    """``printable(text)``, cut with an ellipsis so that it is no wider than ``width`` points."""
    whole = shown = printable(text)
    length = len(whole)
    while length and text_width(shown, size, weight) > width:
        length -= 1
        shown = whole[:length] + "…"
    return shown


def wrapped(text: str, width: float, size: float) -> list[str]:
    """``printable(text)`` in lines no wider than ``width`` points; words that are wider are cut."""
    lines: list[str] = []
    for word in (fitting(word, width, size) for word in printable(text, 600).split()):
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def note(figure: Figure, notes: Iterable[str], y: float = -0.01, **style: Any) -> None:
    """Write small print below a figure, each note on lines of its own; ``publish`` makes room."""
    lines = [
        line for each in notes for line in wrapped(each, 72 * figure.get_figwidth() - 8, SMALL)
    ]
    style = {"x": 0.01, "va": "top", "fontsize": SMALL, "color": FAINT, **style}
    figure.text(y=y, s="\n".join(lines), **style)


@dataclass(frozen=True)
class Output:
    """Where a figure goes.

    Attributes:
        pdf: The figure, as vectors (out).
        png: The figure, as an image (out).
        data: The numbers that it shows, as CSV (out).
        title_note: Printed above it, such as "synthetic speech".
    """

    pdf: Path
    png: Path
    data: Path | None = None
    title_note: str = ""

    def without_note(self) -> "Output":
        """The same, of a figure that is not about speech."""
        return replace(self, title_note="")

    def publish(self, draw: Callable[[pd.DataFrame], Figure], numbers: pd.DataFrame) -> None:
        """Draw ``numbers`` and write the files: same numbers, same bytes.

        The page is as wide as the figure, and as high as what is drawn, notes above and below
        included. Nothing is written unless all of it could be drawn.
        """
        with house_style():
            figure = draw(numbers)
            note(figure, [self.title_note], 1, x=0.5, ha="center", va="bottom", style="italic")
            figure.draw_without_rendering()
            # the layout is made: nothing moves when the page becomes higher than the figure
            figure.set_layout_engine("none")
            for legend in figure.legends:
                legend.set_bbox_to_anchor((0, 0, 1, 1), figure.transFigure)
            (width, height), box = figure.get_size_inches(), figure.get_tightbbox()
            top = height + NOTE if self.title_note else max(height, box.y1 + 0.03)
            page = Bbox.from_extents(0, min(0, box.y0 - 0.03), width, top)
            for path, kind, key in (
                (self.pdf, "pdf", "CreationDate"),
                (self.png, "png", "Software"),
            ):
                with replacing(path) as made:
                    figure.savefig(made, format=kind, metadata={key: None}, bbox_inches=page)
        if self.data:
            write_table(numbers, self.data)


# of the commands: each field of Output is an option
Out = Annotated[Output, Parameter(name="*")]
Count = Annotated[int, Parameter(validator=Number(gte=1))]
