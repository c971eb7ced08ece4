"""Our tables beside the paper's: cells, lists of words, and Table 4 from a word space alone."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from emoword import cli
from emoword.reproduction import versus_paper
from emoword.spaces.word_space import WordSpace
from emoword.tables import model
from emoword.tables.model import Cell, Column, Row, Table

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "paper/templates/table.tex.j2"
REPORTED = """table,row,column,value,source
corpus,anger,count,1103,text
1,M1,LC UA,0.62,t
1,M1,LC WA,0.70,t
1,baseline,CE UA,0.5,t
1,M2,LC UA,0.6,t
1,M2,MSE UA,0.6,t
3,M1,S2,0.85,t
4,S1 joy,1st,joy,t
4,S1 joy,2nd,glee,t
5,M1 1st,anger,rage,t
5,M1 2nd,anger,anger,t
5,M1 3rd,anger,fury,t
5,M1 1st,sadness,grief,t
"""


def number(value: float | None, low: float | None = None, high: float | None = None) -> Cell:
    return Cell(str(value), value, repeat_low=low, repeat_high=high)


def tables() -> list[Table]:
    """Tables 1, 3, 5 and 6, as small as they can be."""
    m1 = {"LC UA": number(0.61, 0.6, 0.63), "LC WA": number(0.6, 0.59, 0.61)}
    m2 = {"LC UA": number(None), "LC WA": number(0.6, 0.5, 0.7)}
    baseline = {"CE UA": number(0.55, 0.53, 0.57), "CE WA": number(0.54)}
    rows = [Row(("M1",), m1), Row(("M2",), m2), Row(("baseline",), baseline)]
    stub, two = (Column("model"),), (Column("model"), Column("rank"))
    words = [("1st", "anger", "a_b"), ("2nd", "hatred", "b"), ("3rd", "rage", "c")]
    fifth = [Row(("M1", p), {"anger": Cell(w), "joy": Cell(other)}) for p, w, other in words]
    return [
        Table("1", "", "", stub, tuple(map(Column, (*m1, *baseline))), tuple(rows)),
        Table("3", "", "", stub, (Column("S2"),), (Row(("M1",), {"S2": number(0.8)}),)),
        Table("5", "", "", two, (Column("anger"), Column("joy")), tuple(fifth)),
        Table("6", "", "", missing="does not apply"),
    ]


@pytest.fixture
def compare(tmp_path: Path) -> Callable[[str], tuple[pd.DataFrame, str]]:
    def run(corpus: str) -> tuple[pd.DataFrame, str]:
        (tmp_path / "reported.csv").write_text(REPORTED)
        files = [tmp_path / f"table{table.number}.json" for table in tables()]
        for table, file in zip(tables(), files, strict=True):
            model.write(table, file)
        words = ["versus-paper", "--tables", *files, "--reported", tmp_path / "reported.csv"]
        words += ["--template", TEMPLATE, "--corpus", corpus]
        cli.main([*map(str, words), f"--csv={tmp_path / 'v.csv'}", f"--tex={tmp_path / 'v.tex'}"])
        frame = pd.read_csv(tmp_path / "v.csv", dtype=str, keep_default_na=False)
        return frame, " ".join((tmp_path / "v.tex").read_text().split())

    return run


def test_cells_are_compared(compare: Callable[[str], tuple[pd.DataFrame, str]]) -> None:
    frame, tex = compare("iemocap")
    said = frame.set_index(["table", "row", "column"])["verdict"].to_dict()
    assert said == {
        ("1", "M1", "LC UA"): "reproduced",
        ("1", "M1", "LC WA"): "ours is lower",
        ("1", "M2", "LC UA"): "not measured",
        ("1", "M2", "LC WA"): "not transcribed",
        ("1", "M2", "MSE UA"): "not measured",
        ("1", "baseline", "CE UA"): "ours is higher",
        ("1", "baseline", "CE WA"): "not transcribed",
        ("3", "M1", "S2"): "not judged: one seed",
        ("5", "M1 anger", "words"): "2 of 3 words, 0 in their place",
        ("5", "M1 joy", "words"): "not transcribed",
        ("5", "M1 sadness", "words"): "not measured",
    }
    row = frame.iloc[0]
    assert float(row["difference"]) == pytest.approx(-0.01)
    assert (row["low"], row["high"]) == ("0.6", "0.63")
    assert r"table & reproduced & ours is higher & ours is lower & not judged: one seed" in tex
    assert r"1 & 1 & 1 & 1 & 0 & 2 & 2 \\ 3 & 0 & 0 & 0 & 1 & 0 & 0 \\" in tex
    shown = {
        tuple(cell[k] for k in ("row", "column")): cell for cell in versus_paper.transcribed(frame)
    }
    cell = shown["M1", "LC UA"]
    assert [cell[k] for k in ("reported", "ours", "difference", "interval")] == [
        *["62.00", "61.00", "−1.00", "60.00–63.00"]
    ]
    assert (shown["M1", "S2"]["reported"], shown["M1", "S2"]["interval"]) == ("0.850", "")
    assert shown["M1 anger", "words"]["ours"] == "anger hatred rage"
    assert shown["M2", "MSE UA"]["difference"] == "–"


def test_nothing_is_compared_on_another_corpus(
    compare: Callable[[str], tuple[pd.DataFrame, str]],
) -> None:
    frame, tex = compare("demo")
    assert frame.empty
    assert list(frame.columns) == versus_paper.COLUMNS
    assert r"\label{tab:versus}" in tex
    assert "this corpus is not the paper" in tex


def test_table_4_of_a_word_space(
    embedded: WordSpace,
    embedded_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reported = tmp_path / "reported.csv"
    head = "table,row,column,value,source\n"
    joy, glee = embedded.vectors_of(["joy", "sadness"]).astype(float)
    vectors = embedded.vectors.astype(float)
    query = (2 * joy + glee) / 3
    near = (vectors @ query / (vectors**2).sum(1) ** 0.5).argsort()[::-1]
    first, second, seventh = (embedded.word(int(near[i])) for i in (0, 1, 6))
    rows = [f'4,"S2 joy, joy, sadness",{place},{word},t' for place, word in
            zip(("1st", "2nd", "3rd", "4th"), (second, first, seventh, "qqq"), strict=True)]  # fmt: skip
    reported.write_text(head + "\n".join(rows) + "\n3,M1,S1,0.5,t\n")
    out = tmp_path / "t4.csv"
    cli.main(["table4", f"--space={embedded_folder}", f"--reported={reported}", f"--out={out}"])
    made = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert set(made["set"]) == {"S2"}
    assert list(made["paper"]) == [second, first, seventh, "qqq"]
    assert list(made["rank"]) == ["2", "1", "7", ""]
    assert list(made["ours"])[:2] == [first, second]
    said = capsys.readouterr().out
    assert "0 of 4 words stand in the paper's place, 2 among the same four" in said
