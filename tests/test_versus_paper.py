"""Our tables beside a reported.csv that is made up here: the paper's is not transcribed."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from emoword import cli

TEMPLATE = Path(__file__).parents[1] / "paper/templates/versus_paper.tex.j2"
HEAD = "table,row,column,value,source"
REPORTED = [
    "corpus,anger,count,1103,text",  # not of a table: left alone
    "1,M1,LC UA,0.62,t",  # in our interval
    "1,M1,LC WA,0.70,t",  # above it
    "1,baseline,CE UA,0.5,t",  # below it
    "1,M2,LC UA,0.6,t",  # ours is not there
    "3,M1,S2,0.85,t",  # without an interval of ours
    "3,M1,S9,0.9,t",  # no such cell of ours
    "5,anger M1,word 1,rage,t",
    "5,anger M1,word 2,anger,t",
    "5,anger M1,word 3,fury,t",
]
TABLE1 = """model,LC UA,LC WA,CE UA,CE WA,collapsed,LC UA low,LC UA high,LC WA low,LC WA high,\
CE UA low,CE UA high
M1,0.61,0.6,,,,0.6,0.63,0.59,0.61,,
M2,,0.6,,,,,,,,,
baseline,,,0.55,0.54,,,,,,0.53,0.57
"""
TABLE3 = "model,S1,S2,collapsed\nM1,0.7,0.8,\n"
TABLE5 = """emotion,model,word 1,similarity 1,word 2,similarity 2,word 3,similarity 3,collapsed
anger,M1,anger,0.9,hatred,0.8,rage,0.7,
anger,M2,a_b,0.9,b,0.8,c,0.7,
"""
TABLE6 = "note\ndoes not apply: this dataset has no ratings by several raters\n"


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., tuple[pd.DataFrame, str]]:
    def run(rows: list[str], *options: str) -> tuple[pd.DataFrame, str]:
        (tmp_path / "reported.csv").write_text("\n".join([HEAD, *rows]) + "\n")
        tables = {1: TABLE1, 3: TABLE3, 5: TABLE5, 6: TABLE6}
        for number, text in tables.items():
            (tmp_path / f"table{number}.csv").write_text(text)
        files = [tmp_path / f"table{number}.csv" for number in tables]
        words = ["versus-paper", "--tables", *files, "--reported", tmp_path / "reported.csv"]
        words += ["--template", TEMPLATE, "--dataset", "my_corpus"]
        words += ["--csv", tmp_path / "v.csv", "--tex", tmp_path / "v.tex"]
        cli.main([*map(str, words), *options])
        frame = pd.read_csv(tmp_path / "v.csv", dtype=str, keep_default_na=False)
        return frame, " ".join((tmp_path / "v.tex").read_text().split())

    return run


Compare = Callable[..., tuple[pd.DataFrame, str]]


def test_cells_are_compared(compare: Compare) -> None:
    frame, tex = compare(REPORTED)
    said = frame.set_index(["table", "row", "column"])["verdict"].to_dict()
    assert said == {
        ("1", "M1", "LC UA"): "inside our interval",
        ("1", "M1", "LC WA"): "ours is lower",
        ("1", "M2", "LC UA"): "not measured",
        ("1", "M2", "LC WA"): "not transcribed",
        ("1", "baseline", "CE UA"): "ours is higher",
        ("1", "baseline", "CE WA"): "not transcribed",
        ("3", "M1", "S1"): "not transcribed",
        ("3", "M1", "S2"): "ours is lower",
        ("3", "M1", "S9"): "not measured",
        ("5", "anger M1", "words"): "2 of 3 words",
        ("5", "anger M2", "words"): "not transcribed",
    }
    row = frame.iloc[0]
    assert float(row["difference"]) == pytest.approx(-0.01)
    assert (row["low"], row["high"]) == ("0.6", "0.63")
    assert r"1 & M1 & LC UA & 62.0 & 61.0 & \textminus{}1.0 & 60.0--63.0 & inside" in tex
    assert r"3 & M1 & S2 & 0.850 & 0.800 & \textminus{}0.050 & & ours is lower" in tex
    assert r"3 & M1 & S9 & 0.900 & -- & -- & & not measured" in tex
    assert r"anger M1 & rage anger fury & anger hatred rage & 2 of 3 words" in tex
    assert r"1 & 6 & 4 & 1 & 1 & 1 & 1 \\" in tex
    assert r"Dataset my\_corpus." in tex


def test_nothing_transcribed(compare: Compare) -> None:
    frame, tex = compare(REPORTED[:1], "--synthetic")
    assert set(frame["verdict"]) == {"not transcribed"}
    assert len(frame) == 9
    assert "longtable" not in tex
    assert "say nothing about the paper" in tex


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,M1,LC UA,0.6,t", r"reported\.csv: line 12: 1 M1 LC UA stands there twice"),
        ("1,M1,CE UA,0.6,", r"line 12: 1 M1 CE UA has no source"),
        ("1,M2,LC WA,61%,t", "table 1, M2, LC WA: '61%' is no number"),
    ],
)
def test_bad_rows(compare: Compare, row: str, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        compare([*REPORTED, row])


def test_a_table_is_known_by_its_name(fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "reported.csv").write_text(HEAD + "\n")
    options = ["--reported", tmp_path / "reported.csv", "--template", TEMPLATE, "--dataset", "d"]
    options += ["--csv", tmp_path / "v.csv", "--tex", tmp_path / "v.tex"]
    said = fails("versus-paper", "--tables", tmp_path / "mine.csv", *options)
    assert "mine.csv: is not called tableN.csv" in said
