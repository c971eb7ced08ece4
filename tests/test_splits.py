import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.errors import InputError
from emoword.training.split import split

CLASSES = ["anger", "sadness"]


def corpus(n: int = 40, folds: int = 4) -> pd.DataFrame:
    """Speakers s1..s8, two a fold, both classes everywhere."""
    rows = [(f"u{i}", f"s{i % (2 * folds)}", i % folds + 1, CLASSES[i % 3 > 0]) for i in range(n)]
    return pd.DataFrame(rows, columns=["utterance", "speaker", "fold", "label"])


@given(fold=st.integers(1, 4), share=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_parts_divide_the_corpus_by_fold(fold: int, share: float, seed: int) -> None:
    utterances = corpus()
    parts = split(utterances, CLASSES, fold, share, seed)
    assert list(parts["utterance"]) == list(utterances["utterance"])
    assert ((parts["part"] == "test") == (utterances["fold"] == fold)).all()
    assert (parts["part"] == "validation").sum() == round(share * 30)
    speakers = utterances["speaker"]
    test = parts["part"] == "test"
    assert not set(speakers[test]) & set(speakers[~test])


@given(share=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_a_final_model_is_split_without_a_test_part(share: float, seed: int) -> None:
    parts = split(corpus(), CLASSES, 0, share, seed)["part"]
    assert (parts == "validation").sum() == round(share * 40)
    assert (parts == "train").sum() == 40 - round(share * 40)


def test_same_seed_same_split_other_seed_other_split() -> None:
    a, b, c = (split(corpus(), CLASSES, 1, 0.2, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(a, b)
    assert not a.equals(c)


def test_validation_is_drawn_from_everywhere() -> None:
    utterances = corpus(400)
    drawn = np.zeros(400)
    for seed in range(100):
        drawn += split(utterances, CLASSES, 1, 0.2, seed)["part"] == "validation"
    # each of 300 is drawn in 20 of 100 seeds, with a deviation of 4
    rest = drawn[(utterances["fold"] != 1).to_numpy()]
    assert rest.min() > 3
    assert rest.max() < 40


def test_planted_faults_are_named() -> None:
    one_class = corpus()
    one_class.loc[one_class["fold"] == 2, "label"] = "anger"
    with pytest.raises(InputError, match="fold 2 has one class only: anger"):
        split(one_class, CLASSES, 2, 0.2, 0)
    leak = corpus()
    leak["speaker"] = ["s1", *leak["speaker"][1:]]
    with pytest.raises(InputError, match=r"other folds too.*s1"):
        split(leak, CLASSES, 1, 0.2, 0)
    with pytest.raises(InputError, match="fold 9 has no utterances"):
        split(corpus(), CLASSES, 9, 0.2, 0)
    with pytest.raises(InputError, match="no utterance of fear"):
        split(corpus(), [*CLASSES, "fear"], 1, 0.2, 0)
    with pytest.raises(InputError, match="no validation"):
        split(corpus(), CLASSES, 1, 0.01, 0)


@given(fold=st.integers(1, 4), share=st.floats(0.01, 0.9), seed=st.integers(0, 99))
def test_by_speaker_no_speaker_is_in_two_parts(fold: int, share: float, seed: int) -> None:
    utterances = corpus()
    parts = split(utterances, CLASSES, fold, share, seed, by="speaker")
    where = parts["part"].groupby(utterances["speaker"]).unique()
    assert (where.map(len) == 1).all()
    held = sum(part[0] == "validation" for part in where)
    assert held == max(1, round(share * 6))
