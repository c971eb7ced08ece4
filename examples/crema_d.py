"""Write the tables of CREMA-D: 7,442 clips of 91 actors (English), each rated by 4 to 12 listeners.

Votes: the release's processedResults/tabulatedVotes.csv (or the same gzipped), of which those by
the voice alone are read (rows 1xxxxx). Audio: its AudioWAV, read where it lies. Label: the emotion
that the actor meant, as the files' names say: 1001_IEO_NEU_XX is actor 1001, sentence IEO, neutral.
The votes do not say who gave them: `vote 1`, `vote 2` are other people in each clip. Cao, Cooper,
Keutmann, Gur, Nenkova and Verma, IEEE Transactions on Affective Computing 5(4), 2014; Open Database
License 1.0.

    python examples/crema_d.py --votes tabulatedVotes.csv --audio AudioWAV --out data/crema-d
    ./run --cores 2 --config dataset=crema_d
"""

import argparse
import csv
import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import unpack

EMOTIONS = {"A": "anger", "D": "disgust", "F": "fear"}
EMOTIONS |= {"H": "happiness", "N": "neutral", "S": "sadness"}
MEANT = {"ANG": "A", "DIS": "D", "FEA": "F", "HAP": "H", "NEU": "N", "SAD": "S"}
NAME = re.compile(r"(\d{4})_[A-Z]{3}_([A-Z]{3})_(?:XX|LO|MD|HI)")
SILENT = ("1076_MTI_SAD_XX",)  # has no audio, as the release says


def read_votes(path: Path) -> Iterator[tuple[unpack.Row, list[unpack.Annotation]]]:
    """Read each clip's row of recordings.csv (without its audio's place), and its votes.

    Raises:
        ValueError: it is not the table of the release; names the line.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        there = reader.fieldnames or ()
        lacking = [name for name in ("", *EMOTIONS, "fileName") if name not in there]
        if lacking:
            raise ValueError(f"{path}: no column {lacking[0]!r}: not CREMA-D's tabulatedVotes.csv")
        for row in reader:
            if not row[""].startswith("1"):  # 2: the face alone, 3: both
                continue
            name = row["fileName"]
            match = NAME.fullmatch(name)
            if not match or match[2] not in MEANT or not all(row[c].isdecimal() for c in EMOTIONS):
                raise ValueError(f"{path}:{reader.line_num}: {name!r}: not a clip with its votes")
            said = [word for code, word in EMOTIONS.items() for _ in range(int(row[code]))]
            votes = [(name, f"vote {i}", "label", word) for i, word in enumerate(said, start=1)]
            yield (name, f"{name}.wav", match[1], EMOTIONS[MEANT[match[2]]], "", ""), votes


def write(votes: Path, audio: Path, out: Path) -> None:
    """Write both tables into the new folder ``out``, and say what they hold."""
    folder = unpack.new_folder(out)
    clips = [clip for clip in read_votes(votes) if clip[0][0] not in SILENT]
    rows = [(row[0], str(audio.resolve() / row[1]), *row[2:]) for row, _ in clips]
    said = [vote for _, own in clips for vote in own]
    folder.mkdir(parents=True, exist_ok=True)
    unpack.write_tables(folder, rows, said)
    speakers = len({row[2] for row in rows})
    print(f"{out}: {len(rows)} recordings of {speakers} speakers, {len(said)} votes")
    print(f"left out: {', '.join(SILENT)}: the release says that it has no audio")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--votes", type=Path, required=True, help="tabulatedVotes.csv or .csv.gz")
    parser.add_argument("--audio", type=Path, required=True, help="the release's AudioWAV")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the tables")
    arguments = parser.parse_args()
    try:
        write(arguments.votes, arguments.audio, arguments.out)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
