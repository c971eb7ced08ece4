import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from emoword import audio, cli, features
from emoword.errors import InputError
from emoword.frames import Features
from emoword.upstreams import LogMel, Mfcc

# seconds, sample rate and channels of the corpus' files
RECORDINGS = [(0.5, 16000, 1), (1.3, 8000, 1), (0.08, 16000, 1), (0.7, 48000, 2)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """utterances.csv with four readable files, u0.wav to u3.wav."""
    rng = np.random.default_rng(0)
    rows = []
    for i, (seconds, rate, channels) in enumerate(RECORDINGS):
        samples = rng.normal(0, 0.1, (round(seconds * rate), channels))
        soundfile.write(tmp_path / f"u{i}.wav", samples, rate)
        rows.append((f"u{i}", str(tmp_path / f"u{i}.wav"), "s1", 1, "", "anger"))
    names = ["utterance", "wav", "speaker", "fold", "style", "label"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "utterances.csv", index=False)
    return tmp_path


def add_row(corpus: Path, utterance: str, wav: Path) -> None:
    with (corpus / "utterances.csv").open("a") as file:
        file.write(f"{utterance},{wav},s1,1,,anger\n")


def run(corpus: Path, *options: str, out: str = "made") -> Path:
    utterances = ["--utterances", str(corpus / "utterances.csv")]
    cli.main(["features", *utterances, *options, "--device", "cpu", "--out", str(corpus / out)])
    return corpus / out


def test_frames_of_each_utterance_are_the_upstreams(corpus: Path) -> None:
    made = Features.open(run(corpus, "--upstream", "logmel", "--mels", "40"))
    upstream = LogMel(40)
    assert list(made.index) == ["u0", "u1", "u2", "u3"]
    assert made.dim == 40
    # 1 + floor(samples / 320), after each other
    assert [made.span(f"u{i}") for i in range(4)] == [(0, 26), (26, 66), (92, 5), (97, 36)]
    assert made.frames.shape == (133, 40)
    assert made.frames.dtype == torch.float32
    for i in range(4):
        expected = upstream.frames(audio.read(corpus / f"u{i}.wav"))
        np.testing.assert_array_equal(made.of(f"u{i}"), expected)


def test_float16_is_the_rounded_float32(corpus: Path) -> None:
    made = Features.open(run(corpus, "--upstream", "mfcc", "--dtype", "float16"))
    assert made.frames.dtype == torch.float16
    expected = Mfcc().frames(audio.read(corpus / "u1.wav")).astype(np.float16)
    np.testing.assert_array_equal(made.of("u1"), expected)


def test_meta_says_how_they_were_made(corpus: Path) -> None:
    meta = json.loads((run(corpus, "--upstream", "logmel") / "meta.json").read_text())
    assert meta["settings"] == {"upstream": "logmel", "mels": 80, "floor": 1e-10}
    assert (meta["dim"], meta["frames"], meta["utterances"]) == (80, 133, 4)
    assert (meta["dtype"], meta["device"], meta["threads"]) == ("float32", "cpu", 1)
    assert meta["frames_per_second"] == 50
    assert {"emoword", "torch", "torchaudio", "transformers"} <= set(meta["versions"])


def test_the_same_bytes_again(corpus: Path) -> None:
    def digests(folder: Path) -> dict[str, str]:
        files = sorted(folder.iterdir())
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    first = digests(run(corpus, "--upstream", "mfcc"))
    assert set(first) == {"frames.npy", "index.csv", "meta.json"}
    assert digests(run(corpus, "--upstream", "mfcc", out="again")) == first
    assert digests(run(corpus, "--upstream", "mfcc")) == first  # over what is there


def test_numpy_reads_the_file_whose_header_was_written_last(corpus: Path) -> None:
    path = run(corpus, "--upstream", "logmel") / "frames.npy"
    assert np.load(path).shape == (133, 80)
    assert path.stat().st_size == 128 + 133 * 80 * 4


def test_all_bad_files_are_named_and_nothing_is_written(
    corpus: Path, fails: Callable[..., str]
) -> None:
    (corpus / "text.wav").write_text("not audio" * 100)
    soundfile.write(corpus / "silent.wav", np.zeros(8000), 16000)
    # 959 samples give 3 frames, one less than wanted
    soundfile.write(corpus / "short.wav", np.random.default_rng(0).normal(0, 0.1, 959), 16000)
    for name in ("missing", "text", "silent", "short"):
        add_row(corpus, name, corpus / f"{name}.wav")
    add_row(corpus, "no path", Path())
    made = corpus / "made"
    made.mkdir()
    (made / "from before").write_text("kept")
    message = fails(
        "features", "--utterances", corpus / "utterances.csv", "--upstream", "logmel",
        "--out", made,
    )  # fmt: skip
    assert message.startswith("emoword features: 5 of 9 utterances cannot be used: ")
    assert f"missing: {corpus}/missing.wav: no such file" in message
    assert f"text: {corpus}/text.wav: cannot be read as audio" in message
    assert f"silent: {corpus}/silent.wav: silent" in message
    assert f"short: {corpus}/short.wav: too short, 0.060 s give 3 frames; at least 4" in message
    assert "no path: " in message
    assert "u0" not in message
    assert [file.name for file in made.iterdir()] == ["from before"]
    assert not list(corpus.glob(".*"))


def test_the_first_twenty_are_named_and_the_rest_counted(
    corpus: Path, fails: Callable[..., str]
) -> None:
    for i in range(23):
        add_row(corpus, f"gone{i}", corpus / f"gone{i}.wav")
    message = fails(
        "features", "--utterances", corpus / "utterances.csv", "--upstream", "logmel",
        "--out", corpus / "made",
    )  # fmt: skip
    assert "23 of 27 utterances" in message
    assert "gone19.wav" in message
    assert "gone20.wav" not in message
    assert message.endswith("; and 3 more")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--upstream", "transformers"], "needs --model and --layer"),
        (["--upstream", "logmel", "--layer", "2"], "are of --upstream transformers"),
        (["--upstream", "logmel", "--mels", "0"], "--mels 0"),
        (["--upstream", "logmel", "--threads", "0"], "--threads 0"),
        (["--upstream", "logmel", "--device", "toaster"], "--device toaster"),
    ],
)
def test_wrong_options(
    corpus: Path, fails: Callable[..., str], options: list[str], message: str
) -> None:
    utterances = ["--utterances", corpus / "utterances.csv"]
    assert message in fails("features", *utterances, *options, "--out", corpus / "made")
    assert not (corpus / "made").exists()


def test_wrong_tables(corpus: Path, fails: Callable[..., str]) -> None:
    def message() -> str:
        table = corpus / "utterances.csv"
        return fails("features", "--utterances", table, "--upstream", "mfcc", "--out", corpus / "m")

    add_row(corpus, "u1", corpus / "u1.wav")
    assert "utterances.csv: line 6: utterance u1 stands there twice" in message()
    (corpus / "utterances.csv").write_text("utterance,wav\n")
    assert "utterances.csv: has no utterances" in message()
    (corpus / "utterances.csv").write_text("utterance,path\na,b\n")
    assert "no column wav" in message()


def test_what_float16_cannot_hold_and_what_is_not_finite() -> None:
    frames = np.full((4, 2), 7e4, dtype=np.float32)
    np.testing.assert_array_equal(features.checked(frames, np.dtype("<f4")), frames)
    with pytest.raises(InputError, match="reach 70000, too much for float16"):
        features.checked(frames, np.dtype("<f2"))
    frames[1, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        features.checked(frames, np.dtype("<f4"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_full_disk_is_an_error_and_no_crash(corpus: Path) -> None:
    table = features.read_utterances(corpus / "utterances.csv")
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as full:
        features.write_frames(table, LogMel(), np.dtype("<f4"), full)


def test_progress_in_a_log_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10_000, 12))
    monkeypatch.setattr("emoword.features.time.monotonic", lambda: float(next(seconds)))
    items = [(f"u{i}", "") for i in range(10)]
    assert list(features.progress(items)) == items
    # 12 s an item and more than 30 s a line: after 3, 6 and 9 looks at the clock
    assert capsys.readouterr().err.splitlines() == [
        "features: 2 of 10, 144 s left",
        "features: 5 of 10, 72 s left",
        "features: 8 of 10, 27 s left",
        "features: 10 utterances in 132 s",
    ]


# --- Features, the reader ---


def damage(kind: str, folder: Path) -> None:
    index = pd.read_csv(folder / "index.csv")
    frames = np.load(folder / "frames.npy")
    match kind:
        case "frames.npy is gone":
            (folder / "frames.npy").unlink()
        case "frames.npy is empty":
            (folder / "frames.npy").write_bytes(b"")
        case "frames.npy is cut":
            content = (folder / "frames.npy").read_bytes()
            (folder / "frames.npy").write_bytes(content[:-4])
        case "frames.npy is a pickle":
            np.save(folder / "frames.npy", np.array([{}]), allow_pickle=True)
        case "frames.npy is float64":
            np.save(folder / "frames.npy", frames.astype(np.float64))
        case "a frame more":
            np.save(folder / "frames.npy", np.concatenate([frames, frames[:1]]))
        case "another width":
            np.save(folder / "frames.npy", frames[:, 1:])
        case "index.csv is gone":
            (folder / "index.csv").unlink()
        case "meta.json is gone":
            (folder / "meta.json").unlink()
        case "twice":
            index.loc[1, "utterance"] = "u0"
        case "overlap":
            index.loc[1, "start"] = 25
        case "negative":
            index.loc[0, "start"] = -1
        case "no frames":
            index.loc[0, "frames"] = 0
        case "a row less":
            index = index.iloc[:-1]
        case "words":
            index["frames"] = "many"
    if (folder / "index.csv").exists():
        index.to_csv(folder / "index.csv", index=False)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("frames.npy is gone", "frames.npy"),
        ("frames.npy is empty", "frames.npy"),
        ("frames.npy is cut", "frames.npy"),
        ("frames.npy is a pickle", "frames.npy"),
        ("frames.npy is float64", r"float64 \[133, 40\] is no array of frames"),
        ("a frame more", "do not belong together"),
        ("another width", "do not belong together"),
        ("index.csv is gone", "index.csv: no such file"),
        ("meta.json is gone", "meta.json: no such file"),
        ("twice", "do not belong together"),
        ("overlap", "do not belong together"),
        ("negative", "do not belong together"),
        ("no frames", "do not belong together"),
        ("a row less", "do not belong together"),
        ("words", "index.csv: column frames"),
    ],
)
def test_reader_refuses_what_does_not_fit(corpus: Path, kind: str, message: str) -> None:
    folder = run(corpus, "--upstream", "mfcc")
    damage(kind, folder)
    with pytest.raises(InputError, match=message) as caught:
        Features.open(folder)
    assert "\n" not in str(caught.value)


def test_reader_takes_any_order(corpus: Path) -> None:
    folder = run(corpus, "--upstream", "mfcc")
    before = Features.open(folder)
    index = pd.read_csv(folder / "index.csv")
    index.iloc[[2, 0, 3, 1]].to_csv(folder / "index.csv", index=False)
    after = Features.open(folder)
    assert after.index == before.index
    np.testing.assert_array_equal(after.of("u3"), before.of("u3"))


def test_reader_names_an_utterance_without_frames_and_reads_nothing_ahead(corpus: Path) -> None:
    made = Features.open(run(corpus, "--upstream", "mfcc"))
    mapped = Path("/proc/self/maps")
    assert not mapped.exists() or str(made.folder / "frames.npy") in mapped.read_text()
    first, _ = made.span("u1")
    assert made.of("u1").data_ptr() == made.frames[first:].data_ptr()
    with pytest.raises(InputError, match="no frames of utterance u9"):
        made.of("u9")
