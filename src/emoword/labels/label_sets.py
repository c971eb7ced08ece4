"""Label sets S1, S2, S3: the words of each utterance (paper, section 4.2)."""

import functools
import json
import re
import shutil
import string
import subprocess
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table, replacing, write_json, write_table
from emoword.labels.encoding import proportions
from emoword.layout import LabelSetSettings, read_settings
from emoword.schemas import ANNOTATIONS, DROPPED, UTTERANCES
from emoword.settings import LabelSettings
from emoword.spaces.word_space import WordSpace

# What is cut from a comment's ends: raters write "(tense.)", "(sad?)", "('guarded')".
EDGES = string.whitespace + string.punctuation
NOT_IN_SPACE = "not in the word space"
LONG = "more than one word"
MISSPELT = "not in the spelling list"


def label_set(
    settings: Path,
    /,
    *,
    utterances: Path,
    annotations: Path,
    space: Path | None = None,
    reported: Path | None = None,
    out: Path,
) -> None:
    r"""Turn labels and comments into the words of a label set (paper, section 4.2).

    S1 is the ground truth, S2 the labels of all raters, S3 these and their one-word comments that
    are spelled correctly. An utterance takes part if its ground truth is one of the classes.
    Written are, in OUT: words.csv (utterance, word, count: a multiset of words an utterance),
    dropped.csv (every utterance, label and comment that fell out, with its reason, file and line),
    classes.json (in the order of the baseline's outputs) and summary.json (counts, and how many
    distinct targets there are).

        emoword label-set targets/S2-embedded-1a2b3c4d/settings.json \
            --utterances utterances.csv --annotations annotations.csv \
            --space results/spaces/embedded --out targets/S2-embedded-1a2b3c4d

    Args:
        settings: settings.json of the label set: which it is, and the choices behind it.
        utterances: utterances.csv.
        annotations: annotations.csv.
        space: Folder of the word space that the words must be in; S1 needs none.
        reported: The paper's numbers (paper/reported.csv), to print beside.
        out: Folder of the label set.
    """
    made_by = read_settings(settings, LabelSetSettings)
    table = UTTERANCES.read_text(utterances)
    truth, dropped = ground_truth(table, made_by.labels)
    if made_by.label_set == "S1":
        words = pd.DataFrame({"utterance": truth.index, "word": truth.to_numpy()})
    else:
        if space is None:
            raise InputError(f"{made_by.label_set} needs --space: its words must be there")
        rows = ANNOTATIONS.read(annotations)
        if made_by.label_set == "S2":
            rows = rows[rows["kind"] == "label"]
        words, left_out = rater_words(rows, truth, made_by.labels, WordSpace.open(space))
        dropped = pd.concat([dropped, left_out])
    counted = multiset(words)
    summary = summarise(made_by, table, truth, counted, dropped)
    if reported:
        summary["distinct_targets_reported"] = read_reported(reported).get(made_by.label_set)
    with replacing(out) as folder:
        folder.mkdir()
        write_table(counted, folder / "words.csv")
        write_table(dropped, folder / "dropped.csv")
        write_json(summary["classes"], folder / "classes.json")
        write_json(summary, folder / "summary.json")
    print(json.dumps(summary, indent=2, ensure_ascii=False))


def ground_truth(
    utterances: pd.DataFrame, choices: LabelSettings
) -> tuple[pd.Series, pd.DataFrame]:
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
    ).assign(rater="", file="", line="", reason=reasons)
    return truth, dropped[DROPPED.names]


def rater_words(
    annotations: pd.DataFrame, truth: pd.Series, choices: LabelSettings, space: WordSpace
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
    others = annotations[~takes_part].assign(reason="of an utterance that takes no part")
    rows = annotations[takes_part].copy()
    comment = rows["kind"] == "comment"
    labels = rows[~comment].copy()
    labels["word"] = [label_word(text, choices) for text in labels["text"]]
    # a comment's line may hold several words, separated by commas
    comments = rows[comment].assign(word=rows["text"][comment].str.split(",")).explode("word")
    comments["word"] = [comment_word(text, choices) for text in comments["word"]]
    rows = pd.concat([labels, comments])

    known = correctly_spelled(comments["word"], choices.spelling) if len(comments) else None
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
    if choices.comment_parts == "whole":
        faulty = rows.index[(rows["kind"] == "comment") & rows["reason"].isin([LONG, MISSPELT])]
        rows.loc[rows.index.isin(faulty) & (rows["reason"] == ""), "reason"] = "of a faulty comment"
    if choices.repeats == "once":
        kept = rows[rows["reason"] == ""]
        again = kept.duplicated(["utterance", "rater", "word"]).to_numpy()
        reasons = rows["reason"].to_numpy(copy=True)
        reasons[np.flatnonzero(reasons == "")[again]] = "given twice by this rater"
        rows["reason"] = reasons
    dropped = rows[rows["reason"] != ""].copy()
    dropped["text"] = dropped["word"]
    kept = rows[rows["reason"] == ""]
    return kept[["utterance", "kind", "word"]], pd.concat([others, dropped])[DROPPED.names]


def read_reported(path: Path) -> dict[str, int]:
    """The numbers of distinct targets that the paper reports, by label set."""
    rows = read_table(path, ["table", "row", "column", "value"])
    rows = rows[(rows["table"] == "targets") & (rows["column"] == "distinct targets")]
    return dict(zip(rows["row"], rows["value"].astype(int), strict=True))


def label_word(text: str, choices: LabelSettings) -> str:
    """A label as written -> its noun, in lower case (``Excited`` -> ``excitement``)."""
    word = text.strip().lower()
    noun = choices.nouns.get(word, word)
    return choices.merge.get(noun, noun) if choices.merge_raters else noun


def comment_word(text: str, choices: LabelSettings) -> str:
    """One comment without the white space and punctuation at its ends."""
    word = text.strip(EDGES)
    return word.lower() if choices.lowercase else word


def correctly_spelled(words: Iterable[str], checker: str) -> set[str] | None:
    """The words that an English list holds, looked up in lower case; None: without a list.

    One that is several is looked up as a whole by pyspellchecker.

    Raises:
        InputError: hunspell, or its dictionary, is not there.
    """
    if checker == "none":
        return None
    distinct = set(words)
    lowered = {word.lower() for word in distinct}
    if checker == "hunspell":
        wrong = misspelt_by_hunspell(lowered)
        known = {word for word in lowered if wrong.isdisjoint(re.findall(r"[\w']+", word))}
    else:
        known = english_list().known(lowered)
    return {word for word in distinct if word.lower() in known}


@functools.cache
def english_list() -> Any:
    """The English list of pyspellchecker, which takes a moment to load."""
    from spellchecker import SpellChecker

    return SpellChecker(language="en")


def misspelt_by_hunspell(words: Collection[str]) -> set[str]:
    """What hunspell finds wrong with words: them, or a part of them."""
    if not shutil.which("hunspell"):
        raise InputError("spelling: hunspell: no such program; apt install hunspell hunspell-en-us")
    command = ["hunspell", "-d", "en_US", "-i", "utf-8", "-l"]
    text = "\n".join(sorted(words))
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"spelling: hunspell: {' '.join(done.stderr.split())}")
    return set(done.stdout.split())


def reason_to_drop(
    kind: str,
    role: str,
    source: str,
    word: str,
    choices: LabelSettings,
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
            return LONG
        if known is not None and word not in known:
            return MISSPELT
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
    made_by: LabelSetSettings,
    utterances: pd.DataFrame,
    truth: pd.Series,
    words: pd.DataFrame,
    dropped: pd.DataFrame,
) -> dict[str, object]:
    """Count what came out and what fell out; ``utterances`` are those that take part."""
    folds = utterances.set_index("utterance")["fold"].loc[truth.index].astype(int)
    return {
        "label_set": made_by.label_set,
        # the order of the classes is the order of the baseline's outputs
        "classes": list(made_by.labels.classes or sorted(set(truth))),
        "utterances": len(truth),
        "utterances_by_class": dict(Counter(truth).most_common()),
        "utterances_by_fold": {
            str(f): int(n) for f, n in folds.value_counts().sort_index().items()
        },
        "utterances_with_words": int(words["utterance"].nunique()),
        "words": int(words["count"].sum()),
        "distinct_words": int(words["word"].nunique()),
        "distinct_targets": distinct_targets(words),
        "dropped": dict(Counter(dropped["kind"] + ": " + dropped["reason"]).most_common()),
    }
