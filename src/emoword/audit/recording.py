"""Record what a stage did: `emoword --record FILE STAGE ...` writes FILE (JSON) when it is done.

What was read and written is not declared by anyone but observed: Python reports each file that is
opened or renamed (audit events of PEP 578). Inputs are the files below the working folder, or below
a path on the command line, that were opened for reading; outputs are what was renamed into place
(`emoword.io.files.replacing`). Libraries in other languages that open files on their own are not
seen: safetensors' reader (pretrained weights) and libsndfile, whose caller therefore reports.
Audio that a reader of a corpus found there, and did not open, is recorded as looked for.

Inputs above 64 MiB are recorded by size and time, and not hashed again by each of hundreds of
trainings: their maker has hashed them, and `emoword provenance` joins the two.
"""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emoword.io.files import write_json

VERSION = 1
HASHED_UP_TO = 64 * 2**20
PACKAGE = Path(__file__).parents[1]
# what a result may depend on; recorded if it was imported
PACKAGES = ["gensim", "jinja2", "matplotlib", "numpy", "pandas", "pyspellchecker", "safetensors"]
PACKAGES += ["scipy", "soundfile", "torch", "torchaudio", "transformers"]
MODULES = {"pyspellchecker": "spellchecker"}


class Recorder:
    """Watches which files this process opens and renames, from now on."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self.begun = now()
        self.opened: dict[str, None] = {}  # in order
        self.renamed: dict[str, None] = {}
        self.reported: dict[str, None] = {}  # by us, of libraries that open files unseen
        self.looked: dict[str, None] = {}  # by us, found there and not opened
        sys.addaudithook(self._hear)

    def _hear(self, event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = values
            if isinstance(path, str) and reads(mode, flags):
                self.opened[path] = None
        elif event == "os.rename":
            self.renamed[os.fsdecode(values[1])] = None
        elif event == "emoword.read":
            self.reported[values[0]] = None
        elif event == "emoword.looked":
            self.looked[values[0]] = None

    def write(self, path: Path, seed: int | None) -> None:
        """Write the record.

        Args:
            path: where to.
            seed: of the stage's random numbers, if it has one.
        """
        outputs = [name for name in files_of(self.renamed) if is_data(name, self.command)]
        opened = [name for name in files_of(self.opened) if is_data(name, self.command)]
        read = dict.fromkeys([*opened, *files_of(self.reported)])
        inputs = [name for name in read if name not in outputs]
        record = {
            "version": VERSION,
            "command": ["emoword", *self.command],
            "begun": self.begun,
            "ended": now(),
            "seed": seed,
            "code": code_version(),
            "packages": package_versions(),
            "host": host(),
            "inputs": [describe(name, most=HASHED_UP_TO) for name in sorted(inputs)],
            "outputs": [describe(name) for name in sorted(outputs)],
        }
        if self.looked:
            record["looked_for"] = sorted(files_of(self.looked))
        write_json(record, path)


def reads(mode: str | None, flags: int) -> bool:
    """Whether a file is opened for reading only (``mode`` is None where os.open was called)."""
    if mode is None:
        return flags & os.O_ACCMODE == os.O_RDONLY
    return mode.startswith("r") and "+" not in mode


def files_of(names: Iterable[str]) -> list[str]:
    """The files that are there at these paths, or in folders there; relative where possible."""
    here = Path.cwd()
    found: dict[str, None] = {}
    for name in names:
        path = Path(name)
        files = path.rglob("*") if path.is_dir() else [path]
        for file in files:
            if file.is_file() and not file.name.startswith(".snakemake"):
                inside = file.is_absolute() and file.is_relative_to(here)
                found[str(file.relative_to(here) if inside else file)] = None
    return list(found)


def is_data(name: str, command: Sequence[str]) -> bool:
    """Whether a file is data: below the working folder or named; no code, checkpoint or package."""
    path = Path(name)
    if name.endswith(".checkpoint.safetensors"):
        return False  # of no use once the training is whole
    if path.suffix in (".py", ".pyc", ".so") or (Path.cwd() / path).is_relative_to(sys.prefix):
        return False
    return not path.is_absolute() or any(path.is_relative_to(part) for part in command)


def describe(name: str, most: int | None = None) -> dict[str, Any]:
    """Path, size in bytes, time of last change, and sha256 unless it is larger than ``most``."""
    path = Path(name)
    state = path.stat()
    entry: dict[str, Any] = {"path": name, "bytes": state.st_size, "mtime_ns": state.st_mtime_ns}
    if most is None or state.st_size <= most:
        entry["sha256"] = sha256(path)
    return entry


def sha256(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def now() -> str:
    """The time, UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def code_version() -> dict[str, Any]:
    """The package's version and the sha256 over its code; its commit, where it is in git.

    Returns:
        version, sha256, commit (None: not in git), dirty (tracked files differ from the commit).
    """
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        digest.update(f"{name}\0{sha256(path)}\n".encode())
    about = {"version": importlib.metadata.version("emoword"), "sha256": digest.hexdigest()}
    root = PACKAGE.parents[1]
    if not (root / ".git").exists():
        return {**about, "commit": None, "dirty": None}
    options = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        asked = subprocess.run(
            ["git", "-C", root, *options], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return {**about, "commit": None, "dirty": None}
    said = asked.stdout.strip()
    return {**about, "commit": said.removesuffix("-dirty"), "dirty": said.endswith("-dirty")}


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that this process has imported."""
    imported = [name for name in PACKAGES if MODULES.get(name, name) in sys.modules]
    versions = {name: importlib.metadata.version(name) for name in imported}
    return {"python": platform.python_version(), **versions}


def host() -> dict[str, Any]:
    """What of the machine may matter to a result; no names of users or machines."""
    ours = getattr(os, "sched_getaffinity", None)  # Linux: those that Slurm gave us
    facts: dict[str, Any] = {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        "cpus": len(ours(0)) if ours else os.cpu_count(),
        "device": "cpu",
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        facts["device"] = torch.cuda.get_device_name()
    if "SLURM_JOB_ID" in os.environ:
        facts["slurm_job"] = os.environ["SLURM_JOB_ID"]
        facts["slurm_node"] = os.environ.get("SLURMD_NODENAME", "")
    return facts


def processor() -> str:
    """The model of the CPU, as Linux or Python names it; empty where neither does."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
