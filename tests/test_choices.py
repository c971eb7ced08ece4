"""The ledger of what the paper leaves open, beside the config and the README."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emoword import cli
from emoword.io.yaml_files import read_yaml
from emoword.reproduction.choices import markdown, read_choices

ROOT = Path(__file__).parent.parent
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
LEDGER = ROOT / "paper" / "choices.yaml"
CHOICES = read_choices(LEDGER)


def tried() -> set[str]:
    return {other["variant"] for choice in CHOICES for other in choice.get("alternatives", [])}


def test_every_alternative_is_run_and_every_run_is_in_the_ledger() -> None:
    of_all = CONFIG["comparisons"]["sensitivity"]
    of_iemocap = CONFIG["datasets"]["iemocap"]["comparisons"]["sensitivity"]
    assert of_all[0] == of_iemocap[0] == "paper"
    assert set(of_iemocap) - {"paper"} == tried()
    # what IEMOCAP has besides is the block of its upstream
    assert set(of_iemocap) - set(of_all) == {"layer_13", "layer_15", "layer_norm"}


def test_an_alternative_changes_one_thing(tmp_path: Path) -> None:
    for variant in tried():
        changed = {**CONFIG["variants"][variant]}
        assert changed.pop("losses") == ["lc"]  # one loss, so that it takes minutes
        (key,) = changed
        if isinstance(changed[key], dict):
            ((_, value),) = changed[key].items()
            assert value != CONFIG["defaults"][key][next(iter(changed[key]))]
        else:
            assert changed[key] != CONFIG["defaults"][key]


def test_the_settings_are_those_that_the_variants_change() -> None:
    for choice in CHOICES:
        for other in choice.get("alternatives", []):
            changed = CONFIG["variants"][other["variant"]]
            (key,) = set(changed) - {"losses"}
            names = [key.removesuffix("s")] if key == "upstream" else [key]
            inner: Any = changed[key]
            names += list(inner) if isinstance(inner, dict) else []
            assert all(name in choice["setting"] for name in names), choice["choice"]


def test_the_readme_shows_the_ledger() -> None:
    table = markdown(CHOICES)
    assert table in (ROOT / "README.md").read_text(), (
        "paste this into the README: emoword choices --choices paper/choices.yaml"
    )


def test_it_prints_the_table_or_writes_latex(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cli.main(["choices", "--choices", str(LEDGER)])
    assert capsys.readouterr().out.strip() == markdown(CHOICES)
    template = ROOT / "paper/templates/choices.tex.j2"
    out = tmp_path / "choices.tex"
    cli.main(["choices", "--choices", str(LEDGER), "--template", str(template), "--tex", str(out)])
    text = out.read_text()
    assert text.count(r"\textbf{") == len(CHOICES)
    assert r"\textquotedbl{}other\textquotedbl{}" in text


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("    why: three observers", "    whyever: three observers", "line 8: .*whyever"),
        ("variant: other_kept", "variant: self_reports", "self_reports stands there twice"),
        ("    default: observers\n", "", "'default' is a required"),
    ],
)
def test_mistakes_are_named(
    fails: Callable[..., str], tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = LEDGER.read_text()
    assert before in text
    path = tmp_path / "choices.yaml"
    path.write_text(text.replace(before, after, 1))
    said = fails("choices", "--choices", path)
    assert all(part in said for part in message.split(": .*"))


def test_the_rows_of_table_a2_are_controls_of_the_config() -> None:
    rows = read_yaml(ROOT / "paper/controls.yaml", "controls.schema.yaml")["groups"]
    shown = {row["variant"] for group in rows for row in group["rows"]}
    assert shown == set(CONFIG["comparisons"]["controls"])
    assert set(CONFIG["datasets"]["polish"]["comparisons"]["controls"]) < shown
