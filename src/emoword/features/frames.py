"""The features that ``emoword features`` wrote, as the other stages read them.

A folder of shards, ``shard1of4`` to ``shard4of4``, each with frames.npy ([frames, dim],
memory-mapped), index.csv (utterance, start, frames) and meta.json (`Meta`). numpy has no bfloat16:
such frames lie in frames.npy as the 16-bit integers that have the same bits.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoword.features.shards import Meta, read_shards
from emoword.io.errors import InputError
from emoword.schemas import FRAMES

# What the settings call the numbers -> how they lie in frames.npy.
STORED: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
}


@dataclass(frozen=True)
class Features:
    """Frames of all utterances, [frames, dim] as stored: views of memory-mapped files."""

    folder: Path
    frames: dict[str, Tensor]
    meta: Meta

    @classmethod
    def open(cls, folder: Path) -> "Features":
        """Map the frames into memory; nothing of them is read yet.

        Raises:
            InputError: a shard is missing, or its files or the shards do not belong together.
        """
        shards = read_shards(folder)
        frames: dict[str, Tensor] = {}
        for shard, meta in shards.items():
            frames |= mapped(shard, meta)
        if len(frames) != sum(meta.utterances for meta in shards.values()):
            raise InputError(f"{folder}: an utterance is in two shards; make them again")
        return cls(folder, frames, meta)

    @property
    def dim(self) -> int:
        """Values a frame."""
        return self.meta.dim

    def of(self, utterance: str) -> Tensor:
        """The frames of an utterance; an InputError if there are none."""
        if utterance not in self.frames:
            raise InputError(
                f"{self.folder}: no frames of utterance {utterance}; make them with emoword "
                "features from the same utterances.csv, and with the labels of all classes"
            )
        return self.frames[utterance]


def mapped(folder: Path, meta: Meta) -> dict[str, Tensor]:
    """Utterance -> frames of a shard, in the order of index.csv."""
    table = FRAMES.read(folder / "index.csv")
    path = folder / "frames.npy"
    try:
        # copy on write: torch wants an array that may be written; the file never is
        frames = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not an array of frames: {error}") from error
    start, length = table["start"].to_numpy(), table["frames"].to_numpy()
    order = np.argsort(start, kind="stable")
    # Put in order, each utterance begins where the one before it ends.
    if (
        frames.dtype != STORED[meta.upstream.dtype]
        or frames.shape != (length.sum(), meta.dim)
        or len(set(table["utterance"])) != meta.utterances
        or (length < 1).any()
        or not np.array_equal(start[order], np.cumsum(length[order]) - length[order])
    ):
        raise InputError(
            f"{folder}: frames.npy ({frames.dtype} {list(frames.shape)}), index.csv and meta.json "
            "do not belong together; make them again with emoword features"
        )
    tensor = tensor_of(frames, meta.upstream.dtype)
    spans = zip(table["utterance"], start.tolist(), length.tolist(), strict=True)
    return {name: tensor[first : first + count] for name, first, count in spans}


def tensor_of(stored: NDArray[Any], dtype: str) -> Tensor:
    """Frames as they lie in the file, as the numbers that they are; nothing is copied."""
    tensor = torch.from_numpy(stored)
    return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor
