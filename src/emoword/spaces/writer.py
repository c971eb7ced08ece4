"""Write a word space: the folder that `WordSpace` opens, all of it or nothing."""

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from emoword.io.errors import InputError
from emoword.io.files import replacing, write_json
from emoword.spaces import cosine
from emoword.spaces.formats import Chunk
from emoword.spaces.word_space import STORED, VERSION

ODDITIES = {
    "lines": "words in the source",
    "duplicates": "dropped, as an earlier one has the same word",
    "empty": "dropped, as they have no word",
    "unknown": "dropped, as the model's vocabulary has no pieces for them",
    "broken_utf8": "words with U+FFFD in place of broken UTF-8",
    "with_spaces": "words that contain a space",
    "zero_vectors": "vectors of zeros, never listed as neighbours",
}


def write_space(
    chunks: Iterable[Chunk],
    folder: Path,
    source: Mapping[str, object],
    oddities: Counter[str] | None = None,
) -> dict[str, object]:
    """Write a word space, all of it or nothing.

    Of words that come twice the first is kept; a word whose UTF-8 is broken is kept with U+FFFD in
    place of what is broken; a word of no letters at all is dropped. All of these are counted.

    Args:
        chunks: words (bytes) and float32 vectors [m, d], as from `emoword.spaces.formats`.
        folder: where to; a word space that is there is replaced.
        source: what meta.json says of the source.
        oddities: what the reader counts while it yields chunks, by the names in `ODDITIES`.

    Returns:
        What meta.json says.

    Raises:
        InputError: no words, an impossible vector, or the folder cannot be written.
    """
    foreign = any(path.name not in STORED for path in _listing(folder))
    if foreign and not (folder / "meta.json").is_file():
        raise InputError(f"{folder}: exists and is no word space; name a new folder with --out")
    with replacing(folder) as made:
        made.mkdir()
        try:
            meta = _write(chunks, made, source, Counter() if oddities is None else oddities)
            # what is there is no space while its files are replaced one by one
            (folder / "meta.json").unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot write here: {error.strerror}") from error
    return meta


def _listing(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.exists() else []
    return list(path.iterdir())


def _write(
    chunks: Iterable[Chunk], made: Path, source: Mapping[str, object], odd: Counter[str]
) -> dict[str, object]:
    seen = dict[bytes, None]()  # in order
    with (made / "vectors.npy").open("wb") as stream:
        dim = 0
        for words, vectors in _progress(chunks):
            if not dim:
                dim = vectors.shape[1]
                _write_header(stream, 0, dim)
            rows = _new_words(words, seen, odd)
            kept = vectors if len(rows) == len(words) else vectors[rows]
            _check_lengths(words, rows, kept, odd)
            stream.write(np.ascontiguousarray(kept, dtype="<f4").data)
        if not seen:
            raise InputError(f"{source.get('source', 'source')}: no words in it")
        stream.seek(0)
        _write_header(stream, len(seen), dim)
    ordered = list(seen)
    (made / "words.txt").write_bytes(b"".join(word + b"\n" for word in ordered))
    sizes = np.fromiter((len(word) + 1 for word in ordered), np.int64, len(ordered))
    np.save(made / "offsets.npy", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
    order = sorted(range(len(ordered)), key=ordered.__getitem__)
    np.save(made / "order.npy", np.array(order, np.int64))
    meta = {
        "version": VERSION,
        **source,
        "words": len(ordered),
        "dim": dim,
        "oddities": {name: odd[name] for name in ODDITIES},
        "files": {name: fingerprint(made / name) for name in STORED},
    }
    write_json(meta, made / "meta.json")
    return meta


def _new_words(words: Sequence[bytes], seen: dict[bytes, None], odd: Counter[str]) -> list[int]:
    """Add the new ones of ``words`` to ``seen``; return which they are."""
    try:
        b"\n".join(words).decode()
    except UnicodeDecodeError:
        whole = [word.decode(errors="replace").encode() for word in words]
        odd["broken_utf8"] += sum(a != b for a, b in zip(words, whole, strict=True))
        words = whole
    rows = []
    for row, word in enumerate(words):
        if word and word not in seen:
            seen[word] = None
            rows.append(row)
            if b" " in word:
                odd["with_spaces"] += 1
            if b"\n" in word:
                raise InputError(f"the word {word.decode()!r} contains a line end")
    empty = words.count(b"")
    odd["lines"] += len(words)
    odd["empty"] += empty
    odd["duplicates"] += len(words) - len(rows) - empty
    return rows


def _check_lengths(
    words: Sequence[bytes], rows: Sequence[int], vectors: npt.NDArray[np.float32], odd: Counter[str]
) -> None:
    """Refuse lengths at which float32 products would over- or underflow."""
    lengths = cosine.lengths(vectors)
    odd["zero_vectors"] += int(np.count_nonzero(lengths == 0))
    bad = np.flatnonzero((lengths != 0) & ~((lengths > 1e-15) & (lengths < 1e15)))
    if len(bad):
        word = words[rows[bad[0]]].decode(errors="replace")
        raise InputError(f"the vector of {word!r} has the length {lengths[bad[0]]}: no embedding")


def _write_header(stream: IO[bytes], n: int, dim: int) -> None:
    # numpy pads the header so that it has the same length whatever the number of rows
    header = {"descr": "<f4", "fortran_order": False, "shape": (n, dim)}
    np.lib.format.write_array_header_1_0(stream, header)


def fingerprint(path: Path) -> dict[str, object]:
    """Size in bytes and sha256 of a file."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": sha256}


def _progress(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """A progress bar on a terminal; in a log, a line every half minute."""
    reported = time.monotonic()
    with tqdm(desc="word space", unit=" words", unit_scale=True, disable=None) as bar:
        total = 0
        for chunk in chunks:
            yield chunk
            total += len(chunk[0])
            bar.update(len(chunk[0]))
            if bar.disable and time.monotonic() - reported > 30:
                print(f"word space: {total} words", file=sys.stderr, flush=True)
                reported = time.monotonic()
