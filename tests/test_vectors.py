"""The vectors of a label set's words: the word space's own, and refused where they say nothing."""

from pathlib import Path

import numpy as np
import pytest

from emoword.io.errors import InputError
from emoword.labels.vectors import encode_words
from emoword.labels.words import LabelVectors
from emoword.spaces.word_space import WordSpace
from small_results import Small, write_words


def test_vectors_are_those_of_the_word_space(small: Small, embedded: WordSpace) -> None:
    folder = small.root / small.variant.vectors["S3"]
    words = (folder / "words.txt").read_text(encoding="utf-8").splitlines()
    assert words == ["anger", "frustration", "joy", "sadness", "tense"]
    vectors = LabelVectors.open(folder)
    assert vectors.dim == 100
    for asked in (words, ["tense", "joy", "tense"], []):
        np.testing.assert_array_equal(vectors.vectors_of(asked), embedded.vectors_of(asked))
    with pytest.raises(InputError, match="no vectors of the words awe, xyz"):
        vectors.vectors_of(["joy", "awe", "xyz"])


def test_classes_have_vectors_though_nobody_named_them(
    tmp_path: Path, embedded_folder: Path
) -> None:
    """Early stopping may decide among them."""
    targets = write_words(tmp_path / "words", [("a", "joy", 1)], ["sadness", "joy"])
    encode_words(targets, space=embedded_folder, out=tmp_path / "out")
    assert list(LabelVectors.open(tmp_path / "out").rows) == ["joy", "sadness"]


def test_words_with_other_line_ends_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a\u2028b\nc\x85d\re\n", encoding="utf-8")
    np.save(tmp_path / "vectors.npy", np.eye(2, dtype=np.float32))
    vectors = LabelVectors.open(tmp_path)
    assert vectors.vectors_of(["c\x85d\re", "a\u2028b"]).tolist() == [[0, 1], [1, 0]]


def test_classes_without_a_direction_are_refused(
    tmp_path: Path, embedded_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    targets = write_words(tmp_path / "words", [("a", "joy", 1)], ["joy", "qwxzk"])
    with pytest.raises(InputError, match=r"lacks: qwxzk; give their nouns"):
        encode_words(targets, space=embedded_folder, out=out)
    zeros = np.zeros((1, 100), dtype=np.float32)
    monkeypatch.setattr(WordSpace, "vectors_of", lambda *_: zeros)
    targets = write_words(tmp_path / "words", [("a", "joy", 1)], ["joy"])
    with pytest.raises(InputError, match="the vectors of joy are zero"):
        encode_words(targets, space=embedded_folder, out=out)
    assert not out.exists()


@pytest.mark.parametrize("wrong", [np.eye(3), np.eye(2), np.zeros(2, np.float32), None])
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, wrong: np.ndarray | None
) -> None:
    (tmp_path / "words.txt").write_text("joy\nawe\n")
    if wrong is None:
        (tmp_path / "vectors.npy").write_bytes(b"no array")
    else:
        np.save(tmp_path / "vectors.npy", wrong)
    with pytest.raises(InputError, match=r"do not belong together|no vectors of a label set"):
        LabelVectors.open(tmp_path)
