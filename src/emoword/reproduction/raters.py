"""Table A6: raters and models, held against the other raters, and models against all of them."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from msgspec.structs import replace
from numpy.typing import NDArray

from emoword.evaluation.decide import Run, read_run
from emoword.evaluation.distributions import calibration
from emoword.evaluation.temperature import class_scores
from emoword.labels.decision import softmax
from emoword.labels.label_sets import rater_words
from emoword.labels.words import read_classes, read_truth
from emoword.layout import Place, read_variant, run_folder
from emoword.reproduction.yardstick import (
    Answers,
    Said,
    Yardstick,
    agreement,
    answers_of_raters,
    majority,
    yardstick,
)
from emoword.schemas import ANNOTATIONS, DECISIONS, NEAREST, RUN_KEYS, TEMPERATURES, UTTERANCES
from emoword.spaces.word_space import WordSpace
from emoword.statistics.intervals import Key, Measured, Model, Where, measure
from emoword.statistics.resampling import Aggregate, half_width, over_speakers
from emoword.tables.appended import AGGREGATES, Out, said_of
from emoword.tables.model import Cell, Column, Row, Table, frame, loss_name
from emoword.tables.number_tables import Show, cosine, interval_cell, percent
from emoword.tables.word_tables import NO_RATERS
from emoword.training.targets import CLASS_LOSSES, SHARES

RATER = "a rater"
OTHERS, ALL = "Against the other raters, each left out in turn", "Against all raters"
# metric of a yardstick -> column and how it is printed; ECE and alpha are no means over rows
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
ECE, ALPHA = Column("ECE", "ECE", "shares of the classes"), Column("alpha")
CAPTION = (
    "UA and top-10 accuracy of l₁ and l₂ in per cent; of the ten nearest words, how many are a "
    "word of the raters or a synonym (precision), and of the raters' words, how many are met so "
    "(recall); mean cosine similarity with the raters' mean vector; and how far distributions over "
    "the classes are from the raters' shares: Jensen-Shannon divergence (JS, bits), Brier score, "
    "expected calibration error (ECE)."
)
STUB = (Column("against", words=True, across=True), Column("who", " ", words=True))
T = TypeVar("T")
Heard = dict[str, list[tuple[list[str], Answers]]]  # who -> test utterances and answers, one a seed
Found = dict[str, list[Answers]]  # who -> their answers, one a seed, in the order of the rows


def raters(*variants: Path, out: Out) -> None:
    r"""Make Table A6: what a rater reaches by the measures of the models, and how near these come.

    Each rater of an utterance is left out in turn and held against the others as a model is: the
    mean vector of his or her labels, decided on by equation 5; the truth is the others' one most
    frequent label, if it is a class, and the target their mean vector (S2). The models are scored
    on the same pairs of utterance and rater, and, below, against all raters, as in Tables 1, 3 and
    6. Precision and recall are of sets of words, the ten nearest and the raters', where a synonym
    counts (WordNet's; after OV-MER, arXiv 2410.01495). Distributions over the classes (softmax with
    the run's temperature; a rater's own labels) are held against the raters' shares: Jensen-Shannon
    divergence (bits), Brier score, expected calibration error. alpha is Krippendorff's, of the
    raters' labels. Below each number is its 95% interval over speakers. Of the first variant the
    models of the tables' loss and the baseline are shown; of others those that predict classes, or
    have another tables' loss.

        emoword raters results/demo/variants/paper.json \
            --template paper/templates/table.tex.j2 --csv tableA6.csv --tex tableA6.tex

    Args:
        variants: The variants' files; the first says what raters' labels become.
        out: Where it goes.
    """
    table = rater_table([read_variant(path) for path in variants])
    columns = tuple(column for column in table.columns if column is not ALPHA)  # it is in the notes
    out.write([replace(table, columns=columns)], frame(table))


def rater_table(places: Sequence[Place]) -> Table:
    """Table A6 of variants of a dataset; without raters there is none."""
    first = places[0]
    number, title = "A6", "Raters as the yardstick"
    if len(places) > 1:
        number, title = "encodings", "Encodings of labels, and raters as the yardstick"
    chosen = first.variant.settings
    said, rows = read_said(first)
    compared = said.rated_by_others()
    if compared.pairs.empty:
        return Table(number, title, title, missing=NO_RATERS)
    space, classes = WordSpace.open(first.space), read_classes(first.targets("S1"))
    others, answers = left_out(compared, rows, classes, space, first)
    everyone = all_raters(said, rows, classes, space, first)
    models = read_answers(places)
    agreed = with_interval(*agreement(said, rows.set_index("utterance")["speaker"]), cosine)
    parts = (
        (OTHERS, others, {RATER: [answers], **looked_up(models, others)}),
        (ALL, everyone, looked_up(models, everyone)),
    )
    lines = [
        Row((name, who), {**cells, **({ALPHA.name: agreed} if who == RATER else {})})
        for name, against, found in parts
        for who, cells in scored(against, found, chosen.aggregate).items()
    ]
    there = {name for line in lines for name in line.cells}
    columns = (*(column for column, _ in PRINTED.values()), ECE, ALPHA)
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


def read_said(place: Place) -> tuple[Said, pd.DataFrame]:
    """Each rater's labels; and the utterances that take part: utterance, speaker, fold, true."""
    truth = pd.Series(read_truth(place.targets("S1")))
    rows = UTTERANCES.read_text(place.path("utterances.csv"), "utterance", "speaker", "fold")
    rows = rows[rows["utterance"].isin(truth.index)].reset_index(drop=True)
    rows["true"] = rows["utterance"].map(truth)
    annotations = ANNOTATIONS.read(place.path("annotations.csv"))
    labels = annotations[annotations["kind"] == "label"]
    words, _ = rater_words(
        labels, truth, place.variant.settings.labels, WordSpace.open(place.space)
    )
    return Said.of(words), rows


def left_out(
    said: Said, rows: pd.DataFrame, classes: Sequence[str], space: WordSpace, place: Place
) -> tuple[Yardstick, Answers]:
    """Each pair's other raters as its yardstick, and the rater's own answers."""
    chosen = place.variant.settings
    counts = said.totals() - said.counts
    pairs = said.pairs[["utterance"]].merge(rows.drop(columns="true"), on="utterance", how="left")
    pairs["true"] = majority(counts, said.words, classes, chosen.labels.merge)
    answers = answers_of_raters(said, classes, space, chosen)
    against = yardstick(pairs, counts, said.words, classes, space, chosen)
    # models are compared where the rater is
    against.shares[np.isnan(answers.shares).any(axis=1)] = np.nan
    return against, answers


def all_raters(
    said: Said, rows: pd.DataFrame, classes: Sequence[str], space: WordSpace, place: Place
) -> Yardstick:
    """All raters of each utterance as its yardstick; what nobody rated is left out."""
    once = ~said.pairs["utterance"].duplicated().to_numpy()
    rated = said.pairs[["utterance"]][once].merge(rows, on="utterance", how="left")
    counts = said.totals()[once]
    return yardstick(rated, counts, said.words, classes, space, place.variant.settings)


def read_answers(places: Sequence[Place]) -> Heard:
    """What each model says of its test utterances; runs of two variants once."""
    found: Heard = {}
    seen: set[str] = set()
    for place in places:
        about = place.variant
        known = Known.of(place)
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
            folds = range(1, about.folds + 1)
            found[name] = [
                known.answers(
                    [place.path(run_folder(model.folder, fold, seed)) for fold in folds], same_space
                )
                for seed in about.seeds
            ]
    return found


@dataclass(frozen=True)
class Known:
    """What other stages found of a variant's runs: decisions, nearest words, temperatures."""

    place: Place
    space: WordSpace
    decided: Mapping[Hashable, str]
    near: Mapping[Hashable, list[str]]
    temperatures: Mapping[Hashable, float]

    @classmethod
    def of(cls, place: Place) -> "Known":
        """Read the files of a variant."""
        file = f"{place.variant.name}.csv"
        run = RUN_KEYS[1:]
        decided = DECISIONS.read_text(
            place.path("decisions") / file, *run, "utterance", "predicted"
        )
        near = NEAREST.read_text(place.path("nearest") / file)
        words = near.filter(regex="^word ")
        temperatures = TEMPERATURES.read(place.path("temperatures") / file)
        return cls(
            place,
            WordSpace.open(place.space),
            by_keys(decided, [*run, "utterance"], decided["predicted"]),
            by_keys(near, ["of", "fold", "seed", "utterance"], words.to_numpy().tolist()),
            by_keys(temperatures, run, temperatures["temperature"]),
        )

    def answers(self, folders: Sequence[Path], same_space: bool) -> tuple[list[str], Answers]:
        """The test utterances of a seed's runs, and what the model says of them."""
        runs = [read_run(folder) for folder in folders]
        names = [name for run in runs for name in run.utterances]
        parts = [self.of_run(run) for run in runs]
        vectors = [part.vectors for part in parts if part.vectors is not None]
        return names, Answers(
            np.concatenate([part.classes for part in parts]),
            np.concatenate(vectors) if vectors and same_space else None,
            [near for part in parts for near in part.near],
            np.concatenate([part.shares for part in parts]),
        )

    def of_run(self, run: Run) -> Answers:
        """What a run says of its test utterances."""
        model, loss, fold, seed = (str(run.record[key]) for key in RUN_KEYS[1:])
        decided = [self.decided[model, loss, fold, seed, name] for name in run.utterances]
        of_words = loss not in CLASS_LOSSES
        near = [self.near[model, fold, seed, name] for name in run.utterances] if of_words else ()
        scores = class_scores(run, self.space, self.place)
        said = softmax(scores / self.temperatures[model, loss, fold, seed])
        return Answers(np.array(decided), run.predictions if of_words else None, near, said)


def by_keys(table: pd.DataFrame, keys: Sequence[str], values: Iterable[T]) -> dict[Hashable, T]:
    """The values by the cells that name their rows, as strings."""
    named = table[list(keys)].astype(str).itertuples(index=False, name=None)
    return dict(zip(named, values, strict=True))


def looked_up(models: Heard, against: Yardstick) -> Found:
    """The models' answers in the order of a yardstick's rows."""

    def ordered(names: list[str], answers: Answers) -> Answers:
        row = {name: i for i, name in enumerate(names)}
        return answers.take(np.array([row[name] for name in against.rows["utterance"]]))

    return {who: [ordered(*one) for one in seeds] for who, seeds in models.items()}


def scored(against: Yardstick, found: Found, fold: str) -> dict[str, dict[str, Cell]]:
    """The cells of each row: means with their intervals, and ECE."""
    models: dict[Key, Model] = {}
    for who, seeds in found.items():
        by_seed = [against.scores(answers) for answers in seeds]
        scores = {on: np.stack([own[on] for own in by_seed]) for on in by_seed[0]}
        kept = {on: own for on, own in scores.items() if not np.isnan(own).all()}
        models["", who, ""] = Model(against.rows, kept, tuple(map(str, range(len(seeds)))))
    _, speakers = np.unique(against.rows["speaker"].iloc[against.compared], return_inverse=True)
    table: dict[str, dict[str, Cell]] = {}
    for (_, who, _), numbers in measure(models).items():
        table[who] = means(numbers, fold)
        errors = [
            calibration(own.shares[against.compared], against.shares[against.compared], speakers)
            for own in found[who]
        ]
        table[who][ECE.name] = with_interval(
            float(np.mean([value for value, _ in errors])),
            np.mean([without for _, without in errors], axis=0),
            cosine,
        )
    return table


def means(numbers: Mapping[Where, Measured], fold: str) -> dict[str, Cell]:
    """Cells of the metrics that are means over rows."""
    there = {on: printed for on, printed in PRINTED.items() if (fold, *on) in numbers}
    cells = {}
    for on, (column, show) in there.items():
        found = numbers[(fold, *on)]
        cells[column.name] = interval_cell(found.value, *found.interval()[:2], show)
    return cells


def with_interval(value: float, without: NDArray[np.float64], show: Show) -> Cell:
    """A number with its jackknife interval; ``without``: the same without each speaker, [G]."""
    count = len(without)
    reach = half_width(over_speakers((count * value - (count - 1) * without)[None]))
    return interval_cell(value, value - reach, value + reach, show)
