"""Which reading of section 4.2 gives the paper's two exact numbers: 129 and 629 targets."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from emoword.evaluation.decide import ranked_words
from emoword.labels.label_sets import ground_truth, multiset, rater_words, read_reported
from emoword.layout import read_variant
from emoword.schemas import ANNOTATIONS, UTTERANCES
from emoword.settings import LINES
from emoword.spaces.word_space import WordSpace
from emoword.tables.appended import Out, said_of
from emoword.tables.model import Cell, Column, Row, Table

# What is read in more than one way: of raters' labels (S2 and S3), of comments (S3 alone); the
# setting and its values, the first of which is the default, whatever the variant says.
Choices = dict[str, tuple[str, dict[str, Any]]]
OF_LABELS: Choices = {
    "self reports": ("self_reports", {"left out": False, "count": True}),
    "other": ("drop", {"left out": ("other",), "kept": ()}),
    "excitement": ("merge_raters", {"apart": False, "merged": True}),
    "repeats": ("repeats", {"count": "count", "once": "once"}),
}
SPELLING = {"pyspellchecker": "pyspellchecker", "hunspell": "hunspell", "word space": "none"}
if not shutil.which("hunspell"):
    del SPELLING["hunspell"]
OF_COMMENTS: Choices = {
    "lines": (
        "comments",
        {"both": LINES, "categorical": ("categorical",), "attribute": ("attribute",)},
    ),
    "comments": ("comment_parts", {"part by part": "each", "whole": "whole"}),
    "spelling": ("spelling", SPELLING),
}
COUNTED = ("mixtures", "multisets", "sets")
TIES = ("frequent", "rare", "alphabet")
SHOWN = 12  # rows of the LaTeX table


def readings(variant: Path, /, *, reported: Path, out: Out) -> None:
    r"""Count the distinct targets of S2 and S3 under each reading of section 4.2, nearest first.

    Every combination of what the paper leaves open is tried; nothing is trained. CSV has one row a
    reading: what was chosen, what counts as one target (mixtures: equal proportions, as equal mean
    vectors are; multisets: equal counts; sets: equal words), how many there are in S2 and S3, how
    far that is from the paper's 129 and 629 (sum of both relative differences), and for each rule
    for ties of Table 6 how many utterances have another most frequent word (l1) in S3 than in S2.
    The paper's M1 finds l1 in 59.58% (S2) and 59.40% (S3), so that at least ten of 5,531 have.

        emoword readings results/iemocap/variants/paper.json --reported paper/reported.csv \
            --template paper/templates/table.tex.j2 --csv readings.csv --tex readings.tex

    Args:
        variant: The variant's file: labels, classes and word space are its own but for the choices.
        reported: paper/reported.csv.
        out: Where they go: all as CSV, the nearest ones as LaTeX.
    """
    place, printed = read_variant(variant), read_reported(reported)
    labels, space = place.variant.settings.labels, WordSpace.open(place.space)
    truth, _ = ground_truth(UTTERANCES.read_text(place.path("utterances.csv")), labels)
    annotations = ANNOTATIONS.read(place.path("annotations.csv"))
    of_raters = annotations[annotations["utterance"].isin(truth.index)]
    rows = []
    for shared, changes in grid(OF_LABELS):
        own = msgspec.structs.replace(labels, **changes)
        s2, _ = rater_words(of_raters[of_raters["kind"] == "label"], truth, own, space)
        in_s2, first_in_s2 = counts(s2), first_words(s2)
        for further, more in grid(OF_COMMENTS):
            s3, _ = rater_words(of_raters, truth, msgspec.structs.replace(own, **more), space)
            in_s3, first_in_s3 = counts(s3), first_words(s3)
            differ = {
                f"l1 differs, {ties}": differing(first_in_s2[ties], first_in_s3[ties])
                for ties in TIES
            }
            for counted in COUNTED:
                found = {"S2": in_s2[counted], "S3": in_s3[counted]}
                rows.append({**shared, **further, "counted": counted, **found, **differ})
        print(f"{len(rows)} readings counted", flush=True)
    table = pd.DataFrame(rows)
    off = [(table[name] / printed[name] - 1).abs() for name in ("S2", "S3")]
    table.insert(list(table).index("S3") + 1, "distance", (off[0] + off[1]).round(4))
    table = table.sort_values("distance", kind="stable", ignore_index=True)
    out.write([nearest_table(table).with_notes(*said_of(place.variant))], table)
    print(table.head(SHOWN).to_string(index=False))


def grid(choices: Choices) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Every combination: choice -> what is chosen, and the settings behind it."""
    for chosen in itertools.product(*(values for _, values in choices.values())):
        pairs = zip(choices.values(), chosen, strict=True)
        settings = {setting: values[name] for (setting, values), name in pairs}
        yield dict(zip(choices, chosen, strict=True)), settings


def counts(words: pd.DataFrame) -> dict[str, int]:
    """How many distinct targets there are, by what counts as one; ``words``: utterance, word."""
    counted = multiset(words)
    number = counted["count"].to_numpy()
    starts = np.flatnonzero(~counted["utterance"].duplicated().to_numpy())
    divisors = np.repeat(np.gcd.reduceat(number, starts), np.diff([*starts, len(number)]))
    named = {"mixtures": number // divisors, "multisets": number, "sets": np.ones_like(number)}
    return {
        name: (counted["word"] + " " + pd.Series(own).astype(str))
        .groupby(counted["utterance"])
        .agg(",".join)
        .nunique()
        for name, own in named.items()
    }


def first_words(words: pd.DataFrame) -> dict[str, pd.Series]:
    """Rule for ties -> utterance -> its most frequent word (l1 of Table 6)."""
    counted = multiset(words)
    return {ties: ranked_words(counted, ties).str[0] for ties in TIES}


def differing(ours: pd.Series, theirs: pd.Series) -> int:
    """How many utterances have another word in the two."""
    both = ours.index.intersection(theirs.index)
    return int((ours[both] != theirs[both]).sum())


def nearest_table(table: pd.DataFrame) -> Table:
    """The readings whose counts are nearest to the paper's, as a table."""
    usual = {name: next(iter(values)) for name, (_, values) in (OF_LABELS | OF_COMMENTS).items()}
    columns = [Column("S2"), Column("S3")]
    columns += [Column(f"l1 differs, {ties}", ties, "l1 differs") for ties in TIES]
    rows = []
    for row in table.head(SHOWN).to_dict("records"):
        said = [f"{name} {row[name]}" for name in usual if row[name] != usual[name]]
        cells = {c.name: Cell(f"{row[c.name]:,}", row[c.name]) for c in columns}
        rows.append(Row(("; ".join(said) or "the default", row["counted"]), cells))
    caption = (
        "Readings of section 4.2 whose numbers of distinct targets are nearest to the paper's, 129 "
        f"of S2 and 629 of S3, of {len(table)} that were tried; and for how many utterances l1 of "
        "Table 6 is another word in S3 than in S2, by the rule for words named equally often."
    )
    stub = (
        Column("what differs from the default", width=0.42, words=True),
        Column("counted", words=True),
    )
    return Table("readings", "Readings", caption, stub, tuple(columns), tuple(rows))
