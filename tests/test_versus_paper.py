"""Our tables beside the paper's: cells, lists of words, and Table 4 from a word space alone."""

from pathlib import Path

import pandas as pd
import pytest

from emoword import cli
from emoword.reproduction import versus_paper
from emoword.schemas import VERSUS_PAPER
from emoword.spaces.word_space import WordSpace
from emoword.tables import model
from emoword.tables.model import Cell, Column, Row, Table
from variant_files import write_variant

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
    """Tables 1, 3, 4 and 5, as small as they can be."""
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
        Table("4", "", "", missing="does not apply"),
        Table("5", "", "", two, (Column("anger"), Column("joy")), tuple(fifth)),
    ]


def compare(folder: Path, kind: str) -> pd.DataFrame:
    variant = write_variant(folder, kind=kind)
    (folder / "reported.csv").write_text(REPORTED)
    for table in tables():
        model.write(table, folder / f"tables/table{table.number}.json")
    out = folder / "v.csv"
    reported = folder / "reported.csv"
    cli.main(["versus-paper", str(variant), f"--reported={reported}", f"--out={out}"])
    return pd.read_csv(out, dtype=str, keep_default_na=False)


def test_cells_are_compared(tmp_path: Path) -> None:
    frame = compare(tmp_path, "iemocap")
    said = frame.set_index(["table", "row", "column"])["verdict"].to_dict()
    assert said == {
        ("1", "M1", "LC UA"): "reproduced",
        ("1", "M1", "LC WA"): "ours is lower",
        ("1", "baseline", "CE UA"): "ours is higher",
        ("1", "M2", "LC UA"): "not measured",
        ("1", "M2", "MSE UA"): "not measured",
        ("3", "M1", "S2"): "not judged: one seed",
        ("4", "S1 joy", "words"): "not measured",
        ("5", "M1 anger", "words"): "2 of 3 words, 0 in their place",
        ("5", "M1 sadness", "words"): "not measured",
    }
    row = frame.iloc[0]
    assert float(row["difference"]) == pytest.approx(-0.01)
    assert (row["low"], row["high"]) == ("0.6", "0.63")
    cells = versus_paper.transcribed(frame)
    shown = {(cell["row"], cell["column"]): cell for cell in cells}
    cell = shown["M1", "LC UA"]
    assert [cell[k] for k in ("reported", "ours", "difference", "interval")] == [
        *["62.00", "61.00", "−1.00", "60.00–63.00"]
    ]
    assert (shown["M1", "S2"]["reported"], shown["M1", "S2"]["interval"]) == ("0.850", "")
    assert shown["M1 anger", "words"]["ours"] == "anger hatred rage"
    assert shown["M2", "MSE UA"]["difference"] == "–"


def test_nothing_is_compared_on_another_corpus(tmp_path: Path) -> None:
    frame = compare(tmp_path, "demo")
    assert frame.empty
    assert list(frame.columns) == VERSUS_PAPER.names


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
    printed = zip(("1st", "2nd", "3rd", "4th"), (second, first, seventh, "qqq"), strict=True)
    rows = [f'4,"S2 joy, joy, sadness",{place},{word},t' for place, word in printed]
    reported.write_text(head + "\n".join(rows) + "\n3,M1,S1,0.5,t\n")
    out = tmp_path / "t4.csv"
    cli.main(["table4", f"--space={embedded_folder}", f"--reported={reported}", f"--out={out}"])
    made = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert set(made["set"]) == {"S2"}
    assert list(made["paper"]) == [second, first, seventh, "qqq"]
    assert list(made["rank"]) == ["2", "1", "7", ""]
    assert list(made["ours"])[:2] == [first, second]
    said = capsys.readouterr().out
    assert "0 of 4 words stand in the paper's place, 2 among the same five" in said
