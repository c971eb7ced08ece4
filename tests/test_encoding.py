"""Equation 4 (words -> a vector) and equation 5 (a vector -> a label), worked out in other ways."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.errors import InputError
from emoword.labels.decision import decide
from emoword.labels.encoding import encode
from emoword.spaces.word_space import WordSpace

COUNTS = st.dictionaries(
    st.sampled_from(["anger", "joy", "sadness", "fear"]), st.integers(1, 5), min_size=1
)


def table(words: dict[str, int], utterance: str = "u") -> pd.DataFrame:
    return pd.DataFrame({"utterance": utterance, "word": list(words), "count": words.values()})


@given(words=COUNTS)
def test_target_is_the_mean_over_the_words(words: dict[str, int], embedded: WordSpace) -> None:
    named = [word for word, count in words.items() for _ in range(count)]
    wanted = np.mean([embedded.vectors_of([word])[0].astype(np.float64) for word in named], axis=0)
    got = encode(table(words), ["u"], embedded)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got[0], wanted, atol=1e-6)


def test_the_order_is_that_of_the_utterances_wanted(embedded: WordSpace) -> None:
    targets = pd.concat([table({"anger": 1}, "a"), table({"joy": 1}, "b")])
    got = encode(targets, ["b", "a"], embedded)
    np.testing.assert_array_equal(got, embedded.vectors_of(["joy", "anger"]))


def test_missing_words_are_named(embedded: WordSpace) -> None:
    with pytest.raises(InputError, match="Ses01_x has no target words"):
        encode(table({"anger": 1}), ["u", "Ses01_x"], embedded)
    with pytest.raises(InputError, match="qwxzk"):
        encode(table({"qwxzk": 1}), ["u"], embedded)


def test_decision_is_the_largest_cosine_not_the_nearest_point() -> None:
    labels = np.array([[1.0, 0.0], [0.0, 10.0]])
    # (0, 0.1) is nearer to the first point, but in the direction of the second
    outputs = np.array([[0.0, 0.1], [5.0, 1.0]])
    assert decide(outputs, labels).tolist() == [1, 0]
    assert decide(outputs, labels, by="smallest").tolist() == [0, 1]  # equation 5 as printed
    # the first label wins a tie
    assert decide(np.array([[1.0, 1.0]]), np.eye(2)).tolist() == [0]
