"""Beside published numbers, and in EmoBox's format."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from emoword import cli
from emoword.evaluation.evaluate import count_metrics
from variant_files import write_variant

LITERATURE = Path(__file__).parent.parent / "paper/literature.csv"


@pytest.fixture
def decisions(tmp_path: Path) -> pd.DataFrame:
    """Two folds of M1."""
    rows = pd.DataFrame(
        {
            "fold": ["1", "1", "1", "2", "2"],
            "utterance": ["Ses01F_a", "Ses01M_b", "Ses01F_c", "Ses02F_a", "Ses02M_b"],
            "true": ["anger", "sadness", "anger", "sadness", "anger"],
            "predicted": ["anger", "sadness", "sadness", "anger", "anger"],
        }
    ).assign(variant="paper", model="M1", loss="lc", seed="0", collapsed="0")
    rows.to_csv(tmp_path / "decisions.csv", index=False)
    return rows


def test_emobox_computes_our_ua_from_our_files(decisions: pd.DataFrame, tmp_path: Path) -> None:
    out = tmp_path / "emobox"
    words = [tmp_path / "decisions.csv", "--dataset", "iemocap", "--out", out]
    cli.main(["emobox", *map(str, words)])
    assert json.loads((out / "label2idx.json").read_text()) == {"anger": 0, "sadness": 1}
    metrics = count_metrics(decisions).set_index(["fold", "measured_on", "metric"])["value"]
    for fold in ("1", "2"):
        lines = (out / f"M1-lc-seed0/fold_{fold}.jsonl").read_text().splitlines()
        items = [json.loads(line) for line in lines]
        ua = balanced_accuracy_score([i["label"] for i in items], [i["pred"] for i in items])
        assert ua == pytest.approx(metrics[fold, "class", "UA"])
    assert [item["key"] for item in items] == ["iemocap-Ses02F_a", "iemocap-Ses02M_b"]


@pytest.mark.parametrize(("kind", "works"), [("iemocap", 8), ("demo", 0), ("recordings", 0)])
def test_published_numbers_beside_ours(
    decisions: pd.DataFrame, tmp_path: Path, kind: str, works: int
) -> None:
    count_metrics(decisions).to_csv(tmp_path / "metrics.csv", index=False)
    name = "iemocap" if kind == "iemocap" else "mine"
    variant = write_variant(tmp_path, dataset=name, kind=kind)
    out = tmp_path / "compare.csv"
    cli.main(["compare", str(variant), "--literature", str(LITERATURE), "--out", str(out)])
    table = pd.read_csv(out)
    assert len(table) == works
    assert table["protocol"].str.match("ours|not established").all()
    assert table["ours UA"].to_numpy() == pytest.approx([(3 / 4 + 1 / 2) / 2] * works)
    difference = table["ours UA"] - table["UA"]
    assert table["difference UA"].to_numpy() == pytest.approx(difference.to_numpy(), nan_ok=True)
