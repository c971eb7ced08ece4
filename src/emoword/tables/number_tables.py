"""Tables 1, 2, 3 and 6: the numbers of metrics.csv.

A table is a function from the metrics to a `Table`; a missing value is printed as an en dash.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from msgspec.structs import replace

from emoword.evaluation.evaluate import count_metrics
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.schemas import CONSTANT, FLOORS, INTERVALS, LINEAR, METRICS
from emoword.tables.model import Cell, Column, Key, Row, Table, collapse_note
from emoword.tables.word_tables import NO_RATERS

MODELS = ("M1", "M2", "M3")
LOSSES = ("mse", "mae", "lc")
LISTED_BY = ("paper", "us")
# beside M1 in Table 2: as it is called there, model, loss
REFERENCES = (
    ("Baseline CE", "baseline", "ce"),
    ("Ridge, linear reference", "ridge", LINEAR),
    ("Logistic, linear reference", "logistic", LINEAR),
)
NO_WORKS = "No published work is listed, as the values at hand are for other speech."
PAPERS_WORKS = (
    "Published values are as the paper's Table 2 has them, with the paper's numbers of its "
    "references; it prints EPATA for ECAPA. Protocols differ."
)
OUR_WORKS = "Below the rule: works that we list, as their abstracts have them."
FLOORS_NOTE = (
    "Below the rule: predictors that always say the same, the mean of a label set's training "
    "targets or the most frequent class."
)
LINEAR_NOTE = (
    "Linear reference: ridge regression on the word vectors and logistic regression on the classes "
    "from mean and standard deviation of the same frames, on the same splits."
)
BELOW_LINEAR = (
    "BELOW THE LINEAR REFERENCE, so that the network has not learned what these frames hold; more "
    "training steps, a smaller batch or another learning rate may be wanting "
    "(docs/own-recordings.md)."
)
Show = Callable[[float], str]


class Measured(NamedTuple):
    """A value, how many utterances (or runs) are behind it, and its intervals, if there are any."""

    value: float
    n: int
    low: float = math.nan
    high: float = math.nan
    repeat_low: float = math.nan
    repeat_high: float = math.nan


NOTHING = Measured(math.nan, 0)
Metrics = Mapping[Key, Measured]


def read_metrics(path: Path, variant: str, fold: str) -> dict[Key, Measured]:
    """Read the overall values of a variant: those over all seeds, and over folds as named."""
    return overall(METRICS.read(path), path, variant, fold)


def with_floors(metrics: Metrics, path: Path, variant: str, fold: str) -> dict[Key, Measured]:
    """Add what constant predictors reach, counted from floors.csv."""
    counted = count_metrics(FLOORS.read_text(path))
    return {**metrics, **overall(counted, path, variant, fold)}


def overall(rows: pd.DataFrame, path: Path, variant: str, fold: str) -> dict[Key, Measured]:
    """The values of a variant over all seeds, and over folds as named.

    Raises:
        InputError: there are none of these rows, or one of them twice; names ``path``.
    """
    rows = rows[(rows["variant"] == variant) & (rows["seed"] == "all")]
    metrics: dict[Key, Measured] = {}
    for row in rows[rows["fold"] == fold].to_dict("records"):
        key = Key(*(row[name] for name in Key._fields))
        if key in metrics:
            raise InputError(f"{path}: {' '.join(key)} of variant {variant!r} stands there twice")
        metrics[key] = Measured(float(row["value"]), int(row["n"]))
    if not metrics:
        there = ", ".join(rows["fold"].unique()) or "there are none with any fold"
        raise InputError(
            f"{path}: no rows of variant {variant!r} with seed `all` and fold {fold!r}: {there}"
        )
    return metrics


def add_intervals(
    metrics: Metrics, path: Path, variant: str, fold: str
) -> tuple[dict[Key, Measured], str]:
    """The values with the intervals of intervals.csv, and what the caption says of both.

    Raises:
        InputError: the file is no intervals.csv, or a value in it is another: it is out of date.
    """
    ends = Measured._fields[2:]
    design = ("speakers", "folds", "seeds")
    rows = INTERVALS.read(path, "variant", "fold", *Key._fields, "value", *ends, *design)
    rows = rows[(rows["variant"] == variant) & (rows["fold"] == fold)]
    known = dict(metrics)
    for line, row in zip(rows.index + 2, rows.to_dict("records"), strict=True):
        key = Key(*(row[name] for name in Key._fields))
        if key not in known or not math.isclose(known[key].value, row["value"], abs_tol=1e-9):
            raise InputError(f"{path}: line {line}: metrics.csv has another value: make it again")
        known[key] = known[key]._replace(**{name: row[name] for name in ends})

    def many(unit: str) -> str:
        n = " or ".join(map(str, sorted(set(rows[f"{unit}s"]))))
        return f"{n} {unit}{'' if n == '1' else 's'}"

    pooled = {"mean": "means over {}", "pooled": "of the utterances of {} pooled, means over"}[fold]
    said = f"Values are {pooled.format(many('fold'))}{' and' * (fold == 'mean')} {many('seed')}"
    if rows["low"].isna().all():
        return known, f"{said}; {many('speaker')}: too few for intervals."
    return known, f"{said}; below each its 95% interval, over {many('speaker')}."


def read_literature(path: Path, dataset: str | None) -> pd.DataFrame:
    r"""Read the published results on a dataset (None: on none); UA and WA are fractions.

    Raises:
        InputError: a key is nothing that \cite takes, or a value is no fraction.
    """
    names = ["key", "approach", "dataset", "UA", "WA", "listed_by", "source", "protocol"]
    works = read_table(path, names, {"UA": float, "WA": float})
    for line, work in enumerate(works.to_dict("records"), start=2):
        if not re.fullmatch(r"[A-Za-z0-9:]+", work["key"]):
            raise InputError(f"{path}: line {line}: {work['key']!r} is no BibTeX key")
        if work["listed_by"] not in LISTED_BY:
            raise InputError(f"{path}: line {line}: listed_by is paper or us")
        for name in ("UA", "WA"):
            if work[name] < 0 or work[name] > 1:
                raise InputError(f"{path}: line {line}: {name} is a fraction, from 0 to 1")
    return works[works["dataset"] == dataset]


# ------------------------------------------------------------------------------------ the tables


def accuracy_table(metrics: Metrics) -> Table:
    """Table 1: UA and WA of M1..M3 with each loss, and the baseline as one line above."""
    above = tuple(Column(f"CE {metric}", f"% {metric}") for metric in ("UA", "WA"))
    baseline = number_row(metrics, "baseline", accuracies("baseline", ["ce"]), percent)
    rows = [number_row(metrics, model, accuracies(model, LOSSES), percent) for model in MODELS]
    columns = tuple(Column(name, name.split()[1], name.split()[0]) for name in rows[0].cells)
    caption = (
        "Unweighted (UA) and weighted accuracy (WA) in per cent of M1, M2, M3, the models trained "
        "on label sets S1, S2, S3, with mean squared error (MSE), mean absolute error (MAE) and "
        "log-cosh (LC); of the baseline, trained on S1 with cross entropy."
    )
    bare = Table("1", "Model accuracies on the four labels", caption, columns=columns)
    table = number_table(bare, rows)
    return replace(table, rows=(*table.rows, replace(baseline, columns=above)))


def accuracies(model: str, losses: Iterable[str]) -> dict[str, Key]:
    """The columns of a model in Table 1, such as `LC UA`."""
    return {
        f"{loss.upper()} {metric}": Key(model, loss, "class", metric)
        for loss in losses
        for metric in ("UA", "WA")
    }


def comparison_table(metrics: Metrics, loss: str, works: pd.DataFrame) -> Table:
    """Table 2: published works, with M1, baseline and linear models among the paper's by UA.

    Works that we list beside the paper's stand below a rule.
    """
    names = ("UA", "WA")
    ours = [
        number_row(
            metrics, f"{says} (here)", {m: Key(model, own, "class", m) for m in names}, percent
        )
        for says, model, own in (("Word embeddings, M1 " + loss.upper(), "M1", loss), *REFERENCES)
        if Key(model, own, "class", "UA") in metrics or own != LINEAR
    ]
    papers, further = (
        [
            Row((work["approach"],), {m: number_cell(work[m], percent) for m in names})
            for work in works[works["listed_by"] == by].to_dict("records")
        ]
        for by in LISTED_BY
    )
    rows = sorted([*papers, *ours], key=lambda row: row.cells["UA"].value or 0)
    rows += [replace(row, rule=row is further[0]) for row in further]
    title = "Comparison with recent work"
    caption = f"{title}: UA and WA in per cent."
    bare = Table("2", title, caption, columns=tuple(map(Column, names)))
    table = number_table(bare, rows, "approach")
    notes = [PAPERS_WORKS] * bool(papers) + [OUR_WORKS] * bool(further)
    notes = notes or [NO_WORKS]
    notes += below_linear(metrics, loss)
    return replace(table.with_notes(*notes), cite=tuple(works["key"].unique()))


def below_linear(metrics: Metrics, loss: str) -> list[str]:
    """What the linear reference is, if there is one, and which models stay below it in UA."""

    def ua(model: str, own: str) -> float:
        return metrics.get(Key(model, own, "class", "UA"), NOTHING).value

    references = (ua("ridge", LINEAR), ua("logistic", LINEAR))
    linear = max((own for own in references if not math.isnan(own)), default=math.nan)
    ours = {f"M1 {loss.upper()}": ua("M1", loss), "the baseline": ua("baseline", "ce")}
    below = [name for name, value in ours.items() if value < linear]
    notes = [] if math.isnan(linear) else [LINEAR_NOTE]
    return notes + [f"{' and '.join(below)}: {BELOW_LINEAR}"] * bool(below)


def similarity_table(metrics: Metrics, loss: str) -> Table:
    """Table 3: mean cosine similarity of M1..M3's predictions with S1..S3's targets."""
    columns = {(name, "cosine"): Column(name) for name in ("S1", "S2", "S3")}
    title = "Average cosine similarity across the label sets"
    caption = (
        "Average cosine similarity between the predictions of the models and the targets of the "
        "label sets."
    )
    return rater_table(Table("3", title, caption), metrics, loss, columns, cosine)


def top10_table(metrics: Metrics, loss: str) -> Table:
    """Table 6: how often l1 and l2 are among the ten words nearest to the prediction."""
    columns = {
        (on, f"top10_{label}"): Column(f"{on} {label}", head, on)
        for on in ("S2", "S3")
        for label, head in (("l1", "l₁"), ("l2", "l₂"))
    }
    title = "Top-10 accuracy for l1 and l2 on S2 and S3"
    caption = (
        "Top-10 accuracy in per cent: how often the most frequent (l₁) and the second most "
        "frequent label (l₂) of an utterance in S2 and S3 are among the ten words nearest to the "
        "prediction."
    )
    table = rater_table(Table("6", title, caption), metrics, loss, columns, percent)
    counted = []
    for on, column in columns.items():
        ns = {metrics[key].n for model in MODELS if (key := Key(model, loss, *on)) in metrics}
        counted.append(f"{' or '.join(map(str, sorted(ns))) or 0} in {column.name}")
    said = f"Utterances, each once a seed: {', '.join(counted)}."
    return table if table.missing else table.with_notes(said)


def rater_table(
    bare: Table, metrics: Metrics, loss: str, columns: Mapping[tuple[str, str], Column], show: Show
) -> Table:
    """Table 3 or 6: M1..M3 and, below, constant predictors; none without values of S2 or S3."""
    if not any(key[2:] in columns and key.measured_on != "S1" for key in metrics):
        return replace(bare, missing=NO_RATERS)
    floors = sorted({key[:2] for key in metrics if key.loss == CONSTANT})
    rows: list[Row] = []
    for model, own in [*((model, loss) for model in MODELS), *floors]:
        keys = {column.name: Key(model, own, *on) for on, column in columns.items()}
        row = number_row(metrics, model.replace("_", " of "), keys, show)
        rows.append(replace(row, rule=len(rows) == len(MODELS)))
    table = number_table(replace(bare, columns=tuple(columns.values())), rows)
    return table.with_notes(FLOORS_NOTE) if floors else table


# ------------------------------------------------------------------------- from metrics to cells


def number_table(bare: Table, rows: Sequence[Row], stub: str = "model") -> Table:
    """A table of numbers whose rows are named by one column, the highest values in bold.

    What is printed alike is equally high. A value without any to compare it with is not bold.
    """
    rows = [replace(row, cells={**row.cells}) for row in rows]
    for name in (column.name for column in bare.columns):
        there = [row.cells for row in rows if row.cells[name].value is not None]
        if len(there) > 1:
            best = max(there, key=lambda cells: cells[name].value or 0.0)[name].text
            for cells in there:
                cells[name] = replace(cells[name], bold=cells[name].text == best)
    return replace(
        bare,
        caption=f"{bare.caption} Bold: the highest value of a column.",
        stub=(Column(stub, stub.capitalize(), words=True),),
        rows=tuple(rows),
        notes=collapse_note(rows),
    )


def number_row(metrics: Metrics, name: str, keys: Mapping[str, Key], show: Show) -> Row:
    """A row of a table: the cells of the keys, with how many of the runs behind each collapsed."""
    cells = {}
    for column, key in keys.items():
        runs = metrics.get(Key(key.model, key.loss, "class", "collapsed"), NOTHING)
        fallen = f"{int(runs.value)} of {runs.n} runs" if runs.value > 0 else ""
        value, _, *ends = metrics.get(key, NOTHING)
        cells[column] = replace(number_cell(value, show, *ends), source=key, collapsed=fallen)
    return Row((name,), cells)


def number_cell(
    value: float, show: Show, low: float = math.nan, high: float = math.nan, *repeat: float
) -> Cell:
    """A number with its interval as they are printed; an en dash where there is none.

    ``repeat``: where another run would lie, from and to.
    """
    if math.isnan(value):
        return Cell("–")
    between = " to " if low < 0 else "–"
    interval = "" if math.isnan(low) or math.isnan(high) else show(low) + between + show(high)
    names = ("low", "high", "repeat_low", "repeat_high")
    ends = zip(names, (low, high, *repeat), strict=False)
    known = {name: float(end) for name, end in ends if not math.isnan(end)}
    return replace(Cell(show(value), float(value), interval=interval), **known)


def percent(fraction: float) -> str:
    """Print a fraction in per cent with two decimals, as the paper does."""
    return f"{100 * fraction:.2f}".replace("-", "−")


def cosine(similarity: float) -> str:
    """Print a cosine similarity with three decimals, as the paper does."""
    return f"{similarity:.3f}".replace("-", "−")


def signed(value: float, show: Show) -> str:
    """Print a difference with its sign."""
    return ("+" if value >= 0 else "") + show(value)


def points(difference: float) -> str:
    """Print a difference of two fractions in points, with its sign."""
    return signed(difference, percent)
