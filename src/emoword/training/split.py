"""Leave one fold out; the rest is split at random into training and validation (section 4.3)."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.io.errors import InputError


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

    The same for every model and loss of a fold and seed, so that these are compared on equal
    terms.

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
