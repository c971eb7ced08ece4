"""A map of the word space: labels, the words near them, each model's predictions."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from emoword.evaluation.decide import read_run
from emoword.figures import style
from emoword.figures.neighbours import read_predictions
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.schemas import MODEL
from emoword.spaces.geometry import unit
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace

Floats = NDArray[np.floating[Any]]
KEYS = ["kind", "model", "loss", "name"]
MARKERS = {"M1": "o", "M2": "s", "M3": "^", "baseline": "D"}
CLOUD = 1000  # at most so many predictions of a model are drawn, every k-th of them
ROUNDS = 200  # of moving texts apart: a number, not a time, so that the bytes are the same


def figure_map(
    *,
    neighbours: Path,
    means: Path,
    space: Path,
    runs: list[Path] | None = None,
    loss: str = "lc",
    words: style.Count = 5,
    out: style.Out,
) -> None:
    """2-D map of the word space: label words, words near them, the models' predictions.

    Vectors are scaled to length one and projected on the words' first two principal components.

    Args:
        neighbours: neighbours.csv.
        means: means.csv, the mean predictions.
        space: Folder of the word space.
        runs: Folders of runs: their predictions become a cloud of dots.
        loss: Of the models.
        words: How many words near each label and each mean prediction.
        out: Where it goes.
    """
    held = WordSpace.open(space)
    near = read_predictions(neighbours, loss, words).dropna(subset="similarity")
    mean, vectors = _read_means(means, held.dim, loss)
    cloud, dots = _read_cloud(runs or [], held.dim, loss)
    labels = style.in_order(mean["name"], style.EMOTIONS)
    names = near_words(held, labels, near.sort_values("rank")["word"], words)
    table = pd.DataFrame({"kind": "neighbour", "model": "", "loss": "", "name": names})
    table.loc[: len(labels) - 1, "kind"] = "label"
    table = pd.concat([table, mean, cloud], ignore_index=True)
    out.publish(draw, numbers(table, held.vectors_of(names), np.concatenate([vectors, dots])))


def near_words(
    held: WordSpace, labels: Sequence[str], listed: Iterable[str], count: int
) -> list[str]:
    """The words of a map: labels, the ``count`` words nearest to each, and those that are listed.

    Raises:
        InputError: a label's vector has no direction.
    """
    own = held.vectors_of(labels)
    for label in np.array(labels)[~own.any(axis=1)]:
        raise InputError(f"{held.folder}: the vector of the label {str(label)!r} is zero")
    # the nearest word of a label is itself
    indices, _ = nearest_words(held, own, count + 1)
    return list(dict.fromkeys([*labels, *(held.word(int(i)) for i in indices.flat), *listed]))


def _read_means(path: Path, dim: int, loss: str) -> tuple[pd.DataFrame, Floats]:
    """The mean predictions of one loss: their ``KEYS``, in our order, and vectors [n, dim]."""
    columns = [f"v{i}" for i in range(dim)]
    rows = read_table(path, [*MODEL, "name", *columns], dict.fromkeys(columns, float))
    rows = style.of_loss(rows, path, loss)
    if f"v{dim}" in rows:
        raise InputError(f"{path}: has more numbers a vector than the word space, which has {dim}")
    for i in rows.index[rows.duplicated(["model", "name"])]:
        raise InputError(f"{path}: line {i + 2}: this model and name were there before")
    rows = rows.assign(kind="prediction", emotion=rows["name"])
    rows = style.sorted_rows(rows, ["model", "emotion"])
    return rows[KEYS], rows[columns].to_numpy(np.float64)


def _read_cloud(runs: list[Path], dim: int, loss: str) -> tuple[pd.DataFrame, Floats]:
    """Predictions of test utterances, at most ``CLOUD`` of a model: ``KEYS``, vectors [n, dim]."""
    frames = [pd.DataFrame(columns=KEYS)]
    predictions: list[Floats] = [np.empty((0, dim))]
    for folder in runs:
        run = read_run(folder)
        if run.record["loss"] != loss or run.predictions.shape[1] != dim:
            raise InputError(f"{folder}: is not a run of loss {loss!r} in the map's word space")
        keys = {"kind": "utterance", "model": run.record["model"], "loss": loss}
        frames.append(pd.DataFrame({**keys, "name": run.utterances}))
        predictions.append(run.predictions)
    frame, vectors = pd.concat(frames), np.concatenate(predictions)
    style.check_models(frame, Path("--runs"))
    every = np.ceil(frame["model"].map(frame["model"].value_counts()) / CLOUD)
    kept = frame.groupby("model").cumcount() % every == 0
    return frame[kept], vectors[kept]


def numbers(table: pd.DataFrame, words: Floats, predicted: Floats) -> pd.DataFrame:
    """Project words and predictions on the words' first two principal components.

    The sign of an axis is such that its largest weight (in absolute value) is positive.

    Args:
        table: kind (label, neighbour, prediction, utterance), model, loss (both empty for words),
            name (the word; of a mean prediction its emotion); the words first.
        words: their vectors [n, dim].
        predicted: the predictions [m, dim], in the order of the table.

    Returns:
        The table with x, y (empty for a prediction without direction: not finite or zero),
        x_variance, y_variance (shares of the words' variance on the axes).
    """
    vectors = unit(words)
    centre = vectors.mean(axis=0)
    _, strengths, rows = np.linalg.svd(vectors - centre, full_matrices=False)
    # what rounding leaves of equal vectors is no direction
    first = np.append(np.where(strengths > 1e-9, strengths, 0), [0, 0])[:2]
    axes = np.pad(rows, ((0, 2), (0, 0)))[:2] * (first > 0)[:, None]
    axes *= np.where(axes[[0, 1], np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    across, up = (first**2 / max((strengths**2).sum(), 1e-300)).round(6)
    directed = np.isfinite(predicted).all(axis=1) & predicted.any(axis=1)
    points = np.full((len(predicted), 2), np.nan)
    points[directed] = (unit(predicted[directed]) - centre) @ axes.T
    # a negative zero would be another byte in the CSV
    x, y = np.concatenate([(vectors - centre) @ axes.T, points]).round(6).T + 0.0
    return table.assign(x=x, y=y, x_variance=across, y_variance=up)


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw words as text beside small dots, predictions as coloured marks."""
    figure = Figure((style.PAGE, 4.9), layout="constrained")
    axes = figure.add_subplot()
    kinds = ("label", "neighbour", "prediction", "utterance")
    labels, words, means, cloud = (numbers[numbers["kind"] == kind] for kind in kinds)
    home, marks = labels.set_index("name")[["x", "y"]], means.dropna(subset=["x", "y"])
    for model in style.in_order(marks["model"], style.MODELS):
        colour, rows = style.COLOURS[model], cloud[cloud["model"] == model]
        axes.plot(rows["x"], rows["y"], "o", color=colour, markersize=1.5, alpha=0.35, mew=0)
        rows = marks[marks["model"] == model]
        lines = np.stack([rows[["x", "y"]], home.loc[rows["name"]]])
        axes.plot(*lines.transpose(2, 0, 1), color=colour, linewidth=0.5, alpha=0.5)
        (dots,) = axes.plot(rows["x"], rows["y"], MARKERS[model], color=colour, mec="white")
        dots.set(label=f"{model}, mean prediction", zorder=4)
    axes.plot(labels["x"], labels["y"], "o", color=style.INK, markersize=3.5, zorder=3)
    axes.plot(words["x"], words["y"], "o", color=style.FAINT, markersize=2, zorder=3)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.05)
    shares = 100 * numbers[["x_variance", "y_variance"]].to_numpy(float)[0]
    axes.set_xlabel(f"first principal component ({shares[0]:.0f}% of the words' variance)")
    axes.set_ylabel(f"second principal component ({shares[1]:.0f}%)")
    figure.legend(loc="outside upper center", ncols=4)
    dropped = _write(figure, axes, pd.concat([labels, words]), marks)
    notes = ["Bold: labels. Grey: words near them and near the mean predictions."]
    notes[0] += " Small dots: predictions of single utterances." * (len(cloud) > 0)
    notes += [f"{dropped} words without room for their text are dots only."] * bool(dropped)
    lost = means.loc[means["x"].isna(), ["model", "name"]].to_numpy()
    names = ", ".join(f"{model} {style.printable(name, 20)}" for model, name in lost)
    notes += [f"Without a mean prediction, so not shown: {names}."] * bool(names)
    style.note(figure, [*notes, *style.absent(means["model"], style.MODELS[:3])])
    return figure


def _write(figure: Figure, axes: Axes, words: pd.DataFrame, marks: pd.DataFrame) -> int:
    """Write words clear of dots, marks and each other; returns how many found no room."""
    from adjustText import adjust_text

    figure.draw_without_rendering()  # the layout decides where on the paper a coordinate lies
    texts = []
    for kind, word, x, y in words[["kind", "name", "x", "y"]].itertuples(index=False):
        weight, size = ("bold", style.TEXT) if kind == "label" else ("normal", style.SMALL)
        texts.append(axes.text(x, y, style.printable(word, 30), fontsize=size, weight=weight))
    how: Any = {"force_text": (0.3, 0.4), "force_static": (0.3, 0.4), "expand": (1.15, 1.4)}
    how |= {"iter_lim": ROUNDS, "prevent_crossings": False}
    adjust_text(texts, marks["x"], marks["y"], ax=axes, **how)
    kept: list[Bbox] = []
    for text, place in zip(texts, words[["x", "y"]].to_numpy(), strict=True):
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in kept):
            text.remove()
            continue
        kept.append(box)
        text.set(bbox={"facecolor": "white", "alpha": 0.7, "pad": 0, "linewidth": 0}, zorder=2)
        if not box.padded(5 * figure.dpi / 72).contains(*axes.transData.transform(place)):
            line = np.stack([place, text.get_position()])
            axes.plot(*line.T, color=style.FAINT, linewidth=0.4, zorder=1)
    return len(texts) - len(kept)
