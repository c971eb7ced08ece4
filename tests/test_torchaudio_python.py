"""Each in a fresh process, as an import happens once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

USES_IT = """
from emoword.io.torchaudio_python import torchaudio
import torch
sine = torch.sin(2 * torch.pi * 100 * torch.arange(8000) / 8000)
resampled = torchaudio.functional.resample(sine, 8000, 16000)
expected = torch.sin(2 * torch.pi * 100 * torch.arange(16000) / 16000)
assert torch.allclose(resampled[200:-200], expected[200:-200], atol=1e-3)
assert torchaudio.transforms.MelSpectrogram()(resampled).shape[0] == 128
"""

NOT_LOADABLE = """
import torch
def load_library(path):
    raise OSError("libc10_cuda.so: cannot open shared object file: No such file or directory")
torch.ops.load_library = load_library
"""

# The compiled part as torchaudio sees it: loads, and offers what is asked of it on import.
LOADABLE = """
import torch
from pathlib import Path
from types import SimpleNamespace
loaded = []
torch.ops.load_library = lambda path: loaded.append(Path(path).name.split(".")[0])
torch.ops._torchaudio = SimpleNamespace(
    cuda_version=lambda: None, is_align_available=lambda: True)
torch.ops.torchaudio = SimpleNamespace(_lfilter_core_loop=len, _overdrive_core_loop=len)
"""


def in_fresh_process(code: str, folder: Path | None = None) -> str:
    """What a process says on stderr; nothing if it succeeds."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    environment = os.environ | ({"PYTHONPATH": str(folder)} if folder else {})
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


def test_works_here_with_transformers_whatever_is_installed() -> None:
    # transformers.audio_utils is the module that imports torchaudio (transformers >= 5.14)
    assert in_fresh_process(USES_IT + "\nimport transformers.audio_utils") == ""


def test_compiled_part_not_loadable() -> None:
    assert "libc10_cuda.so" in in_fresh_process(NOT_LOADABLE + "import torchaudio")
    check = "\nassert torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE is False"
    assert in_fresh_process(NOT_LOADABLE + USES_IT + check) == ""


def test_compiled_part_loadable_nothing_is_changed() -> None:
    check = """
assert loaded == ["_torchaudio", "libtorchaudio"], loaded
assert torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE is True
assert torchaudio._extension._IS_ALIGN_AVAILABLE is True
where = torchaudio._extension.utils._load_lib.__code__.co_filename
assert where == torchaudio._extension.utils.__file__, where
"""
    assert in_fresh_process(LOADABLE + USES_IT + check) == ""


@pytest.mark.parametrize("error", ["OSError('the disk is broken')", "ImportError('no such name')"])
def test_another_failure_is_not_hidden(tmp_path: Path, error: str) -> None:
    (tmp_path / "torchaudio.py").write_text(f"raise {error}")
    said = in_fresh_process("import emoword.io.torchaudio_python", tmp_path)
    assert error.split("'")[1] in said
