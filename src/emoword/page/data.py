"""What the page shows of utterances and runs, as small as it can be had in JSON.

Texts and words are listed once and named by their place in the list; similarities are integers, in
thousandths; a column is a list, in the order of utterances.csv. The page's script (page.js) reads
exactly these, so that what it shows is what lies in the files.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.labels.words import read_summaries
from emoword.layout import Place
from emoword.schemas import HISTORY
from emoword.settings import LabelSet

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
LINE = ["utterance", "rater", "role", "source", "kind", "file", "line", "text"]
FALLEN = ["utterance", "rater", "kind", "file", "line", "text", "label_set", "reason"]
RECORD = ["model", "label_set", "loss", "fold", "seed", "epochs", "best_epoch", "spread"]
RECORD += ["collapsed", "device", "utterances", "settings", "versions", "machine"]
CURVE_POINTS = 60


def listed(values: Iterable[Hashable]) -> dict[Any, int]:
    """Value -> its place in a list of the distinct ones, the most frequent first.

    >>> listed(["b", "a", "b"])
    {'b': 0, 'a': 1}
    """
    return {value: place for place, (value, _) in enumerate(Counter(values).most_common())}


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
        ids, speakers and the like by column; `truth`, and `decided`, model -> seed: one digit
        (base 36) an utterance, the place of the class in `classes`, `.` where there is none.
    """
    shown = decisions[(decisions["loss"] == loss) | (decisions["model"] == "baseline")]
    classes = listed([*targets["S1"]["word"], *shown["predicted"]])
    if len(classes) > len(DIGITS):
        raise InputError(f"the page shows at most {len(DIGITS)} classes")

    def digits(rows: pd.DataFrame, column: str) -> str:
        by_utterance = dict(zip(rows["utterance"], rows[column], strict=True))
        return "".join(
            DIGITS[classes[by_utterance[name]]] if name in by_utterance else "."
            for name in utterances["utterance"]
        )

    def column(name: str) -> dict[str, list[Any]]:
        places = listed(utterances[name])
        return {f"{name}s": list(places), name: [places[value] for value in utterances[name]]}

    decided: dict[str, dict[str, str]] = {}
    for (model, seed), rows in shown.groupby(["model", "seed"], sort=False):
        decided.setdefault(str(model), {})[str(seed)] = digits(rows, "predicted")
    return {
        "id": list(utterances["utterance"]),
        **column("speaker"),
        **column("style"),
        "fold": [int(fold) for fold in utterances["fold"]],
        "classes": list(classes),
        "truth": digits(targets["S1"], "word"),
        **column("label"),
        "decided": dict(sorted(decided.items(), key=lambda item: (item[0] == "baseline", item[0]))),
        "seeds": sorted(set(shown["seed"]), key=lambda seed: (len(seed), seed)),
    }


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
    raters, files = listed(annotations["rater"]), listed(annotations["file"])
    kinds = listed([*annotations["role"], *annotations["source"], *annotations["kind"]])
    texts = listed([*annotations["text"], *dropped["text"]])
    reasons, label_sets = listed(dropped["reason"]), listed(dropped["label_set"])
    words = listed(word for table in targets.values() for word in table["word"])

    whole = dropped["kind"] == "utterance"
    out = dict(zip(dropped["utterance"][whole], dropped["reason"][whole], strict=True))
    fallen: dict[tuple[str, ...], list[list[int]]] = {}
    for *key, text, label_set, reason in dropped[~whole][FALLEN].itertuples(index=False):
        entry = [texts[text], label_sets[label_set], reasons[reason]]
        fallen.setdefault(tuple(key), []).append(entry)
    lines: dict[tuple[str, ...], list[int]] = {}
    for *key, text in annotations[LINE].itertuples(index=False):
        lines.setdefault(tuple(key), []).append(texts[text])
    notes: list[list[list[Any]]] = [[] for _ in ids]
    for (utterance, rater, role, source, kind, file, line), said in lines.items():
        head = [raters[rater], kinds[role], kinds[source], kinds[kind], files[file], int(line)]
        gone = fallen.pop((utterance, rater, kind, file, line), [])
        notes[place[utterance]].append([*head, said, gone])

    sets: dict[str, list[list[int]]] = {name: [[] for _ in ids] for name in targets}
    for name, table in targets.items():
        for utterance, word, count in table[["utterance", "word", "count"]].itertuples(index=False):
            sets[name][place[utterance]] += [words[word], int(count)]
    split = [address.rpartition("/") for address in audio]
    folders = listed(folder for folder, _, _ in split)
    lists = {"raters": raters, "files": files, "kinds": kinds, "texts": texts}
    lists |= {"reasons": reasons, "label_sets": label_sets, "words": words}
    return {
        **{name: list(values) for name, values in lists.items()},
        "notes": notes,
        "out": [reasons[out[name]] if name in out else -1 for name in ids],
        "sets": sets,
        "folders": list(folders),
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
    decisions = decisions[decisions["loss"] == loss]
    ranks = range(1, 1 + sum(str(name).startswith("word ") for name in rows))
    parts: dict[str, dict[str, Any]] = {}
    for seed, part in rows.groupby("seed", sort=False):
        near = part[[f"word {rank}" for rank in ranks]]
        words = listed(near.to_numpy().ravel())
        cells = np.empty((len(part), 2 * len(ranks)), dtype=int)
        cells[:, ::2] = near.map(words.__getitem__)
        cells[:, 1::2] = (
            1000 * part[[f"similarity {rank}" for rank in ranks]].astype(float)
        ).round()
        lists: dict[tuple[int, ...], int] = {}
        of: dict[str, list[int]] = {name: [-1] * len(ids) for name in sorted(set(part["of"]))}
        named = zip(part["of"], part["utterance"], cells.tolist(), strict=True)
        for name, utterance, cell in named:
            of[name][place[utterance]] = lists.setdefault(tuple(cell), len(lists))
        parts[str(seed) or "targets"] = {
            "words": list(words),
            "lists": list(lists),
            "of": of,
            "cosines": cosines(ids, decisions[decisions["seed"] == seed]),
        }
    return parts


def cosines(ids: Sequence[str], decisions: pd.DataFrame) -> dict[str, dict[str, list[int | None]]]:
    """Model -> label set -> similarity of prediction and target in thousandths, or None."""
    found = {}
    for model, rows in decisions.groupby("model"):
        exact = rows.set_index("utterance").filter(like="cosine_").replace("", "nan").astype(float)
        rounded = (1000 * exact).round().reindex(list(ids))
        found[str(model)] = {
            str(name).removeprefix("cosine_"): [None if math.isnan(x) else int(x) for x in own]
            for name, own in rounded.items()
        }
    return found


def run_records(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The record of each run, with its learning curve (at most `CURVE_POINTS` epochs of it)."""
    records = []
    for folder in folders:
        record = read_json(folder / "run.json")
        losses = ["train_loss", "validation_loss"]
        history = HISTORY.read(folder / "history.csv", "epoch", *losses)
        points = history.iloc[:: -(-len(history) // CURVE_POINTS)]
        records.append(
            {
                "folder": folder.as_posix(),
                **{key: record.get(key) for key in RECORD},
                "epoch": points["epoch"].tolist(),
                **{name: [significant(value) for value in points[name]] for name in losses},
                "lowest": significant(history["validation_loss"].min()),
            }
        )
    return records


def significant(value: float) -> float | None:
    """A number with four significant digits; None where it is not finite, as JSON has no such."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def facts(
    place: Place, made: Sequence[dict[str, Any]], utterances: int, dropped: pd.DataFrame
) -> list[tuple[str, str]]:
    """What was run, in lines of (what, text)."""
    chosen = place.variant.settings
    shown = f"{chosen.aggregate} over folds, loss {chosen.table_loss}"
    summaries = read_summaries(map(place.targets, place.variant.targets))
    summary = summaries["S1"]
    meta = read_json(place.space / "meta.json")
    by_class = ", ".join(f"{name} {n}" for name, n in summary["utterances_by_class"].items())
    versions = [", ".join(f"{k} {v}" for k, v in run["versions"].items()) for run in made]
    hosts = Counter(f"{run['device']} ({run['machine']})" for run in made)
    folds = sorted({run["fold"] for run in made})
    seeds = sorted({run["seed"] for run in made})
    fallen = sum(bool(run["collapsed"]) for run in made)
    targets = ", ".join(f"{name}: {one['distinct_targets']}" for name, one in summaries.items())
    taken, out = summary["utterances"], int((dropped["kind"] == "utterance").sum())
    return [
        ("Utterances", f"{taken} take part ({by_class}); {out} of {utterances} do not"),
        ("Distinct targets", targets),
        ("Word space", f"{meta['source']}: {meta['words']:,} words, {meta['dim']} dimensions"),
        ("Features", chosen.upstream),
        ("Runs", f"{len(made)}: {len(folds)} folds, seeds {', '.join(map(str, seeds))}"),
        ("Collapsed runs", f"{fallen} of {len(made)}" if fallen else "none"),
        ("Trained on", "; ".join(f"{name}, {n} runs" for name, n in hosts.items())),
        ("Versions", "; ".join(dict.fromkeys(versions))),
        ("Tables show", f"variant {place.variant.name}, {shown}"),
    ]
