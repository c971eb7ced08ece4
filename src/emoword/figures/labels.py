"""Place texts beside their points so that no two overlap: greedy, deterministic, good enough."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emoword.figures.style import FAINT, printable, text_size

Floats = NDArray[np.float64]

# Right, left, above, below, then the diagonals and what is between: the order of preference.
ANGLES = np.deg2rad([0, 180, 90, 270, 30, 150, 330, 210, 60, 120, 300, 240])
DISTANCES = (3.0, 6.0, 10.0, 15.0, 21.0, 28.0, 36.0)
"""Gaps between point and text to try, in points."""
PADDING, CLEARANCE, FAR = 0.8, 1.5, 6.0
"""Kept clear around a text; how much nearer its own point is to be; beyond this it needs a line."""


def label_points(
    figure: Figure,
    axes: Axes,
    points: Floats,
    words: Sequence[str],
    fonts: Sequence[tuple[float, str]],
    lines: Floats,
) -> int:
    """Write words beside their points, clear of all points, of lines and of the lines' starts.

    Args:
        figure: the figure, all else drawn; its layout is made.
        axes: the axes to write in.
        points: the words' coordinates, [n, 2].
        words: [n], the first ones are placed first.
        fonts: size in points and weight of each word, [n].
        lines: from where, which has a mark, to where, [m, 2, 2].

    Returns:
        How many words found no room.
    """
    figure.draw_without_rendering()  # the layout decides where on the paper a coordinate lies
    scale = 72 / figure.dpi

    def on_paper(coordinates: Floats) -> Floats:
        transformed: Floats = axes.transData.transform(coordinates.reshape(-1, 2)) * scale
        return transformed

    dots, marks, ends = on_paper(points), on_paper(lines[:, 0]), on_paper(lines[:, 1])
    steps = np.linspace(0, 1, 60)[:, None, None]
    along = ((1 - steps) * marks + steps * ends).reshape(-1, 2)
    obstacles = [np.hstack([p - r, p + r]) for p, r in ((dots, 1.5), (marks, 3.5), (along, 0.3))]
    texts = [printable(word, 30) for word in words]
    # ascenders and descenders: 1.15 times the font's size, whatever letters a word has
    sizes = [(text_size(t, *font)[0], 1.15 * font[0]) for t, font in zip(texts, fonts, strict=True)]
    frame = [edge * scale for edge in axes.bbox.extents]
    places = place(dots, np.array(sizes), np.concatenate(obstacles), frame)
    line = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 1}
    for i, found in enumerate(places):
        if found is not None:
            axes.annotate(
                texts[i],
                (points[i, 0], points[i, 1]),
                (found.x - dots[i, 0], found.y - dots[i, 1]),
                textcoords="offset points",
                ha="center",
                va="center_baseline",
                fontsize=fonts[i][0],
                fontweight=fonts[i][1],
                arrowprops=line if found.leader else None,
                zorder=3,
            ).set_in_layout(False)
    return places.count(None)


class Place(NamedTuple):
    """Where a text goes: its centre, and whether it needs a line to its point to be clear."""

    x: float
    y: float
    leader: bool


def place(
    points: Floats, sizes: Floats, obstacles: Floats, frame: Sequence[float]
) -> list[Place | None]:
    """Find a place for each text, the first ones first.

    A place nearer to another point than to the text's own is taken only where there is no other.

    Args:
        points: what the texts belong to, [n, 2].
        sizes: width and height of the texts, [n, 2].
        obstacles: boxes to keep clear (x0, y0, x1, y1), [m, 4].
        frame: the box to stay in.

    Returns:
        A place for each text, None where there is none within the largest distance. All in one
        unit (printer's points) and one system of coordinates.
    """
    taken = [tuple(box) for box in obstacles]
    places: list[Place | None] = []
    for i, (point, size) in enumerate(zip(points, sizes, strict=True)):
        half = size / 2 + PADDING
        kept = np.array(taken).reshape(-1, 4)
        others = np.delete(points, i, axis=0)
        fallback = None
        found = None
        for centre in _candidates(point, half):
            box = *(centre - half), *(centre + half)
            if not _within(box, frame) or _overlaps(box, kept):
                continue
            own = _distances(box, point[None])[0]
            unclear = bool((_distances(box, others) < own + CLEARANCE).any())
            candidate = Place(float(centre[0]), float(centre[1]), unclear or own > FAR)
            if not unclear:
                found = candidate
                break
            fallback = fallback or candidate
        found = found or fallback
        places.append(found)
        if found:
            taken.append((*(found[:2] - half), *(found[:2] + half)))
    return places


def _candidates(point: Floats, half: Floats) -> Floats:
    """Centres of texts around a point, near ones first: [n, 2]."""
    directions = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    # a text touches its distance with the side or corner that faces the point
    side = np.where(np.abs(directions) < 1e-9, 0, np.sign(directions))
    return np.concatenate([point + side * half + directions * d for d in DISTANCES])


def _within(box: Sequence[float], frame: Sequence[float]) -> bool:
    return box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _overlaps(box: Sequence[float], others: Floats) -> bool:
    apart = (
        (box[2] <= others[:, 0])
        | (others[:, 2] <= box[0])
        | (box[3] <= others[:, 1])
        | (others[:, 3] <= box[1])
    )
    return not apart.all()


def _distances(box: Sequence[float], points: Floats) -> Floats:
    """From a box to each of ``points`` [n, 2]; 0 within."""
    low, high = np.array(box[:2]), np.array(box[2:])
    outside = np.maximum(np.maximum(low - points, points - high), 0)
    distances: Floats = np.hypot(outside[:, 0], outside[:, 1])
    return distances
