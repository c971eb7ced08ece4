r"""Constant predictors: what a model reaches that has heard nothing, as floors for the tables.

    emoword floors --runs runs/paper/S*-lc/* --targets targets --space SPACE --out floors.csv

From each run's training part come two constants, which are decided on like any prediction:
`mean_S1` (mean_S2, mean_S3), the mean of the target vectors of that label set, and `majority`, the
most frequent class, by its word vector (once a fold and seed; of equally frequent classes, the
first). Rows are those of decisions.csv, with the loss `constant`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import Judge, Run, add_decision_arguments, read_run
from emoword.io.files import read_table, write_table
from emoword.labels.encoding import encode

LOSS = "constant"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword floors``."""
    add = parser.add_argument
    add("--runs", type=Path, nargs="+", required=True, help="runs of word-embedding models")
    add("--variant", default="paper", help="the name of these runs' settings")
    add("--targets", type=Path, required=True, help="folder of label sets")
    add("--space", type=Path, required=True, help="folder of the word space")
    add("--label-sets", nargs="+", choices=["S1", "S2", "S3"], default=["S1", "S2", "S3"])
    add_decision_arguments(parser)
    add("--out", type=Path, required=True, help="floors.csv, in the format of decisions.csv")


def main(arguments: argparse.Namespace) -> None:
    """Write floors.csv."""
    judge = Judge.read(argparse.Namespace(**vars(arguments), rank_loss=LOSS))
    rows = [
        judge.decisions(constant)
        for folder in arguments.runs
        for constant in constants(folder, judge)
    ]
    write_table(pd.concat(rows), arguments.out)


def constants(folder: Path, judge: Judge) -> Iterator[Run]:
    """The constant predictors of a run's training part, as runs that were never trained."""
    run = read_run(folder)
    split = read_table(folder / "split.csv", ["utterance", "part"])
    train = list(split["utterance"][split["part"] == "train"])
    label_set = run.record["label_set"]
    vectors = encode(judge.targets[label_set], train, judge.space)
    mean = vectors.mean(axis=0, dtype=np.float64)
    yield constant(run, f"mean_{label_set}", mean)
    if label_set == "S1":
        counts = judge.truth.loc[train].value_counts()
        classes = run.record["classes"]
        most = max(classes, key=lambda name: counts.get(name, 0))
        yield constant(run, "majority", judge.space.vectors_of([most])[0])


def constant(run: Run, model: str, vector: NDArray[np.floating]) -> Run:
    """One vector for all of a run's test utterances."""
    record = {**run.record, "model": model, "loss": LOSS, "collapsed": False}
    predictions = np.tile(vector.astype(np.float32), (len(run.utterances), 1))
    return Run(record, run.utterances, predictions)
