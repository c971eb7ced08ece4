"""IEMOCAP: its ratings with file and line, and where its audio lies."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from emoword.corpora.corpus import Corpus, Drop, leave_out_missing_audio, some, write_corpus
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.schemas import ANNOTATIONS, UTTERANCES

# Codes of the header lines as nouns; xxx stands where the raters had no majority.
NOUNS = {
    "neu": "neutral",
    "fru": "frustration",
    "ang": "anger",
    "exc": "excitement",
    "sad": "sadness",
    "hap": "happiness",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
    "oth": "other",
    "xxx": "",
}
# What reported.csv calls the four classes of Stanley et al. 2023
FOUR_CLASSES = {
    "anger": "anger",
    "happiness": "happiness with excitement",
    "excitement": "happiness with excitement",
    "sadness": "sadness",
    "neutral": "neutral",
}
SOURCES = {"C": "categorical", "A": "attribute"}
SESSION = re.compile(r"Session([1-9]\d*)")
DIALOG = re.compile(r"Ses(?P<session>\d\d)[FM]_(impro|script)\w+", re.ASCII)
# [6.2901 - 8.2357]<tab>Ses01F_impro01_F000<tab>neu<tab>[2.5000, 2.5000, 2.5000]
HEADER = re.compile(
    r"\[[^\[\]]* - [^\[\]]*\][ \t]+(?P<utterance>\S+)[ \t]+(?P<code>\S+)"
    r"[ \t]+\[[^\[\],]*,[^\[\],]*,[^\[\],]*\]"
)
# C-E2:<tab>Neutral; Anger;<tab>(comment)     A-E4:<tab>val 2; act 3; dom  3;<tab>(comment)
RATING = re.compile(
    r"(?P<source>[CA])-(?P<rater>[EFM]\d+):[ \t]*(?P<values>|.*?;)[ \t]*\((?P<comment>.*)", re.ASCII
)
SHAPE = "a header `[start - end] utterance label [v, a, d]` or a rating `C-E1: Label; (comment)`"
# What is odd, but read: as corpus.json says it
EMPTY = "the rater left the label empty"
UNREAD = "text files are not read, as they are not named like dialogs"
UNRATED = "audio files have no utterance in their dialog's EmoEvaluation file"
REPEATED = "ratings are a second line of the same rater on an utterance: both count"
UNCLOSED = "comments are not closed by a parenthesis and taken to the line's end"

Row = tuple[str | int, ...]
Odd = defaultdict[str, list[str]]  # one of these -> files, or file:line of each


def read_evaluation(path: Path, odd: Odd) -> tuple[dict[str, str], list[Row]]:
    """Read one dialog's file: utterance -> ground truth, and rows of annotations.csv.

    Labels and comments are kept as written, whatever they say. A blank line ends an utterance's
    block. A comment whose parenthesis is not closed reaches to the end of its line. What is
    odd, but read, is added to ``odd``.

    Raises:
        InputError: a line is neither a header, a rating, a remark (``%``) nor blank; an
            utterance comes twice, has an unknown label code, is not of this dialog, or lacks an
            observer's categorical rating; there is no utterance.
    """
    labels: dict[str, str] = {}
    annotations: list[Row] = []
    stands: dict[str, str] = {}
    ratings: set[tuple[str, str, str]] = set()
    utterance = ""
    # Not splitlines: among the Latin-1 bytes are some that it takes for ends of lines (\x85).
    lines = path.read_bytes().decode("latin-1").split("\n")
    for number, raw in enumerate(lines, start=1):
        line, place = raw.rstrip(" \t\r"), f"{path}:{number}"
        if "\0" in raw or "\r" in raw.rstrip("\r"):
            raise _damaged(place, "has a zero byte or a carriage return within a line")
        if not line:
            utterance = ""
        elif header := HEADER.fullmatch(line):
            utterance, code = header["utterance"], header["code"]
            if not re.fullmatch(rf"{path.stem}_[FM]\w+", utterance, re.ASCII):
                raise _damaged(place, f"utterance {utterance!r} is not of this dialog")
            if code not in NOUNS:
                raise _damaged(place, f"label {code!r} is none of {', '.join(NOUNS)}")
            if utterance in stands:
                raise _damaged(place, f"{utterance} stands at {stands[utterance]} already")
            stands[utterance] = place
            labels[utterance] = NOUNS[code]
        elif rating := RATING.fullmatch(line):
            if not utterance:
                raise _damaged(place, "a rating that stands below no header line")
            if not rating["comment"].endswith(")"):
                if number == len(lines):
                    raise InputError(f"{place}: the file ends within a comment; copy it again")
                odd[UNCLOSED].append(place)
            rater, source = rating["rater"], SOURCES[rating["source"]]
            if (utterance, rater, source) in ratings:
                odd[REPEATED].append(place)
            ratings.add((utterance, rater, source))
            role = "observer" if rater.startswith("E") else "self"
            for kind, text in _texts(rating):
                if text:
                    about = (rater, role, kind, source, text, str(path), number)
                    annotations.append((utterance, *about))
                else:
                    odd[EMPTY].append(place)
        elif not line.startswith("%"):
            raise _damaged(place, f"{line[:60]!r} must be {SHAPE}")
    if not stands:
        raise _damaged(str(path), f"no utterance in it, {SHAPE}")
    rated = {name for name, rater, source in ratings if (rater[0], source) == ("E", "categorical")}
    for name, place in stands.items():
        if name not in rated:
            raise _damaged(place, f"utterance {name} has no observer's label (a `C-E1:` line)")
    return labels, annotations


def _damaged(place: str, what: str) -> InputError:
    told = "the file may be damaged or cut off: compare it with the release's"
    return InputError(f"{place}: {what}; {told}")


def _texts(rating: re.Match[str]) -> Iterator[tuple[str, str]]:
    """The labels, of which one may be empty, and the comment of a rating, if there is one."""
    if rating["source"] == "C":
        # what follows the last semicolon is no label
        for label in rating["values"].split(";")[:-1] or [""]:
            yield "label", label.strip()
    comment = rating["comment"].removesuffix(")")
    if comment.strip():
        yield "comment", comment


def find_sessions(root: Path) -> dict[int, Path]:
    """The SessionN folders by number; an InputError where there is none."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the one that holds Session1 ... Session5")
    matches = ((path, SESSION.fullmatch(path.name)) for path in root.iterdir() if path.is_dir())
    sessions = {int(match[1]): path for path, match in matches if match}
    if not sessions:
        below = sorted(path.parent for path in root.glob("*/Session1"))
        hint = f"; did you mean {below[0]}?" if below else ""
        raise InputError(f"{root}: holds no folder Session1 ... Session5{hint}")
    return dict(sorted(sessions.items()))


def find_dialogs(session: Path, number: int) -> tuple[list[Path], list[Path]]:
    """A session's EmoEvaluation files, and text files that are none.

    Raises:
        InputError: there is none, or one of another session.
    """
    folder = session / "dialog" / "EmoEvaluation"
    texts = sorted(p for p in folder.glob("*.txt") if p.is_file() and p.name[0] != ".")
    dialogs = {path: match for path in texts if (match := DIALOG.fullmatch(path.stem))}
    if not dialogs:
        told = f"no dialog's file, Ses{number:02}F_impro01.txt or the like"
        raise InputError(f"{folder}: {told}; is the corpus unpacked in full?")
    for path, match in dialogs.items():
        if int(match["session"]) != number:
            raise InputError(f"{path}: a dialog of session {match['session']}; move it there")
    return list(dialogs), [path for path in texts if path not in dialogs]


def read_release(root: Path, skip_missing_audio: bool = False) -> tuple[Corpus, int]:
    """Read the whole corpus; returns it and the number of its dialogs.

    Raises:
        InputError: a folder or an EmoEvaluation file is not as it must be, or audio is missing.
    """
    sessions = find_sessions(root)
    utterances: list[Row] = []
    annotations: list[Row] = []
    odd: Odd = defaultdict(list)
    dialogs = 0
    for session, folder in sessions.items():
        paths, others = find_dialogs(folder, session)
        dialogs += len(paths)
        odd[UNREAD] += map(str, others)
        for path in paths:
            labels, rows = read_evaluation(path, odd)
            annotations += rows
            audio = folder / "sentences" / "wav" / path.stem
            style = "improvised" if "impro" in path.stem else "scripted"
            for name, label in labels.items():
                sex = name.removeprefix(f"{path.stem}_")[0]
                about = (path.stem[:5] + sex, session, style, label, "", sex)
                utterances.append((name, str(audio / f"{name}.wav"), *about))
            odd[UNRATED] += [
                str(wav)
                for wav in sorted(audio.glob("*.wav"))
                if wav.name[0] != "." and wav.stem not in labels
            ]
    corpus = Corpus(
        pd.DataFrame(utterances, columns=UTTERANCES.names),
        pd.DataFrame(annotations, columns=ANNOTATIONS.names),
        {number: folder.name for number, folder in sessions.items()},
    )
    leave_out_missing_audio(corpus, skip_missing_audio)
    if odd[EMPTY]:
        corpus.dropped.append(Drop("labels", EMPTY, odd[EMPTY]))
    corpus.warnings = [
        f"{len(odd[what])} {what}: {some(odd[what])}"
        for what in (UNREAD, UNRATED, REPEATED, UNCLOSED)
        if odd[what]
    ]
    return corpus, dialogs


def count(corpus: Corpus, dialogs: int) -> dict[str, int]:
    """Count what ``paper/reported.csv`` says of the corpus, under the same names."""
    four = corpus.utterances["label"].map(FOUR_CLASSES).dropna()
    of_class, in_fold = Counter(four), Counter(corpus.utterances["fold"][four.index])
    return {
        "dialogs": dialogs,
        "utterances": len(corpus.utterances),
        "in four classes": len(four),
        **{name: of_class[name] for name in FOUR_CLASSES.values()},
        **{
            f"in four classes, session {session}": in_fold[session]
            for session in sorted({1, 2, 3, 4, 5} | set(corpus.fold_names))
        },
    }


def read_iemocap(
    root: Path,
    /,
    *,
    folds: int | None = None,
    expected: Path | None = None,
    skip_missing_audio: bool = False,
    out: Path,
) -> None:
    r"""Read IEMOCAP in place: its ratings with file and line, and where its audio lies.

    In: the folder that holds Session1 ... Session5 (the release's IEMOCAP_full_release), of which
    are read

    - SessionN/dialog/EmoEvaluation/*.txt (not its sub-folders, nor ._* files)
    - SessionN/sentences/wav/DIALOG/UTTERANCE.wav (whether they exist)

    Written are, in OUT: utterances.csv, annotations.csv (each label and comment of each rater, with
    its file and line) and corpus.json (what was found beside what the corpus should hold; a
    difference is a warning). Nothing is copied: paths begin with ROOT as it was given. The fold of
    an utterance is its session; rows are in the order of sessions, dialogs, and lines of the file.

        emoword read-iemocap /corpora/IEMOCAP_full_release --out results/iemocap

    Args:
        root: The folder that holds Session1 ... Session5.
        folds: How many sessions there should be.
        expected: What the release holds (paper/reported.csv), to compare the counts with; not for
            another corpus in its layout, such as the demo.
        skip_missing_audio: Leave out, and count, utterances without audio; otherwise an error.
        out: Folder of the files.
    """
    corpus, dialogs = read_release(root, skip_missing_audio)
    sessions = len(corpus.fold_names)
    if folds not in (None, sessions):
        told = f"write folds: {sessions} in the dataset's settings"
        raise InputError(f"{root}: has {sessions} sessions, one a fold, not {folds}; {told}")
    wanted = read_expected(expected) if expected else Counter()
    counts = {
        name: {"found": number, "expected": wanted[name] if wanted else None}
        for name, number in count(corpus, dialogs).items()
    }
    differences = [
        f"{root}: {name}: found {own['found']}, but IEMOCAP as released has {own['expected']}"
        for name, own in counts.items()
        if own["expected"] not in (None, own["found"])
    ]
    if wanted and not differences:
        print(f"{len(counts)} counts, all as in the released corpus")
    corpus.warnings += differences
    about = {"reader": "read-iemocap", "source": str(root), "counts": counts}
    write_corpus(corpus, about, out)


def read_expected(path: Path) -> Counter[str]:
    """What the released corpus holds, by the names of `count`; 0 of what is not among them."""
    rows = read_table(path, ["table", "row", "value"])
    corpus = rows[rows["table"] == "corpus"]
    return Counter(dict(zip(corpus["row"], corpus["value"].astype(int), strict=True)))
