"""Write a text file in the format and, at full size, of the shape of GloVe 840B 300d.

The numbers are random. They have GloVe's five digits, a mean of its own in each dimension (as
trained spaces have), and lengths as of GloVe's vectors. Odd tokens stand among the words as they do
in the real file: tokens with spaces and with non-breaking spaces, broken UTF-8, a word twice.

    python benchmarks/glove_like.py /tmp/glove_like.txt --words 200000
"""

import argparse
from pathlib import Path

import numpy as np

FULL = 2_196_017  # the words of GloVe 840B
DIM = 300
PIECES = 30  # a line's numbers are drawn from so many pools of texts: fast, and no two lines alike
POOL = 4096
LINES = 20_000  # made at once


def write_glove_like(path: Path, words: int, dim: int = DIM, plain: bool = False) -> None:
    """Write ``words`` lines of ``dim`` numbers.

    Args:
        path: where to.
        words: how many lines.
        dim: how many numbers on a line.
        plain: no tokens with spaces, at which gensim's reader stops; the other words are the same.
    """
    rng = np.random.default_rng(0)
    pools = [_pool(rng, len(columns)) for columns in np.array_split(np.arange(dim), PIECES)]
    with path.open("wb") as stream:
        for start in range(0, words, LINES):
            count = min(LINES, words - start)
            drawn = rng.integers(0, POOL, (len(pools), count)).tolist()
            tokens = [_token(i) for i in range(start, start + count)]
            columns = [[pool[i] for i in row] for pool, row in zip(pools, drawn, strict=True)]
            lines = map(b"".join, zip(tokens, *columns, strict=True))
            if plain:
                lines = (
                    line for line, token in zip(lines, tokens, strict=True) if b" " not in token
                )
            stream.write(b"\n".join(lines) + b"\n")


def _pool(rng: np.random.Generator, width: int) -> list[bytes]:
    """Texts of ``width`` numbers, each with a space before it."""
    if not width:
        return [b""] * POOL
    values = rng.normal(rng.normal(0, 0.1, width), 0.4, (POOL, width))
    return [b"".join(b" %.5g" % value for value in row) for row in values.tolist()]


def _token(row: int) -> bytes:
    """A word: letters that spell the row, a few of them odd."""
    letters = np.base_repr(row * 7919 % 4_000_037 + 50_000, 36).encode()
    letters = letters if row % 3 == 0 else letters.lower()
    if row % 1000 == 500:
        return b". . " + letters
    if row % 1000 == 501:
        return "1\N{NO-BREAK SPACE}".encode() + letters
    if row % 1000 == 502:
        return b"br\xff" + letters
    if row % 1000 == 503 and row > 1000:
        return _token(row - 503)  # there already
    return letters


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--words", type=int, default=FULL)
    parser.add_argument("--plain", action="store_true", help="no tokens with spaces, for gensim")
    arguments = parser.parse_args()
    write_glove_like(arguments.path, arguments.words, plain=arguments.plain)


if __name__ == "__main__":
    main()
