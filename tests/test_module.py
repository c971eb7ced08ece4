"""The workflow in other hands: imported as a module, run from elsewhere, into another folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
IMPORTER = f"""
module emoword:
    snakefile: "{ROOT}/Snakefile"
    config: config["emoword"]

use rule * from emoword as emoword_*

rule count:
    input: "results/demo/utterances.csv"
    output: "rows.txt"
    shell: "wc -l < {{input}} > {{output}}"

rule everything:
    input: rules.emoword_all.input, rules.emoword_audit.input
"""


@pytest.fixture
def importer(tmp_path: Path) -> Path:
    (tmp_path / "Snakefile").write_text(IMPORTER)
    (tmp_path / "mine.yaml").write_text("emoword: {datasets: {demo: {utterances: 60}}}\n")
    return tmp_path


def snakemake(folder: Path, *arguments: str, fails: bool = False) -> str:
    command = [str(BIN / "snakemake"), "--cores", "2", *arguments]
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def planned(said: str) -> dict[str, int]:
    """Rule -> jobs, of a dry run."""
    rows = re.findall(r"^(\w+) +(\d+)$", said[said.index("Job stats:") :], re.MULTILINE)
    return {rule: int(count) for rule, count in rows}


def test_a_module_plans_all_of_it(importer: Path) -> None:
    said = snakemake(importer, "-n", "--configfile", "mine.yaml", "--", "everything")
    counted = planned(said)
    assert counted["emoword_train"] == 50
    assert counted["emoword_table"] == 6
    assert counted["emoword_archive"] == 1


def test_a_module_makes_results_in_its_importers_folder(importer: Path) -> None:
    """A rule of the importer's own takes the module's output, made with the importer's setting."""
    arguments = ("--configfile", "mine.yaml", "--", "rows.txt", "results/demo/config.json")
    snakemake(importer, *arguments)
    assert (importer / "rows.txt").read_text().strip() == "61"
    assert len(pd.read_csv(importer / "results/demo/annotations.csv")) > 60
    config = (importer / "results/demo/config.json").read_text()
    assert '"utterances": 60' in config
    assert '"spaces": {' in config  # ours, below the importer's


def test_a_modules_mistake_is_said(importer: Path) -> None:
    (importer / "mine.yaml").write_text("emoword: {utterances: 60}\n")
    said = snakemake(importer, "-n", "--configfile", "mine.yaml", "--", "everything", fails=True)
    assert "unknown key `utterances`" in said


def test_the_catalogs_place_is_the_same_workflow(tmp_path: Path) -> None:
    """`workflow/Snakefile`, where the workflow catalog looks, and results in another folder."""
    where = ("--snakefile", str(ROOT / "workflow/Snakefile"), "--directory", str(tmp_path))
    assert planned(snakemake(ROOT, "-n", *where))["train"] == 50
    snakemake(ROOT, *where, "results/spaces/embedded/meta.json")
    assert (tmp_path / "results/spaces/embedded/vectors.npy").is_file()
