"""The records that jobs left beside their logs, read as one graph of files and jobs.

A record is what `emoword.audit.recording` wrote. Paths in it are relative to the folder in which
the workflow ran, the root: ``results/demo`` lies two levels below it. `emoword provenance` keeps
all records of a dataset in one provenance.json, which is read where the logs are not (audit.zip).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emoword.io.errors import InputError
from emoword.io.files import read_json

SUFFIX = ".log.json"
FIELDS = ("command", "begun", "ended", "code", "packages", "host", "inputs", "outputs")


@dataclass(frozen=True)
class Job:
    """One job: the name of its record, the record, and path -> sha256 of what it read and wrote.

    The sha256 is empty where an input was too large to be hashed and its maker is not known.
    """

    name: str
    record: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def stage(self) -> str:
        """The subcommand of emoword."""
        return str(self.record["command"][1])

    @property
    def command(self) -> list[str]:
        """The command as typed, without emoword in front."""
        return [str(word) for word in self.record["command"][1:]]

    def written(self, path: str) -> Mapping[str, Any]:
        """What the record says of an output."""
        return next(entry for entry in self.record["outputs"] if entry["path"] == path)


@dataclass(frozen=True)
class Ledger:
    """All jobs of a dataset, oldest first.

    Attributes:
        root: the folder that the paths are relative to.
        jobs: by the name of their record.
        maker: path -> the job that wrote it last.
        readers: path -> the jobs that read it.
    """

    root: Path
    jobs: Mapping[str, Job]
    maker: Mapping[str, Job] = field(default_factory=dict)
    readers: Mapping[str, list[Job]] = field(default_factory=dict)

    def file(self, path: str) -> Path:
        """Where a recorded file lies here."""
        return Path(os.path.normpath(self.root / path))

    def ancestors(self, path: str) -> list[Job]:
        """The jobs behind a file, in an order in which they can run."""
        found: dict[str, Job] = {}

        def visit(path: str) -> None:
            job = self.maker.get(path)
            if job is None or job.name in found:
                return
            for name in job.inputs:
                visit(name)
            found[job.name] = job

        visit(path)
        return list(found.values())

    def hanging_on(self, path: str) -> list[str]:
        """All files that were made from a file, and from those, in the order of the jobs."""
        found: dict[str, None] = {}
        waiting = [path]
        while waiting:
            for job in self.readers.get(waiting.pop(), ()):
                fresh = [name for name in job.outputs if name not in found]
                found |= dict.fromkeys(fresh)
                waiting += fresh
        found.pop(path, None)
        order = [name for job in self.jobs.values() for name in job.outputs if name in found]
        return list(dict.fromkeys(order))


def root_of(folder: Path) -> Path:
    """The folder in which the workflow ran, of ``results/DATASET`` in it.

    Raises:
        InputError: it is no such folder.
    """
    folder = folder.absolute()
    if folder.parent.name != "results" or not folder.is_dir():
        raise InputError(f"{folder}: no folder of results, such as results/demo")
    return folder.parents[1]


def read_logs(folder: Path) -> dict[str, dict[str, Any]]:
    """The records beside a dataset's logs, and those of the word spaces that its jobs read.

    Returns:
        The record's path below the root -> the record.

    Raises:
        InputError: a record cannot be read.
    """
    root = root_of(folder)
    records = dict(found_in(root, folder / "logs"))
    read = {entry["path"] for record in records.values() for entry in record["inputs"]}
    spaces = dict(found_in(root, folder.parent / "spaces" / "logs"))
    wanted = {
        name: record
        for name, record in spaces.items()
        if any(entry["path"] in read for entry in record["outputs"])
    }
    return records | wanted


def found_in(root: Path, logs: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records in a folder of logs, by their path below the root."""
    for path in sorted(logs.absolute().rglob(f"*{SUFFIX}")):
        record = read_json(path)
        lacking = [name for name in FIELDS if name not in record]
        if lacking:
            raise InputError(f"{path}: no record of a job: it lacks {', '.join(lacking)}")
        yield str(path.relative_to(root)), record


def ledger(root: Path, records: Mapping[str, Mapping[str, Any]]) -> Ledger:
    """Join records into a graph; a job whose every output was written by a later one is left out.

    The sha256 of a large input, which its reader did not take, is that of its maker if size and
    time of the file were the same.
    """
    in_order = sorted(records, key=lambda name: (records[name]["ended"], name))
    last = {entry["path"]: (name, entry) for name in in_order for entry in records[name]["outputs"]}
    jobs, maker, readers = dict[str, Job](), dict[str, Job](), dict[str, list[Job]]()
    for name in in_order:
        record = records[name]
        own = [entry for entry in record["outputs"] if last[entry["path"]][0] == name]
        if not own:
            continue
        inputs = {entry["path"]: input_hash(entry, last) for entry in record["inputs"]}
        job = Job(name, record, inputs, {entry["path"]: entry["sha256"] for entry in own})
        jobs[name] = job
        maker |= dict.fromkeys(job.outputs, job)
        for path in inputs:
            readers.setdefault(path, []).append(job)
    return Ledger(root, jobs, maker, readers)


def input_hash(entry: Mapping[str, Any], last: Mapping[str, tuple[str, Mapping[str, Any]]]) -> str:
    """The sha256 of an input: its own, or its maker's where the file is the same."""
    if "sha256" in entry:
        return str(entry["sha256"])
    _, made = last.get(entry["path"], ("", {}))
    same = all(made.get(key) == entry[key] for key in ("bytes", "mtime_ns"))
    return str(made["sha256"]) if same else ""


def open_ledger(folder: Path) -> tuple[Ledger, dict[str, Any]]:
    """The graph of a dataset, from its records or else its provenance.json, and the latter.

    Raises:
        InputError: there is neither.
    """
    records = read_logs(folder)
    path = folder / "provenance.json"
    provenance: dict[str, Any] = read_json(path) if path.exists() else {}
    if not records and not provenance:
        raise InputError(
            f"{folder}: its jobs left no records; run the workflow again (--forceall), "
            "records are new in this version"
        )
    return ledger(root_of(folder), records or provenance["jobs"]), provenance


def short(paths: Iterable[str], folder: str = "") -> str:
    """Files in a few words: relative to a folder, endings together, those of many runs counted.

    >>> short(["r/a/x.csv", "r/a/x.pdf", "r/b/y.json"], "r")
    'a/x.csv .pdf, b/y.json'
    >>> short([f"runs/S1-lc/fold{i}-seed0/{name}" for i in (1, 2) for name in ("a.npy", "b.json")])
    'a.npy, b.json of 2 runs'
    """
    runs: dict[str, None] = {}
    in_runs: dict[str, None] = {}
    corpus: list[str] = []
    folders: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        name = path.removeprefix(folder + "/") if folder else path
        stem, dot, ending = name.rpartition(".")
        if "/runs/" in f"/{name}" and "/logs/" not in f"/{name}":
            runs[name.rpartition("/")[0]] = in_runs[name.rpartition("/")[2]] = None
        elif "corpus" in name.split("/") or ending == "wav":
            corpus.append(name)
        else:
            stems = folders.setdefault(name.rpartition("/")[0], {})
            stems.setdefault(stem or name, []).append(dot + ending)
    said = corpus if len(corpus) <= 3 else [f"{len(corpus)} files of the corpus"]
    if runs:
        where = next(iter(runs)) if len(runs) == 1 else f"{len(runs)} runs"
        said.append(f"{', '.join(in_runs)} of {where}")
    for place, stems in folders.items():
        listed = len(stems) <= 3 or not place or place.endswith(("tables", "figures"))
        parts = [stem + " ".join(ends) for stem, ends in sorted(stems.items())]
        said += parts if listed else [f"{place}/ ({len(parts)} files)"]
    return ", ".join(said)
