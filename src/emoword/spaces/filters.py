"""Filters of a word space: which words of a source are kept, and what the captions say of it.

The paper reads predictions in the whole of GloVe and names a filtered space as future work. A word
that a filter leaves out is no neighbour, and no target either: comments lose it, counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from emoword.settings import Filter
from emoword.spaces.formats import Chunk, read_words

# name -> what is kept, and why a word falls out
SAYS = {
    "most_frequent": ("the {:,} most frequent", "not among the most frequent"),
    "lowercase_alphabetic": ("lower-case letters alone", "not of lower-case letters alone"),
    "spelled": ("correctly spelled (pyspellchecker)", "not in pyspellchecker's English list"),
    "words": ("a list of {:,} words", "not in the list of words"),
}


# What meta.json says of a condition; whether (place in the source, from 0; word) passes it
Condition = tuple[int | bool, Callable[[int, str], bool]]


def conditions_of(chosen: Filter) -> dict[str, Condition]:
    """The conditions of a filter by name.

    Raises:
        InputError: the list of words cannot be read.
    """
    found: dict[str, Condition] = {}
    if first := chosen.most_frequent:
        found["most_frequent"] = (first, lambda place, _: place < first)
    if chosen.lowercase_alphabetic:  # letters of any script that has upper and lower case
        found["lowercase_alphabetic"] = (True, lambda _, word: word.isalpha() and word.islower())
    if chosen.words:
        listed = set(read_words(Path(chosen.words)))
        found["words"] = (len(listed), lambda _, word: word in listed)
    if chosen.spelled:
        from spellchecker import SpellChecker  # takes a moment to load

        known = SpellChecker(language="en").word_frequency
        found["spelled"] = (True, lambda _, word: word.lower() in known)
    return found


def kept(
    chunks: Iterable[Chunk],
    conditions: Mapping[str, Condition],
    left_out: Counter[str],
    odd: Counter[str],
) -> Iterator[Chunk]:
    """Yield what passes all conditions of each chunk.

    ``left_out`` counts what falls out by the first condition that it fails; ``odd`` counts it
    among the source's ``lines``, as the writer sees the rest alone.
    """
    places = count()
    for words, vectors in chunks:
        rows = []
        for row, (word, place) in enumerate(zip(words, places, strict=False)):
            text = word.decode(errors="replace")
            reasons = (n for n, (_, passes) in conditions.items() if not passes(place, text))
            if reason := next(reasons, ""):
                left_out[reason] += 1
            else:
                rows.append(row)
        odd["lines"] += len(words) - len(rows)
        if rows:
            yield [words[row] for row in rows], vectors[rows]


def caption(name: str, meta: Mapping[str, Any]) -> str:
    """What a table says of the space ``name`` with this meta.json, whose neighbours it shows."""
    chosen = meta.get("filter", {})
    said = [kept.format(chosen[name]) for name, (kept, _) in SAYS.items() if name in chosen]
    what = f"filter: {', '.join(said)}" if said else "not filtered"
    hidden = "; phrases (with _) are not listed" if meta.get("hide_phrases") else ""
    return f"Word space {name}: {meta['words']:,} words, {what}{hidden}."
