"""Readings of section 4.2: counts of distinct targets, counted again with fractions."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword import cli
from emoword.reproduction.readings import (
    COUNTED,
    OF_COMMENTS,
    OF_LABELS,
    counts,
    differing,
    first_words,
)
from emoword.spaces.make import space
from variant_files import write_variant

ROOT = Path(__file__).parents[1]
WORDS = ["anger", "fear", "joy"]


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(WORDS)), min_size=1, max_size=30)
)
def test_counts_against_fractions(rows: list[tuple[str, str]]) -> None:
    given_: dict[str, Counter[str]] = {}
    for utterance, word in rows:
        given_.setdefault(utterance, Counter())[word] += 1
    bags = list(given_.values())
    shares = {frozenset((w, Fraction(n, bag.total())) for w, n in bag.items()) for bag in bags}
    expected = {
        "mixtures": len(shares),
        "multisets": len({frozenset(bag.items()) for bag in bags}),
        "sets": len({frozenset(bag) for bag in bags}),
    }
    assert counts(pd.DataFrame(rows, columns=["utterance", "word"])) == expected


def test_where_the_first_word_differs() -> None:
    s2 = pd.DataFrame([("a", "fear"), ("a", "joy"), ("b", "joy")], columns=["utterance", "word"])
    s3 = pd.concat([s2, pd.DataFrame([("a", "amused")], columns=["utterance", "word"])])
    ours, theirs = first_words(s2), first_words(s3)
    # joy is the most frequent; amused and fear are as rare; amused is first in the alphabet
    assert [own["a"] for own in ours.values()] == ["joy", "fear", "fear"]
    assert [own["a"] for own in theirs.values()] == ["joy", "amused", "amused"]
    found = {ties: differing(ours[ties], theirs[ties]) for ties in ours}
    assert found == {"frequent": 0, "rare": 1, "alphabet": 1}


UTTERANCES = """utterance,wav,speaker,fold,style,label
a,a.wav,s1,1,improvised,anger
b,b.wav,s2,2,scripted,happiness
c,c.wav,s2,2,scripted,happiness
"""
ANNOTATIONS = """utterance,rater,role,kind,source,text,file,line
a,E1,observer,label,categorical,Anger,x.txt,1
a,E2,observer,label,categorical,Other,x.txt,2
a,F1,self,label,categorical,Sadness,x.txt,3
b,E1,observer,label,categorical,Excited,x.txt,4
b,E2,observer,label,categorical,Happiness,x.txt,5
b,E1,observer,comment,categorical,"amused, very keen",x.txt,4
b,E1,observer,comment,attribute,amused,x.txt,6
c,E1,observer,label,categorical,Happiness,x.txt,7
"""


def test_the_grid_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space(format="embedded", out=tmp_path / "space")
    variant = write_variant(
        tmp_path, labels={"classes": ["anger", "happiness"]}, label_sets=["S1", "S2", "S3"]
    )
    (tmp_path / "utterances.csv").write_text(UTTERANCES)
    (tmp_path / "annotations.csv").write_text(ANNOTATIONS)
    csv, tex = tmp_path / "readings.csv", tmp_path / "readings.tex"
    options = ["--reported", ROOT / "paper/reported.csv", "--csv", csv, "--tex", tex]
    options += ["--template", ROOT / "paper/templates/table.tex.j2"]
    cli.main(["readings", str(variant), *map(str, options)])
    assert "readings counted" in capsys.readouterr().out
    table = pd.read_csv(csv)
    names = [*OF_LABELS, *OF_COMMENTS]
    spelling = table["spelling"].nunique()  # hunspell may be there or not
    assert len(table) == 2**4 * 3 * 2 * spelling * len(COUNTED)
    assert not table.duplicated([*names, "counted"]).any()
    assert table["distance"].is_monotonic_increasing
    # three targets; with excitement merged b is happiness twice, the mixture that c is as well
    for (excitement, counted), own in table.groupby(["excitement", "counted"]):
        merged = excitement == "merged" and counted != "multisets"
        assert set(own["S2"]) == {2 if merged else 3}
        # b's comments tell the two apart, unless none is left
        none_left = merged & (own["lines"] == "categorical") & (own["comments"] == "whole")
        assert (own["S3"] == np.where(none_left, 2, 3)).all()
    # |3/129 - 1| + |3/629 - 1|
    assert table["distance"].iloc[0] == pytest.approx(126 / 129 + 626 / 629, abs=1e-4)
    # amused is named twice, more often than b's labels, so that it is b's l1 in S3: not where it
    # counts once, stands on one line, or fell out with "very keen"
    differs = table.set_index(names)["l1 differs, frequent"].groupby(level=names).first()
    usual = ("left out", "left out", "apart")
    assert differs[(*usual, "count", "both", "part by part", "pyspellchecker")] == 1
    assert differs[(*usual, "once", "both", "part by part", "pyspellchecker")] == 0
    assert differs[(*usual, "count", "attribute", "part by part", "pyspellchecker")] == 0
    assert differs[(*usual, "count", "both", "whole", "pyspellchecker")] == 0
    assert r"what differs from the default" in tex.read_text()
