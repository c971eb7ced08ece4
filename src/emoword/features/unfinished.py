"""Frames that are being computed: whole batches in a folder, so that a killed job goes on.

OUT.unfinished holds frames.npy (its header without the number of frames) and journal.jsonl: first a
line that says what the frames are made of, then a line a batch. A batch counts once its line is
whole; what lies in frames.npy beyond the last one is cut off. In the end the folder becomes OUT.
"""

import fcntl
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from emoword.io.errors import InputError

JOURNAL = "journal.jsonl"
LOCK = "lock"

# what an audio file was when it was read: path, bytes, time of last change in ns
State = tuple[str, int, int]


@dataclass(frozen=True)
class Done:
    """An utterance whose frames are there: which it is, and where they stand."""

    utterance: str
    audio: State
    start: int
    frames: int


class Unfinished:
    """The folder; what of it is of use is in ``done``, in the order of frames.npy."""

    def __init__(
        self,
        folder: Path,
        dim: int,
        dtype: np.dtype[Any],
        made_of: str,
        wanted: Mapping[str, State],
    ) -> None:
        """Open the folder or begin it anew.

        Args:
            folder: OUT.unfinished.
            dim: values a frame.
            dtype: as they are stored.
            made_of: a fingerprint of all that the frames depend on but the audio.
            wanted: utterance -> its audio file now. Batches are of use up to the first that holds
                an utterance that is not wanted, or whose file has changed.
        """
        self.folder = folder
        self.dim = dim
        self.dtype = dtype
        self.done: list[Done] = []
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = (folder / LOCK).open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another job is computing these frames") from None
        except OSError:  # a file system without locks
            pass
        lines = self._useful_lines(made_of, wanted)
        self._write_journal([json.dumps(made_of), *lines])
        self.frames = self.path.open("r+b" if self.path.exists() else "w+b")
        self._write_header(0)
        self.frames.truncate(self.frames.tell() + self.count * dim * dtype.itemsize)
        self.frames.seek(0, os.SEEK_END)
        self.journal = (folder / JOURNAL).open("a", encoding="utf-8")

    @property
    def path(self) -> Path:
        """The file of frames."""
        return self.folder / "frames.npy"

    @property
    def count(self) -> int:
        """How many frames are there."""
        return self.done[-1].start + self.done[-1].frames if self.done else 0

    def append(self, batch: Sequence[tuple[str, State, NDArray[Any]]]) -> None:
        """Write the frames of a batch, [frames, dim] as stored, and then that they are there."""
        if not batch:
            return
        entries = []
        for utterance, audio, frames in batch:
            entries.append(Done(utterance, audio, self.count, len(frames)))
            self.done.append(entries[-1])
            self.frames.write(frames.tobytes())
        settle(self.frames)
        self.journal.write(json.dumps([list(vars(entry).values()) for entry in entries]) + "\n")
        settle(self.journal)

    def finish(self, out: Path) -> None:
        """Complete the header and let the folder become ``out``, with whatever else lies in it.

        Of a folder that is there already and not empty, files are replaced one by one.
        """
        self._write_header(self.count)
        settle(self.frames)
        self.close()
        left = out
        try:
            self.folder.rename(out)  # killed before, all is in the one, killed after, in the other
        except OSError:
            left = self.folder
            for name in ("frames.npy", "index.csv", "meta.json"):
                (left / name).replace(out / name)
        for name in (JOURNAL, LOCK):
            (left / name).unlink()
        if left != out:
            left.rmdir()

    def close(self) -> None:
        """Close the files; what is there stays for the next time."""
        self.frames.close()
        self.journal.close()
        self.lock.close()

    def _useful_lines(self, made_of: str, wanted: Mapping[str, State]) -> list[str]:
        """The journal's lines that count; fills ``done``."""
        try:
            first, *lines = (self.folder / JOURNAL).read_text("utf-8").split("\n")[:-1]
            if json.loads(first) != made_of:
                what = f"{self.folder}: {len(lines)} batches of other settings, code or model"
                print(f"{what} are not used", file=sys.stderr)
                return []
            whole = self.path.stat().st_size - len(header(0, self.dim, self.dtype))
        except (OSError, ValueError):  # no folder yet, or one in which nothing was written
            return []
        room = whole // (self.dim * self.dtype.itemsize)
        useful = []
        for line in lines:
            try:
                batch = [Done(name, (*audio,), *rest) for name, audio, *rest in json.loads(line)]
            except (ValueError, TypeError):  # the machine went down while it was written
                break
            last = batch[-1]
            if last.start + last.frames > room or any(
                wanted.get(entry.utterance) != entry.audio for entry in batch
            ):
                break
            useful.append(line)
            self.done += batch
        return useful

    def _write_journal(self, lines: Sequence[str]) -> None:
        """Replace the journal by these lines."""
        new = self.folder / "journal.new"
        new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        new.replace(self.folder / JOURNAL)

    def _write_header(self, count: int) -> None:
        self.frames.seek(0)
        self.frames.write(header(count, self.dim, self.dtype))


def header(count: int, dim: int, dtype: np.dtype[Any]) -> bytes:
    """Of a .npy file; numpy leaves room in it, so that its size is the same for any ``count``."""
    file = io.BytesIO()
    about = {"descr": dtype.str, "fortran_order": False, "shape": (count, dim)}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue()


def settle(file: IO[Any]) -> None:
    """Let what was written reach the disk."""
    file.flush()
    os.fsync(file.fileno())
