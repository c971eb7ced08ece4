r"""Turn utterances and annotations into the words of label sets S1, S2 and S3.

S1 is the ground truth, S2 the labels of all raters, S3 these and their one-word comments that are
spelled correctly (paper, section 4.2). An utterance takes part if its ground truth is one of the
classes. Out come FOLDER/S1.csv, S2.csv, S3.csv (utterance, word, count: a multiset of words an
utterance), dropped.csv (every utterance, label and comment that fell out, with its reason; labels
and comments with their file and line), classes.json (in the order of the baseline's outputs) and
summary.json (counts, and how many distinct targets there are).

    emoword targets --utterances utterances.csv --annotations annotations.csv --space SPACE \
        --classes anger happiness sadness neutral --merge excitement=happiness \
        --nouns excited=excitement --drop other --comments categorical attribute --spelling \
        --lowercase --out targets
"""

import argparse
import json
import string
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table, replacing, write_json, write_table
from emoword.labels.encoding import proportions
from emoword.spaces.word_space import WordSpace

UTTERANCES = ["utterance", "wav", "speaker", "fold", "style", "label"]
ANNOTATIONS = ["utterance", "rater", "role", "kind", "source", "text", "file", "line"]
DROPPED = ["utterance", "rater", "kind", "text", "file", "line", "label_set", "reason"]

# What is cut from a comment's ends: raters write "(tense.)", "(sad?)", "('guarded')".
EDGES = string.whitespace + string.punctuation


@dataclass(frozen=True)
class Choices:
    """How labels and comments become words; the paper leaves most of this open (see README).

    Attributes:
        classes: the ground-truth labels that take part; empty: every label that occurs.
        merge: label -> label, applied to the ground truth and so to S1.
        merge_raters: apply ``merge`` to the raters' labels of S2 and S3 too.
        nouns: label as written, in lower case -> noun (excited -> excitement).
        drop: labels, as nouns, that are no words for an emotion (other).
        self_reports: count what speakers said of themselves as one more rater.
        comments: the lines whose comments are read: categorical, attribute.
        spelling: keep only comments that pyspellchecker's English list holds.
        lowercase: write comments in lower case before they are looked up.
        comment_nouns: apply ``nouns`` to comments, too (sad -> sadness).
        missing_words: a label that the space lacks is an ``error``, or is ``drop``ped and counted.
    """

    classes: Sequence[str]
    merge: Mapping[str, str]
    merge_raters: bool
    nouns: Mapping[str, str]
    drop: Collection[str]
    self_reports: bool
    comments: Collection[str]
    spelling: bool
    lowercase: bool
    comment_nouns: bool
    missing_words: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword targets``."""
    parser.add_argument("--utterances", type=Path, required=True, help="utterances.csv")
    parser.add_argument("--annotations", type=Path, required=True, help="annotations.csv")
    parser.add_argument("--space", type=Path, required=True, help="folder of the word space")
    parser.add_argument(
        "--reported", type=Path, help="the paper's numbers (paper/reported.csv), to print beside"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the label sets")
    parser.add_argument(
        "--classes", nargs="*", default=[], help="labels that take part (default: all that occur)"
    )
    parser.add_argument(
        "--merge", nargs="*", default=[], metavar="FROM=TO", help="merge labels of the ground truth"
    )
    parser.add_argument("--merge-raters", action="store_true", help="merge the raters' labels too")
    parser.add_argument(
        "--nouns", nargs="*", default=[], metavar="LABEL=NOUN", help="nouns for labels as written"
    )
    parser.add_argument("--drop", nargs="*", default=[], help="labels that are left out (other)")
    parser.add_argument("--self-reports", action="store_true", help="speakers count as raters")
    parser.add_argument(
        "--comments",
        nargs="*",
        default=[],
        choices=["categorical", "attribute"],
        help="lines whose comments are read for S3 (default: none)",
    )
    parser.add_argument(
        "--spelling", action="store_true", help="keep only correctly spelled comments"
    )
    parser.add_argument("--lowercase", action="store_true", help="comments in lower case")
    parser.add_argument("--comment-nouns", action="store_true", help="nouns for comments, too")
    parser.add_argument("--missing-words", choices=["error", "drop"], default="error")


def pairs(items: Iterable[str]) -> dict[str, str]:
    """``["a=b"]`` -> ``{"a": "b"}``.

    Raises:
        InputError: an item has no ``=``.
    """
    split = [item.partition("=") for item in items]
    for item in split:
        if not (item[0] and item[1] and item[2]):
            raise InputError(f"{''.join(item)!r}: expected FROM=TO, for example excited=excitement")
    return {left: right for left, _, right in split}


def main(arguments: argparse.Namespace) -> None:
    """Write the three label sets, what was dropped, and the summary."""
    choices = Choices(
        classes=arguments.classes,
        merge=pairs(arguments.merge),
        merge_raters=arguments.merge_raters,
        nouns=pairs(arguments.nouns),
        drop=arguments.drop,
        self_reports=arguments.self_reports,
        comments=arguments.comments,
        spelling=arguments.spelling,
        lowercase=arguments.lowercase,
        comment_nouns=arguments.comment_nouns,
        missing_words=arguments.missing_words,
    )
    utterances = read_table(arguments.utterances, UTTERANCES)
    annotations = read_table(arguments.annotations, ANNOTATIONS, {"line": int})
    space = WordSpace.open(arguments.space)

    truth, without_class = ground_truth(utterances, choices)
    words, dropped = rater_words(annotations, truth, choices, space)
    sets = {
        "S1": multiset(pd.DataFrame({"utterance": truth.index, "word": truth.to_numpy()})),
        "S2": multiset(words[words["kind"] == "label"]),
        "S3": multiset(words),
    }
    lacking = sorted(set(sets["S1"]["word"]) - {w for w in sets["S1"]["word"] if w in space})
    if lacking:
        raise InputError(
            f"{arguments.utterances}: labels that the word space lacks: {', '.join(lacking)}; "
            "give their nouns (labels: nouns) or leave them out (labels: classes)"
        )
    dropped = pd.concat([without_class, dropped])[DROPPED]
    summary = summarise(utterances, truth, sets, dropped, choices)
    if arguments.reported:
        summary["distinct_targets_reported"] = read_reported(arguments.reported)
    with replacing(arguments.out) as folder:
        folder.mkdir()
        for name, table in sets.items():
            write_table(table, folder / f"{name}.csv")
        write_table(dropped, folder / "dropped.csv")
        write_json(summary["classes"], folder / "classes.json")
        write_json(summary, folder / "summary.json")
    print(json.dumps(summary, indent=2, ensure_ascii=False))


def ground_truth(utterances: pd.DataFrame, choices: Choices) -> tuple[pd.Series, pd.DataFrame]:
    """The class of each utterance that takes part, and the utterances that do not.

    Returns:
        A series utterance -> class in the order of the file, and rows of ``dropped.csv``.

    Raises:
        InputError: nothing is left, or a class has no utterance.
    """
    labels = utterances["label"].str.strip().replace(dict(choices.nouns))
    labels = labels.replace(dict(choices.merge))
    classes = list(choices.classes) or sorted(set(labels) - {"", *choices.drop})
    taken = labels.isin(classes)
    truth = pd.Series(labels[taken].to_numpy(), index=utterances["utterance"][taken].to_numpy())
    empty = [name for name in classes if name not in set(truth)]
    if empty or not classes:
        found = ", ".join(sorted(set(labels) - {""})) or "none"
        raise InputError(
            f"no utterance has the label {', '.join(empty) or '(any)'}; found: {found}"
        )
    out = utterances[~taken]
    reasons = labels[~taken].map(
        lambda label: f"ground truth {label} is no class" if label else "no majority label"
    )
    dropped = pd.DataFrame(
        {"utterance": out["utterance"], "kind": "utterance", "text": out["label"]}
    ).assign(rater="", file="", line="", label_set="S1 S2 S3", reason=reasons)
    return truth, dropped[DROPPED]


def rater_words(
    annotations: pd.DataFrame, truth: pd.Series, choices: Choices, space: WordSpace
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The words that raters gave to the utterances that take part, one row each time.

    Args:
        annotations: the rows of annotations.csv.
        truth: utterance -> class, of the utterances that take part.
        choices: how labels and comments become words.
        space: the word space in which the words must be.

    Returns:
        Columns utterance, kind (label or comment), word; and the rows of ``dropped.csv``.

    Raises:
        InputError: labels that the space lacks, unless these are to be dropped.
    """
    takes_part = annotations["utterance"].isin(truth.index)
    others = annotations[~takes_part].assign(
        label_set="S2 S3", reason="of an utterance that takes no part"
    )
    rows = annotations[takes_part].copy()
    comment = rows["kind"] == "comment"
    labels = rows[~comment].copy()
    labels["word"] = [label_word(text, choices) for text in labels["text"]]
    # a comment's line may hold several words, separated by commas
    comments = rows[comment].assign(word=rows["text"][comment].str.split(",")).explode("word")
    comments["word"] = [comment_word(text, choices) for text in comments["word"]]
    rows = pd.concat([labels, comments])

    known = correctly_spelled(comments["word"]) if choices.spelling else None
    rows["reason"] = [
        reason_to_drop(kind, role, source, word, choices, known, space)
        for kind, role, source, word in rows[["kind", "role", "source", "word"]].itertuples(
            index=False
        )
    ]
    lacking = sorted(
        set(rows["word"][(rows["reason"] == NOT_IN_SPACE) & (rows["kind"] == "label")])
    )
    if lacking and choices.missing_words == "error":
        raise InputError(
            f"raters' labels that the word space lacks: {', '.join(lacking)}; give their nouns "
            "(labels: nouns), or set labels: missing_words: drop"
        )
    dropped = rows[rows["reason"] != ""].copy()
    dropped["text"] = dropped["word"]
    dropped["label_set"] = ["S3" if kind == "comment" else "S2 S3" for kind in dropped["kind"]]
    kept = rows[rows["reason"] == ""]
    return kept[["utterance", "kind", "word"]], pd.concat([others, dropped])[DROPPED]


def read_reported(path: Path) -> dict[str, int]:
    """The numbers of distinct targets that the paper reports, by label set."""
    rows = read_table(path, ["table", "row", "column", "value"])
    rows = rows[(rows["table"] == "targets") & (rows["column"] == "distinct targets")]
    return dict(zip(rows["row"], rows["value"].astype(int), strict=True))


NOT_IN_SPACE = "not in the word space"


def label_word(text: str, choices: Choices) -> str:
    """A label as written -> its noun, in lower case (``Excited`` -> ``excitement``)."""
    word = text.strip().lower()
    noun = choices.nouns.get(word, word)
    return choices.merge.get(noun, noun) if choices.merge_raters else noun


def comment_word(text: str, choices: Choices) -> str:
    """One comment without the white space and punctuation at its ends."""
    word = text.strip(EDGES)
    if choices.comment_nouns:
        word = choices.nouns.get(word.lower(), word)
    return word.lower() if choices.lowercase else word


def correctly_spelled(words: Iterable[str]) -> set[str]:
    """The words that pyspellchecker's English list holds (it knows lower case only)."""
    from spellchecker import SpellChecker  # takes a moment to load

    checker = SpellChecker(language="en")
    distinct = set(words)
    known = checker.known({word.lower() for word in distinct})
    return {word for word in distinct if word.lower() in known}


def reason_to_drop(
    kind: str,
    role: str,
    source: str,
    word: str,
    choices: Choices,
    known: Collection[str] | None,
    space: WordSpace,
) -> str:
    """Why a label or comment is left out; the empty string if it is kept."""
    if role == "self" and not choices.self_reports:
        return "self report"
    if kind == "label" and word in choices.drop:
        return "label that is left out"
    if kind == "comment":
        if source not in choices.comments:
            return f"comment on a line of kind {source}"
        if not word:
            return "empty comment"
        if len(word.split()) > 1:
            return "more than one word"
        if known is not None and word not in known:
            return "not in the spelling list"
    return "" if word in space else NOT_IN_SPACE


def multiset(words: pd.DataFrame) -> pd.DataFrame:
    """Count the words of each utterance: columns utterance, word, count, sorted."""
    counted = words.groupby(["utterance", "word"], as_index=False, sort=True).size()
    return counted.rename(columns={"size": "count"})[["utterance", "word", "count"]]


def distinct_targets(table: pd.DataFrame) -> int:
    """How many different target vectors a label set has (paper: 129 in S2, 629 in S3).

    Counted by the words' exact proportions: anger twice and sadness twice is the same mean as
    each of them once, while means in float32 differ by rounding.
    """
    return len({proportions(words) for _, words in table.groupby("utterance")})


def summarise(
    utterances: pd.DataFrame,
    truth: pd.Series,
    sets: Mapping[str, pd.DataFrame],
    dropped: pd.DataFrame,
    choices: Choices,
) -> dict[str, object]:
    """Count what came out and what fell out."""
    by_class = Counter(truth)
    folds = utterances.set_index("utterance")["fold"].loc[truth.index]
    return {
        # the order of the classes is the order of the baseline's outputs
        "classes": list(choices.classes or sorted(by_class)),
        "utterances": len(truth),
        "utterances_by_class": dict(by_class.most_common()),
        "utterances_by_fold": {f: int(n) for f, n in folds.value_counts().sort_index().items()},
        "label_sets": {
            name: {
                "utterances": int(table["utterance"].nunique()),
                "words": int(table["count"].sum()),
                "distinct_words": int(table["word"].nunique()),
                "distinct_targets": distinct_targets(table),
            }
            for name, table in sets.items()
        },
        "dropped": dict(Counter(dropped["kind"] + ": " + dropped["reason"]).most_common()),
    }
