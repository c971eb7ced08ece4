"""Where a number of a table comes from: cell, metrics, runs, predictions, raters."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import chdir
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from emoword.audit.provenance import evidence
from emoword.audit.recording import hashed
from emoword.audit.remaking import LONGEST, at_most, in_one_line, mirror, run_step
from emoword.audit.results import Results, opened
from emoword.evaluation.decide import Judge, Run, read_run
from emoword.evaluation.evaluate import count_metrics
from emoword.io.errors import InputError, plain
from emoword.io.files import read_table
from emoword.labels.words import read_dropped
from emoword.layout import Place
from emoword.pipeline import Plan, Step
from emoword.schemas import ANNOTATIONS, CONSTANT, LINEAR, METRICS, UTTERANCES
from emoword.tables import model
from emoword.tables.model import Key, Near
from emoword.tables.word_tables import neighbours_of, read_neighbours

LISTED = 5
UNTRAINED = {CONSTANT: ("A constant predictor", "floors"), LINEAR: ("A linear model", "linear")}
KINDS = {
    "UA": "unweighted accuracy (mean of the classes' recalls)",
    "WA": "weighted accuracy (share of utterances decided rightly)",
    "cosine": "mean cosine similarity of prediction and target in {}",
    "top10_l1": "how often the first word of {} is among the ten nearest",
    "top10_l2": "how often the second word of {} is among the ten nearest",
}


def trace(
    table: Path, row: str, column: str, /, *, utterance: str = "", spaces: Path | None = None
) -> None:
    """Print where a cell comes from, from its runs' predictions on, and compute it again.

    A cell is named by the table's own names of its row and column, as in its CSV:

        emoword trace results/demo/tables/table1.csv M1 "LC UA"
        emoword trace results/demo/tables/table4.csv "S1 happiness" 2nd
        emoword trace results/demo/tables/table5.csv "M2 3rd" anger

    and one utterance behind it, down to the lines of its raters:

        emoword trace results/demo/tables/table1.csv M1 "LC UA" --utterance Ses01F_impro01_F001

    The exit status is 1 if what is computed again is not what stands there. Nothing is written
    beside a temporary folder; audio, features and a GPU are not needed.

    Args:
        table: table1.csv .. table6.csv in the results of a dataset.
        row: The row's own name.
        column: The column's own name.
        utterance: An utterance to follow to its raters.
        spaces: Where the word spaces lie, if not beside the results.
    """
    if not re.fullmatch(r"table[1-6]\.csv", table.name):
        raise InputError(f"{table}: not one of table1.csv .. table6.csv")
    with (
        opened(table.absolute().parents[1], spaces) as given,
        TemporaryDirectory(prefix="emoword-trace-") as work,
    ):
        tracer = Tracer(given, Path(work))
        try:
            with chdir(work), at_most(LONGEST):
                lines = list(tracer.cell(f"tables/{table.name}", row, column))
                lines += tracer.utterance(utterance) if utterance else []
        except InputError:
            raise
        except Exception as error:  # whatever a stranger's file may lead to
            said = in_one_line(f"{type(error).__name__}: {error}")
            raise InputError(f"{table}: cannot be traced: {said}") from error
    print("\n".join(plain(line) for line in lines))
    if not tracer.agrees:
        sys.exit(1)


class Tracer:
    """Follows a cell of some results in a folder of links to their files.

    Attributes:
        agrees: whether all that was computed again is what stands there.
    """

    def __init__(self, given: Results, work: Path) -> None:
        self.given = given
        self.plan = Plan(given.config)
        self.own = self.plan.first
        self.place = Place(self.own, Path(self.plan.folder))
        self.evidence = evidence(given)
        self.agrees = True
        for name, text in self.plan.written().items():
            if "/variants/" in name:
                (work / name).parent.mkdir(parents=True, exist_ok=True)
                (work / name).write_text(text, encoding="utf-8")
        mirror(given.files, work)

    def same(self, there: object, again: object) -> str:
        """In words, whether a value is what it is when computed again."""
        if str(there) == str(again):
            return "the same"
        self.agrees = False
        return f"{again}: DIFFERS"

    def beside(self, path: Path, rows: pd.DataFrame, again: Iterable[str]) -> Iterator[str]:
        """Rows of a file with their lines there, the last cells beside those computed again."""
        pairs = zip(rows.iloc[:, -1], again, strict=True)
        shown = rows.assign(again=[self.same(*pair) for pair in pairs])
        shown.insert(0, "line", shown.index + 2)
        yield from ("", f"{path}", *shown.to_string(index=False).splitlines(), "")

    def cell(self, path: str, row: str, column: str) -> Iterator[str]:
        """The chain behind a cell."""
        csv = self.place.path(path)
        table = model.read(csv.with_suffix(".json"))
        if table.missing:
            raise InputError(f"{csv}: {table.missing}")
        cell = table.find(row, column)
        stub = [own.name for own in table.stub]
        frame = read_table(csv, stub)
        names = [" ".join(cells) for cells in frame[stub].to_numpy()]
        if row not in names or column not in frame:
            raise InputError(f"{csv}: is not the table of {csv.stem}.json: make it again")
        line = names.index(row)
        text = str(frame[column].iloc[line])
        yield f'Table {table.number}, row "{row}", column "{column}": {text or "no value"}'
        yield f"{csv}, line {line + 2}; printed as {cell.text}"
        if cell.value is None and not text:
            raise InputError(f"{csv}: {row}, {column}: no value, so nothing behind it")
        if isinstance(cell.source, Near):
            yield from self.word(text, cell.source)
        elif isinstance(cell.source, Key):
            yield from self.number(text, cell.source)
        else:
            yield "Published work: paper/literature.csv"

    def number(self, text: str, key: Key) -> Iterator[str]:
        """The rows of metrics.csv behind a number, and its runs."""
        over = self.own.settings.aggregate
        what = KINDS[key.metric].format(key.measured_on)
        averaged = "mean over folds" if over == "mean" else "utterances of all folds pooled"
        yield f"{what} of {key.model}, loss {key.loss}, variant {self.own.name}: {averaged}"
        if key.loss in UNTRAINED:
            what, stage = UNTRAINED[key.loss]
            yield f"{what}, from {stage}/{self.own.name}.csv: see emoword verify"
            return
        path = self.place.path("metrics.csv")
        metrics = METRICS.read_text(path)
        wanted = metrics["variant"] == self.own.name
        for name, value in key._asdict().items():
            wanted &= metrics[name] == value
        runs = self.runs(key.model, key.loss)
        again = self.counted(runs, key)
        rows = metrics.loc[wanted, ["fold", "seed", "n", "value"]]
        keys = zip(rows["fold"], rows["seed"], strict=True)
        yield from self.beside(path, rows, [again.get(key, "nothing") for key in keys])
        overall = again.get((over, "all"), "nothing")
        yield f"Cell {text}, computed again from the predictions: {self.same(text, overall)}"
        yield from self.told(runs)

    def runs(self, *wanted: str) -> list[tuple[Path, Run]]:
        """The runs of the variant by their folders; wanted: those of this model and loss."""
        runs = [(folder, read_run(folder)) for folder in self.place.runs()]
        keys = [(run.record["model"], run.record["loss"]) for _, run in runs]
        return [run for run, key in zip(runs, keys, strict=True) if wanted in ((), key)]

    def counted(self, runs: list[tuple[Path, Run]], key: Key) -> dict[tuple[str, str], str]:
        """A metric by fold and seed, counted again from predictions; as text, as it is written."""
        judge = Judge.of(self.place)
        if not key.metric.startswith("top10"):  # no search for the nearest words
            judge = replace(judge, ranked={})
        text = pd.concat([judge.decisions(run) for _, run in runs]).to_csv(index=False)
        metrics = count_metrics(pd.read_csv(StringIO(text), dtype=str, keep_default_na=False))
        wanted = (metrics["measured_on"] == key.measured_on) & (metrics["metric"] == key.metric)
        own = metrics[wanted].astype(str)
        return {(row["fold"], row["seed"]): row["value"] for row in own.to_dict("records")}

    def told(self, runs: list[tuple[Path, Run]]) -> Iterator[str]:
        """The runs: settings (once), and of each its end, predictions and weights."""
        yield from ("", "Runs")
        for folder, run in runs:
            record = run.record
            state = ", collapsed" if record["collapsed"] else ""
            best = f"best of {record['epochs']} epochs was {record['best_epoch']}"
            yield f"  {folder}: {best}{state}"
            for name in ("predictions.npy", "weights.safetensors"):
                yield f"      {name:20} {self.fingerprint(str(folder / name))}"
        for folder in dict.fromkeys(folder.parent for folder, _ in runs):
            settings = " ".join((folder / "settings.json").read_text(encoding="utf-8").split())
            yield f"  all by {folder}/settings.json: {settings}"

    def fingerprint(self, name: str) -> str:
        """The sha256 of a file, and whether it is as it was recorded."""
        said = self.evidence.get(name, {})
        if name not in self.given.files:
            return "not here; " + ", ".join(f"sha256 {what.sha256}" for what in said.values())
        here = hashed(self.given.files[name])
        wrong = [who for who, what in said.items() if what != here]
        self.agrees &= not wrong
        state = f"IS NOT WHAT {wrong[0]} SAYS" if wrong else "as recorded" if said else "no record"
        return f"sha256 {here.sha256}, {state}"

    def word(self, text: str, source: Near) -> Iterator[str]:
        """The nearest words of the vector that a word is near to, searched for again."""
        path = self.place.path(f"neighbours/{self.own.name}.csv")
        made = {"out": "again.csv", "means": "means.csv"}
        failed = run_step(Step("neighbours", [self.plan.variant(self.own)], {}, made), Path())
        if failed:
            raise InputError(f"{path}: cannot be computed again: {failed}")
        rows, again = (self.near(source, file) for file in (path, Path("again.csv")))
        again = again.set_index("rank")
        of = source.words or f'predictions of "{source.name}" by {source.model}'
        yield f"The words nearest to the mean of {of}"
        fresh = again["found"].reindex(rows["rank"], fill_value="nothing")
        yield from self.beside(path, rows[["rank", "found"]], fresh)
        word = again["word"].get(source.rank, "nothing")
        yield f"Cell {text}, searched for again: {self.same(text, word)}"
        if runs := self.runs(source.model, source.loss):
            yield from self.told(runs)

    def near(self, source: Near, path: Path) -> pd.DataFrame:
        """The nearest words of a vector, with their similarities in ``found``."""
        rows = neighbours_of(source, read_neighbours(path, self.own.name))
        return rows.assign(found=rows["word"] + " " + rows["similarity"].astype(str))

    def utterance(self, name: str) -> Iterator[str]:
        """An utterance: its raters' lines, the words of its targets, what each model heard."""
        table = UTTERANCES.read_text(self.place.path("utterances.csv"))
        found = table[table["utterance"] == name]
        if found.empty:
            raise InputError(f"utterances.csv: no utterance {name!r}, but {table['utterance'][0]}")
        own = found.iloc[0]
        yield from ("", f"Utterance {name}: {own['wav']}")
        yield f"  speaker {own['speaker']}, fold {own['fold']}, ground truth {own['label'] or '-'}"
        rated = ANNOTATIONS.read_text(self.place.path("annotations.csv"))
        for one in rated[rated["utterance"] == name].to_dict("records"):
            place = f"{one['file']}:{one['line']}"
            yield f"    {one['rater']:5} {one['kind']:8} {one['text']!r}, {place}"
        dropped = read_dropped(self.place)
        for one in dropped[dropped["utterance"] == name].to_dict("records"):
            what = f"{one['text']!r} of {one['rater']}"
            yield f"    left out of {one['label_set']}: {what}: {one['reason']}"
        judge = Judge.of(self.place)
        for label_set, words in judge.targets.items():
            rows = words[words["utterance"] == name]
            counted = [f"{n} x {word}" for word, n in zip(rows["word"], rows["count"], strict=True)]
            yield f"  {label_set}: {', '.join(counted) or 'none'}"
        for folder, run in self.runs():
            if name in run.utterances and run.record["loss"] in (judge.chosen.table_loss, "ce"):
                yield from self.heard(judge, folder, run, run.utterances.index(name))

    def heard(self, judge: Judge, folder: Path, run: Run, place: int) -> Iterator[str]:
        """What a run decided on an utterance, and the words nearest to its prediction."""
        one = Run(run.record, [run.utterances[place]], run.predictions[place : place + 1])
        near = judge.nearest(one)
        decision = judge.decisions(one, near).iloc[0]
        verdict = "right" if decision["predicted"] == decision["true"] else "wrong"
        yield f"  {run.record['model']}, {folder}, row {place} of predictions.npy"
        yield f"      decided {decision['predicted']} ({verdict}; truth {decision['true']})"
        if near is not None:
            for rank in range(1, LISTED + 1):
                yield f"      {near[f'word {rank}'][0]:20} {near[f'similarity {rank}'][0]:.3f}"
