"""Train one run: a model, a fold, a seed."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from emoword.features.device import pick_device, place, surroundings, warn_of_slow_bfloat16
from emoword.features.frames import Features
from emoword.io.errors import InputError
from emoword.io.files import replacing, write_array, write_json, write_table
from emoword.labels.decision import decide, decide_by_words, softmax, unweighted_accuracy
from emoword.labels.words import LabelVectors, read_classes, read_truth, read_words
from emoword.layout import MODEL_OF, SPACELESS, RunSettings, read_settings
from emoword.schemas import UTTERANCES
from emoword.spaces.geometry import unit
from emoword.training.loop import Examples, fit, predict
from emoword.training.losses import centroids
from emoword.training.network import Network, frames_needed
from emoword.training.split import frame_statistics, left_out, split, standardised
from emoword.training.targets import (
    CLASS_LOSSES,
    fingerprint,
    output_costs,
    output_words,
    training_targets,
)

# A run whose predictions have less than this share of the targets' variance has collapsed to one
# vector: what it decides says nothing.
COLLAPSED_BELOW = 0.01


def train(
    settings: Path,
    /,
    *,
    utterances: Path,
    truth: Path,
    targets: Path,
    vectors: Path | None = None,
    features: Path,
    fold: int,
    seed: int = 0,
    device: str = "auto",
    threads: int = 1,
    out: Path,
) -> None:
    r"""Train one run on all folds but one, and predict that one (paper, section 4.3).

    With the losses mse, mae and lc the network predicts the word vector of an utterance's target
    words (section 3); with ce it is the baseline and predicts the class. The controls: cosine
    predicts a word vector, too; soft the shares of the classes among an utterance's labels, and
    soft_words those of all words of the label set that the training part has; co_occurrence as
    soft, where mistakes cost more about a class that raters seldom name where they name others;
    dirichlet a prior distribution from which the raters' labels of the classes are drawn; triplet
    an embedding of which the nearest centroid of the training part's classes decides.

    Written are, in OUT: weights.safetensors (of the epoch with the lowest validation loss, or with
    `watch: ua` the highest UA), history.csv (losses by epoch), split.csv (utterance, part),
    predictions.npy (float32, one row a test utterance, in the order of split.csv; of triplet, the
    cosine similarity with each class's centroid) and run.json (settings, versions, what happened,
    fingerprints of the targets; `outputs`: the words of the columns of predictions.npy, where these
    are classes or words).

        emoword train runs/S2-lc-logmel-embedded-1a2b3c4d/settings.json \
            --utterances utterances.csv --truth targets/S1-1a2b3c4d \
            --targets targets/S2-embedded-1a2b3c4d --vectors vectors/S2-embedded-1a2b3c4d \
            --features features/logmel --fold 1 \
            --out runs/S2-lc-logmel-embedded-1a2b3c4d/fold1-seed0

    The same command gives the same bytes on one machine, however many cores Snakemake has; killed
    and started again, it resumes after an epoch of the last seconds (OUT.checkpoint.safetensors),
    to these bytes. That file stays until Snakemake has finished: where several trainings are one
    job of a cluster, and one of them fails, the others need not be trained again. To start over,
    delete it.

    Args:
        settings: settings.json of the model: label set, loss, network, training.
        utterances: utterances.csv.
        truth: Folder of label set S1, the classes.
        targets: Folder of the label set to train on.
        vectors: Folder of its words' vectors; ce, soft, soft_words, co_occurrence and dirichlet
            need none.
        features: Folder of frames.
        fold: The fold that is left out and predicted; 0: none, for a final model. Its training
            and validation part share all utterances, predictions.npy has no row, and whether it
            collapsed is judged on the validation part.
        seed: Of all that is random.
        device: auto (CUDA, else MPS, else the CPU), cpu, cuda, cuda:1, mps.
        threads: Of a CPU; other numbers give other roundings.
        out: Folder of the run.
    """
    made_by = read_settings(settings, RunSettings)
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed {seed}: give 0 to {2**32 - 1}")
    if threads < 1:
        raise InputError(f"--threads {threads}: at least 1")
    chosen_device = pick_device(device)
    print(place(chosen_device), flush=True)
    warn_of_slow_bfloat16(chosen_device, made_by.training.precision)
    make_deterministic(seed, threads)
    frames = Features.open(features)
    data = read_data(made_by, utterances, truth, targets, vectors, frames, fold, seed)
    network = build_network(made_by, frames, data).to(chosen_device)
    data = replace(data, examples=data.examples.held(chosen_device))
    kept = out.with_name(f"{out.name}.checkpoint.safetensors")
    watched = watched_accuracy(made_by, data) if made_by.training.watch == "ua" else None
    history, best_epoch = fit(
        network, data.part("train"), data.part("validation"), made_by, seed, kept, watched
    )
    judged = "test" if fold else "validation"  # the final model has no test part
    predictions, spread = predicted(made_by, network, data, judged)
    learned, true = data.classes_of("train"), data.classes_of(judged)
    unheard = sorted((learned & true).difference(decided(made_by, data, predictions)))
    run = {
        **described(made_by, fold, seed),
        "epochs": len(history),
        "best_epoch": best_epoch,
        "spread": round(spread, 6),
        "never_predicted": unheard,
        "collapsed": spread < COLLAPSED_BELOW or bool(unheard),
        "utterances": dict(sorted(Counter(data.parts["part"]).items())),
        "settings": msgspec.to_builtins(made_by),
        **surroundings(chosen_device, threads),
        "classes": data.classes,
        **({"outputs": data.outputs} if made_by.loss in CLASS_LOSSES else {}),
        "targets": {part: data.fingerprint(part) for part in ("train", "validation")},
    }
    weights = network.state_dict() | data.statistics
    with replacing(out) as folder:
        folder.mkdir()
        own = {name: tensor.cpu().contiguous() for name, tensor in weights.items()}
        save_file(own, folder / "weights.safetensors")
        write_table(history, folder / "history.csv")
        write_table(data.parts, folder / "split.csv")
        write_array(predictions if fold else predictions[:0], folder / "predictions.npy")
        write_json(run, folder / "run.json")
    said = f"NEVER {', '.join(unheard)}" if unheard else "to one vector"
    state = f"COLLAPSED: {said}" if run["collapsed"] else "done"
    print(f"{state}: best of {len(history)} epochs was {best_epoch}, spread {spread:.3f}")


@dataclass(frozen=True)
class Data:
    """What a run is trained on.

    Attributes:
        examples: every utterance that takes part, with its training target.
        parts: utterance, part (train, validation, test; ``no target``: without words in the label
            set; ``left out``), in the order of ``examples``.
        truth: utterance -> class.
        classes: in the order of the baseline's outputs.
        outputs: what the outputs stand for, where they are classes or words.
        vectors: of the label set's words and the classes; None where classes are predicted.
        statistics: by which the frames of each corpus of a union were standardised, if they were.
    """

    examples: Examples
    parts: pd.DataFrame
    truth: dict[str, str]
    classes: list[str]
    outputs: list[str]
    vectors: LabelVectors | None
    statistics: dict[str, Tensor]

    def part(self, name: str) -> Examples:
        """The utterances of a part."""
        return self.examples.take(np.flatnonzero(self.parts["part"] == name))

    def classes_of(self, name: str) -> set[str]:
        """The classes that the utterances of a part truly have."""
        return {self.truth[utterance] for utterance in self.part(name).names}

    def fingerprint(self, name: str) -> str:
        """The sha256 of what the utterances of a part are trained on."""
        part = self.part(name)
        return fingerprint(part.names, part.targets.numpy())


def read_data(
    made_by: RunSettings,
    utterances: Path,
    truth_folder: Path,
    targets: Path,
    vectors: Path | None,
    features: Features,
    fold: int,
    seed: int,
) -> Data:
    """Read utterances and targets, and split them.

    Utterances without words in the label set are not trained on, but those of the test fold are
    predicted.
    """
    truth, classes = read_truth(truth_folder), read_classes(truth_folder)
    chosen = made_by.training
    corpus = ["corpus"] if chosen.of_a_union else []
    table = UTTERANCES.read(utterances, "utterance", "speaker", "fold", *corpus)
    table = table[table["utterance"].isin(list(truth))].copy()
    table["label"] = table["utterance"].map(truth)
    words = read_words(targets)
    left = left_out(table, words, fold, chosen, made_by.labels)
    parts = split(table, classes, fold, chosen.validation, seed, chosen.validation_by, left)
    names = list(parts["utterance"])
    frames = [features.of(name) for name in names]
    needed = frames_needed(made_by.network)
    short = [name for name, own in zip(names, frames, strict=True) if len(own) < needed]
    if short:
        raise InputError(
            f"{len(short)} utterances have fewer than the {needed} frames that pooling needs: "
            f"{', '.join(short[:5])}; leave them out or pool less (network: pools)"
        )
    known = LabelVectors.open(vectors) if vectors and made_by.loss not in SPACELESS else None
    learned = words[words["utterance"].isin(parts["utterance"][parts["part"] == "train"])]
    outputs = output_words(made_by.loss, learned, classes)
    costs = output_costs(made_by.loss, learned, outputs)
    wanted, has_target = training_targets(made_by.loss, names, words, truth, outputs, known, costs)
    kept = has_target | parts["part"].isin(["test", "left out"])
    parts["part"] = parts["part"].where(kept, "no target")
    for name in ("train", "validation"):
        if not (parts["part"] == name).any():
            raise InputError(
                f"{targets}/words.csv: no words for any utterance of the {name} part; "
                "train on label sets that the dataset has (label_sets)"
            )
    statistics: dict[str, Tensor] = {}
    if chosen.standardise == "corpus":
        frames, statistics = standardised(frames, parts, list(table["corpus"]))
    examples = Examples(names, frames, torch.from_numpy(wanted))
    return Data(examples, parts, truth, classes, outputs, known, statistics)


def watched_accuracy(made_by: RunSettings, data: Data) -> Callable[[NDArray[np.float32]], float]:
    """What early stopping watches in place of the loss: the validation part's UA."""
    if made_by.loss == "triplet":
        raise InputError("watch: ua: triplet decides by centroids, which training has not got yet")
    true = pd.Series([data.truth[name] for name in data.part("validation").names])
    return lambda outputs: unweighted_accuracy(true, pd.Series(decided(made_by, data, outputs)))


def decided(made_by: RunSettings, data: Data, outputs: NDArray[np.float32]) -> list[str]:
    """The class of each output: the nearest (paper, equation 5), or the most probable."""
    if data.vectors and made_by.loss not in CLASS_LOSSES:
        chosen = decide(outputs, data.vectors.vectors_of(data.classes))
    else:
        chosen = decide_by_words(outputs, data.outputs, data.classes, made_by.labels.merge)
    return [data.classes[i] for i in chosen]


def build_network(made_by: RunSettings, features: Features, data: Data) -> Network:
    """The network in its initial state, with the statistics of its training frames."""
    chosen = made_by.training
    outputs = data.vectors.dim if data.vectors else len(data.outputs)
    network = Network(features.dim, outputs, made_by.network, chosen.standardise, chosen.precision)
    if chosen.standardise == "run":
        network.input_mean, network.input_std = frame_statistics(data.part("train").frames)
    return network


def predicted(
    made_by: RunSettings, network: Network, data: Data, part: str
) -> tuple[NDArray[np.float32], float]:
    """Predictions of a part, and their spread; of triplet, by centroids that the network gets."""
    size, heard, train = made_by.training.batch_size, data.part(part), data.part("train")
    outputs = predict(network, heard, size)
    if made_by.loss != "triplet":
        return outputs, spread_of(outputs, heard.targets.numpy(), made_by.loss in CLASS_LOSSES)
    spread = float(unit(outputs).var(axis=0).sum())  # of 1, if spread over the sphere
    embedded = torch.from_numpy(predict(network, train, size))
    network.centroids = centroids(embedded, train.targets, len(data.classes))
    return predict(network, heard, size), spread


def described(made_by: RunSettings, fold: int, seed: int) -> dict[str, Any]:
    """Which run this is."""
    return {
        "model": "baseline" if made_by.loss == "ce" else MODEL_OF[made_by.label_set],
        "label_set": made_by.label_set,
        "loss": made_by.loss,
        "fold": fold,
        "seed": seed,
    }


def make_deterministic(seed: int, threads: int) -> None:
    """The same weights for the same seed: fixed seeds, algorithms and number of threads.

    On a GPU float32 is float32: tensor cores do not round its factors to TF32.
    """
    torch.backends.cudnn.allow_tf32 = False
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for it
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # ... which also fills new memory with NaN, to show who reads it unwritten; nobody does
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def spread_of(
    predictions: NDArray[np.float32], targets: NDArray[np.generic], of_classes: bool
) -> float:
    """How much predictions vary, relative to what they should be: variance over variance.

    Vectors are compared by direction, as the decision is; class logits as probabilities, with the
    one-hot classes or the raters' shares of classes or words.
    """
    if targets.ndim == 2:  # utterances of the test fold may have no target
        there = targets.any(axis=1)
        predictions, targets = predictions[there], targets[there]
    if not of_classes:
        wanted, said = unit(targets.astype(np.float64)), unit(predictions)
    elif targets.ndim == 2:
        wanted = targets / targets.sum(axis=1, keepdims=True, dtype=np.float64)
        said = softmax(predictions)
    else:
        wanted, said = np.eye(predictions.shape[1])[targets.astype(np.intp)], softmax(predictions)
    variance = wanted.var(axis=0).sum()
    return float(said.var(axis=0).sum() / variance) if variance > 0 else 0.0
