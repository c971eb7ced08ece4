"""Tables 4 and 5: the nearest words of neighbours.csv, as data and for the templates.

A table is a function from the neighbours to its CSV and to what its template may name. Words are
hostile text: they are escaped where the template prints them.
"""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table

NEIGHBOURS = 5
NO_RATERS = "does not apply: this dataset has no ratings by several raters"
NO_PREDICTIONS = "does not apply: this variant has no predictions of models with the tables' loss"


def read_neighbours(path: Path, variant: str) -> pd.DataFrame:
    """Read the nearest words of a variant, rank 1 to 5, in the order of their ranks.

    Raises:
        InputError: the file is no neighbours.csv or has no row of the variant.
    """
    names = ["kind", "variant", "model", "loss", "collapsed", "name", "words"]
    names += ["rank", "word", "similarity"]
    rows = read_table(path, names, {"rank": int, "similarity": float})
    rows = rows[rows["variant"] == variant]
    if rows.empty:
        raise InputError(f"{path}: no rows of variant {variant!r}")
    for position, words in rows.loc[rows["kind"] == "target", "words"].items():
        try:
            parse_words(words)
        except ValueError as error:
            raise InputError(f"{path}: line {int(str(position)) + 2}: {error}") from error
    return rows[rows["rank"] <= NEIGHBOURS]


def target_table(neighbours: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table 4: the words of example targets and the words nearest to the target's vector."""
    rows = neighbours[neighbours["kind"] == "target"]
    if rows.empty:
        return does_not_apply(NO_RATERS)
    examples, records = [], []
    for (name, words), group in rows.groupby(["name", "words"], sort=False):
        multiset = parse_words(str(words))
        nearest = nearest_words(group)
        own = {word for word, _ in multiset}
        marked = [(word, word in own) for word, _ in nearest]
        examples.append({"name": name, "words": multiset, "nearest": marked})
        records.append({"name": name, "words": words, **columns(nearest)})
    return pd.DataFrame(records), {"examples": examples, "notes": [], "missing": ""}


def prediction_table(neighbours: pd.DataFrame, loss: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table 5: the words nearest to the predictions, by emotion and model."""
    rows = neighbours[(neighbours["kind"] == "prediction") & (neighbours["loss"] == loss)]
    if rows.empty:
        return does_not_apply(NO_PREDICTIONS)
    emotions: dict[str, list[dict[str, Any]]] = {}
    collapsed: dict[str, str] = {}
    records = []
    for emotion in dict.fromkeys(rows["name"]):
        for model, group in rows[rows["name"] == emotion].groupby("model"):
            nearest = nearest_words(group)
            fallen = group["collapsed"].iloc[0]
            if fallen:
                collapsed[str(model)] = f"{model}: {fallen}"
            line = {"model": model, "nearest": [word for word, _ in nearest]}
            emotions.setdefault(emotion, []).append(line)
            row = {"emotion": emotion, "model": model, **columns(nearest), "collapsed": fallen}
            records.append(row)
    notes = [f"Collapsed, predicting hardly more than one vector: {'; '.join(collapsed.values())}."]
    values = {"emotions": emotions, "notes": notes if collapsed else [], "missing": ""}
    return pd.DataFrame(records), values


def does_not_apply(reason: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table that says in words why it is none."""
    return pd.DataFrame({"note": [reason]}), {"notes": [], "missing": reason}


def nearest_words(group: pd.DataFrame) -> list[tuple[str, float]]:
    """The words of one vector with their cosine similarities, nearest first.

    Raises:
        InputError: two words have the same rank, so that rows of two vectors were mixed up.
    """
    group = group.sort_values("rank")
    if group["rank"].duplicated().any():
        raise InputError(f"neighbours of {group['name'].iloc[0]!r}: two words have the same rank")
    return list(zip(group["word"], group["similarity"], strict=True))


def columns(nearest: list[tuple[str, float]]) -> dict[str, str | float]:
    """Spread words over the columns `word 1`, `similarity 1`, `word 2`, ..."""
    spread: dict[str, str | float] = {}
    for rank, (word, similarity) in enumerate(nearest, start=1):
        spread |= {f"word {rank}": word, f"similarity {rank}": similarity}
    return spread


def parse_words(text: str) -> list[tuple[str, int]]:
    """Read a multiset such as ``anger:2 frustration:1``; words may hold colons and spaces.

    Raises:
        ValueError: it is no such text.
    """
    # word, count, word, count, ..., and what is left, which is nothing
    pieces = re.split(r":(\d+)(?: |\Z)", text)
    words, counts = pieces[:-1:2], pieces[1::2]
    if pieces[-1] or not words or not all(words):
        raise ValueError(f"{text!r} is not written as word:count word:count")
    return [(word, int(count)) for word, count in zip(words, counts, strict=True)]
