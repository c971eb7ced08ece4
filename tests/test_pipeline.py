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


def test_the_rules_run_the_commands_of_the_plan(tmp_path: Path) -> None:
    folder = "results/demo"
    for name in ("comparisons/spaces/differences.csv", "floors/paper.csv"):
        path = tmp_path / folder / name  # what is taken in if it was made
        path.parent.mkdir(parents=True)
        path.touch()
    command = [sys.executable, "-m", "snakemake", "-n", "-p", "--forceall"]
    command += ["--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(tmp_path)]
    command += ["all", "controls", "sensitivity", "compare_spaces", "retrieval"]
    command += [f"{folder}/tables/numbers.tex"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    lines = re.findall(r"^(?:Shell command:)? *emoword (.*?) --record .*$", said, re.MULTILINE)
    theirs = {spoken(shlex.split(line), tmp_path) for line in lines}
    theirs = {words for words in theirs if words[0] not in NOT_AGAIN}
    config = read_config(yaml.safe_load((REPOSITORY / "config.yaml").read_text()))
    ours = {spoken(step.words, tmp_path) for step in Plan(config).steps()}
    assert theirs - ours == set()
    # no rule was asked for these: neighbours, floors, linear of variants that nothing shows
    assert {words[0] for words in ours - theirs} <= {"neighbours", "floors", "linear", "intervals"}
    assert len(theirs) > 100
