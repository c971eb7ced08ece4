"""Words of the same meaning, so that `sorrow` counts for `sadness`."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

FILE = "resources/wordnet.synonyms.txt"


@cache
def synonyms() -> Mapping[str, set[str]]:
    """Words of the same meaning, by WordNet 3.0: word -> other words, one of each pair an emotion.

    The file is made by scripts/embed_synonyms.py, which says what counts as a synonym.
    """
    found = defaultdict[str, set[str]](set)
    for line in (resources.files("emoword") / FILE).read_text("utf-8").splitlines():
        word, *others = line.split()
        found[word].update(others)
        for other in others:
            found[other].add(word)
    return dict(found)


def same_meaning(word: str) -> set[str]:
    """The word and its synonyms; of a word for no emotion, those that are for one.

    >>> "sorrow" in same_meaning("sadness"), "grief" in same_meaning("sadness")
    (True, False)
    """
    return synonyms().get(word, set()) | {word}


def set_precision(said: Collection[str], true: Collection[str]) -> float:
    """Share of the words said that are a true word or a synonym of one (OV-MER, arXiv 2410.01495).

    >>> set_precision(["sorrow", "joy"], ["sadness", "anger"])
    0.5
    """
    right = set[str]().union(*map(same_meaning, true))
    return sum(word in right for word in said) / len(said)


def set_recall(said: Collection[str], true: Collection[str]) -> float:
    """Share of the true words that are said, or a synonym of them (OV-MER, arXiv 2410.01495).

    >>> set_recall(["sorrow", "grief"], ["sadness", "anger"])
    0.5
    """
    return sum(not same_meaning(word).isdisjoint(said) for word in true) / len(true)
