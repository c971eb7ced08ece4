"""How a run ends: the result in short, the demo beside its ranges, what to open."""

import hashlib
import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from emoword import cli
from emoword.layout import as_json, variant_of
from emoword.reproduction.summary import RANGES
from emoword.settings import read_config
from emoword.tables import model
from emoword.tables.model import Cell, Column, Row, Table
from test_settings import CONFIG

ROOT = Path(__file__).parent.parent
EXPECTED = pd.read_csv(RANGES)


def table(number: str, rows: dict[str, dict[str, Cell]]) -> Table:
    stub = (Column("model", words=True),)
    return Table(number, "", "", stub, (), tuple(Row((n,), cells) for n, cells in rows.items()))


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the summary reads, each number in the middle of its range."""
    monkeypatch.chdir(tmp_path)
    root = Path("results/demo")
    for folder in ("variants", "tables"):
        (root / folder).mkdir(parents=True)
    (root / "config.json").write_text(json.dumps(CONFIG))
    own = variant_of(read_config(CONFIG), "demo", "paper")
    (root / "variants/paper.json").write_text(as_json(own))
    accuracies = {"M1": {"LC UA": Cell("85.32", paper="69.68"), "LC WA": Cell("84.78")}}
    accuracies |= {"baseline": {"CE UA": Cell("82.97"), "CE WA": Cell("82.43")}}
    model.write(table("1", accuracies), root / "tables/table1.json")
    model.write(table("3", {"M1": {"S1": Cell("0.871")}}), root / "tables/table3.json")
    (root / "claims.csv").write_text(
        "claim,verdict\na,supported\nb,undecided\nc,supported\nd,not judged: one seed\n"
    )
    loss = EXPECTED["model"].map(lambda name: "ce" if name == "baseline" else "lc")
    rows = EXPECTED.assign(
        variant="paper", loss=loss, fold="mean", value=(EXPECTED["low"] + EXPECTED["high"]) / 2
    )
    rows.drop(columns=["runs", "low", "high"]).to_csv(root / "metrics.csv", index=False)
    return root


def said(demo: Path, capsys: pytest.CaptureFixture[str]) -> str:
    cli.main(["summary", str(demo)])
    return capsys.readouterr().out


def test_the_result_in_short(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(demo, capsys).splitlines()
    assert lines[0] == "demo: LC, means over 5 folds and 1 seed"
    assert [line.split() for line in lines[2:4]] == [
        ["M1", "85.32", "[69.68]", "84.78", "0.871"],
        ["baseline", "82.97", "82.43"],
    ]
    assert "4 claims: 2 supported, 1 undecided, 1 not judged: one seed" in lines
    assert f"As expected: {len(EXPECTED)} numbers lie in the ranges of this version" in lines[-10]
    assert any("say nothing about the paper" in line for line in lines)


def test_a_number_outside_its_range_is_named(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.read_csv(demo / "metrics.csv")
    rows.loc[0, "value"] = EXPECTED["high"][0] + 0.01
    rows.to_csv(demo / "metrics.csv", index=False)
    text = said(demo, capsys)
    first = EXPECTED.iloc[0]
    assert f"NOT as expected: {first['metric']} of {first['model']}" in text
    assert "As expected" not in text


def test_of_other_settings_nothing_is_expected(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.read_csv(demo / "metrics.csv")
    rows.assign(n=60).to_csv(demo / "metrics.csv", index=False)
    text = said(demo, capsys)
    assert "Not the demo as it comes" in text
    assert "s expected:" not in text


def test_what_to_publish_is_said_once_it_is_there(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "./run audit: an archive" in said(demo, capsys)
    (demo / "audit.zip").write_bytes(b"zip")
    (demo / "provenance.json").write_text("{}")
    assert hashlib.sha256(b"{}").hexdigest() in said(demo, capsys)
    os.utime(demo / "audit.zip", (0, 0))  # older than the numbers
    assert "./run audit: an archive" in said(demo, capsys)


def test_the_readme_says_the_same_ranges() -> None:
    """Per cent without digits, cosines with two: README's table, cell by cell."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, rows in EXPECTED.groupby("model"):
        line = re.findall(rf"^\| {name} \|(.*)\|$", readme, re.MULTILINE)[-1]
        for row in rows.itertuples():
            percent = row.measured_on == "class"
            shown = f"{row.low:.0%}–{row.high:.0%}".replace("%", "")
            assert (shown if percent else f"{row.low:.2f}–{row.high:.2f}") in line
