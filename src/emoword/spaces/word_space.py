"""A word space: words and their vectors, memory-mapped, looked up and searched.

`emoword.spaces.make` makes the folder; this is how the other stages read it.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.spaces.geometry import cosine, lengths, pieces, unit

STORED = ("vectors.npy", "words.txt", "offsets.npy", "order.npy")
VERSION = 1
TIE = 1e-12  # of cosine similarities that differ by rounding alone


class WordSpace:
    """Words and their vectors, memory-mapped; open one with `WordSpace.open`.

    Attributes:
        folder: where it lies.
        vectors: float32 [n, d], read-only.
        dim: d.
        meta: what meta.json says: source, sha256, oddities, filter.
    """

    def __init__(self, folder: Path, meta: Mapping[str, Any]):
        self.folder = folder
        self.meta = meta
        self.vectors: NDArray[np.float32] = _mapped(folder / "vectors.npy")
        self._offsets: NDArray[np.int64] = _mapped(folder / "offsets.npy")
        self._order: NDArray[np.int64] = _mapped(folder / "order.npy")
        self._text = np.asarray(np.memmap(folder / "words.txt", np.uint8, mode="r"))
        self.dim: int = self.vectors.shape[1]

    @classmethod
    def open(cls, folder: Path) -> "WordSpace":
        """Open the word space in ``folder``.

        Raises:
            InputError: there is none, or its files do not belong together.
        """
        remedy = "make it with `emoword space`"
        if not (folder / "meta.json").is_file():
            raise InputError(f"{folder}: no word space here; {remedy}")
        meta = read_json(folder / "meta.json")
        try:
            if meta["version"] != VERSION:
                raise InputError(f"{folder}: of another version of emoword; {remedy} again")
            for name in STORED:
                if (folder / name).stat().st_size != meta["files"][name]["bytes"]:
                    raise InputError(f"{folder / name}: has another size; {remedy} again")
            space = cls(folder, meta)
            n, dim = meta["words"], meta["dim"]
        except (KeyError, TypeError, IndexError, ValueError, OSError) as error:
            raise InputError(f"{folder}: damaged ({error}); {remedy} again") from error
        shapes = [space.vectors.shape, space._offsets.shape, space._order.shape]
        if shapes != [(n, dim), (n + 1,), (n,)] or space._offsets[-1] != len(space._text):
            raise InputError(f"{folder}: its files do not belong together; {remedy} again")
        return space

    def __len__(self) -> int:
        return len(self.vectors)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.index(word) is not None

    def index(self, word: str) -> int | None:
        """Row of ``word`` as written, else of its lower-case form, else None."""
        row = self._row(word)
        return self._row(word.lower()) if row is None else row

    def word(self, index: int) -> str:
        """The word of row ``index``."""
        return self._bytes(range(len(self))[index]).decode()

    def words(self) -> list[str]:
        """All words, in order; for millions of words this takes memory."""
        return self._text.tobytes().decode().split("\n")[:-1]

    def vectors_of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of ``words``, float32 [len(words), d].

        Raises:
            InputError: lists all the words that are not in the space.
        """
        rows = {word: self.index(word) for word in words}
        if missing := [repr(word) for word, row in rows.items() if row is None]:
            raise InputError(f"{self.folder}: not in the word space: {', '.join(missing)}")
        # typed, for an empty list would make a float index
        return self.vectors[np.array([rows[word] for word in words], np.int64)]

    def ranks(self, queries: NDArray[np.floating], word: str) -> NDArray[np.int64]:
        """The place of ``word`` among the words nearest to each query [q, d]: int64 [q], from 1.

        Raises:
            InputError: it is not in the space.
        """
        least = cosine(queries, self.vectors_of([word])[0])[:, None] + TIE
        units, nearer = unit(queries), np.zeros(len(queries), np.int64)
        for piece in pieces(len(self)):
            rows = np.flatnonzero(self.norms[piece]) + piece.start
            nearer += (units @ unit(self.vectors[rows]).T > least).sum(axis=1)
        return nearer + 1

    @cached_property
    def norms(self) -> NDArray[np.float64]:
        """Lengths of the vectors, float64 [n]; 0 for words that are never listed as neighbours."""
        norms = lengths(self.vectors)
        if self.meta.get("hide_phrases"):
            marks = np.flatnonzero(self._text == ord("_"))
            norms[np.searchsorted(self._offsets, marks, side="right") - 1] = 0
        return norms

    def _bytes(self, row: int) -> bytes:
        return self._text[self._offsets[row] : self._offsets[row + 1] - 1].tobytes()

    def _row(self, word: str) -> int | None:
        key = word.encode(errors="surrogatepass")
        place = bisect_left(self._order, key, key=self._bytes)
        if place == len(self):
            return None
        row = int(self._order[place])
        return row if self._bytes(row) == key else None


def _mapped(path: Path) -> NDArray[Any]:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
