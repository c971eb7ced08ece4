"""Cosine similarity and exact neighbours, held to plain Python, numpy in float64, and scipy."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.spatial.distance import cosine as scipy_cosine
from threadpoolctl import threadpool_limits

from emoword.spaces import neighbours
from emoword.spaces.geometry import cosine, lengths, unit
from emoword.spaces.neighbours import nearest

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def test_cosine_equals_scipys() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 5, 9))
    wanted = [[1 - scipy_cosine(x, y) for y in b] for x in a]
    np.testing.assert_allclose(cosine(a[:, None], b), wanted)
    np.testing.assert_allclose(cosine(a, b), np.diagonal(wanted))
    assert cosine(a, a).tolist() == [1.0] * 5
    assert cosine(a, np.zeros(9)).tolist() == [0.0] * 5


def test_lengths_and_directions() -> None:
    vectors = np.array([[3, 4], [0, 0], [0, -2]], np.float32)
    assert lengths(vectors).tolist() == [5, 0, 2]
    assert unit(vectors).tolist() == [[0.6, 0.8], [0, 0], [0, -1]]


def brute_force(vectors: Float32, query: Float64) -> list[tuple[float, int]]:
    """(-cosine, row) in the order of the neighbours, in plain Python; exact for small integers."""
    own = sum(float(b) ** 2 for b in query)
    found = []
    for row, vector in enumerate(vectors):
        length = sum(float(a) ** 2 for a in vector)
        if length:
            dot = sum(float(a) * float(b) for a, b in zip(vector, query, strict=True))
            found.append((-(dot / math.sqrt(length * own)), row))
    return sorted(found)


# few values in few dimensions: many duplicates, multiples of each other, ties and zero vectors
def small(rows: int, dim: int) -> st.SearchStrategy[Float64]:
    shape = st.tuples(st.integers(1, rows), st.just(dim))
    return hnp.arrays(np.float64, shape, elements=st.integers(-2, 2))


@pytest.mark.parametrize("device", [None, "cpu"])  # numpy; torch, as on a GPU
@given(
    st.integers(1, 4).flatmap(lambda dim: st.tuples(small(40, dim), small(4, dim))),
    st.integers(1, 45),
    st.integers(1, 5),
    st.data(),
)
def test_nearest_equals_brute_force(
    device: str | None, arrays: tuple[Float64, Float64], block: int, tile: int, data: st.DataObject
) -> None:
    vectors, queries = arrays[0].astype(np.float32), arrays[1]
    queries[~queries.any(axis=1), 0] = 1
    expected = [brute_force(vectors, query) for query in queries]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CPU_TILE", "GPU_TILE"):
            patch.setattr(neighbours, name, (block, tile))
        if not expected[0]:
            with pytest.raises(ValueError, match="k is 1"):
                nearest(vectors, lengths(vectors), queries, 1, device)
            return
        k = data.draw(st.integers(1, len(expected[0])))
        indices, similarities = nearest(vectors, lengths(vectors), queries, k, device)
    assert indices.tolist() == [[row for _, row in found[:k]] for found in expected]
    assert similarities.tolist() == [[-value for value, _ in found[:k]] for found in expected]


@pytest.fixture
def close() -> tuple[Float32, Float64]:
    """Vectors that differ by so little that float32 products cannot tell them apart."""
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(20, 50)), 50, axis=0)
    vectors = (centres * (1 + 3e-7 * rng.normal(size=centres.shape))).astype(np.float32)
    vectors *= rng.uniform(0.1, 10, (len(vectors), 1)).astype(np.float32)
    return vectors, centres[::50] + 0.01 * rng.normal(size=(20, 50))


on_gpu = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    ],
)


@pytest.mark.parametrize("device", [None, "cpu", on_gpu])
def test_float32_error_is_made_good(close: tuple[Float32, Float64], device: str | None) -> None:
    vectors, queries = close
    exact = vectors.astype(np.float64)
    cosines = queries @ exact.T / np.linalg.norm(exact, axis=1)
    cosines /= np.linalg.norm(queries, axis=1)[:, None]
    expected = np.argsort(-cosines, axis=1)[:, :10]
    rough = queries.astype(np.float32) @ (vectors.T / np.linalg.norm(vectors, axis=1))
    assert not np.array_equal(np.argsort(-rough, axis=1)[:, :10], expected)
    indices, similarities = nearest(vectors, lengths(vectors), queries, 10, device)
    assert np.array_equal(indices, expected)
    np.testing.assert_allclose(similarities, np.take_along_axis(cosines, indices, 1), atol=1e-14)


def test_tile_size_threads_and_company_change_no_bit(
    close: tuple[Float32, Float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, queries = close
    norms = lengths(vectors)
    indices, similarities = nearest(vectors, norms, queries, 10)
    alone = nearest(vectors, norms, queries[3:4], 10)
    assert np.array_equal(alone[1][0], similarities[3])
    many = np.tile(queries, (2 * neighbours.SHARE // len(queries) + 1, 1))
    for tile in ((1, 512), (7, 3), (64, 20), (999, 64), neighbours.CPU_TILE):
        monkeypatch.setattr(neighbours, "CPU_TILE", tile)
        for threads in (1, 2, 3):
            with threadpool_limits(threads):
                again = nearest(vectors, norms, many, 10)
            assert (again[0].reshape(-1, *indices.shape) == indices).all()
            assert (again[1].reshape(-1, *indices.shape) == similarities).all()


def test_tf32_is_off_while_a_gpu_computes_and_back_afterwards() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with neighbours._arrays("cpu"):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_gpu_is_asked_for_only_where_there_is_one_and_much_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver = tmp_path / "nvidiactl"
    monkeypatch.setattr(neighbours, "DRIVERS", [str(driver)])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    much = int(2 * neighbours.WORTH_TORCH)
    assert neighbours._gpu(much) is None
    driver.touch()
    assert neighbours._gpu(much) == "cuda"
    assert neighbours._gpu(much // 4) is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert neighbours._gpu(much) is None


def test_equal_vectors_come_in_word_order_with_similarity_one() -> None:
    vectors = np.tile(np.array([0.1, 0.7, -0.3], np.float32), (3000, 1))  # more than one block
    indices, similarities = nearest(vectors, lengths(vectors), vectors[:1], 5)
    assert indices.tolist() == [[0, 1, 2, 3, 4]]
    assert similarities.tolist() == [[1.0] * 5]


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_size_of_the_query_does_not_matter(scale: float) -> None:
    vectors = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    indices, similarities = nearest(vectors, lengths(vectors), np.array([[3, 4]]) * scale, 3)
    assert indices.tolist() == [[1, 2, 0]]
    np.testing.assert_allclose(similarities, [[7 / math.sqrt(50), 0.8, 0.6]], rtol=1e-14)


@pytest.mark.parametrize(
    ("queries", "k", "message"),
    [
        ([[1, 0]], 3, "k is 3, but must be in 1..2"),
        ([[1, 0]], 0, "k is 0"),
        ([[1, 0], [0, 0]], 1, "query 1 is zero or not finite"),
        ([[1, math.nan]], 1, "query 0 is zero or not finite"),
        ([[-math.inf, 0]], 1, "query 0 is zero or not finite"),
        ([[1, 0, 0]], 1, r"shape \(1, 3\), not \[q, 2\]"),
        ([1, 0], 1, r"shape \(2,\)"),
    ],
)
def test_impossible_queries(queries: list[list[float]], k: int, message: str) -> None:
    vectors = np.array([[1, 0], [0, 0], [0, 2]], np.float32)  # the zero vector is never listed
    with pytest.raises(ValueError, match=message):
        nearest(vectors, lengths(vectors), queries, k)


def test_no_queries_have_no_neighbours() -> None:
    vectors = np.eye(2, dtype=np.float32)
    indices, similarities = nearest(vectors, lengths(vectors), np.empty((0, 2)), 2)
    assert indices.shape == similarities.shape == (0, 2)
