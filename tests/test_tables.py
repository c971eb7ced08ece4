"""Tables 1 to 6 from a metrics.csv and a neighbours.csv written by hand."""

import csv
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from emoword.cli import main
from emoword.tables.number_tables import cosine, percent, print_column
from emoword.tables.word_tables import NO_RATERS, parse_words

PAPER = Path(__file__).parents[1] / "paper"

# model, loss, UA, WA: M1 and M2 print alike in MSE UA (0.6124 and 0.6116 are both 61.2)
ACCURACIES = [
    ("M1", "mse", 0.6124, 0.60),
    ("M1", "mae", 0.59, 0.58),
    ("M1", "lc", 0.6275, 0.6199),
    ("M2", "mse", 0.6116, 0.61),
    ("M2", "lc", 0.63, 0.61),
    ("M3", "mse", 0.55, 0.56),
    ("M3", "mae", 0.5, 0.52),
    ("M3", "lc", 0.62, 0.615),
    ("baseline", "ce", 0.6, 0.59),
]  # M2 mae is missing
COSINES = {  # S1, S2, S3
    "M1": (0.8, 0.65, 0.6),
    "M2": (0.7, 0.7504, 0.7),
    "M3": (0.7, 0.7496, -0.01),
}
TOP10 = {  # l1 on S2, l2 on S2, l1 on S3, l2 on S3
    "M1": (0.9, 0.5, 0.9, 0.4),
    "M2": (0.95, 0.6, 0.9, 0.5),
    "M3": (0.85, 0.7, 0.8, 0.6),
}
HOSTILE = r"50%_off\input{x}"


def metric_rows(raters: bool = True) -> list[str]:
    rows = ["variant,model,loss,fold,seed,measured_on,metric,value,n"]
    for model, loss, ua, wa in ACCURACIES:
        if not raters and model in ("M2", "M3"):
            continue
        rows.append(f"paper,{model},{loss},mean,all,class,UA,{ua},240")
        rows.append(f"paper,{model},{loss},mean,all,class,WA,{wa},240")
        rows.append(f"paper,{model},{loss},1,0,class,UA,0.999,48")  # one run: never printed
        fallen = 3 if (model, loss) == ("M3", "mse") else 0
        rows.append(f"paper,{model},{loss},mean,all,class,collapsed,{fallen},25")
    rows.append("other,M1,lc,mean,all,class,UA,0.111,240")
    for model in ("M1", "M2", "M3") if raters else ("M1",):
        for name, value in zip(("S1", "S2", "S3"), COSINES[model], strict=True):
            if raters or name == "S1":
                rows.append(f"paper,{model},lc,mean,all,{name},cosine,{value},240")
        keys = [("S2", "l1"), ("S2", "l2"), ("S3", "l1"), ("S3", "l2")]
        for (name, label), value in zip(keys, TOP10[model], strict=True):
            n = {"l1": 240, "l2": 101 if name == "S2" else 120}[label]
            if raters:
                rows.append(f"paper,{model},lc,mean,all,{name},top10_{label},{value},{n}")
    return rows


def neighbour_rows(raters: bool = True) -> list[list[object]]:
    rows: list[list[object]] = [
        [
            "kind",
            "variant",
            "model",
            "loss",
            "collapsed",
            "name",
            "words",
            "rank",
            "word",
            "similarity",
        ]
    ]

    def add(kind: str, model: str, loss: str, name: str, words: str, nearest: list[str]) -> None:
        for rank, word in enumerate(nearest, start=1):
            similarity = 1 - rank / 100
            rows.append([kind, "paper", model, loss, "", name, words, rank, word, similarity])

    if raters:
        nearest = ["anger", "frustration", "rage", HOSTILE, "[fury]", "sixth"]
        add("target", "", "", "example 1", "anger:2 frustration:1", nearest)
        nearest = [HOSTILE, "a:b", "neutral", "x", "y", "z"]
        add("target", "", "", "example_2", f"{HOSTILE}:1 a:b:1", nearest)
    for emotion in ("sadness", "anger"):
        for model in ("M2", "M1", "M3") if raters else ("M1",):
            add(
                "prediction",
                model,
                "lc",
                emotion,
                "",
                [f"{emotion}{n}{model}" for n in range(1, 7)],
            )
    add("prediction", "M1", "mse", "anger", "", ["never", "shown"])
    return rows


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    for folder, raters in (("rated", True), ("plain", False)):
        (tmp_path / folder).mkdir()
        text = "\n".join(metric_rows(raters)) + "\n"
        (tmp_path / folder / "metrics.csv").write_text(text, encoding="utf-8")
        with (tmp_path / folder / "neighbours.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(neighbour_rows(raters))
    return tmp_path


def make(folder: Path, number: int, *options: str) -> tuple[list[dict[str, str]], str]:
    """Run `emoword table`; returns the CSV's rows and the LaTeX, white space folded."""
    read = {4: "neighbours", 5: "neighbours"}.get(number, "metrics")
    paths = [f"--{read}", str(folder / f"{read}.csv")]
    paths += ["--literature", str(PAPER / "literature.csv")] if number == 2 else []
    paths += ["--template", str(PAPER / "templates" / f"table{number}.tex.j2")]
    paths += [
        "--csv",
        str(folder / f"table{number}.csv"),
        "--tex",
        str(folder / f"table{number}.tex"),
    ]
    dataset = [] if "--dataset" in options else ["--dataset", "my_corpus"]
    main(["table", str(number), *paths, *dataset, *options])
    with (folder / f"table{number}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return rows, " ".join((folder / f"table{number}.tex").read_text(encoding="utf-8").split())


def test_table_1(inputs: Path) -> None:
    rows, tex = make(inputs / "rated", 1)
    assert list(rows[0]) == [
        "model",
        *["MSE UA", "MSE WA", "MAE UA", "MAE WA", "LC UA", "LC WA", "CE UA", "CE WA"],
        "collapsed",
    ]
    assert [row["model"] for row in rows] == ["M1", "M2", "M3", "baseline"]
    assert (rows[0]["LC UA"], rows[0]["LC WA"]) == ("0.6275", "0.6199")  # full precision
    assert (rows[1]["MAE UA"], rows[3]["LC UA"], rows[3]["CE UA"]) == ("", "", "0.6")
    assert [row["collapsed"] for row in rows] == ["", "", "MSE: 3 of 25 runs", ""]
    m1 = r"M1 & \textbf{61.2} & 60.0 & \textbf{59.0} & \textbf{58.0} & 62.7 & \textbf{62.0} & & \\"
    m2 = r"M2 & \textbf{61.2} & \textbf{61.0} & -- & -- & \textbf{63.0} & 61.0 & & \\"
    dagger = r"\rlap{\textdagger}"
    m3 = rf"M3 & 55.0{dagger} & 56.0{dagger} & 50.0 & 52.0 & 62.0 & 61.5 & & \\"
    assert m1 in tex
    assert m2 in tex
    assert m3 in tex
    assert r"baseline & & & & & & & 60.0 & 59.0 \\" in tex
    assert "vector: M3 MSE: 3 of 25 runs. An en dash stands where there is no value." in tex
    assert r"Dataset my\_corpus, variant paper." in tex
    assert r"\label{tab:1}" in tex
    assert "synthetic" not in tex


def write_intervals(folder: Path, half: float = 0.05, seeds: str = "5") -> list[str]:
    """Intervals of +- `half` for all values over folds; returns the option that names them."""
    head, *rows = (row.split(",") for row in metric_rows())
    assert head[3:7] == ["fold", "seed", "measured_on", "metric"]
    lines = ["variant,model,loss,fold,measured_on,metric,value,low,high,speakers,folds,seeds"]
    for variant, model, loss, fold, _, on, metric, value, _ in rows:
        if fold == "mean" and metric != "collapsed":
            ends = (round(float(value) + sign * half, 4) for sign in (-1, 1))
            low, high = ("" if half == 0 else str(end) for end in ends)
            lines.append(
                f"{variant},{model},{loss},{fold},{on},{metric},{value},{low},{high},10,5,{seeds}"
            )
    (folder / "intervals.csv").write_text("\n".join(lines) + "\n")
    return ["--intervals", str(folder / "intervals.csv")]


def test_intervals_stand_below_values(inputs: Path) -> None:
    folder = inputs / "rated"
    plain, _ = make(folder, 1)
    rows, tex = make(folder, 1, *write_intervals(folder))
    assert [{k: row[k] for k in plain[0]} for row in rows] == plain  # the values are the same
    assert (rows[0]["LC UA low"], rows[0]["LC UA high"]) == ("0.5775", "0.6775")
    assert (rows[1]["MAE UA low"], rows[0]["CE UA low"], rows[3]["CE UA low"]) == ("", "", "0.55")
    small = r"& {\scriptsize 57.8--67.8} & {\scriptsize 57.0--67.0} & & \\ M2"
    assert small in tex
    assert r"& -- & -- &" in tex  # M2 mae is missing
    assert r"& & & & & & & {\scriptsize 55.0--65.0} & {\scriptsize 54.0--64.0} \\" in tex
    assert "means over 5 folds and 5 seeds; below each its 95\\% interval" in tex
    assert "its 95% interval, over 10 speakers." in tex
    rows, tex = make(folder, 3, *write_intervals(folder, seeds="1"))
    assert r"{\scriptsize \textminus{}0.060--0.040} \\" in tex
    assert "5 folds and 1 seed;" in tex
    rows, tex = make(folder, 6, *write_intervals(folder))
    assert (rows[0]["S2 l2 low"], rows[0]["S2 l2 n"]) == ("0.45", "101")
    assert r"{\scriptsize 85.0--95.0}" in tex
    _, tex = make(folder, 1, *write_intervals(folder, half=0))  # one speaker
    assert "scriptsize" not in tex
    assert "too few for intervals" in tex


def test_intervals_of_other_values_are_refused(inputs: Path) -> None:
    folder = inputs / "rated"
    options = write_intervals(folder)
    path = folder / "intervals.csv"
    path.write_text(path.read_text().replace("UA,0.6275,", "UA,0.6276,"))
    with pytest.raises(SystemExit, match=r"intervals\.csv: line \d+: metrics\.csv has another"):
        make(folder, 1, *options)


def test_table_1_without_collapse_or_gaps_says_nothing_of_them(inputs: Path) -> None:
    path = inputs / "rated" / "metrics.csv"
    text = path.read_text().replace("collapsed,3,", "collapsed,0,")
    path.write_text(
        text + "paper,M2,mae,mean,all,class,UA,0.5,9\npaper,M2,mae,mean,all,class,WA,0.5,9\n"
    )
    rows, tex = make(inputs / "rated", 1)
    assert all(row["collapsed"] == "" for row in rows)
    assert "dagger" not in tex
    assert "--" not in tex


def test_table_2_lists_the_literature_of_the_dataset(inputs: Path) -> None:
    rows, tex = make(inputs / "rated", 2, "--dataset", "iemocap")
    works = list(csv.DictReader((PAPER / "literature.csv").open(encoding="utf-8")))
    assert [row["model"] for row in rows[: len(works)]] == [
        f"{w['name']} {w['year']}" for w in works
    ]
    assert [(row["model"], row["UA"], row["WA"]) for row in rows[len(works) :]] == [
        ("M1 LC", "0.6275", "0.6199"),
        ("baseline CE", "0.6", "0.59"),
    ]
    for work in works:
        assert rf"\cite{{{work['key']}}}" in tex
    assert r"M1 LC & this work & & 62.7 & 62.0 \\ baseline CE & this work & & 60.0 & 59.0 \\" in tex
    assert tex.index("cite{" + works[-1]["key"]) < tex.rindex(r"\midrule") < tex.index("M1 LC")


@pytest.mark.parametrize(
    "options", [["--dataset", "iemocap", "--synthetic"], ["--dataset", "polish"]]
)
def test_table_2_compares_only_like_with_like(inputs: Path, options: list[str]) -> None:
    rows, tex = make(inputs / "rated", 2, *options)
    assert [row["model"] for row in rows] == ["M1 LC", "baseline CE"]
    assert r"\cite" not in tex
    assert "No published work is listed" in tex
    assert r"M1 LC & \textbf{62.7} & \textbf{62.0} \\" in tex


def test_table_3(inputs: Path) -> None:
    rows, tex = make(inputs / "rated", 3)
    assert [(r["model"], r["S1"], r["S2"], r["S3"], r["collapsed"]) for r in rows] == [
        ("M1", "0.8", "0.65", "0.6", ""),
        ("M2", "0.7", "0.7504", "0.7", ""),
        ("M3", "0.7", "0.7496", "-0.01", ""),  # its collapsed runs are those with mse
    ]
    assert r"M1 & \textbf{0.800} & 0.650 & 0.600 \\" in tex
    assert r"M2 & 0.700 & \textbf{0.750} & \textbf{0.700} \\" in tex
    assert r"M3 & 0.700 & \textbf{0.750} & \textminus{}0.010 \\" in tex  # 0.7496 prints alike


def test_table_4(inputs: Path) -> None:
    rows, tex = make(inputs / "rated", 4)
    assert rows[0]["words"] == "anger:2 frustration:1"
    assert [rows[0][f"word {rank}"] for rank in range(1, 6)] == [
        *["anger", "frustration", "rage", HOSTILE, "[fury]"]
    ]
    assert rows[0]["similarity 5"] == "0.95"
    assert "word 6" not in rows[0]
    hostile = r"50\%\_off\textbackslash{}input\{x\}"
    words = rf"\textbf{{anger}}, \textbf{{frustration}}, rage, {hostile}, {{[}}fury{{]}} \\"
    assert rf"example 1 & anger $\times$2, frustration & {words}" in tex
    words = rf"\textbf{{{hostile}}}, \textbf{{a:b}}, neutral, x, y \\"
    assert rf"example\_2 & {hostile}, a:b & {words}" in tex
    assert "sixth" not in tex


def test_table_5(inputs: Path) -> None:
    rows, tex = make(inputs / "rated", 5)
    assert [(row["emotion"], row["model"]) for row in rows] == [
        (emotion, model) for emotion in ("sadness", "anger") for model in ("M1", "M2", "M3")
    ]
    assert (rows[4]["word 5"], rows[4]["similarity 1"]) == ("anger5M2", "0.99")
    assert "sadness & M1 & sadness1M1, sadness2M1, sadness3M1, sadness4M1, sadness5M1" in tex
    assert r"\\ & M2 & sadness1M2," in tex
    assert "never" not in tex


def test_table_6(inputs: Path) -> None:
    rows, tex = make(inputs / "rated", 6)
    assert list(rows[0])[:6] == ["model", "S2 l1", "S2 l2", "S3 l1", "S3 l2", "collapsed"]
    assert (rows[1]["S2 l1"], rows[1]["S2 l2 n"], rows[1]["S3 l2 n"]) == ("0.95", "101", "120")
    assert r"M1 & 90.0 & 50.0 & \textbf{90.0} & 40.0 \\" in tex
    assert r"M2 & \textbf{95.0} & 60.0 & \textbf{90.0} & 50.0 \\" in tex
    assert r"utterances & 240 & 101 & 240 & 120 \\" in tex
    assert "without a second label are left out" in tex


def test_own_recordings_without_raters(inputs: Path) -> None:
    for number in (3, 4, 6):
        rows, tex = make(inputs / "plain", number)
        assert rows == [{"note": NO_RATERS}]
        assert f"This table {NO_RATERS}." in tex
        assert r"\begin{tabular}" not in tex
        assert r"\textdagger" not in tex
    rows, tex = make(inputs / "plain", 1)
    assert (rows[0]["LC UA"], rows[1]["LC UA"]) == ("0.6275", "")
    assert (
        r"M1 & 61.2 & 60.0 & 59.0 & 58.0 & 62.7 & 62.0 & & \\" in tex
    )  # nothing to be better than
    assert r"M2 & -- & -- & -- & -- & -- & -- & & \\" in tex
    rows, _ = make(inputs / "plain", 5)
    assert [(row["emotion"], row["model"]) for row in rows] == [("sadness", "M1"), ("anger", "M1")]


def test_predictions_that_are_not_there(inputs: Path) -> None:
    path = inputs / "plain" / "neighbours.csv"
    path.write_text(path.read_text().replace(",lc,", ",mae,"))
    rows, tex = make(inputs / "plain", 5)
    assert "does not apply" in rows[0]["note"]
    assert "does not apply" in tex


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("folder", ["rated", "plain"])
def test_synthetic_speech_is_named_and_bytes_are_the_same(
    inputs: Path, folder: str, number: int
) -> None:
    _, tex = make(inputs / folder, number, "--synthetic")
    assert "The speech is synthetic" in tex
    first = (inputs / folder / f"table{number}.tex").read_bytes()
    make(inputs / folder, number, "--synthetic")
    assert (inputs / folder / f"table{number}.tex").read_bytes() == first
    assert tex.count(r"\begin{table}") == tex.count(r"\end{table}") == 1
    assert tex.index(r"\caption") < tex.index(rf"\label{{tab:{number}}}")


def test_folds_and_variants_are_chosen_by_name(inputs: Path) -> None:
    path = inputs / "rated" / "metrics.csv"
    path.write_text(path.read_text() + "paper,M1,lc,pooled,all,class,UA,0.6543,240\n")
    _, tex = make(inputs / "rated", 1)
    assert "62.7" in tex
    assert "65.4" not in tex
    assert "Values are means over the folds." in tex
    _, tex = make(inputs / "rated", 1, "--aggregate", "pooled")
    assert "65.4" in tex
    assert "62.7" not in tex
    assert "utterances of all folds pooled" in tex
    _, tex = make(inputs / "rated", 1, "--variant", "other")
    assert "11.1" in tex
    with pytest.raises(SystemExit, match="variant 'other' with seed `all` and fold 'pooled': mean"):
        make(inputs / "rated", 1, "--variant", "other", "--aggregate", "pooled")


def test_another_loss(inputs: Path) -> None:
    path = inputs / "rated" / "metrics.csv"
    path.write_text(path.read_text() + "paper,M1,mae,mean,all,S2,cosine,0.4567,240\n")
    rows, tex = make(inputs / "rated", 3, "--loss", "mae")
    assert [row["S2"] for row in rows] == ["0.4567", "", ""]
    assert "loss: mean absolute error" in tex
    rows, _ = make(inputs / "rated", 2, "--loss", "mae")
    assert [(row["model"], row["UA"]) for row in rows] == [
        ("M1 MAE", "0.59"),
        ("baseline CE", "0.6"),
    ]
    rows, _ = make(inputs / "rated", 5, "--loss", "mse")
    assert [(row["emotion"], row["word 1"]) for row in rows] == [("anger", "never")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("paper,M1,lc,mean,all,class,UA,0.5,240", "line 60: M1 lc class UA stands there twice"),
        ("paper,M1,lc,mean,all,class,UA,much,240", "could not convert"),
    ],
)
def test_bad_metrics(inputs: Path, line: str, message: str) -> None:
    path = inputs / "rated" / "metrics.csv"
    path.write_text(path.read_text() + line + "\n")
    assert len(path.read_text().splitlines()) == 60
    with pytest.raises(SystemExit, match=message):
        make(inputs / "rated", 1)
    assert not (inputs / "rated" / "table1.csv").exists()
    assert not (inputs / "rated" / "table1.tex").exists()


def test_inputs_that_a_table_needs_are_asked_for(tmp_path: Path) -> None:
    common = ["--template", "t", "--csv", "c", "--tex", "t", "--dataset", "d"]
    with pytest.raises(SystemExit, match="table 4 is made from --neighbours"):
        main(["table", "4", *common])
    path = tmp_path / "neighbours.csv"
    path.write_text("kind,variant,model,loss,collapsed,name,words,rank,word,similarity\n")
    with pytest.raises(SystemExit, match="no rows of variant 'x'"):
        main(["table", "4", "--neighbours", str(path), *common, "--variant", "x"])


def test_a_template_that_is_wrong_leaves_nothing(inputs: Path) -> None:
    folder = inputs / "rated"
    (folder / "t.j2").write_text(r"\VAR{nothing}")
    options = ["--csv", str(folder / "a.csv"), "--tex", str(folder / "a.tex"), "--dataset", "d"]
    with pytest.raises(SystemExit, match=r"t\.j2: 'nothing' is undefined"):
        main(
            [
                "table",
                "1",
                "--metrics",
                str(folder / "metrics.csv"),
                "--template",
                str(folder / "t.j2"),
                *options,
            ]
        )
    assert not list(folder.glob("a.*"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a}b,A,2020,iemocap,f,0.5,0.5,p,s", "line 2: 'a}b' is no BibTeX key"),
        ("a,A,2020,iemocap,f,61.2,0.5,p,s", "line 2: UA is a fraction"),
    ],
)
def test_bad_literature(inputs: Path, row: str, message: str) -> None:
    path = inputs / "works.csv"
    path.write_text(f"key,name,year,dataset,features,UA,WA,protocol,source\n{row}\n")
    with pytest.raises(SystemExit, match=message):
        make(inputs / "rated", 2, "--literature", str(path))


def test_keys_are_cited_as_they_are(inputs: Path) -> None:
    path = inputs / "works.csv"
    path.write_text(
        "key,name,year,dataset,features,UA,WA,protocol,source\n"
        "a_b-c,A & B,2020,my_corpus,f_1,0.9,,100%,s\n"
    )
    rows, tex = make(inputs / "rated", 2, "--literature", str(path))
    assert (rows[0]["model"], rows[0]["key"], rows[0]["WA"]) == ("A & B 2020", "a_b-c", "")
    line = r"A \& B 2020~\cite{a_b-c} & f\_1 & 100\% & \textbf{90.0} & -- \\ \midrule M1 LC"
    assert line in tex
    assert "An en dash stands" in tex


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("anger:2 frustration:1", [("anger", 2), ("frustration", 1)]),
        ("a:b:3", [("a:b", 3)]),
        (":):1 12:30:2", [(":)", 1), ("12:30", 2)]),
        ("new york:10", [("new york", 10)]),
        ("::1", [(":", 1)]),
    ],
)
def test_parse_words(text: str, words: list[tuple[str, int]]) -> None:
    assert parse_words(text) == words


@pytest.mark.parametrize(
    "text", ["", "anger", "anger:", "anger:x", ":1", "a:1 b", "a:1 " * 40 + "!"]
)
def test_parse_words_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="word:count"):
        parse_words(text)


def test_bad_words_are_named_with_their_line(inputs: Path) -> None:
    path = inputs / "rated" / "neighbours.csv"
    path.write_text(path.read_text().replace("anger:2 frustration:1", "anger frustration", 1))
    with pytest.raises(SystemExit, match=r"neighbours\.csv: line 2: 'anger frustration'"):
        make(inputs / "rated", 4)


def test_print_column() -> None:
    nan = float("nan")
    assert print_column([nan, nan], [True, False], percent) == ["--", "--"]
    assert print_column([0.5, nan], [False, False], percent) == ["50.0", "--"]
    assert print_column([-0.5, -0.25], [False, True], cosine) == [
        r"\textminus{}0.500",
        r"\textbf{\textminus{}0.250}\rlap{\textdagger}",
    ]
    assert print_column([1, 1, 0], [False] * 3, percent) == [
        *[r"\textbf{100.0}", r"\textbf{100.0}", "0.0"]
    ]


# --------------------------------------------------------------------- the data files in paper/


def test_literature_is_cited_and_says_where_it_is_from() -> None:
    works = pd.read_csv(PAPER / "literature.csv")
    keys = re.findall(r"@\w+\{([^,]+),", (PAPER / "refs.bib").read_text(encoding="utf-8"))
    assert len(keys) == len(set(keys))
    assert set(works["key"]) <= set(keys)
    assert works["source"].notna().all()
    best = works[["UA", "WA"]].max(axis=1)
    worst = works[["UA", "WA"]].min(axis=1)
    assert ((worst > 0.25) & (best < 1)).all()  # above chance, fractions, and at least one each


def test_reported_numbers_add_up() -> None:
    reported = pd.read_csv(PAPER / "reported.csv")
    assert list(reported.columns) == ["table", "row", "column", "value", "source"]
    assert not reported.duplicated(["table", "row", "column"]).any()
    counts = reported[reported["table"] == "corpus"].set_index("row")["value"]
    classes = ["anger", "happiness with excitement", "sadness", "neutral"]
    assert counts[classes].sum() == counts["in four classes"] == 5531
    assert counts[[f"in four classes, session {k}" for k in range(1, 6)]].sum() == 5531


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")
@pytest.mark.parametrize(
    ("folder", "options"), [("rated", ["--dataset", "iemocap"]), ("plain", ["--synthetic"])]
)
def test_the_document_compiles(inputs: Path, folder: str, options: list[str]) -> None:
    for number in range(1, 7):
        make(inputs / folder, number, *options)
    build = inputs / "build"
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", f"-outdir={build}"]
    places = {"TEXINPUTS": f"{inputs / folder}:", "BIBINPUTS": f"{PAPER}:"}
    done = subprocess.run(
        [*command, str(PAPER / "tables.tex")],
        cwd=inputs,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-3000:]
    log = (build / "tables.log").read_text(errors="replace")
    assert "undefined" not in log
    assert "multiply defined" not in log
    assert "Overfull" not in log
    assert (build / "tables.pdf").stat().st_size > 10_000


def test_tables_of_neighbours_name_the_filter(inputs: Path) -> None:
    folder = inputs / "glove_50%"
    folder.mkdir()
    meta = {"words": 399_876, "filter": {"most_frequent": 400_000, "left_out": {}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    space = ["--space", str(folder / "meta.json")]
    says = r"Word space glove\_50\%: 399,876 words, filter: the 400,000 most frequent."
    for number in range(1, 7):
        assert (says in make(inputs / "rated", number, *space)[1]) == (number >= 4), number
    assert says not in make(inputs / "plain", 6, *space)[1]  # there is no table
    (folder / "meta.json").write_text(json.dumps({"words": 20}))
    assert "glove\\_50\\%: 20 words, not filtered." in make(inputs / "rated", 4, *space)[1]
