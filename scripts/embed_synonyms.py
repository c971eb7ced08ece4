"""Make the list of words that mean the same as those of the emotion vocabulary, from WordNet 3.0.

    python scripts/embed_synonyms.py /usr/share/wordnet     # Debian's package wordnet-base

writes src/emoword/resources/wordnet.synonyms.txt: a line a word of emotion_words.txt, then those
that mean the same, in alphabetical order. Two words do if forms of them share a synset, in any
sense. Forms of a word are itself, what WordNet calls derivationally related to it or a participle
of it (anger, angry; surprise, surprised), and its inflections (fear, feared). Words of several
parts are left out, as no word space has them, and inflections that the embedded GloVe does not
have.
"""

import argparse
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from embed_glove import OUT as GLOVE
from embed_glove import emotion_words

from emoword.io.files import replacing

OUT = GLOVE.parent / "wordnet.synonyms.txt"
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
FORMS = ("+", "<")  # pointers: derivationally related, participle of a verb
# what WordNet's own morphy(7WN) takes off nouns and verbs, and puts on
ENDINGS = (
    *(("", "s"), ("y", "ies"), ("", "es")),
    *(("", "ed"), ("e", "ed"), ("y", "ied"), ("", "ing"), ("e", "ing")),
)

Relation = Mapping[str, set[str]]
Pointer = tuple[str, str, str, str]  # kind, place, part of speech, which word of which (hex)


def synsets(folder: Path) -> Iterator[tuple[tuple[str, str], list[str], list[Pointer]]]:
    """The synsets, as wndb(5WN) describes the files: (part of speech, place), words, pointers."""
    for part, name in FILES.items():
        with (folder / f"data.{name}").open(encoding="ascii") as stream:
            for line in stream:
                if line.startswith(" "):  # the licence
                    continue
                fields = line.split(" | ")[0].split()
                end = 4 + 2 * int(fields[3], 16)
                words = [word.split("(")[0].lower() for word in fields[4:end:2]]
                pointers = fields[end + 1 :]
                count = int(fields[end])
                of_four = zip(*(pointers[k : 4 * count : 4] for k in range(4)), strict=True)
                yield (part, fields[0]), words, list(of_four)


def relations(folder: Path, usual: Iterable[str]) -> tuple[Relation, Relation]:
    """Which words share a synset, and which are forms of one another; both ways.

    Args:
        folder: WordNet's database.
        usual: words that inflections are looked up among.
    """
    known = {place: (words, pointers) for place, words, pointers in synsets(folder)}
    share, forms = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)

    def pair(one: str, other: str) -> None:
        forms[one].add(other)
        forms[other].add(one)

    for words, pointers in known.values():
        for word in words:
            share[word].update(words)
        for kind, place, part, which in pointers:
            if kind in FORMS:
                there = known[part, place][0]
                pair(words[int(which[:2], 16) - 1], there[int(which[2:], 16) - 1])
    for inflected in usual:
        for ending, longer in ENDINGS:
            word = inflected.removesuffix(longer) + ending
            if inflected.endswith(longer) and word in share:
                pair(word, inflected)
    return share, forms


def step(words: set[str], relation: Relation) -> set[str]:
    """The words, and those that they are related to."""
    return words.union(*(relation.get(word, ()) for word in words))


def synonyms(folder: Path, wanted: set[str], usual: Iterable[str]) -> dict[str, list[str]]:
    """What means the same as the wanted words; a word that nothing does is left out."""
    share, forms = relations(folder, usual)
    found = {word: step(step(step({word}, forms), share), forms) for word in sorted(wanted)}
    return {
        word: sorted(other for other in own if other != word and "_" not in other)
        for word, own in found.items()
        if len(own) > 1
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="WordNet's database: data.noun and so on")
    folder: Path = parser.parse_args().folder
    with lzma.open(GLOVE, "rt", encoding="utf-8") as lines:
        usual = [line.split(" ", 1)[0] for line in lines]
    listed = synonyms(folder, set(emotion_words()), usual)
    with replacing(OUT) as temporary:
        text = "".join(f"{' '.join([word, *own])}\n" for word, own in listed.items())
        temporary.write_text(text, encoding="utf-8")
    print(f"{OUT.name}: {len(listed)} words, {sum(map(len, listed.values()))} synonyms")
