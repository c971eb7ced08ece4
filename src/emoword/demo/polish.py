r"""Unpack "Emotions in Polish speech recordings" and write its recordings.csv.

In: polish_speech_emotions.zip, 450 recordings of 5 men (Mięsikowska & Świsulski, Gdańsk
University of Technology 2020, DOI 10.34808/h46c-hb44, CC BY).
Out: a new folder with the audio and recordings.csv, which `emoword read-recordings` reads. What
the table says comes from the files' names: m1.a_nie_2.wav is speaker m1, anger (a; n neutral,
s fear), the word "nie", its second repetition. Each speaker is a fold: one is left out at a time.

It is an example for own recordings: a script of this length brings another corpus in.

  emoword polish --zip polish_speech_emotions.zip --out polish
  emoword read-recordings --table polish/recordings.csv --folds 5 --utterances utterances.csv \
      --annotations annotations.csv --report corpus.json
"""

import argparse
import re
import zipfile
from pathlib import Path, PurePosixPath

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import replacing, write_table

# s is the Polish "strach", fear
EMOTIONS = {"a": "anger", "n": "neutral", "s": "fear"}
NAME = re.compile(
    r"(?P<speaker>m[1-5])\.(?P<emotion>[ans])_(?P<word>[a-z]+)_(?P<repetition>[1-5])\.wav"
)


def read_name(member: str) -> dict[str, str]:
    """Give the row of recordings.csv for a file of the archive.

    Raises:
        InputError: the name is not like m1.a_nie_2.wav.

    Example:
        >>> read_name("POLISH/m1.a_nie_2.wav")["label"]
        'anger'
    """
    path = PurePosixPath(member)
    match = NAME.fullmatch(path.name)
    if not match:
        raise InputError(
            f"{member!r}: not a name such as m1.a_nie_2.wav (speaker m1 ... m5, emotion "
            f"{', '.join(EMOTIONS)}, word, repetition 1 ... 5); rename the file or take it out"
        )
    return {
        "utterance": path.stem,
        "wav": member,
        "speaker": match["speaker"],
        "label": EMOTIONS[match["emotion"]],
        "fold": match["speaker"],
    }


def list_members(archive: zipfile.ZipFile) -> tuple[list[str], list[str]]:
    """List the recordings and the readme.

    Raises:
        InputError: a member is neither, or would lie outside the folder; there is no recording.
    """
    members = [info.filename for info in archive.infolist() if not info.is_dir()]
    for member in members:
        path = PurePosixPath(member)
        if path.is_absolute() or ".." in path.parts:
            raise InputError(
                f"{archive.filename}: {member!r} would be written outside the folder; do not use "
                "this archive"
            )
    readmes = [name for name in members if PurePosixPath(name).name.lower() == "readme.md"]
    recordings = sorted(name for name in members if name not in readmes)
    if not recordings:
        raise InputError(f"{archive.filename}: has no recordings; download it anew")
    return recordings, readmes


def unpack(archive_path: Path, folder: Path) -> pd.DataFrame:
    """Unpack the archive to ``folder``, whole or not at all, and write recordings.csv there.

    Raises:
        InputError: the archive is missing or damaged, a file in it does not fit, or ``folder``
            is not empty.
    """
    folder = folder.resolve()
    try:
        with zipfile.ZipFile(archive_path) as archive:
            recordings, readmes = list_members(archive)
            table = pd.DataFrame([read_name(name) for name in recordings])
            twice = table["utterance"][table["utterance"].duplicated()]
            if len(twice):
                raise InputError(f"{archive_path}: {twice.iloc[0]}.wav is in it twice; remove one")
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise InputError(f"{folder}: is not empty; remove it, or name a new folder")
            with replacing(folder) as made:
                made.mkdir()
                archive.extractall(made, recordings + readmes)
                write_table(table, made / "recordings.csv")
    except FileNotFoundError as error:
        raise InputError(f"{archive_path}: no such file") from error
    except (zipfile.BadZipFile, RuntimeError) as error:
        # RuntimeError: it is encrypted
        raise InputError(f"{archive_path}: {error}; download it anew") from error
    return table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the stage's options."""
    parser.add_argument("--zip", type=Path, required=True, help="polish_speech_emotions.zip")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the recordings")


def main(arguments: argparse.Namespace) -> None:
    """Run the stage."""
    table = unpack(arguments.zip, arguments.out)
    print(f"{arguments.out}: {len(table)} recordings of {table['speaker'].nunique()} speakers")
