import copy
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from emoword import cli
from emoword.features.frames import Features
from emoword.labels.encoding import decide
from emoword.spaces.word_space import WordSpace
from emoword.training import checkpoint
from emoword.training.checkpoint import Progress
from emoword.training.loop import (
    Examples,
    predict,
)
from emoword.training.network import Network, Shape
from emoword.training.optimiser import OneCycleAdam
from emoword.training.train import spread_of

SMALL = ["--channels", "8", "8", "8", "--lstm", "4", "--hidden", "16", "--batch-size", "8"]
QUICK = [*SMALL, "--epochs", "3", "--learning-rate", "5e-3"]

Train = Callable[..., Path]


@pytest.fixture
def train(corpus: Path, embedded_folder: Path, tmp_path: Path) -> Train:
    def run(name: str, *options: str, corpus: Path = corpus) -> Path:
        inputs = ["--utterances", corpus / "utterances.csv", "--features", corpus / "features"]
        inputs += ["--targets", corpus / "targets", "--space", embedded_folder]
        fold = [] if "--fold" in options else ["--fold", "1"]
        out = tmp_path / name
        cli.main(["train", *map(str, inputs), *QUICK, *fold, *options, "--out", str(out)])
        return out

    return run


def test_a_run_leaves_what_it_says(train: Train) -> None:
    run = train("run")
    record = json.loads((run / "run.json").read_text())
    assert record["model"] == "M1"
    assert record["utterances"] == {"test": 16, "train": 26, "validation": 6}
    split = pd.read_csv(run / "split.csv")
    assert len(split) == 48
    predictions = np.load(run / "predictions.npy")
    assert predictions.shape == (16, 100)
    assert predictions.dtype == np.float32
    history = pd.read_csv(run / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3]
    assert record["best_epoch"] == history["epoch"].iloc[history["validation_loss"].argmin()]
    assert sorted(p.name for p in run.iterdir()) == [
        "history.csv",
        "predictions.npy",
        "run.json",
        "split.csv",
        "weights.safetensors",
    ]


def test_the_weights_give_the_predictions(train: Train, corpus: Path) -> None:
    run = train("run")
    network = Network(Shape(4, 100, (8, 8, 8), lstm=4, hidden=(16,)))
    weights = load_file(run / "weights.safetensors")
    network.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    split = pd.read_csv(run / "split.csv")
    index = pd.read_csv(corpus / "features/shard1of1" / "index.csv").set_index("utterance")
    frames = np.load(corpus / "features/shard1of1" / "frames.npy")
    network.eval()
    for i, name in enumerate(split["utterance"][split["part"] == "test"][:5]):
        start, length = index.loc[name, ["start", "frames"]]
        clip = torch.from_numpy(frames[start : start + length])
        with torch.inference_mode():
            alone = network(clip[None], torch.tensor([length]))[0]
        wanted = np.load(run / "predictions.npy")[i]
        np.testing.assert_allclose(alone.numpy(), wanted, atol=1e-5)


def test_statistics_come_from_the_training_part_alone(train: Train, corpus: Path) -> None:
    run = train("run")
    split = pd.read_csv(run / "split.csv")
    index = pd.read_csv(corpus / "features/shard1of1" / "index.csv").set_index("utterance")
    frames = np.load(corpus / "features/shard1of1" / "frames.npy").astype(np.float64)
    own = index.loc[list(split["utterance"][split["part"] == "train"])]
    spans = zip(own["start"].astype(int), own["frames"].astype(int), strict=True)
    rows = np.concatenate([frames[start : start + length] for start, length in spans])
    weights = load_file(run / "weights.safetensors")
    np.testing.assert_allclose(weights["input_mean"], rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(weights["input_std"], rows.std(0), rtol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_bytes_other_seed_other_weights(train: Train, precision: str) -> None:
    own = ("--precision", precision)
    a, b, c = train("a", *own), train("b", *own), train("c", "--seed", "1", *own)
    for file in ("weights.safetensors", "history.csv", "split.csv", "predictions.npy"):
        assert (a / file).read_bytes() == (b / file).read_bytes()
    assert (a / "weights.safetensors").read_bytes() != (c / "weights.safetensors").read_bytes()


def test_a_killed_run_goes_on_to_the_same_bytes(
    corpus: Path, embedded_folder: Path, tmp_path: Path
) -> None:
    """SIGKILL after some epoch, twice; the third start ends as if nothing had happened."""
    inputs = ["--utterances", corpus / "utterances.csv", "--features", corpus / "features"]
    inputs += ["--targets", corpus / "targets", "--space", embedded_folder, "--fold", 2]
    longer = ["--epochs", 60, "--patience", 40, "--learning-rate", 0.01, "--out", "run"]
    command = [sys.executable, "-m", "emoword", "train", *inputs, *SMALL, *longer]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    subprocess.run(list(map(str, command)), cwd=whole, check=True, capture_output=True)
    epochs = 0
    for stop_after in (3, 20):
        with subprocess.Popen(list(map(str, command)), cwd=cut, stderr=subprocess.PIPE) as process:
            assert process.stderr
            for line in process.stderr:
                epochs += line.startswith(b"epoch")
                if line.startswith(f"epoch {stop_after}/".encode()):
                    process.kill()
                    break
        assert (cut / "run.checkpoint.safetensors").is_file()
        assert not (cut / "run").exists()
    done = subprocess.run(list(map(str, command)), cwd=cut, check=True, capture_output=True)
    assert b"going on after epoch" in done.stderr
    assert done.stderr.count(b"epoch ") < 45  # the first twenty were not made again
    same_files(cut / "run", whole / "run")
    # a job that held several trainings failed, and Snakemake took the outputs of all of them
    shutil.rmtree(cut / "run")
    done = subprocess.run(list(map(str, command)), cwd=cut, check=True, capture_output=True)
    assert re.search(rb"going on after epoch (\d+)\n$", done.stderr)  # and no epoch after it
    assert sorted(p.name for p in cut.iterdir()) == ["run", "run.checkpoint.safetensors"]
    same_files(cut / "run", whole / "run")


def same_files(a: Path, b: Path) -> None:
    for file in sorted(b.iterdir()):
        assert (a / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_checkpoint_of_another_training_is_not_used(train: Train, tmp_path: Path) -> None:
    wanted = train("clean")
    kept = tmp_path / "other.checkpoint.safetensors"
    kept.write_bytes(b"no safetensors")
    assert (train("other") / "history.csv").read_bytes() == (wanted / "history.csv").read_bytes()
    network = Network(Shape(4, 100, (8, 8, 8), lstm=4, hidden=(16,)))
    optimiser = OneCycleAdam(network.parameters(), 0.1, 9)
    best = copy.deepcopy(network.state_dict())
    checkpoint.save(kept, "of another", network, optimiser, Progress(best, 0.0, 3))
    assert (train("other") / "history.csv").read_bytes() == (wanted / "history.csv").read_bytes()


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_same_seed_same_bytes_on_a_gpu(train: Train, precision: str) -> None:
    own = ("--device", "cuda", "--precision", precision)
    a, b = train("a", *own), train("b", *own)
    for file in ("weights.safetensors", "history.csv", "predictions.npy"):
        assert (a / file).read_bytes() == (b / file).read_bytes()


def test_it_learns_what_can_be_learned(train: Train) -> None:
    run = train("ce", "--loss", "ce", "--epochs", "40")
    history = pd.read_csv(run / "history.csv")
    assert history["validation_loss"].min() < np.log(3) / 2  # knowing nothing costs log 3
    logits = np.load(run / "predictions.npy")
    assert logits.shape == (16, 3)
    assert not json.loads((run / "run.json").read_text())["collapsed"]


def shared_targets(corpus: Path, folder: Path, s2: pd.DataFrame) -> Path:
    """A copy of the corpus whose S2 is another."""
    shutil.copytree(corpus, folder)
    s2.to_csv(folder / "targets" / "S2.csv", index=False)
    return folder


def test_soft_labels_are_the_shares_of_the_raters(
    train: Train, corpus: Path, tmp_path: Path
) -> None:
    rows = [(f"u{i}", "anger", 1) for i in range(48)] + [(f"u{i}", "joy", 3) for i in range(48)]
    rows += [("u1", "awe", 9)]  # no class: left out
    s2 = pd.DataFrame(rows, columns=["utterance", "word", "count"])
    s2 = s2[s2["utterance"] != "u2"]
    other = shared_targets(corpus, tmp_path / "soft", s2)
    run = train("soft", "--loss", "soft", "--label-set", "S2", "--epochs", "60", corpus=other)
    record = json.loads((run / "run.json").read_text())
    assert record["model"] == "M2"
    assert record["utterances"]["no target"] == 1
    logits = np.load(run / "predictions.npy")
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shares.mean(0), [0.25, 0.0, 0.75], atol=0.1)


def test_of_one_label_an_utterance_soft_labels_are_the_baseline(train: Train) -> None:
    soft, hard = train("soft", "--loss", "soft"), train("ce", "--loss", "ce")
    np.testing.assert_allclose(
        np.load(soft / "predictions.npy"), np.load(hard / "predictions.npy"), atol=1e-5
    )


@pytest.mark.parametrize("loss", ["triplet", "cosine"])
def test_the_controls_learn_what_can_be_learned(
    train: Train, corpus: Path, embedded: WordSpace, loss: str
) -> None:
    run = train(loss, "--loss", loss, "--epochs", "60", "--dropout", "0")
    classes = ["anger", "sadness", "joy"]
    split = pd.read_csv(run / "split.csv")
    labels = pd.read_csv(corpus / "utterances.csv").set_index("utterance")["label"]
    predictions = np.load(run / "predictions.npy")
    if loss == "cosine":
        chosen = decide(predictions, embedded.vectors_of(classes))
    else:
        assert predictions.shape == (16, 3)
        assert load_file(run / "weights.safetensors")["centroids"].shape == (3, 100)
        chosen = predictions.argmax(1)
    true = labels.loc[split["utterance"][split["part"] == "test"]]
    assert np.mean([classes[i] for i in chosen] == true) > 0.8
    assert not json.loads((run / "run.json").read_text())["collapsed"]


def test_a_triplet_run_predicts_similarities_with_the_training_centroids(
    train: Train, corpus: Path
) -> None:
    run = train("triplet", "--loss", "triplet")
    weights = {k: torch.from_numpy(w) for k, w in load_file(run / "weights.safetensors").items()}
    centres = weights.pop("centroids").numpy()
    network = Network(Shape(4, 100, (8, 8, 8), lstm=4, hidden=(16,)))
    network.load_state_dict(weights)
    split = pd.read_csv(run / "split.csv")
    labels = pd.read_csv(corpus / "utterances.csv").set_index("utterance")["label"]
    frames = Features.open(corpus / "features").frames

    def embedded(part: str) -> np.ndarray:
        names = list(split["utterance"][split["part"] == part])
        own = [frames[name] for name in names]
        vectors = predict(network, Examples(names, own, torch.zeros(len(names))), 8)
        units: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units

    own = labels.loc[split["utterance"][split["part"] == "train"]].to_numpy()
    wanted = [embedded("train")[own == c].mean(0) for c in ("anger", "sadness", "joy")]
    np.testing.assert_allclose(centres, wanted, atol=1e-5)
    directions = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    np.testing.assert_allclose(
        np.load(run / "predictions.npy"), embedded("test") @ directions.T, atol=1e-5
    )


def test_early_stopping_may_watch_ua(train: Train) -> None:
    run = train("ua", "--watch", "ua", "--loss", "ce", "--epochs", "12")
    history = pd.read_csv(run / "history.csv")
    record = json.loads((run / "run.json").read_text())
    assert record["best_epoch"] == history["epoch"][history["watched"].argmax()]
    assert set(history["watched"]) <= {i / 6 for i in range(7)} | {
        sum(parts) / 3 for parts in itertools.product((0, 0.5, 1), repeat=3)
    }


def test_other_choices_train_other_weights(train: Train) -> None:
    plain = (train("plain") / "weights.safetensors").read_bytes()
    for option in (
        "--padding valid",
        "--optimiser adamw",
        "--cycle 0.5",
        "--validation-by speaker",
    ):
        pools = ["--pools", "1", "1", "1", "--kernels", "3", "3", "1"]
        name, chosen = option.split()
        extra = pools if name == "--padding" else []
        other = train(name, name, chosen, *extra)
        assert (other / "weights.safetensors").read_bytes() != plain


def test_a_run_that_learned_nothing_is_flagged(train: Train) -> None:
    run = train("dull", "--learning-rate", "1e-9")
    assert json.loads((run / "run.json").read_text())["collapsed"]


def test_early_stopping_keeps_the_best_epoch(train: Train) -> None:
    long = train("long", "--epochs", "60", "--patience", "3", "--learning-rate", "0.03")
    record = json.loads((long / "run.json").read_text())
    assert record["epochs"] == record["best_epoch"] + 3 < 60


def test_utterances_without_a_target_are_not_trained_on(
    train: Train, corpus: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(corpus / "features", other / "features")
    shutil.copy(corpus / "utterances.csv", other)
    (other / "targets").mkdir()
    for name in ("S1.csv", "classes.json"):
        (other / "targets" / name).write_bytes((corpus / "targets" / name).read_bytes())
    s2 = pd.read_csv(corpus / "targets" / "S2.csv")
    s2[~s2["utterance"].isin(["u0", "u1", "u2"])].to_csv(other / "targets" / "S2.csv", index=False)
    run = train("s2", "--label-set", "S2", corpus=other)
    split = pd.read_csv(run / "split.csv").set_index("utterance")["part"]
    assert split["u0"] == "test"  # of fold 1: predicted all the same
    assert split["u1"] == split["u2"] == "no target"
    assert len(np.load(run / "predictions.npy")) == 16


def test_a_label_set_without_words_is_refused(
    fails: Callable[..., str], corpus: Path, embedded_folder: Path, tmp_path: Path
) -> None:
    (corpus / "targets" / "S3.csv").write_text("utterance,word,count\n")
    inputs = ["--utterances", corpus / "utterances.csv", "--features", corpus / "features"]
    inputs += ["--targets", corpus / "targets", "--space", embedded_folder, "--label-set", "S3"]
    message = fails("train", *inputs, "--fold", 1, "--out", tmp_path / "r")
    assert "S3.csv: no words for any utterance of the train part" in message


def test_divergence_names_the_batch(
    fails: Callable[..., str], corpus: Path, tmp_path: Path
) -> None:
    frames = np.load(corpus / "features/shard1of1" / "frames.npy")
    index = pd.read_csv(corpus / "features/shard1of1" / "index.csv").set_index("utterance")
    frames[index.loc["u4", "start"]] = np.inf
    other = tmp_path / "features/shard1of1"
    other.mkdir(parents=True)
    np.save(other / "frames.npy", frames)
    for name in ("index.csv", "meta.json"):
        (other / name).write_bytes((corpus / "features/shard1of1" / name).read_bytes())
    inputs = ["--utterances", corpus / "utterances.csv", "--features", other.parent]
    inputs += ["--targets", corpus / "targets", "--space", tmp_path, "--loss", "ce", "--fold", 1]
    message = fails("train", *inputs, *QUICK, "--standardise", "none", "--out", tmp_path / "r")
    assert "epoch 1: the loss is not finite" in message
    assert "u4" in message
    assert not (tmp_path / "r").exists()


def test_too_much_pooling_is_refused(fails: Callable[..., str], corpus: Path) -> None:
    inputs = ["--utterances", corpus / "utterances.csv", "--features", corpus / "features"]
    inputs += ["--targets", corpus / "targets", "--space", corpus, "--loss", "ce", "--fold", 1]
    message = fails("train", *inputs, "--pools", 3, 3, 3, "--out", corpus / "r")
    assert "fewer than the 27 frames that pooling needs" in message


def test_a_device_that_is_not_there(fails: Callable[..., str], corpus: Path) -> None:
    inputs = ["--utterances", corpus / "utterances.csv", "--features", corpus / "features"]
    inputs += ["--targets", corpus / "targets", "--space", corpus, "--fold", 1]
    assert "auto takes what is there" in fails(
        "train", *inputs, "--device", "cuda:99", "--out", corpus / "r"
    )


def test_spread_by_hand() -> None:
    goals = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert spread_of(goals * 7, goals, False) == pytest.approx(1.0)  # the length is no matter
    assert spread_of(np.ones((2, 2), dtype=np.float32), goals, False) == 0
    logits = np.log(np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32))
    assert spread_of(logits, np.array([0, 1]), True) == pytest.approx(0.64, rel=1e-5)
    shares = np.array([[0.5, 0.5], [0.1, 0.9]], dtype=np.float32)
    assert spread_of(logits, shares, True) == pytest.approx(0.8**2 / 0.4**2, rel=1e-5)
