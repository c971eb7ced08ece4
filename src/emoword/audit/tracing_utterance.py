"""One utterance for `emoword trace`: its raters, its words, and what each model heard in it."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.audit.records import Job, Ledger
from emoword.cli import build_parser
from emoword.corpora.corpus import some
from emoword.evaluation.decide import Judge, read_run
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table

LISTED = 5


def tell_utterance(ledger: Ledger, job: Job, judged: argparse.Namespace, name: str) -> None:
    """Print an utterance: recording, raters' lines, target words, models' nearest words.

    Args:
        ledger: the jobs.
        job: the `emoword decide` job whose runs are looked at.
        judged: its command line.
        name: the utterance.

    Raises:
        InputError: there is no such utterance.
    """
    targets = ledger.maker[str(judged.targets / "S1.csv")]
    made = build_parser(targets.stage).parse_args(targets.command)
    print(f"\nUtterance {name}")
    tell_recording(made.utterances, name)
    tell_raters(made.annotations, judged.targets / "dropped.csv", name)
    print(f"  target words, {judged.targets}")
    for label_set in judged.label_sets:
        path = judged.targets / f"{label_set}.csv"
        rows = read_table(path, ["utterance", "word", "count"])
        rows = rows[rows["utterance"] == name]
        words = [f"{r['word']} x {r['count']}" for r in rows.to_dict("records")]
        where = f"  (line {', '.join(str(i + 2) for i in rows.index)})" if words else ""
        print(f"    {label_set}  {', '.join(words) or 'none'}{where}")
    tell_models(judged, name, job)


def tell_recording(path: Path, name: str) -> None:
    """Print the row of utterances.csv.

    Raises:
        InputError: there is none.
    """
    utterances = read_table(path, ["utterance", "wav", "speaker", "fold", "style", "label"])
    row = utterances[utterances["utterance"] == name]
    if row.empty:
        near = [u for u in utterances["utterance"] if u.startswith(name[:6])] or list(
            utterances["utterance"]
        )
        raise InputError(f"{path}: no utterance {name!r}; there are {some(near)}")
    found = row.iloc[0]
    there = "" if Path(found["wav"]).exists() else " (not here)"
    print(f"  wav          {found['wav']}{there}")
    print(f"  speaker      {found['speaker']}, fold {found['fold']}, {found['style']}")
    truth = found["label"] or "none: no majority"
    print(f"  ground truth {truth}   ({path}, line {row.index[0] + 2})")


def tell_raters(path: Path, dropped: Path, name: str) -> None:
    """Print each label and comment with its file and line, and why some were left out."""
    annotations = read_table(path, ["utterance", "rater", "role", "kind", "text", "file", "line"])
    rows = annotations[annotations["utterance"] == name]
    lost = read_table(dropped, ["utterance", "rater", "kind", "text", "file", "line", "reason"])
    lost = lost[lost["utterance"] == name]
    print(f"  raters, {path}")
    for row in rows.to_dict("records"):
        same = (lost["rater"] == row["rater"]) & (lost["kind"] == row["kind"])
        same &= (lost["file"] == row["file"]) & (lost["line"] == row["line"])
        reasons = reasons_of(lost[same], row)
        verdict = f"   left out: {reasons}" if reasons else ""
        place = f"{row['file']}:{row['line']}"
        own = " (of oneself)" if row["role"] == "self" else ""
        print(
            f"    {row['rater']:5} {row['kind']:8} {row['text']!r}{own}{verdict}\n          {place}"
        )


def reasons_of(lost: pd.DataFrame, row: Mapping[Any, Any]) -> str:
    """Why (parts of) an annotation were left out; its line may hold others that were kept."""
    text = row["text"].lower()
    mine = [drop for drop in lost.to_dict("records") if drop["text"].lower() in text]
    if row["kind"] == "label" and mine:
        mine = mine[:1]
    return "; ".join(dict.fromkeys(f"{drop['text']}: {drop['reason']}" for drop in mine))


def tell_models(judged: argparse.Namespace, name: str, job: Job) -> None:
    """Print what each model with the tables' loss, and the baseline, said."""
    judge = replace(Judge.read(judged), rank_loss="")  # ranks of this utterance only, below
    print(f"  models, from their predictions ({job.name.split('/logs/')[-1]})")
    found = 0
    for folder in judged.runs:
        record = read_json(folder / "run.json")
        if record["loss"] not in (judged.rank_loss, "ce"):
            continue
        run = read_run(folder)
        if name not in run.utterances:
            continue
        found += 1
        place = run.utterances.index(name)
        rows = judge.decisions(run)
        decision = rows.iloc[place]
        verdict = "right" if decision["predicted"] == decision["true"] else "wrong"
        print(f"    {record['model']} {record['loss']}, {folder}, row {place} of predictions.npy")
        print(f"      decided {decision['predicted']} ({verdict}; truth {decision['true']})")
        if record["model"] == "baseline":
            continue
        sims = [f"{s} {decision[f'cosine_{s}']:.3f}" for s in judge.targets]
        print(f"      cosine similarity with its targets: {', '.join(sims)}")
        indices, values = judge.space.nearest(run.predictions[place][None], LISTED)
        near = [
            f"{judge.space.word(int(i))} {v:.3f}"
            for i, v in zip(indices[0], values[0], strict=True)
        ]
        print(f"      nearest words: {', '.join(near)}")
    if not found:
        print("    none predicted it: it takes no part, as its ground truth is no class")
