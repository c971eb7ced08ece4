"""Table A5: emotions of which neither utterance nor word was ever trained on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from msgspec.structs import replace
from numpy.typing import NDArray

from emoword.evaluation.decide import Judge, read_run
from emoword.io.errors import InputError
from emoword.labels.synonyms import same_meaning
from emoword.layout import Place, read_variant
from emoword.reproduction.cells import collapsed_runs, jackknifed, leaving_out
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.statistics.intervals import read_speakers, tally
from emoword.statistics.resampling import Floats, over_speakers_and_seeds
from emoword.tables.appended import SYNTHETIC, Out, named, paged
from emoword.tables.model import Cell, Column, Row, Table, collapse_note, frame
from emoword.tables.model import Key as TableKey
from emoword.tables.number_tables import points
from emoword.training.targets import CLASS_LOSSES

NEVER, SHUFFLED = "never trained on", "never, shuffled vectors"
NEAREST, LEARNED = "never, nearest trained", "trained on"
HOWS = (NEVER, SHUFFLED, NEAREST, LEARNED)
TEN = 10  # nearest words
STUB = (
    Column("emotion", words=True, across=True),
    Column("how", " ", words=True, once=True),
    Column("model", words=True),
)
COLUMNS = (
    Column("recall"),
    Column("UA of the others", "UA, others"),
    Column("harmonic mean", "harm. mean"),
    Column("recall - shuffled", "− shuffled", "recall"),
    Column("median rank", "median", "place of its word"),
    Column("in ten", "in ten", "place of its word"),
    Column("synonym in ten", "synonym", "place of its word"),
)
CAPTION = (
    "Emotions never trained on, neither their utterances nor any target with their word: recall of "
    "the emotion and UA of the other classes, decided among all classes, and their harmonic mean, "
    "in per cent; recall less that of shuffled vectors; the place of its word among those nearest "
    "to the predictions (median, and how often it, or it or a synonym, is within ten). Shuffled "
    "vectors: the classes' vectors changed places, once. Nearest trained: the prediction is "
    "replaced by the nearest class that was trained on. ±: half of the 95% interval over speakers "
    "(differences: and seeds)."
)

Name = tuple[str, str]  # model, loss
Key = tuple[str, str, Name]  # emotion, how


class Measures(NamedTuple):
    """What is measured of one emotion and model.

    Attributes:
        metrics: column -> float64 [seeds, 1 + speakers], of all speakers and without each. There is
            no synonym in ten of shuffled vectors, as only the label sets' words change places.
        rank: median place of the word among all words; NaN: of several emotions.
        collapsed: how many runs are, if any.
    """

    metrics: dict[str, Floats]
    rank: float
    collapsed: str = ""


def unseen(*variants: Path, utterances: Path, out: Out) -> None:
    r"""Make Table A5: are emotions recognised of which nothing was trained on?

    For each emotion that a variant was not to learn (training: unseen): its recall, the UA of the
    other classes and their harmonic mean, decided among all classes; the place of its word among
    all words of the space, by similarity with the prediction (median), and how often it, or a
    synonym of it (WordNet's), is among the ten nearest. Beside the model stand a space whose
    vectors are shuffled between the classes (the null); the nearest class that was trained on, said
    in place of each prediction; cross entropy, whose output for the emotion was never trained; and
    models trained on it (the ceiling).

        emoword unseen results/emodb_seven/variants/{paper,unseen_fear,unseen_fear_shuffled}.json \
            --utterances results/emodb_seven/utterances.csv \
            --template paper/templates/table.tex.j2 --csv tableA5.csv --tex tableA5.tex

    Args:
        variants: The variants' files, that which is trained on all first.
        utterances: utterances.csv.
        out: Where it goes.
    """
    places = [read_variant(path) for path in variants]
    about, speakers = places[0].variant, read_speakers(utterances)
    measured = dict(measures(places, speakers))
    emotions = list(dict.fromkeys(emotion for emotion, _, _ in measured))
    for _, how, model in list(measured) if len(emotions) > 1 else ():
        every = [measured[e, how, model] for e in emotions if (e, how, model) in measured]
        if len(every) == len(emotions):
            measured[f"mean of {len(emotions)} emotions", how, model] = mean_of(every)
    rows = []
    for (emotion, how, model), own in measured.items():
        null = measured.get((emotion, SHUFFLED, model)) if how == NEVER else None
        cells = cells_of(own, null, TableKey(*model, "class", "UA"))
        rows.append(Row((emotion, how, named(*model)), cells))
    seeds = len(about.seeds)
    notes = [
        f"Dataset {about.dataset}, {speakers.nunique()} speakers, {seeds} seed{'s' * (seeds > 1)}; "
        "utterances of all folds pooled.",
        *([SYNTHETIC] * about.synthetic),
        *collapse_note(rows),
    ]
    title = "Emotions never trained on"
    table = Table("A5", title, CAPTION, STUB, COLUMNS, tuple(rows), tuple(notes))
    out.write(paged(table), frame(table))


def measures(places: Sequence[Place], speakers: pd.Series) -> Iterator[tuple[Key, Measures]]:
    """Each emotion's models, in the order of the table.

    Raises:
        InputError: the first variant is not trained on all, or no other leaves an emotion out.
    """
    first, *others = places
    if first.variant.settings.training.unseen or not others:
        raise InputError(
            f"{first.root}: name the variant that is trained on all first, then those that are not"
        )
    by_emotion: dict[str, dict[str, Place]] = {}
    for place in others:
        chosen = place.variant.settings
        if len(chosen.training.unseen) != 1:
            raise InputError(f"{place.variant.name}: a row of the table is of one unseen class")
        known = by_emotion.setdefault(chosen.training.unseen[0], {LEARNED: first})
        if chosen.space_transform == "shuffled":
            known[SHUFFLED] = place
        else:
            known[NEVER] = known[NEAREST] = place
    for emotion, known in by_emotion.items():
        for how in (how for how in HOWS if how in known):
            for model, rows in answers(known[how], emotion, how).items():
                yield (emotion, how, model), measured(rows, emotion, speakers)


def answers(place: Place, emotion: str, how: str) -> dict[Name, pd.DataFrame]:
    """What each test utterance is taken for by a variant's models, among all classes.

    Returns:
        Model and loss -> fold, seed, collapsed, utterance, true, predicted; of the emotion's own
        utterances rank (of its word) and synonym (whether one of its meaning is in ten).
    """
    judge, tables = Judge.of(place), dict[Name, list[pd.DataFrame]]()
    for run in map(read_run, place.runs([place.variant.settings.table_loss, "ce"])):
        classes, model, vectors = run.record["classes"], run.record["model"], run.predictions
        of_classes = run.record["loss"] in CLASS_LOSSES
        if of_classes and how in (SHUFFLED, NEAREST):
            continue  # knows no vectors, and so is the same as beside them
        trained = [name for name in classes if name != emotion or how != NEAREST]
        predicted = judge.chosen_class(run, trained)
        if of_classes or how == NEAREST:
            vectors = judge.space.vectors_of(predicted)
        table = judge.rows(run).assign(predicted=predicted)
        own = (table["true"] == emotion).to_numpy()
        table.loc[own, "rank"] = judge.space.ranks(vectors[own], emotion)
        if how != SHUFFLED:  # synonyms of the class words stay where they are
            table.loc[own, "synonym"] = means_it(vectors[own], emotion, judge.space)
        tables.setdefault((model, run.record["loss"]), []).append(table)
    return {name: pd.concat(own) for name, own in tables.items()}


def means_it(vectors: NDArray[np.floating], word: str, space: WordSpace) -> NDArray[np.bool_]:
    """Whether a word of the same meaning is among the ten nearest of each vector, [n]."""
    rows = [row for own in same_meaning(word) if (row := space.index(own)) is not None]
    nearest, _ = nearest_words(space, vectors, TEN)
    return np.asarray(np.isin(nearest, rows).any(axis=1))


def measured(rows: pd.DataFrame, emotion: str, speakers: pd.Series) -> Measures:
    """What the answers of a model say of an emotion."""
    rows = rows.sort_values(["seed", "utterance"])
    rows = rows.assign(right=rows["predicted"] == rows["true"], ten=rows["rank"] <= TEN)
    own = rows[rows["true"] == emotion]
    recall = mean_share(own, "right", speakers)
    others = mean_share(rows[rows["true"] != emotion], "right", speakers)
    both = recall + others
    metrics = {
        "recall": recall,
        "UA of the others": others,
        "harmonic mean": np.divide(
            2 * recall * others, both, out=np.zeros_like(both), where=both > 0
        ),
        "in ten": mean_share(own, "ten", speakers),
    }
    if "synonym" in own:
        metrics["synonym in ten"] = mean_share(own, "synonym", speakers)
    return Measures(metrics, float(own["rank"].median()), collapsed_runs(rows))


def mean_share(rows: pd.DataFrame, what: str, speakers: pd.Series) -> Floats:
    """The mean over classes of how often something is so, as in `Measures`."""
    scores = rows[what].to_numpy(np.float64).reshape(rows["seed"].nunique(), -1)
    tested = rows.drop_duplicates("utterance").assign(fold="")
    tested["speaker"] = speakers.reindex(tested["utterance"]).to_numpy()
    names = sorted(set(speakers))
    codes = {"speaker": names, "fold": [""], "true": sorted(set(tested["true"]))}
    made = tally(tested, scores, codes, by_class=True)
    return leaving_out(made, "pooled", np.arange(len(names)))


def mean_of(measures: Sequence[Measures]) -> Measures:
    """The mean over emotions; ranks have none."""
    names = measures[0].metrics
    return Measures(
        {name: np.mean([own.metrics[name] for own in measures], axis=0) for name in names}, np.nan
    )


def cells_of(own: Measures, shuffled: Measures | None, source: TableKey) -> dict[str, Cell]:
    """The cells of a row; ``shuffled`` is what it is compared with."""
    # without the only speaker of an emotion there is no recall, which counts as 0
    cells = {name: jackknifed(np.nan_to_num(values)) for name, values in own.metrics.items()}
    cells["recall"] = replace(cells["recall"], source=source, collapsed=own.collapsed)
    rank = Cell("–") if np.isnan(own.rank) else Cell(f"{own.rank:.0f}", own.rank)
    cells["median rank"] = rank
    if shuffled:
        less = np.nan_to_num(own.metrics["recall"] - shuffled.metrics["recall"])
        cells["recall - shuffled"] = jackknifed(less, over_speakers_and_seeds, points)
    return cells
