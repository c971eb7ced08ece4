"""Readers of GloVe, word2vec and BERT: each yields chunks of words and their vectors.

A chunk is a list of m words, as bytes of UTF-8, and float32 [m, d]. The readers judge what is
malformed; what is merely odd (a word that comes twice, broken UTF-8) is for the writer to count.
"""

import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from emoword.io.errors import InputError

Float32 = npt.NDArray[np.float32]
Chunk = tuple[list[bytes], Float32]

CHUNK_BYTES = 8 << 20
CHUNK_ROWS = 8192
LARGEST = float(np.finfo(np.float32).max)


def read_glove(path: Path) -> Iterator[Chunk]:
    """Read GloVe text, plain or compressed (.gz, .xz, or .zip with one file in it).

    A line is a word and its values, with single spaces between. Words may contain spaces, so that
    lines are split from the right; the number of values is what most of the first lines have.

    Raises:
        InputError: not such a file, or a damaged one; names the line.
    """
    with _opened(path) as stream:
        dim, first = 0, 1
        while lines := stream.readlines(CHUNK_BYTES):
            dim = dim or _dim(path, lines)
            yield _parse(path, first, lines, dim)
            first += len(lines)
        if not dim:
            raise InputError(f"{path}: is empty; it should be GloVe text")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file by what it is, not by its name; damage becomes an InputError."""
    try:
        with ExitStack() as stack:
            stream: Any = stack.enter_context(path.open("rb"))
            magic = stream.peek(6)
            if magic.startswith(b"\x1f\x8b"):
                stream = stack.enter_context(gzip.open(stream))
            elif magic.startswith(b"\xfd7zXZ"):
                stream = stack.enter_context(lzma.open(stream))
            elif magic.startswith(b"PK"):
                archive = stack.enter_context(zipfile.ZipFile(stream))
                stream = stack.enter_context(archive.open(_member(path, archive)))
            yield io.BufferedReader(stream, 1 << 20)  # its readlines() is several times faster
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path}: {error.strerror}; name the file with --source") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged or cut off ({error}); get it again") from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile: a password, a method
        raise InputError(f"{path}: cannot be unpacked here ({error}); unpack it first") from error


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    for info in members:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            raise InputError(f"{path}: holds {info.filename!r}, a path that leaves the folder")
    if len(members) != 1:
        names = ", ".join(repr(info.filename) for info in members)
        raise InputError(f"{path}: holds {names or 'nothing'}, not one file; unpack it, name one")
    return members[0]


def _dim(path: Path, lines: Sequence[bytes]) -> int:
    if re.fullmatch(rb"\d+ \d+\s*", lines[0]):
        raise InputError(f"{path}: line 1 is the header of word2vec text; use --format word2vec")
    [(dim, _)] = Counter(line.rstrip().count(b" ") for line in lines[:1000]).most_common(1)
    if not dim:
        raise InputError(f"{path}: line 1: not GloVe text, which has a word and numbers on a line")
    return dim


def _parse(path: Path, first: int, lines: Sequence[bytes], dim: int) -> Chunk:
    words, values = [], []
    for number, line in enumerate(lines, first):
        line = line.rstrip()
        spaces = line.count(b" ")
        if spaces == dim:
            word, rest = line.split(b" ", 1)
        elif spaces > dim:
            word, *parts = line.rsplit(b" ", dim)
            if re.search(rb" -?\d*\.\d+(e[+-]?\d+)?$", b" " + word):
                raise InputError(f"{path}: line {number}: more than {dim} values")
            rest = b" ".join(parts)
        else:
            raise InputError(f"{path}: line {number}: {spaces} values instead of {dim}")
        words.append(word)
        values.append(rest)
    # Every row has `dim` fields now, so pandas' reader, by far the quickest here, is safe. It
    # rounds numbers of up to 15 digits correctly.
    try:
        with np.errstate(over="ignore"):  # becomes infinity, which is not sound
            table = pd.read_csv(
                io.BytesIO(b"\n".join(values)),
                sep=" ",
                header=None,
                dtype=np.float32,
                engine="c",
                lineterminator="\n",
                quoting=csv.QUOTE_NONE,
                na_filter=False,
                skip_blank_lines=False,
                low_memory=False,
            ).to_numpy()
        sound = table.shape == (len(values), dim) and bool(np.isfinite(table).all())
    except ValueError:
        sound = False
    if not sound:
        _complain(path, first, values)
    return words, np.ascontiguousarray(table)


def _complain(path: Path, first: int, rows: Sequence[bytes]) -> None:
    for number, row in enumerate(rows, first):
        for value in row.split(b" "):
            try:
                finite = abs(float(value)) <= LARGEST  # not so for NaN
            except ValueError:
                finite = False
            if not finite:
                text = value.decode(errors="replace")
                raise InputError(f"{path}: line {number}: {text[:40]!r} is not a number")
    raise InputError(f"{path}: lines {first}-{first + len(rows) - 1}: not GloVe text")


def read_word2vec(path: Path, binary: bool, oddities: Counter[str]) -> Iterator[Chunk]:
    """Read word2vec's text or binary format (plain or .gz) with gensim, which takes memory.

    Args:
        path: the file.
        binary: the binary format, not the text.
        oddities: what gensim passes over is counted here.

    Raises:
        InputError: not such a file, or a damaged one.
    """
    from gensim import utils
    from gensim.models import KeyedVectors

    kind = "word2vec binary" if binary else "word2vec text"
    try:
        vectors = KeyedVectors.load_word2vec_format(path, binary=binary, unicode_errors="replace")
        with utils.open(path, "rb") as stream:
            declared = int(stream.readline().split()[0])
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path}: {error.strerror}; name the file with --source") from error
    except (EOFError, ValueError, MemoryError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: not {kind}, or damaged or cut off: {error}") from error
    passed_over = declared - len(vectors.key_to_index)
    oddities.update(lines=passed_over, duplicates=passed_over)
    oddities["broken_utf8"] += sum("\ufffd" in word for word in vectors.key_to_index)
    yield from keyed_vectors_chunks(vectors)


def keyed_vectors_chunks(vectors: Any) -> Iterator[Chunk]:
    """Chunks of a gensim ``KeyedVectors``."""
    # where gensim passed over duplicates, words of None and vectors of zeros fill up the end
    n = len(vectors.key_to_index)
    for start in range(0, n, CHUNK_ROWS):
        rows = slice(start, min(start + CHUNK_ROWS, n))
        words = [word.encode() for word in vectors.index_to_key[rows]]
        yield words, np.asarray(vectors.vectors[rows], dtype=np.float32)


BERT_VECTORS = ("static", "last_layer")
BERT_BATCH = 256  # words read at once, each alone in its row


def read_bert(
    source: str, words: Sequence[str], vector: str, oddities: Counter[str]
) -> Iterator[Chunk]:
    """Give each word a vector of a BERT-like model.

    Args:
        source: a folder with a model and its tokenizer, or the name of one on the Hugging Face hub.
        words: the words to take.
        vector: ``static``, the mean of the input embeddings of a word's pieces; ``last_layer``,
            the mean of the outputs at its pieces, special tokens left out, when the model reads
            the word alone.
        oddities: ``unknown`` counts the words that the tokenizer has no pieces for.

    Raises:
        InputError: no such model.
    """
    from emoword.spaces.bert import last_layer, load_bert, static

    tokenizer, model = load_bert(source)
    vectors_of = {"static": static, "last_layer": last_layer}[vector]
    for start in range(0, len(words), BERT_BATCH):
        some = list(words[start : start + BERT_BATCH])
        pieces = tokenizer(some, add_special_tokens=False).input_ids
        known = [
            word
            for word, ids in zip(some, pieces, strict=True)
            if ids and tokenizer.unk_token_id not in ids
        ]
        oddities["lines"] += len(some) - len(known)
        oddities["unknown"] += len(some) - len(known)
        if known:
            yield [word.encode() for word in known], vectors_of(tokenizer, model, known)
