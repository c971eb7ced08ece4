"""The ledger of what the paper leaves open, beside the config and the docs."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from emoword.io.errors import InputError
from emoword.io.yaml_files import read_yaml_as
from emoword.reproduction.choices import read_choices
from emoword.reproduction.controls import Groups
from emoword.settings import one, read_config, resolve

ROOT = Path(__file__).parent.parent
CONFIG = read_config(yaml.safe_load((ROOT / "config.yaml").read_text()))
LEDGER = ROOT / "paper/choices.yaml"
CHOICES = read_choices(LEDGER)
TRIED = {own.variant: each for each in CHOICES for own in each.alternatives}


def test_every_alternative_is_run_and_every_run_is_in_the_ledger() -> None:
    of_iemocap = CONFIG.compared("iemocap", "sensitivity")
    assert CONFIG.comparisons["sensitivity"][0] == of_iemocap[0] == "paper"
    assert set(of_iemocap) - {"paper"} == set(TRIED)
    # what IEMOCAP has besides is the block of its upstream, and half a width that is the demo's
    own = {"layer_13", "layer_15", "layer_norm", "lstm_64_in_all"}
    assert set(of_iemocap) - set(CONFIG.comparisons["sensitivity"]) == own


def leaves(value: dict[str, Any], *place: str) -> dict[tuple[str, ...], Any]:
    """Settings by their place: ("training", "optimiser") and the like; maps of words are one."""
    found: dict[tuple[str, ...], Any] = {}
    for key, own in value.items():
        inner = not place and key in ("labels", "network", "training")
        found |= leaves(own, key) if inner else {(*place, key): own}
    return found


@pytest.mark.parametrize("variant", TRIED)
def test_an_alternative_changes_the_one_setting_that_the_ledger_names(variant: str) -> None:
    default, other = (
        leaves(msgspec.to_builtins(resolve(CONFIG, "iemocap", name))) for name in ("paper", variant)
    )
    differ = {place for place in default if default[place] != other[place]}
    assert other["losses",] == ("lc",)  # one loss, so that it takes minutes
    (place,) = differ - {("losses",)}
    words = TRIED[variant].setting
    if place == ("upstream",):
        # a block of another name: what it says otherwise
        blocks = [leaves(msgspec.to_builtins(one(CONFIG, "upstreams", own["upstream",])))
                  for own in (default, other)]  # fmt: skip
        place = next(key for key in blocks[0] if blocks[0][key] != blocks[1][key])
    assert all(name in words for name in place)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("    why: three observers", "    whyever: three observers", "line 8: .*whyever"),
        ("variant: spelling_any", "variant: self_reports", "self_reports stands there twice"),
        ("    default: observers\n", "", "required field `default`"),
        ("    default: observers\n", "    default: ''\n", "line 11: .*length >= 1"),
        (
            '    setting: "labels: self_reports"\n',
            "",
            "line 8: .*give a setting and its alternatives",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    text = LEDGER.read_text()
    assert before in text
    path = tmp_path / "choices.yaml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(InputError, match=message):
        read_choices(path)


def test_the_rows_of_table_a2_are_controls_of_the_config() -> None:
    groups = read_yaml_as(Groups, ROOT / "paper/controls.yaml").groups
    shown = {row.variant for group in groups for row in group.rows}
    assert shown == {*CONFIG.compared("iemocap", "controls"), "best_rate"}
    assert set(CONFIG.compared("polish", "controls")) < shown
