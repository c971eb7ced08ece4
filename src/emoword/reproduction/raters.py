"""Table A6: raters and models, held against the other raters, and models against all of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import Run, read_run
from emoword.evaluation.distributions import calibration
from emoword.evaluation.temperature import class_scores
from emoword.labels.decision import softmax
from emoword.labels.label_sets import rater_words
from emoword.labels.words import read_classes, read_truth
from emoword.layout import Place, read_variant, run_folder
from emoword.reproduction.cells import reach
from emoword.reproduction.yardstick import (
    Meaning,
    Yardstick,
    agreement,
    answers_of_raters,
    counted,
    majority,
)
from emoword.schemas import ANNOTATIONS, DECISIONS, NEAREST, RUN_KEYS, TEMPERATURES, UTTERANCES
from emoword.spaces.word_space import WordSpace
from emoword.statistics.intervals import Model, measure
from emoword.statistics.resampling import Aggregate
from emoword.tables.appended import AGGREGATES, Out, said_of
from emoword.tables.model import Cell, Column, Row, Table, loss_name
from emoword.tables.number_tables import Show, cosine, number_cell, percent
from emoword.tables.word_tables import NO_RATERS
from emoword.training.targets import CLASS_LOSSES, SHARES

RATER = "a rater"
OTHERS, ALL = "Against the other raters, each left out in turn", "Against all raters"
# metric of a yardstick -> column and how it is printed; ECE is no mean over rows
PRINTED: dict[tuple[str, str], tuple[Column, Show]] = {
    ("class", "UA"): (Column("UA"), percent),
    ("S2", "cosine"): (Column("S2 cosine", "cosine", "S2"), cosine),
    ("S2", "top10_l1"): (Column("S2 l1", "l₁", "S2"), percent),
    ("S2", "top10_l2"): (Column("S2 l2", "l₂", "S2"), percent),
    ("S2", "precision"): (Column("S2 precision", "precision", "S2, ten nearest words"), percent),
    ("S2", "recall"): (Column("S2 recall", "recall", "S2, ten nearest words"), percent),
    ("shares", "JS"): (Column("JS", "JS", "shares of the classes"), cosine),
    ("shares", "Brier"): (Column("Brier", "Brier", "shares of the classes"), cosine),
}
ECE = Column("ECE", "ECE", "shares of the classes")
CAPTION = (
    "UA and top-10 accuracy of l₁ and l₂ in per cent; of the ten nearest words, how many are a "
    "word of the raters or a synonym (precision), and of the raters' words, how many are met so "
    "(recall); mean cosine similarity with the raters' mean vector; and how far distributions over "
    "the classes are from the raters' shares: Jensen-Shannon divergence (JS, bits), Brier score, "
    "expected calibration error (ECE)."
)
STUB = (Column("against", words=True, across=True), Column("who", " ", words=True))
Found = dict[str, list[pd.DataFrame]]  # who -> answers (see yardstick), one table a seed


def raters(*variants: Path, out: Out) -> None:
    r"""Make Table A6: what a rater reaches by the measures of the models, and how near these come.

    Each rater of an utterance is left out in turn and held against the others as a model is: the
    mean vector of his or her labels, decided on by equation 5; the truth is the others' one most
    frequent label, if it is a class, and the target their mean vector (S2). The models are scored
    on the same pairs of utterance and rater, and, below, against all raters, as in Tables 1, 3 and
    6. In precision and recall of the ten nearest words a synonym counts (WordNet's; after OV-MER,
    arXiv 2410.01495). Distributions over the classes (softmax with the run's temperature; a rater's
    own labels) are held against the raters' shares. Of the first variant the models of the tables'
    loss and the baseline are shown; of others those that predict classes, or have another loss.

        emoword raters results/demo/variants/paper.json \
            --template paper/templates/table.tex.j2 --csv tableA6.csv --tex tableA6.tex

    Args:
        variants: The variants' files; the first says what raters' labels become.
        out: Where it goes.
    """
    out.write([rater_table([read_variant(path) for path in variants])])


def rater_table(places: Sequence[Place]) -> Table:
    """Table A6 of variants of a dataset; without raters there is none."""
    first = places[0]
    number, title = "A6", "Raters as the yardstick"
    if len(places) > 1:
        number, title = "encodings", "Encodings of labels, and raters as the yardstick"
    chosen = first.variant.settings
    meaning = Meaning(WordSpace.open(first.space), read_classes(first.targets("S1")), chosen)
    said, rows = read_said(first, meaning.space)
    totals = said.groupby(level="utterance").transform("sum")
    rated_again = (totals - said).sum(axis=1) > 0  # by another rater
    if not rated_again.any():
        return Table(number, title, title, missing=NO_RATERS)
    others, answers = left_out(said[rated_again], totals[rated_again], rows, meaning)
    once = ~said.index.get_level_values("utterance").duplicated()
    everyone = Yardstick(rows_of(said[once], rows), totals[once], meaning)
    models = read_answers(places)
    agreed = with_interval(*agreement(said, rows["speaker"]))
    above = scored(others, {RATER: [answers], **looked_up(models, others)}, chosen.aggregate)
    above[RATER]["alpha"] = agreed  # in the CSV alone; it is in the notes
    below = scored(everyone, looked_up(models, everyone), chosen.aggregate)
    lines = [
        Row((name, who), cells)
        for name, part in ((OTHERS, above), (ALL, below))
        for who, cells in part.items()
    ]
    columns = (*(column for column, _ in PRINTED.values()), ECE)
    there = {name for line in lines for name in line.cells}
    kept = tuple(column for column in columns if column.name in there)
    notes = (
        *said_below(others, everyone, chosen.aggregate),
        f"Krippendorff's alpha of the raters' labels: {agreed.text} ({agreed.interval}).",
        *said_of(first.variant),
    )
    return Table(number, title, f"{title}: {CAPTION}", STUB, kept, tuple(lines), notes)


def said_below(others: Yardstick, everyone: Yardstick, aggregate: Aggregate) -> tuple[str, str]:
    """What the rows of the table are of."""
    decided = int((others.rows["true"] != "").sum())
    return (
        f"Above: {len(others.rows)} pairs of an utterance and one of its raters; UA on the "
        f"{decided} whose other raters have one most frequent label that is a class, distributions "
        f"on the {len(others.compared)} where both named classes. Below: {len(everyone.rows)} "
        "utterances. A rater's vector is the mean of his or her labels', so that a model that "
        "predicts the mean of many may come nearer.",
        "Softmax of similarities or logits, with one temperature a run, fitted on its validation "
        f"part. {AGGREGATES[aggregate]} ECE is of all folds pooled. Below each number is its 95% "
        "interval, over speakers.",
    )


def read_said(place: Place, space: WordSpace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each rater's labels, `counted`; and of each utterance that takes part speaker, fold, true."""
    truth = pd.Series(read_truth(place.targets("S1")))
    annotations = ANNOTATIONS.read(place.path("annotations.csv"))
    labels = annotations[annotations["kind"] == "label"]
    words, _ = rater_words(labels, truth, place.variant.settings.labels, space)
    said = counted(words)
    rows = UTTERANCES.read_text(place.path("utterances.csv"), "utterance", "speaker", "fold")
    rows = rows.set_index("utterance")[["speaker", "fold"]]
    return said, rows[rows.index.isin(truth.index)].assign(true=truth)


def rows_of(said: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a yardstick: those of the utterances that were rated."""
    return rows.loc[said.index.get_level_values("utterance")].reset_index()


def left_out(
    said: pd.DataFrame, totals: pd.DataFrame, rows: pd.DataFrame, meaning: Meaning
) -> tuple[Yardstick, pd.DataFrame]:
    """Each pair's other raters as its yardstick, and the rater's own answers."""
    counts, pairs = totals - said, rows_of(said, rows)
    pairs["true"] = majority(counts, meaning.classes, meaning.chosen.labels.merge)
    against, answers = Yardstick(pairs, counts, meaning), answers_of_raters(said, meaning)
    # models are compared where the rater is
    against.shares[np.isnan(np.stack(answers["shares"].to_list())).any(axis=1)] = np.nan
    return against, answers


def read_answers(places: Sequence[Place]) -> Found:
    """What each model says of its test utterances (the index); runs of two variants once."""
    found: Found = {}
    seen: set[str] = set()
    for place in places:
        about, made = place.variant, Made(place)
        same_space = place.space.resolve() == places[0].space.resolve()
        for model in about.models:
            of_tables = model.loss in (about.settings.table_loss, "ce")
            # soft labels of S1 are the class: the baseline at another rate
            hard = model.label_set == "S1" and model.loss in SHARES
            further = place is not places[0] and model.loss in CLASS_LOSSES
            if model.folder in seen or hard or not (of_tables or further):
                continue
            seen.add(model.folder)
            name = f"{model.name} {loss_name(model.loss)}"
            name += f" ({about.name})" if name in found else ""
            found[name] = []
            for seed in about.seeds:
                folds = range(1, about.folds + 1)
                runs = [place.path(run_folder(model.folder, fold, seed)) for fold in folds]
                answers = pd.concat([made.answers(read_run(run)) for run in runs])
                if not same_space:
                    answers = answers.drop(columns="vector", errors="ignore")
                found[name].append(answers)
    return found


class Made:
    """What other stages made of a variant's runs: decisions, nearest words, temperatures."""

    def __init__(self, place: Place) -> None:
        file, run = f"{place.variant.name}.csv", RUN_KEYS[1:]
        decisions = DECISIONS.read_text(place.path("decisions") / file).set_index("utterance")
        near = NEAREST.read_text(place.path("nearest") / file).set_index("utterance")
        temperatures = TEMPERATURES.read_text(place.path("temperatures") / file).set_index(run)
        self.place = place
        self.space = WordSpace.open(place.space)
        self.decided = dict(iter(decisions.groupby(run)["predicted"]))
        self.near = dict(iter(near.groupby(["of", "fold", "seed"])))
        self.temperatures = temperatures["temperature"].astype(float)

    def answers(self, run: Run) -> pd.DataFrame:
        """What a run says of its test utterances."""
        key = tuple(str(run.record[name]) for name in RUN_KEYS[1:])
        model, loss, fold, seed = key
        shares = softmax(class_scores(run, self.space, self.place) / self.temperatures[key])
        answers = pd.DataFrame({"class": self.decided[key].loc[run.utterances]})
        answers["shares"] = list(shares)
        if loss not in CLASS_LOSSES:
            near = self.near[model, fold, seed].loc[run.utterances].filter(regex="^word ")
            answers["near"] = near.to_numpy().tolist()
            answers["vector"] = list(run.predictions)
        return answers


def looked_up(models: Found, against: Yardstick) -> Found:
    """The models' answers in the order of a yardstick's rows."""
    names = against.rows["utterance"]
    return {who: [answers.loc[names] for answers in seeds] for who, seeds in models.items()}


def scored(against: Yardstick, found: Found, fold: str) -> dict[str, dict[str, Cell]]:
    """The cells of each row: means with their intervals, and ECE."""
    there = against.compared
    _, speakers = np.unique(against.rows["speaker"].iloc[there], return_inverse=True)
    table: dict[str, dict[str, Cell]] = {}
    for who, seeds in found.items():
        by_seed = [against.scores(answers) for answers in seeds]
        scores = {on: np.stack([own[on] for own in by_seed]) for on in by_seed[0]}
        kept = {on: own for on, own in scores.items() if not np.isnan(own).all()}
        model = Model(against.rows, kept, tuple(map(str, range(len(seeds)))))
        numbers = measure({who: model})[who]
        table[who] = {
            column.name: number_cell(number.value, show, *number.interval()[:2])
            for on, (column, show) in PRINTED.items()
            if (number := numbers.get((fold, *on)))
        }
        errors = [
            calibration(np.stack(own["shares"].to_list())[there], against.shares[there], speakers)
            for own in seeds
        ]
        value, without = (np.mean(part, axis=0) for part in zip(*errors, strict=True))
        table[who][ECE.name] = with_interval(float(value), without)
    return table


def with_interval(value: float, without: NDArray[np.float64]) -> Cell:
    """A number with its jackknife interval; ``without``: the same without each speaker, [G]."""
    half = reach(np.append(value, without)[None])
    return number_cell(value, cosine, value - half, value + half)
