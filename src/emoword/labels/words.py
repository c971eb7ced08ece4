"""A label set as other stages read it: its words, and their vectors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.layout import Place
from emoword.schemas import DROPPED, WORDS
from emoword.settings import LabelSet


def read_words(folder: Path) -> pd.DataFrame:
    """Read a label set: utterance, word, count (a multiset of words an utterance).

    Raises:
        InputError: the folder holds no label set, or a count is below one.
    """
    path = folder / "words.csv"
    table = WORDS.read(path)
    if len(wrong := table.index[table["count"] < 1]):
        raise InputError(f"{path}: line {wrong[0] + 2}: a word's count is at least 1")
    return table


def read_truth(folder: Path) -> dict[str, str]:
    """Utterance -> class, in the order of S1's words.csv; ``folder`` is that of S1."""
    return dict(read_words(folder)[["utterance", "word"]].to_numpy())


def read_classes(folder: Path) -> list[str]:
    """The classes of a label set, in the order of the baseline's outputs."""
    classes: list[str] = read_json(folder / "classes.json")
    return classes


def read_label_sets(place: Place) -> dict[LabelSet, pd.DataFrame]:
    """The words of all label sets of a variant: S1, S2, S3 -> utterance, word, count."""
    return {name: read_words(place.targets(name)) for name in place.variant.targets}


def read_summaries(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Label set -> its summary.json."""
    summaries = (read_json(folder / "summary.json") for folder in folders)
    return {summary["label_set"]: summary for summary in summaries}


def read_dropped(place: Place) -> pd.DataFrame:
    """What fell out of a variant's label sets: dropped.csv, with the sets (``S2 S3``)."""
    tables = [
        DROPPED.read(place.targets(name) / "dropped.csv").assign(label_set=name)
        for name in place.variant.targets
    ]
    rows = pd.concat(tables, ignore_index=True)
    # the same label may be left out twice for one reason, so rows are numbered within their set
    rows["nth"] = rows.groupby([*DROPPED.names, "label_set"]).cumcount()
    joined = rows.groupby([*DROPPED.names, "nth"], sort=False)["label_set"].agg(" ".join)
    return joined.reset_index().drop(columns="nth")


@dataclass(frozen=True)
class LabelVectors:
    """Words and their vectors, in memory; those of one label set and of the classes."""

    rows: Mapping[str, int]  # of each word
    vectors: NDArray[np.float32]  # [words, dim]

    @classmethod
    def open(cls, folder: Path) -> "LabelVectors":
        """Read the folder that ``emoword encode`` wrote.

        Raises:
            InputError: there is none, or its files do not belong together.
        """
        try:
            # as bytes: reading as text would take a word's carriage return for the end of a line
            words = (folder / "words.txt").read_bytes().decode().split("\n")[:-1]
            vectors = np.load(folder / "vectors.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{folder}: no vectors of a label set here: {error}") from None
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(words):
            raise InputError(
                f"{folder}: its files do not belong together; run emoword encode again"
            )
        return cls({word: row for row, word in enumerate(words)}, vectors)

    @property
    def dim(self) -> int:
        """Numbers a vector."""
        return int(self.vectors.shape[1])

    def vectors_of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Float32 [len(words), dim]; an InputError names the words that are not there."""
        if lacking := [word for word in words if word not in self.rows]:
            raise InputError(f"no vectors of the words {', '.join(lacking)}; make them again")
        return self.vectors[np.array([self.rows[word] for word in words], np.int64)]
