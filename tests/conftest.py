"""What several tests use: the embedded word space, a tiny corpus of frames."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import hypothesis
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from emoword import cli
from emoword.features.shards import Meta
from emoword.layout import as_json
from emoword.settings import LogMel
from emoword.spaces.word_space import WordSpace

torch.set_num_threads(1)  # the tests run side by side
hypothesis.settings.register_profile(
    "emoword",
    deadline=None,  # the machine is shared
    max_examples=40,
    derandomize=True,  # the same examples each time: a red run can be run again
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("emoword")


@pytest.fixture(scope="session")
def embedded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "embedded"
    cli.main(["space", "--format", "embedded", "--out", str(folder)])
    return folder


@pytest.fixture(scope="session")
def embedded(embedded_folder: Path) -> WordSpace:
    return WordSpace.open(embedded_folder)


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run ``emoword`` with arguments that are wrong; returns its one line."""

    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(argument) for argument in arguments])
        capsys.readouterr()
        message = str(stopped.value.code)
        assert "\n" not in message
        return message

    return run


@pytest.fixture(scope="session")
def emoword() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``emoword`` as a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "emoword", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def write_shard(folder: Path, frames: Mapping[str, NDArray[np.float32]]) -> None:
    """Frames of utterances [frames, dim] as `emoword features` leaves them."""
    folder.mkdir(parents=True)
    arrays = list(frames.values())
    np.save(folder / "frames.npy", np.concatenate(arrays))
    counts = np.array([len(array) for array in arrays])
    table = {"utterance": list(frames), "start": counts.cumsum() - counts, "frames": counts}
    pd.DataFrame(table).to_csv(folder / "index.csv", index=False)
    meta = Meta(
        shard=folder.name.removeprefix("shard").replace("of", "/"),
        utterances=len(frames),
        frames=int(counts.sum()),
        device="cpu",
        all_utterances="",
        other_labels=0,
        dim=arrays[0].shape[1],
        upstream=LogMel(dtype=str(arrays[0].dtype)),  # type: ignore[arg-type]
        about={},
        threads=1,
        versions={},
    )
    (folder / "meta.json").write_text(as_json(meta))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 utterances, 3 folds, 3 classes whose frames differ plainly; targets and features."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    classes = ["anger", "sadness", "joy"]
    rows, frames = [], {}
    for i in range(48):
        label = classes[i // 3 % 3]
        length = int(rng.integers(6, 30))
        clip = rng.normal(classes.index(label), 1.0, (length, 4)).astype(np.float32) * 10 + 50
        rows.append((f"u{i}", f"u{i}.wav", f"s{i % 3}", i % 3 + 1, "", label))
        frames[f"u{i}"] = clip
    names = ["utterance", "wav", "speaker", "fold", "style", "label"]
    utterances = pd.DataFrame(rows, columns=names)
    utterances.to_csv(folder / "utterances.csv", index=False)
    write_shard(folder / "features" / "shard1of1", frames)
    (folder / "targets").mkdir()
    for label_set in ("S1", "S2"):
        table = utterances[["utterance", "label"]].set_axis(["utterance", "word"], axis=1)
        table.assign(count=1).to_csv(folder / "targets" / f"{label_set}.csv", index=False)
    (folder / "targets" / "classes.json").write_text(json.dumps(classes))
    return folder


@pytest.fixture(scope="session")
def page_at_size() -> ModuleType:
    """The benchmark that makes results without training."""
    path = Path(__file__).parent.parent / "benchmarks" / "page_at_size.py"
    spec = importlib.util.spec_from_file_location("page_at_size", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sized(tmp_path_factory: pytest.TempPathFactory, page_at_size: ModuleType) -> Path:
    """Results of 120 utterances and two seeds, of which nothing was trained; not to be changed."""
    page: Path = page_at_size.make(tmp_path_factory.mktemp("sized"), 120, 2, ["lc"])
    return page.parent
