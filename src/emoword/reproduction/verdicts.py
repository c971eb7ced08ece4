"""Whether a claim holds: supported, contradicted or undecided, from differences, words and counts.

A claim has parts, and a part is one thing measured. paper/claims.yaml says in its head how a part
and a claim are decided.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import pandas as pd

from emoword.reproduction import claims_file as kinds
from emoword.reproduction.claims_file import AnyClaim, Differs
from emoword.schemas import NEIGHBOURS
from emoword.statistics.intervals import Difference, Key
from emoword.statistics.resampling import LEVEL, Error, half_width
from emoword.tables.appended import named
from emoword.tables.word_tables import parse_words

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
NOT_EVALUATED = "not evaluated"
NOT_JUDGED = {1: "not judged: one seed", 2: "not judged: two seeds"}
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, *NOT_JUDGED.values(), NOT_EVALUATED)
PREDICTIONS = ("prediction", "prediction of a seed")  # kinds of neighbours.csv
LISTED = 5  # words that Tables 4 and 5 show
ALIKE = 0.8  # to neutral: neutrals .93, nuetral .86; natural .71, muted .33

Held = tuple[Key, Key, str, Difference]  # ours, theirs, measure: one held against the other
Differences = Mapping[tuple[Key, Key, str], Difference]  # both ways round
NAN = math.nan


class Part(NamedTuple):
    """One thing that a claim says, and what came of it.

    Attributes:
        what: in words, such as `M1 MSE - baseline CE`; measure: such as `class UA`, or nothing.
        value: a difference, with its 95% interval, p, and the smallest one that is detectable; NaN:
            there is none.
        verdict: one of VERDICTS.
        note: what there is beside a difference, or instead of one.
    """

    what: str
    measure: str = ""
    value: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    detectable: float = NAN
    verdict: str = NOT_EVALUATED
    note: str = "not measured for this dataset"


class Evidence(NamedTuple):
    """What claims are judged by.

    Attributes:
        variant: whose numbers are judged.
        differences: between its models, and between these and published results.
        comparisons: name -> differences between all models of a comparison's variants.
        neighbours: neighbours.csv.
        targets: label set -> number of distinct targets; ``reported``: as the paper has it.
    """

    variant: str
    differences: Differences
    comparisons: Mapping[str, Differences] = {}
    neighbours: pd.DataFrame = pd.DataFrame(columns=NEIGHBOURS.names)
    targets: Mapping[str, int] = {}
    reported: Mapping[str, int] = {}


def both_ways(found: Iterable[Held]) -> Differences:
    """Differences by what is held against what, each the other way round as well."""
    known = {}
    for ours, theirs, measure, difference in found:
        known[ours, theirs, measure] = difference
        known[theirs, ours, measure] = difference.turned()
    return known


def judge(claim: AnyClaim, evidence: Evidence) -> list[Part]:
    """The parts of a claim, each with its verdict."""
    match claim:
        case Differs():
            return judge_differences(claim, evidence)
        case kinds.Contains():
            return list(judge_contained(claim, evidence.neighbours))
        case kinds.Spelling():
            return list(judge_spelling(claim, evidence.neighbours))
        case kinds.Mixtures():
            return list(judge_mixtures(evidence.neighbours)) or [Part("mixed targets")]
        case kinds.Count():
            return [judge_count(claim.label_set, evidence)]
        case kinds.Unmeasured():
            return [Part("it would need", note=claim.needs)]


def verdict_of(parts: Sequence[Part]) -> str:
    """The claim's verdict: one part is contradicted, or one is missing, or open, or all hold."""
    verdicts = {part.verdict for part in parts}
    order = (CONTRADICTED, NOT_EVALUATED, *NOT_JUDGED.values(), UNDECIDED)
    return next((verdict for verdict in order if verdict in verdicts), SUPPORTED)


def decided(holds: bool, fails: bool, seeds: int) -> str:
    """The verdict on what comes of trainings: with fewer than three, luck cannot be told apart."""
    return NOT_JUDGED.get(seeds) or (SUPPORTED if holds else CONTRADICTED if fails else UNDECIDED)


# --------------------------------------------------------------------------- differences


def judge_differences(claim: Differs, evidence: Evidence) -> list[Part]:
    """Each difference by its interval: it holds at 95%, and fails at 1 - 5%/parts."""
    known = evidence.differences
    if claim.comparison is not None:
        if claim.comparison not in evidence.comparisons:
            missing = f"not made: comparisons/{claim.comparison}/differences.csv"
            return [Part(f"comparison {claim.comparison}", note=missing)]
        known = evidence.comparisons[claim.comparison]
    held = list(of_models(claim, evidence.variant) if claim.pairs else of_variants(claim, known))
    return [
        decide_part(Part(what, measure), known.get((ours, theirs, measure)), claim, len(held))
        for what, ours, theirs, measure in held
    ] or [Part(f"comparison {claim.comparison}")]


def of_models(claim: Differs, variant: str) -> Iterator[tuple[str, Key, Key, str]]:
    """What a claim holds against what, in words and as keys: pairs of models, by each measure."""
    for own, pair in itertools.product(claim.within or (variant,), claim.pairs):
        for these, those, measure in itertools.product(pair.these, pair.those, claim.measures):
            where = f", {own}" if claim.within else ""
            ours, theirs = key_of(own, these), key_of(own, those)
            yield f"{named(*ours[1:])} - {named(*theirs[1:])}{where}", ours, theirs, measure


def of_variants(claim: Differs, known: Differences) -> Iterator[tuple[str, Key, Key, str]]:
    """The same: a model in one variant of a comparison and in another."""
    for model, measure in itertools.product(claim.models, claim.measures):
        variants = dict.fromkeys(ours[0] for ours, *_ in known)
        own = [key_of(variant, model) for variant in variants]
        for ours, theirs in itertools.combinations(own, 2):
            first, second = (theirs, ours) if theirs[0] == claim.best else (ours, theirs)
            if claim.best in (None, first[0]):
                yield f"{named(*first[1:])}, {first[0]} - {second[0]}", first, second, measure


def key_of(variant: str, model: str) -> Key:
    """`M1 lc` of a variant, as differences.csv has it; a published result has no loss."""
    name, _, loss = model.partition(" ")
    return variant, name, loss


def decide_part(part: Part, found: Difference | None, claim: Differs, parts: int) -> Part:
    """Judge a difference; where sessions alone would not give the same verdict, it is noted."""
    if found is None:
        return part
    wide = half_width(Error(found.standard_error, found.freedom), 1 - (1 - LEVEL) / parts)
    ends, sessions = (found.low, found.high), (found.session_low, found.session_high)
    widened = (found.difference - wide, found.difference + wide)
    verdict = decided(*rule(claim, ends, widened), found.seeds)
    agreed = verdict == decided(*rule(claim, sessions, sessions), found.seeds)
    note = "" if agreed else "not by sessions alone"
    return Part(*part[:2], found.difference, *ends, found.p, found.detectable, verdict, note)


def rule(
    claim: Differs, narrow: tuple[float, float], wide: tuple[float, float]
) -> tuple[bool, bool]:
    """Whether a claim holds by an interval, and fails by a wider one; NaN does neither."""
    (low, high), (wide_low, wide_high), margin = narrow, wide, claim.margin
    match claim.kind:
        case "no_difference":
            return low <= 0 <= high, wide_low > 0 or wide_high < 0
        case "similar":
            return -margin < low and high < margin, wide_high < -margin or wide_low > margin
        case _:  # greater; not_less, which has a margin
            return low > -margin, wide_high < -margin


# ------------------------------------------------------------------------ words and counts


def judge_contained(claim: kinds.Contains, neighbours: pd.DataFrame) -> Iterator[Part]:
    """Whether a word is among the nearest words of a model's mean prediction of an emotion."""
    for near in (*claim.present, *claim.absent):
        model, emotion, word = near.split()
        wanted = near in claim.present
        what = f"{model}: {word} {'among' if wanted else 'not among'} the words of {emotion}"
        found = nearest_words(neighbours, model, claim.loss, emotion)
        held = {seed: (word in words) == wanted for seed, words in found.items()}
        yield by_seeds(what, held, ", ".join(found.get("", [])))


def judge_spelling(claim: kinds.Spelling, neighbours: pd.DataFrame) -> Iterator[Part]:
    """Whether more of a model's nearest words are the emotion's word in another spelling."""
    counts = {}
    for model in (claim.model, *claim.others):
        found = nearest_words(neighbours, model, claim.loss, claim.emotion)
        counts[model] = {
            seed: sum(alike(word, claim.emotion) and word != claim.emotion for word in words)
            for seed, words in found.items()
        }
    ours = counts[claim.model]
    for other in claim.others:
        what = f"{claim.model}: more respelled words of {claim.emotion} than {other}"
        held = {seed: ours[seed] > n for seed, n in counts[other].items() if seed in ours}
        yield by_seeds(what, held, f"{ours.get('')} and {counts[other].get('')}")


def nearest_words(
    neighbours: pd.DataFrame, model: str, loss: str, emotion: str
) -> dict[str, list[str]]:
    """Seed -> the words nearest to a model's mean prediction of an emotion; "": of all seeds."""
    own = (neighbours[["model", "loss", "name"]] == [model, loss, emotion]).all(axis=1)
    own &= neighbours["kind"].isin(PREDICTIONS)
    return {
        str(seed): list(rows.sort_values("rank")["word"][:LISTED])
        for seed, rows in neighbours[own].groupby("seed")
    }


def by_seeds(what: str, held: Mapping[str, bool], note: str) -> Part:
    """Supported if it is so for every seed, contradicted if for none; the note has the share."""
    seeds = [holds for seed, holds in held.items() if seed]
    if not seeds:
        return Part(what)
    verdict = decided(all(seeds), not any(seeds), len(seeds))
    return Part(what, verdict=verdict, note=f"{sum(seeds)} of {len(seeds)} seeds; {note}")


def alike(word: str, other: str) -> bool:
    """Whether two words are spelled alike, from the first letter (happiness, not unhappiness)."""
    one, two = word.lower(), other.lower()
    return one[:1] == two[:1] and SequenceMatcher(None, one, two).ratio() >= ALIKE


def judge_mixtures(neighbours: pd.DataFrame) -> Iterator[Part]:
    """Whether two words of each mixed example target are like words that are nearest to it."""
    targets = neighbours[neighbours["kind"] == "target"]
    for words, rows in targets.groupby("words", sort=False):
        own = {word for word, _ in parse_words(str(words))}
        near = list(rows.sort_values("rank")["word"][:LISTED])
        met = [word for word in own if any(alike(word, other) for other in near)]
        if len(own) > 1:
            verdict = SUPPORTED if len(met) > 1 else CONTRADICTED
            yield Part(f"target {words}", verdict=verdict, note=", ".join(near))


def judge_count(label_set: str, evidence: Evidence) -> Part:
    """Whether a label set has as many distinct targets as the paper says."""
    part = Part(f"distinct targets of {label_set}")
    ours, theirs = evidence.targets.get(label_set), evidence.reported.get(label_set)
    if ours is None:
        return part
    if theirs is None:
        return part._replace(note="the paper counts IEMOCAP alone")
    verdict = SUPPORTED if ours == theirs else CONTRADICTED
    return part._replace(verdict=verdict, note=f"ours {ours}, the paper's {theirs}")
