"""The profile on a real Slurm: the whole road, then one fault at a time; every wait has a limit."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
SANDBOX = ROOT / "tests" / "slurm_sandbox.sh"
BIN = Path(sys.executable).parent

# 60 utterances, ten trainings of a network of a few thousand weights for two epochs: it learns
# nothing, but the road is whole.
CUT: dict[str, Any] = {
    "defaults": {"losses": ["lc"], "label_sets": ["S1"]},
    "datasets": {
        "demo": {
            "utterances": 60,
            "settings": {
                "network": {"channels": [8, 8, 8], "lstm": 4, "hidden": [16]},
                "training": {"epochs": 2, "batch_size": 16},
            },
        }
    },
}
RUNS = [f"results/demo/runs/paper/S1-lc/fold{fold}-seed0/run.json" for fold in (1, 2)]
HIT_ONCE = 'mkdir "$CLONE/struck" 2>/dev/null || exec "$EMOWORD" "$@"\n'


def why_not() -> str | None:
    """Why there is no Slurm for these tests; None if there is one."""
    if not shutil.which("sbatch"):
        return "no sbatch on the PATH; as root on Debian: tests/slurm_sandbox.sh up"
    config = ask("scontrol", "show", "config")
    if "ClusterName" not in config:
        return "no Slurm answers; as root on Debian: tests/slurm_sandbox.sh up"
    if not re.search(r"^ClusterName\s*= sandbox$", config, re.MULTILINE):
        return "Slurm is not that of tests/slurm_sandbox.sh, the node of which may be drained"
    return None


def ask(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


MISSING = why_not()
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


class Clone:
    """A copy of the repository, in which Snakemake finds a site.yaml and a fault to come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[str]] = []

    @classmethod
    def fresh(cls, folder: Path) -> "Clone":
        for name in ("src", "workflow", "paper", "envs", "slurm"):
            ignore = shutil.ignore_patterns("__pycache__", "build")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, folder / name)
        changed = yaml.safe_load((folder / "config.yaml").read_text())
        changed["defaults"].update(CUT["defaults"])
        demo = CUT["datasets"]["demo"]
        changed["datasets"]["demo"].update(utterances=demo["utterances"])
        for block, values in demo["settings"].items():
            changed["datasets"]["demo"]["settings"][block].update(values)
        (folder / "config.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
        return cls(folder)

    def copy(self, folder: Path) -> "Clone":
        shutil.copytree(self.folder, folder)
        return Clone(folder)

    def site(self, **settings: str | int) -> None:
        (self.folder / "site.yaml").write_text(yaml.safe_dump(settings))

    def fault(self, lines: str) -> None:
        """Let these lines of shell run before every training."""
        bin_ = self.folder / "bin"
        bin_.mkdir()
        guard = 'if [ "$1" != train ]; then exec "$EMOWORD" "$@"; fi\n'
        script = f"#!/bin/sh\nCLONE={self.folder}\nEMOWORD={BIN}/emoword\n{guard}{lines}\n"
        (bin_ / "emoword").write_text(script + 'exec "$EMOWORD" "$@"\n')
        (bin_ / "emoword").chmod(0o755)

    def start(self, *command: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{BIN}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
        }
        with (self.folder / "said.log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def said(self) -> str:
        return (self.folder / "said.log").read_text()

    def finish(self, process: subprocess.Popen[str], status: int, seconds: int = 240) -> str:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"hung for {seconds} s:\n{self.said()[-4000:]}\n{ask('squeue')}")
        assert process.returncode == status, self.said()[-4000:]
        return self.said()

    def on_slurm(self, *arguments: str, status: int = 0, seconds: int = 240) -> str:
        return self.finish(self.start_on_slurm(*arguments), status, seconds)

    def start_on_slurm(self, *arguments: str) -> subprocess.Popen[str]:
        quick = "--slurm-init-seconds-before-status-checks=2"
        return self.start(
            "snakemake", "--cores", "8", "--profile", "slurm", quick, *(arguments or RUNS)
        )

    def files_of_runs(self) -> dict[str, bytes]:
        folders = [self.folder / Path(run).parent for run in RUNS]
        found = {path: path.read_bytes() for folder in folders for path in folder.iterdir()}
        return {str(path.relative_to(self.folder)): found[path] for path in sorted(found)}

    def jobs(self) -> list[str]:
        """The states of this run's jobs that wait or run."""
        name = re.findall(r"SLURM run ID: (\S+)", self.said())
        return (
            ask("squeue", "--noheader", "--format=%T", f"--name={name[0]}").split() if name else []
        )

    def cancel(self) -> None:
        for name in re.findall(r"SLURM run ID: (\S+)", self.said()):
            ask("scancel", f"--name={name}")

    def stop(self) -> None:
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        if self.running:
            self.cancel()


def until(true: Callable[[], bool], seconds: int = 60) -> None:
    """Wait until it is true, for so many seconds at most."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"waited {seconds} s in vain:\n{ask('squeue')}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The command of the README, begun."""
    clone = Clone.fresh(tmp_path_factory.mktemp("whole") / "emoword")
    clone.site(gpu_partition="gpu")
    clone.start("snakemake", "--cores", "8", "--profile", "slurm")
    yield clone
    clone.stop()


@pytest.fixture(scope="module")
def local(whole: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Everything made without Slurm, meanwhile: what the other runs are compared with."""
    clone = Clone.fresh(tmp_path_factory.mktemp("local") / "emoword")
    clone.finish(clone.start("snakemake", "--cores", "2"), 0)
    return clone


def without_two_runs(local: Clone, folder: Path) -> Clone:
    """A copy of what was made locally, in which two trainings are left to do."""
    clone = local.copy(folder / "emoword")
    for run in RUNS:
        shutil.rmtree((clone.folder / run).parent)
    clone.site(gpu_partition="gpu", trainings_per_job=2)
    return clone


@pytest.fixture
def clone(local: Clone, tmp_path: Path) -> Iterator[Clone]:
    made = without_two_runs(local, tmp_path)
    yield made
    made.stop()


def test_the_whole_road(whole: Clone, local: Clone) -> None:
    said = whole.finish(whole.running[0], 0, 400)
    assert "demo: done." in said
    # inputs, features, ten trainings by fives, numbers
    assert said.count("has been submitted with SLURM jobid") == 5
    runs = sorted((whole.folder / "results/demo/logs/runs").rglob("*.log"))
    assert len(runs) == 10
    for log in runs:
        assert re.search(r"CUDA_VISIBLE_DEVICES=\d+ SLURM_JOB_ID=\d+", log.read_text()), log
    for kind in ("tables/*", "runs/*/*/*/*", "decisions/*", "metrics.csv", "figures/*.png"):
        here, there = (
            {p.relative_to(c.folder): p.read_bytes() for p in c.folder.glob(f"results/demo/{kind}")}
            for c in (whole, local)
        )
        assert here
        assert here == there, kind


# What strikes the first training of a run, in shell; the last two strike as long as a job has
# less than it needs. Sites: two trainings are one submission.
FAULTS: dict[str, tuple[str, dict[str, str | int]]] = {
    "exit code 1": (HIT_ONCE + "exit 1", {}),
    "SIGKILL": (HIT_ONCE + "kill -KILL $$", {}),
    "scancel": (HIT_ONCE + "scancel $SLURM_JOB_ID; sleep 60", {}),
    "memory": (
        f"{sys.executable} -c \"import time; b = b'x' * 1_000_000_000; time.sleep(4)\"",
        {"megabytes_per_training": 1000},
    ),
    "time": (HIT_ONCE + "sleep 300", {"minutes_per_training": 1, "trainings_per_job": 1}),
}


@pytest.fixture(scope="module")
def struck(
    whole: Clone, local: Clone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Clone]]:
    """A run for each fault, side by side: most of their time they wait."""
    whole.running[0].wait(400)
    clones = {}
    for name, (lines, site) in FAULTS.items():
        clone = without_two_runs(local, tmp_path_factory.mktemp("struck"))
        defaults: dict[str, str | int] = {"gpu_partition": "gpu", "trainings_per_job": 2}
        clone.site(**(defaults | site))
        clone.fault(lines)
        clone.start_on_slurm()
        clones[name] = clone
    yield clones
    for clone in clones.values():
        clone.stop()


@pytest.mark.parametrize("name", FAULTS)
def test_a_job_that_fails_is_submitted_again(
    name: str, struck: dict[str, Clone], local: Clone
) -> None:
    clone = struck[name]
    said = clone.finish(clone.running[0], 0, 300)
    assert said.count("Trying to restart") == 1
    assert re.search(r"mem_mb=(8000|2000)\b", said)  # twice what was asked for
    assert re.search(r"runtime=(120|2)\b", said)
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_training_that_always_dies_names_its_log_and_lets_others_finish(clone: Clone) -> None:
    clone.site(gpu_partition="gpu", trainings_per_job=1)
    clone.fault('case "$*" in *"--fold 1"*) echo "no luck"; exit 1;; esac')
    said = clone.on_slurm("--retries", "0", *RUNS, status=1)
    named = "results/demo/logs/runs/paper/S1-lc/fold1-seed0.log"
    assert named in said
    assert "no luck" in (clone.folder / named).read_text()
    assert (clone.folder / RUNS[1]).exists()
    assert not (clone.folder / RUNS[0]).exists()


def test_a_drained_node_is_waited_for(clone: Clone, local: Clone) -> None:
    node = ask("sinfo", "--noheader", "--format=%n", "--partition=gpu").strip()
    ask("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    try:
        process = clone.start_on_slurm()
        until(lambda: clone.jobs() == ["PENDING"])
        time.sleep(5)
        assert clone.jobs() == ["PENDING"]
    finally:
        ask("scontrol", "update", f"NodeName={node}", "State=RESUME")
    clone.finish(process, 0)
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_restarted_controller_loses_nothing(clone: Clone, local: Clone) -> None:
    clone.fault(HIT_ONCE + "sleep 10")
    process = clone.start_on_slurm()
    until((clone.folder / "struck").exists)
    subprocess.run([SANDBOX, "restart-controller"], check=True, timeout=60)
    said = clone.finish(process, 0)
    assert "Trying to restart" not in said
    assert clone.files_of_runs() == local.files_of_runs()


def test_snakemake_killed_and_started_again(clone: Clone, local: Clone) -> None:
    """What was whole stays; what was begun is made; the tables are the local run's."""
    clone.site(gpu_partition="gpu", trainings_per_job=1)
    for made in ("decisions", "tables"):
        shutil.rmtree(clone.folder / "results/demo" / made)
    (clone.folder / "results/demo/metrics.csv").unlink()
    clone.fault('case "$*" in *"--fold 2"*) if mkdir "$CLONE/struck"; then sleep 300; fi;; esac')
    process = clone.start_on_slurm("results/demo/tables/table1.csv")
    first = clone.folder / RUNS[0]
    until(lambda: "steps (" in clone.said() and first.exists() and clone.jobs() == ["RUNNING"], 120)
    before = first.stat().st_mtime_ns
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    clone.cancel()
    until(lambda: not clone.jobs())
    again = clone.on_slurm("results/demo/tables/table1.csv", status=1, seconds=60)
    assert "--unlock" in again
    clone.on_slurm("--unlock", seconds=60)
    said = clone.on_slurm("results/demo/tables/table1.csv")
    assert len(re.findall(r"has been submitted", said)) == 2  # fold 2; the numbers
    assert first.stat().st_mtime_ns == before
    assert clone.files_of_runs() == local.files_of_runs()
    table = "results/demo/tables/table1.csv"
    assert (clone.folder / table).read_bytes() == (local.folder / table).read_bytes()


def test_a_partition_that_is_not_there_is_said_in_slurms_words(clone: Clone) -> None:
    clone.site(gpu_partition="nowhere")
    said = clone.on_slurm(status=2, seconds=60)
    assert "invalid partition specified: nowhere" in said
    assert "Traceback" not in said


def test_a_key_that_is_not_there_is_one_line(clone: Clone) -> None:
    clone.site(acount="physics")
    said = clone.on_slurm(status=2, seconds=60)
    assert "site.yaml: unknown key 'acount'" in said
    assert "Traceback" not in said
