import errno
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.errors import InputError, in_words
from emoword.io.files import read_json, read_table, replacing, write_array, write_json, write_table

# what a cell can hold: anything but what no UTF-8 text file holds
CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


@given(cells=st.lists(CELLS, min_size=1, max_size=5))
def test_hostile_cells_come_back_as_they_were(cells: list[str], tmp_path: Path) -> None:
    frame = pd.DataFrame({"word": cells, "n": range(len(cells))})
    write_table(frame, tmp_path / "t.csv")
    assert list(read_table(tmp_path / "t.csv", ["word"])["word"]) == cells


def test_words_that_look_like_missing_values_stay_words(tmp_path: Path) -> None:
    words = ["null", "NA", "nan", "", "None", "1e5", "TRUE"]
    write_table(pd.DataFrame({"word": words, "n": 1}), tmp_path / "t.csv")
    assert list(read_table(tmp_path / "t.csv", ["word"])["word"]) == words


def test_types(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,\n2,0.5\n")
    table = read_table(tmp_path / "t.csv", ["a", "b"], {"a": int, "b": float})
    assert table["a"].tolist() == [1, 2]
    assert table["b"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a\n1\n", "no column b"),
        ("a,b\n1,x\n", "column b"),
        ('a,b\n"1,2\n', "not a CSV table"),
        ("a,b\n1,2\n4,5,6,7\n", "not a CSV table"),
        ("a,b\n1,2,3\n4,5,6\n", "not a CSV table"),
        ("a,b\n1,2\n3,4", "cut off"),
    ],
)
def test_faulty_tables(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_table(path, ["a", "b"], {"b": float})
    assert str(path) in str(error.value)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "t.csv", [])
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path / "t.json")
    (tmp_path / "t.json").write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        read_json(tmp_path / "t.json")


def test_nothing_is_left_of_a_failed_write(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        write_json({"loss": float("nan")}, tmp_path / "t.json")
    assert (tmp_path / "t.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t.json"]


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from emoword.io.files import replacing
with replacing(Path("out.json")) as made:
    made.write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""
    command = [sys.executable, "-c", program]
    started = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "writing\n"
        others = [".out.json.bak", ".out.json.old.csv", ".other.json.abcdefgh"]
        for name in others:
            (tmp_path / name).mkdir()
        (tmp_path / ".out.json.mine4567").write_text("a file")
        started[0].kill()
        started[0].wait()
        write_json({}, tmp_path / "out.json")
        left = {path.name for path in tmp_path.iterdir()} - {*others, ".out.json.mine4567"}
        assert len(left) == 2  # the output, and the folder of the one that lives
        assert "out.json" in left
        assert started[1].poll() is None
    finally:
        for process in started:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("shape", [(0, 3), (5,), (500, 1), (3, 4000)])
def test_arrays_are_as_numpy_writes_them(shape: tuple[int, ...], tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    write_array(array, tmp_path / "ours.npy")
    np.save(tmp_path / "numpys.npy", array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpys.npy").read_bytes()


def test_half_an_array_is_no_array(tmp_path: Path) -> None:
    """numpy.save does not notice, where its buffer holds all of it."""
    program = """
import resource
from pathlib import Path
import numpy as np
from emoword.io.files import write_array
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))
np.save("numpys.npy", np.zeros(500, np.float32))
write_array(np.zeros(500, np.float32), Path("ours.npy"))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "write_array" in done.stderr
    assert "File too large" in done.stderr


def test_a_full_disk_behind_a_librarys_own_error_is_a_line(tmp_path: Path) -> None:
    """As zlib's when it closes a picture that the disk had no room for."""
    full = zlib.error("Error -2 while flushing")
    full.__context__ = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(InputError, match=r"t\.png: cannot be written .*; make room"),
        replacing(tmp_path / "t.png"),
    ):
        raise full
    other = zlib.error("incorrect header check")
    with pytest.raises(zlib.error, match="header"), replacing(tmp_path / "t.png"):
        raise other


def test_lack_of_memory_behind_a_failed_import_is_a_line() -> None:
    error = ImportError("Cannot import module 'emoword.training.train'")
    assert in_words(error) == ""
    error.__cause__ = ImportError("libtorch.so: failed to map segment from shared object")
    assert in_words(error).startswith("not enough memory libtorch.so")


def test_a_folder_is_filled_and_nothing_else_in_it_is_touched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    (out / "run.json").write_text("old")
    with replacing(out) as made:
        made.mkdir()
        (made / "run.json").write_text("new")
        (made / "weights").write_text("w")
    assert {p.name: p.read_text() for p in out.iterdir()} == {
        "mine.txt": "mine",
        "run.json": "new",
        "weights": "w",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_tree_replaces_no_folder_that_holds_something(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "Session1").mkdir(parents=True)
    (corpus / "Session1" / "precious.wav").write_text("p")
    with pytest.raises(InputError, match="not empty"), replacing(corpus) as made:
        (made / "Session1").mkdir(parents=True)
    assert (corpus / "Session1" / "precious.wav").read_text() == "p"


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(InputError, match="cannot write here"):
        write_json({}, tmp_path / "results" / "t.json")


def test_files_have_the_mode_that_the_umask_says(tmp_path: Path) -> None:
    """Also those of a library that keeps its files from others, as safetensors does."""
    program = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[1], 8))
from emoword.io.files import replacing
for name in ("file", "folder/file"):
    with replacing(Path(name).parent if "/" in name else Path(name)) as made:
        target = made / "file" if "/" in name else made
        target.parent.mkdir(exist_ok=True)
        target.touch(0o600)
    print(oct(Path(name).stat().st_mode & 0o777))
"""
    for umask, mode in (("022", "0o644"), ("002", "0o664"), ("077", "0o600")):
        folder = tmp_path / umask
        folder.mkdir()
        command = [sys.executable, "-c", program, umask]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [mode, mode]
