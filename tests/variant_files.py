"""A variant's file, for stages that read one."""

from pathlib import Path

import msgspec

from emoword.layout import Variant, as_json


def write_variant(
    results: Path,
    name: str = "paper",
    dataset: str = "my_corpus",
    kind: str = "recordings",
    space: str = "space",
    chosen_space: str = "embedded",
    **settings: str,
) -> Path:
    """Write ``results/variants/{name}.json``, of a variant without runs; returns its path."""
    about = {"name": name, "dataset": dataset, "kind": kind, "synthetic": kind == "demo"}
    nothing = {"targets": {"S2": "targets/S2"}, "vectors": {}, "features": "features", "models": []}
    chosen = {"settings": {"space": chosen_space, **settings}, "folds": 5, "seeds": [0]}
    variant = msgspec.convert({**about, **nothing, **chosen, "space": space}, Variant)
    path = results / "variants" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(as_json(variant))
    return path
