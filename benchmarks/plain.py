"""The peers: features and training as a researcher writes them first. Correct, and not hurried."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers: see there
from emoword.settings import NetworkSettings
from emoword.training.losses import log_cosh

import transformers  # isort: skip


def hidden_states(model: Path, layer: int, wavs: list[Path], out: Path, device: str) -> None:
    """Transformers as documented: one utterance at a time, all blocks; one .npy each."""
    import soundfile

    extractor = transformers.AutoFeatureExtractor.from_pretrained(model)
    network = transformers.AutoModel.from_pretrained(model).eval().to(device)
    for wav in wavs:
        samples, rate = soundfile.read(wav, dtype="float32")
        inputs = extractor(samples, sampling_rate=rate, return_tensors="pt").to(device)
        with torch.no_grad():
            states = network(**inputs, output_hidden_states=True).hidden_states
        np.save(out / f"{wav.stem}.npy", states[layer][0].cpu().numpy())


class Utterances(Dataset[tuple[Tensor, Tensor]]):
    """One .npy of frames an utterance, and its target."""

    def __init__(self, files: list[Path], targets: Tensor) -> None:
        self.files = files
        self.targets = targets

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(np.load(self.files[i])).float(), self.targets[i]


def pad(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Frames [batch, time, dim], lengths [batch], targets [batch, dim]."""
    frames, targets = zip(*batch, strict=True)
    lengths = torch.tensor([len(utterance) for utterance in frames])
    return pad_sequence(list(frames), batch_first=True), lengths, torch.stack(list(targets))


class PlainNetwork(nn.Module):
    """The paper's network out of torch's layers; the numbers of `emoword.training.network`."""

    mean: Tensor
    std: Tensor

    def __init__(self, input_dim: int, output_dim: int, shape: NetworkSettings) -> None:
        super().__init__()
        dims = [input_dim, *shape.channels]
        self.pools = shape.pools
        self.register_buffer("mean", torch.zeros(input_dim))
        self.register_buffer("std", torch.ones(input_dim))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(dims[i], dims[i + 1], kernel, padding="same")
            for i, kernel in enumerate(shape.kernels)
        )
        self.lstms = nn.ModuleList(
            nn.LSTM(dim, shape.lstm, batch_first=True, bidirectional=True)
            for dim in (dims[-1], 2 * shape.lstm)
        )
        self.dropout = nn.Dropout(shape.dropout)
        first, second = shape.hidden
        self.dense = nn.ModuleList([nn.Linear(2 * shape.lstm, first), nn.Linear(first, second)])
        self.output = nn.Linear(second, output_dim)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Float [batch, time, dim], int [batch] -> [batch, output_dim]."""
        x = (frames - self.mean) / self.std
        x = (x * mask(lengths, x.shape[1], x.device)[:, :, None]).transpose(1, 2)
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            x = nn.functional.max_pool1d(torch.relu(convolution(x)), pool)
            lengths = lengths // pool
            x = x * mask(lengths, x.shape[2], x.device)[:, None, :]
        x = x.transpose(1, 2)
        for i, lstm in enumerate(self.lstms):
            packed = pack_padded_sequence(
                self.dropout(x) if i else x, lengths, batch_first=True, enforce_sorted=False
            )
            x, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)  # zeros beyond the end
        x = x.sum(1) / lengths[:, None].to(x.device)
        for linear in self.dense:
            x = self.dropout(torch.relu(linear(x)))
        output: Tensor = self.output(x)
        return output

    def take_weights(self, ours: Any) -> None:
        """The very numbers of an `emoword.training.network.Network`."""
        with torch.no_grad():
            self.mean.copy_(ours.input_mean)
            self.std.copy_(ours.input_std)
            for mine, theirs in zip(self.convolutions, ours.convolutions, strict=True):
                mine.load_state_dict(theirs.convolution.state_dict())
            for mine, theirs in zip(self.lstms, ours.recurrent, strict=True):
                both = theirs.forwards.state_dict()
                both |= {f"{k}_reverse": w for k, w in theirs.backwards.state_dict().items()}
                mine.load_state_dict(both)
        self.dense.load_state_dict(ours.dense.state_dict())
        self.output.load_state_dict(ours.output.state_dict())


def mask(lengths: Tensor, time: int, device: torch.device) -> Tensor:
    """Which frames are within their utterance: bool [batch, time]."""
    return (torch.arange(time) < lengths[:, None]).to(device)


def epoch(
    network: nn.Module, loader: "DataLoader[Any]", optimiser: Any, schedule: Any, device: str
) -> float:
    """An epoch of training; returns the mean loss over the batches' utterances."""
    network.train()
    total, count = 0.0, 0
    for frames, lengths, targets in loader:
        output = network(frames.to(device), lengths)
        loss = log_cosh(output, targets.to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += loss.item() * len(targets)
        count += len(targets)
    return total / count
