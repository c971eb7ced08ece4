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
from numpy.typing import NDArray

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
        other = rows.index[~rows["kind"].isin(["label", "comment"])]
        if len(other):
            raise InputError(f"{annotations}: line {other[0] + 2}: kind is label or comment")
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
    """The utterances that take part, utterance -> class; the others, as rows of dropped.csv.

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
        wanted = ", ".join(empty) or "(any)"
        raise InputError(f"no utterance has the label {wanted}; found: {found}")
    reasons = ("ground truth " + labels + " is no class").where(labels != "", "no majority label")
    rows = utterances.assign(kind="utterance", text=utterances["label"], reason=reasons)
    return truth, rows.assign(rater="", file="", line="")[~taken][DROPPED.names]


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
        Columns utterance, kind (label or comment), word, rater; and rows of dropped.csv.

    Raises:
        InputError: labels that the space lacks, unless these are to be dropped.
    """
    takes_part = annotations["utterance"].isin(truth.index)
    others = annotations[~takes_part].assign(reason="of an utterance that takes no part")
    rows = annotations[takes_part].reset_index(names="written")
    labels, comments = rows[rows["kind"] == "label"], rows[rows["kind"] == "comment"]
    labels = labels.assign(word=[label_word(text, choices) for text in labels["text"]])
    # a comment's line may hold several words, separated by commas
    comments = comments.assign(word=comments["text"].str.split(",")).explode("word")
    comments = comments.assign(word=[comment_word(text, choices) for text in comments["word"]])
    rows = pd.concat([labels, comments], ignore_index=True)
    rows["reason"] = reasons_to_drop(rows, choices, space)
    lacking = rows["word"][(rows["reason"] == NOT_IN_SPACE) & (rows["kind"] == "label")]
    if len(lacking) and choices.missing_words == "error":
        raise InputError(
            f"raters' labels that the word space lacks: {', '.join(sorted(set(lacking)))}; give "
            "their nouns (labels: nouns), or set labels: missing_words: drop"
        )
    if choices.comment_parts == "whole":
        faulty = rows["written"][rows["reason"].isin([LONG, MISSPELT])]
        rest = rows["written"].isin(faulty) & (rows["reason"] == "")
        rows.loc[rest, "reason"] = "of a faulty comment"
    if choices.repeats == "once":
        again = rows[rows["reason"] == ""].duplicated(["utterance", "rater", "word"])
        rows.loc[again.index[again], "reason"] = "given twice by this rater"
    kept = rows["reason"] == ""
    dropped = pd.concat([others, rows.assign(text=rows["word"])[~kept]])
    return rows[kept][["utterance", "kind", "word", "rater"]], dropped[DROPPED.names]


def reasons_to_drop(
    rows: pd.DataFrame, choices: LabelSettings, space: WordSpace
) -> NDArray[np.str_]:
    """Why each label or comment (role, kind, source, word) is left out; empty: it is kept."""
    word, comment = rows["word"], rows["kind"] == "comment"
    in_space = {one for one in set(word) if one in space}
    reasons = {  # the first that holds is said
        "self report": (rows["role"] == "self") & (not choices.self_reports),
        "label that is left out": ~comment & word.isin(choices.drop),
        **{
            f"comment on a line of kind {source}": comment & (rows["source"] == source)
            for source in sorted(set(rows["source"]).difference(choices.comments))
        },
        "empty comment": comment & (word == ""),
        LONG: comment & (word.map(lambda text: len(text.split())) > 1),
        MISSPELT: comment & ~word.isin(correctly_spelled(word[comment], choices.spelling)),
        NOT_IN_SPACE: ~word.isin(in_space),
    }
    return np.select(list(reasons.values()), list(reasons), default="")


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


def correctly_spelled(words: Iterable[str], checker: str) -> set[str]:
    """The words that an English list holds, looked up in lower case; without a list, all.

    One that is several is looked up as a whole by pyspellchecker.

    Raises:
        InputError: hunspell, or its dictionary, is not there.
    """
    distinct = set(words)
    if checker == "none" or not distinct:
        return distinct
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


def multiset(words: pd.DataFrame) -> pd.DataFrame:
    """Count the words of each utterance: columns utterance, word, count, sorted."""
    return words.groupby(["utterance", "word"]).size().reset_index(name="count")


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
        "utterances_by_fold": {str(fold): n for fold, n in sorted(Counter(folds).items())},
        "utterances_with_words": int(words["utterance"].nunique()),
        "words": int(words["count"].sum()),
        "distinct_words": int(words["word"].nunique()),
        "distinct_targets": distinct_targets(words),
        "dropped": dict(Counter(dropped["kind"] + ": " + dropped["reason"]).most_common()),
    }
