"""Constant predictors: what a model reaches that has heard nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoword.evaluation.decide import Judge, Run, read_parts, read_run
from emoword.io.files import write_table
from emoword.labels.encoding import encode
from emoword.layout import read_variant
from emoword.schemas import CONSTANT


def floors(variant: Path, /, *, out: Path) -> None:
    """Decide as constant predictors do: what a model reaches that has heard nothing.

    From the training part of each run of the tables' loss come two constants, which are decided on
    like any prediction: `mean_S1` (mean_S2, mean_S3), the mean of the target vectors of that label
    set, and `majority`, the most frequent class, by its word vector (once a fold and seed; of
    equally frequent classes, the first). Rows are those of decisions.csv, with the loss `constant`.

        emoword floors results/demo/variants/paper.json --out floors.csv

    Args:
        variant: The variant's file.
        out: floors.csv, in the format of decisions.csv.
    """
    place = read_variant(variant)
    judge = Judge.of(place)
    folders = place.runs([place.variant.settings.table_loss])
    runs = (run for folder in folders for run in constants(folder, judge))
    write_table(pd.concat(map(judge.decisions, runs)), out)


def constants(folder: Path, judge: Judge) -> Iterator[Run]:
    """The constant predictors of a run's training part, as runs that were never trained."""
    run, train = read_run(folder), read_parts(folder)["train"]
    label_set, classes = run.record["label_set"], run.record["classes"]
    vectors = encode(judge.targets[label_set], train, judge.space)
    said = {f"mean_{label_set}": vectors.mean(axis=0, dtype=np.float64)}
    if label_set == "S1":
        counts = judge.truth.loc[train].value_counts()
        most = max(classes, key=lambda name: counts.get(name, 0))
        said["majority"] = judge.space.vectors_of([most])[0]
    for model, vector in said.items():
        record = {**run.record, "model": model, "loss": CONSTANT, "collapsed": False}
        predictions = np.tile(vector.astype(np.float32), (len(run.utterances), 1))
        yield Run(record, run.utterances, predictions)
