"""The audio of utterances in batches of like length, decoded while other batches are computed."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from emoword.corpora import audio
from emoword.features.upstreams import Upstream
from emoword.io.errors import InputError

FEWEST_FRAMES = 4  # what the network's pooling (2 x 2) needs to leave one
READERS = 2  # threads that decode and resample
NAMED_AT_MOST = 20

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Utterance:
    """An utterance whose audio can be used, and how many samples at 16 kHz it has."""

    name: str
    wav: Path
    samples: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / audio.SAMPLE_RATE


def shard_of(part: str) -> tuple[int, int]:
    """``K/N``: the Kth, from 1, of N shards of the table of utterances, every Nth row of it."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", part)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"--shard {part}: should be K/N, such as 1/4, with K from 1 to N")
    return int(found[1]), int(found[2])


def usable(files: Iterable[tuple[str, str]], upstream: Upstream) -> list[Utterance]:
    """Read all audio (utterance, file) once, before hours are spent: utterances, longest first.

    Raises:
        InputError: names the files that cannot be used, or give less than `FEWEST_FRAMES` frames.
    """

    def look(file: tuple[str, str]) -> Utterance | str:
        name, wav = file
        try:
            utterance = Utterance(name, Path(wav), audio.length(Path(wav)))
        except InputError as error:
            return f"{name}: {error}"
        count = max(0, upstream.frame_count(utterance.samples))
        if count >= FEWEST_FRAMES:
            return utterance
        short = f"too short, {utterance.seconds:.3f} s give {count} frames"
        return f"{name}: {wav}: {short}; at least {FEWEST_FRAMES}"

    with ThreadPoolExecutor(READERS) as pool:
        seen = list(pool.map(look, files))
    bad = [complaint for complaint in seen if isinstance(complaint, str)]
    if bad:
        more = "" if len(bad) <= NAMED_AT_MOST else f"; and {len(bad) - NAMED_AT_MOST} more"
        raise InputError(
            f"{len(bad)} of {len(seen)} utterances cannot be used: "
            f"{'; '.join(bad[:NAMED_AT_MOST])}{more}"
        )
    good = [utterance for utterance in seen if isinstance(utterance, Utterance)]
    return sorted(good, key=lambda utterance: -utterance.samples)


def batches(samples: Sequence[int], seconds: int) -> Iterator[slice]:
    """Cut utterances, the longest first, into batches of at most so many seconds, or of one.

    Padding to the longest of a batch counts; ``samples`` are the utterances' lengths at 16 kHz.
    """
    first = 0
    while first < len(samples):
        room = max(1, seconds * audio.SAMPLE_RATE // samples[first])
        yield slice(first, first + room)
        first += room


def ahead(read: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
    """What ``read`` gives for each item, in order; up to ``most`` are read ahead, by threads."""
    reading: deque[Future[R]] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        for item in items:
            reading.append(pool.submit(read, item))
            if len(reading) > most:
                yield reading.popleft().result()
        while reading:
            yield reading.popleft().result()
