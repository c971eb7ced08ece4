r"""Compute the frames of every utterance with an upstream: logmel, mfcc or a pretrained model.

In go utterances.csv (columns utterance, wav are read) and the audio files that it names, in any
format, sample rate and number of channels that libsndfile reads. Out come, in FOLDER:
frames.npy ([total frames, dim], memory-mapped by the other stages), index.csv (utterance, start,
frames) and meta.json (settings, versions). All upstreams give 50 frames a second.

    emoword features --utterances utterances.csv --upstream logmel --out features/logmel
    emoword features --utterances utterances.csv --upstream transformers \
        --model facebook/wav2vec2-large-960h-lv60-self --layer 14 --dtype float16 --out features/w2v

logmel: natural logarithm of the power in --mels bands (25 ms windows). mfcc: 40 coefficients of
it. transformers: block --layer (hidden_states[N], from 1) of a wav2vec 2.0, HuBERT or WavLM model
or of a Whisper encoder; the model is a folder, or a name on the Hugging Face hub (offline: `hf
download NAME` beforehand). A file that cannot be used is named at the end, with all others looked
at, and then nothing is written.
"""

import argparse
import importlib.metadata
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from emoword import __version__, audio
from emoword.device import pick_device
from emoword.errors import InputError
from emoword.files import read_table, replacing, write_json, write_table
from emoword.upstreams import FRAMES_PER_SECOND, Upstream, build

FEWEST_FRAMES = 4  # what the network's pooling (2 x 2) needs to leave one
NAMED_AT_MOST = 20
SECONDS_BETWEEN_LINES = 30
DTYPES: dict[str, np.dtype[np.floating]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword features``."""
    add = parser.add_argument
    add("--utterances", type=Path, required=True, help="utterances.csv")
    add("--upstream", choices=["logmel", "mfcc", "transformers"], required=True)
    add("--mels", type=int, help="bands of logmel and mfcc (default: 80)")
    add("--model", metavar="NAME_OR_FOLDER", help="of transformers: a folder, else a hub name")
    add("--layer", type=int, metavar="N", help="of transformers: the block, from 1")
    add(
        "--closing-norm",
        action="store_true",
        help="of transformers: apply the encoder's closing layer norm to the block's output",
    )
    add("--dtype", choices=list(DTYPES), default="float32", help="of the frames in the file")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    add("--threads", type=int, default=1, help="of a CPU; other numbers give other roundings")
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder of the frames")


def main(arguments: argparse.Namespace) -> None:
    """Compute the frames, write the folder."""
    utterances = read_utterances(arguments.utterances)
    device = pick_device(arguments.device)
    if arguments.threads < 1:
        raise InputError(f"--threads {arguments.threads}: at least 1")
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.allow_tf32 = False  # float32 is float32 on a GPU, too
    upstream = build(
        arguments.upstream,
        arguments.mels,
        arguments.model,
        arguments.layer,
        device,
        arguments.closing_norm,
    )
    dtype = DTYPES[arguments.dtype]
    with replacing(arguments.out) as folder:
        folder.mkdir()
        with (folder / "frames.npy").open("wb") as file:
            index = write_frames(utterances, upstream, dtype, file)
        write_table(index, folder / "index.csv")
        meta = {
            "dim": upstream.dim,
            "frames_per_second": FRAMES_PER_SECOND,
            "utterances": len(index),
            "frames": int(index["frames"].sum()),
            "dtype": arguments.dtype,
            "settings": upstream.settings,
            "device": device_name(device),
            "threads": arguments.threads,
            "versions": versions(),
        }
        write_json(meta, folder / "meta.json")


def read_utterances(path: Path) -> pd.DataFrame:
    """The table of utterances, each there once.

    Raises:
        InputError: there are none, or an id stands twice.
    """
    table = read_table(path, ["utterance", "wav"])
    if table.empty:
        raise InputError(f"{path}: has no utterances")
    twice = table["utterance"][table["utterance"].duplicated()]
    if len(twice):
        raise InputError(
            f"{path}: line {twice.index[0] + 2}: utterance {twice.iloc[0]} stands there twice"
        )
    return table


def write_frames(
    utterances: pd.DataFrame, upstream: Upstream, dtype: np.dtype[np.floating], file: IO[bytes]
) -> pd.DataFrame:
    """Append the frames of each utterance to a .npy file; its header gets their number at the end.

    Appending fails with an error on a full disk, where writing through a memory map kills the
    process; and it needs no guess at the number of frames from the headers of the audio files.

    Returns:
        The index: utterance, start, frames.

    Raises:
        InputError: names the files that cannot be used, after all have been looked at.
    """
    write_header(file, 0, upstream.dim, dtype)
    rows: list[tuple[str, int, int]] = []
    bad: list[str] = []
    start = 0
    files = list(zip(utterances["utterance"], utterances["wav"], strict=True))
    for utterance, wav in progress(files):
        try:
            samples = read_long_enough(Path(wav), upstream)
            if bad:
                continue  # nothing will be kept: only look at the others
            frames = checked(upstream.frames(samples), dtype)
        except InputError as error:
            bad.append(f"{utterance}: {error}")
            continue
        file.write(frames.tobytes())
        rows.append((utterance, start, len(frames)))
        start += len(frames)
    if bad:
        more = "" if len(bad) <= NAMED_AT_MOST else f"; and {len(bad) - NAMED_AT_MOST} more"
        raise InputError(
            f"{len(bad)} of {len(utterances)} utterances cannot be used: "
            + "; ".join(bad[:NAMED_AT_MOST])
            + more
        )
    file.seek(0)
    write_header(file, start, upstream.dim, dtype)
    return pd.DataFrame(rows, columns=["utterance", "start", "frames"])


def read_long_enough(path: Path, upstream: Upstream) -> NDArray[np.float32]:
    """The samples of a file that gives `FEWEST_FRAMES` or more."""
    samples = audio.read(path)
    count = max(0, upstream.frame_count(len(samples)))
    if count < FEWEST_FRAMES:
        raise InputError(
            f"{path}: too short, {len(samples) / audio.SAMPLE_RATE:.3f} s give {count} frames; "
            f"at least {FEWEST_FRAMES}"
        )
    return samples


def checked(frames: NDArray[np.float32], dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """The frames as ``dtype``; values that are not finite are an error."""
    if not np.isfinite(frames).all():
        raise InputError("its frames are not finite; are the model's weights damaged?")
    with np.errstate(over="ignore"):
        converted = frames.astype(dtype)
    if not np.isfinite(converted).all():
        largest = np.abs(frames).max()
        raise InputError(f"its frames reach {largest:g}, too much for float16: --dtype float32")
    return converted


def write_header(file: IO[bytes], frames: int, dim: int, dtype: np.dtype[np.floating]) -> None:
    """A .npy header; numpy leaves room in it, so that its size is the same for any ``frames``."""
    header = {"descr": dtype.str, "fortran_order": False, "shape": (frames, dim)}
    np.lib.format.write_array_header_1_0(file, header)


def progress(items: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The items; on stderr a bar where it is a terminal, else a line every half a minute."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc="features", unit="utterance")
        return
    begun = told = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - told > SECONDS_BETWEEN_LINES:
            left = (now - begun) / done * (len(items) - done)
            print(
                f"features: {done} of {len(items)}, {left:.0f} s left", file=sys.stderr, flush=True
            )
            told = now
        yield item
    print(f"features: {len(items)} utterances in {time.monotonic() - begun:.0f} s", file=sys.stderr)


def device_name(device: torch.device) -> str:
    """For the record: ``cpu``, ``mps`` or ``cuda (NVIDIA H200)``."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)


def versions() -> dict[str, str]:
    """Versions of what the frames depend on."""
    packages = ["numpy", "soundfile", "torch", "torchaudio", "transformers"]
    installed = {name: importlib.metadata.version(name) for name in packages}
    return {"emoword": __version__, "python": platform.python_version()} | installed
