"""What a run does not learn from: other corpora of a union, and emotions that stay unseen."""

from collections.abc import Mapping

import pandas as pd

from emoword.io.errors import InputError
from emoword.settings import LabelSettings, TrainingSettings


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
        fold: the fold that is tested; it is of one corpus. 0: none, for the final model.
        training: which corpora are learned from, and which classes stay unseen.
        labels: what counts as a class.

    Raises:
        InputError: a final model is to learn from corpora that depend on which is tested.
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
