"""Filters of a word space, worked out by hand, and what is said of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoword.cli import main
from emoword.spaces.filters import caption
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

GLOVE = b"the 1 0\nAnger 0 1\nanger 1 1\nNew_York 2 1\n1,5 1 2\nangerr 3 1\n\xc3\xa9t\xc3\xa9 1 3\n"

WORDS = ["the", "Anger", "anger", "New_York", "1,5", "angerr", "été"]
LOWER = "lowercase_alphabetic"


def made(tmp_path: Path, *options: str) -> WordSpace:
    source = tmp_path / "glove.txt"
    source.write_bytes(GLOVE)
    out = tmp_path / "space"
    main(["space", "--format", "glove", "--source", str(source), "--out", str(out), *options])
    return WordSpace.open(out)


@pytest.mark.parametrize(
    ("options", "words", "left_out"),
    [
        (["--most-frequent", "2"], ["the", "Anger"], {"most_frequent": 5}),
        (["--most-frequent", "99"], WORDS, {"most_frequent": 0}),
        (["--lowercase-alphabetic"], ["the", "anger", "angerr", "été"], {LOWER: 3}),
        (["--spelled"], ["the", "Anger", "anger"], {"spelled": 4}),
        (["--lowercase-alphabetic", "--spelled"], ["the", "anger"], {LOWER: 3, "spelled": 2}),
        (
            ["--most-frequent", "4", "--lowercase-alphabetic", "--spelled"],
            ["the", "anger"],
            {"most_frequent": 3, LOWER: 2, "spelled": 0},
        ),
    ],
)
def test_what_is_kept_and_what_is_counted(
    tmp_path: Path, options: list[str], words: list[str], left_out: dict[str, int]
) -> None:
    assert "filter" not in made(tmp_path).meta
    space = made(tmp_path, *options)
    assert space.words() == words
    assert space.meta["filter"]["left_out"] == left_out
    assert space.meta["oddities"]["lines"] == 7
    assert len(space) + sum(left_out.values()) == 7


def test_own_word_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "mine.txt"
    listed.write_text("anger\njoy\nthe\n")
    space = made(tmp_path, "--keep", str(listed))
    assert space.words() == ["the", "anger"]  # in the order of the source
    assert np.array_equal(space.vectors, [[1, 0], [1, 1]])
    assert space.meta["filter"] == {"words": 3, "left_out": {"words": 5}}
    assert "5 left out: not in the list of words" in capsys.readouterr().out


def test_a_filter_that_leaves_nothing(tmp_path: Path, fails: Callable[..., str]) -> None:
    source, listed = tmp_path / "glove.txt", tmp_path / "mine.txt"
    source.write_bytes(GLOVE)
    listed.write_text("joy\nrage\n")
    command = ["space", "--format", "glove", "--source", source, "--out", tmp_path / "space"]
    message = fails(*command, "--keep", listed)
    assert "glove.txt: none of its 7 words is kept" in message
    assert "none.txt: No such file or directory; a word list has one word a line" in fails(
        *command, "--keep", tmp_path / "none.txt"
    )
    assert "filter.most_frequent: Expected `int` >= 0" in fails(*command, "--most-frequent", "-3")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["glove.txt", "mine.txt"]


def test_hidden_phrases_can_be_looked_up_but_are_not_listed(tmp_path: Path) -> None:
    chunk = [b"a", b"New_York", b"b", b"_", b"c__d"]
    vectors = np.array([[0, 1], [1, 0], [1, 1], [1, 0], [1, 0]], np.float32)
    write_space([(chunk, vectors)], tmp_path / "shown", {})
    write_space([(chunk, vectors)], tmp_path / "hidden", {"hide_phrases": True})
    shown, hidden = (WordSpace.open(tmp_path / name) for name in ("shown", "hidden"))
    assert nearest_words(shown, [[1.0, 0]], 2)[0].tolist() == [[1, 3]]
    assert nearest_words(hidden, [[1.0, 0]], 2)[0].tolist() == [[2, 0]]
    assert np.array_equal(hidden.vectors_of(["New_York"]), [[1, 0]])


def test_captions() -> None:
    meta = {"words": 12345}
    assert caption("glove", meta) == "Word space glove: 12,345 words, not filtered."
    meta_filtered = meta | {
        "filter": {"most_frequent": 400000, "spelled": True, "left_out": {"spelled": 1}},
        "hide_phrases": True,
    }
    assert caption("glove", meta_filtered) == (
        "Word space glove: 12,345 words, filter: the 400,000 most frequent, correctly spelled "
        "(pyspellchecker); phrases (with _) are not listed."
    )
