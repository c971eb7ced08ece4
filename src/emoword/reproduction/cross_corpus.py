"""Table A4: several corpora through one word space, whatever their labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from emoword.evaluation.decide import Judge, read_run
from emoword.io.errors import InputError
from emoword.labels.words import read_truth
from emoword.layout import Place, Variant, read_variant
from emoword.reproduction.cells import BASELINE, accuracy, collapsed_runs
from emoword.schemas import MODEL, UTTERANCES
from emoword.settings import Settings
from emoword.statistics.intervals import Key, Measured, Where, measure, read_model
from emoword.tables.appended import AGGREGATES, SYNTHETIC, Out, difference, named, paged, share
from emoword.tables.model import Cell, Column, Row, Table, collapse_note, frame

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
CAPTION = (
    "Across corpora: UA in per cent of each corpus, decided among all its labels, and among those "
    "that all corpora share ({}), by what the model was trained on; and paired differences, in "
    "points: from cross entropy on the shared labels of the same corpora, and from the same model "
    "of the tested corpus alone. By corpus: frames standardised by corpus. ±: half of the 95% "
    "interval over speakers (differences: and seeds)."
)


class Tested(NamedTuple):
    """A model on one corpus, deciding among its own classes or those that all corpora share."""

    corpus: str
    among: str
    key: Key


Numbers = Mapping[Tested, dict[Where, Measured]]
Classes = dict[str, dict[str, list[str]]]  # corpus -> OWN, SHARED -> classes


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
    decided: dict[Tested, pd.DataFrame] = {}
    rows = pd.concat([decisions(place, about["corpus"], classes) for place in places])
    for key, own in rows.groupby(["corpus", "among", *MODEL], sort=False):
        corpus, among, variant, model, loss = map(str, key)
        decided[Tested(corpus, among, (variant, model, loss))] = own
    numbers = measure(
        {
            tested: read_model(own.astype(str), about["speaker"], utterances)
            for tested, own in decided.items()
        }
    )
    collapsed = {tested: collapsed_runs(own) for tested, own in decided.items()}
    shared = next(iter(classes.values()))[SHARED]
    chosen = {place.variant.name: place.variant.settings for place in places}
    made: list[tuple[str, Row]] = []
    for corpus, own_classes in classes.items():
        made += rows_of(corpus, numbers, collapsed, chosen, set(shared))
        chance = {f"UA {among}": share(1 / len(own)) for among, own in own_classes.items()}
        made.append(("", Row((corpus, "nothing", "", "chance"), chance)))
    shown = tuple(row for _, row in made)
    notes = (*notes_of(first, about, classes), *collapse_note(shown))
    caption = CAPTION.format(", ".join(shared))
    table = Table("A4", "Across corpora", caption, STUB, COLUMNS, shown, notes)
    out.write(paged(table), frame(table).assign(variant=[name for name, _ in made]))


def classes_of(place: Place, corpus: pd.Series) -> Classes:
    """The classes that occur in each corpus, and those of all, in the order of the variant's.

    Raises:
        InputError: fewer than two are shared by all.
    """
    truth = pd.Series(read_truth(place.targets("S1")))
    there = truth.groupby(corpus.reindex(truth.index).to_numpy(), sort=False).agg(set)
    order = place.variant.settings.labels.classes or sorted(set(truth))
    shared = [name for name in order if all(name in own for own in there)]
    classes = {
        str(name): {OWN: [c for c in order if c in own], SHARED: shared}
        for name, own in there.items()
    }
    if len(shared) < 2:
        said = "; ".join(f"{name}: {', '.join(own[OWN])}" for name, own in classes.items())
        raise InputError(f"{place.root}: the corpora share fewer than two classes: {said}")
    return classes


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
        for among, own in classes[name].items():
            if set(own) <= set(run.record["classes"]):
                table["predicted"] = judge.chosen_class(run, own)
                tables.append(table[table["true"].isin(own)].assign(among=among))
    return pd.concat(tables)


def rows_of(
    corpus: str,
    numbers: Numbers,
    collapsed: Mapping[Tested, str],
    chosen: Mapping[str, Settings],
    shared: set[str],
) -> Iterator[tuple[str, Row]]:
    """The rows of a tested corpus, with their variants; ``chosen``: variant -> its settings."""
    where = (next(iter(chosen.values())).aggregate, "class", "UA")
    alone = next((name for name, own in chosen.items() if own.training.corpora == "own"), "")
    of_shared = {name for name, own in chosen.items() if set(own.labels.classes) == shared}
    learned = {
        name: (own.training.corpora, own.training.standardise) for name, own in chosen.items()
    }
    limited = {learned[name]: name for name in chosen if name in of_shared}
    for key in dict.fromkeys(tested.key for tested in numbers if tested.corpus == corpus):
        variant, model = key[0], key[1:]
        cells = {}
        for among in (OWN, SHARED):
            tested, cell = Tested(corpus, among, key), Cell("–")
            if tested in numbers:
                cell = accuracy(numbers[tested][where], key, collapsed[tested])
            cells[f"UA {among}"] = cell
        ours = numbers[Tested(corpus, SHARED, key)]
        for column, other in (
            ("cross entropy", (limited.get(learned[variant], ""), *BASELINE)),
            ("alone", (alone, *model)),
        ):
            theirs = numbers.get(Tested(corpus, SHARED, other))
            if theirs and theirs is not ours:
                cells[f"UA - {column}"] = difference(ours, theirs, where)
        corpora, standardise = learned[variant]
        trained = TRAINED_ON[corpora] + ", by corpus" * (standardise == "corpus")
        stub = (corpus, trained, "shared" if variant in of_shared else "all", named(*model))
        yield variant, Row(stub, cells)


def notes_of(about: Variant, utterances: pd.DataFrame, classes: Classes) -> list[str]:
    """What was tested, and how values are aggregated."""
    counts = [
        f"{name}: {own['speaker'].nunique()} speakers, {len(own)} utterances, labels "
        f"{', '.join(classes[str(name)][OWN])}."
        for name, own in utterances.groupby("corpus", sort=False)
    ]
    seeds = f"Dataset {about.dataset}, {len(about.seeds)} seed{'s' * (len(about.seeds) > 1)}."
    return [*counts, AGGREGATES[about.settings.aggregate], seeds, *([SYNTHETIC] * about.synthetic)]
