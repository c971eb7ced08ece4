"""Make a word space: the words of GloVe, word2vec or BERT and their vectors, memory-mapped.

The space is a folder: vectors.npy (float32 [words, dimensions]), words.txt (UTF-8, one word a
line, in the order of the source, as most sources go from frequent to rare), offsets.npy (where
each word begins in words.txt), order.npy (the words sorted by their bytes, for look-up) and
meta.json (the source, its sha256, and what was odd in it). Opening it reads none of it into
memory, however large it is.

    emoword space --format glove --source glove.840B.300d.zip --out results/spaces/glove-840b
    emoword space --format word2vec-binary --source GoogleNews-vectors-negative300.bin.gz --out w2v
    emoword space --format bert --source bert-base-uncased --out results/spaces/bert
    emoword space --format embedded --out results/spaces/embedded

`embedded` is a cut of GloVe 6B 100d that comes with this package, `embedded-bert` one of the word
vectors (`static`) of a small BERT, all-MiniLM-L6-v2; they need no --source.

A filter keeps some of the words (--most-frequent, --lowercase-alphabetic, --spelled, --keep): what
falls out is counted in meta.json, and Tables 4 to 6 name the filter.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from emoword.io.errors import InputError
from emoword.spaces.filters import LEFT_OUT, Filter
from emoword.spaces.formats import (
    BERT_VECTORS,
    Chunk,
    keyed_vectors_chunks,
    read_bert,
    read_glove,
    read_word2vec,
)
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import ODDITIES, fingerprint, write_space

EMBEDDED = "glove.6B.100d.cut.txt.xz"
CUTS = {"embedded": EMBEDDED, "embedded-bert": "all-MiniLM-L6-v2.static.cut.txt.xz"}


def to_keyed_vectors(space: WordSpace) -> Any:
    """The space as a gensim ``KeyedVectors``, in memory."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(space.dim)
    vectors.add_vectors(space.words(), np.array(space.vectors))
    return vectors


def from_keyed_vectors(vectors: Any, folder: Path) -> WordSpace:
    """Write a gensim ``KeyedVectors`` as a word space in ``folder``, and open it."""
    source = {"source": "gensim KeyedVectors", "format": "keyed-vectors"}
    write_space(keyed_vectors_chunks(vectors), folder, source)
    return WordSpace.open(folder)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``emoword space``."""
    add = parser.add_argument
    add(
        "--format",
        required=True,
        choices=["glove", "word2vec", "word2vec-binary", "bert", *CUTS],
        help="glove: text, plain or .gz, .xz, .zip; word2vec, word2vec-binary: text or binary, "
        "plain or .gz; bert: a model of transformers with its tokenizer; embedded, embedded-bert: "
        "cuts that come with this package",
    )
    add("--source", help="the file to read; bert: a folder or a hub name; embedded: none")
    add(
        "--words",
        type=Path,
        help="bert: the words to take, one a line (default: those of the embedded cut)",
    )
    add(
        "--vector",
        choices=list(BERT_VECTORS),
        help="bert: static, the mean of the input embeddings of a word's pieces (the default), or "
        "last_layer, the mean of their outputs when the model reads the word alone",
    )
    add(
        "--hide-phrases",
        action="store_true",
        help="words with an underscore (word2vec's phrases) are never listed as neighbours",
    )
    add("--most-frequent", type=int, default=0, metavar="N", help="keep the source's first N words")
    add("--lowercase-alphabetic", action="store_true", help="keep words of lower-case letters")
    add("--spelled", action="store_true", help="keep what pyspellchecker's English list holds")
    add("--keep", type=Path, metavar="FILE", help="keep the words of this list, one a line")
    add("--out", type=Path, required=True, help="folder of the word space")


def main(arguments: argparse.Namespace) -> None:
    """Run ``emoword space``."""
    kind = arguments.format
    if (kind in CUTS) != (arguments.source is None):
        raise InputError("--format embedded takes no --source, all others need one")
    if (arguments.words or arguments.vector) and kind != "bert":
        raise InputError(f"--words and --vector are for --format bert; {kind} brings its own words")
    if arguments.most_frequent < 0:
        raise InputError(f"--most-frequent {arguments.most_frequent}: is a number of words")
    keep = _word_list(arguments.keep, "--keep") if arguments.keep else None
    wanted = Filter(
        arguments.most_frequent, arguments.lowercase_alphabetic, arguments.spelled, keep
    )
    odd, left_out = Counter[str](), dict[str, int]()
    with resources.as_file(resources.files("emoword") / "resources") as cuts:
        path = Path(arguments.source or cuts / CUTS[kind])
        if kind == "bert":
            source, chunks = _bert(arguments, cuts / EMBEDDED, odd)
        else:
            source = {"source": path.name, "format": kind, "sha256": _sha256(path)}
            binary = kind == "word2vec-binary"
            is_word2vec = kind in ("word2vec", "word2vec-binary")
            chunks = read_word2vec(path, binary, odd) if is_word2vec else read_glove(path)
        if arguments.hide_phrases:
            source["hide_phrases"] = True
        if wanted.describe():
            source["filter"] = wanted.describe() | {"left_out": left_out}
            chunks = wanted.apply(chunks, left_out, odd)
        meta = write_space(chunks, arguments.out, source, odd)
    print(f"{arguments.out}: {meta['words']} words, {meta['dim']} dimensions")
    for name, meaning in ODDITIES.items():
        if odd[name]:
            print(f"  {odd[name]} {meaning}")
    for name, count in left_out.items():
        print(f"  {count} left out: {LEFT_OUT[name]}")


def _bert(
    arguments: argparse.Namespace, cut: Path, odd: Counter[str]
) -> tuple[dict[str, object], Iterator[Chunk]]:
    """What meta.json says of a bert space's source, and its chunks."""
    if arguments.words:
        words = _word_list(arguments.words, "--words")
    else:
        words = [word.decode() for some, _ in read_glove(cut) for word in some]
    vector = arguments.vector or BERT_VECTORS[0]
    source: dict[str, object] = {"source": arguments.source, "format": "bert", "vector": vector}
    return source, read_bert(arguments.source, words, vector, odd)


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: no such file; name it with --source")
    return str(fingerprint(path)["sha256"])


def _word_list(path: Path, option: str) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: no such file; name the word list with {option}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error}); a word list has one word a line") from error
    return [word.removesuffix("\r") for word in text.rstrip("\r\n").split("\n")]
