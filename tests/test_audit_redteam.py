"""Attacks on whoever verifies the results of a stranger: nothing outside is written, run or read.

Each attack is made on results that are whole up to their label sets. While verify and trace work,
Python reports every file that is opened, renamed, removed or linked, and every process; all of it
has to lie in a temporary folder, or be a reading of the results, of this repository or of Python.
"""

import json
import os
import pickle
import shutil
import stat
import struct
import sys
import tempfile
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401  makes its own folders when it is first imported
import pytest

from auditing import CONFIG, REPOSITORY, D, make_results
from emoword.audit import archives
from emoword.cli import main

OWN = "what the user keeps to himself"
Attack = Callable[[Path, Path], object]


# ------------------------------------------------------------------------------------ the guard

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HARMLESS = ("/dev/null", "/proc/cpuinfo", "/etc/os-release", "/proc/self")
seen: list[tuple[str, str]] | None = None


def listen(event: str, values: tuple[Any, ...]) -> None:
    """Note what is done to the files of this machine."""
    if seen is None:
        return
    if event == "open" and isinstance(values[0], str | bytes | os.PathLike):
        mode, flags = values[1] or "", values[2] or 0
        writes = bool(flags & WRITES) or any(letter in str(mode) for letter in "wax+")
        seen.append(("write" if writes else "read", os.fsdecode(values[0])))
    elif event in ("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.utime"):
        seen.append((event, os.fsdecode(values[0])))
    elif event in ("os.rename", "os.link", "os.symlink"):
        seen.append((event, os.fsdecode(values[1])))
    elif event in ("os.system", "os.exec", "os.posix_spawn", "socket.connect", "socket.bind"):
        seen.append(("run", str(values)))
    elif event == "subprocess.Popen" and Path(str(values[0])).name != "git":
        seen.append(("run", str(values[1])))


sys.addaudithook(listen)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results up to their label sets, sealed; not to be changed."""
    folder = make_results(tmp_path_factory.mktemp("honest"), trains=False)
    main(["provenance", str(folder), "--out", str(folder / "provenance.json")])
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the user's, which nobody has any business with."""
    path = tmp_path / "home" / "secret.txt"
    path.parent.mkdir()
    path.write_text(OWN)
    return path


@pytest.fixture
def results(honest: Path, tmp_path: Path) -> Path:
    """A copy of the results, as it came from a stranger."""
    shutil.copytree(honest.parent, tmp_path / "stranger" / "results", symlinks=True)
    return tmp_path / "stranger" / D


@pytest.fixture
def guarded(
    outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Callable[..., str]:
    """Run emoword on what a stranger sent; returns what it says, having looked after the user."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.chdir(outside.parent)
    stranger = tmp_path / "stranger"

    def run(*arguments: object) -> str:
        global seen
        before = snapshot(stranger)
        seen = []
        capsys.readouterr()
        said: object = ""
        try:
            main([str(word) for word in arguments])
        except SystemExit as left:
            said = left.code if isinstance(left.code, str) else ""
        finally:
            done, seen = seen, None
        said = f"{said}{capsys.readouterr().out}"
        assert outside.read_text() == OWN
        assert [path.name for path in outside.parent.iterdir()] == [outside.name]
        assert snapshot(stranger) == before
        assert list(scratch.iterdir()) == []  # and it tidies up
        check(done, scratch, stranger, outside)
        assert OWN not in said
        for letter in said:
            assert letter == "\n" or letter.isprintable()
        return said

    return run


def check(done: list[tuple[str, str]], scratch: Path, stranger: Path, outside: Path) -> None:
    """Nothing was run, nothing written but in the temporary folder, nothing of the user's read."""
    readable = [scratch, stranger, REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)]
    readable += [Path.home() / ".cache", Path("/usr"), Path("/etc/fonts"), Path("/var/cache")]
    for what, name in done:
        assert what != "run", name
        path = Path(os.path.normpath(outside.parent / name))
        if not Path(name).is_absolute():
            path = Path(name)  # below the folder in which a command runs
            assert ".." not in path.parts or what == "read", (what, name)
            continue
        if what == "read":
            assert any(path.is_relative_to(p) for p in readable) or name in HARMLESS, name
        else:
            # Python's own compiled modules: x.pyc, written as x.pyc.NUMBER first
            cache = path.is_relative_to(REPOSITORY) and "__pycache__" in path.parts
            assert path.is_relative_to(scratch) or cache or name == "/dev/null", (what, name)


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Kind, size and time of everything in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        found[str(path)] = (stat.S_IFMT(state.st_mode), state.st_size, state.st_mtime_ns)
    return found


def test_the_guard_sees_what_is_done(guarded: Callable[..., str], outside: Path) -> None:
    with pytest.raises(AssertionError):
        guarded("space", "--format", "embedded", "--out", outside.parent / "space")


def test_honest_results_pass_the_guard(results: Path, guarded: Callable[..., str]) -> None:
    said = guarded("verify", results)
    assert "recomputed" in said
    assert "CHANGED" not in said
    wrong = [line for line in said.split("\n") if line.startswith("WRONG")]
    # what a whole run would have beside these
    assert all("cannot be recomputed" in line or "is missing" in line for line in wrong), said


# ------------------------------------------------------------------------------------------ zips

LINK, DEVICE, FIFO = (0o777 | kind for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO))
NAMES: dict[str, str] = {
    "../evil": "leads out",
    "results/../../evil": "leads out",
    "/srv/evil": "leads out",
    "//server/evil": "leads out",
    "C:/evil": "leads out",
    "results\\..\\evil": "leads out",
    "./evil": "leads out",
    "results//evil": "leads out",
    "results/a\x1b[2Jb": "cannot be printed",
    "results/a\u202eb": "cannot be printed",
    "results/a\nNothing is wrong.": "cannot be printed",
    "results/" + "a/" * 20 + "b": "too long",
    "results/" + "a" * 300: "too long",
    f"{D}/config.json": "has the name of",
    f"{D}/CONFIG.json": "has the name of",
    f"{D}/ﬁle": "has the name of",  # a ligature: the same name to some file systems
    f"{D}/config.json/more": "lies below the file",
}


def packed(folder: Path, path: Path) -> Path:
    """Results as a zip, with a file whose name some file systems fold into another."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(folder.parent.rglob("*")):
            if file.is_file():
                zipped.write(file, f"results/{file.relative_to(folder.parent)}")
        zipped.writestr(f"{D}/FILE", "x")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_in_a_zip(
    name: str, results: Path, tmp_path: Path, guarded: Callable[..., str]
) -> None:
    path = packed(results, tmp_path / "stranger" / "audit.zip")
    with zipfile.ZipFile(path, "a") as zipped, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a duplicate
        zipped.writestr(zipfile.ZipInfo(name), "evil")
    said = guarded("verify", path)
    assert NAMES[name] in said
    assert said.count("\n") == 0


def test_a_name_of_bytes_that_are_no_text(
    results: Path, tmp_path: Path, guarded: Callable[..., str]
) -> None:
    path = packed(results, tmp_path / "stranger" / "audit.zip")
    with zipfile.ZipFile(path, "a") as zipped:
        zipped.writestr("results/é", "evil")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    assert "cannot be unpacked" in guarded("verify", path)


@pytest.mark.parametrize("mode", [LINK, DEVICE, FIFO])
def test_links_and_devices_in_a_zip(
    mode: int, results: Path, outside: Path, tmp_path: Path, guarded: Callable[..., str]
) -> None:
    path = packed(results, tmp_path / "stranger" / "audit.zip")
    with zipfile.ZipFile(path, "a") as zipped:
        info = zipfile.ZipInfo(f"{D}/metrics.csv")
        info.external_attr = mode << 16
        zipped.writestr(info, str(outside))
    assert "is a link or a device" in guarded("verify", path)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for number in range(5):
            zipped.writestr(f"results/demo/{number}", b"\0" * 2**25)


def large(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        zipped.writestr("results/demo/x", "x")
    declare(path, archives.LARGEST + 1)


def lying(path: Path) -> None:
    """Says that it unpacks to one byte, and holds 32 MiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("results/demo/config.json", b"\0" * 2**25)
    declare(path, 1)


def declare(path: Path, size: int) -> None:
    """Let the directory of a zip say that its last file has another size."""
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", size)
    path.write_bytes(content)


def many(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as zipped:
        for number in range(40):
            zipped.writestr(f"results/demo/{number}", "")


def unknown_method(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as zipped:
        zipped.writestr("results/demo/config.json", "{}")


def locked(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("results/demo/config.json", "{}")
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    bomb(path)
    path.write_bytes(path.read_bytes()[:-20])


def two(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as zipped:
        for name in ("one", "two"):
            zipped.writestr(f"results/{name}/config.json", json.dumps(CONFIG))


def no_zip(path: Path) -> None:
    path.write_text("no zip")


ZIPS: dict[Callable[[Path], None], str] = {
    bomb: "more than an archive of its size",
    large: "at most 67,108,864",
    lying: "cannot be unpacked",
    many: "at most 30",
    unknown_method: "unknown method",
    locked: "encrypted",
    cut: "cannot be unpacked",
    two: "2 files",
    no_zip: "cannot be unpacked",
    Path.touch: "cannot be unpacked",
}


@pytest.mark.parametrize("make", ZIPS, ids=lambda make: make.__name__)
def test_bombs_and_zips_that_are_none(
    make: Callable[[Path], None],
    tmp_path: Path,
    guarded: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 30)
    path = tmp_path / "stranger" / "audit.zip"
    path.parent.mkdir()
    make(path)
    said = guarded("verify", path)
    assert ZIPS[make] in said
    assert said.count("\n") == 0


# --------------------------------------------------------------------------------------- folders


def put(make: Callable[[Path, Path], object], name: str) -> Attack:
    """In place of a file of the results, or of none, something else."""

    def attack(results: Path, outside: Path) -> None:
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path, outside)

    return attack


def folder_link(results: Path, outside: Path) -> None:
    shutil.rmtree(results / "logs")
    (results / "logs").symlink_to(outside.parent)


def space_link(results: Path, outside: Path) -> None:
    shutil.rmtree(results.parent / "spaces" / "embedded")
    (results.parent / "spaces" / "embedded").symlink_to(outside.parent)


def spaces_link(results: Path, outside: Path) -> None:
    shutil.rmtree(results.parent / "spaces")
    (results.parent / "spaces").symlink_to(outside.parent)


def variants_file(results: Path, _: Path) -> None:
    shutil.rmtree(results / "variants")
    (results / "variants").write_text("x")


def to_secret(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def up_to_secret(path: Path, outside: Path) -> None:
    path.symlink_to(os.path.relpath(outside, path.parent))


def endless(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def waits(path: Path, _: Path) -> None:
    os.mkfifo(path)


def hard_link(path: Path, outside: Path) -> None:
    os.link(outside, path)


def a_folder(path: Path, _: Path) -> None:
    path.mkdir()


class Marker:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("hacked"),)


def pickled(path: Path, _: Path) -> None:
    path.write_bytes(pickle.dumps(Marker()))


PLACES = ["metrics.csv", "utterances.csv", "targets/more.csv", "leaks/paper.json"]
PLACES += ["report/index.html", "logs/evaluate.log.json", "provenance.json"]
KINDS = (to_secret, up_to_secret, endless, waits, a_folder, hard_link, pickled)
FOLDERS: dict[str, Attack] = {
    "logs": folder_link,
    "word space": space_link,
    "word spaces": spaces_link,
    "variants, a file": variants_file,
    **{f"{make.__name__} {name}": put(make, name) for make in KINDS for name in PLACES},
}


@pytest.mark.parametrize("attack", FOLDERS)
def test_what_is_no_file_is_not_followed(
    attack: str, results: Path, outside: Path, guarded: Callable[..., str]
) -> None:
    if "hard_link" in attack:
        copied = outside.parent.parent / "stranger" / "linked.txt"
        copied.write_text("0")  # of the stranger's own; nothing can tell it from the file itself
        outside = copied
    FOLDERS[attack](results, outside)
    said = guarded("verify", "--quick", results)
    # an empty folder is no file; without recomputing nothing is known of the page
    assert "Nothing is wrong." not in said or "folder" in attack or "report" in attack


def test_a_whole_verify_of_hostile_results(
    results: Path, outside: Path, guarded: Callable[..., str]
) -> None:
    """All kinds at once, where commands write and read."""
    for make, name in zip((to_secret, endless, waits, pickled), PLACES, strict=False):
        put(make, name)(results, outside)
    (results / "floors").symlink_to(outside.parent)
    said = guarded("verify", results)
    links = "".join(line for line in said.split("\n") if "not followed" in line)
    assert all(name in links for name in ("metrics.csv", "floors", "utterances.csv"))
    assert "files are wrong" in said


# --------------------------------------------------------------------------------------- records

PATHS = [
    "../../../home/secret.txt",
    "/proc/kmsg",
    "/dev/zero",
    "~/secret.txt",
    "a\x1b[2J\nb",
    "\ud800",
]


def poisoned(value: Any, with_: Any) -> Iterator[Any]:
    """The same JSON with each of its parts in turn replaced."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield {**{k: v for k, v in value.items() if k != key}, str(with_): part}
            for other in poisoned(part, with_):
                yield {**value, key: other}
    elif isinstance(value, list):
        for place, part in enumerate(value):
            for other in poisoned(part, with_):
                yield [*value[:place], other, *value[place + 1 :]]
    yield with_


@pytest.mark.parametrize("file", ["logs/targets/{}.log.json", "provenance.json", "config.json"])
def test_every_field_of_what_is_read_is_poisoned(
    file: str, results: Path, outside: Path, guarded: Callable[..., str]
) -> None:
    name = next((results / "targets").glob("S1-*")).name
    path = results / file.format(name)
    honest = json.loads(path.read_text())
    for folder in ("corpus", "targets", "vectors", "features", "runs"):  # quicker without
        shutil.rmtree(results / folder, ignore_errors=True)
    shutil.rmtree(results.parent / "spaces")
    if "files" in honest:  # one of each is enough
        honest = {
            k: dict([*v.items()][:1]) if isinstance(v, dict) else v for k, v in honest.items()
        }
    values: list[Any] = [str(outside), *PATHS, None, -1, 2**70, 1e308, [], {}, "x" * 10_000]
    for value in values:
        for number, other in enumerate(poisoned(honest, value)):
            if number % 7 == len(str(value)) % 7:  # a seventh of each, by turns: some 300
                path.write_text(json.dumps(other))
                guarded("verify", "--quick", results)


CONFIGS: dict[str, Any] = {
    "dataset out of the folder": {"dataset": "../../home"},
    "variant out of the folder": {"variants": {"../../x": {}}},
    "comparison out of the folder": {"comparisons": {"../x": ["paper"]}},
    "space out of the folder": {"spaces": {"../../home": {"format": "embedded"}}},
    "words of the user": {
        "spaces": {"embedded": {"format": "embedded", "filter": {"words": "SECRET"}}}
    },
    "a source of the user": {"spaces": {"embedded": {"format": "glove", "source": "SECRET"}}},
    "a table of the user": {
        "datasets": {
            "demo": {**CONFIG["datasets"]["demo"], "kind": "recordings", "table": "SECRET"}
        }
    },
    "a corpus at the root": {"iemocap_root": "/"},
    "a model of the user": {
        "upstreams": {"logmel": {"kind": "transformers", "model": "SECRET", "layer": 1}}
    },
    "folds without end": {
        "datasets": {"demo": {**CONFIG["datasets"]["demo"], "folds": 10_000, "seeds": [*range(2)]}}
    },
    "seeds without end": {
        "datasets": {"demo": {**CONFIG["datasets"]["demo"], "seeds": [*range(20_000)]}}
    },
    "utterances without end": {
        "datasets": {"demo": {**CONFIG["datasets"]["demo"], "utterances": 10**9}}
    },
    "unknown": {"run": "touch hacked"},
}


@pytest.mark.parametrize("attack", CONFIGS)
def test_a_configuration_that_leads_elsewhere(
    attack: str, results: Path, outside: Path, guarded: Callable[..., str]
) -> None:
    text = json.dumps({**CONFIG, **CONFIGS[attack]}).replace("SECRET", str(outside))
    (results / "config.json").write_text(text)
    said = guarded("verify", results)
    assert "Nothing is wrong." not in said


def test_json_that_is_nested_too_deep(results: Path, guarded: Callable[..., str]) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    for file in ("config.json", "provenance.json", "logs/more.log.json"):
        before = (results / file).read_bytes() if (results / file).exists() else b""
        (results / file).write_text('{"datasets": ' + deep + "}")
        said = guarded("verify", "--quick", results)
        assert said.count("\n") == 0
        assert file in said
        (results / file).write_bytes(before or b"{}")


def test_a_record_that_would_trust_everything(results: Path, guarded: Callable[..., str]) -> None:
    """As earlier versions did: roots, templates and commands of a record are nothing but text."""
    name = next((results / "targets").glob("S1-*")).name
    path = results / f"logs/targets/{name}.log.json"
    record = json.loads(path.read_text())
    record["command"] = ["emoword", "demo", "--root", "/", "--out", "../../../home/hacked"]
    record["outputs"] |= {
        "../../home/hacked": {"bytes": 0, "sha256": "0" * 64},
        "/srv/hacked": {"bytes": 0, "sha256": "0" * 64},
    }
    path.write_text(json.dumps(record))
    said = guarded("verify", "--quick", results)
    assert f"{path.name} is not what provenance.json says" in said
    assert "hacked" not in said


def test_templates_of_a_stranger_are_not_filled(
    results: Path, tmp_path: Path, guarded: Callable[..., str]
) -> None:
    hostile = "{{ cycler.__init__.__globals__.os.system('touch hacked') }}"
    for place in (tmp_path / "stranger", results):
        for name in ("table.tex.j2", "claims.tex.j2"):
            (place / "paper/templates").mkdir(parents=True, exist_ok=True)
            (place / "paper/templates" / name).write_text(hostile)
    assert "templates" in guarded("verify", results)
    said = guarded("verify", "--quick", tmp_path / "stranger")
    assert "is not this repository's" in said


def test_records_that_were_swapped(results: Path, guarded: Callable[..., str]) -> None:
    one, other = sorted((results / "logs/targets").glob("*.json"))[:2]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    said = guarded("verify", "--quick", results)
    assert f"{one.name}, {other.name} is not what provenance.json says" in said


def test_words_that_a_terminal_would_act_on(results: Path, guarded: Callable[..., str]) -> None:
    path = results / "annotations.csv"
    path.write_text(path.read_text().replace("Sadness", "\x1b]0;hacked\x07Sadness\u202e"))
    assert "hacked" in guarded("verify", results)


@pytest.mark.parametrize("path", ["tables/table1.csv", "../../home/secret.txt", "."])
def test_trace_reads_a_table_and_nothing_else(
    path: str, results: Path, outside: Path, guarded: Callable[..., str]
) -> None:
    (results / "tables").mkdir()
    (results / "tables/table1.csv").symlink_to(outside)
    (results / "tables/table1.json").symlink_to("/dev/zero")
    said = guarded("trace", results / path, "M1", "LC UA")
    assert said.count("\n") == 0


def test_names_are_the_same_to_case_folding_file_systems() -> None:
    """What the check of names rests on."""
    assert unicodedata.normalize("NFC", "ﬁle").casefold() == "file"
