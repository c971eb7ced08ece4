import csv
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword import cli
from emoword.labels.label_sets import comment_word, distinct_targets, multiset

# Two utterances that take part, one without a majority, one of another class; what raters said of
# the first is what the paper's rules are about.
UTTERANCES = """utterance,wav,speaker,fold,style,label
a,a.wav,s1,1,improvised,excitement
b,b.wav,s2,2,scripted,anger
c,c.wav,s1,1,improvised,
d,d.wav,s2,2,scripted,fear
"""
ANNOTATIONS = """utterance,rater,role,kind,source,text,file,line
a,E1,observer,label,categorical,Excited,x.txt,4
a,E2,observer,label,categorical,Happiness,x.txt,5
a,E2,observer,label,categorical,Other,x.txt,5
a,E4,observer,label,categorical,Excited,x.txt,6
a,F1,self,label,categorical,Neutral,x.txt,7
a,E2,observer,comment,categorical,"Amused., very keen, amusde",x.txt,5
a,E4,observer,comment,attribute,relieved,x.txt,9
a,F1,self,comment,categorical,bored,x.txt,7
b,E1,observer,label,categorical,Anger,x.txt,14
b,E2,observer,label,categorical,Frustration,x.txt,15
b,E4,observer,label,categorical,Anger,x.txt,16
b,E4,observer,comment,categorical,",, ",x.txt,16
c,E1,observer,label,categorical,Sadness,x.txt,24
"""
PAPER = ["--classes", "anger", "happiness", "--merge", "excitement=happiness", "--nouns"]
PAPER += ["excited=excitement", "--drop", "other", "--spelling", "--lowercase"]
PAPER += ["--comments", "categorical", "attribute"]

Run = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path, embedded_folder: Path) -> Run:
    def targets(*options: str, annotations: str = ANNOTATIONS) -> Path:
        (tmp_path / "u.csv").write_text(UTTERANCES)
        (tmp_path / "a.csv").write_text(annotations)
        inputs = ["--utterances", tmp_path / "u.csv", "--annotations", tmp_path / "a.csv"]
        inputs += ["--space", embedded_folder, "--out", tmp_path / "t"]
        cli.main(["targets", *map(str, inputs), *(options or PAPER)])
        return tmp_path / "t"

    return targets


def words(folder: Path, label_set: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    with (folder / f"{label_set}.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["utterance"], {})[row["word"]] = int(row["count"])
    return found


def test_label_sets_by_hand(run: Run) -> None:
    folder = run()
    assert words(folder, "S1") == {"a": {"happiness": 1}, "b": {"anger": 1}}
    s2 = {"a": {"excitement": 2, "happiness": 1}, "b": {"anger": 2, "frustration": 1}}
    assert words(folder, "S2") == s2
    s3 = {"a": {**s2["a"], "amused": 1, "relieved": 1}, "b": s2["b"]}
    assert words(folder, "S3") == s3


def test_everything_that_falls_out_is_written_down_with_its_reason(run: Run) -> None:
    folder = run()
    with (folder / "dropped.csv").open() as file:
        rows = [
            (r["utterance"], r["rater"], r["text"], r["line"], r["reason"])
            for r in csv.DictReader(file)
        ]
    assert sorted(rows) == sorted(
        [
            ("c", "", "", "", "no majority label"),
            ("d", "", "fear", "", "ground truth fear is no class"),
            ("a", "E2", "other", "5", "label that is left out"),
            ("a", "F1", "neutral", "7", "self report"),
            ("a", "F1", "bored", "7", "self report"),
            ("a", "E2", "very keen", "5", "more than one word"),
            ("a", "E2", "amusde", "5", "not in the spelling list"),
            *[("b", "E4", "", "16", "empty comment")] * 3,
            ("c", "E1", "Sadness", "24", "of an utterance that takes no part"),
        ]
    )
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["dropped"]["comment: empty comment"] == 3
    assert summary["utterances_by_class"] == {"happiness": 1, "anger": 1}
    assert summary["label_sets"]["S3"]["distinct_targets"] == 2
    assert summary["classes"] == ["anger", "happiness"]


def test_the_papers_numbers_are_printed_beside_ours(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = Path(__file__).parent.parent / "paper" / "reported.csv"
    run(*PAPER, "--reported", str(reported))
    summary = json.loads(capsys.readouterr().out)
    assert summary["distinct_targets_reported"] == {"S2": 129, "S3": 629}
    assert summary["label_sets"]["S2"]["distinct_targets"] == 2  # never forced to them


def test_switches(run: Run) -> None:
    merged = words(run(*PAPER, "--merge-raters"), "S2")["a"]
    assert merged == {"happiness": 3}
    assert words(run(*PAPER, "--self-reports"), "S3")["a"]["bored"] == 1
    assert "relieved" not in words(run(*PAPER, "--comments", "categorical"), "S3")["a"]
    assert "relieved" not in words(run(*PAPER, "--comments"), "S3")["a"]
    sad = ANNOTATIONS.replace(",bored,", ",Sad,").replace("F1,self,comment", "E1,observer,comment")
    assert "sad" in words(run(*PAPER, annotations=sad), "S3")["a"]
    nouns = [*PAPER, "--nouns", "sad=sadness", "--comment-nouns"]
    assert "sadness" in words(run(*nouns, annotations=sad), "S3")["a"]
    as_written = [option for option in PAPER if option != "--lowercase"]
    # found in the space all the same, whose words are in lower case
    assert words(run(*as_written), "S3")["a"]["Amused"] == 1
    unchecked = [option for option in PAPER if option != "--spelling"]
    with (run(*unchecked) / "dropped.csv").open() as file:
        reasons = {row["text"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons["amusde"] == "not in the word space"


def test_without_classes_every_label_takes_part(run: Run) -> None:
    folder = run("--nouns", "excited=excitement", "--missing-words", "drop")
    truth = words(folder, "S1")
    assert truth == {"a": {"excitement": 1}, "b": {"anger": 1}, "d": {"fear": 1}}
    assert "d" not in words(folder, "S2")  # nobody rated it
    assert words(folder, "S2")["a"]["other"] == 1


def test_a_label_outside_the_word_space(
    run: Run, fails: Callable[..., str], tmp_path: Path, embedded_folder: Path
) -> None:
    hostile = ANNOTATIONS.replace("Frustration", "Frustrationnn")
    folder = run(*PAPER, "--missing-words", "drop", annotations=hostile)
    assert words(folder, "S2")["b"] == {"anger": 2}
    inputs = ["--utterances", tmp_path / "u.csv", "--annotations", tmp_path / "a.csv"]
    message = fails("targets", *inputs, "--space", embedded_folder, "--out", tmp_path / "t", *PAPER)
    assert "frustrationnn" in message
    assert "missing_words: drop" in message


def test_faulty_choices(fails: Callable[..., str], run: Run, tmp_path: Path) -> None:
    space = run().parent / "nowhere"
    inputs = ["--utterances", tmp_path / "u.csv", "--annotations", tmp_path / "a.csv"]
    rest = ["--out", tmp_path / "t2", "--space"]
    assert "nowhere" in fails("targets", *inputs, *rest, space)
    assert not (tmp_path / "t2").exists()
    assert "FROM=TO" in fails("targets", *inputs, *rest, space, "--merge", "excitement")


def test_a_class_that_no_utterance_has(
    fails: Callable[..., str], run: Run, tmp_path: Path, embedded_folder: Path
) -> None:
    run()
    inputs = ["--utterances", tmp_path / "u.csv", "--annotations", tmp_path / "a.csv"]
    inputs += ["--space", embedded_folder, "--out", tmp_path / "t"]
    message = fails("targets", *inputs, "--classes", "anger", "boredom")
    assert "boredom" in message
    assert "found: anger, excitement, fear" in message


def test_distinct_targets_are_counted_by_proportions() -> None:
    rows = [("a", "anger", 2), ("a", "fear", 2), ("b", "fear", 1), ("b", "anger", 1)]
    rows += [("c", "anger", 2), ("c", "fear", 1), ("d", "anger", 7)]
    table = pd.DataFrame(rows, columns=["utterance", "word", "count"])
    assert distinct_targets(table) == 3


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1))
def test_multiset_counts_every_word_once(rows: list[tuple[str, str]]) -> None:
    table = multiset(pd.DataFrame(rows, columns=["utterance", "word"]))
    assert table["count"].sum() == len(rows)
    for utterance, word, count in table.itertuples(index=False):
        assert count == rows.count((utterance, word))


@given(st.text())
def test_comment_words_have_no_edges(text: str) -> None:
    class Choices:
        lowercase = False
        comment_nouns = False

    word = comment_word(text, Choices())  # type: ignore[arg-type]  # only these are read
    assert word == word.strip(" \t\n.,;:()[]\"'?!")
