import os
from pathlib import Path
from typing import Any

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


NOISE = np.random.default_rng(0).uniform(-1, 1, 2000)


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        (NOISE[:0], {}, "no samples"),
        (np.zeros((2000, 2)), {}, "silent, all its samples are 0"),
        (np.full(2000, 0.25), {}, "silent"),
        (np.where(NOISE > 0.9, np.nan, NOISE), {"subtype": "FLOAT"}, "not finite"),
        (np.where(NOISE > 0.9, np.inf, NOISE), {"subtype": "FLOAT"}, "not finite"),
        (NOISE * 1e30, {"subtype": "FLOAT"}, r"its samples reach 9.9\d+e\+29; full scale is 1"),
        (NOISE, {"samplerate": 1}, "sample rate is 1 Hz"),
        (NOISE, {"samplerate": 16001}, "sample rate is 16001 Hz"),
    ],
)
def test_samples_that_cannot_be_used_are_named(
    tmp_path: Path, samples: NDArray[np.float64], options: dict[str, Any], message: str
) -> None:
    path = tmp_path / "recording 1.wav"
    soundfile.write(path, samples, **{"samplerate": 16000, **options})
    for use in (audio.read, audio.length):
        with pytest.raises(InputError, match=rf"recording 1\.wav: (is |has )?.*{message}"):
            use(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "cannot be read as audio: Format not recognised."),
        (b"this is not audio\n" * 50, "cannot be read as audio: Format not recognised."),
    ],
)
def test_what_is_no_audio_is_named_in_one_line(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "a.raw"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        audio.read(path)
    assert str(caught.value) == f"{path}: {message}"
    with pytest.raises(InputError, match="no such file"):
        audio.read(tmp_path)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au", "flac", "mp3"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_is_cut_off_under_an_intact_header(
    tmp_path: Path, suffix: str, share: float
) -> None:
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    soundfile.write(whole, sine(440, 2.0, 16000), 16000)
    content = whole.read_bytes()
    assert audio.length(whole) == len(audio.read(whole))
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=rf"cut\.{suffix}: (is cut off|cannot be read as audio)"):
        audio.length(cut)


def test_a_length_that_was_not_known_when_the_header_was_written(tmp_path: Path) -> None:
    """As ffmpeg writes it to a pipe."""
    path = tmp_path / "a.wav"
    soundfile.write(path, NOISE, 16000)
    content = bytearray(path.read_bytes())
    for place in (4, content.index(b"data") + 4):
        content[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(audio.read(path)) == 2000


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    soundfile.write(tmp_path / "a.wav", NOISE, 16000)
    (tmp_path / "a.wav").rename(path)
    assert len(audio.read(path)) == 2000
