"""IEMOCAP: its ratings with file and line, and where its audio lies."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from emoword.corpora.corpus import (
    Annotation,
    Corpus,
    Drop,
    Utterance,
    missing_audio,
    some,
    write_corpus,
)
from emoword.io.errors import InputError
from emoword.io.files import read_table

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
# The class that a label counts for in Stanley et al. 2023: excitement is merged with happiness.
FOUR_CLASSES = {c: c for c in ("anger", "happiness", "sadness", "neutral")}
FOUR_CLASSES["excitement"] = "happiness"
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
SHAPE = (
    "must be a header `[start - end] utterance label [v, a, d]` or a rating "
    "`C-E1: Label; (comment)`; the file may be damaged or cut off: compare it with the release's"
)


@dataclass
class Evaluation:
    """What an EmoEvaluation file says; ``labels`` is by utterance, the rest names file:line."""

    labels: dict[str, str] = field(default_factory=dict)
    annotations: list[Annotation] = field(default_factory=list)
    empty_labels: list[str] = field(default_factory=list)
    unclosed_comments: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)


def read_evaluation(path: Path) -> Evaluation:
    """Read one dialog's file.

    Labels and comments are kept as written, whatever they say. A blank line ends an utterance's
    block. A comment whose parenthesis is not closed reaches to the end of its line.

    Raises:
        InputError: a line is neither a header, a rating, a remark (``%``) nor blank; an
            utterance comes twice, has an unknown label code, is not of this dialog, or lacks an
            observer's categorical rating; there is no utterance.
    """
    data = _undamaged(path)
    found = Evaluation()
    stands: dict[str, str] = {}
    lines_of = set()
    rated = set()
    utterance = ""
    # Not splitlines: among the Latin-1 bytes are some that it takes for ends of lines (\x85).
    lines = data.decode("latin-1").split("\n")
    for number, raw in enumerate(lines, start=1):
        line, place = raw.rstrip(" \t\r"), f"{path}:{number}"
        if not line:
            utterance = ""
        elif header := HEADER.fullmatch(line):
            utterance, label = _check_header(header, path.stem, place)
            if utterance in stands:
                raise InputError(
                    f"{place}: utterance {utterance} stands at {stands[utterance]} already; "
                    "compare the file with the release's"
                )
            stands[utterance] = place
            found.labels[utterance] = label
        elif rating := RATING.fullmatch(line):
            if not utterance:
                raise InputError(f"{place}: a rating that stands below no header line; {SHAPE}")
            if not rating["comment"].endswith(")"):
                if number == len(lines):
                    raise InputError(f"{place}: the file ends within a comment; copy it again")
                found.unclosed_comments.append(place)
            rows = _rating_rows(rating, utterance, path, number)
            found.annotations += [row for row in rows if row.text]
            found.empty_labels += [place for row in rows if not row.text]
            found.repeated += [place] * ((utterance, *rating.groups()[:2]) in lines_of)
            lines_of.add((utterance, *rating.groups()[:2]))
            if rating["source"] == "C" and rating["rater"].startswith("E"):
                rated.add(utterance)
        elif not line.startswith("%"):
            raise InputError(f"{place}: {line[:60]!r} {SHAPE}")
    if not stands:
        raise InputError(f"{path}: no utterance in it; {SHAPE}")
    for name, place in stands.items():
        if name not in rated:
            raise InputError(
                f"{place}: utterance {name} has no observer's label (a `C-E1:` line); "
                "the file may be cut off: compare it with the release's"
            )
    return found


def _undamaged(path: Path) -> bytes:
    """The file's bytes; an InputError names the line of a zero byte or a lone carriage return."""
    data = path.read_bytes()
    if damage := re.search(rb"\0|\r(?!\r*(?:\n|$))", data):
        before = data.count(b"\n", 0, damage.start())
        raise InputError(
            f"{path}:{before + 1}: has a zero byte or a carriage return within a line, so it is "
            "damaged; compare it with the release's"
        )
    return data


def _check_header(header: re.Match[str], dialog: str, place: str) -> tuple[str, str]:
    """Give the utterance and its label as a noun."""
    utterance, code = header["utterance"], header["code"]
    if not re.fullmatch(rf"{dialog}_[FM]\w+", utterance, re.ASCII):
        raise InputError(
            f"{place}: utterance {utterance!r} is not one of this dialog's, {dialog}_F... or "
            f"{dialog}_M...; compare the file with the release's"
        )
    if code not in NOUNS:
        raise InputError(
            f"{place}: label {code!r} is unknown; it must be one of {', '.join(NOUNS)}"
        )
    return utterance, NOUNS[code]


def _rating_rows(
    rating: re.Match[str], utterance: str, path: Path, number: int
) -> list[Annotation]:
    """Make a row for each label and for the comment; an empty label has an empty text."""
    texts = []
    if rating["source"] == "C":
        # what follows the last semicolon is no label
        labels = rating["values"].split(";")[:-1] or [""]
        texts += [("label", label.strip()) for label in labels]
    comment = rating["comment"].removesuffix(")")
    if comment.strip():
        texts.append(("comment", comment))
    role = "observer" if rating["rater"].startswith("E") else "self"
    source = "categorical" if rating["source"] == "C" else "attribute"
    return [
        Annotation(utterance, rating["rater"], role, kind, source, text, str(path), number)
        for kind, text in texts
    ]


def find_sessions(root: Path) -> dict[int, Path]:
    """Find SessionN folders by number.

    Raises:
        InputError: there is none.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the one that holds Session1 ... Session5")
    matches = {path: SESSION.fullmatch(path.name) for path in root.iterdir() if path.is_dir()}
    sessions = {int(match[1]): path for path, match in matches.items() if match}
    if not sessions:
        below = sorted(path.parent for path in root.glob("*/Session1"))
        hint = f"; did you mean {below[0]}?" if below else ""
        raise InputError(f"{root}: holds no folder Session1 ... Session5{hint}")
    return dict(sorted(sessions.items()))


def find_dialogs(session: Path, number: int) -> tuple[list[Path], list[Path]]:
    """Find a session's EmoEvaluation files, and text files that are none.

    Raises:
        InputError: there is none, or one of another session.
    """
    folder = session / "dialog" / "EmoEvaluation"
    texts = [path for path in folder.glob("*.txt") if path.is_file() and path.name[0] != "."]
    dialogs = sorted(path for path in texts if DIALOG.fullmatch(path.stem))
    if not dialogs:
        raise InputError(
            f"{folder}: no dialog's file such as Ses{number:02}F_impro01.txt; "
            "is the corpus unpacked in full?"
        )
    for path in dialogs:
        match = DIALOG.fullmatch(path.stem)
        if match and int(match["session"]) != number:
            raise InputError(f"{path}: a dialog of session {match['session']}; move it there")
    return dialogs, sorted(set(texts) - set(dialogs))


def read_release(root: Path, skip_missing_audio: bool = False) -> tuple[Corpus, int]:
    """Read the whole corpus.

    Returns:
        The corpus and the number of its dialogs.

    Raises:
        InputError: a folder or an EmoEvaluation file is not as it must be, or audio is missing.
    """
    sessions = find_sessions(root)
    utterances: list[Utterance] = []
    annotations: list[Annotation] = []
    empty_labels, unclosed, repeated, unread, unrated = [], [], [], [], []
    dialogs = 0
    for session, folder in sessions.items():
        paths, others = find_dialogs(folder, session)
        unread += [str(path) for path in others]
        for path in paths:
            found = read_evaluation(path)
            audio = folder / "sentences" / "wav" / path.stem
            style = "improvised" if "impro" in path.stem else "scripted"
            for name, label in found.labels.items():
                speaker = path.stem[:5] + name.removeprefix(f"{path.stem}_")[0]
                wav = str(audio / f"{name}.wav")
                about = (speaker, session, style, label)
                utterances.append(Utterance(name, wav, *about, sex=speaker[-1]))
            annotations += found.annotations
            empty_labels += found.empty_labels
            unclosed += found.unclosed_comments
            repeated += found.repeated
            unrated += [
                str(wav)
                for wav in sorted(audio.glob("*.wav"))
                if wav.name[0] != "." and wav.stem not in found.labels
            ]
        dialogs += len(paths)
    wavs = {row.utterance: row.wav for row in utterances}
    missing, dropped = missing_audio(wavs, annotations, skip_missing_audio)
    utterances = [row for row in utterances if row.utterance not in missing]
    annotations = [row for row in annotations if row.utterance not in missing]
    if empty_labels:
        dropped.append(Drop("labels", "the rater left the label empty", empty_labels))
    warnings = [
        f"{len(names)} {what}: {some(names)}"
        for what, names in (
            ("text files are not read, as they are not named like dialogs", unread),
            ("audio files have no utterance in their dialog's EmoEvaluation file", unrated),
            ("ratings are a second line of the same rater on an utterance: both count", repeated),
            ("comments are not closed by a parenthesis and taken to the line's end", unclosed),
        )
        if names
    ]
    names = {number: folder.name for number, folder in sessions.items()}
    return Corpus(utterances, annotations, names, dropped, warnings), dialogs


def count(corpus: Corpus, dialogs: int) -> dict[str, int]:
    """Count what ``paper/reported.csv`` says of the corpus, under the same names."""
    four = [row for row in corpus.utterances if row.label in FOUR_CLASSES]
    of_class = Counter(FOUR_CLASSES[row.label] for row in four)
    in_fold = Counter(row.fold for row in four)
    return {
        "dialogs": dialogs,
        "utterances": len(corpus.utterances),
        "in four classes": len(four),
        "anger": of_class["anger"],
        "happiness with excitement": of_class["happiness"],
        "sadness": of_class["sadness"],
        "neutral": of_class["neutral"],
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
    if folds not in (None, len(corpus.fold_names)):
        raise InputError(
            f"{root}: has {len(corpus.fold_names)} sessions, one a fold, not {folds}; "
            f"write folds: {len(corpus.fold_names)} in the dataset's settings"
        )
    found = count(corpus, dialogs)
    wanted = read_expected(expected) if expected else {}
    differences = [
        f"{root}: {name}: found {number}, but IEMOCAP as released has {wanted.get(name, 0)}"
        for name, number in found.items()
        # a sixth session is none of the released corpus: nothing is expected of it
        if wanted and number != wanted.get(name, 0)
    ]
    if wanted and not differences:
        print(f"{len(found)} counts, all as in the released corpus")
    corpus.warnings += differences
    counts = {
        name: {"found": number, "expected": wanted.get(name, 0) if wanted else None}
        for name, number in found.items()
    }
    about = {"reader": "read-iemocap", "source": str(root), "counts": counts}
    write_corpus(corpus, about, out)


def read_expected(path: Path) -> dict[str, int]:
    """What the released corpus holds, by the names of `count`."""
    rows = read_table(path, ["table", "row", "value"])
    corpus = rows[rows["table"] == "corpus"]
    return dict(zip(corpus["row"], corpus["value"].astype(int), strict=True))
