"""Every choice once: what config.yaml may say, and what is refused in one line."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from emoword.io.errors import InputError
from emoword.layout import parts_of
from emoword.settings import (
    Config,
    LabelSettings,
    NetworkSettings,
    Settings,
    TrainingSettings,
    Transformers,
    laid_over,
    read_config,
    resolve,
    without_nulls,
)

CONFIG: dict[str, Any] = yaml.safe_load((Path(__file__).parent.parent / "config.yaml").read_text())


def changed(**changes: Any) -> Config:
    """config.yaml with blocks laid over it, as Snakemake lays a user's file."""

    def over(base: Any, change: Any) -> Any:
        if isinstance(base, dict) and isinstance(change, dict):
            return {**base, **{key: over(base.get(key), item) for key, item in change.items()}}
        return change

    return read_config(over(CONFIG, changes))


def demo_with(**settings: Any) -> Config:
    return changed(datasets={"demo": {"settings": settings}})


CHOSEN = ("lc", "cosine", "soft", "co_occurrence", "dirichlet", "triplet")


def test_every_variant_of_every_dataset_resolves() -> None:
    config = read_config(CONFIG)
    for name, dataset in config.datasets.items():
        variants = config.every_variant(name) if config.rated(name) else dataset.variants
        for variant in variants:
            assert resolve(config, name, variant).table_loss in CHOSEN


def test_the_defaults_are_the_papers() -> None:
    """Sections 4.2 and 4.3, Figure 1, as printed."""
    network, training, labels = NetworkSettings(), TrainingSettings(), LabelSettings()
    assert (network.channels, network.kernels) == ((96, 256, 256), (15, 5, 3))
    assert (network.lstm, network.lstm_layers, network.hidden) == (64, 2, (1024, 1024))
    assert network.dropout == 0.5
    assert training.epochs == 100
    assert training.learning_rate == 2e-3
    assert training.baseline_learning_rate == 2e-4
    assert training.validation == 0.2
    assert set(labels.classes) == {"anger", "happiness", "sadness", "neutral"}
    assert labels.merge == {"excitement": "happiness"}
    assert labels.drop == ("other",)
    assert not labels.merge_raters
    assert Settings().losses == ("mse", "mae", "lc")
    config = read_config(CONFIG)
    upstream = config.upstreams["wav2vec2_large"]
    assert isinstance(upstream, Transformers)
    assert upstream.layer == 14
    assert config.datasets["iemocap"].folds == 5


def test_a_variant_is_laid_over_the_dataset_and_this_over_the_defaults() -> None:
    config = changed(
        datasets={"demo": {"settings": {"training": {"epochs": 7}, "network": {"lstm": 9}}}},
        variants={"mine": {"training": {"epochs": 8}, "labels": {"nouns": {"glad": "joy"}}}},
    )
    chosen = resolve(config, "demo", "mine")
    assert chosen.training.epochs == 8
    assert chosen.network.lstm == 9
    assert chosen.training.patience == TrainingSettings().patience
    assert chosen.labels.nouns == {"glad": "joy"}  # a map of words is replaced whole
    assert resolve(config, "demo", "paper").training.epochs == 7


def test_null_takes_a_key_away() -> None:
    config = changed(datasets={"demo": {"settings": {"space": None}}})
    assert resolve(config, "demo", "paper").space == "glove_840b"
    config = demo_with(labels={"merge": {"excitement": None}})
    assert resolve(config, "demo", "paper").labels.merge == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, "config: unknown key `epochs`"),
        ({"a\nb": 3}, "config: unknown key `a?b`"),
        ({"dataset": "../x"}, "config: dataset: Expected `str` matching regex"),
        ({"dataset": "demo\n"}, "config: dataset: Expected `str` matching regex"),
        ({"iemocap_root": "/a\nb"}, "config: iemocap_root: Expected `str` matching regex"),
        (
            {"spaces": {"mine": {"format": "glove", "source": "a\n"}}},
            "source: Expected `str` matching",
        ),
        ({"feature_shards": 0}, "config: feature_shards: Expected `int` >= 1"),
        ({"device": "toaster"}, "config: device: Expected `str` matching regex"),
        ({"datasets": {"../x": {}}}, "config: datasets: '../x': Expected `str` matching"),
        ({"datasets": {"demo": {"folds": 1}}}, "datasets: 'demo': folds: Expected `int` >= 2"),
        ({"datasets": {"demo": {"setting": {}}}}, "datasets: 'demo': unknown key `setting`"),
        ({"datasets": {"demo": {"seeds": [0, 0]}}}, "seeds: one stands there twice"),
        ({"datasets": {"demo": {"seeds": [-1]}}}, "seeds[0]: Expected `int` >= 0"),
        ({"datasets": {"demo": {"seeds": [2**70]}}}, "seeds[0]: "),
        ({"datasets": {"demo": {"kind": "x"}}}, "datasets: 'demo': kind: Invalid value 'x'"),
        ({"spaces": {"embedded": {"source": "x.txt"}}}, "unknown key `source`"),
        ({"spaces": {"mine": {"format": "glove"}}}, "missing the key `source`"),
        ({"upstreams": {"mine": {"kind": "transformers", "model": "x"}}}, "the key `layer`"),
    ],
)
def test_a_wrong_configuration_is_refused_in_words(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        changed(**changes)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training": {"epoch": 3}}, "demo: settings: training: unknown key `epoch`"),
        ({"training": {"epochs": "many"}}, "training.epochs: Expected `int`, got `str`"),
        (
            {"training": {"epochs": 7, "steps": 9}},
            "demo: settings: training: give epochs or steps (the other null)",
        ),
        ({"training": {"epochs": 0}}, "training.epochs: Expected `int` >= 1"),
        ({"training": {"patience": 0}}, "training.patience: Expected `int` >= 1"),
        ({"training": {"validation": float("nan")}}, "training.validation: Expected `float`"),
        ({"training": 3}, "settings: training: Expected `object`, got `int`"),
        ({"network": {"dropout": float("nan")}}, "network.dropout: Expected `float`"),
        ({"network": {"channels": [10**12] * 3}}, "channels[0]: Expected `int` <= 1000000"),
        ({"network": {"pools": [2, 2]}}, "channels, kernels, pools: unequal"),
        ({"losses": ["mse", "l2"]}, "losses[1]: Invalid enum value 'l2'"),
        ({"losses": ["mse"]}, "table_loss lc is none of losses"),
        ({"label_sets": ["S2"]}, "label_sets: S1 has to be among them"),
        ({"labels": {"drop": ["--out"]}}, "labels.drop[0]: Expected `str` matching"),
        ({"space": "other"}, "config: spaces has no 'other'; it has bert, embedded"),
        ({"upstream": "other"}, "config: upstreams has no 'other'; it has logmel"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve(demo_with(**settings), "demo", "paper")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_lists_those_that_there_are() -> None:
    config = read_config(CONFIG)
    with pytest.raises(InputError, match="datasets has no 'nothing'; it has crema_d, demo"):
        resolve(config, "nothing", "paper")
    with pytest.raises(InputError, match="variants has no 'nothing'; it has adamw"):
        resolve(config, "demo", "nothing")
    with pytest.raises(InputError, match="demo has no comparison 'nothing'; it has controls"):
        config.compared("demo", "nothing")


def test_recordings_without_raters_have_no_s2() -> None:
    config = changed(datasets={"polish": {"settings": {"label_sets": ["S1", "S2"]}}})
    with pytest.raises(InputError, match="S2 and S3 need ratings"):
        resolve(config, "polish", "paper")


def settings_within(kind: type[Struct]) -> list[tuple[type[Struct], msgspec.structs.FieldInfo]]:
    found = []
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            found += settings_within(field.type)
        else:
            found.append((kind, field))
    return found


def test_every_setting_says_what_it_means() -> None:
    for kind, field in settings_within(Settings):
        meta = [m for m in getattr(field.type, "__metadata__", ()) if m.description]
        assert meta, f"{kind.__name__}.{field.name}"


nested = st.recursive(
    st.none() | st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner)
)


@given(nested)
def test_no_null_is_left(value: Any) -> None:
    def nulls(item: Any) -> int:
        if isinstance(item, dict):
            return sum(v is None or nulls(v) for v in item.values())
        return 0

    assert nulls(without_nulls(value)) == 0


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers()), st.dictionaries(st.text(), st.none())
)
def test_what_is_laid_over_wins(base: dict[str, int], change: dict[str, None]) -> None:
    assert laid_over(base, change) == {**base, **change}


@pytest.mark.parametrize(
    ("dataset", "variant", "epochs", "steps"),
    [
        ({"epochs": None, "steps": 900}, {"epochs": 7}, 7, 0),
        ({"epochs": 7}, {"steps": 900}, 100, 900),
        ({"epochs": 7}, {"steps": 0}, 7, 0),
        ({"epochs": None, "steps": 900}, {"patience": 5}, 100, 900),
    ],
)
def test_epochs_or_steps_whichever_is_said_last(
    dataset: dict[str, int | None], variant: dict[str, int], epochs: int, steps: int
) -> None:
    """What does not hold leaves nothing behind, so that equal trainings have equal settings."""
    config = demo_with(training=dataset)
    variants = {**config.variants, "mine": {"training": variant}}
    config = msgspec.structs.replace(config, variants=variants)
    training = resolve(config, "demo", "mine").training
    assert (training.epochs, training.steps) == (epochs, steps)


def test_the_documented_recordings_can_be_run() -> None:
    """Without raters, controls that need them are left out; one that is asked for is an error."""
    page = (Path(__file__).parent.parent / "docs/own-recordings.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    config = changed(**yaml.safe_load(block[1]))
    controls = config.compared("mine", "controls")
    assert "soft_labels" in config.compared("demo", "controls")
    assert "triplets" in controls
    assert "soft_labels" not in controls
    assert parts_of(config, "mine").models
