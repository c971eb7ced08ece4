"""Records, verify, trace and the archive, on a small workflow's results made by the real stages."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from auditing import REPOSITORY, D, make_results, stage
from emoword.audit import recording
from emoword.audit.records import ledger, read_logs
from emoword.audit.verify import close
from emoword.cli import main
from emoword.io.errors import InputError
from emoword.io.html import render_page
from emoword.tables.latex import render as render_latex

RUN = f"{D}/runs/paper/S1-lc/fold2-seed0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The root of a workflow that ran, and its corpus."""
    root = tmp_path_factory.mktemp("workflow")
    corpus = tmp_path_factory.mktemp("outside") / "corpus"
    make_results(root, corpus)
    return root, corpus


@pytest.fixture
def root(made: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the results, with their times, to do mischief in."""
    shutil.copytree(made[0], tmp_path / "copy", copy_function=shutil.copy2)
    time.sleep(0.01)
    return tmp_path / "copy"


Verify = Callable[..., tuple[int, str]]
Render = Callable[[Path, dict[str, object]], str]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Run ``emoword verify``: its status and what it says."""

    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        status = 0
        try:
            main(["verify", *map(str, arguments)])
        except SystemExit as left:
            if isinstance(left.code, str):
                return 1, left.code
            status = int(left.code or 0)
        return status, capsys.readouterr().out

    return run


def blamed(said: str) -> set[str]:
    """The files that verify names as differing."""
    return set(re.findall(r"^DIFFERS     (\S+?):? ", said, flags=re.MULTILINE))


def change_line(path: Path, number: int, column: str, value: str) -> str:
    """Change a cell of a CSV, in place; returns what stood there."""
    lines = path.read_text().split("\n")
    place = lines[0].split(",").index(column)
    cells = lines[number - 1].split(",")
    before, cells[place] = cells[place], value
    assert before != value
    lines[number - 1] = ",".join(cells)
    path.write_text("\n".join(lines))
    return before


# ------------------------------------------------------------------------------------- records


def test_a_record_says_what_was_read_and_written(made: tuple[Path, Path]) -> None:
    root, corpus = made
    record = json.loads((root / D / "logs/targets/paper.log.json").read_text())
    inputs = {entry["path"]: entry for entry in record["inputs"]}
    space = {f"results/spaces/embedded/{n}" for n in ("meta.json", "vectors.npy", "words.txt")}
    space |= {f"results/spaces/embedded/{n}" for n in ("offsets.npy", "order.npy")}
    assert set(inputs) == {f"{D}/utterances.csv", f"{D}/annotations.csv", *space}
    names = ("S1.csv", "S2.csv", "S3.csv", "dropped.csv", "classes.json", "summary.json")
    assert {e["path"] for e in record["outputs"]} == {f"{D}/targets/paper/{n}" for n in names}
    for entry in [*record["inputs"], *record["outputs"]]:
        content = (root / entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
    assert record["begun"] <= record["ended"]
    assert record["command"][:2] == ["emoword", "targets"]
    assert "--record" not in record["command"]
    # libsndfile opens audio unseen by Python, and yet
    heard = json.loads((root / D / "logs/features/logmel.log.json").read_text())["inputs"]
    wavs = {str(path) for path in corpus.rglob("*.wav")}
    taken = pd.read_csv(root / D / "features/logmel/index.csv")["utterance"]
    heard_wavs = {entry["path"] for entry in heard if entry["path"].endswith(".wav")}
    assert heard_wavs == {path for path in wavs if Path(path).stem in set(taken)}
    # and the reader of the corpus asks whether all of them are there
    read = json.loads((root / D / "logs/read_iemocap.log.json").read_text())
    assert set(read["looked_for"]) == wavs
    trained = json.loads((root / D / "logs/runs/paper/S1-lc/fold2-seed0.log.json").read_text())
    assert trained["seed"] == 0
    assert {"torch", "numpy"} <= set(trained["packages"])
    assert {e["path"] for e in trained["outputs"]} == {
        f"{RUN}/{n}"
        for n in ("weights.safetensors", "history.csv", "split.csv", "predictions.npy", "run.json")
    }


def test_a_record_tells_nothing_of_the_user(made: tuple[Path, Path]) -> None:
    names = [os.uname().nodename]
    for path in (made[0] / D / "logs").rglob("*.json"):
        text = path.read_text()
        assert not [name for name in names if f'"{name}"' in text]
        assert "PATH" not in text
        assert ".py" not in text.replace(".pyth", "")


def test_a_run_says_nothing_of_its_record(made: tuple[Path, Path]) -> None:
    assert "record" not in json.loads((made[0] / RUN / "run.json").read_text())["settings"]


def test_a_large_input_is_not_hashed_again_and_known_by_its_maker(
    made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "HASHED_UP_TO", 1000)
    shutil.copytree(made[0], tmp_path / "w", copy_function=shutil.copy2)
    with chdir(tmp_path / "w"):
        stage(
            f"evaluate --decisions {D}/decisions/paper.csv --out {D}/metrics.csv",
            f"{D}/logs/evaluate",
        )
        record = json.loads(Path(f"{D}/logs/evaluate.log.json").read_text())
        assert "sha256" not in record["inputs"][0]
        jobs = ledger(Path.cwd(), read_logs(Path(D)))
        digest = hashlib.sha256(Path(f"{D}/decisions/paper.csv").read_bytes()).hexdigest()
        name = f"{D}/logs/evaluate.log.json"
        assert jobs.jobs[name].inputs[f"{D}/decisions/paper.csv"] == digest
        # touched in between: it may be another file, and nothing is claimed
        record["inputs"][0]["mtime_ns"] += 1
        Path(name).write_text(json.dumps(record))
        jobs = ledger(Path.cwd(), read_logs(Path(D)))
        assert jobs.jobs[name].inputs[f"{D}/decisions/paper.csv"] == ""


def test_every_rule_leaves_a_record() -> None:
    """A rule that runs a stage without --record would be missing in every audit."""
    for path in (REPOSITORY / "workflow" / "rules").glob("*.smk"):
        for shell in re.findall(r"shell:\n((?:\s+\"[^\n]*\n)+)", path.read_text()):
            stages = re.findall(r"emoword ([\w-]+)", shell)
            # a download has no inputs; the page stays out of the archive: it holds raters' words
            if stages and stages[0] not in ("provenance", "archive", "page", "fetch"):
                assert "--record {log}.json" in shell, f"{path.name}: emoword {stages[0]}"


# -------------------------------------------------------------------------------------- verify


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [("0.30000000000000004", "0.3", True), ("0.31", "0.3", False), ("0.3", "anger", False)],
)
def test_tables_are_close_but_for_the_rounding_of_numbers(a: str, b: str, wanted: bool) -> None:
    assert close(f"x,{a}\n", f"x,{b}\n") == close(f"x,{b}\n", f"x,{a}\n") == wanted


@pytest.mark.parametrize("render", [render_latex, render_page])
def test_a_template_of_an_archive_runs_no_code(render: Render, tmp_path: Path) -> None:
    """Verify runs the templates that an archive brings along."""
    hostile = tmp_path / "hostile.j2"
    reach = "cycler.__init__.__globals__.os.system('touch hacked')"
    hostile.write_text(f"\\VAR{{{reach}}}" if render is render_latex else f"{{{{ {reach} }}}}")
    with pytest.raises(InputError, match=r"hostile\.j2"):
        render(hostile, {})


def test_nothing_differs_where_nothing_was_touched(root: Path, verify: Verify) -> None:
    status, said = verify(root / D)
    assert (status, blamed(said)) == (0, set()), said
    assert "12 jobs: " in said  # read-iemocap, targets, decide, neighbours, evaluate, 6 tables, ...
    assert "features, 10 x train" in said or "10 x train" in said


def in_table(root: Path) -> set[str]:
    change_line(root / D / "tables/table1.csv", 2, "LC UA", "0.95")
    return {f"{D}/tables/table1.csv"}


def in_metrics(root: Path) -> set[str]:
    change_line(root / D / "metrics.csv", 2, "value", "0.99")
    return {f"{D}/metrics.csv"}


def no_row(root: Path) -> set[str]:
    path = root / D / "metrics.csv"
    lines = path.read_text().split("\n")
    path.write_text("\n".join(lines[:3] + lines[4:]))
    return {f"{D}/metrics.csv"}


def in_predictions(root: Path) -> set[str]:
    path = root / RUN / "predictions.npy"
    predictions = np.load(path)
    predictions[0] = -predictions[0]
    np.save(path, predictions)
    return {f"{RUN}/predictions.npy"}


def first_annotation(root: Path, kind: str) -> int:
    rows = pd.read_csv(root / D / "annotations.csv", dtype=str)
    return int(rows.index[(rows["kind"] == kind) & (rows["text"] != "Sadness")][0]) + 2


def label(root: Path) -> set[str]:
    line = first_annotation(root, "label")
    change_line(root / D / "annotations.csv", line, "text", "Sadness")
    return {f"{D}/annotations.csv"}


def comment(root: Path) -> set[str]:
    line = first_annotation(root, "comment")
    change_line(root / D / "annotations.csv", line, "text", "joyful")
    return {f"{D}/annotations.csv"}


def weight(root: Path) -> set[str]:
    path = root / RUN / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return {f"{RUN}/weights.safetensors"}


def setting(root: Path) -> set[str]:
    path = root / D / "config.json"
    path.write_text(path.read_text().replace('"epochs": 2', '"epochs": 100'))
    return {f"{D}/config.json"}


def setting_of_run(root: Path) -> set[str]:
    path = root / RUN / "run.json"
    path.write_text(path.read_text().replace('"patience": 20', '"patience": 10'))
    return {f"{RUN}/run.json"}


def swapped_runs(root: Path) -> set[str]:
    here, there = root / RUN, root / RUN.replace("fold2", "fold3")
    here.rename(root / "aside")
    there.rename(here)
    (root / "aside").rename(there)
    return {RUN, RUN.replace("fold2", "fold3")}


def other_fold(root: Path) -> set[str]:
    before = change_line(root / D / "utterances.csv", 2, "fold", "4")
    assert before == "1"
    return {f"{D}/utterances.csv"}


def in_decisions(root: Path) -> set[str]:
    path = root / D / "decisions/paper.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    line = int(rows.index[rows["predicted"] != "anger"][0]) + 2
    change_line(path, line, "predicted", "anger")
    return {f"{D}/decisions/paper.csv"}


def in_figure(root: Path) -> set[str]:
    path = root / D / "figures/confusion.csv"
    column = pd.read_csv(path).columns[-1]
    change_line(path, 2, column, "77")
    return {f"{D}/figures/confusion.csv"}


def gone(root: Path) -> set[str]:
    (root / D / "targets/paper/S2.csv").unlink()
    return {f"{D}/targets/paper/S2.csv"}


SAYS: dict[Callable[[Path], set[str]], list[str]] = {
    in_table: ["line 2, LC UA: '0.95'; made anew", "no other file was made from it"],
    in_metrics: ["line 2, value: '0.99'; made anew", "tables/table1.csv"],
    no_row: ["taken away: 'paper,"],
    in_predictions: ["Table 1 M1: LC UA, LC WA; Table 2", "decisions/paper.csv"],
    label: ["text: 'Sadness'; made anew", "targets/paper/"],
    comment: ["text: 'joyful'; made anew"],
    weight: ["changed 20", "; the job that wrote it ended 20"],
    setting: ["training.epochs: 100, recorded 2"],
    setting_of_run: ["Table 1 M1: LC UA"],
    swapped_runs: ["holds what is recorded as", "swapped?"],
    other_fold: ["line 2, fold: '4'; made anew '1'"],
    in_decisions: ["predicted: 'anger'; made anew"],
    in_figure: ["'77'; made anew"],
    gone: ["is missing"],
}


@pytest.mark.parametrize(
    "frauds",
    [  # two or more at a time, which saves half a minute: exactly these are to be named
        [in_table, weight, setting, in_figure],
        [in_metrics, comment, in_decisions],
        [no_row, label],
        [in_predictions, gone],
        [swapped_runs, other_fold],
        [setting_of_run],
    ],
    ids=lambda frauds: "+".join(fraud.__name__ for fraud in frauds),
)
def test_frauds_are_named_and_nothing_else(
    frauds: list[Callable[[Path], set[str]]], root: Path, verify: Verify
) -> None:
    guilty = set[str]().union(*(fraud(root) for fraud in frauds))
    status, said = verify(root / D)
    assert status == 1
    assert blamed(said) == guilty, said
    for fraud in frauds:
        for text in SAYS[fraud]:
            assert text in said


def test_a_line_of_a_rater_in_the_corpus_itself(
    root: Path, made: tuple[Path, Path], tmp_path: Path, verify: Verify
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(made[1], corpus, copy_function=shutil.copy2)
    assert verify(root / D, "--corpus", corpus)[0] == 0
    path = sorted(corpus.glob("Session1/dialog/EmoEvaluation/Ses*.txt"))[0]
    content = path.read_bytes()
    path.write_bytes(re.sub(rb"(C-E\d:\t)\w+;", rb"\1Surprise;", content, count=1))
    assert path.read_bytes() != content
    status, said = verify(root / D, "--corpus", corpus)
    assert status == 1
    assert {Path(name).name for name in blamed(said)} == {path.name}


def test_own_recordings_are_read_again_without_their_audio(tmp_path: Path, verify: Verify) -> None:
    data, results = tmp_path / "data/mine", "results/mine"
    data.mkdir(parents=True)
    rows = ["wav,speaker,label"]
    for speaker in range(5):
        for name in ("anger", "fear"):
            wav = f"{speaker}-{name}.wav"
            noise = np.random.default_rng(speaker).normal(size=8000) / 10
            soundfile.write(data / wav, noise, 16000)
            rows.append(f"{wav},{speaker},{name}")
    (data / "recordings.csv").write_text("\n".join(rows) + "\n")
    with chdir(tmp_path):
        stage(
            f"read-recordings --table data/mine/recordings.csv --folds 5 --utterances "
            f"{results}/utterances.csv --annotations {results}/annotations.csv "
            f"--report {results}/corpus.json",
            f"{results}/logs/read_recordings",
        )
        stage(
            f"features --utterances {results}/utterances.csv --upstream logmel "
            f"--out {results}/features/logmel",
            f"{results}/logs/features/logmel",
        )
    for audio in data.glob("*.wav"):
        audio.unlink()
    status, said = verify(tmp_path / results)
    assert status == 0, said
    assert "made again  1 jobs: read-recordings" in said
    change_line(data / "recordings.csv", 2, "label", "fear")
    status, said = verify(tmp_path / results)
    assert status == 1
    assert blamed(said) == {"data/mine/recordings.csv"}


def amend(root: Path, log: str, path: str, side: str) -> None:
    """Write a file's present sha256 into a record, as if it had always been so."""
    record_path = root / D / "logs" / f"{log}.log.json"
    record = json.loads(record_path.read_text())
    entry = next(e for e in record[side] if e["path"] == path)
    entry["sha256"] = hashlib.sha256((root / path).read_bytes()).hexdigest()
    entry["mtime_ns"] = (root / path).stat().st_mtime_ns
    record_path.write_text(json.dumps(record))


def test_an_edit_whose_record_was_edited_too_is_not_what_the_command_gives(
    root: Path, verify: Verify
) -> None:
    (root / D / "provenance.json").unlink()
    in_metrics(root)
    amend(root, "evaluate", f"{D}/metrics.csv", "outputs")
    status, said = verify(root / D)
    assert status == 1
    assert blamed(said) == {f"{D}/metrics.csv"}
    assert "line 2, value: '0.99'; made anew" in said


def test_predictions_whose_record_was_edited_too_are_not_what_others_read(
    root: Path, verify: Verify
) -> None:
    (root / D / "provenance.json").unlink()
    in_predictions(root)
    amend(root, "runs/paper/S1-lc/fold2-seed0", f"{RUN}/predictions.npy", "outputs")
    status, said = verify(root / D)
    assert status == 1
    assert blamed(said) == {f"{RUN}/predictions.npy"}
    assert "not what others read" in said
    # and if these records were edited, too, what they wrote is not what comes out
    for log in ("decisions/paper", "neighbours/paper"):
        amend(root, log, f"{RUN}/predictions.npy", "inputs")
    status, said = verify(root / D)
    assert status == 1
    assert f"{D}/decisions/paper.csv" in blamed(said)


def test_an_edited_record_is_not_the_one_in_provenance(root: Path, verify: Verify) -> None:
    in_metrics(root)
    amend(root, "evaluate", f"{D}/metrics.csv", "outputs")
    status, said = verify(root / D, "--quick")
    assert status == 1
    # the tables' records still say what they read: metrics.csv as it was
    assert blamed(said) == {f"{D}/logs/evaluate.log.json", f"{D}/metrics.csv"}


def test_a_command_that_leads_elsewhere_is_not_run(root: Path, verify: Verify) -> None:
    (root / D / "provenance.json").unlink()
    path = root / D / "logs/tables/table1.log.json"
    for place in (root / "elsewhere.csv", Path("../../../../elsewhere.csv")):
        record = json.loads(path.read_text())
        record["command"][record["command"].index("--csv") + 1] = str(place)
        path.write_text(json.dumps(record))
        _, said = verify(root / D)
        assert "its command leads out of the folder" in said
    assert not list(root.parent.rglob("elsewhere.csv"))


def test_results_without_records_say_so(tmp_path: Path, verify: Verify) -> None:
    (tmp_path / "results" / "old").mkdir(parents=True)
    assert "left no records" in verify(tmp_path / "results" / "old")[1]
    assert "no folder of results" in verify(tmp_path)[1]


# --------------------------------------------------------------------------------------- trace


Trace = Callable[..., str]


@pytest.fixture
def trace(capsys: pytest.CaptureFixture[str]) -> Trace:
    def run(*arguments: object) -> str:
        capsys.readouterr()
        main(["trace", *map(str, arguments)])
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        (1, "M1", "LC UA"),
        (2, "Baseline CE (here)", "WA"),
        (3, "M1", "S2"),
        (4, "S1 neutral", "2nd"),
        (5, "M1 3rd", "anger"),
        (6, "M1", "S3 l1"),
    ],
)
def test_the_chain_behind_a_cell_of_each_table(
    table: int, row: str, column: str, root: Path, trace: Trace
) -> None:
    said = trace(root / D / f"tables/table{table}.csv", row, column)
    assert "they agree." in said
    assert "DIFFERS" not in said
    assert "emoword table" in said
    if table != 4:
        digest = hashlib.sha256(
            (root / D / "runs/paper/S1-lc/fold1-seed0" / "weights.safetensors").read_bytes()
        ).hexdigest()
        assert (digest[:16] in said) == (table != 2)  # the baseline has other weights


def test_trace_says_where_the_chain_breaks(root: Path, trace: Trace) -> None:
    in_predictions(root)
    with pytest.raises(SystemExit) as stopped:
        trace(root / D / "tables/table3.csv", "M1", "S1")
    assert stopped.value.code == 1


def test_an_utterance_down_to_the_lines_of_its_raters(root: Path, trace: Trace) -> None:
    name = pd.read_csv(root / RUN / "split.csv").query("part == 'test'")["utterance"].iloc[0]
    said = trace(root / D / "tables/table1.csv", "M1", "LC UA", "--utterance", name)
    rows = pd.read_csv(root / D / "annotations.csv", dtype=str, keep_default_na=False)
    own = rows[rows["utterance"] == name]
    assert len(own) > 2
    for row in own.to_dict("records"):
        assert f"{row['file']}:{row['line']}" in said
        line = Path(row["file"]).read_bytes().decode("latin-1").splitlines()[int(row["line"]) - 1]
        assert line.strip()
    predictions = np.load(root / RUN / "predictions.npy")
    vectors = np.load(root / "results/spaces/embedded/vectors.npy").astype(float)
    words = (root / "results/spaces/embedded/words.txt").read_text().split("\n")
    nearest = (vectors @ predictions[0]) / np.linalg.norm(vectors, axis=1)
    assert f"nearest words: {words[int(nearest.argmax())]} " in said


def test_any_other_table_is_traced_by_its_line(root: Path, trace: Trace) -> None:
    column = pd.read_csv(root / D / "figures/confusion.csv").columns[-1]
    said = trace(root / D / "figures/confusion.csv", "2", column)
    assert "they agree." in said
    assert "emoword decide" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tables/table1.csv", "M9", "LC UA"), "no row 'M9'; there are: M1, M2"),
        (("tables/table1.csv", "M1", "UA"), "no column 'UA'; there are: MSE UA"),
        (("tables/table1.csv", "M1", "LC UA", "--utterance", "Ses01X"), "no utterance 'Ses01X'"),
        (("annotations.csv", "x", "text"), "no line begin with 'x'"),
    ],
)
def test_trace_says_what_there_is(
    arguments: tuple[str, ...], says: str, root: Path, fails: Callable[..., str]
) -> None:
    assert says in fails("trace", root / D / arguments[0], *arguments[1:])


# ------------------------------------------------------------------------------------- archive


def archive(root: Path, *options: str) -> Path:
    with chdir(root):
        shutil.copy(REPOSITORY / "Snakefile", root / "Snakefile")
        main(["archive", D, "--workflow", "Snakefile", "--out", f"{D}/audit.zip", *options])
    return root / D / "audit.zip"


def test_the_archive_verifies_elsewhere_and_is_the_same_twice(
    root: Path, tmp_path: Path, verify: Verify, trace: Trace
) -> None:
    first = archive(root).read_bytes()
    os.utime(root / D / "metrics.csv")
    assert archive(root).read_bytes() == first
    elsewhere = tmp_path / "elsewhere" / "audit.zip"
    elsewhere.parent.mkdir()
    (root / D / "audit.zip").rename(elsewhere)
    shutil.rmtree(root)
    status, said = verify(elsewhere)
    assert (status, blamed(said)) == (0, set()), said
    with zipfile.ZipFile(elsewhere) as opened:
        names = opened.namelist()
        opened.extractall(tmp_path / "unpacked")
    assert not [name for name in names if name.endswith((".wav", "frames.npy", ".safetensors"))]
    assert "they agree" in trace(tmp_path / "unpacked" / D / "tables/table1.csv", "M1", "LC UA")
    change_line(tmp_path / "unpacked" / D / "metrics.csv", 2, "value", "0.99")
    status, said = verify(tmp_path / "unpacked" / D)
    assert status == 1
    assert blamed(said) == {f"{D}/metrics.csv"}


def test_without_labels_the_archive_has_none_and_verifies_with_the_corpus(
    root: Path, made: tuple[Path, Path], tmp_path: Path, verify: Verify
) -> None:
    path = archive(root, "--without-labels")
    rows = pd.read_csv(root / D / "annotations.csv", dtype=str, keep_default_na=False)
    told = set(rows["utterance"])
    with zipfile.ZipFile(path) as opened:
        for name in opened.namelist():
            content = opened.read(name).decode("utf-8", errors="ignore")
            if any(utterance in content for utterance in told):
                assert name.endswith(
                    (".npy", "split.csv", "index.csv", "provenance.json", "left_out.json")
                )
    moved = tmp_path / "corpus elsewhere"
    shutil.move(made[1], moved)
    try:
        status, said = verify(path)
        assert status == 0, said
        assert "emoword verify --corpus" in said
        status, said = verify(path, "--corpus", moved)
        assert (status, blamed(said)) == (0, set()), said
        assert "12 jobs: " in said
    finally:
        shutil.move(moved, made[1])


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_an_archive_unpacks_only_inside_its_folder(
    name: str, root: Path, tmp_path: Path, verify: Verify
) -> None:
    path = archive(root)
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(name, "x")
    assert "leads out of the archive" in verify(path)[1]


def test_a_link_in_an_archive_is_refused(root: Path, verify: Verify) -> None:
    path = archive(root)
    with zipfile.ZipFile(path, "a") as opened:
        link = zipfile.ZipInfo("results/link")
        link.external_attr = 0o120777 << 16
        opened.writestr(link, "/etc/passwd")
    assert "leads out of the archive" in verify(path)[1]


def crate_of(path: Path) -> dict[str, dict[str, Any]]:
    with zipfile.ZipFile(path) as opened:
        graph = json.loads(opened.read("ro-crate-metadata.json"))["@graph"]
    return {entity["@id"]: entity for entity in graph}


def test_the_crate_describes_files_and_jobs(root: Path) -> None:
    path = archive(root)
    crate = crate_of(path)
    with zipfile.ZipFile(path) as opened:
        files = set(opened.namelist()) - {"ro-crate-metadata.json", "left_out.json"}
    assert files == {part["@id"] for part in crate["./"]["hasPart"]}
    job = crate[f"#job/{D}/logs/evaluate.log.json"]
    assert job["object"] == {"@id": f"{D}/decisions/paper.csv"}
    assert job["result"] == {"@id": f"{D}/metrics.csv"}
    digest = hashlib.sha256((root / D / "metrics.csv").read_bytes()).hexdigest()
    assert crate[f"{D}/metrics.csv"]["sha256"] == digest


def test_the_crate_is_valid(root: Path, tmp_path: Path) -> None:
    validator = shutil.which("rocrate-validator")
    if validator is None:
        pytest.skip("no rocrate-validator on the PATH; see tests/validate_crate.py")
    with zipfile.ZipFile(archive(root)) as opened:
        opened.extractall(tmp_path / "crate")
    python = Path(validator).with_name("python")
    command = [python, Path(__file__).with_name("validate_crate.py"), tmp_path / "crate"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
