"""Words of the same meaning, so that `sorrow` counts for `sadness`."""

from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

FILE = "resources/wordnet.synonyms.txt"


@cache
def synonyms() -> Mapping[str, frozenset[str]]:
    """Synonyms of the words for emotions: word -> other words (WordNet 3.0, any sense).

    The file is made by scripts/embed_synonyms.py, which says what a synonym is.
    """
    text = (resources.files("emoword") / FILE).read_text("utf-8")
    lines = (line.split() for line in text.splitlines())
    return {word: frozenset(own) for word, *own in lines}


def same_meaning(word: str) -> frozenset[str]:
    """The word and its synonyms; a word that is none for an emotion has only itself.

    >>> "sorrow" in same_meaning("sadness"), "grief" in same_meaning("sadness")
    (True, False)
    """
    return synonyms().get(word, frozenset()) | {word}


def set_precision(said: Collection[str], true: Collection[str]) -> float:
    """Share of the words said that mean what a true word means (OV-MER, arXiv 2410.01495).

    >>> set_precision(["sorrow", "joy"], ["sadness", "anger"])
    0.5
    """
    right = frozenset[str]().union(*map(same_meaning, true))
    return sum(word in right for word in said) / len(said)


def set_recall(said: Collection[str], true: Collection[str]) -> float:
    """Share of the true words of which a word said means the same (OV-MER, arXiv 2410.01495).

    >>> set_recall(["sorrow", "grief"], ["sadness", "anger"])
    0.5
    """
    return sum(not same_meaning(word).isdisjoint(said) for word in true) / len(true)
