"""Write a word space: the folder that `WordSpace` opens, all of it or nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from emoword.io.errors import InputError
from emoword.io.files import replacing, sha256_of, write_array, write_json, write_npy_header
from emoword.spaces.formats import Chunk
from emoword.spaces.geometry import lengths
from emoword.spaces.word_space import STORED, VERSION

ODDITIES = {
    "lines": "words in the source",
    "duplicates": "dropped, as an earlier one has the same word",
    "empty": "dropped, as they have no word",
    "unknown": "dropped, as the model's vocabulary has no pieces for them",
    "broken_utf8": "words with U+FFFD in place of broken UTF-8",
    "with_spaces": "words that contain a space",
    "zero_vectors": "vectors of zeros, never listed as neighbours",
    "byte_order_mark": "byte order mark before the first word, left out",
}


def write_space(
    chunks: Iterable[Chunk],
    folder: Path,
    source: Mapping[str, Any],
    odd: Counter[str] | None = None,
) -> dict[str, Any]:
    """Write a word space, all of it or nothing; returns what meta.json says.

    Of words that come twice the first is kept; a word whose UTF-8 is broken is kept with U+FFFD in
    place of what is broken; a word of no letters at all is dropped. All of these are counted.

    Args:
        chunks: words (bytes) and float32 vectors [m, d], as from `emoword.spaces.formats`.
        folder: where to; a word space that is there is replaced.
        source: what meta.json says of the source.
        odd: what the reader counts while it yields chunks, by the names in `ODDITIES`.

    Raises:
        InputError: no words, impossible vectors, or the folder cannot be written.
    """
    odd = Counter() if odd is None else odd
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    if folder.is_file() or ("meta.json" not in there and not there <= set(STORED)):
        raise InputError(f"{folder}: exists and is no word space; name a new folder with --out")
    with replacing(folder) as made:
        made.mkdir()
        words, dim = _write_vectors(chunks, made / "vectors.npy", source, odd)
        (made / "words.txt").write_bytes(b"".join(word + b"\n" for word in words))
        ends = np.cumsum([0, *(len(word) + 1 for word in words)], dtype=np.int64)
        write_array(ends, made / "offsets.npy")
        order = sorted(range(len(words)), key=words.__getitem__)
        write_array(np.array(order, np.int64), made / "order.npy")
        meta = {
            "version": VERSION,
            **source,
            "words": len(words),
            "dim": dim,
            "oddities": {name: odd[name] for name in ODDITIES},
            "files": {
                name: {"bytes": (made / name).stat().st_size, "sha256": sha256_of(made / name)}
                for name in STORED
            },
        }
        write_json(meta, made / "meta.json")
        # what is there is no space while its files are replaced one by one
        (folder / "meta.json").unlink(missing_ok=True)
    return meta


def _write_vectors(
    chunks: Iterable[Chunk], path: Path, source: Mapping[str, Any], odd: Counter[str]
) -> tuple[list[bytes], int]:
    """Write the vectors of the words that are kept; return these and the number of dimensions."""
    name = source.get("source", "source")
    seen = dict[bytes, None]()  # in order
    dim = 0
    with path.open("wb") as stream, tqdm(unit=" words", unit_scale=True, disable=None) as bar:
        write_npy_header(stream, np.dtype("<f4"), (0, 0))
        for words, vectors in chunks:
            dim = vectors.shape[1]
            rows = _new_words(words, seen, odd)
            kept = vectors[rows]
            length = lengths(kept)
            odd["zero_vectors"] += int(np.count_nonzero(length == 0))
            # float32 products would over- or underflow
            for row in np.flatnonzero((length != 0) & ~((length > 1e-15) & (length < 1e15))):
                word = words[rows[row]].decode(errors="replace")
                told = f"the vector of {word!r} has the length {length[row]}"
                raise InputError(f"{name}: {told}; damaged?")
            stream.write(np.ascontiguousarray(kept, dtype="<f4").data)
            bar.update(len(words))
        if not seen:
            raise InputError(f"{name}: none of its {odd['lines']} words is kept")
        if odd["zero_vectors"] == len(seen):  # of no dimensions, too
            raise InputError(f"{name}: all {len(seen)} vectors are zeros: no directions")
        stream.seek(0)
        write_npy_header(stream, np.dtype("<f4"), (len(seen), dim))
    return list(seen), dim


def _new_words(words: Sequence[bytes], seen: dict[bytes, None], odd: Counter[str]) -> list[int]:
    """Add the new ones of ``words`` to ``seen``; return which they are."""
    whole = [word.decode(errors="replace").encode() for word in words]
    odd["broken_utf8"] += sum(a != b for a, b in zip(words, whole, strict=True))
    rows = []
    for row, word in enumerate(whole):
        if word and word not in seen:
            if b"\n" in word:
                raise InputError(f"the word {word.decode()!r} contains a line end")
            seen[word] = None
            rows.append(row)
            odd["with_spaces"] += b" " in word
    empty = whole.count(b"")
    odd["lines"] += len(words)
    odd["empty"] += empty
    odd["duplicates"] += len(words) - len(rows) - empty
    return rows
