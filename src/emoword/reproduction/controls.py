r"""Make Table A2: the controls beside the default, as CSV and as LaTeX.

    emoword control-table --decisions decisions/*.csv --floors floors.csv \
        --utterances utterances.csv --controls paper/controls.yaml \
        --template paper/templates/tableA2.tex.j2 --csv tableA2.csv --tex tableA2.tex --dataset demo

One row a control and model: UA and WA with 95% intervals, the paired difference of UA from the
same model of the default (of other models: from its M1) and from the default's baseline, UA and WA
of improvised and scripted turns apart; cosine similarities and top-10 accuracies, where the default
and the floors can be compared by them (Tables 3 and 6). Intervals are those of `emoword intervals`.
"""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table, replacing, write_table
from emoword.io.yaml_files import read_yaml
from emoword.schemas import MODEL
from emoword.schemas import RUN_KEYS as RUN
from emoword.statistics.intervals import (
    Key,
    Measured,
    Model,
    Where,
    measure,
    paired,
    read_model,
)
from emoword.statistics.resampling import Aggregate
from emoword.tables.latex import Latex, render
from emoword.tables.number_tables import cosine, percent
from emoword.tables.paper_tables import AGGREGATES, SYNTHETIC

BASELINE = ("baseline", "ce")
STYLES = ("improvised", "scripted")
# of Tables 3 and 6
NEARNESS = [(s, "cosine") for s in ("S1", "S2", "S3")]
NEARNESS += [(s, f"top10_{label}") for s in ("S2", "S3") for label in ("l1", "l2")]

Numbers = dict[Key, dict[Where, Measured]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword control-table``."""
    add = parser.add_argument
    add("--decisions", type=Path, nargs="+", required=True, help="decisions.csv of each variant")
    add("--floors", type=Path, required=True, help="floors.csv of `emoword floors`")
    add("--utterances", type=Path, required=True, help="utterances.csv: who speaks, and how")
    add("--controls", type=Path, required=True, help="paper/controls.yaml: the rows")
    add("--variant", default="paper", help="the default (default: paper)")
    add("--loss", default="lc", help="its loss (default: lc)")
    add("--aggregate", choices=get_args(Aggregate), default="mean", help="over folds")
    add("--template", type=Path, required=True, help="paper/templates/tableA2.tex.j2")
    add("--dataset", required=True, help="its name")
    add("--synthetic", action="store_true", help="say so in the caption")
    add("--csv", type=Path, required=True, help="the table as CSV, written")
    add("--tex", type=Path, required=True, help="the table as LaTeX, written")


def main(arguments: argparse.Namespace) -> None:
    """Write the table twice."""
    names = ["utterance", "speaker", "style"]
    utterances = read_table(arguments.utterances, names).set_index("utterance")
    models, collapsed = read_models([*arguments.decisions, arguments.floors], utterances)
    numbers = measure(models)
    rows = []
    for group in read_yaml(arguments.controls, "controls.schema.yaml")["groups"]:
        for row in group["rows"]:
            for model in row["models"]:
                key = (row["variant"], *model.split())
                if key in numbers:
                    found = control_row(key, numbers, arguments)
                    head = {"group": group["name"], "control": row["says"], "variant": key[0]}
                    rows.append({**head, "model": key[1], "loss": key[2], **found,
                                 "collapsed": collapsed[key]})  # fmt: skip
    if not rows:
        raise InputError(f"{arguments.controls}: none of its variants has decisions")
    frame = pd.DataFrame(rows)
    notes = [AGGREGATES[arguments.aggregate], *([SYNTHETIC] if arguments.synthetic else [])]
    values = {"dataset": arguments.dataset, "variant": arguments.variant, "notes": notes}
    text = render(arguments.template, {**values, **cells(frame)})
    write_table(frame, arguments.csv)
    with replacing(arguments.tex) as made:
        made.write_text(text, encoding="utf-8", newline="\n")


def read_models(
    paths: list[Path], utterances: pd.DataFrame
) -> tuple[dict[Key, Model], dict[Key, str]]:
    """Every model of the decisions, with the styles' scores; and how many runs collapsed."""
    models: dict[Key, Model] = {}
    collapsed: dict[Key, str] = {}
    for path in paths:
        table = read_table(path, [*RUN, "utterance", "true", "predicted", "collapsed"])
        for key, rows in table.groupby(MODEL, sort=False):
            variant, model, loss = map(str, key)
            read = read_model(rows, utterances["speaker"], path)
            styles = utterances["style"].reindex(read.tested.index).to_numpy()
            apart = {
                (style, metric): np.where(styles == style, read.scores["class", metric], np.nan)
                for style in STYLES
                if (styles == style).any()
                for metric in ("UA", "WA")
            }
            models[variant, model, loss] = read._replace(scores={**read.scores, **apart})
            by_run = rows.groupby(["fold", "seed"])["collapsed"].first().astype(int)
            fallen = int(by_run.sum())
            collapsed[variant, model, loss] = f"{fallen} of {len(by_run)} runs" if fallen else ""
    return models, collapsed


def control_row(key: Key, numbers: Numbers, arguments: argparse.Namespace) -> dict[str, Any]:
    """The numbers of one model of one control."""
    own, fold = numbers[key], arguments.aggregate
    row: dict[str, Any] = {}
    for metric in ("UA", "WA"):
        row |= with_interval(metric, own.get((fold, "class", metric)))
    default = numbers.get(same_of_default(key, arguments.variant, arguments.loss))
    baseline = numbers.get((arguments.variant, *BASELINE))
    for name, other in (("default", default), ("baseline", baseline)):
        if other is not None and other is not own:
            row |= difference(f"UA - {name}", own, other, (fold, "class", "UA"))
    for style in STYLES:
        for metric in ("UA", "WA"):
            row |= with_interval(f"{style} {metric}", own.get((fold, style, metric)))
    if key[0] == arguments.variant:
        for on, metric in NEARNESS:
            row |= with_interval(f"{on} {metric}", own.get((fold, on, metric)))
    return row


def same_of_default(key: Key, variant: str, loss: str) -> Key:
    """What a control is held against: the default's model of that name, or its M1."""
    _, model, own_loss = key
    if (model, own_loss) == BASELINE:
        return variant, *BASELINE
    return variant, model if model in ("M1", "M2", "M3") else "M1", loss


def with_interval(name: str, found: Measured | None) -> dict[str, float]:
    """A value with the ends of its interval."""
    if found is None:
        return {}
    low, high, _ = found.interval()
    return {name: found.value, f"{name} low": low, f"{name} high": high}


def difference(
    name: str, ours: dict[Where, Measured], theirs: dict[Where, Measured], where: Where
) -> dict[str, float]:
    """A paired difference with its interval and p-value, if it can be had."""
    for found, (value, low, high, _, p, *_) in paired({where: ours[where]}, theirs):
        if found == where:
            return {name: value, f"{name} low": low, f"{name} high": high, f"{name} p": p}
    return {}


def cells(frame: pd.DataFrame) -> dict[str, Any]:
    """What the template may name: lines of the table, and of the floors of Tables 3 and 6."""
    lines: list[dict[str, Any]] = []
    styles = [s for s in STYLES if f"{s} UA" in frame]
    for row in frame.to_dict("records"):
        mark = Latex(r"\rlap{\textdagger}") if row["collapsed"] else Latex("")
        first = not lines or lines[-1]["group"] != row["group"]
        same = not first and lines[-1]["control"] == row["control"]
        lines.append({
            "group": row["group"],
            "first": first,
            "control": row["control"],
            "says": "" if same else row["control"],
            "model": named(row),
            "numbers": [
                Latex(reach(row, "UA") + mark),
                reach(row, "WA"),
                reach(row, "UA - default", signed=True),
                reach(row, "UA - baseline", signed=True),
                *(reach(row, f"{s} {m}", plain=True) for s in styles for m in ("UA", "WA")),
            ],
        })  # fmt: skip
    near = [f"{on} {metric}" for on, metric in NEARNESS if f"{on} {metric}" in frame]
    floors = [
        {
            "name": named(row),
            "numbers": [
                Latex("--") if math.isnan(row[name]) else Latex(
                    (cosine if name.endswith("cosine") else percent)(row[name]).replace(
                        "-", r"\textminus{}"
                    )
                )
                for name in near
            ],
        }
        for row in frame.to_dict("records")
        if near and not all(math.isnan(row[name]) for name in near)
    ]  # fmt: skip
    heads = [name.replace("_", " ") for name in near]
    return {"lines": lines, "styles": styles, "floors": floors, "near": heads,
            "daggers": bool((frame["collapsed"] != "").any())}  # fmt: skip


def named(row: Mapping[Any, Any]) -> str:
    """A model as tables write it: `M1 LC`, `mean of S1`, `majority`."""
    name = str(row["model"]).replace("_", " of ")
    return name if row["loss"] == "constant" else f"{name} {row['loss'].upper()}"


def reach(row: Mapping[Any, Any], name: str, signed: bool = False, plain: bool = False) -> Latex:
    """A fraction in points, with half its interval's width, or an en dash."""
    value = row.get(name, math.nan)
    if math.isnan(value):
        return Latex("--")
    text = f"{100 * value:+.1f}" if signed else percent(value)
    text = text.replace("-", r"\textminus{}")
    half = (row[f"{name} high"] - row[f"{name} low"]) / 2
    if plain or math.isnan(half):
        return Latex(text)
    return Latex(rf"{text} {{\scriptsize$\pm$\,{100 * half:.1f}}}")
