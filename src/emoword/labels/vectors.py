"""The vectors of a label set's words, so that training needs no word space."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import replacing
from emoword.labels.label_sets import read_classes, read_words
from emoword.spaces.word_space import WordSpace


class LabelVectors:
    """Words and their vectors, in memory; those of one label set and of the classes.

    Attributes:
        words: distinct.
        vectors: float32 [words, dim].
    """

    def __init__(self, words: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self.words = list(words)
        self.vectors = vectors
        self._row = {word: row for row, word in enumerate(self.words)}

    @classmethod
    def open(cls, folder: Path) -> "LabelVectors":
        """Read the folder that ``emoword encode`` wrote.

        Raises:
            InputError: there is none, or its files do not belong together.
        """
        try:
            words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")[:-1]
            vectors = np.load(folder / "vectors.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{folder}: no vectors of a label set here: {error}") from None
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(words):
            raise InputError(
                f"{folder}: words.txt and vectors.npy do not belong together; "
                "make them again with emoword encode"
            )
        return cls(words, vectors)

    @property
    def dim(self) -> int:
        """Numbers a vector."""
        return int(self.vectors.shape[1])

    def vectors_of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of these words, float32 [len(words), dim].

        Raises:
            InputError: names the words that are not there.
        """
        lacking = [word for word in words if word not in self._row]
        if lacking:
            raise InputError(f"no vectors of the words {', '.join(lacking)}; make them again")
        return self.vectors[np.array([self._row[word] for word in words], np.int64)]


def encode_words(targets: Path, /, *, space: Path, out: Path) -> None:
    r"""Look up the vectors of a label set's words, and of the classes, in a word space.

    Written are, in OUT: words.txt (UTF-8, one word a line) and vectors.npy (float32 [words,
    dimensions]). The mean of an utterance's vectors is its training target (paper, equation 4).

        emoword encode targets/S2-embedded-1a2b3c4d --space results/spaces/embedded \
            --out vectors/S2-embedded-1a2b3c4d

    Args:
        targets: Folder of the label set.
        space: Folder of the word space.
        out: Folder of the vectors.
    """
    classes = read_classes(targets)
    words = sorted({*read_words(targets)["word"], *classes})
    opened = WordSpace.open(space)
    lacking = [word for word in classes if word not in opened]
    if lacking:
        raise InputError(
            f"labels that the word space {space} lacks: {', '.join(lacking)}; "
            "give their nouns (labels: nouns) or leave them out (labels: classes)"
        )
    vectors = opened.vectors_of(words)
    null = [word for word, vector in zip(words, vectors, strict=True) if not vector.any()]
    if null:
        raise InputError(f"{space}: the vectors of {', '.join(null)} are zero: no direction")
    with replacing(out) as folder:
        folder.mkdir()
        (folder / "words.txt").write_text("".join(f"{w}\n" for w in words), encoding="utf-8")
        np.save(folder / "vectors.npy", vectors, allow_pickle=False)
    print(f"{len(words)} words, {vectors.shape[1]} dimensions")
