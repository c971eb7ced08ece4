"""What the claims' templates may name: numbers as text, and the geometry of a small picture."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from emoword.reproduction.verdicts import VERDICTS, Part
from emoword.tables.latex import Latex, escape

Rows = Sequence[Mapping[Any, Any]]  # of claims.csv
Parts = Mapping[str, Sequence[Part]]  # by claim

EDGE = 1.08  # the picture reaches a little beyond its longest interval


def in_points(measure: str) -> bool:
    """Whether a measure is a share, printed in percentage points; a cosine is printed as it is."""
    return not measure.endswith(" cosine")


def measure_name(measure: str) -> str:
    """`class UA` -> `UA`, `S2 top10_l1` -> `S2 l1`."""
    return measure.removeprefix("class ").replace("top10_", "")


def signed(value: float, measure: str) -> str:
    """A difference as text: `+1.4` (points), `-0.013` (of cosine similarity); nothing for NaN."""
    if math.isnan(value):
        return ""
    text = f"{100 * value:+.1f}" if in_points(measure) else f"{value:+.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def interval(part: Part) -> str:
    """`+0.2 to +2.6`, or nothing."""
    return " to ".join(filter(None, (signed(x, part.measure) for x in (part.low, part.high))))


def named(part: Part) -> str:
    """What a part is about, its models apart by a dash."""
    return part.what.replace(" - ", " \N{EN DASH} ")


def extent(part: Part) -> float:
    """How far from zero the part's interval, or value, reaches; 0 where there is none."""
    ends = (part.value, part.low, part.high)
    return max((abs(x) for x in ends if not math.isnan(x)), default=0.0)


def tally(verdicts: Sequence[str]) -> list[tuple[str, int]]:
    """How many came out how, in the order of VERDICTS."""
    counts = Counter(verdicts)
    return [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]]


def tallied(parts: Sequence[Part]) -> str:
    """`3 supported, 15 undecided`; nothing for a single part."""
    counts = tally([part.verdict for part in parts])
    return ", ".join(f"{n} {verdict}" for verdict, n in counts) if len(parts) > 1 else ""


# ------------------------------------------------------------------------------------ LaTeX


def latex_values(rows: Rows, parts: Parts) -> dict[str, Any]:
    """For claims.tex.j2: a line a claim, with the part that decides."""
    lines = [
        {**row, "tally": tallied(own), "decisive": decisive(weakest(row, own))}
        for row in rows
        for own in [parts[row["claim"]]]
    ]
    margins = sorted({row["margin"] for row in rows} - {""})
    return {"lines": lines, "margins": [f"{100 * size:g}" for size in margins]}


def weakest(row: Mapping[Any, Any], parts: Sequence[Part]) -> Part:
    """The part that decides: of those with the claim's verdict, the one least for it."""

    def support(part: Part) -> float:
        if math.isnan(part.low):
            return math.inf
        return -extent(part) if row["kind"] == "similar" else part.low

    return min((part for part in parts if part.verdict == row["verdict"]), key=support)


def decisive(part: Part) -> Latex:
    """A part in a few words and numbers."""
    if math.isnan(part.value):
        return Latex(f"{escape(named(part))}: {escape(part.note)}")
    text = f"{named(part)}, {measure_name(part.measure)}: {signed(part.value, part.measure)}"
    text += f" ({interval(part)})" if interval(part) else ""
    return escape(f"{text}; {part.note}" if part.note else text)


# ------------------------------------------------------------------------------------- HTML


def html_values(rows: Rows, parts: Parts) -> dict[str, Any]:
    """For claims_list.html.j2: each claim, its parts, its picture."""
    listed = []
    for row in rows:
        own, margin = parts[row["claim"]], float(row["margin"] or 0)
        reach = max([margin, *map(extent, own)])
        scale = 100 / (EDGE * reach) if reach else 0.0
        shown = {"tally": tallied(own), "parts": [part_values(part, scale) for part in own]}
        listed.append({**row, "margin": margin, "band": round(margin * scale, 2), **shown})
    return {"claims": listed, "summary": tally([row["verdict"] for row in rows])}


def part_values(part: Part, scale: float) -> dict[str, Any]:
    """A part as text, and its places on a line from -100 to 100."""
    places = {"x": part.value, "x_low": part.low, "x_high": part.high}
    return {
        "what": named(part),
        "measure": measure_name(part.measure),
        "verdict": part.verdict,
        "note": part.note,
        "value": signed(part.value, part.measure),
        "interval": interval(part),
        "p": "" if math.isnan(part.p) else f"{part.p:.2g}",
        "detectable": signed(part.detectable, part.measure).removeprefix("+"),
        **{k: None if math.isnan(x) else round(x * scale, 2) for k, x in places.items()},
    }
