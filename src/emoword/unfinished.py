"""Frames that are being computed: whole batches in a folder, so that a killed job goes on.

OUT.unfinished holds frames.npy (its header without the number of frames), journal.jsonl (first a
line that says what the frames are made of, then a line a batch) and nothing else. A batch counts
once its line is whole; what lies in frames.npy beyond the last one is cut off.
"""

import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

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
        lines = self._useful_lines(made_of, wanted)
        self._write_journal([json.dumps(made_of), *lines])
        self.frames = self.path.open("r+b" if self.path.exists() else "w+b")
        self._write_header(0)
        self.frames.truncate(self.frames.tell() + self.count * dim * dtype.itemsize)
        self.frames.seek(0, os.SEEK_END)
        self.journal = (folder / "journal.jsonl").open("a", encoding="utf-8")

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

    def finish(self, target: Path) -> None:
        """Complete the header and move frames.npy to ``target``; the folder goes."""
        self._write_header(self.count)
        self.close()
        self.path.replace(target)
        shutil.rmtree(self.folder)

    def close(self) -> None:
        """Close the files; what is there stays for the next time."""
        self.frames.close()
        self.journal.close()

    def _useful_lines(self, made_of: str, wanted: Mapping[str, State]) -> list[str]:
        """The journal's lines that count; fills ``done``."""
        try:
            first, *lines = (self.folder / "journal.jsonl").read_text("utf-8").split("\n")[:-1]
            if json.loads(first) != made_of:
                return []
            whole = self.path.stat().st_size - len(header(0, self.dim, self.dtype))
        except (OSError, ValueError):  # no folder yet, or one in which nothing was written
            return []
        room = whole // (self.dim * self.dtype.itemsize)
        useful = []
        for line in lines:
            batch = [Done(name, (*audio,), *rest) for name, audio, *rest in json.loads(line)]
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
        new.replace(self.folder / "journal.jsonl")

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
