"""Tables in a terminal."""

from pathlib import Path

import pytest

from emoword import cli
from emoword.io.errors import InputError
from emoword.tables import model
from emoword.tables.model import Cell, Column, Row, Table
from emoword.tables.show import show

TABLE = Table(
    "1",
    "Accuracies",
    "A caption.",
    (Column("model", "Model", words=True),),
    (Column("LC UA", "UA", "LC"), Column("word", words=True)),
    (
        Row(
            ("M1",),
            {"LC UA": Cell("9.50", 0.095, interval="8–11", paper="69.68"), "word": Cell("joy")},
        ),
        Row(("M2\x1b[2J",), {"LC UA": Cell("70.25", 0.7025)}),
        Row(("baseline",), {"CE UA": Cell("61.00", 0.61)}, columns=(Column("CE UA", "% UA"),)),
    ),
    notes=("A note.",),
)


def test_a_table_in_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.write(TABLE, tmp_path / "table1.json")
    cli.main(["show", str(tmp_path / "table1.csv")])
    assert capsys.readouterr().out.split("\n") == [
        "Table 1: Accuracies",
        "  baseline: CE UA 61.00",
        "  Model          LC UA  word",
        "  M1      9.50 [69.68]  joy",
        "                  8–11",
        "  M2?[2J         70.25",
        "  A note.",
        "",
        "",
    ]
    model.write(Table("4", "Words", "", missing="no raters"), tmp_path / "table4.json")
    cli.main(["show", str(tmp_path / "table4.json")])
    assert capsys.readouterr().out == "Table 4: Words\n  no raters\n\n"


def test_a_table_that_is_kept_as_csv_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["how,n,recall,recall low", "never,12,0.61536,0.5", "trained on,7,,"]
    (tmp_path / "tableA5.csv").write_text("\n".join([*rows, ""]))
    show(tmp_path / "tableA5.csv")
    assert capsys.readouterr().out.splitlines() == [
        "Table A5",
        "  how          n  recall",
        "  never       12   0.615",
        "  trained on   7",
        "",
    ]
    with pytest.raises(InputError, match="No such file"):
        show(tmp_path / "tableA6.csv")
