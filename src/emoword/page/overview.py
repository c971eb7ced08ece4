"""What the overview opens with: how the models do beside their references, and what was run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from emoword.io.files import read_json
from emoword.labels.words import read_summaries
from emoword.layout import Place
from emoword.page.tables import address
from emoword.tables.model import Cell, Table


class Outcome(NamedTuple):
    """A model's line: UA and WA with the addresses of their traces, and what is said of it."""

    model: str
    cells: list[tuple[Cell, str]]
    notes: list[str]


def outcome(tables: Sequence[Table], loss: str) -> list[Outcome]:
    """Table 1 in short: UA and WA of M1 to M3 with one loss, the baseline, the linear references.

    A model below the better linear reference, or with collapsed runs, has a note.
    """
    lines = [line for table in tables for line in lines_of(table, loss.upper())]
    linear = [cells[0][0].value or 0.0 for model, cells in lines if "linear" in model]
    listed = []
    for model, cells in lines:
        ua = cells[0][0]
        below = ua.value is not None and ua.value < max(linear, default=0.0)
        notes = ["below the linear reference"] * (below and "linear" not in model)
        notes += [f"collapsed: {ua.collapsed}"] * bool(ua.collapsed)
        listed.append(Outcome(model.removesuffix(" (here)"), cells, notes))
    return listed


def lines_of(table: Table, loss: str) -> Iterator[tuple[str, list[tuple[Cell, str]]]]:
    """The lines that the overview shows of a table: model, UA and WA with their addresses."""
    for row in table.rows:
        own = {"1": "CE " if row.columns else f"{loss} ", "2": ""}.get(table.number)
        names = [f"{own}{metric}" for metric in ("UA", "WA")]
        linear = "linear reference" in row.name
        if own is not None and linear == (table.number == "2") and set(names) <= set(row.cells):
            yield row.name, [(row.cells[name], address(table, row.name, name)) for name in names]


def facts(
    place: Place, made: Sequence[dict[str, Any]], utterances: int, dropped: pd.DataFrame
) -> list[tuple[str, str]]:
    """What was run, in lines of (what, text)."""
    chosen = place.variant.settings
    shown = f"{chosen.aggregate} over folds, loss {chosen.table_loss}"
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
    taken, out = summary["utterances"], int((dropped["kind"] == "utterance").sum())
    return [
        ("Utterances", f"{taken} take part ({by_class}); {out} of {utterances} do not"),
        ("Distinct targets", targets),
        ("Word space", f"{meta['source']}: {meta['words']:,} words, {meta['dim']} dimensions"),
        ("Features", chosen.upstream),
        ("Runs", f"{len(made)}: {len(folds)} folds, seeds {', '.join(map(str, seeds))}"),
        ("Collapsed runs", f"{fallen} of {len(made)}" if fallen else "none"),
        ("Trained on", "; ".join(f"{name}, {n} runs" for name, n in hosts.items())),
        ("Versions", "; ".join(f"{name}" for name in versions)),
        ("Tables show", f"variant {place.variant.name}, {shown}"),
    ]
