"""A variant's file, for stages that read one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from emoword.layout import Model, Variant, as_json


def write_variant(
    results: Path,
    name: str = "paper",
    dataset: str = "my_corpus",
    kind: str = "recordings",
    space: str = "space",
    chosen_space: str = "embedded",
    folds: int = 5,
    models: Sequence[Model] = (),
    targets: Mapping[str, str] = {"S2": "targets/S2"},
    **settings: Any,
) -> Path:
    """Write ``results/variants/{name}.json``, with the runs that ``models`` has; its path."""
    about = {"name": name, "dataset": dataset, "kind": kind, "synthetic": kind == "demo"}
    parts = {"targets": targets, "vectors": {}, "features": "features", "models": models}
    chosen = {"settings": {"space": chosen_space, **settings}, "folds": folds, "seeds": [0]}
    variant = msgspec.convert({**about, **parts, **chosen, "space": space}, Variant)
    path = results / "variants" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(as_json(variant))
    return path
