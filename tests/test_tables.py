"""Tables 1 to 6 from a metrics.csv and a neighbours.csv written by hand."""

import csv
import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from emoword.cli import main
from emoword.io.errors import InputError
from emoword.schemas import DECISIONS, NEIGHBOURS
from emoword.tables import model
from emoword.tables.model import Key, Near, Table
from emoword.tables.number_tables import (
    Measured,
    accuracy_table,
    comparison_table,
    cosine,
    number_cell,
    percent,
    read_literature,
    similarity_table,
    top10_table,
)
from emoword.tables.reported import beside, read_reported
from emoword.tables.word_tables import (
    NO_RATERS,
    neighbours_of,
    parse_words,
    prediction_table,
    target_table,
)
from variant_files import write_variant

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "paper"

# model, loss, UA, WA: M1 and M2 print alike in MSE UA (0.61242 and 0.61238 are both 61.24)
ACCURACIES = [
    ("M1", "mse", 0.61242, 0.60),
    ("M1", "mae", 0.59, 0.58),
    ("M1", "lc", 0.6275, 0.6199),
    ("M2", "mse", 0.61238, 0.61),
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
SPACES = {
    "space": {"words": 20},
    "glove_50%": {"words": 399_876, "filter": {"most_frequent": 400_000, "left_out": {}}},
}
HOSTILE = r"50%_off\input{x}"
ENDS = ["low", "high", "repeat_low", "repeat_high"]


def metric_rows(raters: bool = True) -> list[str]:
    rows = ["variant,model,loss,fold,seed,measured_on,metric,value,n"]
    for name, loss, ua, wa in ACCURACIES:
        if not raters and name in ("M2", "M3"):
            continue
        rows.append(f"paper,{name},{loss},mean,all,class,UA,{ua},240")
        rows.append(f"paper,{name},{loss},mean,all,class,WA,{wa},240")
        rows.append(f"paper,{name},{loss},1,0,class,UA,0.999,48")  # one run: never printed
        fallen = 3 if (name, loss) == ("M3", "mse") else 0
        rows.append(f"paper,{name},{loss},mean,all,class,collapsed,{fallen},25")
    rows.append("other,M1,lc,mean,all,class,UA,0.111,240")
    for name in ("M1", "M2", "M3") if raters else ("M1",):
        for on, value in zip(("S1", "S2", "S3"), COSINES[name], strict=True):
            if raters or on == "S1":
                rows.append(f"paper,{name},lc,mean,all,{on},cosine,{value},240")
        keys = [("S2", "l1"), ("S2", "l2"), ("S3", "l1"), ("S3", "l2")]
        for (on, label), value in zip(keys, TOP10[name], strict=True):
            n = {"l1": 240, "l2": 101 if on == "S2" else 120}[label]
            if raters:
                rows.append(f"paper,{name},lc,mean,all,{on},top10_{label},{value},{n}")
    return rows


def neighbour_rows(raters: bool = True) -> list[list[object]]:
    rows: list[list[object]] = [list(NEIGHBOURS.names)]

    def add(kind: str, name: str, loss: str, on: str, words: str, nearest: list[str]) -> None:
        for rank, word in enumerate(nearest, start=1):
            about = [kind, "paper", name, loss, "", "", on, words]
            rows.append([*about, rank, word, 1 - rank / 100])

    if raters:
        add("target", "", "", "S1", "anger:1", ["anger", "rage", "x", "[fury]", "*", "sixth"])
        add("target", "", "", "S3", f"{HOSTILE}:1 a:b:2", ["a:b", HOSTILE, "y", "z", "u", "v"])
    for emotion in ("sadness", "fear", "anger"):
        for name in ("M2", "M1", "M3") if raters else ("M1",):
            add("prediction", name, "lc", emotion, "", [f"{emotion}{n}{name}" for n in range(1, 7)])
    add("prediction", "M1", "mse", "anger", "", ["never", "shown"])
    return rows


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    for folder, raters in (("rated", True), ("plain", False)):
        (tmp_path / folder).mkdir()
        text = "\n".join(metric_rows(raters)) + "\n"
        (tmp_path / folder / "metrics.csv").write_text(text, encoding="utf-8")
        (tmp_path / folder / "neighbours").mkdir()
        near = pd.DataFrame(neighbour_rows(raters)[1:], columns=neighbour_rows()[0])
        near.to_csv(tmp_path / folder / "neighbours/paper.csv", index=False)
        for space, meta in SPACES.items():
            (tmp_path / folder / space).mkdir()
            (tmp_path / folder / space / "meta.json").write_text(json.dumps(meta))
    return tmp_path


def make(
    folder: Path, number: int, dataset: str = "my_corpus", kind: str = "recordings", **settings: Any
) -> tuple[list[dict[str, str]], str, Table]:
    """Run `emoword table`; returns the CSV's rows, the LaTeX, white space folded, and the model."""
    variant = write_variant(folder, dataset=dataset, kind=kind, **settings)
    return run(folder, number, variant)


def run(folder: Path, number: int, variant: Path) -> tuple[list[dict[str, str]], str, Table]:
    """The same for a variant's file."""
    files = {kind: folder / f"table{number}.{kind}" for kind in ("csv", "tex", "json")}
    words = [f"--literature={PAPER / 'literature.csv'}", f"--reported={PAPER / 'reported.csv'}"]
    words += [f"--template={PAPER / 'templates/table.tex.j2'}"]
    words += [f"--{kind}={path}" for kind, path in files.items()]
    main(["table", str(number), str(variant), *words])
    with files["csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tex = " ".join(files["tex"].read_text(encoding="utf-8").split())
    return rows, tex, model.read(files["json"])


def write_intervals(folder: Path, half: float = 0.05, seeds: str = "5") -> None:
    """Write intervals of +- `half`, and twice that of another run; 0: none."""
    _, *rows = (row.split(",") for row in metric_rows())
    head = ["variant", "model", "loss", "fold", "measured_on", "metric", "value", *ENDS]
    lines = [",".join([*head, "speakers", "folds", "seeds"])]
    for variant, name, loss, fold, _, on, metric, value, _ in rows:
        if fold == "mean" and metric != "collapsed":
            ends = [round(float(value) + k * half, 4) for k in (-1, 1, -2, 2)]
            texts = [variant, name, loss, fold, on, metric, value]
            lines.append(",".join([*texts, *("" if half == 0 else str(e) for e in ends)]))
            lines[-1] += f",10,5,{seeds}"
    (folder / "intervals.csv").write_text("\n".join(lines) + "\n")


# --------------------------------------------------------------------------------- table by table


def test_table_1(inputs: Path) -> None:
    rows, tex, _ = make(inputs / "rated", 1)
    losses = [f"{loss} {metric}" for loss in ("MSE", "MAE", "LC") for metric in ("UA", "WA")]
    assert list(rows[0]) == ["model", *losses, "collapsed", "CE UA", "CE WA"]
    assert [row["model"] for row in rows] == ["M1", "M2", "M3", "baseline"]
    assert (rows[0]["LC UA"], rows[0]["LC WA"]) == ("0.6275", "0.6199")  # exact
    assert (rows[1]["MAE UA"], rows[3]["LC UA"], rows[3]["CE UA"]) == ("", "", "0.6")
    assert [row["collapsed"] for row in rows] == ["", "", "MSE: 3 of 25 runs", ""]
    m1 = (
        r"M1 & \textbf{61.24} & 60.00 & \textbf{59.00} & \textbf{58.00} & 62.75 & \textbf{61.99} \\"
    )
    m2 = r"M2 & \textbf{61.24} & \textbf{61.00} & – & – & \textbf{63.00} & 61.00 \\"
    dagger = r"\rlap{\textdagger}"
    assert m1 in tex
    assert m2 in tex
    assert rf"M3 & 55.00{dagger} & 56.00{dagger} & 50.00 & 52.00 & 62.00 & 61.50 \\" in tex
    above = r"\toprule \multicolumn{7}{c}{Baseline: 60.00\% UA, 59.00\% WA } \\ \midrule"
    assert above in tex
    assert r"& \multicolumn{2}{c}{MSE} & \multicolumn{2}{c}{MAE}" in tex
    assert "hardly more than one vector or never one of the classes: M3 MSE: 3 of 25 runs." in tex
    assert r"Dataset my\_corpus, variant paper." in tex
    assert r"\label{tab:1}" in tex
    assert "Bold: the highest value of a column." in tex
    assert "synthetic" not in tex


def test_intervals_stand_below_values(inputs: Path) -> None:
    folder = inputs / "rated"
    plain, *_ = make(folder, 1)
    write_intervals(folder)
    rows, tex, table = make(folder, 1)
    assert [{k: row[k] for k in plain[0]} for row in rows] == plain  # the values are the same
    assert (rows[0]["LC UA low"], rows[0]["LC UA high"]) == ("0.5775", "0.6775")
    assert (rows[1]["MAE UA low"], rows[3]["CE UA low"]) == ("", "0.55")
    cell = table.find("M1", "LC UA")
    assert (cell.repeat_low, cell.repeat_high) == (0.5275, 0.7275)
    assert r"& {\scriptsize 57.75–67.75} & {\scriptsize 56.99–66.99} \\[2pt] M2" in tex
    assert r"Baseline: 60.00\% UA {\scriptsize (55.00–65.00)}, 59.00\% WA" in tex
    assert "means over 5 folds and 5 seeds; below each its 95\\% interval" in tex
    assert "its 95\\% interval, over 10 speakers." in tex
    write_intervals(folder, seeds="1")
    _, tex, _ = make(folder, 3)
    assert r"{\scriptsize \textminus{}0.060 to 0.040} \\" in tex
    assert "5 folds and 1 seed;" in tex
    write_intervals(folder, half=0)  # one speaker
    _, tex, _ = make(folder, 1)
    assert "scriptsize" not in tex
    assert "too few for intervals" in tex


def test_intervals_of_other_values_are_refused(inputs: Path) -> None:
    write_intervals(inputs / "rated")
    path = inputs / "rated" / "intervals.csv"
    path.write_text(path.read_text().replace("UA,0.6275,", "UA,0.6276,"))
    with pytest.raises(SystemExit, match=r"intervals\.csv: line \d+: metrics\.csv has another"):
        make(inputs / "rated", 1)


def test_table_2_sorts_ours_among_the_papers_works(inputs: Path) -> None:
    rows, tex, _ = make(inputs / "rated", 2, "iemocap", "iemocap")
    assert [row["approach"] for row in rows] == [
        "EPATA-TDNN w/ fbank [23]",  # 57.60
        "Baseline CE (here)",  # 60.00
        "Word embeddings, M1 LC (here)",  # 62.75
        "Self-attention w/ IS09 [29]",  # 63.80
        "Word embeddings (the paper)",
        "Co-attention w/ MFCC+wav2vec [30]",
        "EPATA-TDNN w/ wav2vec (FT) [23]",
        "wav2vec 2.0 or HuBERT, fine-tuned",  # ours to list: below a rule
        "Distilled from prosodic and linguistic teachers",
        "HuBERT, fine-tuned with pseudo-labels",
    ]
    assert (rows[2]["UA"], rows[2]["WA"], rows[7]["UA"]) == ("0.6275", "0.6199", "")
    assert r"77.07 & 76.58 \\ \midrule wav2vec 2.0 or HuBERT, fine-tuned & – & 73.01 \\" in tex
    assert r"\cite{morais2022speech,tarantino2019self,stanley2023emotion,zou2022speech," in tex
    assert "EPATA for ECAPA" in tex


@pytest.mark.parametrize("named", [("iemocap", "demo"), ("my_corpus", "recordings")])
def test_table_2_compares_only_like_with_like(inputs: Path, named: tuple[str, str]) -> None:
    rows, tex, _ = make(inputs / "rated", 2, *named)
    assert [row["approach"][:8] for row in rows] == ["Baseline", "Word emb"]
    assert r"\cite" not in tex
    assert "EPATA" not in tex
    assert "No published work is listed" in tex
    assert r"M1 LC (here) & \textbf{62.75} & \textbf{61.99} \\" in tex


def test_table_3(inputs: Path) -> None:
    rows, tex, _ = make(inputs / "rated", 3)
    assert [(r["model"], r["S1"], r["S2"], r["S3"], r["collapsed"]) for r in rows] == [
        ("M1", "0.8", "0.65", "0.6", ""),
        ("M2", "0.7", "0.7504", "0.7", ""),
        ("M3", "0.7", "0.7496", "-0.01", ""),  # its collapsed runs are those with mse
    ]
    assert r"M1 & \textbf{0.800} & 0.650 & 0.600 \\" in tex
    assert r"M2 & 0.700 & \textbf{0.750} & \textbf{0.700} \\" in tex
    assert r"M3 & 0.700 & \textbf{0.750} & \textminus{}0.010 \\" in tex  # 0.7496 prints alike
    assert "Loss: log-cosh." in tex


def test_constant_predictors_stand_below_tables_3_and_6(inputs: Path) -> None:
    folder = inputs / "rated" / "floors"
    folder.mkdir()
    rows = [
        f"paper,{name},constant,{fold},0,0,u{fold},anger,anger,{value},0.9,,1,,,0"
        for name, values in (("mean_S1", (0.5, 0.75)), ("majority", (0.9, 0.9)))
        for fold, value in enumerate(values, start=1)
    ]
    (folder / "paper.csv").write_text("\n".join([",".join(DECISIONS.names), *rows]) + "\n")
    found, tex, _ = make(inputs / "rated", 3)
    assert [(row["model"], row["S1"], row["S3"]) for row in found[3:]] == [
        ("majority", "0.9", ""),
        ("mean of S1", "0.625", ""),
    ]
    assert r"\midrule majority & \textbf{0.900}" in tex
    assert "always say the same" in tex
    found, _, _ = make(inputs / "rated", 6)
    assert (found[3]["S2 l1"], found[3]["S3 l2"]) == ("1.0", "0.0")
    assert len(make(inputs / "rated", 1)[0]) == 4


def test_table_4(inputs: Path) -> None:
    rows, tex, _ = make(inputs / "rated", 4)
    assert (rows[0]["set"], rows[0]["label"]) == ("S1", "anger")
    assert rows[1]["label"] == f"{HOSTILE}, a:b, a:b"
    places = ["1st", "2nd", "3rd", "4th", "5th"]
    assert [rows[0][place] for place in places] == ["anger", "rage", "x", "[fury]", "*"]
    assert rows[0]["5th similarity"] == "0.95"
    assert "sixth" not in tex
    assert r"S1 & anger & \textbf{anger} & rage & x & {[}fury{]} & {*} \\" in tex
    hostile = r"50\%\_off\textbackslash{}input\{x\}"
    assert rf"S3 & {hostile}, a:b, a:b & \textbf{{a:b}} & \textbf{{{hostile}}} & y & z & u" in tex


def test_table_5(inputs: Path) -> None:
    rows, tex, _ = make(inputs / "rated", 5)
    # emotions in the paper's order, then others; a block of five words a model
    assert list(rows[0])[:6:2] == ["model", "anger", "sadness"]
    assert list(rows[0])[6] == "fear"
    assert [(row["model"], row["rank"]) for row in rows[4:6]] == [("M1", "5th"), ("M2", "1st")]
    assert len(rows) == 15
    assert (rows[7]["sadness"], rows[5]["anger similarity"]) == ("sadness3M2", "0.99")
    assert r"\midrule M2 & 1st & anger1M2 & sadness1M2 & fear1M2 \\ & 2nd & anger2M2" in tex
    assert r"& & \multicolumn{3}{c}{Emotion label}" in tex
    assert "never" not in tex


def test_table_6(inputs: Path) -> None:
    rows, tex, _ = make(inputs / "rated", 6)
    assert list(rows[0]) == ["model", "S2 l1", "S2 l2", "S3 l1", "S3 l2", "collapsed"]
    assert r"M1 & 90.00 & 50.00 & \textbf{90.00} & 40.00 \\" in tex
    assert r"M2 & \textbf{95.00} & 60.00 & \textbf{90.00} & 50.00 \\" in tex
    assert "once a seed: 240 in S2 l1, 101 in S2 l2, 240 in S3 l1, 120 in S3 l2." in tex
    assert r"Model & l\textsubscript{1} & l\textsubscript{2}" in tex


def test_own_recordings_without_raters(inputs: Path) -> None:
    for number in (3, 4, 6):
        rows, tex, table = make(inputs / "plain", number)
        assert rows == [{"note": NO_RATERS}]
        assert table.missing == NO_RATERS
        assert f"This table {NO_RATERS}." in tex
        assert r"\begin{tabular}" not in tex
    rows, tex, _ = make(inputs / "plain", 1)
    assert (rows[0]["LC UA"], rows[1]["LC UA"]) == ("0.6275", "")
    # nothing to be better than
    assert r"M1 & 61.24 & 60.00 & 59.00 & 58.00 & 62.75 & 61.99 \\" in tex
    assert r"M2 & – & – & – & – & – & – \\" in tex
    rows, *_ = make(inputs / "plain", 5)
    assert {row["model"] for row in rows} == {"M1"}
    rows, tex, _ = make(inputs / "plain", 5, table_loss="mae")
    assert "does not apply" in rows[0]["note"]
    assert "does not apply" in tex


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("folder", ["rated", "plain"])
def test_synthetic_speech_is_named_and_bytes_are_the_same(
    inputs: Path, folder: str, number: int
) -> None:
    _, tex, _ = make(inputs / folder, number, kind="demo")
    assert "The speech is synthetic" in tex
    files = [inputs / folder / f"table{number}.{kind}" for kind in ("csv", "tex", "json")]
    first = [file.read_bytes() for file in files]
    make(inputs / folder, number, kind="demo")
    assert [file.read_bytes() for file in files] == first
    assert tex.count(r"\begin{table}") == tex.count(r"\end{table}") == 1
    assert tex.index(r"\caption") < tex.index(rf"\label{{tab:{number}}}")


def test_folds_variants_and_losses_are_chosen_by_name(inputs: Path) -> None:
    path = inputs / "rated" / "metrics.csv"
    path.write_text(
        path.read_text()
        + "paper,M1,lc,pooled,all,class,UA,0.6543,240\npaper,M1,mae,mean,all,S2,cosine,0.4567,240\n"
    )
    _, tex, _ = make(inputs / "rated", 1)
    assert "62.75" in tex
    assert "65.43" not in tex
    assert "Values are means over the folds." in tex
    _, tex, _ = make(inputs / "rated", 1, aggregate="pooled")
    assert "65.43" in tex
    assert "62.75" not in tex
    assert "utterances of all folds pooled" in tex
    assert "11.10" in run(inputs / "rated", 1, write_variant(inputs / "rated", "other"))[1]
    pooled = write_variant(inputs / "rated", "other", aggregate="pooled")
    with pytest.raises(SystemExit, match="variant 'other' with seed `all` and fold 'pooled': mean"):
        run(inputs / "rated", 1, pooled)
    rows, tex, _ = make(inputs / "rated", 3, table_loss="mae")
    assert [row["S2"] for row in rows] == ["0.4567", "", ""]
    assert "Loss: mean absolute error" in tex
    rows, *_ = make(inputs / "rated", 2, table_loss="mae")
    assert ("Word embeddings, M1 MAE (here)", "0.59") in [(r["approach"], r["UA"]) for r in rows]
    rows, *_ = make(inputs / "rated", 5, table_loss="mse")
    assert [row["anger"] for row in rows] == ["never", "shown"]


def test_tables_of_neighbours_name_the_filter(inputs: Path) -> None:
    says = r"Word space glove\_50\%: 399,876 words, filter: the 400,000 most frequent."
    for number in range(1, 7):
        tex = make(inputs / "rated", number, space="glove_50%")[1]
        assert (says in tex) == (number >= 4), number
    assert says not in make(inputs / "plain", 6, space="glove_50%")[1]  # there is no table


# ------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("number", "file", "old", "new", "message"),
    [
        (
            1,
            "metrics.csv",
            "other",
            "paper",
            "M1 lc class UA of variant 'paper' stands there twice",
        ),
        (1, "metrics.csv", "0.6275", "much", "could not convert"),
        (1, "metrics.csv", "paper,", "x,", "no rows of variant 'paper' with seed `all`"),
        (4, "neighbours/paper.csv", "anger:1", "anger", r"paper\.csv: line 2: 'anger' is not"),
        (5, "neighbours/paper.csv", ",paper,", ",x,", "no rows of variant 'paper'"),
    ],
)
def test_bad_data(inputs: Path, number: int, file: str, old: str, new: str, message: str) -> None:
    path = inputs / "rated" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SystemExit, match=message):
        make(inputs / "rated", number)
    assert not list((inputs / "rated").glob("table*"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a}b,A,iemocap,0.5,0.5,paper,s", "line 2: 'a}b' is no BibTeX key"),
        ("a,A,iemocap,61.2,0.5,us,s", "line 2: UA is a fraction"),
        ("a,A,iemocap,0.6,0.5,them,s", "line 2: listed_by is paper or us"),
    ],
)
def test_bad_literature(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "works.csv"
    path.write_text(f"key,approach,dataset,UA,WA,listed_by,source,protocol\n{row},ours\n")
    with pytest.raises(InputError, match=message):
        read_literature(path, "iemocap")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("anger:2 frustration:1", [("anger", 2), ("frustration", 1)]),
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
    with pytest.raises(InputError, match="word:count"):
        parse_words(text)


# --------------------------------------------------------------------- cells by their addresses


def test_each_number_is_the_metric_that_its_cell_names() -> None:
    # every value is another one, so that a cell that is looked up wrongly shows
    models = ("M1", "M2", "M3")
    on = [("class", "UA"), ("class", "WA"), *((s, "cosine") for s in ("S1", "S2", "S3"))]
    on += [(s, f"top10_{label}") for s in ("S2", "S3") for label in ("l1", "l2")]
    keys = [Key(m, loss, *o) for m in models for loss in ("mse", "mae", "lc") for o in on]
    keys += [Key("baseline", "ce", *o) for o in on]
    metrics = {key: Measured(0.001 * (i + 1), 100 + i) for i, key in enumerate(keys)}
    tables = [
        accuracy_table(metrics),
        comparison_table(metrics, "lc", read_literature(PAPER / "literature.csv", None)),
        similarity_table(metrics, "lc"),
        top10_table(metrics, "lc"),
    ]
    for table, count in zip(tables, (20, 4, 9, 12), strict=True):
        assert len(table.cells()) == count
        for (row, column), cell in table.cells().items():
            key = cell.source
            assert isinstance(key, Key)
            assert metrics[key].value == cell.value
            loss, label = key.loss.upper(), key.metric[-2:]
            called = {"1": f"{loss} {key.metric}", "2": key.metric, "3": key.measured_on}
            assert column == called.get(table.number, f"{key.measured_on} {label}")
            names = ("Word embeddings, M1 LC (here)", "Baseline CE (here)")
            assert row == (names[key.model == "baseline"] if table.number == "2" else key.model)
    assert tables[2].find("M2", "S3").source == Key("M2", "lc", "S3", "cosine")
    with pytest.raises(InputError, match="no row 'M4'; there are: M1, M2, M3, baseline"):
        tables[0].find("M4", "LC UA")
    with pytest.raises(InputError, match="row 'M1': no column 'S4'; there are: S1, S2, S3"):
        tables[2].find("M1", "S4")


def nearest_five(inputs: Path) -> pd.DataFrame:
    rows = pd.read_csv(inputs / "rated" / "neighbours/paper.csv", keep_default_na=False)
    return rows[rows["rank"] <= 5]


def test_each_word_is_found_among_the_neighbours(inputs: Path) -> None:
    rows = nearest_five(inputs)
    for table, count in ((target_table(rows), 10), (prediction_table(rows, "lc"), 45)):
        assert len(table.cells()) == count
        for (row, column), cell in table.cells().items():
            assert isinstance(cell.source, Near)
            found = neighbours_of(cell.source, rows)
            assert list(found["rank"]) == [1, 2, 3, 4, 5]
            own = found.iloc[cell.source.rank - 1]
            assert (own["word"], own["similarity"]) == (cell.text, cell.value)
            if table.number == "5":
                assert cell.text == f"{column}{row[3]}{row[:2]}"


def test_a_number_as_it_is_printed() -> None:
    assert number_cell(math.nan, percent).text == "–"
    cell = number_cell(-0.25, cosine, -0.5, 0.125)
    assert (cell.text, cell.interval, cell.repeat_low) == ("−0.250", "−0.500 to 0.125", None)
    assert number_cell(0.61245, percent, 0.6, 0.7).interval == "60.00–70.00"


def test_a_table_is_read_as_it_was_written(inputs: Path) -> None:
    _, _, table = make(inputs / "rated", 4)
    model.write(table, inputs / "again.json")
    assert model.read(inputs / "again.json") == table
    (inputs / "again.json").write_text('{"number": 4}')
    with pytest.raises(InputError, match=r"again\.json: not a table of this version"):
        model.read(inputs / "again.json")
    with pytest.raises(InputError, match=r"gone\.json: No such file"):
        model.read(inputs / "gone.json")


# ------------------------------------------------------------------------------- the paper's own


def test_the_papers_values_stand_below_ours(inputs: Path) -> None:
    folder, papers = inputs / "rated", ("iemocap", "iemocap")
    _, tex, table = make(folder, 1, *papers)
    assert table.find("M1", "LC UA").paper == "69.68 (−6.93)"
    write_intervals(folder)
    _, tex, table = make(folder, 1, *papers)
    # another run of ours would lie between 52.75 and 72.75
    assert table.find("M1", "LC UA").paper == "69.68 (−6.93) ≈"
    assert table.find("M3", "MSE UA").paper == "67.33 (−12.33)"
    assert table.find("M2", "MAE UA").paper == "66.63"  # ours is missing
    small = r"{\scriptsize 69.68 (\textminus{}6.93) \ensuremath{\approx}} & {\scriptsize 68.47 ("
    assert small in tex
    assert r"60.00\% UA {\scriptsize (55.00–65.00)} {\scriptsize (61.45 (\textminus{}1.45)" in tex
    assert "the difference (ours minus the paper" in tex
    assert make(folder, 3, *papers)[2].find("M2", "S1").paper == "0.756 (−0.056) ≈"
    assert "Small, below ours" not in make(folder, 4, *papers)[1]  # other targets
    assert "Small, below ours" not in make(folder, 1)[1]  # another corpus
    said = {("5", "M1 1st", "anger"): "anger1M1", ("5", "M1 2nd", "anger"): HOSTILE}
    words = beside(prediction_table(nearest_five(inputs), "lc"), said)
    assert words.find("M1 1st", "anger").paper == ""  # the same word
    assert words.find("M1 2nd", "anger").paper == HOSTILE


def test_reported_values_are_whole_and_add_up() -> None:
    reported = read_reported(PAPER / "reported.csv")
    counts = {key[1]: int(value) for key, value in reported.items() if key[0] == "corpus"}
    classes = ["anger", "happiness with excitement", "sadness", "neutral"]
    assert sum(counts[name] for name in classes) == counts["in four classes"] == 5531
    assert sum(counts[f"in four classes, session {k}"] for k in range(1, 6)) == 5531
    by_table = pd.Series([key[0] for key in reported]).value_counts()
    assert by_table.loc[["1", "3", "4", "5", "6"]].to_list() == [20, 9, 20, 60, 12]
    # the examples of Table 4 are those of the configuration
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    examples = config["datasets"]["iemocap"]["settings"]["table4_examples"]
    rows = dict.fromkeys(key[1] for key in reported if key[0] == "4")
    assert [f"{name} {', '.join(words)}" for name, *words in examples] == list(rows)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,M1,LC UA,0.6,t", "line 3: 1 M1 LC UA stands there twice"),
        ("1,M1,LC WA,0.6,", "line 3: 1 M1 LC WA has no source"),
        ("1,M1,LC WA,61%,t", "line 3: 1 M1 LC WA: '61%' is no number"),
        ("1,M1,CE UA,0.6,t", "line 3: 1 M1 CE UA: the paper has no such table, row and column"),
        ("5,M1 1st,angre,rage,t", "no such table, row and column"),
        ("4,S4 joy,1st,joy,t", "no such table, row and column"),
        ("text s,S2,hours,12,t", "no such table, row and column"),
    ],
)
def test_bad_rows_of_reported_values(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "reported.csv"
    path.write_text(f"table,row,column,value,source\n1,M1,LC UA,0.62,t\n{row}\n")
    with pytest.raises(InputError, match=re.escape(message)):
        read_reported(path)


def test_literature_is_cited_and_says_where_it_is_from() -> None:
    works = pd.read_csv(PAPER / "literature.csv")
    keys = re.findall(r"@\w+\{([^,]+),", (PAPER / "refs.bib").read_text(encoding="utf-8"))
    assert len(keys) == len(set(keys))
    assert set(works["key"]) <= set(keys)
    assert works["source"].notna().all()
    papers = works[works["listed_by"] == "paper"]
    assert list(papers["UA"]) == sorted(papers["UA"])  # the paper's order, ours goes among them
    assert len(papers) == 5


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")
@pytest.mark.parametrize(("folder", "kind"), [("rated", "iemocap"), ("plain", "demo")])
def test_the_document_compiles(inputs: Path, folder: str, kind: str) -> None:
    if folder == "rated":
        write_intervals(inputs / folder)
    for number in range(1, 7):
        make(inputs / folder, number, "iemocap", kind)
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
