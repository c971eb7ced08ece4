"""The audio of utterances in batches of like length, decoded while other batches are computed."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoword.corpora import audio
from emoword.features.unfinished import State
from emoword.features.upstreams import Upstream
from emoword.io.errors import InputError

FEWEST_FRAMES = 4  # what the network's pooling (2 x 2) needs to leave one
READERS = 2  # threads that decode and resample
BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Utterance:
    """An utterance whose audio can be looked at, and about how many samples at 16 kHz it has."""

    name: str
    audio: State
    samples: int


def sorted_utterances(files: Iterable[tuple[str, str]]) -> tuple[list[Utterance], list[str]]:
    """The utterances, the longest first, and the reasons of those whose files cannot be opened."""
    utterances, bad = [], []
    for name, wav in files:
        try:
            samples = audio.length(Path(wav))
        except InputError as error:
            bad.append(f"{name}: {error}")
            continue
        state = Path(wav).stat()
        utterances.append(Utterance(name, (wav, state.st_size, state.st_mtime_ns), samples))
    return sorted(utterances, key=lambda utterance: -utterance.samples), bad


def shard_of(part: str) -> tuple[int, int]:
    """``K/N``: the Kth, from 1, of N parts of the table of utterances, every Nth row of it.

    Raises:
        InputError: it is no such thing.
    """
    k, slash, n = part.partition("/")
    if not (slash and k.isascii() and n.isascii() and k.isdigit() and n.isdigit()):
        raise InputError(f"--shard {part}: should be such as 1/4")
    if not 1 <= int(k) <= int(n):
        raise InputError(f"--shard {part}: from 1/{n} to {n}/{n}")
    return int(k), int(n)


def batches(utterances: Sequence[Utterance], seconds: int) -> list[list[Utterance]]:
    """Cut into batches of at most so many seconds, each padded to its longest; at least one each.

    The utterances that a killed job has left are batched as they would have been, as it took whole
    batches in this order.
    """
    made = []
    first = 0
    while first < len(utterances):
        room = seconds * audio.SAMPLE_RATE // max(1, utterances[first].samples)
        made.append(list(utterances[first : first + max(1, room)]))
        first += max(1, room)
    return made


Batch = list[tuple[Utterance, "Future[NDArray[np.float32]]"]]


def read_ahead(planned: Sequence[Sequence[Utterance]], upstream: Upstream) -> Iterator[Batch]:
    """The batches with their samples, which are decoded and resampled while others are computed."""
    ahead: deque[Batch] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        for batch in planned:
            ahead.append([(u, pool.submit(read, Path(u.audio[0]), upstream)) for u in batch])
            if len(ahead) > BATCHES_AHEAD:
                yield ahead.popleft()
        yield from ahead


def read(path: Path, upstream: Upstream) -> NDArray[np.float32]:
    """The samples of a file that gives `FEWEST_FRAMES` or more."""
    samples = audio.read(path)
    count = max(0, upstream.frame_count(len(samples)))
    if count < FEWEST_FRAMES:
        raise InputError(
            f"{path}: too short, {len(samples) / audio.SAMPLE_RATE:.3f} s give {count} frames; "
            f"at least {FEWEST_FRAMES}"
        )
    return samples
