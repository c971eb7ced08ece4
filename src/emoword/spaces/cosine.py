"""Exact cosine neighbours among millions of vectors, without a matrix of all similarities.

A float32 matrix product, block by block, finds the few candidates that its rounding error leaves
possible; only these are compared in float64. The result is that of float64 throughout: it depends
on neither the block size, nor the number of threads, nor whether a GPU makes the product.

On a CPU the queries are shared out to threads, each with a BLAS of one thread, so that a product
is looked through on all cores, as it is made. A GPU is used where torch finds CUDA and there is so
much to do that importing torch pays.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from emoword.spaces.cosine_torch import TorchProduct

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

BLOCK = 2048  # rows of the space in one matrix product: 2.5 MB at 300 dimensions
TILE = 512  # queries in one matrix product: 4 MB of similarities
RUN = 512  # similarities whose largest decides whether they are looked at
PIECE = 8192  # pairs compared in float64 at once
SHARE = 64  # queries at least for each thread; with fewer, BLAS had better share out the rows
WORTH_TORCH = 1e12  # multiplications: with fewer, a CPU is done before torch is imported
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # of GPUs: Linux, WSL, ROCm


def lengths(vectors: Float32) -> Float64:
    """Euclidean lengths of the rows of ``vectors`` [n, d], as float64 [n]."""
    squares = np.empty(len(vectors))
    for start in range(0, len(vectors), PIECE):
        rows = vectors[start : start + PIECE].astype(np.float64)
        squares[start : start + PIECE] = _row_dots(rows, rows)
    return np.sqrt(squares)


def nearest(
    vectors: Float32,
    norms: Float64,
    queries: npt.ArrayLike,
    k: int,
    block: int | None = None,
    device: str | None = None,
) -> tuple[Int64, Float64]:
    """Find the ``k`` rows with the largest cosine similarity to each query.

    Args:
        vectors: the space, [n, d].
        norms: ``lengths(vectors)``, [n]. Rows of length 0 have no direction and are never listed.
        queries: [q, d], finite, none of them zero.
        k: how many neighbours.
        block: rows of the space in one matrix product; a matter of speed and memory alone.
        device: of torch, to make the product on; None: a GPU if there is one and much to do, else
            numpy. A matter of speed alone.

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
    device = device or _gpu(len(scaled) * vectors.size)

    def search(part: slice) -> None:
        found, values, wanted = indices[part], similarities[part], scaled[part]
        for start, tile, product in _products(vectors, norms, wanted, block, device):
            floor = values[tile, -1] - margin
            if start == 0:  # nothing is known yet
                floor = product.kth_largest(k) - 2 * margin
            floor = np.maximum(floor, -2)  # and so never what has no direction
            which, rows, _ = product.between(floor, np.full(len(floor), np.inf))
            which, rows = which + tile.start, rows + start
            _merge(found, values, which, rows, cosines(vectors, rows, wanted, which))

    _share_out(search, len(scaled), device)
    return indices, similarities


def ranks(
    vectors: Float32,
    norms: Float64,
    queries: npt.ArrayLike,
    words: Int64,
    block: int | None = None,
    device: str | None = None,
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
    device = device or _gpu(len(scaled) * vectors.size)

    def search(part: slice) -> None:
        count, mine, word, wanted = better[part], own[part], words[part], scaled[part]
        for start, tile, product in _products(vectors, norms, wanted, block, device):
            which, rows, above = product.between(mine[tile] - margin, mine[tile] + margin)
            count[tile] += above
            which, rows = which + tile.start, rows + start
            exact = cosines(vectors, rows, wanted, which)
            before = (exact > mine[which]) | ((exact == mine[which]) & (rows < word[which]))
            count += np.bincount(which[before], minlength=len(count))

    _share_out(search, len(scaled), device)
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


def _gpu(multiplications: int) -> str | None:
    """A GPU, if there is one and so much to do that importing torch pays."""
    if multiplications < WORTH_TORCH or not any(Path(path).exists() for path in DRIVERS):
        return None
    import torch

    return "cuda" if torch.cuda.is_available() else None


def _share_out(search: Callable[[slice], None], count: int, device: str | None) -> None:
    """Search for ``count`` queries: a share for each thread, whose BLAS has but one meanwhile."""
    controller = ThreadpoolController().select(user_api="blas")
    threads = max((library["num_threads"] for library in controller.info()), default=1)
    if device or threads == 1 or count < threads * SHARE:
        search(slice(0, count))
        return
    ends = [count * i // threads for i in range(threads + 1)]
    with controller.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, map(slice, ends, ends[1:])))


def _products(
    vectors: Float32, norms: Float64, queries: Float64, block: int | None, device: str | None
) -> Iterator[tuple[int, slice, "NumpyProduct | TorchProduct"]]:
    """Yield (first row, queries, their float32 cosines with a block of rows) tile by tile.

    The cosines are overwritten by the next tile: new memory for each would cost as much as a
    quarter of the product.
    """
    units = (queries / np.sqrt(_row_dots(queries, queries))[:, None]).astype(np.float32)
    product = _product(units, len(vectors), block, device)
    with np.errstate(divide="ignore"):
        inverse = np.where(norms > 0, 1 / norms, 0).astype(np.float32)[:, None]
    for start in range(0, len(vectors), product.block):
        rows = slice(start, start + product.block)
        product.take(vectors[rows], inverse[rows])
        for first in range(0, len(units), product.TILE):
            tile = slice(first, min(first + product.TILE, len(units)))
            product.multiply(tile)
            yield start, tile, product


def _product(
    units: Float32, n: int, block: int | None, device: str | None
) -> "NumpyProduct | TorchProduct":
    if device is None:
        return NumpyProduct(units, min(block or BLOCK, n))
    from emoword.spaces.cosine_torch import TorchProduct

    return TorchProduct(units, min(block or TorchProduct.BLOCK, n), device)


class NumpyProduct:
    """Cosines of a tile of queries with a block of rows; `TorchProduct` has the same methods.

    Args:
        units: queries of length one, [q, d].
        block: at most so many rows at once.
    """

    TILE = TILE

    def __init__(self, units: Float32, block: int) -> None:
        self.units = units
        self.block = block
        width = -(-block // RUN) * RUN
        self.rows = np.zeros((width, units.shape[1]), np.float32)
        self.zeros = np.arange(width)
        self.memory = np.empty(min(TILE, len(units)) * width, np.float32)
        self.cosines = self.memory.reshape(-1, width)

    def take(self, vectors: Float32, inverse: Float32) -> None:
        """Take the next rows, [m, d], and their inverse lengths, [m, 1]; 0 for a row of zeros."""
        np.multiply(vectors, inverse, out=self.rows[: len(vectors)])
        self.rows[len(vectors) :] = 0
        self.zeros = np.append(
            np.flatnonzero(inverse == 0), np.arange(len(vectors), len(self.rows))
        )

    def multiply(self, tile: slice) -> None:
        """Multiply these queries with the rows; what has no direction gets -inf."""
        units = self.units[tile]
        width = len(self.rows)
        self.cosines = self.memory[: len(units) * width].reshape(len(units), width)
        np.matmul(units, self.rows.T, out=self.cosines)
        self.cosines[:, self.zeros] = -np.inf

    def kth_largest(self, k: int) -> Float64:
        """The k-th largest cosine of each query; -inf if there are no k."""
        if self.cosines.shape[1] < k:
            return np.full(len(self.cosines), -np.inf)
        return np.partition(self.cosines, -k, axis=1)[:, -k].astype(np.float64)

    def between(self, low: Float64, high: Float64) -> tuple[Int64, Int64, Int64]:
        """Which cosines lie between ``low`` and ``high`` [tile], and how many above.

        Returns:
            Of each cosine its query in the tile and its row in the block; for each query the
            number of cosines above ``high``.
        """
        # most runs hold no candidate, and their largest is the quickest look at them
        runs = self.cosines.reshape(len(low), -1, RUN)
        which, run = np.nonzero(runs.max(axis=2) >= low[:, None])
        values = runs[which, run]
        above = values > high[which, None]
        hit, place = np.divmod(np.flatnonzero((values >= low[which, None]) & ~above), RUN)
        counts = np.zeros(len(low), np.int64)
        np.add.at(counts, which, np.count_nonzero(above, axis=1))
        return which[hit], run[hit] * RUN + place, counts


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
