"""Frames standardised by corpus: of a union, each corpus by its own mean and deviation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from emoword.training.loop import frame_statistics

MEAN, STD = "input_mean.", "input_std."  # before a corpus's name, in the weights


def standardised(
    frames: Sequence[Tensor], parts: pd.DataFrame, corpora: Sequence[str]
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Frames less their corpus's mean, divided by its deviation; nothing tested is in these.

    Args:
        frames: of each utterance, float [frames, dim]; copies are made of them.
        parts: utterance, part, in the same order.
        corpora: of each utterance.

    Returns:
        The frames, of the type as given; and ``input_mean.CORPUS``, ``input_std.CORPUS``, float32
        [dim].
    """
    frame_of = dict(zip(parts["utterance"], frames, strict=True))
    statistics: dict[str, Tensor] = {}
    for corpus in sorted(set(corpora)):
        mean, std = frame_statistics([frame_of[name] for name in heard_of(corpus, parts, corpora)])
        statistics |= {MEAN + corpus: torch.from_numpy(mean), STD + corpus: torch.from_numpy(std)}
    made = [
        ((own.float() - statistics[MEAN + corpus]) / statistics[STD + corpus]).to(own.dtype)
        for own, corpus in zip(frames, corpora, strict=True)
    ]
    return made, statistics


def heard_of(corpus: str, parts: pd.DataFrame, corpora: Sequence[str]) -> list[str]:
    """By which utterances a corpus's frames are standardised: those of it that are trained on.

    Of a corpus that is not trained on: all that are not tested, whose labels nobody looks at.
    """
    own = parts[np.array(corpora) == corpus]
    learned = own[own["part"] == "train"]
    return list((learned if len(learned) else own[own["part"] != "test"])["utterance"])
