r"""Draw the network as configured, layer by layer, with the shape of the data between the layers.

In: the network's sizes, as options, and the folders that say how wide its input and output are.
Out: the figure, and with --data one row a layer.

Example:
    emoword figure network --features features/logmel --space spaces/embedded \
        --pdf network.pdf --png network.png
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from emoword.figures.style import COLUMN_WIDTH, FAINT, SMALL_PRINT
from emoword.io.errors import InputError
from emoword.io.files import read_json

FILLS = {
    "input": "#FFFFFF",
    "convolution": "#DCEBF5",
    "lstm": "#DDF1EA",
    "mean": "#FFFFFF",
    "dense": "#FBEBD2",
    "output": "#F6DEE9",
}
BOX, GAP = 0.30, 0.17
"""Inches: the height of a layer's box, and the space for the arrow between two."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sizes; the defaults are the paper's."""

    def sizes(option: str, default: list[int], text: str) -> None:
        parser.add_argument(option, type=int, nargs="+", default=default, metavar="N", help=text)

    def number(option: str, default: int, text: str) -> None:
        parser.add_argument(option, type=int, default=default, metavar="N", help=text)

    parser.add_argument("--features", type=Path, required=True, help="folder of frames (in)")
    parser.add_argument("--space", type=Path, required=True, help="folder of the word space (in)")
    sizes("--channels", [96, 256, 256], "channels of each convolution")
    sizes("--kernels", [15, 5, 3], "kernel of each convolution, in frames")
    sizes("--pools", [2, 2, 1], "max-pooling width after each convolution (1: none)")
    number("--lstm", 64, "width of each direction of an LSTM layer")
    number("--lstm-layers", 2, "number of bidirectional LSTM layers")
    sizes("--hidden", [1024, 1024], "width of each fully connected layer")
    parser.add_argument("--dropout", type=float, default=0.5, help="dropout probability")
    parser.add_argument("--padding", choices=["same", "valid"], default="same", help="convolutions")


def width_in(folder: Path) -> int:
    """How wide the vectors in a folder of frames, or of a word space, are."""
    return int(read_json(folder / "meta.json")["dim"])


def numbers(arguments: argparse.Namespace) -> pd.DataFrame:
    """One row a layer, input first.

    Returns:
        Columns layer (input, convolution, lstm, mean, dense, output), kernel, pool, dropout (each
        empty where the layer has none), pooled (frames of the input per frame of the layer's
        output; empty once there is no time) and width (of the layer's output).

    Raises:
        InputError: the lists differ in length, or a size makes no sense.
    """
    channels, kernels, pools = arguments.channels, arguments.kernels, arguments.pools
    if not len(channels) == len(kernels) == len(pools):
        raise InputError(
            f"--channels, --kernels and --pools must be equally long, "
            f"not {len(channels)}, {len(kernels)} and {len(pools)}"
        )
    for option, given in vars(arguments).items():
        sizes = given if isinstance(given, list) else [given]
        if any(isinstance(size, int) and size < 1 for size in sizes):
            raise InputError(f"--{option.replace('_', '-')}: must be 1 or more")
    if not 0 <= arguments.dropout < 1:
        raise InputError(f"--dropout {arguments.dropout}: must be at least 0 and less than 1")

    dropout = arguments.dropout or None
    pooled = 1
    rows: list[dict[str, Any]] = [
        {"layer": "input", "pooled": 1, "width": width_in(arguments.features)}
    ]
    for width, kernel, pool in zip(channels, kernels, pools, strict=True):
        pooled *= pool
        row = {"layer": "convolution", "kernel": kernel, "pool": pool if pool > 1 else None}
        rows.append({**row, "pooled": pooled, "width": width})
    for i in range(arguments.lstm_layers):
        between = dropout if i + 1 < arguments.lstm_layers else None
        row = {"layer": "lstm", "dropout": between}
        rows.append({**row, "pooled": pooled, "width": 2 * arguments.lstm})
    rows.append({"layer": "mean", "width": 2 * arguments.lstm})
    rows += [{"layer": "dense", "dropout": dropout, "width": width} for width in arguments.hidden]
    rows.append({"layer": "output", "width": width_in(arguments.space)})
    columns = ["layer", "kernel", "pool", "dropout", "pooled", "width"]
    frame = pd.DataFrame(rows, columns=columns)
    if arguments.padding == "valid":
        frame["padding"] = frame["kernel"].map(lambda kernel: "none" if kernel > 0 else None)
    return frame.astype(dict.fromkeys(("kernel", "pool", "pooled", "width"), "Int64"))


def draw(layers: pd.DataFrame) -> tuple[Figure, list[str]]:
    """Draw the layers as a column of boxes, from the frames at the top to the two outputs."""
    height = (len(layers) - 1) * (BOX + GAP) + GAP + BOX + 0.2
    figure = Figure(figsize=(COLUMN_WIDTH, height + 0.1), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, COLUMN_WIDTH), ylim=(-height, 0.02))
    axes.axis("off")

    left, right = 0.55, COLUMN_WIDTH - 0.75
    middle = (left + right) / 2
    rows: list[Any] = layers.to_dict("records")
    for i, row in enumerate(rows[:-1]):
        top = -i * (BOX + GAP)
        _box(axes, left, right, top, FILLS[row["layer"]], *_texts(row))
        if i < len(rows) - 2:
            _arrow(axes, middle, top - BOX, top - BOX - GAP)
        axes.text(right + 0.08, top - BOX - GAP / 2, _shape(row), va="center", fontsize=7)

    _outputs(axes, middle, -(len(rows) - 1) * (BOX + GAP) + GAP, rows[-1]["width"])
    _braces(axes, left - 0.12, layers)
    notes = ["T: frames (50 a second); quotients are rounded down."]
    if "padding" in layers:
        notes.append("Convolutions are not padded: each takes its kernel less one from T.")
    return figure, notes


def _texts(row: dict[str, Any]) -> tuple[str, str]:
    """The two lines in a layer's box: what it is, what follows within it."""
    extras = [f"dropout {row['dropout']:g}"] if pd.notna(row["dropout"]) else []
    match row["layer"]:
        case "input":
            return "frames of the upstream", ""
        case "convolution":
            pool = [f"max-pool {row['pool']}"] if pd.notna(row["pool"]) else []
            return f"conv {row['width']}, kernel {row['kernel']}", ", ".join(["ReLU", *pool])
        case "lstm":
            return f"bidirectional LSTM 2 × {row['width'] // 2}", ", ".join(extras)
        case "mean":
            return "mean over time", ""
        case _:
            return f"fully connected {row['width']}", ", ".join(["ReLU", *extras])


def _shape(row: dict[str, Any]) -> str:
    if pd.isna(row["pooled"]):
        return f"{row['width']}"
    return f"T × {row['width']}" if row["pooled"] == 1 else f"T/{row['pooled']} × {row['width']}"


def _box(
    axes: Axes, left: float, right: float, top: float, fill: str, text: str, extra: str
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left, top - BOX),
            right - left,
            BOX,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=fill,
            edgecolor=FAINT,
            linewidth=0.6,
        )
    )
    middle, centre = (left + right) / 2, top - BOX / 2
    up = 0.065 if extra else 0
    axes.text(middle, centre + up, text, ha="center", va="center", fontsize=7)
    axes.text(
        middle, centre - 0.065, extra, ha="center", va="center", fontsize=6, color=SMALL_PRINT
    )


def _arrow(axes: Axes, x: float, start: float, end: float) -> None:
    arrow = {"arrowstyle": "-|>,head_width=0.12,head_length=0.25", "color": FAINT, "lw": 0.7}
    axes.annotate("", (x, end), (x, start), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})


def _outputs(axes: Axes, x: float, start: float, width: int) -> None:
    """The two kinds of output layer, side by side: word vector or class logits."""
    fork, top = start - GAP, start - 2 * GAP
    axes.plot([x, x], [start, fork], color=FAINT, linewidth=0.7)
    half = (COLUMN_WIDTH - 0.15) / 2
    for i, (name, what, loss) in enumerate(
        [
            ("M1, M2, M3", f"linear → word vector, {width}", "MSE, MAE or log-cosh"),
            ("baseline", "linear → logit per class", "cross entropy"),
        ]
    ):
        left = 0.02 + i * (half + 0.11)
        _box(axes, left, left + half, top, FILLS["output"], what, loss)
        centre = left + half / 2
        axes.plot([x, centre], [fork, fork], color=FAINT, linewidth=0.7)
        _arrow(axes, centre, fork, top)
        axes.text(centre, top - BOX - 0.1, name, ha="center", va="center", fontweight="bold")


def _braces(axes: Axes, x: float, layers: pd.DataFrame) -> None:
    """At the left, which layers see frames and which see the whole utterance."""
    timed = int(layers["pooled"].notna().sum())
    for name, first, last in (
        ("per frame", 0, timed - 1),
        ("per utterance", timed, len(layers) - 2),
    ):
        top, bottom = -first * (BOX + GAP), -last * (BOX + GAP) - BOX
        axes.plot([x, x], [top, bottom], color=FAINT, linewidth=0.7)
        axes.text(x - 0.1, (top + bottom) / 2, name, rotation=90, ha="center", va="center")
