"""Audio files as the upstreams want them: mono, 16 kHz, float32."""

import sys
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio

SAMPLE_RATE = 16_000
# What a header may say; beyond it lies a damaged file, and resampling it would fill the memory.
SAMPLE_RATES = range(4_000, 192_001)
# Size of resampling's filter bank; 44.1 kHz needs 160 x 475. A rate without a common divisor
# with 16 kHz, such as 16001 Hz, needs a thousand times more.
MOST_TAPS = 30_000_000


def read(path: Path) -> NDArray[np.float32]:
    """Read an audio file: channels averaged, resampled to 16 kHz.

    Args:
        path: a file in any format that libsndfile knows (WAV, FLAC, OGG, MP3, NIST, ...).

    Returns:
        [samples] float32, full scale is 1.

    Raises:
        InputError: the file is missing, is not audio, or is empty, silent (all samples alike) or
            not finite, or has a sample rate out of the ordinary.
    """
    samples, rate = decode(path)
    if len(samples) == 0:
        raise InputError(f"{path}: empty, it has no samples")
    if not np.isfinite(samples).all():
        raise InputError(f"{path}: has samples that are not finite numbers")
    mono = samples.mean(axis=1, dtype=np.float32)
    if mono.min() == mono.max():
        raise InputError(f"{path}: silent, all its samples are {mono[0]:g}")
    return resample(mono, rate)


def length(path: Path) -> int:
    """About how many samples `read` will give, as the file's header says.

    Raises:
        InputError: the file is missing, or is not audio.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        about = soundfile.info(path)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: a name that ends in .raw
        raise unreadable(path, error) from error
    return int(about.frames * SAMPLE_RATE / about.samplerate)


def decode(path: Path) -> tuple[NDArray[np.float32], int]:
    """The file's own samples, [samples, channels] float32, and their rate in Hz."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    sys.audit("emoword.read", str(path))  # libsndfile opens it unseen; see emoword.audit.recording
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: a name that ends in .raw
        raise unreadable(path, error) from error
    divisor = gcd(rate, SAMPLE_RATE)
    taps = (rate // divisor) * (SAMPLE_RATE // divisor)
    if rate not in SAMPLE_RATES or taps > MOST_TAPS:
        raise InputError(f"{path}: its sample rate is {rate} Hz; convert it to {SAMPLE_RATE} Hz")
    return samples, rate


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """From ``rate`` to 16 kHz by torchaudio's windowed sinc; [ceil(samples * 16000 / rate)]."""
    if rate == SAMPLE_RATE:
        return samples
    resampled: torch.Tensor = torchaudio.functional.resample(
        torch.from_numpy(samples), rate, SAMPLE_RATE
    )
    return resampled.numpy()


def unreadable(path: Path, error: Exception) -> InputError:
    """The error that libsndfile's reason is told in."""
    return InputError(f"{path}: cannot be read as audio: {' '.join(str(error).split())}")
