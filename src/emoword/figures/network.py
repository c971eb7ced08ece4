"""Figure 1: the network as configured, drawn as in the paper."""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emoword.figures import style
from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.settings import NetworkSettings

# what each module is made of, from input to output
MODULES = {
    "CNN-MP": ("1D Convolution", "Max-Pooling", "ReLU"),
    "CNN": ("1D Convolution", "ReLU"),
    "BLSTM": ("LSTM →", "← LSTM"),
    "MoT": ("Mean over Time",),
    "FC": ("Fully-connected", "ReLU", "Dropout"),
    "O": ("Fully-connected",),
}
FILLS = {"CNN-MP": "#DCEBF5", "CNN": "#DCEBF5", "BLSTM": "#DDF1EA", "FC": "#FBEBD2", "O": "#F6DEE9"}
LINE, GAP = 0.14, 0.07  # inches: a line of a module, and the gap between two modules


def figure_network(*, features: Path, space: Path, out: style.Out, **network: list[str]) -> None:
    """The network as configured: its modules, and how they are stacked (the paper's Figure 1).

    Args:
        features: Folder of frames: how wide the input is.
        space: Folder of the word space: how wide the output is.
        out: Where it goes; the title note is not printed, as it is about speech.
        network: A setting of the network that is not the paper's, such as --channels 96 256 256.
    """
    paper, given = NetworkSettings(), {key.replace("-", "_"): v for key, v in network.items()}
    one = {key: v[0] for key, v in given.items() if not isinstance(getattr(paper, key, ()), tuple)}
    try:
        shape = msgspec.convert({**given, **one}, NetworkSettings, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"the network: {error}") from None
    ends = [int(read_json(folder / "meta.json")["dim"]) for folder in (features, space)]
    out.without_note().publish(draw, numbers(shape, *ends))


def numbers(shape: NetworkSettings, input_width: int, output_width: int) -> pd.DataFrame:
    """One row a layer, input first.

    Returns:
        Columns layer (input, convolution, lstm, mean, dense, output), kernel, pool, dropout (each
        empty where the layer has none), pooled (how many frames one frame of the layer's output
        stands for; empty after the mean), width (of the output); with ``valid`` padding (none).
    """
    pooled, dropout = 1, shape.dropout or None
    rows: list[dict[str, Any]] = [{"layer": "input", "pooled": 1, "width": input_width}]
    for width, kernel, pool in zip(shape.channels, shape.kernels, shape.pools, strict=True):
        pooled *= pool
        row = {"layer": "convolution", "kernel": kernel, "pool": pool if pool > 1 else None}
        rows.append({**row, "pooled": pooled, "width": width})
    lstm = {"layer": "lstm", "pooled": pooled, "width": 2 * shape.lstm}
    rows += [{**lstm, "dropout": dropout}] * (shape.lstm_layers - 1)
    rows += [lstm, {"layer": "mean", "width": 2 * shape.lstm}]
    rows += [{"layer": "dense", "dropout": dropout, "width": width} for width in shape.hidden]
    rows.append({"layer": "output", "width": output_width})
    frame = pd.DataFrame(rows, columns=["layer", "kernel", "pool", "dropout", "pooled", "width"])
    if shape.padding == "valid":
        frame["padding"] = frame["kernel"].map(lambda kernel: "none" if kernel > 0 else None)
    return frame.astype(dict.fromkeys(("kernel", "pool", "pooled", "width"), "Int64"))


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw (a) the modules and (b) the model, both from input to output downwards."""
    rows: list[Any] = numbers.to_dict("records")
    stack = [_described(row) for row in rows[1:]]
    modules = [name for name in MODULES if name in dict(stack)]
    tall = sum(LINE * len(MODULES[name]) + GAP for name in modules)
    high = max(tall, len(stack) * (LINE + GAP)) + 2 * LINE
    figure = Figure(figsize=(style.COLUMN, high))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, style.COLUMN), ylim=(-high, 0))
    axes.axis("off")
    y = -GAP
    for name in modules:
        axes.text(0.03, y - LINE * len(MODULES[name]) / 2, name, va="center")
        for line in MODULES[name]:
            _box(axes, 0.54, y, 0.82, line, name)
            y -= LINE
        y -= GAP
    step = (high - 2 * LINE) / len(stack)
    axes.plot([1.73, 1.73], [-GAP, -GAP - step * (len(stack) - 1)], color=style.FAINT, lw=0.6)
    for i, (name, sizes) in enumerate(stack):
        _box(axes, 1.48, -GAP - i * step, 0.5, name, name)
        axes.text(2.03, -GAP - i * step - LINE / 2, sizes, va="center", fontsize=style.SMALL)
    for x, caption in ((0.7, "(a) Network modules"), (2.2, "(b) Model")):
        axes.text(x, LINE / 2 - high, caption, ha="center", va="center")
    about = (
        "hu: hidden units, of a BLSTM in each direction; kw: kernel width; mp: width of the "
        f"max-pooling; do: dropout rate. Input: {rows[0]['width']} numbers a frame. O of the "
        f"models with word embeddings: {rows[-1]['width']} numbers; of the baseline: one for "
        "each class."
    )
    unpadded = ["Convolutions are not padded: each takes kw \N{MINUS SIGN} 1 frames."]
    style.note(figure, [about, *unpadded * ("padding" in numbers)])
    return figure


def _described(row: dict[str, Any]) -> tuple[str, str]:
    """A layer's module, and its hyperparameters in the paper's abbreviations."""
    names = {"lstm": "BLSTM", "mean": "MoT", "dense": "FC", "output": "O"}
    name = names.get(row["layer"], "CNN" if pd.isna(row["pool"]) else "CNN-MP")
    units = None if name in ("MoT", "O") else row["width"] // (2 if name == "BLSTM" else 1)
    sizes = {"hu": units, "kw": row["kernel"], "mp": row["pool"], "do": row["dropout"]}
    return name, ", ".join(f"{key}={value:g}" for key, value in sizes.items() if pd.notna(value))


def _box(axes: Axes, left: float, top: float, width: float, text: str, module: str) -> None:
    box = Rectangle((left, top - LINE), width, LINE, facecolor=FILLS.get(module, "white"), zorder=2)
    box.set(edgecolor=style.FAINT, linewidth=0.6)
    axes.add_patch(box)
    x, y = left + width / 2, top - LINE / 2
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=style.SMALL)
