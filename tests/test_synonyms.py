"""Words of the same meaning: the list, how it is read from WordNet's files, sets of words."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from emoword.labels.synonyms import same_meaning, set_precision, set_recall, synonyms

ROOT = Path(__file__).parents[1]
WORDS = st.sets(
    st.sampled_from(
        ["sadness", "sorrow", "grief", "anger", "wrath", "felicitous", "happiness", "table"]
    ),
    min_size=1,
)
# wndb(5WN): place, lexicographer file, part of speech, how many words (hex), each with its number,
# how many pointers, each a kind, a place, a part of speech, and which word of which (hex); | gloss
NOUNS = """\
  1 This software and database is being provided to you, the LICENSEE, by
00000100 12 n 02 sadness 0 unhappiness 0 002 @ 00000300 n 0000 + 00000100 a 0101 | sad ones feel it
00000200 12 n 03 sadness 0 Sorrow 2 heavy_heart 0 001 @ 00000100 n 0000 | what is | said
00000300 03 n 01 feeling 0 000 | more general, and so no synonym
"""
ADJECTIVES = "00000100 00 s 02 sad(a) 0 pitiful 0 001 + 00000100 n 0101 | causing sadness\n"
VERBS = "00000100 31 v 01 pity 0 000 01 + 08 00 | be sorry\n"


def test_it_is_read_as_wordnet_has_it(tmp_path: Path) -> None:
    """Words of shared synsets and forms of them; nothing more general, nothing of several parts."""
    for name, text in (("noun", NOUNS), ("adj", ADJECTIVES), ("verb", VERBS), ("adv", "")):
        (tmp_path / f"data.{name}").write_text(text)
    code = (
        "import sys; from pathlib import Path; from embed_synonyms import synonyms;"
        "wanted = {'sadness', 'sad', 'feeling', 'pity', 'joy'};"
        "print(synonyms(Path(sys.argv[1]), wanted, ['sorrows', 'pitied', 'pit']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    expected = {
        "pity": ["pitied"],
        "sad": ["pitiful", "sadness", "sorrow", "sorrows", "unhappiness"],
        "sadness": ["pitiful", "sad", "sorrow", "sorrows", "unhappiness"],
    }
    assert done.stdout == f"{expected}\n"


def test_the_list() -> None:
    known = synonyms()
    assert {"sorrow", "sad"} <= known["sadness"]
    assert "grief" not in known["sadness"]
    for word, own in known.items():
        assert word not in own
        for other in own & known.keys():
            assert word in known[other], (word, other)
    assert same_meaning("table") == {"table"}
    assert "fears" in same_meaning("fear")


@given(WORDS, WORDS)
def test_what_sets_have_in_common(said: set[str], true: set[str]) -> None:
    """Precision of the one is the recall of the other; of the same words all are right."""
    assert set_precision(said, true) == set_recall(true, said)
    assert set_precision(said, said) == set_recall(said, said) == 1


def test_by_hand() -> None:
    assert set_precision(["sorrow", "unhappiness", "grief", "table"], ["sadness", "anger"]) == 0.5
    assert set_recall(["sorrow", "unhappiness"], ["sadness", "anger", "fear", "joy"]) == 0.25
