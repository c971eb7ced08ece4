"""Table A7: what a space of few words brings along, worked out by other means."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from emoword.layout import read_variant
from emoword.reproduction.space_audit import (
    Labels,
    association,
    drift,
    drift_rows,
    hubness,
    other_splits,
)
from emoword.spaces.make import space as make_space
from emoword.spaces.word_space import WordSpace
from variant_files import write_variant


def test_labels_that_lie_alike_win_alike() -> None:
    """Corners of a simplex have equal shares; of two, one pushed away by a penalty has fewer."""
    corners = np.eye(4)
    assert hubness(corners, np.zeros(4)) == pytest.approx(np.full(4, 0.25), abs=0.005)
    # of two opposite labels, u wins where u.x - 0.5 > -u.x, that is u.x > 0.25: of a direction in
    # very many dimensions u.x is normal with deviation 1 / sqrt(d)
    pair = np.zeros((2, 400))
    pair[:, 0] = 1, -1
    wins = hubness(pair, np.array([0.05, 0.0]))
    assert wins[0] == pytest.approx(1 - ndtr(0.025 * 20), abs=0.005)
    assert wins.sum() == pytest.approx(1)


def test_an_association_by_all_permutations() -> None:
    first, second = np.array([0.31, 0.22, 0.18, 0.4]), np.array([0.11, 0.25, 0.05])
    both = np.concatenate([first, second])
    effect, p = association(first, second)
    observed = first.mean() - second.mean()
    assert effect == pytest.approx(observed / both.std(ddof=1))
    differences = []
    for chosen in combinations(range(7), 4):
        rest = [i for i in range(7) if i not in chosen]
        differences.append(both[list(chosen)].mean() - both[rest].mean())
    # two-sided as scipy has it: twice the smaller tail
    above = np.mean(np.array(differences) >= observed - 1e-12)
    below = np.mean(np.array(differences) <= observed + 1e-12)
    assert p == pytest.approx(min(1, 2 * min(above, below)))


@pytest.fixture
def space(tmp_path: Path) -> WordSpace:
    """Five words in the plane."""
    words = {"up": (0, 1), "right": (1, 0), "down": (0, -1), "left": (-1, 0), "between": (1, 1)}
    lines = [f"{word} {x} {y}" for word, (x, y) in words.items()]
    (tmp_path / "space.txt").write_text("\n".join(lines) + "\n")
    make_space(source=str(tmp_path / "space.txt"), format="glove", out=tmp_path / "space")
    return WordSpace.open(tmp_path / "space")


def test_a_drift_between_groups_of_speakers(space: WordSpace) -> None:
    """Women are heard as up, men as right: of other splits the mirror alone is as far apart."""
    vectors = np.array([[0, 1], [0, 2], [1, 0], [3, 0], [0, 1.0]])
    speakers = np.array(["a", "b", "c", "d", "a"], dtype=object)
    sexes = {"a": True, "b": True, "c": False, "d": False}
    similarity, shared, p = drift(vectors, speakers, sexes, space)
    assert similarity == 0
    assert shared == 5  # of five words all are among the five nearest
    assert p == pytest.approx(2 / 6)
    similarity, _, p = drift(np.ones((5, 2)), speakers, sexes, space)
    assert similarity == pytest.approx(1)
    assert p == 1


@pytest.mark.usefixtures("space")
def test_whoever_has_no_sex_in_the_table_is_in_neither_group(tmp_path: Path) -> None:
    """And an emotion that only women speak has no numbers."""
    (tmp_path / "targets/S1").mkdir(parents=True)
    words = pd.DataFrame({"utterance": list("abcdef"), "word": ["up"] * 4 + ["down"] * 2})
    words.assign(count=1).to_csv(tmp_path / "targets/S1/words.csv", index=False)
    labels = Labels(read_variant(write_variant(tmp_path, targets={"S1": "targets/S1"})))
    predicted = np.array([[0, 1], [1, 0], [9, -9], [0, 1], [0, 1], [0, 1.0]])
    about = pd.DataFrame({"speaker": list("vwxyvv"), "sex": ["F", "M", "", "F", "F", "F"]})
    down, up = drift_rows("M1", labels, about.set_axis(list("abcdef")), predicted)
    assert up.cells["similarity"].value == pytest.approx(0)  # not of x, of whom nothing is known
    assert {cell.text for cell in down.cells.values()} == {"–"}


def test_splits_are_all_or_as_many_as_asked_for() -> None:
    first = np.array([True] * 2 + [False] * 3)
    splits = {tuple(split) for split in other_splits(first)}
    assert len(splits) == 10
    assert all(sum(split) == 2 for split in splits)
    many = list(other_splits(np.arange(30) < 15))
    assert len(many) == 1000
    assert {int(split.sum()) for split in many} == {15}
