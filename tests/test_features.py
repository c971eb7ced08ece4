import hashlib
import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from emoword import cli, settings
from emoword.corpora import audio
from emoword.features import device, extract
from emoword.features.batches import Utterance, batches, shard_of
from emoword.features.frames import Features
from emoword.features.upstreams import LogMel, Mfcc
from emoword.io.errors import InputError
from emoword.layout import FeatureSettings, as_json

import transformers  # isort: skip  after emoword.io.torchaudio_python, by way of emoword.corpora.audio

# seconds, sample rate and channels of the corpus' files
RECORDINGS = [(0.5, 16000, 1), (1.3, 8000, 1), (0.08, 16000, 1), (0.7, 48000, 2)]
LOGMEL, MFCC = settings.LogMel(), settings.Mfcc()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """utterances.csv with four readable files, u0.wav to u3.wav."""
    rng = np.random.default_rng(0)
    rows = []
    for i, (seconds, rate, channels) in enumerate(RECORDINGS):
        samples = rng.normal(0, 0.1, (round(seconds * rate), channels))
        soundfile.write(tmp_path / f"u{i}.wav", samples, rate)
        rows.append((f"u{i}", str(tmp_path / f"u{i}.wav"), "anger"))
    names = ["utterance", "wav", "label"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "utterances.csv", index=False)
    return tmp_path


def add_row(corpus: Path, utterance: str, wav: Path) -> None:
    with (corpus / "utterances.csv").open("a") as file:
        file.write(f"{utterance},{wav},anger\n")


def command(
    corpus: Path,
    upstream: settings.Upstream = LOGMEL,
    shard: str = "1/1",
    labels: Sequence[str] = (),
    out: str = "made",
) -> list[str]:
    """The shard comes to lie where the reader looks for it."""
    path = corpus / "settings.json"
    path.write_text(as_json(FeatureSettings(upstream=upstream, labels=tuple(labels))))
    folder = corpus / out / f"shard{shard.replace('/', 'of')}"
    words = ["features", path, "--utterances", corpus / "utterances.csv", "--shard", shard]
    return [str(word) for word in [*words, "--device", "cpu", "--out", folder]]


def run(corpus: Path, *arguments: Any, **options: Any) -> Path:
    """Compute one shard; returns the folder of all shards."""
    words = command(corpus, *arguments, **options)
    cli.main(words)
    return Path(words[-1]).parent


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.parametrize("shards", [1, 3, 5])
def test_frames_of_each_utterance_are_the_upstreams(corpus: Path, shards: int) -> None:
    upstream = settings.LogMel(mels=40)
    for k in range(1, shards + 1):  # the last of five is empty
        run(corpus, upstream, f"{k}/{shards}")
    made = Features.open(corpus / "made")
    assert sorted(made.frames) == ["u0", "u1", "u2", "u3"]
    assert made.dim == 40
    # 1 + floor(samples / 320)
    assert [len(made.of(f"u{i}")) for i in range(4)] == [26, 66, 5, 36]
    for i in range(4):
        (expected,) = LogMel(40).frames([audio.read(corpus / f"u{i}.wav")])
        assert made.of(f"u{i}").dtype == torch.float32
        np.testing.assert_array_equal(made.of(f"u{i}"), expected)


def test_the_files_of_a_shard(corpus: Path) -> None:
    folder = run(corpus, MFCC) / "shard1of1"
    assert sorted(p.name for p in folder.iterdir()) == ["frames.npy", "index.csv", "meta.json"]
    # in the order of the table; the longest lies first
    index = (folder / "index.csv").read_text().splitlines()
    assert index == ["utterance,start,frames", "u0,102,26", "u1,0,66", "u2,128,5", "u3,66,36"]
    assert np.load(folder / "frames.npy").shape == (133, 40)
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["upstream"] == {"kind": "mfcc", "mels": 80, "dtype": "float32"}
    assert meta["about"] == {"floor": 1e-10, "coefficients": 40}
    assert (meta["shard"], meta["dim"], meta["frames"], meta["utterances"]) == ("1/1", 40, 133, 4)
    assert (meta["device"], meta["threads"], meta["other_labels"]) == ("cpu", 1, 0)
    assert {"emoword", "torch", "torchaudio", "transformers"} <= set(meta["versions"])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_the_rounded_float32(corpus: Path, dtype: Any) -> None:
    made = Features.open(run(corpus, settings.Mfcc(dtype=dtype)))
    (expected,) = Mfcc().frames([audio.read(corpus / "u1.wav")])
    assert torch.equal(made.of("u1"), torch.from_numpy(expected).to(getattr(torch, dtype)))


def test_the_same_bytes_again_and_a_folder_that_is_there_gets_the_new_files(corpus: Path) -> None:
    first = digests(run(corpus, MFCC))
    assert digests(run(corpus, MFCC, out="again")) == first
    (corpus / "made/shard1of1/mine.txt").write_text("kept")
    assert Features.open(run(corpus, LOGMEL)).dim == 80
    assert digests(run(corpus, MFCC)) == first | {
        "shard1of1/mine.txt": hashlib.sha256(b"kept").hexdigest()
    }


def test_only_utterances_of_some_labels(corpus: Path, fails: Callable[..., str]) -> None:
    table = (corpus / "utterances.csv").read_text().replace("u1.wav,anger", "u1.wav,")
    (corpus / "utterances.csv").write_text(table)
    made = Features.open(run(corpus, labels=["anger", "joy"]))
    assert list(made.frames) == ["u0", "u2", "u3"]
    assert made.meta.other_labels == 1
    message = fails(*command(corpus, labels=["joy"]))
    assert "utterances.csv: has no utterances with one of the labels joy" in message


# --- what is refused ---


def test_all_bad_files_are_named_and_nothing_is_written(
    corpus: Path, fails: Callable[..., str]
) -> None:
    (corpus / "text.wav").write_text("not audio" * 100)
    soundfile.write(corpus / "silent.wav", np.zeros(8000), 16000)
    # 959 samples give 3 frames, one less than wanted
    soundfile.write(corpus / "short.wav", np.random.default_rng(0).normal(0, 0.1, 959), 16000)
    (corpus / "cut.wav").write_bytes((corpus / "u0.wav").read_bytes()[:8000])
    for name in ("missing", "text", "silent", "short", "cut"):
        add_row(corpus, name, corpus / f"{name}.wav")
    add_row(corpus, "no path", Path())
    made = corpus / "made/shard1of1"
    made.mkdir(parents=True)
    (made / "from before").write_text("kept")
    message = fails(*command(corpus))
    assert message.startswith("emoword features: 6 of 10 utterances cannot be used: ")
    assert f"missing: {corpus}/missing.wav: no such file" in message
    assert f"text: {corpus}/text.wav: cannot be read as audio" in message
    assert f"silent: {corpus}/silent.wav: silent" in message
    assert f"short: {corpus}/short.wav: too short, 0.060 s give 3 frames; at least 4" in message
    assert f"cut: {corpus}/cut.wav: is cut off, 50% of what its header says" in message
    assert "no path: " in message
    assert "u0" not in message
    assert [path.name for path in (corpus / "made").rglob("*")] == ["shard1of1", "from before"]
    for k in range(2, 11):  # every tenth row: the others' are none of a shard's business
        name = pd.read_csv(corpus / "utterances.csv")["utterance"][k - 1]
        if name.startswith("u"):
            run(corpus, shard=f"{k}/10")
        else:
            assert f"1 of 1 utterances cannot be used: {name}: " in fails(
                *command(corpus, shard=f"{k}/10")
            )


def test_the_first_twenty_are_named_and_the_rest_counted(
    corpus: Path, fails: Callable[..., str]
) -> None:
    for i in range(23):
        add_row(corpus, f"gone{i}", corpus / f"gone{i}.wav")
    message = fails(*command(corpus))
    assert "23 of 27 utterances" in message
    assert "gone19.wav" in message
    assert "gone20.wav" not in message
    assert message.endswith("; and 3 more")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--threads", "0", "--threads 0"),
        ("--device", "toaster", "--device toaster"),
        ("--shard", "2", "--shard 2: should be K/N, such as 1/4"),
        ("--shard", "0/2", "--shard 0/2"),
        ("--shard", "3/2", "--shard 3/2"),
        ("--shard", "a/b", "--shard a/b"),
        ("--out", "{corpus}/u0.wav", "u0.wav: is a file"),
        ("--utterances", "{corpus}/\udce9.csv", "a name that is not UTF-8; rename it"),
    ],
)
def test_wrong_options(
    corpus: Path, fails: Callable[..., str], option: str, value: str, message: str
) -> None:
    settings_file = command(corpus)[1]
    given = {"--utterances": corpus / "utterances.csv", "--out": corpus / "made"}
    given |= {option: Path(value.format(corpus=corpus))}
    assert message in fails("features", settings_file, *itertools.chain(*given.items()))
    assert not (corpus / "made").exists()
    assert shard_of("3/4") == (3, 4)


def test_wrong_tables(corpus: Path, fails: Callable[..., str]) -> None:
    add_row(corpus, "u1", corpus / "u1.wav")
    assert "utterances.csv: line 6: utterance u1 stands there twice" in fails(*command(corpus))
    (corpus / "utterances.csv").write_text("utterance,wav\n")
    assert "utterances.csv: has no utterances" in fails(*command(corpus))
    assert "no column label" in fails(*command(corpus, labels=["anger"]))
    (corpus / "utterances.csv").write_text("utterance,path\na,b\n")
    assert "no column wav" in fails(*command(corpus))


def test_an_error_about_a_file_whose_name_is_not_utf8_is_one_line(corpus: Path) -> None:
    words: list[Any] = [*command(corpus)[:2], "--utterances", b"caf\xe9.csv", "--out", b"caf\xe9"]
    done = subprocess.run(
        [sys.executable, "-m", "emoword", *words], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert (
        done.stderr == b"emoword features: 'caf\\udce9.csv': a name that is not UTF-8; rename it\n"
    )


def test_what_float16_cannot_hold_and_what_is_not_finite() -> None:
    frames = np.full((4, 2), 7e4, dtype=np.float32)
    np.testing.assert_array_equal(extract.stored("u", frames, "float32"), frames)
    with pytest.raises(InputError, match="u: its frames reach 70000, too much for float16"):
        extract.stored("u", frames, "float16")
    # 7e4 is 1.068 * 2**16: exponent 127 + 16 = 143, mantissa round(0.068 * 128) = 9
    assert (extract.stored("u", frames, "bfloat16") == (143 << 7) + 9).all()
    frames[1, 1] = np.nan
    with pytest.raises(InputError, match="u: its frames are not finite"):
        extract.stored("u", frames, "bfloat16")


def test_too_little_memory_of_a_gpu_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = LogMel()
    samples = [np.zeros(32000, np.float32), np.zeros(16000, np.float32)]

    def full(_: object) -> list[NDArray[np.float32]]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate ...")

    monkeypatch.setattr(upstream, "frames", full)
    with pytest.raises(InputError, match="too small for 2 utterances of up to 2 s at once"):
        extract.computed(samples, upstream)


# --- how the work is done ---


def test_batches_are_of_like_length() -> None:
    lengths = [30, 13, 7, 6, 6, 5, 4, 4, 3, 3, 2, 1, 1]
    cut = [lengths[span] for span in batches([n * 16000 for n in lengths], seconds=12)]
    assert cut == [[30], [13], [7], [6, 6], [5, 4], [4, 3, 3], [2, 1, 1]]


def test_shards_of_a_machine_take_its_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    taken = [extract.own_gpu(torch.device("cuda"), shard) for shard in (1, 2, 3)]
    assert taken == [torch.device("cuda", index) for index in (0, 1, 0)]
    for given in (torch.device("cuda", 1), torch.device("cpu")):
        assert extract.own_gpu(given, 1) == given


def test_progress_in_a_log_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10_000, 12))
    monkeypatch.setattr("emoword.features.extract.time.monotonic", lambda: float(next(seconds)))
    utterances = [Utterance(f"u{i}", Path(), 6 * 16000) for i in range(10)]
    planned: list[Any] = [([utterance], []) for utterance in utterances]
    assert list(extract.progress(iter(planned), utterances)) == planned
    # 12 s for 6 s of audio, and more than 30 s a line: after 3, 6 and 9 looks at the clock
    assert capsys.readouterr().err.splitlines() == [
        "features: 3 of 10, 0.5 s of audio a second, 84 s left",
        "features: 6 of 10, 0.5 s of audio a second, 48 s left",
        "features: 9 of 10, 0.5 s of audio a second, 12 s left",
        "features: 10 utterances in 132 s, 0.455 s of audio a second",
    ]


@pytest.mark.parametrize(
    ("cpuinfo", "warned"),
    [
        ("vendor_id : AuthenticAMD\nflags : fpu avx512_bf16 sse", False),
        ("vendor_id : GenuineIntel\nflags : amx_bf16 amx_tile", False),
        ("Features : fp asimd bf16", False),
        ("vendor_id : GenuineIntel\nflags : fpu avx512f", True),
        ("", False),  # not Linux: nothing is known
    ],
)
def test_bfloat16_is_warned_of_where_it_does_not_pay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cpuinfo: str, warned: bool
) -> None:
    monkeypatch.setattr(device, "processor", lambda: cpuinfo)
    device.warn_of_slow_bfloat16(torch.device("cpu"), "float32")
    device.warn_of_slow_bfloat16(torch.device("cuda"), "bfloat16")
    assert capsys.readouterr().err == ""
    device.warn_of_slow_bfloat16(torch.device("cpu"), "bfloat16")
    assert ("no instructions for it" in capsys.readouterr().err) is warned


# --- killed, and started again ---


@pytest.fixture
def speech(tmp_path: Path) -> tuple[Path, settings.Transformers]:
    """40 utterances of 0.3 to 3 s, and a small wav2vec 2.0: batches change the roundings."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(40):
        path = tmp_path / f"u{i}.wav"
        soundfile.write(path, rng.normal(0, 0.1, rng.integers(5_000, 48_000)), 16000)
        rows.append((f"u{i}", str(path)))
    names = ["utterance", "wav"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "utterances.csv", index=False)
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
    return tmp_path, settings.Transformers(model=str(tmp_path / "model"), layer=1)


def test_a_killed_shard_starts_again_to_the_same_bytes(
    speech: tuple[Path, settings.Transformers],
) -> None:
    """SIGKILL when some batches are written; the shard that was there before stays."""
    folder, model = speech
    for k in (1, 2):
        run(folder, model, f"{k}/2", out="undisturbed")
    cut = run(folder, model, "1/2", out="cut")
    before = {path: path.stat().st_mtime_ns for path in cut.rglob("*")}
    words = command(folder, model, "2/2", out="cut")
    with subprocess.Popen(
        [sys.executable, "-m", "emoword", *words], stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            if any(path.stat().st_size > 200 for path in cut.glob(".shard2of2.*/*/frames.npy")):
                process.kill()
            time.sleep(0.001)
    assert process.returncode == -signal.SIGKILL
    assert not (cut / "shard2of2").exists()
    with pytest.raises(InputError, match="holds shard1of2; it should hold one whole set: make"):
        Features.open(cut)
    cli.main(words)
    for name in ("shard1of2", "shard2of2"):
        assert digests(cut / name) == digests(folder / "undisturbed" / name)
    assert {path: path.stat().st_mtime_ns for path in before} == before | {
        path: path.stat().st_mtime_ns for path in before if path.name.startswith(".")
    }
    assert len(Features.open(cut).frames) == 40


def test_a_full_disk_is_one_line_and_leaves_nothing(corpus: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    limit = 128 + 80 * 4 * 100  # of 133 frames
    code = "import resource, sys; from emoword import cli\n"
    code += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    code += "cli.main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *command(corpus)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    said = "shard1of1: cannot be written ([Errno 27] File too large); make room for it"
    assert done.stderr.splitlines()[-1].endswith(said)
    assert list((corpus / "made").iterdir()) == []


# --- Features, the reader ---


def damage(kind: str, folder: Path) -> None:
    index = pd.read_csv(folder / "index.csv")
    frames = np.load(folder / "frames.npy")
    match kind:
        case "frames.npy is gone" | "index.csv is gone" | "meta.json is gone":
            (folder / kind.split()[0]).unlink()
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
        case "not of this version":
            (folder / "meta.json").write_text('{"dim": 40}')
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
        (
            "frames.npy is float64",
            r"\(float64 \[133, 40\]\), index.csv and meta.json do not belong",
        ),
        ("a frame more", "do not belong together"),
        ("another width", "do not belong together"),
        ("index.csv is gone", "index.csv: no such file"),
        ("meta.json is gone", "holds no shards"),
        ("not of this version", "meta.json: not the settings of this version"),
        ("twice", "do not belong together"),
        ("overlap", "do not belong together"),
        ("negative", "do not belong together"),
        ("no frames", "do not belong together"),
        ("a row less", "do not belong together"),
        ("words", "index.csv: column frames"),
    ],
)
def test_reader_refuses_what_does_not_fit(corpus: Path, kind: str, message: str) -> None:
    folder = run(corpus, MFCC)
    damage(kind, folder / "shard1of1")
    with pytest.raises(InputError, match=message) as caught:
        Features.open(folder)
    assert "\n" not in str(caught.value)


def test_reader_takes_one_set_of_shards_made_alike(corpus: Path) -> None:
    def error() -> str:
        with pytest.raises(InputError) as caught:
            Features.open(made)
        return str(caught.value)

    made = run(corpus, MFCC, "1/2")
    assert "made: holds shard1of2; it should hold one whole set: make what is missing" in error()
    run(corpus, MFCC, "2/2")
    run(corpus, MFCC, "1/3")
    assert sorted(Features.open(made).frames) == ["u0", "u1", "u2", "u3"]
    run(corpus, MFCC)  # nothing says whether it or the two are up to date
    assert (
        "shard1of1, shard1of2, shard1of3, shard2of2; it should hold one whole set: remove"
        in error()
    )
    shutil.rmtree(made / "shard1of1")
    run(corpus, settings.Mfcc(mels=60), "2/2")
    assert "shard2of2: was made otherwise than shard1of2: upstream;" in error()
    shutil.copytree(made / "shard1of2", made / "shard2of2", dirs_exist_ok=True)
    assert "shard2of2: was made otherwise than shard1of2: it is 1/2;" in error()
    meta = json.loads((made / "shard2of2/meta.json").read_text())
    (made / "shard2of2/meta.json").write_text(json.dumps(meta | {"shard": "2/2"}))
    assert "made: an utterance is in two shards" in error()
    table = (corpus / "utterances.csv").read_text().splitlines()
    (corpus / "utterances.csv").write_text("\n".join([table[0], *table[:0:-1]]) + "\n")
    run(corpus, MFCC, "2/2")
    assert "shard2of2: was made otherwise than shard1of2: all_utterances;" in error()


def test_reader_names_an_utterance_without_frames_and_reads_nothing_ahead(corpus: Path) -> None:
    made = Features.open(run(corpus, MFCC))
    mapped = Path("/proc/self/maps")
    assert not mapped.exists() or str(made.folder / "shard1of1/frames.npy") in mapped.read_text()
    assert made.of("u0").data_ptr() - made.of("u1").data_ptr() == 102 * 40 * 4
    with pytest.raises(InputError, match="no frames of utterance u9"):
        made.of("u9")
