"""``emoword export``: runs -> a folder that predicts anywhere, with its model card."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from safetensors.torch import save_file

from emoword import layout, settings
from emoword.inference.card import model_card
from emoword.inference.trained import (
    CONFIG,
    SPACE,
    UPSTREAM,
    VERSION,
    WEIGHTS,
    Exported,
    Trained,
    read_trained,
)
from emoword.io.errors import InputError
from emoword.io.files import replacing
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

CARD = "README.md"
OF_UPSTREAM = (".json", ".safetensors")  # what is taken of a local model: nothing that is code


def export(
    *runs: Path, out: Path, most_frequent: Annotated[int, Parameter(validator=Number(gte=0))] = 0
) -> None:
    """Write a folder that predicts anywhere: weights, settings, words, and a model card.

    Written are, in OUT: model.safetensors (the weights of all runs), config.json (settings of
    network and upstream, classes), space/ (the word space: all of it, or with --most-frequent K its
    first K words and the classes), upstream/ (a local pretrained model; one of the Hugging Face hub
    stays there) and README.md, the model card, whose numbers are those of the runs' results. Load
    it with `emoword.load` or `emoword predict`; `Model.push_to_hub` of huggingface_hub shares it.

        emoword export results/demo/runs/S3-lc-* --out model
        emoword predict model a.wav

    Args:
        runs: A model's folder (all its runs), or some of its runs.
        out: The new folder.
        most_frequent: Words of the space that are taken along, beside the classes; 0: all.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists already; name a new folder with --out")
    trained = read_trained(runs)
    write_model(trained, out, most_frequent)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    words = len(WordSpace.open(out / SPACE)) if trained.space else 0
    print(f"{out}: {trained.name}, {words} words, {size / 1e6:.1f} MB")


def write_model(trained: Trained, out: Path, most_frequent: int = 0) -> None:
    """Write a model to a folder, all of it or nothing; one that was exported keeps its card."""
    with replacing(out) as folder:
        folder.mkdir()
        tensors = {
            f"{run}.{name}": tensor
            for run, weights in trained.weights.items()
            for name, tensor in weights.items()
        }
        save_file(tensors, folder / WEIGHTS, {"format": "pt"})
        if trained.space:
            write_words(trained.space, trained.classes, folder / SPACE, most_frequent)
        config = Exported(
            emoword_model=VERSION,
            made_by=trained.made_by,
            upstream=with_upstream(trained.upstream, folder / UPSTREAM),
            classes=trained.classes,
            runs=tuple(trained.weights),
        )
        (folder / CONFIG).write_text(layout.as_json(config) + "\n", encoding="utf-8")
        if trained.folder:
            shutil.copyfile(trained.folder / CARD, folder / CARD)
            return
        card = model_card(trained, WordSpace.open(folder / SPACE) if trained.space else None)
        (folder / CARD).write_text(card, encoding="utf-8")


def write_words(space: WordSpace, classes: Sequence[str], folder: Path, most_frequent: int) -> None:
    """Write the word space: whole, or its first words and the classes."""
    if not 0 < most_frequent < len(space):
        shutil.copytree(space.folder, folder)
        return
    rows = [row for word in classes if (row := space.index(word)) is not None]
    kept = np.union1d(np.arange(most_frequent), rows).astype(np.int64)
    about = {key: space.meta[key] for key in ("source", "format", "vector") if key in space.meta}
    if space.meta.get("hide_phrases"):
        about["hide_phrases"] = True
    about["cut"] = f"the first {most_frequent} of {len(space)} words, and the classes"
    words = [space.word(row).encode() for row in kept.tolist()]
    write_space([(words, np.ascontiguousarray(space.vectors[kept]))], folder, about)


def with_upstream(upstream: settings.Upstream, folder: Path) -> settings.Upstream:
    """The upstream; a pretrained model that lies in a folder is copied along."""
    if not isinstance(upstream, settings.Transformers) or not Path(upstream.model).is_dir():
        return upstream
    files = [path for path in Path(upstream.model).iterdir() if path.suffix in OF_UPSTREAM]
    if not any(path.suffix == ".safetensors" for path in files):
        raise InputError(
            f"{upstream.model}: no .safetensors in it; save the model again with transformers "
            "(save_pretrained), as no pickle is exported"
        )
    folder.mkdir()
    for path in files:
        shutil.copyfile(path, folder / path.name)
    return msgspec.structs.replace(upstream, model=UPSTREAM)
