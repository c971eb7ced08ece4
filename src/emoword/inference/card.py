"""The model card of an exported model: its numbers, data and limits come from the results."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import EvalResult, ModelCardData

from emoword import __version__, settings
from emoword.inference.trained import Trained
from emoword.io.files import read_json
from emoword.layout import MODEL_OF, Place, read_variant
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
    """README.md of an exported model: YAML front matter, then Markdown.

    Args:
        trained: runs of a results folder.
        space: the words that are taken along.
    """
    places = variants_of(trained)
    measured = numbers(places[0], trained) if places else []
    dataset = places[0].variant.dataset if places else "unknown"
    data = ModelCardData(
        library_name="emoword",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-recognition", "word-embeddings", "emoword"],
        license="other",
        license_name="that-of-the-corpus",
        model_name=trained.name,
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                dataset_type=dataset,
                dataset_name=dataset,
                metric_type=row.metric,
                metric_name=f"{row.says}, test folds",
                metric_value=round(row.value, 6),
            )
            for row in measured
        ]
        or None,
    )
    sections = [
        about(trained),
        usage(),
        data_section(places),
        results_section(measured, trained),
        words_section(space),
        limits(places, trained),
    ]
    return f"---\n{data.to_yaml().strip()}\n---\n\n" + "\n".join(sections)


def variants_of(trained: Trained) -> list[Place]:
    """The variants of the results whose model this is."""
    if not trained.runs:
        return []
    folder, root = trained.runs[0].parent, trained.runs[0].parents[2]
    places = map(read_variant, sorted(root.glob("variants/*.json")))
    name = f"runs/{folder.name}"
    return [p for p in places if name in {model.folder for model in p.variant.models}]


class Number(NamedTuple):
    """A number of the card, over all folds and seeds, and its 95% interval if there is one."""

    says: str
    metric: str
    value: float
    low: float
    high: float


def numbers(place: Place, trained: Trained) -> list[Number]:
    """Of the model, from metrics.csv and intervals.csv; none if it was not evaluated."""
    keys = ["variant", "model", "loss", "fold", "measured_on", "metric"]
    path, intervals = place.root / "metrics.csv", place.root / "intervals.csv"
    if not path.is_file():
        return []
    table = METRICS.read(path).query("seed == 'all'")
    if intervals.is_file():
        ends = INTERVALS.read(intervals)[[*keys, "low", "high"]]
        table = table.merge(ends, "left", on=keys)
    chosen = place.variant.settings.aggregate
    own = [place.variant.name, model_name(trained), trained.made_by.loss, chosen]
    table = table[(table[keys[:4]] == own).all(axis=1)]
    found = []
    for row in table.reindex(columns=[*keys, "value", "low", "high"]).to_dict("records"):
        says = SHOWN.get((row["measured_on"], row["metric"]))
        if says:
            value, low, high = (float(row[name]) for name in ("value", "low", "high"))
            found.append(Number(says, row["metric"], value, low, high))
    return found


def model_name(trained: Trained) -> str:
    """M1, M2, M3 or baseline."""
    own = trained.made_by
    return "baseline" if own.loss == "ce" else MODEL_OF[own.label_set]


def about(trained: Trained) -> str:
    """What it is."""
    own = trained.made_by
    does = (
        "It gives a score for each class."
        if trained.space is None
        else "It predicts a word vector; the class whose vector is nearest is its label, and the "
        "words nearest to it describe it further."
    )
    model = own.upstream
    if isinstance(trained.upstream, settings.Transformers):
        model += f" ({code(Path(trained.upstream.model).name)}, layer {trained.upstream.layer})"
    return (
        f"# {model_name(trained)}: emotion in speech as words\n\n"
        f"{does} The method is that of Stanley et al., Interspeech 2023 ([paper]({PAPER})), the "
        f"code is emoword {__version__}.\n\n"
        f"- classes: {', '.join(map(code, trained.classes))}\n"
        f"- label set {own.label_set}, loss {own.loss}, upstream {model}, "
        f"word space {code(own.space or 'none')}\n"
        f"- runs: {', '.join(trained.weights)}; a prediction is the mean of theirs\n"
    )


def usage() -> str:
    """How to use it."""
    return (
        '## Use\n\n```python\nimport emoword\n\nmodel = emoword.load("this/folder")\n'
        'prediction = model.predict("a.wav")\n'
        'prediction.label, prediction.nearest(5), prediction.similarity("relief")\n```\n\n'
        "Meant for research on emotion in speech: what words a recording resembles, to a model of "
        "these raters. Not meant for decisions on people.\n"
    )


def data_section(places: Sequence[Place]) -> str:
    """What it was trained on, and its licence."""
    if not places:
        return "## Data\n\nNot known: the runs lie in no results folder with variants.\n"
    place = places[0]
    table = UTTERANCES.read(place.root / "utterances.csv")
    kind = "synthetic speech, made by emoword" if place.variant.synthetic else place.variant.kind
    summary = read_json(place.targets("S1") / "summary.json")
    return (
        f"## Data\n\nDataset {code(place.variant.dataset)} ({kind}): {summary['utterances']} of "
        f"{len(table)} utterances take part, of {table['speaker'].nunique()} speakers, in "
        f"{place.variant.folds} folds that no speaker crosses. The licence of the corpus decides "
        "who may have a model that was trained on it; look there before you share this one.\n"
    )


def results_section(measured: Sequence[Number], trained: Trained) -> str:
    """Its numbers, which are those of the folds."""
    if not measured:
        return "## Results\n\nNot evaluated.\n"
    several = len(trained.weights) > 1
    text = "## Results\n\n| metric | value | 95% interval (speakers) |\n|---|---|---|\n"
    for row in measured:
        interval = "" if math.isnan(row.low) else f"{row.low:.3f} to {row.high:.3f}"
        text += f"| {row.says} | {row.value:.3f} | {interval} |\n"
    return text + (
        "\nEach number is that of runs tested on a fold that they were not trained on, over all "
        "folds and seeds of the model. No number is of this folder's prediction itself"
        + (", the mean of runs that together have heard every fold.\n" if several else ".\n")
    )


def words_section(space: WordSpace | None) -> str:
    """Which words it knows."""
    if space is None:
        return ""
    cut = space.meta.get("cut", "all of the space")
    source = code(Path(str(space.meta["source"])).name)
    return f"## Words\n\n{len(space)} words of {source} ({cut}), {space.dim} dimensions.\n"


def limits(places: Sequence[Place], trained: Trained) -> str:
    """What it cannot do."""
    collapsed = sum(bool(read_json(run / "run.json")["collapsed"]) for run in trained.runs)
    lines = [
        "Words and their vectors are those of one language, and carry the social biases of the "
        "texts that they were learnt from (paper, section 6).",
        "It has heard the speakers, microphones and acted or elicited emotions of one corpus.",
        "A recording of more than 60 s is predicted in equal parts, whose vectors are averaged.",
    ]
    if places and places[0].variant.synthetic:
        lines.insert(0, "Its speech is synthetic: it says nothing about real recordings.")
    if collapsed:
        lines.insert(0, f"{collapsed} of {len(trained.runs)} runs collapsed: they say nothing.")
    return "## Limits\n\n" + "".join(f"- {line}\n" for line in lines)


def code(text: str) -> str:
    """A name as Markdown code: no stranger's word is markup."""
    return f"`{text.replace('`', chr(39))}`"
