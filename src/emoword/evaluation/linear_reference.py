"""The linear reference: what mean and deviation of the same frames give to a linear model."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from emoword.evaluation.decide import Judge, Run, read_run
from emoword.evaluation.metrics import LINEAR
from emoword.features.frames import Features
from emoword.io.files import write_table
from emoword.labels.encoding import encode
from emoword.layout import read_variant
from emoword.schemas import SPLIT

PENALTIES = tuple(10.0**power for power in range(6, -3, -1))  # of ridge; the strongest first
STRENGTHS = tuple(10.0**power for power in range(-5, 2))  # C of logistic regression; likewise
STEPS = 1000  # of L-BFGS, at most

Floats = NDArray[np.float64]
Parts = dict[str, list[str]]  # train, validation, test -> utterances


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
    judge = Judge.of(place)
    m1 = [model for model in place.variant.models if model.name == "M1"]
    folders = [
        folder
        for folder in place.runs([place.variant.settings.table_loss])
        if any(folder.is_relative_to(place.path(model.folder)) for model in m1)
    ]
    features = Features.open(place.features)
    splits = [SPLIT.read(folder / "split.csv") for folder in folders]
    names = sorted({str(name) for split in splits for name in split["utterance"]})
    heard = dict(zip(names, summaries(features, names), strict=True))
    with threadpool_limits(1):  # other numbers of threads give other roundings
        tables = [table for folder in folders for table in decided(folder, judge, heard)]
    write_table(pd.concat(tables), out)


def summaries(features: Features, names: Sequence[str]) -> Floats:
    """Mean and standard deviation of each utterance's frames: float64 [n, 2 dim]."""
    heard = np.empty((len(names), 2 * features.dim))
    for row, name in enumerate(names):
        frames = features.of(name).double().numpy()
        heard[row] = np.concatenate([frames.mean(axis=0), frames.std(axis=0)])
    return heard


def decided(folder: Path, judge: Judge, heard: dict[str, Floats]) -> Iterator[pd.DataFrame]:
    """The rows of both models, trained and tested on the split of a run."""
    run = read_run(folder)
    split = SPLIT.read(folder / "split.csv")
    parts = {part: list(rows["utterance"]) for part, rows in split.groupby("part")}
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
        record["outputs"] = classes
        made = Run(record, run.utterances, predictions.astype(np.float32))
        yield judge.decisions(made).assign(loss=LINEAR)


def ridge(x: dict[str, Floats], y: dict[str, Floats]) -> Floats:
    """Predictions of ridge regression for the test part, [n, dim].

    ``x`` has the standardised summaries of each part; ``y`` the target vectors of training and
    validation part, in which the penalty has the lowest squared error.
    """
    models = [Ridge(alpha=penalty).fit(x["train"], y["train"]) for penalty in PENALTIES]
    errors = [
        np.square(model.predict(x["validation"]) - y["validation"]).mean() for model in models
    ]
    predictions: Floats = models[int(np.argmin(errors))].predict(x["test"])
    return predictions


def logistic(x: dict[str, Floats], y: dict[str, NDArray[np.intp]], classes: int) -> Floats:
    """Probabilities of logistic regression for the test part, [n, classes].

    ``x`` has the standardised summaries of each part; ``y`` the places of the classes in training
    and validation part, in which the penalty has the lowest cross entropy. A class that the
    training part lacks has probability 0.
    """
    found: list[tuple[float, Floats]] = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=STEPS).fit(x["train"], y["train"])
        validation, test = (spread(model, x[part], classes) for part in ("validation", "test"))
        found.append((log_loss(y["validation"], validation, labels=range(classes)), test))
    return min(found, key=lambda one: one[0])[1]


def spread(model: LogisticRegression, x: Floats, classes: int) -> Floats:
    """Probabilities by place of the class, also of classes that the model has not seen."""
    shares = np.zeros((len(x), classes))
    shares[:, model.classes_] = model.predict_proba(x)
    return shares
