"""The whole workflow, once, on a cut-down demo, in a copy of the repository."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.spatial.distance import cosine
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from emoword.io.files import read_json
from emoword.layout import read_variant
from emoword.spaces.word_space import WordSpace

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.workflow

# 60 utterances, one loss, a network of a few thousand weights, two epochs: it learns nothing, but
# the road is whole.
CUT = {
    "comparisons": {
        "controls": ["paper", "shuffled"],
        "sensitivity": ["paper", "whole_comments", "argmin"],
        "rates": ["rate_0.002"],  # the rate that is trained anyway
    },
    "datasets": {
        "demo": {
            "utterances": 60,
            "settings": {
                "losses": ["lc"],
                "network": {"channels": [8, 8, 8], "lstm": 4, "hidden": [16]},
                "training": {"epochs": 2, "batch_size": 16},
            },
        }
    },
}


class Clone:
    """A copy of the repository in which Snakemake can be run and code be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", "workflow", "paper", "envs"):
            ignore = shutil.ignore_patterns("__pycache__", "build")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in ("Snakefile", "config.yaml", "CITATION.cff"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "cut.yaml").write_text(yaml.safe_dump(CUT))

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
        }
        command = ["snakemake", "--configfile", "cut.yaml", "--cores", "2", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said[-4000:]
        return said

    def planned(self, *arguments: str) -> set[str]:
        """The rules that a dry run would run."""
        said = self.snakemake("-n", *arguments)
        if "Nothing to be done" in said:
            return set()
        table = said[said.index("Job stats:") :].splitlines()[3:]
        return {line.split()[0] for line in table[: table.index("")]} - {"all", "total"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    # a name that only survives where each rule quotes what it hands to the shell
    made = Clone(tmp_path_factory.mktemp("clone") / 'o\'b $x; "y" touch z')
    said = made.snakemake()
    assert " claims: " in said
    assert "say nothing about the paper" in said
    return made


@pytest.fixture(scope="module")
def demo(clone: Clone) -> Path:
    return clone.folder / "results" / "demo"


def one(folder: Path, pattern: str) -> Path:
    """The only path that matches."""
    (found,) = folder.glob(pattern)
    return found


def decisions(demo: Path, model: str) -> pd.DataFrame:
    table = pd.read_csv(demo / "decisions" / "paper.csv")
    return table[table["model"] == model]


def test_every_table_and_figure_is_there(demo: Path) -> None:
    for n in range(1, 7):
        assert (demo / f"tables/table{n}.csv").stat().st_size > 0
        assert "\\begin{table" in (demo / f"tables/table{n}.tex").read_text()
    for figure in ("network", "map", "neighbours", "confusion", "curves", "claims", "targets"):
        assert (demo / f"figures/{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert (demo / f"figures/{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_table_1_is_what_the_decisions_say(demo: Path) -> None:
    table = pd.read_csv(demo / "tables/table1.csv").set_index("model").astype(str)
    for model, column in (("M1", "LC"), ("M2", "LC"), ("M3", "LC"), ("baseline", "CE")):
        by_fold = [f for _, f in decisions(demo, model).groupby("fold")]
        ua = np.mean([balanced_accuracy_score(f["true"], f["predicted"]) for f in by_fold])
        wa = np.mean([(f["true"] == f["predicted"]).mean() for f in by_fold])
        assert float(table[f"{column} UA"][model]) == pytest.approx(ua)
        assert float(table[f"{column} WA"][model]) == pytest.approx(wa)


def test_every_claim_has_a_verdict_that_says_nothing_about_the_paper(demo: Path) -> None:
    claims = pd.read_csv(demo / "claims.csv").set_index("claim")
    assert len(claims) == 29
    assert set(claims["about_the_paper"]) == {"no"}
    # M1 mse and the like were not trained in the cut
    assert claims["verdict"]["beats_baseline"] == "not evaluated"
    assert claims["verdict"]["s2_s3_need_raters"] == "not judged: one seed"
    assert claims["verdict"]["learns_the_space"] == "not judged: one seed"
    assert claims["verdict"]["targets_of_s2"] == "not evaluated"  # the paper counts IEMOCAP
    parts = pd.read_csv(demo / "claim_parts.csv")
    metrics = pd.read_csv(demo / "metrics.csv")
    overall = metrics[(metrics["fold"] == "mean") & (metrics["metric"] == "cosine")]
    value = overall.set_index(["model", "measured_on"])["value"]
    row = parts[(parts["claim"] == "m3_is_best_on_s2_and_s3") & (parts["what"] == "M3 LC - M2 LC")]
    row = row[row["measure"] == "S2 cosine"]
    assert row["value"].item() == pytest.approx(value["M3", "S2"] - value["M2", "S2"])
    assert "say nothing about the paper" in (demo / "claims.html").read_text()
    versus = pd.read_csv(demo / "versus_paper.csv")
    assert versus.empty  # this is not the paper's corpus


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")
def test_the_report_is_the_same_twice(clone: Clone, demo: Path) -> None:
    report = ("--cores", "2", "results/demo/paper.pdf")
    clone.snakemake(*report)
    first = (demo / "paper.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    clone.snakemake("--forcerun", "paper_numbers", "paper", *report)
    assert (demo / "paper.pdf").read_bytes() == first
    assert clone.planned() == set()


def test_a_decision_is_what_the_prediction_says(demo: Path) -> None:
    space = WordSpace.open(demo.parent / "spaces" / "embedded")
    classes = ["anger", "happiness", "sadness", "neutral"]
    run = one(demo, "runs/S3-lc-*/fold2-seed0")
    split = pd.read_csv(run / "split.csv")
    test = list(split["utterance"][split["part"] == "test"])
    predictions = np.load(run / "predictions.npy").astype(np.float64)
    rows = decisions(demo, "M3")
    rows = rows[rows["fold"] == 2].set_index("utterance")
    s3 = pd.read_csv(one(demo, "targets/S3-*/words.csv"))
    for name, vector in zip(test, predictions, strict=True):
        similar = [1 - cosine(vector, space.vectors_of([c])[0]) for c in classes]
        assert rows.loc[name, "predicted"] == classes[int(np.argmax(similar))]
        own = s3[s3["utterance"] == name]
        words = space.vectors_of(list(own["word"])).astype(np.float64)
        target = np.average(words, axis=0, weights=own["count"])
        assert rows.loc[name, "cosine_S3"] == pytest.approx(1 - cosine(vector, target), abs=1e-6)


def test_every_utterance_is_tested_once(demo: Path) -> None:
    utterances = pd.read_csv(demo / "utterances.csv").set_index("utterance")
    truth = pd.read_csv(one(demo, "targets/S1-*/words.csv"))
    for model in ("M1", "M2", "M3", "baseline"):
        rows = decisions(demo, model)
        assert sorted(rows["utterance"]) == sorted(truth["utterance"])
        assert (rows["fold"].to_numpy() == utterances.loc[rows["utterance"], "fold"]).all()


def test_targets_are_what_the_files_of_the_corpus_say(demo: Path) -> None:
    """Follow one utterance from the raters' lines to its target, by hand."""
    annotations = pd.read_csv(demo / "annotations.csv", keep_default_na=False)
    s2 = pd.read_csv(one(demo, "targets/S2-*/words.csv"))
    nouns = {"excited": "excitement"}
    for name in s2["utterance"].unique()[:10]:
        counted: dict[str, int] = {}
        own = annotations[annotations["utterance"] == name]
        for row in own[own["kind"] == "label"].itertuples():
            line = (demo.parent.parent / row.file).read_text("latin-1").splitlines()[row.line - 1]
            assert row.text in line
            word = nouns.get(row.text.lower(), row.text.lower())
            if row.role == "observer" and word != "other":
                counted[word] = counted.get(word, 0) + 1
        target = s2[s2["utterance"] == name]
        assert dict(zip(target["word"], target["count"], strict=True)) == counted


def test_the_page_is_there_and_complete(demo: Path) -> None:
    text = (demo / "report/index.html").read_text(encoding="utf-8")
    assert "They say nothing about the paper" in text
    links = re.findall(r'(?:src|href)="([^#"][^"]*)"', text)
    beside = [link for link in links if ":" not in link]
    assert beside
    assert all((demo / "report" / link).is_file() for link in beside)


def test_the_confusion_figure_shows_the_decisions(demo: Path) -> None:
    with (demo / "figures/confusion.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "baseline"]
    labels = sorted({row["true"] for row in rows})
    shown = np.zeros((4, 4), dtype=int)
    for row in rows:
        shown[labels.index(row["true"]), labels.index(row["predicted"])] += int(row["count"])
    own = decisions(demo, "baseline")
    wanted = confusion_matrix(own["true"], own["predicted"], labels=labels)
    np.testing.assert_array_equal(shown, wanted)


def test_a_second_call_does_nothing(clone: Clone) -> None:
    assert clone.planned() == set()


def test_a_leak_stops_the_evaluation(clone: Clone, demo: Path) -> None:
    split = one(demo, "runs/S1-lc-*/fold1-seed0/split.csv")
    decisions = demo / "decisions/paper.csv"
    before = {path: (path.read_bytes(), path.stat()) for path in (split, decisions)}
    split.write_text(split.read_text().replace(",validation", ",train", 1))
    try:
        wanted = str(decisions.relative_to(clone.folder))
        said = clone.snakemake("--show-failed-logs", wanted, fails=True)
        assert f"LEAK: {split.parent.relative_to(clone.folder)}" in said
        assert not (demo / "leaks/paper.json").exists()
    finally:
        for path, (content, stat) in before.items():
            path.write_bytes(content)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_an_edit_runs_what_depends_on_it_and_nothing_else(clone: Clone) -> None:
    """Modules that stand late on the road, and one that stands early."""
    late = {"versus_paper", "claims", "figure"}  # the figure of the claims
    numbers = {"evaluate", "intervals", "table"} | late  # intervals are of evaluate's metrics
    everything = {"check_leaks", "decide", "linear", "floors", "neighbours"} | numbers
    for module, rules in (
        ("page/build", set()),
        ("figures/style", {"figure"}),
        ("evaluation/evaluate", numbers),
        ("spaces/writer", {"space", "encode", "label_set", "train"} | everything),
        ("training/split", {"train"} | everything),
    ):
        path = clone.folder / "src/emoword" / f"{module}.py"
        before = path.read_text()
        path.write_text(before + "\nEDITED = True\n")
        assert clone.planned() - {"tables_document", "report_page"} == rules, module
        path.write_text(before)
    assert clone.planned() == set()


def test_one_core_gives_the_same_bytes(clone: Clone, demo: Path) -> None:
    """Two folds of two models, trained again with --cores 1."""
    runs = [
        one(demo, f"runs/{kind}-*") / f"fold{fold}-seed0"
        for kind in ("S3-lc", "S1-ce")
        for fold in (1, 2)
    ]
    names = ("predictions.npy", "weights.safetensors", "history.csv", "split.csv", "run.json")
    before = {run / name: (run / name).read_bytes() for run in runs for name in names}
    tables = {path: path.read_bytes() for path in (demo / "tables").glob("table*")}
    for path in before:
        path.unlink()
    clone.snakemake("--cores", "1", *(str(path.relative_to(clone.folder)) for path in before))
    clone.snakemake("--cores", "1", "--forcerun", "decide", "evaluate")
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.read_bytes() for path in tables} == tables


def test_the_report_holds_tables_and_figures(clone: Clone) -> None:
    clone.snakemake("--report", "report.zip")
    report = clone.folder / "report.zip"
    listing = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(report)], capture_output=True, text=True
    ).stdout
    assert listing.count(".png") == 7
    assert listing.count("table") >= 6
    assert clone.planned() == set()


def test_the_audit_verifies_where_it_lies_and_elsewhere(
    clone: Clone, demo: Path, tmp_path: Path
) -> None:
    """Every job has a record, and everything but trainings comes out the same when run again."""
    clone.snakemake("audit")
    shutil.copy(demo / "audit.zip", tmp_path)
    for folder, what in ((clone.folder, "results/demo"), (tmp_path, "audit.zip")):
        done = subprocess.run(
            [sys.executable, "-m", "emoword", "verify", what],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Nothing is wrong" in done.stdout
        assert "recomputed" in done.stdout
        assert "files: trainings" in done.stdout


def test_lint_is_clean(clone: Clone) -> None:
    assert "Congratulations" in clone.snakemake("--lint")


def test_results_that_cannot_be_written_are_said_in_words(clone: Clone, tmp_path: Path) -> None:
    blocked = tmp_path / "results"
    blocked.write_text("a file where the folder should be")
    command = [sys.executable, "-m", "emoword", "evaluate"]
    command += [str(clone.folder / "results/demo/decisions/paper.csv")]
    done = subprocess.run(
        [*command, "--out", str(blocked / "metrics.csv")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot write here" in done.stderr


def test_the_tutorial_runs(clone: Clone, demo: Path) -> None:
    """Its cells one after another, on these results."""
    cells = json.loads((ROOT / "docs/tutorial.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=clone.folder,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "the raters' majority" in done.stdout
    assert "similarity with relief" in done.stdout


# last, as pages and reports show from then on what was made here
def test_controls_and_sensitivity(clone: Clone, demo: Path) -> None:
    clone.snakemake("controls", "sensitivity")
    table = pd.read_csv(demo / "tables/tableA2.csv")
    assert set(table["variant"]) == {"paper", "shuffled", "best_rate"}
    assert {"majority", "mean of S1", "mean of S2", "mean of S3"} < set(table["model"])
    shuffled = WordSpace.open(demo / "spaces/embedded-shuffled")
    plain = WordSpace.open(demo.parent / "spaces/embedded")
    assert (shuffled.vectors_of(["anger"]) != plain.vectors_of(["anger"])).any()
    rows = pd.read_csv(demo / "comparisons/sensitivity/sensitivity.csv")
    changes = rows.set_index(["variant", "model", "metric"])["difference"]
    for model in ("M1", "M2", "baseline"):  # no comment is read for them
        assert changes["whole_comments", model, "UA"] == 0
    assert changes["argmin", "baseline", "UA"] == 0
    readings = pd.read_csv(demo / "comparisons/sensitivity/readings.csv")
    usual = ["left out", "left out", "apart", "count", "both", "part by part", "pyspellchecker"]
    own = readings[(readings.iloc[:, :7] == usual).all(axis=1)].set_index("counted")
    place = read_variant(demo / "variants/paper.json")
    for name in ("S2", "S3"):  # the default's counts are those of the label sets
        folder = place.targets(name)
        assert read_json(folder / "summary.json")["distinct_targets"] == own[name]["mixtures"]
    models = {path.name for path in (demo / "runs").iterdir()}
    assert len([name for name in models if name.startswith("S1-lc")]) == 2  # argmin shares
    assert clone.planned("controls", "sensitivity") == set()
