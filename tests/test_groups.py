"""Table A8: groups of utterances, by scikit-learn and by leaving speakers out one by one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score

from emoword import cli, layout
from emoword.evaluation.evaluate import count_metrics
from emoword.settings import LogMel
from small_results import meta_of
from variant_files import write_variant

ROOT = Path(__file__).parent.parent
CLASSES = ["anger", "fear"]
SPEAKERS = ["a", "b", "c", "d"]


def corpus(n: int = 120) -> pd.DataFrame:
    """Four speakers in two folds, in both styles; a and b are women."""
    random = np.random.default_rng(3)
    speakers = np.array(SPEAKERS)[np.arange(n) % 4]
    return pd.DataFrame(
        {
            "utterance": [f"u{i:03}" for i in range(n)],
            "speaker": speakers,
            "sex": np.where(np.isin(speakers, ["a", "b"]), "F", "M"),
            "style": np.where(random.random(n) < 0.5, "improvised", "scripted"),
            "frames": random.integers(1, 1000, n),
            "fold": np.where(np.isin(speakers, ["a", "c"]), "1", "2"),
            "true": random.choice(CLASSES, n),
            "predicted": random.choice(CLASSES, n),
        }
    )


@pytest.fixture
def made(tmp_path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of Table A8 by group and model."""
    for name in ("decisions", "features/shard1of1"):
        (tmp_path / name).mkdir(parents=True)
    rows = corpus()
    utterances = ["utterance", "speaker", "sex", "style"]
    rows[utterances].to_csv(tmp_path / "utterances.csv", index=False)
    frames = rows[["utterance", "frames"]].assign(start=0)
    frames.to_csv(tmp_path / "features/shard1of1/index.csv", index=False)
    meta = layout.as_json(meta_of(len(rows), int(rows["frames"].sum()), 80, LogMel()))
    (tmp_path / "features/shard1of1/meta.json").write_text(meta)
    stale = tmp_path / "features/shard2of2/index.csv"  # of another number of shards
    stale.parent.mkdir()
    frames.assign(frames=1).to_csv(stale, index=False)
    run = {"variant": "paper", "model": "M1", "loss": "lc", "seed": "0", "collapsed": "0"}
    decisions = rows[["fold", "utterance", "true", "predicted"]].assign(**run)
    decisions.to_csv(tmp_path / "decisions/paper.csv", index=False)
    count_metrics(decisions).to_csv(tmp_path / "metrics.csv", index=False)
    variant = write_variant(tmp_path, aggregate="pooled")
    options = ["--template", ROOT / "paper/templates/table.tex.j2", "--csv", tmp_path / "A8.csv"]
    cli.main(["groups", str(variant), *map(str, options), "--tex", str(tmp_path / "A8.tex")])
    assert r"\textminus{}" in (tmp_path / "A8.tex").read_text()
    table = pd.read_csv(tmp_path / "A8.csv", dtype=str, keep_default_na=False)
    rows_of = ({str(k): str(v) for k, v in row.items()} for row in table.to_dict("records"))
    return {(row["groups"], row["model"]): row for row in rows_of}


def ua(rows: pd.DataFrame) -> float:
    return float(balanced_accuracy_score(rows["true"], rows["predicted"]))


@pytest.mark.parametrize(
    ("group", "column", "names"),
    [
        ("sex: F - M", "sex", ("F", "M")),
        ("style: improvised - scripted", "style", ("improvised", "scripted")),
        ("length: shorter - longer", "length", ("shorter", "longer")),
    ],
)
def test_a_gap_and_its_jackknife(
    made: dict[tuple[str, str], dict[str, str]], group: str, column: str, names: tuple[str, str]
) -> None:
    rows = corpus()
    rows["length"] = np.where(rows["frames"] <= rows["frames"].median(), "shorter", "longer")

    def gap(kept: pd.DataFrame) -> float:
        return ua(kept[kept[column] == names[0]]) - ua(kept[kept[column] == names[1]])

    row = made[group, "M1"]
    assert float(row["first"]) == pytest.approx(ua(rows[rows[column] == names[0]]))
    assert float(row["second"]) == pytest.approx(ua(rows[rows[column] == names[1]]))
    assert float(row["gap"]) == pytest.approx(gap(rows))
    pseudo = [4 * gap(rows) - 3 * gap(rows[rows["speaker"] != name]) for name in SPEAKERS]
    reach = student.ppf(0.975, 3) * np.std(pseudo, ddof=1) / 2
    assert float(row["gap low"]) == pytest.approx(gap(rows) - reach)
    assert float(row["gap high"]) == pytest.approx(gap(rows) + reach)


def test_the_speakers_with_the_lowest_and_the_highest_ua(
    made: dict[tuple[str, str], dict[str, str]],
) -> None:
    by_speaker = [ua(own) for _, own in corpus().groupby("speaker")]
    row = made["speaker: lowest - highest of 4", "M1"]
    assert float(row["first"]) == pytest.approx(min(by_speaker))
    assert float(row["second"]) == pytest.approx(max(by_speaker))


def test_macro_f1_is_that_of_the_metrics(made: dict[tuple[str, str], dict[str, str]]) -> None:
    rows = corpus()
    found = made["", "M1"]
    assert float(found["UA"]) == pytest.approx(ua(rows))
    right = {c: ((rows["true"] == c) & (rows["predicted"] == c)).sum() for c in CLASSES}
    named = {c: (rows["true"] == c).sum() + (rows["predicted"] == c).sum() for c in CLASSES}
    wanted = np.mean([2 * right[c] / named[c] for c in CLASSES])
    assert float(found["F1"]) == pytest.approx(wanted)
