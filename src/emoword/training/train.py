r"""Train one run (a variant, label set, loss, fold and seed) and predict its test fold.

With --loss mse, mae or lc the network predicts the word vector of an utterance's target words
(paper, section 3); with --loss ce it is the baseline and predicts the class. The controls: cosine
predicts a word vector, too; soft the shares of the classes among an utterance's labels; triplet an
embedding of which the nearest centroid of the training part's classes decides. Out come, in FOLDER:
weights.safetensors (the epoch with the lowest validation loss), history.csv (losses by epoch),
split.csv (utterance, part: train, validation or test), predictions.npy (float32, one row a test
utterance, in the order of split.csv; of triplet, the cosine similarity with each class's centroid)
and run.json (settings, versions, what happened, and fingerprints of the targets).

    emoword train --utterances utterances.csv --features features/logmel --targets targets \
        --label-set S2 --space SPACE --loss lc --fold 1 --out runs/M2-lc-1

The same command gives the same bytes on one machine, however many cores Snakemake has; killed and
started again, it goes on after the last whole epoch (FOLDER.checkpoint.safetensors) to these bytes.
That file stays after the last epoch, too, until Snakemake has finished: where several trainings
are one job of a cluster, and one of them fails, the others need not be trained again. To train
anew, delete it.
"""

import argparse
import os
import platform
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from emoword import __version__
from emoword.features import memory
from emoword.features.device import pick_device, place
from emoword.features.frames import Features
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, replacing, write_json, write_table
from emoword.labels.accuracy import unweighted_accuracy
from emoword.labels.encoding import decide, read_targets, unit
from emoword.spaces.word_space import WordSpace
from emoword.training.goals import CLASS_LOSSES, fingerprint, goals
from emoword.training.loop import Examples, fit, frame_statistics, held, predict
from emoword.training.losses import LOSSES, centroids
from emoword.training.network import Network, Shape, frames_needed
from emoword.training.split import split

# A run whose predictions have less than this share of the targets' variance has collapsed to one
# vector: what it decides says nothing.
COLLAPSED_BELOW = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword train``; the defaults are the paper's."""
    add = parser.add_argument
    add("--utterances", type=Path, required=True, help="utterances.csv")
    add("--features", type=Path, required=True, help="folder of frames")
    add("--targets", type=Path, required=True, help="folder of label sets")
    add("--space", type=Path, required=True, help="folder of the word space")
    add("--label-set", choices=["S1", "S2", "S3"], default="S1", help="what it is trained on")
    add("--loss", choices=list(LOSSES), default="lc", help="ce: the baseline")
    add("--fold", type=int, required=True, help="the fold that is left out and predicted")
    add("--seed", type=int, default=0)
    add("--variant", default="paper", help="name of these settings, recorded only")
    add("--channels", type=int, nargs="+", default=[96, 256, 256], help="of the convolutions")
    add("--kernels", type=int, nargs="+", default=[15, 5, 3], help="of the convolutions")
    add("--pools", type=int, nargs="+", default=[2, 2, 1], help="max-pooling after each; 1: none")
    add("--lstm", type=int, default=64, help="width of a direction")
    add("--lstm-layers", type=int, default=2)
    add("--hidden", type=int, nargs="+", default=[1024, 1024], help="fully connected layers")
    add("--dropout", type=float, default=0.5)
    add(
        "--padding",
        choices=["same", "valid"],
        default="same",
        help="of the convolutions: zeros, so that no frame is lost, or none",
    )
    add(
        "--standardise",
        choices=["run", "utterance", "none"],
        default="run",
        help="input frames by the run's training utterances, by each utterance's own, or not",
    )
    add("--epochs", type=int, default=100)
    add("--learning-rate", type=float, default=2e-3, help="highest, of OneCycle")
    add("--cycle", type=float, default=1.0, help="share of the epochs that OneCycle is planned for")
    add("--optimiser", choices=["adam", "adamw"], default="adam")
    add("--batch-size", type=int, default=32)
    add("--patience", type=int, default=20, help="epochs without a better validation")
    add(
        "--watch",
        choices=["loss", "ua"],
        default="loss",
        help="of the validation part: the lowest loss, or the highest UA, is the best epoch",
    )
    add("--validation", type=float, default=0.2, help="share of the training folds")
    add(
        "--validation-by",
        choices=["utterance", "speaker"],
        default="utterance",
        help="what is drawn at random for validation",
    )
    add(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="of products of matrices, convolutions and LSTMs; bfloat16: faster, rounded more",
    )
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    add("--threads", type=int, default=1, help="of a CPU; other numbers give other roundings")
    add("--out", type=Path, required=True, help="folder of the run")


def main(arguments: argparse.Namespace) -> None:
    """Train, predict, write the run's folder."""
    device = pick_device(arguments.device)
    print(place(device), flush=True)
    make_deterministic(arguments.seed, arguments.threads)
    memory.keep()
    features = Features.open(arguments.features)
    examples, parts, output_dim = read_examples(arguments, features)
    for name in ("train", "validation"):
        if not (parts["part"] == name).any():
            raise InputError(
                f"{arguments.targets}/{arguments.label_set}.csv: no words for any utterance of the "
                f"{name} part; train on label sets that the dataset has (label_sets)"
            )
    by_part = {
        name: examples.take(np.flatnonzero(parts["part"] == name))
        for name in ("train", "validation", "test")
    }
    network = build_network(arguments, features, by_part["train"], output_dim).to(device)
    frames = held(features.frames, device)
    watched = watched_accuracy(arguments, by_part["validation"])
    kept = arguments.out.with_name(f"{arguments.out.name}.checkpoint.safetensors")
    history, best_epoch = fit(
        network, frames, by_part["train"], by_part["validation"], arguments, kept, watched
    )
    predictions = predict(network, frames, by_part["test"], arguments.batch_size)
    weights = {name: t.cpu().contiguous() for name, t in network.state_dict().items()}
    if arguments.loss == "triplet":
        embedded = predict(network, frames, by_part["train"], arguments.batch_size)
        count = len(read_json(arguments.targets / "classes.json"))
        centres = centroids(torch.from_numpy(embedded), by_part["train"].goals, count)
        weights["centroids"] = centres.contiguous()
        spread = float(unit(predictions).var(axis=0).sum())  # of 1, if spread over the sphere
        predictions = (unit(predictions) @ unit(centres.numpy()).T).astype(np.float32)
    else:
        wanted = by_part["test"].goals.numpy()
        spread = spread_of(predictions, wanted, of_classes=arguments.loss in CLASS_LOSSES)
    run = record(arguments, device, history, best_epoch, spread, parts)
    run["classes"] = read_json(arguments.targets / "classes.json")
    run["goals"] = {
        name: fingerprint(by_part[name].names, by_part[name].goals.numpy())
        for name in ("train", "validation")
    }
    with replacing(arguments.out) as folder:
        folder.mkdir()
        save_file(weights, folder / "weights.safetensors")
        write_table(history, folder / "history.csv")
        write_table(parts, folder / "split.csv")
        np.save(folder / "predictions.npy", predictions, allow_pickle=False)
        write_json(run, folder / "run.json")
    state = "COLLAPSED to one vector" if run["collapsed"] else "done"
    print(f"{state}: best of {run['epochs']} epochs was {run['best_epoch']}, spread {spread:.3f}")


def read_examples(
    arguments: argparse.Namespace, features: Features
) -> tuple[Examples, pd.DataFrame, int]:
    """Every utterance that takes part, with its goal; its part; and the network's output size.

    Utterances without words in the label set (part ``no target``) are not trained on, but those
    of the test fold are predicted.

    Raises:
        InputError: names utterances of which pooling would leave no frame; a label set or the
            split is faulty.
    """
    classes: list[str] = read_json(arguments.targets / "classes.json")
    truth = dict(read_targets(arguments.targets / "S1.csv")[["utterance", "word"]].to_numpy())
    columns = ["utterance", "speaker", "fold"]
    utterances = read_table(arguments.utterances, columns, {"fold": int})
    utterances = utterances[utterances["utterance"].isin(list(truth))].copy()
    utterances["label"] = utterances["utterance"].map(truth)
    parts = split(
        utterances,
        classes,
        arguments.fold,
        arguments.validation,
        arguments.seed,
        arguments.validation_by,
    )
    names = list(parts["utterance"])
    spans = np.array([features.span(name) for name in names], dtype=np.int64)
    needed = frames_needed(shape_of(arguments, features, 1))
    short = [name for name, (_, length) in zip(names, spans, strict=True) if length < needed]
    if short:
        raise InputError(
            f"{len(short)} utterances have fewer than the {needed} frames that pooling needs: "
            f"{', '.join(short[:5])}; leave them out or pool less (network: pools)"
        )
    space = None if arguments.loss in ("ce", "soft") else WordSpace.open(arguments.space)
    targets = read_targets(arguments.targets / f"{arguments.label_set}.csv")
    wanted, has_goal = goals(arguments.loss, names, targets, truth, classes, space)
    parts["part"] = parts["part"].where(has_goal | (parts["part"] == "test"), "no target")
    dim = space.dim if space else len(classes)
    return Examples(names, spans, torch.from_numpy(wanted)), parts, dim


def watched_accuracy(
    arguments: argparse.Namespace, validation: Examples
) -> Callable[[NDArray[np.float32]], float] | None:
    """What early stopping watches in place of the loss: the validation part's UA, or nothing."""
    if arguments.watch == "loss":
        return None
    if arguments.loss == "triplet":
        raise InputError("--watch ua: triplet decides by centroids, which training has not got yet")
    classes: list[str] = read_json(arguments.targets / "classes.json")
    truth = read_targets(arguments.targets / "S1.csv").set_index("utterance")["word"]
    true = truth.loc[list(validation.names)].reset_index(drop=True)
    vectors = None
    if arguments.loss not in CLASS_LOSSES:
        vectors = WordSpace.open(arguments.space).vectors_of(classes)

    def accuracy(outputs: NDArray[np.float32]) -> float:
        chosen = outputs.argmax(1) if vectors is None else decide(outputs, vectors)
        return unweighted_accuracy(true, pd.Series([classes[i] for i in chosen]))

    return accuracy


def shape_of(arguments: argparse.Namespace, features: Features, output_dim: int) -> Shape:
    """The network's sizes."""
    if not len(arguments.channels) == len(arguments.kernels) == len(arguments.pools):
        raise InputError("--channels, --kernels and --pools must be equally long")
    return Shape(
        input_dim=features.dim,
        output_dim=output_dim,
        channels=arguments.channels,
        kernels=arguments.kernels,
        pools=arguments.pools,
        lstm=arguments.lstm,
        lstm_layers=arguments.lstm_layers,
        hidden=arguments.hidden,
        dropout=arguments.dropout,
        padding=arguments.padding,
    )


def build_network(
    arguments: argparse.Namespace, features: Features, train: Examples, output_dim: int
) -> Network:
    """The network in its initial state, with the statistics of its training frames."""
    shape = shape_of(arguments, features, output_dim)
    network = Network(shape, arguments.standardise, arguments.precision)
    if arguments.standardise == "run":
        mean, std = frame_statistics(features.frames, train.spans)
        network.input_mean.copy_(torch.from_numpy(mean))
        network.input_std.copy_(torch.from_numpy(std))
    return network


def record(
    arguments: argparse.Namespace,
    device: torch.device,
    history: pd.DataFrame,
    best_epoch: int,
    spread: float,
    parts: pd.DataFrame,
) -> dict[str, Any]:
    """What run.json says: which run this is, how it went, with which settings and versions."""
    return {
        "variant": arguments.variant,
        "model": "baseline" if arguments.loss == "ce" else f"M{arguments.label_set[1:]}",
        "label_set": arguments.label_set,
        "loss": arguments.loss,
        "fold": arguments.fold,
        "seed": arguments.seed,
        "epochs": len(history),
        "best_epoch": best_epoch,
        "spread": round(spread, 6),
        "collapsed": spread < COLLAPSED_BELOW,
        "utterances": dict(sorted(Counter(parts["part"]).items())),
        "settings": {
            name: str(value) if isinstance(value, Path) else value
            for name, value in sorted(vars(arguments).items())
            if name not in ("main", "stage")
        },
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "machine": platform.machine(),
        "versions": {
            "emoword": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def make_deterministic(seed: int, threads: int) -> None:
    """The same weights for the same seed: fixed seeds, algorithms and number of threads.

    On a GPU float32 is float32: tensor cores do not round its factors to TF32.
    """
    torch.backends.cudnn.allow_tf32 = False
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for it
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    # use_deterministic_algorithms(True), without importing torch's compiler to tell it so
    torch.set_deterministic_debug_mode("error")
    # ... which also fills new memory with NaN, to show who reads it unwritten; nobody does
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def spread_of(
    predictions: NDArray[np.float32], goals: NDArray[np.generic], of_classes: bool
) -> float:
    """How much predictions vary, relative to what they should be: variance over variance.

    Vectors are compared by direction, as the decision is; class logits as probabilities, with the
    one-hot classes or the raters' shares of them.
    """
    if goals.ndim == 2:  # utterances of the test fold may have no target
        there = goals.any(axis=1)
        predictions, goals = predictions[there], goals[there]
    if of_classes:
        one_hot = np.eye(predictions.shape[1])
        wanted = one_hot[goals.astype(np.intp)] if goals.ndim == 1 else goals.astype(np.float64)
        exponentials = np.exp(predictions - predictions.max(1, keepdims=True), dtype=np.float64)
        said = exponentials / exponentials.sum(1, keepdims=True)
    else:
        wanted, said = unit(goals.astype(np.float64)), unit(predictions)
    variance = wanted.var(axis=0).sum()
    return float(said.var(axis=0).sum() / variance) if variance > 0 else 0.0
