"""intervals.csv and differences.csv from decisions made up here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from emoword import cli
from emoword.evaluation.evaluate import count_metrics
from emoword.io.files import read_table

MODELS = [("M1", "lc"), ("M2", "lc"), ("baseline", "ce")]
CLASSES = ["anger", "happiness", "sadness"]


def corpus() -> pd.DataFrame:
    """120 utterances of six speakers in three folds, of unequal size."""
    random = np.random.default_rng(1)
    number = random.choice(6, 120, p=[0.1, 0.25, 0.2, 0.15, 0.2, 0.1])
    return pd.DataFrame(
        {
            "utterance": [f"u{i:03d}" for i in range(120)],
            "speaker": [f"s{s}" for s in number],
            "fold": [str(1 + s // 2) for s in number],
            "true": random.choice(CLASSES, 120, p=[0.6, 0.3, 0.1]),
        }
    )


def decisions(variant: str, seeds: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(len(variant))
    tables = []
    for model, loss in MODELS:
        for seed in range(seeds):
            table = corpus().drop(columns="speaker").sample(frac=1, random_state=seed)
            right = random.random(120) < (0.8 if model == "M1" else 0.5)
            table["predicted"] = np.where(right, table["true"], random.choice(CLASSES, 120))
            table = table.assign(variant=variant, model=model, loss=loss, seed=str(seed))
            if model != "baseline":
                table["cosine_S2"] = [f"{x:.6f}" for x in random.random(120)]
                # an utterance without a second word has none for any model or seed
                second = table["utterance"].str[-1].isin(list("02468"))
                table["S2_l2"] = np.where(second, random.integers(0, 2, 120).astype(str), "")
            tables.append(table.assign(collapsed="0"))
    return pd.concat(tables, ignore_index=True).fillna("")


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    def run(*tables: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        files = [tmp_path / f"decisions{i}.csv" for i in range(len(tables))]
        for file, table in zip(files, tables, strict=True):
            table.to_csv(file, index=False)
        corpus().to_csv(tmp_path / "utterances.csv", index=False)
        out = [tmp_path / "intervals.csv", tmp_path / "differences.csv"]
        options = ["--utterances", tmp_path / "utterances.csv"]
        options += ["--intervals", out[0], "--differences", out[1]]
        cli.main(["intervals", *map(str, [*files, *options])])
        return pd.read_csv(out[0]), pd.read_csv(out[1])

    return run


Make = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
WHERE = ["variant", "model", "loss", "fold", "measured_on", "metric"]


def test_values_are_those_of_metrics(made: Make) -> None:
    intervals, _ = made(decisions("paper"))
    metrics = count_metrics(decisions("paper"))
    metrics = metrics[(metrics["seed"] == "all") & ~metrics["metric"].isin(["collapsed", "F1"])]
    both = metrics.merge(intervals, on=WHERE, how="outer", suffixes=("", "_i"))
    assert len(both) == len(metrics) == len(intervals)
    np.testing.assert_allclose(both["value"], both["value_i"])
    assert (both["n"] == both["seeds"] * both["utterances"]).all()
    assert set(intervals["speakers"]) == {6}
    assert set(intervals["folds"]) == {3}
    assert (intervals["low"] < intervals["value"]).all()
    assert (intervals["value"] < intervals["high"]).all()


def test_where_one_more_run_would_lie(made: Make) -> None:
    """By the values of each seed: pooled, they are counted here with scikit-learn."""
    intervals, _ = made(decisions("paper"))
    rows = decisions("paper")
    rows = rows[rows["model"] == "M1"]
    by_seed = [balanced_accuracy_score(r["true"], r["predicted"]) for _, r in rows.groupby("seed")]
    middle, reach = (
        np.mean(by_seed),
        stats.t.ppf(0.975, 2) * np.std(by_seed, ddof=1) * (4 / 3) ** 0.5,
    )
    ours = (intervals["model"] == "M1") & (intervals["fold"] == "pooled")
    (row,) = intervals[ours & (intervals["metric"] == "UA")].to_dict("records")
    assert (row["repeat_low"], row["repeat_high"]) == pytest.approx(
        (middle - reach, middle + reach)
    )


def test_differences_are_of_values_and_paired(made: Make) -> None:
    intervals, differences = made(decisions("paper", seeds=5))
    value = intervals.set_index(WHERE)["value"]
    names = [*zip(*MODELS, strict=True)]
    assert set(differences["model"]) | set(differences["against_model"]) == set(names[0])
    for row in differences.to_dict("records"):
        where = (row["fold"], row["measured_on"], row["metric"])
        ours = value[(row["variant"], row["model"], row["loss"], *where)]
        theirs = value[(row["against_variant"], row["against_model"], row["against_loss"], *where)]
        assert row["difference"] == pytest.approx(ours - theirs)
        agree = (row["p"] < 0.05) == (row["low"] > 0 or row["high"] < 0)
        assert agree, row
    # three pairs by two accuracies; cosine and l2 of M1 and M2; each over folds and pooled
    assert len(differences) == 2 * (3 * 2 + 2)
    best = differences[(differences["model"] == "M1") & (differences["metric"] == "WA")]
    assert (best["low"] > 0).all()
    assert (best["p"] < 0.05).all()


def test_a_model_does_not_differ_from_itself(made: Make) -> None:
    again = decisions("paper").assign(variant="again")
    _, differences = made(decisions("paper"), again)
    same = differences[differences["variant"] != differences["against_variant"]]
    assert len(same) == 2 * (3 * 2 + 2 * 2)  # the same model in the two variants
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    assert (same["p"] == 1).all()


def test_one_seed_has_no_interval_of_a_difference(made: Make) -> None:
    intervals, differences = made(decisions("paper", seeds=1))
    assert intervals[["repeat_low", "repeat_high"]].isna().all(axis=None)
    assert intervals["low"].notna().all()  # of other speakers, with this training
    unknown = ["low", "high", "standard_error", "p", "detectable"]
    assert differences[unknown].isna().all(axis=None)
    assert (differences["seeds"] == 1).all()


@pytest.mark.parametrize(("column", "left_out"), [("utterance", "u007"), ("seed", "2")])
def test_other_utterances_or_seeds_are_not_paired(
    made: Make, capsys: pytest.CaptureFixture[str], column: str, left_out: str
) -> None:
    other = decisions("other")
    other = other[other[column] != left_out]
    _, differences = made(decisions("paper"), other)
    assert (differences["variant"] == differences["against_variant"]).all()
    said = "not tested on the same utterances and seeds: paper M1 lc and other M1 lc"
    assert said in capsys.readouterr().out


def test_seeds_that_do_not_match_are_refused(made: Make) -> None:
    table = decisions("paper")
    with pytest.raises(
        SystemExit, match=r"paper M1 lc: u\d+ is not there once for each of 3 seeds"
    ):
        made(table.drop(index=5))
    with pytest.raises(SystemExit, match="once for each"):
        made(pd.concat([table, table.head(1)]))


def test_an_unknown_utterance_is_named(made: Make) -> None:
    table = decisions("paper")
    table["utterance"] = table["utterance"].replace("u003", "x003")
    with pytest.raises(SystemExit, match=r"decisions0\.csv: x003 is not in utterances\.csv"):
        made(table)


def test_one_speaker_has_no_interval(tmp_path: Path) -> None:
    decisions("paper").to_csv(tmp_path / "d.csv", index=False)
    corpus().assign(speaker="s").to_csv(tmp_path / "u.csv", index=False)
    options = ["--intervals", tmp_path / "i.csv", "--differences", tmp_path / "x.csv"]
    options += ["--utterances", tmp_path / "u.csv"]
    cli.main(["intervals", str(tmp_path / "d.csv"), *map(str, options)])
    intervals = read_table(tmp_path / "i.csv", ["low", "high"])
    assert set(intervals["low"]) == set(intervals["high"]) == {""}
