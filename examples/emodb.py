"""Unpack the Berlin Database of Emotional Speech (EMO-DB) and write its recordings.csv.

535 recordings of 5 women and 5 men in German, 7 acted emotions (Burkhardt et al., Interspeech
2005). The table says what the files' names say: 03a01Fa.wav is speaker 03, text a01, happiness (F,
"Freude"), version a. Two speakers are a fold, in the order of their numbers: a woman and a man in
three of the five folds.

    python examples/emodb.py --zip emodb.zip --out data/emodb
    ./run --cores 2 --config dataset=emodb
"""

import re
from pathlib import PurePosixPath

import unpack

# Ärger/Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral
EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
SPEAKERS = {
    **{"03": "M", "08": "F", "09": "F", "10": "M", "11": "M"},
    **{"12": "M", "13": "F", "14": "F", "15": "M", "16": "F"},
}
NAME = re.compile(r"(\d\d)[ab]\d\d([WLEAFTN])[a-z]\.wav")


def row_of(member: str) -> unpack.Row | None:
    """Give the row of recordings.csv for a file of the archive; none if it is no recording.

    Raises:
        ValueError: the name is not like 03a01Fa.wav.
    """
    path = PurePosixPath(member)
    if path.suffix.lower() != ".wav":  # labels of phones and syllables, a listening test
        return None
    match = NAME.fullmatch(path.name)
    if not match or match[1] not in SPEAKERS:
        raise ValueError(
            f"{member!r}: not a name such as 03a01Fa.wav (speaker {', '.join(SPEAKERS)}; text; "
            f"emotion {', '.join(EMOTIONS)}; version); rename the file or take it out"
        )
    speaker, emotion = match.groups()
    fold = str(list(SPEAKERS).index(speaker) // 2 + 1)
    return path.stem, member, speaker, EMOTIONS[emotion], fold, SPEAKERS[speaker]


if __name__ == "__main__":
    unpack.main(__doc__, row_of)
