r"""Make a word space from another: the same words, other vectors.

    emoword transform-space --space SPACE --transform centred --out CENTRED
    emoword transform-space --space SPACE --transform top_removed --out REMOVED
    emoword transform-space --space SPACE --transform shuffled --targets targets --out SHUFFLED
    emoword transform-space --space SPACE --transform random --out RANDOM

centred: minus the mean of all words' vectors. top_removed: centred, and without the directions in
which the words vary most (Mu & Viswanath 2018, "all-but-the-top"; --components of them, a hundredth
of the dimensions by default). shuffled: the classes' vectors go round among the classes, and those
of all other words of the label sets among these, so that no word keeps its own: the vectors are the
same, and so is how the classes lie to one another, but what a word means is gone. As labels and
comments are averaged in this space, M2 and M3 mean the same nonsense throughout. Words that no
label set has stay where they are. random: every word gets a random direction, and keeps its length.

A vector of zeros has no direction, and stays. The space is read in pieces, however large it is.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table
from emoword.spaces.formats import Chunk
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

BLOCK = 8192  # words at a time: 20 MB of float64 at 300 dimensions

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword transform-space``."""
    add = parser.add_argument
    add("--space", type=Path, required=True, help="folder of the word space to start from")
    add("--transform", choices=["centred", "top_removed", "shuffled", "random"], required=True)
    add("--components", type=int, help="of top_removed (default: dimensions / 100)")
    add("--targets", type=Path, nargs="+", help="of shuffled: label sets, whose words are shuffled")
    add("--seed", type=int, default=0, help="of shuffled and random")
    add("--out", type=Path, required=True, help="folder of the word space to write")


def main(arguments: argparse.Namespace) -> None:
    """Write the space."""
    space = WordSpace.open(arguments.space)
    kind = arguments.transform
    source = {
        "source": str(space.meta.get("source", arguments.space.name)),
        "format": str(space.meta.get("format", "")),
        "transform": kind,
        "of": str(space.meta["files"]["vectors.npy"]["sha256"]),
    }
    if kind == "shuffled":
        if arguments.targets is None:
            raise InputError("--transform shuffled needs the label sets: name them with --targets")
        moved = shuffled_rows(space, label_words(arguments.targets), arguments.seed)
        chunks = replaced(space, moved)
    elif kind == "random":
        chunks = blocks(space, random_directions(np.random.default_rng(arguments.seed)))
    else:
        mean, covariance = moments(space)
        components = 0
        if kind == "top_removed":
            components = components_of(arguments.components, space.dim)
            source["components"] = str(components)
        chunks = blocks(space, without(mean, top_directions(covariance, components)))
    meta = write_space(chunks, arguments.out, source)
    print(f"{arguments.out}: {meta['words']} words, {meta['dim']} dimensions, {kind}")


def components_of(asked: int | None, dim: int) -> int:
    """How many directions are removed: as asked, or a hundredth of the dimensions, at least one.

    Raises:
        InputError: fewer than one, or nothing would be left.
    """
    components = max(1, round(dim / 100)) if asked is None else asked
    if not 1 <= components < dim:
        raise InputError(f"--components {components}: must be in 1..{dim - 1}")
    return components


def blocks(space: WordSpace, change: Callable[[Float64], Float64]) -> Iterator[Chunk]:
    """The words of a space with changed vectors, in pieces; vectors of zeros stay."""
    for start in range(0, len(space), BLOCK):
        rows = space.vectors[start : start + BLOCK].astype(np.float64)
        changed = np.where(rows.any(axis=1, keepdims=True), change(rows), 0.0)
        words = [space.word(i).encode() for i in range(start, start + len(rows))]
        yield words, changed.astype(np.float32)


def moments(space: WordSpace) -> tuple[Float64, Float64]:
    """Mean [d] and covariance [d, d] of the vectors that are not zero, in float64."""
    count, total = 0, np.zeros(space.dim)
    products = np.zeros((space.dim, space.dim))
    for start in range(0, len(space), BLOCK):
        rows = space.vectors[start : start + BLOCK].astype(np.float64)
        rows = rows[rows.any(axis=1)]
        count += len(rows)
        total += rows.sum(axis=0)
        products += rows.T @ rows
    mean = total / count
    return mean, products / count - np.outer(mean, mean)


def top_directions(covariance: Float64, components: int) -> Float64:
    """The unit vectors along which words vary most: [components, d]."""
    _, vectors = np.linalg.eigh(covariance)  # in rising order of the variance
    directions: Float64 = vectors[:, ::-1][:, :components].T
    return directions


def without(mean: Float64, directions: Float64) -> Callable[[Float64], Float64]:
    """Subtract the mean, then what lies along directions [c, d] (Mu & Viswanath, algorithm 1)."""

    def change(rows: Float64) -> Float64:
        centred = rows - mean
        left: Float64 = centred - centred @ directions.T @ directions
        return left

    return change


def random_directions(rng: np.random.Generator) -> Callable[[Float64], Float64]:
    """Draw a direction for each row, uniformly on the sphere; it keeps its own length."""

    def change(rows: Float64) -> Float64:
        drawn = rng.standard_normal(rows.shape)
        lengths = np.linalg.norm(rows, axis=1) / np.linalg.norm(drawn, axis=1)
        scaled: Float64 = drawn * lengths[:, None]
        return scaled

    return change


def label_words(targets: Sequence[Path]) -> list[list[str]]:
    """The classes, and all other words of these label sets (their folders), each sorted."""
    classes: list[str] = read_json(targets[0] / "classes.json")
    words: set[str] = set()
    for folder in targets:
        words |= set(read_table(folder / "words.csv", ["word"])["word"])
    return [sorted(classes), sorted(words - set(classes))]


def shuffled_rows(space: WordSpace, groups: Sequence[Sequence[str]], seed: int) -> dict[int, int]:
    """Where the vectors go: row -> row whose vector it gets; each group goes round in itself.

    One cycle in a random order, so that no word keeps its own vector. A group of one word stays.
    """
    rng = np.random.default_rng(seed)
    moved: dict[int, int] = {}
    for words in groups:
        # `Sad` and `sad` may be one word of the space
        rows = sorted({row for row in map(space.index, words) if row is not None} - set(moved))
        order = [rows[i] for i in rng.permutation(len(rows))]
        moved |= dict(zip(order, order[1:] + order[:1], strict=True))
    return moved


def replaced(space: WordSpace, moved: dict[int, int]) -> Iterator[Chunk]:
    """The words of a space; those in ``moved`` have the vectors of other rows."""
    for start in range(0, len(space), BLOCK):
        rows = np.array(space.vectors[start : start + BLOCK])
        for to, origin in moved.items():
            if start <= to < start + len(rows):
                rows[to - start] = space.vectors[origin]
        yield [space.word(i).encode() for i in range(start, start + len(rows))], rows
