"""A results folder as typed tables (docs/hand-overs.md says what their columns mean)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import read_run
from emoword.io.errors import InputError
from emoword.layout import Place, read_variant
from emoword.schemas import ANNOTATIONS, DECISIONS, METRICS, NEAREST, RUN_KEYS, UTTERANCES, Schema
from emoword.settings import load_config, one
from emoword.training.targets import CLASS_LOSSES


@dataclass(frozen=True)
class Results:
    """The results of a dataset; open them with `emoword.results`."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "Results":
        """Open ``results/{dataset}``; an InputError if there are no results."""
        if not any(folder.glob("variants/*.json")):
            raise InputError(f"{folder}: no results here: name results/DATASET, which ./run makes")
        return cls(folder.absolute())

    def variants(self) -> list[str]:
        """The names of the variants that were run, the default first."""
        names = sorted(path.stem for path in self.folder.glob("variants/*.json"))
        default = "paper"
        if (path := self.folder / "config.json").is_file():
            config = load_config(path)
            default = one(config, "datasets", config.dataset).variants[0]
        return sorted(names, key=lambda name: name != default)

    def place(self, variant: str | None = None) -> Place:
        """A variant's settings, and where its runs, label sets and space lie; None: the default.

        Raises:
            InputError: there is none of that name.
        """
        names = self.variants()
        name = variant or names[0]
        if name not in names:
            raise InputError(f"{self.folder}: no variant {name!r}; there are {', '.join(names)}")
        return read_variant(self.folder / "variants" / f"{name}.json")

    def utterances(self) -> pd.DataFrame:
        """utterances.csv: a row an utterance."""
        return UTTERANCES.read(self.folder / "utterances.csv")

    def annotations(self) -> pd.DataFrame:
        """annotations.csv: a row a label or comment of a rater."""
        return ANNOTATIONS.read(self.folder / "annotations.csv")

    def metrics(self) -> pd.DataFrame:
        """metrics.csv: a row a number."""
        return METRICS.read(self.folder / "metrics.csv")

    def decisions(self, variant: str | None = None) -> pd.DataFrame:
        """decisions/{variant}.csv: a row a test utterance of a run."""
        return self._of_variant(DECISIONS, "decisions", variant)

    def nearest(self, variant: str | None = None) -> pd.DataFrame:
        """nearest/{variant}.csv: the ten words nearest to each prediction and target."""
        return self._of_variant(NEAREST, "nearest", variant)

    def predictions(
        self, variant: str | None = None, losses: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The vectors: columns variant, model, loss, fold, seed, utterance, vector (float32)."""
        place = self.place(variant)
        tables = []
        for run in map(read_run, place.runs(losses)):
            table = pd.DataFrame({"utterance": run.utterances, "vector": list(run.predictions)})
            record = {**run.record, "variant": place.variant.name}
            tables.append(table.assign(**{key: record[key] for key in RUN_KEYS}))
        return pd.concat(tables, ignore_index=True)[[*RUN_KEYS, "utterance", "vector"]]

    def mean_predictions(
        self, model: str, variant: str | None = None
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Test utterances and their predicted vectors [n, dim], the mean over seeds.

        Each is predicted by runs, with the loss of the tables, that were not trained on its fold.

        Raises:
            InputError: the variant has no such model, or its loss predicts classes.
        """
        loss = self.place(variant).variant.settings.table_loss
        if loss in CLASS_LOSSES:
            raise InputError(f"{self.folder}: {loss} predicts classes: no vector among words")
        table = self.predictions(variant, [loss])
        own = table[table["model"] == model]
        if own.empty:
            known = ", ".join(table["model"].unique())
            raise InputError(f"{self.folder}: no model {model!r}; there are {known}")
        means = {
            str(name): np.mean(list(vectors), axis=0, dtype=np.float64)
            for name, vectors in own.groupby("utterance", sort=False)["vector"]
        }
        return list(means), np.stack(list(means.values())).astype(np.float32)

    def _of_variant(self, schema: Schema, folder: str, variant: str | None) -> pd.DataFrame:
        name = self.place(variant).variant.name
        path = self.folder / folder / f"{name}.csv"
        there = pd.read_csv(path, nrows=0).columns if path.is_file() else schema.names
        return schema.read(path, *[name for name in schema.columns if name in there])
