"""Join the frames that several jobs computed, each a shard of the utterances, into one folder.

After `emoword features ... --shard 1/2 --out part1`, and the same with 2/2 for part2:

    emoword join-features --parts part1 part2 --out features

All shards must have been made of the same utterances, with the same settings and versions.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from emoword.features.frames import STORED, Features
from emoword.features.unfinished import header
from emoword.io.errors import InputError
from emoword.io.files import replacing, write_json, write_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword join-features``."""
    add = parser.add_argument
    add("--parts", type=Path, nargs="+", required=True, metavar="FOLDER", help="all shards")
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder of the frames")


def main(arguments: argparse.Namespace) -> None:
    """Write the parts' frames one after the other, and one index."""
    parts = [Features.open(folder) for folder in arguments.parts]
    check_alike(parts)
    index = joined_index(parts)
    meta = {**parts[0].meta, "utterances": len(index), "frames": int(index["frames"].sum())}
    dtype = STORED[meta["dtype"]]
    with replacing(arguments.out) as folder:
        folder.mkdir()
        with (folder / "frames.npy").open("wb") as file:
            file.write(header(meta["frames"], meta["dim"], dtype))
            for part in parts:
                with (part.folder / "frames.npy").open("rb") as source:
                    source.seek(len(header(len(part.frames), part.dim, dtype)))
                    shutil.copyfileobj(source, file)
        write_table(index, folder / "index.csv")
        meta["device"] = ", ".join(sorted({part.meta["device"] for part in parts}))
        write_json({**meta, "shard": f"all of {len(parts)}"}, folder / "meta.json")


def check_alike(parts: Sequence[Features]) -> None:
    """Are these all the shards of the same utterances, made with the same settings and versions?

    Raises:
        InputError: they are not.
    """
    own = ("utterances", "frames", "shard", "device")
    first = {key: value for key, value in parts[0].meta.items() if key not in own}
    for part in parts[1:]:
        other = {key: value for key, value in part.meta.items() if key not in own}
        differ = sorted(k for k in first | other if first.get(k) != other.get(k))
        if differ:
            raise InputError(
                f"{part.folder}: made otherwise than {parts[0].folder}: {', '.join(differ)}"
            )
    given = sorted(str(part.meta.get("shard")) for part in parts)
    wanted = sorted(f"{k}/{len(parts)}" for k in range(1, len(parts) + 1))
    if given != wanted:
        raise InputError(f"--parts: are shards {', '.join(given)}; give all of one number, once")
    if sum(len(part.index) for part in parts) != parts[0].meta.get("of_utterances"):
        raise InputError("--parts: do not hold all utterances; make them of one utterances.csv")


def joined_index(parts: Sequence[Features]) -> pd.DataFrame:
    """The index of the joined frames: utterance, start, frames.

    Raises:
        InputError: an utterance is in two parts.
    """
    places: dict[str, tuple[int, int]] = {}
    first = 0
    for part in parts:
        for name, (start, length) in part.index.items():
            if name in places:
                raise InputError(f"{part.folder}: utterance {name} is in another part, too")
            places[name] = (first + start, length)
        first += len(part.frames)
    rows = [(name, *place) for name, place in places.items()]
    return pd.DataFrame(rows, columns=["utterance", "start", "frames"])
