"""To and from gensim: any word space as a ``KeyedVectors``, and back."""

from pathlib import Path
from typing import Any

import numpy as np

from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space


def to_keyed_vectors(space: WordSpace) -> Any:
    """The space as a gensim ``KeyedVectors``, in memory."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(space.dim)
    vectors.add_vectors(space.words(), np.array(space.vectors))
    return vectors


def from_keyed_vectors(vectors: Any, folder: Path) -> WordSpace:
    """Write a gensim ``KeyedVectors`` as a word space in ``folder``, and open it."""
    n = len(vectors.key_to_index)  # where gensim passed over duplicates, None fills up the end
    words = [word.encode() for word in vectors.index_to_key[:n]]
    source = {"source": "gensim KeyedVectors", "format": "keyed-vectors"}
    write_space([(words, np.asarray(vectors.vectors[:n], np.float32))], folder, source)
    return WordSpace.open(folder)
