"""A small workflow's results with their records, made by the real commands in this process."""

import json
from contextlib import chdir
from pathlib import Path
from typing import Any

from emoword.cli import main
from emoword.pipeline import COPIED, Plan, Step
from emoword.settings import load_config

REPOSITORY = Path(__file__).parents[1]
D = "results/demo"
CONFIG: dict[str, Any] = {
    "dataset": "demo",
    "datasets": {
        "demo": {
            "kind": "demo",
            "folds": 5,
            "seeds": [0],
            "utterances": 80,
            "settings": {
                "space": "embedded",
                "upstream": "logmel",
                "losses": ["lc"],
                "network": {
                    "channels": [4],
                    "kernels": [3],
                    "pools": [2],
                    "lstm": 4,
                    "lstm_layers": 1,
                    "hidden": [8],
                },
                "training": {"epochs": 2},
            },
        }
    },
    "spaces": {"embedded": {"format": "embedded"}},
    "upstreams": {"logmel": {"kind": "logmel"}},
}


def make_results(root: Path, trains: bool = True) -> Path:
    """Make results/demo below ``root``: 20 trainings, two epochs each; returns the folder.

    Args:
        root: an empty folder.
        trains: whether it is made to its end, or ends with the label sets.
    """
    folder = root / D
    folder.mkdir(parents=True)
    (root / "paper").symlink_to(REPOSITORY / "paper")
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    plan = Plan(load_config(folder / "config.json"))
    with chdir(root):
        for name in plan.usual():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(plan.written()[name])
        for step in plan.steps():
            if step.name == "check-leaks":
                if not trains:
                    return folder
                train(plan)
            if step.usual:
                record(step)
        for name, source in COPIED.items():
            (folder / name).write_bytes((REPOSITORY / source).read_bytes())
    return folder


def record(step: Step) -> None:
    """Run a command with its record, as a rule does."""
    name = Path(step.outputs[0].removeprefix(f"{D}/")).with_suffix("")
    logs = f"results/spaces/logs/{name.name}" if step.name == "space" else f"{D}/logs/{name}"
    main([*step.words, "--record", f"{logs}.log.json"])


def train(plan: Plan) -> None:
    """Features, and all runs."""
    frames, utterances = f"{D}/features/logmel", f"{D}/utterances.csv"
    given = {"utterances": utterances, "shard": "1/1"}
    record(Step("features", [f"{frames}/settings.json"], given, {"out": f"{frames}/shard1of1"}))
    own = plan.first
    for model in own.models:
        for fold in range(1, own.folds + 1):
            reads = {
                "utterances": utterances,
                "truth": f"{D}/{own.targets['S1']}",
                "targets": f"{D}/{own.targets[model.label_set]}",
                "vectors": None if model.loss == "ce" else f"{D}/{own.vectors[model.label_set]}",
                "features": frames,
                "fold": fold,
                "seed": 0,
            }
            out = {"out": f"{D}/{model.folder}/fold{fold}-seed0"}
            record(Step("train", [f"{D}/{model.folder}/settings.json"], reads, out))
