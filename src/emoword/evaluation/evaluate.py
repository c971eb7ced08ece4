"""Metrics, counted from decisions: UA, WA, macro F1, cosine similarity, top-10 accuracy."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoword.evaluation.metrics import AVERAGED
from emoword.io.files import write_table
from emoword.labels.decision import macro_f1, unweighted_accuracy, weighted_accuracy
from emoword.schemas import DECISIONS, METRICS, MODEL, UTTERANCES


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
        runs = []
        for (fold, seed), part in model.groupby(["fold", "seed"], sort=False):
            runs += [(fold, seed, *metric) for metric in measure(part)]
        pooled = [
            (seed, *metric) for seed, part in model.groupby("seed") for metric in measure(part)
        ]
        by_run = pd.DataFrame(runs, columns=METRICS.names[3:])
        overall = ["measured_on", "metric"]
        names = list(dict.fromkeys(by_run[overall].itertuples(index=False, name=None)))
        rows += [(*key, *row) for row in runs]
        rows += [(*key, "mean", "all", *row) for row in over_runs(by_run, names)]
        over_seeds = pd.DataFrame(pooled, columns=METRICS.names[4:])
        rows += [(*key, "pooled", "all", *row) for row in over_runs(over_seeds, names)]
    return pd.DataFrame(rows, columns=METRICS.names)


def over_runs(
    metrics: pd.DataFrame, names: list[tuple[str, str]]
) -> Iterator[tuple[str, str, float, int]]:
    """Each metric's mean over the rows, and the sum of their n; `collapsed` is summed."""
    groups = metrics.groupby(["measured_on", "metric"])
    for name in names:
        group = groups.get_group(name)
        total = group["value"].sum() if name[1] == "collapsed" else group["value"].mean()
        yield (*name, float(total), int(group["n"].sum()))


def measure(part: pd.DataFrame) -> Iterator[tuple[str, str, float, int]]:
    """The metrics of some decisions, and UA and WA by style: measured_on, metric, value, n."""
    true, predicted = part["true"], part["predicted"]
    yield "class", "UA", unweighted_accuracy(true, predicted), len(part)
    yield "class", "WA", weighted_accuracy(true, predicted), len(part)
    yield "class", "F1", macro_f1(true, predicted), len(part)
    by_run = part.groupby(["fold", "seed"])["collapsed"].first().astype(int)
    yield "class", "collapsed", float(by_run.sum()), len(by_run)
    for metric in AVERAGED:
        cells = part.get(metric.column, pd.Series(dtype=str))
        values = cells[cells != ""].astype(float)
        if len(values):
            yield metric.measured_on, metric.name, float(np.mean(values.to_numpy())), len(values)
    for style, turns in part.groupby("style") if "style" in part else ():
        if style:
            own = (turns["true"], turns["predicted"])
            yield str(style), "UA", unweighted_accuracy(*own), len(turns)
            yield str(style), "WA", weighted_accuracy(*own), len(turns)
