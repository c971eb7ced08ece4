"""Names and places of results: what variants share has one name that no other variant changes."""

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.audit import recording, results
from emoword.io.errors import InputError
from emoword.layout import (
    LabelSetSettings,
    RunSettings,
    as_json,
    digest,
    feature_settings,
    parts_of,
    read_settings,
    read_variant,
    run_name,
    run_settings,
    target_name,
    variant_of,
    vectors_name,
    vectors_of_run,
)
from emoword.settings import (
    LabelSettings,
    NetworkSettings,
    Settings,
    TrainingSettings,
    load_config,
    read_config,
    resolve,
)
from emoword.tables import model as table_model
from test_settings import CONFIG, changed


def models(config: Any, variant: str) -> dict[tuple[str, str], str]:
    own = variant_of(config, "demo", variant)
    return {(model.label_set, model.loss): model.folder for model in own.models}


def trainings(config: Any, *variants: str) -> int:
    """How many runs these variants need together on the demo's five folds and one seed."""
    return len({run for v in variants for run in variant_of(config, "demo", v).runs()})


def test_the_demo_is_fifty_trainings_and_iemocap_two_hundred_and_fifty() -> None:
    config = read_config(CONFIG)
    assert trainings(config, "paper") == 5 * (3 * 3 + 1)
    assert len(variant_of(config, "iemocap", "paper").runs()) == 5 * 5 * (3 * 3 + 1)
    assert len(variant_of(config, "demo", "paper").runs(["lc"])) == 15


def test_a_name_says_what_lies_there() -> None:
    config = read_config(CONFIG)
    own = variant_of(config, "demo", "centred")
    assert own.space == "spaces/embedded-centred"
    assert own.targets["S1"].startswith("targets/S1-")
    assert own.targets["S2"].startswith("targets/S2-embedded-")
    assert own.vectors["S1"].startswith("vectors/S1-")
    assert own.vectors["S1"].endswith("-embedded-centred")
    assert own.vectors["S3"].startswith("vectors/S3-embedded-")
    folders = [model.folder for model in own.models]
    assert folders[0].startswith("runs/S1-lc-logmel-embedded-centred-")
    assert folders[-1].startswith("runs/S1-ce-logmel-")
    assert "embedded" not in folders[-1]  # the baseline knows no word space
    unusual = Settings(space="none", upstream="none")
    assert run_name(run_settings(unusual, "S2", "lc")).startswith("S2-lc-none-none-")
    assert vectors_name(unusual, "S1").endswith("-none")


def test_a_variant_shares_what_it_does_not_touch() -> None:
    config = changed(variants={"slow": {"training": {"learning_rate": 1e-4}}})
    plain = models(config, "paper")
    slow = models(config, "slow")
    assert slow["S1", "ce"] == plain["S1", "ce"]
    assert not {folder for key, folder in slow.items() if key[1] != "ce"} & set(plain.values())
    merged = models(config, "repeats_once")  # raters' labels: S2 and S3
    assert merged["S1", "lc"] == plain["S1", "lc"]
    assert merged["S2", "lc"] != plain["S2", "lc"]
    comments = models(config, "comments_categorical")
    assert comments["S2", "lc"] == plain["S2", "lc"]
    assert comments["S3", "lc"] != plain["S3", "lc"]
    spaces = models(config, "space_embedded_bert")
    assert spaces["S1", "ce"] == plain["S1", "ce"]
    assert spaces["S1", "lc"] != plain["S1", "lc"]


def test_comparisons_train_only_what_they_touch() -> None:
    config = read_config(CONFIG)
    plain = 5 * (3 * 3 + 1)
    # slow embeddings, cosine, three spaces with lc, one with cosine; random; soft, co-occurrence,
    # Dirichlet; triplets;
    # soft labels over all words at two rates (the slow embeddings beside them are there already)
    assert trainings(config, *config.compared("demo", "controls")) == (
        plain + 6 * 15 + 15 + 3 * 10 + 5 + 2 * 15 + 5  # the last: the baseline at the other rate
    ) - 5 * (config.datasets["demo"].settings["training"]["baseline_learning_rate"] == 2e-3)
    # eleven of network and training (the demo has the third pool); a rate that is not the
    # baseline's; two of raters' labels (S2, S3); four of comments (S3)
    sensitivity = trainings(config, *config.compared("demo", "sensitivity"))
    assert sensitivity == plain + 11 * 20 + 15 + 2 * 10 + 4 * 5
    assert trainings(config, *config.compared("demo", "spaces")) == 3 * 5
    assert trainings(config, *config.compared("demo", "rates")) == 4 * 20


def test_another_variant_moves_nothing() -> None:
    """Added, removed or put first: the names of what is shared stay."""
    few = changed(datasets={"demo": {"variants": ["pooled", "paper"]}})
    many = changed(datasets={"demo": {"variants": ["paper", "argmin", "pooled", "adamw"]}})
    assert models(few, "paper") == models(many, "paper")
    assert models(few, "pooled").items() <= models(few, "paper").items()
    assert variant_of(few, "demo", "paper").targets == variant_of(many, "demo", "paper").targets


CHANGES: list[dict[str, Any]] = [
    {"network": NetworkSettings(lstm=65)},
    {"training": TrainingSettings(epochs=101)},
    {"labels": LabelSettings(merge={})},
    {"upstream": "logmel"},
    {"space": "bert"},
    {"space_transform": "centred"},
]


@given(st.sets(st.integers(0, len(CHANGES) - 1)), st.sets(st.integers(0, len(CHANGES) - 1)))
def test_two_settings_share_a_run_only_if_they_are_alike(a: set[int], b: set[int]) -> None:
    names = []
    for which in (a, b):
        changes = {key: value for i in which for key, value in CHANGES[i].items()}
        names.append(run_name(run_settings(Settings(**changes), "S2", "lc")))
    assert (names[0] == names[1]) == (a == b)


def test_a_new_choice_with_its_default_renames_nothing() -> None:
    class More(TrainingSettings, frozen=True, kw_only=True):
        warmth: float = 0.3

    assert digest(More(epochs=3)) == digest(TrainingSettings(epochs=3))
    assert digest(More(epochs=3, warmth=0.4)) != digest(TrainingSettings(epochs=3))


def test_the_baseline_has_its_own_learning_rate() -> None:
    chosen = Settings(training=TrainingSettings(learning_rate=1e-3, baseline_learning_rate=1e-5))
    assert run_settings(chosen, "S1", "ce").training.learning_rate == 1e-5
    assert run_settings(chosen, "S1", "lc").training.learning_rate == 1e-3


def test_vectors_of_a_run_are_those_of_its_variant() -> None:
    config = read_config(CONFIG)
    for name in ("demo", "iemocap"):
        parts = parts_of(config, name)
        for own in parts.variants.values():
            for model in own.models:
                made_by = parts.models[Path(model.folder).name]
                folder = vectors_of_run(made_by)
                if model.loss in ("ce", "soft", "soft_words", "co_occurrence", "dirichlet"):
                    assert folder is None
                else:
                    assert f"vectors/{folder}" == own.vectors[model.label_set]
                assert folder is None or folder in parts.vectors


def test_every_part_can_be_found_by_its_name() -> None:
    parts = parts_of(read_config(CONFIG), "demo")
    for own in parts.variants.values():
        for folder in itertools.chain(own.targets.values(), (m.folder for m in own.models)):
            kind, name = folder.split("/")
            assert name in (parts.label_sets if kind == "targets" else parts.models)


def test_frames_are_made_of_the_labels_that_some_variant_uses() -> None:
    four = {"anger", "angry", "excited", "excitement", "happiness", "happy", "neutral", "sad"}
    four |= {"sadness"}
    config = read_config(CONFIG)
    assert set(feature_settings(config, "demo", "logmel").labels) == four
    more = changed(variants={"argmin": {"labels": {"classes": ["fear", "neutral"]}}})
    assert set(feature_settings(more, "demo", "logmel").labels) == four | {"fear", "fearful"}
    every = changed(variants={"argmin": {"labels": {"classes": []}}})
    assert feature_settings(every, "demo", "logmel").labels == ()


def test_settings_go_to_a_file_and_back(tmp_path: Path) -> None:
    made_by = run_settings(resolve(read_config(CONFIG), "demo", "paper"), "S3", "mae")
    path = tmp_path / "settings.json"
    path.write_text(as_json(made_by))
    assert read_settings(path, RunSettings) == made_by
    labels = LabelSetSettings(label_set="S1", labels=LabelSettings())
    path.write_text(as_json(labels))
    assert read_settings(path, LabelSetSettings) == labels
    assert target_name(labels).startswith("S1-")


def test_a_variants_file_says_where_everything_lies(tmp_path: Path) -> None:
    own = variant_of(read_config(CONFIG), "demo", "paper")
    path = tmp_path / "results/demo/variants/paper.json"
    path.parent.mkdir(parents=True)
    path.write_text(as_json(own))
    place = read_variant(path)
    assert place.variant == own
    root = tmp_path / "results/demo"
    assert place.runs()[0] == root / own.models[0].folder / "fold1-seed0"
    assert place.space.resolve() == tmp_path / "results/spaces/embedded"
    assert place.features == root / "features/logmel"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"name": 3}', "\x00", '{"label_set": "S9"}'])
def test_a_damaged_file_of_settings_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"settings\.json: not the settings of this version"):
        read_settings(path, RunSettings)
    with pytest.raises(InputError, match="No such file"):
        read_variant(tmp_path / "none.json")


def test_every_key_is_in_the_file() -> None:
    """Also those at their defaults: a reader sees all of it, and a new default re-runs."""
    text = as_json(run_settings(Settings(), "S1", "lc"))
    for field in (*msgspec.structs.fields(NetworkSettings), *msgspec.structs.fields(RunSettings)):
        assert f'"{field.name}"' in text


@pytest.mark.parametrize("content", [b"\xff", b'{"a": "\xff"}', b"", b"{", b"[]"])
def test_json_that_is_none_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    readers = (
        lambda: read_settings(path, RunSettings),
        lambda: load_config(path),
        lambda: table_model.read(path),
        lambda: results.read(path, recording.Record),
    )
    for reader in readers:
        with pytest.raises(InputError, match=f"{path}: ") as caught:
            reader()
        assert "\n" not in str(caught.value)
