"""The numbers that the report's text names, as LaTeX macros: none of them is typed by hand."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emoword.features.shards import FRAMES_PER_SECOND, Meta
from emoword.figures.style import NOTE
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table
from emoword.labels.words import read_summaries
from emoword.layout import read_settings, read_variant
from emoword.reproduction.claim_pages import tally
from emoword.schemas import INTERVALS, LINEAR, MODEL
from emoword.settings import Mfcc, Transformers
from emoword.tables.latex import Latex, escape, write_latex
from emoword.tables.paper_tables import LOSSES

NOTES = {
    "iemocap": "",
    "demo": "The corpus here is \\emph{synthetic}: what follows shows that the pipeline works, end "
    "to end, and says nothing about the paper or about speech.",
    "recordings": "The corpus here is not the paper's: what follows says how its method does on "
    "other recordings.",
    "union": "Several corpora are one here: what follows says how the paper's method does across "
    "corpora.",
}


def paper_numbers(variant: Path, /, *, features: Path, out: Path) -> None:
    r"""Write the numbers that the report's text names, as LaTeX macros.

    Everything is read from what the pipeline made (records of runs, features, word space, label
    sets, intervals, claims), not from the configuration, so that the text says what was done.

        emoword paper-numbers results/demo/variants/paper.json \
            --features results/demo/features/logmel/shard1of1/meta.json --out numbers.tex

    writes lines such as \newcommand{\emoSpeakers}{10}.

    Args:
        variant: The variant's file; what it is about lies in the same results folder.
        features: meta.json of its frames.
        out: numbers.tex.
    """
    place = read_variant(variant)
    own, chosen = place.variant, place.variant.settings
    records = [read_json(run / "run.json") for run in place.runs()]
    verdicts = read_table(place.path("claims.csv"), ["verdict"])["verdict"].tolist()
    values = {
        "Dataset": own.dataset,
        "Variant": own.name,
        "Note": Latex(NOTES[own.kind]),
        "FigureTop": f"{72 * NOTE:g}bp" if own.synthetic else "0bp",
        "Read": read_json(place.path("corpus.json"))["utterances"],
        **of_targets(read_summaries(map(place.targets, own.targets))),
        **of_inputs(read_settings(features, Meta), read_json(place.space / "meta.json")),
        **of_runs(records),
        **of_results(place.path("intervals.csv"), own.name, chosen.aggregate, chosen.table_loss),
        "Claims": len(verdicts),
        "Verdicts": ", ".join(f"{count} {verdict}" for verdict, count in tally(verdicts)),
    }
    lines = [rf"\newcommand{{\emo{name}}}{{{escape(value)}}}" for name, value in values.items()]
    write_latex("% Made by `emoword paper-numbers`.\n" + "\n".join(lines) + "\n", out)


def of_targets(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, object]:
    """What was trained on: label set -> its summary."""
    summary = sets["S1"]
    by_class = summary["utterances_by_class"]
    names = {"S1": "SOne", "S2": "STwo", "S3": "SThree"}
    return {
        "Utterances": summary["utterances"],
        "PerClass": ", ".join(f"{name} {by_class[name]}" for name in summary["classes"]),
        "PerFold": ", ".join(str(count) for count in summary["utterances_by_fold"].values()),
        **{
            f"{what}{short}": sets.get(name, {}).get(f"distinct_{what.lower()}", 0)
            for what in ("Targets", "Words")
            for name, short in names.items()
        },
    }


def of_inputs(features: Meta, space: Mapping[str, Any]) -> dict[str, object]:
    """The frames and the word space."""
    chosen = features.upstream
    if isinstance(chosen, Transformers):
        upstream = f"the outputs of layer {chosen.layer} of {chosen.model}"
    else:
        upstream = "cepstra (MFCC)" if isinstance(chosen, Mfcc) else "log-mel energies"
    return {
        "Upstream": upstream,
        "FrameWidth": features.dim,
        "FrameRate": str(FRAMES_PER_SECOND),
        # a long file name may be broken at its dots
        "SpaceSource": Latex(escape(space["source"]).replace(".", r".\allowbreak{}")),
        "SpaceWords": f"{space['words']:,}",
        "SpaceWidth": space["dim"],
    }


def of_runs(records: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """How it was trained, and with what: the settings of the embedding models and the baseline.

    Raises:
        InputError: there is no baseline, or no embedding model.
    """
    records = list(records)
    baseline = [record for record in records if record["model"] == "baseline"]
    embedding = [record for record in records if record["model"] != "baseline"]
    if not baseline or not embedding:
        raise InputError("needs runs of a baseline and of a word-embedding model")
    training, network = (embedding[0]["settings"][key] for key in ("training", "network"))
    steps = training["steps"]
    fallen = sum(record["collapsed"] for record in records)
    versions = embedding[0]["versions"]
    return {
        "Runs": len(records),
        "Collapsed": f"{fallen} of {len(records)}",
        "LearningRate": power(training["learning_rate"]),
        "BaselineRate": power(baseline[0]["settings"]["training"]["learning_rate"]),
        "Epochs": f"{steps:,} steps" if steps else f"{training['epochs']} epochs",
        "Patience": f"{training['patience']}{'% of the' if steps else ''} epochs",
        "Batch": training["batch_size"],
        "Dropout": f"{network['dropout']:g}",
        "Validation": f"{100 * training['validation']:g}",
        "Channels": ", ".join(map(str, network["channels"])),
        "Lstm": network["lstm"],
        "Hidden": ", ".join(map(str, network["hidden"])),
        "Device": ", ".join(sorted({record["device"] for record in records})),
        "Machine": ", ".join(sorted({record["machine"] for record in records})),
        "Version": versions["emoword"],
        "Python": versions["python"],
        "Torch": versions["torch"],
    }


def power(rate: float) -> Latex:
    r"""A learning rate: 0.002 -> ``$2\cdot 10^{-3}$``."""
    exponent = math.floor(math.log10(rate))
    return Latex(rf"${rate / 10**exponent:.3g}\cdot 10^{{{exponent}}}$")


def of_results(path: Path, variant: str, aggregate: str, loss: str) -> dict[str, object]:
    """The design, UA with its intervals, and what M1 is apart from its references.

    Raises:
        InputError: a row of M1 or the baseline is missing.
    """
    counts = ["speakers", "folds", "seeds"]
    rows = INTERVALS.read(path, *MODEL, "fold", "metric", "value", "low", "high", *counts)
    own = rows[["variant", "fold", "metric"]] == [variant, aggregate, "UA"]
    rows = rows[own.all(axis=1)].drop_duplicates(MODEL).set_index(MODEL)
    named = {
        "MOne": ("M1", loss),
        "Baseline": ("baseline", "ce"),
        "MTwo": ("M2", loss),
        "MThree": ("M3", loss),
        "Ridge": ("ridge", LINEAR),
        "Logistic": ("logistic", LINEAR),
    }
    ua = rows.reindex([(variant, *key) for key in named.values()]).set_axis(list(named))
    value = ua["value"]
    for short in ("MOne", "Baseline"):
        if math.isnan(value[short]):
            raise InputError(f"{path}: no UA of {' '.join(named[short])}, variant {variant}")
    speakers, folds, seeds = rows[counts].iloc[0]
    return {
        "Speakers": speakers,
        "Folds": folds,
        "Seeds": "1 seed" if seeds == 1 else f"{seeds} seeds",
        "Aggregate": {
            "mean": "means over the folds",
            "pooled": "of the utterances of all folds pooled",
        }[aggregate],
        "Gain": apart(value["MOne"], value["Baseline"]),
        "LinearGain": apart(value["Ridge"], value["Logistic"]),
        "OverLinear": apart(value["MOne"], value[["Ridge", "Logistic"]].max()),
        "Loss": LOSSES[loss],
        **{f"{short}UA": with_interval(row) for short, row in ua.iterrows()},
    }


def apart(ours: float, theirs: float) -> Latex | str:
    """A difference of two shares in points, with its sign."""
    if math.isnan(ours - theirs):
        return "not measured"
    return Latex(f"${100 * (ours - theirs):+.1f}$ points")


def with_interval(row: Any) -> Latex | str:
    """A share in per cent with its interval."""
    if math.isnan(row["value"]):
        return "not measured"
    text = f"{100 * row['value']:.1f}\\%"
    if not math.isnan(row["low"]):
        text += f" ({100 * row['low']:.1f}--{100 * row['high']:.1f})"
    return Latex(text)
