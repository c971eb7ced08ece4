"""Unpack Emozionalmente (Italian) and write its tables: 6,902 clips of 431 actors, 5 raters each.

The archive: emozionalmente.zip, version 1.1, https://zenodo.org/records/12616095 (559 MB, CC BY
4.0). Its metadata/samples.csv says who meant which emotion, metadata/evaluations.csv who heard
which; audio is in audio/. Catania, Wilke and Garzotto, IEEE Transactions on Audio, Speech and
Language Processing 33, 2025. Nobody who wrote this had the archive: its columns are those that
public readers of it name, and others are refused.

    python examples/emozionalmente.py --zip emozionalmente.zip --out data/emozionalmente
    ./run --cores 2 --config dataset=emozionalmente
"""

import argparse
import csv
import hashlib
import io
import sys
import zipfile
from pathlib import Path, PurePosixPath

import unpack

MD5 = "398c6502dd2b0e1e810f927c12897547"  # as the record has it
# "neutrality" is a word of politics in a word space
WORDS = {
    **{name: name for name in ("anger", "disgust", "fear", "joy", "sadness", "surprise")},
    "neutrality": "neutral",
}


def read_table(archive: zipfile.ZipFile, name: str, *columns: str) -> list[tuple[str, ...]]:
    """Read columns of metadata/{name}, in whichever folder it lies; the last is of emotions.

    Raises:
        ValueError: there is none, or it lacks a column or has an unknown emotion.
    """
    found = [m for m in archive.namelist() if PurePosixPath(m).parts[-2:] == ("metadata", name)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} files metadata/{name} in the archive; it should have one")
    text = io.StringIO(archive.read(found[0]).decode("utf-8-sig"), newline="")
    reader = csv.DictReader(text)
    lacking = [column for column in columns if column not in (reader.fieldnames or ())]
    if lacking:
        raise ValueError(f"{found[0]}: no column {lacking[0]!r}; this is another version")
    rows = [tuple(row[column] for column in columns) for row in reader]
    for number, row in enumerate(rows, start=1):
        if row[-1] not in WORDS:
            raise ValueError(f"{found[0]}: row {number}: unknown emotion {row[-1]!r}")
    return rows


def read_metadata(path: Path) -> tuple[dict[str, tuple[str, str]], list[unpack.Annotation]]:
    """Read who meant what (file name -> actor, word), and the rows of annotations.csv.

    Raises:
        ValueError: the tables are not as expected; or one of unpack.DAMAGED.
    """
    with zipfile.ZipFile(path) as archive:
        meant = read_table(archive, "samples.csv", "file_name", "actor", "emotion_expressed")
        heard = read_table(
            archive, "evaluations.csv", "file_name", "evaluator", "emotion_recognized"
        )
    known = {name: (actor, WORDS[emotion]) for name, actor, emotion in meant}
    strange = [name for name, *_ in heard if name not in known]
    if strange:
        raise ValueError(f"evaluations.csv: {strange[0]!r} is not in samples.csv")
    return known, [
        (PurePosixPath(name).stem, rater, "label", WORDS[emotion]) for name, rater, emotion in heard
    ]


def main() -> None:
    """Run the example; a mistake ends as one line and status 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--zip", type=Path, required=True, help="the archive as published")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the recordings")
    arguments = parser.parse_args()
    path: Path = arguments.zip
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "md5").hexdigest() != MD5:
                print(f"{path}: not version 1.1 as published (md5 {MD5})", file=sys.stderr)
        known, annotations = read_metadata(path)

        def row_of(member: str) -> unpack.Row | None:
            place = PurePosixPath(member)
            if place.suffix != ".wav":
                return None
            if place.name not in known:
                raise ValueError(f"{member!r}: not in metadata/samples.csv")
            return place.stem, member, *known[place.name], "", ""

        rows = unpack.unpack(path, arguments.out, row_of, annotations)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    except unpack.DAMAGED as error:
        sys.exit(f"{path}: {error}; download it again")
    speakers = len({row[2] for row in rows})
    counted = f"{len(rows)} recordings of {speakers} speakers, {len(annotations)} votes"
    print(f"{arguments.out}: {counted}")


if __name__ == "__main__":
    main()
