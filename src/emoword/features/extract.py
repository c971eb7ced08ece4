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
download NAME` beforehand).

The longest utterances come first, those of like length together. Killed and started again, the same
command goes on after the last whole batch (FOLDER.unfinished) and ends with the same bytes. A file
that cannot be used is named at the end, with all others done and kept there: mend it, start again,
and it is computed alone (which gives other roundings than in company). Several GPUs or
cores: --shard 1/2 and --shard 2/2 in a folder each, then `emoword join-features`.
"""

import argparse
import importlib.metadata
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from emoword import __version__
from emoword.corpora import audio
from emoword.features import memory
from emoword.features.batches import (
    Batch,
    Utterance,
    batches,
    read_ahead,
    shard_of,
    sorted_utterances,
)
from emoword.features.device import pick_device
from emoword.features.frames import STORED
from emoword.features.unfinished import Unfinished
from emoword.features.upstreams import FRAMES_PER_SECOND, Upstream, build
from emoword.io.errors import InputError
from emoword.io.files import read_table, write_json, write_table
from emoword.io.fingerprints import fingerprint_with_code

NAMED_AT_MOST = 20
SECONDS_BETWEEN_LINES = 30
# Seconds of audio, padding included, that are computed together. On a CPU measured: more is slower
# (benchmarks/README.md). On a GPU estimated: enough to keep it busy, in some 10 GB of its memory.
SECONDS_TOGETHER = {"cpu": 8, "cuda": 160}
SECONDS_ELSEWHERE = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword features``."""
    add = parser.add_argument
    add("--utterances", type=Path, required=True, help="utterances.csv")
    add(
        "--labels",
        nargs="+",
        metavar="LABEL",
        help="only utterances with one of these: those of other classes take no part",
    )
    add("--upstream", choices=["logmel", "mfcc", "transformers"], required=True)
    add("--mels", type=int, help="bands of logmel and mfcc (default: 80)")
    add("--model", metavar="NAME_OR_FOLDER", help="of transformers: a folder, else a hub name")
    add("--layer", type=int, metavar="N", help="of transformers: the block, from 1")
    add(
        "--closing-norm",
        action="store_true",
        help="of transformers: apply the encoder's closing layer norm to the block's output",
    )
    add(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="of transformers: of the computation; bfloat16: several times as fast, 1%% off",
    )
    add("--dtype", choices=list(STORED), default="float32", help="of the frames in the file")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    add("--threads", type=int, default=1, help="of a CPU; other numbers give other roundings")
    add("--shard", metavar="K/N", default="1/1", help="only the Kth of N parts of the utterances")
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder of the frames")


def main(arguments: argparse.Namespace) -> None:
    """Compute the frames, write the folder."""
    if arguments.out.is_file():
        raise InputError(f"{arguments.out}: is a file; --out is the folder of the frames")
    everything = read_utterances(arguments.utterances)
    whole = labelled(everything, arguments.labels)
    k, n = shard_of(arguments.shard)
    table = whole[k - 1 :: n]
    device = own_gpu(pick_device(arguments.device), k)
    if arguments.threads < 1:
        raise InputError(f"--threads {arguments.threads}: at least 1")
    torch.set_num_threads(arguments.threads)
    memory.keep()
    upstream = build(
        arguments.upstream,
        arguments.mels,
        arguments.model,
        arguments.layer,
        device,
        arguments.closing_norm,
        arguments.precision,
    )
    utterances, bad = sorted_utterances(zip(table["utterance"], table["wav"], strict=True))
    together = SECONDS_TOGETHER.get(device.type, SECONDS_ELSEWHERE)
    about = {
        "dim": upstream.dim,
        "frames_per_second": FRAMES_PER_SECOND,
        "dtype": arguments.dtype,
        "settings": upstream.settings,
        "device": device.type,
        "threads": arguments.threads,
        "seconds_together": together,
        "versions": versions(),
    }
    parts = [repr((about, model_state(arguments.model))).encode()]
    made_of = fingerprint_with_code("features.extract", parts)
    folder = arguments.out.with_name(f"{arguments.out.name}.unfinished")
    audio_of = {utterance.name: utterance.audio for utterance in utterances}
    with closing(
        Unfinished(folder, upstream.dim, STORED[arguments.dtype], made_of, audio_of)
    ) as unfinished:
        bad += compute(utterances, upstream, arguments.dtype, together, unfinished)
        if bad:
            raise InputError(complaint(bad, unfinished))
        # what the frames do not depend on, but for their roundings
        about |= {"device": device_name(device), "shard": arguments.shard}
        about |= {"of_utterances": len(whole), "other_labels": len(everything) - len(whole)}
        finish(unfinished, list(table["utterance"]), about, arguments.out)


def features(
    settings: Path,
    /,
    *,
    utterances: Path,
    shard: str = "1/1",
    device: str = "auto",
    threads: int = 1,
    out: Path,
) -> None:
    """Compute the frames of a shard of the utterances.

        emoword features features/logmel/settings.json --utterances utterances.csv --out frames

    Args:
        settings: settings.json of the frames.
        utterances: utterances.csv.
        shard: K/N: the Kth of N parts of the utterances.
        device: auto, cpu, cuda, cuda:1, mps.
        threads: Of a CPU.
        out: Folder of the shard.
    """
    from emoword.layout import FeatureSettings, read_settings

    chosen = read_settings(settings, FeatureSettings)
    own: dict[str, object] = {
        "mels": None,
        "model": None,
        "layer": None,
        "closing_norm": False,
        "precision": "float32",
    }
    own |= {name: getattr(chosen.upstream, name) for name in chosen.upstream.__struct_fields__}
    own |= {"upstream": chosen.upstream.__struct_config__.tag, "labels": chosen.labels or None}
    main(
        argparse.Namespace(
            utterances=utterances, shard=shard, device=device, threads=threads, out=out, **own
        )
    )


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


def labelled(table: pd.DataFrame, labels: Sequence[str] | None) -> pd.DataFrame:
    """The utterances with one of these labels (None: all); says how many are left out.

    Raises:
        InputError: none is left, or the table has no labels.
    """
    if labels is None:
        return table
    if "label" not in table:
        raise InputError("--labels: utterances.csv has no column label")
    own = table[table["label"].str.strip().isin(labels)]
    if own.empty:
        raise InputError(f"--labels: no utterance has one of {', '.join(labels)}")
    say(f"{len(own)} of {len(table)} utterances have one of the labels {', '.join(labels)}")
    return own


def compute(
    utterances: Sequence[Utterance],
    upstream: Upstream,
    dtype: str,
    seconds: int,
    unfinished: Unfinished,
) -> list[str]:
    """Compute the frames of all utterances that are not done yet; returns what cannot be used."""
    done = {entry.utterance for entry in unfinished.done}
    for entry in unfinished.done:
        sys.audit("emoword.read", entry.audio[0])  # an input, though read by the job before
    left = [utterance for utterance in utterances if utterance.name not in done]
    if done:
        say(f"going on, {len(done)} of {len(utterances)} utterances are there")
    bad = []
    for batch in progress(read_ahead(batches(left, seconds), upstream), left):
        good, samples, made = [], [], []
        for utterance, reading in batch:
            try:
                samples.append(reading.result())
                good.append(utterance)
            except InputError as error:
                bad.append(f"{utterance.name}: {error}")
        for utterance, frames in zip(good, frames_of(samples, upstream), strict=True):
            try:
                made.append((utterance.name, utterance.audio, stored(frames, dtype)))
            except InputError as error:
                bad.append(f"{utterance.name}: {error}")
        unfinished.append(made)
    return bad


def frames_of(
    samples: Sequence[NDArray[np.float32]], upstream: Upstream
) -> list[NDArray[np.float32]]:
    """Frames of the utterances of a batch that could be read.

    Raises:
        InputError: the GPU's memory does not hold the computation.
    """
    try:
        return upstream.frames(samples) if samples else []
    except torch.OutOfMemoryError:
        longest = max(map(len, samples)) / audio.SAMPLE_RATE
        raise InputError(
            f"the GPU's memory is too small for {len(samples)} utterances of up to {longest:.0f} s "
            "at once; take a larger one, or --device cpu"
        ) from None


def complaint(bad: Sequence[str], unfinished: Unfinished) -> str:
    """The error that names what cannot be used."""
    more = "" if len(bad) <= NAMED_AT_MOST else f"; and {len(bad) - NAMED_AT_MOST} more"
    return (
        f"{len(bad)} of {len(unfinished.done) + len(bad)} utterances cannot be used: "
        + "; ".join(bad[:NAMED_AT_MOST])
        + f"{more} (what was done is kept in {unfinished.folder}: mend them, and start again)"
    )


def stored(frames: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    """The frames as they lie in the file.

    Raises:
        InputError: they are not finite, or not as ``dtype``.
    """
    if not np.isfinite(frames).all():
        raise InputError("its frames are not finite; are the model's weights damaged?")
    if dtype == "bfloat16":  # has float32's range; numpy takes its bits as integers
        return torch.from_numpy(frames).bfloat16().view(torch.uint16).numpy()
    with np.errstate(over="ignore"):
        converted = frames.astype(STORED[dtype])
    if not np.isfinite(converted).all():
        largest = np.abs(frames).max()
        raise InputError(
            f"its frames reach {largest:g}, too much for float16: --dtype bfloat16 or float32"
        )
    return converted


def finish(
    unfinished: Unfinished, order: Sequence[str], about: Mapping[str, Any], out: Path
) -> None:
    """Write the folder of the frames."""
    places = {entry.utterance: (entry.start, entry.frames) for entry in unfinished.done}
    rows = [(name, *places[name]) for name in order if name in places]
    index = pd.DataFrame(rows, columns=["utterance", "start", "frames"])
    write_table(index, unfinished.folder / "index.csv")
    counts = {"utterances": len(index), "frames": unfinished.count}
    write_json({**counts, **about}, unfinished.folder / "meta.json")
    unfinished.finish(out)


def progress(batches: Iterator[Batch], utterances: Sequence[Utterance]) -> Iterator[Batch]:
    """The batches; on stderr a bar where it is a terminal, else a line every half a minute."""
    total = sum(utterance.samples for utterance in utterances) / audio.SAMPLE_RATE
    bar = tqdm(total=round(total), desc="features", unit="s", disable=not sys.stderr.isatty())
    begun = told = time.monotonic()
    done, seconds = 0, 0.0
    for batch in batches:
        yield batch
        done += len(batch)
        own = sum(utterance.samples for utterance, _ in batch) / audio.SAMPLE_RATE
        seconds += own
        bar.update(own)
        now = time.monotonic()
        if bar.disable and now - told > SECONDS_BETWEEN_LINES:
            rate = seconds / (now - begun)
            say(f"{done} of {len(utterances)}, {pace(rate)}, {(total - seconds) / rate:.0f} s left")
            told = now
    bar.close()
    spent = max(time.monotonic() - begun, 1e-9)
    say(f"{len(utterances)} utterances in {spent:.0f} s, {pace(seconds / spent)}")


def pace(rate: float) -> str:
    """How fast it goes."""
    return f"{rate:.3g} s of audio a second"


def say(line: str) -> None:
    """A line of the log."""
    print(f"features: {line}", file=sys.stderr, flush=True)


def model_state(model: str | None) -> list[tuple[str, int, int]]:
    """Names, sizes and times of the files of a model's folder; none for a name on the hub."""
    files = sorted(Path(model).iterdir()) if model and Path(model).is_dir() else []
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def own_gpu(device: torch.device, shard: int) -> torch.device:
    """Of a machine's GPUs, one a shard; any other device, or a numbered one, as it is."""
    if device.type != "cuda" or device.index is not None:
        return device
    return torch.device("cuda", (shard - 1) % torch.cuda.device_count())


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
