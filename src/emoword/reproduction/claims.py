"""Say of each claim of the paper whether it holds: supported, contradicted, undecided.

Reads paper/claims.yaml (its head says how a claim is decided) and writes claims.csv (one row a
claim), claim_parts.csv (one row a thing measured, with its difference and interval), the same as
LaTeX, and as a page that needs no network, with a picture of each claim's differences.

    emoword claims --claims paper/claims.yaml --differences differences.csv \
        --neighbours neighbours/paper.csv --targets targets/S1-... targets/S2-... \
        --reported paper/reported.csv --templates paper/templates --dataset demo --corpus demo \
        --csv claims.csv --parts claim_parts.csv --tex claims.tex --html claims.html

On IEMOCAP the verdicts are about the paper. Elsewhere they are reached in the same way, and say so.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_table, replacing, write_table
from emoword.io.html import render_page
from emoword.labels.words import read_summaries
from emoword.reproduction import versus_paper
from emoword.reproduction.claim_pages import html_values, latex_values
from emoword.reproduction.claims_file import read_claims
from emoword.reproduction.verdicts import VERDICTS, Evidence, Part, judge, verdict_of
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
CLAIMS = ["claim", "place", "says", "kind", "verdict", *VERDICTS, "margin", "about_the_paper"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword claims``."""
    add = parser.add_argument
    add("--claims", type=Path, required=True, help="paper/claims.yaml")
    add("--differences", type=Path, required=True, help="differences.csv of `emoword intervals`")
    add("--neighbours", type=Path, required=True, help="of `emoword neighbours`")
    add("--targets", type=Path, nargs="+", required=True, help="folders of the label sets")
    add("--reported", type=Path, required=True, help="paper/reported.csv: counts of the paper")
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
    corpus = arguments.corpus == "iemocap"
    rows = [claim_row(claim, own, corpus) for claim, own in zip(claims, parts, strict=True)]
    write_table(pd.DataFrame(rows, columns=CLAIMS), arguments.csv)
    flat = [(c["id"], *part) for c, own in zip(claims, parts, strict=True) for part in own]
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
    counts = Counter(row[4] for row in rows)
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]))


def claim_row(claim: dict[str, Any], parts: list[Part], about_the_paper: bool) -> tuple[Any, ...]:
    """A row of claims.csv: the verdict, and how many parts came out how."""
    counts = Counter(part.verdict for part in parts)
    return (
        *(claim[key] for key in ("id", "place", "says", "kind")),
        verdict_of(parts),
        *(counts[verdict] for verdict in VERDICTS),
        claim.get("margin", ""),
        "yes" if about_the_paper else "no",
    )


def read_evidence(arguments: argparse.Namespace) -> Evidence:
    """Read what the claims are judged by."""
    comparisons = {}
    for item in arguments.comparison:
        name, equals, path = item.partition("=")
        if not equals:
            raise InputError(f"--comparison {item}: write name=path/to/differences.csv")
        rows = read_differences(Path(path), arguments.aggregate)
        comparisons[name] = rows[rows["variant"] != rows["against_variant"]]
    own = read_differences(arguments.differences, arguments.aggregate)
    own = own[(own[["variant", "against_variant"]] == arguments.variant).all(axis=1)]
    neighbours = read_neighbours(arguments.neighbours, arguments.variant)
    targets = {
        name: counts["distinct_targets"]
        for name, counts in read_summaries(arguments.targets).items()
    }
    reported = read_table(arguments.reported, ["table", "row", "column", "value"])
    counted = reported[
        (reported["table"] == "targets") & (reported["column"] == "distinct targets")
    ]
    try:
        theirs = {row: int(value) for row, value in counted[["row", "value"]].to_numpy()}
    except ValueError as error:
        raise InputError(f"{arguments.reported}: distinct targets: {error}") from error
    predicted = neighbours[neighbours["kind"] == "prediction"]
    return Evidence(own, comparisons, predicted, targets, theirs)


def read_differences(path: Path, aggregate: str) -> pd.DataFrame:
    """Read differences.csv, over folds as named; `difference` is called `value`."""
    numbers = dict.fromkeys(["difference", "low", "high", "standard_error", "p"], float)
    names = ["variant", "model", "loss", "against_variant", "against_model", "against_loss"]
    names += ["fold", "measured_on", "metric", "speakers", *numbers]
    rows = read_table(path, names, {**numbers, "speakers": int})
    return rows[rows["fold"] == aggregate].rename(columns={"difference": "value"})


def read_versus(path: Path | None) -> dict[str, Any]:
    """Of versus_paper.csv: how many cells there are, and those that can be compared, as text."""
    if path is None:
        return {"count": 0, "cells": [], "lists": []}
    rows = read_table(path, versus_paper.COLUMNS)
    cells = versus_paper.transcribed(rows)
    lists = [cell for cell in cells if cell["table"] == versus_paper.LISTS]
    return {"count": len(rows), "cells": [c for c in cells if c not in lists], "lists": lists}
