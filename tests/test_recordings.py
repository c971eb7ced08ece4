"""`emoword read-recordings` on hand-written tables, and the examples that write such tables."""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoword import cli
from emoword.corpora.recordings import natural, read_corpus, spread_speakers
from emoword.io.errors import InputError


def write_table(folder: Path, text: str, name: str = "recordings.csv") -> Path:
    """Write a table as it stands, and a file for whatever ends in .wav in its first column."""
    path = folder / name
    path.write_bytes(text.encode())
    for line in text.splitlines():
        first = line.split(",")[0].strip('"')
        if first.endswith(".wav") and not first.startswith("missing"):
            (folder / first).parent.mkdir(parents=True, exist_ok=True)
            (folder / first).touch()
    return path


def run(table: Path, folds: int, *options: str) -> dict[str, Any]:
    """Run the command and give what it wrote: rows of both tables, and the report."""
    out = table.parent / "out"
    cli.main(["read-recordings", str(table), "--folds", str(folds), "--out", str(out), *options])
    with (
        (out / "utterances.csv").open(newline="") as u,
        (out / "annotations.csv").open(newline="") as a,
    ):
        tables = {"utterances": list(csv.reader(u)), "annotations": list(csv.reader(a))}
    return tables | {"report": json.loads((out / "corpus.json").read_text())}


SIMPLE = "wav,speaker,label\na.wav,s1,joy\nb.wav,s2,joy\nc.wav,s1,calm\nd.wav,s2,calm\n"


def test_paths_are_relative_to_the_table_and_names_default_to_them(tmp_path: Path) -> None:
    table = write_table(tmp_path, "wav,speaker,label\nsub/a.1.wav, s1 , joy \nb.wav,s2,\n")
    assert run(table, 2)["utterances"] == [
        ["utterance", "wav", "speaker", "fold", "style", "label"],
        ["sub/a.1", str(tmp_path / "sub/a.1.wav"), "s1", "1", "", "joy"],
        ["b", str(tmp_path / "b.wav"), "s2", "2", "", ""],
    ]


def test_an_absolute_path_stays_and_optional_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/y.wav").touch()
    header = "style,fold,label,utterance,speaker,wav,sex\n"
    rows = f"scripted,B,joy,u1,s1,{tmp_path}/x/y.wav,F\nimprovised,A,joy,u2,s2,z.wav,\n"
    (tmp_path / "z.wav").touch()
    found = run(write_table(tmp_path, header + rows), 2)
    assert found["utterances"][1:] == [
        ["u1", str(tmp_path / "x/y.wav"), "s1", "2", "scripted", "joy", "F"],
        ["u2", str(tmp_path / "z.wav"), "s2", "1", "improvised", "joy", ""],
    ]
    folds = found["report"]["folds"]
    assert {number: fold["name"] for number, fold in folds.items()} == {"1": "A", "2": "B"}


def test_folds_are_numbered_in_natural_order(tmp_path: Path) -> None:
    rows = [f"{name}.wav,{name},joy,{name}" for name in ("s10", "s9", "s2")]
    table = write_table(tmp_path, "\n".join(["wav,speaker,label,fold", *rows]))
    assert read_corpus(table, None, 3).fold_names == {1: "s2", 2: "s9", 3: "s10"}


def test_lines_are_right_after_a_mark_and_cells_of_several_lines(tmp_path: Path) -> None:
    table = write_table(tmp_path, SIMPLE)
    text = (
        "\ufeffutterance,rater,kind,text\r\n"  # line 1
        'a,r1,label," Joy "\r\n'  # 2
        'a,r2,comment,"two\r\nlines, ""quoted"""\r\n'  # 3, 4
        "\r\n"  # 5
        "b,r1,label,Calm\r\n"  # 6
        "b,r1,comment,\r\n"  # 7
        "b,r2,comment, warm \r\n"  # 8
    )
    annotations = write_table(tmp_path, text, "annotations.csv")
    found = run(table, 2, "--annotations-table", str(annotations))
    here = str(annotations)
    assert found["annotations"][1:] == [
        ["a", "r1", "observer", "label", "categorical", "Joy", here, "2"],
        ["a", "r2", "observer", "comment", "categorical", 'two\r\nlines, "quoted"', here, "3"],
        ["b", "r1", "observer", "label", "categorical", "Calm", here, "6"],
        ["b", "r2", "observer", "comment", "categorical", " warm ", here, "8"],
    ]
    assert found["report"]["dropped"] == [
        {"what": "comments", "reason": "the text is empty", "which": [f"{here}:7"], "count": 1}
    ]


def test_role_and_source_are_read_and_have_defaults(tmp_path: Path) -> None:
    table = write_table(tmp_path, SIMPLE)
    text = "utterance,rater,kind,text,role,source\na,r,label,x,self,attribute\na,r,label,y,,\n"
    annotations = write_table(tmp_path, text, "annotations.csv")
    rows = read_corpus(table, annotations, 2).annotations
    assert list(rows["role"]) == ["self", "observer"]
    assert list(rows["source"]) == ["attribute", "categorical"]


@pytest.mark.parametrize(
    ("text", "folds", "message"),
    [
        ("", 2, r"csv: no rows; it needs the header wav,speaker,label"),
        ("wav,speaker,label\n", 2, "csv: no rows"),
        ("wav,label\na.wav,joy\n", 2, "csv:1: no column speaker in the header 'wav,label'$"),
        ("wav;speaker;label\na.wav;s;joy\n", 2, "csv:1: no column .*separated by commas"),
        ("wav,speaker,label,wav\na.wav,s,joy,a\n", 2, "csv:1: column 'wav' stands twice"),
        ("wav,speaker,label\na.wav,s1,joy,x\n", 2, "csv:2: 4 cells, but the header has 3"),
        ('wav,speaker,label\n\n"a.wav,s1,joy\n', 2, "csv:3: .*is a quote open"),
        ("wav,speaker,label\n,s1,joy\n", 2, "csv:2: wav is empty"),
        ("wav,speaker,label\na.wav,,joy\n", 2, "csv:2: speaker is empty"),
        ("wav,speaker,label\na.wav,s1,\nb.wav,s2,\n", 2, "csv: no row has a label"),
        ("wav,speaker,label\n.,s1,joy\n", 2, "audio files are missing"),
        (f"wav,speaker,label\n{'a' * 5000}.wav,s1,joy\n", 2, "audio files are missing"),
        ("wav,speaker,label\na\0.wav,s1,joy\n", 2, "csv:2: a cell has a zero byte"),
        ('wav,speaker,label\na.wav,s1,"a\rb"\n', 2, "csv:2: a cell has .* carriage return"),
        (SIMPLE + "a.wav,s1,joy\n", 2, r"csv:6: utterance 'a' stands at .*csv:2 already"),
        (SIMPLE + "x/../a.wav,s1,joy\n", 2, r"csv:6: wav '.*/a\.wav' stands at .*csv:2"),
        ('speaker,wav,label\ns1,",joy\ns1,",joy\n', 2, r"csv:2: wav .*cannot be printed"),
        (SIMPLE + "link.wav,s1,joy\n", 2, r"csv:6: wav '.*/a\.wav' stands at .*csv:2"),
        (SIMPLE + "x" * 2**20, 2, r"csv:6: .*field larger than field limit"),
        ("wav,speaker,label,style\na.wav,s,joy,acted\n", 2, "csv:2: style 'acted' must be one of"),
        (SIMPLE, 3, "csv: 2 speakers cannot be spread over 3 folds"),
        (SIMPLE.replace("s2", "s1"), 2, "csv: 1 speakers cannot .* must be 2 at least"),
        (SIMPLE, 1, "--folds 1: must be 2 or more"),
        ("wav,speaker,label,fold\na.wav,s,joy,1\nb.wav,t,joy,\n", 2, "csv:3: fold is empty"),
        (
            "wav,speaker,label,fold\na.wav,s,joy,1\nb.wav,t,joy,2\nc.wav,s,joy,2\n",
            2,
            r"csv:4: speaker 's' is in fold '2' here and in fold '1' at .*csv:2",
        ),
        (
            "wav,speaker,label,fold\na.wav,s,joy,1\nb.wav,t,joy,2\nc.wav,u,joy,3\n",
            5,
            r"column `fold` has 3 folds \(1, 2, 3\), not 5; write `folds: 3`",
        ),
        (
            "wav,speaker,label,fold\na.wav,s,joy,1\nb.wav,t,joy,1\n",
            2,
            r"column `fold` has 1 folds \(1\), not 2; at least two are needed",
        ),
    ],
)
def test_a_wrong_table_is_an_error_with_its_line(
    tmp_path: Path, text: str, folds: int, message: str
) -> None:
    table = tmp_path / "recordings.csv"
    table.write_bytes(text.encode())
    for name in "abc":
        (tmp_path / f"{name}.wav").touch()
        (tmp_path / "x").mkdir(exist_ok=True)
    (tmp_path / "d.wav").touch()
    (tmp_path / "link.wav").symlink_to("a.wav")
    with pytest.raises(InputError, match=message) as caught:
        read_corpus(table, None, folds)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("z,r,label,joy,", "csv:3: no recording is named 'z', but 'a' or the like"),
        ("a,,label,joy,", "csv:3: rater is empty"),
        ("a,r,labels,joy,", "csv:3: kind 'labels' must be one of: label, comment"),
        ("a,r,label,joy,actor", "csv:3: role 'actor' must be one of: observer, self"),
        ("a, r ,label,joy ,observer", r"csv:3: rater 'r' says the same of 'a' at .*csv:2"),
        ("a,r,label", "csv:3: 3 cells, but the header has 5"),
    ],
)
def test_a_wrong_annotation_is_an_error_with_its_line(
    tmp_path: Path, row: str, message: str
) -> None:
    table = write_table(tmp_path, SIMPLE)
    header = "utterance,rater,kind,text,role\n"
    annotations = write_table(tmp_path, f"{header}a,r,label,joy,\n{row}\n", "annotations.csv")
    with pytest.raises(InputError, match=message):
        read_corpus(table, annotations, 2)


def test_a_table_that_is_not_utf_8_or_not_there_is_named(tmp_path: Path) -> None:
    table = tmp_path / "recordings.csv"
    with pytest.raises(InputError, match=r"recordings\.csv: no such file"):
        read_corpus(table, None, 2)
    table.write_bytes("wav,speaker,label\né.wav,s,joy".encode("latin-1"))
    with pytest.raises(InputError, match=r"recordings\.csv: not UTF-8 .*save it as CSV UTF-8"):
        read_corpus(table, None, 2)


def test_missing_audio_is_named_or_skipped_and_counted(tmp_path: Path) -> None:
    table = write_table(tmp_path, SIMPLE + "missing.wav,s3,joy\n")
    text = "utterance,rater,kind,text\nmissing,r,label,joy\na,r,label,joy\n"
    annotations = write_table(tmp_path, text, "annotations.csv")
    with pytest.raises(SystemExit, match=r"missing\.wav: 1 of 5 audio files are missing"):
        run(table, 2)
    assert not (tmp_path / "out").exists()
    options = ["--skip-missing-audio", "--annotations-table", str(annotations)]
    found = run(table, 2, *options)
    assert [row[0] for row in found["utterances"][1:]] == ["a", "b", "c", "d"]
    assert [row[0] for row in found["annotations"][1:]] == ["a"]
    assert [(drop["what"], drop["which"]) for drop in found["report"]["dropped"]] == [
        ("utterances", ["missing"]),
        ("annotations", [f"{annotations}:2"]),
    ]
    # the speaker whose only recording is missing cannot be a fold
    with pytest.raises(InputError, match="2 speakers cannot be spread over 3 folds"):
        read_corpus(table, None, 3, skip_missing_audio=True)


def test_what_may_be_a_mistake_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "wav,speaker,label,Fold\na.wav,s1,joy,1\nb.wav,s2,joy,2\nc.wav,s1,Joy,1\n"
    table = write_table(tmp_path, text)
    warnings = run(table, 2)["report"]["warnings"]
    assert [warning.partition(":")[0] for warning in warnings[1:]] == [
        "label 'Joy' is used in fold 1 alone",
        "labels Joy, joy differ by upper and lower case alone, and are classes of their own",
    ]
    assert warnings[0] == f"{table}: column 'Fold' is not read"
    assert capsys.readouterr().err.count("WARNING: ") == 3


def test_a_table_without_oddities_gives_no_warning(tmp_path: Path) -> None:
    assert run(write_table(tmp_path, SIMPLE), 2)["report"]["warnings"] == []


def test_spreading_by_hand() -> None:
    # e 5 -> fold 1; b 4 -> 2; c 3 -> 2 (4 < 5); d 3 -> 1 (5 < 7); a 1 -> 2 (7 < 8)
    sizes = {"a": 1, "b": 4, "c": 3, "d": 3, "e": 5}
    assert spread_speakers(sizes, 2) == {"e": 1, "b": 2, "c": 2, "d": 1, "a": 2}


@settings(deadline=None)
@given(
    sizes=st.dictionaries(st.text(max_size=4), st.integers(1, 50), min_size=2, max_size=20),
    data=st.data(),
)
def test_spreading_uses_every_fold_and_balances(sizes: dict[str, int], data: st.DataObject) -> None:
    folds = data.draw(st.integers(2, len(sizes)))
    fold_of = spread_speakers(sizes, folds)
    assert set(fold_of) == set(sizes)
    totals = dict.fromkeys(range(1, folds + 1), 0)
    for speaker, fold in fold_of.items():
        totals[fold] += sizes[speaker]
    assert min(totals.values()) > 0
    # the fullest fold got its last speaker when no fold was emptier
    assert max(totals.values()) - min(totals.values()) <= max(sizes.values())
    shuffled = data.draw(st.permutations(list(sizes)))
    assert spread_speakers({name: sizes[name] for name in shuffled}, folds) == fold_of


rows = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cy", "di"]), st.sampled_from(["joy", "calm", "x y"])),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(rows=rows, folds=st.integers(2, 4))
def test_no_speaker_is_ever_in_two_folds(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], folds: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    lines = [f"{n}.wav,{speaker},{label}" for n, (speaker, label) in enumerate(rows)]
    table = write_table(folder, "\n".join(["wav,speaker,label", *lines]))
    speakers = {speaker for speaker, _ in rows}
    if len(speakers) < folds:
        with pytest.raises(InputError, match="cannot be spread"):
            read_corpus(table, None, folds)
        return
    found = read_corpus(table, None, folds).utterances
    assert len(set(zip(found["speaker"], found["fold"], strict=True))) == len(speakers)
    assert set(found["fold"]) == set(range(1, folds + 1))
    assert list(zip(found["speaker"], found["label"], strict=True)) == rows


def test_natural_order() -> None:
    names = ["s10", "S2", "s1", "10", "9", "", "é", "01", "1"]
    ordered = ["", "01", "1", "9", "10", "s1", "S2", "s10", "é"]
    assert sorted(names, key=natural) == ordered


def write_zip(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, f"contents of {name}")
    return path


def unpack(name: str, archive: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does; it needs no package, so that any Python will do."""
    script = Path(__file__).parent.parent / f"examples/{name}.py"
    command = [sys.executable, "-S", str(script), "--zip", str(archive), "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


SPEAKERS = [f"POLISH/m{n}.{e}_nie_{r}.wav" for n in (1, 2, 3) for e in "ans" for r in (1, 2)]


def test_polish_is_read_as_own_recordings(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "p.zip", ["POLISH/", *SPEAKERS, "POLISH/readme.md"])
    out = tmp_path / "data/polish"
    done = unpack("polish", archive, out)
    assert done.stdout == f"{out}: 18 recordings of 3 speakers\n", done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["POLISH", "recordings.csv"]
    assert (out / "POLISH/readme.md").is_file()
    assert (out / SPEAKERS[0]).read_text() == f"contents of {SPEAKERS[0]}"
    found = run(out / "recordings.csv", 3)
    assert len(found["utterances"]) == 19
    expected = ["m2.s_nie_2", str(out / "POLISH/m2.s_nie_2.wav"), "m2", "2", "", "fear", "M"]
    assert found["utterances"][12] == expected
    assert found["report"]["labels"] == {"anger": 6, "fear": 6, "neutral": 6}
    assert found["report"]["warnings"] == []
    assert [path.name for path in out.parent.iterdir()] == ["polish"]


def test_emodb_is_read_as_own_recordings(tmp_path: Path) -> None:
    """The names of files, and what they mean, as EMO-DB's site has them."""
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    names = [f"emodb/wav/{speaker}a01{code}a.wav" for speaker in speakers for code in "WLEAFTN"]
    others = ["emodb/wav/16b10Td.wav", "emodb/lablaut/03a01Fa.lablaut", "emodb/erkennung.txt"]
    archive = write_zip(tmp_path / "e.zip", [*reversed(names), *others])
    out = tmp_path / "emodb"
    done = unpack("emodb", archive, out)
    assert done.stdout == f"{out}: 71 recordings of 10 speakers\n", done.stderr
    found = run(out / "recordings.csv", 5)
    rows = {row[0]: row[2:] for row in found["utterances"]}
    assert rows["03a01Fa"] == ["03", "1", "", "happiness", "M"]
    assert rows["16b10Td"] == ["16", "5", "", "sadness", "F"]
    labels = {name[5]: row[-2] for name, row in rows.items() if name.startswith("11")}
    assert labels == {
        **{"W": "anger", "L": "boredom", "E": "disgust", "A": "fear"},
        **{"F": "happiness", "T": "sadness", "N": "neutral"},
    }
    folds = {speaker: fold for speaker, fold, *_ in rows.values() if fold != "fold"}
    assert folds == {name: str(1 + number // 2) for number, name in enumerate(speakers)}
    women = {row[0] for row in rows.values() if row[-1] == "F"}
    assert women == {"08", "09", "13", "14", "16"}  # as EMO-DB's site has them
    assert found["report"]["warnings"] == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("POLISH/m6.a_nie_1.wav", "m6.a_nie_1.wav': not a name such as m1.a_nie_2.wav"),
        ("POLISH/m1.h_nie_1.wav", "m1.h_nie_1.wav': not a name such as"),
        ("POLISH/m1.a_nie.wav", "m1.a_nie.wav': not a name such as"),
        ("POLISH/notes.txt", "notes.txt': not a name such as"),
        ("../m1.a_nie_1.wav", "'../m1.a_nie_1.wav' would be written outside"),
        ("/tmp/m1.a_nie_1.wav", "'/tmp/m1.a_nie_1.wav' would be written outside"),  # noqa: S108
        ("../readme.md", "'../readme.md' would be written outside"),
        ("again/m1.a_nie_1.wav", "m1.a_nie_1 is in it twice"),
    ],
)
def test_an_archive_that_does_not_fit_leaves_nothing(
    tmp_path: Path, name: str, message: str
) -> None:
    archive = write_zip(tmp_path / "p.zip", [*SPEAKERS, name])
    done = unpack("polish", archive, tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p.zip"]


@pytest.mark.parametrize("name", ["17a01Fa.wav", "03a01Xa.wav", "03c01Fa.wav", "m1.a_nie_1.wav"])
def test_emodb_refuses_other_names(tmp_path: Path, name: str) -> None:
    archive = write_zip(tmp_path / "e.zip", ["03a01Fa.wav", name])
    done = unpack("emodb", archive, tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name!r}: not a name such as 03a01Fa.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["e.zip"]


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "p.zip", SPEAKERS)

    def fault(path: Path = archive) -> str:
        done = unpack("polish", path, tmp_path / "out")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        return done.stderr

    archive.write_bytes(archive.read_bytes().replace(b"contents of", b"CONTENTS of"))
    assert fault().startswith(f"{archive}: Bad CRC-32")
    assert [path.name for path in tmp_path.iterdir()] == ["p.zip"]
    archive.write_bytes(b"not a zip")
    assert fault() == f"{archive}: File is not a zip file; download it again\n"
    assert "No such file" in fault(tmp_path / "q.zip")
    assert "has no recordings" in fault(write_zip(archive, ["readme.md"]))


def test_examples_never_remove_the_users_files(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "p.zip", SPEAKERS)
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path, tmp_path / "file"):
        done = unpack("polish", archive, out)
        assert done.stderr == f"{out}: is not empty; remove it, or name a new folder\n"
    assert zipfile.is_zipfile(archive)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_name_that_ends_in_white_space_finds_its_annotations(tmp_path: Path) -> None:
    (tmp_path / "e .wav").touch()
    table = write_table(tmp_path, SIMPLE + "e .wav,s2,joy\n")
    text = "utterance,rater,kind,text\ne,r,label,joy\n"
    annotations = write_table(tmp_path, text, "annotations.csv")
    assert read_corpus(table, annotations, 2).annotations["utterance"][0] == "e"


def test_names_sort_by_their_numbers_however_long() -> None:
    names = ["s10", "s2", "s" + "9" * 5000, "s1" + "0" * 5000, "t", "s02", "s"]
    assert sorted(names, key=natural) == ["s", "s02", "s2", "s10", names[2], names[3], "t"]
