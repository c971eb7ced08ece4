"""Every table that one stage hands to the next: its columns, their types and what they mean.

docs/hand-overs.md is made from this file, and a test holds a whole run's files to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from emoword.io.files import read_table

Columns = Mapping[str, tuple[type, str]]


@dataclass(frozen=True)
class Schema:
    """A CSV table below results/{dataset}.

    Attributes:
        file: its path there; {variant} and the like stand for names.
        made_by: the command.
        row: what a row is.
        columns: name -> type and meaning.
        optional: columns that some results lack, such as those of label sets without raters.
    """

    file: str
    made_by: str
    row: str
    columns: Columns
    optional: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """The columns in order."""
        return list(self.columns)

    @property
    def needed(self) -> list[str]:
        """The columns that are not optional."""
        return [name for name in self.columns if name not in self.optional]

    def read(self, path: Path, *names: str) -> pd.DataFrame:
        """Read a table; an empty cell is the empty string, or NaN among numbers.

        Args:
            path: the file.
            names: the columns that are needed; none: all that are not optional.

        Raises:
            InputError: names file, column and what is wrong.
        """
        wanted = list(names) or self.needed
        types = {name: self.columns[name][0] for name in wanted}
        return read_table(path, wanted, {name: t for name, t in types.items() if t is not str})

    def read_text(self, path: Path, *names: str) -> pd.DataFrame:
        """The same with all cells as they stand in the file."""
        return read_table(path, list(names) or self.needed)


RUN: Columns = {
    "variant": (str, "name of the settings"),
    "model": (str, "M1, M2, M3 (trained on S1, S2, S3) or baseline"),
    "loss": (str, "mse, mae, lc (log-cosh), ce (the baseline), or a control's"),
    "fold": (int, "the fold that was left out"),
    "seed": (int, "of the training"),
}
MODEL = ["variant", "model", "loss"]
RUN_KEYS = list(RUN)
CONSTANT, LINEAR = "constant", "linear"  # what stands for a loss, of models without one
AGGREGATED: Columns = {**RUN, "fold": (str, "a fold; mean over folds; pooled, of all folds")}
METRIC: Columns = {
    "measured_on": (str, "class, a label set (S1, S2, S3) or a style of turns"),
    "metric": (
        str,
        "UA, WA, F1 (macro), cosine, top10_l1, top10_l2, or collapsed (a count of runs)",
    ),
}
UTTERANCES = Schema(
    "utterances.csv",
    "read-iemocap, read-recordings, unite",
    "an utterance",
    {
        "utterance": (str, "its id"),
        "wav": (str, "path of the audio"),
        "speaker": (str, "who speaks; never in two folds"),
        "fold": (int, "numbered from 1"),
        "style": (str, "improvised, scripted or empty"),
        "label": (str, "ground truth as a noun; empty: no majority"),
        "corpus": (str, "of a union: the dataset that it is from, which its id and speaker name"),
        "sex": (str, "of the speaker: F, M, or empty"),
    },
    optional=["corpus", "sex"],
)
ANNOTATIONS = Schema(
    "annotations.csv",
    "read-iemocap, read-recordings, unite",
    "one label or comment of one rater",
    {
        "utterance": (str, "its id"),
        "rater": (str, "who rated"),
        "role": (str, "observer or self"),
        "kind": (str, "label or comment"),
        "source": (str, "the kind of line it stands on: categorical or attribute"),
        "text": (str, "as written"),
        "file": (str, "where it stands"),
        "line": (int, "the line there, from 1"),
    },
)
WORDS = Schema(
    "targets/{label_set}/words.csv",
    "label-set",
    "a word of an utterance's multiset",
    {
        "utterance": (str, "its id"),
        "word": (str, "a word of the word space"),
        "count": (int, "how often raters named it, at least 1"),
    },
)
DROPPED = Schema(
    "targets/{label_set}/dropped.csv",
    "label-set",
    "an utterance, label or comment that was left out",
    {
        "utterance": (str, "its id"),
        "rater": (str, "who rated; empty for an utterance"),
        "kind": (str, "utterance, label or comment"),
        "text": (str, "the word or label"),
        "file": (str, "where it stands"),
        "line": (str, "the line there"),
        "reason": (str, "why it was left out"),
    },
)
FRAMES = Schema(
    "features/{upstream}/{shard}/index.csv",
    "features",
    "an utterance's frames",
    {
        "utterance": (str, "its id"),
        "start": (int, "row of frames.npy at which they begin"),
        "frames": (int, "how many there are"),
    },
)
SPLIT = Schema(
    "runs/{model}/fold{fold}-seed{seed}/split.csv",
    "train",
    "an utterance of a run",
    {
        "utterance": (str, "its id"),
        "part": (
            str,
            "train, validation, test, `no target` (without words in the label set), or `left out` "
            "of training (corpora, unseen)",
        ),
    },
)
HISTORY = Schema(
    "runs/{model}/fold{fold}-seed{seed}/history.csv",
    "train",
    "an epoch",
    {
        "epoch": (int, "from 1"),
        "train_loss": (float, "mean over the training part, while it is trained"),
        "validation_loss": (float, "of the validation part, after the epoch"),
        "learning_rate": (float, "after the epoch"),
        "watched": (float, "what early stopping watches, if not the loss"),
    },
    optional=["watched"],
)
HITS: Columns = {
    f"{label_set}_{rank}": (float, f"1: the {which} frequent word of {label_set} is among the ten "
                            "nearest; 0: not; empty: there is none")
    for label_set in ("S2", "S3")
    for rank, which in (("l1", "most"), ("l2", "second most"))
}  # fmt: skip
COSINES: Columns = {
    f"cosine_{label_set}": (float, f"cosine similarity of prediction and target in {label_set}")
    for label_set in ("S1", "S2", "S3")
}
DECISIONS = Schema(
    "decisions/{variant}.csv",
    "decide",
    "a test utterance of a run",
    {
        **RUN,
        "collapsed": (
            int,
            "1: the run predicts hardly more than one vector, or never a class of its test part "
            "that it was trained on",
        ),
        "utterance": (str, "its id"),
        "true": (str, "its class"),
        "predicted": (str, "the predicted class (equation 5)"),
        **COSINES,
        **HITS,
    },
    optional=[*COSINES, *HITS],
)
BEST_RATE = Schema(
    "comparisons/rates/best_rate.csv",
    "best-rate",
    "a test utterance of a run, at the learning rate with the lowest validation loss",
    {**DECISIONS.columns, "from": (str, "the variant that has this rate")},
    optional=DECISIONS.optional,
)
FLOORS = Schema(
    "floors/{variant}.csv",
    "floors",
    "a test utterance of a constant predictor",
    {
        **DECISIONS.columns,
        "model": (str, "mean_S1 .. mean_S3: the mean training target; majority"),
        "loss": (str, CONSTANT),
    },
    optional=DECISIONS.optional,
)
LINEAR_MODELS = Schema(
    "linear/{variant}.csv",
    "linear",
    "a test utterance of a linear model and run",
    {
        **DECISIONS.columns,
        "model": (str, "ridge (on word vectors) or logistic (on classes)"),
        "loss": (str, LINEAR),
    },
    optional=DECISIONS.optional,
)
TEN: Columns = {
    name: meaning
    for rank in range(1, 11)
    for name, meaning in {
        f"word {rank}": (str, "the word of this rank"),
        f"similarity {rank}": (float, "its cosine similarity"),
    }.items()
}
NEAREST = Schema(
    "nearest/{variant}.csv",
    "decide",
    "a prediction or a target",
    {
        "variant": RUN["variant"],
        "of": (str, "M1, M2, M3: a prediction; S1, S2, S3: a target"),
        "fold": (str, "of a prediction"),
        "seed": (str, "of a prediction"),
        "utterance": (str, "its id"),
        **TEN,
    },
    optional=list(TEN),
)
METRICS = Schema(
    "metrics.csv",
    "evaluate",
    "a number",
    {
        **AGGREGATED,
        "seed": (str, "a seed, or all"),
        **METRIC,
        "value": (float, "UA, WA and top-10 accuracies as shares"),
        "n": (int, "utterances behind it; runs behind collapsed"),
    },
)
NEIGHBOURS = Schema(
    "neighbours/{variant}.csv",
    "neighbours",
    "a word near a target (Table 4) or a prediction (Table 5)",
    {
        "kind": (str, "target, prediction (of all seeds), or prediction of a seed"),
        "variant": RUN["variant"],
        "model": (str, "of a prediction"),
        "loss": (str, "of a prediction"),
        "seed": (str, "of a prediction of a seed"),
        "collapsed": (str, "`2 of 5 runs` that say nothing, or empty"),
        "name": (str, "the label set of a target, or the emotion"),
        "words": (str, "words of a target, each with its count"),
        "rank": (int, "from 1"),
        "word": (str, "the word of this rank"),
        "similarity": (float, "its cosine similarity, or its share of votes"),
    },
)
COUNTS: Columns = {
    "speakers": (int, "how many"),
    "seeds": (int, "how many"),
    "utterances": (int, "how many"),
}
OVERALL: Columns = {"fold": (str, "mean over folds; pooled, of all folds"), **METRIC}
INTERVALS = Schema(
    "intervals.csv",
    "intervals",
    "a number over all seeds",
    {
        **{name: RUN[name] for name in MODEL},
        **OVERALL,
        "value": (float, "as in metrics.csv"),
        "low": (float, "lower end of its 95% interval for other speakers"),
        "high": (float, "upper end"),
        "standard_error": (float, "over speakers"),
        "repeat_low": (float, "where one more run with another seed would lie (95%)"),
        "repeat_high": (float, "the same; empty: one seed"),
        "folds": (int, "how many"),
        **COUNTS,
    },
)
DIFFERENCES = Schema(
    "differences.csv",
    "intervals",
    "a pair of models tested on the same utterances with the same seeds",
    {
        **{name: RUN[name] for name in MODEL},
        **{f"against_{name}": RUN[name] for name in MODEL},
        **OVERALL,
        "difference": (float, "the first model's value less the second's"),
        "low": (float, "lower end of its 95% interval for other speakers and seeds"),
        "high": (float, "upper end; empty: one seed"),
        "standard_error": (float, "over speakers and seeds"),
        "p": (float, "two-sided, of the same t: below .05 where the interval leaves out zero"),
        "freedom": (float, "degrees of freedom"),
        "detectable": (float, "the smallest true difference found in four of five repetitions"),
        "session_low": (float, "lower end of the 95% interval by folds (sessions) alone, a check"),
        "session_high": (float, "upper end"),
        **COUNTS,
    },
)
VERSUS_PAPER = Schema(
    "versus_paper.csv",
    "versus-paper",
    "a cell of the paper's Tables 1, 3 and 6, or five words of 4 and 5; none on other corpora",
    {
        "table": (str, "its number in the paper"),
        "row": (str, "as in tableN.csv; of words, the target, or the model and emotion"),
        "column": (str, "as in tableN.csv, or `words`"),
        "reported": (str, "what the paper prints; accuracies as shares"),
        "ours": (str, "the same of ours; empty: not measured"),
        "difference": (float, "ours minus the paper's; empty: of words"),
        "low": (float, "where another run of ours with another seed would lie (95%)"),
        "high": (float, "the same; empty: one seed"),
        "verdict": (
            str,
            "reproduced (the paper's number lies there), ours is higher, ours is lower, not "
            "judged: one seed, not measured; of words, how many the lists share",
        ),
    },
)
COMPARE = Schema(
    "compare.csv",
    "compare",
    "a published work on this corpus; none beside synthetic speech",
    {
        "approach": (str, "as paper/literature.csv names it"),
        "UA": (float, "published, as a share; empty: it names none"),
        "ours UA": (float, "of M1, with the loss of the tables"),
        "difference UA": (float, "ours minus the published"),
        "WA": (float, "the same of WA"),
        "ours WA": (float, "of M1"),
        "difference WA": (float, "ours minus the published"),
        "protocol": (str, "`ours` or `not established`, and why"),
    },
)
TEMPERATURES = Schema(
    "temperatures/{variant}.csv",
    "temperature",
    "a run",
    {
        **RUN,
        "temperature": (float, "that its class scores are divided by before the softmax"),
        "unscaled": (float, "cross entropy with the raters' shares at temperature 1, in nats"),
        "fitted": (float, "the same at the temperature"),
        "utterances": (int, "of the validation part, with raters' shares of the classes"),
    },
)
SCHEMAS = [
    UTTERANCES, ANNOTATIONS, WORDS, DROPPED, FRAMES, SPLIT, HISTORY, DECISIONS, BEST_RATE, NEAREST,
    METRICS, FLOORS, LINEAR_MODELS, NEIGHBOURS, INTERVALS, DIFFERENCES, VERSUS_PAPER,
    COMPARE, TEMPERATURES,
]  # fmt: skip
