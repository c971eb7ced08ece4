r"""Train one run (a variant, label set, loss, fold and seed) and predict its test fold.

With --loss mse, mae or lc the network predicts the word vector of an utterance's target words
(paper, section 3); with --loss ce it is the baseline and predicts the class. Out come, in FOLDER:
weights.safetensors (the epoch with the lowest validation loss), history.csv (losses by epoch),
split.csv (utterance, part: train, validation or test), predictions.npy (float32, one row a test
utterance, in the order of split.csv) and run.json (settings, versions, what happened).

    emoword train --utterances utterances.csv --features features/logmel --targets targets \
        --label-set S2 --space SPACE --loss lc --fold 1 --out runs/M2-lc-1

The same command gives the same bytes on one machine, however many cores Snakemake has; killed and
started again, it goes on after the last whole epoch (FOLDER.checkpoint.safetensors) to these bytes.
That file stays after the last epoch, too, until Snakemake has finished: where several trainings
are one job of a cluster, and one of them fails, the others need not be trained again. To train
anew, delete it.
"""

import argparse
import math
import os
import platform
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from emoword import __version__
from emoword.device import pick_device, place
from emoword.encoding import encode, read_targets, unit
from emoword.errors import InputError
from emoword.files import read_json, read_table, replacing, write_json, write_table
from emoword.fitting import Examples, fit, frame_statistics, predict
from emoword.frames import Features
from emoword.network import LOSSES, Network, Shape
from emoword.splits import split
from emoword.word_space import WordSpace

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
        "--standardise",
        choices=["run", "utterance", "none"],
        default="run",
        help="input frames by the run's training utterances, by each utterance's own, or not",
    )
    add("--epochs", type=int, default=100)
    add("--learning-rate", type=float, default=2e-3, help="highest, of OneCycle")
    add("--batch-size", type=int, default=32)
    add("--patience", type=int, default=20, help="epochs without a lower validation loss")
    add("--validation", type=float, default=0.2, help="share of the training folds")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    add("--threads", type=int, default=1, help="of a CPU; other numbers give other roundings")
    add("--out", type=Path, required=True, help="folder of the run")


def main(arguments: argparse.Namespace) -> None:
    """Train, predict, write the run's folder."""
    device = pick_device(arguments.device)
    print(place(device), flush=True)
    make_deterministic(arguments.seed, arguments.threads)
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
    kept = arguments.out.with_name(f"{arguments.out.name}.checkpoint.safetensors")
    history = fit(
        network, features.frames, by_part["train"], by_part["validation"], arguments, kept
    )
    predictions = predict(network, features.frames, by_part["test"], arguments.batch_size)
    spread = spread_of(predictions, by_part["test"].goals.numpy())
    run = record(arguments, device, history, spread, parts)
    run["classes"] = read_json(arguments.targets / "classes.json")
    with replacing(arguments.out) as folder:
        folder.mkdir()
        weights = {name: t.cpu().contiguous() for name, t in network.state_dict().items()}
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
    truth = read_targets(arguments.targets / "S1.csv").set_index("utterance")["word"]
    columns = ["utterance", "speaker", "fold"]
    utterances = read_table(arguments.utterances, columns, {"fold": int})
    utterances = utterances[utterances["utterance"].isin(truth.index)].copy()
    utterances["label"] = truth.loc[utterances["utterance"]].to_numpy()
    parts = split(utterances, classes, arguments.fold, arguments.validation, arguments.seed)
    names = list(parts["utterance"])
    spans = np.array([features.span(name) for name in names], dtype=np.int64)
    needed = math.prod(arguments.pools)
    short = [name for name, (_, length) in zip(names, spans, strict=True) if length < needed]
    if short:
        raise InputError(
            f"{len(short)} utterances have fewer than the {needed} frames that pooling needs: "
            f"{', '.join(short[:5])}; leave them out or pool less (network: pools)"
        )
    if arguments.loss == "ce":
        goals = torch.tensor([classes.index(label) for label in utterances["label"]])
        return Examples(names, spans, goals), parts, len(classes)
    space = WordSpace.open(arguments.space)
    targets = read_targets(arguments.targets / f"{arguments.label_set}.csv")
    has_words = parts["utterance"].isin(targets["utterance"])
    vectors = np.zeros((len(names), space.dim), dtype=np.float32)
    vectors[has_words] = encode(targets, list(parts["utterance"][has_words]), space)
    parts["part"] = parts["part"].where(has_words | (parts["part"] == "test"), "no target")
    return Examples(names, spans, torch.from_numpy(vectors)), parts, space.dim


def build_network(
    arguments: argparse.Namespace, features: Features, train: Examples, output_dim: int
) -> Network:
    """The network in its initial state, with the statistics of its training frames."""
    if not len(arguments.channels) == len(arguments.kernels) == len(arguments.pools):
        raise InputError("--channels, --kernels and --pools must be equally long")
    shape = Shape(
        input_dim=features.dim,
        output_dim=output_dim,
        channels=arguments.channels,
        kernels=arguments.kernels,
        pools=arguments.pools,
        lstm=arguments.lstm,
        lstm_layers=arguments.lstm_layers,
        hidden=arguments.hidden,
        dropout=arguments.dropout,
    )
    network = Network(shape, arguments.standardise)
    if arguments.standardise == "run":
        mean, std = frame_statistics(features.frames, train.spans)
        network.input_mean.copy_(torch.from_numpy(mean))
        network.input_std.copy_(torch.from_numpy(std))
    return network


def record(
    arguments: argparse.Namespace,
    device: torch.device,
    history: pd.DataFrame,
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
        "best_epoch": int(history["epoch"].iloc[history["validation_loss"].argmin()]),
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
    """The same weights for the same seed: fixed seeds, algorithms and number of threads."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for it
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    # use_deterministic_algorithms(True), without importing torch's compiler to tell it so
    torch.set_deterministic_debug_mode("error")


def spread_of(predictions: NDArray[np.float32], goals: NDArray[np.generic]) -> float:
    """How much predictions vary, relative to what they should be: variance over variance.

    Vectors are compared by direction, as the decision is; class logits as probabilities with the
    one-hot classes.
    """
    if goals.ndim == 1:
        wanted = np.eye(predictions.shape[1])[goals.astype(np.intp)]
        exponentials = np.exp(predictions - predictions.max(1, keepdims=True), dtype=np.float64)
        said = exponentials / exponentials.sum(1, keepdims=True)
    else:
        wanted, said = unit(goals.astype(np.float64)), unit(predictions)
        wanted, said = wanted[goals.any(axis=1)], said[goals.any(axis=1)]
    variance = wanted.var(axis=0).sum()
    return float(said.var(axis=0).sum() / variance) if variance > 0 else 0.0
