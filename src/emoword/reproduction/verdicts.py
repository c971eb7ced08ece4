"""Whether a claim holds: supported, contradicted or undecided, from differences and counts.

A claim has parts, and a part is one thing measured: a paired difference with its interval, the
presence of a word, a count. paper/claims.yaml says in its head how a part and a claim are decided.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from emoword.statistics.resampling import LEVEL, half_width

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
NOT_EVALUATED = "not evaluated"
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, NOT_EVALUATED)


class Part(NamedTuple):
    """One thing that a claim says, and what came of it.

    Attributes:
        what: in words, such as `M1 MSE - baseline CE`.
        measure: such as `class UA`, or nothing.
        value: the difference, or nothing.
        low: of its 95% interval.
        high: the same.
        p: of the paired permutation test.
        verdict: one of VERDICTS.
        note: what there is instead of a difference.
    """

    what: str
    measure: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    verdict: str = NOT_EVALUATED
    note: str = ""


class Difference(NamedTuple):
    """A paired difference of differences.csv."""

    value: float
    low: float
    high: float
    standard_error: float
    p: float
    speakers: int

    def turned(self) -> "Difference":
        """Theirs minus ours."""
        return self._replace(value=-self.value, low=-self.high, high=-self.low)


class Evidence(NamedTuple):
    """What claims are judged by.

    Attributes:
        differences: rows of differences.csv of one variant, over folds as the tables have it.
        comparisons: name -> the same rows of a comparison of variants.
        neighbours: rows of neighbours.csv of kind `prediction`.
        targets: label set -> number of distinct targets.
        reported: label set -> the same as the paper has it.
    """

    differences: pd.DataFrame
    comparisons: Mapping[str, pd.DataFrame]
    neighbours: pd.DataFrame
    targets: Mapping[str, int]
    reported: Mapping[str, int]


def judge(claim: Mapping[str, Any], evidence: Evidence) -> list[Part]:
    """The parts of a claim, each with its verdict."""
    kind = claim["kind"]
    if kind == "contains":
        return list(judge_words(claim, evidence.neighbours))
    if kind == "count":
        return [judge_count(claim["label_set"], evidence.targets, evidence.reported)]
    if "comparison" in claim:
        found = list(between_variants(claim, evidence.comparisons))
    else:
        found = list(between_models(claim, evidence.differences))
    return [decide_part(part, difference, claim, len(found)) for part, difference in found]


def verdict_of(parts: Sequence[Part]) -> str:
    """The claim's verdict: one part is contradicted, or one is missing, or open, or all hold."""
    verdicts = {part.verdict for part in parts}
    for verdict in (CONTRADICTED, NOT_EVALUATED, UNDECIDED):
        if verdict in verdicts:
            return verdict
    return SUPPORTED


# --------------------------------------------------------------------------- differences


def between_models(
    claim: Mapping[str, Any], differences: pd.DataFrame
) -> Iterator[tuple[Part, Difference | None]]:
    """Each pair of models by each measure."""
    keys = ["model", "loss", "against_model", "against_loss", "measured_on", "metric"]
    known = {
        tuple(row[key] for key in keys): Difference(*(row[key] for key in Difference._fields))
        for row in differences.to_dict("records")
    }
    for pair in claim["pairs"]:
        for these, those in itertools.product(pair["these"], pair["those"]):
            for measure in claim["measures"]:
                ours, theirs, where = these.split(), those.split(), measure.split()
                found = known.get((*ours, *theirs, *where))
                turned = known.get((*theirs, *ours, *where))
                if found is None and turned is not None:
                    found = turned.turned()
                yield Part(f"{named(these)} - {named(those)}", measure), found


def between_variants(
    claim: Mapping[str, Any], comparisons: Mapping[str, pd.DataFrame]
) -> Iterator[tuple[Part, Difference | None]]:
    """Each model, by each measure, between the variants of a comparison."""
    name = claim["comparison"]
    if name not in comparisons:
        yield Part(f"comparison {name}", note=f"not made: comparisons/{name}/differences.csv"), None
        return
    rows = comparisons[name]
    for model, measure in itertools.product(claim["models"], claim["measures"]):
        keys = dict(zip(("model", "loss"), model.split(), strict=True))
        keys |= {f"against_{key}": value for key, value in list(keys.items())}
        keys |= dict(zip(("measured_on", "metric"), measure.split(), strict=True))
        own = rows[(rows[list(keys)] == pd.Series(keys)).all(axis=1)]
        if own.empty:
            yield Part(f"{named(model)}, comparison {name}", measure), None
        for row in own.to_dict("records"):
            what = f"{named(model)}, {row['variant']} - {row['against_variant']}"
            yield Part(what, measure), Difference(*(row[key] for key in Difference._fields))


def decide_part(part: Part, found: Difference | None, claim: Mapping[str, Any], parts: int) -> Part:
    """Judge a difference by its interval: supported at 95%, contradicted at 1 - 5%/parts."""
    if found is None:
        return part._replace(note=part.note or "not measured for this dataset")
    wide = half_width(found.standard_error, found.speakers, 1 - (1 - LEVEL) / parts)
    holds, fails = RULES[claim["kind"]](
        found.low, found.high, found.value - wide, found.value + wide, claim.get("margin", 0.0)
    )
    verdict = SUPPORTED if holds else CONTRADICTED if fails else UNDECIDED
    return part._replace(
        value=found.value, low=found.low, high=found.high, p=found.p, verdict=verdict
    )


# low, high, low and high of the wider interval, margin -> whether it holds, whether it fails.
# One speaker has no interval: NaN compares as false, and the part is undecided.
Rule = Callable[[float, float, float, float, float], tuple[bool, bool]]
RULES: Mapping[str, Rule] = {
    "greater": lambda low, _high, _wide_low, wide_high, _margin: (low > 0, wide_high < 0),
    "not_less": lambda low, _high, _wide_low, wide_high, margin: (
        low > -margin,
        wide_high < -margin,
    ),
    "similar": lambda low, high, wide_low, wide_high, margin: (
        -margin < low and high < margin,
        wide_high < -margin or wide_low > margin,
    ),
}


def named(model: str) -> str:
    """A model as the tables write it: `M1 lc` -> `M1 LC`."""
    name, loss = model.split()
    return f"{name} {loss.upper()}"


# ------------------------------------------------------------------------ words and counts


def judge_words(claim: Mapping[str, Any], neighbours: pd.DataFrame) -> Iterator[Part]:
    """Whether a word is among the nearest words of each model's mean prediction of an emotion."""
    word, emotion = claim["word"], claim["emotion"]
    for model, wanted in itertools.chain(
        ((model, True) for model in claim["present"]), ((model, False) for model in claim["absent"])
    ):
        rows = neighbours[
            (neighbours["model"] == model)
            & (neighbours["loss"] == claim["loss"])
            & (neighbours["name"] == emotion)
        ]
        what = f"{model}: {word} {'among' if wanted else 'not among'} the words of {emotion}"
        if rows.empty:
            yield Part(what, note="not measured for this dataset")
            continue
        words = list(rows.sort_values("rank")["word"][: claim["nearest"]])
        verdict = SUPPORTED if (word in words) == wanted else CONTRADICTED
        yield Part(what, verdict=verdict, note=", ".join(words))


def judge_count(label_set: str, targets: Mapping[str, int], reported: Mapping[str, int]) -> Part:
    """Whether a label set has as many distinct targets as the paper says."""
    what = f"distinct targets of {label_set}"
    if label_set not in targets or label_set not in reported:
        return Part(what, note="not measured for this dataset")
    ours, theirs = targets[label_set], reported[label_set]
    verdict = SUPPORTED if ours == theirs else CONTRADICTED
    return Part(what, verdict=verdict, note=f"ours {ours}, the paper's {theirs}")
