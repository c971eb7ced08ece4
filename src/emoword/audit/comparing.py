"""Two files that should be the same: whether they are but for rounding, and where they differ."""

import math
import re
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

CLOSE = 1e-9  # relative; other processors and libraries round otherwise
SHADES = 8  # of 255, by which a pixel may be another: edges of letters and lines
LARGEST = 64 * 2**20
BETWEEN = re.compile(r"([\s,;:()\[\]{}<>\"']+)")


def close(there: Path, remade: Path) -> bool:
    """Whether two files are the same but for the rounding of numbers, or of shades in a picture."""
    if max(there.stat().st_size, remade.stat().st_size) > LARGEST:
        return False
    try:
        if there.suffix == ".png":
            return same_picture(there, remade)
        a, b = (BETWEEN.split(text_of(path)) for path in (there, remade))
    except Exception:  # a stranger's picture or PDF that is none
        return False
    return len(a) == len(b) and all(x == y or near(x, y) for x, y in zip(a, b, strict=True))


def near(a: str, b: str) -> bool:
    """Whether two words are the same number but for rounding.

    >>> near("0.30000000000000004", "0.3"), near("0.31", "0.3"), near("anger", "0.3")
    (True, False, False)
    """
    try:
        return math.isclose(float(a), float(b), rel_tol=CLOSE)
    except ValueError:
        return False


def text_of(path: Path) -> str:
    """What a file says: its text, or of a PDF its streams, unpacked."""
    data = path.read_bytes()
    if path.suffix == ".pdf":
        packed = re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)
        data = b"\n".join(zlib.decompressobj().decompress(part, LARGEST) for part in packed)
    return data.decode("latin-1")


def same_picture(there: Path, remade: Path) -> bool:
    """Whether two pictures cannot be told apart by eye."""
    from PIL import Image

    with Image.open(there) as one, Image.open(remade) as other:
        if one.size != other.size or one.mode != other.mode:
            return False
        shades = [np.asarray(picture, np.int16) for picture in (one, other)]
    return bool(np.abs(shades[0] - shades[1]).max() <= SHADES)


def differences(there: Path, remade: Path, most: int = 3) -> list[str]:
    """In words, where a text differs from what it is when made again; nothing of other files."""
    if max(there.stat().st_size, remade.stat().st_size) > LARGEST:
        return []
    try:
        ours, theirs = (path.read_text(encoding="utf-8").split("\n") for path in (there, remade))
    except UnicodeDecodeError:
        return []
    if len(ours) != len(theirs):
        more_here, lacking = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
        said = [f"added: {clipped(line)}" for line in more_here]
        said += [f"taken away: {clipped(line)}" for line in lacking]
    else:
        pairs = [(n, a, b) for n, (a, b) in enumerate(zip(ours, theirs, strict=True), 1) if a != b]
        said = [text for pair in pairs[: most + 1] for text in changed_cells(ours[0], *pair)]
    more = [f"and {len(said) - most} more"] if len(said) > most else []
    return said[:most] + more


def changed_cells(header: str, line: int, ours: str, theirs: str) -> list[str]:
    """In which cells two lines differ; as whole lines, if they are none of a table."""
    rows = [text.split(",") for text in (header, ours, theirs)]
    if line == 1 or len({len(row) for row in rows}) > 1:
        return [f"line {line}: {clipped(ours)}; recomputed {clipped(theirs)}"]
    return [
        f"line {line}, {name}: {clipped(a)}; recomputed {clipped(b)}"
        for name, a, b in zip(*rows, strict=True)
        if a != b
    ]


def clipped(text: str) -> str:
    """The beginning of a text, quoted, as it can be printed anywhere."""
    return ascii(text if len(text) <= 90 else text[:87] + "...")
