r"""Print where a number comes from, cell to predictions to raters, and compute it anew.

A cell is named by the table's own names of its row and column, as in its CSV:

    emoword trace results/demo/tables/table1.csv M1 "LC UA"
    emoword trace results/demo/tables/table2.csv "Baseline CE (here)" WA
    emoword trace results/demo/tables/table3.csv M3 S2
    emoword trace results/demo/tables/table4.csv "S1 happiness" 2nd
    emoword trace results/demo/tables/table5.csv "M2 3rd" anger
    emoword trace results/demo/tables/table6.csv M2 "S3 l1"

and one utterance behind it, down to its raters' lines and its wav:

    emoword trace results/demo/tables/table1.csv M1 "LC UA" --utterance Ses01F_impro01_F001

In any other table that the workflow made, a figure's data for example, the row is a line of the
file or the words that begin it; its commands are run again, from the predictions on:

    emoword trace results/demo/figures/confusion.csv 2 count

The exit status is 1 if what is computed anew is not what stands there. Needs the records of the
jobs, beside their logs or in provenance.json (an unpacked audit.zip): no audio, features or GPU.
"""

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from emoword.audit.recording import sha256
from emoword.audit.records import Job, Ledger, open_ledger, short
from emoword.audit.replay import NEEDS, Replay
from emoword.audit.tracing_utterance import tell_utterance
from emoword.audit.verify import arguments_of
from emoword.evaluation.decide import Judge, Run, read_run
from emoword.evaluation.evaluate import evaluate
from emoword.evaluation.neighbours import mean_predictions
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table
from emoword.labels.encoding import encode
from emoword.spaces.word_space import WordSpace
from emoword.tables import model
from emoword.tables.model import Cell, Key, Near
from emoword.tables.word_tables import neighbours_of, parse_words, read_neighbours

PRINTED = re.compile(r"table[1-6]\.csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword trace``."""
    add = parser.add_argument
    add("table", type=Path, help="a CSV in results/DATASET that the workflow made")
    add("row", help="the row's own name; of other tables: its line, or the words that begin it")
    add("column", help="the column's own name")
    add("--utterance", metavar="ID", help="go on to this utterance")


def main(arguments: argparse.Namespace) -> None:
    """Print the chain behind a cell; exits with status 1 if it does not hold."""
    table = Path(os.path.normpath(arguments.table.absolute()))
    folder = dataset_folder(table)
    ledger, _ = open_ledger(folder)
    path = str(table.relative_to(ledger.root))
    if path not in ledger.maker:
        raise InputError(f"{arguments.table}: no record of a job that made it")
    if not arguments.table.exists():
        raise InputError(f"{arguments.table}: no such file")
    with contextlib.chdir(ledger.root):  # paths in records are relative to it
        if not PRINTED.fullmatch(table.name):
            agrees = trace_any(ledger, path, arguments.row, arguments.column)
        else:
            agrees = trace_cell(ledger, path, arguments.row, arguments.column)
        if arguments.utterance:
            decided = judging_jobs(ledger, folder.name, path)
            tell_utterance(ledger, decided, arguments_of(decided), arguments.utterance)
    if not agrees:
        sys.exit(1)


def dataset_folder(table: Path) -> Path:
    """The folder results/DATASET that a file lies in.

    Raises:
        InputError: it lies in none.
    """
    for folder in table.parents:
        if folder.parent.name == "results":
            return folder
    raise InputError(f"{table}: not in a folder of results, such as results/demo")


def maker(ledger: Ledger, path: Path | str) -> Job:
    """The job that made a file.

    Raises:
        InputError: no record says so.
    """
    try:
        return ledger.maker[str(path)]
    except KeyError:
        raise InputError(f"{path}: no record of a job that made it") from None


def line_of(rows: pd.DataFrame) -> pd.Series:
    """The lines of a CSV that its rows stand on."""
    return pd.Series(rows.index + 2, index=rows.index)


# -------------------------------------------------------------------------------- Tables 1 to 6


def trace_cell(ledger: Ledger, path: str, row: str, column: str) -> bool:
    """Print the chain of a cell of Tables 1 to 6; whether it holds."""
    table = model.read(Path(path).with_suffix(".json"))
    if table.missing:
        raise InputError(f"{path}: {table.missing}")
    cell = table.find(row, column)
    frame = read_table(Path(path), [own.name for own in table.stub])
    names = [" ".join(cells) for cells in frame[[own.name for own in table.stub]].to_numpy()]
    if row not in names or column not in frame:
        raise InputError(f"{path}: is not the table of {table.number}.json: make it again")
    position = names.index(row)
    text = str(frame[column].iloc[position])
    title = f'Table {table.number}, row "{row}", column "{column}": {text or "no value"}'
    heading(title, path, position + 2)
    if isinstance(cell.source, Near):
        return trace_word(ledger, path, text, cell.source)
    if isinstance(cell.source, Key):
        return trace_number(ledger, path, text, cell, cell.source)
    works = arguments_of(maker(ledger, path)).literature
    listed = read_table(works, ["approach"])
    line = listed.index[listed["approach"] == row][0]
    print(f"Published work: {works}, line {line + 2}")
    print("\n".join(f"  {key:9} {value}" for key, value in listed.loc[line].items()))
    return True


def trace_number(ledger: Ledger, path: str, text: str, cell: Cell, key: Key) -> bool:
    """Print the chain of a number, ``text`` in the CSV; whether it holds."""
    made = arguments_of(maker(ledger, path))
    metrics = read_table(made.metrics, ["variant", "value", "n"])
    mine = rows_of(metrics, key, made.variant)
    judged = judging_job(ledger, made.metrics, made.variant)
    runs, anew = computed_anew(judged, key)
    print(in_words(key, made))
    print(f"printed as {cell.text}\n")
    agrees = tell_rows(mine, anew, made.metrics)
    overall = pick(mine, made.aggregate, "all", "value")
    fresh = pick(anew, made.aggregate, "all", "value")
    same = text == overall == fresh
    print(
        f"\nCell {text}, {made.metrics} {overall}, computed anew {fresh}: "
        f"{'they agree' if same else 'THEY DIFFER'}."
    )
    held_against = f"{judged.targets} and {judged.space}"
    print(f"Anew: from each run's predictions.npy, held against {held_against}.")
    tell_runs(ledger, runs)
    tell_chain(ledger, path)
    return agrees and same


def rows_of(metrics: pd.DataFrame, key: Key, variant: str) -> pd.DataFrame:
    """The rows of metrics.csv of one number, by fold and seed and overall, with their lines."""
    wanted = metrics["variant"] == variant
    for name, value in key._asdict().items():
        wanted &= metrics[name] == value
    return metrics[wanted].assign(line=line_of(metrics[wanted]))


def judging_job(ledger: Ledger, metrics: Path, variant: str) -> argparse.Namespace:
    """The command line of `emoword decide` for a variant whose decisions a metrics.csv counts.

    Raises:
        InputError: there is none.
    """
    for decisions in arguments_of(maker(ledger, metrics)).decisions:
        decided = arguments_of(maker(ledger, decisions))
        if decided.variant == variant:
            return decided
    raise InputError(f"{metrics}: counts no decisions of variant {variant!r}")


def computed_anew(
    judged: argparse.Namespace, key: Key
) -> tuple[list[tuple[Path, Run]], pd.DataFrame]:
    """The runs behind a number, and its metrics, counted anew from their predictions."""
    judge = Judge.read(judged)
    if not key.metric.startswith("top10"):
        judge = replace(judge, rank_loss="")  # no search for nearest words
    runs = []
    for folder in judged.runs:
        record = read_json(folder / "run.json")
        if (record["model"], record["loss"]) == (key.model, key.loss):
            runs.append((folder, read_run(folder)))
    decisions = pd.concat([judge.decisions(run) for _, run in runs])
    # as evaluate reads them: text, empty where nothing was measured
    text = io.StringIO(decisions.to_csv(index=False, lineterminator="\n"))
    metrics = evaluate(pd.read_csv(text, dtype=str, keep_default_na=False))
    wanted = (metrics["measured_on"] == key.measured_on) & (metrics["metric"] == key.metric)
    return runs, metrics[wanted].astype({"value": str, "n": str, "fold": str, "seed": str})


def pick(rows: pd.DataFrame, fold: str, seed: str, field: str) -> str:
    """One number of metrics.csv as text; empty if it is not there."""
    found = rows[field][(rows["fold"] == fold) & (rows["seed"] == seed)]
    return str(found.iloc[0]) if len(found) else ""


def in_words(key: Key, made: argparse.Namespace) -> str:
    """What a number is."""
    what = {
        "UA": "unweighted accuracy (mean of the classes' recalls)",
        "WA": "weighted accuracy (share of utterances decided rightly)",
        "cosine": f"mean cosine similarity of prediction and target in {key.measured_on}",
        "top10_l1": f"how often the first word of {key.measured_on} is among the ten nearest",
        "top10_l2": f"how often the second word of {key.measured_on} is among the ten nearest",
    }[key.metric]
    over = "mean over folds" if made.aggregate == "mean" else "utterances of all folds pooled"
    return f"{what}\nof {key.model}, loss {key.loss}, variant {made.variant}: {over}, all seeds"


def tell_rows(mine: pd.DataFrame, anew: pd.DataFrame, metrics: Path) -> bool:
    """Print the rows of metrics.csv beside what is computed anew; whether they agree."""
    print(f"{metrics}")
    print(f"  {'line':>5}  {'fold':6} {'seed':4}  {'n':>5}  {'value':20}  computed anew")
    agrees = True
    for row in mine.to_dict("records"):
        fresh = pick(anew, row["fold"], row["seed"], "value")
        same = fresh == row["value"]
        agrees &= same
        verdict = "the same" if same else f"{fresh or 'nothing'}: DIFFERS"
        print(
            f"  {row['line']:>5}  {row['fold']:6} {row['seed']:4}  {row['n']:>5}  "
            f"{row['value']:20}  {verdict}"
        )
    return agrees


def tell_runs(ledger: Ledger, runs: Sequence[tuple[Path, Run]]) -> None:
    """Print the runs: settings (once), and of each its end, predictions and weights."""
    print("\nRuns")
    for folder, run in runs:
        record = run.record
        state = ", collapsed" if record["collapsed"] else ""
        print(
            f"  {folder}\n      fold {record['fold']}, seed {record['seed']}, best of "
            f"{record['epochs']} epochs was {record['best_epoch']}{state}, on {record['device']}\n"
            f"      predictions.npy {list(run.predictions.shape)} "
            f"{fingerprint(ledger, folder / 'predictions.npy')}\n"
            f"      weights         {fingerprint(ledger, folder / 'weights.safetensors')}"
        )
    same = ("out", "fold", "seed", "utterances", "features", "targets", "space", "variant")
    settings = {k: v for k, v in runs[0][1].record["settings"].items() if k not in same}
    print("  all with " + ", ".join(f"{name} {value}" for name, value in settings.items()))


def fingerprint(ledger: Ledger, path: Path) -> str:
    """The sha256 that a file was recorded with, and whether it has it still."""
    job = ledger.maker.get(str(path))
    if job is None:
        return "no record"
    digest = job.outputs[str(path)]
    if not path.exists():
        return f"sha256 {digest[:16]}, not here"
    verdict = "as recorded" if sha256(path) == digest else "IS NOT WHAT WAS RECORDED"
    return f"sha256 {digest[:16]}, {verdict}"


def trace_word(ledger: Ledger, path: str, text: str, source: Near) -> bool:
    """Print the chain of a word, ``text`` in the CSV; whether it holds."""
    made = arguments_of(maker(ledger, path))
    rows = neighbours_of(source, read_neighbours(made.neighbours, made.variant))
    near = arguments_of(maker(ledger, made.neighbours))
    space = WordSpace.open(near.space)
    runs: list[tuple[Path, Run]] = []
    if source.kind == "target":
        words = parse_words(source.words)
        print("The vector is the mean of its words' vectors (paper, equation 4):")
        for word, count in words:
            print(f"  {count} x {word}, row {space.index(word)} of {near.space}/vectors.npy")
        frame = pd.DataFrame(words, columns=["word", "count"]).assign(utterance="example")
        vector = encode(frame, ["example"], space)[0]
    else:
        vector, runs = mean_of(near, source.model, source.name, made.variant)
    indices, similarities = space.nearest(vector[None], len(rows))
    print(f"\n{made.neighbours}")
    print(f"  {'line':>5}  {'rank':4}  {'similarity':10}  {'word':20}  computed anew")
    agrees = True
    found = "nothing"
    pairs = zip(rows.to_dict("records"), line_of(rows), indices[0], similarities[0], strict=True)
    for record, where, index, similarity in pairs:
        anew = (space.word(int(index)), round(float(similarity), 6))
        same = anew == (record["word"], record["similarity"])
        agrees &= same
        verdict = "the same" if same else f"{anew[0]} {anew[1]}: DIFFERS"
        rank, number_there = record["rank"], record["similarity"]
        print(f"  {where:>5}  {rank:>4}  {number_there:<10}  {record['word']:20}  {verdict}")
        if record["rank"] == source.rank:
            found = anew[0]
    same = found == text
    print(f"\nCell {text}, computed anew {found}: {'they agree' if same else 'THEY DIFFER'}.")
    print(f"Anew: searched among the {len(space)} words of {near.space}.")
    if runs:
        tell_runs(ledger, runs)
    tell_chain(ledger, path)
    return agrees and same


def mean_of(
    near: argparse.Namespace, model: str, emotion: str, variant: str
) -> tuple[Any, list[tuple[Path, Run]]]:
    """A model's mean prediction of an emotion's test utterances, and its runs."""
    classes = read_json(near.targets / "classes.json")
    truth = read_table(near.targets / "S1.csv", ["utterance", "word"]).set_index("utterance")
    runs = [(folder, read_run(folder)) for folder in near.runs]
    runs = [(folder, run) for folder, run in runs if run.record["model"] == model]
    print(f'The vector is the mean of the predictions of all test utterances of "{emotion}":')
    for folder, run in runs:
        count = int((truth.loc[run.utterances, "word"] == emotion).sum())
        print(f"  {count:>4} of {len(run.utterances)} rows of {folder}/predictions.npy")
    means = mean_predictions([run for _, run in runs], truth["word"], classes, variant)
    chosen = means[means["name"] == emotion]
    return chosen.iloc[0, 5:].to_numpy(dtype=float), runs


# ------------------------------------------------------------------------------- any other table


def trace_any(ledger: Ledger, path: str, row: str, column: str) -> bool:
    """Run the commands behind a table again, and compare one cell; whether it holds."""
    table = read_table(Path(path), [])
    if column not in table.columns:
        raise InputError(f"{path}: no column {column!r}; there are: {', '.join(table.columns)}")
    line = find_line(path, table, row)
    text = table[column].iloc[line - 2]
    heading(f'{path}, column "{column}": {text}', path, line)
    print("\n".join(f"  {name:14} {value}" for name, value in table.iloc[line - 2].items()))
    with tempfile.TemporaryDirectory(prefix="emoword-trace-") as scratch:
        replay = Replay(ledger, Path(scratch))
        replay.run(ledger.ancestors(path), lambda _: None)
        if path not in replay.made:
            reason = replay.undone.get(ledger.maker[path].name, "it wrote no such file")
            print(f"\nNot computed anew: {reason}")
            fresh = None
        else:
            anew = read_table(replay.made[path], [])
            fresh = anew[column].iloc[line - 2] if line - 2 < len(anew) else "no such line"
            same = fresh == text
            print(f"\nCell {text}, made anew {fresh}: {'they agree' if same else 'THEY DIFFER'}.")
            print(f"Anew: {len(replay.done)} commands were run again, in a folder of their own.")
        tell_chain(ledger, path)
    return bool(fresh == text)


def find_line(path: str, table: pd.DataFrame, row: str) -> int:
    """The line of a row that is named by its line, or by the words that begin it.

    Raises:
        InputError: there is none, or more than one.
    """
    if row.isdigit() and 2 <= int(row) < len(table) + 2:
        return int(row)
    begins = [" ".join(map(str, cells)) + " " for cells in table.itertuples(index=False)]
    found = [i + 2 for i, text in enumerate(begins) if text.startswith(row + " ")]
    if len(found) != 1:
        lines = f"lines {', '.join(map(str, found[:5]))} ..." if found else "no line"
        raise InputError(f"{path}: {lines} begin with {row!r}; name a line, 2 to {len(table) + 1}")
    return found[0]


# -------------------------------------------------------------------------------------- the chain


def judging_jobs(ledger: Ledger, dataset: str, path: str) -> Job:
    """The `emoword decide` job whose runs an utterance is looked up in: of the table's variant."""
    made = arguments_of(ledger.maker[path])
    variant = getattr(made, "variant", "paper")
    for job in ledger.jobs.values():
        if job.stage == "decide" and arguments_of(job).variant == variant:
            return job
    raise InputError(f"results/{dataset}: no decisions of variant {variant!r}")


def heading(title: str, path: str, line: int) -> None:
    """Print the first lines."""
    print(f"{title}\n{path}, line {line}\n")


def tell_chain(ledger: Ledger, path: str) -> None:
    """Print the commands behind a file, the first one first; many alike as one."""
    print("\nMade by, from the corpus on")
    top = "/".join(path.split("/")[:2])
    print(f"  (files of {top} without this folder)")
    groups: dict[str, list[Job]] = {}
    for job in ledger.ancestors(path):
        groups.setdefault(job.stage, []).append(job)
    for stage, jobs in groups.items():
        many = f"{len(jobs)} x " if len(jobs) > 1 else ""
        reads = short(dict.fromkeys(name for job in jobs for name in job.inputs), top)
        writes = short(dict.fromkeys(name for job in jobs for name in job.outputs), top)
        kept = " (not run again)" if stage in NEEDS else ""
        print(f"  {many}emoword {stage}{kept}\n      reads  {reads or 'nothing'}")
        print(f"      writes {writes}")
        print(f"      ended  {jobs[-1].record['ended'][:19].replace('T', ' ')} UTC, {code(jobs)}")
        print(f"      record {jobs[-1].name.removeprefix(top + '/')}")


def code(jobs: Sequence[Job]) -> str:
    """With which code jobs ran."""
    versions = {
        "commit " + job.record["code"]["commit"][:12] + (" (dirty)" * job.record["code"]["dirty"])
        if job.record["code"]["commit"]
        else f"emoword {job.record['code']['version']}, not in git"
        for job in jobs
    }
    return " and ".join(sorted(versions))
