"""Fit a network to utterances, and predict with it: batches, the epoch loop, early stopping."""

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from msgspec.structs import replace as replace_settings
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from emoword.io.closure import fingerprint_with_code
from emoword.io.errors import InputError
from emoword.layout import RunSettings, as_json
from emoword.settings import TrainingSettings
from emoword.spaces.geometry import cosine
from emoword.training import checkpoint
from emoword.training.checkpoint import Progress
from emoword.training.losses import LOSSES
from emoword.training.network import Network
from emoword.training.optimiser import OneCycleAdam

# Batches are sorted by length within this many batches: still random, and on utterances as long as
# IEMOCAP's 9% of a batch is padding (26% within 8 batches, 68% at random).
BATCHES_SORTED_TOGETHER = 32

# Seconds: one after each epoch took some 8% of the training of a small network on a CPU.
BETWEEN_CHECKPOINTS = 5.0


@dataclass(frozen=True)
class Examples:
    """Utterances with their training targets.

    Attributes:
        names: ids [n].
        frames: of each utterance, [frames, dim] as stored: memory-mapped, or copied to a GPU.
        targets: float32 vectors [n, dim] or shares [n, outputs], or int64 class indices [n].
    """

    names: Sequence[str]
    frames: Sequence[Tensor]
    targets: Tensor

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Frames of each utterance [n]."""
        return np.array([len(frames) for frames in self.frames], dtype=np.int64)

    def take(self, which: NDArray[np.intp]) -> "Examples":
        """The chosen utterances, in the order of ``which``."""
        names, frames = [self.names[i] for i in which], [self.frames[i] for i in which]
        return Examples(names, frames, self.targets[which])

    def held(self, device: torch.device) -> "Examples":
        """With frames on a GPU, where they take no more than half of what is free; else as given.

        IEMOCAP's, 1024 wide in float16, are 2.6 GB.
        """
        size = sum(frames.nbytes for frames in self.frames)
        if device.type != "cuda" or size > torch.cuda.mem_get_info(device)[0] // 2:
            return self
        return replace(self, frames=[frames.to(device) for frames in self.frames])


def collated(
    examples: Examples, batches: Sequence[NDArray[np.intp]], device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches on ``device``: frames [batch, longest, dim] as stored, and lengths [batch].

    Beyond the end of an utterance lie zeros. Nothing waits for a GPU that holds the frames: the
    lengths of all batches are sent there at once.
    """
    lengths = torch.from_numpy(examples.lengths[np.concatenate(batches)]).to(device)
    for which, own in zip(batches, lengths.split([len(which) for which in batches]), strict=True):
        frames = pad_sequence([examples.frames[i] for i in which], batch_first=True)
        yield frames.to(device), own


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


def in_epochs(settings: TrainingSettings, utterances: int) -> TrainingSettings:
    """The settings with the epochs that ``steps`` take, rounded up, and patience in epochs.

    >>> found = in_epochs(TrainingSettings(steps=2000, batch_size=16, patience=20), 270)
    >>> found.epochs, found.patience  # 17 batches an epoch; 20 per cent of 118 epochs
    (118, 24)
    """
    if not settings.steps:
        return settings
    epochs = math.ceil(settings.steps / math.ceil(utterances / settings.batch_size))
    patience = math.ceil(settings.patience * epochs / 100)
    return replace_settings(settings, steps=0, epochs=epochs, patience=patience)


def fit(
    network: Network,
    train: Examples,
    validation: Examples,
    made_by: RunSettings,
    seed: int,
    kept: Path,
    watched: Callable[[NDArray[np.float32]], float] | None = None,
) -> tuple[pd.DataFrame, int]:
    """Train with Adam and OneCycle; leave the network with its best epoch's weights.

    The best has the lowest validation loss, or the highest value of ``watched``, which takes the
    outputs of the validation part. ``kept`` is the file of the checkpoint, written after the first
    epoch and then every few seconds; one of the same training is resumed. It stays.

    Returns:
        Columns epoch (from 1), train_loss, validation_loss, learning_rate (after it), and watched
        if something else than the loss was; and the best epoch.

    Raises:
        InputError: a loss is no finite number; names the utterances of the batch.
    """
    settings = in_epochs(made_by.training, len(train.names))
    steps = -(-len(train.names) // settings.batch_size) * settings.epochs
    optimiser = OneCycleAdam(network.parameters(), settings, steps)
    saved = -math.inf
    name = name_of(network, train, validation, made_by, seed)
    progress = checkpoint.restore(kept, name, network, optimiser)
    if progress:
        print(f"resumed after epoch {len(progress.rows)}", file=sys.stderr)
    else:
        progress = Progress(copy.deepcopy(network.state_dict()))
    for epoch in range(len(progress.rows) + 1, settings.epochs + 1):
        if epoch - 1 - progress.best_epoch >= settings.patience:
            break
        begun = time.monotonic()
        train_loss = train_epoch(network, train, optimiser, made_by, seed, epoch)
        outputs = torch.from_numpy(predict(network, validation, settings.batch_size))
        validation_loss = float(LOSSES[made_by.loss](outputs, validation.targets))
        if not np.isfinite(validation_loss):
            raise InputError(
                f"epoch {epoch}: the validation loss is not finite; try a smaller learning rate"
            )
        row: tuple[float, ...] = (epoch, train_loss, validation_loss, optimiser.learning_rate)
        loss = validation_loss
        if watched:
            value = watched(outputs.numpy())
            row, loss = (*row, value), -value
        progress.rows.append(row)
        better = loss < progress.best_loss
        if better:
            progress.best_loss, progress.best_epoch = loss, epoch
            progress.best_weights = copy.deepcopy(network.state_dict())
        if time.monotonic() - saved >= BETWEEN_CHECKPOINTS:
            checkpoint.save(kept, name, progress, network, optimiser)
            saved = time.monotonic()
        seconds = time.monotonic() - begun
        print(
            f"epoch {epoch}/{settings.epochs}: loss {train_loss:.5f}, "
            f"validation {validation_loss:.5f}{' *' if better else ''} ({seconds:.1f} s, "
            f"at most {seconds * (settings.epochs - epoch) / 60:.0f} min left)",
            file=sys.stderr,
            flush=True,
        )
    checkpoint.save(kept, name, progress)
    network.load_state_dict(progress.best_weights)
    names = ["epoch", "train_loss", "validation_loss", "learning_rate"]
    names += ["watched"] if watched else []
    return pd.DataFrame(progress.rows, columns=names), progress.best_epoch


def name_of(
    network: Network, train: Examples, validation: Examples, made_by: RunSettings, seed: int
) -> str:
    """What this training is made of: code, settings, utterances, targets, the initial network.

    The network holds the frames' statistics, and its weights what torch drew.
    """
    chosen = f"{as_json(made_by)} {seed} {torch.get_num_threads()} {network.input_mean.device}"
    own = [torch.__version__.encode(), chosen.encode()]
    for part in (train, validation):
        own += [name.encode() for name in part.names]
        own += [part.lengths.tobytes(), part.targets.numpy().tobytes()]
    own += [tensor.cpu().numpy().tobytes() for tensor in network.state_dict().values()]
    return fingerprint_with_code("training.loop", own)


def train_epoch(
    network: Network,
    train: Examples,
    optimiser: OneCycleAdam,
    made_by: RunSettings,
    seed: int,
    epoch: int,
) -> float:
    """Take a step for every batch; returns the mean loss over the utterances."""
    # What is random in an epoch depends on seed and epoch alone.
    rng = np.random.default_rng([seed, epoch])
    torch.manual_seed(seed * 1_000_003 + epoch)
    device = network.input_mean.device
    network.train()
    batches = list(random_batches(train.lengths, made_by.training.batch_size, rng))
    sizes = [len(which) for which in batches]
    targets = train.targets[np.concatenate(batches)].to(device).split(sizes)
    losses = []
    for (batch, lengths), target in zip(collated(train, batches, device), targets, strict=True):
        loss = LOSSES[made_by.loss](network(batch, lengths), target)
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
    return float(np.average(values, weights=sizes))


def predict(network: Network, examples: Examples, batch_size: int) -> NDArray[np.float32]:
    """The network's outputs in the order of the examples: float32 [n, output_dim].

    Of a trained triplet network, their cosine similarities with its centroids: [n, classes].
    """
    device = network.input_mean.device
    network.eval()
    by_length = np.argsort(examples.lengths, kind="stable")
    batches = [by_length[i : i + batch_size] for i in range(0, len(by_length), batch_size)]
    with torch.inference_mode():
        made = [network(*batch) for batch in collated(examples, batches, device)]
    outputs = np.zeros((len(by_length), network.output.out_features), dtype=np.float32)
    outputs[by_length] = torch.cat(made).cpu().numpy()
    if network.centroids is None:
        return outputs
    centres = network.centroids.cpu().numpy()
    similar: NDArray[np.float32] = cosine(outputs[:, None], centres).astype(np.float32)
    return similar
