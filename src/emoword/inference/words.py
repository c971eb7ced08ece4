"""Words of a space for use: looked up with suggestions, added and taken away, nearest listed."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from emoword.io.errors import InputError, plain
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace

SUGGESTED_FROM = 200_000  # the first words of a space, as most go from frequent to rare
SUGGESTED = 3
# a word that is taken away begins with a hyphen, as options do
Term = Annotated[str, Parameter(allow_leading_hyphen=True)]


def nearest(space: Path, /, *terms: Term) -> None:
    """List the words nearest to a word, or to a sum: arithmetic in a word space (section 3.2).

    The mean of the words' vectors is taken, those after a hyphen with their sign changed: equation
    4 of the paper, and its example, Rome = Paris - France + Italy. The words of the sum themselves
    are not listed. Printed are the ten nearest words with their cosine similarities.

        emoword nearest results/spaces/embedded relief
        emoword nearest results/spaces/embedded anger -sadness

    Args:
        space: Folder of a word space.
        terms: Words; `-sadness` takes one away.
    """
    opened = WordSpace.open(space)
    for word, similarity in near(opened, combined(opened, terms), 10, without=terms):
        print(f"{similarity:7.3f}  {plain(word)}")


def near(
    space: WordSpace, vector: NDArray[np.float32], k: int, without: Sequence[str] = ()
) -> list[tuple[str, float]]:
    """The ``k`` words nearest to a vector [dim], with their cosine similarities.

    ``without``: words (with or without a sign) that are passed over.
    """
    passed = {space.index(term.removeprefix("-")) for term in without}
    rows, similarities = nearest_words(space, vector[None], k + len(passed))
    found = zip(rows[0].tolist(), similarities[0].tolist(), strict=True)
    return [(space.word(row), s) for row, s in found if row not in passed][:k]


def combined(space: WordSpace, terms: Sequence[str]) -> NDArray[np.float32]:
    """The mean of the words' vectors, float32 [dim]; after a hyphen, with their sign changed.

    Raises:
        InputError: no words, one that the space lacks, or they cancel out.
    """
    if not terms:
        raise InputError("no words: name some, such as: anger -sadness")
    vectors = vectors_of(space, [term.removeprefix("-") for term in terms])
    signs = np.array([-1 if term.startswith("-") else 1 for term in terms], np.float64)
    mean: NDArray[np.float32] = (vectors * signs[:, None]).mean(axis=0).astype(np.float32)
    if not mean.any():
        raise InputError(f"{' '.join(terms)}: cancel out, and leave no direction")
    return mean


def vectors_of(space: WordSpace, words: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of words, float32 [words, dim]; an InputError names one that the space lacks."""
    for word in words:
        if word not in space:
            like = spelled_like(space, word)
            hint = f"did you mean {' or '.join(like)}?" if like else "no word is spelled like it"
            raise InputError(f"{word!r} is not in the word space {space.folder}; {hint}")
    return space.vectors_of(words)


def spelled_like(space: WordSpace, word: str) -> list[str]:
    """The words of nearest spelling among the space's first 200,000."""
    count = min(len(space), SUGGESTED_FROM)
    alike = [
        known
        for known in map(space.word, range(count))
        if abs(len(known) - len(word)) <= 2 and known[:1] == word[:1].lower()
    ]
    return difflib.get_close_matches(word.lower(), alike, n=SUGGESTED, cutoff=0.75)
