"""A trained model on recordings: the pipeline's own numbers, wherever it lies; what it refuses."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.spatial.distance import cosine as distance

import emoword
from emoword import cli, layout, settings
from emoword.evaluation.decide import read_run
from emoword.features.extract import features
from emoword.inference import model as model_module
from emoword.inference.model import Model, Prediction
from emoword.inference.predict import listed
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.layout import FeatureSettings
from emoword.schemas import METRICS
from emoword.settings import LogMel, Transformers, resolve
from emoword.training.train import train
from small_results import CLASSES, Small, config
from test_upstreams import FAMILIES, STYLES, config_of, save

RATE = 16_000


def tone(seconds: float, frequency: float, seed: int = 0, rate: int = RATE) -> NDArray[np.float32]:
    """A tone in noise."""
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.05, len(time))
    return (0.3 * np.sin(2 * np.pi * frequency * time) + noise).astype(np.float32)


def with_audio(small: Small) -> Small:
    """The small results, with a tone of each class as audio and log-mel frames of it."""
    table = pd.read_csv(small.utterances, keep_default_na=False)
    for i, row in enumerate(table.itertuples()):
        path = small.root / "audio" / str(row.wav)
        path.parent.mkdir(exist_ok=True)
        frequency = 300 * (1 + CLASSES.index(str(row.label)))
        soundfile.write(path, tone(0.3 + 0.02 * (i % 7), frequency, i), RATE, subtype="FLOAT")
        table.loc[row.Index, "wav"] = str(path)
    write_table(table, small.utterances)
    shutil.rmtree(small.features)
    compute(small, "logmel", LogMel())
    return small


def compute(small: Small, name: str, upstream: settings.Upstream) -> Path:
    """Frames of all utterances, as the workflow makes them."""
    folder = small.root / "features" / name
    folder.mkdir(parents=True)
    made_by = FeatureSettings(upstream=upstream)
    (folder / "settings.json").write_text(layout.as_json(made_by))
    features(
        folder / "settings.json",
        utterances=small.utterances,
        device="cpu",
        out=folder / "shard1of1",
    )
    return folder


def train_on(small: Small, upstream: str, loss: settings.Loss = "lc") -> Path:
    """A run of M1 on an upstream of any name."""
    made_by = layout.run_settings(resolve(config(), "tiny", "paper"), "S1", loss)
    made_by = msgspec.structs.replace(made_by, upstream=upstream)
    folder = small.root / "runs" / layout.run_name(made_by)
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(layout.as_json(made_by))
    train(
        folder / "settings.json",
        utterances=small.utterances,
        truth=small.targets("S1"),
        targets=small.targets("S1"),
        vectors=small.root / small.variant.vectors["S1"],
        features=small.root / "features" / upstream,
        fold=1,
        device="cpu",
        out=folder / "fold1-seed0",
    )
    return folder / "fold1-seed0"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, embedded_folder: Path) -> Small:
    """Results with audio, and the runs of all models on all folds."""
    small = with_audio(Small.make(tmp_path_factory.mktemp("heard"), embedded_folder))
    for model in small.variant.models:
        for fold in (1, 2, 3):
            small.train_model(model, fold)
    return small


def model_folder(small: Small, name: str) -> Path:
    return small.root / next(m.folder for m in small.variant.models if m.name == name)


def wavs(small: Small) -> dict[str, str]:
    return dict(pd.read_csv(small.utterances)[["utterance", "wav"]].to_numpy())


def same_as_the_pipeline(run: Path, small: Small) -> list[Prediction]:
    """Predictions of a run's test utterances, each held against predictions.npy."""
    wanted, paths = read_run(run), wavs(small)
    found = emoword.load(run, "cpu").predict([paths[name] for name in wanted.utterances])
    for prediction, vector in zip(found, wanted.predictions, strict=True):
        np.testing.assert_allclose(prediction.vector, vector, atol=1e-5)
    assert len({prediction.vector.tobytes() for prediction in found}) > 1
    return found


def test_it_predicts_what_the_pipeline_predicts(heard: Small) -> None:
    run = model_folder(heard, "M3") / "fold2-seed0"
    found = same_as_the_pipeline(run, heard)
    assert {len(prediction.vectors) for prediction in found} == {1}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_frames_are_rounded_as_they_are_stored(heard: Small, dtype: settings.Dtype) -> None:
    compute(heard, dtype, LogMel(dtype=dtype))
    same_as_the_pipeline(train_on(heard, dtype), heard)


@pytest.mark.parametrize("family", ["wav2vec2", "whisper"])
def test_a_pretrained_upstream_travels_with_its_run(
    heard: Small, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = STYLES["wav2vec2-stable"] if family == "wav2vec2" else {}
    base = heard.root.parents[1]  # where results/ lies: config.yaml says models/NAME
    save(FAMILIES[family](config_of(family, **options)), family, base / "models" / family)
    monkeypatch.chdir(base)
    compute(heard, family, Transformers(model=f"models/{family}", layer=2))
    run = train_on(heard, family)
    monkeypatch.chdir(tmp_path)
    found = same_as_the_pipeline(run, heard)
    cli.main(["export", str(run), "--out", "moved/model"])
    shutil.move("moved/model", "elsewhere")
    shutil.move(base / "models" / family, tmp_path / "gone")
    again = emoword.load("elsewhere", "cpu").predict(paths_of_test(run, heard))
    for one, other in zip(again, found, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)


def paths_of_test(run: Path, small: Small) -> list[str]:
    paths = wavs(small)
    return [paths[name] for name in read_run(run).utterances]


def test_several_runs_are_averaged(heard: Small, embedded: Any) -> None:
    folder, path = (
        model_folder(heard, "M1"),
        paths_of_test(model_folder(heard, "M1") / "fold1-seed0", heard)[0],
    )
    alone = [emoword.load(folder / f"fold{i}-seed0", "cpu").predict(path) for i in (1, 2, 3)]
    together = emoword.load(folder, "cpu").predict(path)
    vectors = np.stack([p.vector for p in alone])
    np.testing.assert_array_equal(together.vectors, vectors)
    mean = vectors.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(together.vector, mean, rtol=1e-6)
    assert together.spread == pytest.approx(np.mean([distance(v, mean) for v in vectors]), abs=1e-6)
    assert together.agreement == np.mean([p.label == together.label for p in alone])
    # equation 5, and words, by scipy
    by_class = {c: 1 - distance(mean, embedded.vectors_of([c])[0]) for c in CLASSES}
    assert together.label == max(by_class, key=lambda c: by_class[c])
    assert together.scores == pytest.approx(by_class, abs=1e-6)
    assert together.similarity("relief") == pytest.approx(
        1 - distance(mean, embedded.vectors_of(["relief"])[0]), abs=1e-6
    )
    words = together.nearest(3)
    unit = embedded.vectors / np.linalg.norm(embedded.vectors, axis=1, keepdims=True)
    best = np.argsort(-(unit @ mean))[:3]
    assert [word for word, _ in words] == [embedded.word(i) for i in best]


@pytest.mark.parametrize("loss", ["ce", "triplet"])
def test_a_model_of_classes_has_labels_and_no_words(heard: Small, loss: settings.Loss) -> None:
    run = (
        model_folder(heard, "baseline") / "fold1-seed0"
        if loss == "ce"
        else train_on(heard, "logmel", loss)
    )
    found = same_as_the_pipeline(run, heard)
    scores = read_run(run).predictions[0]
    assert found[0].label == json.loads((run / "run.json").read_text())["classes"][scores.argmax()]
    with pytest.raises(InputError, match="predicts classes"):
        found[0].nearest()


def test_arrays_are_recordings(heard: Small, tmp_path: Path) -> None:
    model = emoword.load(model_folder(heard, "M1"), "cpu")
    samples = tone(1, 500, rate=44_100)
    stereo = np.stack([samples, np.zeros_like(samples)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 44_100, subtype="FLOAT")
    wanted = model.predict(tmp_path / "a.wav").vectors
    np.testing.assert_array_equal(model.predict(stereo, 44_100).vectors, wanted)
    among = model.predict([stereo / 2, stereo], 44_100)[1].vectors  # in a batch: other roundings
    np.testing.assert_allclose(among, wanted, atol=1e-6)
    assert not np.allclose(model.predict(stereo / 2, 44_100).vectors, wanted)
    with pytest.raises(InputError, match="their rate in Hz"):
        model.predict(stereo)


def test_windows_are_what_stretches_are_by_themselves(heard: Small, tmp_path: Path) -> None:
    model = emoword.load(model_folder(heard, "M1"), "cpu")
    samples = np.concatenate([tone(2, 300), np.zeros(2 * RATE, np.float32), tone(1.3, 900)])
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    found = list(model.windows(tmp_path / "a.wav", 1, 0.5))
    times = [(piece.start, piece.end) for piece, _ in found]
    assert times == [(s / 2, min(s / 2 + 1, 5.3)) for s in range(10)]
    silent = [piece.start for piece, prediction in found if prediction is None]
    assert silent == [2.0, 2.5, 3.0]
    for piece, prediction in found:
        if prediction:
            part = samples[int(piece.start * RATE) : int(piece.end * RATE)]
            wanted = model.predict(part, RATE).vectors
            np.testing.assert_allclose(prediction.vectors, wanted, atol=1e-5)


def test_a_long_recording_is_the_mean_of_its_parts(
    heard: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = emoword.load(model_folder(heard, "M1"), "cpu")
    samples = np.concatenate([tone(1.5, 300), tone(1.5, 900), tone(1.5, 600)])
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    whole = model.predict(tmp_path / "a.wav").vector
    monkeypatch.setattr(model_module, "LONGEST", 2.0)
    parts = [model.predict(part, RATE).vector for part in np.split(samples, 3)]
    found = model.predict(tmp_path / "a.wav").vector
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-5)
    assert not np.allclose(found, whole, atol=1e-5)


def test_importing_is_light() -> None:
    code = (
        "import sys, emoword; assert emoword.load and emoword.results and emoword.space; "
        "print({'torch', 'numpy', 'pandas', 'transformers'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_results_are_typed_tables(heard: Small) -> None:
    results = emoword.results(heard.root)
    assert results.variants() == ["paper"]
    assert results.utterances()["fold"].dtype == np.int64
    annotations = results.annotations()
    assert set(annotations["kind"]) == {"label", "comment"}
    table = results.predictions()
    assert len(table) == 48 * 4
    own = table[(table["model"] == "M2") & (table["fold"] == 3)]
    run = read_run(model_folder(heard, "M2") / "fold3-seed0")
    np.testing.assert_array_equal(np.stack(list(own["vector"])), run.predictions)
    assert list(own["utterance"]) == run.utterances
    with pytest.raises(InputError, match="no variant 'other'; there are paper"):
        results.predictions("other")
    with pytest.raises(InputError, match="no results here"):
        emoword.results(heard.root.parent)


# --- the commands ---


def predict(*arguments: object) -> None:
    cli.main(["predict", *map(str, arguments), "--device", "cpu"])


def test_predict_names_a_bad_file_and_resumes(
    heard: Small, tmp_path: Path, fails: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, csv = tmp_path / "in", tmp_path / "out.csv"
    (folder / "deep").mkdir(parents=True)
    for i, place in enumerate(["b.wav", "a.flac", "deep/c.WAV"]):
        soundfile.write(folder / place, tone(0.5, 300 + 200 * i), RATE)
    (folder / "notes.txt").write_text("no audio")
    (folder / "bad.wav").write_bytes(b"RIFF")
    model = model_folder(heard, "M1")
    options = ["--words", "relief", "--csv", csv, "--device", "cpu"]
    with pytest.raises(SystemExit) as stopped:
        predict(model, folder, *options[:-2])
    assert stopped.value.code == "emoword predict: 1 of 4 recordings cannot be used; named above"
    assert f"emoword predict: {folder}/bad.wav: cannot be read" in capsys.readouterr().err
    table = pd.read_csv(csv)
    assert list(table["file"]) == [str(folder / name) for name in ("a.flac", "b.wav", "deep/c.WAV")]
    own = emoword.load(model, "cpu").predict(folder / "b.wav")
    assert table["label"][1] == own.label
    assert table["cosine relief"][1] == pytest.approx(own.similarity("relief"), abs=1e-6)
    assert table["word 1"][1] == own.nearest(1)[0][0]
    # started again: what is there stays as it is, and what is new is added
    (folder / "bad.wav").unlink()
    soundfile.write(folder / "d.wav", tone(0.5, 900), RATE)
    marked = csv.read_text().replace(str(table["spread"][0]), "0.123456", 1)
    csv.write_text(marked)
    predict(model, folder, *options[:-2])
    assert csv.read_text().startswith(marked)
    assert list(pd.read_csv(csv)["file"])[3:] == [str(folder / "d.wav")]
    assert "3 of 4 are in" in capsys.readouterr().err
    assert "of other words or windows" in fails("predict", model, folder, "--csv", csv)
    other = fails("predict", model / "fold1-seed0", folder, *options)
    assert "3 runs; name another --csv" in other


def test_predict_windows_as_json_and_picture(
    heard: Small, tmp_path: Path, fails: Callable[..., str]
) -> None:
    samples = np.concatenate([tone(1, 300), np.zeros(RATE, np.float32), tone(1, 900)])
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    figure, made = tmp_path / "a.png", tmp_path / "a.json"
    window = ["--window", 1, "--json", made, "--figure", figure]
    predict(model_folder(heard, "M2"), tmp_path / "a.wav", *window)
    rows = json.loads(made.read_text())
    assert [(row["start"], row["end"]) for row in rows] == [(0, 1), (1, 2), (2, 3)]
    assert [row["label"] == "" for row in rows] == [False, True, False]
    assert rows[1]["cosine anger"] is None
    assert figure.read_bytes().startswith(b"\x89PNG")
    # beside another recording in the same table: the picture is of the one that was asked for
    soundfile.write(tmp_path / "b.wav", tone(3, 300), RATE)
    table, again = tmp_path / "t.csv", tmp_path / "again.png"
    predict(model_folder(heard, "M2"), tmp_path / "b.wav", "--window", 1, "--csv", table)
    window = ["--window", 1, "--csv", table, "--figure", again]
    predict(model_folder(heard, "M2"), tmp_path / "a.wav", *window)
    assert len(pd.read_csv(table)) == 6
    assert again.read_bytes() == figure.read_bytes()
    window = ["--window", 1, "--json", made, "--figure", figure]
    baseline = ["predict", model_folder(heard, "baseline"), tmp_path / "a.wav", *window]
    assert "this model predicts classes" in fails(*baseline)
    assert "--hop 2: is between windows" in fails(*baseline, "--hop", 2)


def test_lists_and_folders(tmp_path: Path) -> None:
    for name in ("x/b.wav", "x/a.mp3", "y.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.csv").write_text("wav,label\ny.wav,joy\nx/b.wav,joy\n")
    found = listed([tmp_path / "x", tmp_path / "list.csv"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "x/a.mp3",
        "x/b.wav",
        "y.wav",
    ]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no audio in this folder"):
        listed([tmp_path / "none"])


BAD: dict[str, tuple[NDArray[np.floating], int, str]] = {
    "empty": (np.zeros(0), RATE, "empty"),
    "silent": (np.zeros(RATE), RATE, "silent"),
    "10 ms": (tone(0.01, 300), RATE, "too short, 0.010 s; at least 4 frames"),
    "not finite": (np.array([0.0, np.nan] * RATE), RATE, "not finite"),
    "slow": (tone(1, 300), 3000, "its sample rate is 3000 Hz"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_recording_is_told_in_one_line(heard: Small, tmp_path: Path, name: str) -> None:
    samples, rate, message = BAD[name]
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    model = emoword.load(model_folder(heard, "M1"), "cpu")
    with pytest.raises(InputError, match=message) as caught:
        model.predict(path)
    assert str(caught.value).startswith(f"{path}: ")
    soundfile.write(tmp_path / "b.wav", tone(0.5, 300), RATE)
    _, good = model.each([path, tmp_path / "b.wav"])
    assert isinstance(good, Prediction)
    if samples.size:
        with pytest.raises(InputError, match=message.partition(",")[0]):
            model.predict(samples, rate)


def test_a_recording_whose_frames_are_too_large_is_named(
    heard: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute(heard, "narrow", LogMel(dtype="float16"))
    model = emoword.load(train_on(heard, "narrow"), "cpu")
    made = model.upstream.frames
    monkeypatch.setattr(
        model.upstream,
        "frames",
        lambda some: [
            own * (1e6 if len(s) > RATE else 1) for s, own in zip(some, made(some), strict=True)
        ],
    )
    for name, seconds in (("a", 0.5), ("b", 1.5), ("c", 0.6)):
        soundfile.write(tmp_path / f"{name}.wav", tone(seconds, 300), RATE)
    found = list(model.each([tmp_path / f"{name}.wav" for name in "abc"]))
    assert [type(own) for own in found] == [Prediction, InputError, Prediction]
    assert str(found[1]).startswith(f"{tmp_path}/b.wav: its frames reach")


@pytest.mark.parametrize("rate", [8000, 192_000])
def test_unusual_rates_are_heard(heard: Small, tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 300, rate=rate), rate)
    assert emoword.load(model_folder(heard, "M1"), "cpu").predict(tmp_path / "a.wav").label


def test_a_cut_off_recording_is_refused_in_windows_too(heard: Small, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(2, 300), RATE)
    path.write_bytes(path.read_bytes()[:40_000])
    model = emoword.load(model_folder(heard, "M1"), "cpu")
    with pytest.raises(InputError, match="is cut off, 62%"):
        list(model.windows(path, 1, 1))


# --- export ---


@pytest.fixture(scope="module")
def exported(heard: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [("paper", "M3", "lc", "mean", "all", "class", "UA", 0.4375, 48)]
    rows += [("paper", "M1", "lc", "mean", "all", "class", "UA", 0.9, 48)]
    write_table(pd.DataFrame(rows, columns=METRICS.names), heard.root / "metrics.csv")
    out = tmp_path_factory.mktemp("exported") / "model"
    cli.main(["export", str(model_folder(heard, "M3")), "--out", str(out)])
    return out


def test_an_exported_model_is_the_same(heard: Small, exported: Path) -> None:
    path = next(iter(wavs(heard).values()))
    wanted = emoword.load(model_folder(heard, "M3"), "cpu").predict(path)
    found = emoword.load(exported, "cpu").predict(path)
    np.testing.assert_array_equal(found.vectors, wanted.vectors)
    assert (found.label, found.nearest(5)) == (wanted.label, wanted.nearest(5))


def test_the_cards_numbers_are_those_of_the_results(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    assert card.startswith("---\n")
    assert "value: 0.4375" in card
    assert "| unweighted accuracy | 0.438 |" in card
    assert "0.9" not in card.partition("## Results")[2].partition("## Words")[0]
    assert "48 of 48 utterances take part, of 3 speakers, in 3 folds" in card


def test_the_cards_variant_is_the_default(heard: Small, exported: Path, tmp_path: Path) -> None:
    """Others share its runs, and may come before it by name: they have no numbers."""
    results = tmp_path / "results" / heard.root.name
    shutil.copytree(heard.root, results)
    shutil.copytree(heard.root.parent / "spaces", tmp_path / "results/spaces", symlinks=True)
    text = heard.variant_file.read_text()
    (results / "variants/argmin.json").write_text(text.replace('"paper"', '"argmin"'))
    runs = results / model_folder(heard, "M3").relative_to(heard.root)
    cli.main(["export", str(runs), "--out", str(tmp_path / "model")])
    card = (tmp_path / "model/README.md").read_text()
    assert card == (exported / "README.md").read_text()


def test_a_final_model_hears_every_fold(heard: Small, tmp_path: Path, exported: Path) -> None:
    assert exported  # which makes metrics.csv
    folder = model_folder(heard, "M3")
    (m3,) = (model for model in heard.variant.models if model.name == "M3")
    run = heard.train_model(m3, 0)
    assert run == heard.root / heard.variant.final()["M3"]
    parts = pd.read_csv(run / "split.csv")["part"]
    assert dict(parts.value_counts()) == {"train": 37, "validation": 10, "no target": 1}
    assert np.load(run / "predictions.npy").shape == (0, 100)
    assert list(emoword.load(folder, "cpu").trained.weights) == [
        f"fold{i}-seed0" for i in (1, 2, 3)
    ]
    cli.main(["export", str(run), "--out", str(tmp_path / "final")])
    path = next(iter(wavs(heard).values()))
    found = emoword.load(tmp_path / "final", "cpu").predict(path)
    np.testing.assert_array_equal(found.vectors, emoword.load(run, "cpu").predict(path).vectors)
    card = (tmp_path / "final/README.md").read_text()
    assert "trained on all folds: no utterance was kept for testing" in card
    assert "| unweighted accuracy | 0.438 |" in card
    assert "of runs tested on a fold that they were not trained on" in card
    shutil.rmtree(run)


def test_some_words_are_enough(heard: Small, tmp_path: Path) -> None:
    run = model_folder(heard, "M1") / "fold1-seed0"
    cli.main(["export", str(run), "--out", str(tmp_path / "m"), "--most-frequent", "50"])
    path = next(iter(wavs(heard).values()))
    small, whole = emoword.load(tmp_path / "m", "cpu"), emoword.load(run, "cpu")
    assert small.space is not None
    assert len(small.space) == 53  # and the classes, which are none of the first 50
    assert small.predict(path).scores == whole.predict(path).scores
    assert "the first 50 of 20526 words, and the classes" in (tmp_path / "m/README.md").read_text()


def test_huggingface_hub_saves_loads_and_pushes(
    heard: Small, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(iter(wavs(heard).values()))
    wanted = emoword.load(exported, "cpu").predict(path).vector
    emoword.load(exported, "cpu").save_pretrained(tmp_path / "saved")
    shutil.copytree(tmp_path / "saved", tmp_path / "moved")
    loaded = Model.from_pretrained(tmp_path / "moved", device="cpu")
    np.testing.assert_array_equal(loaded.predict(path).vector, wanted)
    card = (exported / "README.md").read_text()
    assert (tmp_path / "saved/README.md").read_text() == card

    class Hub:
        """Stands in for the hub's interface."""

        pushed: Path

        def __init__(self, **_: Any) -> None: ...

        def create_repo(self, repo_id: str, **_: Any) -> Any:
            return type("Repo", (), {"repo_id": repo_id})

        def upload_folder(self, *, repo_id: str, folder_path: Path, **_: Any) -> str:
            assert repo_id == "somebody/m3"
            shutil.copytree(folder_path, tmp_path / "hub")
            return "done"

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Hub)
    loaded.push_to_hub("somebody/m3")
    monkeypatch.setattr(
        "huggingface_hub.hub_mixin.hf_hub_download",
        lambda **o: str(tmp_path / "hub" / o["filename"]),
    )
    monkeypatch.setattr(model_module, "snapshot_download", lambda *_, **__: str(tmp_path / "hub"))
    fetched = emoword.load("somebody/m3", "cpu")
    np.testing.assert_array_equal(fetched.predict(path).vector, wanted)


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="no such folder, and not to be had from the hub"):
        emoword.load("somebody/nothing")


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "config.json",
            lambda c: c | {"emoword_model": 9},
            "a model of version 9; this emoword reads 1",
        ),
        (
            "config.json",
            lambda c: c | {"runs": ["fold9-seed0"]},
            "weights of fold9-seed0 do not fit",
        ),
        ("config.json", lambda c: c | {"more": 1}, "more"),
        ("config.json", lambda _: [], "a model of version None"),
        ("model.safetensors", None, "damaged or cut short"),
        ("space/vectors.npy", None, "has another size"),
        ("space/meta.json", "gone", "space: no word space here"),
        (
            "config.json",
            lambda c: c | {"upstream": {"kind": "transformers", "model": "upstream", "layer": 1}},
            "upstream: no such folder; copy the whole model again",
        ),
    ],
)
def test_a_damaged_model_is_told_in_one_line(
    exported: Path, tmp_path: Path, file: str, change: Any, message: str, fails: Callable[..., str]
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(exported, folder)
    path = folder / file
    if change == "gone":
        shutil.rmtree(path.parent)
    elif change:
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
    else:
        path.write_bytes(path.read_bytes()[:1000])
    assert message in fails("predict", folder, "a.wav")


def test_what_is_no_model(heard: Small, tmp_path: Path, fails: Callable[..., str]) -> None:
    assert "no such folder" in fails("predict", tmp_path / "none" / "x", "a.wav")
    assert "no run and no exported model" in fails("predict", tmp_path, "a.wav")
    two = model_folder(heard, "M1"), model_folder(heard, "M2")
    with pytest.raises(InputError, match="is of another model than"):
        emoword.load(two)
    assert "--device cuda:7" in fails("predict", two[0], "a.wav", "--device", "cuda:7")
    assert "did you mean relief" in fails("predict", two[0], "a.wav", "--words", "releif")


def test_nothing_of_a_model_is_a_pickle(exported: Path) -> None:
    kinds = {path.suffix for path in exported.rglob("*") if path.is_file()}
    assert kinds <= {".json", ".safetensors", ".npy", ".txt", ".md"}
    assert load_file(exported / "model.safetensors")


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("trap", ["pickle", "code"])
def test_no_code_of_a_model_folder_is_run(
    exported: Path, tmp_path: Path, trap: str, fails: Callable[..., str]
) -> None:
    folder, ran = tmp_path / "m", tmp_path / "ran"
    shutil.copytree(exported, folder)
    save(FAMILIES["wav2vec2"](config_of("wav2vec2")), "wav2vec2", folder / "upstream")
    config = json.loads((folder / "config.json").read_text())
    config["upstream"] = {"kind": "transformers", "model": "upstream", "layer": 1}
    (folder / "config.json").write_text(json.dumps(config))
    if trap == "pickle":
        (folder / "upstream/model.safetensors").unlink()
        torch.save({"x": Bomb(ran)}, folder / "upstream/pytorch_model.bin")
    else:
        (folder / "upstream/own.py").write_text(f"open({str(ran)!r}, 'w')\n")
        model = json.loads((folder / "upstream/config.json").read_text())
        model |= {"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModel": "own.M"}}
        (folder / "upstream/config.json").write_text(json.dumps(model))
    assert f"{folder}/upstream: " in fails("predict", folder, "a.wav")
    assert not ran.exists()


def test_a_folder_that_is_there_is_not_overwritten(
    heard: Small, tmp_path: Path, fails: Callable[..., str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "exists already" in fails("export", model_folder(heard, "M1"), "--out", tmp_path)
    assert os.listdir(tmp_path) == ["mine.txt"]  # noqa: PTH208
