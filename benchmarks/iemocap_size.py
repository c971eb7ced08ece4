"""Measure features and training at IEMOCAP's size beside what one writes first; print one table.

Each measurement is a process of its own, one after the other, with the same number of threads on
the same files, which lie in the page cache:

1. features, in seconds of audio a second: the real architecture of
   wav2vec2-large-960h-lv60-self with random weights, block 14, synthetic audio of IEMOCAP's
   lengths (a sample at even ranks of 5,531), from wav to the file of frames. Ours is what `emoword
   features` does after the model is loaded. The peer is transformers as its documentation shows:
   one utterance at a time, all blocks, output_hidden_states=True, float32.
2. an epoch of training on 3,540 utterances (64% of 5,531: four folds less validation), frames of
   1,024 in float16 with four classes in them, the paper's network, log-cosh, batches of 32. The
   peer: one .npy an utterance, Dataset, DataLoader, pad_sequence, random batches, torch's own
   layers, Adam and OneCycleLR. Both begin with the same weights; the losses of the epochs are
   printed, of ours with --seeds seeds, to show what is noise.
3. floating-point operations a second of these steps (counted: convolutions, LSTMs, linear layers;
   backward twice forward, but no gradient of the input), beside the largest of torch's products of
   [4096, 2048] and [2048, 2048] in the same precision.

The last lines project the paper: 5,531 utterances' features, 50 trainings of 100 epochs.

    python benchmarks/iemocap_size.py                    # 15 minutes on two cores, 8 GB of disk
    python benchmarks/iemocap_size.py --utterances 400 --sample 12 --epochs 1
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import plain
import soundfile
import torch
from iemocap_like import IN_CLASSES, seconds

from emoword.features.batches import usable
from emoword.features.extract import write_frames
from emoword.features.frames import Features
from emoword.features.pretrained import load
from emoword.features.shards import Meta
from emoword.layout import RunSettings, as_json
from emoword.settings import LabelSettings, NetworkSettings, TrainingSettings, Transformers
from emoword.training.loop import Examples, train_epoch
from emoword.training.network import Network
from emoword.training.optimiser import OneCycleAdam
from emoword.training.split import frame_statistics

import transformers  # isort: skip  after emoword.io.torchaudio_python, by way of plain

LAYER = 14
INPUT_DIM, OUTPUT_DIM, SHAPE = 1024, 300, NetworkSettings()
BATCH = 32
RUN = Path(__file__).parents[1] / "run"
TRAINED = 0.64  # of the utterances: four of five folds, less a fifth for validation
Measured = dict[str, Any]


# --- what is measured, each in a process of its own ---


def features_ours(a: argparse.Namespace) -> Measured:
    """`emoword features` on the sample, after the model is loaded."""
    folder = a.folder / f"features-{a.precision}"
    folder.mkdir(exist_ok=True)
    made_by = Transformers(model=str(a.folder / "model"), layer=LAYER, precision=a.precision)
    upstream = load(made_by, torch.device(a.device))
    wavs = sorted((a.folder / "wav").iterdir())
    begun = time.perf_counter()
    utterances = usable([(wav.stem, str(wav)) for wav in wavs], upstream)
    index = write_frames(folder / "frames.npy", utterances, upstream, "float32")
    spent = time.perf_counter() - begun
    stored = np.load(folder / "frames.npy", mmap_mode="r")
    errors = []
    for name, start, count in index.itertuples():
        wanted = np.load(a.folder / "states" / f"{name}.npy")
        got = stored[start : start + count]
        errors.append(float(np.linalg.norm(got - wanted) / np.linalg.norm(wanted)))
    return {"seconds": spent, "error": max(errors)}


def features_plain(a: argparse.Namespace) -> Measured:
    """The peer; loading the model is subtracted."""
    (a.folder / "states").mkdir(exist_ok=True)
    wavs = sorted((a.folder / "wav").iterdir())
    begun = time.perf_counter()
    plain.hidden_states(a.folder / "model", LAYER, [], a.folder / "states", a.device)
    loaded = time.perf_counter()
    plain.hidden_states(a.folder / "model", LAYER, wavs, a.folder / "states", a.device)
    ended = time.perf_counter()
    return {"seconds": (ended - loaded) - (loaded - begun)}


def targets(classes: np.ndarray[Any, Any]) -> torch.Tensor:
    """A vector a class, as word vectors are long."""
    vectors = np.random.default_rng(1).normal(0, 0.4, (4, OUTPUT_DIM))
    return torch.from_numpy(vectors[classes].astype(np.float32))


def corpus(folder: Path) -> Examples:
    """The utterances that are trained on."""
    frames = Features.open(folder / "frames").frames
    names = list(frames)[: round(TRAINED * len(frames))]
    classes = np.load(folder / "classes.npy")[: len(names)]
    return Examples(names, [frames[name] for name in names], targets(classes))


def network_of(train: Examples, seed: int, precision: str) -> Network:
    """In its initial state."""
    torch.manual_seed(seed)
    network = Network(INPUT_DIM, OUTPUT_DIM, SHAPE, precision=precision)
    network.input_mean, network.input_std = frame_statistics(train.frames)
    return network


def training_ours(a: argparse.Namespace) -> Measured:
    """Epochs as `emoword train` takes them."""
    from emoword.training.train import make_deterministic

    make_deterministic(a.seed, torch.get_num_threads())
    train = corpus(a.folder)
    network = network_of(train, a.seed, a.precision).to(a.device)
    train = train.held(torch.device(a.device))
    training = TrainingSettings(batch_size=BATCH, learning_rate=2e-3)
    made_by = RunSettings(
        label_set="S1",
        loss="lc",
        labels=LabelSettings(),
        upstream="wav2vec2_large",
        network=SHAPE,
        training=training,
    )
    steps = -(-len(train.names) // BATCH) * a.epochs
    optimiser = OneCycleAdam(network.parameters(), training, steps)
    times, losses = [], []
    for epoch in range(1, a.epochs + 1):
        begun = time.perf_counter()
        losses.append(train_epoch(network, train, optimiser, made_by, a.seed, epoch))
        times.append(time.perf_counter() - begun)
    return {"seconds": min(times), "losses": losses}


def training_plain(a: argparse.Namespace) -> Measured:
    """The peer's epochs, from the same initial weights."""
    train = corpus(a.folder)
    network = plain.PlainNetwork(INPUT_DIM, OUTPUT_DIM, SHAPE)
    network.take_weights(network_of(train, a.seed, a.precision))
    network.to(a.device)
    files = [a.folder / "npy" / f"{name}.npy" for name in train.names]
    loader = torch.utils.data.DataLoader(
        plain.Utterances(files, train.targets), BATCH, shuffle=True, collate_fn=plain.pad
    )
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 2e-3, epochs=a.epochs, steps_per_epoch=len(loader)
    )
    times, losses = [], []
    for _ in range(a.epochs):
        begun = time.perf_counter()
        losses.append(plain.epoch(network, loader, optimiser, schedule, a.device))
        times.append(time.perf_counter() - begun)
    return {"seconds": min(times), "losses": losses}


def product(a: argparse.Namespace) -> Measured:
    """The machine's product of matrices: the fastest of ten."""
    dtype = getattr(torch, a.precision)
    left = torch.randn(4096, 2048, device=a.device, dtype=dtype)
    right = torch.randn(2048, 2048, device=a.device, dtype=dtype)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        total = (left @ right)[0, 0].item()  # waits for a GPU
        times.append(time.perf_counter() - begun)
    assert np.isfinite(total)
    return {"flops": 2 * 4096 * 2048 * 2048 / min(times)}


MEASURES = {
    measured.__name__: measured
    for measured in (features_ours, features_plain, training_ours, training_plain, product)
}


# --- the files ---


def write_model(folder: Path, small: bool) -> None:
    """wav2vec2-large-960h-lv60-self as it is built, with random weights (1.2 GB)."""
    config = transformers.Wav2Vec2Config(
        conv_dim=(16 if small else 512,) * 7,
        hidden_size=64 if small else 1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_conv_pos_embedding_groups=4 if small else 16,
        intermediate_size=128 if small else 4096,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        conv_bias=True,
    )
    torch.manual_seed(0)
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)


def write_wavs(folder: Path, sample: int) -> float:
    """Noise, of lengths at even ranks of IEMOCAP's; returns the sum of their seconds."""
    folder.mkdir()
    ranks = ((np.arange(sample) + 0.5) * IN_CLASSES / sample).astype(int)
    lengths = np.sort(seconds(IN_CLASSES))[ranks]
    rng = np.random.default_rng(0)
    for i, length in enumerate(lengths):
        samples = rng.normal(0, 0.1, round(length * 16000))
        soundfile.write(folder / f"u{i:04}.wav", samples, 16000, subtype="PCM_16")
    return float(lengths.sum())


def write_corpus(folder: Path, utterances: int) -> int:
    """Noise in which four classes differ, in one array and in one .npy each; how many frames."""
    shard = folder / "frames" / "shard1of1"
    shard.mkdir(parents=True)
    (folder / "npy").mkdir()
    counts = (seconds(utterances) * 50).astype(int)
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 4, utterances)
    offsets = rng.normal(0, 0.15, (4, INPUT_DIM))
    noise = rng.normal(0, 1, (4 * int(counts.max()), INPUT_DIM)).astype(np.float16)
    shape = (int(counts.sum()), INPUT_DIM)
    frames = np.lib.format.open_memmap(shard / "frames.npy", "w+", np.float16, shape)
    starts = np.cumsum(counts) - counts
    for i, (start, count) in enumerate(zip(starts, counts, strict=True)):
        place = rng.integers(0, len(noise) - count)
        frames[start : start + count] = noise[place : place + count] + offsets[classes[i]]
        np.save(folder / "npy" / f"u{i}.npy", frames[start : start + count])
    frames.flush()
    np.save(folder / "classes.npy", classes)
    rows = [f"u{i},{s},{n}\n" for i, (s, n) in enumerate(zip(starts, counts, strict=True))]
    (shard / "index.csv").write_text("utterance,start,frames\n" + "".join(rows))
    meta = Meta(
        shard="1/1",
        utterances=utterances,
        frames=shape[0],
        device="cpu",
        all_utterances="",
        other_labels=0,
        dim=INPUT_DIM,
        upstream=Transformers(model="noise", layer=LAYER, dtype="float16"),
        about={},
        threads=1,
        versions={},
    )
    (shard / "meta.json").write_text(as_json(meta))
    return int(counts[: round(TRAINED * utterances)].sum())


# --- the table ---


def step_flops(frames: int, utterances: int) -> float:
    """Of forward and backward over so many frames: 3 x forward, less the input's gradient."""
    dims, time_steps, total = [INPUT_DIM, *SHAPE.channels], float(frames), 0.0
    for i, (kernel, pool) in enumerate(zip(SHAPE.kernels, SHAPE.pools, strict=True)):
        own = 2 * time_steps * dims[i] * dims[i + 1] * kernel
        total += own * (2 if i == 0 else 3)
        time_steps /= pool
    for dim in (dims[-1], 2 * SHAPE.lstm):
        total += 3 * 2 * 2 * time_steps * 4 * SHAPE.lstm * (dim + SHAPE.lstm)  # two directions
    layers = [2 * SHAPE.lstm, *SHAPE.hidden, OUTPUT_DIM]
    total += 3 * 2 * utterances * sum(a * b for a, b in pairwise(layers))
    return total


def measure(what: str, folder: Path, arguments: argparse.Namespace, *options: str) -> Measured:
    """Run this file as a process that measures one thing; adds its peak memory in MB."""
    command = [sys.executable, __file__, "--measure", what, "--folder", str(folder), *options]
    command += ["--threads", str(arguments.threads), "--device", arguments.device]
    command += ["--epochs", str(arguments.epochs)]
    print(f"measuring {what} {' '.join(options)}", file=sys.stderr, flush=True)
    # what ./run tells malloc
    own = dict(re.findall(r"(MALLOC_\w+)=(\d+)", RUN.read_text())) if "ours" in what else {}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | own
    )
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def peak_memory() -> float:
    """Of this process, in MB, mapped files included (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def report(folder: Path, arguments: argparse.Namespace) -> None:
    """Measure everything, print the table."""
    write_model(folder / "model", arguments.small)
    audio = write_wavs(folder / "wav", arguments.sample)
    frames = write_corpus(folder, arguments.utterances)
    trained = round(TRAINED * arguments.utterances)

    def row(what: str, ours: str, peer: str, ratio: str) -> None:
        print(f"| {what} | {ours} | {peer} | {ratio} |", flush=True)

    print("| what | emoword | peer | ratio |\n|---|---|---|---|")
    theirs = measure("features_plain", folder, arguments)
    rates = {}
    for precision in ("float32", "bfloat16"):
        own = measure("features_ours", folder, arguments, "--precision", precision)
        rates[precision] = audio / own["seconds"]
        row(
            f"features, {precision}: seconds of audio a second",
            f"{rates[precision]:.2f} (relative error {own['error']:.1e}), {own['mb']:.0f} MB",
            f"{audio / theirs['seconds']:.2f}, {theirs['mb']:.0f} MB",
            f"{theirs['seconds'] / own['seconds']:.2f}",
        )
    peer = measure("training_plain", folder, arguments)
    times, curves = {}, []
    for precision in ("float32", "bfloat16"):
        seeds = range(arguments.seeds if precision == "float32" else 1)
        runs = [
            measure("training_ours", folder, arguments, "--precision", precision, "--seed", str(k))
            for k in seeds
        ]
        times[precision] = min(run["seconds"] for run in runs)
        peak = max(run["mb"] for run in runs)
        curves += [
            (f"{precision}, seed {k}", run["losses"]) for k, run in zip(seeds, runs, strict=True)
        ]
        row(
            f"an epoch of {trained:,} utterances, {precision}",
            f"{times[precision]:.1f} s, {peak:.0f} MB",
            f"{peer['seconds']:.1f} s, {peer['mb']:.0f} MB",
            f"{peer['seconds'] / times[precision]:.2f}",
        )
    for precision, spent in times.items():
        done = step_flops(frames, trained) / spent
        most = measure("product", folder, arguments, "--precision", precision)["flops"]
        row(
            f"{precision} operations a second of the steps",
            f"{done / 1e9:.0f} G",
            f"product of matrices {most / 1e9:.0f} G",
            f"{done / most:.2f}",
        )
    total = float(seconds(IN_CLASSES).sum())
    for precision, spent in times.items():
        # an epoch's validation: a quarter as many utterances, forward alone: a third of the work
        epoch = spent * IN_CLASSES / arguments.utterances * (1 + 0.25 / 3)
        hours = (total / rates[precision] / 3600, 50 * 100 * epoch / 3600)
        row(
            f"the paper in {precision}, projected, a seed",
            f"features {hours[0] * 60:.0f} min, 50 x 100 epochs {hours[1]:.1f} h",
            "",
            "",
        )
    print()
    for name, losses in [*curves, ("peer", peer["losses"])]:
        print(f"losses by epoch, {name}: {', '.join(f'{loss:.5f}' for loss in losses)}")
    about = [f"{name} {version(name)}" for name in ("torch", "transformers", "numpy")]
    place = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.processor()
    print(
        f"\n{arguments.utterances:,} utterances, sample of {arguments.sample} ({audio:.0f} s) for "
        f"features; {arguments.threads} threads of {os.cpu_count()} CPUs; {arguments.device} "
        f"{place or platform.machine()}; {', '.join(about)}, Python {platform.python_version()}"
    )


def main() -> None:
    """Measure one thing, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--utterances", type=int, default=IN_CLASSES, help="of training (default: 5531)")
    add("--sample", type=int, default=60, help="utterances of features (default: 60)")
    add("--epochs", type=int, default=2, help="of each training (default: 2)")
    add("--seeds", type=int, default=2, help="of ours in float32 (default: 2)")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)))
    add("--device", choices=["cpu", "cuda"], default="cpu")
    add("--folder", type=Path, default=Path(tempfile.gettempdir()), help="8 GB of room")
    add("--small", action="store_true", help="a small upstream, to try this script")
    add("--measure", choices=list(MEASURES), help=argparse.SUPPRESS)
    add("--precision", default="float32", help=argparse.SUPPRESS)
    add("--seed", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.measure:
        folder = Path(tempfile.mkdtemp(prefix="iemocap_size.", dir=arguments.folder))
        try:
            report(folder, arguments)
        finally:
            shutil.rmtree(folder)
        return
    torch.set_num_threads(arguments.threads)
    measured = MEASURES[arguments.measure](arguments)
    print(json.dumps({**measured, "mb": peak_memory()}))


if __name__ == "__main__":
    main()
