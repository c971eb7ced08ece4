"""The results of a dataset as an auditor gets them: a folder, wherever it lies, or a zip.

Nothing is written to it, and nothing in it is followed: links and devices are set aside. Files are
known by the names that the workflow gives them, ``results/{dataset}/metrics.csv`` or
``results/spaces/{space}/meta.json``, whatever the folder is called.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec
from msgspec import Struct

from emoword.audit import archives, recording
from emoword.audit.recording import Code, Hashed, Record
from emoword.io.errors import InputError
from emoword.settings import Config, load_config, one, resolve

SPACES = "results/spaces"
SUFFIX = ".log.json"
MOST_RUNS = 10_000  # of a model
LARGEST_CONFIG = 2**20
R = TypeVar("R", Record, "Provenance")


class Provenance(Struct, frozen=True, kw_only=True):
    """What provenance.json says; its own sha256 seals all of it.

    Attributes:
        code: which gathered it.
        records: of all jobs, by the names of their files.
        files: name -> size and sha256 of every file of the results and of their word spaces.
        sources: the same of what the repository gives to them: templates, the paper's numbers.
    """

    version: int
    dataset: str
    code: Code
    records: dict[str, Record]
    files: dict[str, Hashed]
    sources: dict[str, Hashed]


class Stamp(Struct, frozen=True):
    """What says which version of emoword wrote a record, now or earlier."""

    version: int = 0
    code: dict[str, str | bool | None] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """The files of a dataset's results, and of the word spaces that they are made with.

    Attributes:
        title: as the user called it.
        config: what config.json says.
        packed: whether it was packed by `emoword archive`, which leaves some files out.
        files: name -> where it lies.
        odd: name -> why it is set aside: a link, a device, a name that is none.
    """

    title: str
    config: Config
    packed: bool
    files: Mapping[str, Path]
    odd: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """``results/demo``."""
        return f"results/{self.config.dataset}"

    @cached_property
    def provenance(self) -> Provenance | None:
        """What provenance.json says; None if there is none."""
        path = self.files.get(f"{self.folder}/provenance.json")
        return read(path, Provenance) if path else None

    @cached_property
    def records(self) -> dict[str, Record]:
        """The records beside the logs, by name."""
        names = [name for name in self.files if name.endswith(SUFFIX)]
        return {name: read(self.files[name], Record) for name in names}

    def below(self, name: str) -> str:
        """A name as seen from the results: metrics.csv, ../spaces/embedded/meta.json."""
        own = f"{self.folder}/"
        if name.startswith(own):
            return name.removeprefix(own)
        return name.replace("results/", "../", 1)


def read(path: Path, kind: type[R]) -> R:
    """Read a record, or provenance.json.

    Raises:
        InputError: it is none, or of another version: says which made it.
    """
    try:
        data = path.read_bytes()
        stamp = msgspec.json.decode(data, type=Stamp)
        if stamp.version == recording.VERSION:
            return msgspec.json.decode(data, type=kind)
        made_by = f"emoword {stamp.code.get('version') or 'of an earlier version'}"
        commit = f" (commit {stamp.code['commit']})" if stamp.code.get("commit") else ""
        raise InputError(f"{path}: made by {made_by}{commit}: verify it with that version")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: no record of a job of emoword: {error}") from None


@contextmanager
def opened(path: Path, spaces: Path | None = None) -> Iterator[Results]:
    """The results in a folder or zip.

    Args:
        path: results/{dataset} under any name, what a zip of it was unpacked to, or the zip.
        spaces: where the word spaces lie, if not beside the dataset.

    Raises:
        InputError: it holds no results, those of several datasets, or a zip is refused.
    """
    if path.is_dir():
        yield look_at(path, path, spaces)
        return
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    with TemporaryDirectory(prefix="emoword-archive-") as place:
        archives.unpack(path, Path(place))
        yield look_at(path, Path(place), spaces)


def look_at(title: Path, top: Path, spaces: Path | None) -> Results:
    """The results in a folder, or in the one folder results/DATASET below it."""
    top = folder = top.resolve()
    if not (folder / "config.json").exists():
        found = sorted(folder.glob("results/*/config.json"))
        if len(found) != 1:
            raise InputError(
                f"{title}: no config.json in it, and {len(found)} files "
                "results/DATASET/config.json: not the results of a dataset"
            )
        folder = found[0].parent
    config = read_config(folder / "config.json")
    files, odd = dict[str, Path](), dict[str, str]()
    collect(folder, f"results/{config.dataset}", files, odd)
    around = spaces.resolve() if spaces else folder.parent / "spaces"
    for name in spaces_of(config, files):
        if not around.is_symlink():
            collect(around / name, f"{SPACES}/{name}", files, odd)
        for log in (f"logs/{name}{SUFFIX}", f"logs/{name}.log", f"benchmarks/{name}.tsv"):
            if is_plain(around / log):
                files[f"{SPACES}/{log}"] = around / log
    if folder != top:  # the rest of what was packed
        seen, rest = {*files.values()}, dict[str, Path]()
        collect(top, "", rest, odd)
        files |= {name: path for name, path in rest.items() if path not in seen}
    return Results(str(title), config, folder != top, files, odd)


def read_config(path: Path) -> Config:
    """Read config.json, from which all else is derived; refuse what is more than anybody runs."""
    if path.resolve() != path or not is_plain(path) or path.stat().st_size > LARGEST_CONFIG:
        raise InputError(f"{path}: a link, or no plain file, or too large: not looked at")
    try:
        config = load_config(path)
    except RecursionError:
        raise InputError(f"{path}: nested too deep") from None
    own = one(config, "datasets", config.dataset)
    folds = config.folds(config.dataset)
    if folds * len(own.seeds) > MOST_RUNS:
        raise InputError(f"{path}: {folds} folds x {len(own.seeds)} seeds: too many runs")
    return config


def spaces_of(config: Config, files: Mapping[str, Path]) -> list[str]:
    """The word spaces of the variants that there are, and of those of a plain run."""
    dataset, plain = config.dataset, config.datasets[config.dataset].variants
    there = (
        name
        for name in config.every_variant(dataset)
        if name in plain or f"results/{dataset}/variants/{name}.json" in files
    )
    return list(dict.fromkeys(resolve(config, dataset, name).space for name in there))


def collect(folder: Path, name: str, files: dict[str, Path], odd: dict[str, str]) -> None:
    """List the files of a folder under ``name``; what is none is set aside, and not followed."""
    if folder.is_symlink():
        odd[name] = "a link, which is not followed"
        return

    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=fail if folder.exists() else None):
        for entry in (*folders, *names):
            path = Path(place, entry)
            called = f"{name}/{path.relative_to(folder).as_posix()}".removeprefix("/")
            if not called.isprintable():
                odd[ascii(called)] = "a name that no job gives"
            elif is_plain(path):
                files[called] = path
            elif path.is_symlink() or not path.is_dir():
                odd[called] = "a link or a device, which is not followed"


def is_plain(path: Path) -> bool:
    """Whether there is a regular file; not by way of a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
