"""What the claims' templates may name: numbers as text, and the geometry of a small picture."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from emoword.reproduction.verdicts import VERDICTS, Part, verdict_of
from emoword.tables.latex import Latex, escape

Claims = Sequence[Mapping[str, Any]]
Parts = Sequence[Sequence[Part]]

MEASURES = {
    "class UA": "UA",
    "class WA": "WA",
    "top10_l1": "l1",
    "top10_l2": "l2",
}
EDGE = 1.08  # the picture reaches a little beyond its longest interval


def in_points(measure: str) -> bool:
    """Whether a measure is a share, printed in percentage points; a cosine is printed as it is."""
    return not measure.endswith("cosine")


def signed(value: float, measure: str) -> str:
    """A difference as text, with its sign: `+1.4` (points) or `-0.013` (of cosine similarity)."""
    text = f"{100 * value:+.1f}" if in_points(measure) else f"{value:+.3f}"
    return text.replace("-", "\N{MINUS SIGN}")


def plain(value: float) -> str:
    """A p-value or margin, short."""
    return f"{value:.2g}"


def measure_name(measure: str) -> str:
    """`class UA` -> `UA`, `S2 top10_l1` -> `S2 l1`."""
    for name, short in MEASURES.items():
        measure = measure.replace(name, short)
    return measure


def weakest(claim: Mapping[str, Any], parts: Sequence[Part]) -> Part:
    """The part that decides: of those with the claim's verdict, the one least for it."""
    verdict = verdict_of(parts)
    own = [part for part in parts if part.verdict == verdict]

    def support(part: Part) -> float:
        if math.isnan(part.low):
            return math.inf
        return -extent(part) if claim["kind"] == "similar" else part.low

    return min(own, key=support)


def tally(parts: Sequence[Part]) -> str:
    """`3 supported, 15 undecided`."""
    counts = Counter(part.verdict for part in parts)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])


# ------------------------------------------------------------------------------------ LaTeX


def latex_values(claims: Claims, parts: Parts) -> dict[str, Any]:
    """For claims.tex.j2: a line a claim."""
    lines = []
    for claim, own in zip(claims, parts, strict=True):
        chosen = weakest(claim, own)
        lines.append(
            {
                "place": claim["place"],
                "says": claim["says"],
                "verdict": verdict_of(own),
                "tally": tally(own) if len(own) > 1 else "",
                "decisive": decisive(chosen),
            }
        )
    margins = sorted({claim["margin"] for claim in claims if "margin" in claim})
    return {"lines": lines, "margins": [f"{100 * margin:g}" for margin in margins]}


def decisive(part: Part) -> Latex:
    """The part that decided, in a few words and numbers."""
    name = escape(part.what.replace(" - ", " \N{EN DASH} "))
    if math.isnan(part.value):
        return Latex(f"{name}: {escape(part.note)}")
    ends = (part.value, part.low, part.high)
    value, low, high = (
        signed(end, part.measure).replace("\N{MINUS SIGN}", r"\textminus{}") for end in ends
    )
    measure = escape(measure_name(part.measure))
    return Latex(f"{name}, {measure}: {value} ({low} to {high})")


# ------------------------------------------------------------------------------------- HTML


def html_values(claims: Claims, parts: Parts) -> dict[str, Any]:
    """For claims.html.j2: each claim with its parts and the geometry of its picture."""
    listed = []
    for claim, own in zip(claims, parts, strict=True):
        reach = max([claim.get("margin", 0.0), *map(extent, own)])
        scale = 1 / (EDGE * reach) if reach else 0.0
        listed.append(
            {
                **claim,
                "margin": claim.get("margin", 0.0),
                "because": claim.get("because", ""),
                "verdict": verdict_of(own),
                "tally": tally(own),
                "band": round(100 * claim.get("margin", 0.0) * scale, 2),
                "parts": [shown(part, scale) for part in own],
            }
        )
    counts = Counter(verdict_of(own) for own in parts)
    summary = [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]]
    return {"claims": listed, "summary": summary}


def extent(part: Part) -> float:
    """How far from zero the part's interval reaches; 0 where there is none."""
    return 0.0 if math.isnan(part.low) else max(abs(part.low), abs(part.high))


def shown(part: Part, scale: float) -> dict[str, Any]:
    """A part as text, and its places on a line from -100 to 100."""
    there = not math.isnan(part.value)
    whole = not math.isnan(part.low)
    return {
        "what": part.what.replace(" - ", " \N{EN DASH} "),
        "measure": measure_name(part.measure),
        "verdict": part.verdict,
        "note": part.note,
        "value": signed(part.value, part.measure) if there else "",
        "unit": ("points" if in_points(part.measure) else "cosine") if there else "",
        "interval": " to ".join(signed(x, part.measure) for x in (part.low, part.high))
        if whole
        else "",
        "p": plain(part.p) if there else "",
        "x": round(100 * part.value * scale, 2) if there else None,
        "x_low": round(100 * part.low * scale, 2) if whole else None,
        "x_high": round(100 * part.high * scale, 2) if whole else None,
    }
