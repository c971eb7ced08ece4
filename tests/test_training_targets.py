"""What each loss is trained on: word vectors, classes, or the raters' shares of the classes."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.errors import InputError
from emoword.labels.encoding import encode
from emoword.spaces.word_space import WordSpace
from emoword.training.losses import LOSSES
from emoword.training.targets import fingerprint, output_costs, output_words, training_targets

CLASSES = ["anger", "joy"]
TRUTH = {"a": "joy", "b": "anger", "c": "anger"}
ROWS = [("a", "joy", 3), ("a", "anger", 1), ("a", "awe", 9), ("c", "awe", 2)]
TARGETS = pd.DataFrame(ROWS, columns=["utterance", "word", "count"])


@pytest.mark.parametrize("loss", ["mse", "mae", "lc", "cosine"])
def test_word_losses_take_the_mean_of_the_words(loss: str, embedded: WordSpace) -> None:
    wanted, there = training_targets(loss, ["c", "b", "a"], TARGETS, TRUTH, CLASSES, embedded)
    assert there.tolist() == [True, False, True]
    assert not wanted[1].any()
    joy, anger, awe = embedded.vectors_of(["joy", "anger", "awe"]).astype(float)
    np.testing.assert_allclose(wanted[0], awe, atol=1e-6)
    np.testing.assert_allclose(wanted[2], (3 * joy + anger + 9 * awe) / 13, atol=1e-6)


@pytest.mark.parametrize("loss", ["ce", "triplet"])
def test_class_losses_take_the_ground_truth(loss: str) -> None:
    wanted, there = training_targets(loss, ["b", "a", "c"], TARGETS, TRUTH, CLASSES, None)
    assert wanted.dtype == np.int64
    assert wanted.tolist() == [0, 1, 0]
    assert there.all()


def test_soft_labels_are_shares_of_the_words_that_are_classes() -> None:
    wanted, there = training_targets("soft", ["a", "b", "c"], TARGETS, TRUTH, CLASSES, None)
    assert wanted.tolist() == [[0.25, 0.75], [0, 0], [0, 0]]
    assert there.tolist() == [True, False, False]  # c has a word, but no class


def test_a_dirichlet_prior_takes_how_often_each_class_was_named() -> None:
    wanted, there = training_targets("dirichlet", ["a", "b", "c"], TARGETS, TRUTH, CLASSES, None)
    assert wanted.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert there.tolist() == [True, False, False]


def test_mistakes_cost_more_about_what_is_seldom_named_with_others() -> None:
    """By hand: a is named 3 times, b 2, c once; a with b and with c once, b with c never."""
    said = [("u", "a"), ("u", "b"), ("v", "a"), ("w", "a"), ("w", "c"), ("x", "b"), ("x", "other")]
    learned = pd.DataFrame(said, columns=["utterance", "word"]).assign(count=2)
    costs = output_costs("co_occurrence", learned, ["a", "b", "c", "never"])
    by_hand = [
        1 + (0 + 1 / 2 + 0 + 1),
        1 + (2 / 3 + 0 + 1 + 1),
        1 + (2 / 3 + 1 + 0 + 1),
        1 + (1 + 1 + 1 + 1),
    ]
    np.testing.assert_allclose(costs, by_hand, rtol=1e-6)
    assert output_costs("soft", learned, ["a", "b"]).tolist() == [1, 1]
    costs = np.array([2.0, 3.0], np.float32)
    arguments = (["a", "b"], TARGETS, TRUTH, CLASSES, None)
    plain, there = training_targets("soft", *arguments)
    dear, same = training_targets("co_occurrence", *arguments, costs)
    assert np.array_equal(dear, plain * costs)
    assert np.array_equal(there, same)
    # cross entropy of them is what the reference adds up, class by class
    output = np.random.default_rng(0).normal(size=(1, 2))
    log_shares = output - np.log(np.exp(output).sum())
    found = LOSSES["co_occurrence"](
        torch.tensor(output), torch.tensor(dear[:1], dtype=torch.double)
    )
    assert float(found) == pytest.approx(-(costs * plain[0] * log_shares[0]).sum())


def test_soft_labels_over_all_words_are_the_weights_of_equation_4() -> None:
    """Typed words are outputs after the classes; what the training part never says has none."""
    outputs = output_words("soft_words", TARGETS, CLASSES)
    assert outputs == ["anger", "joy", "awe"]
    wanted, there = training_targets("soft_words", ["a", "b", "c"], TARGETS, TRUTH, outputs, None)
    by_hand = np.array([[1 / 13, 3 / 13, 9 / 13], [0, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(wanted, by_hand, rtol=1e-6)
    assert there.tolist() == [True, False, True]
    # c alone is trained on: no rater of the training part said joy or anger, which are classes
    learned = TARGETS[TARGETS["utterance"] == "c"]
    assert output_words("soft_words", learned, CLASSES) == ["anger", "joy", "awe"]
    learned = TARGETS[TARGETS["word"] != "awe"]
    outputs = output_words("soft_words", learned, CLASSES)
    wanted, there = training_targets("soft_words", ["a", "c"], TARGETS, TRUTH, outputs, None)
    assert wanted.tolist() == [[0.25, 0.75], [0, 0]]
    assert there.tolist() == [True, False]


@pytest.mark.parametrize("loss", ["ce", "soft", "triplet", "lc"])
def test_other_losses_have_outputs_for_the_classes_alone(loss: str) -> None:
    assert output_words(loss, TARGETS, CLASSES) == CLASSES


def test_without_vectors_there_are_no_word_targets() -> None:
    with pytest.raises(InputError, match="needs --vectors"):
        training_targets("lc", ["a"], TARGETS, TRUTH, CLASSES, None)


@given(order=st.permutations(["a", "c"]), moved=st.integers(0, 99))
def test_a_fingerprint_says_what_each_utterance_is_trained_on(
    order: list[str], moved: int, embedded: WordSpace
) -> None:
    targets = encode(TARGETS, ["a", "c"], embedded)
    own = fingerprint(["a", "c"], targets)
    assert own == fingerprint(["a", "c"], targets + np.float32(1e-7))  # rounding
    assert (own == fingerprint(order, targets)) == (order == ["a", "c"])
    targets[moved % 2, moved] += 0.01
    assert fingerprint(["a", "c"], targets) != own
