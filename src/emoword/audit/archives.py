"""A zip of a stranger: unpacked only if its names, kinds, sizes and counts are as ours are."""

import shutil
import stat
import unicodedata
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from emoword.audit.comparing import clipped
from emoword.io.errors import InputError

LARGEST = 64 * 2**20  # `emoword archive` packs no larger file
TOTAL = 4 * 2**30
MOST_FILES = 200_000
RATIO = 100  # of all that is unpacked to the size of the zip; ours have 3 to 5
FREE = 2 * LARGEST  # a zip may unpack to this much, whatever the ratio
DEEPEST = 12
KINDS = (0, stat.S_IFREG, stat.S_IFDIR)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpack(path: Path, folder: Path) -> None:
    """Unpack a zip into an empty folder.

    Raises:
        InputError: it is none, or something in it is not as `emoword archive` writes it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            check(members, path)
            for info in members:
                place = folder / info.filename
                (place if info.is_dir() else place.parent).mkdir(parents=True, exist_ok=True)
                if not info.is_dir():
                    with archive.open(info) as packed, place.open("xb") as plain:
                        shutil.copyfileobj(packed, plain)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path}: cannot be unpacked: {error}") from None


def check(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuse a zip that holds too much, or anything but plain files under plain names."""
    if len(members) > MOST_FILES:
        raise InputError(f"{path}: {len(members)} files; at most {MOST_FILES} are unpacked")
    total = sum(info.file_size for info in members)
    if total > min(TOTAL, max(FREE, RATIO * path.stat().st_size)):
        raise InputError(f"{path}: unpacks to {total:,} bytes: more than an archive of its size")
    seen: dict[str, str] = {}
    for info in members:
        odd = oddity(info)
        # names that some file systems take for the same
        key = unicodedata.normalize("NFC", info.filename.rstrip("/")).casefold()
        if not odd and key in seen:
            odd = f"has the name of {clipped(seen[key])}"
        if odd:
            raise InputError(f"{path}: {clipped(info.filename)} {odd}; nothing was unpacked")
        seen[key] = info.filename
    for key, name in seen.items():
        for parent in map(str, PurePosixPath(key).parents):
            if parent in seen and not seen[parent].endswith("/"):
                file = clipped(seen[parent])
                raise InputError(f"{path}: {clipped(name)} lies below the file {file}")


def oddity(info: zipfile.ZipInfo) -> str:
    """What is odd about a member of a zip; nothing if nothing is."""
    name = info.filename.removesuffix("/") if info.is_dir() else info.filename
    parts = name.split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not name.isprintable() or info.orig_filename != info.filename:
        return "has a name that cannot be printed"
    if "" in parts or "." in parts or ".." in parts or "\\" in name or ":" in parts[0]:
        return "leads out of the archive"
    if len(parts) > DEEPEST or max(len(part.encode()) for part in parts) > 255:
        return "has too long a name"
    if kind not in KINDS:
        return "is a link or a device"
    if info.flag_bits & 1 or info.compress_type not in METHODS:
        return "is encrypted, or packed by an unknown method"
    if info.file_size > LARGEST:
        return f"unpacks to {info.file_size:,} bytes; at most {LARGEST:,} are unpacked"
    return ""
