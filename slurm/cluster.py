"""What ``--profile slurm`` has to know of a site: ``site.yaml``, and how Slurm tells of jobs.

``slurm/config.yaml`` calls these functions whenever Snakemake reads it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from emoword.io.errors import InputError

# Everything that differs from cluster to cluster; site.yaml holds those that do not suit.
DEFAULTS: dict[str, str | int] = {
    "account": "",  # sbatch -A; empty: Slurm's own
    "partition": "",  # sbatch -p; empty: Slurm's default partition
    "gpu_partition": "",  # of the rules that ask for a GPU; empty: as `partition`
    "gpus": 1,  # of each of these rules; 0: no GPU is asked for
    "gpu_type": "",  # such as a100; empty: any
    "constraint": "",  # sbatch -C
    "qos": "",  # sbatch --qos
    "extra": "",  # further options of sbatch, such as --mail-type=FAIL
    "training_gres": "",  # of trainings in place of a whole GPU: shard:1, mps:25
    "trainings_per_job": 5,  # one after the other in one allocation
    "megabytes_per_training": 4000,
    "minutes_per_training": 60,
}

# Between two looks at the jobs Snakemake may let this many seconds pass (the plugin's own maximum
# of 180, and a margin). Without accounts Slurm must not forget a finished job sooner.
REMEMBERED = 200


def read_site(path: Path = Path("site.yaml")) -> dict[str, str | int]:
    """The site's settings: ``DEFAULTS``, with what the file says laid over them.

    Raises:
        InputError: the file is no map, has an unknown key or a value of another type.
    """
    try:
        own = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        own = {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(own, dict):
        raise InputError(f"{path}: should hold lines such as `account: physics`")
    for key, value in own.items():
        if key not in DEFAULTS:
            raise InputError(f"{path}: unknown key {key!r}; there are {', '.join(DEFAULTS)}")
        if isinstance(DEFAULTS[key], int):
            least = 0 if key == "gpus" else 1
            if type(value) is not int or value < least:
                raise InputError(f"{path}: {key} should be a number from {least} up, not {value!r}")
        elif not isinstance(value, str | int):
            raise InputError(f"{path}: {key} should be a word, not {value!r}")
    return {key: type(default)(own.get(key, default)) for key, default in DEFAULTS.items()}


def resources(
    site: dict[str, str | int], gpu: bool = False, gres: str | int = ""
) -> dict[str, str | int]:
    """The site's settings as resources of the Slurm executor; words are quoted for Snakemake.

    Snakemake reads a resource as Python first, so that a partition named ``all`` or ``gpu-a100``
    has to come as a literal.

    Args:
        site: as `read_site` gives it.
        gpu: of a rule that asks for one.
        gres: what it asks for in its place, a share of one.
    """
    words = {
        "slurm_account": site["account"],
        "slurm_partition": (gpu and site["gpu_partition"]) or site["partition"],
        "constraint": site["constraint"],
        "qos": site["qos"],
        "slurm_extra": site["extra"],
    }
    numbers: dict[str, str | int] = {}
    if gpu:
        numbers["gpu"] = site["gpus"]
        words["gpu_model"] = site["gpus"] and site["gpu_type"]
        numbers["turn"] = 1
    if gres:
        numbers["gpu"] = 0
        words |= {"gpu_model": "", "gres": gres}
    return numbers | {name: repr(word) for name, word in words.items() if word}


def is_preview(arguments: Sequence[str]) -> bool:
    """Whether Snakemake is only asked what it would do: ``-n``, ``-np``, ``--dry-run``."""
    words = ("--dry-run", "--dryrun")
    return any(a in words or re.fullmatch(r"-[a-zA-Z]*n[a-zA-Z]*", a) for a in arguments)


def profile() -> tuple[dict[str, str | int], str]:
    """The site's settings, and what is asked for the state of jobs; a mistake ends Snakemake.

    A preview where no Slurm answers goes on with what site.yaml says, and says so.
    """
    preview = is_preview(sys.argv[1:])
    try:
        site = read_site()
        if preview and not answers():
            print("slurm: no Slurm answers here, so it was not asked.", file=sys.stderr)
            return site, "squeue"
        return checked_site(site), status_command()
    except InputError as error:
        # not an exception, before which Snakemake would print its usage
        sys.exit(f"slurm: {error}")


def answers() -> bool:
    """Whether there is a Slurm, and its controller answers."""
    return shutil.which("sbatch") is not None and ask("scontrol", "ping").returncode == 0


def checked_site(site: dict[str, str | int]) -> dict[str, str | int]:
    """The same settings, after Slurm has said that it would take jobs with them.

    Asked before anything runs: of a packed job that is refused, Snakemake names the trainings and
    not the reason.

    Raises:
        InputError: in Slurm's words.
    """
    if not shutil.which("sbatch"):
        raise InputError("no sbatch on the PATH: use --profile slurm on the cluster's login node")
    plain = {"-A": "account", "-C": "constraint", "--qos": "qos"}
    if site["training_gres"] and not site["gpus"]:
        raise InputError("site.yaml: training_gres is a share of a GPU, and gpus is 0")
    gpus = ":".join(str(v) for v in (site["gpu_type"], 1) if v)
    requests = [f"--gpus={gpus}"] if site["gpus"] else [""]
    requests += [f"--gres={site['training_gres']}"] if site["training_gres"] else []
    for gpu in ("", *requests):
        partition = (gpu and site["gpu_partition"]) or site["partition"]
        options = [f"-p{partition}"] if partition else []
        for option, key in plain.items():
            if site[key]:
                options += [option, str(site[key])]
        if gpu:
            options.append(gpu)
        options += shlex.split(str(site["extra"]))
        done = ask("sbatch", "--test-only", "--time=1", *options, "--wrap=true")
        if done.returncode and not may_wait(done.stderr, partition):
            told = " ".join(done.stderr.split())
            raise InputError(f"site.yaml: with {shlex.join(options) or 'nothing set'}: {told}")
    return site


def runtime(minutes: str | int, partition: str | int, in_a_row: str | int = 1) -> str:
    """Minutes to ask for, as Snakemake reads it: more at each attempt, within a partition's limit.

    A job that asks for more than its partition allows is refused, or waits for ever.

    Args:
        minutes: at the first attempt.
        partition: its name; empty: Slurm's default partition.
        in_a_row: how many such steps one job may take one after the other.
    """
    said = ask("sinfo", "--noheader", "--format=%P %l", *on(partition)).stdout
    limits = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)
    default = next((limit for name, limit in limits.items() if name.endswith("*")), "infinite")
    limit = minutes_of(next(iter(limits.values()), default) if partition else default)
    asked = f"{minutes} * attempt"
    return f"min({asked}, {max(1, limit // int(in_a_row))})" if limit else asked


def minutes_of(limit: str) -> int | None:
    """``1-02:30:00``, ``02:30:00`` or ``30:00`` as whole minutes; None: there is no limit."""
    days, _, clock = limit.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in [days or "0", *parts]):
        return None  # "infinite", or nothing that Slurm says of times
    hours, minutes, _ = (int(part) for part in ["0", "0", *parts][-3:])
    return (int(days or 0) * 24 + hours) * 60 + minutes


def on(partition: str | int) -> list[str]:
    """The option that names a partition; none for Slurm's default."""
    return [f"--partition={partition}"] if partition else []


def may_wait(refusal: str, partition: str | int) -> bool:
    """Whether a refusal may pass: no node suits now, and some of them are drained or down.

    Tested, a job for nodes that are all drained is refused; submitted, it waits for them.
    """
    if "node configuration is not available" not in refusal:
        return False
    states = "--states=drain,down,maint"
    return bool(ask("sinfo", "--noheader", "--format=%n", states, *on(partition)).stdout.strip())


def first_on_path(folder: str) -> None:
    """Let the commands in a folder be found before others of their name."""
    path = os.environ["PATH"].split(os.pathsep)
    first = str(Path(folder).resolve())
    if first not in path:
        os.environ["PATH"] = os.pathsep.join([first, *path])


def status_command() -> str:
    """``sacct`` where it answers, else ``squeue``.

    The executor plugin takes sacct wherever it is installed; where Slurm keeps no accounts it then
    asks for ever.

    Raises:
        InputError: Slurm does not answer, or neither command can be trusted.
    """
    if shutil.which("sacct") and ask("sacct", "-X", "--noheader").returncode == 0:
        return "sacct"
    config = ask("scontrol", "show", "config")
    if config.returncode:
        raise InputError(f"Slurm does not answer: {' '.join(config.stderr.split())}")
    found = re.search(r"^MinJobAge\s*=\s*(\d+)", config.stdout, re.MULTILINE)
    if not found or int(found[1]) < REMEMBERED:
        age = found[1] if found else "unknown"
        raise InputError(
            "sacct does not answer, and squeue forgets finished jobs too soon (MinJobAge "
            f"{age} s): ask the administrators for accounting or a MinJobAge of {REMEMBERED} s"
        )
    return "squeue"


def ask(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Slurm, for a minute at most."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]}: no such command")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]}: no answer in 60 s")
