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


def in_fresh_process(
    code: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | (environment or {}),
        check=False,
    )


def test_works_here_with_transformers_whatever_is_installed() -> None:
    # transformers.audio_utils is the module that imports torchaudio (transformers >= 5.14)
    done = in_fresh_process(USES_IT + "\nimport transformers.audio_utils")
    assert done.returncode == 0, done.stderr


def test_without_it_torchaudio_fails_where_the_compiled_part_cannot_be_loaded() -> None:
    done = in_fresh_process(NOT_LOADABLE + "import torchaudio")
    assert "libc10_cuda.so" in done.stderr


def test_compiled_part_not_loadable() -> None:
    check = "\nassert torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE is False"
    done = in_fresh_process(NOT_LOADABLE + USES_IT + check)
    assert done.returncode == 0, done.stderr


def test_compiled_part_loadable_nothing_is_changed() -> None:
    check = """
assert loaded == ["_torchaudio", "libtorchaudio"], loaded
assert torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE is True
assert torchaudio._extension._IS_ALIGN_AVAILABLE is True
where = torchaudio._extension.utils._load_lib.__code__.co_filename
assert where == torchaudio._extension.utils.__file__, where
"""
    done = in_fresh_process(LOADABLE + USES_IT + check)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("error", ["OSError('the disk is broken')", "ImportError('no such name')"])
def test_another_failure_is_not_hidden(tmp_path: Path, error: str) -> None:
    (tmp_path / "torchaudio.py").write_text(f"raise {error}")
    done = in_fresh_process("import emoword.io.torchaudio_python", {"PYTHONPATH": str(tmp_path)})
    assert done.returncode != 0
    assert error.split("'")[1] in done.stderr
