"""What the readers of corpora share: the rows that they write and the report beside them."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import replacing, write_json, write_table

STYLES = ("improvised", "scripted")
SEXES = ("F", "M")
ROLES = ("observer", "self")
KINDS = ("label", "comment")
SOURCES = ("categorical", "attribute")


class Utterance(NamedTuple):
    """A row of utterances.csv; an empty label means that the raters had no majority.

    ``corpus`` is that of a union, ``sex`` the speaker's: F, M or empty. A column of these two in
    which no row has anything is not written.
    """

    utterance: str
    wav: str
    speaker: str
    fold: int
    style: str
    label: str
    corpus: str = ""
    sex: str = ""


class Annotation(NamedTuple):
    """A row of annotations.csv: one label or comment as written, and where it stands."""

    utterance: str
    rater: str
    role: str
    kind: str
    source: str
    text: str
    file: str
    line: int


class Drop(NamedTuple):
    """What was left out for one reason; ``which`` names each (an id, or file:line)."""

    what: str
    reason: str
    which: list[str]


@dataclass
class Corpus:
    """What a reader found; ``fold_names`` says what its source calls fold 1, 2, ..."""

    utterances: list[Utterance]
    annotations: list[Annotation]
    fold_names: dict[int, str]
    dropped: list[Drop] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def some(names: Sequence[str], most: int = 3) -> str:
    """Name the first few of ``names``, and say how many more there are.

    Example:
        >>> some(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def count(values: Iterable[str]) -> dict[str, int]:
    """Count the non-empty ``values``, in alphabetical order."""
    return dict(sorted(Counter(value for value in values if value).items()))


def missing_audio(
    wavs: Mapping[str, str], annotations: Sequence[Annotation], skip: bool
) -> tuple[set[str], list[Drop]]:
    """Which utterances have no audio file, and what to say of them and of their annotations.

    Args:
        wavs: utterance -> path.
        annotations: of these utterances.
        skip: whether they are to be left out; otherwise they are an error.

    Raises:
        InputError: audio is missing and ``skip`` is false, or all of it is.
    """
    # os.path: a name too long for the system is that of no file, and no error
    missing = {name: wav for name, wav in wavs.items() if not os.path.isfile(wav)}  # noqa: PTH113
    if missing and (not skip or len(missing) == len(wavs)):
        remedy = "put them there, or leave these utterances out with --skip-missing-audio"
        raise InputError(
            f"{some(list(missing.values()))}: {len(missing)} of {len(wavs)} audio files are "
            f"missing; {'check the folder' if len(missing) == len(wavs) else remedy}"
        )
    orphans = [f"{row.file}:{row.line}" for row in annotations if row.utterance in missing]
    dropped = [
        Drop("utterances", "the audio file is missing", list(missing)),
        Drop("annotations", "the audio file of their utterance is missing", orphans),
    ]
    return set(missing), [drop for drop in dropped if drop.which]


def summarise(corpus: Corpus) -> dict[str, Any]:
    """Count what ``corpus`` holds: the part of corpus.json that all readers share."""
    utterances = corpus.utterances
    return {
        "utterances": len(utterances),
        "labels": count(row.label for row in utterances),
        "without_label": sum(not row.label for row in utterances),
        "speakers": count(row.speaker for row in utterances),
        "folds": {
            str(fold): {
                "name": name,
                "utterances": sum(row.fold == fold for row in utterances),
                "speakers": sorted({row.speaker for row in utterances if row.fold == fold}),
                "labels": count(row.label for row in utterances if row.fold == fold),
            }
            for fold, name in sorted(corpus.fold_names.items())
        },
        "annotations": {
            role: {
                f"{kind}s": sum((row.role, row.kind) == (role, kind) for row in corpus.annotations)
                for kind in KINDS
            }
            for role in ROLES
        },
        "dropped": [{**drop._asdict(), "count": len(drop.which)} for drop in corpus.dropped],
        "warnings": corpus.warnings,
    }


def write_corpus(corpus: Corpus, about: Mapping[str, Any], out: Path) -> None:
    """Write utterances.csv, annotations.csv and corpus.json, and say what they hold.

    Args:
        corpus: what was read.
        about: entries of corpus.json that only this reader has.
        out: the folder of the files.
    """
    report = {**about, **summarise(corpus)}
    utterances = pd.DataFrame(corpus.utterances, columns=list(Utterance._fields))
    empty = [name for name in ("corpus", "sex") if not utterances[name].any()]
    utterances = utterances.drop(columns=empty)
    annotations = pd.DataFrame(corpus.annotations, columns=list(Annotation._fields))
    with replacing(out) as folder:
        folder.mkdir()
        write_table(utterances, folder / "utterances.csv")
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
