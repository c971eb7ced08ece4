"""What tables of several variants share: cells with intervals, and which runs collapsed."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from msgspec.structs import replace
from numpy.typing import NDArray

from emoword.statistics.intervals import Key, Measured
from emoword.statistics.resampling import (
    Aggregate,
    Error,
    Floats,
    Tally,
    half_width,
    over_speakers,
    value,
)
from emoword.tables.appended import between, with_interval
from emoword.tables.model import Cell
from emoword.tables.model import Key as TableKey
from emoword.tables.number_tables import Show, percent

BASELINE = ("baseline", "ce")


def collapsed_runs(rows: pd.DataFrame) -> str:
    """`2 of 5 runs` of a model's decisions, or nothing."""
    by_run = rows.groupby(["fold", "seed"])["collapsed"].first().astype(int)
    fallen = int(by_run.sum())
    return f"{fallen} of {len(by_run)} runs" if fallen else ""


def accuracy(found: Measured, key: Key, collapsed: str) -> Cell:
    """A model's accuracy with its interval over speakers, and how many of its runs collapsed."""
    source = TableKey(*key[1:], "class", "UA")
    return replace(with_interval(found), source=source, collapsed=collapsed)


def leaving_out(made: Tally, fold: Aggregate, speakers: NDArray[np.intp]) -> Floats:
    """A metric of all speakers, and without each of G ``speakers``: float64 [seeds, 1 + G]."""
    without = 1 - np.eye(len(made.counts))[speakers]
    return np.hstack([value(made, fold), value(made, fold, without)])


def reach(values: Floats, error: Callable[[Floats], Error] = over_speakers) -> float:
    """Half of the 95% interval by the jackknife, of what `leaving_out` measured."""
    n = values.shape[1] - 1
    return half_width(error(n * values[:, :1] - (n - 1) * values[:, 1:]))


def jackknifed(
    values: Floats, error: Callable[[Floats], Error] = over_speakers, show: Show = percent
) -> Cell:
    """The mean over seeds with its `reach`."""
    mean, half = float(values[:, 0].mean()), reach(values, error)
    return between(mean, mean - half, mean + half, show)
