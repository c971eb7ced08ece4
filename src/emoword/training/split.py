"""What a run learns from: all folds but one, split at random in two (section 4.3).

Less what it is not to hear: other corpora of a union, and emotions that stay unseen. And the mean
and deviation by which frames are standardised, with nothing that is tested in them.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoword.io.errors import InputError
from emoword.settings import LabelSettings, TrainingSettings

MEAN, STD = "input_mean.", "input_std."  # before a corpus's name, in the weights


def split(
    utterances: pd.DataFrame,
    classes: Sequence[str],
    fold: int,
    validation: float,
    seed: int,
    by: str = "utterance",
    left: Collection[str] = (),
) -> pd.DataFrame:
    """Assign each utterance to ``train``, ``validation`` or ``test``, or ``left out`` of the first.

    The same for every model and loss of a fold and seed.

    Args:
        utterances: utterance, speaker, fold (int), label (one of ``classes``), in a fixed order.
        classes: the labels; each must occur in the training part.
        fold: the fold that is left out for testing; 0: none, for the final model.
        validation: the share of the rest that becomes validation (0..1).
        seed: of the random split.
        by: what is drawn: each ``utterance``, or each ``speaker`` with all utterances; then the
            share is one of speakers, at least one.
        left: utterances that are tested alone; a class may have no others.

    Returns:
        Columns utterance, part; the order of ``utterances``.

    Raises:
        InputError: the fold is empty or has one class only, a speaker of the test fold is in
            another fold, or training or validation are left empty or without a class.
    """
    test = (utterances["fold"] == fold).to_numpy()
    if fold:
        check_fold(utterances, test, fold)
    out = utterances["utterance"].isin(list(left)).to_numpy() & ~test
    rest = np.flatnonzero(~test & ~out)
    rng = np.random.default_rng([seed, fold])
    if by == "utterance":
        held = rng.permutation(rest)[: round(validation * len(rest))]
    else:
        speakers = utterances["speaker"].to_numpy()
        known = sorted(set(speakers[rest]))
        drawn = rng.permutation(known)[: max(1, round(validation * len(known)))]
        held = rest[np.isin(speakers[rest], drawn)]
    part = np.where(test, "test", "train").astype(object)
    part[out], part[held] = "left out", "validation"
    there = set(utterances["label"].iloc[rest]) if out.any() else set(classes)
    lacking = sorted(there - set(utterances["label"][part == "train"]))
    if lacking or not len(held):
        what = f"no utterance of {', '.join(lacking)}" if lacking else "no validation utterances"
        raise InputError(f"fold {fold}: {what} left outside it; the corpus is too small")
    return pd.DataFrame({"utterance": utterances["utterance"].to_numpy(), "part": part})


def check_fold(utterances: pd.DataFrame, test: NDArray[np.bool_], fold: int) -> None:
    """Raise an InputError where the fold that is left out cannot test a model."""
    if not test.any():
        raise InputError(f"fold {fold} has no utterances")
    present = set(utterances["label"][test])
    if len(present) < 2:
        raise InputError(f"fold {fold} has one class only: {', '.join(sorted(present))}")
    leaked = set(utterances["speaker"][test]) & set(utterances["speaker"][~test])
    if leaked:
        raise InputError(f"fold {fold}: its speakers are in other folds too: {sorted(leaked)}")


def left_out(
    utterances: pd.DataFrame,
    words: pd.DataFrame,
    fold: int,
    training: TrainingSettings,
    labels: LabelSettings,
) -> set[str]:
    """The utterances that are neither learned nor validated on, whatever the fold.

    Args:
        utterances: utterance, fold, label (the class) and, of a union, corpus.
        words: the label set that is trained on: utterance, word.
        fold: that is tested; it is of one corpus. 0: none, for the final model.
        training: which corpora are learned from, and which classes stay unseen.
        labels: what counts as a class.
    """
    out = naming(dict(utterances[["utterance", "label"]].to_numpy()), words, training, labels)
    if training.corpora != "all":
        if fold == 0:
            raise InputError(f"corpora: {training.corpora}: a final model tests no corpus: use all")
        corpus = utterances["corpus"]
        own = corpus == corpus[utterances["fold"] == fold].iloc[0]
        out |= set(utterances["utterance"][own if training.corpora == "others" else ~own])
    return out


def naming(
    truth: Mapping[str, str], words: pd.DataFrame, training: TrainingSettings, labels: LabelSettings
) -> set[str]:
    """The utterances whose class, or a word of whose target, is to stay unseen.

    A word that is merged with an unseen class is one as well (excitement with happiness).
    """
    unseen = set(training.unseen)
    said = words["word"].replace(dict(labels.merge)).isin(unseen) | words["word"].isin(unseen)
    return {name for name, label in truth.items() if label in unseen} | set(
        words["utterance"][said]
    )


def frame_statistics(utterances: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each dimension over the frames of utterances.

    From float [frames, dim] each, of which one is in memory at a time: two float32 [dim], summed
    in float64; a constant dimension has deviation 1.
    """
    count = sum(len(frames) for frames in utterances)
    zeros = torch.zeros(utterances[0].shape[1], dtype=torch.float64)
    mean = sum((frames.sum(0, dtype=torch.float64) for frames in utterances), zeros) / count
    squares = sum(((frames.double() - mean).square().sum(0) for frames in utterances), zeros)
    std = (squares / count).sqrt()
    std[std < 1e-6] = 1.0
    return mean.float(), std.float()


def standardised(
    frames: Sequence[Tensor], parts: pd.DataFrame, corpora: Sequence[str]
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Frames less their corpus's mean, divided by its deviation; nothing tested is in these.

    From float [frames, dim], part and corpus of each utterance: copies of the same type, and the
    tensors ``input_mean.CORPUS`` and ``input_std.CORPUS``, float32 [dim].
    """
    frame_of = dict(zip(parts["utterance"], frames, strict=True))
    statistics: dict[str, Tensor] = {}
    for corpus in sorted(set(corpora)):
        mean, std = frame_statistics([frame_of[name] for name in heard_of(corpus, parts, corpora)])
        statistics |= {MEAN + corpus: mean, STD + corpus: std}
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
