"""A small workflow's results with their records, made by the real commands in this process."""

import shutil
from contextlib import chdir
from pathlib import Path

from emoword.cli import main

REPOSITORY = Path(__file__).parents[1]
SETTINGS = "--channels 4 --kernels 3 --pools 2 --lstm 4 --hidden 8 --epochs 2 --batch-size 32"
D = "results/demo"
LABELS = (
    "--classes anger happiness sadness neutral --merge excitement=happiness --nouns angry=anger "
    "disgusted=disgust excited=excitement fearful=fear frustrated=frustration happy=happiness "
    "sad=sadness surprised=surprise --drop other --comments categorical attribute --spelling "
    "--lowercase"
)


def stage(command: str, log: str) -> None:
    """Run a stage with a record, as a rule does."""
    main([*command.split(), "--record", f"{log}.log.json"])


def make_results(root: Path, source: Path) -> Path:
    """Make results/demo below ``root``: 5 trainings of M1 and 5 of the baseline.

    The corpus lies elsewhere, as IEMOCAP does; the templates of the tables below ``root``.

    Args:
        root: an empty folder.
        source: where to make the corpus.
    """
    main(["demo", "--utterances", "80", "--out", str(source)])
    template = "paper"
    shutil.copytree(REPOSITORY / "paper" / "templates", root / template)
    shutil.copy(REPOSITORY / "paper" / "literature.csv", root / template)
    with chdir(root):
        logs = f"{D}/logs"
        corpus = f"--utterances {D}/utterances.csv --annotations {D}/annotations.csv"
        stage(
            f"read-iemocap --root {source} {corpus} --report {D}/corpus.json",
            f"{logs}/read_iemocap",
        )
        space = "results/spaces/embedded"
        stage(f"space --format embedded --out {space}", "results/spaces/logs/embedded")
        targets = f"{D}/targets/paper"
        stage(f"targets {corpus} --space {space} {LABELS} --out {targets}", f"{logs}/targets/paper")
        features = f"{D}/features/logmel"
        stage(
            f"features --utterances {D}/utterances.csv --labels anger happiness excitement sadness"
            f" neutral --upstream logmel --out {features}",
            f"{logs}/features/logmel",
        )
        runs = []
        for name, label_set, loss in (("S1-lc", "S1", "lc"), ("S1-ce", "S1", "ce")):
            for fold in range(1, 6):
                run = f"{D}/runs/paper/{name}/fold{fold}-seed0"
                stage(
                    f"train --utterances {D}/utterances.csv --features {features} --targets "
                    f"{targets} --space {space} --label-set {label_set} --loss {loss} --fold {fold}"
                    f" {SETTINGS} --out {run}",
                    f"{logs}/runs/paper/{name}/fold{fold}-seed0",
                )
                runs.append(run)
        held = f"--targets {targets} --space {space}"
        decisions = f"{D}/decisions/paper.csv"
        stage(f"decide --runs {' '.join(runs)} {held} --out {decisions}", f"{logs}/decisions/paper")
        neighbours = f"{D}/neighbours/paper.csv"
        stage(
            f"neighbours --runs {' '.join(runs[:5])} {held} --neighbours {neighbours} "
            f"--means {D}/neighbours/paper_means.csv",
            f"{logs}/neighbours/paper",
        )
        stage(f"evaluate --decisions {decisions} --out {D}/metrics.csv", f"{logs}/evaluate")
        for number in range(1, 7):
            table = f"{D}/tables/table{number}"
            stage(
                f"table {number} --metrics {D}/metrics.csv --neighbours {neighbours} --literature "
                f"{template}/literature.csv --template {template}/table.tex.j2 --dataset demo "
                f"--synthetic --csv {table}.csv --tex {table}.tex --json {table}.json",
                f"{logs}/tables/table{number}",
            )
        figure = f"{D}/figures/confusion"
        stage(
            f"figure confusion --decisions {decisions} --pdf {figure}.pdf --png {figure}.png "
            f"--data {figure}.csv",
            f"{logs}/figures/confusion",
        )
        Path(f"{D}/config.json").write_text('{"dataset": "demo", "training": {"epochs": 2}}\n')
        gathered = f"{D}/provenance.json"
        main(["provenance", D, "--also", f"{D}/config.json", "--out", gathered])
    return root / D
