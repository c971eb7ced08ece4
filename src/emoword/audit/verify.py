r"""Recompute everything that needs no training, and compare all files with what was recorded.

    emoword verify results/demo
    emoword verify audit.zip                             # or what it was unpacked to
    emoword verify audit.zip --corpus /data/IEMOCAP_full_release

Each job left a record beside its log: its command, what it read and wrote, each file's sha256.
Every file is compared with its record. Then the recorded commands are run again in a temporary
folder (all but trainings and what needs audio), each with the very bytes that it read at the time,
and what comes out is compared byte by byte with what lies there. Nothing is changed. Needs no
audio, features, GPU or Snakemake, runs nothing but stages of emoword, and trusts no record alone.

Named are the files that differ, since when, where they differ, and which files hang on them. The
exit status is 1 if any file differs or is missing, else 0.

An edit by someone who also edits the record is found where recomputing gives something else, or
where another job recorded what it had read. Not found is what is consistent throughout: predictions
that were replaced and from which all else, records included, was made anew. Against that only a
training again helps (`./run --forceall`: the same bytes on the same kind of machine), or a sha256
of provenance.json or audit.zip that was published in time; it is printed for comparison.
"""

import argparse
import contextlib
import json
import math
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.audit.archive import opened
from emoword.audit.recording import code_version, host, sha256
from emoword.audit.records import Job, Ledger, open_ledger, short
from emoword.audit.replay import NEEDS, Replay, differences
from emoword.cli import build_parser
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table
from emoword.tables import model
from emoword.tables.model import Key

CLOSE = 1e-9  # relative; other processors and libraries round otherwise
# places that may be named elsewhere, by the option of the command that read them
ROOT_OPTIONS = ("--root", "--table", "--annotations-table")


@dataclass
class Problem:
    """A file that is not what it should be, and what can be said of it."""

    path: str
    what: str
    details: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword verify``."""
    add = parser.add_argument
    add("folder", type=Path, help="results of a dataset, such as results/demo, or an audit.zip")
    add(
        "--corpus",
        type=Path,
        help="where the corpus lies here (IEMOCAP: the folder of Session1 .. Session5), if not "
        "where it lay then; without it, labels and comments are compared with their record only",
    )
    add("--quick", action="store_true", help="compare with the records only, recompute nothing")


def main(arguments: argparse.Namespace) -> None:
    """Verify; exits with status 1 if something differs."""
    with (
        opened(arguments.folder) as folder,
        tempfile.TemporaryDirectory(prefix="emoword-verify-") as scratch,
    ):
        ledger, provenance = open_ledger(folder)
        replay = Replay(ledger, Path(scratch), roots(ledger, arguments.corpus))
        if not arguments.quick:
            replay.run(ledger.jobs.values(), progress(len(ledger.jobs)))
        left_out = read_left_out(folder)
        problems = list(find_problems(replay, provenance, left_out))
        problems += edited_records(ledger, provenance)
        print(report(arguments.folder, folder, replay, problems, provenance, left_out))
    if problems:
        sys.exit(1)


def read_left_out(folder: Path) -> dict[str, str]:
    """Path -> reason of what an archive does not hold; nothing where this is none."""
    if (folder / "logs").exists():
        return {}
    for place in folder.parents:
        if (place / "left_out.json").exists():
            return dict(read_json(place / "left_out.json"))
    return {}


def roots(ledger: Ledger, corpus: Path | None) -> list[tuple[str, Path]]:
    """Where corpora outside the root lay then, and where they lie here.

    Raises:
        InputError: --corpus is no folder, or nothing was read from a corpus.
    """
    found = []
    for job in ledger.jobs.values():
        command = job.command
        for option, value in pairwise(command):
            if option in ROOT_OPTIONS and value not in ledger.maker:
                root = Path(value) if option == "--root" else Path(value).parent
                made = any(Path(path).is_relative_to(root) for path in ledger.maker)
                if not made:
                    found.append((str(root), corpus or ledger.file(str(root))))
    if corpus is not None and not corpus.is_dir():
        raise InputError(f"--corpus {corpus}: no such folder")
    if corpus is not None and not found:
        raise InputError("--corpus: these results were made from no corpus outside their folder")
    return [(old, new.absolute()) for old, new in found]


def progress(total: int) -> Any:
    """Say on a terminal which job was looked at."""
    seen: list[Job] = []

    def tell(job: Job) -> None:
        seen.append(job)
        if sys.stderr.isatty():
            print(f"\r\033[K{len(seen)} of {total}: {job.stage}", end="", file=sys.stderr)
            if len(seen) == total:
                print("\r\033[K", end="", file=sys.stderr)

    return tell


# ----------------------------------------------------------------------------- what is wrong


def find_problems(
    replay: Replay, provenance: Mapping[str, Any], left_out: Mapping[str, str]
) -> Iterator[Problem]:
    """Every recorded file that is missing, was edited, or is not what its command gives."""
    ledger = replay.ledger
    owners: dict[str, list[str]] = {}
    for path, digest in expected(ledger, provenance).items():
        owners.setdefault(digest, []).append(path)
    for path, digest in expected(ledger, provenance).items():
        file, job = replay.here(path), ledger.maker.get(path)
        is_ours = job is not None or path in unrecorded(provenance)
        found = replay.hash(file)
        anew = replay.made.get(path)
        if not found:
            if is_ours and path not in left_out and not is_partial(path):
                yield Problem(path, "is missing", hanging(ledger, path))
            continue
        details = list(differences(file, anew)) if anew and replay.hash(anew) != found else []
        if not digest:
            continue  # a large file that nobody hashed; provenance says so
        if found != digest:
            details += config_differences(file, path, provenance)
            when = [] if left_out else since(path, file, job)  # unpacking sets the times
            if found in owners:
                when = [f"holds what is recorded as {twin(path, owners[found])}: swapped?"]
            if anew and file.name == "metrics.csv":
                details += metrics_cells(ledger, file, anew)
            what = "is not what was recorded" if is_ours else "is not what was read"
            yield Problem(path, what, [*when, *details, *hanging(ledger, path)])
        elif anew and replay.hash(anew) != found and job and not excused(job, file, anew):
            command = f"emoword {' '.join(job.command[:2])} ..."
            what = f"is not what `{command}` gives when run again"
            yield Problem(path, what, [*why_not(job), *details, *hanging(ledger, path)])
        elif job and (others := readers_of_other_bytes(ledger, path, digest)):
            what = "is not what others read: it was made again, or it and its record were edited"
            yield Problem(path, what, [f"read otherwise by {short(others)}"])


def expected(ledger: Ledger, provenance: Mapping[str, Any]) -> dict[str, str]:
    """Path -> sha256 of every file in the records: as its maker, else as its reader has it."""
    read = {path: digest for job in ledger.jobs.values() for path, digest in job.inputs.items()}
    made = {path: job.outputs[path] for path, job in ledger.maker.items()}
    return {**read, **{p: e["sha256"] for p, e in unrecorded(provenance).items()}, **made}


def unrecorded(provenance: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Files that no stage of emoword made (config.json), as gathered in provenance.json."""
    return {entry["path"]: entry for entry in provenance.get("unrecorded", ())}


def is_partial(path: str) -> bool:
    """Whether a file may be gone when all is well."""
    return path.endswith(".checkpoint.safetensors")


def twin(path: str, others: Sequence[str]) -> str:
    """Of other files the one that is named most alike; only its folder, if the names are alike."""
    # letter by letter, so that S1-lc/fold1 is nearer to S1-lc/fold2 than to S1-ce/fold2
    other = max(others, key=lambda name: len(os.path.commonprefix([path, name])))  # noqa: RUF071
    (folder, _, name), (place, _, last) = path.rpartition("/"), other.rpartition("/")
    return place if name == last and folder != place else other


def together(problems: Sequence[Problem]) -> list[Problem]:
    """The problems, those of one folder of a run as one if the same is said of all."""
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        folder = problem.path.rpartition("/")[0]
        key = folder if "/runs/" in folder else problem.path
        groups.setdefault((key, problem.what, *problem.details[:1]), []).append(problem)
    merged = []
    for (key, what, *_), group in groups.items():
        if len(group) == 1:
            merged += group
            continue
        names = ", ".join(problem.path.rpartition("/")[2] for problem in group)
        # what most hangs on says it all
        hang = max(group, key=lambda problem: len(problem.details[-1])).details[-1:]
        details = dict.fromkeys(text for problem in group for text in problem.details[:-1])
        details |= dict.fromkeys(hang)
        merged.append(Problem(f"{key}: {names}", what, list(details)))
    return merged


def since(path: str, file: Path, job: Job | None) -> list[str]:
    """When a file was changed, where its time tells."""
    if job is None:
        return [f"changed {clock(file.stat().st_mtime)}"]
    made = job.written(path)["mtime_ns"] / 1e9
    changed = file.stat().st_mtime
    ended = f"the job that wrote it ended {job.record['ended'][:19].replace('T', ' ')} UTC"
    if changed > made:
        return [f"changed {clock(changed)}; {ended}"]
    return [f"changed at an unknown time (its clock was set back); {ended}"]


def clock(seconds: float) -> str:
    """A time to the second, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def hanging(ledger: Ledger, path: str) -> list[str]:
    """What was made from a file: the cells, if it is a run's, and the files."""
    files = ledger.hanging_on(path)
    if not files:
        return ["no other file was made from it"]
    job, details = ledger.maker.get(path), []
    if job and job.stage == "train" and path.rpartition("/")[2] in ("predictions.npy", "run.json"):
        run = arguments_of(job)
        name = "baseline" if run.loss == "ce" else f"M{run.label_set[1:]}"
        cells = cells_with(ledger, lambda key: key[:2] == (name, run.loss))
        details = [f"numbers that hang on it: {'; '.join(cells)}"] if cells else []
    return [*details, f"files that hang on it: {short(files, common(files))}"]


def common(files: Sequence[str]) -> str:
    """The folder results/DATASET of files, if it is that of all."""
    tops = {"/".join(file.split("/")[:2]) for file in files}
    return tops.pop() if len(tops) == 1 else ""


def arguments_of(job: Job) -> argparse.Namespace:
    """A job's command line, read as its stage reads it."""
    return build_parser(job.stage).parse_args(job.command)


def cells_with(ledger: Ledger, wanted: Callable[[Key], bool]) -> list[str]:
    """The cells of the tables whose numbers are wanted, row by row: ``Table 3 M2: S1, S2, S3``."""
    found = []
    for path in sorted(name for name in ledger.maker if re.search(r"/table[1-6]\.json$", name)):
        with contextlib.suppress(InputError):  # a table that was changed is told of by itself
            table = model.read(ledger.root / path)
            for row in table.rows:
                keys = {name: cell.source for name, cell in row.cells.items()}
                names = [name for name, key in keys.items() if isinstance(key, Key) and wanted(key)]
                if names:
                    found.append(f"Table {table.number} {row.name}: {', '.join(names)}")
    return found


def metrics_cells(ledger: Ledger, file: Path, anew: Path) -> list[str]:
    """The cells that print the rows in which two metrics.csv differ."""
    pair = [read_table(path, ["variant", "seed", "fold", *Key._fields]) for path in (file, anew)]
    rows = [set(table.itertuples(index=False, name=None)) for table in pair]
    changed = pd.DataFrame(sorted(rows[0] ^ rows[1]), columns=pair[0].columns)
    overall = changed[(changed["seed"] == "all") & (changed["fold"] != "")]
    keys = set(overall[list(Key._fields)].itertuples(index=False, name=None))
    cells = cells_with(ledger, lambda key: tuple(key) in keys)
    text = "; ".join(cells) if cells else "none that a table prints: rows of single folds"
    return [f"numbers that hang on it: {text}"]


def why_not(job: Job) -> list[str]:
    """Reasons, innocent or not, for which a command gives other bytes than it did."""
    others = other_circumstances(job)
    return [f"run then with other {', '.join(others)}"] if others else ["its record agrees with it"]


def other_circumstances(job: Job) -> list[str]:
    """In what the code, the packages and the machine differ from those of a job."""
    from importlib.metadata import PackageNotFoundError, version

    found = [] if job.record["code"]["sha256"] == code_version()["sha256"] else ["code of emoword"]
    for name, then in job.record["packages"].items():
        try:
            now = sys.version.split()[0] if name == "python" else version(name)
        except PackageNotFoundError:
            now = "none"
        if now != then:
            found.append(f"{name} ({then}, here {now})")
    here = host()
    if any(job.record["host"].get(key) != here[key] for key in ("machine", "processor")):
        found.append("processor")
    return found


def excused(job: Job, file: Path, anew: Path) -> bool:
    """Whether a file as recorded may differ from itself made anew: rounding, another drawing."""
    if file.suffix in (".png", ".pdf"):
        return bool(other_circumstances(job))
    return file.suffix in (".csv", ".json") and close(file.read_text(), anew.read_text())


def close(a: str, b: str) -> bool:
    r"""Whether two tables are the same but for the rounding of numbers.

    >>> close("x,0.30000000000000004\n", "x,0.3\n"), close("x,0.31\n", "x,0.3\n")
    (True, False)
    """
    cells, others = (text.replace("\n", ",").split(",") for text in (a, b))
    return len(cells) == len(others) and all(
        x == y or math.isclose(number(x), number(y), rel_tol=CLOSE)
        for x, y in zip(cells, others, strict=True)
    )


def number(text: str) -> float:
    """The number that a cell holds; NaN, which is close to nothing, if it holds a word."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def readers_of_other_bytes(ledger: Ledger, path: str, digest: str) -> list[str]:
    """The outputs of jobs that recorded another sha256 of a file than its maker."""
    jobs = [j for j in ledger.readers.get(path, ()) if j.inputs[path] not in ("", digest)]
    return [name for job in jobs for name in job.outputs]


def config_differences(file: Path, path: str, provenance: Mapping[str, Any]) -> list[str]:
    """Which settings of config.json are not those that were gathered."""
    then = provenance.get("config")
    if not path.endswith("/config.json") or not isinstance(then, dict):
        return []
    try:
        now = flat(read_json(file))
    except InputError as error:
        return [str(error)]
    before = flat(then)
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    return [f"{key}: {now.get(key)!r}, recorded {before.get(key)!r}" for key in keys]


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested maps as one, with keys such as `defaults.training.epochs`."""
    if not isinstance(value, dict):
        return {name: value}
    parts = [flat(v, f"{name}.{key}" if name else str(key)) for key, v in value.items()]
    return {key: v for part in parts for key, v in part.items()}


def edited_records(ledger: Ledger, provenance: Mapping[str, Any]) -> Iterator[Problem]:
    """Records that are not what provenance.json gathered."""
    gathered = provenance.get("jobs", {})
    for name, job in ledger.jobs.items():
        then = gathered.get(name)
        if then is not None and then != json.loads(json.dumps(job.record)):
            newer = str(job.record["ended"]) > str(then["ended"])
            reason = (
                "the job ran again since; gather anew: ./run audit --cores 1 --forcerun provenance"
                if newer
                else "the record was edited, as it claims the same run"
            )
            yield Problem(name, "is not the record that provenance.json has", [reason])


# ---------------------------------------------------------------------------------- in words


def report(
    title: Path,
    folder: Path,
    replay: Replay,
    problems: Sequence[Problem],
    provenance: Mapping[str, Any],
    left_out: Mapping[str, str],
) -> str:
    """What was looked at, and what was found."""
    ledger = replay.ledger
    files = expected(ledger, provenance)
    there = sum(bool(replay.hash(replay.here(path))) for path in files)
    again = Counter(job.stage for job in replay.done)
    lines = [
        f"{title}: {len(ledger.jobs)} recorded jobs, {there} of their {len(files)} files are here",
        f"made again  {sum(again.values())} jobs: {counted(again)}"
        if again
        else "made again  none",
    ]
    undone = [job for job in ledger.jobs.values() if job.name in replay.undone]
    kept = Counter(job.stage for job in undone if job.stage in NEEDS)
    if kept:
        lines.append(f"compared    with their records only: {counted(kept)}")
    for job in undone:
        if job.stage not in NEEDS:
            lines.append(f"not again   {' '.join(job.command[:2])}: {replay.undone[job.name]}")
    if left_out:
        reasons = Counter(left_out.values())
        lines.append("left out    of the archive: " + counted(reasons).replace(" x ", " "))
    seal = folder / "provenance.json"
    if seal.exists():
        lines.append(
            f"sealed by   sha256 {sha256(seal)} of provenance.json: compare with a published one"
        )
    else:
        lines.append("not sealed  there is no provenance.json: ./run --cores 1 audit gathers it")
    for problem in together(problems):
        lines += ["", f"DIFFERS     {problem.path} {problem.what}"]
        lines += [f"            {detail}" for detail in problem.details]
    if problems:
        many = "1 file differs" if len(problems) == 1 else f"{len(problems)} files differ"
        lines += ["", f"{many}: {short(p.path for p in problems)}"]
    else:
        lines += ["", "Nothing differs."]
    return "\n".join(lines)


def counted(stages: Mapping[str, int]) -> str:
    """Stages with how often each ran."""
    return ", ".join(f"{many} x {name}" if many > 1 else name for name, many in stages.items())
