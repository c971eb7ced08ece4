"""Table A6: raters and models, held against the other raters, and models against all of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import Run, read_run, words_said
from emoword.evaluation.distributions import calibration
from emoword.evaluation.temperature import class_scores
from emoword.io.files import write_table
from emoword.labels.decision import softmax
from emoword.labels.raters import words_by_rater
from emoword.labels.words import read_classes, read_truth
from emoword.layout import Place, read_variant
from emoword.reproduction.yardstick import (
    Answers,
    Said,
    Yardstick,
    agreement,
    answers_of_raters,
    codes_of,
    majority,
    yardstick,
)
from emoword.schemas import ANNOTATIONS, DECISIONS, NEAREST, RUN_KEYS, TEMPERATURES, UTTERANCES
from emoword.spaces.word_space import WordSpace
from emoword.statistics.intervals import Key, Measured, Model, Where, measure
from emoword.statistics.resampling import half_width, over_speakers
from emoword.tables import number_tables
from emoword.tables.latex import render_tables, write_latex
from emoword.tables.model import Cell, Column, Row, Table, frame, loss_name
from emoword.tables.number_tables import Show, cosine, number_cell, percent
from emoword.tables.paper_tables import AGGREGATES, SYNTHETIC
from emoword.tables.word_tables import NO_RATERS
from emoword.training.targets import CLASS_LOSSES

RATER = "a rater"
OTHERS, ALL = "Against the other raters, each left out in turn", "Against all raters"
# metric of a yardstick -> column and how it is printed; ECE and alpha are no means over rows
PRINTED: dict[tuple[str, str], tuple[Column, Show]] = {
    ("class", "UA"): (Column("UA"), percent),
    ("S2", "cosine"): (Column("S2 cosine", "cosine", "S2"), cosine),
    ("S2", "top10_l1"): (Column("S2 l1", "l₁", "S2"), percent),
    ("S2", "top10_l2"): (Column("S2 l2", "l₂", "S2"), percent),
    ("shares", "JS"): (Column("JS", "JS", "shares of the classes"), cosine),
    ("shares", "Brier"): (Column("Brier", "Brier", "shares of the classes"), cosine),
}
ECE, ALPHA = Column("ECE", "ECE", "shares of the classes"), Column("alpha")
STUB = (Column("against", words=True, across=True), Column("who", " ", words=True))
Found = dict[str, list[Answers]]  # who -> their answers, one a seed, in the order of the rows


def raters(*variants: Path, template: Path, csv: Path, tex: Path) -> None:
    r"""Make Table A6: what a rater reaches by the measures of the models, and how near these come.

    Each rater of an utterance is left out in turn and held against the others as a model is: the
    mean vector of his or her labels, decided on by equation 5; the truth is the others' one most
    frequent label, if it is a class, and the target their mean vector (S2). The models are scored
    on the same pairs of utterance and rater, and, below, against all raters, as in Tables 1, 3 and
    6. Distributions over the classes (softmax with the run's temperature; a rater's own labels) are
    held against the raters' shares: Jensen-Shannon divergence (bits), Brier score, expected
    calibration error. alpha is Krippendorff's, of the raters' labels. Below each number is its 95%
    interval over speakers. Of the first variant the models of the tables' loss and the baseline are
    shown; of others those that it has not got.

        emoword raters results/demo/variants/paper.json \
            --template paper/templates/table.tex.j2 --csv tableA6.csv --tex tableA6.tex

    Args:
        variants: The variants' files; the first says what raters' labels become.
        template: paper/templates/table.tex.j2.
        csv: The table as CSV.
        tex: The table as LaTeX.
    """
    table = rater_table([read_variant(path) for path in variants])
    write_table(frame(table), csv)
    write_latex(render_tables(template, [table]), tex)


def rater_table(places: Sequence[Place]) -> Table:
    """Table A6 of variants of a dataset; without raters there is none."""
    first, title = places[0], "Raters as the yardstick"
    about, chosen = first.variant, first.variant.settings
    said, rows = read_said(first)
    if said.pairs.empty:
        return Table("A6", title, title, missing=NO_RATERS)
    space, classes = WordSpace.open(first.space), read_classes(first.targets("S1"))
    speaker_of = rows.set_index("utterance")["speaker"]
    models = read_answers(places)
    others, answers = left_out(said.rated_by_others(), rows, classes, space, first)
    everyone = all_raters(said, rows, classes, space, first)
    cell = with_interval(*agreement(said, speaker_of), cosine)
    fold = chosen.aggregate
    parts = (
        (OTHERS, others, {RATER: [answers], **looked_up(models, others)}),
        (ALL, everyone, looked_up(models, everyone)),
    )
    lines: list[Row] = []
    for name, against, found in parts:
        for who, cells in scored(against, found, fold).items():
            more = {ALPHA.name: cell} if who == RATER else {}
            lines.append(Row((name, who), {**cells, **more}))
    columns = (*(column for column, _ in PRINTED.values()), ECE, ALPHA)
    there = {name for line in lines for name in line.cells}
    decided = int((others.rows["true"] != "").sum())
    caption = (
        "Raters as the yardstick: UA and top-10 accuracy of l₁ and l₂ in per cent, mean cosine "
        "similarity with the raters' mean vector, and how far distributions over the classes are "
        "from the raters' shares: Jensen-Shannon divergence (JS, bits), Brier score, expected "
        "calibration error (ECE). Alpha: Krippendorff's, of the raters' labels."
    )
    notes = (
        f"Above: {len(others.rows)} pairs of an utterance and one of its raters; UA on the "
        f"{decided} whose other raters have one most frequent label that is a class, distributions "
        f"on the {len(others.compared)} where both named classes. Below: "
        f"{len(everyone.rows)} utterances. A rater's vector is the mean of his or her labels', so "
        "that a model that predicts the mean of many may come nearer.",
        "Softmax of similarities or logits, with one temperature a run, fitted on its validation "
        f"part. {AGGREGATES[fold]} ECE is of all folds pooled. Below each number is its 95% "
        "interval, over speakers.",
        f"Dataset {about.dataset}.",
        *([SYNTHETIC] if about.synthetic else []),
    )
    kept = tuple(column for column in columns if column.name in there)
    return Table("A6", title, caption, STUB, kept, tuple(lines), notes)


def read_said(place: Place) -> tuple[Said, pd.DataFrame]:
    """Each rater's labels; and the utterances that take part: utterance, speaker, fold, true."""
    truth = pd.Series(read_truth(place.targets("S1")))
    rows = UTTERANCES.read_text(place.path("utterances.csv"), "utterance", "speaker", "fold")
    rows = rows[rows["utterance"].isin(truth.index)].reset_index(drop=True)
    rows["true"] = rows["utterance"].map(truth)
    annotations = ANNOTATIONS.read(place.path("annotations.csv"))
    labels = annotations[annotations["kind"] == "label"]
    words = words_by_rater(
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


def read_answers(places: Sequence[Place]) -> dict[str, list[tuple[list[str], Answers]]]:
    """Each model's test utterances and answers, one a seed; runs of two variants once."""
    found: dict[str, list[tuple[list[str], Answers]]] = {}
    seen: set[str] = set()
    for place in places:
        about = place.variant
        known = Known.of(place)
        same_space = place.space.resolve() == places[0].space.resolve()
        for model in about.models:
            of_tables = model.loss in (about.settings.table_loss, "ce")
            further = place is not places[0] and model.loss in CLASS_LOSSES
            if model.folder in seen or not (of_tables or further):
                continue
            seen.add(model.folder)
            name = f"{model.name} {loss_name(model.loss)}"
            name += f" ({about.name})" if name in found else ""
            found[name] = [
                known.answers([place.path(run) for run in runs], same_space)
                for runs in by_seed(place, model.folder)
            ]
    return found


def by_seed(place: Place, folder: str) -> Iterator[list[str]]:
    """The runs of a model: one list a seed, of all folds."""
    for seed in place.variant.seeds:
        folds = range(1, place.variant.folds + 1)
        yield [f"{folder}/fold{fold}-seed{seed}" for fold in folds]


class Known:
    """What other stages found of a variant's runs: decisions, nearest words, temperatures."""

    def __init__(
        self, place: Place, decided: Mapping[tuple[str, ...], str],
        near: Mapping[tuple[str, ...], list[str]], temperatures: Mapping[tuple[str, ...], float],
    ) -> None:  # fmt: skip
        self.place = place
        self.space = WordSpace.open(place.space)
        self.decided = decided
        self.near = near
        self.temperatures = temperatures

    @classmethod
    def of(cls, place: Place) -> "Known":
        """Read the files of a variant."""
        name = place.variant.name
        keys = ["model", "loss", "fold", "seed", "utterance"]
        decisions = DECISIONS.read_text(place.path(f"decisions/{name}.csv"), *keys, "predicted")
        near = NEAREST.read_text(place.path(f"nearest/{name}.csv"))
        words = near[[column for column in near if str(column).startswith("word ")]]
        places = near[["of", "fold", "seed", "utterance"]].itertuples(index=False, name=None)
        temperatures = TEMPERATURES.read_text(place.path(f"temperatures/{name}.csv"))
        return cls(
            place,
            dict(
                zip(
                    decisions[keys].itertuples(index=False, name=None),
                    decisions["predicted"],
                    strict=True,
                )
            ),
            dict(zip(places, words.to_numpy().tolist(), strict=True)),
            dict(
                zip(
                    temperatures[RUN_KEYS[1:]].itertuples(index=False, name=None),
                    temperatures["temperature"].astype(float),
                    strict=True,
                )
            ),
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
        listed = (
            [self.near[model, fold, seed, name] for name in run.utterances]
            if of_words
            else words_said(run)
        )
        scores = class_scores(run, self.space, self.place)
        said = softmax(scores / self.temperatures[model, loss, fold, seed])
        return Answers(np.array(decided), run.predictions if of_words else None, listed, said)


def looked_up(models: Mapping[str, list[tuple[list[str], Answers]]], against: Yardstick) -> Found:
    """The models' answers in the order of a yardstick's rows."""
    found: Found = {}
    for who, seeds in models.items():
        found[who] = []
        for names, answers in seeds:
            row = {name: i for i, name in enumerate(names)}
            found[who].append(
                answers.take(np.array([row[name] for name in against.rows["utterance"]]))
            )
    return found


def scored(against: Yardstick, found: Found, fold: str) -> dict[str, dict[str, Cell]]:
    """The cells of each row: means with their intervals, and ECE."""
    models: dict[Key, Model] = {}
    for who, seeds in found.items():
        by_seed = [against.scores(answers) for answers in seeds]
        scores = {on: np.stack([own[on] for own in by_seed]) for on in by_seed[0]}
        kept = {on: own for on, own in scores.items() if not np.isnan(own).all()}
        models["", who, ""] = Model(against.rows, kept, tuple(map(str, range(len(seeds)))))
    speakers = codes_of(against.rows["speaker"].iloc[against.compared])
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
    cells = {}
    for on, (column, show) in PRINTED.items():
        if (fold, *on) in numbers:
            measured = numbers[fold, *on]
            low, high, _ = measured.interval()
            cells[column.name] = number_cell(
                number_tables.Measured(measured.value, measured.utterances, low, high), show
            )
    return cells


def with_interval(value: float, without: NDArray[np.float64], show: Show) -> Cell:
    """A number with its jackknife interval; ``without``: the same without each speaker, [G]."""
    count = len(without)
    error = over_speakers((count * value - (count - 1) * without)[None])
    reach = half_width(error)
    return number_cell(number_tables.Measured(value, 0, value - reach, value + reach), show)
