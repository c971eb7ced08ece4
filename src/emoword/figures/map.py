r"""Draw a 2-D map of the word space: label words, their neighbours, each model's mean predictions.

In: neighbours.csv, means.csv, a word space. Out: the figure, and with --data the coordinates.
The vectors of the words drawn are scaled to length one, so that near means similar, and projected
on their first two principal components; the mean predictions, scaled likewise, go through the same
projection. A line leads from each mean prediction to the word of its emotion.

Example:
    emoword figure map --neighbours neighbours.csv --means means.csv --space results/spaces/glove \
        --pdf map.pdf --png map.png
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from emoword.figures.labels import label_points
from emoword.figures.neighbours import predictions
from emoword.figures.style import (
    COLOURS,
    EMOTIONS,
    FAINT,
    INK,
    MARKERS,
    MODELS,
    TEXT_WIDTH,
    absent,
    check_models,
    in_order,
    of_variant,
    printable,
    sorted_rows,
)
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.spaces.geometry import unit
from emoword.spaces.word_space import WordSpace

Floats = NDArray[np.float64]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the inputs."""
    add = parser.add_argument
    add("--neighbours", type=Path, required=True, help="neighbours.csv (in)")
    add("--means", type=Path, required=True, help="means.csv: mean predicted vectors (in)")
    add("--space", type=Path, required=True, help="folder of the word space (in)")
    add("--variant", help="the variant to show (default: the only one)")
    add("--loss", default="lc", help="the loss to show (default: lc)")
    add("--words", type=int, default=5, help="neighbours of each label and prediction (default: 5)")


def numbers(arguments: argparse.Namespace) -> pd.DataFrame:
    """Project the words and the mean predictions.

    Returns:
        Columns kind (label, neighbour, prediction), model, loss (both empty for words), name (the
        word; of a prediction, its emotion), x, y (empty for a prediction without direction: not
        finite or zero), x_variance, y_variance (shares of the words' variance on the two axes).

    Raises:
        InputError: a file is malformed, lacks this variant and loss, or disagrees with the space.
    """
    if arguments.words < 1:
        raise InputError("--words: must be 1 or more")
    space = WordSpace.open(arguments.space)
    near = predictions(arguments.neighbours, arguments.variant, arguments.loss)
    means, predicted = read_means(arguments.means, arguments.variant, arguments.loss)
    if predicted.shape[1] != space.dim:
        raise InputError(
            f"{arguments.means}: vectors of {predicted.shape[1]} numbers, but the word space "
            f"{arguments.space} has {space.dim}; give the space of these runs"
        )
    labels = in_order(means["name"], EMOTIONS)
    for label, vector in zip(labels, space.vectors_of(labels), strict=True):
        if not vector.any():
            raise InputError(f"{arguments.space}: the vector of the label {label!r} is zero")
    # the nearest word of a label is itself
    count = min(arguments.words + 1, np.count_nonzero(space.norms))
    indices, _ = space.nearest(space.vectors_of(labels), count)
    of_labels = [space.word(i) for row in indices for i in row]
    near = near[(near["rank"] <= arguments.words) & np.isfinite(near["similarity"])]
    of_predictions = near.sort_values("rank", kind="stable")
    words = list(dict.fromkeys([*labels, *of_labels, *of_predictions["word"]]))

    vectors = unit(space.vectors_of(words))
    centre, axes, variance = principal_axes(vectors)
    table = pd.DataFrame(
        {
            "kind": ["label"] * len(labels) + ["neighbour"] * (len(words) - len(labels)),
            "model": "",
            "loss": "",
            "name": words,
        }
    )
    table = pd.concat([table, means.assign(kind="prediction")[table.columns]], ignore_index=True)
    directed = np.isfinite(predicted).all(axis=1) & (predicted != 0).any(axis=1)
    points = np.full((len(predicted), 2), np.nan)
    points[directed] = (unit(predicted[directed]) - centre) @ axes
    points = np.concatenate([(vectors - centre) @ axes, points]).round(6)
    # a negative zero would be another byte in the CSV
    table["x"], table["y"] = points.T + 0.0
    table["x_variance"], table["y_variance"] = variance.round(6)
    return table


def read_means(path: Path, variant: str | None, loss: str) -> tuple[pd.DataFrame, Floats]:
    """Read the mean predictions of one variant and loss.

    Returns:
        Columns variant, model, loss, name in the models' and emotions' order; the vectors [n, dim].

    Raises:
        InputError: the file is malformed or has none of this variant and loss.
    """
    frame = read_table(path, ["variant", "model", "loss", "name", "v0"])
    dim = sum(column.startswith("v") and column[1:].isdigit() for column in frame.columns)
    columns = [f"v{i}" for i in range(dim)]
    frame = read_table(
        path, ["variant", "model", "loss", "name", *columns], dict.fromkeys(columns, float)
    )
    check_models(frame, path)
    frame = of_variant(frame, path, variant)
    frame = frame[frame["loss"] == loss]
    if frame.empty:
        raise InputError(f"{path}: no predictions with loss {loss!r}")
    twice = frame.index[frame.duplicated(["model", "name"])]
    if len(twice):
        raise InputError(f"{path}: line {twice[0] + 2}: this model and name were there before")
    frame = sorted_rows(frame.assign(emotion=frame["name"]), ["model", "emotion"])
    return frame[["variant", "model", "loss", "name"]], frame[columns].to_numpy(np.float64)


def principal_axes(vectors: Floats) -> tuple[Floats, Floats, Floats]:
    """The first two principal components of ``vectors``.

    The sign of each axis is such that its largest weight (in absolute value) is positive.

    Args:
        vectors: float64 [n, dim].

    Returns:
        Their mean [dim], the axes [dim, 2] (zero where there is no second), the axes' shares of
        the variance [2].
    """
    centre = vectors.mean(axis=0)
    _, strengths, rows = np.linalg.svd(vectors - centre, full_matrices=False)
    axes = np.zeros((vectors.shape[1], 2))
    shares = np.zeros(2)
    # what rounding leaves of n equal vectors is no direction
    count = min(2, int((strengths > 1e-9).sum()))
    axes[:, :count] = rows[:count].T
    shares[:count] = strengths[:count] ** 2 / max((strengths**2).sum(), 1e-300)
    largest = axes[np.abs(axes).argmax(axis=0), [0, 1]]
    return centre, axes * np.where(largest < 0, -1, 1), shares


def draw(numbers: pd.DataFrame) -> tuple[Figure, list[str]]:
    """Draw words as text beside small dots, predictions as coloured marks with lines."""
    figure = Figure(figsize=(TEXT_WIDTH, 4.9), layout="constrained")
    axes = figure.add_subplot()
    words = numbers[numbers["kind"] != "prediction"]
    models = numbers[numbers["kind"] == "prediction"]
    shown = models.dropna(subset=["x", "y"])
    is_label = (words["kind"] == "label").to_numpy()
    axes.scatter(
        words["x"],
        words["y"],
        s=np.where(is_label, 14, 4),
        color=np.where(is_label, INK, FAINT),
        zorder=2,
    )
    home = words[is_label].set_index("name")
    for model, name, x, y in shown[["model", "name", "x", "y"]].itertuples(index=False):
        colour = COLOURS[model]
        end = home.loc[name]
        axes.plot([x, end["x"]], [y, end["y"]], color=colour, linewidth=0.6, alpha=0.6, zorder=1)
        axes.plot(
            x, y, MARKERS[model], color=colour, markersize=6, markeredgecolor="white", zorder=4
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    x_share, y_share = numbers[["x_variance", "y_variance"]].to_numpy(float)[0]
    axes.set_xlabel(f"first principal component ({100 * x_share:.0f}% of the words' variance)")
    axes.set_ylabel(f"second principal component ({100 * y_share:.0f}%)")
    handles = [
        Line2D(
            [], [], color=COLOURS[m], marker=MARKERS[m], linewidth=0.8, label=f"{m} mean prediction"
        )
        for m in in_order(shown["model"], MODELS)
    ]
    handles.append(Line2D([], [], color=INK, marker="o", markersize=3.5, lw=0, label="label word"))
    handles.append(Line2D([], [], color=FAINT, marker="o", markersize=2, lw=0, label="near word"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    fonts = [(8.5, "bold") if label else (6.5, "normal") for label in is_label]
    lines = np.stack([shown[["x", "y"]], home.loc[shown["name"], ["x", "y"]]], axis=1)
    points = words[["x", "y"]].to_numpy(np.float64)
    unlabelled = label_points(figure, axes, points, list(words["name"]), fonts, lines)
    notes = absent(models["model"], MODELS[:3])
    if unlabelled:
        notes.append(f"{unlabelled} words without room for their text are dots only.")
    lost = models.loc[models["x"].isna(), ["model", "name"]]
    if len(lost):
        names = ", ".join(f"{model} {printable(name, 20)}" for model, name in lost.to_numpy())
        notes.append(f"Without a mean prediction, so not shown: {names}.")
    return figure, notes
