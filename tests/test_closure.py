"""What code each stage is made by: the rules' inputs and the checkpoints' fingerprints."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.closure import PACKAGE, closure


def package_of(folder: Path, files: dict[str, str]) -> Path:
    package = folder / "emoword"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return package


def names(package: Path, *modules: str) -> list[str]:
    return [path.relative_to(package).as_posix() for path in closure(*modules, package=package)]


def test_follows_every_form_of_import(tmp_path: Path) -> None:
    package = package_of(
        tmp_path,
        {
            "a/one.py": "import os\nfrom emoword.b.two import thing\n",
            "b/two.py": "def f():\n    from emoword.b import three\n    import emoword.c.four\n",
            "b/three.py": "from emoword.c.five import (x,\n    y)\nimport emoword.io.errors\n",
            "c/four.py": "from emoword import __version__\n",
            "c/five.py": "from emoword.b.two import f\n",
            "c/unused.py": "",
            "io/errors.py": "",
        },
    )
    assert names(package, "a.one") == [
        "a/one.py",
        "b/three.py",
        "b/two.py",
        "c/five.py",
        "c/four.py",
    ]


def test_a_name_of_a_folder_is_its_init(tmp_path: Path) -> None:
    files = {"a.py": "from emoword.room import value", "room/__init__.py": "value = 1"}
    assert names(package_of(tmp_path, files), "a") == ["a.py", "room/__init__.py"]


@pytest.mark.parametrize(
    "text",
    ["import emoword.gone", "from emoword.gone import x", "def f():\n    import emoword.gone"],
)
def test_an_import_that_cannot_be_resolved_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ImportError, match="gone"):
        names(package_of(tmp_path, {"a.py": text}), "a")


def test_a_relative_import_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="line 1: a relative import"):
        names(package_of(tmp_path, {"a.py": "from . import b", "b.py": ""}), "a")


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ImportError, match=r"no module 'training\.gone'"):
        closure("training.gone")


@given(st.sets(st.sampled_from(["a", "b", "c", "d"])), st.integers(0, 2**16 - 1))
def test_the_closure_is_what_can_be_reached(
    tmp_path_factory: pytest.TempPathFactory, start: set[str], bits: int
) -> None:
    modules = "abcd"
    edges = {
        m: [n for j, n in enumerate(modules) if bits >> (4 * i + j) & 1]
        for i, m in enumerate(modules)
    }
    files = {f"{m}.py": "".join(f"import emoword.{n}\n" for n in to) for m, to in edges.items()}
    package = package_of(tmp_path_factory.mktemp("graph"), files)
    reached = set(start)
    for _ in modules:
        reached |= {n for m in reached for n in edges[m]}
    assert names(package, *sorted(start)) == sorted(f"{m}.py" for m in reached)


def test_the_init_of_a_room_holds_a_docstring_alone() -> None:
    rooms = [path for path in PACKAGE.glob("*/__init__.py") if path.parent != PACKAGE]
    assert rooms
    for path in rooms:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == 1, path
        assert ast.get_docstring(ast.Module(body, []))


def rooms_of(*modules: str) -> set[str]:
    return {path.relative_to(PACKAGE).parts[0] for path in closure(*modules)}


@pytest.mark.parametrize(
    ("stage", "rooms"),
    [
        ("corpora.iemocap", {"corpora", "io"}),
        ("spaces.make", {"spaces", "io"}),
        ("labels.label_sets", {"labels", "spaces", "io"}),
        ("features.extract", {"features", "corpora", "io"}),
        ("training.train", {"training", "features", "corpora", "labels", "spaces", "io"}),
        ("evaluation.decide", {"evaluation", "labels", "spaces", "training", "io"}),
    ],
)
def test_an_edit_in_an_outer_room_repeats_nothing_of_the_core(stage: str, rooms: set[str]) -> None:
    assert rooms_of(stage) <= rooms


def test_an_edit_of_neighbour_search_trains_nothing() -> None:
    names = {path.relative_to(PACKAGE).as_posix() for path in closure("training.train")}
    assert "training/loop.py" in names
    assert not names & {"spaces/neighbours.py", "spaces/word_space.py"}
    # nor anything that training reads
    before = ("spaces.make", "spaces.transforms", "labels.label_sets", "labels.vectors")
    assert PACKAGE / "spaces/word_space.py" in closure(*before)
    assert PACKAGE / "spaces/neighbours.py" not in closure(*before)
