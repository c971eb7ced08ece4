"""Leaks planted one at a time into real runs: each is caught and named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from emoword import cli

SMALL = ["--channels", "8", "8", "8", "--lstm", "4", "--hidden", "16", "--epochs", "1"]
RUNS = [("S1", "ce", 1), ("S1", "ce", 2), ("S1", "ce", 3), ("S2", "lc", 1), ("S2", "soft", 1)]


@pytest.fixture(scope="module")
def clean(corpus: Path, embedded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with mixed targets, and runs of it."""
    folder = tmp_path_factory.mktemp("leaks") / "data"
    shutil.copytree(corpus, folder)
    s2 = pd.read_csv(folder / "targets" / "S2.csv")
    s2 = s2[s2["utterance"] != "u5"]  # nobody said anything of it
    more = s2.iloc[::2].assign(word="joy", count=2)
    counted(s2, more).to_csv(folder / "targets" / "S2.csv", index=False)
    for label_set, loss, fold in RUNS:
        options = ["--label-set", label_set, "--loss", loss, "--fold", fold]
        out = folder / "runs" / f"{label_set}-{loss}-{fold}"
        cli.main(["train", *inputs(folder, embedded_folder), *SMALL, *map(str, options),
                  "--out", str(out)])  # fmt: skip
    return folder


def counted(*tables: pd.DataFrame) -> pd.DataFrame:
    """Label sets added up."""
    return pd.concat(tables).groupby(["utterance", "word"])["count"].sum().reset_index()


@pytest.fixture
def data(clean: Path, tmp_path: Path) -> Path:
    """A copy to plant a leak in."""
    shutil.copytree(clean, tmp_path / "data")
    return tmp_path / "data"


def inputs(data: Path, space: Path) -> list[str]:
    options = ["--utterances", data / "utterances.csv", "--features", data / "features"]
    return [str(o) for o in [*options, "--targets", data / "targets", "--space", space]]


@pytest.fixture
def leak(data: Path, embedded_folder: Path, fails: Callable[..., str]) -> Callable[[], str]:
    """What `emoword check-leaks` says of the copy."""

    def check() -> str:
        runs = sorted((data / "runs").glob("*-?"))
        out = data / "leaks.json"
        message = fails("check-leaks", *inputs(data, embedded_folder), "--runs", *runs,
                        "--out", out)  # fmt: skip
        assert not out.exists()
        assert "LEAK" in message
        return message

    return check


def test_real_runs_have_no_leaks(data: Path, embedded_folder: Path) -> None:
    runs = [str(run) for run in sorted((data / "runs").glob("*-?"))]
    out = data / "leaks.json"
    command = ["check-leaks", *inputs(data, embedded_folder), "--runs", *runs]
    cli.main([*command, "--out", str(out)])
    checked = json.loads(out.read_text())
    assert checked["runs"] == checked["runs with statistics of frames"] == len(RUNS)
    assert checked["leaks"] == 0


def split_of(data: Path, run: str) -> tuple[Path, pd.DataFrame]:
    path = data / "runs" / run / "split.csv"
    return path, pd.read_csv(path)


def test_a_speaker_of_two_folds(data: Path, leak: Callable[[], str]) -> None:
    table = pd.read_csv(data / "utterances.csv")
    table.loc[table["utterance"] == "u1", "speaker"] = "s0"  # u1 is of fold 2, s0 of fold 1
    table.to_csv(data / "utterances.csv", index=False)
    message = leak()
    assert "in two folds: speaker s0" in message
    assert "speakers of the test fold in training or validation: s0" in message


def test_an_utterance_in_two_folds(data: Path, leak: Callable[[], str]) -> None:
    table = pd.read_csv(data / "utterances.csv")
    again = table[table["utterance"] == "u0"].assign(fold=2, speaker="s1")
    pd.concat([table, again]).to_csv(data / "utterances.csv", index=False)
    assert "in two folds: utterance u0; in two folds: wav u0.wav" in leak()


def test_one_recording_under_two_names(data: Path, leak: Callable[[], str]) -> None:
    table = pd.read_csv(data / "utterances.csv")
    table.loc[table["utterance"] == "u1", "wav"] = "u0.wav"
    table.to_csv(data / "utterances.csv", index=False)
    assert "in two folds: wav u0.wav" in leak()


def test_validation_utterances_in_training(data: Path, leak: Callable[[], str]) -> None:
    path, split = split_of(data, "S1-ce-1")
    held = split[split["part"] == "validation"].iloc[:1].assign(part="train")
    pd.concat([split, held]).to_csv(path, index=False)
    name = held["utterance"].iloc[0]
    assert f"S1-ce-1: {name} is in train and validation" in leak()


def test_test_utterances_in_training(data: Path, leak: Callable[[], str]) -> None:
    path, split = split_of(data, "S1-ce-1")
    split.loc[split["utterance"] == "u0", "part"] = "train"
    split.to_csv(path, index=False)
    message = leak()
    assert "S1-ce-1: utterances of the test fold that were not tested: u0" in message
    assert "speakers of the test fold in training or validation: s0" in message


def test_an_utterance_tested_by_two_folds(data: Path, leak: Callable[[], str]) -> None:
    path, split = split_of(data, "S1-ce-2")
    split.loc[split["utterance"] == "u0", "part"] = "test"
    split.to_csv(path, index=False)
    message = leak()
    assert "S1-ce-2: tested on utterances of other folds: u0" in message
    assert "baseline ce seed 0 tests twice: u0" in message


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["train", "validation"], "by those of train and validation"),
        (["train", "validation", "test"], "by those of train and validation and test"),
        (["test"], "by others than the training part's"),
    ],
)
def test_statistics_of_other_frames(
    data: Path, leak: Callable[[], str], parts: list[str], said: str
) -> None:
    _, split = split_of(data, "S2-lc-1")
    index = pd.read_csv(data / "features/shard1of1/index.csv").set_index("utterance")
    own = index.loc[list(split["utterance"][split["part"].isin(parts)])]
    frames = np.load(data / "features/shard1of1/frames.npy").astype(np.float64)
    rows = np.concatenate([frames[s : s + n] for s, n in own[["start", "frames"]].to_numpy()])
    path = data / "runs" / "S2-lc-1" / "weights.safetensors"
    weights = load_file(path)
    weights["input_mean"] = rows.mean(0).astype(np.float32)
    weights["input_std"] = rows.std(0).astype(np.float32)
    save_file(weights, path)
    assert f"S2-lc-1: frames standardised {said}" in leak()


@pytest.mark.parametrize("loss", ["lc", "soft"])
def test_targets_made_with_test_data(
    data: Path, embedded_folder: Path, leak: Callable[[], str], loss: str
) -> None:
    """A run whose targets are smoothed with the words of the test fold."""
    path = data / "targets" / "S2.csv"
    honest = pd.read_csv(path)
    of_test = honest[honest["utterance"] == "u0"]
    counted(honest, of_test.assign(utterance="u1")).to_csv(path, index=False)
    run = data / "runs" / f"S2-{loss}-1"
    shutil.rmtree(run)
    options = ["--label-set", "S2", "--loss", loss, "--fold", "1", "--out", str(run)]
    cli.main(["train", *inputs(data, embedded_folder), *SMALL, *options])
    honest.to_csv(path, index=False)
    assert f"S2-{loss}-1: the targets of its train part are not what S2 says" in leak()
