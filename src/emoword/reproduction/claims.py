"""Say of each claim of the paper whether it holds: supported, contradicted, undecided.

Reads paper/claims.yaml (its head says how a claim is decided) and writes claims.csv (one row a
claim), claim_parts.csv (one row a thing measured, with its difference and interval), the same as
LaTeX, and as a page that needs no network, with a picture of each claim's differences.

    emoword claims --claims paper/claims.yaml --differences differences.csv \
        --intervals intervals.csv --neighbours neighbours/paper.csv \
        --targets targets/paper/summary.json --reported paper/reported.csv \
        --literature paper/literature.csv --templates paper/templates --dataset demo --corpus demo \
        --csv claims.csv --parts claim_parts.csv --tex claims.tex --html claims.html

On IEMOCAP the verdicts are about the paper. Elsewhere they are reached in the same way, and say so;
what the paper counted, and what others published, is compared on IEMOCAP alone.
"""

import argparse
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, replacing, write_table
from emoword.io.html import render_page
from emoword.labels.label_sets import read_reported
from emoword.reproduction import versus_paper
from emoword.reproduction.claim_pages import html_values, latex_values, margin
from emoword.reproduction.claims_file import AnyClaim, read_claims
from emoword.reproduction.verdicts import (
    VERDICTS,
    Evidence,
    Held,
    Part,
    both_ways,
    judge,
    verdict_of,
)
from emoword.statistics.intervals import AGAINST, MEASURE, MODEL, Difference, difference_of
from emoword.statistics.resampling import Error, half_width
from emoword.tables.latex import render
from emoword.tables.word_tables import read_neighbours

ABOUT = {
    "iemocap": "",
    "demo": "The speech is synthetic: these verdicts show that claims are evaluated, and say "
    "nothing about the paper.",
    "recordings": "These recordings are not the paper's corpus: the verdicts are on what it "
    "claims, but here.",
}
PARTS = ["claim", *Part._fields]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword claims``."""
    add = parser.add_argument
    add("--claims", type=Path, required=True, help="paper/claims.yaml")
    add("--differences", type=Path, required=True, help="differences.csv of `emoword intervals`")
    add("--intervals", type=Path, help="intervals.csv of the same: for published results")
    add("--neighbours", type=Path, required=True, help="of `emoword neighbours`")
    add("--targets", type=Path, required=True, help="summary.json of `emoword targets`")
    add("--reported", type=Path, required=True, help="paper/reported.csv: counts of the paper")
    add("--literature", type=Path, help="paper/literature.csv: published results")
    add("--versus-paper", type=Path, help="versus_paper.csv, to stand on the page as well")
    add(
        "--comparison",
        nargs="+",
        default=[],
        metavar="NAME=FILE",
        help="differences.csv of comparisons of variants",
    )
    add("--variant", default="paper", help="whose numbers are judged (default: paper)")
    add("--aggregate", choices=["mean", "pooled"], default="mean", help="over folds")
    add("--dataset", required=True, help="its name")
    add("--corpus", choices=list(ABOUT), required=True, help="what the dataset is")
    add("--templates", type=Path, required=True, help="folder of claims.tex.j2 and claims.html.j2")
    add("--csv", type=Path, required=True, help="claims.csv, written")
    add("--parts", type=Path, required=True, help="claim_parts.csv, written")
    add("--tex", type=Path, required=True, help="the claims as LaTeX, written")
    add("--html", type=Path, required=True, help="the claims as a page, written")


def main(arguments: argparse.Namespace) -> None:
    """Write the claims' verdicts, four times."""
    evidence = read_evidence(arguments)
    claims = read_claims(arguments.claims)
    parts = [judge(claim, evidence) for claim in claims]
    is_papers = arguments.corpus == "iemocap"
    rows = [claim_row(claim, own, is_papers) for claim, own in zip(claims, parts, strict=True)]
    write_table(pd.DataFrame(rows), arguments.csv)
    flat = [(c.id, *part) for c, own in zip(claims, parts, strict=True) for part in own]
    write_table(pd.DataFrame(flat, columns=PARTS), arguments.parts)

    about = {"dataset": arguments.dataset, "variant": arguments.variant}
    about["note"] = ABOUT[arguments.corpus]
    tex = render(arguments.templates / "claims.tex.j2", {**about, **latex_values(claims, parts)})
    versus = read_versus(arguments.versus_paper)
    page = render_page(
        arguments.templates / "claims.html.j2",
        {**about, "versus": versus, **html_values(claims, parts)},
    )
    for path, text in ((arguments.tex, tex), (arguments.html, page)):
        with replacing(path) as made:
            made.write_text(text, encoding="utf-8", newline="\n")
    counts = Counter(map(verdict_of, parts))
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]))


def claim_row(claim: AnyClaim, parts: Sequence[Part], about_the_paper: bool) -> dict[str, object]:
    """A row of claims.csv: the verdict, and how many parts came out how."""
    counts = Counter(part.verdict for part in parts)
    return {
        "claim": claim.id,
        **{name: getattr(claim, name) for name in ("place", "says", "quote", "on_paper", "kind")},
        "verdict": verdict_of(parts),
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "margin": margin(claim) or "",
        "about_the_paper": "yes" if about_the_paper else "no",
    }


def read_evidence(arguments: argparse.Namespace) -> Evidence:
    """Read what the claims are judged by."""
    variant, aggregate = arguments.variant, arguments.aggregate
    comparisons = {}
    for item in arguments.comparison:
        name, equals, path = item.partition("=")
        if not equals:
            raise InputError(f"--comparison {item}: write name=path/to/differences.csv")
        comparisons[name] = both_ways(read_differences(Path(path), aggregate))
    own = read_differences(arguments.differences, aggregate)
    is_papers = arguments.corpus == "iemocap"
    if is_papers and arguments.intervals and arguments.literature:
        published = (arguments.intervals, arguments.literature)
        own = itertools.chain(own, beside_published(*published, variant, aggregate))
    summary = read_json(arguments.targets)["label_sets"]
    return Evidence(
        variant,
        both_ways(own),
        comparisons,
        read_words(arguments.neighbours, variant),
        {name: own["distinct_targets"] for name, own in summary.items() if own["utterances"]},
        read_reported(arguments.reported) if is_papers else {},
    )


def read_words(path: Path, variant: str) -> pd.DataFrame:
    """Read the nearest words of neighbours.csv, of all seeds and of each.

    Raises:
        InputError: it is of a version that did not tell seeds apart.
    """
    rows = read_neighbours(path, variant)
    if "seed" not in rows:
        raise InputError(f"{path}: no column seed: make it again with `emoword neighbours`")
    return rows


def read_differences(path: Path, aggregate: str) -> Iterator[Held]:
    """Read differences.csv, over folds as named."""
    numbers = dict.fromkeys(Difference._fields, float)
    rows = read_table(path, [*MODEL, *AGAINST, *MEASURE, *numbers], numbers)
    rows = rows[rows["fold"] == aggregate]
    keys = (rows[names].itertuples(index=False, name=None) for names in (MODEL, AGAINST))
    found = rows[list(numbers)].itertuples(index=False, name=None)
    measures = rows["measured_on"] + " " + rows["metric"]
    for ours, theirs, measure, row in zip(*keys, measures, found, strict=True):
        yield ours, theirs, measure, Difference(*row)


def beside_published(
    intervals: Path, literature: Path, variant: str, aggregate: str
) -> Iterator[Held]:
    """Our accuracies less published ones; the interval is where one more run of ours would lie."""
    works = read_table(literature, ["key", "UA", "WA"], {"UA": float, "WA": float})
    numbers = dict.fromkeys(["value", "repeat_high", "speakers", "seeds", "utterances"], float)
    rows = read_table(intervals, [*MODEL, *MEASURE, *numbers], numbers)
    rows = rows[(rows["variant"] == variant) & (rows["fold"] == aggregate)]
    own = rows[rows["measured_on"] == "class"].to_dict("records")
    for ours, theirs in itertools.product(own, works.to_dict("records")):
        metric, freedom = ours["metric"], ours["seeds"] - 1
        if not math.isnan(theirs[metric]):
            reach = ours["repeat_high"] - ours["value"]
            error = Error(reach / half_width(Error(1.0, freedom)), freedom)
            counts = (ours["speakers"], ours["seeds"], ours["utterances"])
            found = difference_of(ours["value"] - theirs[metric], error, reach, counts)
            key = (variant, ours["model"], ours["loss"])
            yield key, (variant, theirs["key"], ""), f"class {metric}", found


def read_versus(path: Path | None) -> dict[str, Any]:
    """Of versus_paper.csv: how many cells there are, and those that can be compared, as text."""
    if path is None:
        return {"count": 0, "cells": [], "lists": []}
    rows = read_table(path, versus_paper.COLUMNS)
    cells = versus_paper.transcribed(rows)
    lists = [cell for cell in cells if cell["table"] == versus_paper.LISTS]
    return {"count": len(rows), "cells": [c for c in cells if c not in lists], "lists": lists}
