"""Whether each claim of the paper holds, as CSV, LaTeX and a page."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from emoword.io.files import read_table, replacing, write_table
from emoword.io.templates import fill
from emoword.labels.label_sets import read_reported
from emoword.labels.words import read_summaries
from emoword.layout import Place, read_variant
from emoword.reproduction import versus_paper
from emoword.reproduction.claim_pages import html_values, latex_values
from emoword.reproduction.claims_file import AnyClaim, Differs, read_claims
from emoword.reproduction.verdicts import (
    VERDICTS,
    Evidence,
    Held,
    Part,
    both_ways,
    judge,
    verdict_of,
)
from emoword.schemas import DIFFERENCES, INTERVALS, NEIGHBOURS, VERSUS_PAPER
from emoword.statistics.intervals import Difference, difference_of
from emoword.statistics.resampling import Error, half_width
from emoword.tables.latex import render, write_latex

PAGE = Path(__file__).parents[1] / "resources/page/claims.html.j2"
ABOUT = {
    "iemocap": "",
    "demo": "The speech is synthetic: these verdicts show that claims are evaluated, and say "
    "nothing about the paper.",
    "recordings": "These recordings are not the paper's corpus: the verdicts are on what it "
    "claims, but here.",
    "union": "Several corpora are one here: the verdicts are on what the paper claims, but here.",
}


def claims(
    variant: Path,
    /,
    *,
    claims: Path,
    reported: Path,
    literature: Path,
    templates: Path,
    csv: Path,
    parts: Path,
    tex: Path,
    html: Path,
) -> None:
    r"""Say of each claim of the paper whether it holds: supported, contradicted, undecided.

    The head of CLAIMS says how a claim is decided. Writes CSV (a row a claim), PARTS (a row a thing
    measured), both as LaTeX, and as a page that needs no network, with a picture of each claim's
    differences. Only on IEMOCAP are the verdicts about the paper, and are ours compared with what
    it counted and others published. Comparisons that claims are about are read if they were made.

        emoword claims results/demo/variants/paper.json --claims paper/claims.yaml \
            --reported paper/reported.csv --literature paper/literature.csv \
            --templates paper/templates --csv claims.csv --parts claim_parts.csv \
            --tex claims.tex --html claims.html

    Args:
        variant: The variant's file.
        claims: paper/claims.yaml.
        reported: paper/reported.csv: counts of the paper.
        literature: paper/literature.csv: published results.
        templates: The folder of claims.tex.j2.
        csv: claims.csv.
        parts: claim_parts.csv.
        tex: The claims as LaTeX.
        html: The claims as a page.
    """
    place = read_variant(variant)
    own = place.variant
    known = read_claims(claims)
    evidence = read_evidence(place, known, reported, literature)
    judged = {claim.id: judge(claim, evidence) for claim in known}
    rows = [claim_row(claim, judged[claim.id], own.kind == "iemocap") for claim in known]
    write_table(pd.DataFrame(rows), csv)
    flat = [(claim, *part) for claim, found in judged.items() for part in found]
    write_table(pd.DataFrame(flat, columns=["claim", *Part._fields]), parts)

    about = {"dataset": own.dataset, "variant": own.name, "note": ABOUT[own.kind]}
    write_latex(render(templates / "claims.tex.j2", about | latex_values(rows, judged)), tex)
    cells = versus_paper.transcribed(VERSUS_PAPER.read_text(place.path("versus_paper.csv")))
    shown = html_values(rows, judged) | {"versus": cells}
    with replacing(html) as made:
        made.write_text(fill(PAGE, about | shown, autoescape=True), encoding="utf-8")
    print(", ".join(f"{count} {verdict}" for verdict, count in shown["summary"]))


def claim_row(claim: AnyClaim, parts: Sequence[Part], about_the_paper: bool) -> dict[str, object]:
    """A row of claims.csv: the verdict, and how many parts came out how."""
    counts = Counter(part.verdict for part in parts)
    return {
        "claim": claim.id,
        **{name: getattr(claim, name) for name in ("place", "says", "quote", "on_paper", "kind")},
        "verdict": verdict_of(parts),
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "margin": getattr(claim, "margin", 0.0) or "",
        "because": getattr(claim, "because", ""),
        "about_the_paper": "yes" if about_the_paper else "no",
    }


def read_evidence(
    place: Place, claims: Sequence[AnyClaim], reported: Path, literature: Path
) -> Evidence:
    """Read what the claims are judged by, comparisons as far as they were made."""
    own, aggregate = place.variant, place.variant.settings.aggregate
    names = [claim.comparison for claim in claims if isinstance(claim, Differs)]
    files = {name: place.path(f"comparisons/{name}/differences.csv") for name in names if name}
    comparisons = {
        name: both_ways(read_differences(path, aggregate))
        for name, path in files.items()
        if path.exists()
    }
    within = read_differences(place.path("differences.csv"), aggregate)
    is_papers = own.kind == "iemocap"
    published = beside_published(place, literature) if is_papers else ()
    targets = read_summaries(map(place.targets, own.targets))
    return Evidence(
        own.name,
        both_ways(itertools.chain(within, published)),
        comparisons,
        NEIGHBOURS.read(place.path(f"neighbours/{own.name}.csv")),
        {name: summary["distinct_targets"] for name, summary in targets.items()},
        read_reported(reported) if is_papers else {},
    )


def read_differences(path: Path, aggregate: str) -> Iterator[Held]:
    """Read differences.csv, over folds as named."""
    for row in DIFFERENCES.read(path).to_dict("records"):
        if row["fold"] == aggregate:
            variant, model, loss, *against = (row[name] for name in DIFFERENCES.names[:6])
            found = Difference(*(row[name] for name in Difference._fields))
            measure = f"{row['measured_on']} {row['metric']}"
            yield (variant, model, loss), tuple(against), measure, found


def beside_published(place: Place, literature: Path) -> Iterator[Held]:
    """Our accuracies less published ones; the interval is where one more run of ours would lie."""
    name, aggregate = place.variant.name, place.variant.settings.aggregate
    works = read_table(literature, ["key", "UA", "WA"], {"UA": float, "WA": float})
    rows = INTERVALS.read(place.path("intervals.csv"))
    rows = rows[
        (rows[["variant", "fold", "measured_on"]] == [name, aggregate, "class"]).all(axis=1)
    ]
    for ours, theirs in itertools.product(rows.to_dict("records"), works.to_dict("records")):
        metric, freedom = ours["metric"], ours["seeds"] - 1
        if not math.isnan(theirs[metric]):
            reach = ours["repeat_high"] - ours["value"]
            error = Error(reach / half_width(Error(1.0, freedom)), freedom)
            counts = (ours["speakers"], ours["seeds"], ours["utterances"])
            found = difference_of(ours["value"] - theirs[metric], error, reach, counts)
            key = (name, ours["model"], ours["loss"])
            yield key, (name, theirs["key"], ""), f"class {metric}", found
