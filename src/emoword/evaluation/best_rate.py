"""Each run at the learning rate that was best in validation."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from emoword.io.files import write_table
from emoword.layout import Place, read_variant, run_folder
from emoword.schemas import DECISIONS, HISTORY

NAME = "best_rate"
RUN_OF_ANY = ["model", "loss", "fold", "seed"]  # the same run at any rate


def best_rate(*variants: Path, out: Path) -> None:
    r"""Keep, of each run, the decisions at the learning rate with the lowest validation loss.

    The variants differ in their learning rates alone, so that the same model, loss, fold and seed
    has the same split in each: its validation part chooses the rate, as it chooses the epoch, and
    its test part is not looked at. Rows are those of decisions.csv under the variant `best_rate`,
    with the variant that each comes from.

        emoword best-rate results/demo/variants/rate_0.0006.json \
            results/demo/variants/rate_0.002.json --out best_rate.csv

    Args:
        variants: The variants' files, one a rate.
        out: The decisions.
    """
    places = [read_variant(path) for path in variants]
    rows = [row for place in places for row in validation_losses(place)]
    validated = pd.DataFrame(rows, columns=[*RUN_OF_ANY, "from", "lowest"])
    best = validated.loc[validated.groupby(RUN_OF_ANY)["lowest"].idxmin()]
    decisions = pd.concat(
        DECISIONS.read_text(place.path(f"decisions/{place.variant.name}.csv")) for place in places
    ).rename(columns={"variant": "from"})
    kept = decisions.merge(best[[*RUN_OF_ANY, "from"]].astype(str), on=[*RUN_OF_ANY, "from"])
    kept.insert(0, "variant", NAME)
    write_table(kept, out)


def validation_losses(place: Place) -> Iterator[tuple[str, str, int, int, str, float]]:
    """Model, loss, fold, seed, variant and lowest validation loss of each run."""
    variant = place.variant
    for model in variant.models:
        for fold in range(1, variant.folds + 1):
            for seed in variant.seeds:
                path = place.path(run_folder(model.folder, fold, seed)) / "history.csv"
                lowest = HISTORY.read(path, "validation_loss")["validation_loss"].min()
                yield model.name, model.loss, fold, seed, variant.name, lowest
