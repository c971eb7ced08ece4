"""Beside published numbers: what differs, and whether the protocol is ours."""

from pathlib import Path

import pandas as pd

from emoword.io.files import replacing, write_json, write_table
from emoword.layout import read_variant
from emoword.schemas import COMPARE, DECISIONS, RUN_KEYS
from emoword.tables.model import Key
from emoword.tables.number_tables import read_literature, read_metrics


def compare(variant: Path, /, *, literature: Path, out: Path) -> None:
    r"""Set M1's UA and WA beside published numbers, and say whether their protocol is ours.

    One row a published work on this corpus; on others there are none.

        emoword compare results/iemocap/variants/paper.json --literature paper/literature.csv \
            --out compare.csv

    Args:
        variant: The variant's file.
        literature: paper/literature.csv; its column protocol begins with `ours` where test folds
            and validation are those of this experiment, or with `not established`.
        out: The comparison.
    """
    place = read_variant(variant)
    chosen = place.variant.settings
    # beside synthetic speech even a row of published results would be a comparison
    works_on = None if place.variant.synthetic else place.variant.dataset
    works = read_literature(literature, works_on)
    metrics = read_metrics(place.path("metrics.csv"), place.variant.name, chosen.aggregate)
    table = works[["approach", "protocol"]].copy()
    for name in ("UA", "WA"):
        ours = metrics[Key("M1", chosen.table_loss, "class", name)].value
        table[name] = works[name]
        table[f"ours {name}"] = ours
        table[f"difference {name}"] = ours - works[name]
    write_table(table[COMPARE.names], out)


def emobox(decisions: Path, /, *, dataset: str, out: Path) -> None:
    """Write decisions in the keyed format of EmoBox (Ma et al., Interspeech 2024).

    One file a model, loss, seed and fold, OUT/M1-lc-seed0/fold_1.jsonl, one line a test utterance:
    {"key": "iemocap-Ses01F_impro04_F000", "pred": 2, "label": 2}. EmoBox's EmoEval takes the lines
    both as predictions and as labels. OUT/label2idx.json says what the numbers are. EmoBox's folds
    of IEMOCAP are its sessions, in order, as ours are. The files hold the corpus's labels: a
    licence may forbid to pass them on.

        emoword emobox results/iemocap/decisions/paper.csv --dataset iemocap --out emobox

    Args:
        decisions: decisions.csv of a variant.
        dataset: As EmoBox names it.
        out: A folder.
    """
    rows = DECISIONS.read_text(decisions, *RUN_KEYS, "utterance", "true", "predicted")
    place_of = {name: i for i, name in enumerate(sorted({*rows["true"], *rows["predicted"]}))}
    lines = pd.DataFrame(
        {
            "key": dataset + "-" + rows["utterance"],
            "pred": rows["predicted"].map(place_of),
            "label": rows["true"].map(place_of),
        }
    )
    with replacing(out) as folder:
        folder.mkdir()
        write_json(place_of, folder / "label2idx.json")
        for (model, loss, fold, seed), own in rows.groupby(["model", "loss", "fold", "seed"]):
            run = folder / f"{model}-{loss}-seed{seed}"
            run.mkdir(exist_ok=True)
            lines.loc[own.index].to_json(run / f"fold_{fold}.jsonl", orient="records", lines=True)
