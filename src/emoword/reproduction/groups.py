"""Table A8: macro F1 beside UA and WA; is a model as good for each group of utterances?"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.features.shards import read_shards
from emoword.io.files import read_table
from emoword.layout import Place, read_variant
from emoword.reproduction.cells import jackknifed, leaving_out
from emoword.schemas import FRAMES
from emoword.statistics.intervals import Model, by_model, read_model, read_speakers, tally
from emoword.statistics.resampling import Aggregate, Tally, value
from emoword.tables.appended import AGGREGATES, Out, said_of, share
from emoword.tables.model import Cell, Column, Key, Row, Table
from emoword.tables.number_tables import percent, points, read_metrics

SPLITS: Mapping[str, tuple[str, str]] = {
    "sex": ("F", "M"),
    "style": ("improvised", "scripted"),
    "length": ("shorter", "longer"),
}
METRICS = ("UA", "WA", "F1")
UA = ("class", "UA")


def groups(variant: Path, /, *, out: Out) -> None:
    r"""Make Table A8: macro F1 beside UA and WA, and UA by groups of utterances.

    Groups are the speakers' sex, the style of turns, the length (shorter or longer than the median
    of the utterances tested), as far as the corpus tells them, and single speakers: the lowest and
    the highest UA. A gap is the first group's UA less the second's, with its 95% interval by the
    jackknife over speakers.

        emoword groups results/demo/variants/paper.json \
            --template paper/templates/table.tex.j2 --csv tableA8.csv --tex tableA8.tex

    Args:
        variant: The variant's file.
        out: Where it goes.
    """
    place = read_variant(variant)
    models = read_models(place)
    out.write([accuracies(place, models), gaps(place, models)])


def read_models(place: Place) -> dict[str, Model]:
    """The models of Tables 3 to 6, and the baseline."""
    path = place.path(f"decisions/{place.variant.name}.csv")
    speaker_of = read_speakers(place.path("utterances.csv"))
    return {
        model: read_model(own, speaker_of, path)
        for (_, model, loss), own in by_model(path)
        if loss in (place.variant.settings.table_loss, "ce")
    }


def accuracies(place: Place, models: Iterable[str]) -> Table:
    """UA, WA and macro F1 of each model."""
    name, chosen = place.variant.name, place.variant.settings
    metrics = read_metrics(place.path("metrics.csv"), name, chosen.aggregate)
    rows = []
    for model in models:
        loss = "ce" if model == "baseline" else chosen.table_loss
        found = {name: metrics[Key(model, loss, "class", name)].value for name in METRICS}
        rows.append(Row((model,), {name: share(value) for name, value in found.items()}))
    caption = "Macro F1 beside UA and WA, in per cent."
    columns = (Column("UA"), Column("WA"), Column("F1", "macro F1"))
    return Table("A8", "Macro F1", caption, (Column("model", words=True),), columns, tuple(rows))


def gaps(place: Place, models: Mapping[str, Model]) -> Table:
    """UA of both groups of each split, and of the speakers with the lowest and the highest UA."""
    fold: Aggregate = place.variant.settings.aggregate
    group_of = groups_of(place, next(iter(models.values())).tested.index)
    rows = []
    for split, (one, two) in SPLITS.items():
        first, second = ((group_of[split] == name).to_numpy() for name in (one, two))
        if first.any() and second.any():
            for model, own in models.items():
                cells = gap(of_group(own, first), of_group(own, second), fold)
                rows.append(Row((f"{split}: {one} - {two}", model), cells))
    rows += [extremes(model, own) for model, own in models.items()]
    columns = (*(Column(name, name, "UA") for name in ("first", "second")), Column("gap"))
    caption = (
        "UA in per cent of two groups of utterances, and the first less the second, in points. "
        "±: half of the 95% interval, by the jackknife over speakers."
    )
    stub = (Column("groups", words=True, once=True), Column("model", words=True))
    notes = (AGGREGATES[fold], *said_of(place.variant))
    return Table("A8groups", "Groups", caption, stub, columns, tuple(rows), notes)


def groups_of(place: Place, tested: pd.Index) -> pd.DataFrame:
    """The group of each utterance that is tested, by split; empty where it is not known."""
    table = read_table(place.path("utterances.csv"), ["utterance"]).set_index("utterance")
    known = table.reindex(tested).reindex(columns=["sex", "style"]).fillna("")
    shards = read_shards(place.features)
    frames = pd.concat(FRAMES.read(s / "index.csv", "utterance", "frames") for s in shards)
    lengths = frames.set_index("utterance")["frames"].reindex(tested)
    short, long = SPLITS["length"]
    return known.assign(length=np.where(lengths <= lengths.median(), short, long))


def of_group(model: Model, there: NDArray[np.bool_]) -> Tally:
    """A model's hits by speaker, fold and class, of some of its utterances."""
    codes = {name: sorted(set(model.tested[name])) for name in ("speaker", "fold", "true")}
    scores = np.where(there, model.scores[UA], np.nan)
    return tally(model.tested, scores, codes, by_class=True)


def gap(first: Tally, second: Tally, fold: Aggregate) -> dict[str, Cell]:
    """UA of two groups and the difference, with its jackknife over the speakers of either.

    Where one speaker is all of a group there is no interval.
    """
    speaks = np.flatnonzero((first.counts + second.counts).sum(axis=(1, 2)))
    one, two = (leaving_out(group, fold, speaks) for group in (first, second))
    cells = {name: share(ua[:, 0].mean()) for name, ua in (("first", one), ("second", two))}
    return {**cells, "gap": jackknifed(one - two, show=points)}


def extremes(model: str, own: Model) -> Row:
    """The speakers with the lowest and the highest UA, who are named."""
    speakers = own.tested["speaker"].to_numpy()
    found = {
        str(name): float(value(of_group(own, speakers == name), "pooled").mean())
        for name in sorted(set(speakers))
    }
    low, high = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    named = {"first": low, "second": high}
    cells = {
        side: Cell(f"{percent(found[name])} ({name})", found[name]) for side, name in named.items()
    }
    cells["gap"] = share(found[low] - found[high], points)
    return Row((f"speaker: lowest - highest of {len(found)}", model), cells)
