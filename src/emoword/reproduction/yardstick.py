"""What predictions and raters are held against: the other raters, or all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
Near = Sequence[Sequence[str]]
Scores = dict[tuple[str, str], Floats]


class Answers(NamedTuple):
    """What someone says of some rows; a model's are looked up by utterance.

    Attributes:
        classes: the class of each row, [n].
        vectors: float [n, dim]; None of what predicts classes.
        near: the ten nearest or most probable words of each; none: not asked.
        shares: of the classes, [n, classes]; NaN where there are none.
    """

    classes: NDArray[np.str_]
    vectors: NDArray[np.floating] | None
    near: Near
    shares: Floats

    def take(self, rows: NDArray[np.intp]) -> "Answers":
        """Those of some rows."""
        vectors = None if self.vectors is None else self.vectors[rows]
        near = [self.near[i] for i in rows] if self.near else ()
        return Answers(self.classes[rows], vectors, near, self.shares[rows])


@dataclass(frozen=True)
class Yardstick:
    """What answers are held against; a row is an utterance, or an utterance without one rater.

    Attributes:
        rows: columns utterance, speaker, fold, true (empty: not decided on); index 0 ... n - 1.
        vectors: the mean vector of the raters' words, float64 [n, dim].
        ranked: their words, the most frequent first.
        shares: their shares of the classes, float64 [n, classes]; NaN where not compared.
    """

    rows: pd.DataFrame
    vectors: Floats
    ranked: Sequence[Sequence[str]]
    shares: Floats

    @property
    def compared(self) -> NDArray[np.intp]:
        """The rows whose shares are compared."""
        return np.flatnonzero(~np.isnan(self.shares).any(axis=1))

    def scores(self, answers: Answers) -> Scores:
        """Each measure that is a mean over rows: (measured on, metric) -> [n]; NaN: not there."""
        true = self.rows["true"].to_numpy()
        found = {("class", "UA"): np.where(true == "", np.nan, answers.classes == true)}
        if answers.vectors is not None:
            found["S2", "cosine"] = cosine(answers.vectors, self.vectors)
        for rank in (1, 2) if answers.near else ():
            found["S2", f"top10_l{rank}"] = np.array(
                [
                    float(words[rank - 1] in near) if len(words) >= rank else np.nan
                    for words, near in zip(self.ranked, answers.near, strict=True)
                ]
            )
        for name, in_common in (("precision", set_precision), ("recall", set_recall)):
            if answers.near:
                pairs = zip(answers.near, self.ranked, strict=True)
                found["S2", name] = np.array([in_common(near, words) for near, words in pairs])
        there = self.compared
        for name, measure in (("JS", jensen_shannon), ("Brier", brier)):
            values = np.full(len(self.rows), np.nan)
            values[there] = measure(answers.shares[there], self.shares[there])
            found["shares", name] = values
        return found


@dataclass(frozen=True)
class Said:
    """How often each rater gave each word to each utterance, by the choices of a variant.

    Attributes:
        pairs: columns utterance, rater; index 0 ... n - 1.
        counts: float64 [n, words].
        words: of the columns.
    """

    pairs: pd.DataFrame
    counts: Floats
    words: list[str]

    @classmethod
    def of(cls, said: pd.DataFrame) -> "Said":
        """From columns utterance, rater, word, one row each time."""
        table = said.groupby(["utterance", "rater", "word"]).size().unstack(fill_value=0)
        pairs = table.index.to_frame(index=False)
        return cls(pairs, table.to_numpy(np.float64), [str(word) for word in table.columns])

    def totals(self) -> Floats:
        """Of all raters of each pair's utterance, [n, words]."""
        counts = pd.DataFrame(self.counts)
        sums: Floats = counts.groupby(self.pairs["utterance"]).transform("sum").to_numpy()
        return sums

    def rated_by_others(self) -> "Said":
        """The pairs whose utterance another rater gave words to."""
        kept = np.flatnonzero((self.totals() - self.counts).sum(axis=1) > 0)
        return Said(self.pairs.iloc[kept].reset_index(drop=True), self.counts[kept], self.words)


def yardstick(
    rows: pd.DataFrame,
    counts: Floats,
    words: Sequence[str],
    classes: Sequence[str],
    space: WordSpace,
    chosen: Settings,
) -> Yardstick:
    """The means, ranks and shares of words that were counted, [n, words], for some rows."""
    vectors = shares(counts) @ space.vectors_of(list(words)).astype(np.float64)
    row, column = np.nonzero(counts)
    long = pd.DataFrame({"utterance": row, "word": np.array(words)[column]})
    ranked = ranked_words(long.assign(count=counts[row, column]), chosen.table6_ties)
    of_classes = counts @ counts_as(words, classes, chosen.labels.merge)
    return Yardstick(rows, vectors, list(ranked), shares(of_classes))


def majority(
    counts: Floats, words: Sequence[str], classes: Sequence[str], merge: Mapping[str, str]
) -> NDArray[np.str_]:
    """The one most frequent word of each row, if it is a class; else empty: [n]."""
    merged = sorted({merge.get(word, word) for word in words})
    sums = counts @ counts_as(words, merged, merge)
    only = (sums == sums.max(axis=1, keepdims=True)).sum(axis=1) == 1
    names = np.array([name if name in classes else "" for name in merged])
    return np.where(only, names[sums.argmax(axis=1)], "")


def answers_of_raters(
    said: Said, classes: Sequence[str], space: WordSpace, chosen: Settings
) -> Answers:
    """Each rater as a model: the mean vector of his or her words, decided on by equation 5."""
    own, which = np.unique(said.counts, axis=0, return_inverse=True)
    which = which.reshape(-1)
    vectors = shares(own) @ space.vectors_of(said.words).astype(np.float64)
    decided = np.array(classes)[decide(vectors, space.vectors_of(list(classes)))]
    listed = words_near([str(i) for i in range(len(own))], vectors.astype(np.float32), space)
    near = listed.filter(regex="^word ").to_numpy().tolist()
    of_classes = own @ counts_as(said.words, classes, chosen.labels.merge)
    return Answers(decided, vectors, near, shares(of_classes)).take(which)


def agreement(said: Said, speaker_of: pd.Series) -> tuple[float, Floats]:
    """Krippendorff's alpha of the raters' labels, and the same without each speaker.

    A value is all that a rater gave an utterance: who gave two labels agrees with those who gave
    the same two.
    """
    _, values = np.unique(said.counts, axis=0, return_inverse=True)
    table = pd.crosstab(said.pairs["utterance"], values.reshape(-1))
    _, speakers = np.unique(speaker_of.loc[table.index], return_inverse=True)
    return alpha(table.to_numpy(np.float64), speakers)
