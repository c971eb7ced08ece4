"""What predictions and raters are held against: the other raters, or all of them.

How often raters gave each word is a table, one column a word: of each utterance and rater, or of
some raters of an utterance together. What someone says of some rows is a table, too:

- class: the class that is decided on;
- shares: of the classes, float64 [classes]; NaN where there are none;
- vector: float [dim]; no column of what predicts classes;
- near: the ten nearest or most probable words; no column: not asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import ranked_words, words_near
from emoword.evaluation.distributions import brier, jensen_shannon
from emoword.labels.decision import counts_as, decide
from emoword.labels.raters import alpha, shares
from emoword.labels.synonyms import set_precision, set_recall
from emoword.settings import Settings
from emoword.spaces.geometry import cosine
from emoword.spaces.word_space import WordSpace

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Meaning:
    """What words are by the choices of a variant: vectors of its space, and some are classes."""

    space: WordSpace
    classes: list[str]
    chosen: Settings

    def vectors(self, counts: pd.DataFrame) -> Floats:
        """The mean vector of each row's words: float64 [n, dim]."""
        vectors = self.space.vectors_of(counts.columns.to_list()).astype(np.float64)
        found: Floats = shares(counts.to_numpy(np.float64)) @ vectors
        return found

    def shares(self, counts: pd.DataFrame) -> Floats:
        """Each row's shares of the classes: float64 [n, classes]; NaN where no word is one."""
        count_as = counts_as(counts.columns.to_list(), self.classes, self.chosen.labels.merge)
        return shares(counts.to_numpy(np.float64) @ count_as)


class Yardstick:
    """What answers are held against; a row is an utterance, or an utterance without one rater.

    Attributes:
        rows: columns utterance, speaker, fold, true (empty: not decided on); index 0 ... n - 1.
        vectors: the mean vector of the raters' words, float64 [n, dim].
        ranked: their words, the most frequent first.
        shares: their shares of the classes, float64 [n, classes]; NaN where not compared.
    """

    def __init__(self, rows: pd.DataFrame, counts: pd.DataFrame, meaning: Meaning) -> None:
        numbers = counts.to_numpy(np.float64)
        row, column = np.nonzero(numbers)
        long = pd.DataFrame({"utterance": row, "word": counts.columns.to_numpy()[column]})
        long["count"] = numbers[row, column]
        self.rows, self.ranked = rows, list(ranked_words(long, meaning.chosen.table6_ties))
        self.vectors, self.shares = meaning.vectors(counts), meaning.shares(counts)

    @property
    def compared(self) -> NDArray[np.intp]:
        """The rows whose shares are compared."""
        return np.flatnonzero(~np.isnan(self.shares).any(axis=1))

    def scores(self, answers: pd.DataFrame) -> dict[tuple[str, str], Floats]:
        """Each measure that is a mean over rows: (measured on, metric) -> [n]; NaN: not there."""
        true = self.rows["true"].to_numpy()
        found = {("class", "UA"): np.where(true == "", np.nan, answers["class"] == true)}
        if "vector" in answers:
            found["S2", "cosine"] = cosine(np.stack(answers["vector"].to_list()), self.vectors)
        if "near" in answers:
            pairs = list(zip(answers["near"], self.ranked, strict=True))
            for rank in (1, 2):
                hits = [
                    words[rank - 1] in near if len(words) >= rank else np.nan
                    for near, words in pairs
                ]
                found["S2", f"top10_l{rank}"] = np.array(hits, np.float64)
            for name, in_common in (("precision", set_precision), ("recall", set_recall)):
                found["S2", name] = np.array([in_common(near, words) for near, words in pairs])
        there = self.compared
        said = np.stack(answers["shares"].to_list())[there]
        for name, measure in (("JS", jensen_shannon), ("Brier", brier)):
            found["shares", name] = np.full(len(self.rows), np.nan)
            found["shares", name][there] = measure(said, self.shares[there])
        return found


def counted(said: pd.DataFrame) -> pd.DataFrame:
    """How often each rater gave each word: a row an utterance and rater (the index), one or more.

    ``said``: columns utterance, rater, word, one row each time.
    """
    return said.groupby(["utterance", "rater", "word"]).size().unstack(fill_value=0)


def majority(
    counts: pd.DataFrame, classes: Sequence[str], merge: Mapping[str, str]
) -> NDArray[np.str_]:
    """The one most frequent word of each row, if it is a class; else empty: [n]."""
    words = counts.columns.to_list()
    merged = sorted({merge.get(word, word) for word in words})
    sums = counts.to_numpy(np.float64) @ counts_as(words, merged, merge)
    only = (sums == sums.max(axis=1, keepdims=True)).sum(axis=1) == 1
    names = np.array([name if name in classes else "" for name in merged])
    return np.where(only, names[sums.argmax(axis=1)], "")


def answers_of_raters(counts: pd.DataFrame, meaning: Meaning) -> pd.DataFrame:
    """Each rater as a model: the mean vector of his or her words, decided on by equation 5."""
    own, which = np.unique(counts.to_numpy(), axis=0, return_inverse=True)
    distinct = pd.DataFrame(own, columns=counts.columns)
    vectors = meaning.vectors(distinct)
    decided = decide(vectors, meaning.space.vectors_of(meaning.classes))
    listed = words_near([""] * len(own), vectors.astype(np.float32), meaning.space)
    answers = pd.DataFrame(
        {
            "class": np.array(meaning.classes)[decided],
            "shares": list(meaning.shares(distinct)),
            "vector": list(vectors),
            "near": listed.filter(regex="^word ").to_numpy().tolist(),
        }
    )
    return answers.iloc[which.reshape(-1)]


def agreement(counts: pd.DataFrame, speaker_of: pd.Series) -> tuple[float, Floats]:
    """Krippendorff's alpha of the raters' labels, and the same without each speaker.

    A value is all that a rater gave an utterance: who gave two labels agrees with those who gave
    the same two.
    """
    _, values = np.unique(counts.to_numpy(), axis=0, return_inverse=True)
    table = pd.crosstab(counts.index.get_level_values("utterance"), values.reshape(-1))
    _, speakers = np.unique(speaker_of.loc[table.index], return_inverse=True)
    return alpha(table.to_numpy(np.float64), speakers)
