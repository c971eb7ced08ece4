"""Fit a network to utterances, and predict with it: batches, the epoch loop, early stopping."""

import argparse
import copy
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoword import checkpoint
from emoword.checkpoint import Progress
from emoword.errors import InputError
from emoword.losses import LOSSES
from emoword.network import Network
from emoword.optimiser import WEIGHT_DECAY, OneCycleAdam

# Batches are sorted by length within this many batches: little padding, and still random.
BATCHES_SORTED_TOGETHER = 8


@dataclass(frozen=True)
class Examples:
    """Utterances with what the network is to say of them.

    Attributes:
        names: ids [n].
        spans: int64 [n, 2], first frame and number of frames.
        goals: what the loss wants: float32 vectors [n, dim] or class shares [n, classes], or
            int64 class indices [n].
    """

    names: Sequence[str]
    spans: NDArray[np.int64]
    goals: Tensor

    def take(self, which: NDArray[np.intp]) -> "Examples":
        """The chosen utterances, in the order of ``which``."""
        return Examples([self.names[i] for i in which], self.spans[which], self.goals[which])


def frame_statistics(
    frames: NDArray[np.floating], spans: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each dimension over the frames of the spans.

    Args:
        frames: [all frames, dim], may be memory-mapped; one span is in memory at a time.
        spans: int64 [utterances, 2], first frame and number of frames.

    Returns:
        Two float32 [dim], summed in float64; a constant dimension has deviation 1.
    """
    count = spans[:, 1].sum()
    mean = sum(frames[s : s + n].sum(0, dtype=np.float64) for s, n in spans) / count
    squares = sum(((frames[s : s + n] - mean) ** 2).sum(0) for s, n in spans) / count
    std = np.sqrt(squares)
    std[std < 1e-6] = 1.0
    return mean.astype(np.float32), std.astype(np.float32)


def collate(frames: NDArray[np.floating], spans: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Gather utterances into one padded batch: float32 [batch, time, dim], int64 [batch]."""
    batch = np.zeros((len(spans), spans[:, 1].max(), frames.shape[1]), dtype=np.float32)
    for i, (start, length) in enumerate(spans):
        batch[i, :length] = frames[start : start + length]
    return torch.from_numpy(batch), torch.from_numpy(spans[:, 1].copy())


def random_batches(
    lengths: NDArray[np.int64], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Every index once, in random batches whose utterances are of similar length."""
    order = rng.permutation(len(lengths))
    together = size * BATCHES_SORTED_TOGETHER
    batches: list[NDArray[np.intp]] = []
    for first in range(0, len(order), together):
        chunk = order[first : first + together]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def fit(
    network: Network,
    frames: NDArray[np.floating],
    train: Examples,
    validation: Examples,
    settings: argparse.Namespace,
    kept: Path,
    watched: Callable[[NDArray[np.float32]], float] | None = None,
) -> tuple[pd.DataFrame, int]:
    """Train with Adam and OneCycle; leave the network with its best epoch's weights.

    Args:
        network: in its initial state.
        frames: [all frames, dim], memory-mapped.
        train: the utterances to learn from.
        validation: the utterances that choose the epoch.
        settings: epochs, learning_rate, cycle, optimiser, batch_size, patience, loss, seed.
        kept: the file of the checkpoint that is written after each epoch; if it is there already,
            and of the same training, that training goes on. It is left there.
        watched: what makes an epoch the best: its outputs for the validation part -> the higher
            the better; None: the lowest validation loss.

    Returns:
        Columns epoch (from 1), train_loss, validation_loss, learning_rate (after it), and watched
        if something else than the loss was; and the best epoch.

    Raises:
        InputError: a loss is no finite number; names the utterances of the batch.
    """
    steps = -(-len(train.names) // settings.batch_size)
    planned = round(settings.cycle * steps * settings.epochs)
    decay = WEIGHT_DECAY if settings.optimiser == "adamw" else 0.0
    optimiser = OneCycleAdam(network.parameters(), settings.learning_rate, planned, decay)
    name = name_of(network, train, validation, settings)
    progress = checkpoint.restore(kept, name, network, optimiser)
    if progress:
        print(f"going on after epoch {len(progress.rows)}", file=sys.stderr)
    else:
        progress = Progress(copy.deepcopy(network.state_dict()))
    for epoch in range(len(progress.rows) + 1, settings.epochs + 1):
        if epoch - 1 - progress.best_epoch >= settings.patience:
            break
        train_loss = train_epoch(network, frames, train, optimiser, settings, epoch)
        outputs = torch.from_numpy(predict(network, frames, validation, settings.batch_size))
        validation_loss = float(LOSSES[settings.loss](outputs, validation.goals))
        if not np.isfinite(validation_loss):
            raise InputError(
                f"epoch {epoch}: the validation loss is not finite; try a smaller learning rate"
            )
        row = (epoch, train_loss, validation_loss, optimiser.learning_rate)
        value = watched(outputs.numpy()) if watched else None
        progress.rows.append(row if value is None else (*row, value))
        loss = validation_loss if value is None else -value
        better = loss < progress.best_loss
        if better:
            progress.best_loss, progress.best_epoch = loss, epoch
            progress.best_weights = copy.deepcopy(network.state_dict())
        checkpoint.save(kept, name, network, optimiser, progress)
        print(
            f"epoch {epoch}/{settings.epochs}: loss {train_loss:.5f}, "
            f"validation {validation_loss:.5f}{' *' if better else ''}",
            file=sys.stderr,
            flush=True,
        )
    checkpoint.save_last(kept, name, progress)
    network.load_state_dict(progress.best_weights)
    names = ["epoch", "train_loss", "validation_loss", "learning_rate"]
    names += ["watched"] if watched else []
    return pd.DataFrame(progress.rows, columns=names), progress.best_epoch


def name_of(
    network: Network, train: Examples, validation: Examples, settings: argparse.Namespace
) -> str:
    """What this training is made of: code, settings, utterances, goals, the network it starts from.

    The network holds the frames' statistics, and its weights what torch drew.
    """
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    own = {name: str(value) for name, value in vars(settings).items() if name != "main"}
    parts = [torch.__version__, json.dumps(own, sort_keys=True), *train.names, *validation.names]
    weights = [tensor.cpu().numpy() for tensor in network.state_dict().values()]
    arrays = [
        *weights,
        train.spans,
        train.goals.numpy(),
        validation.spans,
        validation.goals.numpy(),
    ]
    return checkpoint.fingerprint(
        [*code, *(part.encode() for part in parts), *(array.tobytes() for array in arrays)]
    )


def train_epoch(
    network: Network,
    frames: NDArray[np.floating],
    train: Examples,
    optimiser: OneCycleAdam,
    settings: argparse.Namespace,
    epoch: int,
) -> float:
    """Take a step for every batch; returns the mean loss over the utterances.

    Raises:
        InputError: the loss is no finite number; names the utterances of the batch.
    """
    # What is random in an epoch depends on seed and epoch alone.
    rng = np.random.default_rng([settings.seed, epoch])
    torch.manual_seed(settings.seed * 1_000_003 + epoch)
    device = network.input_mean.device
    network.train()
    losses, batches = [], list(random_batches(train.spans[:, 1], settings.batch_size, rng))
    for which in batches:
        batch, lengths = collate(frames, train.spans[which])
        output = network(batch.to(device), lengths.to(device))
        loss = LOSSES[settings.loss](output, train.goals[which].to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())  # read at the end: no waiting for a GPU in between
    values = torch.stack(losses).cpu().numpy().astype(np.float64)
    if not np.isfinite(values).all():
        wrong = batches[int(np.argmin(np.isfinite(values)))]
        raise InputError(
            f"epoch {epoch}: the loss is not finite in the batch of "
            f"{', '.join(train.names[i] for i in wrong)}; try a smaller learning rate, and look at "
            "these utterances' features"
        )
    return float(np.average(values, weights=[len(which) for which in batches]))


def predict(
    network: Network, frames: NDArray[np.floating], examples: Examples, batch_size: int
) -> NDArray[np.float32]:
    """The network's outputs in the order of the examples: float32 [n, output_dim]."""
    device = network.input_mean.device
    network.eval()
    by_length = np.argsort(examples.spans[:, 1], kind="stable")
    outputs = np.zeros((len(by_length), network.output.out_features), dtype=np.float32)
    with torch.inference_mode():
        for first in range(0, len(by_length), batch_size):
            which = by_length[first : first + batch_size]
            batch, lengths = collate(frames, examples.spans[which])
            outputs[which] = network(batch.to(device), lengths.to(device)).cpu().numpy()
    return outputs
