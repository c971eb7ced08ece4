"""The figures on the page: copies, and what is seen in each, for who does not see it."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.files import read_table


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
    numbers = {name: pd.to_numeric(rows[name]) for name in ("epoch", "validation_loss")}
    said = []
    for (loss, model), own in rows.assign(**numbers).groupby(["loss", "model"], sort=False):
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


# name -> title, and what says what is seen in it
FIGURES: dict[str, tuple[str, Callable[[pd.DataFrame], str] | None]] = {
    "neighbours": ("Words nearest to the models' mean predictions, by emotion", words_seen),
    "map": ("The word space around the emotions, and the models' predictions", map_seen),
    "targets": ("Targets of S1, S2 and S3, and the words nearest to them", None),
    "confusion": ("What was decided (columns) for each ground truth (rows)", confusion_seen),
    "claims": (
        "The differences that the paper's claims are about, with 95% intervals",
        claims_seen,
    ),
    "unseen": (
        "Emotions never trained on: their recall, UA of the others, and the harmonic mean",
        None,
    ),
    "curves": ("Learning curves: training and validation loss by epoch", curves_seen),
    "network": ("The network as configured", network_seen),
}


def copy_figures(source: Path, folder: Path) -> list[dict[str, Any]]:
    """Copy the figures that are there; returns name, title, files, size and alt text of each."""
    figures = []
    for name, (title, describe) in FIGURES.items():
        found = {kind: source / f"{name}.{kind}" for kind in ("png", "pdf", "csv")}
        found = {kind: path for kind, path in found.items() if path.is_file()}
        if "png" not in found:
            continue
        for path in found.values():
            shutil.copyfile(path, folder / f"figure-{path.name}")
        files = {kind: f"figure-{path.name}" for kind, path in found.items()}
        seen = describe(read_table(found["csv"], [])) if describe and "csv" in found else title
        width, height = struct.unpack(">II", found["png"].read_bytes()[16:24])  # pixels
        about = {"name": name, "title": title, "files": files, "seen": seen}
        figures.append({**about, "width": width, "height": height})
    return figures
