"""The linear reference: what mean and deviation of the same frames give to a linear model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from emoword.evaluation.decide import Judge, Run, read_parts, read_run
from emoword.features.frames import Features
from emoword.io.files import write_table
from emoword.labels.encoding import encode
from emoword.layout import read_variant
from emoword.schemas import LINEAR

PENALTIES = tuple(10.0**power for power in range(6, -3, -1))  # of ridge; the strongest first
STRENGTHS = tuple(10.0**power for power in range(-5, 2))  # C of logistic regression; likewise
STEPS = 1000  # of L-BFGS, at most

Floats = NDArray[np.float64]


def linear(variant: Path, /, *, out: Path) -> None:
    """Decide as linear models do that hear the mean and deviation of the networks' frames.

    For each fold and seed, on the split of M1's run: `ridge`, ridge regression on the word vectors
    that M1 is trained on, decided by equation 5; and `logistic`, logistic regression on the
    classes. Both hear two numbers a dimension of the frames, their mean and standard deviation over
    the utterance, standardised by the training part (of the frames as stored: that the network's
    are standardised by its run is an affine change, which changes nothing here). The penalty is
    that of the lowest loss on the validation part, as the networks' epoch is. Rows are those of
    decisions.csv, with the loss `linear`. Frames are read one utterance at a time.

        emoword linear results/demo/variants/paper.json --out results/demo/linear/paper.csv

    Args:
        variant: The variant's file.
        out: linear/paper.csv, in the format of decisions.csv.
    """
    place = read_variant(variant)
    judge, features = Judge.of(place), Features.open(place.features)
    m1 = [place.path(model.folder) for model in place.variant.models if model.name == "M1"]
    folders = place.runs([place.variant.settings.table_loss])
    folders = [folder for folder in folders if folder.parent in m1]
    parts = [read_parts(folder) for folder in folders]
    names = sorted({name for own in parts for part in own.values() for name in part})
    heard = {name: summary(features.of(name).double().numpy()) for name in names}
    with threadpool_limits(1):  # other numbers of threads give other roundings
        tables = [table for folder in folders for table in decided(folder, judge, heard)]
    write_table(pd.concat(tables), out)


def summary(frames: Floats) -> Floats:
    """Mean and standard deviation of an utterance's frames [frames, dim]: [2 dim]."""
    return np.concatenate([frames.mean(axis=0), frames.std(axis=0)])


def decided(folder: Path, judge: Judge, heard: dict[str, Floats]) -> Iterator[pd.DataFrame]:
    """The rows of both models, trained and tested on the split of a run."""
    run, parts = read_run(folder), read_parts(folder)
    scaler = StandardScaler().fit([heard[name] for name in parts["train"]])
    x = {
        part: scaler.transform([heard[name] for name in parts[part]])
        for part in ("train", "validation", "test")
    }
    vectors = {
        part: encode(judge.targets["S1"], parts[part], judge.space).astype(np.float64)
        for part in ("train", "validation")
    }
    classes: list[str] = run.record["classes"]
    places = {
        part: np.array([classes.index(judge.truth[name]) for name in parts[part]])
        for part in ("train", "validation")
    }
    for model, loss, predictions in (
        ("ridge", LINEAR, ridge(x, vectors)),
        # decided by the largest output, as the baseline is
        ("logistic", "ce", logistic(x, places, len(classes))),
    ):
        record = {**run.record, "model": model, "loss": loss, "collapsed": False}
        made = Run(record | {"outputs": classes}, run.utterances, predictions.astype(np.float32))
        yield judge.decisions(made).assign(loss=LINEAR)


def ridge(x: dict[str, Floats], y: dict[str, Floats]) -> Floats:
    """Predictions of ridge regression for the test part, [n, dim].

    ``x`` has the standardised summaries of each part; ``y`` the target vectors of training and
    validation part, in which the penalty has the lowest squared error.
    """

    def error(model: Ridge) -> float:
        return float(np.square(model.predict(x["validation"]) - y["validation"]).mean())

    models = [Ridge(alpha=penalty).fit(x["train"], y["train"]) for penalty in PENALTIES]
    predictions: Floats = min(models, key=error).predict(x["test"])
    return predictions


def logistic(x: dict[str, Floats], y: dict[str, NDArray[np.intp]], classes: int) -> Floats:
    """Probabilities of logistic regression for the test part, [n, classes].

    ``x`` has the standardised summaries of each part; ``y`` the places of the classes in training
    and validation part, in which the penalty has the lowest cross entropy. A class that the
    training part lacks has probability 0.
    """

    def shares(model: LogisticRegression, part: str) -> Floats:
        found = np.zeros((len(x[part]), classes))
        found[:, model.classes_] = model.predict_proba(x[part])
        return found

    def error(model: LogisticRegression) -> float:
        return float(log_loss(y["validation"], shares(model, "validation"), labels=range(classes)))

    models = [
        LogisticRegression(C=strength, max_iter=STEPS).fit(x["train"], y["train"])
        for strength in STRENGTHS
    ]
    return shares(min(models, key=error), "test")
