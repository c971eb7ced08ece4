"""config.yaml and its schema, as Snakemake sees them (without running anything)."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emoword.labels import label_sets as targets

ROOT = Path(__file__).parent.parent
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())

DryRun = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dry_run(tmp_path: Path) -> DryRun:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        snakemake = Path(sys.executable).with_name("snakemake")
        command = [str(snakemake), "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", "-n"]
        command += ["--directory", str(tmp_path)]
        environment = {"PATH": f"{snakemake.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, env=environment
        )

    return run


def settings_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in schema["properties"].items():
        if value.get("type") == "object" and "properties" in value:
            yield from settings_of(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def test_schema_and_config_agree_on_every_default() -> None:
    stated = dict(settings_of(SCHEMA["$defs"]["settings"]))
    for name, entry in stated.items():
        value: Any = CONFIG["defaults"]
        for part in name.split("."):
            value = value[part]
        assert entry["default"] == value, name
    assert SCHEMA["properties"]["dataset"]["default"] == CONFIG["dataset"]
    # and config.yaml leaves none out
    named = {".".join(path) for path in leaves(CONFIG["defaults"])}
    maps = ("labels.merge", "labels.nouns")
    assert {n for n in stated if n not in maps} == {
        n for n in named if not n.startswith(tuple(f"{m}." for m in maps))
    }


def test_frames_are_computed_in_as_many_jobs_as_wanted(dry_run: DryRun) -> None:
    planned = dry_run("--config", "feature_shards=3").stdout
    assert jobs(planned)["features_shard"] == 3
    assert jobs(planned)["join_features"] == 1
    assert "features" not in jobs(planned)
    assert "feature_shards" in dry_run("--config", "feature_shards=0").stdout


def test_the_device_reaches_features_and_trainings(dry_run: DryRun) -> None:
    assert "--device" not in dry_run("-p").stdout
    planned = dry_run("-p", "--config", "device=cpu").stdout
    assert planned.count("--device cpu") == 51
    assert "Error validating config" in dry_run("--config", "device=toaster").stdout


def test_frames_are_made_of_the_labels_that_some_variant_uses(
    dry_run: DryRun, tmp_path: Path
) -> None:
    def labels(*options: str) -> str:
        told = dry_run("-p", "results/demo/features/logmel/frames.npy", *options).stdout
        return told[told.index("emoword features") :].partition("--upstream")[0]

    four = "--labels anger angry excited excitement happiness happy neutral sad sadness"
    assert four in labels()
    mine = tmp_path / "mine.yaml"
    mine.write_text("variants: {argmin: {labels: {classes: [fear, neutral]}}}")
    assert four.replace("happiness", "fear fearful happiness") in labels("--configfile", str(mine))
    mine.write_text("variants: {argmin: {labels: {classes: []}}}")
    assert "--labels" not in labels("--configfile", str(mine))


def leaves(block: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in block.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)


def jobs(output: str) -> dict[str, int]:
    """The job table that a dry run prints: rule -> how often."""
    table = output[output.index("Job stats:") :].splitlines()[3:]
    rows = (line.split() for line in table[: table.index("")] if line.strip())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def test_the_demo_is_fifty_trainings(dry_run: DryRun) -> None:
    planned = jobs(dry_run().stdout)
    assert planned["train"] == 5 * (3 * 3 + 1)
    assert planned["table"] == 6
    assert planned["features"] == planned["demo"] == planned["space"] == 1


def test_iemocap_is_two_hundred_and_fifty(dry_run: DryRun, tmp_path: Path) -> None:
    # neither the corpus nor GloVe has to be there for a look at the plan
    done = dry_run("--config", "dataset=iemocap", f"iemocap_root={tmp_path / 'IEMOCAP'}")
    planned = jobs(done.stdout)
    assert planned["train"] == 250
    assert "demo" not in planned


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("dataset=nothing", "datasets has no 'nothing'; it has demo, iemocap, polish"),
        ("dataset=iemocap", "iemocap_root is not set"),
        ("epochs=3", "'epochs' was unexpected"),
        ("defaults={training: {epoch: 3}}", "'epoch' was unexpected"),
        ("defaults={training: {epochs: many}}", "'many' is not of type 'integer'"),
        ("defaults={losses: [mse, l2]}", "'l2' is not one of"),
        ("defaults={label_sets: [S2]}", "[S2]|does not contain items matching"),
        ("datasets={../x: {kind: demo, folds: 5, seeds: [0]}}", "does not match"),
        ("datasets={demo: {variants: [paper, other]}}", "variants has no 'other'"),
        ("datasets={demo: {settings: {space: other}}}", "spaces has no 'other'"),
        ("datasets={demo: {settings: {upstream: other}}}", "upstreams has no 'other'"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(change: str, message: str, dry_run: DryRun) -> None:
    done = dry_run("--config", change)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert any(part in said for part in message.split("|")), said
    assert "Traceback" not in said


def test_words_of_the_config_reach_the_shell_quoted(dry_run: DryRun) -> None:
    nasty = "datasets={demo: {settings: {labels: {drop: ['$(touch hacked)', \"a'b\"]}}}}"
    done = dry_run("--config", nasty, "-p", "results/demo/targets/paper/S1.csv")
    assert """--drop '$(touch hacked)' 'a'"'"'b'""" in done.stdout


def test_a_variant_shares_what_it_does_not_touch(dry_run: DryRun, tmp_path: Path) -> None:
    mine = {
        "variants": {
            "slow": {"training": {"learning_rate": 1e-4}},
            "merged": {"labels": {"merge_raters": True}},
        },
        "datasets": {"demo": {"variants": ["paper", "slow", "merged"]}},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    planned = jobs(dry_run("--configfile", str(tmp_path / "mine.yaml")).stdout)
    # the baseline of `slow` is that of `paper`; so are the baseline and M1 of `merged`, whose S1 is
    assert planned["train"] == 150 - 5 - 20
    assert planned["features"] == planned["space"] == 1
    assert planned["targets"] == 2
    assert planned["decide"] == 3
    assert planned["evaluate"] == 1


def test_an_empty_list_is_what_the_command_takes_for_nothing(dry_run: DryRun) -> None:
    """Empty values are left out of a command line, so that the options' defaults must be empty."""
    mine = "datasets={demo: {settings: {labels: {comments: [], drop: [], classes: []}}}}"
    said = dry_run("--config", mine, "-p", "results/demo/targets/paper/S1.csv").stdout
    assert "--comments" not in said
    parser = argparse.ArgumentParser()
    targets.add_arguments(parser)
    required = ["--utterances", "u", "--annotations", "a", "--space", "s", "--out", "o"]
    bare = parser.parse_args(required)
    assert bare.comments == bare.drop == bare.classes == bare.merge == bare.nouns == []


def test_a_key_of_a_map_is_taken_away_with_null(dry_run: DryRun, tmp_path: Path) -> None:
    mine = {"defaults": {"labels": {"merge": {"excitement": None}}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    said = dry_run("--configfile", str(tmp_path / "mine.yaml"), "-p").stdout
    assert "--nouns angry=anger" in said
    assert "--merge excitement" not in said


def test_variants_that_train_alike_share_their_runs(dry_run: DryRun, tmp_path: Path) -> None:
    mine = {
        "variants": {"pooled": {"aggregate": "pooled"}},
        "datasets": {"demo": {"variants": ["paper", "pooled"]}},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    planned = jobs(dry_run("--configfile", str(tmp_path / "mine.yaml")).stdout)
    assert planned["train"] == 50
    assert planned["decide"] == 2


def test_a_comparison_trains_only_what_no_other_variant_has(
    dry_run: DryRun, tmp_path: Path
) -> None:
    mine = {
        "spaces": {"other": {"format": "glove", "source": "other.txt"}},
        "variants": {"other_space": {"space": "other", "label_sets": ["S1"], "losses": ["lc"]}},
        "comparisons": {"mine": ["paper", "other_space"]},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    wanted = "results/demo/comparisons/mine/metrics.csv"
    planned = jobs(dry_run(wanted, "--configfile", str(tmp_path / "mine.yaml")).stdout)
    assert planned["train"] == 50 + 5  # the baseline hears nothing of word spaces
    assert planned["decide"] == 2
    assert "table" not in planned
    plain = jobs(dry_run("--configfile", str(tmp_path / "mine.yaml")).stdout)
    assert plain["train"] == 50


def test_controls_and_alternatives_train_only_what_they_touch(dry_run: DryRun) -> None:
    plain = 5 * (3 * 3 + 1)
    planned = jobs(dry_run("controls").stdout)
    of_three = 6 * 15  # slow embeddings, cosine, three spaces with lc ... and one with cosine
    assert planned["transform_space"] == 4
    assert planned["train"] == plain + of_three + 15 + 2 * 5 + 5  # random; soft on S1, S2; triplets
    planned = jobs(dry_run("sensitivity").stdout)
    # ten of network and training; three of raters' labels (S2, S3); four of comments (S3)
    assert planned["train"] == plain + 10 * 20 + 3 * 10 + 4 * 5
    assert planned["check_leaks"] == planned["decide"] == planned["neighbours"] == 1 + 22


def test_an_unknown_comparison_is_named(dry_run: DryRun) -> None:
    done = dry_run("results/demo/comparisons/nothing/metrics.csv")
    assert done.returncode != 0
    assert "demo has no comparison 'nothing'; it has" in done.stdout + done.stderr


def test_own_recordings_without_ratings_have_no_s2(dry_run: DryRun) -> None:
    own = "datasets={polish: {settings: {label_sets: [S1, S2]}}}"
    done = dry_run("--config", "dataset=polish", own)
    assert done.returncode != 0
    assert "S2 and S3 need ratings" in done.stdout + done.stderr


def test_convolutions_must_agree(dry_run: DryRun, tmp_path: Path) -> None:
    mine = {"datasets": {"demo": {"settings": {"network": {"pools": [2, 2]}}}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    done = dry_run("--configfile", str(tmp_path / "mine.yaml"))
    assert done.returncode != 0
    assert "channels, kernels, pools: unequal" in done.stdout + done.stderr


def test_a_filter_reaches_the_command(dry_run: DryRun, tmp_path: Path) -> None:
    words = tmp_path / "my words.txt"
    words.write_text("anger\n")
    chosen = {"most_frequent": 400, "lowercase_alphabetic": True, "spelled": False}
    mine = {"spaces": {"embedded": {"filter": {**chosen, "words": str(words)}}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    done = dry_run("results/spaces/embedded/meta.json", "--configfile", f"{tmp_path}/mine.yaml")
    assert done.returncode == 0, done.stderr
    assert f"input: {words}" in done.stdout  # and so an edit of the list makes the space anew
    said = dry_run(
        "results/spaces/embedded/meta.json", "-p", "--configfile", f"{tmp_path}/mine.yaml"
    ).stdout
    assert f"--lowercase-alphabetic --most-frequent 400 --keep '{words}' --out" in said


def test_a_source_is_fetched_only_where_it_is_not(dry_run: DryRun, tmp_path: Path) -> None:
    space = "results/spaces/glove_840b/meta.json"
    said = dry_run(space, "-p").stdout
    assert jobs(said) == {"fetch": 1, "space": 1, "total": 2}
    assert "--url https://nlp.stanford.edu/data/glove.840B.300d.zip --out data/glove" in said
    (tmp_path / "data").mkdir()
    (tmp_path / "data/glove.840B.300d.zip").touch()
    said = dry_run(space, "-p").stdout
    assert jobs(said) == {"space": 1, "total": 1}
    assert "url" not in said[said.index("Shell command") :]
    slip = "spaces={glove_840b: {source: /nowhere/glove.zip}}"
    assert jobs(dry_run(space, "--config", slip).stdout) == {"space": 1, "total": 1}


def test_comparing_spaces_trains_only_what_differs(dry_run: DryRun) -> None:
    # M1 with log-cosh in two spaces, and the baseline, which knows no space
    assert jobs(dry_run("compare_spaces").stdout)["train"] == 3 * 5
    assert jobs(dry_run("compare_spaces", "all").stdout)["train"] == 50 + 5


def test_an_embedded_space_has_no_source(dry_run: DryRun) -> None:
    done = dry_run("--config", "spaces={embedded: {source: x.txt}}")
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
