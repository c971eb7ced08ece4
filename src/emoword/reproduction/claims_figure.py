"""The differences that the paper's claims are about, with their 95% intervals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emoword.figures import style
from emoword.figures.style import COLOURS, FAINT, INK, PAGE, PALE, SMALL, TEXT
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.reproduction.claim_pages import in_points, measure_name
from emoword.reproduction.verdicts import CONTRADICTED, SUPPORTED, UNDECIDED

VERDICT_COLOURS = {SUPPORTED: COLOURS["M3"], CONTRADICTED: COLOURS["M2"], UNDECIDED: "#666666"}
FILLS = ("full", "none", "left", "right")
MARKS = "●○◐◑"
NUMBERS = ["value", "low", "high"]

# inches
GAP = 0.15  # between the two columns of panels
WIDTH = (PAGE - GAP) / 2
NAMES = 0.76  # for the models' names, on each side of the axes
LINE, AXIS, SPACE = 0.14, 0.32, 0.1  # a pair; below a panel, for the axis; between panels


def figure_claims(*, claims: Path, parts: Path, out: style.Out) -> None:
    """The differences that the paper's claims are about, with their 95% intervals.

    A panel a claim, a line a pair of models: the point lies on the side of the model that is
    better. Claims about words and counts have no differences and are not shown.

    Args:
        claims: claims.csv.
        parts: claim_parts.csv.
        out: Where it goes.
    """
    names = ["claim", "place", "says", "margin"]
    about = read_table(claims, names, {"margin": float})[names].fillna({"margin": 0.0})
    names = ["claim", "what", "measure", *NUMBERS, "verdict"]
    found = read_table(parts, names, dict.fromkeys(NUMBERS, float))[names]
    unknown = set(found["claim"]) - set(about["claim"])
    if unknown:
        raise InputError(f"{parts}: {min(unknown)} is not in {claims}")
    out.publish(draw, about.merge(found[found["value"].notna()], on="claim"))


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw the panels in two columns of about the same height."""
    if numbers.empty:
        figure = Figure(figsize=(PAGE, 0.2))
        style.note(figure, ["No claim about a difference could be evaluated for this dataset."])
        return figure
    panels = [panel for _, panel in numbers.groupby("claim", sort=False)]
    lines = [len(title_of(panel)) + panel["what"].nunique() for panel in panels]
    heights = LINE * np.array(lines) + AXIS + SPACE
    # cut where the taller column is lowest
    cuts = range(1, len(panels) + 1)
    cut = min(cuts, key=lambda k: max(heights[:k].sum(), heights[k:].sum()))
    tall = float(max(heights[:cut].sum(), heights[cut:].sum()))
    figure = Figure(figsize=(PAGE, tall))
    for i, panel in enumerate(panels):
        second = i >= cut
        above = heights[cut * second : i].sum()
        draw_panel(figure, panel, second * (WIDTH + GAP), tall - above)
    about = (
        "A point lies on the side of the model that is better. Green: this part of the claim is "
        "supported; orange: contradicted; grey: undecided; black: not judged. Shaded: the margin "
        "of a claim that models are about equal, or no worse."
    )
    style.note(figure, [about])
    return figure


def title_of(panel: pd.DataFrame) -> list[str]:
    """The claim, in lines."""
    place, says = panel[["place", "says"]].iloc[0]
    return style.wrapped(f"{place}: {says}", 72 * WIDTH - 6, TEXT)


def draw_panel(figure: Figure, panel: pd.DataFrame, left: float, top: float) -> None:
    """Draw one claim; left and top in inches."""
    title = title_of(panel)
    pairs = list(dict.fromkeys(panel["what"]))
    measures = list(dict.fromkeys(panel["measure"]))
    top -= LINE * len(title)
    box = np.array([left + NAMES, top - LINE * len(pairs), WIDTH - 2 * NAMES, LINE * len(pairs)])
    axes = figure.add_axes(tuple(box / np.tile(figure.get_size_inches(), 2)))
    in_inches: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate("\n".join(title), (0, 1), (2 - 72 * NAMES, 1), linespacing=1.1, **in_inches)
    scale = 100 if in_points(measures[0]) else 1
    margin = scale * panel["margin"].iloc[0]
    axes.axvspan(-margin, margin, color=PALE, linewidth=0, zorder=0)
    axes.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
    for row in panel.to_dict("records"):
        number = measures.index(row["measure"])
        y = pairs.index(row["what"]) + 0.42 * ((number + 0.5) / len(measures) - 0.5)
        look: Any = {"color": VERDICT_COLOURS.get(row["verdict"], INK), "linewidth": 0.8}
        axes.plot([scale * row["low"], scale * row["high"]], [y, y], **look)
        fill: Any = {"fillstyle": FILLS[number % len(FILLS)], "markerfacecoloralt": "white"}
        axes.plot(scale * row["value"], y, "o", markersize=3, markeredgewidth=0.7, **look, **fill)
    longest = float(np.nanmax(np.abs(panel[NUMBERS].to_numpy(dtype=np.float64))))
    reach = 1.06 * max(margin, scale * longest, 1e-3)  # no difference at all is a line as well
    axes.set(xlim=(-reach, reach), ylim=(len(pairs) - 0.5, -0.5))
    axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    name_sides(axes, pairs)
    marks = [f"{MARKS[i % len(MARKS)]} {measure_name(m)}" for i, m in enumerate(measures)]
    unit = "percentage points" if scale == 100 else "cosine similarity"
    shown = "   ".join(marks).replace(" cosine", "")
    axes.set_xlabel(f"{unit}   {shown}", labelpad=1, fontsize=SMALL)


def name_sides(axes: Axes, pairs: list[str]) -> None:
    """Write each pair's models (`first - second`) on the sides on which they are better."""
    # first minus second is positive, to the right, where the first is better
    split = [pair.rpartition(" - ") for pair in pairs]
    for axis, side in ((axes, 2), (axes.secondary_yaxis("right"), 0)):
        shown = [style.fitting(names[side], 72 * NAMES - 6, SMALL) for names in split]
        axis.set_yticks(range(len(pairs)), shown)
        axis.tick_params(axis="y", length=0, pad=2)
        axis.spines[:].set_visible(False)
    axes.spines["bottom"].set_visible(True)
