"""site.yaml, and the choice between sacct and squeue, with commands that stand in for Slurm's."""

import os
import subprocess
from pathlib import Path

import pytest

import cluster
from emoword.io.errors import InputError


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH; the test's current folder is another."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.setenv("PATH", str(bin_))
    return bin_


def command(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_no_file_is_the_defaults(tmp_path: Path) -> None:
    assert cluster.read_site(tmp_path / "site.yaml") == cluster.DEFAULTS


def test_settings_become_resources(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("partition: all\ngpu_partition: gpu-a100\ngpu_type: a100\naccount: 42\n")
    site = cluster.read_site(path)
    assert cluster.resources(site) == {"slurm_account": "'42'", "slurm_partition": "'all'"}
    assert cluster.resources(site, gpu=True) == {
        "gpu": 1,
        "turn": 1,
        "slurm_account": "'42'",
        "slurm_partition": "'gpu-a100'",
        "gpu_model": "'a100'",
    }


def test_trainings_may_ask_for_a_share_of_a_gpu(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("training_gres: shard:1\ngpu_type: a100\n")
    site = cluster.read_site(path)
    assert cluster.resources(site, gpu=True) == {"gpu": 1, "turn": 1, "gpu_model": "'a100'"}
    shared = cluster.resources(site, gpu=True, gres=site["training_gres"])
    assert shared == {"gpu": 0, "turn": 1, "gres": "'shard:1'"}


def test_a_site_without_gpus_asks_for_none(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("gpus: 0\ngpu_type: a100\n")
    assert cluster.resources(cluster.read_site(path), gpu=True) == {"gpu": 0, "turn": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acount: physics", "unknown key 'acount'"),
        ("just words", "should hold lines such as"),
        ("trainings_per_job: 0", "a number from 1 up, not 0"),
        ("gpus: true", "a number from 0 up, not True"),
        ("account: [a, b]", "should be a word"),
        ("account: 'a", "while scanning a quoted scalar"),
    ],
)
def test_a_faulty_file_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        cluster.read_site(path)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_slurm_it_is_said(slurm: Path) -> None:
    with pytest.raises(InputError, match="no sbatch on the PATH"):
        cluster.checked_site(cluster.read_site())


PREVIEWS = {"-n": True, "-np": True, "--dry-run": True, "-p": False, "--nolock": False}


@pytest.mark.parametrize("argument", [*PREVIEWS, "-j"])
def test_a_preview_goes_on_without_slurm(
    argument: str,
    slurm: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No commands of Slurm, then a controller that does not answer; one line each time."""
    monkeypatch.setattr("sys.argv", ["snakemake", "--cores", "8", argument])
    Path("site.yaml").write_text("partition: p\n")
    for said in ("no sbatch on the PATH", "sbatch: error: no contact"):
        if PREVIEWS.get(argument):
            site, _ = cluster.profile()
            assert site["partition"] == "p"
            assert capsys.readouterr().err.count("\n") == 1
        else:
            with pytest.raises(SystemExit) as ended:
                cluster.profile()
            assert said in str(ended.value.code)
            assert "\n" not in str(ended.value.code)
        command(slurm / "sbatch", "echo 'sbatch: error: no contact' >&2; exit 1")
        command(slurm / "scontrol", "exit 1")


def test_slurm_is_asked_with_the_sites_options(slurm: Path) -> None:
    Path("site.yaml").write_text(
        "account: a b\npartition: p\ngpu_partition: g\ngpu_type: a100\nextra: --nice=5\n"
    )
    command(
        slurm / "sbatch", f'for a; do printf "%s|" "$a"; done >> {slurm}/log; echo >> {slurm}/log'
    )
    cluster.checked_site(cluster.read_site())
    assert (slurm / "log").read_text().splitlines() == [
        "--test-only|--time=1|-pp|-A|a b|--nice=5|--wrap=true|",
        "--test-only|--time=1|-pg|-A|a b|--gpus=a100:1|--nice=5|--wrap=true|",
    ]


def test_slurms_refusal_is_one_line_in_its_words(slurm: Path) -> None:
    Path("site.yaml").write_text("partition: nowhere\n")
    command(slurm / "sbatch", "echo 'sbatch: error: no such\npartition' >&2; exit 1")
    with pytest.raises(InputError) as raised:
        cluster.checked_site(cluster.read_site())
    assert str(raised.value) == "site.yaml: with -pnowhere: sbatch: error: no such partition"


@pytest.mark.parametrize(("drained", "passes"), [("node1", True), ("", False)])
def test_a_drained_partition_is_no_mistake(drained: str, passes: bool, slurm: Path) -> None:
    said = "allocation failure: Requested node configuration is not available"
    command(slurm / "sbatch", f"echo '{said}' >&2; exit 1")
    command(slurm / "sinfo", f"echo '{drained}'")
    if passes:
        assert cluster.checked_site(cluster.read_site()) == cluster.DEFAULTS
    else:
        with pytest.raises(InputError, match=said):
            cluster.checked_site(cluster.read_site())


def test_sacct_is_asked_where_it_answers(slurm: Path) -> None:
    command(slurm / "sacct", "exit 0")
    assert cluster.status_command() == "sacct"


def test_squeue_is_asked_where_sacct_has_no_database(slurm: Path) -> None:
    command(slurm / "sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    command(slurm / "scontrol", "echo 'MinJobAge               = 300 sec'")
    assert cluster.status_command() == "squeue"


def test_a_slurm_that_forgets_is_refused(slurm: Path) -> None:
    command(slurm / "scontrol", "echo 'MinJobAge               = 30 sec'")
    with pytest.raises(InputError, match=r"forgets finished jobs too soon \(MinJobAge 30 s\)"):
        cluster.status_command()


def test_a_slurm_that_is_down_is_said(slurm: Path) -> None:
    command(slurm / "scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(InputError, match="Unable to contact slurm controller"):
        cluster.status_command()


STATES = {
    "sacct": "1|CANCELLED by 1000\n2|PREEMPTED\n3|PREEMPTED\n4|NODE_FAIL\n5|RUNNING\n6|TIMEOUT\n",
    "squeue": "2\n4\n5\n",
}


def states(slurm: Path, *question: str) -> subprocess.CompletedProcess[str]:
    """Ask sacct as the profile lets Snakemake do it."""
    ours = Path(__file__).parent.parent / "slurm" / "bin"
    path = f"{ours}{os.pathsep}{slurm}{os.pathsep}/usr/bin{os.pathsep}/bin"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        ["sacct", *question], env=environment, capture_output=True, text=True, timeout=60
    )


def test_states_come_in_the_plugins_words(slurm: Path) -> None:
    """Cancelled; queued again; preempted for good; queued again; as they are."""
    for name, said in STATES.items():
        command(slurm / name, f"printf '{said}'")
    done = states(slurm, "-X", "--format=JobIdRaw,State", "--name", "run")
    assert done.stdout == "1|CANCELLED\n2|PENDING\n3|FAILED\n4|PENDING\n5|RUNNING\n6|TIMEOUT\n"
    assert states(slurm, "-X", "--noheader").stdout == STATES["sacct"]  # another's question


@pytest.mark.parametrize("silent", STATES)
def test_where_slurm_does_not_answer_there_are_no_states(slurm: Path, silent: str) -> None:
    for name, said in STATES.items():
        command(slurm / name, "exit 1" if name == silent else f"printf '{said}'")
    done = states(slurm, "--format=JobIdRaw,State", "--name", "run")
    assert done.returncode
    assert not done.stdout


def test_no_jobs_are_no_lines(slurm: Path) -> None:
    for name in STATES:
        command(slurm / name, "exit 0")
    done = states(slurm, "--format=JobIdRaw,State", "--name", "run")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_folder_comes_first_on_the_path_once(slurm: Path) -> None:
    for _ in range(2):
        cluster.first_on_path("bin")
    assert os.environ["PATH"].split(os.pathsep) == [str(Path("bin").resolve()), str(slurm)]


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [
        ("infinite", None),
        ("n/a", None),
        ("30:00", 30),
        ("4:00:00", 240),
        ("7-00:00:00", 10080),
        ("1-12:30:00", 2190),
    ],
)
def test_limits_of_time_in_slurms_spelling(limit: str, minutes: int | None) -> None:
    assert cluster.minutes_of(limit) == minutes


def test_no_job_asks_for_more_time_than_its_partition_allows(slurm: Path) -> None:
    lines = r"case $* in *=gpu) echo gpu 4:00:00;; *) printf 'all* infinite\ngpu 4:00:00\n';; esac"
    command(slurm / "sinfo", lines)
    assert cluster.runtime(60, "") == "60 * attempt"
    assert cluster.runtime(60, "gpu", 5) == "min(60 * attempt, 48)"
    command(slurm / "sinfo", "echo 'short* 2:00'")
    assert cluster.runtime(60, "", 5) == "min(60 * attempt, 1)"
    command(slurm / "sinfo", "exit 1")
    assert cluster.runtime(60, "gpu") == "60 * attempt"
