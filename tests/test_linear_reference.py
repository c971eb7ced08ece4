"""The linear reference against ridge and logistic regression written out here."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from emoword.evaluation import linear_reference
from emoword.evaluation.linear_reference import PENALTIES, STRENGTHS, linear, logistic, ridge
from emoword.labels.decision import unweighted_accuracy
from emoword.schemas import SPLIT
from emoword.spaces.word_space import WordSpace
from emoword.tables.model import Key
from emoword.tables.number_tables import Measured, below_linear
from small_results import CLASSES, Small

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, embedded_folder: Path) -> Small:
    made = Small.make(tmp_path_factory.mktemp("linear") / "results", embedded_folder)
    model = next(own for own in made.variant.models if own.name == "M1")
    for fold in (1, 2, 3):
        made.train_model(model, fold)
    return made


def parts_of(small: Small, fold: int) -> dict[str, list[str]]:
    folder = next(f for f in small.variant.runs(["lc"]) if f.endswith(f"fold{fold}-seed0"))
    split = SPLIT.read(small.root / folder / "split.csv")
    return {str(part): list(rows["utterance"]) for part, rows in split.groupby("part")}


def summary(small: Small, parts: dict[str, list[str]]) -> dict[str, Floats]:
    """Mean and deviation of the frames, in deviations of the training part."""
    found = {}
    for part, names in parts.items():
        frames = [small.frames(name).astype(np.float64) for name in names]
        found[part] = np.array([[*own.mean(0), *own.std(0)] for own in frames])
    mean, std = found["train"].mean(0), found["train"].std(0)
    return {part: (own - mean) / std for part, own in found.items()}


def test_ridge_on_word_vectors_by_hand(small: Small, tmp_path: Path, embedded: WordSpace) -> None:
    linear(small.variant_file, out=tmp_path / "linear.csv")
    table = pd.read_csv(tmp_path / "linear.csv")
    assert set(table["model"]) == {"ridge", "logistic"}
    assert set(table["loss"]) == {"linear"}
    assert set(table["variant"]) == {"paper"}
    assert (table["true"] == table["utterance"].map(small.truth)).all()
    assert len(table) == 2 * 48  # each utterance is tested once a model
    vectors = embedded.vectors_of(CLASSES).astype(np.float64)
    for fold in (1, 2, 3):
        parts = parts_of(small, fold)
        x = summary(small, parts)
        y = {
            part: vectors[[CLASSES.index(small.truth[name]) for name in names]]
            for part, names in parts.items()
        }
        centre = y["train"].mean(0)
        best: tuple[float, Floats] = (np.inf, np.empty(0))
        for penalty in PENALTIES:
            a = x["train"].T @ x["train"] + penalty * np.eye(8)
            weights = np.linalg.solve(a, x["train"].T @ (y["train"] - centre))
            error = ((x["validation"] @ weights + centre - y["validation"]) ** 2).mean()
            best = min(best, (error, x["test"] @ weights + centre), key=lambda one: one[0])
        unit = best[1] / np.linalg.norm(best[1], axis=1, keepdims=True)
        near = unit @ (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T
        own = table[(table["model"] == "ridge") & (table["fold"] == fold)].set_index("utterance")
        assert list(own["predicted"][parts["test"]]) == [CLASSES[i] for i in near.argmax(1)]
    heard = table[table["model"] == "logistic"]
    assert unweighted_accuracy(heard["true"], heard["predicted"]) > 0.85  # their frames lie apart


def test_ridge_takes_the_penalty_that_validation_prefers() -> None:
    rng = np.random.default_rng(3)
    x = {part: rng.normal(size=(30, 4)) for part in ("train", "validation", "test")}
    y = {part: rng.normal(size=(30, 2)) for part in ("train", "validation")}  # nothing to be learnt
    mean = y["train"].mean(0)
    np.testing.assert_allclose(ridge(x, y), np.tile(mean, (30, 1)), atol=1e-3)
    y = {part: x[part] @ [[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [1.0, 1.0]] for part in y}
    wanted = x["test"] @ [[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [1.0, 1.0]]
    np.testing.assert_allclose(ridge(x, y), wanted, atol=0.01)


def test_logistic_regression_against_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    means = rng.normal(size=(3, 2))
    y = {part: rng.integers(0, 3, n) for part, n in (("train", 60), ("validation", 20))}
    x = {part: means[own] + rng.normal(size=(len(own), 2)) for part, own in y.items()}
    x["test"] = rng.normal(size=(5, 2))
    monkeypatch.setattr(linear_reference, "STRENGTHS", (0.5,))

    def penalised(weights: Floats) -> float:
        w, b = weights[:6].reshape(2, 3), weights[6:]
        logs = log_softmax(x["train"] @ w + b, axis=1)
        return float(0.5 * (w**2).sum() - 0.5 * logs[np.arange(60), y["train"]].sum())

    found = minimize(penalised, np.zeros(9), tol=1e-10).x
    wanted = np.exp(log_softmax(x["test"] @ found[:6].reshape(2, 3) + found[6:], axis=1))
    np.testing.assert_allclose(logistic(x, y, 3), wanted, atol=2e-3)
    # a class that the training part lacks has probability 0
    assert (logistic(x, y, 4)[:, 3] == 0).all()
    assert min(STRENGTHS) < 1e-4


def test_what_stays_below_is_said() -> None:
    def metrics(**values: float) -> dict[Key, Measured]:
        names = {"M1": "lc", "baseline": "ce", "ridge": "linear", "logistic": "linear"}
        return {Key(m, names[m], "class", "UA"): Measured(v, 9) for m, v in values.items()}

    assert below_linear(metrics(M1=0.7, baseline=0.6), "lc") == []
    level = metrics(M1=0.7, baseline=0.7, ridge=0.7, logistic=0.6)
    assert [note.split(":")[0] for note in below_linear(level, "lc")] == ["Linear reference"]
    (_, said) = below_linear(metrics(M1=0.5, baseline=0.7, ridge=0.4, logistic=0.6), "lc")
    assert said.startswith("M1 LC: BELOW THE LINEAR REFERENCE")
    (_, said) = below_linear(metrics(M1=0.5, baseline=0.4, ridge=0.6, logistic=0.3), "lc")
    assert said.startswith("M1 LC and the baseline: BELOW")
    (_, said) = below_linear(metrics(M1=0.5, logistic=0.6), "lc")  # one of the two is enough
    assert said.startswith("M1 LC: BELOW")
