"""Reading and writing files so that a killed job leaves nothing that looks finished."""

import csv
import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError, chain

# The process's own, which can only be read by setting it.
UMASK = os.umask(0o022)
os.umask(UMASK)
# a full disk as it is said by libraries that raise errors of their own: safetensors, libsndfile,
# numpy; of an OSError the file is not named, where it has no room
FULL = re.compile(r"os error \d+|System error|\d+ requested and \d+ written")
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
# what this process has renamed into place, for its record (emoword.audit.recording)
written: list[Path] = []


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it becomes ``path``, else it is removed.

    Whatever is made at the temporary path, a file or a folder, is renamed to ``path``. If a folder
    lies there already, the made files are renamed into it one by one, and nothing else in it is
    touched: a mistyped ``--out`` deletes nobody's data. What a killed process left is swept.

    Raises:
        InputError: the folder cannot be written, its disk is full, or it would have to be replaced
            by a tree of folders.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        # A folder of its own: the temporary name is new, and leaving removes whatever is left.
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        lock = locked(folder)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot write here: {error.strerror}") from error
    try:
        made = folder / path.name
        yield made
        files = [path for path in made.rglob("*") if path.is_file()] if made.is_dir() else [made]
        for file in files:
            file.chmod(0o666 & ~UMASK)  # safetensors keeps its files from others
        names = [file.relative_to(made) for file in files]
        if made.is_dir() and path.is_dir() and any(path.iterdir()):
            move_into(made, path)
        else:
            made.replace(path)
        written.extend(path / name for name in names)
    except InputError:
        raise
    except Exception as error:
        if any(getattr(own, "errno", None) in NO_ROOM for own in chain(error)) or FULL.search(
            str(error)
        ):
            raise InputError(f"{path}: cannot be written ({error}); make room for it") from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def sweep(path: Path) -> None:
    """Remove what killed processes left of an earlier try at ``path``: folders without a lock."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        if left.is_symlink() or not left.is_dir() or "." in left.name[-8:]:
            continue
        lock = locked(left)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def locked(folder: Path) -> int | None:
    """Lock a folder as long as this process lives; None: another does, or the disk has no locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def move_into(made: Path, folder: Path) -> None:
    """Rename the files of ``made`` into an existing folder, the record of them (json) last."""
    files = sorted(made.iterdir(), key=lambda file: (file.suffix == ".json", file.name))
    if any(file.is_dir() for file in files):
        raise InputError(f"{folder}: exists and is not empty; remove it, or choose another folder")
    for file in files:
        file.replace(folder / file.name)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(value: object, path: Path) -> None:
    """Write ``value`` as indented JSON; NaN and infinity are errors, as JSON has none."""
    with replacing(path) as made:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        made.write_text(text + "\n", encoding="utf-8")


def write_array(array: NDArray[Any], path: Path) -> None:
    """Write an array as .npy, the bytes of `numpy.save`.

    That function, of a few kilobytes, does not notice that the disk is full, and leaves half.
    """
    array = np.ascontiguousarray(array)
    with path.open("wb") as stream:
        write_npy_header(stream, array.dtype, array.shape)
        stream.write(array.data)


def write_npy_header(stream: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """The head of a .npy file; numpy leaves room in it: its size is the same for any row count."""
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV: UTF-8, one header line, Unix line ends, no index."""
    with replacing(path) as made:
        # csv quotes no cell for a lone carriage return, which readers take for the end of a line
        texts = frame.select_dtypes(exclude="number")
        unusual = any(texts[name].astype(str).str.contains("\r").any() for name in texts)
        frame.to_csv(
            made,
            index=False,
            lineterminator="\n",
            quoting=csv.QUOTE_NONNUMERIC if unusual else csv.QUOTE_MINIMAL,
        )


def read_table(
    path: Path, columns: Sequence[str], types: Mapping[str, type] | None = None
) -> pd.DataFrame:
    """Read a CSV table whose cells are strings unless ``types`` says otherwise.

    Words such as ``null``, ``NA`` or ``nan`` stay words; an empty cell is the empty string (in a
    column of numbers: NaN).

    Raises:
        InputError: the file is missing, is not CSV, is cut off within a line, lacks one of
            ``columns``, or a cell is not of its type.
    """
    types = dict(types or {})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with too many cells
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}: is empty; it needs the header {','.join(columns)}") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a CSV table in UTF-8: {str(error).strip()}") from error
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            raise InputError(f"{path}: cut off, as its last line has no end; make it again")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"{path}: line 1: no column {', '.join(missing)} in the header")
    for name, kind in types.items():
        try:
            cells = frame[name]
            frame[name] = (cells.mask(cells == "", "nan") if kind is float else cells).astype(kind)
        except ValueError as error:
            raise InputError(f"{path}: column {name}: {error}") from error
    return frame
