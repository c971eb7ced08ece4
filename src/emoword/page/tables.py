"""Tables 1 to 6 as the page prints them: cells with their text, interval and address of the trace.

What is printed is what lies in tables/table{n}.csv; `emoword.tables.cells` says what is behind it.
"""

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from emoword.io.files import read_table
from emoword.page.data import Shown
from emoword.tables import cells
from emoword.tables.number_tables import Key, cosine, percent

TITLES = {
    1: "Accuracy by model and loss",
    2: "Beside published work",
    3: "Similarity of prediction and target",
    4: "Nearest words of example targets",
    5: "Nearest words of the predictions",
    6: "Top-10 accuracy",
}
CAPTIONS = {
    1: "Unweighted (UA) and weighted accuracy (WA) in per cent of M1, M2, M3, the models trained "
    "on label sets S1, S2, S3, by loss: mean squared error (MSE), mean absolute error (MAE), "
    "log-cosh (LC); and of the baseline, trained with cross entropy (CE).",
    2: "UA and WA in per cent. Published values are as their authors give them; protocols differ.",
    3: "Mean cosine similarity between the models' predictions (rows) and the targets of the label "
    "sets (columns).",
    4: "The words that are averaged, and the five words nearest to their average.",
    5: "The five words nearest to a model's mean prediction for the utterances of an emotion.",
    6: "How often the most frequent (l1) and the second most frequent label (l2) of an utterance "
    "in S2 and S3 are among the ten words nearest to the prediction, in per cent.",
}
GROUPS = {"MSE": "MSE", "MAE": "MAE", "LC": "LC (log-cosh)", "CE": "CE (cross entropy)"}


@dataclass
class Cell:
    """What a cell shows; ``trace`` is the address of its trace in the page, or empty."""

    text: str
    trace: str = ""
    best: bool = False
    collapsed: bool = False
    interval: str = ""
    note: str = ""


@dataclass
class Table:
    """A table to print: ``groups`` is a first header row of (text, columns), or empty."""

    number: int
    header: list[str]
    rows: list[tuple[list[str], list[Cell]]]
    heads: int = 1
    groups: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: str = ""

    @property
    def title(self) -> str:
        """In short."""
        return TITLES[self.number]

    @property
    def caption(self) -> str:
        """What it shows."""
        return CAPTIONS[self.number]


Intervals = Mapping[Key, tuple[float, float]]


def read_intervals(shown: Shown) -> dict[Key, tuple[float, float]]:
    """The 95% intervals of what the tables print, where there are any."""
    path = shown.results / "intervals.csv"
    if not path.is_file():
        return {}
    names = ["variant", "model", "loss", "fold", "measured_on", "metric", "low", "high"]
    rows = read_table(path, names, {"low": float, "high": float})
    rows = rows[(rows["variant"] == shown.variant) & (rows["fold"] == shown.aggregate)]
    return {
        Key(row["model"], row["loss"], row["measured_on"], row["metric"]): (row["low"], row["high"])
        for row in rows.to_dict("records")
    }


def read_tables(shown: Shown) -> tuple[list[Table], dict[str, Any]]:
    """All tables that are there, and the traces of their cells by address."""
    intervals = read_intervals(shown)
    neighbours = shown.results / "neighbours" / f"{shown.variant}.csv"
    near = read_table(neighbours, ["kind", "name", "model", "loss", "rank", "word", "similarity"])
    near = near[near["variant"] == shown.variant].astype({"rank": int})
    tables: list[Table] = []
    traces: dict[str, Any] = {}
    for number in cells.ROW_NAMES:
        path = shown.results / "tables" / f"table{number}.csv"
        if not path.is_file():
            continue
        frame = read_table(path, [])
        if list(frame.columns) == ["note"]:
            tables.append(Table(number, [], [], missing=frame["note"].iloc[0]))
        elif number in (4, 5):
            tables.append(word_table(number, frame, path, near, shown.loss, traces))
        else:
            tables.append(number_table(number, frame, path, shown, intervals, traces))
    return tables, traces


def address(number: int, row: str, column: str) -> str:
    """Where in the page a cell's trace is: ``trace/1/M1/LC%20UA``."""
    return f"trace/{number}/{quote(row, safe='')}/{quote(column, safe='')}"


def command(path: Path, row: str, column: str) -> str:
    """What to paste into a shell for the same trace."""
    return shlex.join(["emoword", "trace", path.as_posix(), row, column])


def number_table(
    number: int,
    frame: pd.DataFrame,
    path: Path,
    shown: Shown,
    intervals: Intervals,
    traces: dict[str, Any],
) -> Table:
    """Table 1, 2, 3 or 6: numbers of metrics.csv, and in Table 2 of the literature."""
    design = cells.design(number, shown.loss)
    columns = list(dict.fromkeys(column for keys in design.values() for column in keys))
    columns = [column for column in columns if column in frame.columns]
    show = cosine if number == 3 else percent
    values = {c: [float(v) if v else math.nan for v in frame[c]] for c in columns}
    best = {column: best_of(numbers, show) for column, numbers in values.items()}
    beside = ["features", "protocol"] if number == 2 and frame["features"].any() else []
    rows = []
    for i, name in enumerate(cells.row_names(number, frame)):
        line = []
        for column in columns:
            value = values[column][i]
            key = design.get(name, {}).get(column)
            if math.isnan(value):
                line.append(Cell("" if key is None and number == 1 else "–"))
                continue
            cell = Cell(show(value), best=show(value) == best[column])
            if key is not None:
                fallen = f"{key.loss.upper()}: " in frame["collapsed"].iloc[i]
                cell.collapsed = fallen
                cell.trace = address(number, name, column)
                if key in intervals:
                    low, high = intervals[key]
                    cell.interval = f"{show(low)} to {show(high)}"
                counted = f"{column} n"
                if counted in frame.columns:
                    cell.note = f"of {frame[counted].iloc[i]}"
                traces[cell.trace] = {
                    "table": number,
                    "row": name,
                    "column": column,
                    "shown": cell.text,
                    "exact": frame[column].iloc[i],
                    "interval": cell.interval,
                    "key": list(key),
                    "command": command(path, name, column),
                }
            line.append(cell)
        rows.append(([name, *(frame[b].iloc[i] for b in beside)], line))
    notes = [f"Collapsed (†): {name} {text}." for name, text in fallen_rows(frame)]
    return Table(
        number,
        ["model", *beside, *(c.partition(" ")[2] if number in (1, 6) else c for c in columns)],
        rows,
        heads=1 + len(beside),
        groups=grouped(columns) if number in (1, 6) else [],
        notes=notes,
    )


def best_of(numbers: list[float], show: Any) -> str:
    """The largest number as printed; empty if there is none to compare it with."""
    there = [number for number in numbers if not math.isnan(number)]
    return show(max(there)) if len(there) > 1 else ""


def grouped(columns: list[str]) -> list[tuple[str, int]]:
    """Neighbouring columns with the same first word: (its text, how many)."""
    groups: list[tuple[str, int]] = []
    for column in columns:
        first = column.partition(" ")[0]
        text = GROUPS.get(first, first)
        if groups and groups[-1][0] == text:
            groups[-1] = (text, groups[-1][1] + 1)
        else:
            groups.append((text, 1))
    return groups


def fallen_rows(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Rows with collapsed runs, and which."""
    if "collapsed" not in frame.columns:
        return []
    return [
        (str(name), str(text))
        for name, text in zip(frame.iloc[:, 0], frame["collapsed"], strict=True)
        if text
    ]


def word_table(
    number: int,
    frame: pd.DataFrame,
    path: Path,
    near: pd.DataFrame,
    loss: str,
    traces: dict[str, Any],
) -> Table:
    """Table 4 or 5: words, each with its similarity."""
    ranks = sum(name.startswith("word ") for name in frame.columns)
    heads = ["name", "words"] if number == 4 else ["emotion", "model"]
    rows = []
    for i, name in enumerate(cells.row_names(number, frame)):
        line = []
        own = (
            {pair.rpartition(":")[0] for pair in frame["words"].iloc[i].split()}
            if number == 4
            else set()
        )
        for rank in range(1, ranks + 1):
            column = f"word {rank}"
            word = frame[column].iloc[i]
            similarity = float(frame[f"similarity {rank}"].iloc[i])
            cell = Cell(word, address(number, name, column), word in own, note=cosine(similarity))
            what = cells.word_cell(number, name, column)
            listed = cells.neighbours_of(what, near, loss)
            traces[cell.trace] = {
                "table": number,
                "row": name,
                "column": column,
                "shown": word,
                "exact": frame[f"similarity {rank}"].iloc[i],
                "vector": {
                    "kind": what.kind,
                    "name": what.name,
                    "model": what.model,
                    "rank": rank,
                    "words": "".join(listed["words"].iloc[:1]),
                    "nearest": listed[["word", "similarity"]].to_numpy().tolist(),
                },
                "command": command(path, name, column),
            }
            line.append(cell)
        rows.append(([str(frame[head].iloc[i]) for head in heads], line))
    header = ["example", "words of the target"] if number == 4 else heads
    return Table(
        number,
        [*header, *(str(rank) for rank in range(1, ranks + 1))],
        rows,
        heads=2,
        groups=[("", 2), ("nearest words", ranks)],
        notes=[f"Collapsed: {name} {text}." for name, text in fallen_rows(frame)],
    )
