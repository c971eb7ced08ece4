"""Several variants' settings, and runs that nobody trained, which predict what a test says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword import layout
from emoword.io.files import write_json, write_table
from emoword.labels.label_sets import label_set
from emoword.labels.vectors import encode_words
from emoword.layout import Place, read_variant
from emoword.settings import Config

Says = Callable[[str, dict[str, Any]], NDArray[np.float32]]


def write_variants(results: Path, config: Config, dataset: str, space: Path) -> dict[str, Place]:
    """Settings, label sets and vectors of every variant that the dataset runs.

    ``results/{dataset}`` holds utterances.csv and annotations.csv; ``results/spaces/embedded`` is
    there, and so are spaces that are made of it.
    """
    root, parts = results / dataset, layout.parts_of(config, dataset)
    names = config.datasets[dataset].variants
    for name in names:
        path = root / f"variants/{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(layout.as_json(parts.variants[name]))
    for name, own in parts.models.items():
        (root / "runs" / name).mkdir(parents=True, exist_ok=True)
        (root / "runs" / name / "settings.json").write_text(layout.as_json(own))
    for name, made_by in parts.label_sets.items():
        out = root / "targets" / name
        out.mkdir(parents=True, exist_ok=True)
        (out / "settings.json").write_text(layout.as_json(made_by))
        tables = {key: root / f"{key}.csv" for key in ("utterances", "annotations")}
        chosen = None if made_by.label_set == "S1" else space
        label_set(out / "settings.json", **tables, space=chosen, out=out)
    for name, (targets, folder) in parts.vectors.items():
        where = (root / folder).resolve()
        if where.exists():
            encode_words(root / "targets" / targets, space=where, out=root / "vectors" / name)
    return {name: read_variant(root / f"variants/{name}.json") for name in names}


def pretend(
    place: Place, utterances: pd.DataFrame, says: Says, seeds: Sequence[int] = (0,)
) -> None:
    """Write the runs of a variant: ``says`` (an utterance, its run's record) -> its prediction."""
    chosen = place.variant.settings
    classes = list(chosen.labels.classes)
    taken = utterances[utterances["label"].isin(classes)]
    for model in place.variant.models:
        for fold in range(1, place.variant.folds + 1):
            test = list(taken["utterance"][taken["fold"] == fold])
            for seed in seeds:
                out = place.path(layout.run_folder(model.folder, fold, seed))
                record = {
                    **{"model": model.name, "label_set": model.label_set, "loss": model.loss},
                    **{"fold": fold, "seed": seed, "collapsed": False, "classes": classes},
                    **({"outputs": classes} if model.loss == "ce" else {}),
                }
                out.mkdir(parents=True, exist_ok=True)
                write_json(record, out / "run.json")
                write_table(pd.DataFrame({"utterance": test, "part": "test"}), out / "split.csv")
                made = np.stack(
                    [says(name, {**record, "variant": place.variant.name}) for name in test]
                )
                np.save(out / "predictions.npy", made.astype(np.float32))
