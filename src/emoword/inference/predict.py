"""``emoword predict``: recordings -> labels and words, as a table."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from cyclopts import Parameter
from cyclopts.validators import Number
from tqdm import tqdm

from emoword.inference import sound
from emoword.inference.model import TOGETHER, Model, Prediction, load
from emoword.inference.sound import in_groups
from emoword.inference.words import vectors_of
from emoword.io.errors import InputError, plain
from emoword.io.files import read_table, write_json, write_table
from emoword.spaces.geometry import cosine
from emoword.spaces.neighbours import nearest_words

SECONDS_BETWEEN_STATES = 10  # of the CSV while it grows
RANKS = range(1, 6)
Many = Annotated[tuple[str, ...], Parameter(consume_multiple=True)]
Above0 = Annotated[float, Parameter(validator=Number(gt=0))]
Row = dict[str, str | float]


def predict(
    model: Path,
    /,
    *recordings: Path,
    words: Many = (),
    window: Above0 | None = None,
    hop: Above0 | None = None,
    csv: Path | None = None,
    json: Path | None = None,
    figure: Path | None = None,
    device: str = "auto",
) -> None:
    r"""Predict recordings: the label (equation 5), the nearest words of the whole word space.

    MODEL is a run of a results folder, a model's folder (the mean of its runs on all folds), a
    folder that was exported, or a name on the Hugging Face hub. Recordings are audio
    files, folders (walked) and CSV files with a column wav (paths relative to the CSV).

        emoword predict results/demo/runs/S3-lc-* a.wav folder/ list.csv
        emoword predict model/ folder/ --words relief boredom --csv words.csv
        emoword predict model/ talk.wav --window 4 --hop 1 --csv talk.csv --figure talk.png

    Columns: file, label, agreement (share of the runs that decide so by themselves), spread (1 less
    the mean cosine similarity of the runs with their mean), the five nearest words with their
    cosine similarities, and the similarity with each of --words. With --window a row is a window,
    with its start and end in seconds; a silent one has no label. A recording of more than 60 s is
    otherwise predicted in equal parts, whose vectors are averaged.

    Started again with the same --csv, files that it has already are passed over. A file that cannot
    be used is named, the others are predicted, and the exit status is 1.

    Args:
        model: What predicts.
        recordings: Files, folders, lists.
        words: Words of the space whose similarity with each prediction is told.
        window: Seconds of a window.
        hop: Seconds from one window to the next; a window if not given.
        csv: Write the table there; otherwise it is printed.
        json: Write it there as JSON.
        figure: With --window, of one recording: emotion words over time, as .png or .pdf.
        device: auto (CUDA, else MPS, else the CPU), cpu, cuda, cuda:1, mps.
    """
    paths = listed(recordings)
    if hop and not hop <= (window or 0):
        raise InputError(f"--hop {hop:g}: is between windows; give --window, as long or longer")
    if figure and (not window or len(paths) != 1):
        raise InputError("--figure: shows the windows of one recording: give --window, and one")
    if figure and figure.suffix.lower() not in (".png", ".pdf"):
        raise InputError(f"--figure {figure}: .png or .pdf")
    table = Growing(load(model, device), words, windowed=bool(window), csv=csv)
    if figure and table.model.space is None:
        raise InputError("--figure: shows words; this model predicts classes")
    waiting = [path for path in paths if str(path) not in table.files]
    if table.rows:
        done = len(paths) - len(waiting)
        print(f"predict: {done} of {len(paths)} are in {csv} already", file=sys.stderr)
    made = in_windows(table, waiting, window, hop or window) if window else whole(table, waiting)
    bad = table.fill(made, waiting)
    if json:
        records = table.frame().astype(object)
        write_json(records.mask(records.isna(), None).to_dict("records"), json)
    if table.rows and not (csv or json):
        print(for_a_terminal(table.frame(), words))
    if figure and table.rows:
        from emoword.inference.over_time import draw_over_time  # matplotlib takes a second

        rows = table.frame().query("file == @shown", local_dict={"shown": str(paths[0])})
        draw_over_time(rows.reset_index(drop=True), words or table.model.classes, figure)
    if bad:
        raise InputError(f"{bad} of {len(paths)} recordings cannot be used; named above")


class Growing:
    """The table while it grows; its CSV is written whole every ten seconds, and at the end."""

    def __init__(
        self, model: Model, words: Sequence[str], *, windowed: bool, csv: Path | None
    ) -> None:
        self.model, self.csv = model, csv
        self.words = list(dict.fromkeys([*model.classes, *words]))
        self.names = ["file", "model", *(["start", "end"] if windowed else [])]
        self.names += ["label", "agreement", "spread"]
        if model.space is not None:
            vectors_of(model.space, words)  # an unknown one is named before hours are spent
            self.names += [f"{what} {rank}" for rank in RANKS for what in ("word", "similarity")]
            self.names += [f"cosine {word}" for word in self.words]
        elif words:
            raise InputError(f"--words: {model.trained.name} predicts classes, not words")
        text = ("file", "model", "label", *(f"word {rank}" for rank in RANKS))
        self.text = [name for name in self.names if name in text]
        self.rows: list[Row] = kept_rows(csv, self) if csv and csv.is_file() else []
        self.files = {row["file"] for row in self.rows}

    def fill(self, made: "Made", paths: Sequence[Path]) -> int:
        """Take in the rows of recordings as they come; names and counts those that are wrong."""
        lengths, bad, written = {path: sound.seconds(path) for path in paths}, 0, time.monotonic()
        total = sum(lengths.values())
        try:
            with tqdm(total=total, unit=" s of audio", unit_scale=True, mininterval=5) as bar:
                for path, rows in made:
                    if isinstance(rows, InputError):
                        bad += 1
                        bar.write(f"emoword predict: {plain(str(rows))}", file=sys.stderr)
                    else:
                        about: Row = {"file": str(path), "model": self.model.trained.name}
                        self.rows += [about | row for row in rows]
                    if time.monotonic() - written > SECONDS_BETWEEN_STATES:
                        self.write()
                        written = time.monotonic()
                    bar.update(lengths[path])
        finally:
            self.write()
        return bad

    def frame(self) -> pd.DataFrame:
        """All rows; of a silent window, texts are empty and numbers NaN."""
        frame = pd.DataFrame(self.rows, columns=self.names).round(6)
        return frame.fillna(dict.fromkeys(self.text, ""))

    def write(self) -> None:
        """Write the CSV, if there is anything to write."""
        if self.csv and self.rows:
            write_table(self.frame(), self.csv)

    def told(self, made: Sequence[Prediction | InputError | None]) -> list[Row]:
        """What a row says of each prediction; empty where there is none."""
        predictions = [own for own in made if isinstance(own, Prediction)]
        rows: list[Row] = [
            {"label": own.label, "agreement": own.agreement, "spread": own.spread}
            for own in predictions
        ]
        space = self.model.space
        if space is not None and predictions:
            vectors = np.stack([own.vector for own in predictions])
            near = zip(*nearest_words(space, vectors, len(RANKS)), strict=True)
            similar = cosine(vectors[:, None], vectors_of(space, self.words))
            for row, (which, nearness), own in zip(rows, near, similar, strict=True):
                for rank, i, s in zip(RANKS, which.tolist(), nearness.tolist(), strict=False):
                    row |= {f"word {rank}": space.word(i), f"similarity {rank}": s}
                row |= {f"cosine {w}": s for w, s in zip(self.words, own.tolist(), strict=True)}
        waiting = iter(rows)
        return [next(waiting) if isinstance(own, Prediction) else {} for own in made]


def kept_rows(csv: Path, table: Growing) -> list[Row]:
    """The rows of a table that was begun before, of the same model, words and windows."""
    known = read_table(csv, ["file", "model"])
    other = set(known["model"]) - {table.model.trained.name}
    if other or list(known.columns) != table.names:
        was = f"of {' and '.join(sorted(other))}" if other else "of other words or windows"
        raise InputError(f"{csv}: is {was}; name another --csv, or remove it")
    numbers = [name for name in table.names if name not in table.text]
    known = read_table(csv, table.names, dict.fromkeys(numbers, float))
    return [{str(name): cell for name, cell in row.items()} for row in known.to_dict("records")]


Made = Iterator[tuple[Path, list[Row] | InputError]]


def whole(table: Growing, paths: Sequence[Path]) -> Made:
    """The row of each recording, or what is wrong with it."""
    for some in in_groups(zip(paths, table.model.each(paths), strict=True), TOGETHER):
        for (path, made), row in zip(some, table.told([made for _, made in some]), strict=True):
            yield path, made if isinstance(made, InputError) else [row]


def in_windows(table: Growing, paths: Sequence[Path], window: float, hop: float) -> Made:
    """The rows of each recording's windows, or what is wrong with it."""
    for path in paths:
        found: list[Row] = []
        try:
            for some in in_groups(table.model.windows(path, window, hop), TOGETHER):
                rows = table.told([made for _, made in some])
                for (piece, _), row in zip(some, rows, strict=True):
                    found.append(row | {"start": piece.start, "end": piece.end})
            yield path, found
        except InputError as error:
            yield path, error


def listed(given: Iterable[Path]) -> list[Path]:
    """Files, the audio in folders, and what lists (CSV, column wav) name; each once."""
    paths: list[Path] = []
    for place in given:
        if place.is_dir():
            found = [path for path in place.rglob("*") if path.suffix.lower() in sound.ENDINGS]
            if not found:
                raise InputError(f"{place}: no audio in this folder")
            paths += sorted(path for path in found if path.is_file())
        elif place.suffix.lower() == ".csv":
            paths += [place.parent / wav for wav in read_table(place, ["wav"])["wav"]]
        else:
            paths.append(place)
    if not paths:
        raise InputError("no recordings: name files, folders or lists (CSV with a column wav)")
    return list(dict.fromkeys(paths))


def for_a_terminal(table: pd.DataFrame, words: Sequence[str]) -> str:
    """The table's columns for the eye: the five nearest words are one."""
    shown = table[[name for name in ("file", "start", "end") if name in table]].copy()
    shown["label"] = table["label"].replace("", "(silent)")
    shown["agreement"] = table["agreement"].map("{:.2f}".format)
    if "word 1" in table:
        near = [table[f"word {i}"] + table[f"similarity {i}"].map(" {:.2f}".format) for i in RANKS]
        shown["nearest words"] = pd.concat(near, axis=1).agg(", ".join, axis=1)
        shown.loc[table["label"] == "", ["agreement", "nearest words"]] = ""
    for word in words:
        shown[word] = table[f"cosine {word}"].map("{:.3f}".format)
    return shown.map(lambda cell: plain(str(cell))).to_string(index=False)
