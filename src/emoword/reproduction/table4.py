"""Table 4 from a word space alone: the first check of the paper that needs no corpus."""

from pathlib import Path

import pandas as pd

from emoword.evaluation.neighbours import example, target_vector
from emoword.io.files import write_table
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.tables.reported import read_reported
from emoword.tables.word_tables import PLACES

SEARCHED = 1000  # neighbours among which the paper's words are looked for


def table4(*, space: Path, reported: Path, out: Path) -> None:
    r"""Make the paper's Table 4 from its four lists of words, and compare all 20 words.

    Writes OUT, one row a word: set, label, place, the paper's word, ours with its similarity, and
    rank, the paper's word among the 1,000 nearest here (empty: farther, or not in this space).

        emoword table4 --space results/spaces/glove_840b --reported paper/reported.csv \
            --out table4.csv

    Args:
        space: Folder of the word space; the paper's is GloVe 840B.
        reported: paper/reported.csv.
        out: The comparison.
    """
    words = WordSpace.open(space)
    printed: dict[str, list[str]] = {}
    for (table, row, _), word in read_reported(reported).items():
        if table == "4":
            printed.setdefault(row, []).append(word)
    parts = []
    for row, theirs in printed.items():
        label_set, _, label = row.partition(" ")
        target = target_vector(example(label_set, *label.split(", ")), words)
        indices, similarities = nearest_words(words, target[None], SEARCHED)
        found = [words.word(int(index)) for index in indices[0]]
        ranks = {word: rank for rank, word in enumerate(found, start=1)}
        shown = len(theirs)
        part = {
            "set": label_set,
            "label": label,
            "place": PLACES[:shown],
            "paper": theirs,
            "ours": found[:shown],
            "similarity": similarities[0][:shown].round(6),
            "rank": pd.array([ranks.get(word) for word in theirs], dtype="Int64"),
        }
        parts.append(pd.DataFrame(part))
        print(f"{row}\n  paper  {', '.join(theirs)}\n  here   {', '.join(found[:shown])}")
    made = pd.concat(parts)
    placed, among = (made["paper"] == made["ours"]).sum(), (made["rank"] <= len(PLACES)).sum()
    said = f"{placed} of {len(made)} words stand in the paper's place, {among} among the same five"
    print(f"{said}: {space}, {len(words):,} words")
    write_table(made, out)
