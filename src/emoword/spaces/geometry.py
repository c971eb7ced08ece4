"""Lengths, directions and cosine similarities of vectors, always computed in float64."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Float64 = NDArray[np.float64]

PIECE = 8192  # rows converted to float64 at once: 20 MB at 300 dimensions


def pieces(count: int) -> Iterator[slice]:
    """Slices of 0 ... count, each of as many rows as are converted to float64 at once."""
    return (slice(start, start + PIECE) for start in range(0, count, PIECE))


def lengths(vectors: Floats) -> Float64:
    """Euclidean lengths of the rows of ``vectors`` [n, d], as float64 [n]; n may be millions."""
    squares = np.empty(len(vectors))
    for piece in pieces(len(vectors)):
        rows = vectors[piece].astype(np.float64)
        squares[piece] = dot(rows, rows)
    return np.sqrt(squares)


def unit(vectors: Floats) -> Float64:
    """Vectors [..., d] scaled to length one, as float64; a zero vector stays zero."""
    exact = np.asarray(vectors, np.float64)
    length = np.sqrt(dot(exact, exact))[..., None]
    scaled: Float64 = np.divide(exact, length, out=np.zeros_like(exact), where=length > 0)
    return scaled


def cosine(a: Floats, b: Floats) -> Float64:
    """Cosine similarity of vectors [..., d] and [..., d], broadcast, as float64 [...].

    It is 0 for a zero vector, and exactly 1 of a vector with itself: the root of the product of
    the squared lengths is taken, not the product of the roots.

    >>> cosine(np.array([[3, 4]]), np.array([[4, 3]]))
    array([0.96])
    """
    left, right = np.asarray(a, np.float64), np.asarray(b, np.float64)
    dots = dot(left, right)
    length = np.sqrt(dot(left, left) * dot(right, right))
    similarity: Float64 = np.divide(dots, length, out=np.zeros_like(dots), where=length > 0)
    return similarity


def dot(a: Float64, b: Float64) -> Float64:
    """Inner products of [..., d] and [..., d], broadcast.

    Not a matrix product: BLAS may sum a row differently depending on where it stands.
    """
    result: Float64 = (a * b).sum(axis=-1)
    return result
