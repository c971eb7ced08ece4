"""Upstreams: audio in, 50 frames a second out, nothing trained.

``logmel`` and ``mfcc`` are computed here with torchaudio; ``transformers`` is a block of a
pretrained speech model (see `emoword.features.pretrained`).
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoword import settings
from emoword.corpora.audio import SAMPLE_RATE
from emoword.features.shards import FRAMES_PER_SECOND
from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio

HOP = SAMPLE_RATE // FRAMES_PER_SECOND
WINDOW = SAMPLE_RATE * 25 // 1000
# Padded with zeros, the window's spectrum is sampled finely enough (15.6 Hz) that the narrowest
# of up to MOST_MELS mel filters does not fall between two samples.
FFT = 1024
MOST_MELS = 227
# Keeps the logarithm of digital silence finite. The rounding of 16-bit audio lies above it.
FLOOR = 1e-10
COEFFICIENTS = 40

CPU = torch.device("cpu")

About = dict[str, str | int | float | bool | None]


class Upstream(Protocol):
    """What turns an utterance into frames; ``about`` says of it what its settings do not."""

    dim: int
    about: About
    device: torch.device

    def frame_count(self, samples: int) -> int:
        """The number of frames of so many samples at 16 kHz (less than 1: too few samples)."""

    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, dim] float32.

        They may be computed together, and are what each gives alone, within rounding.
        """


class LogMel:
    """Natural logarithm of the power in mel bands (HTK's scale, 0-8 kHz).

    A Hann window of 25 ms every 20 ms; frame i is centred on sample 320 i, zeros lie beyond the
    ends.
    """

    def __init__(self, mels: int = 80, device: torch.device = CPU) -> None:
        if not 1 <= mels <= MOST_MELS:
            raise InputError(f"mels {mels}: from 1 to {MOST_MELS}; with more, some are empty")
        self.power_in_bands = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE,
            n_fft=FFT,
            win_length=WINDOW,
            hop_length=HOP,
            n_mels=mels,
            pad_mode="constant",
        ).to(device)
        self.device = device
        self.dim = mels
        self.about: About = {"floor": FLOOR}

    def frame_count(self, samples: int) -> int:
        """A frame at each multiple of the hop from 0 to ``samples``, both included."""
        return 1 + samples // HOP

    def transformed(self, samples: Tensor) -> Tensor:
        """[samples] -> [frames, dim] float32."""
        return torch.log(self.power_in_bands(samples).clamp(min=FLOOR)).T

    @torch.inference_mode()
    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, dim] float32."""
        given = (torch.from_numpy(samples).to(self.device) for samples in utterances)
        return [np.ascontiguousarray(self.transformed(samples).cpu()) for samples in given]


class Mfcc(LogMel):
    """Mel-frequency cepstral coefficients: the first 40 of the orthonormal DCT-II of `LogMel`."""

    def __init__(self, mels: int = 80, device: torch.device = CPU) -> None:
        super().__init__(mels, device)
        if mels < COEFFICIENTS:
            raise InputError(f"mels {mels}: mfcc needs at least {COEFFICIENTS}")
        self.dct = torchaudio.functional.create_dct(COEFFICIENTS, mels, "ortho").to(device)
        self.dim = COEFFICIENTS
        self.about |= {"coefficients": COEFFICIENTS}

    def transformed(self, samples: Tensor) -> Tensor:
        """[samples] -> [frames, 40] float32."""
        frames: Tensor = super().transformed(samples) @ self.dct
        return frames


def build(made_by: settings.Upstream, device: torch.device) -> Upstream:
    """The upstream of these settings, on a device.

    Raises:
        InputError: a setting is out of range, or the model cannot be loaded.
    """
    if isinstance(made_by, settings.Transformers):
        from emoword.features.pretrained import load  # seconds, and only here

        return load(made_by, device)
    spectral = Mfcc if isinstance(made_by, settings.Mfcc) else LogMel
    return spectral(made_by.mels, device)
