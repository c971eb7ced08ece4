"""The network of the paper (Figure 1), for batches of utterances of different lengths.

Three convolutions with max-pooling, two bidirectional LSTM layers, the mean over time, two fully
connected layers and a linear output: the vector of a word space, or the logits of the classes.
Padding changes nothing: a batch gives what its utterances give one at a time.
"""

from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from emoword.io.errors import InputError
from emoword.layout import RunSettings
from emoword.settings import NetworkSettings
from emoword.training.convolution import convolve

Weights = dict[str, Tensor]


def frames_needed(shape: NetworkSettings) -> int:
    """The fewest frames of which convolutions and pooling leave one."""
    frames = 1
    for kernel, pool in zip(reversed(shape.kernels), reversed(shape.pools), strict=True):
        frames = frames * pool + (kernel - 1 if shape.padding == "valid" else 0)
    return frames


def mask_of(lengths: Tensor, time: int) -> Tensor:
    """Which frames are within their utterance: bool [batch, time] from int [batch]."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]


def reverse_within(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each utterance of [batch, time, dim] within its own length; padding stays put."""
    steps = torch.arange(x.shape[1], device=x.device)
    backwards = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return x.gather(1, backwards[:, :, None].expand_as(x))


class Convolution(nn.Module):
    """Convolution over time with zero ("same") padding or none ("valid"), max-pooling, ReLU.

    The largest of a pool is taken with ``amax``, as the backward pass of torch's pooling on CUDA
    adds up in no fixed order.
    """

    def __init__(self, input_dim: int, channels: int, kernel: int, pool: int, padding: str) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(input_dim, channels, kernel)  # holds the parameters
        self.padding = padding
        self.lost = kernel - 1 if padding == "valid" else 0
        self.pool = pool

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, time, dim], zero beyond ``lengths`` -> [batch, time // pool, channels], same."""
        x = convolve(x, self.convolution.weight, self.convolution.bias, self.padding)
        lengths = lengths - self.lost
        if self.pool > 1:
            time = x.shape[1] // self.pool
            x = x[:, : time * self.pool].unflatten(1, (time, self.pool)).amax(2)
            lengths = lengths // self.pool
        # zero again what the kernel smeared into the padding
        return functional.relu(x) * mask_of(lengths, x.shape[1])[:, :, None], lengths


class BidirectionalLSTM(nn.Module):
    """One bidirectional LSTM layer as two plain ones, the second fed with reversed utterances.

    The same numbers as ``nn.LSTM(bidirectional=True)`` over packed sequences, which on a CPU
    spends most of its time in packing.
    """

    def __init__(self, input_dim: int, width: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(input_dim, width, batch_first=True)
        self.backwards = nn.LSTM(input_dim, width, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """[batch, time, dim] -> [batch, time, 2 * width]; what is beyond ``lengths`` is garbage."""
        ahead, _ = self.forwards(x)
        back, _ = self.backwards(reverse_within(x, lengths))
        return torch.cat([ahead, reverse_within(back, lengths)], dim=2)


class Network(nn.Module):
    """Frames of utterances -> one vector an utterance (paper, Figure 1).

    Args:
        input_dim: values a frame.
        output_dim: dimensions of the word space, or classes.
        shape: the sizes of the layers.
        standardise: ``run`` (with ``input_mean`` and ``input_std``, set from the run's training
            utterances), ``utterance`` (each by its own frames) or ``none``.
        precision: ``float32``, or ``bfloat16``: torch's autocast. Convolutions, LSTMs and fully
            connected layers take and give numbers with 8 bits of mantissa, pools and ReLUs between
            them as well; the mean over time, weights, gradients and the optimiser stay in float32.

    Attributes:
        centroids: of a trained triplet network, the classes' centres [classes, output_dim].
    """

    input_mean: Tensor
    input_std: Tensor
    centroids: Tensor | None

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        shape: NetworkSettings,
        standardise: str = "run",
        precision: str = "float32",
    ) -> None:
        super().__init__()
        self.standardise = standardise
        self.precision = precision
        self.register_buffer("input_mean", torch.zeros(input_dim))
        self.register_buffer("input_std", torch.ones(input_dim))
        self.register_buffer("centroids", None)
        dims = [input_dim, *shape.channels]
        self.convolutions = nn.ModuleList(
            Convolution(dims[i], dims[i + 1], kernel, pool, shape.padding)
            for i, (kernel, pool) in enumerate(zip(shape.kernels, shape.pools, strict=True))
        )
        widths = [dims[-1]] + [2 * shape.lstm] * (shape.lstm_layers - 1)
        self.recurrent = nn.ModuleList(BidirectionalLSTM(dim, shape.lstm) for dim in widths)
        dense = [2 * shape.lstm, *shape.hidden]
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(dense))
        self.output = nn.Linear(dense[-1], output_dim)
        self.dropout = nn.Dropout(shape.dropout)
        self.drops_last = shape.lstm_dropout == "each"

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Float [batch, time, input_dim], int [batch] -> [batch, output_dim] of the weights' type.

        What lies in the frames beyond ``lengths`` has to be finite, and does not matter.
        """
        halved = self.precision == "bfloat16"
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=halved):
            x = self.normalised(frames, lengths)
            for convolution in self.convolutions:
                x, lengths = convolution(x, lengths)
            for i, layer in enumerate(self.recurrent):
                x = layer(self.dropout(x) if i else x, lengths)
            x = self.dropout(x) if self.drops_last else x
            x = masked_mean(x.to(self.input_mean.dtype), lengths)
            for linear in self.dense:
                x = self.dropout(functional.relu(linear(x)))
            output: Tensor = self.output(x)
        return output.to(self.input_mean.dtype)

    def normalised(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """The frames standardised, zero beyond their utterance: [batch, time, input_dim]."""
        frames = frames.to(self.input_mean.dtype)
        inside = mask_of(lengths, frames.shape[1])[:, :, None]
        mean, std = self.input_mean, self.input_std
        if self.standardise == "utterance":
            mean = masked_mean(frames, lengths)[:, None, :]
            variance = masked_mean((frames - mean) ** 2, lengths)[:, None, :]
            std = (variance + 1e-8).sqrt()
        # (frames - mean) / std in one pass over the largest tensor there is
        x = torch.addcmul(-mean / std, frames, 1 / std).mul_(inside)
        # rounded here, where autocast would do it after copies have been made
        return x.bfloat16() if self.precision == "bfloat16" else x


def masked_mean(x: Tensor, lengths: Tensor) -> Tensor:
    """The mean over each utterance's own frames: [batch, time, dim] -> [batch, dim]."""
    inside = mask_of(lengths, x.shape[1])[:, :, None]
    return torch.where(inside, x, 0.0).sum(1) / lengths[:, None]


def read_weights(path: Path) -> Weights:
    """The tensors of a safetensors file; nothing in it is ever run.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: damaged or cut short ({error}); copy it again") from None


def network_of(made_by: RunSettings, weights: Weights, input_dim: int, of: str) -> Network:
    """The network of a run, with its weights; errors name ``of``: ``the weights of ...``.

    Raises:
        InputError: weights and settings do not fit.
    """
    outputs, training = len(weights.get("output.bias", ())), made_by.training
    network = Network(input_dim, outputs, made_by.network, training.standardise, training.precision)
    network.centroids = weights.get("centroids")
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise InputError(f"{of} do not fit its settings: {said}") from None
    return network
