"""Make the list of synonyms of the emotion vocabulary, from WordNet 3.0.

    python scripts/embed_synonyms.py /usr/share/wordnet     # Debian's package wordnet-base

writes src/emoword/resources/wordnet.synonyms.txt: a line a word of emotion_words.txt, then its
synonyms, in alphabetical order. A synonym is a word with which it shares a synset, in any sense, or
which WordNet calls derivationally related to it (angry, anger). Words of several parts are left
out, as no word space has them.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from embed_glove import emotion_words

from emoword.io.files import replacing

OUT = Path(__file__).parent.parent / "src/emoword/resources/wordnet.synonyms.txt"
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
DERIVED = "+"


def synsets(folder: Path) -> Iterator[tuple[tuple[str, str], list[str], list[tuple[str, ...]]]]:
    """The synsets, as wndb(5WN) describes the files: (part of speech, place), words, pointers."""
    for part, name in FILES.items():
        with (folder / f"data.{name}").open(encoding="ascii") as stream:
            for line in stream:
                if line.startswith(" "):  # the licence
                    continue
                fields = line.split(" | ")[0].split()
                words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
                pointers = fields[4 + 2 * len(words) + 1 :]
                count = int(fields[4 + 2 * len(words)])
                of_four = [tuple(pointers[i : i + 4]) for i in range(0, 4 * count, 4)]
                yield (part, fields[0]), [word.split("(")[0].lower() for word in words], of_four


def synonyms(folder: Path, wanted: set[str]) -> dict[str, list[str]]:
    """The synonyms of the wanted words; a word that has none is left out."""
    known = {place: (words, pointers) for place, words, pointers in synsets(folder)}
    found: dict[str, set[str]] = defaultdict(set)
    for words, pointers in known.values():
        for word in words:
            found[word].update(words)
        for kind, place, part, places in pointers:
            if kind == DERIVED:  # of the n-th word here, the m-th there, both hexadecimal
                there = known[part, place][0]
                pair = {words[int(places[:2], 16) - 1], there[int(places[2:], 16) - 1]}
                for word in pair:
                    found[word] |= pair
    return {
        word: own
        for word in sorted(wanted)
        if (own := sorted(w for w in found[word] if w != word and "_" not in w))
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="WordNet's database: data.noun and so on")
    listed = synonyms(parser.parse_args().folder, set(emotion_words()))
    with replacing(OUT) as temporary:
        lines = (" ".join([word, *own]) for word, own in listed.items())
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{OUT.name}: {len(listed)} words, {sum(map(len, listed.values()))} synonyms")
