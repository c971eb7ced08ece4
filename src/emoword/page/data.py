"""What the page shows of utterances and runs, as small as it can be had in JSON.

Texts and words are listed once and named by their place in the list; similarities are integers, in
thousandths; a column is a list, in the order of utterances.csv. The page's script (page.js) reads
exactly these, so that what it shows is what lies in the files.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table
from emoword.settings import LabelSet

NOT_DECIDED = "."
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SOURCE = ["rater", "role", "source", "kind", "file", "line"]
CURVE_POINTS = 60


class Listed:
    """Values by their place in a list, each listed once, the most frequent first.

    >>> words = Listed(["b", "a", "b"])
    >>> words.values, words["a"]
    (['b', 'a'], 1)
    """

    def __init__(self, values: Iterable[Hashable]):
        self.values = [value for value, _ in Counter(values).most_common()]
        self._place = {value: i for i, value in enumerate(self.values)}

    def __getitem__(self, value: Hashable) -> int:
        return self._place[value]


def utterance_list(
    utterances: pd.DataFrame,
    targets: Mapping[LabelSet, pd.DataFrame],
    decisions: pd.DataFrame,
    loss: str,
) -> dict[str, Any]:
    """What is listed and filtered by: who, which fold, the label, what each model decided.

    ``decisions`` are rows of one variant, as strings; shown are models with ``loss``, and the
    baseline.

    Returns:
        ids, speakers and the like by column; `decided`: model -> seed -> one digit (base 36) an
        utterance, the place of the class in `classes`, `.` where the model was not asked.
    """
    ids = list(utterances["utterance"])
    truth = targets["S1"].set_index("utterance")["word"]
    shown = decisions[(decisions["loss"] == loss) | (decisions["model"] == "baseline")]
    classes = Listed([*truth, *shown["predicted"]])
    if len(classes.values) > len(DIGITS):
        raise InputError(f"the page shows at most {len(DIGITS)} classes")
    decided: dict[str, dict[str, str]] = {}
    for (model, seed), rows in shown.groupby(["model", "seed"], sort=False):
        by_utterance = dict(zip(rows["utterance"], rows["predicted"], strict=True))
        decided.setdefault(str(model), {})[str(seed)] = "".join(
            DIGITS[classes[by_utterance[u]]] if u in by_utterance else NOT_DECIDED for u in ids
        )
    speakers, styles = Listed(utterances["speaker"]), Listed(utterances["style"])
    raw = Listed(utterances["label"])
    return {
        "id": ids,
        "speakers": speakers.values,
        "speaker": [speakers[name] for name in utterances["speaker"]],
        "styles": styles.values,
        "style": [styles[name] for name in utterances["style"]],
        "fold": [int(fold) for fold in utterances["fold"]],
        "classes": classes.values,
        "truth": "".join(DIGITS[classes[truth[u]]] if u in truth.index else "." for u in ids),
        "labels": raw.values,
        "label": [raw[name] for name in utterances["label"]],
        "decided": dict(sorted(decided.items(), key=lambda item: (item[0] == "baseline", item[0]))),
        "seeds": sorted(set(shown["seed"]), key=lambda seed: (len(seed), seed)),
    }


def words_of(table: pd.DataFrame, place: Mapping[str, int], words: Listed) -> list[list[int]]:
    """Each utterance's words of a label set: [word, count, word, count, ...], words by place."""
    own: list[list[int]] = [[] for _ in place]
    for utterance, word, count in table[["utterance", "word", "count"]].itertuples(index=False):
        own[place[utterance]] += [words[word], int(count)]
    return own


def details(
    ids: Sequence[str],
    annotations: pd.DataFrame,
    dropped: pd.DataFrame,
    targets: Mapping[LabelSet, pd.DataFrame],
    audio: Sequence[str],
) -> dict[str, Any]:
    """What stands behind each utterance's targets.

    Returns:
        `notes`: an utterance's lines [rater, role, source, kind, file, line, [texts], [[dropped
        text, label set, reason]]]; `out`: why an utterance takes no part (a reason, or -1);
        `sets`: label set -> an utterance's words [word, count, word, count, ...]; `audio`: the
        addresses, as [folder, file name]; all but line, count and file name by place.
    """
    place = {name: i for i, name in enumerate(ids)}
    raters, files = Listed(annotations["rater"]), Listed(annotations["file"])
    kinds = Listed([*annotations["role"], *annotations["source"], *annotations["kind"]])
    texts = Listed([*annotations["text"], *dropped["text"]])
    reasons, sets_ = Listed(dropped["reason"]), Listed(dropped["label_set"])
    words = Listed([word for table in targets.values() for word in table["word"]])

    left_out = dropped[dropped["kind"] == "utterance"]
    why = dict(
        zip(left_out["utterance"], map(reasons.__getitem__, left_out["reason"]), strict=True)
    )
    fallen: dict[tuple[str, ...], list[list[int]]] = {}
    for row in dropped[dropped["kind"] != "utterance"].itertuples(index=False):
        key = tuple(map(str, (row.utterance, row.rater, row.kind, row.file, row.line)))
        entry = [texts[row.text], sets_[row.label_set], reasons[row.reason]]
        fallen.setdefault(key, []).append(entry)
    notes: list[list[list[Any]]] = [[] for _ in ids]
    lines: dict[tuple[str, ...], list[int]] = {}
    names = ["utterance", *SOURCE, "text"]
    for *where, text in annotations[names].itertuples(index=False, name=None):
        lines.setdefault(tuple(map(str, where)), []).append(texts[text])
    for (utterance, rater, role, source, kind, file, line), said in lines.items():
        head = [raters[rater], kinds[role], kinds[source], kinds[kind], files[file], int(line)]
        gone = fallen.pop((utterance, rater, kind, file, line), [])
        notes[place[utterance]].append([*head, said, gone])
    by_set = {name: words_of(table, place, words) for name, table in targets.items()}
    split = [address.rpartition("/") for address in audio]
    folders = Listed([folder for folder, _, _ in split])
    return {
        "raters": raters.values,
        "files": files.values,
        "kinds": kinds.values,
        "texts": texts.values,
        "reasons": reasons.values,
        "label_sets": sets_.values,
        "words": words.values,
        "notes": notes,
        "out": [why.get(name, -1) for name in ids],
        "sets": by_set,
        "folders": folders.values,
        "audio": [[folders[folder], name] for folder, _, name in split],
    }


def nearest(
    ids: Sequence[str], rows: pd.DataFrame, decisions: pd.DataFrame, loss: str
) -> dict[str, dict[str, Any]]:
    """The nearest words of targets and predictions, one part a seed, and one for the targets.

    ``rows`` are those of nearest.csv as strings (a target has no seed); ``decisions`` have the
    similarity of prediction and target, of ``loss``.

    Returns:
        `targets` and each seed -> `words`; `lists`, distinct ones [word, similarity, word, ...];
        `of`: label set or model -> each utterance's place in `lists`, or -1; `cosines`: model ->
        label set -> similarity with the target, or null.
    """
    place = {name: i for i, name in enumerate(ids)}
    ranks = sum(name.startswith("word ") for name in rows.columns)
    spread = [f"{kind} {rank}" for rank in range(1, ranks + 1) for kind in ("word", "similarity")]
    parts: dict[str, dict[str, Any]] = {}
    for seed, part in rows.groupby("seed", sort=False):
        words = Listed(part[spread[::2]].to_numpy().ravel())
        cells = np.empty((len(part), 2 * ranks), dtype=int)
        for column, name in enumerate(spread):
            if column % 2:
                cells[:, column] = (part[name].astype(float) * 1000).round()
            else:
                cells[:, column] = [words[word] for word in part[name]]
        lists: dict[tuple[int, ...], int] = {}
        of: dict[str, list[int]] = {}
        for name, utterance, cell in zip(
            part["of"], part["utterance"], cells.tolist(), strict=True
        ):
            where = of.setdefault(name, [-1] * len(ids))
            where[place[utterance]] = lists.setdefault(tuple(cell), len(lists))
        parts[str(seed) or "targets"] = {
            "words": words.values,
            "lists": list(lists),
            "of": dict(sorted(of.items())),
            "cosines": cosines(place, decisions[(decisions["seed"] == seed)], loss) if seed else {},
        }
    return parts


def cosines(
    place: dict[str, int], decisions: pd.DataFrame, loss: str
) -> dict[str, dict[str, list[int | None]]]:
    """Model -> label set -> similarity of prediction and target in thousandths, or None."""
    found: dict[str, dict[str, list[int | None]]] = {}
    columns = [name for name in decisions.columns if name.startswith("cosine_")]
    for model, rows in decisions[decisions["loss"] == loss].groupby("model"):
        for column in columns:
            values: list[int | None] = [None] * len(place)
            for utterance, value in zip(rows["utterance"], rows[column], strict=True):
                values[place[utterance]] = round(1000 * float(value)) if value != "" else None
            found.setdefault(str(model), {})[column.removeprefix("cosine_")] = values
    return found


def run_records(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The record of each run, with its learning curve (at most `CURVE_POINTS` epochs of it)."""
    listed = []
    for folder in folders:
        record = read_json(folder / "run.json")
        losses = ["train_loss", "validation_loss"]
        history = read_table(
            folder / "history.csv", ["epoch", *losses], dict.fromkeys(losses, float)
        )
        step = -(-len(history) // CURVE_POINTS)
        points = history.iloc[::step]
        keys = ["model", "label_set", "loss", "fold", "seed", "epochs", "best_epoch"]
        keys += ["spread", "collapsed", "device", "utterances", "settings", "versions", "machine"]
        listed.append(
            {
                "folder": folder.as_posix(),
                **{key: record.get(key) for key in keys},
                "epoch": [int(epoch) for epoch in points["epoch"]],
                **{name: [significant(value) for value in points[name]] for name in losses},
                "lowest": significant(history["validation_loss"].min()),
            }
        )
    return listed


def significant(value: float) -> float | None:
    """A number with four significant digits; None where it is not finite, as JSON has no such."""
    return float(f"{value:.4g}") if np.isfinite(value) else None


def metric_rows(metrics: pd.DataFrame) -> list[list[Any]]:
    """The rows of metrics.csv, as lists: model, loss, fold, seed, measured_on, metric, value, n."""
    columns = ["model", "loss", "fold", "seed", "measured_on", "metric"]
    return [
        [*row[:6], float(row[6]) if row[6] else None, int(float(row[7])) if row[7] else None]
        for row in metrics[[*columns, "value", "n"]].itertuples(index=False, name=None)
    ]
