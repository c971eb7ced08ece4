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

`embedded` is a cut of GloVe 6B 100d that comes with this package, and needs no --source.
"""

import argparse
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from emoword.errors import InputError
from emoword.space_formats import keyed_vectors_chunks, read_bert, read_glove, read_word2vec
from emoword.space_writer import ODDITIES, fingerprint, write_space
from emoword.word_space import WordSpace

EMBEDDED = "glove.6B.100d.cut.txt.xz"


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
    parser.add_argument(
        "--format",
        required=True,
        choices=["glove", "word2vec", "word2vec-binary", "bert", "embedded"],
        help="glove: text, plain or .gz, .xz, .zip; word2vec, word2vec-binary: text or binary, "
        "plain or .gz; bert: a word's vector is the mean of its pieces' input embeddings; "
        "embedded: the cut of GloVe 6B 100d that comes with this package",
    )
    parser.add_argument(
        "--source", help="the file to read; bert: a folder or a hub name; embedded: none"
    )
    parser.add_argument(
        "--words",
        type=Path,
        help="bert: the words to take, one a line (default: those of the embedded cut)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the word space")


def main(arguments: argparse.Namespace) -> None:
    """Run ``emoword space``."""
    kind = arguments.format
    if (kind == "embedded") != (arguments.source is None):
        raise InputError("--format embedded takes no --source, all others need one")
    if arguments.words and kind != "bert":
        raise InputError(f"--words is for --format bert; {kind} brings its own words")
    odd = Counter[str]()
    with resources.as_file(resources.files("emoword") / "resources" / EMBEDDED) as cut:
        path = Path(arguments.source or cut)
        if kind == "bert":
            source = {"source": str(arguments.source), "format": kind}
            chunks = read_bert(str(arguments.source), _word_list(arguments.words, cut), odd)
        else:
            source = {"source": path.name, "format": kind, "sha256": _sha256(path)}
            binary = kind == "word2vec-binary"
            is_word2vec = kind in ("word2vec", "word2vec-binary")
            chunks = read_word2vec(path, binary, odd) if is_word2vec else read_glove(path)
        meta = write_space(chunks, arguments.out, source, odd)
    print(f"{arguments.out}: {meta['words']} words, {meta['dim']} dimensions")
    for name, meaning in ODDITIES.items():
        if odd[name]:
            print(f"  {odd[name]} {meaning}")


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: no such file; name it with --source")
    return str(fingerprint(path)["sha256"])


def _word_list(path: Path | None, cut: Path) -> list[str]:
    if path is None:
        return [word.decode() for words, _ in read_glove(cut) for word in words]
    try:
        return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; name the word list with --words") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error}); a word list has one word a line") from error
