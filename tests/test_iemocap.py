"""`emoword read-iemocap` on hand-written files (tests/fixtures/iemocap) with IEMOCAP's oddities.

The expected rows are written from the corpus's format, line by line, not from the reader.
"""

import csv
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoword import cli
from emoword.corpora.iemocap import read_evaluation, read_release
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.schemas import ANNOTATIONS

FIXTURE = Path(__file__).parent / "fixtures" / "iemocap"
DIALOG_1 = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
DIALOG_2 = "Session2/dialog/EmoEvaluation/Ses02M_script01_1b.txt"
UTTERANCES = ["Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses02M_script01_1b_M017"]
CODES = ["neu", "fru", "ang", "exc", "sad", "hap", "sur", "fea", "dis", "oth", "xxx"]


def wav(root: Path, utterance: str) -> Path:
    dialog = utterance.rpartition("_")[0]
    return root / f"Session{int(utterance[3:5])}/sentences/wav/{dialog}/{utterance}.wav"


def write_wav(root: Path, utterance: str) -> None:
    path = wav(root, utterance)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    shutil.copytree(FIXTURE, path)
    for utterance in UTTERANCES:
        write_wav(path, utterance)
    return path


REAL = ("--expected", str(Path(__file__).parent.parent / "paper" / "reported.csv"))


def run(root: Path, *options: str) -> dict[str, Any]:
    """Run the command and give what it wrote: rows of both tables, and the report."""
    out = root.parent / "out"
    cli.main(["read-iemocap", str(root), "--out", str(out), *options])
    with (
        (out / "utterances.csv").open(newline="") as u,
        (out / "annotations.csv").open(newline="") as a,
    ):
        tables = {"utterances": list(csv.reader(u)), "annotations": list(csv.reader(a))}
    return tables | {"report": json.loads((out / "corpus.json").read_text())}


def test_utterances_are_those_of_the_headers(root: Path) -> None:
    assert run(root)["utterances"] == [
        ["utterance", "wav", "speaker", "fold", "style", "label", "sex"],
        [UTTERANCES[0], str(wav(root, UTTERANCES[0])), "Ses01F", "1", "improvised", "neutral", "F"],
        [
            UTTERANCES[1],
            str(wav(root, UTTERANCES[1])),
            "Ses01M",
            "1",
            "improvised",
            "excitement",
            "M",
        ],
        [UTTERANCES[2], str(wav(root, UTTERANCES[2])), "Ses02M", "2", "scripted", "", "M"],
    ]


def test_annotations_are_kept_as_written_with_file_and_line(root: Path) -> None:
    f000, m000, m017 = UTTERANCES
    one, two = str(root / DIALOG_1), str(root / DIALOG_2)
    observer, self = "observer", "self"
    rows = run(root)["annotations"]
    assert rows[0] == ["utterance", "rater", "role", "kind", "source", "text", "file", "line"]
    assert rows[1:] == [
        [f000, "E2", observer, "label", "categorical", "Neutral", one, "4"],
        [f000, "E2", observer, "label", "categorical", "Anger", one, "4"],
        [f000, "E2", observer, "comment", "categorical", "Rushed, café", one, "4"],
        [f000, "E3", observer, "label", "categorical", "Neutral", one, "5"],
        # line 6, E4: the label is empty
        [f000, "F1", self, "label", "categorical", "Neutral", one, "7"],
        [f000, "F1", self, "comment", "categorical", "curious", one, "7"],
        [f000, "E4", observer, "comment", "attribute", "guarded, tense", one, "9"],
        [f000, "F1", self, "comment", "attribute", "bored", one, "10"],
        [m000, "E1", observer, "label", "categorical", "Excited", one, "13"],
        [
            *(m000, "E1", observer, "comment", "categorical"),
            " a) b; \x85 it's (so) \"odd\"\tisn't",
            *(one, "13"),
        ],
        [m000, "E2", observer, "label", "categorical", "Other", one, "14"],
        [m000, "E2", observer, "comment", "categorical", "can", one, "14"],
        [m000, "E3", observer, "label", "categorical", "Grumpy_100%", one, "15"],
        [m000, "E3", observer, "comment", "categorical", "unclosed", one, "15"],
        [m017, "E4", observer, "label", "categorical", "Sadness", two, "4"],
        [m017, "E5", observer, "label", "categorical", "Frustration", two, "5"],
        [m017, "E6", observer, "label", "categorical", "Fear", two, "6"],
        [m017, "M1", self, "label", "categorical", "Disgust", two, "7"],
        [m017, "M1", self, "comment", "categorical", "me", two, "7"],
    ]


def test_report_counts_and_names_what_it_left_out(root: Path) -> None:
    report = run(root)["report"]
    assert report["utterances"] == 3
    assert report["labels"] == {"excitement": 1, "neutral": 1}
    assert report["without_label"] == 1
    assert report["speakers"] == {"Ses01F": 1, "Ses01M": 1, "Ses02M": 1}
    assert report["folds"]["1"]["name"] == "Session1"
    assert report["folds"]["1"]["speakers"] == ["Ses01F", "Ses01M"]
    # labels 5 in F000's and M000's observers' lines but for the empty ones, and Sadness ... Fear
    assert report["annotations"] == {
        "observer": {"labels": 9, "comments": 5},
        "self": {"labels": 2, "comments": 3},
    }
    one = str(root / DIALOG_1)
    assert report["dropped"] == [
        {
            "what": "labels",
            "reason": "the rater left the label empty",
            "which": [f"{one}:6", f"{one}:14"],
            "count": 2,
        }
    ]
    assert report["warnings"] == [
        "1 comments are not closed by a parenthesis and taken to the line's end: " + f"{one}:15"
    ]
    assert report["counts"]["happiness with excitement"] == {"found": 1, "expected": None}


def test_another_size_than_the_real_corpus_is_a_loud_warning(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(root, *REAL)["report"]
    assert report["counts"]["utterances"] == {"found": 3, "expected": 10039}
    loud = f"{root}: utterances: found 3, but IEMOCAP as released has 10039"
    assert loud in report["warnings"]
    assert f"WARNING: {loud}" in capsys.readouterr().err.splitlines()


def write_full_size(root: Path) -> None:
    """Write a corpus of IEMOCAP's size: 151 dialogs, the numbers by class and session as known."""
    # happiness is 595 happy and 1041 excited utterances
    labels = ["ang"] * 1103 + ["hap"] * 595 + ["exc"] * 1041 + ["sad"] * 1084 + ["neu"] * 1708
    rest = [CODES[1], *CODES[6:]] * 752
    sizes = {1: (1085, 28), 2: (1023, 30), 3: (1151, 32), 4: (1031, 30), 5: (1241, 31)}
    for session, (four, dialogs) in sizes.items():
        extra = 900 if session < 5 else 10039 - 5531 - 4 * 900
        codes = [labels.pop() for _ in range(four)] + [rest.pop() for _ in range(extra)]
        for dialog in range(dialogs):
            name = f"Ses{session:02}{'FM'[dialog % 2]}_impro{dialog:02}"
            blocks = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
            for number, code in enumerate(codes[dialog::dialogs]):
                utterance = f"{name}_{'FM'[number % 2]}{number:03}"
                blocks.append(f"[1.0000 - 2.0000]\t{utterance}\t{code}\t[2.5000, 2.5000, 2.5000]")
                blocks += [f"C-E{rater}:\tNeutral;\t(calm)" for rater in (1, 2, 3)]
                blocks += [f"A-E{rater}:\tval 3; act 2; dom  2;\t()" for rater in (1, 2)] + [""]
                write_wav(root, utterance)
            path = root / f"Session{session}/dialog/EmoEvaluation/{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(blocks))


def test_a_corpus_of_the_real_size_is_read_in_seconds_without_a_warning(tmp_path: Path) -> None:
    write_full_size(tmp_path / "corpus")
    start = time.process_time()
    report = run(tmp_path / "corpus", *REAL)["report"]
    assert time.process_time() - start < 10
    assert report["warnings"] == []
    assert all(row["found"] == row["expected"] for row in report["counts"].values())
    found = {name: row["found"] for name, row in report["counts"].items()}
    assert (found["dialogs"], found["utterances"], found["in four classes"]) == (151, 10039, 5531)
    assert [found[f"in four classes, session {n}"] for n in range(1, 6)] == [
        *(1085, 1023, 1151, 1031, 1241)
    ]


def test_unknown_text_files_and_unrated_audio_are_named(root: Path) -> None:
    (root / DIALOG_1).with_name("Ses01F_impro01 copy.txt").write_text("anything")
    write_wav(root, "Ses01F_impro01_F001")
    (wav(root, UTTERANCES[0]).parent / "._Ses01F_impro01_F000.wav").touch()
    warnings = run(root)["report"]["warnings"]
    assert len(warnings) == 3
    assert warnings[0].startswith("1 text files are not read")
    assert warnings[0].endswith("Ses01F_impro01 copy.txt")
    assert warnings[1].startswith("1 audio files have no utterance")
    assert warnings[1].endswith("Ses01F_impro01_F001.wav")


def test_a_rater_who_rates_twice_is_named(root: Path) -> None:
    path = root / DIALOG_2
    path.write_bytes(path.read_bytes().replace(b"C-E5:", b"C-E4:"))
    (warning,) = (w for w in run(root)["report"]["warnings"] if "second line" in w)
    assert warning.endswith(f"both count: {path}:5")


def test_a_name_that_is_not_utf_8_is_one_line(root: Path, fails: Callable[..., str]) -> None:
    folder = os.fsencode(wav(root, UTTERANCES[0]).parent)
    Path(os.fsdecode(folder + b"/Ses\xff.wav")).touch()
    said = fails("read-iemocap", root, "--out", root.parent / "out")
    assert said.startswith(f"emoword read-iemocap: '{root}")
    assert said.endswith("Ses\\udcff.wav': a name that is not UTF-8; rename it")
    assert not (root.parent / "out").exists()
    said = fails("read-iemocap", os.fsdecode(b"/corpus\xff"), "--out", root.parent / "out")
    assert "'/corpus\\udcff': a name that is not UTF-8" in said


def test_missing_audio_is_an_error_that_names_the_files(root: Path) -> None:
    wav(root, UTTERANCES[1]).unlink()
    with pytest.raises(SystemExit, match=r"M000\.wav: 1 of 3 audio files.*--skip-missing-audio"):
        run(root)
    assert not (root.parent / "out").exists()


def test_missing_audio_is_skipped_and_counted_when_told_to(root: Path) -> None:
    wav(root, UTTERANCES[1]).unlink()
    found = run(root, "--skip-missing-audio")
    assert [row[0] for row in found["utterances"][1:]] == [UTTERANCES[0], UTTERANCES[2]]
    assert UTTERANCES[1] not in {row[0] for row in found["annotations"]}
    drops = {(drop["what"], drop["count"]) for drop in found["report"]["dropped"]}
    assert drops == {("utterances", 1), ("annotations", 6), ("labels", 2)}


def test_without_any_audio_nothing_can_be_skipped(root: Path) -> None:
    shutil.rmtree(root / "Session1/sentences")
    shutil.rmtree(root / "Session2/sentences")
    with pytest.raises(InputError, match="3 of 3 audio files are missing; check the folder"):
        read_release(root, skip_missing_audio=True)


def test_a_linked_root_is_read_like_the_real_one(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert [row[2:] for row in run(link)["utterances"]] == [
        row[2:] for row in run(root)["utterances"]
    ]


HEAD = b"[1.0 - 2.0]\tSes01F_impro01_F000\tneu\t[2.5, 2.5, 2.5]\n"
RATED = HEAD + b"C-E1:\tNeutral;\t()\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"\.txt: no utterance in it"),
        (b"% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n", "no utterance in it"),
        (RATED + b"\n[3.0 - 4.0]\tSes01F_impro01_F00", r"txt:4: .*F00' must be a header"),
        (RATED + b"\n[3.0 - 4.0]\tSes01F_impro01_F001\tneu\t[2.5, 2", r"txt:4: .*cut off"),
        (RATED + b"\n" + HEAD.replace(b"000", b"001"), r"txt:4: .*F001 has no observer's label"),
        (HEAD + b"C-F1:\tNeutral;\t()\n", "txt:1: .*has no observer's label"),
        (HEAD + b"A-E1:\tval 1; act 1; dom 1;\t()\n", "txt:1: .*has no observer's label"),
        (HEAD + b"C-E1:\tNeut", "txt:2: .*must be a header"),
        (HEAD + b"C-E1:\tNeutral;\t(happ", "txt:2: the file ends within a comment"),
        (HEAD + b"C-E1:\tNeutral;\n", "txt:2: .*must be a header"),
        (RATED + b"C-X1:\tNeutral;\t()\n", "txt:3: 'C-X1"),
        (RATED + b"Neutral\n", "txt:3: 'Neutral'"),
        (b"C-E1:\tNeutral;\t()\n" + RATED, "txt:1: a rating that stands below no header"),
        (RATED + b"\nC-E2:\tNeutral;\t()\n", "txt:4: a rating that stands below no header"),
        (RATED.replace(b"neu\t", b"joy\t"), "txt:1: label 'joy' is none of neu, fru"),
        (RATED + b"\n" + RATED, r"txt:4: Ses01F_impro01_F000 stands at .*txt:1 already"),
        (RATED.replace(b"impro01", b"impro02"), "txt:1: utterance 'Ses01F_impro02_F000' is not"),
        (RATED.replace(b"F000", b"X000"), "txt:1: utterance 'Ses01F_impro01_X000' is not"),
        (RATED + b"\0\0\0", "txt:3: has a zero byte"),
        (RATED.replace(b"()", b"(a\rb)"), "txt:2: has .* a carriage return within"),
    ],
)
def test_a_damaged_file_is_an_error_with_its_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "Ses01F_impro01.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_evaluation(path, defaultdict(list))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_cut_anywhere_is_an_error_or_a_whole_part(tmp_path: Path) -> None:
    path = tmp_path / "Ses01F_impro01.txt"
    second = RATED.replace(b"F000", b"M001") + b"C-M1:\tAnger; Fear;\t(cross, tired)\n"
    whole = RATED + b"A-E2:\tval 1; act 2; dom 3;\t(calm)\n\n" + second
    path.write_bytes(whole)
    _, rows = read_evaluation(path, defaultdict(list))
    assert len(rows) == 6
    read = set()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            _, found = read_evaluation(path, defaultdict(list))
        except InputError:
            continue
        assert found == rows[: len(found)]
        read.add(len(found))
    # only after a whole line: the first label, the attribute's comment, the second label, the end
    assert read == {1, 2, 3, 6}


@pytest.mark.parametrize("code", CODES)
def test_each_label_code_is_a_noun(tmp_path: Path, code: str) -> None:
    nouns = "neutral frustration anger excitement sadness happiness surprise fear disgust other"
    path = tmp_path / "Ses01F_impro01.txt"
    path.write_bytes(RATED.replace(b"neu\t", code.encode() + b"\t"))
    noun = dict(zip(CODES, [*nouns.split(), ""], strict=True))[code]
    assert read_evaluation(path, defaultdict(list))[0] == {"Ses01F_impro01_F000": noun}


latin_1 = st.text(st.characters(codec="latin-1", exclude_characters="\n\r\0"))


@settings(deadline=None)
@given(comment=latin_1, label=latin_1.filter(lambda text: ";" not in text and "(" not in text))
def test_any_text_is_kept_as_written_through_the_table(
    tmp_path_factory: pytest.TempPathFactory, comment: str, label: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "Ses01F_impro01.txt"
    path.write_bytes(HEAD + f"C-E1:\t{label};\t({comment})\n".encode("latin-1"))
    _, rows = read_evaluation(path, defaultdict(list))
    write_table(pd.DataFrame(rows, columns=ANNOTATIONS.names), folder / "a.csv")
    table = ANNOTATIONS.read(folder / "a.csv")
    texts = [("label", label.strip())] * bool(label.strip())
    texts += [("comment", comment)] * bool(comment.strip())
    assert list(zip(table["kind"], table["text"], strict=True)) == texts
    assert list(table["line"]) == [2] * len(texts)


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such folder; .*Session1"):
        read_release(tmp_path / "nowhere")


def test_an_empty_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no folder Session1 \.\.\. Session5$"):
        read_release(tmp_path)


def test_a_root_one_folder_too_high_is_told_the_right_one(root: Path) -> None:
    with pytest.raises(InputError, match=f"did you mean {root}"):
        read_release(root.parent)


def test_a_session_without_dialogs_is_named(root: Path) -> None:
    (root / DIALOG_2).unlink()
    with pytest.raises(
        InputError, match=r"Session2/dialog/EmoEvaluation: no dialog.*Ses02F_.*unpacked in full"
    ):
        read_release(root)


def test_a_dialog_in_another_session_is_named(root: Path) -> None:
    shutil.copy(root / DIALOG_1, root / DIALOG_2.replace("Ses02M_script01_1b", "Ses01F_impro01"))
    with pytest.raises(InputError, match=r"Ses01F_impro01\.txt: a dialog of session 01"):
        read_release(root)
