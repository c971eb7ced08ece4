"""Make a word space from another: the same words, other vectors."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from cyclopts import Parameter
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table
from emoword.spaces.formats import Chunk
from emoword.spaces.geometry import Float64, lengths, pieces
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

Change = Callable[[Float64], Float64]


def transform(
    space: Path,
    /,
    *,
    transform: Literal["centred", "top_removed", "shuffled", "random"],
    components: int | None = None,
    targets: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)] = (),
    seed: int = 0,
    out: Path,
) -> None:
    r"""Make a word space from another: the same words, other vectors.

    - centred: minus the mean of all words' vectors.
    - top_removed: centred, and without the directions in which the words vary most (Mu & Viswanath
      2018, "all-but-the-top").
    - shuffled: the classes' vectors go round among the classes, and those of all other words of the
      label sets among these, so that no word keeps its own: the vectors are the same, and so is how
      the classes lie to one another, but what a word means is gone. Words that no label set has
      stay where they are.
    - random: every word gets a random direction, and keeps its length.

    A vector of zeros has no direction, and stays. The space is read in pieces, however large it is.

        emoword transform-space results/spaces/embedded --transform centred --out CENTRED
        emoword transform-space results/spaces/embedded --transform shuffled \
            --targets targets/S1-1a2b3c4d targets/S2-embedded-1a2b3c4d --out SHUFFLED

    Args:
        space: Folder of the word space to start from.
        transform: What is done to its vectors.
        components: Of top_removed, how many directions; otherwise a hundredth of the dimensions.
        targets: Of shuffled, the folders of the label sets whose words are shuffled.
        seed: Of shuffled and random.
        out: Folder of the word space.
    """
    opened = WordSpace.open(space)
    source = {
        "source": opened.meta.get("source", opened.folder.name),
        "format": opened.meta.get("format", ""),
        "transform": transform,
        "of": opened.meta["files"]["vectors.npy"]["sha256"],
    }
    rng = np.random.default_rng(seed)
    if transform == "shuffled":
        if not targets:
            raise InputError("--transform shuffled needs the label sets: name them with --targets")
        rows = shuffled_rows(opened, targets, rng)
        chunks = changed(opened, lambda vectors: vectors, rows)
    elif transform == "random":
        chunks = changed(opened, lambda vectors: random_directions(vectors, rng))
    else:
        removed = 0
        if transform == "top_removed":
            removed = max(1, round(opened.dim / 100)) if components is None else components
            if not 1 <= removed < opened.dim:
                raise InputError(f"--components {removed}: must be in 1..{opened.dim - 1}")
            source["components"] = str(removed)
        chunks = changed(opened, without_top(opened, removed))
    meta = write_space(chunks, out, source)
    print(f"{out}: {meta['words']} words, {meta['dim']} dimensions, {transform}")


def changed(
    space: WordSpace, change: Change, rows: NDArray[np.int64] | None = None
) -> Iterator[Chunk]:
    """The words of a space with changed vectors, in pieces; vectors of zeros stay.

    ``rows`` [n] says whose vector each word gets before the change; None: its own.
    """
    rows = np.arange(len(space)) if rows is None else rows
    for piece in pieces(len(space)):
        vectors = space.vectors[rows[piece]].astype(np.float64)
        vectors = np.where(vectors.any(axis=1, keepdims=True), change(vectors), 0.0)
        words = [space.word(i).encode() for i in range(len(space))[piece]]
        yield words, vectors.astype(np.float32)


def without_top(space: WordSpace, removed: int) -> Change:
    """Subtract the mean, then what lies along the ``removed`` directions of the largest variance.

    Mu & Viswanath (2018), algorithm 1; of the vectors that are not zero.
    """
    count, total = 0, np.zeros(space.dim)
    products = np.zeros((space.dim, space.dim))
    for piece in pieces(len(space)):
        rows = space.vectors[piece].astype(np.float64)
        count += int(rows.any(axis=1).sum())
        total += rows.sum(axis=0)
        products += rows.T @ rows
    mean = total / count
    covariance = products / count - np.outer(mean, mean)
    _, directions = np.linalg.eigh(covariance)  # columns, in rising order of the variance
    top = directions[:, ::-1][:, :removed]
    return lambda vectors: (vectors - mean) - (vectors - mean) @ top @ top.T


def random_directions(vectors: Float64, rng: np.random.Generator) -> Float64:
    """As many vectors of the same lengths, their directions uniform on the sphere: [m, d]."""
    drawn = rng.standard_normal(vectors.shape)
    scaled: Float64 = drawn * (lengths(vectors) / lengths(drawn))[:, None]
    return scaled


def shuffled_rows(
    space: WordSpace, targets: Sequence[Path], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Whose vector each word gets, [n]: classes go round, and so do the other words of label sets.

    Each group in one cycle in a random order, so that no word of two or more keeps its own vector.
    """
    classes = set(read_json(targets[0] / "classes.json"))
    tables = [read_table(folder / "words.csv", ["word"]) for folder in targets]
    others = set(pd.concat(tables)["word"]) - classes
    of, moved = np.arange(len(space)), set[int]()
    for words in (classes, others):
        # `Sad` and `sad` may be one word of the space
        rows = sorted({row for word in words if (row := space.index(word)) is not None} - moved)
        order = rng.permutation(rows).astype(np.int64)  # of no rows: floats
        of[order] = np.roll(order, -1)
        moved |= set(rows)
    return of
