"""Record what a command did: ``emoword COMMAND ... --record FILE`` writes FILE when it is done.

A record is evidence to compare with, never an instruction: `emoword.audit.verify` decides by itself
what is recomputed. Inputs are not recorded, as each is the output of another job, or a source that
the configuration names.
"""

import hashlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from emoword.io import files
from emoword.layout import as_json

VERSION = 2
PACKAGE = Path(__file__).parents[1]
# what a result may depend on; recorded if it was imported
PACKAGES = ["matplotlib", "numpy", "pandas", "pyspellchecker", "safetensors", "scipy", "soundfile"]
PACKAGES += ["torch", "torchaudio", "transformers"]
MODULES = {"pyspellchecker": "spellchecker"}
UNFINISHED = ".checkpoint.safetensors"  # of no use once a training is whole


class Hashed(Struct, frozen=True):
    """The size of a file in bytes, and its sha256 in hexadecimal digits."""

    bytes: int
    sha256: str


class Code(Struct, frozen=True):
    """The code that ran; no commit: not in git; dirty: tracked files differ from the commit."""

    version: str
    sha256: str
    commit: str | None = None
    dirty: bool | None = None

    def __str__(self) -> str:
        edited = " (edited)" if self.dirty else ""
        commit = f", commit {self.commit[:12]}{edited}" if self.commit else ""
        return f"emoword {self.version}{commit}, code {self.sha256[:12]}"


class Record(Struct, frozen=True, kw_only=True):
    """What a job did.

    Attributes:
        command: as typed, without --record.
        begun: when, UTC, ISO 8601; ``ended`` likewise.
        seed: of the job's random numbers, if it has one.
        packages: name -> version, of those that were imported.
        host: system, machine, processor, cpus, device; the Slurm job.
        outputs: path, relative to the folder in which the job ran -> what it wrote there.
    """

    version: int
    command: tuple[str, ...]
    begun: str
    ended: str
    seed: int | None
    code: Code
    packages: dict[str, str]
    host: dict[str, str | int | None]
    outputs: dict[str, Hashed]


@contextmanager
def recorded(command: Sequence[str], path: Path) -> Iterator[None]:
    """Record in ``path`` what the command does within, if it succeeds."""
    begun, before = now(), len(files.written)
    yield
    written = sorted({path for path in files.written[before:] if path.is_file()})
    record = Record(
        version=VERSION,
        command=("emoword", *command),
        begun=begun,
        ended=now(),
        seed=int(command[command.index("--seed") + 1]) if "--seed" in command else None,
        code=code(),
        packages=package_versions(),
        host=host(),
        outputs={relative(p): hashed(p) for p in written if not p.name.endswith(UNFINISHED)},
    )
    write(record, path)


def write(value: Struct, path: Path) -> None:
    """Write a record, or many, as JSON."""
    with files.replacing(path) as made:
        made.write_text(f"{as_json(value)}\n", encoding="utf-8")


def relative(path: Path) -> str:
    """A path as seen from the working folder, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def hashed(path: Path) -> Hashed:
    """Size and sha256 of a file."""
    return Hashed(path.stat().st_size, files.sha256_of(path))


def now() -> str:
    """The time, UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def code() -> Code:
    """The package's version, the sha256 over its code, and its commit where it is in git."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        digest.update(f"{name}\0{hashed(path).sha256}\n".encode())
    about, root = (importlib.metadata.version("emoword"), digest.hexdigest()), PACKAGE.parents[1]
    options = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    if not (root / ".git").exists():
        return Code(*about)
    try:
        asked = subprocess.run(
            ["git", "-C", root, *options], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return Code(*about)
    said = asked.stdout.strip()
    return Code(*about, said.removesuffix("-dirty"), said.endswith("-dirty"))


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that this process has imported."""
    imported = [name for name in PACKAGES if MODULES.get(name, name) in sys.modules]
    versions = {name: importlib.metadata.version(name) for name in imported}
    return {"python": platform.python_version(), **versions}


def host() -> dict[str, str | int | None]:
    """What of the machine may matter to a result; no names of users or machines."""
    ours = getattr(os, "sched_getaffinity", None)  # Linux: those that Slurm gave us
    torch = sys.modules.get("torch")
    on_gpu = torch is not None and torch.cuda.is_initialized()
    facts: dict[str, str | int | None] = {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        "cpus": len(ours(0)) if ours else os.cpu_count(),
        "device": torch.cuda.get_device_name() if torch and on_gpu else "cpu",
    }
    if "SLURM_JOB_ID" in os.environ:
        facts["slurm_job"] = os.environ["SLURM_JOB_ID"]
        facts["slurm_node"] = os.environ.get("SLURMD_NODENAME", "")
    return facts


def processor() -> str:
    """The model of the CPU, as Linux or Python names it; empty where neither does."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:(.*)", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor()
