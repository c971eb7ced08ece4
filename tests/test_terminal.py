"""What a run prints: few lines in a pipe, a live line on a terminal, a failed job's log."""

import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.tests import MockOutputSettings

import snakemake_logger_plugin_emoword as progress

ROOT = Path(__file__).parent.parent
SNAKEMAKE = [str(Path(sys.executable).parent / "snakemake"), "--cores", "2", "--show-failed-logs"]
ALWAYS = ["--show-failed-logs", "--rerun-incomplete", "--scheduler-subsample", "32"]
WORKFLOW = """
rule all:
    input: expand("made/{n}.txt", n=range(3)), "sum.txt"
rule make:
    output: "made/{n}.txt"
    log: "logs/{n}.log"
    shell:
        "printf 'one\\\\ntwo \\\\033[2J {wildcards.n}\\\\n' > {log};"
        " test ! -e fail{wildcards.n}; touch {output}"
rule sum:
    input: expand("made/{n}.txt", n=range(3))
    output: "sum.txt"
    shell: "touch {output}"
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    return tmp_path


def piped(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """A run whose output goes into a pipe: its status, and the lines."""
    command = [*SNAKEMAKE, "--logger", "emoword", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, re.sub(r"\d+ (s|min)", "T", done.stdout + done.stderr).splitlines()


def test_in_a_pipe_a_stage_is_a_line(toy: Path) -> None:
    assert piped(toy, "-n") == (
        0,
        ["make    3", "sum     1", "5 jobs would run; with -p, each with its command"],
    )
    assert piped(toy) == (0, ["make 3/3, T", "sum 1/1, T", "5 jobs in T"])
    nothing = "Nothing to be done (all requested files are present and up to date)."
    assert piped(toy) == (0, [nothing])


def test_a_failed_job_is_said_with_its_log(toy: Path) -> None:
    (toy / "fail1").touch()
    status, lines = piped(toy, "--keep-going")
    assert status == 1
    first = lines.index("make failed; the log (logs/1.log) ends with")
    assert lines[first + 1 : first + 3] == ["    one", "    two ?[2J 1"]
    assert "At least one job did not complete successfully." in " ".join(lines[first:])
    assert any(line.startswith("Complete log") for line in lines)
    assert len(lines) < 8
    assert not any("\x1b" in line or "CalledProcessError" in line for line in lines)


def test_on_a_terminal_the_last_line_is_live(toy: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "40"}
    environment.pop("NO_COLOR", None)
    command = [*SNAKEMAKE, "--logger", "emoword", "--cores", "1"]
    with subprocess.Popen(command, cwd=toy, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        said = b""
        while chunk := read(ours):
            said += chunk
    os.close(ours)
    text = said.decode()
    assert re.search(r"\r\x1b\[K\[########\.{16}\] make 1/3, \d+", text)  # cut at 39 columns
    parts = re.split(r"\r\x1b\[K|\r\n", text)
    assert all(len(re.sub(r"\x1b\[\d+m", "", part)) < 40 for part in parts)
    kept = [re.sub(r"\x1b\[\d+m|\d+ s", "", part) for part in parts if part and part[0] != "["]
    assert kept == ["make 3/3, ", "sum 1/1, ", "5 jobs in "]
    assert "\x1b[32mmake 3/3" in text


def read(terminal: int) -> bytes:
    """What the other side wrote; nothing once it has closed."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_a_run_beside_another_says_that_the_folder_is_locked(toy: Path) -> None:
    """And not that the files on which the first is at work are incomplete."""
    snakefile = toy / "Snakefile"
    snakefile.write_text(
        snakefile.read_text().replace('"touch {output}"', '"touch {output}; read go < gate"')
    )
    os.mkfifo(toy / "gate")
    with subprocess.Popen([*SNAKEMAKE, *ALWAYS], cwd=toy, stderr=subprocess.DEVNULL):
        while not (toy / "sum.txt").exists():
            time.sleep(0.1)
        status, lines = piped(toy, *ALWAYS)
        (toy / "gate").write_text("go\n")
    assert status == 1
    assert "cannot be locked" in " ".join(lines)


def handler(clock: Sequence[float], monkeypatch: pytest.MonkeyPatch) -> progress.LogHandler:
    """A handler in a pipe, for which time passes as given."""
    times = iter(clock)
    clock_ = SimpleNamespace(monotonic=lambda: next(times))
    monkeypatch.setattr("snakemake_logger_plugin_emoword.time", clock_)
    return progress.LogHandler(MockOutputSettings(), None)


def told(own: progress.LogHandler, event: str, **values: Any) -> None:
    own.take(SimpleNamespace(event=event, **values))


def test_a_long_stage_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Time in which none of its jobs run does not count: 40 s for the first, an hour's wait."""
    own = handler([0, 100, 140, 3740, 3780, 3780, 3800], monkeypatch)
    told(own, "run_info", stats={"train": 4, "total": 4})
    job = {"rule_name": "train", "output": ["x"]}
    told(own, "job_info", jobid=1, **job)  # 100
    told(own, "job_finished", job_id=1)  # 140
    assert capsys.readouterr().err == "train 1/4, 2 min left\n"
    told(own, "job_info", jobid=2, **job)  # 3740
    told(own, "job_finished", job_id=2)  # 3780
    assert capsys.readouterr().err == "train 2/4, 1 min left\n"
    told(own, "job_info", jobid=3, **job)  # 3780
    told(own, "job_finished", job_id=3)  # 3800, 20 s after the line before
    assert capsys.readouterr().err == ""


def test_of_jobs_submitted_together_those_that_failed_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = handler(range(9), monkeypatch)
    for name in ("slurm", "whole", "whole.out", "failed"):
        (tmp_path / name).write_text(f"said by {name}\n")
    told(own, "group_error", aux_logs=[str(tmp_path / "slurm")])
    for jobid, name in enumerate(("whole", "failed", "never")):
        told(
            own,
            "job_error",
            rule_name=name,
            rule_msg=None,
            jobid=jobid,
            indent=True,
            log=[str(tmp_path / name)],
            output=[str(tmp_path / f"{name}.out")],
        )
    assert re.findall("said by (.*)", capsys.readouterr().err) == ["slurm", "failed"]


def test_a_preview_of_a_cluster_lists_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = handler([0], monkeypatch)
    own.common_settings.dryrun = True
    plan = {"train": 2, "table": 1, "total": 3}
    told(own, "run_info", stats=plan)
    told(own, "group_info", group_id="training", jobs=[])
    asked = {"cores": 1, "mem_mb": 4000, "gpu": 1}
    for jobid in (1, 2):
        job = {"rule_name": "train", "output": ["x"]}
        told(own, "job_info", jobid=jobid, resources=asked, **job)
    told(own, "job_info", jobid=3, rule_name="table", output=["x"], resources={"cores": 1})
    told(own, "run_info", stats=plan)
    assert capsys.readouterr().err.splitlines() == [
        "train    2 mem_mb=4000, gpu=1",
        "table    1",
        "3 jobs would run; with -p, each with its command",
        "submitted together: 1 of training; the others by themselves, or run here",
    ]


def test_run_explains_itself() -> None:
    """Without an environment, and every command in it is one."""
    done = subprocess.run(["bash", ROOT / "run", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("Set up .venv")
    for word in ("./run --verbose", "./run test", "./run check", "./run -n"):
        assert f"  {word} " in done.stdout


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ([], ["--logger", "emoword", *ALWAYS, "--cores", "all"]),
        (["--cores", "2", "x"], ["--logger", "emoword", *ALWAYS, "--cores", "2", "x"]),
        (["-c1", "-n"], ["--logger", "emoword", *ALWAYS, "-c1", "-n"]),
        (["--verbose", "-j", "1"], [*ALWAYS, "-j", "1"]),
        (["-np", "--config", "a=b c"], [*ALWAYS, "--cores", "all", "-np"]),
    ],
)
def test_run_adds_what_is_not_said(given: list[str], handed_on: list[str], tmp_path: Path) -> None:
    for name in ("run", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    installed = "cat pyproject.toml constraints.txt | sha256sum > .venv/installed"
    (tmp_path / ".venv/bin").mkdir(parents=True)
    subprocess.run(["bash", "-c", installed], cwd=tmp_path, check=True)
    stand_in = tmp_path / ".venv/bin/snakemake"
    stand_in.write_text('#!/bin/sh\nfor a; do printf "%s\\n" "$a"; done\n')
    stand_in.chmod(0o755)
    lines = said_by_run(tmp_path, *given)
    assert lines[: len(handed_on)] == handed_on
    # where there is a GPU, one training at a time has it, unless something else is said
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho GPU 0\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert "gpu=1" in said_by_run(tmp_path, *given)
    for own in (["--resources", "gpu=3"], ["--profile", "slurm"]):
        assert "gpu=1" not in said_by_run(tmp_path, *given, *own)
    if "--config" in given:
        assert lines[-2:] == ["--config", "a=b c"]


def said_by_run(folder: Path, *arguments: str) -> list[str]:
    """What a stand-in for snakemake is called with, one a line."""
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    command = [str(folder / "run"), *arguments]
    return subprocess.check_output(command, env=environment, text=True).splitlines()
