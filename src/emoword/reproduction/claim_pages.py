"""What the claims' templates may name: numbers as text, and the geometry of a small picture."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from emoword.reproduction.claims_file import AnyClaim, Differs, Similar
from emoword.reproduction.verdicts import VERDICTS, Part, verdict_of
from emoword.tables.latex import Latex, escape

Judged = Sequence[tuple[AnyClaim, Sequence[Part]]]

EDGE = 1.08  # the picture reaches a little beyond its longest interval


def in_points(measure: str) -> bool:
    """Whether a measure is a share, printed in percentage points; a cosine is printed as it is."""
    return not measure.endswith(" cosine")


def measure_name(measure: str) -> str:
    """`class UA` -> `UA`, `S2 top10_l1` -> `S2 l1`."""
    return measure.removeprefix("class ").replace("top10_", "")


def signed(value: float, measure: str) -> str:
    """A difference as text, with its sign: `+1.4` (points) or `-0.013` (of cosine similarity)."""
    text = f"{100 * value:+.1f}" if in_points(measure) else f"{value:+.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def interval(part: Part) -> str:
    """`+0.2 to +2.6`, or nothing."""
    ends = (part.low, part.high)
    return "" if math.isnan(part.low) else " to ".join(signed(x, part.measure) for x in ends)


def margin(claim: AnyClaim) -> float:
    """Of a claim that models are about equal, or no worse; else 0."""
    return claim.margin if isinstance(claim, Differs) else 0.0


def weakest(claim: AnyClaim, parts: Sequence[Part]) -> Part:
    """The part that decides: of those with the claim's verdict, the one least for it."""
    verdict = verdict_of(parts)
    own = [part for part in parts if part.verdict == verdict]

    def support(part: Part) -> float:
        if math.isnan(part.low):
            return math.inf
        return -extent(part) if isinstance(claim, Similar) else part.low

    return min(own, key=support)


def tally(verdicts: Sequence[str]) -> list[tuple[str, int]]:
    """How many came out how, in the order of VERDICTS."""
    counts = Counter(verdicts)
    return [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]]


def tallied(parts: Sequence[Part]) -> str:
    """`3 supported, 15 undecided`; nothing for a single part."""
    counts = tally([part.verdict for part in parts])
    return ", ".join(f"{n} {verdict}" for verdict, n in counts) if len(parts) > 1 else ""


# ------------------------------------------------------------------------------------ LaTeX


def latex_values(judged: Judged) -> dict[str, Any]:
    """For claims.tex.j2: a line a claim."""
    lines = [
        {
            "place": claim.place,
            "says": claim.says,
            "ours": not claim.quote,
            "on_paper": claim.on_paper,
            "verdict": verdict_of(own),
            "tally": tallied(own),
            "decisive": decisive(weakest(claim, own)),
        }
        for claim, own in judged
    ]
    margins = sorted({margin(claim) for claim, _ in judged} - {0.0})
    return {"lines": lines, "margins": [f"{100 * size:g}" for size in margins]}


def decisive(part: Part) -> Latex:
    """The part that decided, in a few words and numbers."""
    name = escape(part.what.replace(" - ", " \N{EN DASH} "))
    if math.isnan(part.value):
        return Latex(f"{name}: {escape(part.note)}")
    said = signed(part.value, part.measure) + (f" ({interval(part)})" if interval(part) else "")
    said = said.replace("\N{MINUS SIGN}", r"\textminus{}")
    note = f"; {escape(part.note)}" if part.note else ""
    return Latex(f"{name}, {escape(measure_name(part.measure))}: {said}{note}")


# ------------------------------------------------------------------------------------- HTML


def html_values(
    rows: Sequence[Mapping[str, Any]], parts: Mapping[str, Sequence[Part]]
) -> dict[str, Any]:
    """For claims_list.html.j2: each claim (a row of claims.csv), its parts, its picture."""
    listed = []
    for row in rows:
        own, size = parts[row["claim"]], float(row["margin"] or 0)
        reach = max([size, *map(extent, own)])
        scale = 1 / (EDGE * reach) if reach else 0.0
        listed.append(
            {
                **row,
                "margin": size,
                "tally": tallied(own),
                "band": round(100 * size * scale, 2),
                "parts": [shown(part, scale) for part in own],
            }
        )
    return {"claims": listed, "summary": tally([row["verdict"] for row in rows])}


def extent(part: Part) -> float:
    """How far from zero the part's interval, or value, reaches; 0 where there is none."""
    ends = (part.value, part.low, part.high)
    return max((abs(x) for x in ends if not math.isnan(x)), default=0.0)


def shown(part: Part, scale: float) -> dict[str, Any]:
    """A part as text, and its places on a line from -100 to 100."""
    there = not math.isnan(part.value)
    places = {"x": part.value, "x_low": part.low, "x_high": part.high}
    return {
        "what": part.what.replace(" - ", " \N{EN DASH} "),
        "measure": measure_name(part.measure),
        "verdict": part.verdict,
        "note": part.note,
        "value": signed(part.value, part.measure) if there else "",
        "interval": interval(part),
        "p": "" if math.isnan(part.p) else f"{part.p:.2g}",
        "detectable": ""
        if math.isnan(part.detectable)
        else signed(part.detectable, part.measure).removeprefix("+"),
        **{
            name: None if math.isnan(x) else round(100 * x * scale, 2) for name, x in places.items()
        },
    }
