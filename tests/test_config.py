"""What Snakemake makes of config.yaml: plans, without running anything."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent

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


def jobs(output: str) -> dict[str, int]:
    """The job table that a dry run prints: rule -> how often."""
    table = output[output.index("Job stats:") :].splitlines()[3:]
    rows = (line.split() for line in table[: table.index("")] if line.strip())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def test_the_demo_is_fifty_trainings(dry_run: DryRun) -> None:
    planned = jobs(dry_run().stdout)
    assert planned["train"] == 5 * (3 * 3 + 1)
    assert planned["table"] == 6
    assert planned["label_set"] == planned["encode"] == 3
    assert planned["features"] == planned["demo"] == planned["space"] == 1


def test_iemocap_is_two_hundred_and_fifty(dry_run: DryRun, tmp_path: Path) -> None:
    # neither the corpus nor GloVe has to be there for a look at the plan
    done = dry_run("--config", "dataset=iemocap", f"iemocap_root={tmp_path / 'IEMOCAP'}")
    planned = jobs(done.stdout)
    assert planned["train"] == 250
    assert planned["fetch"] == 1
    assert "demo" not in planned


def test_frames_are_computed_in_as_many_jobs_as_wanted(dry_run: DryRun) -> None:
    assert jobs(dry_run("--config", "feature_shards=3").stdout)["features"] == 3


def test_the_device_reaches_features_and_trainings(dry_run: DryRun) -> None:
    assert "--device" not in dry_run("-p").stdout
    assert dry_run("-p", "--config", "device=cpu").stdout.count("--device cpu") == 51


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("dataset=nothing", "datasets has no 'nothing'; it has crema_d, demo, "),
        ("dataset=iemocap", "iemocap_root is not set"),
        ("epochs=3", "config: unknown key `epochs`"),
        ("datasets={demo: {settings: {training: {epochs: many}}}}", "Expected `int`, got `str`"),
        ("datasets={demo: {variants: [paper, other]}}", "variants has no 'other'"),
    ],
)
def test_a_wrong_setting_is_one_line(change: str, message: str, dry_run: DryRun) -> None:
    done = dry_run("--config", change)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert message in said
    assert "Traceback" not in said
    assert said.count("\n") < 40


def test_a_rule_that_is_like_a_local_one_is_local_too() -> None:
    """Snakemake hands on all but this, and each on a cluster is a submission of its own."""
    text = "".join(path.read_text() for path in sorted(ROOT.glob("workflow/rules/*.smk")))
    rules = re.findall(r"^(?:use rule (\w+) as|rule) (\w+)(.*?)(?=^\S|\Z)", text, re.M | re.S)
    local = {name for _, name, body in rules if "localrule: True" in body}
    assert {"config", "variant", "settings", "rater_table"} < local
    assert {name for like, name, _ in rules if like in local} < local


def test_names_that_no_variant_has_are_named(dry_run: DryRun) -> None:
    for path, message in {
        "results/demo/comparisons/nothing/metrics.csv": "demo has no comparison 'nothing'",
        "results/demo/runs/S1-lc-x-00000000/settings.json": "no variant of the config",
        "results/demo/runs/S1-lc-x-00000000/fold1-seed0/run.json": "no variant of the config",
    }.items():
        done = dry_run(path)
        assert done.returncode != 0
        assert message in done.stdout + done.stderr


def test_words_of_the_config_reach_a_file_and_no_shell(dry_run: DryRun) -> None:
    nasty = "datasets={demo: {settings: {labels: {drop: ['$(touch hacked)', \"a'b\"]}}}}"
    said = dry_run("--config", nasty, "-p", "results/demo/variants/paper.json").stdout
    command = said[said.index("printf '%s\\n'") :]
    assert "$(touch hacked)" in command
    assert """a'"'"'b""" in command  # within single quotes throughout


def test_comparisons_train_only_what_they_touch(dry_run: DryRun) -> None:
    planned = jobs(dry_run("controls").stdout)
    assert planned["transform_space"] == 4
    assert "table" not in planned
    planned = jobs(dry_run("sensitivity").stdout)
    assert planned["check_leaks"] == planned["decide"] == planned["neighbours"] == 1 + 26
    # M1 with log-cosh in two spaces, and the baseline, which knows no space
    assert jobs(dry_run("compare_spaces").stdout)["train"] == 3 * 5
    assert jobs(dry_run("compare_spaces", "all").stdout)["train"] == 50 + 5
    # beside `paper`: three emotions, M1 to M3 in two spaces, and the baseline
    planned = jobs(dry_run("unseen").stdout)
    assert planned["train"] == 50 + 3 * 5 * (2 * 3 + 1)
    assert planned["unseen_table"] == planned["unseen_figure"] == 1


def test_a_union_reads_its_corpora_and_trains_on_the_folds_of_both(
    dry_run: DryRun, tmp_path: Path
) -> None:
    for name in ("emodb", "polish"):
        (tmp_path / f"data/{name}").mkdir(parents=True)
        (tmp_path / f"data/{name}/recordings.csv").touch()
    planned = jobs(dry_run("cross_corpus", "--config", "dataset=emodb_polish").stdout)
    assert planned["read_recordings"] == 2
    assert planned["unite"] == planned["features"] == planned["cross_corpus_table"] == 1
    # seven variants, ten folds, three seeds, M1 and the baseline
    assert planned["train"] == 7 * 10 * 3 * 2


def test_a_filter_reaches_the_command(dry_run: DryRun, tmp_path: Path) -> None:
    words = tmp_path / "my words.txt"
    words.write_text("anger\n")
    chosen = {"most_frequent": 400, "lowercase_alphabetic": True, "spelled": False}
    mine = {"spaces": {"embedded": {"filter": {**chosen, "words": str(words)}}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    options = ("results/spaces/embedded/meta.json", "-p", "--configfile", f"{tmp_path}/mine.yaml")
    said = dry_run(*options).stdout
    assert f"input: {words}" in said  # and so an edit of the list makes the space again
    assert "400" in said[said.index("emoword space") :]
    assert f"'{words}'" in said[said.index("emoword space") :]


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
