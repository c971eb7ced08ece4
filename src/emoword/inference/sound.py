"""Recordings as a model hears them: whole, in windows, or as arrays; at 16 kHz, checked."""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from math import gcd
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from emoword.corpora import audio
from emoword.io.errors import InputError

# Seconds that are predicted at once: memory grows with them, of a transformer by their square.
LONGEST = 60.0
ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} - {".raw"}
ENDINGS |= {".aif", ".sph", ".opus", ".oga"}


T = TypeVar("T")


class Piece(NamedTuple):
    """A stretch of a recording: seconds, and its samples [n] float32 at 16 kHz."""

    start: float
    end: float
    samples: NDArray[np.float32]

    @property
    def silent(self) -> bool:
        """Whether all samples are alike."""
        return bool(self.samples.min() == self.samples.max())


def seconds(path: Path) -> float:
    """How long the header says that a recording is; 0: no audio, or it does not say."""
    with suppress(soundfile.LibsndfileError, OSError):
        length = float(soundfile.info(str(path)).duration)
        return length if length < 1e6 else 0.0
    return 0.0


def heard(path: Path) -> list[Piece]:
    """A recording of at most `LONGEST` seconds, read whole as training does.

    Raises:
        InputError: as `emoword.corpora.audio.read`.
    """
    samples = audio.read(path)
    return [Piece(0.0, len(samples) / audio.SAMPLE_RATE, samples)]


def parts(path: Path, length: float) -> Iterator[Piece]:
    """A longer recording in parts of equal length of at most `LONGEST` seconds."""
    each = length / math.ceil(length / LONGEST)
    return windows(path, each, each)


def windows(path: Path, window: float, hop: float) -> Iterator[Piece]:
    """Stretches of ``window`` seconds, one every ``hop``; the last is shorter. Memory stays flat.

    Each is resampled by itself, so that it is what the stretch would be as a file of its own.

    Raises:
        InputError: the recording cannot be used, or the window is no window.
    """
    if not 0 < hop <= window:
        raise InputError(f"--window {window:g} --hop {hop:g}: 0 < hop <= window")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with soundfile.SoundFile(path) as file:
            rate = usable_rate(str(path), file.samplerate)
            refuse_cut(path, file.extra_info)
            size, step = max(1, round(window * rate)), max(1, round(hop * rate))
            read = 0
            for i, block in enumerate(
                file.blocks(size, overlap=size - step, dtype="float32", always_2d=True)
            ):
                if len(block):
                    mono = mono_of(str(path), block)
                    read = i * step + len(mono)
                    yield Piece(i * step / rate, read / rate, audio.resample(mono, rate))
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"{path}: cannot be read as audio: {error}") from None
    if read == 0:
        raise InputError(f"{path}: empty, it has no samples")


def refuse_cut(path: Path, log: str) -> None:
    """Raise an InputError where libsndfile's log says that samples are missing."""
    for claimed, there in audio.CHUNK.findall(log):
        if int(there) < audio.WHOLE * int(claimed) < audio.UNKNOWN_SIZE:
            share = int(there) / int(claimed)
            raise InputError(f"{path}: is cut off, {share:.0%} of what its header says is there")


def given(samples: NDArray[Any], rate: int, name: str = "array") -> Piece:
    """An array as a recording: float [samples] or [samples, channels], full scale is 1.

    Raises:
        InputError: it is empty, silent or not finite, or its rate is out of the ordinary.
    """
    array = np.asarray(samples, dtype=np.float32)
    if array.ndim not in (1, 2) or array.size == 0:
        raise InputError(f"{name}: of shape {array.shape}; [samples] or [samples, channels]")
    mono = mono_of(name, array.reshape(len(array), -1))
    if mono.min() == mono.max():
        raise InputError(f"{name}: silent, all its samples are {mono[0]:g}")
    resampled = audio.resample(mono, usable_rate(name, rate))
    return Piece(0.0, len(mono) / rate, resampled)


def mono_of(name: str, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, channels] -> [n], the channels' mean; refuses what is not finite or far too loud."""
    if not np.isfinite(samples).all():
        raise InputError(f"{name}: has samples that are not finite numbers")
    if np.abs(samples).max(initial=0) > audio.LOUDEST:
        raise InputError(f"{name}: its samples reach {np.abs(samples).max():g}; full scale is 1")
    mono: NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32)
    return mono


def usable_rate(name: str, rate: int) -> int:
    """The rate, if `emoword.corpora.audio` resamples it."""
    divisor = gcd(rate, audio.SAMPLE_RATE)
    taps = (rate // divisor) * (audio.SAMPLE_RATE // divisor)
    if rate not in audio.SAMPLE_RATES or taps > audio.MOST_TAPS:
        raise InputError(f"{name}: its sample rate is {rate} Hz; convert it to 16000 Hz")
    return rate


def in_groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in lists of ``size``; the last may be shorter (itertools.batched of Python 3.12)."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
