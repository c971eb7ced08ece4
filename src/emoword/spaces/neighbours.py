"""Exact cosine neighbours among millions of vectors, without a matrix of all similarities.

A float32 matrix product, block by block, finds the few candidates that its rounding error leaves
possible; only these are compared in float64. The result is that of float64 throughout: it depends
on neither the block size, nor the number of threads, nor whether a GPU computes the product.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from emoword.spaces.geometry import Float64, cosine, pieces, unit
from emoword.spaces.word_space import WordSpace

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

# Rows of the space and queries in one matrix product: 4 MB of similarities on a CPU, whose caches
# hold them; 256 MB on a GPU.
CPU_TILE = (2048, 512)
GPU_TILE = (32768, 2048)
SHARE = 64  # queries at least for each thread; with fewer, BLAS had better share out the rows
WORTH_TORCH = 1e12  # multiplications: with fewer, a CPU is done before torch is imported
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # of GPUs: Linux, WSL, ROCm


def nearest_words(space: WordSpace, queries: npt.ArrayLike, k: int) -> tuple[Int64, Float64]:
    """The ``k`` words of a space nearest to each query, or all that it has: see `nearest`.

    No method of the space, as what only reads vectors (label sets, encoding, so training) is then
    not made again for an edit of the search.
    """
    norms = space.norms
    return nearest(space.vectors, norms, queries, min(k, int(np.count_nonzero(norms))))


def nearest(
    vectors: Float32, norms: Float64, queries: npt.ArrayLike, k: int, device: str | None = None
) -> tuple[Int64, Float64]:
    """Find the ``k`` rows with the largest cosine similarity to each query.

    Args:
        vectors: the space, [n, d].
        norms: lengths of the rows, [n]. Rows of length 0 have no direction and are never listed.
        queries: [q, d], finite, none of them zero.
        k: how many neighbours.
        device: torch's name of the device that computes the product; None: a GPU if there is one
            and much to do, else numpy. It affects speed alone.

    Returns:
        Row indices, int64 [q, k], and cosine similarities, float64 [q, k]; best first, of equal
        similarities the lower index first.

    Raises:
        ValueError: a query is zero or not finite, the shapes disagree, or ``k`` is not in 1..the
            number of rows with a direction.
    """
    scaled = _checked(queries, vectors.shape[1])
    directed = np.flatnonzero(norms)
    if not 1 <= k <= len(directed):
        raise ValueError(f"k is {k}, but must be in 1..{len(directed)}")
    indices = np.full((len(scaled), k), -1)
    similarities = np.full((len(scaled), k), -np.inf)
    device = device or _gpu(len(scaled) * vectors.size)

    def search(part: slice) -> None:
        found, values, wanted = indices[part], similarities[part], scaled[part]
        for which, rows in _candidates(vectors, norms, directed, wanted, values, device):
            exact = np.empty(len(rows))
            for piece in pieces(len(rows)):
                exact[piece] = cosine(vectors[rows[piece]], wanted[which[piece]])
            _merge(found, values, which, rows, exact)

    _share_out(search, len(scaled), device)
    return indices, similarities


def _checked(queries: npt.ArrayLike, dim: int) -> Float64:
    """Queries as float64 [q, dim], scaled exactly, by powers of two, to values of at most 1."""
    array = np.asarray(queries, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(f"queries have shape {array.shape}, not [q, {dim}]")
    largest = np.abs(array).max(axis=1)
    for bad in np.flatnonzero((largest == 0) | ~np.isfinite(largest)):
        raise ValueError(f"query {bad} is zero or not finite: it has no direction")
    return np.asarray(np.ldexp(array, -np.frexp(largest)[1][:, None]))


def _candidates(
    vectors: Float32,
    norms: Float64,
    directed: Int64,
    queries: Float64,
    best: Float64,
    device: str | None,
) -> Iterator[tuple[Int64, Int64]]:
    """Yield (queries [m], rows [m]), pairs that may be neighbours, tile by tile.

    Searched are the rows ``directed``. ``best`` [q, k] holds the similarities of the neighbours
    found so far; the caller updates it with each tile's pairs.
    """
    block, tile = GPU_TILE if device else CPU_TILE
    # how far a float32 cosine can be off, whatever the order of summation: dim + 4 units of
    # roundoff (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), doubled
    margin, k = 2 * (vectors.shape[1] + 8) * 2.0**-24, best.shape[1]
    with _arrays(device) as (xp, put, get):
        units = put(unit(queries).astype(np.float32))
        # one memory for all products: a new one for each would cost a quarter of the product
        memory = put(np.empty(block * min(tile, len(queries)), np.float32))
        for start in range(0, len(directed), block):
            rows = directed[start : start + block]
            scaled = put(vectors[rows])
            scaled *= put((1 / norms[rows]).astype(np.float32)[:, None])
            for first in range(0, len(queries), tile):
                some = units[first : first + tile]
                product = memory[: len(some) * len(rows)].reshape(len(some), len(rows))
                xp.matmul(some, scaled.T, out=product)
                floor = best[first : first + tile, -1] - margin
                if start == 0 and k <= len(rows):  # no neighbours are known yet
                    sample = get(product[:, : max(k, CPU_TILE[0])])
                    floor = np.partition(sample, -k, axis=1)[:, -k] - 2 * margin
                lowest = np.nextafter(floor.astype(np.float32), np.float32(-np.inf))
                hits = xp.where((product >= put(lowest)[:, None]).reshape(-1))[0]
                which, column = np.divmod(get(hits), len(rows))
                yield which + first, rows[column]


@contextmanager
def _arrays(device: str | None) -> Iterator[tuple[Any, Callable[[Any], Any], Callable[[Any], Any]]]:
    """Where products are computed: numpy or torch, and how an array gets there and back."""
    if device is None:
        yield np, lambda array: array, lambda array: array
        return
    import torch

    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")  # TF32's error is larger than the bound
    try:
        yield torch, lambda array: torch.from_numpy(array).to(device), lambda t: t.cpu().numpy()
    finally:
        torch.set_float32_matmul_precision(precision)


def _merge(best: Int64, similarities: Float64, which: Int64, rows: Int64, exact: Float64) -> None:
    """Merge ``rows`` with similarities ``exact`` into the lists of the queries ``which``."""
    k = best.shape[1]
    touched = np.unique(which)
    which = np.concatenate([np.repeat(touched, k), which])
    rows = np.concatenate([best[touched].ravel(), rows])
    exact = np.concatenate([similarities[touched].ravel(), exact])
    order = np.lexsort((rows, -exact, which))
    begins = np.searchsorted(which[order], touched)
    kept = order[begins[:, None] + np.arange(k)]
    best[touched], similarities[touched] = rows[kept], exact[kept]


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


def _gpu(multiplications: int) -> str | None:
    """A GPU, if there is one and so much to do that importing torch pays."""
    if multiplications < WORTH_TORCH or not any(Path(path).exists() for path in DRIVERS):
        return None
    import torch

    return "cuda" if torch.cuda.is_available() else None
