"""Label encoding: words -> one vector (paper, equation 4), and vector -> label (equation 5)."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.spaces.word_space import WordSpace

Floats = NDArray[np.floating]


def read_targets(path: Path) -> pd.DataFrame:
    """Read a label set: utterance, word, count (a multiset of words an utterance).

    Raises:
        InputError: the file is no label set, or a count is below one.
    """
    targets = read_table(path, ["utterance", "word", "count"], {"count": int})
    wrong = targets.index[targets["count"] < 1]
    if len(wrong):
        raise InputError(f"{path}: line {wrong[0] + 2}: a word's count is at least 1")
    return targets


def encode(
    targets: pd.DataFrame, utterances: Sequence[str], space: WordSpace
) -> NDArray[np.float32]:
    """The target vectors w = mean of W(y) over an utterance's words (paper, equation 4).

    A word that was named twice counts twice. Sums are made in float64.

    Args:
        targets: utterance, word, count.
        utterances: the utterances wanted, in the order wanted.
        space: the word space W.

    Returns:
        float32 [utterances, dim].

    Raises:
        InputError: an utterance has no words, or a word is not in the space.
    """
    words = sorted(set(targets["word"]))
    column = {word: i for i, word in enumerate(words)}
    row = {utterance: i for i, utterance in enumerate(utterances)}
    counts = np.zeros((len(row), len(words)))
    for utterance, word, count in targets[["utterance", "word", "count"]].itertuples(index=False):
        if utterance in row:
            counts[row[utterance], column[word]] += count
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        bare = utterances[int(np.argmin(totals))]
        raise InputError(f"utterance {bare} has no target words")
    vectors = space.vectors_of(words).astype(np.float64)
    means: NDArray[np.float32] = ((counts / totals) @ vectors).astype(np.float32)
    return means


def unit(vectors: Floats) -> NDArray[np.float64]:
    """Vectors [..., dim] scaled to length one, float64; a zero vector stays zero."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: NDArray[np.float64] = np.divide(
        vectors, length, out=np.zeros_like(vectors), where=length > 0
    )
    return scaled


def cosine(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Cosine similarity row by row: [n, dim], [n, dim] -> float64 [n]; 0 for a zero vector."""
    similarity: NDArray[np.float64] = (unit(a) * unit(b)).sum(axis=-1)
    return similarity


def decide(outputs: Floats, label_vectors: Floats, by: str = "largest") -> NDArray[np.intp]:
    """The label whose vector has the largest cosine similarity with the output (equation 5).

    The paper prints argmin, an erratum. Of equal similarities the first label wins.

    Args:
        outputs: [n, dim].
        label_vectors: [labels, dim].
        by: ``largest``, or ``smallest``: equation 5 to the letter.

    Returns:
        Indices of labels [n].
    """
    similarity = unit(outputs) @ unit(label_vectors).T
    chosen: NDArray[np.intp] = (similarity if by == "largest" else -similarity).argmax(axis=1)
    return chosen


def proportions(words: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """One utterance's words in their exact proportions: the same for targets that are the same.

    Anger twice and sadness twice is the mean of anger and sadness, which floats may hide.

    Args:
        words: columns word and count, of one utterance.

    Returns:
        Words with counts that have no common divisor, in the order of the alphabet.
    """
    divisor = math.gcd(*words["count"])
    counts = (int(count) // divisor for count in words["count"])
    return tuple(sorted(zip(words["word"], counts, strict=True)))


def ranked_words(targets: pd.DataFrame, ties: str = "frequent") -> pd.Series:
    """Each utterance's words, most frequent first: utterance -> tuple of words (l1, l2, ...).

    The paper gives no rule for ties within an utterance. They go to the word that is named more
    often in the whole label set (``rare``: less often), then to the alphabet.
    """
    overall = targets.groupby("word")["count"].sum().rename("overall")
    overall *= 1 if ties == "frequent" else -1
    ordered = targets.join(overall, on="word").sort_values(
        ["utterance", "count", "overall", "word"], ascending=[True, False, False, True]
    )
    return ordered.groupby("utterance")["word"].agg(tuple)
