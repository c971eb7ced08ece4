r"""Table A1: UA and WA of M1 (log-cosh) by word space, and a paired test for each pair of spaces.

The paper says that its three word spaces differ by nothing significant. Here the runs of two
spaces are paired by fold and seed (the same split, the same initial draw): the mean difference,
its 95% confidence interval and the two-sided p of a paired t-test (scipy), not corrected for the
number of pairs. Runs share training data and test folds, so that p and interval are narrower than
those of independent runs would be; a difference that they do not find is none to speak of at this
number of runs, and the interval says how large a difference could have hidden.

    emoword compare-spaces --metrics comparisons/spaces/metrics.csv --variants paper word2vec \
        --spaces results/spaces/glove_840b/meta.json results/spaces/word2vec/meta.json \
        --template paper/templates/tableA1.tex.j2 --csv tableA1.csv --tex tableA1.tex \
        --dataset iemocap
"""

import argparse
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, replacing, write_table
from emoword.tables.latex import Latex, render

MODEL, LOSS = "M1", "lc"
METRICS = ("UA", "WA")
CONFIDENCE = 0.95
SYNTHETIC = (
    "The speech is synthetic: the numbers show that the pipeline works and say nothing about the "
    "paper."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword compare-spaces``."""
    add = parser.add_argument
    add("--metrics", type=Path, required=True, help="metrics.csv of the comparison")
    add("--variants", nargs="+", required=True, help="variants that differ in their word space")
    add("--spaces", type=Path, nargs="+", required=True, help="meta.json of each variant's space")
    add("--template", type=Path, required=True, help="paper/templates/tableA1.tex.j2")
    add("--csv", type=Path, required=True, help="the table as CSV, written")
    add("--tex", type=Path, required=True, help="the table as LaTeX, written")
    add("--dataset", required=True, help="its name")
    add("--synthetic", action="store_true", help="say so in the caption")


def main(arguments: argparse.Namespace) -> None:
    """Write Table A1."""
    variants, paths = arguments.variants, arguments.spaces
    if len(variants) != len(paths):
        raise InputError(f"{len(variants)} --variants and {len(paths)} --spaces: one for each")
    names = ["variant", "model", "loss", "fold", "seed", "measured_on", "metric", "value"]
    rows = read_table(arguments.metrics, names, {"value": float})
    spaces = pd.DataFrame(
        [space_row(read_json(path), path.parent.name) for path in paths], index=variants
    )
    runs = {variant: runs_of(rows, variant, arguments.metrics) for variant in variants}
    collapsed = [collapsed_of(rows, variant) for variant in variants]
    means = pd.concat([spaces, summary(runs)], axis=1).assign(collapsed=collapsed)
    pairs = paired(runs, dict(zip(variants, spaces["space"], strict=True)))
    whole = dict.fromkeys(["words", "dimensions", "runs", "collapsed"], "Int64")
    write_table(pd.concat([means, pairs]).astype(whole), arguments.csv)
    notes = [SYNTHETIC] if arguments.synthetic else []
    if any(collapsed):
        notes.insert(0, "A dagger marks spaces with collapsed runs, which say nothing.")
    count = len(next(iter(runs.values())))
    values = {
        "dataset": arguments.dataset,
        "runs": count,
        "spaces": [cells_of_space(row) for row in means.to_dict("records")],
        "pairs": [cells_of_pair(row) for row in pairs.to_dict("records")],
        "notes": notes,
    }
    text = render(arguments.template, values)
    with replacing(arguments.tex) as made:
        made.write_text(text, encoding="utf-8", newline="\n")


def space_row(meta: dict[str, Any], name: str) -> dict[str, object]:
    """What the table says of a word space."""
    vector = f", {meta['vector']}" if "vector" in meta else ""
    return {
        "space": name,
        "source": f"{Path(str(meta['source'])).name}{vector}",
        "words": meta["words"],
        "dimensions": meta["dim"],
    }


def runs_of(rows: pd.DataFrame, variant: str, path: Path) -> pd.DataFrame:
    """UA and WA of a variant's runs of M1: index (fold, seed).

    Raises:
        InputError: there are none.
    """
    own = (rows["variant"] == variant) & (rows["model"] == MODEL) & (rows["loss"] == LOSS)
    single = (rows["seed"] != "all") & (rows["measured_on"] == "class")
    chosen = rows[own & single & rows["metric"].isin(METRICS)]
    if chosen.empty:
        raise InputError(f"{path}: no runs of {MODEL} with {LOSS} of variant {variant!r}")
    return chosen.pivot_table(index=["fold", "seed"], columns="metric", values="value")


def collapsed_of(rows: pd.DataFrame, variant: str) -> int:
    """How many of a variant's runs of M1 collapsed."""
    own = (rows["variant"] == variant) & (rows["model"] == MODEL) & (rows["loss"] == LOSS)
    chosen = rows[own & (rows["seed"] != "all") & (rows["metric"] == "collapsed")]
    return int(chosen["value"].sum())


def summary(runs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Mean and standard deviation over runs (n - 1), by variant."""
    table = {}
    for variant, values in runs.items():
        row: dict[str, float] = {"runs": len(values)}
        for metric in METRICS:
            row[metric] = values[metric].mean()
            row[f"{metric} sd"] = values[metric].std(ddof=1)
        table[variant] = row
    return pd.DataFrame.from_dict(table, orient="index")


def paired(runs: dict[str, pd.DataFrame], names: dict[str, str]) -> pd.DataFrame:
    """Each pair of variants: mean difference, interval and p for UA and WA.

    Raises:
        InputError: two variants have not the same folds and seeds.
    """
    table = []
    for first, second in combinations(runs, 2):
        if set(runs[first].index) != set(runs[second].index):
            raise InputError(f"{first} and {second} have not the same folds and seeds")
        row: dict[str, object] = {"space": names[first], "against": names[second]}
        row["runs"] = len(runs[first])
        for metric in METRICS:
            a = runs[first][metric].sort_index().to_numpy()
            b = runs[second][metric].sort_index().to_numpy()
            difference, low, high, p = paired_t(a, b)
            row |= {
                f"{metric} difference": difference,
                f"{metric} low": low,
                f"{metric} high": high,
                f"{metric} p": p,
            }
        table.append(row)
    return pd.DataFrame(table)


def paired_t(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Mean of a - b, its 95% interval, and the two-sided p of a paired t-test.

    Interval and p are NaN where there is one pair, or all differences are the same.
    """
    difference = a - b
    if len(a) < 2 or np.ptp(difference) == 0:
        return float(difference.mean()), np.nan, np.nan, np.nan
    result = stats.ttest_rel(a, b)
    interval = result.confidence_interval(CONFIDENCE)
    return float(difference.mean()), float(interval.low), float(interval.high), float(result.pvalue)


def cells_of_space(row: dict[Any, Any]) -> dict[str, object]:
    """A space's row for the template."""
    dagger = Latex(r"\textsuperscript{\textdagger}") if row["collapsed"] else ""
    cells = {"space": row["space"], "source": row["source"], "dimensions": row["dimensions"]}
    cells["words"] = f"{row['words']:,}"
    for metric in METRICS:
        deviation = row[f"{metric} sd"]
        spread = "" if np.isnan(deviation) else Latex(rf" $\pm$ {100 * deviation:.1f}")
        cells[metric] = Latex(f"{100 * row[metric]:.1f}{spread}{dagger}")
    return cells


def cells_of_pair(row: dict[Any, Any]) -> dict[str, object]:
    """A pair's row for the template, in percentage points."""
    cells: dict[str, object] = {"space": row["space"], "against": row["against"]}
    for metric in METRICS:
        difference, low, high, p = (
            row[f"{metric} {name}"] for name in ("difference", "low", "high", "p")
        )
        cells[metric] = Latex(f"${100 * difference:+.1f}$")
        there = not np.isnan(p)
        cells[f"{metric} interval"] = (
            Latex(f"[${100 * low:+.1f}$, ${100 * high:+.1f}$]") if there else Latex("--")
        )
        cells[f"{metric} p"] = (
            Latex(f"{p:.3f}" if p >= 0.001 else "$<$0.001") if there else Latex("--")
        )
    return cells
