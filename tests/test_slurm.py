"""The profile on a real Slurm: the whole road, then one fault at a time; every wait has a limit."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import cluster
from emoword.layout import variant_of
from emoword.settings import laid_over, read_config

ROOT = Path(__file__).parent.parent
SANDBOX = ROOT / "tests" / "slurm_sandbox.sh"
BIN = Path(sys.executable).parent

Record = Callable[[str, object], None]

# 60 utterances, ten trainings of a network of a few thousand weights for two epochs: it learns
# nothing, but the road is whole.
EPOCHS = 2
CUT: dict[str, Any] = {
    "datasets": {
        "demo": {
            "utterances": 60,
            "settings": {
                "losses": ["lc"],
                "label_sets": ["S1"],
                "network": {"channels": [8, 8, 8], "lstm": 4, "hidden": [16]},
                "training": {"epochs": EPOCHS, "batch_size": 16},
            },
        }
    },
}


def cut_config() -> dict[str, Any]:
    """config.yaml with the demo cut down."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    demo, cut = config["datasets"]["demo"], CUT["datasets"]["demo"]
    demo["utterances"] = cut["utterances"]
    demo["settings"] = laid_over(demo["settings"], cut["settings"])
    return config


MODEL = variant_of(read_config(cut_config()), "demo", "paper").models[0]
RUNS = [f"results/demo/{MODEL.folder}/fold{fold}-seed0/run.json" for fold in (1, 2)]
# What a test waits for at most, in seconds: one run of a few jobs, on a machine with other work.
LONGEST = 400
FIRST_IS_WHOLE = 'mkdir "$CLONE/first" 2>/dev/null && exec "$EMOWORD" "$@"\n'
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
        self.begun = 0.0

    @classmethod
    def fresh(cls, folder: Path) -> "Clone":
        for name in ("src", "workflow", "paper", "envs", "slurm"):
            ignore = shutil.ignore_patterns("build")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "config.yaml").write_text(yaml.safe_dump(cut_config(), sort_keys=False))
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
        self.begun = time.time()
        with (self.folder / "said.log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                # a shell that runs the tests in the background lets what it starts ignore Ctrl-C
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        self.running.append(process)
        return process

    def seconds(self) -> int:
        """How long the last command took: until it said its last word."""
        return round((self.folder / "said.log").stat().st_mtime - self.begun)

    def said(self) -> str:
        return (self.folder / "said.log").read_text()

    def finish(self, process: subprocess.Popen[str], status: int, seconds: int = LONGEST) -> str:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"hung for {seconds} s:\n{self.said()[-4000:]}\n{ask('squeue')}")
        assert process.returncode == status, self.said()[-4000:]
        return self.said()

    def on_slurm(self, *arguments: str, status: int = 0, seconds: int = LONGEST) -> str:
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

    def log(self, run: str) -> str:
        folder = Path(run).parent
        path = self.folder / "results/demo/logs" / folder.relative_to("results/demo")
        return path.with_suffix(".log").read_text()

    def jobs(self) -> list[str]:
        """The states of this run's jobs that wait or run."""
        name = re.findall(r"SLURM run ID: (\S+)", self.said())
        return (
            ask("squeue", "--noheader", "--format=%T", f"--name={name[0]}").split() if name else []
        )

    def job(self) -> str:
        """The number of the last job that was submitted."""
        jobs: list[str] = re.findall(r"submitted with SLURM jobid (\d+)", self.said())
        return jobs[-1]

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


def until(true: Callable[[], bool], seconds: int = 120) -> None:
    """Wait until it is true, for so many seconds at most."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, f"waited {seconds} s in vain:\n{ask('squeue')}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[None]:
    """The sandbox for these tests alone: they drain its node and restart its daemons."""
    with (Path(tempfile.gettempdir()) / "emoword-slurm-tests.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.skip("other tests use the sandbox at the moment")
        yield


@pytest.fixture(scope="module")
def whole(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The command of the README, begun; sacct is installed, but has no database."""
    subprocess.run([SANDBOX, "up"], check=True, timeout=LONGEST)
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


def test_the_whole_road(whole: Clone, local: Clone, record_property: Record) -> None:
    assert shutil.which("sacct")
    assert cluster.status_command() == "squeue"
    said = whole.finish(whole.running[0], 0)
    assert " claims: " in said
    # inputs, features, ten trainings by fives, numbers
    assert said.count("has been submitted with SLURM jobid") == 5
    runs = sorted((whole.folder / "results/demo/logs/runs").rglob("*.log"))
    assert len(runs) == 10
    for log in runs:
        assert re.search(r"CUDA_VISIBLE_DEVICES=\d+ SLURM_JOB_ID=\d+", log.read_text()), log
    for kind in ("tables/*", "runs/*/*/*", "decisions/*", "metrics.csv", "figures/*.png"):
        here, there = (
            {p.relative_to(c.folder): p.read_bytes() for p in c.folder.glob(f"results/demo/{kind}")}
            for c in (whole, local)
        )
        assert here
        assert here == there, kind
    assert not list(whole.folder.rglob("*.checkpoint.safetensors"))
    assert not list(local.folder.rglob("*.checkpoint.safetensors"))
    record_property("seconds", whole.seconds())


# Train; after the first epoch, when its checkpoint is written, do $THEN and stand still.
STANDS_STILL = """
import os, sys, time
from emoword import cli
from emoword.training import checkpoint
save = checkpoint.save
def save_and_stand_still(*given):
    save(*given)
    os.system(os.environ["THEN"])
    time.sleep(300)
checkpoint.save = save_and_stand_still
cli.main(sys.argv[1:])
"""


def once_trained_an_epoch(then: str = "true") -> str:
    """Lines of shell: the first training to come gets no further than one epoch."""
    return HIT_ONCE + f"export THEN='{then}'\nexec {sys.executable} -c '{STANDS_STILL}' \"$@\""


# When all trainings of the job are whole, its results are gone until Snakemake has asked for them
# in vain for a quarter of a minute: what the node wrote is seen late by the login node.
SEEN_LATE = f"""if mkdir "$CLONE/struck" 2>/dev/null; then setsid sh -c '
  wait_for() {{ for i in $(seq 3000); do grep -qs "$1" $2 && return; sleep 0.1; done; exit; }}
  wait_for "2 of 2 steps" "results/slurm_logs/*/$SLURM_JOB_ID.log"
  for run in {" ".join(str(Path(run).parent) for run in RUNS)}; do mv $run $run.late; done
  wait_for "for missing files" said.log; sleep 15
  for late in results/demo/runs/*/*.late; do mv $late ${{late%.late}}; done
' > /dev/null 2>&1 & fi
"""


@dataclass(frozen=True)
class Fault:
    """What strikes the first training of a run, once.

    Attributes:
        lines: of shell; those of `memory` strike as long as the job has less than it needs.
        again: how often Snakemake submits the job again.
        after: the epoch after which the training is resumed, if it is.
        site: of the run; two trainings are one submission.
        gres: what else the trainings' jobs hold.
        says: what Snakemake says of it.
    """

    lines: str
    again: int = 1
    after: int | None = None
    site: dict[str, str | int] = field(default_factory=dict)
    gres: str = ""
    says: str = ""


def preempted(partition: str, again: int) -> Fault:
    """A more urgent job needs what one of this partition holds."""
    urgent = (
        f"sbatch --partition=urgent --gres={partition}:1 --time=1 --mem=50 --wrap=true -o /dev/null"
    )
    return Fault(
        once_trained_an_epoch(urgent),
        again=again,
        after=1,
        site={"gpu_partition": partition},
        gres=f"{partition}:1",
    )


FAULTS: dict[str, Fault] = {
    "exit code 1": Fault(HIT_ONCE + "exit 1"),
    "SIGKILL": Fault(HIT_ONCE + "kill -KILL $$"),
    "scancel": Fault(HIT_ONCE + "scancel $SLURM_JOB_ID; sleep 60"),
    "memory": Fault(
        f"{sys.executable} -c \"import time; b = b'x' * 1_000_000_000; time.sleep(4)\"",
        site={"megabytes_per_training": 1000},
    ),
    "time limit": Fault(
        once_trained_an_epoch(),
        after=1,
        site={"minutes_per_training": 1, "trainings_per_job": 1},
    ),
    "requeued": Fault(once_trained_an_epoch("scontrol requeue $SLURM_JOB_ID"), again=0, after=1),
    "preempted, requeued by Slurm": preempted("requeued", again=0),
    "preempted, cancelled by Slurm": preempted("cancelled", again=1),
    # the first training is whole, the second fails
    "half of a packed job": Fault(
        FIRST_IS_WHOLE + HIT_ONCE + "exit 1",
        after=EPOCHS,
    ),
    "late shared file system": Fault(SEEN_LATE, again=0, says="Waiting at most 60 seconds"),
}
# Slurm's own words for these are others where it keeps accounts.
WITH_ACCOUNTS = ("scancel", "requeued", "preempted, cancelled by Slurm")


def strike(names: Iterable[str], local: Clone, folder: Path) -> dict[str, Clone]:
    """A run for each fault, side by side: most of their time they wait."""
    clones = {}
    for name in names:
        fault = FAULTS[name]
        clone = without_two_runs(local, folder / name.replace(" ", "-"))
        defaults: dict[str, str | int] = {"gpu_partition": "gpu", "trainings_per_job": 2}
        clone.site(**(defaults | fault.site))
        clone.fault(fault.lines)
        if fault.gres:
            with (clone.folder / "slurm/config.yaml").open("a") as profile:
                profile.write(f"    gres: \"'{fault.gres}'\"\n")  # of train, the last rule there
        clone.start_on_slurm()
        clones[name] = clone
    return clones


@pytest.fixture(scope="module")
def struck(
    whole: Clone, local: Clone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Clone]]:
    whole.running[0].wait(LONGEST)
    folder = tmp_path_factory.mktemp("struck")
    clones = strike(["time limit"], local, folder)
    # its limit is a minute, in which an epoch has to be trained: the others wait for that
    runs = clones["time limit"].folder / "results/demo/runs"
    until(lambda: any(runs.rglob("*.checkpoint.safetensors")))
    clones |= strike([name for name in FAULTS if name not in clones], local, folder)
    yield clones
    for clone in clones.values():
        clone.stop()


@pytest.mark.parametrize("name", FAULTS)
def test_a_job_that_fails_is_made_again(
    name: str, struck: dict[str, Clone], local: Clone, record_property: Record
) -> None:
    it_was_made_again(name, struck[name], local, record_property)


def it_was_made_again(name: str, clone: Clone, local: Clone, record_property: Record) -> None:
    fault = FAULTS[name]
    said = clone.finish(clone.running[0], 0)
    record_property("fault", name)
    record_property("seconds", clone.seconds())
    record_property("submissions", said.count("has been submitted"))
    assert said.count("Trying to restart") == fault.again
    assert fault.says in said
    if fault.again:
        assert re.search(r"mem_mb=(8000|2000)\b", said)  # twice what was asked for
        assert re.search(r"runtime=(120|2)\b", said)
    went_on = [re.findall(r"resumed after epoch (\d+)", clone.log(run)) for run in RUNS]
    assert sorted(went_on) == ([[], [str(fault.after)]] if fault.after else [[], []])
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_training_that_always_dies_names_its_log_and_lets_others_finish(clone: Clone) -> None:
    clone.site(gpu_partition="gpu", trainings_per_job=1)
    clone.fault('case "$*" in *"--fold 1"*) echo "no luck"; exit 1;; esac')
    said = clone.on_slurm("--retries", "0", *RUNS, status=1)
    assert f"results/demo/logs/{MODEL.folder}/fold1-seed0.log" in said
    assert "no luck" in clone.log(RUNS[0])
    assert (clone.folder / RUNS[1]).exists()
    assert not (clone.folder / RUNS[0]).exists()


def test_a_packed_job_that_always_fails_shows_the_reason_and_keeps_the_rest(
    clone: Clone, local: Clone
) -> None:
    """Mended, the training that failed is made, and the one before it only written again."""
    clone.fault(FIRST_IS_WHOLE + 'echo "no luck"; exit 1')
    said = clone.on_slurm("--retries", "0", *RUNS, status=1)
    failed, other = sorted(RUNS, key=lambda run: "no luck" not in clone.log(run))
    assert f"results/demo/logs/{MODEL.folder}/{Path(failed).parent.name}.log" in said
    assert re.search(r"^no luck$", said, re.MULTILINE)
    shutil.rmtree(clone.folder / "bin")
    clone.on_slurm()
    assert "resumed" not in clone.log(failed)
    assert f"resumed after epoch {EPOCHS}" in clone.log(other)
    assert clone.files_of_runs() == local.files_of_runs()


MEET = """touch "$CLONE/here-$$"; tries=0
until [ "$(ls "$CLONE"/here-* | wc -l)" = 2 ]
do tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; sleep 0.2
done
"""


def test_trainings_share_a_gpu(clone: Clone, local: Clone) -> None:
    """Three of the four GPUs are taken, and each training waits for the other to begin."""
    clone.site(gpu_partition="gpu", trainings_per_job=1, training_gres="shard:1")
    clone.fault(MEET)
    others = ["sbatch", "--parsable", "--partition=gpu", "--gres=gpu:3", "--mem=50", "--time=5"]
    taken = ask(*others, "--output=/dev/null", "--wrap=sleep 300").strip()
    try:
        said = clone.on_slurm("--retries", "0", *RUNS)
    finally:
        ask("scancel", taken)
    assert said.count("has been submitted with SLURM jobid") == 2
    places = [re.findall(r"CUDA_VISIBLE_DEVICES=(\d+)", clone.log(run)) for run in RUNS]
    assert places[0] == places[1] != []
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_packed_job_asks_for_the_times_of_its_trainings_and_the_memory_of_one(
    clone: Clone,
) -> None:
    """With a share of a GPU as with a whole one: they take turns."""
    for gres in ("", "shard:1"):
        clone.site(gpu_partition="gpu", trainings_per_job=2, training_gres=gres)
        for run in RUNS:
            shutil.rmtree((clone.folder / run).parent, ignore_errors=True)
        said = clone.on_slurm("--retries", "0", *RUNS)
        (job,) = re.findall(r"submitted with SLURM jobid (\d+)", said)
        about = ask("scontrol", "show", "job", job)
        assert "TimeLimit=02:00:00" in about  # twice an hour
        assert "mem=4000M" in about
        assert "NumCPUs=2" in about


def test_the_whole_paper_is_at_most_sixty_submissions(tmp_path: Path) -> None:
    clone = Clone.fresh(tmp_path / "emoword")
    shutil.copy(ROOT / "config.yaml", clone.folder)
    corpus = f"iemocap_root={tmp_path}"
    said = clone.on_slurm("--dry-run", "--config", "dataset=iemocap", corpus)
    assert re.search(r"^train +250$", said, re.MULTILINE)
    # inputs, trainings by fives, numbers; the features
    groups = re.findall(r"Group job (\w+)", said)
    assert sorted(groups) == ["inputs", "numbers", *["training"] * 50]
    assert said.count("rule features:") == 1


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


def test_a_lost_node(clone: Clone, local: Clone) -> None:
    """Slurm queues its jobs again (NODE_FAIL), and the training is resumed."""
    clone.fault(once_trained_an_epoch())
    process = clone.start_on_slurm()
    until(lambda: any(clone.folder.glob("results/demo/runs/**/*.checkpoint.safetensors")))
    job = clone.job()
    try:
        subprocess.run([SANDBOX, "lose-node"], check=True, timeout=60)
        until(lambda: clone.jobs() == ["PENDING"])
        assert "Restarts=1" in ask("scontrol", "show", "job", job)
    finally:
        subprocess.run([SANDBOX, "up"], check=True, timeout=120)
    said = clone.finish(process, 0)
    assert "Trying to restart" not in said
    assert sum("resumed after epoch 1" in clone.log(run) for run in RUNS) == 1
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
    until(lambda: "steps (" in clone.said() and first.exists() and clone.jobs() == ["RUNNING"])
    before = first.stat().st_mtime_ns
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    clone.cancel()
    until(lambda: not clone.jobs())
    again = clone.on_slurm("results/demo/tables/table1.csv", status=1)
    assert "--unlock" in again
    clone.on_slurm("--unlock")
    said = clone.on_slurm("results/demo/tables/table1.csv")
    assert len(re.findall(r"has been submitted", said)) == 2  # fold 2; the numbers
    assert first.stat().st_mtime_ns == before
    assert clone.files_of_runs() == local.files_of_runs()
    table = "results/demo/tables/table1.csv"
    assert (clone.folder / table).read_bytes() == (local.folder / table).read_bytes()


def test_ctrl_c_cancels_the_jobs_and_the_same_command_goes_on(clone: Clone, local: Clone) -> None:
    clone.fault(once_trained_an_epoch())
    process = clone.start_on_slurm()
    until(lambda: any(clone.folder.glob("results/demo/runs/**/*.checkpoint.safetensors")))
    for _ in range(5):  # pressed again, should it not be heard
        os.kill(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
            break
    clone.finish(process, 1, 20)
    until(lambda: not clone.jobs())
    clone.on_slurm()
    assert sum("resumed after epoch 1" in clone.log(run) for run in RUNS) == 1
    assert clone.files_of_runs() == local.files_of_runs()


def test_a_partition_that_is_not_there_is_said_in_slurms_words(clone: Clone) -> None:
    clone.site(gpu_partition="nowhere")
    said = clone.on_slurm(status=1, seconds=60)
    assert "invalid partition specified: nowhere" in said
    assert "Traceback" not in said


def test_a_key_that_is_not_there_is_one_line(clone: Clone) -> None:
    clone.site(acount="physics")
    said = clone.on_slurm(status=1, seconds=60)
    assert "site.yaml: unknown key 'acount'" in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def struck_with_accounts(
    struck: dict[str, Clone], local: Clone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Clone]]:
    """Slurm keeps accounts in a database from here on, so that sacct answers."""
    up = subprocess.run([SANDBOX, "up-db"], capture_output=True, text=True, timeout=LONGEST)
    if up.returncode and not shutil.which("mariadbd"):
        pytest.skip(f"no MariaDB to be had: {up.stderr[-300:]}")
    assert up.returncode == 0, up.stderr
    clones = strike(WITH_ACCOUNTS, local, tmp_path_factory.mktemp("accounts"))
    yield clones
    for clone in clones.values():
        clone.stop()
    subprocess.run([SANDBOX, "up"], check=True, timeout=LONGEST)


@pytest.mark.parametrize("name", WITH_ACCOUNTS)
def test_with_accounts_a_job_that_fails_is_made_again(
    name: str, struck_with_accounts: dict[str, Clone], local: Clone, record_property: Record
) -> None:
    assert cluster.status_command() == "sacct"
    it_was_made_again(name, struck_with_accounts[name], local, record_property)
