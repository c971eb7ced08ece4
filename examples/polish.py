"""Unpack "Emotions in Polish speech recordings" and write its recordings.csv.

450 recordings of 5 men (Mięsikowska & Świsulski, Gdańsk University of Technology 2020,
DOI 10.34808/h46c-hb44, CC BY). The table says what the files' names say: m1.a_nie_2.wav is speaker
m1, anger (a; n neutral, s fear), the word "nie", its second repetition. Each speaker is a fold: one
is left out at a time.

    python examples/polish.py --zip polish_speech_emotions.zip --out data/polish
    ./run --cores 2 --config dataset=polish
"""

import re
from pathlib import PurePosixPath

import unpack

EMOTIONS = {"a": "anger", "n": "neutral", "s": "fear"}  # s: the Polish "strach"
NAME = re.compile(r"(m[1-5])\.([ans])_[a-z]+_[1-5]\.wav")


def row_of(member: str) -> unpack.Row:
    """Give the row of recordings.csv for a file of the archive.

    Raises:
        ValueError: the name is not like m1.a_nie_2.wav.
    """
    path = PurePosixPath(member)
    match = NAME.fullmatch(path.name)
    if not match:
        raise ValueError(
            f"{member!r}: not a name such as m1.a_nie_2.wav (speaker m1 ... m5, emotion "
            f"{', '.join(EMOTIONS)}, word, repetition 1 ... 5); rename the file or take it out"
        )
    speaker, emotion = match.groups()
    return path.stem, member, speaker, EMOTIONS[emotion], speaker, "M"


if __name__ == "__main__":
    unpack.main(__doc__, row_of)
