"""Audio files as the upstreams take them: mono, 16 kHz, float32."""

import io
import re
from collections.abc import Iterable
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
# Full scale is 1; 32-bit integers written as floating-point numbers reach this.
LOUDEST = 2.0**31
# A file with less than this share of what its header says is cut off; encoders of MP3 and careless
# recorders are off by less.
WHOLE = 0.99
# libsndfile's log where a chunk of samples is shorter than its header says, in bytes
CHUNK = re.compile(r"(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)")
UNKNOWN_SIZE = 0x7FFFF000  # or more: said by programs that write to a pipe


def read(path: Path) -> NDArray[np.float32]:
    """Read an audio file (WAV, FLAC, OGG, MP3, NIST, ...): channels averaged, resampled to 16 kHz.

    Returns:
        [samples] float32, full scale is 1.

    Raises:
        InputError: the file is missing, is not audio, is cut off, or is empty, silent (all samples
            alike) or not finite, or has a sample rate out of the ordinary.
    """
    return resample(*decode(path))


def length(path: Path) -> int:
    """How many samples `read` gives (of hours, one more or less); the file is read and checked."""
    samples, rate = decode(path)
    return -(-len(samples) * SAMPLE_RATE // rate)


def decode(path: Path) -> tuple[NDArray[np.float32], int]:
    """The file's own samples, channels averaged, [samples] float32, and their rate in Hz."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with soundfile.SoundFile(io.BytesIO(path.read_bytes())) as file:
            samples = file.read(dtype="float32", always_2d=True)
            rate, promised, log = file.samplerate, file.frames, file.extra_info
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path}: cannot be read as audio: {error.error_string}") from error
    check_whole(str(path), [(promised, len(samples)), *CHUNK.findall(log)])
    check_rate(str(path), rate)
    mono = mono_of(str(path), samples)
    check_not_silent(str(path), mono)
    return mono, rate


def check_whole(name: str, sizes: Iterable[tuple[int | str, int | str]]) -> None:
    """Raise an InputError where less is there than a header claims (claimed, there)."""
    for claimed, there in sizes:
        if int(there) < WHOLE * int(claimed) < UNKNOWN_SIZE:
            share = int(there) / int(claimed)
            raise InputError(f"{name}: is cut off, {share:.0%} of what its header says is there")


def check_rate(name: str, rate: int) -> None:
    """Raise an InputError where a sample rate in Hz is out of the ordinary."""
    divisor = gcd(rate, SAMPLE_RATE)
    taps = (rate // divisor) * (SAMPLE_RATE // divisor)
    if rate not in SAMPLE_RATES or taps > MOST_TAPS:
        raise InputError(f"{name}: its sample rate is {rate} Hz; convert it to {SAMPLE_RATE} Hz")


def mono_of(name: str, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, channels] -> [n], the channels' mean; an InputError where it cannot be used."""
    if len(samples) == 0:
        raise InputError(f"{name}: empty, it has no samples")
    if not np.isfinite(samples).all():
        raise InputError(f"{name}: has samples that are not finite numbers")
    mono: NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32)
    if np.abs(mono).max() > LOUDEST:
        raise InputError(f"{name}: its samples reach {np.abs(mono).max():g}; full scale is 1")
    return mono


def check_not_silent(name: str, mono: NDArray[np.float32]) -> None:
    """Raise an InputError where all samples [n] are alike."""
    if mono.min() == mono.max():
        raise InputError(f"{name}: silent, all its samples are {mono[0]:g}")


def resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """From ``rate`` to 16 kHz by torchaudio's windowed sinc; [ceil(samples * 16000 / rate)]."""
    if rate == SAMPLE_RATE:
        return samples
    resampled: torch.Tensor = torchaudio.functional.resample(
        torch.from_numpy(samples), rate, SAMPLE_RATE
    )
    return resampled.numpy()
