"""Filters of a word space: which words of a source are kept, and what the captions say of it.

The paper reads predictions in the whole of GloVe and names a filtered space as future work. A word
that a filter leaves out is no neighbour, and no target either: comments lose it, counted.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emoword.io.errors import InputError
from emoword.spaces.formats import Chunk

LEFT_OUT = {
    "most_frequent": "not among the most frequent",
    "lowercase_alphabetic": "not of lower-case letters alone",
    "spelled": "not in pyspellchecker's English list",
    "words": "not in the list of words",
}


@dataclass(frozen=True)
class Filter:
    """Which words are kept: those that pass all of these.

    Attributes:
        most_frequent: the first so many of the source, which has frequent words first; 0: all.
        lowercase_alphabetic: lower-case letters alone (of any script that has them).
        spelled: what pyspellchecker's English list holds, in upper or lower case.
        words: a list of one's own; None: any word.
    """

    most_frequent: int = 0
    lowercase_alphabetic: bool = False
    spelled: bool = False
    words: Collection[str] | None = None

    def describe(self) -> dict[str, object]:
        """What meta.json says of the filter; empty if there is none."""
        chosen: dict[str, object] = {}
        if self.most_frequent:
            chosen["most_frequent"] = self.most_frequent
        if self.lowercase_alphabetic:
            chosen["lowercase_alphabetic"] = True
        if self.spelled:
            chosen["spelled"] = True
        if self.words is not None:
            chosen["words"] = len(set(self.words))
        return chosen

    def apply(
        self, chunks: Iterable[Chunk], left_out: dict[str, int], odd: Counter[str]
    ) -> Iterator[Chunk]:
        """Yield what passes of each chunk.

        Args:
            chunks: as from `emoword.spaces.formats`.
            left_out: by the names in `LEFT_OUT`, counts what falls out and why (the first reason).
            odd: ``lines`` counts what falls out, too, as the writer sees the rest alone.

        Raises:
            InputError: nothing passes.
        """
        left_out.update(dict.fromkeys(self.describe(), 0))
        tests = self._tests()
        seen = kept = 0
        for words, vectors in chunks:
            rows = []
            for row, word in enumerate(words):
                reason = ""
                if self.most_frequent and seen + row >= self.most_frequent:
                    reason = "most_frequent"
                else:
                    text = word.decode(errors="replace")
                    reason = next((name for name, passes in tests if not passes(text)), "")
                if reason:
                    left_out[reason] += 1
                else:
                    rows.append(row)
            seen += len(words)
            kept += len(rows)
            odd["lines"] += len(words) - len(rows)
            if rows:
                yield [words[row] for row in rows], vectors[rows]
        if seen and not kept:
            raise InputError(f"the filter leaves none of {seen} words: {in_words(self.describe())}")

    def _tests(self) -> list[tuple[str, Callable[[str], bool]]]:
        tests: list[tuple[str, Callable[[str], bool]]] = []
        if self.lowercase_alphabetic:
            tests.append(("lowercase_alphabetic", lambda word: word.isalpha() and word.islower()))
        if self.words is not None:
            listed = set(self.words)
            tests.append(("words", lambda word: word in listed))
        if self.spelled:
            from spellchecker import SpellChecker  # takes a moment to load

            known = SpellChecker(language="en").word_frequency
            tests.append(("spelled", lambda word: word.lower() in known))
        return tests


def in_words(chosen: Mapping[str, Any]) -> str:
    """A filter in words, for messages and captions.

    >>> in_words({"most_frequent": 400000, "spelled": True})
    'the 400,000 most frequent, correctly spelled (pyspellchecker)'
    """
    says = {
        "most_frequent": "the {:,} most frequent",
        "lowercase_alphabetic": "lower-case letters alone",
        "spelled": "correctly spelled (pyspellchecker)",
        "words": "a list of {:,} words",
    }
    return ", ".join(says[name].format(value) for name, value in chosen.items() if name in says)


def caption(name: str, meta: Mapping[str, Any]) -> str:
    """What a table says of the space whose neighbours it shows.

    Args:
        name: of the space.
        meta: its meta.json.
    """
    chosen = meta.get("filter", {})
    what = f"filter: {in_words(chosen)}" if chosen else "not filtered"
    hidden = "; phrases (with _) are not listed" if meta.get("hide_phrases") else ""
    return f"Word space {name}: {meta['words']:,} words, {what}{hidden}."
