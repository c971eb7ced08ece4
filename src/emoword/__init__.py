"""Speech emotion recognition with word embeddings as labels.

A reproduction of Stanley et al., "Emotion Label Encoding using Word Embeddings for Speech
Emotion Recognition", Interspeech 2023, DOI 10.21437/Interspeech.2023-1591.

One room (a folder here) is one stage of the pipeline: docs/house.md.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emoword.inference.model import Model
    from emoword.inference.results import Results
    from emoword.spaces.word_space import WordSpace

__version__ = "0.2.0"
__all__ = ["load", "results", "space"]


def load(where: str | Path | Sequence[str | Path], device: str = "auto") -> "Model":
    """Load a trained model; its ``predict`` takes recordings (docs/inference.md).

    >>> model = emoword.load("results/demo/runs/S3-lc-...")  # doctest: +SKIP
    >>> model.predict("a.wav").label  # doctest: +SKIP
    'anger'

    Args:
        where: a run's folder, or several; a model's folder, of which all runs are taken; a folder
            that ``emoword export`` wrote; or a name on the Hugging Face hub.
        device: auto (CUDA, else MPS, else the CPU), cpu, cuda, cuda:1, mps.

    Raises:
        emoword.io.errors.InputError: there is no model, or it cannot be used.
    """
    from emoword.inference.model import load  # torch and transformers take seconds to import

    return load(where, device)


def results(folder: str | Path) -> "Results":
    """Open a results folder; its tables are DataFrames.

    >>> emoword.results("results/demo").decisions()  # doctest: +SKIP

    Raises:
        emoword.io.errors.InputError: there are no results.
    """
    from emoword.inference.results import Results

    return Results.open(Path(folder))


def space(folder: str | Path) -> "WordSpace":
    """Open a word space: words, vectors, nearest words; nothing of it is read yet.

    Raises:
        emoword.io.errors.InputError: there is none, or its files do not belong together.
    """
    from emoword.spaces.word_space import WordSpace

    return WordSpace.open(Path(folder))
