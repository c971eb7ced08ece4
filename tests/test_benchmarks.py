"""The benchmarks run, at a size at which their figures mean nothing."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from emoword.cli import main
from emoword.settings import NetworkSettings
from emoword.spaces.word_space import WordSpace
from emoword.training.network import Network

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads VmHWM, as Linux has it")
def test_word_space_prints_its_table(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(BENCHMARKS / "word_space.py"),
        "--words",
        "3000",
        "--queries",
        "70",
    ]
    command += ["--folder", str(tmp_path), "--threads", "1", "--repeats", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    names = ["text to store", "open, look up 10 words", "exact 10 nearest of 70 queries"]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:6]] == [*names, names[-1]]
    assert "3,000 words x 300" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_is_measured_is_odd_as_glove_is(tmp_path: Path) -> None:
    odd, plain, out = tmp_path / "odd.txt", tmp_path / "plain.txt", tmp_path / "space"
    script = [sys.executable, str(BENCHMARKS / "glove_like.py"), "--words", "3000"]
    subprocess.run([*script, str(odd)], check=True)
    subprocess.run([*script, str(plain), "--plain"], check=True)
    main(["space", "--format", "glove", "--source", str(odd), "--out", str(out)])
    space = WordSpace.open(out)
    assert (space.dim, len(space)) == (300, 2998)
    oddities = space.meta["oddities"]
    assert (oddities["duplicates"], oddities["with_spaces"]) == (2, 3)
    assert oddities["broken_utf8"] == 3
    assert any("\N{NO-BREAK SPACE}" in word for word in space.words())
    lines = plain.read_bytes().splitlines()
    assert len(lines) == 2997
    assert all(line.count(b" ") == 300 for line in lines)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads VmHWM, as Linux has it")
def test_iemocap_size_prints_its_table(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "iemocap_size.py"), "--small"]
    command += ["--utterances", "50", "--sample", "2", "--epochs", "1", "--threads", "1"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines()[2:10]]
    assert len(rows) == 8
    errors = [float(row[1].split("error ")[1].split(")")[0]) for row in rows[:2]]
    assert errors[0] < 1e-5 < errors[1] < 0.1
    curves = [line for line in done.stdout.splitlines() if line.startswith("losses")]
    assert len(curves) == 4
    assert list(tmp_path.iterdir()) == []


def test_the_peers_network_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    plain = importlib.import_module("plain")
    shape = NetworkSettings(channels=(6, 8, 8), lstm=4, hidden=(9, 9), dropout=0.0)
    torch.manual_seed(0)
    ours, theirs = Network(5, 7, shape), plain.PlainNetwork(5, 7, shape)
    ours.input_mean.fill_(0.3)
    theirs.take_weights(ours)
    frames, lengths = torch.randn(3, 40, 5), torch.tensor([40, 9, 22])
    torch.testing.assert_close(ours(frames, lengths), theirs(frames, lengths))
