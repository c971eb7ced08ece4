"""What seals results: the records of all jobs, and the sha256 of every file, in one file."""

from datetime import datetime
from pathlib import Path

from emoword.audit import recording
from emoword.audit.recording import Hashed, Record, hashed
from emoword.audit.results import Provenance, Results, opened
from emoword.corpora.corpus import some
from emoword.io.errors import InputError

# made after provenance.json, from it
LATER = ("provenance.json", "logs/provenance.log", "audit.zip", "logs/archive.log")


def provenance(folder: Path, /, *, spaces: Path | None = None, out: Path) -> None:
    """Gather the records of all jobs of a dataset, and the sha256 of every file.

    The sha256 of OUT itself, which is printed, seals them all: published beside the results, it
    shows every later edit.

        emoword provenance results/demo --out results/demo/provenance.json

    Args:
        folder: Results of a dataset, such as results/demo.
        spaces: Where the word spaces lie, if not beside the dataset's folder.
        out: provenance.json.
    """
    with opened(folder, spaces) as results:
        later = {f"{results.folder}/{name}" for name in LATER}
        names = [name for name in results.files if not name.endswith(recording.UNFINISHED)]
        gathered = Provenance(
            version=recording.VERSION,
            dataset=results.config.dataset,
            code=recording.code(),
            records=results.records,
            files={name: hashed(results.files[name]) for name in sorted({*names} - later)},
            sources={name: hashed(path) for name, path in sources().items()},
        )
    if not gathered.records:
        raise InputError(
            f"{folder}/logs: no records of jobs; results of an earlier version have none: run the "
            "workflow again with --forceall"
        )
    recording.write(gathered, out)
    print(f"{len(gathered.records)} records, {len(gathered.files)} files")
    print(f"sha256 of {out}: {hashed(out).sha256}")


def sources(root: Path = recording.PACKAGE.parents[1]) -> dict[str, Path]:
    """What this repository gives to results beside its code: name -> file; none if not there."""
    found = [root / "Snakefile", root / "config.yaml"]
    for folder, pattern in (("workflow", "rules/**/*.smk"), ("paper", "**/*")):
        found += sorted((root / folder).glob(pattern))
    return {path.relative_to(root).as_posix(): path for path in found if path.is_file()}


def evidence(results: Results) -> dict[str, dict[str, Hashed]]:
    """Name of a file -> who says what it holds -> size and sha256.

    These are provenance.json, and of the records the last one of a job that wrote the file.
    """
    seals = results.provenance.files if results.provenance else {}
    found = {name: {"provenance.json": what} for name, what in seals.items()}
    for name, (record, own) in last_written(results).items():
        found.setdefault(name, {})[f"the record {record}"] = own.outputs[name]
    return found


def last_written(results: Results) -> dict[str, tuple[str, Record]]:
    """Name of a file -> the last record of a job that wrote it, and that record's name."""
    records = sorted(results.records.items(), key=lambda item: item[1].ended)
    return {name: (record, own) for record, own in records for name in own.outputs}


def edited_since(folder: Path) -> str:
    """In a line, which files were edited or deleted after their jobs wrote them; empty if none.

    Quick, for the end of each run: a file that the system has not noticed any change of since
    (ctime) is not read. `emoword verify` reads and recomputes.
    """
    try:
        with opened(folder) as results:
            written = last_written(results).items()
            names = [
                name
                for name, (_, record) in written
                if name.startswith("results/")
                and changed(results.files.get(name), record.outputs[name], record.ended)
            ]
    except InputError as error:
        return str(error)
    if not names:
        return ""
    return (
        f"{folder}: edited or deleted since they were made: {some(names)}; "
        f"`./run --force FILE` makes one again, `emoword verify {folder}` looks at all"
    )


def changed(file: Path | None, what: Hashed, ended: str) -> bool:
    """Whether a file is not what a record says that was ended then."""
    if file is None or (state := file.stat()).st_size != what.bytes:
        return True
    touched = state.st_ctime > datetime.fromisoformat(ended).timestamp()
    return touched and hashed(file) != what
