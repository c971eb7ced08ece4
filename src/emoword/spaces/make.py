"""Make a word space: the words of GloVe, word2vec or BERT and their vectors, memory-mapped."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from emoword.io.errors import InputError
from emoword.io.files import sha256_of
from emoword.settings import AnySpace, Bert, Space, in_words
from emoword.spaces import formats
from emoword.spaces.filters import SAYS, conditions_of, kept
from emoword.spaces.writer import ODDITIES, write_space

RESOURCES = Path(__file__).parents[1] / "resources"
CUTS = {
    "embedded": "glove.6B.100d.cut.txt.xz",
    "embedded-bert": "all-MiniLM-L6-v2.static.cut.txt.xz",
}
READERS = {
    "glove": formats.read_glove,
    "word2vec": formats.read_word2vec,
    "word2vec-binary": formats.read_word2vec_binary,
    **dict.fromkeys(CUTS, formats.read_glove),
}


def space(
    *,
    format: Literal["glove", "word2vec", "word2vec-binary", "bert", "embedded", "embedded-bert"],
    source: str | None = None,
    words: str | None = None,
    vector: Literal["static", "last_layer"] | None = None,
    hide_phrases: bool = False,
    most_frequent: int = 0,
    lowercase_alphabetic: bool = False,
    spelled: bool = False,
    keep: str = "",
    out: Path,
) -> None:
    """Make a word space: the words of GloVe, word2vec or BERT and their vectors, memory-mapped.

    The space is a folder: vectors.npy (float32 [words, dimensions]), words.txt (UTF-8, one word a
    line, in the order of the source, as most sources go from frequent to rare), offsets.npy (where
    each word begins in words.txt), order.npy (the words sorted by their bytes, for look-up) and
    meta.json (the source, its sha256, and what was odd in it). Opening it reads none of it into
    memory, however large it is.

        emoword space --format glove --source glove.840B.300d.zip --out results/spaces/glove-840b
        emoword space --format bert --source bert-base-uncased --out results/spaces/bert
        emoword space --format embedded --out results/spaces/embedded

    `embedded` is a cut of GloVe 6B 100d that comes with this package, `embedded-bert` one of the
    word vectors (`static`) of a small BERT, all-MiniLM-L6-v2; they need no --source. A filter keeps
    some of the words (--most-frequent, --lowercase-alphabetic, --spelled, --keep): what falls out
    is counted in meta.json, and Tables 4 to 6 name the filter.

    Args:
        format: Of the source.
        source: A file, plain or .gz, .xz, .zip; bert: a folder or a hub name.
        words: Bert: the words to take, one a line; otherwise those of the embedded cut.
        vector: Bert: the mean of a word's input embeddings (static), or of its outputs.
        hide_phrases: Words with _ are never listed as neighbours.
        most_frequent: Keep the source's first so many words; 0: all.
        lowercase_alphabetic: Keep words of lower-case letters.
        spelled: Keep what pyspellchecker's English list holds.
        keep: Keep the words of this list, one a line.
        out: Folder of the word space.
    """
    given = {"format": format, "source": source, "words": words, "vector": vector}
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    chosen["hide_phrases"] = hide_phrases
    chosen["filter"] = {
        "most_frequent": most_frequent,
        "lowercase_alphabetic": lowercase_alphabetic,
        "spelled": spelled,
        "words": keep,
    }
    try:
        meta = make_space(msgspec.convert(chosen, AnySpace), out)
    except msgspec.ValidationError as error:
        raise InputError(f"--format {format}: {in_words(error)}") from None
    print(f"{out}: {meta['words']} words, {meta['dim']} dimensions")
    for name, count in meta["oddities"].items():
        if count:
            print(f"  {count} {ODDITIES[name]}")
    for name, count in meta.get("filter", {}).get("left_out", {}).items():
        print(f"  {count} left out: {SAYS[name][1]}")


def make_space(chosen: AnySpace, out: Path) -> dict[str, Any]:
    """Make the word space that settings describe in the folder ``out``; returns its meta.json.

    Raises:
        InputError: the source is missing or malformed, nothing passes the filter, or the folder
            cannot be written.
    """
    odd = Counter[str]()
    conditions = conditions_of(chosen.filter)
    left_out = Counter(dict.fromkeys(conditions, 0))
    source, chunks = _source(chosen, odd)
    if chosen.hide_phrases:
        source["hide_phrases"] = True
    if conditions:
        said = {name: value for name, (value, _) in conditions.items()}
        source["filter"] = {**said, "left_out": left_out}
        chunks = kept(chunks, conditions, left_out, odd)
    return write_space(chunks, out, source, odd)


def _source(chosen: AnySpace, odd: Counter[str]) -> tuple[dict[str, Any], Iterator[formats.Chunk]]:
    """What meta.json says of a space's source, and its chunks."""
    kind = str(chosen.__struct_config__.tag)
    if isinstance(chosen, Bert):
        from emoword.spaces.bert import read_bert  # transformers take seconds to import

        if chosen.words:
            words = formats.read_words(Path(chosen.words))
        else:
            chunks = formats.read_glove(RESOURCES / CUTS["embedded"], odd)
            words = [word.decode() for some, _ in chunks for word in some]
        source = {"source": chosen.source, "format": kind, "vector": chosen.vector}
        return source, read_bert(chosen.source, words, chosen.vector, odd)
    path = Path(chosen.source) if isinstance(chosen, Space) else RESOURCES / CUTS[kind]
    if not path.is_file():
        raise InputError(f"{path}: no such file; name it with --source")
    source = {"source": path.name, "format": kind, "sha256": sha256_of(path)}
    return source, READERS[kind](path, odd)
