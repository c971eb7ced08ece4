"""Table A2: the controls beside the default, and floors."""

import itertools
from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from emoword.io.errors import InputError
from emoword.io.yaml_files import Text, read_yaml_as
from emoword.layout import Variant, read_variant
from emoword.reproduction.cells import BASELINE, accuracy, collapsed_runs
from emoword.schemas import UTTERANCES
from emoword.statistics.intervals import Key, Measured, Model, Where, by_model, measure, read_model
from emoword.tables.appended import (
    AGGREGATES,
    Out,
    difference,
    named,
    paged,
    said_of,
    with_interval,
)
from emoword.tables.model import Cell, Column, Row, Table, collapse_note, frame

METRICS = ("UA", "WA")
STYLES = ("improvised", "scripted")
STUB = (
    Column("group", words=True, across=True),
    Column("control", " ", width=0.24, words=True, once=True),
    Column("model", words=True),
)
COLUMNS = (
    *(Column(metric) for metric in METRICS),
    *(Column(f"UA - {other}", other, "UA, difference from") for other in ("default", "baseline")),
    *(Column(f"{style} {metric}", metric, style) for style in STYLES for metric in METRICS),
)
CAPTION = (
    "Controls: UA and WA in per cent; paired differences of UA, in points, from the same model of "
    "the default variant (other models: from its M1) and from its baseline; UA and WA of "
    "improvised and scripted turns apart. ±: half of the 95% interval."
)

Numbers = dict[Key, dict[Where, Measured]]


class Control(Struct, frozen=True, forbid_unknown_fields=True):
    """A variant, what it is called, and which of its models are shown: `M1 lc`."""

    says: Text
    variant: Text
    models: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Za-z0-9_]+ [a-z_]+$")], ...], Meta(min_length=1)
    ]


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of the table under one heading."""

    name: Text
    rows: Annotated[tuple[Control, ...], Meta(min_length=1)]


class Groups(Struct, frozen=True, forbid_unknown_fields=True):
    """paper/controls.yaml."""

    groups: Annotated[tuple[Group, ...], Meta(min_length=1)]


def control_table(*variants: Path, controls: Path, best_rate: Path, out: Out) -> None:
    r"""Make Table A2: the controls beside the default, as CSV and as LaTeX.

    One row a control and model: UA and WA, the paired difference of UA from the same model of the
    default (of other models: from its M1) and from the default's baseline, UA and WA of improvised
    and scripted turns apart, each with its 95% interval, as `emoword intervals` makes them; the
    linear reference; and the floors, constant predictors.

        emoword control-table results/demo/variants/paper.json results/demo/variants/random.json \
            --controls paper/controls.yaml \
            --best-rate results/demo/comparisons/rates/best_rate.csv \
            --template paper/templates/table.tex.j2 --csv tableA2.csv --tex tableA2.tex

    Args:
        variants: The variants' files, the default first.
        controls: paper/controls.yaml: the rows.
        best_rate: best_rate.csv, of the comparison `rates`.
        out: Where it goes.
    """
    places = [read_variant(path) for path in variants]
    first = places[0]
    default = first.variant
    files = [place.path(f"decisions/{place.variant.name}.csv") for place in places]
    files += [first.path(f"{stage}/{default.name}.csv") for stage in ("linear", "floors")]
    models, collapsed = read_models([*files, best_rate], first.path("utterances.csv"))
    numbers = measure(models)
    rows, of_variants = [], []
    for group in read_yaml_as(Groups, controls).groups:
        for control in group.rows:
            for model, loss in map(str.split, control.models):
                key = (control.variant, model, loss)
                if key in numbers:
                    of_variants.append(control.variant)
                    stub = (group.name, control.says, named(model, loss))
                    rows.append(Row(stub, control_cells(key, numbers, collapsed[key], default)))
    if not rows:
        raise InputError(f"{controls}: none of its variants has decisions")
    there = {name for row in rows for name in row.cells}
    columns = tuple(column for column in COLUMNS if column.name in there)
    notes = (*collapse_note(rows), AGGREGATES[default.settings.aggregate], *said_of(default))
    table = Table("A2", "Controls", CAPTION, STUB, columns, tuple(rows), notes)
    out.write(paged(table), frame(table).assign(variant=of_variants))


def read_models(paths: list[Path], utterances: Path) -> tuple[dict[Key, Model], dict[Key, str]]:
    """Every model of the decisions, with the styles' scores; and how many runs collapsed."""
    about = UTTERANCES.read(utterances, "utterance", "speaker", "style").set_index("utterance")
    models: dict[Key, Model] = {}
    collapsed: dict[Key, str] = {}
    for path in paths:
        for key, rows in by_model(path):
            models[key] = read_model(rows, about["speaker"], path)
            collapsed[key] = collapsed_runs(rows)
            scores, styles = models[key].scores, about["style"].reindex(models[key].tested.index)
            for style, metric in itertools.product(STYLES, METRICS):
                if (styles == style).any():
                    scores[style, metric] = np.where(
                        styles == style, scores["class", metric], np.nan
                    )
    return models, collapsed


def control_cells(key: Key, numbers: Numbers, collapsed: str, chosen: Variant) -> dict[str, Cell]:
    """The numbers of one model of one control; its default is the model of that name, or M1."""
    own, fold = numbers[key], chosen.settings.aggregate
    baseline = (chosen.name, *BASELINE)
    name = key[1] if key[1] in ("M1", "M2", "M3") else "M1"
    default = baseline if key[1:] == BASELINE else (chosen.name, name, chosen.settings.table_loss)
    cells = {metric: accuracy(own[fold, "class", metric], key, collapsed) for metric in METRICS}
    for column, other in (("default", default), ("baseline", baseline)):
        if other in numbers and other != key:
            cells[f"UA - {column}"] = difference(own, numbers[other], (fold, "class", "UA"))
    for style, metric in itertools.product(STYLES, METRICS):
        if (fold, style, metric) in own:
            cells[f"{style} {metric}"] = with_interval(own[fold, style, metric])
    return cells
