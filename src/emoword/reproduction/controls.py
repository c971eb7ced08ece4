"""Table A2: the controls beside the default, and floors."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from msgspec import Meta, Struct
from msgspec.structs import replace

from emoword.io.errors import InputError
from emoword.io.yaml_files import Text, read_yaml_as
from emoword.layout import Variant, read_variant
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
from emoword.tables.model import Key as TableKey

BASELINE = ("baseline", "ce")
STYLES = ("improvised", "scripted")
STUB = (
    Column("group", words=True, across=True),
    Column("control", " ", width=0.24, words=True, once=True),
    Column("model", words=True),
)
COLUMNS = (
    *(Column(metric) for metric in ("UA", "WA")),
    *(Column(f"UA - {other}", other, "UA, difference from") for other in ("default", "baseline")),
    *(Column(f"{style} {metric}", metric, style) for style in STYLES for metric in ("UA", "WA")),
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
    files.append(best_rate)
    models, collapsed = read_models(files, first.path("utterances.csv"))
    numbers = measure(models)
    rows, of_variants = [], []
    for group in read_yaml_as(Groups, controls).groups:
        for control in group.rows:
            for key in ((control.variant, *model.split()) for model in control.models):
                if key in numbers:
                    stub = (group.name, control.says, named(*key[1:]))
                    of_variants.append(key[0])
                    rows.append(Row(stub, control_cells(key, numbers, collapsed[key], default)))
    if not rows:
        raise InputError(f"{controls}: none of its variants has decisions")
    there = {name for row in rows for name in row.cells}
    notes = (*collapse_note(rows), AGGREGATES[default.settings.aggregate], *said_of(default))
    caption = (
        "Controls: UA and WA in per cent; paired differences of UA, in points, from the same model "
        "of the default variant (other models: from its M1) and from its baseline; UA and WA of "
        "improvised and scripted turns apart. ±: half of the 95% interval."
    )
    columns = tuple(column for column in COLUMNS if column.name in there)
    table = Table("A2", "Controls", caption, STUB, columns, tuple(rows), notes)
    out.write(paged(table), frame(table).assign(variant=of_variants))


def read_models(paths: list[Path], utterances: Path) -> tuple[dict[Key, Model], dict[Key, str]]:
    """Every model of the decisions, with the styles' scores; and how many runs collapsed."""
    about = UTTERANCES.read(utterances, "utterance", "speaker", "style").set_index("utterance")
    models: dict[Key, Model] = {}
    collapsed: dict[Key, str] = {}
    for path in paths:
        for key, rows in by_model(path, "collapsed"):
            read = read_model(rows, about["speaker"], path)
            styles = about["style"].reindex(read.tested.index).to_numpy()
            apart = {
                (style, metric): np.where(styles == style, read.scores["class", metric], np.nan)
                for style in STYLES
                if (styles == style).any()
                for metric in ("UA", "WA")
            }
            models[key] = read._replace(scores={**read.scores, **apart})
            collapsed[key] = collapsed_runs(rows)
    return models, collapsed


def collapsed_runs(rows: pd.DataFrame) -> str:
    """`2 of 5 runs` of a model's decisions, or nothing."""
    by_run = rows.groupby(["fold", "seed"])["collapsed"].first().astype(int)
    fallen = int(by_run.sum())
    return f"{fallen} of {len(by_run)} runs" if fallen else ""


def control_cells(key: Key, numbers: Numbers, collapsed: str, chosen: Variant) -> dict[str, Cell]:
    """The numbers of one model of one control."""
    own, fold = numbers[key], chosen.settings.aggregate
    default = numbers.get(same_of_default(key, chosen.name, chosen.settings.table_loss))
    baseline = numbers.get((chosen.name, *BASELINE))
    source = TableKey(*key[1:], "class", "UA")
    cells = {
        metric: replace(
            with_interval(own[fold, "class", metric]), source=source, collapsed=collapsed
        )
        for metric in ("UA", "WA")
    }
    for name, other in (("default", default), ("baseline", baseline)):
        if other is not None and other is not own:
            cells[f"UA - {name}"] = difference(own, other, (fold, "class", "UA"))
    apart = ((style, metric) for style in STYLES for metric in ("UA", "WA"))
    there = (one for one in apart if (fold, *one) in own)
    return cells | {" ".join(one): with_interval(own[(fold, *one)]) for one in there}


def same_of_default(key: Key, variant: str, loss: str) -> Key:
    """What a control is held against: the default's model of that name, or its M1."""
    _, model, own_loss = key
    if (model, own_loss) == BASELINE:
        return variant, *BASELINE
    return variant, model if model in ("M1", "M2", "M3") else "M1", loss
