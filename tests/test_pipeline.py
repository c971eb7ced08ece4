"""The commands that the package derives from a configuration are those that the rules run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

from emoword.pipeline import Plan
from emoword.settings import read_config

REPOSITORY = Path(__file__).parents[1]
# what verify does not run again: it would take audio, a training or LaTeX
NOT_AGAIN = {"features", "train", "paper"}


def spoken(words: list[str], folder: Path) -> tuple[str, ...]:
    """A command with its options in the order of their names, files of the repository by theirs."""
    options: list[list[str]] = [[]]
    for word in words:
        if word.startswith("--"):
            options.append([])
        path = Path(os.path.normpath(folder / word))
        inside = path.is_relative_to(REPOSITORY) and path.exists()
        options[-1].append(path.relative_to(REPOSITORY).as_posix() if inside else word)
    first, *rest = options
    return tuple(word for option in (first, *sorted(rest)) for word in option)


def commands_of_the_rules(folder: Path, *arguments: str) -> set[tuple[str, ...]]:
    """What Snakemake would run in a folder, but for what verify does not run again."""
    command = [sys.executable, "-m", "snakemake", "-n", "-p", "--forceall"]
    command += ["--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder)]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    lines = re.findall(r"^(?:Shell command:)? *emoword (.*?) --record .*$", said, re.MULTILINE)
    theirs = {spoken(shlex.split(line), folder) for line in lines}
    return {words for words in theirs if words[0] not in NOT_AGAIN}


def plan(**options: str) -> Plan:
    return Plan(read_config(yaml.safe_load((REPOSITORY / "config.yaml").read_text())), **options)


def test_the_rules_run_the_commands_of_the_plan(tmp_path: Path) -> None:
    folder = "results/demo"
    path = tmp_path / folder / "comparisons/spaces/differences.csv"  # taken in if it was made
    path.parent.mkdir(parents=True)
    path.touch()
    asked = ["all", "controls", "sensitivity", "compare_spaces", "retrieval", "unseen"]
    asked += ["groups", "space_audit", "raters", "encodings", "final"]
    asked += [f"{folder}/tables/numbers.tex", f"{folder}/comparisons/space_audit/metrics.csv"]
    theirs = commands_of_the_rules(tmp_path, *asked)
    ours = {spoken(step.words, tmp_path) for step in plan().steps()}
    assert theirs - ours == set()
    # no rule was asked for these of variants that nothing shows
    known = {"neighbours", "floors", "linear", "intervals", "temperature", "evaluate"}
    assert {words[0] for words in ours - theirs} <= known
    assert len(theirs) > 100


def test_the_rules_of_a_union_are_those_of_its_plan(tmp_path: Path) -> None:
    """Beside its own commands there are those that read each of its corpora."""
    for name in ("emodb", "polish"):
        path = tmp_path / f"data/{name}/recordings.csv"
        path.parent.mkdir(parents=True)
        path.touch()
    asked = [
        "cross_corpus",
        "raters",
    ]  # without raters Table A6 says so
    theirs = commands_of_the_rules(tmp_path, *asked, "--config", "dataset=emodb_polish")
    readers = {
        spoken(step.words, tmp_path)
        for name in ("emodb", "polish")
        for step in plan(dataset=name, corpus=f"data/{name}").read()
    }
    assert len(readers) == 2
    assert readers < theirs
    ours = {
        spoken(step.words, tmp_path)
        for step in plan(dataset="emodb_polish", corpus="results").steps()
    }
    assert theirs - readers - ours == set()
    assert {words[0] for words in theirs - readers} >= {"unite", "cross-corpus", "check-leaks"}
