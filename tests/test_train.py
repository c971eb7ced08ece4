"""Runs of a tiny network: what they leave, that they are repeatable, resume and learn."""

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
from numpy.typing import NDArray
from safetensors.numpy import load_file

from emoword.io.errors import InputError
from emoword.labels.decision import decide
from emoword.settings import NetworkSettings, TrainingSettings
from emoword.spaces.word_space import WordSpace
from emoword.training import checkpoint
from emoword.training.checkpoint import Progress
from emoword.training.network import Network
from emoword.training.optimiser import OneCycleAdam
from emoword.training.train import spread_of
from small_results import CLASSES, Small, random_frames, write_frames, write_words

SHARED = (("anger", 2), ("joy", 1), ("tense", 1))
TINY = NetworkSettings(channels=(8, 8, 8), lstm=4, hidden=(16,))

Train = Callable[..., Path]


@pytest.fixture
def train(small: Small, tmp_path: Path) -> Train:
    def run(name: str, *arguments: str, **options: object) -> Path:
        return small.train(tmp_path / name, *arguments, **options)  # type: ignore[arg-type]

    return run


def part(run: Path, name: str) -> list[str]:
    split = pd.read_csv(run / "split.csv")
    return list(split["utterance"][split["part"] == name])


def record(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "run.json").read_text())
    return found


def outputs(run: Path, small: Small, names: list[str], dim: int = 100) -> NDArray[np.float32]:
    """What the weights of a run say of utterances, one at a time."""
    network = Network(4, dim, TINY).eval()
    weights = {k: torch.from_numpy(w) for k, w in load_file(run / "weights.safetensors").items()}
    weights.pop("centroids", None)
    network.load_state_dict(weights)
    with torch.inference_mode():
        clips = [torch.from_numpy(small.frames(name)) for name in names]
        said = [network(clip[None], torch.tensor([len(clip)]))[0] for clip in clips]
    found: NDArray[np.float32] = torch.stack(said).numpy()
    return found


def test_a_run_leaves_what_it_says(train: Train) -> None:
    run = train("run")
    assert record(run)["model"] == "M1"
    assert record(run)["utterances"] == {"test": 16, "train": 26, "validation": 6}
    assert len(pd.read_csv(run / "split.csv")) == 48
    predictions = np.load(run / "predictions.npy")
    assert (predictions.shape, predictions.dtype) == ((16, 100), np.float32)
    history = pd.read_csv(run / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3]
    assert record(run)["best_epoch"] == history["epoch"].iloc[history["validation_loss"].argmin()]
    names = "history.csv predictions.npy run.json split.csv weights.safetensors"
    assert sorted(path.name for path in run.iterdir()) == names.split()


def test_the_weights_give_the_predictions(train: Train, small: Small) -> None:
    run = train("run")
    said = outputs(run, small, part(run, "test"))
    np.testing.assert_allclose(said, np.load(run / "predictions.npy"), atol=1e-5)


def test_statistics_come_from_the_training_part_alone(train: Train, small: Small) -> None:
    run = train("run")
    rows = np.concatenate([small.frames(name) for name in part(run, "train")]).astype(float)
    weights = load_file(run / "weights.safetensors")
    np.testing.assert_allclose(weights["input_mean"], rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(weights["input_std"], rows.std(0), rtol=1e-5)


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "device", ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, needs_gpu])]
)
def test_same_seed_same_bytes_other_seed_other_weights(
    train: Train, precision: str, device: str
) -> None:
    own = {"training": {"precision": precision}, "device": device}
    a, b, c = train("a", **own), train("b", **own), train("c", **own, seed=1)
    for file in ("weights.safetensors", "history.csv", "split.csv", "predictions.npy"):
        assert (a / file).read_bytes() == (b / file).read_bytes()
    assert (a / "weights.safetensors").read_bytes() != (c / "weights.safetensors").read_bytes()


def test_a_killed_run_resumes_to_the_same_bytes(train: Train, small: Small, tmp_path: Path) -> None:
    """SIGKILL after some epoch, twice; the third start ends as if nothing had happened."""
    whole = train("whole", training={"epochs": 60, "patience": 40, "learning_rate": 0.01}, fold=2)
    inputs: list[object] = ["--utterances", small.utterances, "--features", small.features]
    inputs += ["--truth", small.targets("S1"), "--targets", small.targets("S1")]
    inputs += ["--vectors", small.root / small.variant.vectors["S1"], "--device", "cpu"]
    made_by = tmp_path / "whole.settings.json"
    often = "from emoword.training import loop; loop.BETWEEN_CHECKPOINTS = 0"
    often += "; from emoword.cli import main; main()"
    command = [sys.executable, "-c", often, "train", made_by, *inputs, "--fold", 2]
    cut = tmp_path / "cut"
    cut.mkdir()
    start = [*map(str, command), "--out", "run"]
    for stop_after in (3, 20):
        with subprocess.Popen(start, cwd=cut, stderr=subprocess.PIPE) as process:
            assert process.stderr
            for line in process.stderr:
                if line.startswith(f"epoch {stop_after}/".encode()):
                    process.kill()
                    break
        assert (cut / "run.checkpoint.safetensors").is_file()
        assert not (cut / "run").exists()
    done = subprocess.run(start, cwd=cut, check=True, capture_output=True)
    assert b"resumed after epoch" in done.stderr
    assert done.stderr.count(b"epoch ") < 45  # the first twenty were not made again
    same_files(cut / "run", whole)
    # a job that held several trainings failed, and Snakemake took the outputs of all of them
    shutil.rmtree(cut / "run")
    done = subprocess.run(start, cwd=cut, check=True, capture_output=True)
    assert re.search(rb"resumed after epoch (\d+)\n$", done.stderr)  # and no epoch after it
    assert sorted(path.name for path in cut.iterdir()) == ["run", "run.checkpoint.safetensors"]
    same_files(cut / "run", whole)


def same_files(a: Path, b: Path) -> None:
    for file in sorted(b.iterdir()):
        assert (a / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_checkpoint_of_another_training_is_not_used(train: Train, tmp_path: Path) -> None:
    wanted = (train("clean") / "history.csv").read_bytes()
    kept = tmp_path / "other.checkpoint.safetensors"
    kept.write_bytes(b"no safetensors")
    assert (train("other") / "history.csv").read_bytes() == wanted
    network = Network(4, 100, TINY)
    optimiser = OneCycleAdam(network.parameters(), TrainingSettings(), 9)
    best = copy.deepcopy(network.state_dict())
    checkpoint.save(kept, "of another", Progress(best, 0.0, 3), network, optimiser)
    assert (train("other") / "history.csv").read_bytes() == wanted


def test_it_learns_what_can_be_learned(train: Train) -> None:
    run = train("ce", "ce", training={"epochs": 40})
    history = pd.read_csv(run / "history.csv")
    assert history["validation_loss"].min() < np.log(3) / 2  # knowing nothing costs log 3
    assert np.load(run / "predictions.npy").shape == (16, 3)
    assert record(run)["model"] == "baseline"
    assert not record(run)["collapsed"]


def test_soft_labels_are_the_shares_of_the_raters(train: Train, tmp_path: Path) -> None:
    rows = [(f"u{i}", word, n) for i in range(48) for word, n in (("anger", 1), ("joy", 3))]
    rows = [row for row in rows if row[0] != "u2"] + [("u1", "awe", 9)]  # no class: left out
    words = write_words(tmp_path / "words", rows, CLASSES)
    run = train("soft", "soft", "S2", targets=words, training={"epochs": 60})
    assert record(run)["model"] == "M2"
    assert part(run, "no target") == ["u2"]
    logits = np.load(run / "predictions.npy")
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shares.mean(0), [0.25, 0.75, 0.0], atol=0.1)


def test_a_dirichlet_prior_knows_how_sure_raters_are(train: Train, tmp_path: Path) -> None:
    """Its mean is the raters' shares; where all say the same of each utterance, it is vague."""
    rows = [(f"u{i}", word, n) for i in range(48) for word, n in (("anger", 2), ("joy", 6))]
    words = write_words(tmp_path / "words", rows, CLASSES)
    run = train("sure", "dirichlet", "S2", targets=words, training={"epochs": 60})
    assert record(run)["model"] == "M2"
    logits = np.load(run / "predictions.npy").astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shares.mean(0), [0.25, 0.75, 0.0], atol=0.1)
    rows = [(f"u{i}", "anger" if i % 4 == 0 else "joy", 8) for i in range(48)]
    words = write_words(tmp_path / "one", rows, CLASSES)
    vague = train("vague", "dirichlet", "S2", targets=words, training={"epochs": 60})
    strengths = [np.exp(np.load(r / "predictions.npy")).sum(1).mean() for r in (run, vague)]
    assert strengths[0] > 2 * strengths[1]


def test_soft_labels_over_all_words(train: Train, small: Small, tmp_path: Path) -> None:
    """Every utterance has 2 x anger, 1 x joy, 1 x tense; one word each is said once elsewhere."""
    rows = [(f"u{i}", word, n) for i in range(48) for word, n in SHARED]
    split = pd.read_csv(train("split", "soft_words", "S3") / "split.csv")
    once = {
        part: split["utterance"][split["part"] == part].iloc[0]
        for part in ("train", "validation", "test")
    }
    rows += [(name, f"of_{part}", 1) for part, name in once.items()]
    words = write_words(tmp_path / "words", rows, CLASSES)
    run = train("run", "soft_words", "S3", targets=words, training={"epochs": 60})
    # what only validation or test utterances have, has no output
    known = [*CLASSES, "of_train", "tense"]
    found = record(run)
    assert (found["model"], found["classes"], found["outputs"]) == ("M3", CLASSES, known)
    logits = np.load(run / "predictions.npy").astype(float)
    assert logits.shape == (16, 5)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shares.mean(0), [0.5, 0.25, 0, 0, 0.25], atol=0.1)
    # the validation loss, in float64: cross entropy with the shares of the words that have one
    held = part(run, "validation")
    said = outputs(run, small, held, len(known)).astype(float)
    wanted = np.tile([0.5, 0.25, 0.0, 0.0, 0.25], (len(held), 1))
    by_hand = -(wanted * np.log(np.exp(said) / np.exp(said).sum(1, keepdims=True))).sum(1).mean()
    losses = pd.read_csv(run / "history.csv")["validation_loss"]
    assert losses.min() == pytest.approx(by_hand, rel=1e-5)


def test_soft_labels_over_all_words_are_learned(train: Train, small: Small) -> None:
    """Real label sets: each utterance's own emotion, frustration, and a comment."""
    run = train("run", "soft_words", "S3", training={"epochs": 60}, network={"dropout": 0.0})
    assert record(run)["outputs"] == [*CLASSES, "frustration", "tense"]
    assert not record(run)["collapsed"]
    predictions = np.load(run / "predictions.npy")
    names = part(run, "test")
    chosen = [CLASSES[i] for i in predictions[:, :3].argmax(1)]
    assert np.mean([small.truth[n] == c for n, c in zip(names, chosen, strict=True)]) > 0.8


def test_of_one_label_an_utterance_soft_labels_are_the_baseline(train: Train) -> None:
    losses = ("soft", "soft_words", "ce", "dirichlet")
    found = (np.load(train(loss, loss) / "predictions.npy") for loss in losses)
    soft, words, hard, prior = found
    np.testing.assert_allclose(soft, hard, atol=1e-5)
    np.testing.assert_allclose(prior, hard, atol=1e-4)
    np.testing.assert_allclose(words, hard, atol=1e-5)


@pytest.mark.parametrize("loss", ["triplet", "cosine"])
def test_the_controls_learn_what_can_be_learned(
    train: Train, small: Small, embedded: WordSpace, loss: str
) -> None:
    run = train(loss, loss, training={"epochs": 60}, network={"dropout": 0.0})
    predictions = np.load(run / "predictions.npy")
    if loss == "cosine":
        chosen = decide(predictions, embedded.vectors_of(CLASSES))
    else:
        assert predictions.shape == (16, 3)
        chosen = predictions.argmax(1)
    true = [small.truth[name] for name in part(run, "test")]
    assert np.mean([CLASSES[i] == label for i, label in zip(chosen, true, strict=True)]) > 0.8
    assert not record(run)["collapsed"]


def test_a_triplet_run_predicts_similarities_with_the_training_centroids(
    train: Train, small: Small
) -> None:
    run = train("triplet", "triplet")

    def directions(name: str) -> NDArray[np.float64]:
        vectors = outputs(run, small, part(run, name)).astype(np.float64)
        units: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units

    own = np.array([small.truth[name] for name in part(run, "train")])
    wanted = np.stack([directions("train")[own == c].mean(0) for c in CLASSES])
    centres = load_file(run / "weights.safetensors")["centroids"]
    np.testing.assert_allclose(centres, wanted, atol=1e-5)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    predictions = np.load(run / "predictions.npy")
    np.testing.assert_allclose(predictions, directions("test") @ wanted.T, atol=1e-5)


def test_early_stopping_may_watch_ua(train: Train) -> None:
    run = train("ua", "ce", training={"watch": "ua", "epochs": 12})
    history = pd.read_csv(run / "history.csv")
    assert record(run)["best_epoch"] == history["epoch"][history["watched"].argmax()]
    # six validation utterances of up to three classes
    recalls = {i / n for n in range(1, 7) for i in range(n + 1)}
    means = {sum(p) / n for n in (1, 2, 3) for p in itertools.product(recalls, repeat=n)}
    assert all(min(abs(ua - mean) for mean in means) < 1e-9 for ua in history["watched"])
    with pytest.raises(InputError, match="triplet decides by centroids"):
        train("no", "triplet", training={"watch": "ua"})


@pytest.mark.parametrize(
    "other",
    [
        {"network": {"padding": "valid", "pools": [1, 1, 1], "kernels": [3, 3, 1]}},
        {"training": {"optimiser": "adamw"}},
        {"training": {"cycle": 0.5}},
        {"training": {"validation_by": "speaker"}},
        {"training": {"standardise": "utterance"}},
    ],
)
def test_another_choice_trains_other_weights(train: Train, other: dict[str, object]) -> None:
    plain, changed = train("plain"), train("other", **other)
    assert record(plain)["settings"] != record(changed)["settings"]
    weights = [(run / "weights.safetensors").read_bytes() for run in (plain, changed)]
    assert weights[0] != weights[1]


def test_run_json_holds_the_settings_of_the_file(train: Train, tmp_path: Path) -> None:
    run = train("run", training={"optimiser": "adamw"})
    assert record(run)["settings"] == json.loads((tmp_path / "run.settings.json").read_text())


def test_a_run_that_learned_nothing_is_flagged(train: Train) -> None:
    assert record(train("dull", training={"learning_rate": 1e-9}))["collapsed"]


def test_a_run_that_never_predicts_a_class_is_flagged(
    train: Train, small: Small, tmp_path: Path
) -> None:
    """Trained on labels without the third class, it tells the others apart and never says it."""
    rows = [(name, {"sadness": "joy"}.get(word, word), 1) for name, word in small.truth.items()]
    targets = write_words(tmp_path / "words", rows, CLASSES)
    two, three = (
        record(train(name, "soft", "S2", targets=words, training={"epochs": 40}))
        for name, words in (("two", targets), ("three", small.targets("S1")))
    )
    assert two["spread"] > 0.2  # type: ignore[operator]
    assert (two["never_predicted"], two["collapsed"]) == (["sadness"], True)
    assert (three["never_predicted"], three["collapsed"]) == ([], False)


def test_early_stopping_keeps_the_best_epoch(
    train: Train, small: Small, embedded: WordSpace
) -> None:
    long = train("long", training={"epochs": 60, "patience": 3, "learning_rate": 0.03})
    best, epochs = (record(long)[key] for key in ("best_epoch", "epochs"))
    assert epochs == best + 3 < 60  # type: ignore[operator]
    held = part(long, "validation")
    error = outputs(long, small, held) - embedded.vectors_of([small.truth[name] for name in held])
    losses = pd.read_csv(long / "history.csv")["validation_loss"]
    assert np.log(np.cosh(error)).mean() == pytest.approx(losses.min(), rel=1e-5)
    assert losses.iloc[-1] > losses.min() * 1.001


def test_utterances_without_a_target_are_not_trained_on(train: Train, small: Small) -> None:
    assert part(train("s2", label_set="S2"), "no target") == ["u5"]  # nobody rated it
    run = train("s2_of_fold_3", label_set="S2", fold=3)
    assert "u5" in part(run, "test")  # predicted all the same
    assert len(np.load(run / "predictions.npy")) == 16


def test_mistakes_are_named(train: Train, small: Small, tmp_path: Path) -> None:
    empty = write_words(tmp_path / "words", [], CLASSES)
    with pytest.raises(InputError, match="no words for any utterance of the train part"):
        train("r", label_set="S3", targets=empty)
    with pytest.raises(InputError, match="fewer than the 27 frames that pooling needs"):
        train("r", "ce", network={"pools": [3, 3, 3]})
    with pytest.raises(InputError, match="auto takes what is there"):
        train("r", device="cuda:99")
    frames = random_frames(small.truth)
    del frames["u7"]
    with pytest.raises(InputError, match="no frames of utterance u7"):
        train("r", features=write_frames(tmp_path / "fewer", frames))
    assert not (tmp_path / "r").exists()


def test_divergence_names_the_batch(train: Train, small: Small, tmp_path: Path) -> None:
    frames = random_frames(small.truth)
    frames["u4"][0] = np.inf
    features = write_frames(tmp_path / "features", frames)
    said = r"epoch 1: the loss is not finite in the batch of (.*, )?u4[,;]"
    with pytest.raises(InputError, match=said):
        train("r", "ce", features=features, training={"standardise": "none"})
    assert not (tmp_path / "r").exists()


def test_spread_by_hand() -> None:
    targets = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert spread_of(targets * 7, targets, False) == pytest.approx(1.0)  # directions alone count
    assert spread_of(np.ones((2, 2), dtype=np.float32), targets, False) == 0
    logits = np.log(np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32))
    assert spread_of(logits, np.array([0, 1]), True) == pytest.approx(0.64, rel=1e-5)
    shares = np.array([[0.5, 0.5], [0.1, 0.9]], dtype=np.float32)
    assert spread_of(logits, shares, True) == pytest.approx(0.8**2 / 0.4**2, rel=1e-5)


def test_steps_end_a_training(small: Small, tmp_path: Path) -> None:
    """26 utterances of the training part are 4 batches of 8: 5 steps end in the second epoch."""
    out = small.train(tmp_path / "run", training={"steps": 5})
    run = json.loads((out / "run.json").read_text())
    batches = -(-run["utterances"]["train"] // 8)
    assert run["epochs"] == -(-5 // batches) < 50


@pytest.mark.parametrize("seed", [-1, 2**32, 2**70])
def test_a_seed_that_is_none_is_one_line(seed: int, train: Train) -> None:
    with pytest.raises(InputError, match=f"--seed {seed}: give 0 to 4294967295"):
        train("run", seed=seed)
