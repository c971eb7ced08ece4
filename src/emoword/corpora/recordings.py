"""Recordings of one's own: a CSV of audio, speakers and labels, and one of annotations."""

import csv
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple, TextIO

from emoword.corpora.corpus import (
    KINDS,
    ROLES,
    SEXES,
    SOURCES,
    STYLES,
    Annotation,
    Corpus,
    Drop,
    Utterance,
    missing_audio,
    some,
    write_corpus,
)
from emoword.io.errors import InputError

RECORDING_COLUMNS = ("wav", "speaker", "label")
RECORDING_OPTIONS = ("utterance", "fold", "style", "sex")
ANNOTATION_COLUMNS = ("utterance", "rater", "kind", "text")
LONGEST = 1 << 20  # characters of a line
ANNOTATION_DEFAULTS = {"role": "observer", "source": "categorical"}


class Recording(NamedTuple):
    """A row of the user's table; ``fold`` as named there, empty without such a column."""

    utterance: str
    wav: str
    speaker: str
    label: str
    style: str
    sex: str
    fold: str
    place: str


def read_rows(
    path: Path, columns: Sequence[str], optional: Sequence[str]
) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """Read a user's CSV table, strictly.

    Args:
        path: a UTF-8 file, with or without a byte order mark, with any line ends.
        columns: that must be there.
        optional: that may be there; what is not there is empty in the rows.

    Returns:
        Each row that is not blank with the line on which it begins (a quoted cell may go over
        several lines), and the names of the columns that are neither.

    Raises:
        InputError: the file is not such a table, or has no row.
    """
    rows = []
    unread: list[str] = []
    header: list[str] = []
    for line, cells in _read_cells(path):
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            _check_header(header, columns, f"{path}:{line}")
            unread = [name for name in header if name not in (*columns, *optional)]
            continue
        if len(cells) != len(header):
            raise InputError(
                f"{path}:{line}: {len(cells)} cells, but the header has {len(header)}; "
                'a cell with a comma must stand in quotes: "..."'
            )
        rows.append((line, dict.fromkeys(optional, "") | dict(zip(header, cells, strict=True))))
    if not rows:
        raise InputError(f"{path}: no rows; it needs the header {','.join(columns)}, then rows")
    return rows, unread


def _read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    end = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(path, file), strict=True)
            for cells in reader:
                if any(re.search(r"\0|\r(?!\n)", cell) for cell in cells):
                    raise InputError(
                        f"{path}:{end + 1}: a cell has a zero byte or a lone carriage return; "
                        "take it out"
                    )
                yield end + 1, cells
                end = reader.line_num
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error}); save it as CSV UTF-8") from error
    except csv.Error as error:
        raise InputError(
            f"{path}:{end + 1}: the row that begins here is not CSV: {error}; is a quote open?"
        ) from error


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST:
            raise InputError(f"{path}:{number}: {LONGEST:,} characters in a line: is it a table?")
        yield line


def _check_header(header: Sequence[str], columns: Sequence[str], place: str) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        comma = "" if len(header) > 1 else "; columns must be separated by commas"
        raise InputError(
            f"{place}: no column {', '.join(missing)} in the header {','.join(header)!r}{comma}"
        )
    twice = [name for name, number in Counter(header).items() if number > 1]
    if twice:
        raise InputError(f"{place}: column {twice[0]!r} stands twice; remove one")


def _choice(row: Mapping[str, str], name: str, choices: Sequence[str], place: str) -> str:
    value = row[name].strip()
    if value not in choices:
        raise InputError(
            f"{place}: {name} {value!r} must be one of: "
            + ", ".join(choice or "(empty)" for choice in choices)
        )
    return value


def _filled(row: Mapping[str, str], name: str, place: str) -> str:
    value = row[name].strip()
    if not value:
        raise InputError(f"{place}: {name} is empty; fill it in")
    if not value.isprintable():
        raise InputError(f"{place}: {name} {value!r} has a letter that is none; is a quote open?")
    return value


def read_table_of_recordings(table: Path) -> tuple[list[Recording], list[str]]:
    """Read the table of recordings.

    Returns:
        The recordings in the table's order, and the columns that are not read.

    Raises:
        InputError: a cell is not as it must be, or an utterance or a file comes twice.
    """
    rows, unread = read_rows(table, RECORDING_COLUMNS, RECORDING_OPTIONS)
    with_folds = any(row["fold"].strip() for _, row in rows)
    recordings = []
    seen: dict[tuple[str, str], str] = {}
    for line, row in rows:
        place = f"{table}:{line}"
        wav = _filled(row, "wav", place)
        path = PurePath(wav)
        recording = Recording(
            utterance=row["utterance"].strip() or str(path.parent / path.stem).strip(),
            wav=str(table.parent / wav),
            speaker=_filled(row, "speaker", place),
            label=row["label"].strip(),
            style=_choice(row, "style", ("", *STYLES), place),
            sex=_choice(row, "sex", ("", *SEXES), place),
            fold=_filled(row, "fold", place) if with_folds else "",
            place=place,
        )
        # one file under two names, a.wav and b/../a.wav or a link to it, is noticed
        for key in (("utterance", recording.utterance), ("wav", os.path.realpath(recording.wav))):
            if key in seen:
                raise InputError(
                    f"{place}: {key[0]} {key[1]!r} stands at {seen[key]} already; remove one "
                    "(recordings whose names differ in their suffix alone need `utterance` names)"
                )
            seen[key] = place
        recordings.append(recording)
    if not any(recording.label for recording in recordings):
        raise InputError(f"{table}: no row has a label; fill in the column `label`")
    return recordings, unread


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Give a key that sorts s2 before s10; a number of any length is compared as text."""
    parts = re.split(r"(\d+)", name)
    parts = [part.lstrip("0") if i % 2 else part.casefold() for i, part in enumerate(parts)]
    return [(len(part) if i % 2 else 0, part) for i, part in enumerate(parts)], name


def spread_speakers(utterances: Mapping[str, int], folds: int) -> dict[str, int]:
    """Spread speakers over folds of about as many utterances: the largest first, each to the least.

    Args:
        utterances: number of utterances by speaker.
        folds: how many folds; there are at least as many speakers.

    Returns:
        The fold of each speaker, 1 ... ``folds``; none is empty.
    """
    sizes = dict.fromkeys(range(1, folds + 1), 0)
    fold_of = {}
    for speaker in sorted(utterances, key=lambda name: (-utterances[name], natural(name))):
        fold_of[speaker] = min(sizes, key=lambda fold: (sizes[fold], fold))
        sizes[fold_of[speaker]] += utterances[speaker]
    return fold_of


def _remedy(folds: int, more: str = "") -> str:
    if folds < 2:
        return "at least two are needed, to train and to test"
    return f"write `folds: {folds}`{more} in the config"


def assign_folds(
    recordings: Sequence[Recording], folds: int, table: Path
) -> tuple[dict[str, int], dict[int, str]]:
    """Give each speaker a fold, by the table's column ``fold`` where it has one.

    Returns:
        The fold of each speaker, and the name of each fold.

    Raises:
        InputError: a speaker is in two folds, or ``folds`` does not fit the table.
    """
    if folds < 2:
        raise InputError(f"--folds {folds}: must be 2 or more, as each is tested by the others")
    first: dict[str, Recording] = {}
    for recording in recordings:
        known = first.setdefault(recording.speaker, recording)
        if known.fold != recording.fold:
            raise InputError(
                f"{recording.place}: speaker {recording.speaker!r} is in fold {recording.fold!r} "
                f"here and in fold {known.fold!r} at {known.place}; a speaker must be in one fold, "
                "else the test hears a voice of the training"
            )
    names = sorted({recording.fold for recording in recordings}, key=natural)
    if names == [""]:
        if len(first) < folds:
            raise InputError(
                f"{table}: {len(first)} speakers cannot be spread over {folds} folds, as none is "
                f"split; {_remedy(len(first), ' or fewer')}"
            )
        fold_of = spread_speakers(Counter(row.speaker for row in recordings), folds)
        return fold_of, {fold: str(fold) for fold in range(1, folds + 1)}
    if len(names) != folds:
        raise InputError(
            f"{table}: the column `fold` has {len(names)} folds ({some(names, 5)}), not {folds}; "
            + _remedy(len(names))
        )
    number = {name: fold for fold, name in enumerate(names, start=1)}
    fold_of = {speaker: number[recording.fold] for speaker, recording in first.items()}
    return fold_of, {fold: name for name, fold in number.items()}


def read_annotations(
    table: Path, known: Sequence[str]
) -> tuple[list[Annotation], list[Drop], list[str]]:
    """Read the table of annotations.

    Args:
        table: the user's CSV.
        known: the utterances that there are.

    Returns:
        The annotations in the table's order, what has no text, and the columns that are not read.

    Raises:
        InputError: a cell is not as it must be, an utterance is unknown, or a row comes twice.
    """
    rows, unread = read_rows(table, ANNOTATION_COLUMNS, tuple(ANNOTATION_DEFAULTS))
    utterances = set(known)
    annotations = []
    stands: dict[Annotation, str] = {}
    empty: dict[str, list[str]] = defaultdict(list)
    for line, row in rows:
        place = f"{table}:{line}"
        filled = {**row, **{k: row[k].strip() or v for k, v in ANNOTATION_DEFAULTS.items()}}
        utterance = _filled(row, "utterance", place)
        if utterance not in utterances:
            raise InputError(
                f"{place}: utterance {utterance!r} is not in the table of recordings, whose "
                f"utterances are named like {known[0]!r}"
            )
        kind = _choice(filled, "kind", KINDS, place)
        annotation = Annotation(
            utterance,
            _filled(row, "rater", place),
            _choice(filled, "role", ROLES, place),
            kind,
            _choice(filled, "source", SOURCES, place),
            # a comment is kept as written
            row["text"].strip() if kind == "label" else row["text"],
            str(table),
            line,
        )
        if annotation.text.strip():
            before = stands.setdefault(annotation._replace(line=0), place)
            if before != place:
                raise InputError(
                    f"{place}: rater {annotation.rater!r} says the same of {utterance!r} at "
                    f"{before}, which would count twice; remove one"
                )
            annotations.append(annotation)
        else:
            empty[f"{kind}s"].append(place)
    drops = [Drop(kind, "the text is empty", places) for kind, places in sorted(empty.items())]
    return annotations, drops, unread


def find_oddities(utterances: Sequence[Utterance]) -> list[str]:
    """Warn of labels that differ by case alone, and of those that only one fold has."""
    folds: dict[str, set[int]] = defaultdict(set)
    spellings: dict[str, set[str]] = defaultdict(set)
    for row in utterances:
        if row.label:
            folds[row.label].add(row.fold)
            spellings[row.label.casefold()].add(row.label)
    return [
        f"label {label!r} is used in fold {min(used)} alone: it cannot be learned when that fold "
        "is tested"
        for label, used in sorted(folds.items())
        if len(used) == 1
    ] + [
        f"labels {some(sorted(same))} differ by upper and lower case alone, and are classes of "
        "their own"
        for same in spellings.values()
        if len(same) > 1
    ]


def read_corpus(
    table: Path, annotations_table: Path | None, folds: int, skip_missing_audio: bool = False
) -> Corpus:
    """Read recordings and annotations into a corpus; errors as in the functions above."""
    recordings, unread = read_table_of_recordings(table)
    warnings = [f"{table}: column {name!r} is not read" for name in unread]
    annotations: list[Annotation] = []
    empty: list[Drop] = []
    if annotations_table is not None:
        known = [recording.utterance for recording in recordings]
        annotations, empty, unread = read_annotations(annotations_table, known)
        warnings += [f"{annotations_table}: column {name!r} is not read" for name in unread]
    wavs = {row.utterance: row.wav for row in recordings}
    missing, dropped = missing_audio(wavs, annotations, skip_missing_audio)
    recordings = [row for row in recordings if row.utterance not in missing]
    annotations = [row for row in annotations if row.utterance not in missing]
    fold_of, fold_names = assign_folds(recordings, folds, table)
    utterances = [
        Utterance(
            row.utterance,
            row.wav,
            row.speaker,
            fold_of[row.speaker],
            row.style,
            row.label,
            sex=row.sex,
        )
        for row in recordings
    ]
    warnings += find_oddities(utterances)
    return Corpus(utterances, annotations, fold_names, empty + dropped, warnings)


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
