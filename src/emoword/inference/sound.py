"""Recordings as a model hears them: whole, in windows, or as arrays; at 16 kHz, checked."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from emoword.corpora import audio
from emoword.io.errors import InputError

ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} - {".raw"}
ENDINGS |= {".aif", ".sph", ".opus", ".oga"}

T = TypeVar("T")


class Piece(NamedTuple):
    """A stretch of a recording: its file, seconds, and samples [n] float32 at 16 kHz."""

    name: str
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


def windows(path: Path, window: float, hop: float) -> Iterator[Piece]:
    """Stretches of ``window`` seconds, one every ``hop``; the last is shorter. Memory stays flat.

    Each is resampled by itself, so that it is what the stretch would be as a file of its own.
    """
    if not 0 < hop <= window:
        raise InputError(f"--window {window:g} --hop {hop:g}: 0 < hop <= window")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    end = 0.0
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            audio.check_rate(str(path), rate)
            audio.check_whole(str(path), audio.CHUNK.findall(file.extra_info))
            size, step = max(1, round(window * rate)), max(1, round(hop * rate))
            blocks = file.blocks(size, overlap=size - step, dtype="float32", always_2d=True)
            for i, block in enumerate(blocks):
                if len(block):
                    mono, start = audio.mono_of(str(path), block), i * step / rate
                    end = start + len(mono) / rate
                    yield Piece(str(path), start, end, audio.resample(mono, rate))
    except (soundfile.LibsndfileError, OSError) as error:
        said = getattr(error, "error_string", error)
        raise InputError(f"{path}: cannot be read as audio: {said}") from None
    if not end:
        raise InputError(f"{path}: empty, it has no samples")


def given(samples: NDArray[Any], rate: int, name: str = "array") -> Piece:
    """An array as a recording: float [samples] or [samples, channels], full scale is 1."""
    array = np.asarray(samples, dtype=np.float32)
    if array.ndim not in (1, 2) or array.size == 0:
        raise InputError(f"{name}: of shape {array.shape}; [samples] or [samples, channels]")
    audio.check_rate(name, rate)
    mono = audio.mono_of(name, array.reshape(len(array), -1))
    audio.check_not_silent(name, mono)
    return Piece(name, 0.0, len(mono) / rate, audio.resample(mono, rate))


def in_groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in lists of ``size``; the last may be shorter (itertools.batched of Python 3.12)."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
