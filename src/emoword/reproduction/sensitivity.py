r"""What hangs on what the paper leaves open: each alternative alone against the default.

    emoword sensitivity --choices paper/choices.yaml --decisions decisions/*.csv \
        --neighbours neighbours/*.csv --targets paper=targets/paper/summary.json \
        --utterances utterances.csv --claims paper/claims.yaml --reported paper/reported.csv \
        --template paper/templates/sensitivity.tex.j2 --dataset demo \
        --csv sensitivity.csv --verdicts verdicts.csv --tex sensitivity.tex

Writes sensitivity.csv, one row an alternative, model and metric (UA, WA): the paired difference
from the default with its 95% interval and p-value; verdicts.csv, the verdict on each
claim of the paper under each alternative, beside the default's; and both as LaTeX. One loss is
looked at, so that claims are judged on what they say of it, and claims about several losses not.
"""

import argparse
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, replacing, write_table
from emoword.labels.label_sets import pairs, read_reported
from emoword.reproduction.choices import read_choices
from emoword.reproduction.claims import read_words
from emoword.reproduction.claims_file import AnyClaim, Differs, Pair, read_claims
from emoword.reproduction.controls import BASELINE, Numbers, reach, read_models
from emoword.reproduction.verdicts import (
    NOT_EVALUATED,
    Differences,
    Evidence,
    both_ways,
    judge,
    verdict_of,
)
from emoword.statistics.intervals import contrast, measure, paired
from emoword.statistics.resampling import Aggregate
from emoword.tables.latex import Latex, render
from emoword.tables.paper_tables import SYNTHETIC

METRICS = ("UA", "WA")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword sensitivity``."""
    add = parser.add_argument
    add("--choices", type=Path, required=True, help="paper/choices.yaml: the ledger")
    add("--decisions", type=Path, nargs="+", required=True, help="decisions.csv of each variant")
    add("--neighbours", type=Path, nargs="+", required=True, help="neighbours.csv of the same")
    add(
        "--targets",
        nargs="+",
        required=True,
        metavar="VARIANT=FILE",
        help="summary.json of each variant's label sets",
    )
    add("--utterances", type=Path, required=True, help="utterances.csv: who speaks")
    add("--claims", type=Path, required=True, help="paper/claims.yaml")
    add("--reported", type=Path, required=True, help="paper/reported.csv: counts of the paper")
    add("--variant", default="paper", help="the default (default: paper)")
    add("--loss", default="lc", help="the loss that is looked at (default: lc)")
    add("--aggregate", choices=get_args(Aggregate), default="mean", help="over folds")
    add(
        "--other-aggregate",
        nargs="*",
        default=[],
        metavar="VARIANT=AGGREGATE",
        help="variants that differ in it",
    )
    add("--template", type=Path, required=True, help="paper/templates/sensitivity.tex.j2")
    add("--dataset", required=True, help="its name")
    add("--synthetic", action="store_true", help="say so in the caption")
    add("--csv", type=Path, required=True, help="differences, written")
    add("--verdicts", type=Path, required=True, help="the claims' verdicts, written")
    add("--tex", type=Path, required=True, help="both as LaTeX, written")


def main(arguments: argparse.Namespace) -> None:
    """Write the differences, the verdicts, and both as LaTeX."""
    utterances = read_table(arguments.utterances, ["utterance", "speaker", "style"])
    models, collapsed = read_models(arguments.decisions, utterances.set_index("utterance"))
    numbers = measure(models)
    over = pairs(arguments.other_aggregate)
    variants = list(dict.fromkeys(key[0] for key in numbers))
    over = {variant: over.get(variant, arguments.aggregate) for variant in variants}
    verdicts = {
        variant: dict(judged(variant, over[variant], numbers, arguments)) for variant in variants
    }
    default = arguments.variant
    if default not in variants:
        raise InputError(f"--variant {default}: none of the decisions are of it")
    rows, claims, lines = [], [], []
    for choice in read_choices(arguments.choices):
        for other in choice.get("alternatives", []):
            variant = other["variant"]
            if variant not in variants:
                continue
            head = {"choice": choice["choice"], "alternative": other["says"], "variant": variant}
            own = list(changes(variant, numbers, over, default))
            own = [{**row, "collapsed": collapsed[row.pop("key")]} for row in own]
            said = [
                {"claim": claim, "default": verdicts[default][claim], "verdict": verdict}
                for claim, verdict in verdicts[variant].items()
            ]
            rows += [{**head, **row} for row in own]
            claims += [{**head, **row} for row in said]
            lines.append({**head, **cells(own), "claims": turned(said)})
    if not rows:
        raise InputError(f"{arguments.choices}: none of its variants has decisions")
    write_table(pd.DataFrame(rows), arguments.csv)
    write_table(pd.DataFrame(claims), arguments.verdicts)
    values = {
        "dataset": arguments.dataset,
        "variant": default,
        "loss": arguments.loss,
        "models": [m for m in ("M1", "M2", "M3", "baseline") if any(m in line for line in lines)],
        "lines": lines,
        "defaults": [(spoken(c), verdict) for c, verdict in verdicts[default].items()],
        "notes": [SYNTHETIC] if arguments.synthetic else [],
    }
    text = render(arguments.template, values)
    with replacing(arguments.tex) as made:
        made.write_text(text, encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------------- differences


def changes(
    variant: str, numbers: Numbers, over: Mapping[str, str], default: str
) -> Iterator[dict[str, Any]]:
    """Each model's change in UA and WA from the default."""
    for key, own in numbers.items():
        theirs = numbers.get((default, *key[1:]))
        if key[0] != variant or theirs is None:
            continue
        for metric in METRICS:
            mine = own[over[variant], "class", metric]
            other = theirs[over[default], "class", metric]
            found = contrast(mine, other)
            yield {
                "key": key,
                "model": key[1],
                "loss": key[2],
                "metric": metric,
                "default": other.value,
                "value": mine.value,
                "difference": found.difference,
                "difference low": found.low,
                "difference high": found.high,
                "p": found.p,
            }


# ------------------------------------------------------------------------------------ claims


def judged(
    variant: str, aggregate: str, numbers: Numbers, arguments: argparse.Namespace
) -> Iterator[tuple[str, str]]:
    """The verdict on each claim that can be judged by one variant and loss."""
    evidence = Evidence(
        variant,
        differences_within(variant, aggregate, numbers),
        neighbours=predictions(arguments.neighbours, variant),
        targets=distinct_targets(arguments.targets, variant),
        reported=read_reported(arguments.reported),
    )
    for claim in read_claims(arguments.claims):
        limited = of_one_loss(claim, arguments.loss)
        if limited is not None:
            verdict = verdict_of(judge(limited, evidence))
            if verdict != NOT_EVALUATED:
                yield claim.id, verdict


def of_one_loss(claim: AnyClaim, loss: str) -> AnyClaim | None:
    """What a claim says of one loss (and of the baseline); None: nothing."""
    if getattr(claim, "loss", loss) != loss:
        return None
    if not isinstance(claim, Differs):
        return claim
    wanted = (loss, BASELINE[1])
    sides = (
        [
            tuple(m for m in side if m.partition(" ")[2] in wanted)
            for side in (pair.these, pair.those)
        ]
        for pair in claim.pairs
    )
    limited = tuple(Pair(these, those) for these, those in sides if these and those)
    if claim.comparison or not limited:
        return None
    return msgspec.structs.replace(claim, pairs=limited)


def differences_within(variant: str, aggregate: str, numbers: Numbers) -> Differences:
    """The differences between the models of a variant."""
    own = {key: found for key, found in numbers.items() if key[0] == variant}
    return both_ways(
        (ours, theirs, " ".join(where[1:]), found)
        for ours, theirs in itertools.combinations(own, 2)
        for where, found in paired(own[ours], own[theirs])
        if where[0] == aggregate
    )


def predictions(paths: list[Path], variant: str) -> pd.DataFrame:
    """The nearest words of a variant's predictions."""
    for path in paths:
        names = read_table(path, ["variant"])["variant"]
        if (names == variant).any():
            return read_words(path, variant)
    raise InputError(f"--neighbours: none of the files has rows of variant {variant!r}")


def distinct_targets(items: list[str], variant: str) -> dict[str, int]:
    """How many distinct targets a variant's label sets have."""
    files = pairs(items)
    if variant not in files:
        raise InputError(f"--targets: nothing for variant {variant!r}: add {variant}=summary.json")
    sets = read_json(Path(files[variant]))["label_sets"]
    return {name: own["distinct_targets"] for name, own in sets.items() if own["utterances"]}


# ------------------------------------------------------------------------------------- LaTeX


def cells(rows: list[dict[str, Any]]) -> dict[str, dict[str, Latex]]:
    """The differences as LaTeX by model and metric; what cannot differ is an equals sign."""
    found: dict[str, dict[str, Latex]] = {}
    for row in rows:
        ends_ = row["difference"], row["difference low"], row["difference high"]
        text = Latex("=") if not np.any(ends_) else reach(row, "difference", signed=True)
        mark = r"\rlap{\textdagger}" if row["collapsed"] else ""
        found.setdefault(row["model"], {})[row["metric"]] = Latex(text + mark)
    return found


def spoken(claim: str) -> str:
    """A claim's id as words: m3_is_best_on_s2 -> M3 is best on S2."""
    return re.sub(r"\b[ms](?=\d)", lambda found: found[0].upper(), claim.replace("_", " "))


def turned(said: list[dict[str, str]]) -> list[str]:
    """The claims whose verdict is another than the default's, in words."""
    return [
        f"{spoken(row['claim'])}: {row['default']} → {row['verdict']}"
        for row in said
        if row["default"] != row["verdict"]
    ]
