"""The model card of an exported model: its numbers, data and limits come from the results."""

from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub import EvalResult, ModelCardData

from emoword import __version__, settings
from emoword.inference.results import Results
from emoword.inference.trained import Trained
from emoword.io.files import read_json
from emoword.io.templates import fill
from emoword.layout import MODEL_OF, Place
from emoword.schemas import INTERVALS, METRICS, UTTERANCES
from emoword.spaces.word_space import WordSpace

SHOWN = {  # metrics.csv's measured_on and metric -> what the card says
    ("class", "UA"): "unweighted accuracy",
    ("class", "WA"): "weighted accuracy",
    ("S1", "cosine"): "cosine similarity with S1",
    ("S2", "cosine"): "cosine similarity with S2",
    ("S3", "cosine"): "cosine similarity with S3",
    ("S2", "top10_l1"): "top-10 accuracy of the first word, S2",
    ("S3", "top10_l1"): "top-10 accuracy of the first word, S3",
}
PAPER = "https://doi.org/10.21437/Interspeech.2023-1591"


def model_card(trained: Trained, space: WordSpace | None) -> str:
    """README.md of an exported model with its words: YAML front matter, then Markdown."""
    own, upstream, place = trained.made_by, trained.upstream, place_of(trained)
    name = "baseline" if own.loss == "ce" else MODEL_OF[own.label_set]
    measured = numbers(place, name, own.loss) if place else []
    values = {
        "front": front_matter(trained.name, place, measured),
        "name": name,
        "paper": PAPER,
        "version": __version__,
        "trained": trained,
        "own": own,
        "pretrained": isinstance(upstream, settings.Transformers) and Path(upstream.model).name,
        "final": all(run.startswith("fold0-") for run in trained.weights),
        "variant": place and place.variant,
        "measured": measured,
        "space": space,
        "source": space and Path(str(space.meta["source"])).name,
        "collapsed": sum(bool(read_json(run / "run.json")["collapsed"]) for run in trained.runs),
    }
    if place:
        values["taken"] = read_json(place.targets("S1") / "summary.json")["utterances"]
        values["utterances"] = UTTERANCES.read(place.root / "utterances.csv")
    template = Path(str(resources.files("emoword") / "resources" / "card.md.j2"))
    return fill(template, values, {"code": code})


def place_of(trained: Trained) -> Place | None:
    """The first variant of the results whose model this is, the default before others."""
    if not trained.runs:
        return None
    folder, results = trained.runs[0].parent, Results(trained.runs[0].parents[2])
    for place in map(results.place, results.variants()):
        if f"runs/{folder.name}" in {model.folder for model in place.variant.models}:
            return place
    return None


def numbers(place: Place, name: str, loss: str) -> list[dict[Any, Any]]:
    """The card's numbers of a model, over all folds and seeds; none if it was not evaluated.

    Rows of metrics.csv, with what each ``says``, and its 95% ``interval``, empty if there is none.
    """
    path, intervals = place.root / "metrics.csv", place.root / "intervals.csv"
    if not path.is_file():
        return []
    keys = ["variant", "model", "loss", "fold", "measured_on", "metric"]
    table = METRICS.read(path).query("seed == 'all'")
    if intervals.is_file():
        table = table.merge(INTERVALS.read(intervals)[[*keys, "low", "high"]], "left", on=keys)
    own = [place.variant.name, name, loss, place.variant.settings.aggregate]
    rows = table[(table[keys[:4]] == own).all(axis=1)].to_dict("records")
    shown = [row for row in rows if (row["measured_on"], row["metric"]) in SHOWN]
    for row in shown:
        known = pd.notna(row.get("low"))
        row["says"] = SHOWN[row["measured_on"], row["metric"]]
        row["interval"] = f"{row['low']:.3f} to {row['high']:.3f}" if known else ""
    return shown


def front_matter(name: str, place: Place | None, measured: list[dict[Any, Any]]) -> str:
    """What the hub reads of a card, as YAML."""
    dataset = place.variant.dataset if place else "unknown"
    results = [
        EvalResult(
            task_type="audio-classification",
            dataset_type=dataset,
            dataset_name=dataset,
            metric_type=row["metric"],
            metric_name=f"{row['says']}, test folds",
            metric_value=round(row["value"], 6),
        )
        for row in measured
    ]
    data = ModelCardData(
        library_name="emoword",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-recognition", "word-embeddings", "emoword"],
        license="other",
        license_name="that-of-the-corpus",
        model_name=name,
        eval_results=results or None,
    )
    return str(data.to_yaml()).strip()


def code(text: str) -> str:
    """A name as Markdown code: no stranger's word is markup."""
    return f"`{text.replace('`', chr(39))}`"
