"""What the overview opens with: how the models do beside their references, and what was run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from emoword.io.files import read_json
from emoword.labels.words import read_summaries
from emoword.page.data import Shown
from emoword.tables.model import Cell, Table


class Outcome(NamedTuple):
    """A model's line: its accuracies, where they are traced, and what is to be said of it."""

    model: str
    cells: tuple[Cell | None, Cell | None]
    at: tuple[str, str, str] | None
    notes: list[str]


def outcome(tables: Sequence[Table], loss: str) -> list[Outcome]:
    """Table 1 in short: UA and WA of M1 to M3 with one loss, the baseline, the linear references.

    A model below the better linear reference, or with collapsed runs, has a note.
    """
    lines = [
        (model, row, at)
        for table in tables
        for model, row, at in lines_of(table, loss.upper())
        if any(row)
    ]
    linear = [row[0].value for model, row, _ in lines if "linear" in model and row[0]]
    best = max((value for value in linear if value is not None), default=None)
    listed = []
    for model, row, at in lines:
        ua, notes = row[0], []
        if ua and ua.value is not None and best is not None and ua.value < best:
            notes += ["below the linear reference"] * ("linear" not in model)
        if ua and ua.collapsed:
            notes.append(f"collapsed: {ua.collapsed}")
        listed.append(Outcome(model, row, at, notes))
    return listed


def lines_of(
    table: Table, loss: str
) -> Iterator[tuple[str, tuple[Cell | None, Cell | None], tuple[str, str, str]]]:
    """The lines that the overview shows of a table: model, (UA, WA), (table, row, loss)."""
    for row in table.rows:
        if table.number == "1":
            own = "CE" if row.columns else loss
            ua, wa = (row.cells.get(f"{own} {metric}") for metric in ("UA", "WA"))
            yield row.name, (ua, wa), ("1", row.name, f"{own} ")
        elif table.number == "2" and "linear reference" in row.name:
            yield row.name, (row.cells.get("UA"), row.cells.get("WA")), ("2", row.name, "")


def facts(
    shown: Shown,
    made: Sequence[dict[str, Any]],
    utterances: int,
    dropped: pd.DataFrame,
) -> list[tuple[str, str]]:
    """What was run, in lines of (what, text)."""
    place = shown.place
    summaries = read_summaries(map(place.targets, place.variant.targets))
    summary = summaries["S1"]
    meta = read_json(place.space / "meta.json")
    by_class = ", ".join(f"{name} {n}" for name, n in summary["utterances_by_class"].items())
    versions = Counter(", ".join(f"{k} {v}" for k, v in run["versions"].items()) for run in made)
    hosts = Counter(f"{run['device']} ({run['machine']})" for run in made)
    folds = sorted({run["fold"] for run in made})
    seeds = sorted({run["seed"] for run in made})
    fallen = sum(bool(run["collapsed"]) for run in made)
    targets = ", ".join(f"{name}: {one['distinct_targets']}" for name, one in summaries.items())
    out = int((dropped["kind"] == "utterance").sum())
    return [
        (
            "Utterances",
            f"{summary['utterances']} take part ({by_class}); {out} of {utterances} do not",
        ),
        ("Distinct targets", targets),
        ("Word space", f"{meta['source']}: {meta['words']:,} words, {meta['dim']} dimensions"),
        ("Features", place.variant.settings.upstream),
        ("Runs", f"{len(made)}: {len(folds)} folds, seeds {', '.join(map(str, seeds))}"),
        ("Collapsed runs", f"{fallen} of {len(made)}" if fallen else "none"),
        ("Trained on", "; ".join(f"{name}, {n} runs" for name, n in hosts.items())),
        ("Versions", "; ".join(f"{name}" for name in versions)),
        (
            "Tables show",
            f"variant {shown.variant}, {shown.aggregate} over folds, loss {shown.loss}",
        ),
    ]


