"""Whatever lies in the files that people and strangers write: read rightly, or refused in a line.

What is accepted is compared with small parsers of this file, which share no code with the readers.
`EMOWORD_EXAMPLES=20000 pytest -n 0 tests/test_fuzz.py` tries new ones for ten minutes; what that
found stands in the tests as an example.
"""

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auditing import CONFIG
from emoword import layout
from emoword.audit.recording import Code, Hashed, Record
from emoword.audit.results import read
from emoword.corpora.iemocap import NOUNS, read_evaluation
from emoword.corpora.recordings import read_corpus
from emoword.io.errors import InputError
from emoword.settings import Config, Space, Word2vec, Word2vecBinary, read_config
from emoword.spaces.make import make_space
from emoword.spaces.word_space import WordSpace

T = TypeVar("T")
LONGEST = 5  # seconds an input, on a busy machine
ODD = [
    "",
    " ",
    "\t",
    "\0",
    "\r",
    "\x85",
    "\u2028",
    "\ufeff",
    "é",
    "\U0001f600",
    '"',
    ",",
    "\n",
    ";",
]
ODD += ["a" * 5000, "9" * 5000, "nan", "inf", "-", "1e400", "../x", "$(x)", "'", "a\nb", "%", "()"]


@contextmanager
def bounded() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < LONGEST


def accepted(function: Callable[..., T], *arguments: Any) -> T | None:
    """What a reader gives; None if it refuses, in one line."""
    try:
        with bounded():
            return function(*arguments)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 2000
    return None


@st.composite
def harmed(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    """A text as bytes, with a few of them cut, doubled or replaced."""
    content = draw(texts).encode("utf-8", "surrogateescape")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 3]))):
        place = draw(st.integers(0, len(content)))
        end = min(len(content), place + draw(st.integers(0, 9)))
        piece = draw(st.sampled_from([b"", b"\xff", b"\0", b"\r", b"\n", b'"', b",", b" ", b"7"]))
        content = (
            content[:place] + draw(st.sampled_from([piece, content[place:end] * 2])) + content[end:]
        )
    return content


def mostly(usual: list[str]) -> st.SearchStrategy[str]:
    """One of the usual texts nine times of ten."""
    return st.integers(0, 9).flatmap(lambda n: st.sampled_from(ODD if n == 9 else usual))


# ------------------------------------------------------------------------- tables of recordings


def quoted(cell: str, quote: str) -> str:
    return quote + cell.replace('"', '""') + quote if quote else cell


def table(header: list[str], cells: dict[str, list[str]]) -> st.SearchStrategy[str]:
    """A CSV with these columns in any order, some of them quoted."""

    @st.composite
    def made(draw: st.DrawFn) -> str:
        names = draw(st.permutations(header))
        rows = draw(st.lists(st.tuples(*(mostly(cells[name]) for name in names)), max_size=6))
        quotes = st.sampled_from(["", "", '"'])
        lines = [[quoted(cell, draw(quotes)) for cell in row] for row in [tuple(names), *rows]]
        end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
        bom = draw(st.sampled_from(["", "", "\ufeff"]))
        return bom + end.join(",".join(line) for line in lines) + draw(st.sampled_from([end, ""]))

    return made()


def cells_of(content: bytes) -> list[list[str]]:
    """RFC 4180, letter by letter; rows of blank cells are left out."""
    rows, row, cell, state = list[list[str]](), list[str](), "", "start"
    for letter in content.decode("utf-8-sig") + "\n":
        if state == "quoted":
            state, cell = ("quote", cell) if letter == '"' else (state, cell + letter)
        elif letter == '"' and state == "quote":
            state, cell = "quoted", cell + letter
        elif letter == '"' and state == "start":
            state = "quoted"
        elif letter in ",\n":
            row, cell, state = (
                [*row, cell.removesuffix("\r") if letter == "\n" else cell],
                "",
                "start",
            )
            if letter == "\n":
                rows, row = [*rows, row], []
        else:
            cell, state = cell + letter, "plain" if letter != "\r" or state != "quote" else state
    return [row for row in rows if any(cell.strip() for cell in row)]


WAVS = ["a.wav", "b.wav", "c.wav", "sub/d.wav"]
RECORDINGS = {
    "wav": WAVS,
    "speaker": ["s1", "s2", "s10"],
    "label": ["joy", "anger", "", "Joy"],
    "fold": ["1", "2"],
}
RATINGS = {
    "utterance": ["a", "b", "c", "sub/d"],
    "rater": ["r1", "r2", " r1"],
    "kind": ["label", "comment"],
    "text": ["joy", "anger", "glad, calm", ""],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fuzz")
    (made / "sub").mkdir()
    for name in WAVS:
        (made / name).touch()
    return made


@given(content=harmed(table(["wav", "speaker", "label"], RECORDINGS)))
def test_recordings(content: bytes, folder: Path) -> None:
    path = folder / "recordings.csv"
    path.write_bytes(content)
    corpus = accepted(read_corpus, path, None, 2)
    if corpus:
        header, *rows = cells_of(content)
        place = [name.strip() for name in header].index("wav")
        assert list(corpus.utterances["wav"]) == [str(folder / r[place].strip()) for r in rows]


@given(content=harmed(table(list(RATINGS), RATINGS)))
def test_annotations(content: bytes, folder: Path) -> None:
    good, path = folder / "good.csv", folder / "ratings.csv"
    good.write_text("wav,speaker,label\n" + "".join(f"{w},{w},joy\n" for w in WAVS))
    path.write_bytes(content)
    corpus = accepted(read_corpus, good, path, 2)
    if corpus:
        header, *rows = cells_of(content)
        place = [name.strip() for name in header].index("text")
        filled = [row[place].strip() for row in rows if row[place].strip()]
        assert [text.strip() for text in corpus.annotations["text"]] == filled
        assert sum(len(d.which) for d in corpus.dropped) == len(rows) - len(filled)


# -------------------------------------------------------------------------------------- IEMOCAP

DIALOG = "Ses01F_impro01"
BLOCK = st.builds(
    "[{} - 8.2]\t{}_{}\t{}\t[2.5, 2.5, 2.5]\n{}\n".format,
    mostly(["6.2901", "0.1"]),
    st.just(DIALOG),
    mostly([f"{sex}{n:03}" for sex in "FM" for n in range(20)]),
    mostly(list(NOUNS)),
    st.lists(
        st.builds(
            "{}-{}:\t{};\t({}\n".format,
            mostly(["C", "C", "A"]),
            mostly(["E1", "E2", "F1"]),
            mostly(["Neutral", "Neutral; Anger", "val 2; act 3; dom  3", ""]),
            mostly([")", "a bit tense)", "unclosed", "a;b)"]),
        ),
        min_size=1,
        max_size=4,
    ).map("".join),
)


def values_and_comment(said: str) -> tuple[str, str]:
    """What stands before and behind the first parenthesis that follows a semicolon, or nothing."""
    for place in (i for i, letter in enumerate(said) if letter == "("):
        values = said[:place].strip(" \t")
        if not values or values.endswith(";"):
            return values, said[place + 1 :]
    return said, ""


@example(content=b"[6.2901 - 8.2]\tSes01F_impro01_F000\tneu\t[2]\nC-E1:\t$(x);\t()\n\n")
@given(content=harmed(st.lists(BLOCK, max_size=4).map("% [START_TIME]\n\n{}".format("").join)))
def test_evaluations_of_iemocap(content: bytes, folder: Path) -> None:
    path = folder / f"{DIALOG}.txt"
    path.write_bytes(content)
    found = accepted(read_evaluation, path, defaultdict(list))
    if found:
        truth, annotations = found
        lines = [line.strip(" \t\r") for line in content.decode("latin-1").split("\n")]
        assert len(truth) == sum(line.startswith("[") for line in lines)
        rated = [line.split(":", 1) for line in lines if re.match("[CA]-[EFM]", line)]
        labels, comments = 0, 0
        for who, said in rated:
            values, comment = values_and_comment(said)
            names = values.strip().split(";")[:-1] if who.startswith("C") else []
            labels += sum(bool(name.strip()) for name in names)
            comments += bool(comment.removesuffix(")").strip())
        kinds = Counter(kind for _, _, _, kind, *_ in annotations)
        assert (kinds["label"], kinds["comment"]) == (labels, comments)


# ---------------------------------------------------------------------------------- word spaces

WORD = mostly(["anger", "joy", "of it", "x", "1.5", "Joy", "ﬁ", "日本"])
VALUE = mostly(["0.5", "-1", "1e-3", "0", "3.25", ".5", "1E2", "0.1234567"])
LINES = st.lists(st.tuples(WORD, VALUE, VALUE).map(" ".join), min_size=1, max_size=6)
TEXT = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, mostly(["\n"]))


def vectors_in(lines: list[bytes], dim: int) -> dict[str, list[float]]:
    """Of GloVe's lines: word -> values; of words that come twice the first."""
    found = dict[str, list[float]]()
    for line in lines:
        words = line.rstrip().split(b" ")
        word = b" ".join(words[:-dim]).decode(errors="replace")
        if word:
            found.setdefault(word, [float(value) for value in words[-dim:]])
    return found


def same_space(out: Path, wanted: dict[str, list[float]]) -> None:
    made = WordSpace.open(out)
    assert made.words() == list(wanted)
    np.testing.assert_array_equal(made.vectors, np.array([*wanted.values()], np.float32))


@given(content=harmed(TEXT))
def test_glove(content: bytes, folder: Path) -> None:
    path, out = folder / "glove.txt", folder / "space"
    path.write_bytes(content)
    if accepted(make_space, Space(source=str(path)), out):
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]
        [(dim, _)] = Counter(line.rstrip().count(b" ") for line in lines).most_common(1)
        same_space(out, vectors_in(lines, dim))


@given(content=harmed(TEXT), count=mostly(["1", "2", "3"]), dim=mostly(["2", "2", "1", "0"]))
def test_word2vec(content: bytes, count: str, dim: str, folder: Path) -> None:
    path, out = folder / "w2v.txt", folder / "space"
    path.write_bytes(f"{count} {dim}\n".encode() + content)
    if accepted(make_space, Word2vec(source=str(path)), out):
        header, *lines = path.read_bytes().split(b"\n")[:-1]
        assert len(lines) == int(header.split()[0])
        same_space(out, vectors_in(lines, int(header.split()[1])))


@given(
    words=st.lists(
        st.sampled_from([b"joy", b"anger", b"\xff", b"", b"a\nb", b"x" * 5000]), max_size=5
    ),
    values=st.binary(max_size=60),
    header=mostly(["2 2", "1 2", "3 1", "2 3", "1 0", "999999999999 3"]),
)
def test_word2vec_binary(words: list[bytes], values: bytes, header: str, folder: Path) -> None:
    path, out = folder / "w2v.bin", folder / "space"
    pieces = [word + b" " + values[8 * n : 8 * n + 8] for n, word in enumerate(words)]
    path.write_bytes(header.encode() + b"\n" + b"".join(pieces))
    meta = accepted(make_space, Word2vecBinary(source=str(path)), out)
    if meta:
        assert meta["oddities"]["lines"] == int(header.split()[0])
        assert np.isfinite(WordSpace.open(out).vectors).all()


# --------------------------------------------------------------------- configuration and records

LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, -1, 0, 1, 2**31, 2**63, 2**70, 1e308, -0.0, True, "", [], {}, *ODD]),
    st.sampled_from(["demo", "paper", "S1", "lc", "embedded", "logmel", "union", "recordings"]),
    st.lists(st.sampled_from(["S1", "S2", "lc", "demo", 1, None]), max_size=3),
)


def parts(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all parts of a JSON."""
    yield place
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in inside:
        yield from parts(part, (*place, key))


def put(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    """The same JSON with another part, or key, at a place."""
    if not place:
        return other
    copy = value.copy()
    copy[place[0]] = put(value[place[0]], place[1:], other)
    return copy


@st.composite
def poisoned(draw: st.DrawFn, honest: Any) -> Any:
    """The same JSON with a few of its parts replaced, and keys added."""
    value = honest
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([*parts(value)]))
        value = put(value, place, draw(LEAVES))
    if isinstance(value, dict) and draw(st.booleans()):
        known = ["iemocap_root", "device", "feature_shards", "variants", "comparisons", "x", "a\nb"]
        value = {**value, draw(st.sampled_from(known)): draw(LEAVES)}
    return value


def understood(values: Any) -> Config:
    """A configuration, with all that a run derives from it."""
    config = read_config(values)
    layout.parts_of(config, config.dataset)
    return config


FULL = {**CONFIG, "variants": {"paper": {}, "more": {"training": {"epochs": 3}}}}
FULL["comparisons"] = {"both": ["paper", "more"]}


@given(values=poisoned(FULL).filter(lambda value: isinstance(value, dict)))
def test_configurations(values: dict[str, Any]) -> None:
    config = accepted(understood, values)
    if config:
        assert read_config(msgspec.to_builtins(config)) == config


RECORD = Record(
    version=2,
    command=("emoword", "train"),
    begun="2026-01-01T00:00:00.000+00:00",
    ended="2026-01-01T00:00:01.000+00:00",
    seed=0,
    code=Code("0.2.0", "0" * 64),
    packages={"numpy": "2"},
    host={"cpus": 1},
    outputs={"results/demo/x": Hashed(1, "0" * 64)},
)


@given(values=poisoned(msgspec.to_builtins(RECORD)), content=st.data())
def test_records(values: Any, content: st.DataObject, folder: Path) -> None:
    path = folder / "x.log.json"
    path.write_bytes(content.draw(harmed(st.just(json.dumps(values)))))
    record = accepted(read, path, Record)
    if record:
        assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record
