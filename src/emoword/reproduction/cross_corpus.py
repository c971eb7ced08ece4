"""Table A4: several corpora through one word space, whatever their labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from msgspec.structs import replace

from emoword.evaluation.decide import Judge, read_run
from emoword.io.errors import InputError
from emoword.layout import Place, Variant, read_variant
from emoword.reproduction.controls import BASELINE, collapsed_runs
from emoword.schemas import MODEL, UTTERANCES
from emoword.statistics.intervals import Key, Measured, Model, Where, measure, read_model
from emoword.tables.appended import (
    AGGREGATES,
    SYNTHETIC,
    Out,
    difference,
    named,
    paged,
    share,
    with_interval,
)
from emoword.tables.model import Cell, Column, Row, Table, collapse_note, frame
from emoword.tables.model import Key as TableKey

OWN, SHARED = "own labels", "shared labels"
TRAINED_ON = {"all": "all corpora", "own": "it alone", "others": "the others"}
STUB = (
    Column("tested", words=True, across=True),
    Column("trained on", words=True, once=True),
    Column("labels", words=True, once=True),
    Column("model", words=True),
)
COLUMNS = (
    Column(f"UA {OWN}", OWN, "UA"),
    Column(f"UA {SHARED}", SHARED, "UA"),
    Column("UA - cross entropy", "cross entropy", "UA, shared labels: difference from"),
    Column("UA - alone", "it alone", "UA, shared labels: difference from"),
)


class Tested(NamedTuple):
    """A model on one corpus, deciding among its own classes or those that all corpora share."""

    corpus: str
    among: str
    key: Key


class About(NamedTuple):
    """What tells the variants apart: what they learn from, and whether the shared labels alone."""

    corpora: str
    standardise: str
    shared: bool


Numbers = Mapping[Tested, dict[Where, Measured]]
Classes = Mapping[str, list[str]]  # corpus -> its classes


def cross_corpus(*variants: Path, utterances: Path, out: Out) -> None:
    r"""Make Table A4: each corpus of a union, tested by models trained on it or on others.

    One row a tested corpus, variant and model. A model decides among the classes that the tested
    corpus has (UA own labels: all its utterances), and among those that all corpora have (UA shared
    labels: the utterances of these). Beside them the paired difference, with shared labels, from
    the network that predicts the shared classes with cross entropy and is trained on the same
    corpora, and from the same model of the tested corpus alone; and chance, one in so many classes.

        emoword cross-corpus results/emodb_polish/variants/*.json \
            --utterances results/emodb_polish/utterances.csv \
            --template paper/templates/table.tex.j2 --csv tableA4.csv --tex tableA4.tex

    Args:
        variants: The variants' files, that of all corpora and labels first.
        utterances: utterances.csv.
        out: Where it goes.
    """
    places = [read_variant(path) for path in variants]
    first = places[0].variant
    about = UTTERANCES.read(utterances, "utterance", "speaker", "corpus").set_index("utterance")
    classes = classes_of(places[0], about["corpus"])
    decided = pd.concat([decisions(place, about["corpus"], classes) for place in places])
    models: dict[Tested, Model] = {}
    collapsed: dict[Tested, str] = {}
    for key, own in decided.groupby(["corpus", "among", *MODEL], sort=False):
        corpus, among, variant, model, loss = (str(part) for part in key)
        tested = Tested(corpus, among, (variant, model, loss))
        models[tested] = read_model(own.astype(str), about["speaker"], utterances)
        collapsed[tested] = collapsed_runs(own)
    numbers = measure(models)
    shared, of = set(shared_by(classes)), dict[str, About]()
    for place in places:
        learns, labels = place.variant.settings.training, place.variant.settings.labels
        about_it = About(learns.corpora, learns.standardise, set(labels.classes) == shared)
        of[place.variant.name] = about_it
    fold = first.settings.aggregate
    made = [row for name in classes for row in rows_of(name, numbers, collapsed, of, classes, fold)]
    shown = tuple(row for _, row in made)
    table = Table("A4", "Across corpora", caption(classes), STUB, COLUMNS, shown)
    table = table.with_notes(*notes(first, about, classes), *collapse_note(shown))
    out.write(paged(table), frame(table).assign(variant=[name for name, _ in made]))


def classes_of(place: Place, corpus: pd.Series) -> dict[str, list[str]]:
    """Corpus -> the classes that occur in it, in the order of the variant's.

    Raises:
        InputError: fewer than two are shared by all.
    """
    truth = Judge.of(place).truth
    by_corpus = truth.groupby(corpus.reindex(truth.index).to_numpy(), sort=False).agg(set)
    order = place.variant.settings.labels.classes or sorted(set(truth))
    classes = {str(name): [c for c in order if c in own] for name, own in by_corpus.items()}
    if len(shared_by(classes)) < 2:
        said = "; ".join(f"{name}: {', '.join(own)}" for name, own in classes.items())
        raise InputError(f"{place.root}: the corpora share fewer than two classes: {said}")
    return classes


def shared_by(classes: Classes) -> list[str]:
    """The classes of all corpora."""
    first, *others = classes.values()
    return [name for name in first if all(name in own for own in others)]


def decisions(place: Place, corpus: pd.Series, classes: Classes) -> pd.DataFrame:
    """What a variant's models take each test utterance for, among own and shared classes.

    Returns:
        RUN_KEYS, collapsed, utterance, corpus, among (OWN: of corpora all of whose classes the
        variant has; or SHARED), true, predicted.
    """
    judge, tables = Judge.of(place), []
    for run in map(read_run, place.runs([place.variant.settings.table_loss, "ce"])):
        table = judge.rows(run).assign(corpus=corpus.reindex(run.utterances).to_numpy())
        (name,) = set(table["corpus"])  # a fold is of one corpus
        for among, own in ((OWN, classes[name]), (SHARED, shared_by(classes))):
            if set(own) <= set(run.record["classes"]):
                table["predicted"] = judge.chosen_class(run, own)
                tables.append(table[table["true"].isin(own)].assign(among=among))
    return pd.concat(tables)


def rows_of(
    corpus: str,
    numbers: Numbers,
    collapsed: Mapping[Tested, str],
    variants: Mapping[str, About],
    classes: Classes,
    fold: str,
) -> Iterator[tuple[str, Row]]:
    """The rows of a tested corpus, with their variants; chance last."""
    where = (fold, "class", "UA")
    names = {about: name for name, about in variants.items()}
    alone = next((name for name, about in variants.items() if about.corpora == "own"), "")
    for key in dict.fromkeys(tested.key for tested in numbers if tested.corpus == corpus):
        about = variants[key[0]]
        cells: dict[str, Cell] = {}
        for among in (OWN, SHARED):
            tested = Tested(corpus, among, key)
            cells[f"UA {among}"] = Cell("–")
            if tested in numbers:
                cells[f"UA {among}"] = replace(
                    with_interval(numbers[tested][where]),
                    source=TableKey(*key[1:], "class", "UA"),
                    collapsed=collapsed[tested],
                )
        ours = numbers[Tested(corpus, SHARED, key)]
        for column, variant, model in (
            ("cross entropy", names.get(about._replace(shared=True)), BASELINE),
            ("alone", alone, key[1:]),
        ):
            theirs = numbers.get(Tested(corpus, SHARED, (variant or "", *model)))
            if theirs and theirs is not ours:
                cells[f"UA - {column}"] = difference(ours, theirs, where)
        trained = TRAINED_ON[about.corpora] + ", by corpus" * (about.standardise == "corpus")
        stub = (corpus, trained, "shared" if about.shared else "all", named(*key[1:]))
        yield key[0], Row(stub, cells)
    chance = {f"UA {OWN}": 1 / len(classes[corpus]), f"UA {SHARED}": 1 / len(shared_by(classes))}
    cells = {name: share(value) for name, value in chance.items()}
    yield "", Row((corpus, "nothing", "", "chance"), cells)


def caption(classes: Classes) -> str:
    """What the table shows."""
    shared = ", ".join(shared_by(classes))
    return (
        "Across corpora: UA in per cent of each corpus, decided among all its labels, and among "
        f"those that all corpora share ({shared}), by what the model was trained on; and paired "
        "differences, in points: from cross entropy on the shared labels of the same corpora, and "
        "from the same model of the tested corpus alone. By corpus: frames standardised by corpus. "
        "±: half of the 95% interval over speakers (differences: and seeds)."
    )


def notes(about: Variant, utterances: pd.DataFrame, classes: Classes) -> list[str]:
    """What was tested, and how values are aggregated."""
    counts = [
        f"{name}: {own['speaker'].nunique()} speakers, {len(own)} utterances, labels "
        f"{', '.join(classes[str(name)])}."
        for name, own in utterances.groupby("corpus", sort=False)
    ]
    seeds = f"Dataset {about.dataset}, {len(about.seeds)} seed{'s' * (len(about.seeds) > 1)}."
    return [*counts, AGGREGATES[about.settings.aggregate], seeds, *([SYNTHETIC] * about.synthetic)]
