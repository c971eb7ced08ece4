"""Table A1 from a metrics.csv written by hand; the test recomputed from its formula."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from emoword.cli import main

TEMPLATE = Path(__file__).parents[1] / "paper/templates/tableA1.tex.j2"
UA = {
    "space_a": [0.50, 0.60, 0.55, 0.52],
    "space_b": [0.48, 0.61, 0.50, 0.50],
    "space_c": [0.50, 0.60, 0.55, 0.52],
}
HOSTILE = r"50%_off\input{x}"


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    rows = ["variant,model,loss,fold,seed,measured_on,metric,value,n"]
    for variant, values in UA.items():
        for i, value in enumerate(values):
            fold, seed = 1 + i % 2, i // 2
            rows.append(f"{variant},M1,lc,{fold},{seed},class,UA,{value},48")
            rows.append(f"{variant},M1,lc,{fold},{seed},class,WA,{value - 0.1:.2f},48")
            rows.append(f"{variant},M1,lc,{fold},{seed},class,collapsed,{int(value == 0.48)},1")
            rows.append(f"{variant},M1,mse,{fold},{seed},class,UA,0.9,48")
            rows.append(f"{variant},baseline,ce,{fold},{seed},class,UA,0.9,48")
        rows.append(f"{variant},M1,lc,mean,all,class,UA,0.9,192")
        folder = tmp_path / variant.replace("space_", "")
        folder.mkdir()
        meta = {"source": HOSTILE, "words": 1234, "dim": 300, "format": "glove"}
        (folder / "meta.json").write_text(json.dumps(meta))
    (tmp_path / "metrics.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def command(folder: Path, variants: list[str], *options: str) -> list[str]:
    return [
        *("compare-spaces", "--metrics", str(folder / "metrics.csv"), "--variants", *variants),
        *("--spaces", *(str(folder / v.removeprefix("space_") / "meta.json") for v in variants)),
        *("--template", str(TEMPLATE), "--dataset", "mine", "--csv", str(folder / "a1.csv")),
        *("--tex", str(folder / "a1.tex"), *options),
    ]


def make(folder: Path, *options: str) -> tuple[list[dict[str, str]], str]:
    main(command(folder, list(UA), *options))
    with (folder / "a1.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return rows, " ".join((folder / "a1.tex").read_text().split())


def test_means_and_paired_tests(inputs: Path) -> None:
    rows, tex = make(inputs)
    assert [row["space"] for row in rows] == ["a", "b", "c", "a", "a", "b"]
    assert [row["against"] for row in rows] == ["", "", "", "b", "c", "c"]
    assert float(rows[0]["UA"]) == pytest.approx(0.5425)
    assert float(rows[0]["WA sd"]) == pytest.approx(np.std(UA["space_a"], ddof=1))
    assert [row["collapsed"] for row in rows[:3]] == ["0", "1", "0"]
    difference = np.array(UA["space_a"]) - np.array(UA["space_b"])
    error = difference.std(ddof=1) / math.sqrt(4)
    assert float(rows[3]["UA difference"]) == pytest.approx(difference.mean())
    assert float(rows[3]["UA p"]) == pytest.approx(
        2 * stats.t(3).sf(abs(difference.mean()) / error)
    )
    assert float(rows[3]["UA low"]) == pytest.approx(
        difference.mean() - stats.t(3).ppf(0.975) * error
    )
    assert rows[4]["UA difference"] == "0.0"
    assert rows[4]["UA p"] == ""  # the same values: there is nothing to test
    assert r"54.2 $\pm$ 4.3" in tex
    assert r"a -- b & $+2.0$ & [$" in tex
    assert r"\input{x}" not in tex
    assert "1,234" in tex
    assert "over 4 runs" in tex
    assert "A dagger marks spaces with collapsed runs" in tex
    assert "synthetic" not in tex
    assert "The speech is synthetic" in make(inputs, "--synthetic")[1]


def test_one_run_and_one_space_have_no_test(inputs: Path) -> None:
    text = (inputs / "metrics.csv").read_text().splitlines()
    kept = [line for line in text if ",1,0,class" in line or line.startswith("variant")]
    (inputs / "metrics.csv").write_text("\n".join(kept) + "\n")
    rows, tex = make(inputs)
    assert rows[0]["UA sd"] == rows[3]["UA p"] == ""
    assert "nan" not in tex
    main(command(inputs, ["space_a"]))
    assert "pair & difference" not in (inputs / "a1.tex").read_text()


def test_mistakes(inputs: Path, fails: Callable[..., str]) -> None:
    assert "no runs of M1 with lc of variant 'space_d'" in fails(
        *command(inputs, ["space_a"])[:4], "space_d", *command(inputs, ["space_a"])[5:]
    )
    lines = (inputs / "metrics.csv").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("space_b,M1,lc,2,1")]
    (inputs / "metrics.csv").write_text("\n".join(lines) + "\n")
    assert "space_a and space_b have not the same folds and seeds" in fails(
        *command(inputs, ["space_a", "space_b"])
    )
    two = command(inputs, ["space_a", "space_b"])
    two.remove(str(inputs / "b/meta.json"))
    assert "2 --variants and 1 --spaces" in fails(*two)
