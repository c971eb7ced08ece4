"""Verdicts on claims, from differences whose intervals are worked out here."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml
from scipy import stats

from emoword import cli
from emoword.reproduction.claims_file import read_claims
from emoword.reproduction.verdicts import (
    CONTRADICTED,
    NOT_EVALUATED,
    SUPPORTED,
    UNDECIDED,
    Evidence,
    judge,
    verdict_of,
)
from emoword.reproduction.versus_paper import COLUMNS

PAPER = Path(__file__).parents[1] / "paper"
T95 = float(stats.t.ppf(0.975, 9))  # ten speakers


def difference(
    ours: str, theirs: str, value: float, error: float, on: str = "class UA"
) -> dict[str, object]:
    """A row of differences.csv as claims read it."""
    measured_on, metric = on.split()
    return {
        **dict(zip(["model", "loss"], ours.split(), strict=True)),
        **dict(zip(["against_model", "against_loss"], theirs.split(), strict=True)),
        **{"variant": "paper", "against_variant": "paper", "fold": "mean"},
        **{"measured_on": measured_on, "metric": metric, "value": value, "p": 0.5},
        **{"low": value - T95 * error, "high": value + T95 * error},
        **{"standard_error": error, "speakers": 10},
    }


def evidence(*rows: dict[str, object]) -> Evidence:
    return Evidence(pd.DataFrame(list(rows)), {}, pd.DataFrame(), {"S2": 129}, {"S2": 129})


def verdict(kind: str, value: float, error: float, margin: float = 0.02) -> str:
    claim: dict[str, object] = {"kind": kind, "measures": ["class UA"], "margin": margin}
    claim["pairs"] = [{"these": ["M1 lc"], "those": ["M2 lc"]}]
    return verdict_of(judge(claim, evidence(difference("M1 lc", "M2 lc", value, error))))


@pytest.mark.parametrize(
    ("kind", "value", "error", "wanted"),
    [
        ("greater", 0.05, 0.05 / T95 - 1e-6, SUPPORTED),  # the interval ends just above zero
        ("greater", 0.05, 0.05 / T95 + 1e-6, UNDECIDED),
        ("greater", -0.05, 0.05 / T95 - 1e-6, CONTRADICTED),
        ("greater", -0.05, 0.05 / T95 + 1e-6, UNDECIDED),
        ("similar", 0.01, 0.01 / T95 - 1e-6, SUPPORTED),  # within +-0.02
        ("similar", 0.01, 0.01 / T95 + 1e-6, UNDECIDED),
        ("similar", -0.01, 0.01 / T95 - 1e-6, SUPPORTED),
        ("similar", 0.05, 0.03 / T95 - 1e-6, CONTRADICTED),  # beyond it
        ("similar", -0.05, 0.03 / T95 - 1e-6, CONTRADICTED),
        ("similar", -0.05, 0.03 / T95 + 1e-6, UNDECIDED),
        ("not_less", -0.01, 0.01 / T95 - 1e-6, SUPPORTED),
        ("not_less", -0.01, 0.01 / T95 + 1e-6, UNDECIDED),
        ("not_less", 0.30, 0.01, SUPPORTED),
        ("not_less", -0.05, 0.03 / T95 - 1e-6, CONTRADICTED),
        ("greater", 0.0, 0.0, UNDECIDED),
        ("similar", 0.0, 0.0, SUPPORTED),
        ("greater", 0.5, float("nan"), UNDECIDED),  # one speaker
        ("similar", 0.0, float("nan"), UNDECIDED),
    ],
)
def test_a_difference_is_judged_by_its_interval(
    kind: str, value: float, error: float, wanted: str
) -> None:
    assert verdict(kind, value, error) == wanted


def test_of_many_parts_one_is_contradicted_by_a_wider_interval() -> None:
    """Four parts: 1 - 5%/4 for contradiction, 95% for support."""
    models = ["M1 lc", "M1 mse", "M2 lc", "M2 mse"]
    claim: dict[str, object] = {"kind": "greater", "measures": ["class UA"]}
    claim["pairs"] = [{"these": models, "those": ["baseline ce"]}]
    wide = float(stats.t.ppf(1 - 0.05 / 4 / 2, 9))
    for error, wanted in ((0.05 / wide - 1e-6, CONTRADICTED), (0.05 / wide + 1e-6, UNDECIDED)):
        assert error < 0.05 / T95  # alone it would be contradicted in both cases
        rows = [difference(model, "baseline ce", 0.1, 0.01) for model in models[:3]]
        rows.append(difference("M2 mse", "baseline ce", -0.05, error))
        parts = judge(claim, evidence(*rows))
        assert [part.verdict for part in parts] == [SUPPORTED] * 3 + [wanted]
        assert verdict_of(parts) == wanted


def test_a_pair_may_stand_the_other_way_round() -> None:
    claim: dict[str, object] = {"kind": "greater", "measures": ["class UA"]}
    claim["pairs"] = [{"these": ["M1 lc"], "those": ["baseline ce"]}]
    (part,) = judge(claim, evidence(difference("baseline ce", "M1 lc", -0.1, 0.01)))
    assert (part.value, part.verdict) == (0.1, SUPPORTED)
    assert part.low == pytest.approx(0.1 - T95 * 0.01)
    assert part.high == pytest.approx(0.1 + T95 * 0.01)
    assert part.what == "M1 LC - baseline CE"


def test_what_was_not_measured_is_not_evaluated() -> None:
    claim: dict[str, object] = {"kind": "greater", "measures": ["class UA"]}
    claim["pairs"] = [{"these": ["M1 lc", "M2 lc"], "those": ["baseline ce"]}]
    parts = judge(claim, evidence(difference("M1 lc", "baseline ce", 0.1, 0.01)))
    assert [part.verdict for part in parts] == [SUPPORTED, NOT_EVALUATED]
    assert verdict_of(parts) == NOT_EVALUATED
    # what is contradicted stays so, whatever else was not measured
    parts = judge(claim, evidence(difference("M1 lc", "baseline ce", -0.1, 0.01)))
    assert [part.verdict for part in parts] == [CONTRADICTED, NOT_EVALUATED]
    assert verdict_of(parts) == CONTRADICTED
    spaces = {"kind": "similar", "comparison": "spaces", "models": ["M1 lc"], "margin": 0.02}
    (part,) = judge({**spaces, "measures": ["class UA"]}, evidence())
    assert part.note == "not made: comparisons/spaces/differences.csv"


def test_variants_of_a_comparison_are_compared_with_one_another() -> None:
    rows = [
        {
            **difference("M1 lc", "M1 lc", value, 0.001),
            "variant": ours,
            "against_variant": theirs,
        }
        for ours, theirs, value in (("a", "b", 0.01), ("a", "c", 0.0), ("b", "c", -0.05))
    ]
    claim = {"kind": "similar", "comparison": "spaces", "models": ["M1 lc"], "margin": 0.02}
    comparisons = {"spaces": pd.DataFrame(rows)}
    parts = judge({**claim, "measures": ["class UA"]}, evidence()._replace(comparisons=comparisons))
    assert [(part.what, part.verdict) for part in parts] == [
        ("M1 LC, a - b", SUPPORTED),
        ("M1 LC, a - c", SUPPORTED),
        ("M1 LC, b - c", CONTRADICTED),
    ]


def words_of(model: str, *words: str) -> list[dict[str, object]]:
    head = {"model": model, "loss": "lc", "name": "happiness"}
    return [{**head, "rank": rank, "word": word} for rank, word in enumerate(words, start=1)]


def test_words() -> None:
    claim = {"kind": "contains", "word": "sadness", "emotion": "happiness", "loss": "lc"}
    claim |= {"nearest": 2, "present": ["M1"], "absent": ["M2", "M3"]}  # type: ignore[dict-item]
    rows = words_of("M1", "joy", "sadness", "x") + words_of("M2", "joy", "x", "sadness")
    parts = judge(claim, evidence()._replace(neighbours=pd.DataFrame(rows)))
    assert [part.verdict for part in parts] == [SUPPORTED, SUPPORTED, NOT_EVALUATED]
    assert parts[0].note == "joy, sadness"
    rows = words_of("M1", "joy", "x") + words_of("M2", "sadness", "x") + words_of("M3", "x")
    parts = judge(claim, evidence()._replace(neighbours=pd.DataFrame(rows)))
    assert [part.verdict for part in parts] == [CONTRADICTED, CONTRADICTED, SUPPORTED]


def test_counts() -> None:
    claim = {"kind": "count", "label_set": "S2"}
    assert judge(claim, evidence())[0].verdict == SUPPORTED
    (part,) = judge(claim, evidence()._replace(targets={"S2": 130}))
    assert (part.verdict, part.note) == (CONTRADICTED, "ours 130, the paper's 129")
    assert judge({**claim, "label_set": "S3"}, evidence())[0].verdict == NOT_EVALUATED


# -------------------------------------------------------------------------- the claims' file


def test_the_claims_are_those_of_the_paper() -> None:
    claims = read_claims(PAPER / "claims.yaml")
    assert len(claims) == 12
    assert {"Table 1", "Table 3", "Table 5", "Table 6"} <= {claim["place"] for claim in claims}
    (beats,) = (claim for claim in claims if claim["id"] == "beats_baseline")
    assert len(beats["pairs"][0]["these"]) == 9
    for claim in claims:
        assert ("margin" in claim) == (claim["kind"] in ("similar", "not_less"))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("kind: greater", "kind: bigger", "kind: 'bigger' is not one of"),
        ("margin: 0.02", "margn: 0.02", r"\('margn' was unexpected\)"),
        ("margin: 0.02", "margin: wide", "margin: 'wide' is not of type 'number'"),
        ("[S2 cosine]", "[S2 cosin]", "measures/0: 'S2 cosin' is not one of"),
        ("M1 mse, M1 mae", "M1 msee, M1 mae", "these/0: 'M1 msee' does not match"),
        ("label_set: S2", "label_set: S4", "label_set: 'S4' is not one of"),
        ("id: l2_rises", "id: l1_does_not_fall", "the id l1_does_not_fall stands there twice"),
        ("place: Table 1", "plaice: Table 1", "'plaice' was unexpected|'place' is a required"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = (PAPER / "claims.yaml").read_text()
    position = text.index(before)
    path = tmp_path / "claims.yaml"
    path.write_text(text[:position] + after + text[position + len(before) :])
    # the line, or for a key of a claim the first line of the claim
    line = text[:position].count("\n") + 1
    first = text[:position].rindex("  - id:") if "  - id:" in text[:position] else 0
    lines = {line, text[:first].count("\n") + 1}
    with pytest.raises(Exception, match=message) as caught:
        read_claims(path)
    found = re.search(r"claims\.yaml: line (\d+): ", str(caught.value))
    assert found is not None
    assert int(found[1]) in lines


def test_what_is_no_yaml_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("claims: [\n  {id")
    with pytest.raises(Exception, match=r"c\.yaml: not YAML") as caught:
        read_claims(tmp_path / "c.yaml")
    assert "\n" not in str(caught.value)
    (tmp_path / "c.yaml").write_text("claims: !!python/object/apply:os.system [echo]\n")
    with pytest.raises(Exception, match="not YAML"):
        read_claims(tmp_path / "c.yaml")


# -------------------------------------------------------------------------------- the stage

HOSTILE = r"<script>alert(1)</script> & 100%_\input{x}"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert name not in ("src", "href"), value  # needs no network

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Path]:
    """Run `emoword claims` on a few claims and rows; returns the folder of what it wrote."""
    claims = [
        {"id": "a", "place": "Table 1", "says": HOSTILE, "kind": "greater"}
        | {"measures": ["class UA"], "pairs": [{"these": ["M1 lc"], "those": ["baseline ce"]}]},
        {"id": "b", "place": "Table 5", "says": "Words.", "kind": "contains", "word": "sadness"}
        | {"emotion": "happiness", "nearest": 5, "loss": "lc", "present": ["M1"], "absent": []},
        {"id": "c", "place": "text", "says": "Counts.", "kind": "count", "label_set": "S2"},
    ]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump({"claims": claims}))
    rows = pd.DataFrame([difference("M1 lc", "baseline ce", 0.1, 0.01)])
    rows = pd.concat([rows, rows.assign(fold="pooled", value=-0.1, low=-0.12, high=-0.08)])
    rows = rows.rename(columns={"value": "difference"})
    rows.to_csv(tmp_path / "differences.csv", index=False)
    near = pd.DataFrame(words_of("M1", "joy", HOSTILE))
    near = near.assign(kind="prediction", variant="paper", collapsed="", words="", similarity=0.5)
    near.to_csv(tmp_path / "neighbours.csv", index=False)
    summary = {"label_sets": {"S2": {"utterances": 9, "distinct_targets": 39}}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))

    def run(*options: str, corpus: str = "demo") -> Path:
        words = ["claims", "--claims", tmp_path / "claims.yaml"]
        words += ["--differences", tmp_path / "differences.csv"]
        words += ["--neighbours", tmp_path / "neighbours.csv"]
        words += ["--targets", tmp_path / "summary.json", "--reported", PAPER / "reported.csv"]
        words += ["--templates", PAPER / "templates", "--dataset", "d", "--corpus", corpus]
        for name in ("csv", "parts", "tex", "html"):
            words += [f"--{name}", tmp_path / f"out.{name}"]
        cli.main([*map(str, words), *options])
        return tmp_path

    return run


def test_the_stage(stage: Callable[..., Path]) -> None:
    folder = stage()
    claims = pd.read_csv(folder / "out.csv")
    assert list(claims["verdict"]) == [SUPPORTED, CONTRADICTED, CONTRADICTED]
    assert set(claims["about_the_paper"]) == {"no"}
    parts = pd.read_csv(folder / "out.parts")
    assert parts["value"][0] == pytest.approx(0.1)
    tex = (folder / "out.tex").read_text()
    assert r"\textless{}script\textgreater{}" in tex
    assert r"\input{x}" not in tex
    assert "say nothing about the paper" in tex.replace("\n", " ")
    assert "+10.0 (+7.7 to +12.3)" in tex
    page = Tags()
    page.feed((folder / "out.html").read_text())
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) == 2  # shown as it stands: what is claimed, and a word
    assert "say nothing about the paper" in page.text
    assert "ours 39, the paper's 129" in page.text


def test_the_stage_on_iemocap_and_pooled(stage: Callable[..., Path]) -> None:
    folder = stage("--aggregate", "pooled", corpus="iemocap")
    claims = pd.read_csv(folder / "out.csv")
    assert claims["verdict"][0] == CONTRADICTED
    assert set(claims["about_the_paper"]) == {"yes"}
    assert "synthetic" not in (folder / "out.html").read_text()


def test_the_page_shows_what_is_compared_with_the_paper(stage: Callable[..., Path]) -> None:
    rows = [
        ["1", "M1", "LC UA", 0.62, 0.6, -0.02, 0.55, 0.65, "inside our interval"],
        ["3", "M1", "S2", 0.8, 0.81234, 0.01234, "", "", "ours is higher"],
        ["5", "anger M1", "words", f"rage {HOSTILE}", "rage", "", "", "", "1 of 5 words"],
        ["6", "M1", "S2 l1", "", 0.9, "", 0.8, 1.0, "not transcribed"],
    ]
    folder = stage()
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / "versus.csv", index=False)
    stage("--versus-paper", str(folder / "versus.csv"))
    page = Tags()
    page.feed((folder / "out.html").read_text())
    assert "62.0" + "60.0" + "\N{MINUS SIGN}2.0" + "55.0\N{EN DASH}65.0" in page.text
    assert "0.800" + "0.812" + "+0.012" in page.text
    assert "1 of 5 words" in page.text
    assert "90.0" not in page.text
    assert "script" not in page.tags


def test_a_comparison_is_named_with_its_file(stage: Callable[..., Path]) -> None:
    with pytest.raises(SystemExit, match="--comparison spaces: write name=path"):
        stage("--comparison", "spaces")
