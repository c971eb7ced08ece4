"""The figures on the page: copies, and what is seen in each, for who does not see it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.files import read_table

TITLES = {
    "neighbours": "Words nearest to the models' mean predictions, by emotion",
    "map": "The word space around the emotions, and the models' predictions",
    "targets": "Targets of S1, S2 and S3, and the words nearest to them",
    "confusion": "What was decided (columns) for each ground truth (rows)",
    "claims": "The differences that the paper's claims are about, with 95% intervals",
    "unseen": "Emotions never trained on: their recall, UA of the others, and the harmonic mean",
    "curves": "Learning curves: training and validation loss by epoch",
    "network": "The network as configured",
}


def copy_figures(source: Path, folder: Path) -> list[dict[str, Any]]:
    """Copy the figures that are there; returns name, title, files, size and alt text of each."""
    figures = []
    for name, title in TITLES.items():
        if not (source / f"{name}.png").is_file():
            continue
        files = [
            path for kind in ("png", "pdf", "csv") if (path := source / f"{name}.{kind}").is_file()
        ]
        for path in files:
            shutil.copyfile(path, folder / f"figure-{path.name}")
        header = (folder / f"figure-{name}.png").read_bytes()[16:24]
        width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))  # pixels
        names = {path.suffix[1:]: f"figure-{path.name}" for path in files}
        data = source / f"{name}.csv"
        seen = SEEN[name](read_table(data, [])) if name in SEEN and data.is_file() else title
        about = {"name": name, "title": title, "files": names, "seen": seen}
        figures.append({**about, "width": width, "height": height})
    return figures


def words_seen(rows: pd.DataFrame) -> str:
    """The nearest words of each panel."""
    panels = rows.groupby(["model", "emotion"], sort=False)["word"]
    return "; ".join(f"{m}, {e}: {', '.join(words)}" for (m, e), words in panels) + "."


def confusion_seen(rows: pd.DataFrame) -> str:
    """UA of each model, and which emotion it takes most often for which."""
    said = []
    for model, own in rows.groupby("model", sort=False):
        shares = pd.to_numeric(own["share"])
        right = own["true"] == own["predicted"]
        worst = int(shares.mask(right).fillna(0).to_numpy().argmax())
        true, taken = own[["true", "predicted"]].to_numpy()[worst]
        said.append(
            f"{model}: UA {100 * shares[right].mean():.1f}; most often confused, {true} taken for "
            f"{taken} ({100 * shares.iloc[worst]:.0f}%)"
        )
    return ". ".join(said) + "."


def curves_seen(rows: pd.DataFrame) -> str:
    """Between which values the mean validation loss falls."""
    numbers = rows.assign(
        **{name: pd.to_numeric(rows[name]) for name in ("epoch", "validation_loss")}
    )
    said = []
    for (loss, model), own in numbers.groupby(["loss", "model"], sort=False):
        means = own.groupby("epoch")["validation_loss"].mean()
        ends = f"from {means.iloc[0]:.3g} to {means.min():.3g}"
        said.append(f"{model}, {loss}: mean validation loss {ends} in {means.idxmin()} epochs")
    return "; ".join(said) + "."


def claims_seen(rows: pd.DataFrame) -> str:
    """How many differences came out how."""
    counts = rows["verdict"].value_counts(sort=False)
    return f"{len(rows)} differences: " + ", ".join(f"{n} {v}" for v, n in counts.items()) + "."


def network_seen(rows: pd.DataFrame) -> str:
    """The layers, input first."""
    return "Layers: " + ", ".join(rows["layer"] + " " + rows["width"]) + "."


def map_seen(rows: pd.DataFrame) -> str:
    """How many of what are on the map, and what its axes hold."""
    counts = rows["kind"].value_counts(sort=False)
    shares = [f"{100 * float(rows[axis].iloc[0]):.0f}%" for axis in ("x_variance", "y_variance")]
    what = ", ".join(f"{n} of kind {kind}" for kind, n in counts.items())
    return f"{what}; the axes hold {' and '.join(shares)} of the words' variance."


SEEN: dict[str, Callable[[pd.DataFrame], str]] = {
    "neighbours": words_seen,
    "confusion": confusion_seen,
    "curves": curves_seen,
    "claims": claims_seen,
    "network": network_seen,
    "map": map_seen,
}
