"""Make the embedded cut of GloVe: its most frequent words and the emotion vocabulary, rounded.

    python scripts/embed_glove.py glove.6B.100d.100k.txt.gz

writes src/emoword/resources/glove.6B.100d.cut.txt.xz, GloVe text with values of two decimals,
the same bytes for the same source, and prints what the rounding does.
"""

import argparse
import gzip
import hashlib
import lzma
from itertools import islice
from pathlib import Path

import numpy as np

from emoword.io.files import replacing
from emoword.spaces.geometry import cosine, lengths
from emoword.spaces.neighbours import nearest

HERE = Path(__file__).parent
OUT = HERE.parent / "src/emoword/resources/glove.6B.100d.cut.txt.xz"
FREQUENT = 20_000
DECIMALS = 2


def emotion_words() -> list[str]:
    """The words of emotion_words.txt, without its comment lines."""
    lines = (HERE / "emotion_words.txt").read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def cut(source: Path, wanted: set[str]) -> tuple[list[str], np.ndarray]:
    """The first ``FREQUENT`` words of ``source`` and those of ``wanted``, with their vectors."""
    words, rows = [], []
    with gzip.open(source, "rt", encoding="utf-8", newline="\n") as stream:
        head = list(islice(stream, FREQUENT))
        for line in [*head, *(line for line in stream if line.split(" ", 1)[0] in wanted)]:
            word, *values = line.rstrip("\n").split(" ")
            words.append(word)
            rows.append([float(value) for value in values])
    return words, np.array(rows, np.float32)


def compress(words: list[str], rounded: np.ndarray) -> bytes:
    """GloVe text, xz-compressed; ``+ 0.0`` turns -0.0 into 0.0."""
    lines = (
        " ".join([word, *(f"{value:.{DECIMALS}f}" for value in row + 0.0)])
        for word, row in zip(words, rounded, strict=True)
    )
    text = "".join(f"{line}\n" for line in lines)
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


def compare(words: list[str], full: np.ndarray, rounded: np.ndarray, emotions: set[str]) -> str:
    """What the rounding does to directions and to the neighbours of the emotion words."""
    kept = cosine(full, rounded)
    rows = np.array([row for row, word in enumerate(words) if word in emotions])
    before, after = (
        nearest(space, lengths(space), space[rows], 6)[0][:, 1:] for space in (full, rounded)
    )
    shared = [len(set(a) & set(b)) for a, b in zip(before, after, strict=True)]
    same = np.mean(np.all(before == after, axis=1))
    return (
        f"cosine of rounded and full vectors: mean {kept.mean():.6f}, least {kept.min():.6f}\n"
        f"5 nearest words of {len(rows)} emotion words: {np.mean(shared) / 5:.2%} are the same "
        f"words, {np.mean(np.equal(shared, 5)):.1%} of the lists have the same words, "
        f"{same:.1%} in the same order"
    )


def main() -> None:
    """Make the cut and report on it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="glove.6B.100d.100k.txt.gz, or all of it")
    parser.add_argument("--out", type=Path, default=OUT, help="default: %(default)s")
    arguments = parser.parse_args()
    emotions = set(emotion_words())
    words, full = cut(arguments.source, emotions)
    rounded = np.round(full.astype(np.float64), DECIMALS).astype(np.float32)
    data = compress(words, rounded)
    with replacing(arguments.out) as made:
        made.write_bytes(data)
    print(f"{arguments.out}: {len(words)} words, {len(data)} bytes")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")
    print(f"emotion words not in the source: {', '.join(sorted(emotions - set(words))) or 'none'}")
    print(compare(words, full, rounded, emotions))


if __name__ == "__main__":
    main()
