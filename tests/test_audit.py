"""Records, verify, trace and the archive, on a small workflow's results made by the real commands.

`REMADE`, `INVENTED` and `TRAINED` are one edit of each kind of file; docs/attacks.md lists them.
The attacks of those who would harm the auditor are in test_audit_redteam.py.
"""

import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

from auditing import REPOSITORY, D, make_results
from emoword.audit.comparing import close
from emoword.audit.provenance import evidence
from emoword.audit.remaking import Remade, remake
from emoword.audit.results import opened
from emoword.audit.verify import judge
from emoword.cli import main

RUN = "runs/S2-lc-*/fold2-seed0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with their records and provenance.json; not to be changed."""
    root = tmp_path_factory.mktemp("workflow")
    folder = make_results(root)
    main(["provenance", str(folder), "--out", str(folder / "provenance.json")])
    return folder


@pytest.fixture(scope="module")
def again(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Remade:
    """What verify recomputes of them."""
    with opened(made) as given:
        return remake(given, tmp_path_factory.mktemp("again"), None)


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A copy to do mischief in, under a name and in a place of its own."""
    shutil.copytree(made, tmp_path / "taken" / "along")
    shutil.copytree(made.parent / "spaces", tmp_path / "taken" / "spaces")
    return tmp_path / "taken" / "along"


def wrong(folder: Path, remade: Remade | None = None) -> dict[str, str]:
    """The files that verify finds wrong, with its reasons; recomputed here, unless given."""
    with opened(folder) as given, TemporaryDirectory() as work:
        verdicts = judge(given, evidence(given), remade or remake(given, Path(work), None))
        return {
            given.below(verdict.name): "; ".join([verdict.why, *verdict.details])
            for verdict in verdicts
            if verdict.kind == "wrong"
        }


def verify(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run ``emoword verify``: its status, and what it says."""
    capsys.readouterr()
    try:
        main(["verify", *map(str, arguments)])
    except SystemExit as left:
        said = capsys.readouterr().out
        return 1, said or str(left.code)
    return 0, capsys.readouterr().out


def change_cell(path: Path, column: str, value: str) -> None:
    """Change a cell of the first row of a CSV."""
    lines = path.read_text().split("\n")
    place = lines[0].split(",").index(column)
    cells = lines[1].split(",")
    assert cells[place] != value
    cells[place] = value
    lines[1] = ",".join(cells)
    path.write_text("\n".join(lines))


# ------------------------------------------------------------------------------------- records


def test_a_record_says_what_was_written_and_by_which_code(made: Path) -> None:
    (path,) = made.glob(f"logs/{RUN}.log.json")
    record = json.loads(path.read_text())
    assert {Path(name).name for name in record["outputs"]} == {
        "weights.safetensors",
        "history.csv",
        "split.csv",
        "predictions.npy",
        "run.json",
    }
    for name, what in record["outputs"].items():
        content = (made.parents[1] / name).read_bytes()
        assert what == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert record["begun"] <= record["ended"]
    assert record["command"][:2] == ["emoword", "train"]
    assert "--record" not in record["command"]
    assert record["seed"] == 0
    assert {"torch", "numpy"} <= set(record["packages"])
    assert re.fullmatch("[0-9a-f]{64}", record["code"]["sha256"])


def test_every_rule_leaves_a_record() -> None:
    """A download is no result."""
    for path in (REPOSITORY / "workflow" / "rules").glob("*.smk"):
        for shell in re.findall(r"shell:\n((?:\s+\"[^\n]*\n)+)", path.read_text()):
            commands = re.findall(r"emoword ([\w-]+)", shell)
            if commands and commands[0] not in ("provenance", "archive", "fetch"):
                assert re.search(r"--record \{log(:q)?\}\.json", shell), (
                    f"{path.name}: emoword {commands[0]}"
                )


# -------------------------------------------------------------------------------------- verify


def test_nothing_is_wrong_where_nothing_was_touched(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    status, said = verify(capsys, copy)
    assert (status, said.split("\n")[-2]) == (0, "Nothing is wrong."), said
    seal = hashlib.sha256((copy / "provenance.json").read_bytes()).hexdigest()
    assert seal in said
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before
    counted = {words[-1]: int(words[0]) for words in re.findall(r"(\d+) files.*?: (.*)", said)}
    assert counted["trainings"] == 20 * 5
    recomputed = int(re.search(r"recomputed +(\d+)", said)[1])  # type: ignore[index]
    assert recomputed > len(list(copy.rglob("*"))) / 3


def test_without_a_seal_records_are_what_is_compared(made: Path, again: Remade, copy: Path) -> None:
    (copy / "provenance.json").unlink()
    assert wrong(copy, again) == {}
    for path in copy.glob("logs/runs/*/fold2-seed0.log.json"):
        path.unlink()
    assert set(wrong(copy, again)) == {
        str(path.relative_to(made)) for path in made.glob("runs/*/fold2-seed0/*")
    }


def edit_text(path: Path) -> None:
    """Another first digit, or the other truth value."""
    content = path.read_bytes()
    edited = re.sub(
        rb"\b\d|true",
        lambda found: {b"9": b"8", b"true": b"false"}.get(found[0], b"9"),
        content,
        count=1,
    )
    assert edited != content
    path.write_bytes(edited)


def edit_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def invent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("variant,model\n")


Edit = Callable[[Path], object]
# each kind of file that commands make: an edit is found whatever its records say
REMADE: dict[str, Edit] = {
    "corpus/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": edit_text,
    "corpus/Session1/sentences/wav/*/*F000.wav": edit_bytes,
    "utterances.csv": lambda path: change_cell(path, "fold", "4"),
    "annotations.csv": lambda path: change_cell(path, "text", "Sadness"),
    "corpus.json": edit_text,
    "variants/paper.json": edit_text,
    "targets/S2-*/settings.json": edit_text,
    "targets/S2-*/words.csv": lambda path: change_cell(path, "count", "9"),
    "targets/S3-*/dropped.csv": lambda path: change_cell(path, "reason", "none"),
    "targets/S1-*/summary.json": edit_text,
    "targets/S1-*/classes.json": lambda path: path.write_text('["anger"]\n'),
    "vectors/S2-*/vectors.npy": edit_bytes,
    "vectors/S2-*/words.txt": edit_bytes,
    "../spaces/embedded/vectors.npy": edit_bytes,
    "../spaces/embedded/meta.json": edit_text,
    "runs/S1-ce-*/settings.json": edit_text,
    "leaks/paper.json": edit_text,
    "decisions/paper.csv": lambda path: change_cell(path, "predicted", "fear"),
    "nearest/paper.csv": lambda path: change_cell(path, "word 1", "fear"),
    "neighbours/paper.csv": lambda path: change_cell(path, "word", "fear"),
    "metrics.csv": lambda path: change_cell(path, "value", "0.99"),
    "intervals.csv": lambda path: change_cell(path, "value", "0.99"),
    "differences.csv": edit_text,
    "versus_paper.csv": lambda path: path.write_text(path.read_text() + "1,M1,UA,1,1,0,0,1,\n"),
    "claims.csv": edit_text,
    "claims.html": edit_text,
    "tables/table1.csv": lambda path: change_cell(path, "LC UA", "0.95"),
    "tables/table1.json": edit_text,
    "tables/table3.tex": edit_text,
    "tables/tables.tex": edit_text,
    "figures/confusion.csv": edit_text,
    "figures/confusion.png": edit_bytes,
    "figures/confusion.pdf": edit_bytes,
    "report/index.html": edit_text,
    "report/details.js": edit_text,
}
# what nothing makes
INVENTED = ["comparisons/mine/metrics.csv", "metrics2.csv", "report/more.js", "tables/table7.csv"]


def test_each_edit_of_what_commands_make_is_found(copy: Path, again: Remade) -> None:
    edited = {}
    for pattern, edit in REMADE.items():
        path = sorted(copy.glob(pattern))[0] if ".." not in pattern else copy / pattern
        edit(path)
        edited[str(path.relative_to(copy)) if ".." not in pattern else pattern] = path
    for name in INVENTED:
        invent(copy / name)
    found = wrong(copy, again)
    assert set(found) == {*edited, *INVENTED}
    assert "LC UA: '0.95'; recomputed" in found["tables/table1.csv"]
    assert "made by nothing" in found["metrics2.csv"]
    # with the records edited, and provenance.json gathered again
    forge_records(copy, edited.values())
    main(["provenance", str(copy), "--out", str(copy / "provenance.json")])
    found = wrong(copy, again)
    assert set(found) == {*edited, *INVENTED}
    assert not [why for why in found.values() if "the record" in why or "provenance" in why]


def forge_records(folder: Path, paths: Any) -> None:
    """Let the records say what the files hold now."""
    for path in (path.resolve() for path in paths):
        own = path.is_relative_to(folder)
        name = f"{D}/{path.relative_to(folder)}" if own else f"results/spaces/embedded/{path.name}"
        content = path.read_bytes()
        what = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for log in [*folder.rglob("*.log.json"), *folder.parent.glob("spaces/logs/*.json")]:
            record = json.loads(log.read_text())
            for output in record["outputs"]:
                if output == name:
                    record["outputs"][output] = what
            log.write_text(json.dumps(record))


def other_predictions(path: Path) -> None:
    np.save(path, -np.load(path))


def no_array(path: Path) -> None:
    path.write_bytes(pickle.dumps(Marker()))


class Marker:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("hacked"),)


# of what only a training makes: edit, and the files in which it shows although its record agrees;
# "nothing" is what a training again alone would find
TRAINED: dict[str, tuple[str, Edit, set[str]]] = {
    "predictions": (
        f"{RUN}/predictions.npy",
        other_predictions,
        {"decisions/paper.csv", "neighbours/paper.csv", "metrics.csv", "figures/map.csv"},
    ),
    "no predictions": (f"{RUN}/predictions.npy", no_array, {"decisions/paper.csv"}),
    "split": (
        f"{RUN}/split.csv",
        lambda p: change_cell(p, "part", "validation"),
        {"leaks/paper.json"},
    ),
    "record of a run": (f"{RUN}/run.json", edit_text, {"decisions/paper.csv"}),
    "history": (
        f"{RUN}/history.csv",
        lambda p: change_cell(p, "validation_loss", "0.1"),
        {"figures/curves.csv"},
    ),
    "frames": (
        "features/logmel/shard1of1/frames.npy",
        lambda p: np.save(p, np.load(p) + 1),
        {"leaks/paper.json"},
    ),
    "weights": (f"{RUN}/weights.safetensors", edit_bytes, set()),
}


@pytest.mark.parametrize("fraud", TRAINED)
def test_an_edit_of_what_only_a_training_makes(fraud: str, copy: Path, tmp_path: Path) -> None:
    pattern, edit, shows = TRAINED[fraud]
    path = sorted(copy.glob(pattern))[0]
    edit(path)
    forge_records(copy, [path])
    (copy / "provenance.json").unlink()
    found = wrong(copy)
    assert shows <= set(found)
    assert bool(shows) == bool(found)
    assert str(path.relative_to(copy)) not in found
    assert not list(tmp_path.rglob("hacked"))
    assert not Path("hacked").exists()


def test_an_edit_under_a_seal_is_named(copy: Path, again: Remade) -> None:
    """Of what is not recomputed, provenance.json says what it was, and that it was there."""
    names = {str(sorted(copy.glob(p))[0].relative_to(copy)): e for p, e, _ in TRAINED.values()}
    for name, edit in names.items():
        edit(copy / name)
    log = copy / "logs/metrics.log.json"
    log.unlink()
    config = copy / "config.json"
    config.write_text(config.read_text().replace("{", "{ ", 1))
    invent(copy / "logs/more.log")
    found = wrong(copy, again)
    assert set(found) == {*names, str(log.relative_to(copy)), "config.json"}
    assert found[str(log.relative_to(copy))] == "is missing"
    assert all("provenance.json says" in found[name] for name in [*names, "config.json"])


def test_a_setting_that_was_changed_afterwards(copy: Path) -> None:
    config = copy / "config.json"
    config.write_text(config.read_text().replace('"epochs": 2', '"epochs": 100'))
    (copy / "provenance.json").unlink()
    found = wrong(copy)
    assert "variants/paper.json" in found
    assert "decisions/paper.csv" in found


def test_a_template_is_this_repositorys(copy: Path, again: Remade) -> None:
    path = copy / "provenance.json"
    sealed = json.loads(path.read_text())
    sealed["sources"]["paper/templates/table.tex.j2"]["sha256"] = "0" * 64
    path.write_text(json.dumps(sealed))
    assert set(wrong(copy, again)) == {"paper/templates/table.tex.j2"}


def test_a_corpus_that_is_here_is_read_again(tmp_path: Path) -> None:
    """And is named as the configuration names it."""
    folder = make_results(tmp_path / "made", trains=False)
    config = json.loads((folder / "config.json").read_text()) | {"iemocap_root": f"{D}/corpus"}
    config["datasets"]["demo"]["kind"] = "iemocap"
    del config["datasets"]["demo"]["utterances"]
    (folder / "config.json").write_text(json.dumps(config))
    corpus = (folder / "corpus").rename(tmp_path / "corpus")
    (tmp_path / "work").mkdir()
    with opened(folder) as given:
        again = remake(given, tmp_path / "work", corpus)
    for name in ("utterances.csv", "annotations.csv"):
        assert again.made[f"{D}/{name}"].read_bytes() == (folder / name).read_bytes()


def test_results_of_another_version_are_for_that_version(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy / "provenance.json"
    path.write_text(json.dumps({"version": 1, "jobs": {}, "code": {"version": "0.0.9"}}))
    status, said = verify(capsys, copy)
    assert status == 1
    assert "made by emoword 0.0.9: verify it with that version" in said


def test_the_end_of_a_run_names_what_was_edited_under_kept_times(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Snakemake goes by times, and says that there is nothing to be done."""
    shutil.copytree(made.parent, tmp_path / "results", symlinks=True)
    (tmp_path / "Snakefile").write_text(f'rule all:\n    input: "{D}/metrics.csv"\n')
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    command = [snakemake, "--cores", "1", "--logger", "emoword"]
    expected = [f"{D}/decisions/paper.csv", f"{D}/nearest/paper.csv"]
    for names in ([], expected):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        warned = [line for line in done.stderr.splitlines() if "WARNING" in line]
        said = f"WARNING: {D}: edited or deleted since they were made: {', '.join(names)}; "
        assert [line[: len(said)] for line in warned] == [said] * bool(names)
        assert "Nothing to be done" in done.stderr
        path = tmp_path / D / "decisions/paper.csv"
        before = path.stat()
        path.write_text(path.read_text().replace("anger", "angre", 1))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        (tmp_path / D / "nearest/paper.csv").unlink(missing_ok=True)
    main(["summary", str(tmp_path / D)])
    assert "WARNING" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [("0.30000000000000004", "0.3", True), ("0.31", "0.3", False), ("0.3", "anger", False)],
)
def test_tables_are_close_but_for_rounding(a: str, b: str, wanted: bool, tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text(f"x,{a}\n")
    other.write_text(f"x,{b}\n")
    assert close(one, other) == close(other, one) == wanted


# --------------------------------------------------------------------------------------- trace


@pytest.fixture
def cells(made: Path) -> dict[str, tuple[str, str]]:
    """A cell of each table, by row and column."""
    rows = {number: pd.read_csv(made / f"tables/table{number}.csv", dtype=str) for number in (4, 5)}
    four = " ".join(rows[4][["set", "label"]].iloc[0])
    return {
        "table1": ("M1", "LC UA"),
        "table2": ("Baseline CE (here)", "WA"),
        "table3": ("M3", "S2"),
        "table4": (four, "2nd"),
        "table5": ("M2 3rd", "anger"),
        "table6": ("M2", "S3 l1"),
    }


def trace(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main(["trace", *map(str, arguments)])
    return capsys.readouterr().out


def test_each_table_is_traced_to_the_weights(
    made: Path, cells: dict[str, tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    for table, (row, column) in cells.items():
        said = trace(capsys, made / f"tables/{table}.csv", row, column)
        assert "DIFFERS" not in said
        assert said.count("the same") >= (6 if table != "table4" else 5)
        weights = made.glob("runs/*/*/weights.safetensors")
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in weights]
        assert sum(digest in said for digest in digests) == (0 if table == "table4" else 5)


def test_trace_says_where_the_chain_breaks(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in copy.glob("runs/S1-lc-*/fold2-seed0/predictions.npy"):
        other_predictions(path)
    with pytest.raises(SystemExit) as stopped:
        trace(capsys, copy / "tables/table3.csv", "M1", "S1")
    assert stopped.value.code == 1
    said = capsys.readouterr().out
    assert said.count("DIFFERS") >= 2  # the fold, and the mean
    assert "IS NOT WHAT provenance.json SAYS" in said


def test_an_utterance_down_to_the_lines_of_its_raters(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run,) = made.glob(RUN)
    name = pd.read_csv(run / "split.csv").query("part == 'test'")["utterance"].iloc[0]
    said = trace(capsys, made / "tables/table1.csv", "M1", "LC UA", "--utterance", name)
    rows = pd.read_csv(made / "annotations.csv", dtype=str, keep_default_na=False)
    own = rows[rows["utterance"] == name]
    assert len(own) > 2
    for row in own.to_dict("records"):
        assert f"{row['text']!r}, {row['file']}:{row['line']}" in said
    space = made.parent / "spaces/embedded"
    vectors = np.load(space / "vectors.npy").astype(float)
    words = (space / "words.txt").read_text().split("\n")
    nearest = vectors @ np.load(run / "predictions.npy")[0] / np.linalg.norm(vectors, axis=1)
    heard = said.split("  M2, ")[1].split("\n")[2].split()
    assert heard[0] == words[int(nearest.argmax())]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tables/table1.csv", "M9", "LC UA"), "no row 'M9'; there are: M1"),
        (("tables/table1.csv", "M1", "UA"), "no column 'UA'"),
        (("tables/table1.csv", "M1", "LC UA", "--utterance", "Ses01X"), "no utterance 'Ses01X'"),
        (("metrics.csv", "M1", "value"), "not one of table1.csv"),
        (("tables/table3.csv", "M1", "S9"), "no column 'S9'"),
    ],
)
def test_trace_says_what_there_is(
    arguments: tuple[str, ...], says: str, made: Path, fails: Callable[..., str]
) -> None:
    assert says in fails("trace", made / arguments[0], *arguments[1:])


# ------------------------------------------------------------------------------------- archive


def test_the_archive_verifies_elsewhere_and_is_the_same_twice(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    for path in (one, other):
        main(["archive", str(copy), "--out", str(path)])
    assert one.read_bytes() == other.read_bytes()
    shutil.rmtree(copy.parent)
    status, said = verify(capsys, one)
    assert (status, said.split("\n")[-2]) == (0, "Nothing is wrong."), said
    with zipfile.ZipFile(one) as zipped:
        names = zipped.namelist()
        zipped.extractall(tmp_path / "unpacked")
    assert not [name for name in names if name.endswith((".wav", "frames.npy", ".safetensors"))]
    table = tmp_path / "unpacked" / D / "tables/table1.csv"
    assert "DIFFERS" not in trace(capsys, table, "M1", "LC UA")
    edit_text(tmp_path / "unpacked/paper/claims.yaml")
    change_cell(table, "LC UA", "0.95")
    status, said = verify(capsys, tmp_path / "unpacked")
    assert status == 1
    assert "2 files are wrong." in said


def test_without_labels_no_utterance_is_named(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.zip"
    main(["archive", str(copy), "--without-labels", "--out", str(path)])
    told = set(pd.read_csv(copy / "annotations.csv", dtype=str)["utterance"])
    # which part it was in, where our prediction of it lies
    harmless: tuple[str, ...] = ("split.csv", "index.csv", "map.csv", "corpus.log.json")
    harmless += ("provenance.json", "ro-crate-metadata.json")
    with zipfile.ZipFile(path) as zipped:
        for name in zipped.namelist():
            content = zipped.read(name).decode("utf-8", errors="ignore")
            if not name.endswith((*harmless, ".npy")):
                assert not [utterance for utterance in told if utterance in content], name
    status, said = verify(capsys, path)
    assert (status, said.split("\n")[-2]) == (0, "Nothing is wrong."), said
    assert "what raters said" in said


def test_the_crate_describes_its_files_and_is_valid(copy: Path, tmp_path: Path) -> None:
    main(["archive", str(copy), "--out", str(tmp_path / "audit.zip")])
    with zipfile.ZipFile(tmp_path / "audit.zip") as zipped:
        files = set(zipped.namelist()) - {"ro-crate-metadata.json"}
        graph = json.loads(zipped.read("ro-crate-metadata.json"))["@graph"]
        zipped.extractall(tmp_path / "crate")
    crate = {entity["@id"]: entity for entity in graph}
    assert files == {part["@id"] for part in crate["./"]["hasPart"]}
    digest = hashlib.sha256((copy / "metrics.csv").read_bytes()).hexdigest()
    assert crate[f"{D}/metrics.csv"]["sha256"] == digest
    validator = shutil.which("rocrate-validator")
    if validator is None:
        pytest.skip("no rocrate-validator on the PATH; see tests/validate_crate.py")
    python = Path(validator).with_name("python")
    command = [python, Path(__file__).with_name("validate_crate.py"), tmp_path / "crate"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
