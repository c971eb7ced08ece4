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
    if not re.search(r"^ClusterName\s*= sandbox$", config, re.MULTILINE):
        return "Slurm is not that of tests/slurm_sandbox.sh, the node of which may be drained"
    return None


def ask(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


pytestmark = [
    pytest.mark.slurm,
    pytest.mark.xdist_group("slurm"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or ""),
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

    def stop(self) -> None:
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        ask("scancel", *ask("squeue", "--noheader", "--format=%A").split())


def until(true: Callable[[], bool], seconds: int = 60) -> None:
    """Wait until it is true, for so many seconds at most."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"waited {seconds} s in vain:\n{ask('squeue')}"
        time.sleep(0.5)


def states() -> list[str]:
    """The states of the jobs that wait or run."""
    return ask("squeue", "--noheader", "--format=%T").split()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Everything made without Slurm: what the other runs are compared with."""
    clone = Clone.fresh(tmp_path_factory.mktemp("local") / "emoword")
    clone.finish(clone.start("snakemake", "--cores", "2"), 0)
    return clone


@pytest.fixture
def clone(local: Clone, tmp_path: Path) -> Iterator[Clone]:
    """A copy of what was made locally, without two of the runs, which are one submission each."""
    made = local.copy(tmp_path / "emoword")
    for run in RUNS:
        shutil.rmtree((made.folder / run).parent)
    made.site(gpu_partition="gpu", trainings_per_job=1)
    yield made
    made.stop()


def test_the_whole_road(local: Clone, tmp_path: Path) -> None:
    clone = Clone.fresh(tmp_path / "emoword")
    clone.site(gpu_partition="gpu")
    said = clone.finish(clone.start("snakemake", "--cores", "8", "--profile", "slurm"), 0, 400)
    assert "demo: done." in said
    # inputs, features, ten trainings by fives, numbers
    assert said.count("has been submitted with SLURM jobid") == 5
    runs = sorted((clone.folder / "results/demo/logs/runs").rglob("*.log"))
    assert len(runs) == 10
    for log in runs:
        assert re.search(r"CUDA_VISIBLE_DEVICES=\d+ SLURM_JOB_ID=\d+", log.read_text()), log
    kinds = ("tables/*", "runs/*/*/*/*", "decisions/*", "metrics.csv", "figures/*.png")
    for kind in kinds:
        here = {p.name: p.read_bytes() for p in (clone.folder / "results/demo").glob(kind)}
        there = {p.name: p.read_bytes() for p in (local.folder / "results/demo").glob(kind)}
        assert here
        assert here == there, kind


@pytest.mark.parametrize(
    "blow",
    [
        "exit 1",
        "kill -KILL $$",
        "scancel $SLURM_JOB_ID; sleep 60",
    ],
)
def test_a_training_that_dies_is_submitted_again(blow: str, clone: Clone, local: Clone) -> None:
    clone.fault(HIT_ONCE + blow)
    said = clone.on_slurm()
    assert said.count("Trying to restart") == 1
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_training_that_always_dies_names_its_log_and_lets_others_finish(clone: Clone) -> None:
    clone.fault('case "$*" in *"--fold 1"*) echo "no luck"; exit 1;; esac')
    said = clone.on_slurm("--retries", "1", *RUNS, status=1)
    named = "results/demo/logs/runs/paper/S1-lc/fold1-seed0.log"
    assert named in said
    assert "no luck" in (clone.folder / named).read_text()
    assert (clone.folder / RUNS[1]).exists()
    assert not (clone.folder / RUNS[0]).exists()


def test_too_little_memory_comes_back_with_more(clone: Clone, local: Clone) -> None:
    clone.site(gpu_partition="gpu", trainings_per_job=2, megabytes_per_training=1000)
    clone.fault(f"{sys.executable} -c \"import time; b = b'x' * 1_000_000_000; time.sleep(4)\"")
    said = clone.on_slurm()
    assert "mem_mb=2000" in said
    assert "Trying to restart" in said
    assert clone.files_of_runs() == local.files_of_runs()


def test_too_little_time_comes_back_with_more(clone: Clone, local: Clone) -> None:
    """From the beginning, with twice the minutes."""
    clone.site(gpu_partition="gpu", trainings_per_job=1, minutes_per_training=1)
    clone.fault(HIT_ONCE + "sleep 300")
    said = clone.on_slurm(seconds=300)
    assert "runtime=2" in said
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_drained_node_is_waited_for(clone: Clone, local: Clone) -> None:
    node = ask("sinfo", "--noheader", "--format=%n", "--partition=gpu").strip()
    ask("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    try:
        process = clone.start_on_slurm()
        until(lambda: states().count("PENDING") == 2)
        time.sleep(5)
        assert states() == ["PENDING", "PENDING"]
    finally:
        ask("scontrol", "update", f"NodeName={node}", "State=RESUME")
    clone.finish(process, 0)
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_restarted_controller_loses_nothing(clone: Clone, local: Clone) -> None:
    clone.site(gpu_partition="gpu", trainings_per_job=2)
    clone.fault(HIT_ONCE + "sleep 10")
    process = clone.start_on_slurm()
    until((clone.folder / "struck").exists)
    subprocess.run([SANDBOX, "restart-controller"], check=True, timeout=60)
    said = clone.finish(process, 0)
    assert "Trying to restart" not in said
    assert clone.files_of_runs() == local.files_of_runs()


def test_snakemake_killed_and_started_again(clone: Clone, local: Clone) -> None:
    """What was whole stays; what was begun is made; the tables are the local run's."""
    for made in ("decisions", "tables"):
        shutil.rmtree(clone.folder / "results/demo" / made)
    (clone.folder / "results/demo/metrics.csv").unlink()
    clone.fault('case "$*" in *"--fold 2"*) if mkdir "$CLONE/struck"; then sleep 300; fi;; esac')
    process = clone.start_on_slurm("results/demo/tables/table1.csv")
    first = clone.folder / RUNS[0]
    until(lambda: "steps (" in clone.said() and first.exists() and states() == ["RUNNING"], 120)
    before = first.stat().st_mtime_ns
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    again = clone.on_slurm("results/demo/tables/table1.csv", status=1, seconds=60)
    assert "--unlock" in again
    ask("scancel", *ask("squeue", "--noheader", "--format=%A").split())
    until(lambda: not states())
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
