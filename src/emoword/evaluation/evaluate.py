"""Metrics, counted from decisions: UA, WA, macro F1, cosine similarity, top-10 accuracy."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from emoword.io.files import write_table
from emoword.labels.decision import macro_f1, unweighted_accuracy, weighted_accuracy
from emoword.schemas import DECISIONS, METRICS, MODEL, UTTERANCES

# the columns of decisions.csv whose mean is a metric -> measured_on, metric
AVERAGED = {
    "cosine_S1": ("S1", "cosine"),
    "cosine_S2": ("S2", "cosine"),
    "cosine_S3": ("S3", "cosine"),
    "S2_l1": ("S2", "top10_l1"),
    "S2_l2": ("S2", "top10_l2"),
    "S3_l1": ("S3", "top10_l1"),
    "S3_l2": ("S3", "top10_l2"),
}

Metric = tuple[str, str, float, int]  # measured_on, metric, value, n
BY_RUN = ["fold", "seed"]


def evaluate(*decisions: Path, utterances: Path | None = None, out: Path) -> None:
    """Count metrics from decisions: UA, WA, macro F1, cosine similarity, top-10 accuracy.

    Writes OUT, one row a number: variant, model, loss, fold, seed, measured_on, metric, value and n
    (utterances behind it; for `collapsed`, runs). Each metric is there for each run (fold and
    seed), and overall: `fold` is `mean` for the mean over folds (the paper leaves open which it
    prints) and `pooled` for the utterances of all folds taken together; both over all seeds (`seed`
    is `all`). With --utterances, UA and WA are there of improvised and scripted turns apart, too
    (measured_on; UA is the mean over the classes that occur among them).

        emoword evaluate decisions/paper.csv --utterances utterances.csv --out metrics.csv

    Args:
        decisions: decisions.csv of each variant.
        utterances: utterances.csv, for the styles of turns.
        out: metrics.csv.
    """
    tables = [DECISIONS.read_text(path) for path in decisions]
    # a variant may lack the columns of label sets that it does not have
    rows = pd.concat(tables, ignore_index=True).fillna("")
    if utterances:
        styles = UTTERANCES.read(utterances, "utterance", "style")
        rows["style"] = rows["utterance"].map(dict(styles[["utterance", "style"]].to_numpy()))
    write_table(count_metrics(rows), out)


def count_metrics(decisions: pd.DataFrame) -> pd.DataFrame:
    """All metrics of all models, by run and overall: the columns of metrics.csv.

    ``decisions``: the rows of decisions.csv, cells as strings; empty where nothing was measured.
    """
    rows: list[tuple[object, ...]] = []
    for key, model in decisions.groupby(MODEL, sort=False):
        runs = {run: list(measure(part)) for run, part in model.groupby(BY_RUN, sort=False)}
        rows += [(*key, *run, *metric) for run, own in runs.items() for metric in own]
        by_run = list(chain(*runs.values()))
        pooled = [metric for _, part in model.groupby("seed") for metric in measure(part)]
        names = dict.fromkeys(metric[:2] for metric in by_run)
        for fold, found in (("mean", by_run), ("pooled", pooled)):
            rows += [(*key, fold, "all", *overall(name, found)) for name in names]
    return pd.DataFrame(rows, columns=METRICS.names)


def overall(name: tuple[str, str], found: Sequence[Metric]) -> Metric:
    """A metric's mean over runs, and the sum of their n; `collapsed` is summed."""
    values, counts = zip(*(metric[2:] for metric in found if metric[:2] == name), strict=True)
    total = np.sum(values) if name == ("class", "collapsed") else np.mean(values)
    return (*name, float(total), sum(counts))


def measure(part: pd.DataFrame) -> Iterator[Metric]:
    """The metrics of some decisions, and UA and WA by style: measured_on, metric, value, n."""
    true, predicted = part["true"], part["predicted"]
    yield "class", "UA", unweighted_accuracy(true, predicted), len(part)
    yield "class", "WA", weighted_accuracy(true, predicted), len(part)
    yield "class", "F1", macro_f1(true, predicted), len(part)
    by_run = part.groupby(BY_RUN)["collapsed"].first().astype(int)
    yield "class", "collapsed", float(by_run.sum()), len(by_run)
    for column, metric in AVERAGED.items():
        cells = part.get(column, pd.Series(dtype=str))
        values = cells[cells != ""].astype(float)
        if len(values):
            yield (*metric, float(np.mean(values.to_numpy())), len(values))
    for style, turns in part.groupby("style") if "style" in part else ():
        if style:
            own = (turns["true"], turns["predicted"])
            yield str(style), "UA", unweighted_accuracy(*own), len(turns)
            yield str(style), "WA", weighted_accuracy(*own), len(turns)
