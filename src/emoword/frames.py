"""The features that ``emoword features`` wrote, as the other stages read them.

A folder with frames.npy ([total frames, dim], memory-mapped), index.csv (utterance, start,
frames) and meta.json.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoword.errors import InputError
from emoword.files import read_json, read_table


@dataclass(frozen=True)
class Features:
    """Frames of all utterances, [total frames, dim] float32 or float16, and where each stands."""

    folder: Path
    frames: NDArray[np.floating[Any]]
    index: dict[str, tuple[int, int]]
    meta: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "Features":
        """Map the frames into memory; nothing of them is read yet.

        Raises:
            InputError: a file is missing, or the files do not belong together.
        """
        meta = read_json(folder / "meta.json")
        table = read_table(
            folder / "index.csv", ["utterance", "start", "frames"], {"start": int, "frames": int}
        )
        path = folder / "frames.npy"
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: not an array of frames: {error}") from error
        if frames.ndim != 2 or frames.dtype not in (np.float32, np.float16):
            raise InputError(f"{path}: {frames.dtype} {list(frames.shape)} is no array of frames")
        start, length = table["start"].to_numpy(), table["frames"].to_numpy()
        order = np.argsort(start, kind="stable")
        # Put in order, each utterance begins where the one before it ends.
        if (
            table["utterance"].duplicated().any()
            or (length < 1).any()
            or not np.array_equal(start[order], np.cumsum(length[order]) - length[order])
            or length.sum() != len(frames)
            or not isinstance(meta, dict)
            or meta.get("dim") != frames.shape[1]
        ):
            raise InputError(
                f"{folder}: frames.npy, index.csv and meta.json do not belong together; "
                "make them anew with emoword features"
            )
        spans = zip(start.tolist(), length.tolist(), strict=True)
        return cls(folder, frames, dict(zip(table["utterance"], spans, strict=True)), meta)

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
                f"{self.folder}: no frames of utterance {utterance}; make them with "
                "emoword features from the same utterances.csv"
            ) from None

    def of(self, utterance: str) -> NDArray[np.floating[Any]]:
        """The frames of an utterance, [frames, dim] as stored, a view of the mapped file."""
        start, length = self.span(utterance)
        return self.frames[start : start + length]
