"""Recordings of one's own: a CSV of audio, speakers and labels, and one of annotations."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import NamedTuple

import pandas as pd

from emoword.corpora.corpus import (
    KINDS,
    ROLES,
    Corpus,
    Drop,
    leave_out_missing_audio,
    repeated,
    some,
    write_corpus,
)
from emoword.io.errors import InputError
from emoword.schemas import ANNOTATIONS, UTTERANCES

LONGEST = 1 << 20  # characters that are read of a line


class Column(NamedTuple):
    """A column of a user's table."""

    default: str | None = None  # of an empty cell; None: it must be filled in
    choices: Sequence[str] = ()  # what a cell may be; none: anything
    optional: bool = False  # the table may lack it
    as_written: bool = False  # cells keep the white space at their ends

    def value(self, cell: str, name: str, place: str) -> str:
        """What a cell says."""
        value = cell.strip() or self.default or ""
        if self.default is None and not value:
            raise InputError(f"{place}: {name} is empty; fill it in")
        if self.default is None and not value.isprintable():
            raise InputError(f"{place}: {name} {value!r} cannot be printed; is a quote open?")
        if self.choices and value not in self.choices:
            choices = ", ".join(choice or "(empty)" for choice in self.choices)
            raise InputError(f"{place}: {name} {value!r} must be one of: {choices}")
        return cell if self.as_written else value


RECORDING = {
    "wav": Column(),
    "speaker": Column(),
    "label": Column(""),
    "utterance": Column("", optional=True),
    "fold": Column("", optional=True),
    "style": Column("", ("", "improvised", "scripted"), optional=True),
    "sex": Column("", ("", "F", "M"), optional=True),
}
ANNOTATION = {
    "utterance": Column(),
    "rater": Column(),
    "kind": Column(choices=KINDS),
    "text": Column("", as_written=True),
    "role": Column("observer", ROLES, optional=True),
    "source": Column("categorical", ("categorical", "attribute"), optional=True),
}


def read_rows(path: Path, columns: Mapping[str, Column], warnings: list[str]) -> pd.DataFrame:
    """Read these columns of a user's CSV table in UTF-8, with any line ends, strictly.

    Returns:
        Each row that is not blank: the columns; line, on which it begins (a quoted cell may go over
        several); place, file:line. ``warnings`` get one of each column that is not read.

    Raises:
        InputError: the file is not such a table, has no row, or a cell is not as it must be.
    """
    rows: list[dict[str, str | int]] = []
    header: list[str] = []
    for line, cells in _read_cells(path):
        place = f"{path}:{line}"
        if not header:
            header = [cell.strip() for cell in cells]
            _check_header(header, columns, place)
        elif len(cells) != len(header):
            told = f"{len(cells)} cells, but the header has {len(header)}"
            raise InputError(f"{place}: {told}; a cell with a comma must stand in quotes")
        else:
            given = dict(zip(header, cells, strict=True))
            values = {
                name: column.value(given.get(name, ""), name, place)
                for name, column in columns.items()
            }
            rows.append({**values, "line": line, "place": place})
    if not rows:
        needed = ",".join(name for name, column in columns.items() if not column.optional)
        raise InputError(f"{path}: no rows; it needs the header {needed}, then rows")
    warnings += [f"{path}: column {name!r} is not read" for name in header if name not in columns]
    return pd.DataFrame(rows)


def _read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row that is not blank begins, and its cells."""
    end = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # in parts of a line if it is endless: csv refuses such a cell
            reader = csv.reader(iter(partial(file.readline, LONGEST), ""), strict=True)
            for cells in reader:
                if any(re.search(r"\0|\r(?!\n)", cell) for cell in cells):
                    what = "a zero byte or a lone carriage return"
                    raise InputError(f"{path}:{end + 1}: a cell has {what}; take it out")
                if any(map(str.strip, cells)):
                    yield end + 1, cells
                end = reader.line_num
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error}); save it as CSV UTF-8") from error
    except csv.Error as error:
        what = f"the row that begins here is not CSV: {error}; is a quote open?"
        raise InputError(f"{path}:{end + 1}: {what}") from error


def _check_header(header: Sequence[str], columns: Mapping[str, Column], place: str) -> None:
    missing = [name for name, own in columns.items() if not own.optional and name not in header]
    if missing:
        told = f"no column {', '.join(missing)} in the header {','.join(header)!r}"
        comma = "" if len(header) > 1 else "; columns must be separated by commas"
        raise InputError(f"{place}: {told}{comma}")
    if same := repeated(header):
        raise InputError(f"{place}: column {header[same[0]]!r} stands twice; remove one")


def read_table_of_recordings(table: Path, warnings: list[str]) -> pd.DataFrame:
    """Read the table of recordings: its rows, with ``fold`` as named there or empty.

    Raises:
        InputError: a cell is not as it must be, or an utterance or a file comes twice.
    """
    rows = read_rows(table, RECORDING, warnings)
    if rows["fold"].any():  # then each recording has one
        for fold, place in zip(rows["fold"], rows["place"], strict=True):
            Column().value(fold, "fold", place)
    if not rows["label"].any():
        raise InputError(f"{table}: no row has a label; fill in the column `label`")
    paths = rows["wav"].map(PurePath)
    names = [str(path.parent / path.stem).strip() for path in paths]
    rows["utterance"] = rows["utterance"].where(rows["utterance"] != "", names)
    rows["wav"] = [str(table.parent / path) for path in paths]
    # one file under two names, a.wav and b/../a.wav or a link to it, is noticed
    for name, keys in (
        ("utterance", rows["utterance"]),
        ("wav", rows["wav"].map(os.path.realpath)),
    ):
        if same := repeated(keys):
            again, before = (rows["place"][row] for row in same)
            told = f"{name} {keys[same[0]]!r} stands at {before} already"
            raise InputError(f"{again}: {told}; remove one, or fill in `utterance`")
    return rows


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Give a key that sorts s2 before s10; a number of any length is compared as text."""
    parts = re.split(r"(\d+)", name)
    parts = [part.lstrip("0") if i % 2 else part.casefold() for i, part in enumerate(parts)]
    return [(len(part) if i % 2 else 0, part) for i, part in enumerate(parts)], name


def spread_speakers(utterances: Mapping[str, int], folds: int) -> dict[str, int]:
    """Spread speakers over folds of about as many utterances: the largest first, each to the least.

    From the number of utterances of each speaker: the fold of each, 1 ... ``folds``. None is empty
    if there are as many speakers.
    """
    sizes = dict.fromkeys(range(1, folds + 1), 0)
    fold_of = {}
    for speaker in sorted(utterances, key=lambda name: (-utterances[name], natural(name))):
        fold_of[speaker] = min(sizes, key=lambda fold: (sizes[fold], fold))
        sizes[fold_of[speaker]] += utterances[speaker]
    return fold_of


def assign_folds(corpus: Corpus, folds: int, table: Path) -> None:
    """Number the folds: those of the table's column ``fold``, else speakers are spread over them.

    Raises:
        InputError: a speaker is in two folds, or ``folds`` does not fit the table.
    """
    if folds < 2:
        raise InputError(f"--folds {folds}: must be 2 or more, as each is tested by the others")
    recordings = corpus.utterances
    first = recordings.drop_duplicates("speaker")
    own = dict(zip(first["speaker"], first["fold"], strict=True))
    elsewhere = recordings[recordings["fold"] != recordings["speaker"].map(own)]
    if len(elsewhere):
        here = elsewhere.iloc[0]
        known = first[first["speaker"] == here["speaker"]].iloc[0]
        raise InputError(
            f"{here['place']}: speaker {here['speaker']!r} is in fold {here['fold']!r} here and in "
            f"fold {known['fold']!r} at {known['place']}; a speaker must be in one fold"
        )
    names = sorted(set(own.values()), key=natural)
    if names == [""]:
        if len(own) < folds:
            raise InputError(
                f"{table}: {len(own)} speakers cannot be spread over {folds} folds, as none is "
                "split; `folds` in the config must be 2 at least, and at most one a speaker"
            )
        spread = spread_speakers(Counter(recordings["speaker"]), folds)
        own = {speaker: str(fold) for speaker, fold in spread.items()}
        names = [str(fold) for fold in range(1, folds + 1)]
    if len(names) != folds:
        told = f"{len(names)} folds ({some(names, 5)}), not {folds}"
        few = "at least two are needed, to train and to test"
        remedy = few if len(names) < 2 else f"write `folds: {len(names)}`"
        raise InputError(f"{table}: the column `fold` has {told}; {remedy}")
    corpus.fold_names = dict(enumerate(names, start=1))
    number = {name: fold for fold, name in corpus.fold_names.items()}
    fold_of = {speaker: number[name] for speaker, name in own.items()}
    recordings = recordings.assign(fold=recordings["speaker"].map(fold_of), corpus="")
    corpus.utterances = recordings[UTTERANCES.names]


def read_annotations(table: Path, corpus: Corpus) -> None:
    """Read the table of annotations into a corpus, whose utterances are known.

    Raises:
        InputError: a cell is not as it must be, an utterance is unknown, or a row comes twice.
    """
    rows = read_rows(table, ANNOTATION, corpus.warnings)
    known = corpus.utterances["utterance"]
    unknown = rows[~rows["utterance"].isin(known)]
    if len(unknown):
        place, name = unknown.iloc[0][["place", "utterance"]]
        raise InputError(f"{place}: no recording is named {name!r}, but {known[0]!r} or the like")
    told = zip(rows["kind"], rows["text"], strict=True)
    # a comment is kept as written
    rows["text"] = [text.strip() if kind == "label" else text for kind, text in told]
    rows["file"] = str(table)
    filled = rows["text"].map(str.strip) != ""
    corpus.dropped += [
        Drop(f"{kind}s", "the text is empty", list(own["place"]))
        for kind, own in rows[~filled].groupby("kind")
    ]
    rows = rows[filled]
    if same := repeated(rows[list(ANNOTATION)].itertuples(index=False)):
        again, before = (rows.iloc[row] for row in same)
        raise InputError(
            f"{again['place']}: rater {again['rater']!r} says the same of {again['utterance']!r} "
            f"at {before['place']}, which would count twice; remove one"
        )
    corpus.annotations = rows[ANNOTATIONS.names]


def find_oddities(utterances: pd.DataFrame) -> list[str]:
    """Warn of labels that differ by case alone, and of those that only one fold has."""
    labelled = utterances[utterances["label"] != ""]
    folds = labelled.groupby("label")["fold"].unique()
    spellings = labelled["label"].groupby(labelled["label"].map(str.casefold), sort=False).unique()
    return [
        f"label {label!r} is used in fold {used[0]} alone: it cannot be learned when that fold "
        "is tested"
        for label, used in folds.items()
        if len(used) == 1
    ] + [
        f"labels {some(sorted(same))} differ by upper and lower case alone, and are classes of "
        "their own"
        for same in spellings
        if len(same) > 1
    ]


def read_corpus(
    table: Path, annotations_table: Path | None, folds: int, skip_missing_audio: bool = False
) -> Corpus:
    """Read recordings and annotations into a corpus; errors as in the functions above."""
    warnings: list[str] = []
    recordings = read_table_of_recordings(table, warnings)
    nothing = pd.DataFrame(columns=ANNOTATIONS.names)
    corpus = Corpus(recordings, nothing, {}, warnings=warnings)
    if annotations_table is not None:
        read_annotations(annotations_table, corpus)
    leave_out_missing_audio(corpus, skip_missing_audio)
    assign_folds(corpus, folds, table)
    corpus.warnings += find_oddities(corpus.utterances)
    return corpus


def read_recordings(
    table: Path,
    /,
    *,
    annotations_table: Path | None = None,
    folds: int,
    skip_missing_audio: bool = False,
    out: Path,
) -> None:
    r"""Read recordings of one's own from a CSV table, and their annotations from a second one.

    TABLE (UTF-8, commas, one header line) has the columns

    - wav: path of the audio, relative to the table's folder or absolute
    - speaker: any name
    - label: any word that the word space has, or empty where there is no ground truth

    and, where wanted,

    - utterance: a name of its own (otherwise: wav without its suffix)
    - fold: any name; the speakers of a fold are tested together. Without this column, speakers are
      spread over --folds folds of about as many utterances, and none is split
    - style: improvised, scripted or empty
    - sex: the speaker's: F, M or empty

    A second table, --annotations-table, has the columns

    - utterance: as in the first
    - rater: any name
    - kind: label or comment
    - text: one label, or a comment (several words: separated by commas)

    and, where wanted, role (observer or self; otherwise observer) and source (categorical or
    attribute; otherwise categorical). Written are, in OUT: utterances.csv, annotations.csv,
    corpus.json. No audio is copied.

        emoword read-recordings recordings.csv --folds 5 --out results/mine

    Args:
        table: CSV of the recordings.
        annotations_table: CSV of raters' labels and comments.
        folds: Number of test folds; with a column `fold`, the number of its different names.
        skip_missing_audio: Leave out, and count, utterances without audio; otherwise an error.
        out: Folder of the files.
    """
    corpus = read_corpus(table, annotations_table, folds, skip_missing_audio)
    write_corpus(corpus, {"reader": "read-recordings", "source": str(table)}, out)
