"""What a model consists of, read from runs of a results folder or from an exported folder.

The working directory does not matter: a run's folder lies in the results of its dataset, which
hold the settings of its upstream and its word space (`emoword.layout`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from emoword import layout, settings
from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.layout import FeatureSettings, RunSettings, read_settings, run_name
from emoword.spaces.word_space import WordSpace
from emoword.training.checkpoint import under
from emoword.training.network import Weights, read_weights
from emoword.training.targets import CLASS_LOSSES

CONFIG, WEIGHTS, SPACE, UPSTREAM = "config.json", "model.safetensors", "space", "upstream"
VERSION = 1


class Exported(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """config.json of an exported folder: what `emoword.load` needs beside weights and space."""

    emoword_model: int
    made_by: RunSettings
    upstream: settings.Upstream
    classes: tuple[str, ...]
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """A model: one run, or several of the same settings (folds, seeds).

    Attributes:
        made_by: label set, loss, network, training.
        upstream: what makes the frames; the path of a local model is absolute.
        classes: in the order of a baseline's outputs.
        space: the words that predictions are read as; None of a model that predicts classes.
        weights: of each run, by its name (``fold1-seed0``).
        folder: of an exported model; None: of runs.
        runs: their folders; none of an exported model.
    """

    made_by: RunSettings
    upstream: settings.Upstream
    classes: tuple[str, ...]
    space: WordSpace | None
    weights: dict[str, Weights]
    folder: Path | None = None
    runs: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """``S3-lc-logmel-embedded-1a2b3c4d`` and its run, or how many."""
        runs = next(iter(self.weights)) if len(self.weights) == 1 else f"{len(self.weights)} runs"
        return f"{run_name(self.made_by)} {runs}"


def find_runs(where: Path) -> list[Path]:
    """A run's folder, or those of all folds and seeds in a model's folder."""
    where = where.absolute()
    if (where / "run.json").is_file():
        return [where]
    found = [path.parent for path in where.glob("fold[1-9]*-seed*/run.json")]
    if not found:
        what = "no such folder" if not where.exists() else "no run and no exported model here"
        raise InputError(
            f"{where}: {what}; name results/DATASET/runs/MODEL, a run in it, or what emoword "
            "export wrote"
        )
    return sorted(found, key=lambda run: [int(n) for n in re.findall(r"\d+", run.name)])


def read_trained(places: Sequence[Path]) -> Trained:
    """Read an exported folder, or runs of one model.

    Raises:
        InputError: there is no model, a file is damaged, or runs are of different models.
    """
    # a pattern such as runs/MODEL/* finds what killed trainings resume from, too
    places = [place for place in places if not place.name.endswith(".checkpoint.safetensors")]
    if not places:
        raise InputError("no model is named")
    if len(places) == 1 and (places[0] / CONFIG).is_file():
        return read_exported(places[0].absolute())
    runs = list(dict.fromkeys(run for place in places for run in find_runs(place)))
    for run in runs:
        if run.parent != runs[0].parent:
            raise InputError(f"{run}: is of another model than {runs[0]}; load one model at a time")
    made_by = read_settings(runs[0].parent / "settings.json", RunSettings)
    if made_by.loss == "soft_words":
        raise InputError(
            f"{runs[0]}: predicts shares of its own training part's words, a control that is not "
            "used outside of its results"
        )
    if made_by.training.standardise == "corpus":
        raise InputError(
            f"{runs[0]}: its frames are standardised by corpus, and of what corpus a recording is "
            "nobody knows; load a model of another standardise"
        )
    root = runs[0].parents[2]
    upstream = read_settings(
        root / "features" / made_by.upstream / "settings.json", FeatureSettings
    ).upstream
    return Trained(
        made_by=made_by,
        # as the workflow was started where results/ lies, a relative path is one from there
        upstream=placed(upstream, root.parents[1]),
        classes=tuple(read_json(runs[0] / "run.json")["classes"]),
        space=space_in(root / layout.space_folder(made_by), made_by),
        weights={run.name: read_weights(run / "weights.safetensors") for run in runs},
        runs=tuple(runs),
    )


def space_in(folder: Path, made_by: RunSettings) -> WordSpace | None:
    """The word space behind a model; None where it predicts classes."""
    return None if made_by.loss in CLASS_LOSSES else WordSpace.open(folder)


def placed(upstream: settings.Upstream, base: Path) -> settings.Upstream:
    """The same upstream; where its model is a folder below ``base``, by its absolute path."""
    if isinstance(upstream, settings.Transformers) and (base / upstream.model).is_dir():
        return msgspec.structs.replace(upstream, model=str(base / upstream.model))
    return upstream


def read_exported(folder: Path) -> Trained:
    """Read what `emoword export` wrote."""
    version = read_json(folder / CONFIG)
    version = version.get("emoword_model") if isinstance(version, dict) else None
    if version != VERSION:
        raise InputError(
            f"{folder / CONFIG}: a model of version {version}; this emoword reads {VERSION}: "
            "export it again"
        )
    config = read_settings(folder / CONFIG, Exported)
    every = read_weights(folder / WEIGHTS)
    upstream = placed(config.upstream, folder)
    if isinstance(upstream, settings.Transformers) and upstream.model == UPSTREAM:
        raise InputError(f"{folder / UPSTREAM}: no such folder; copy the whole model again")
    return Trained(
        made_by=config.made_by,
        upstream=upstream,
        classes=config.classes,
        space=space_in(folder / SPACE, config.made_by),
        weights={run: under(f"{run}.", every) for run in config.runs},
        folder=folder,
    )
