"""Join the frames that several jobs computed, each a shard of the utterances, into one folder.

emoword features ... --shard 1/2 --out part1
emoword features ... --shard 2/2 --out part2
emoword join-features --utterances utterances.csv --parts part1 part2 --out features
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from emoword.errors import InputError
from emoword.files import read_table, replacing, write_json, write_table
from emoword.frames import STORED, Features
from emoword.unfinished import header


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword join-features``."""
    add = parser.add_argument
    add("--utterances", type=Path, required=True, help="utterances.csv: all must be there")
    add("--parts", type=Path, nargs="+", required=True, metavar="FOLDER", help="the shards")
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder of the frames")


def main(arguments: argparse.Namespace) -> None:
    """Write the parts' frames one after the other, and one index."""
    parts = [Features.open(folder) for folder in arguments.parts]
    check_alike(parts)
    order = read_table(arguments.utterances, ["utterance"])["utterance"]
    index = joined_index(parts, list(order))
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
        write_json({**meta, "shards": len(parts)}, folder / "meta.json")


def check_alike(parts: Sequence[Features]) -> None:
    """Raises InputError unless all parts were made with the same settings and versions."""
    counts = ("utterances", "frames")
    first = {key: value for key, value in parts[0].meta.items() if key not in counts}
    for part in parts[1:]:
        other = {key: value for key, value in part.meta.items() if key not in counts}
        differ = sorted(k for k in first | other if first.get(k) != other.get(k))
        if differ:
            raise InputError(
                f"{part.folder}: made otherwise than {parts[0].folder}: {', '.join(differ)}"
            )


def joined_index(parts: Sequence[Features], order: Sequence[str]) -> pd.DataFrame:
    """The index of the joined frames: utterance (in this order), start, frames.

    Raises:
        InputError: an utterance is in two parts, in none, or not in ``order``.
    """
    places: dict[str, tuple[int, int]] = {}
    first = 0
    for part in parts:
        for name, (start, length) in part.index.items():
            if name in places:
                raise InputError(f"{part.folder}: utterance {name} is in another part, too")
            places[name] = (first + start, length)
        first += len(part.frames)
    missing = [name for name in order if name not in places]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"no frames of utterance {missing[0]}{more}; join all shards of one utterances.csv"
        )
    if len(places) > len(order):
        unknown = next(name for name in places if name not in set(order))
        raise InputError(f"utterance {unknown} has frames, and is not in utterances.csv")
    rows = [(name, *places[name]) for name in order]
    return pd.DataFrame(rows, columns=["utterance", "start", "frames"])
