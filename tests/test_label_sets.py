"""Label sets S1, S2, S3 by hand: the paper's rules (section 4.2), and what each choice changes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.labels.label_sets import comment_word, distinct_targets, label_set, multiset
from emoword.labels.words import read_classes, read_dropped, read_truth, read_words
from emoword.layout import LabelSetSettings, as_json, read_variant
from emoword.settings import LabelSettings
from variant_files import write_variant

REPORTED = Path(__file__).parents[1] / "paper/reported.csv"
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

Words = dict[str, dict[str, int]]
Run = Callable[..., Words]


@pytest.fixture
def run(tmp_path: Path, embedded_folder: Path) -> Run:
    """Make a label set in a folder named as it; returns utterance -> word -> count."""

    def make(
        name: str,
        annotations: str = ANNOTATIONS,
        space: Path | None = embedded_folder,
        reported: Path | None = None,
        **choices: Any,
    ) -> Words:
        labels = LabelSettings(**{"classes": ("anger", "happiness"), **choices})
        made_by = LabelSetSettings(label_set=name, labels=labels)  # type: ignore[arg-type]
        files = {"u.csv": UTTERANCES, "a.csv": annotations, "settings.json": as_json(made_by)}
        for file, text in files.items():
            (tmp_path / file).write_text(text)
        label_set(
            tmp_path / "settings.json",
            utterances=tmp_path / "u.csv",
            annotations=tmp_path / "a.csv",
            space=space,
            reported=reported,
            out=tmp_path / name,
        )
        rows = read_words(tmp_path / name)
        return {
            str(key): dict(own[["word", "count"]].to_numpy())
            for key, own in rows.groupby("utterance")
        }

    return make


def test_label_sets_by_hand(run: Run, tmp_path: Path) -> None:
    assert run("S1", space=None) == {"a": {"happiness": 1}, "b": {"anger": 1}}
    s2 = {"a": {"excitement": 2, "happiness": 1}, "b": {"anger": 2, "frustration": 1}}
    assert run("S2") == s2
    assert run("S3") == {"a": {**s2["a"], "amused": 1, "relieved": 1}, "b": s2["b"]}
    assert read_truth(tmp_path / "S1") == {"a": "happiness", "b": "anger"}
    assert read_classes(tmp_path / "S3") == ["anger", "happiness"]


def test_everything_that_falls_out_is_written_down_with_its_reason(
    run: Run, tmp_path: Path
) -> None:
    for name in ("S1", "S2", "S3"):
        run(name)
    folders = {name: name for name in ("S1", "S2", "S3")}
    place = read_variant(write_variant(tmp_path, targets=folders))
    columns = ["utterance", "rater", "text", "line", "reason", "label_set"]
    rows = list(read_dropped(place)[columns].itertuples(index=False, name=None))
    assert sorted(rows) == sorted(
        [
            ("c", "", "", "", "no majority label", "S1 S2 S3"),
            ("d", "", "fear", "", "ground truth fear is no class", "S1 S2 S3"),
            ("a", "E2", "other", "5", "label that is left out", "S2 S3"),
            ("a", "F1", "neutral", "7", "self report", "S2 S3"),
            ("c", "E1", "Sadness", "24", "of an utterance that takes no part", "S2 S3"),
            ("a", "F1", "bored", "7", "self report", "S3"),
            ("a", "E2", "very keen", "5", "more than one word", "S3"),
            ("a", "E2", "amusde", "5", "not in the spelling list", "S3"),
            *[("b", "E4", "", "16", "empty comment", "S3")] * 3,
        ]
    )
    summary = json.loads((tmp_path / "S3/summary.json").read_text())
    assert summary["dropped"]["comment: empty comment"] == 3
    assert summary["utterances_by_class"] == {"happiness": 1, "anger": 1}
    assert summary["utterances_by_fold"] == {"1": 1, "2": 1}
    assert (summary["words"], summary["distinct_words"], summary["distinct_targets"]) == (8, 6, 2)


def test_a_list_that_is_not_there_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="hunspell: no such program; apt install hunspell"):
        run("S3", spelling="hunspell")


@pytest.mark.skipif(not shutil.which("hunspell"), reason="no hunspell on the PATH")
def test_hunspells_list(run: Run, tmp_path: Path) -> None:
    assert run("S3", spelling="hunspell") == run("S3")
    reasons = read_table(tmp_path / "S3/dropped.csv", ["text", "reason"]).set_index("text")
    assert reasons["reason"]["amusde"] == "not in the spelling list"


def test_the_papers_numbers_stand_beside_ours(run: Run, tmp_path: Path) -> None:
    for name, reported in (("S2", 129), ("S3", 629)):
        run(name, reported=REPORTED)
        summary = json.loads((tmp_path / name / "summary.json").read_text())
        assert summary["distinct_targets_reported"] == reported
        assert summary["distinct_targets"] == 2  # never forced to it


def test_each_choice_changes_what_it_says(run: Run, tmp_path: Path) -> None:
    assert run("S2", merge_raters=True)["a"] == {"happiness": 3}
    assert run("S3", self_reports=True)["a"]["bored"] == 1
    assert "relieved" not in run("S3", comments=("categorical",))["a"]
    assert run("S3", comments=()) == run("S2")
    sad = ANNOTATIONS.replace(",bored,", ",Sad,").replace("F1,self,comment", "E1,observer,comment")
    assert "sad" in run("S3", sad)["a"]
    # found in the space all the same, whose words are in lower case
    assert run("S3", lowercase=False)["a"]["Amused"] == 1
    run("S3", spelling="none")
    reasons = read_table(tmp_path / "S3/dropped.csv", ["text", "reason"]).set_index("text")
    assert reasons["reason"]["amusde"] == "not in the word space"
    # "amusde" and "very keen" take "Amused." with them, in whose comment they stand
    assert run("S3", comment_parts="whole")["a"] == {"excitement": 2, "happiness": 1, "relieved": 1}
    whole = read_table(tmp_path / "S3/dropped.csv", ["text", "reason"]).set_index("text")
    assert whole["reason"]["amused"] == "of a faulty comment"
    again = ANNOTATIONS.replace(
        "a,E4,observer,comment,attribute,relieved", "a,E2,observer,comment,attribute,amused"
    )
    assert run("S3", again)["a"]["amused"] == 2
    assert run("S3", again, repeats="once")["a"]["amused"] == 1
    once = read_table(tmp_path / "S3/dropped.csv", ["text", "line", "reason"]).set_index("reason")
    assert tuple(once.loc["given twice by this rater", ["text", "line"]]) == ("amused", "9")
    # without classes every label that is not dropped takes part, if only as a class
    choices: dict[str, Any] = {"classes": (), "merge": {}, "drop": ()}
    truth = {"a": {"excitement": 1}, "b": {"anger": 1}, "d": {"fear": 1}}
    assert run("S1", **choices) == truth
    s2 = run("S2", **choices)
    assert s2["a"]["other"] == 1
    assert "d" not in s2  # nobody rated it


def test_mistakes_are_named(run: Run, tmp_path: Path) -> None:
    strange = ANNOTATIONS.replace("Frustration", "Frustrationnn")
    with pytest.raises(InputError, match=r"lacks: frustrationnn; .*missing_words: drop"):
        run("S2", strange)
    assert run("S2", strange, missing_words="drop")["b"] == {"anger": 2}
    for name in ("S2", "S3"):
        with pytest.raises(InputError, match=r"a.csv: line 13: kind is label or comment"):
            run(name, ANNOTATIONS.replace("b,E4,observer,comment", "b,E4,observer,remark"))
    with pytest.raises(InputError, match="S3 needs --space"):
        run("S3", space=None)
    with pytest.raises(InputError, match="nowhere: no word space here"):
        run("S3", space=tmp_path / "nowhere")
    said = "the label boredom; found: anger, excitement, fear$"
    with pytest.raises(InputError, match=said):
        run("S1", classes=("anger", "boredom"), merge={})
    assert not (tmp_path / "S1").exists()
    assert not (tmp_path / "S3").exists()
    (tmp_path / "words.csv").write_text("utterance,word,count\na,anger,1\nb,joy,0\n")
    with pytest.raises(InputError, match=r"words.csv: line 3: a word's count"):
        read_words(tmp_path)


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
    word = comment_word(text, LabelSettings(lowercase=False))
    assert word == word.strip(" \t\n.,;:()[]\"'?!")
    assert word in text
