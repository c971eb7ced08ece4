"""Accuracies by scikit-learn, and metrics.csv counted by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from emoword.evaluation.evaluate import count_metrics, evaluate
from emoword.labels.decision import macro_f1, unweighted_accuracy, weighted_accuracy

LABELS = st.sampled_from(["anger", "happiness", "sadness", "neutral"])


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60))
def test_accuracies_equal_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    true, predicted = (pd.Series(list(side)) for side in zip(*pairs, strict=True))
    wanted = np.mean([np.mean(predicted[true == label] == label) for label in sorted(set(true))])
    assert unweighted_accuracy(true, predicted) == pytest.approx(wanted)
    if set(predicted) <= set(true):  # else scikit-learn warns, and means the same
        assert wanted == pytest.approx(balanced_accuracy_score(true, predicted))
    assert weighted_accuracy(true, predicted) == pytest.approx(accuracy_score(true, predicted))
    assert macro_f1(true, predicted) == pytest.approx(f1_score(true, predicted, average="macro"))


def decisions() -> pd.DataFrame:
    """Two folds of one model; the numbers below are worked out by hand from these rows."""
    rows = [
        # fold, true, predicted, cosine_S2, S2_l1, S2_l2, collapsed
        ("1", "anger", "anger", "0.9", "1", "0", "0"),
        ("1", "anger", "sadness", "0.5", "0", "", "0"),
        ("1", "sadness", "sadness", "0.7", "1", "1", "0"),
        ("2", "anger", "anger", "0.2", "0", "", "1"),
        ("2", "sadness", "anger", "", "", "", "1"),
    ]
    names = ["fold", "true", "predicted", "cosine_S2", "S2_l1", "S2_l2", "collapsed"]
    return pd.DataFrame(rows, columns=names).assign(
        variant="paper", model="M2", loss="lc", seed="0"
    )


def value(metrics: pd.DataFrame, fold: str, measured_on: str, metric: str) -> tuple[object, int]:
    row = metrics[
        (metrics["fold"] == fold)
        & (metrics["measured_on"] == measured_on)
        & (metrics["metric"] == metric)
    ]
    assert len(row) == 1
    return float(row["value"].iloc[0]), int(row["n"].iloc[0])


def test_metrics_by_hand() -> None:
    metrics = count_metrics(decisions())
    assert value(metrics, "1", "class", "UA") == (pytest.approx((1 / 2 + 1) / 2), 3)
    assert value(metrics, "2", "class", "UA") == (pytest.approx((1 + 0) / 2), 2)
    assert value(metrics, "mean", "class", "UA") == (pytest.approx((0.75 + 0.5) / 2), 5)
    # 2 TP / (2 TP + FP + FN): anger 2/3, sadness 2/3
    assert value(metrics, "1", "class", "F1") == (pytest.approx(2 / 3), 3)
    # pooled: anger 2 of 3, sadness 1 of 2
    assert value(metrics, "pooled", "class", "UA") == (pytest.approx((2 / 3 + 1 / 2) / 2), 5)
    assert value(metrics, "pooled", "class", "WA") == (pytest.approx(3 / 5), 5)
    assert value(metrics, "mean", "class", "WA") == (pytest.approx((2 / 3 + 1 / 2) / 2), 5)
    # utterances without a target or without l2 are left out, and n says so
    assert value(metrics, "2", "S2", "cosine") == (pytest.approx(0.2), 1)
    assert value(metrics, "pooled", "S2", "cosine") == (pytest.approx(2.3 / 4), 4)
    assert value(metrics, "pooled", "S2", "top10_l1") == (pytest.approx(2 / 4), 4)
    assert value(metrics, "pooled", "S2", "top10_l2") == (pytest.approx(1 / 2), 2)
    assert value(metrics, "mean", "class", "collapsed") == (1.0, 2)
    assert value(metrics, "pooled", "class", "collapsed") == (1.0, 2)


def test_variants_and_styles_from_files(tmp_path: Path) -> None:
    """A variant may lack label sets, and utterances.csv says how a turn was spoken."""
    plain = decisions().drop(columns=["cosine_S2", "S2_l1", "S2_l2"]).assign(variant="plain")
    names = [f"u{i}" for i in range(5)]
    for table in (decisions(), plain):
        path = tmp_path / f"{table['variant'].iloc[0]}.csv"
        table.assign(utterance=names).to_csv(path, index=False)
    styles = ["improvised", "improvised", "scripted", "scripted", ""]
    utterances = pd.DataFrame({"utterance": names, "style": styles})
    utterances.to_csv(tmp_path / "u.csv", index=False)
    files = [tmp_path / "paper.csv", tmp_path / "plain.csv"]
    evaluate(*files, utterances=tmp_path / "u.csv", out=tmp_path / "m.csv")
    metrics = pd.read_csv(tmp_path / "m.csv", dtype={"fold": str})
    measured = {"class", "improvised", "scripted"}
    assert set(metrics["measured_on"][metrics["variant"] == "plain"]) == measured
    own = metrics[metrics["variant"] == "paper"]
    assert value(own, "pooled", "S2", "top10_l1") == (0.5, 4)
    # of the improvised turns of fold 1, anger alone: one of two
    assert value(own, "1", "improvised", "UA") == (pytest.approx(1 / 2), 2)
    assert value(own, "pooled", "scripted", "WA") == (pytest.approx(1), 2)
    assert value(own, "mean", "improvised", "WA") == (pytest.approx(1 / 2), 2)
    kept = own[~own["measured_on"].isin(["improvised", "scripted"])]
    evaluate(files[0], out=tmp_path / "bare.csv")
    bare = pd.read_csv(tmp_path / "bare.csv", dtype={"fold": str})
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), bare)


def test_seeds_are_averaged() -> None:
    second = decisions().assign(seed="1")
    second["predicted"] = second["true"]
    metrics = count_metrics(pd.concat([decisions(), second], ignore_index=True))
    mean = (0.75 + 0.5 + 1 + 1) / 4
    assert value(metrics, "mean", "class", "UA") == (pytest.approx(mean), 10)
    pooled = ((2 / 3 + 1 / 2) / 2 + 1) / 2
    assert value(metrics, "pooled", "class", "UA") == (pytest.approx(pooled), 10)


def test_a_metric_that_one_fold_lacks_is_averaged_over_the_others() -> None:
    metrics = count_metrics(decisions())
    assert value(metrics, "mean", "S2", "top10_l2") == (pytest.approx(0.5), 2)
    assert "top10_l2" not in set(metrics["metric"][metrics["fold"] == "2"])
