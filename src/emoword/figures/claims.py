"""Draw the differences that the paper's claims are about, with their 95% intervals.

In: claims.csv and claim_parts.csv. Out: a panel a claim, a line a pair of models; the measures of a
claim (UA and WA, say) share a line, and are told apart by how the marker is filled. Colours are the
parts' verdicts. Shaded is the margin within which a claim counts models as equal. Claims about
words and counts have no differences and are not shown.

Example:
    emoword figure claims --claims claims.csv --parts claim_parts.csv \
        --pdf claims.pdf --png claims.png
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emoword.figures.style import COLOURS, FAINT, INK, TEXT_WIDTH, fitting, printable, wrapped
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.reproduction.claim_pages import in_points, measure_name
from emoword.reproduction.verdicts import CONTRADICTED, SUPPORTED, UNDECIDED

VERDICT_COLOURS = {SUPPORTED: COLOURS["M3"], CONTRADICTED: COLOURS["M2"], UNDECIDED: "#666666"}
FILLS = ("full", "none", "left", "right")
COLUMNS = ["claim", "place", "says", "kind", "verdict", "margin"]
NUMBERS = ["value", "low", "high"]

# inches
GAP = 0.25  # between the two columns of panels
NAMES = 1.12  # for the pairs' names, left of the axes
RIGHT = 0.14  # for half a tick label, right of the axes
LINE = 0.145  # a pair
TITLE = 0.125  # a line of a panel's title
AXIS = 0.36  # below a panel: tick labels and what the axis is
SPACE = 0.12  # between panels
TITLE_SIZE = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the inputs."""
    parser.add_argument("--claims", type=Path, required=True, help="claims.csv (in)")
    parser.add_argument("--parts", type=Path, required=True, help="claim_parts.csv (in)")


def numbers(arguments: argparse.Namespace) -> pd.DataFrame:
    """The parts that are differences, with their claim.

    Returns:
        Columns claim, place, says, margin (0 where there is none), what, measure, value, low,
        high, verdict (the part's).

    Raises:
        InputError: a part's claim is unknown.
    """
    claims = read_table(arguments.claims, COLUMNS, {"margin": float})
    names = ["claim", "what", "measure", *NUMBERS, "verdict"]
    parts = read_table(arguments.parts, names, dict.fromkeys(NUMBERS, float))
    unknown = set(parts["claim"]) - set(claims["claim"])
    if unknown:
        raise InputError(f"{arguments.parts}: {sorted(unknown)[0]} is not in {arguments.claims}")
    about = claims[["claim", "place", "says", "margin"]].fillna({"margin": 0.0})
    drawn = parts[parts["value"].notna()][names].merge(about, on="claim", how="left")
    return drawn[["claim", "place", "says", "margin", *names[1:]]]


def draw(numbers: pd.DataFrame, /) -> tuple[Figure, list[str]]:
    """Draw the panels in two columns of about the same height."""
    if numbers.empty:
        figure = Figure(figsize=(TEXT_WIDTH, 0.4))
        return figure, ["No claim about a difference could be evaluated for this dataset."]
    panels = [panel for _, panel in numbers.groupby("claim", sort=False)]
    width = (TEXT_WIDTH - GAP) / 2
    heights = [height_of(panel, width) for panel in panels]
    columns = in_two_columns(heights)
    tall = max(sum(heights[i] for i in column) for column in columns)
    figure = Figure(figsize=(TEXT_WIDTH, tall))
    for number, column in enumerate(columns):
        top = tall
        for index in column:
            draw_panel(figure, panels[index], number * (width + GAP), top, width)
            top -= heights[index]
    return figure, [
        "Colours: green, the part is supported; orange, contradicted; grey, undecided. "
        "Shaded: the margin of a claim that models are about equal, or no worse."
    ]


def in_two_columns(heights: list[float]) -> tuple[list[int], list[int]]:
    """The panels in their order, cut where the taller column is lowest."""
    cut = min(range(1, len(heights) + 1), key=lambda k: max(sum(heights[:k]), sum(heights[k:])))
    return list(range(cut)), list(range(cut, len(heights)))


def title_of(panel: pd.DataFrame, width: float) -> list[str]:
    """The claim, in lines."""
    place, says = panel[["place", "says"]].iloc[0]
    return wrapped(f"{printable(place)}: {printable(says, 300)}", 72 * width - 4, TITLE_SIZE)


def height_of(panel: pd.DataFrame, width: float) -> float:
    """How tall a panel is with its title and axis, in inches."""
    title = TITLE * len(title_of(panel, width))
    return title + 0.06 + LINE * panel["what"].nunique() + AXIS + SPACE


def draw_panel(figure: Figure, panel: pd.DataFrame, left: float, top: float, width: float) -> None:
    """Draw one claim; left, top and width in inches."""
    whole_width, whole_height = figure.get_size_inches()
    title = title_of(panel, width)
    pairs = list(dict.fromkeys(panel["what"]))
    measures = list(dict.fromkeys(panel["measure"]))
    scale = 100 if in_points(measures[0]) else 1
    bottom = top - TITLE * len(title) - LINE * len(pairs) - 0.06
    axes = figure.add_axes(
        (
            (left + NAMES) / whole_width,
            bottom / whole_height,
            (width - NAMES - RIGHT) / whole_width,
            LINE * len(pairs) / whole_height,
        )
    )
    axes.annotate(  # of the axes, which add_notes moves
        "\n".join(title),
        (0, 1),
        (-72 * NAMES + 2, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=TITLE_SIZE,
        va="bottom",
        linespacing=1.15,
    )
    margin = scale * panel["margin"].iloc[0]
    if margin:
        axes.axvspan(-margin, margin, color="#EEEEEE", zorder=0)
    axes.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
    spread = 0.42 / max(len(measures), 1)
    for row in panel.to_dict("records"):
        number = measures.index(row["measure"])
        y = pairs.index(row["what"]) + spread * (number - (len(measures) - 1) / 2)
        colour = VERDICT_COLOURS.get(row["verdict"], INK)
        axes.plot([scale * row["low"], scale * row["high"]], [y, y], color=colour, linewidth=0.9)
        axes.plot(
            scale * row["value"],
            y,
            "o",
            markersize=3,
            markeredgewidth=0.8,
            color=colour,
            fillstyle=FILLS[number % len(FILLS)],
            markerfacecoloralt="white",
        )
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    names = [fitting(pair.replace(" - ", " \N{EN DASH} "), 72 * NAMES - 6, 6.5) for pair in pairs]
    axes.set_yticks(range(len(pairs)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    longest = float(np.nanmax(np.abs(panel[NUMBERS].to_numpy(dtype=np.float64))))
    reach = 1.06 * max(margin, scale * longest, 1e-3)  # no difference at all is a line as well
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5, symmetric=True))
    unit = "percentage points" if scale == 100 else "cosine similarity"
    filled = ["\N{BLACK CIRCLE}", "\N{WHITE CIRCLE}", "\N{CIRCLE WITH LEFT HALF BLACK}"]
    names = [measure_name(measure).removesuffix(" cosine") for measure in measures]
    marks = [f"{mark} {name}" for mark, name in zip(filled, names, strict=False)]
    axes.set_xlabel(f"{unit}   {'   '.join(marks)}", labelpad=1.5)
