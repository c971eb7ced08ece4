"""What the readers of corpora share: the tables that they write and the report beside them."""

import os
import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import replacing, write_json, write_table
from emoword.schemas import UTTERANCES

ROLES = ("observer", "self")
KINDS = ("label", "comment")


class Drop(NamedTuple):
    """What was left out for one reason; ``which`` names each (an id, or file:line)."""

    what: str
    reason: str
    which: list[str]


@dataclass
class Corpus:
    """What a reader found."""

    utterances: pd.DataFrame  # all columns of utterances.csv, also those that the file may lack
    annotations: pd.DataFrame  # the columns of annotations.csv
    fold_names: dict[int, str]  # what the source calls fold 1, 2, ...
    dropped: list[Drop] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def some(names: Sequence[str], most: int = 3) -> str:
    """Name the first few of ``names``, and say how many more there are.

    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def repeated(keys: Iterable[Hashable]) -> tuple[int, int] | None:
    """The place of the first key that has come before, and where; None: all are distinct.

    >>> repeated("abcb")
    (3, 1)
    """
    first: dict[Hashable, int] = {}
    for place, key in enumerate(keys):
        if first.setdefault(key, place) != place:
            return place, first[key]
    return None


def count(values: Iterable[str]) -> dict[str, int]:
    """Count the non-empty ``values``, in alphabetical order."""
    return dict(sorted(Counter(value for value in values if value).items()))


def leave_out_missing_audio(corpus: Corpus, skip: bool) -> None:
    """Leave out, and count, utterances without an audio file, and their annotations.

    Raises:
        InputError: audio is missing and ``skip`` is false, or all of it is.
    """
    utterances, annotations = corpus.utterances, corpus.annotations
    # os.path: a name too long for the system is that of no file, and no error
    there = utterances["wav"].map(os.path.isfile)
    missing = utterances[~there]
    if missing.empty:
        return
    if not skip or not there.any():
        remedy = "put them there, or leave these utterances out with --skip-missing-audio"
        raise InputError(
            f"{some(list(missing['wav']))}: {len(missing)} of {len(there)} audio files are "
            f"missing; {remedy if there.any() else 'check the folder'}"
        )
    rated = annotations["utterance"].isin(missing["utterance"])
    orphans = [f"{row.file}:{row.line}" for row in annotations[rated].itertuples()]
    dropped = [
        Drop("utterances", "the audio file is missing", list(missing["utterance"])),
        Drop("annotations", "the audio file of their utterance is missing", orphans),
    ]
    corpus.dropped += [drop for drop in dropped if drop.which]
    corpus.utterances, corpus.annotations = utterances[there], annotations[~rated]


def summarise(corpus: Corpus) -> dict[str, Any]:
    """Count what ``corpus`` holds: the part of corpus.json that all readers share."""
    utterances = corpus.utterances
    of_fold = {fold: utterances[utterances["fold"] == fold] for fold in sorted(corpus.fold_names)}
    said = Counter(zip(corpus.annotations["role"], corpus.annotations["kind"], strict=True))
    return {
        "utterances": len(utterances),
        "labels": count(utterances["label"]),
        "without_label": int((utterances["label"] == "").sum()),
        "speakers": count(utterances["speaker"]),
        "folds": {
            str(fold): {
                "name": corpus.fold_names[fold],
                "utterances": len(own),
                "speakers": sorted(set(own["speaker"])),
                "labels": count(own["label"]),
            }
            for fold, own in of_fold.items()
        },
        "annotations": {role: {f"{kind}s": said[role, kind] for kind in KINDS} for role in ROLES},
        "dropped": [{**drop._asdict(), "count": len(drop.which)} for drop in corpus.dropped],
        "warnings": corpus.warnings,
    }


def write_corpus(corpus: Corpus, about: Mapping[str, Any], out: Path) -> None:
    """Write utterances.csv, annotations.csv and corpus.json into ``out``, and say what they hold.

    An optional column without any value is not written. ``about``: what only this reader has to say
    in corpus.json.
    """
    report = {**about, **summarise(corpus)}
    utterances, annotations = corpus.utterances, corpus.annotations
    empty = [name for name in UTTERANCES.optional if (utterances[name] == "").all()]
    with replacing(out) as folder:
        folder.mkdir()
        write_table(utterances.drop(columns=empty), folder / "utterances.csv")
        write_table(annotations, folder / "annotations.csv")
        write_json(report, folder / "corpus.json")
    labels = ", ".join(f"{label} {number}" for label, number in report["labels"].items())
    print(
        f"{len(utterances)} utterances of {len(report['speakers'])} speakers in "
        f"{len(report['folds'])} folds ({labels}; without label {report['without_label']}), "
        f"{len(annotations)} annotations"
    )
    for drop in report["dropped"]:
        print(f"left out: {drop['count']} {drop['what']}: {drop['reason']}")
    for warning in corpus.warnings:
        print(f"WARNING: {warning}", file=sys.stderr)
