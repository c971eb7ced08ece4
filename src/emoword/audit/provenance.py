r"""Gather the records of all jobs of a dataset into one file, provenance.json.

    emoword provenance results/demo --also results/demo/config.json --out provenance.json

It holds every job's record (command, inputs and outputs with sha256, versions, host, begin and
end), the sha256 of files that no stage of emoword made (--also), and the configuration. Its own
sha256, printed and worth publishing beside the results, seals them all.

Large inputs are recorded by size and time by each of hundreds of trainings; here they get the
sha256 that their maker took, if size and time are the same, and none otherwise (counted).
"""

import argparse
from pathlib import Path
from typing import Any

from emoword.audit.recording import describe, sha256
from emoword.audit.records import Ledger, ledger, read_logs, root_of
from emoword.io.errors import InputError
from emoword.io.files import read_json, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword provenance``."""
    add = parser.add_argument
    add("folder", type=Path, help="results of a dataset, such as results/demo")
    add("--also", type=Path, nargs="*", default=[], help="files that no stage of emoword made")
    add("--out", type=Path, required=True, help="provenance.json to write")


def main(arguments: argparse.Namespace) -> None:
    """Write provenance.json."""
    records = read_logs(arguments.folder)
    if not records:
        raise InputError(
            f"{arguments.folder}/logs: no records of jobs; results of an earlier version have "
            "none: run the workflow again with --forceall"
        )
    jobs = ledger(root_of(arguments.folder), records)
    provenance = gather(jobs, arguments.folder, arguments.also)
    write_json(provenance, arguments.out)
    unhashed = sum(not digest for job in jobs.jobs.values() for digest in job.inputs.values())
    print(
        f"{len(jobs.jobs)} jobs, {len(jobs.maker)} files made by them; "
        f"{unhashed} inputs without sha256 (large, and changed since they were made)"
    )
    print(f"sha256 of {arguments.out}: {sha256(arguments.out)}")


def gather(jobs: Ledger, folder: Path, also: list[Path]) -> dict[str, Any]:
    """What provenance.json says.

    Returns:
        dataset; config (as in config.json, if that is among ``also``); jobs (record's name ->
        record); unrecorded (path, bytes, mtime_ns, sha256 of ``also``).
    """
    configs = [path for path in also if path.name == "config.json"]
    return {
        "version": 1,
        "dataset": folder.absolute().name,
        "config": read_json(configs[0]) if configs else None,
        "jobs": {name: dict(job.record) for name, job in sorted(jobs.jobs.items())},
        "unrecorded": [describe(str(path)) for path in sorted(also)],
    }
