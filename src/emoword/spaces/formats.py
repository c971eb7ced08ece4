"""Readers of GloVe and word2vec: each yields chunks of words and their vectors.

A chunk is a list of m words, as bytes of UTF-8, and float32 [m, d]. The readers refuse what is
malformed; what is merely odd (a word that comes twice, broken UTF-8) is for the writer to count.
"""

import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError

Chunk = tuple[list[bytes], NDArray[np.float32]]

CHUNK_BYTES = 8 << 20
CHUNK_ROWS = 8192
LARGEST = float(np.finfo(np.float32).max)
NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
LONGEST = 1 << 20  # bytes of a line or word; what is longer is no file of word vectors


def read_glove(path: Path, odd: Counter[str]) -> Iterator[Chunk]:
    """Read GloVe text, plain or compressed (.gz, .xz, or .zip with one file in it).

    A line is a word and its values, with single spaces between. Words may contain spaces, so that
    lines are split from the right; the number of values is what most of the first lines have. A
    byte order mark before the first word is counted in ``odd``.

    Raises:
        InputError: not such a file, or a damaged one; names the line.
    """
    with _opened(path, odd) as stream:
        yield from _text(path, stream, 1)


def read_word2vec(path: Path, odd: Counter[str]) -> Iterator[Chunk]:
    """Read word2vec's text format, plain or compressed: a header line, then lines as of GloVe.

    Raises:
        InputError: not such a file, a damaged one, or its header is wrong; names the line.
    """
    with _opened(path, odd) as stream:
        count, dim = _header(path, stream)
        there = 0
        for words, vectors in _text(path, stream, 2, dim):
            yield words, vectors
            there += len(words)
        if there != count:
            raise InputError(f"{path}: line 1 says {count} words, but {there} follow; get it again")


def read_word2vec_binary(path: Path, odd: Counter[str]) -> Iterator[Chunk]:
    """Read word2vec's binary format, plain or compressed.

    After a header line comes each word, a space, and its float32 values, little-endian; a line end
    may follow.

    Raises:
        InputError: not such a file, a damaged one, or its header is wrong.
    """
    with _opened(path, odd) as stream:
        count, dim = _header(path, stream)
        for first in range(0, count, CHUNK_ROWS):
            words, rows = list[bytes](), list[bytes]()
            while len(words) < min(CHUNK_ROWS, count - first):
                word = _up_to_space(stream)
                words.append(word.lstrip(b"\n"))
                rows.append(stream.read(4 * dim))
                if len(word) == LONGEST or len(rows[-1]) < 4 * dim:
                    told = f"word {first + len(words)} of {count} is cut off"
                    raise InputError(f"{path}: {told}; get it again")
            yield words, np.frombuffer(b"".join(rows), "<f4").reshape(-1, dim)
        if stream.read(2).strip(b"\n"):
            raise InputError(f"{path}: line 1 says {count} words, but more follow; get it again")


def _up_to_space(stream: IO[bytes]) -> bytes:
    letters = bytearray()
    while len(letters) < LONGEST and (letter := stream.read(1)) not in (b" ", b""):
        letters += letter
    return bytes(letters)


def read_words(path: Path) -> list[str]:
    """Read a list of words, one a line; an InputError where it is missing or not UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", f"not UTF-8 ({error})")
        raise InputError(f"{path}: {said}; a word list has one word a line") from None
    return [word.removesuffix("\r") for word in text.rstrip("\r\n").split("\n")]


@contextmanager
def _opened(path: Path, odd: Counter[str]) -> Iterator[IO[bytes]]:
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
            stream = io.BufferedReader(stream, 1 << 20)  # reads single bytes several times faster
            if stream.peek(3).startswith(BOM_UTF8):
                stream.read(len(BOM_UTF8))
                odd["byte_order_mark"] += 1
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged or cut off ({error}); get it again") from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile: a password, a method
        raise InputError(f"{path}: cannot be unpacked here ({error}); unpack it first") from error


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    names = [info.filename for info in members]
    if len(members) != 1 or {"..", ""} & set(re.split(r"[/\\]", names[0])):  # /a has an empty part
        raise InputError(f"{path}: holds {names}, not one file of its folder; unpack it, name one")
    return members[0]


def _header(path: Path, stream: IO[bytes]) -> tuple[int, int]:
    """The numbers of words and of dimensions that word2vec has in its first line."""
    found = re.fullmatch(rb"([1-9]\d{0,11}) ([1-9]\d{0,5})\s*\n", stream.readline(100))
    if not found:
        raise InputError(f"{path}: line 1: not word2vec's: numbers of words and of dimensions")
    return int(found[1]), int(found[2])


def _text(path: Path, stream: IO[bytes], first: int, dim: int = 0) -> Iterator[Chunk]:
    """The lines from number ``first`` on, in chunks; ``dim`` is found where no header says it."""
    spaces_in_words = not dim
    while text := stream.read(CHUNK_BYTES):
        text += b"" if text.endswith(b"\n") else stream.readline(LONGEST)
        lines = text.split(b"\n")
        if lines.pop():
            remedy = "get the file again, or put one there if it is whole"
            place = f"{path}: line {first + len(lines)}"
            raise InputError(f"{place}: cut off, as it has no line end; {remedy}")
        dim = dim or _dim(path, lines)
        yield _parse(path, first, lines, dim, spaces_in_words)
        first += len(lines)


def _dim(path: Path, lines: Sequence[bytes]) -> int:
    if re.fullmatch(rb"\d+ \d+\s*", lines[0]):
        raise InputError(f"{path}: line 1 is the header of word2vec text; use --format word2vec")
    [(dim, _)] = Counter(line.rstrip().count(b" ") for line in lines[:1000]).most_common(1)
    if not dim:
        raise InputError(f"{path}: line 1: not GloVe text, which has a word and numbers on a line")
    return dim


def _parse(
    path: Path, first: int, lines: Sequence[bytes], dim: int, spaces_in_words: bool
) -> Chunk:
    words, values = [], []
    for number, line in enumerate(lines, first):
        line = line.rstrip()
        spaces = line.count(b" ")
        if spaces < dim or (spaces > dim and not spaces_in_words):
            raise InputError(f"{path}: line {number}: {spaces} values instead of {dim}")
        word = line.split(b" ", 1)[0] if spaces == dim else line.rsplit(b" ", dim)[0]
        if spaces > dim and re.search(rb" -?\d*\.\d+(e[+-]?\d+)?$", b" " + word):
            raise InputError(f"{path}: line {number}: more than {dim} values")
        words.append(word)
        values.append(line[len(word) + 1 :])
    try:
        return words, _numbers(values, dim)
    except ValueError:
        for number, row in enumerate(values, first):
            for value in row.split(b" "):
                if not (NUMBER.fullmatch(value) and abs(float(value)) <= LARGEST):
                    text = value[:40].decode(errors="replace")
                    raise InputError(f"{path}: line {number}: {text!r} is not a number") from None
        raise InputError(f"{path}: line {first} or below: not {dim} numbers a line") from None


def _numbers(rows: Sequence[bytes], dim: int) -> NDArray[np.float32]:
    """Parse rows of ``dim`` fields: float32 [rows, dim], or a ValueError.

    pandas' reader is by far the quickest here, and rounds numbers of up to 15 digits correctly.
    """
    with np.errstate(over="ignore"):  # becomes infinity
        table = pd.read_csv(
            io.BytesIO(b"\n".join(rows)),
            sep=" ",
            header=None,
            dtype=np.float32,
            engine="c",
            lineterminator="\n",
            quoting=csv.QUOTE_NONE,
            na_filter=False,
            skip_blank_lines=False,
            low_memory=False,
        )
    vectors: NDArray[np.float32] = np.ascontiguousarray(table.to_numpy())
    if vectors.shape != (len(rows), dim) or not np.isfinite(vectors).all():
        raise ValueError("not all of these are numbers")
    return vectors
