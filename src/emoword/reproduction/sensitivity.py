"""What hangs on what the paper leaves open: each alternative alone against the default."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.labels.label_sets import read_reported
from emoword.labels.words import read_summaries
from emoword.layout import Place, Variant, read_variant
from emoword.reproduction.cells import BASELINE
from emoword.reproduction.choices import read_choices
from emoword.reproduction.claims_file import AnyClaim, Differs, Pair, read_claims
from emoword.reproduction.controls import METRICS, Numbers, read_models
from emoword.reproduction.verdicts import NOT_EVALUATED, Evidence, both_ways, judge, verdict_of
from emoword.schemas import NEIGHBOURS
from emoword.statistics.intervals import Key, contrast, measure, paired
from emoword.tables.appended import SYNTHETIC
from emoword.tables.latex import Latex, render, write_latex


def sensitivity(
    *variants: Path,
    choices: Path,
    claims: Path,
    reported: Path,
    template: Path,
    csv: Path,
    verdicts: Path,
    tex: Path,
) -> None:
    r"""What hangs on what the paper leaves open: each alternative alone against the default.

    Writes CSV, one row an alternative, model and metric (UA, WA): the paired difference from the
    default with its 95% interval and p-value; VERDICTS, the verdict on each claim of
    the paper under each alternative, beside the default's; and both as LaTeX. One loss is looked
    at, so that claims are judged on what they say of it, and claims about several losses not.

        emoword sensitivity results/demo/variants/paper.json results/demo/variants/argmin.json \
            --choices paper/choices.yaml --claims paper/claims.yaml --reported paper/reported.csv \
            --template paper/templates/sensitivity.tex.j2 \
            --csv sensitivity.csv --verdicts verdicts.csv --tex sensitivity.tex

    Args:
        variants: The variants' files, the default first.
        choices: paper/choices.yaml.
        claims: paper/claims.yaml.
        reported: paper/reported.csv: counts of the paper.
        template: paper/templates/sensitivity.tex.j2.
        csv: The differences.
        verdicts: The claims' verdicts.
        tex: Both as LaTeX.
    """
    places = {place.variant.name: place for place in map(read_variant, variants)}
    default, *_ = places
    first = places[default]
    files = [place.path(f"decisions/{name}.csv") for name, place in places.items()]
    models, collapsed = read_models(files, first.path("utterances.csv"))
    numbers, loss = measure(models), first.variant.settings.table_loss
    judgeable = [c for claim in read_claims(claims) if (c := of_one_loss(claim, loss))]
    counts = read_reported(reported)
    said = {name: judged(place, numbers, judgeable, counts) for name, place in places.items()}
    rows, changed, lines = [], [], []
    ledger = [(own.choice, other) for own in read_choices(choices) for other in own.alternatives]
    for choice, other in ledger:
        if other.variant not in places:
            continue
        head = {"choice": choice, "alternative": other.says, "variant": other.variant}
        own = list(changes(places[other.variant].variant, first.variant, numbers, collapsed))
        rows += [{**head, **row} for row in own]
        turned = []
        for claim, verdict in said[other.variant].items():
            usual = said[default][claim]
            changed.append({**head, "claim": claim, "default": usual, "verdict": verdict})
            if usual != verdict:
                turned.append(f"{spoken(claim)}: {usual} → {verdict}")
        lines.append({**head, **cells(own), "claims": turned})
    if not rows:
        raise InputError(f"{choices}: none of its variants is among the files")
    write_table(pd.DataFrame(rows), csv)
    names = ["choice", "alternative", "variant", "claim", "default", "verdict"]
    write_table(pd.DataFrame(changed, columns=names), verdicts)
    values = {
        "dataset": first.variant.dataset,
        "variant": default,
        "loss": loss,
        "models": [m for m in ("M1", "M2", "M3", "baseline") if any(m in line for line in lines)],
        "lines": lines,
        "defaults": [(spoken(c), verdict) for c, verdict in said[default].items()],
        "notes": [SYNTHETIC] if first.variant.synthetic else [],
    }
    write_latex(render(template, values), tex)


def changes(
    variant: Variant, default: Variant, numbers: Numbers, collapsed: Mapping[Key, str]
) -> Iterator[dict[str, Any]]:
    """Each model's change in UA and WA from the default; over folds, each as its settings say."""
    for key, own in numbers.items():
        theirs = numbers.get((default.name, *key[1:]))
        if key[0] != variant.name or theirs is None:
            continue
        for metric in METRICS:
            mine = own[variant.settings.aggregate, "class", metric]
            other = theirs[default.settings.aggregate, "class", metric]
            found = contrast(mine, other)
            yield {
                "model": key[1],
                "loss": key[2],
                "metric": metric,
                "default": other.value,
                "value": mine.value,
                "difference": found.difference,
                "difference low": found.low,
                "difference high": found.high,
                "p": found.p,
                "collapsed": collapsed[key],
            }


# ------------------------------------------------------------------------------------ claims


def judged(
    place: Place, numbers: Numbers, claims: Sequence[AnyClaim], reported: dict[str, int]
) -> dict[str, str]:
    """The verdicts on the claims that can be judged by a variant: id -> verdict."""
    about = place.variant
    own = {key: found for key, found in numbers.items() if key[0] == about.name}
    differences = both_ways(
        (ours, theirs, " ".join(where[1:]), found)
        for ours, theirs in itertools.combinations(own, 2)
        for where, found in paired(own[ours], own[theirs])
        if where[0] == about.settings.aggregate
    )
    targets = read_summaries(map(place.targets, about.targets))
    evidence = Evidence(
        about.name,
        differences,
        neighbours=NEIGHBOURS.read(place.path(f"neighbours/{about.name}.csv")),
        targets={name: summary["distinct_targets"] for name, summary in targets.items()},
        reported=reported if about.kind == "iemocap" else {},
    )
    verdicts = {claim.id: verdict_of(judge(claim, evidence)) for claim in claims}
    return {name: verdict for name, verdict in verdicts.items() if verdict != NOT_EVALUATED}


def of_one_loss(claim: AnyClaim, loss: str) -> AnyClaim | None:
    """What a claim says of one loss (and of the baseline); None: nothing."""
    if getattr(claim, "loss", loss) != loss:
        return None
    if not isinstance(claim, Differs):
        return claim
    wanted = (loss, BASELINE[1])
    sides = (
        [tuple(m for m in side if m.partition(" ")[2] in wanted) for side in (p.these, p.those)]
        for p in claim.pairs
    )
    limited = tuple(Pair(these, those) for these, those in sides if these and those)
    if claim.comparison or not limited:
        return None
    return msgspec.structs.replace(claim, pairs=limited)


# ------------------------------------------------------------------------------------- LaTeX


def cells(rows: list[dict[str, Any]]) -> dict[str, dict[str, Latex]]:
    """The differences as LaTeX by model and metric: points, with half the interval's width."""
    found: dict[str, dict[str, Latex]] = {}
    for row in rows:
        value, low, high = (
            row[name] for name in ("difference", "difference low", "difference high")
        )
        text = f"{100 * value:+.1f}".replace("-", r"\textminus{}")
        if not np.any((value, low, high)):  # it cannot differ
            text = "="
        elif not np.isnan(low):
            text += rf" {{\scriptsize$\pm$\,{50 * (high - low):.1f}}}"
        mark = r"\rlap{\textdagger}" if row["collapsed"] else ""
        found.setdefault(row["model"], {})[row["metric"]] = Latex(text + mark)
    return found


def spoken(claim: str) -> str:
    """A claim's id as words: m3_is_best_on_s2 -> M3 is best on S2."""
    return re.sub(r"\b[ms](?=\d)", lambda found: found[0].upper(), claim.replace("_", " "))
