"""Table A1 from metrics, intervals and differences written by hand."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emoword.cli import main
from emoword.tables.model import Key
from variant_files import write_variant

TEMPLATE = Path(__file__).parents[1] / "paper/templates/table.tex.j2"
UA = {"a": 0.5425, "b": 0.5225, "c": 0.5425}
HOSTILE = r"50%_off\input{x}"
KEYS = ",".join(Key._fields)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    metrics = [f"variant,{KEYS},fold,seed,value,n"]
    intervals = [f"variant,{KEYS},fold,value,low,high,repeat_low,repeat_high,speakers,folds,seeds"]
    for name, ua in UA.items():
        for metric, value in (("UA", ua), ("WA", ua - 0.1)):
            head = f"space_{name},M1,lc,class,{metric}"
            metrics.append(f"{head},mean,all,{value},96")
            metrics.append(f"{head},1,0,0.9,96")
            intervals.append(f"{head},mean,{value},{value - 0.1},{value + 0.1},,,10,5,1")
        metrics.append(f"space_{name},M1,lc,class,collapsed,mean,all,{int(name == 'b')},5")
        folder = tmp_path / name
        folder.mkdir()
        meta = {"source": HOSTILE, "words": 1234, "dim": 300, "vector": "static"}
        (folder / "meta.json").write_text(json.dumps(meta))
    differences = ["variant,model,loss,against_variant,against_model,fold,measured_on,metric,"
                   "difference,low,high,p"]  # fmt: skip
    for first, second in (("a", "b"), ("a", "c"), ("b", "c")):
        for metric in ("UA", "WA"):
            head = f"space_{first},M1,lc,space_{second},M1,mean,class,{metric}"
            differences.append(f"{head},{UA[first] - UA[second]:.2f},-0.01,0.05,0.1234")
        differences.append(f"space_{first},M1,lc,space_{second},M2,mean,class,UA,0.9,,,")
    for name, rows in (
        ("metrics", metrics),
        ("intervals", intervals),
        ("differences", differences),
    ):
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def command(folder: Path, *names: str, kind: str = "recordings") -> list[str]:
    files = [
        write_variant(folder, f"space_{name}", space=name, kind=kind, chosen_space=name)
        for name in names
    ]
    return [
        *("compare-spaces", *map(str, files), f"--comparison={folder}", f"--template={TEMPLATE}"),
        *(f"--csv={folder / 'a1.csv'}", f"--tex={folder / 'a1.tex'}"),
    ]


def test_values_and_differences(results: Path) -> None:
    main(command(results, "a", "b", "c", kind="demo"))
    with (results / "a1.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    tex = " ".join((results / "a1.tex").read_text().split())
    assert [row["space"] for row in rows] == ["a", "b", "c", "a", "a", "b"]
    assert [row["against"] for row in rows] == ["", "", "", "b", "c", "c"]
    assert (rows[0]["UA"], rows[0]["words"]) == ("0.5425", "1234")
    assert float(rows[0]["UA low"]) == pytest.approx(0.4425)
    assert [row["collapsed"] for row in rows[:3]] == ["", "LC: 1 of 5 runs", ""]
    assert (rows[3]["UA difference"], rows[3]["UA difference low"], rows[3]["UA p"]) == (
        *("0.02", "-0.01"),
        "0.1234",
    )
    assert r"1,234 & 300 & \textbf{" not in tex
    assert r"1,234 & 300 & 54.25 & 44.25 \\" in tex
    assert r"a & b & +2.00 & 0.123 & +2.00 & 0.123 \\" in tex
    assert r"{\scriptsize \textminus{}1.00 to +5.00}" in tex
    assert r"\rlap{\textdagger}" in tex
    assert r"\input{x}" not in tex
    assert "The speech is synthetic" in tex
    assert tex.count(r"\begin{table}") == 2
    main(command(results, "a"))
    text = (results / "a1.tex").read_text()
    assert text.count(r"\begin{table}") == 1
    assert "synthetic" not in text


def test_mistakes(results: Path, fails: Callable[..., str]) -> None:
    assert "no rows of variant 'space_d'" in fails(*command(results, "a", "d"))
    path = results / "differences.csv"
    path.write_text(path.read_text().replace("space_a,M1,lc,space_b", "space_x,M1,lc,space_b"))
    assert "no difference in UA of space_a and space_b" in fails(*command(results, "a", "b"))
