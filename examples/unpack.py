"""Unpack an archive of recordings beside the table that `emoword read-recordings` reads.

What the examples share; a script for another corpus needs a function that turns the name of a file
into a row of the table. No package is needed.
"""

import argparse
import csv
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

COLUMNS = ("utterance", "wav", "speaker", "label", "fold", "sex")
RATED = ("utterance", "rater", "kind", "text")
Row = tuple[str, str, str, str, str, str]  # empty: not known
Annotation = tuple[str, str, str, str]
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # RuntimeError: it is encrypted


def main(about: str, row_of: Callable[[str], Row | None]) -> None:
    """Run an example: ``--zip ARCHIVE --out FOLDER``; a mistake ends as one line and status 1.

    Args:
        about: the text of ``--help``.
        row_of: the name of a file in the archive -> its row of recordings.csv; a ValueError says
            why there is none, None: it is no recording. It is not asked about a readme.md.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--zip", type=Path, required=True, help="the archive as published")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the recordings")
    arguments = parser.parse_args()
    try:
        rows = unpack(arguments.zip, arguments.out, row_of)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    except DAMAGED as error:
        sys.exit(f"{arguments.zip}: {error}; download it again")
    print(f"{arguments.out}: {len(rows)} recordings of {len({row[2] for row in rows})} speakers")


def unpack(
    archive_path: Path,
    folder: Path,
    row_of: Callable[[str], Row | None],
    annotations: Sequence[Annotation] = (),
) -> list[Row]:
    """Unpack the archive to ``folder`` and write recordings.csv there, whole or not at all.

    Args:
        archive_path: the archive as published.
        folder: a new one.
        row_of: as in `main`; None: not a recording.
        annotations: rows of annotations.csv; none: there is no such file.

    Raises:
        ValueError: a file of the archive does not fit, or would lie outside the folder; or the
            folder is not empty.
        OSError: the archive cannot be read, or the folder not be written; or one of DAMAGED.
    """
    folder = new_folder(folder)
    with zipfile.ZipFile(archive_path) as archive:
        members = [info.filename for info in archive.infolist() if not info.is_dir()]
        for member in members:
            path = PurePosixPath(member)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(
                    f"{archive_path}: {member!r} would be written outside the folder; do not use "
                    "this archive"
                )
        named = sorted(m for m in members if PurePosixPath(m).name.lower() != "readme.md")
        rows = [row for member in named if (row := row_of(member)) is not None]
        names = [row[0] for row in rows]
        twice = [name for name in names if names.count(name) > 1]
        if twice or not rows:
            fault = f"{twice[0]} is in it twice; remove one" if twice else "has no recordings"
            raise ValueError(f"{archive_path}: {fault}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
            made = Path(temporary) / folder.name
            archive.extractall(made, members)
            write_tables(made, rows, annotations)
            made.replace(folder)
    return rows


def new_folder(folder: Path) -> Path:
    """The folder's whole path.

    Raises:
        ValueError: it is there and not empty.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder}: is not empty; remove it, or name a new folder")
    return folder


def write_tables(folder: Path, rows: Sequence[Row], annotations: Sequence[Annotation]) -> None:
    """Write recordings.csv, and annotations.csv if there are annotations."""
    write_table(folder / "recordings.csv", COLUMNS, rows)
    if annotations:
        write_table(folder / "annotations.csv", RATED, annotations)


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
