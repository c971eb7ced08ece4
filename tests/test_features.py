import fcntl
import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from emoword import cli
from emoword.corpora import audio
from emoword.features import extract as features
from emoword.features.batches import Utterance, batches, shard_of
from emoword.features.frames import Features
from emoword.features.upstreams import LogMel, Mfcc
from emoword.io.errors import InputError

import transformers  # isort: skip  after emoword.io.torchaudio_python, by way of emoword.corpora.audio

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
    # 1 + floor(samples / 320), the longest first
    assert [made.span(f"u{i}") for i in range(4)] == [(102, 26), (0, 66), (128, 5), (66, 36)]
    assert made.frames.shape == (133, 40)
    assert made.frames.dtype == torch.float32
    for i in range(4):
        (expected,) = upstream.frames([audio.read(corpus / f"u{i}.wav")])
        np.testing.assert_array_equal(made.of(f"u{i}"), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_the_rounded_float32(corpus: Path, dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    made = Features.open(run(corpus, "--upstream", "mfcc", "--dtype", name))
    assert made.frames.dtype == dtype
    (expected,) = Mfcc().frames([audio.read(corpus / "u1.wav")])
    assert torch.equal(made.of("u1"), torch.from_numpy(expected).to(dtype))


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
    assert sorted(file.name for file in corpus.glob("*made*")) == ["made", "made.unfinished"]


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
    assert "; and 3 more (what was done is kept in " in message


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
    np.testing.assert_array_equal(features.stored(frames, "float32"), frames)
    with pytest.raises(InputError, match="reach 70000, too much for float16"):
        features.stored(frames, "float16")
    # 7e4 is 1.068 * 2**16: exponent 127 + 16 = 143, mantissa round(0.068 * 128) = 9
    assert (features.stored(frames, "bfloat16") == (143 << 7) + 9).all()
    frames[1, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        features.stored(frames, "bfloat16")


def test_a_full_disk_is_one_line_and_what_is_whole_is_kept(corpus: Path) -> None:
    """A limit on the size of files stands for a full disk: after the first batch it is reached."""
    table = pd.read_csv(corpus / "utterances.csv", keep_default_na=False)
    repeated = pd.concat([table.assign(utterance=table["utterance"] + f"x{i}") for i in range(20)])
    repeated.to_csv(corpus / "utterances.csv", index=False)
    limit = 128 + 80 * 4 * 1000  # of 133 * 20 frames
    code = "import resource, sys; from emoword import cli\n"
    code += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    code += "cli.main(sys.argv[1:])"
    command = ["features", "--utterances", str(corpus / "utterances.csv"), "--upstream", "logmel"]
    command += ["--out", str(corpus / "made")]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "emoword features: [Errno 27] File too large"
    assert not (corpus / "made").exists()
    journal = (corpus / "made.unfinished" / "journal.jsonl").read_text().splitlines()
    assert len(journal) > 1
    cli.main(command)
    cli.main([*command[:-1], str(corpus / "undisturbed")])
    same_folders(corpus / "made", corpus / "undisturbed")


def test_batches_are_of_like_length_and_what_is_left_is_batched_alike() -> None:
    def cut(lengths: Sequence[int]) -> list[list[int]]:
        made = batches([Utterance("", ("", 0, 0), n * 16000) for n in lengths], seconds=12)
        return [[utterance.samples // 16000 for utterance in batch] for batch in made]

    lengths = [30, 13, 7, 6, 6, 5, 4, 4, 3, 3, 2, 1, 1]
    whole = cut(lengths)
    assert whole == [[30], [13], [7], [6, 6], [5, 4], [4, 3, 3], [2, 1, 1]]
    for done in range(len(whole)):
        left = lengths[sum(map(len, whole[:done])) :]
        assert cut(left) == whole[done:]


def test_a_shard_is_named_and_looks_at_its_own_files_alone(
    fails: Callable[..., str], corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shard_of("3/4") == (3, 4)
    for wrong, told in {
        "2": "such as 1/4",
        "0/2": "from 1/2",
        "3/2": "from 1",
        "a/b": "as",
    }.items():
        options = ["--upstream", "mfcc", "--shard", wrong, "--out", corpus / "m"]
        assert told in fails("features", "--utterances", corpus / "utterances.csv", *options)
    (corpus / "u1.wav").rename(corpus / "away")  # the longest, of the second shard
    first = Features.open(run(corpus, "--upstream", "mfcc", "--shard", "1/2", out="m1"))
    assert sorted(first.index) == ["u0", "u2"]
    options = ["--upstream", "mfcc", "--shard", "2/2", "--device", "cpu", "--out", corpus / "m2"]
    message = fails("features", "--utterances", corpus / "utterances.csv", *options)
    assert "1 of 2 utterances" in message
    (corpus / "away").rename(corpus / "u1.wav")
    second = Features.open(run(corpus, "--upstream", "mfcc", "--shard", "2/2", out="m2"))
    assert "going on, 1 of 2" in capsys.readouterr().err
    assert sorted(second.index) == ["u1", "u3"]


def test_shards_are_joined(corpus: Path, fails: Callable[..., str]) -> None:
    whole = Features.open(run(corpus, "--upstream", "mfcc", "--dtype", "float16", out="whole"))
    own = ["--upstream", "mfcc", "--dtype", "float16"]
    parts = [str(run(corpus, *own, "--shard", f"{k}/3", out=f"part{k}")) for k in (1, 2, 3)]
    join = ["join-features"]
    cli.main([*join, "--parts", *parts, "--out", str(corpus / "joined")])
    joined = Features.open(corpus / "joined")
    assert sorted(joined.index) == ["u0", "u1", "u2", "u3"]
    for name in joined.index:
        assert torch.equal(joined.of(name), whole.of(name))
    assert joined.meta == whole.meta | {"shard": "all of 3"}
    message = fails(*join, "--parts", *parts[:2], "--out", corpus / "j")
    assert "are shards 1/3, 2/3; give all of one number, once" in message
    message = fails(*join, "--parts", *parts[:2], parts[1], "--out", corpus / "j")
    assert "are shards 1/3, 2/3, 2/3" in message
    other = run(corpus, "--upstream", "mfcc", "--shard", "3/3", out="other")
    message = fails(*join, "--parts", *parts[:2], other, "--out", corpus / "j")
    assert "made otherwise" in message
    assert "dtype" in message
    lines = (corpus / "utterances.csv").read_text().splitlines()
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    (corpus / "utterances.csv").write_text("\n".join(swapped) + "\n")
    other = run(corpus, *own, "--shard", "2/3", out="other")
    message = fails(*join, "--parts", parts[0], other, parts[2], "--out", corpus / "j")
    assert "utterance u0 is in another part, too" in message
    (corpus / "utterances.csv").write_text("\n".join(lines[:4]) + "\n")
    other = run(corpus, *own, "--shard", "1/3", out="other")
    assert "made otherwise" in fails(*join, "--parts", other, *parts[1:], "--out", corpus / "j")


def test_only_utterances_of_some_labels(corpus: Path, fails: Callable[..., str]) -> None:
    table = (corpus / "utterances.csv").read_text().replace("u1.wav,s1,1,,anger", "u1.wav,s1,1,,")
    (corpus / "utterances.csv").write_text(table)
    made = Features.open(run(corpus, "--upstream", "mfcc", "--labels", "anger", "joy"))
    assert list(made.index) == ["u0", "u2", "u3"]
    assert made.meta["other_labels"] == 1
    options = ["--upstream", "mfcc", "--out", corpus / "m", "--labels", "joy"]
    message = fails("features", "--utterances", corpus / "utterances.csv", *options)
    assert "no utterance has one of joy" in message


# --- killed, and started again ---


def same_folders(a: Path, b: Path) -> None:
    assert sorted(p.name for p in a.iterdir()) == sorted(p.name for p in b.iterdir())
    for file in a.iterdir():
        assert file.read_bytes() == (b / file.name).read_bytes(), file.name


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """40 utterances of 0.3 to 3 s, and a small wav2vec 2.0: batches change the roundings."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(40):
        path = tmp_path / f"u{i}.wav"
        soundfile.write(path, rng.normal(0, 0.1, rng.integers(5_000, 48_000)), 16000)
        rows.append((f"u{i}", str(path)))
    pd.DataFrame(rows, columns=["utterance", "wav"]).to_csv(tmp_path / "u.csv", index=False)
    config = transformers.Wav2Vec2Config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(16,) * 7,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    torch.manual_seed(0)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "model")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "model")
    return tmp_path


def speech_command(speech: Path, out: str) -> list[str]:
    command = ["features", "--utterances", str(speech / "u.csv"), "--upstream", "transformers"]
    command += ["--model", str(speech / "model"), "--layer", "1", "--device", "cpu"]
    return [*command, "--out", str(speech / out)]


def test_a_killed_job_goes_on_to_the_same_bytes(
    speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL after some batches, twice, once with half a batch written; the third start ends."""
    cli.main(speech_command(speech, "whole"))
    journal = speech / "cut.unfinished" / "journal.jsonl"
    command = [sys.executable, "-m", "emoword", *speech_command(speech, "cut")]
    for lines in (3, 6):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
                    process.kill()
                time.sleep(0.001)
        assert process.returncode == -signal.SIGKILL
        assert not (speech / "cut").exists()
        with journal.open("ab") as file:  # as if it had been killed within a line
            file.write(b'[["u1", ["')
        with (speech / "cut.unfinished" / "frames.npy").open("ab") as file:
            file.write(b"half a batch")
    capsys.readouterr()
    cli.main(speech_command(speech, "cut"))
    told = re.search(r"going on, (\d+) of 40 utterances", capsys.readouterr().err)
    assert told
    assert 6 <= int(told[1]) < 40
    same_folders(speech / "cut", speech / "whole")
    assert sorted(p.name for p in (speech / "cut").iterdir()) == [
        "frames.npy",
        "index.csv",
        "meta.json",
    ]
    assert not (speech / "cut.unfinished").exists()


def test_all_others_are_done_and_after_the_repair_nothing_is_done_again(
    speech: Path, fails: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(speech_command(speech, "whole"))
    path = speech / "u7.wav"
    content = path.read_bytes()
    soundfile.write(path, np.zeros(20_000), 16000)
    message = fails(*speech_command(speech, "made"))
    assert "1 of 40 utterances cannot be used: u7: " in message
    assert f"kept in {speech}/made.unfinished" in message
    path.write_bytes(content)
    cli.main(speech_command(speech, "made"))
    assert "going on, 39 of 40" in capsys.readouterr().err
    made, whole = Features.open(speech / "made"), Features.open(speech / "whole")
    for name in whole.index:
        torch.testing.assert_close(made.of(name), whole.of(name), rtol=1e-4, atol=1e-5)


def test_a_job_that_went_on_names_all_its_inputs(speech: Path, fails: Callable[..., str]) -> None:
    (speech / "u39.wav").rename(speech / "away")
    assert "u39" in fails(*speech_command(speech, "made"))
    (speech / "away").rename(speech / "u39.wav")
    cli.main([*speech_command(speech, "made"), "--record", str(speech / "record.json")])
    inputs = json.loads((speech / "record.json").read_text())["inputs"]
    assert {f"u{i}.wav" for i in range(40)} <= {Path(entry["path"]).name for entry in inputs}


def test_a_second_job_on_the_same_frames_is_refused(
    speech: Path, fails: Callable[..., str]
) -> None:
    (speech / "made.unfinished").mkdir()
    with (speech / "made.unfinished" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another job is computing these frames" in fails(*speech_command(speech, "made"))


def test_a_journal_that_is_damaged_counts_as_far_as_it_can_be_read(
    speech: Path, fails: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    shortest = min(speech.glob("u*.wav"), key=lambda path: path.stat().st_size)
    shortest.rename(speech / "away")
    assert shortest.stem in fails(*speech_command(speech, "made"))
    (speech / "away").rename(shortest)
    journal = speech / "made.unfinished" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([*lines[:3], "\0" * 40, *lines[4:]]) + "\n")
    cli.main(speech_command(speech, "made"))
    told = re.search(r"going on, (\d+) of 40 utterances", capsys.readouterr().err)
    assert told
    assert int(told[1]) == sum(len(json.loads(line)) for line in lines[1:3])
    cli.main(speech_command(speech, "anew"))
    same_folders(speech / "made", speech / "anew")


def test_a_folder_that_is_there_gets_the_new_files(corpus: Path, fails: Callable[..., str]) -> None:
    made = run(corpus, "--upstream", "mfcc")
    (made / "mine.txt").write_text("kept")
    assert Features.open(run(corpus, "--upstream", "logmel")).dim == 80
    names = sorted(p.name for p in made.iterdir())
    assert names == ["frames.npy", "index.csv", "meta.json", "mine.txt"]
    assert not (corpus / "made.unfinished").exists()
    utterances = ["--utterances", corpus / "utterances.csv", "--upstream", "mfcc"]
    assert "is a file" in fails("features", *utterances, "--out", corpus / "u0.wav")


@pytest.mark.parametrize("changed", ["audio", "model", "table", "option", "frames"])
def test_what_was_made_of_something_else_is_not_used(
    speech: Path, changed: str, fails: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    (speech / "u39.wav").rename(speech / "away")
    assert "u39" in fails(*speech_command(speech, "made"))
    (speech / "away").rename(speech / "u39.wav")
    command = speech_command(speech, "made")
    match changed:
        case "audio":
            longest = max(speech.glob("u*.wav"), key=lambda path: path.stat().st_size)
            samples, _ = soundfile.read(longest)
            soundfile.write(longest, samples[::-1], 16000)
        case "model":
            path = speech / "model" / "model.safetensors"
            weights = load_file(path)
            save_file({name: w * 1.5 for name, w in weights.items()}, path, {"format": "pt"})
        case "table":
            table = pd.read_csv(speech / "u.csv")
            table[table["utterance"] != "u3"].to_csv(speech / "u.csv", index=False)
        case "option":
            command += ["--precision", "bfloat16"]
        case "frames":
            path = speech / "made.unfinished" / "frames.npy"
            path.write_bytes(path.read_bytes()[:5000])
    capsys.readouterr()
    cli.main(command)
    told = capsys.readouterr().err
    assert ("batches of other settings, code or model are not used" in told) == (
        changed in ("model", "option")
    )
    cli.main([*command, "--out", str(speech / "anew")])
    made, anew = Features.open(speech / "made"), Features.open(speech / "anew")
    assert made.meta == anew.meta
    assert list(made.index) == list(anew.index)
    for name in anew.index:
        torch.testing.assert_close(made.of(name), anew.of(name), rtol=1e-4, atol=1e-3)


def test_shards_of_a_machine_take_its_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    taken = [features.own_gpu(torch.device("cuda"), shard) for shard in (1, 2, 3)]
    assert taken == [torch.device("cuda", index) for index in (0, 1, 0)]
    for device in (torch.device("cuda", 1), torch.device("cpu")):
        assert features.own_gpu(device, 1) == device


def test_too_little_memory_of_a_gpu_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = LogMel()

    def full(_: object) -> list[NDArray[np.float32]]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate ...")

    monkeypatch.setattr(upstream, "frames", full)
    samples = [np.zeros(32000, np.float32), np.zeros(16000, np.float32)]
    with pytest.raises(InputError, match="too small for 2 utterances of up to 2 s at once"):
        features.frames_of(samples, upstream)


def test_progress_in_a_log_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10_000, 12))
    monkeypatch.setattr("emoword.features.extract.time.monotonic", lambda: float(next(seconds)))
    utterances = [Utterance(f"u{i}", ("", 0, 0), 6 * 16000) for i in range(10)]
    future: Future[NDArray[np.float32]] = Future()
    planned = [[(utterance, future)] for utterance in utterances]
    assert list(features.progress(iter(planned), utterances)) == planned
    # 12 s for 6 s of audio, and more than 30 s a line: after 3, 6 and 9 looks at the clock
    assert capsys.readouterr().err.splitlines() == [
        "features: 3 of 10, 0.5 s of audio a second, 84 s left",
        "features: 6 of 10, 0.5 s of audio a second, 48 s left",
        "features: 9 of 10, 0.5 s of audio a second, 12 s left",
        "features: 10 utterances in 132 s, 0.455 s of audio a second",
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
