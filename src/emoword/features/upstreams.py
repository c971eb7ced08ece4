"""Upstreams: audio in, 50 frames a second out, nothing trained.

``logmel`` and ``mfcc`` are computed here with torchaudio; ``transformers`` is a block of a
pretrained speech model (see `emoword.features.pretrained`).
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from emoword.corpora.audio import SAMPLE_RATE
from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio

FRAMES_PER_SECOND = 50
HOP = SAMPLE_RATE // FRAMES_PER_SECOND
WINDOW = SAMPLE_RATE * 25 // 1000
# Padded with zeros, the window's spectrum is sampled finely enough (15.6 Hz) that the narrowest
# of up to MOST_MELS mel filters does not fall between two samples.
FFT = 1024
MOST_MELS = 227
# Keeps the logarithm of digital silence finite. The rounding of 16-bit audio lies above it.
FLOOR = 1e-10
COEFFICIENTS = 40


class Upstream(Protocol):
    """What turns an utterance into frames."""

    dim: int
    settings: dict[str, str | int | float | bool | None]

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

    def __init__(self, mels: int = 80, device: torch.device | str = "cpu") -> None:
        if not 1 <= mels <= MOST_MELS:
            raise InputError(f"--mels {mels}: from 1 to {MOST_MELS}; with more, some are empty")
        self.power_in_bands = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE,
            n_fft=FFT,
            win_length=WINDOW,
            hop_length=HOP,
            n_mels=mels,
            power=2.0,
            center=True,
            pad_mode="constant",
        ).to(device)
        self.device = device
        self.dim = mels
        self.settings: dict[str, str | int | float | bool | None] = {
            "upstream": "logmel",
            "mels": mels,
            "floor": FLOOR,
        }

    def frame_count(self, samples: int) -> int:
        """A frame at each multiple of the hop from 0 to ``samples``, both included."""
        return 1 + samples // HOP

    @torch.inference_mode()
    def log_mel(self, samples: NDArray[np.float32]) -> torch.Tensor:
        """[samples] -> [frames, mels] float32 on the device."""
        power = self.power_in_bands(torch.from_numpy(samples).to(self.device))
        return torch.log(power.clamp(min=FLOOR)).T

    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, mels] float32."""
        return [np.ascontiguousarray(self.log_mel(samples).cpu()) for samples in utterances]


class Mfcc:
    """Mel-frequency cepstral coefficients: the first 40 of the orthonormal DCT-II of `LogMel`."""

    def __init__(self, mels: int = 80, device: torch.device | str = "cpu") -> None:
        self.log_mel = LogMel(mels, device)
        if mels < COEFFICIENTS:
            raise InputError(f"--mels {mels}: mfcc needs at least {COEFFICIENTS}")
        self.transform = torchaudio.functional.create_dct(COEFFICIENTS, mels, "ortho").to(device)
        self.dim = COEFFICIENTS
        self.settings = self.log_mel.settings | {"upstream": "mfcc", "coefficients": COEFFICIENTS}

    def frame_count(self, samples: int) -> int:
        """As many as `LogMel`'s."""
        return self.log_mel.frame_count(samples)

    @torch.inference_mode()
    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, 40] float32."""
        spectra = (self.log_mel.log_mel(samples) for samples in utterances)
        return [(spectrum @ self.transform).cpu().numpy() for spectrum in spectra]


def build(
    name: str,
    mels: int | None,
    model: str | None,
    layer: int | None,
    device: torch.device,
    closing_norm: bool = False,
    precision: str = "float32",
) -> Upstream:
    """The upstream that the command line names.

    Args:
        name: logmel, mfcc or transformers.
        mels: of logmel and mfcc only; None: 80.
        model: of transformers only: a folder, else a name on the Hugging Face hub.
        layer: of transformers only: the block whose output is taken, from 1.
        device: where it is computed.
        closing_norm: of transformers only: apply the encoder's closing layer norm.
        precision: of transformers only: float32 or bfloat16.

    Raises:
        InputError: a setting is missing, of another upstream or out of range, or the model
            cannot be loaded.
    """
    if name == "transformers":
        if model is None or layer is None:
            raise InputError("--upstream transformers needs --model and --layer")
        if mels is not None:
            raise InputError("--mels is of --upstream logmel and mfcc; a model has its own input")
        from emoword.features.pretrained import load  # seconds, and only here

        return load(model, layer, device, closing_norm, precision)
    if model is not None or layer is not None or closing_norm or precision != "float32":
        raise InputError(
            "--model, --layer, --closing-norm and --precision are of --upstream transformers"
        )
    spectral = LogMel if name == "logmel" else Mfcc
    return spectral(80 if mels is None else mels, device)
