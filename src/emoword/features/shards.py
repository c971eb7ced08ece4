"""The shards of features: a folder holds ``shard1of4`` to ``shard4of4``, and how each was made."""

from pathlib import Path

from msgspec import Struct

from emoword.io.errors import InputError
from emoword.layout import read_settings
from emoword.settings import Upstream

FRAMES_PER_SECOND = 50


class Meta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the frames of a shard were made.

    Attributes:
        shard: ``K/N``.
        utterances: how many are in this shard; ``frames``: likewise.
        device: where they were computed; ``threads``: of a CPU.
        all_utterances: the sha256 of the names in all shards, in the order of the table.
        other_labels: how many the table has beside these: with none of the settings' labels.
        dim: values a frame.
        upstream: its settings; ``about``: what it says beside them, such as a model's commit.
        versions: of packages.
    """

    shard: str
    utterances: int
    frames: int
    device: str
    all_utterances: str
    other_labels: int
    dim: int
    upstream: Upstream
    about: dict[str, str | int | float | bool | None]
    threads: int
    versions: dict[str, str]


OF_ONE_SHARD = ("shard", "utterances", "frames", "device")


def read_shards(folder: Path) -> dict[Path, Meta]:
    """The folders of shards 1 to N, in this order, with what their meta.json says.

    Of other numbers of shards there may be some, but not all, which then are passed over: where
    two sets are complete, nothing says which is up to date.

    Raises:
        InputError: no set is complete, or several are; they were not made alike.
    """
    there = {path.parent.name for path in folder.glob("shard*of*/meta.json")}
    sets = [[f"shard{k}of{n}" for k in range(1, n + 1)] for n in range(1, len(there) + 1)]
    complete = [names for names in sets if there.issuperset(names)]
    if len(complete) != 1:
        missing = "make what is missing (emoword features)"
        wanted = "remove all sets but one" if complete else missing
        names = ", ".join(sorted(there)) or "no shards"
        raise InputError(f"{folder}: holds {names}; it should hold one whole set: {wanted}")
    shards = {folder / n: read_settings(folder / n / "meta.json", Meta) for n in complete[0]}
    common = [name for name in Meta.__struct_fields__ if name not in OF_ONE_SHARD]
    first, usual = next(iter(shards.items()))
    for shard, meta in shards.items():
        differ = [name for name in common if getattr(meta, name) != getattr(usual, name)]
        if f"shard{meta.shard.replace('/', 'of')}" != shard.name:
            differ.append(f"it is {meta.shard}")
        if differ:
            raise InputError(
                f"{shard}: was made otherwise than {first.name}: {', '.join(differ)}; "
                "make them again, with the same settings and utterances.csv"
            )
    return shards
