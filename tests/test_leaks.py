"""Leaks planted one at a time into real runs: each is caught and named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from emoword import layout
from emoword.io.errors import InputError
from emoword.labels.words import read_words
from emoword.reproduction.leaks import check_leaks
from small_results import CLASSES, Small, write_words

QUICK = {"epochs": 1}


@pytest.fixture(scope="module")
def clean(embedded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Five models on three folds: mixtures and soft labels of S2, and the baseline."""
    folder = tmp_path_factory.mktemp("leaks")
    made = Small.make(
        folder,
        embedded_folder,
        losses=["lc", "soft", "soft_words", "co_occurrence"],
        label_sets=["S1", "S2"],
    )
    models = [own for own in made.variant.models if own.label_set == "S2" or own.loss == "ce"]
    variant = msgspec.structs.replace(made.variant, models=tuple(models))
    small = Small(made.root, variant)
    small.variant_file.write_text(layout.as_json(variant))
    for model in models:
        for fold in (1, 2, 3):
            small.train_model(model, fold, training=QUICK)
    return small


@pytest.fixture
def data(clean: Small, tmp_path: Path) -> Small:
    """A copy to plant a leak in."""
    shutil.copytree(clean.root, tmp_path / "tiny")
    return Small(tmp_path / "tiny", clean.variant)


@pytest.fixture
def leak(data: Small) -> Callable[[], str]:
    """What `emoword check-leaks` says of the copy."""

    def check() -> str:
        out = data.root / "leaks.json"
        with pytest.raises(InputError, match=r"^LEAK: ") as found:
            check_leaks(data.variant_file, utterances=data.utterances, out=out)
        assert not out.exists()
        return str(found.value)

    return check


def run_of(data: Small, loss: str, fold: int) -> Path:
    (model,) = (own for own in data.variant.models if own.loss == loss)
    return data.root / layout.run_folder(model.folder, fold, 0)


def split_of(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "split.csv")


def change_utterances(data: Small, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    change(pd.read_csv(data.utterances)).to_csv(data.utterances, index=False)


def test_real_runs_have_no_leaks(data: Small) -> None:
    out = data.root / "leaks.json"
    check_leaks(data.variant_file, utterances=data.utterances, out=out)
    checked = json.loads(out.read_text())
    assert checked["runs"] == checked["runs with statistics of frames"] == 15
    assert (checked["utterances"], checked["speakers"], checked["folds"]) == (48, 3, 3)
    assert checked["leaks"] == 0


def test_a_speaker_of_two_folds(data: Small, leak: Callable[[], str]) -> None:
    # u1 is of fold 2, s0 of fold 1
    change_utterances(data, lambda t: t.assign(speaker=t["speaker"].mask(t.index == 1, "s0")))
    message = leak()
    assert "in two folds: speaker s0" in message
    assert "speakers of the test fold in training or validation: s0" in message


def test_an_utterance_or_its_audio_in_two_folds(data: Small, leak: Callable[[], str]) -> None:
    change_utterances(data, lambda t: pd.concat([t, t[:1].assign(fold=2, speaker="s1")]))
    assert "in two folds: utterance u0; in two folds: wav u0.wav" in leak()
    change_utterances(data, lambda t: t[:48].assign(wav=t["wav"].mask(t.index == 1, "u0.wav")))
    assert "LEAK: in two folds: wav u0.wav" in leak()


def test_validation_utterances_in_training(data: Small, leak: Callable[[], str]) -> None:
    run = run_of(data, "ce", 1)
    split = split_of(run)
    held = split[split["part"] == "validation"].iloc[:1].assign(part="train")
    pd.concat([split, held]).to_csv(run / "split.csv", index=False)
    assert f"{run}: {held['utterance'].iloc[0]} is in train and validation" in leak()


def test_an_utterance_without_a_class(data: Small, leak: Callable[[], str]) -> None:
    run = run_of(data, "lc", 2)
    more = pd.DataFrame({"utterance": ["nobody"], "part": ["train"]})
    pd.concat([split_of(run), more]).to_csv(run / "split.csv", index=False)
    assert f"{run}: utterances that take no part: nobody" in leak()


@pytest.mark.parametrize(("fold", "part"), [(1, "train"), (2, "test")])
def test_test_utterances_elsewhere(
    data: Small, leak: Callable[[], str], fold: int, part: str
) -> None:
    """u0 is of fold 1, and spoken by s0."""
    run = run_of(data, "ce", fold)
    split = split_of(run)
    split.loc[split["utterance"] == "u0", "part"] = part
    split.to_csv(run / "split.csv", index=False)
    message = leak()
    if part == "train":
        assert f"{run}: utterances of the test fold that were not tested: u0" in message
        assert "speakers of the test fold in training or validation: s0" in message
    else:
        assert f"{run}: tested on utterances of other folds: u0" in message
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
    data: Small, leak: Callable[[], str], parts: list[str], said: str
) -> None:
    run = run_of(data, "lc", 1)
    split = split_of(run)
    names = split["utterance"][split["part"].isin(parts)]
    rows = np.concatenate([data.frames(name) for name in names]).astype(np.float64)
    weights = load_file(run / "weights.safetensors")
    weights["input_mean"] = rows.mean(0).astype(np.float32)
    weights["input_std"] = rows.std(0).astype(np.float32)
    save_file(weights, run / "weights.safetensors")
    assert f"{run}: frames standardised {said}" in leak()


@pytest.mark.parametrize("loss", ["lc", "soft", "soft_words", "co_occurrence"])
def test_targets_made_with_test_data(data: Small, leak: Callable[[], str], loss: str) -> None:
    """A run whose targets are smoothed with the words of the test fold."""
    run = run_of(data, loss, 1)
    split = split_of(run)
    train = split["utterance"][split["part"] == "train"]
    name = next(name for name in train if data.truth[name] != data.truth["u0"])
    words = read_words(data.targets("S2"))
    of_test = words[words["utterance"] == "u0"].assign(utterance=name)
    smoothed = pd.concat([words, of_test]).groupby(["utterance", "word"], as_index=False).sum()
    rows = list(smoothed.itertuples(index=False, name=None))
    targets = write_words(data.root / "smoothed", rows, CLASSES)
    (model,) = (own for own in data.variant.models if own.loss == loss)
    shutil.rmtree(run)
    data.train_model(model, 1, targets=targets, training=QUICK)
    assert f"{run}: the targets of its train part are not what S2 says" in leak()
