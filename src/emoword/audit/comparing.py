"""Two files that should be the same: whether they are but for rounding, and where they differ."""

import math
import re
from collections import Counter
from itertools import zip_longest
from pathlib import Path

CLOSE = 1e-9  # relative; other processors and libraries round otherwise
LARGEST = 256 * 2**20
WORDS = re.compile(r"[\s,;:()\[\]{}<>\"']+|[^\s,;:()\[\]{}<>\"']+")


def close(there: Path, remade: Path) -> bool:
    """Whether two texts are the same but for the rounding of numbers."""
    if there.stat().st_size > LARGEST:
        return False
    try:
        words = [WORDS.finditer(text_of(path)) for path in (there, remade)]
    except UnicodeDecodeError:
        return False
    return all(a and b and near(a[0], b[0]) for a, b in zip_longest(*words))


def near(a: str, b: str) -> bool:
    """Whether two words are the same, or the same number but for rounding.

    >>> near("0.30000000000000004", "0.3"), near("0.31", "0.3"), near("anger", "0.3")
    (True, False, False)
    """
    if a == b or max(len(a), len(b)) > 40:
        return a == b
    try:
        return math.isclose(float(a), float(b), rel_tol=CLOSE)
    except ValueError:
        return False


def text_of(path: Path) -> str:
    """The text of a file; no more of it than is looked at."""
    with path.open("rb") as stream:
        return stream.read(LARGEST).decode()


def differences(there: Path, remade: Path, most: int = 3) -> list[str]:
    """In words, where a text differs from what it is when made again; nothing of other files."""
    try:
        ours, theirs = (text_of(path).split("\n") for path in (there, remade))
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
