"""The features that ``emoword features`` wrote, as the other stages read them.

A folder with frames.npy ([total frames, dim], memory-mapped), index.csv (utterance, start,
frames) and meta.json. numpy has no bfloat16: such frames lie in frames.npy as the 16-bit integers
that have the same bits, and meta.json says so.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table

# What meta.json calls the numbers -> how they lie in frames.npy, and how torch takes them.
STORED: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
}


@dataclass(frozen=True)
class Features:
    """Frames of all utterances, [total frames, dim], of a type in `STORED`, and their places."""

    folder: Path
    frames: Tensor
    index: dict[str, tuple[int, int]]
    meta: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "Features":
        """Map the frames into memory; nothing of them is read yet.

        Raises:
            InputError: a file is missing, or the files do not belong together.
        """
        folder = folder if (folder / "meta.json").is_file() else folder / "shard1of1"
        meta = read_json(folder / "meta.json")
        table = read_table(
            folder / "index.csv", ["utterance", "start", "frames"], {"start": int, "frames": int}
        )
        path = folder / "frames.npy"
        try:
            # copy on write: torch wants an array that may be written; the file never is
            frames = np.load(path, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: not an array of frames: {error}") from error
        dtype = str(meta.get("dtype")) if isinstance(meta, dict) else ""
        if frames.ndim != 2 or frames.dtype != STORED.get(dtype):
            raise InputError(
                f"{path}: {frames.dtype} {list(frames.shape)} is no array of frames; "
                f"meta.json says {dtype or 'nothing'}"
            )
        start, length = table["start"].to_numpy(), table["frames"].to_numpy()
        order = np.argsort(start, kind="stable")
        # Put in order, each utterance begins where the one before it ends.
        if (
            table["utterance"].duplicated().any()
            or (length < 1).any()
            or not np.array_equal(start[order], np.cumsum(length[order]) - length[order])
            or length.sum() != len(frames)
            or meta["dim"] != frames.shape[1]
        ):
            raise InputError(
                f"{folder}: frames.npy, index.csv and meta.json do not belong together; "
                "make them anew with emoword features"
            )
        spans = zip(start.tolist(), length.tolist(), strict=True)
        index = dict(zip(table["utterance"], spans, strict=True))
        return cls(folder, as_tensor(frames, dtype), index, meta)

    @property
    def dim(self) -> int:
        """Values a frame."""
        return int(self.frames.shape[1])

    def span(self, utterance: str) -> tuple[int, int]:
        """First frame and number of frames of an utterance.

        Raises:
            InputError: there are no frames of it.
        """
        try:
            return self.index[utterance]
        except KeyError:
            raise InputError(
                f"{self.folder}: no frames of utterance {utterance}; make them with emoword "
                "features from the same utterances.csv, and with the --labels of all classes"
            ) from None

    def of(self, utterance: str) -> Tensor:
        """The frames of an utterance, [frames, dim] as stored, a view of the mapped file."""
        start, length = self.span(utterance)
        return self.frames[start : start + length]


def as_tensor(stored: NDArray[Any], dtype: str) -> Tensor:
    """Frames as they lie in frames.npy -> the same memory as torch takes it."""
    frames = torch.from_numpy(stored)
    return frames.view(torch.bfloat16) if dtype == "bfloat16" else frames
