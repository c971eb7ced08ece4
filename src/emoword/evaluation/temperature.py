"""How sharp a model's class scores are: one temperature a run, fitted on its validation part."""

from collections.abc import Container
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from emoword.evaluation.decide import Run, read_parts, read_run
from emoword.features.frames import Features
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.labels.decision import class_probabilities, counts_as
from emoword.labels.label_sets import rater_words
from emoword.labels.raters import shares
from emoword.labels.words import read_classes, read_truth
from emoword.layout import Place, RunSettings, read_settings, read_variant
from emoword.schemas import ANNOTATIONS, RUN_KEYS, TEMPERATURES
from emoword.spaces.geometry import cosine
from emoword.spaces.word_space import WordSpace
from emoword.training.loop import Examples, predict
from emoword.training.network import network_of, read_weights
from emoword.training.targets import CLASS_LOSSES

Floats = NDArray[np.float64]
WIDEST = 7.0  # the logarithm of the temperature is looked for between this and its negative
LEAST = 1e-30  # of a probability whose logarithm is taken


def temperature(variant: Path, /, *, out: Path) -> None:
    """Fit the temperature of each run: how sharp the softmax of its class scores should be.

    Runs are those of the tables' loss, and those that predict classes. A word-embedding model's
    scores of the classes are the cosine similarities of its prediction with their word vectors;
    those of a model that predicts classes are its logits. Their softmax after division by the
    temperature is a distribution over the classes. The temperature is that of the lowest cross
    entropy with the raters' shares of the classes on the run's validation part
    (Guo et al. 2017, temperature scaling); it changes no decision. Networks are computed on a CPU.

        emoword temperature results/demo/variants/paper.json --out temperatures/paper.csv

    Args:
        variant: The variant's file.
        out: temperatures/paper.csv.
    """
    place = read_variant(variant)
    if place.variant.settings.training.standardise == "corpus":
        raise InputError(f"{variant}: frames standardised by corpus: no temperature is fitted")
    rated = shares_of_raters(place)
    space, features = WordSpace.open(place.space), Features.open(place.features)
    torch.set_num_threads(1)  # other numbers of threads give other roundings
    rows = []
    for folder in place.runs([place.variant.settings.table_loss, *CLASS_LOSSES]):
        run = validated(folder, features, rated)
        if not run.utterances:
            raise InputError(f"{folder}: no utterance of its validation part has raters' classes")
        wanted = np.stack([rated[name] for name in run.utterances])
        scores = class_scores(run, space, place)
        fitted = fit_temperature(scores, wanted)
        keys = {**run.record, "variant": place.variant.name}
        about = (cross_entropy(scores, wanted, t) for t in (1.0, fitted))
        rows.append((*(keys[key] for key in RUN_KEYS), fitted, *about, len(wanted)))
    write_table(pd.DataFrame(rows, columns=TEMPERATURES.names), out)


def shares_of_raters(place: Place) -> dict[str, Floats]:
    """Utterance -> its raters' shares of the classes [classes], where they named any.

    Raises:
        InputError: there are no raters.
    """
    labels, s1 = place.variant.settings.labels, place.targets("S1")
    annotations = ANNOTATIONS.read(place.path("annotations.csv"))
    annotations = annotations[annotations["kind"] == "label"]
    truth = pd.Series(read_truth(s1))
    said, _ = rater_words(annotations, truth, labels, WordSpace.open(place.space))
    if said.empty:
        raise InputError(f"{place.variant.dataset}: no raters, so that nothing can be fitted")
    counts = pd.crosstab(said["utterance"], said["word"])
    mapped = counts_as([*map(str, counts.columns)], read_classes(s1), labels.merge)
    named = zip(counts.index, shares(counts.to_numpy() @ mapped), strict=True)
    return {str(name): own for name, own in named if not np.isnan(own).any()}


def validated(folder: Path, features: Features, rated: Container[str]) -> Run:
    """A run with the rated utterances of its validation part, and what it makes of them."""
    made_by = read_settings(folder.parent / "settings.json", RunSettings)
    weights = read_weights(folder / "weights.safetensors")
    network = network_of(made_by, weights, features.dim, f"the weights of {folder}")
    names = read_parts(folder).get("validation", [])
    examples = Examples(names, [features.of(name) for name in names], torch.zeros(len(names)))
    outputs = predict(network, examples, made_by.training.batch_size)
    kept = [name in rated for name in names]
    return Run(read_run(folder).record, [*compress(names, kept)], outputs[kept])


def class_scores(run: Run, space: WordSpace, place: Place) -> Floats:
    """What a softmax makes a distribution over the classes of: float64 [n, classes]."""
    classes: list[str] = run.record["classes"]
    if run.record["loss"] not in CLASS_LOSSES:
        return cosine(run.predictions[:, None], space.vectors_of(classes))
    outputs = run.record.get("outputs", classes)
    merge = place.variant.settings.labels.merge
    probable = class_probabilities(run.predictions, outputs, classes, merge)
    found: Floats = np.log(np.maximum(probable, LEAST))
    return found


def cross_entropy(scores: Floats, wanted: Floats, temperature: float) -> float:
    """Mean of - sum over classes of share times log probability, in nats; both [n, classes]."""
    return float(-(wanted * log_softmax(scores / temperature, axis=1)).sum(axis=1).mean())


def fit_temperature(scores: Floats, wanted: Floats) -> float:
    """The temperature of the lowest cross entropy, which is convex in its inverse."""
    found = minimize_scalar(
        lambda log: cross_entropy(scores, wanted, float(np.exp(log))),
        bounds=(-WIDEST, WIDEST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))
