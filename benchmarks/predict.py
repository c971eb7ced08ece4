"""Measure `emoword predict` beside `emoword features` and the loop of transformers' documentation.

    python benchmarks/predict.py --folder /tmp/predict

1. A folder of short files, the architecture of wav2vec2-large-960h-lv60-self with random weights,
   block 14, a network of Figure 1: seconds of audio a second of `Model.each`, of `emoword features`
   on the same files, and of the loop (which gives hidden states alone), in turn; models are loaded
   before.
2. The same with log-mel frames.
3. `emoword predict` of one file in a process of its own, on a warm disk, and what imports take.
4. The growth of the process's peak memory over an hour-long file, in windows of 4 s.

With --small everything is tiny, and the figures mean nothing. Takes two minutes and 1.3 GB of disk.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from iemocap_size import write_model, write_wavs
from plain import hidden_states

from emoword import settings
from emoword.features.batches import usable
from emoword.features.extract import write_frames
from emoword.features.upstreams import build
from emoword.inference.export import write_model as export_model
from emoword.inference.model import Model
from emoword.inference.trained import Trained
from emoword.layout import RunSettings
from emoword.settings import LogMel, NetworkSettings, Transformers
from emoword.spaces.make import make_space
from emoword.spaces.word_space import WordSpace
from emoword.training.network import Network

CLASSES = ("anger", "happiness", "sadness", "neutral")


def trained(upstream: settings.Upstream, dim: int, space: WordSpace) -> Trained:
    """A model with random weights of the network of Figure 1."""
    torch.manual_seed(0)
    made_by = RunSettings(
        label_set="S1",
        loss="lc",
        labels=settings.LabelSettings(),
        upstream="benchmark",
        space="embedded",
        network=NetworkSettings(),
        training=settings.TrainingSettings(),
    )
    weights = Network(dim, space.dim, made_by.network).state_dict()
    return Trained(made_by, upstream, CLASSES, space, {"fold1-seed0": weights})


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def rates(
    upstream: settings.Upstream, wavs: list[Path], folder: Path, space: WordSpace, repeats: int
) -> dict[str, list[float]]:
    """Seconds of audio a second: predict, features, and (of a pretrained model) the loop."""
    device = torch.device("cpu")
    built = build(upstream, device)
    model = Model(trained(upstream, built.dim, space), "cpu")
    total = sum(soundfile.info(str(wav)).duration for wav in wavs)

    def features() -> None:
        heard = usable([(wav.stem, str(wav)) for wav in wavs], built)
        write_frames(folder / "frames.npy", heard, built, upstream.dtype)

    calls: dict[str, Callable[[], object]] = {
        "predict": lambda: list(model.each(wavs)),
        "features": features,
    }
    if isinstance(upstream, Transformers):
        model_folder, layer = Path(upstream.model), upstream.layer
        calls["loop"] = lambda: hidden_states(model_folder, layer, wavs, folder, "cpu")
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            found[name].append(total / timed(call))
    return {name: values[1:] for name, values in found.items()}  # the first call apart


def report(what: str, found: dict[str, list[float]]) -> None:
    """A row: medians, and the ratios to predict."""
    middle = {name: float(np.median(values)) for name, values in found.items()}
    said = ", ".join(
        f"{name} {value:.3g} (predict is {middle['predict'] / value:.2f} times that)"
        for name, value in middle.items()
        if name != "predict"
    )
    print(f"| {what}: s of audio a second | predict {middle['predict']:.3g} | {said} |", flush=True)


def one_file(folder: Path, wav: Path) -> None:
    """A process that predicts one file, and one that only imports."""
    code = "from emoword import cli; cli.main()"
    emoword = [sys.executable, "-c", code, "predict", str(folder), str(wav)]
    imports = [sys.executable, "-c", "import emoword.inference.predict"]

    def run(command: list[str]) -> None:
        subprocess.run(command, check=True, capture_output=True)

    whole, imported = (
        min(timed(lambda c=command: run(c)) for _ in range(3)) for command in (emoword, imports)
    )
    print(f"| one file, log-mel, a process | {whole:.2f} s | of it imports {imported:.2f} s |")


def hour(model: Model, path: Path, seconds: int) -> None:
    """Peak memory before and after a long recording in windows."""
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for _ in range(seconds // 60):
            file.write(rng.normal(0, 0.1, 16_000 * 60))
    list(zip(range(40), model.windows(path, 4, 4), strict=False))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = timed(lambda: sum(1 for _ in model.windows(path, 4, 4)))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"| {seconds} s in windows of 4 s, log-mel | {spent:.0f} s | memory grew {grown:.0f} MB |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="a new one")
    parser.add_argument("--sample", type=int, default=12, help="utterances (default: 12)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--small", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    a.folder.mkdir(parents=True)
    write_model(a.folder / "model", a.small)
    write_wavs(a.folder / "wavs", a.sample)
    make_space(settings.Embedded(), a.folder / "space")
    space = WordSpace.open(a.folder / "space")
    wavs = sorted((a.folder / "wavs").glob("*.wav"))
    out = a.folder / "out"
    out.mkdir()
    print("| what | emoword predict | beside |\n|---|---|---|")
    logmel = Model(trained(LogMel(), 80, space), "cpu")
    hour(logmel, a.folder / "hour.wav", 120 if a.small else 3600)
    export = a.folder / "exported"
    export_model(logmel.trained, export)
    one_file(export, wavs[0])
    report("log-mel", rates(LogMel(), wavs * (1 if a.small else 10), out, space, a.repeats))
    large = Transformers(model=str(a.folder / "model"), layer=2 if a.small else 14, dtype="float16")
    report("wav2vec2-large, random weights", rates(large, wavs, out, space, a.repeats))


if __name__ == "__main__":
    main()
