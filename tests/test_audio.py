from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from emoword.corpora import audio
from emoword.io.errors import InputError


def sine(frequency: float, seconds: float, rate: int) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


def test_a_file_as_it_should_be_is_read_to_the_bit(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(-(2**15), 2**15, 1000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", stored, 16000, subtype="PCM_16")
    samples = audio.read(tmp_path / "a.wav")
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, stored / np.float32(2**15))


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_resampling_keeps_frequency_amplitude_and_duration(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", sine(1000, 1.0, rate), rate, subtype="FLOAT")
    samples = audio.read(tmp_path / "a.wav")
    assert len(samples) == 16000
    inside = slice(500, -500)  # the filter needs samples on both sides
    np.testing.assert_allclose(samples[inside], sine(1000, 1.0, 16000)[inside], atol=2e-3)


def test_downsampling_removes_what_16_khz_cannot_hold(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sine(12000, 1.0, 48000), 48000, subtype="FLOAT")
    assert np.abs(audio.read(tmp_path / "a.wav")[500:-500]).max() < 0.01


def test_stereo_is_averaged(tmp_path: Path) -> None:
    channels = np.random.default_rng(0).uniform(-1, 1, (500, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", channels, 16000, subtype="FLOAT")
    samples = audio.read(tmp_path / "a.wav")
    np.testing.assert_allclose(samples, (channels[:, 0] + channels[:, 1]) / 2, atol=1e-7)


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, sine(440, 1.0, 16000), 16000)
    samples = audio.read(path)
    assert len(samples) == pytest.approx(16000, abs=1200)  # mp3 may add an encoder's delay
    assert np.abs(np.fft.rfft(samples[:16000], 16000)).argmax() == 440


def write_damaged(kind: str, path: Path) -> None:
    """A file at ``path`` with the damage, if one can be there."""
    noise = np.random.default_rng(0).uniform(-1, 1, 2000)
    match kind:
        case "no bytes":
            path.write_bytes(b"")
        case "text":
            path.write_text("this is not audio\n" * 50)
        case "folder":
            path.mkdir()
        case "empty":
            soundfile.write(path, noise[:0], 16000)
        case "silent":
            soundfile.write(path, np.zeros((2000, 2)), 16000)
        case "constant":
            soundfile.write(path, np.full(2000, 0.25), 16000)
        case "nan":
            soundfile.write(path, np.where(noise > 0.9, np.nan, noise), 16000, subtype="FLOAT")
        case "infinite":
            soundfile.write(path, np.where(noise > 0.9, np.inf, noise), 16000, subtype="FLOAT")
        case "rate":
            soundfile.write(path, noise, 1)
        case "prime rate":
            soundfile.write(path, noise, 16001)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("folder", "no such file"),
        ("no bytes", "cannot be read as audio"),
        ("text", "cannot be read as audio"),
        ("empty", "no samples"),
        ("silent", "silent"),
        ("constant", "silent"),
        ("nan", "not finite"),
        ("infinite", "not finite"),
        ("rate", "sample rate is 1 Hz"),
        ("prime rate", "sample rate is 16001 Hz"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "recording 1.wav"
    write_damaged(kind, path)
    with pytest.raises(InputError, match=message) as caught:
        audio.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_name_that_means_raw_samples_is_an_error_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"\0\1" * 500)
    with pytest.raises(InputError, match=r"a\.raw: cannot be read as audio"):
        audio.read(tmp_path / "a.raw")
