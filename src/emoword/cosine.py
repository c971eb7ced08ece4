"""Exact cosine neighbours among millions of vectors, without a matrix of all similarities.

A float32 matrix product, block by block, finds the few candidates that its rounding error leaves
possible; only these are compared in float64. The result is that of float64 throughout: it depends
neither on the block size nor on the number of threads.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

BLOCK = 8192  # rows of the space in one matrix product: 10 MB at 300 dimensions
TILE = 512  # queries in one matrix product: 16 MB of similarities
PIECE = 8192  # pairs compared in float64 at once


def lengths(vectors: Float32) -> Float64:
    """Euclidean lengths of the rows of ``vectors`` [n, d], as float64 [n]."""
    squares = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        rows = vectors[start : start + BLOCK].astype(np.float64)
        squares[start : start + BLOCK] = _row_dots(rows, rows)
    return np.sqrt(squares)


def nearest(
    vectors: Float32, norms: Float64, queries: npt.ArrayLike, k: int, block: int = BLOCK
) -> tuple[Int64, Float64]:
    """Find the ``k`` rows with the largest cosine similarity to each query.

    Args:
        vectors: the space, [n, d].
        norms: ``lengths(vectors)``, [n]. Rows of length 0 have no direction and are never listed.
        queries: [q, d], finite, none of them zero.
        k: how many neighbours.
        block: rows of the space in one matrix product; a matter of speed and memory alone.

    Returns:
        Row indices, int64 [q, k], and cosine similarities, float64 [q, k]; best first, of equal
        similarities the lower index first.

    Raises:
        ValueError: a query is zero or not finite, the shapes disagree, or ``k`` is not in 1..the
            number of rows with a direction.
    """
    scaled = _checked(queries, vectors.shape[1])
    if not 1 <= k <= np.count_nonzero(norms):
        raise ValueError(f"k is {k}, but must be in 1..{np.count_nonzero(norms)}")
    margin = _error_bound(vectors.shape[1])
    indices = np.full((len(scaled), k), -1)
    similarities = np.full((len(scaled), k), -np.inf)
    for start, first, approximate in _products(vectors, norms, scaled, block):
        tile = slice(first, first + len(approximate))
        floor: npt.NDArray[np.floating] = similarities[tile, -1] - margin
        if start == 0 and approximate.shape[1] > k:  # nothing is known yet
            floor = np.partition(approximate, -k, axis=1)[:, -k] - 2 * margin
        # most queries have no candidate in most blocks, and a maximum is the quickest look
        (busy,) = np.nonzero(approximate.max(axis=1) >= floor)
        hits = np.flatnonzero(approximate[busy] >= floor[busy, None])
        which, rows = np.divmod(hits, approximate.shape[1])
        which, rows = first + busy[which], start + rows
        directed = norms[rows] > 0
        which, rows = which[directed], rows[directed]
        _merge(indices, similarities, which, rows, cosines(vectors, rows, scaled, which))
    return indices, similarities


def ranks(
    vectors: Float32, norms: Float64, queries: npt.ArrayLike, words: Int64, block: int = BLOCK
) -> Int64:
    """Rank of row ``words[i]`` among all rows by similarity to ``queries[i]``; the best has 1.

    The order is that of `nearest`: of equal similarities the lower index comes first.

    Raises:
        ValueError: as `nearest`, or a row of ``words`` has length 0.
    """
    scaled = _checked(queries, vectors.shape[1])
    if not norms[words].all():
        raise ValueError("a vector of zeros has no rank")
    margin = _error_bound(vectors.shape[1])
    own = cosines(vectors, words, scaled, np.arange(len(scaled)))
    better = np.zeros(len(scaled), np.int64)
    for start, first, approximate in _products(vectors, norms, scaled, block):
        tile = slice(first, first + len(approximate))
        surely = approximate > (own[tile] + margin)[:, None]
        better[tile] += np.count_nonzero(surely, axis=1)
        perhaps = np.flatnonzero((approximate >= (own[tile] - margin)[:, None]) & ~surely)
        which, rows = np.divmod(perhaps, approximate.shape[1])
        which, rows = which + first, rows + start
        exact = cosines(vectors, rows, scaled, which)
        before = (exact > own[which]) | ((exact == own[which]) & (rows < words[which]))
        better += np.bincount(which[before], minlength=len(better))
    return better + 1


def cosines(vectors: Float32, rows: Int64, queries: Float64, which: Int64) -> Float64:
    """Cosine similarity of ``vectors[rows[i]]`` and ``queries[which[i]]``, float64 [len(rows)]."""
    result = np.empty(len(rows))
    for start in range(0, len(rows), PIECE):
        piece = slice(start, start + PIECE)
        a, b = vectors[rows[piece]].astype(np.float64), queries[which[piece]]
        # the root of the product, not the product of the roots: a vector has exactly 1 with itself
        result[piece] = _row_dots(a, b) / np.sqrt(_row_dots(a, a) * _row_dots(b, b))
    return result


def _row_dots(a: Float64, b: Float64) -> Float64:
    # Not a matrix product: BLAS may sum a row differently depending on where it stands.
    result: Float64 = (a * b).sum(axis=1)
    return result


def _checked(queries: npt.ArrayLike, dim: int) -> Float64:
    """Queries as float64 [q, dim], scaled by powers of two (exactly) to a largest value in 0.5..1.

    Raises:
        ValueError: not of that shape, zero, or not finite.
    """
    array = np.asarray(queries, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(f"queries have shape {array.shape}, not [q, {dim}]")
    largest = np.abs(array).max(axis=1)
    if not np.isfinite(largest).all():
        raise ValueError(f"query {np.flatnonzero(~np.isfinite(largest))[0]} is not finite")
    if not largest.all():
        raise ValueError(f"query {np.flatnonzero(largest == 0)[0]} is zero: it has no direction")
    return np.asarray(np.ldexp(array, -np.frexp(largest)[1][:, None]))


def _error_bound(dim: int) -> float:
    """How far a float32 cosine can be off, whatever the order of summation.

    (dim + 4) units of roundoff by the standard bound for inner products (Higham, Accuracy and
    Stability of Numerical Algorithms, section 3.1), doubled to be safe.
    """
    return 2 * (dim + 8) * 2.0**-24


def _products(
    vectors: Float32, norms: Float64, queries: Float64, block: int
) -> Iterator[tuple[int, int, Float32]]:
    """Yield (first row, first query, float32 cosines [queries, rows]) tile by tile.

    The cosines are overwritten by the next tile: new memory for each would cost as much as a
    quarter of the product.
    """
    units = (queries / np.sqrt(_row_dots(queries, queries))[:, None]).astype(np.float32)
    with np.errstate(divide="ignore"):
        inverse = np.where(norms > 0, 1 / norms, 0).astype(np.float32)[:, None]
    memory = np.empty(min(TILE, len(units)) * min(block, len(vectors)), np.float32)
    for start in range(0, len(vectors), block):
        rows = vectors[start : start + block] * inverse[start : start + block]
        (zeros,) = np.nonzero(norms[start : start + block] == 0)
        for first in range(0, len(units), TILE):
            tile = units[first : first + TILE]
            product = memory[: len(tile) * len(rows)].reshape(len(tile), len(rows))
            np.matmul(tile, rows.T, out=product)
            product[:, zeros] = -np.inf
            yield start, first, product


def _merge(
    indices: Int64, similarities: Float64, which: Int64, rows: Int64, found: Float64
) -> None:
    """Merge ``rows`` with similarities ``found`` into the lists of the queries ``which``."""
    k = indices.shape[1]
    touched = np.unique(which)
    which = np.concatenate([np.repeat(touched, k), which])
    rows = np.concatenate([indices[touched].ravel(), rows])
    found = np.concatenate([similarities[touched].ravel(), found])
    order = np.lexsort((rows, -found, which))
    begins = np.searchsorted(which[order], touched)
    best = order[begins[:, None] + np.arange(k)]
    indices[touched], similarities[touched] = rows[best], found[best]
