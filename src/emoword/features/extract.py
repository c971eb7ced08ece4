"""The frames of one shard of the utterances."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from emoword.corpora import audio
from emoword.features.batches import Utterance, ahead, batches, shard_of, usable
from emoword.features.device import device_name, pick_device, versions
from emoword.features.frames import STORED
from emoword.features.shards import Meta
from emoword.features.upstreams import Upstream, build
from emoword.io.closure import fingerprint
from emoword.io.errors import InputError
from emoword.io.files import replacing, write_npy_header, write_table
from emoword.layout import FeatureSettings, as_json, read_settings
from emoword.schemas import UTTERANCES

SECONDS_BETWEEN_LINES = 30
# Seconds of audio, padding included, that are computed together. On a CPU measured: more is slower
# (benchmarks/README.md). On a GPU estimated: enough to keep it busy, in some 10 GB of its memory.
SECONDS_TOGETHER = {"cpu": 8, "cuda": 160}
SECONDS_ELSEWHERE = 40
BATCHES_AHEAD = 2
PACKAGES = ("numpy", "soundfile", "torch", "torchaudio", "transformers")  # the frames depend on

Batch = tuple[Sequence[Utterance], list[NDArray[np.float32]]]  # with their samples at 16 kHz


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
    r"""Compute the frames of a shard of the utterances: log-mel, MFCC or a pretrained model's.

    Audio may have any format, sample rate and number of channels that libsndfile reads. Written
    are, in OUT: frames.npy ([frames, dim], 50 a second), index.csv (utterance, start, frames) and
    meta.json (settings, versions). The other stages open the folder of all N shards:

        emoword features features/logmel/settings.json --utterances utterances.csv \
            --out features/logmel/shard1of1

    logmel: natural logarithm of the power in mel bands (25 ms windows). mfcc: 40 coefficients of
    it. transformers: the output of a block of a wav2vec 2.0, HuBERT or WavLM model or of a Whisper
    encoder; the model is a folder, or a name on the Hugging Face hub (offline: `hf download NAME`
    beforehand).

    All audio is read first: files that cannot be used are named before anything is computed.
    Utterances of like length are computed together, which changes a result in its last bits; the
    same command gives the same bytes on one machine. A shard is written whole or not at all: a
    killed job starts its own again, and the others stay. So choose several for long work, for
    several GPUs or several cores.

    Args:
        settings: settings.json of the features: the upstream, and the labels that take part.
        utterances: utterances.csv.
        shard: K/N: the Kth of N parts of the utterances, every Nth row.
        device: auto (CUDA, else MPS, else the CPU), cpu, cuda, cuda:1, mps.
        threads: Of a CPU; other numbers give other roundings.
        out: Folder of the shard, shardKofN in the folder of the features.
    """
    made_by = read_settings(settings, FeatureSettings)
    k, n = shard_of(shard)
    if threads < 1:
        raise InputError(f"--threads {threads}: at least 1")
    if out.is_file():
        raise InputError(f"{out}: is a file; --out is the folder of the shard")
    table, others = read_utterances(utterances, made_by.labels)
    chosen = own_gpu(pick_device(device), k)
    torch.set_num_threads(threads)
    upstream = build(made_by.upstream, chosen)
    own = table.iloc[k - 1 :: n]
    looked_at = usable(zip(own["utterance"], own["wav"], strict=True), upstream)
    with replacing(out) as folder:
        folder.mkdir()
        index = write_frames(folder / "frames.npy", looked_at, upstream, made_by.upstream.dtype)
        write_table(index.loc[own["utterance"]].reset_index(), folder / "index.csv")
        meta = Meta(
            shard=f"{k}/{n}",
            utterances=len(index),
            frames=int(index["frames"].sum()),
            device=device_name(chosen),
            all_utterances=fingerprint(name.encode() for name in table["utterance"]),
            other_labels=others,
            dim=upstream.dim,
            upstream=made_by.upstream,
            about=upstream.about,
            threads=threads,
            versions=versions(*PACKAGES),
        )
        (folder / "meta.json").write_text(as_json(meta) + "\n", encoding="utf-8")


def read_utterances(path: Path, labels: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """The utterances with one of these labels (none: all), and how many have another."""
    table = UTTERANCES.read(path, "utterance", "wav", *(["label"] if labels else []))
    twice = table["utterance"].duplicated()
    if twice.any():
        line, name = twice.argmax() + 2, table["utterance"][twice].iloc[0]
        raise InputError(f"{path}: line {line}: utterance {name} stands there twice")
    own = table[table["label"].str.strip().isin(labels)] if labels else table
    if own.empty:
        of = f" with one of the labels {', '.join(labels)}" if labels else ""
        raise InputError(f"{path}: has no utterances{of}")
    if labels:
        say(f"{len(own)} of {len(table)} utterances have one of the labels {', '.join(labels)}")
    return own, len(table) - len(own)


def write_frames(
    path: Path, utterances: Sequence[Utterance], upstream: Upstream, dtype: str
) -> pd.DataFrame:
    """Compute the frames of utterances, the longest first, and write them one after the other.

    Returns:
        Columns start, frames; the utterances' names are the index.
    """

    def read(span: slice) -> Batch:
        return utterances[span], [audio.read(utterance.wav) for utterance in utterances[span]]

    seconds = SECONDS_TOGETHER.get(upstream.device.type, SECONDS_ELSEWHERE)
    spans = batches([utterance.samples for utterance in utterances], seconds)
    counts: list[int] = []
    with path.open("wb") as file:
        write_npy_header(file, STORED[dtype], (0, upstream.dim))
        for batch, samples in progress(ahead(read, spans, BATCHES_AHEAD), utterances):
            for utterance, frames in zip(batch, computed(samples, upstream), strict=True):
                file.write(stored(utterance.name, frames, dtype).tobytes())
                counts.append(len(frames))
        file.seek(0)
        write_npy_header(file, STORED[dtype], (sum(counts), upstream.dim))
    starts = np.cumsum([0, *counts], dtype=np.int64)[:-1]
    names = pd.Index([utterance.name for utterance in utterances], name="utterance")
    return pd.DataFrame({"start": starts, "frames": np.array(counts, dtype=np.int64)}, names)


def computed(
    samples: Sequence[NDArray[np.float32]], upstream: Upstream
) -> list[NDArray[np.float32]]:
    """Frames of a batch, the longest first; an InputError where a GPU's memory is too small."""
    try:
        return upstream.frames(samples)
    except torch.OutOfMemoryError:
        longest = len(samples[0]) / audio.SAMPLE_RATE
        told = f"{len(samples)} utterances of up to {longest:.0f} s at once"
        raise InputError(f"--device: its memory is too small for {told}; try cpu") from None


def stored(utterance: str, frames: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    """Frames as they lie in the file; an InputError where they are not finite as ``dtype``."""
    if not np.isfinite(frames).all():
        raise InputError(f"{utterance}: its frames are not finite; are the weights damaged?")
    if dtype == "bfloat16":  # has float32's range; numpy takes its bits as integers
        return torch.from_numpy(frames).bfloat16().view(torch.uint16).numpy()
    with np.errstate(over="ignore"):
        converted = frames.astype(STORED[dtype])
    if not np.isfinite(converted).all():
        raise InputError(
            f"{utterance}: its frames reach {np.abs(frames).max():g}, too much for float16; "
            "choose dtype: bfloat16 or float32"
        )
    return converted


def progress(planned: Iterator[Batch], utterances: Sequence[Utterance]) -> Iterator[Batch]:
    """The batches; a line on stderr every half a minute, and at the end."""
    total = sum(utterance.seconds for utterance in utterances)
    begun = told = time.monotonic()
    done, seconds = 0, 0.0
    for batch, samples in planned:
        yield batch, samples
        done += len(batch)
        seconds += sum(utterance.seconds for utterance in batch)
        now = time.monotonic()
        if now - told > SECONDS_BETWEEN_LINES:
            rate = seconds / (now - begun)
            left = (total - seconds) / rate
            say(f"{done} of {len(utterances)}, {rate:.3g} s of audio a second, {left:.0f} s left")
            told = now
    spent = max(time.monotonic() - begun, 1e-9)
    say(f"{done} utterances in {spent:.0f} s, {seconds / spent:.3g} s of audio a second")


def say(line: str) -> None:
    """A line of the log."""
    print(f"features: {line}", file=sys.stderr, flush=True)


def own_gpu(device: torch.device, shard: int) -> torch.device:
    """Of a machine's GPUs, one a shard; any other device, or a numbered one, as it is."""
    if device.type != "cuda" or device.index is not None:
        return device
    return torch.device("cuda", (shard - 1) % torch.cuda.device_count())
