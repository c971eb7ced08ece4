"""A results folder as small as can be, made by the stages themselves: 48 utterances, three folds.

Every utterance's frames lie around its class, so that even a tiny network learns it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword import layout
from emoword.features.frames import Features
from emoword.features.shards import Meta
from emoword.io.files import write_table
from emoword.labels.label_sets import label_set
from emoword.labels.vectors import encode_words
from emoword.layout import LabelSetSettings, Model, RunSettings, Variant
from emoword.schemas import ANNOTATIONS, UTTERANCES, WORDS
from emoword.settings import (
    Config,
    LabelSet,
    LogMel,
    Loss,
    Upstream,
    laid_over,
    read_config,
    resolve,
)
from emoword.training.train import train

CLASSES = ["anger", "joy", "sadness"]
SETTINGS: dict[str, Any] = {
    "space": "embedded",
    "upstream": "logmel",
    "losses": ["lc"],
    "labels": {"classes": CLASSES, "merge": {}},
    "network": {"channels": [8, 8, 8], "lstm": 4, "hidden": [16]},
    "training": {
        "epochs": 3,
        "learning_rate": 5e-3,
        "baseline_learning_rate": 5e-3,
        "batch_size": 8,
    },
}


def config(**settings: Any) -> Config:
    """The configuration of the dataset `tiny`, with these settings instead of SETTINGS."""
    own = {"kind": "iemocap", "folds": 3, "seeds": [0]}
    return read_config(
        {
            "datasets": {"tiny": {**own, "settings": laid_over(SETTINGS, settings)}},
            "spaces": {"embedded": {"format": "embedded"}},
            "upstreams": {"logmel": {"kind": "logmel"}},
        }
    )


def write_settings(results: Path, made_by: Config) -> Variant:
    """The settings files of the variant `paper` and its parts, as the workflow writes them."""
    (name,) = made_by.datasets
    parts = layout.parts_of(made_by, name)
    made: dict[str, Variant | LabelSetSettings | RunSettings] = {
        "variants/paper.json": parts.variants["paper"],
        **{f"targets/{key}/settings.json": own for key, own in parts.label_sets.items()},
        **{f"runs/{key}/settings.json": own for key, own in parts.models.items()},
    }
    for path, value in made.items():
        (results / path).parent.mkdir(parents=True, exist_ok=True)
        (results / path).write_text(layout.as_json(value))
    return parts.variants["paper"]


def write_words(folder: Path, rows: list[tuple[str, str, int]], classes: list[str]) -> Path:
    """A label set made up by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(pd.DataFrame(rows, columns=list(WORDS.columns)), folder / "words.csv")
    (folder / "classes.json").write_text(json.dumps(classes))
    return folder


def write_frames(folder: Path, frames: Mapping[str, NDArray[np.float32]]) -> Path:
    """Features of these utterances, in one shard: where the tests know how frames lie."""
    shard = folder / "shard1of1"
    shard.mkdir(parents=True)
    lengths = np.array([len(own) for own in frames.values()])
    index = {"utterance": list(frames), "start": lengths.cumsum() - lengths, "frames": lengths}
    write_table(pd.DataFrame(index), shard / "index.csv")
    np.save(shard / "frames.npy", np.concatenate(list(frames.values())))
    meta = meta_of(len(frames), int(lengths.sum()), next(iter(frames.values())).shape[1], LogMel())
    (shard / "meta.json").write_text(layout.as_json(meta))
    return folder


def meta_of(utterances: int, frames: int, dim: int, upstream: Upstream) -> Meta:
    """What lies beside frames that were made up."""
    return Meta(
        shard="1/1",
        utterances=utterances,
        frames=frames,
        device="cpu",
        all_utterances="",
        other_labels=0,
        dim=dim,
        upstream=upstream,
        about={},
        threads=1,
        versions={},
    )


@dataclass(frozen=True)
class Small:
    """The folder results/tiny, complete but for its runs, which `train` makes."""

    root: Path
    variant: Variant

    @classmethod
    def make(cls, results: Path, space: Path, **settings: Any) -> "Small":
        """Below ``results``, whose embedded space is a link to ``space``."""
        (results / "spaces").mkdir(parents=True)
        (results / "spaces/embedded").symlink_to(space)
        small = cls(results / "tiny", write_settings(results / "tiny", config(**settings)))
        write_corpus(small.root)
        write_frames(small.features, random_frames(small.truth))
        for name, folder in small.variant.targets.items():
            out = small.root / folder
            label_set(
                out / "settings.json",
                utterances=small.utterances,
                annotations=small.root / "annotations.csv",
                space=None if name == "S1" else space,
                out=out,
            )
            encode_words(out, space=space, out=small.root / small.variant.vectors[name])
        return small

    @property
    def utterances(self) -> Path:
        return self.root / "utterances.csv"

    @property
    def variant_file(self) -> Path:
        return self.root / "variants/paper.json"

    @property
    def features(self) -> Path:
        return self.root / self.variant.features

    @property
    def truth(self) -> dict[str, str]:
        """Utterance -> class."""
        return dict(pd.read_csv(self.utterances)[["utterance", "label"]].to_numpy())

    def targets(self, name: LabelSet) -> Path:
        return self.root / self.variant.targets[name]

    def frames(self, utterance: str) -> NDArray[np.float32]:
        """[frames, 4]."""
        frames: NDArray[np.float32] = Features.open(self.features).of(utterance).numpy()
        return frames

    def train(
        self,
        out: Path,
        loss: Loss = "lc",
        label_set: LabelSet = "S1",
        *,
        fold: int = 1,
        seed: int = 0,
        device: str = "cpu",
        targets: Path | None = None,
        features: Path | None = None,
        **settings: Any,
    ) -> Path:
        """Train a run as `emoword train` does, with other settings, targets or frames if given."""
        chosen = resolve(config(**settings), "tiny", "paper")
        made_by = out.with_name(f"{out.name}.settings.json")
        made_by.parent.mkdir(parents=True, exist_ok=True)
        made_by.write_text(layout.as_json(layout.run_settings(chosen, label_set, loss)))
        train(
            made_by,
            utterances=self.utterances,
            truth=self.targets("S1"),
            targets=targets or self.targets(label_set),
            vectors=self.root / self.variant.vectors[label_set],
            features=features or self.features,
            fold=fold,
            seed=seed,
            device=device,
            out=out,
        )
        return out

    def train_model(self, model: Model, fold: int, **options: Any) -> Path:
        """Train a run of the variant where the variant says that it lies."""
        out = self.root / layout.run_folder(model.folder, fold, 0)
        return self.train(out, model.loss, model.label_set, fold=fold, **options)


def write_corpus(folder: Path) -> None:
    """Three speakers, one a fold; two raters agree with the truth, the third hears frustration.

    Of u5 nobody said anything; of every fourth utterance the third rater wrote `tense`.
    """
    utterances, annotations = [], []
    for i in range(48):
        label, name = CLASSES[i // 3 % 3], f"u{i}"
        utterances.append((name, f"{name}.wav", f"s{i % 3}", i % 3 + 1, "", label))
        said = [("E1", "label", label), ("E2", "label", label), ("E3", "label", "frustration")]
        said += [("E3", "comment", "tense")] if i % 4 == 0 else []
        annotations += [
            (name, rater, "observer", kind, "categorical", text, "x.txt", 3 * i + line)
            for line, (rater, kind, text) in enumerate(said)
            if i != 5
        ]
    for rows, schema in ((utterances, UTTERANCES), (annotations, ANNOTATIONS)):
        write_table(pd.DataFrame(rows, columns=schema.needed), folder / schema.file)


def random_frames(truth: Mapping[str, str]) -> dict[str, NDArray[np.float32]]:
    """6 to 29 frames of 4 values each, around a mean of the utterance's class."""
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(10 * CLASSES.index(label) + 50, 10, (int(rng.integers(6, 30)), 4)).astype(
            np.float32
        )
        for name, label in truth.items()
    }
