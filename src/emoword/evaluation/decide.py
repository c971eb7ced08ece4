"""Decide on each test utterance, and measure how near each prediction came."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.files import read_json, write_table
from emoword.labels.decision import decide as decide_by_cosine
from emoword.labels.decision import decide_by_words
from emoword.labels.encoding import encode
from emoword.labels.words import read_label_sets
from emoword.layout import Place, read_variant
from emoword.schemas import CONSTANT, NEAREST, RUN_KEYS, SPLIT
from emoword.settings import LabelSet, Settings
from emoword.spaces.geometry import cosine
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.training.targets import CLASS_LOSSES

RANKED_SETS: tuple[LabelSet, ...] = ("S2", "S3")  # S1 has one word an utterance: nothing to rank
LISTED = 10


@dataclass(frozen=True)
class Run:
    """What ``emoword train`` left: its record, its test utterances and their predictions."""

    record: dict[str, Any]
    utterances: list[str]
    predictions: NDArray[np.float32]


def read_run(folder: Path) -> Run:
    """Read a run's record and predictions.

    Raises:
        InputError: files are missing or disagree.
    """
    record, utterances = read_json(folder / "run.json"), read_parts(folder).get("test", [])
    path = folder / "predictions.npy"
    try:
        predictions = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if len(predictions) != len(utterances):
        raise InputError(
            f"{path}: {len(predictions)} predictions for {len(utterances)} test utterances"
        )
    return Run(record, utterances, predictions)


def read_parts(folder: Path) -> dict[str, list[str]]:
    """The utterances of a run by part: train, validation, test, and what it leaves out."""
    split = SPLIT.read(folder / "split.csv")
    return {str(part): list(own) for part, own in split.groupby("part")["utterance"]}


def decide(variant: Path, /, *, out: Path, nearest: Path) -> None:
    r"""Decide on each test utterance, and measure how near each prediction came.

    Reads the predictions of all runs of a variant and writes OUT, one row a run and test utterance:
    the true and the predicted class (largest cosine similarity with the class's word vector,
    equation 5; the most probable where a run predicts classes or words), the cosine similarity of
    prediction and target in S1, S2 and S3 (Table 3), and whether the most (l1) and second most
    frequent word (l2) of its S2 and S3 targets are among the ten words nearest to the prediction
    (Table 6; 1, 0, or empty where there is no such word; of soft_words, among the ten most probable
    words, if it has more than ten). Everything in metrics.csv is counted from these rows. NEAREST
    has the ten words themselves with their cosine similarities, one row a vector: of each
    prediction of the loss that the tables show, and of each test utterance's target (of S1, S2 or
    S3; these have no fold or seed).

        emoword decide results/demo/variants/paper.json --out decisions.csv --nearest nearest.csv

    Args:
        variant: The variant's file: its settings, and where its runs, label sets and space lie.
        out: decisions.csv.
        nearest: nearest.csv.
    """
    place = read_variant(variant)
    judge = Judge.of(place)
    tables, near_tables = [], []
    for run in map(read_run, place.runs()):
        near = judge.nearest(run)
        tables.append(judge.decisions(run, near))
        if near is not None:
            own = run.record
            near_tables.append(near.assign(of=own["model"], fold=own["fold"], seed=own["seed"]))
    decisions = pd.concat(tables)
    write_table(decisions, out)
    for name, words in judge.targets.items():
        has_words = decisions["utterance"].isin(words["utterance"])
        tested = list(decisions["utterance"][has_words].unique())
        near = words_near(tested, encode(words, tested, judge.space), judge.space)
        near_tables.append(near.assign(of=name, fold="", seed=""))
    listed = pd.concat(near_tables).assign(variant=judge.variant)
    write_table(listed[[name for name in NEAREST.names if name in listed]], nearest)


@dataclass(frozen=True)
class Judge:
    """What predictions are held against: the truth, the label sets, the word space."""

    variant: str
    chosen: Settings
    space: WordSpace
    truth: pd.Series
    targets: dict[LabelSet, pd.DataFrame]
    ranked: dict[LabelSet, pd.Series]

    @classmethod
    def of(cls, place: Place) -> "Judge":
        """From the files of a variant."""
        chosen = place.variant.settings
        sets = read_label_sets(place)
        return cls(
            place.variant.name,
            chosen,
            WordSpace.open(place.space),
            sets["S1"].set_index("utterance")["word"],
            sets,
            {s: ranked_words(sets[s], chosen.table6_ties) for s in RANKED_SETS if s in sets},
        )

    def nearest(self, run: Run) -> pd.DataFrame | None:
        """The words nearest to each prediction; None of a run whose words nobody asks for."""
        loss = run.record["loss"]
        if loss in CLASS_LOSSES or loss not in (self.chosen.table_loss, CONSTANT):
            return None
        return words_near(run.utterances, run.predictions, self.space)

    def chosen_class(self, run: Run, classes: Sequence[str]) -> list[str]:
        """What each prediction is taken for, among these classes."""
        if run.record["loss"] in CLASS_LOSSES:
            outputs = run.record.get("outputs", run.record["classes"])
            merge = self.chosen.labels.merge
            chosen = decide_by_words(run.predictions, outputs, classes, merge)
        else:
            vectors = self.space.vectors_of(classes)
            chosen = decide_by_cosine(run.predictions, vectors, self.chosen.decision)
        return [classes[i] for i in chosen]

    def rows(self, run: Run) -> pd.DataFrame:
        """A row a test utterance of a run: RUN_KEYS, collapsed (0 or 1), utterance, true."""
        record = {**run.record, "variant": self.variant, "collapsed": int(run.record["collapsed"])}
        keys = {name: [record[name]] * len(run.utterances) for name in (*RUN_KEYS, "collapsed")}
        true = self.truth.reindex(run.utterances).to_numpy()
        return pd.DataFrame({**keys, "utterance": run.utterances, "true": true})

    def decisions(self, run: Run, near: pd.DataFrame | None = None) -> pd.DataFrame:
        """The rows of decisions.csv of one run; ``near`` is its `nearest`, if it is known."""
        table = self.rows(run)
        table["predicted"] = self.chosen_class(run, run.record["classes"])
        listed: list[list[str]] = []
        if run.record["loss"] in CLASS_LOSSES:
            listed = words_said(run)
        else:
            for name, words in self.targets.items():
                table[f"cosine_{name}"] = similarities(run, words, self.space)
            near = self.nearest(run) if near is None and self.ranked else near
            if near is not None:
                listed = near.filter(regex="^word ").to_numpy().tolist()
        missing = 0 if self.chosen.table6_missing_l2 == "miss" else None
        for name, ranked in self.ranked.items() if listed else ():
            own: list[Any] = [ranked.get(utterance, ()) for utterance in run.utterances]
            for rank in (1, 2):
                table[f"{name}_l{rank}"] = [
                    hit(words, rank, ten, missing) for words, ten in zip(own, listed, strict=True)
                ]
        return table


def words_said(run: Run) -> list[list[str]]:
    """The ten most probable words of a run of soft_words; none if it has ten: all are listed."""
    words = run.record.get("outputs", ())
    if run.record["loss"] != "soft_words" or len(words) <= LISTED:
        return []
    order = np.argsort(-run.predictions, axis=1, kind="stable")[:, :LISTED]  # of equals the first
    return [[words[i] for i in row] for row in order]


def similarities(run: Run, targets: pd.DataFrame, space: WordSpace) -> NDArray[np.float64]:
    """Cosine similarity of prediction and target, float64 [n]; NaN where there is no target."""
    has_words = np.isin(run.utterances, targets["utterance"])
    values = np.full(len(run.utterances), np.nan)
    wanted = list(compress(run.utterances, has_words))
    values[has_words] = cosine(run.predictions[has_words], encode(targets, wanted, space))
    return values.round(9)


def words_near(
    utterances: Sequence[str], vectors: NDArray[np.float32], space: WordSpace
) -> pd.DataFrame:
    """Each vector's ten nearest words: columns utterance, word 1, similarity 1, word 2, ...

    Equal vectors are searched for once.
    """
    distinct, which = np.unique(vectors, axis=0, return_inverse=True)
    which = which.ravel()  # numpy 2.0.0 gives a column
    indices, similarities = nearest_words(space, distinct, LISTED)
    table: dict[str, Any] = {"utterance": utterances}
    for rank in range(indices.shape[1]):
        words = [space.word(i) for i in indices[:, rank]]
        table[f"word {rank + 1}"] = [words[i] for i in which]
        table[f"similarity {rank + 1}"] = similarities[which, rank].round(6)
    return pd.DataFrame(table)


def hit(words: Sequence[str], rank: int, near: Sequence[str], missing: int | None) -> int | None:
    """Whether an utterance's word of that rank (1 or 2) is among those near: 1, 0.

    ``missing`` where it has words, but none of that rank; None where it has none.
    """
    if len(words) >= rank:
        return int(words[rank - 1] in near)
    return missing if words else None


def ranked_words(targets: pd.DataFrame, ties: str = "frequent") -> pd.Series:
    """Each utterance's words, most frequent first: utterance -> tuple of words (l1, l2, ...).

    The paper gives no rule for ties within an utterance. They go to the word that is named more
    often in the whole label set (``rare``: less often; ``alphabet``: either), then to the alphabet.
    """
    overall = targets.groupby("word")["count"].sum().rename("overall")
    overall *= {"frequent": 1, "rare": -1, "alphabet": 0}[ties]
    ordered = targets.join(overall, on="word").sort_values(
        ["utterance", "count", "overall", "word"], ascending=[True, False, False, True]
    )
    return ordered.groupby("utterance")["word"].agg(tuple)
