"""``emoword predict``: recordings -> labels and words, as a table."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import Parameter
from cyclopts.validators import Number
from numpy.typing import NDArray

from emoword.inference import sound
from emoword.inference.model import TOGETHER, Model, Prediction, load
from emoword.inference.sound import Piece, in_groups
from emoword.inference.words import vectors_of
from emoword.io.errors import InputError, plain
from emoword.io.files import read_table, write_json, write_table
from emoword.spaces.geometry import cosine
from emoword.spaces.word_space import WordSpace

SECONDS_BETWEEN_LINES = 10
SECONDS_BETWEEN_FILES = 10  # of the CSV while it grows
LISTED = 5
RANKS = range(1, LISTED + 1)
Many = Annotated[tuple[Path, ...], Parameter(consume_multiple=True)]
Words = Annotated[tuple[str, ...], Parameter(consume_multiple=True)]
Above0 = Annotated[float, Parameter(validator=Number(gt=0))]
Row = dict[str, str]


def predict(
    model: Path,
    /,
    *recordings: Path,
    words: Words = (),
    window: Above0 | None = None,
    hop: Above0 | None = None,
    csv: Path | None = None,
    json: Path | None = None,
    figure: Path | None = None,
    device: str = "auto",
) -> None:
    r"""Predict recordings: the label (equation 5), the nearest words of the whole word space.

    MODEL is a run of a results folder, a model's folder (the mean of all its runs), a folder that
    `emoword export` wrote, or a name on the Hugging Face hub. Recordings are audio files, folders
    (walked) and CSV files with a column wav (paths relative to the CSV).

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
    if figure:
        check_figure(figure, window, paths)
    if hop and not window:
        raise InputError("--hop: is of windows; give --window, too")
    loaded = load(model if model.exists() else str(model), device)
    teller = Teller(loaded, words)
    known = kept_rows(csv, teller, windowed=bool(window)) if csv else []
    done = {row["file"] for row in known}
    waiting = [path for path in paths if str(path) not in done]
    if done:
        say(f"{len(paths) - len(waiting)} of {len(paths)} are in {csv} already")
    table = Growing(csv, known)
    bad: list[str] = []
    try:
        for path, rows in progress(predicted(teller, waiting, window, hop or window), waiting):
            if isinstance(rows, InputError):
                bad.append(str(path))
                print(f"emoword predict: {plain(str(rows))}", file=sys.stderr)
            else:
                table.add(rows)
    finally:
        table.write()
    if json:
        write_json([typed(row) for row in table.rows], json)
    if table.rows and not (csv or json):
        print(table.for_a_terminal(words))
    if figure and table.rows:
        from emoword.inference.over_time import draw_over_time  # matplotlib takes a second

        draw_over_time(table.rows, words or loaded.classes, figure)
    if bad:
        raise InputError(f"{len(bad)} of {len(paths)} recordings cannot be used; named above")


class Teller:
    """What the table says of a prediction."""

    def __init__(self, model: Model, words: Sequence[str]) -> None:
        self.model = model
        self.told = list(dict.fromkeys([*model.classes, *words]))
        if model.space is not None:
            vectors_of(model.space, words)  # an unknown one is named before hours are spent
        elif words:
            raise InputError(f"--words: {model.trained.name} predicts classes, not words")

    def rows(self, found: Sequence[tuple[Path, Piece | None, Prediction | None]]) -> list[Row]:
        """Rows of the table, as text: of recordings, or of windows (None: a silent one)."""
        told = iter(self.columns([prediction for *_, prediction in found if prediction]))
        rows = []
        for file, piece, prediction in found:
            row = {"file": str(file), "model": self.model.trained.name}
            if piece:
                row |= {"start": f"{piece.start:.3f}", "end": f"{piece.end:.3f}"}
            rows.append(row | (next(told) if prediction else dict.fromkeys(self.names, "")))
        return rows

    def columns(self, predictions: Sequence[Prediction]) -> list[Row]:
        """Label, agreement, spread, words; the nearest of all are looked for at once."""
        rows = [
            {
                "label": prediction.label,
                "agreement": f"{prediction.agreement:.3f}",
                "spread": f"{prediction.spread:.6f}",
            }
            for prediction in predictions
        ]
        space = self.model.space
        if space is None or not predictions:
            return rows
        vectors = np.stack([prediction.vector for prediction in predictions])
        similar = cosine(vectors[:, None], vectors_of(space, self.told))
        for row, near, own in zip(rows, nearest_words(space, vectors), similar, strict=True):
            for rank, (word, similarity) in zip(RANKS, near, strict=False):
                row |= {f"word {rank}": word, f"similarity {rank}": f"{similarity:.6f}"}
            row |= {f"cosine {w}": f"{s:.6f}" for w, s in zip(self.told, own, strict=True)}
        return rows

    @property
    def names(self) -> list[str]:
        """Columns of what is predicted."""
        names = ["label", "agreement", "spread"]
        if self.model.space is None:
            return names
        names += [name for rank in RANKS for name in (f"word {rank}", f"similarity {rank}")]
        return names + [f"cosine {word}" for word in self.told]


def nearest_words(
    space: WordSpace, vectors: NDArray[np.float32]
) -> Iterator[list[tuple[str, float]]]:
    """The nearest words of each vector [n, dim], with their cosine similarities."""
    rows, similarities = space.nearest(vectors, min(LISTED, len(space)))
    for row, own in zip(rows, similarities, strict=True):
        yield [(space.word(i), s) for i, s in zip(row.tolist(), own.tolist(), strict=True)]


def predicted(
    teller: Teller, paths: Sequence[Path], window: float | None, hop: float | None
) -> Iterator[tuple[Path, list[Row] | InputError]]:
    """The rows of each recording, or what is wrong with it."""
    if window is None:
        for some in in_groups(teller.model.each(paths), TOGETHER):
            good = [(paths[i], None, made) for i, made in some if isinstance(made, Prediction)]
            rows = dict(zip([path for path, *_ in good], teller.rows(good), strict=True))
            for i, made in some:
                yield paths[i], made if isinstance(made, InputError) else [rows[paths[i]]]
        return
    for path in paths:
        try:
            found = teller.model.windows(path, window, hop or window)
            yield path, teller.rows([(path, piece, made) for piece, made in found])
        except InputError as error:
            yield path, error


def listed(given: Iterable[Path]) -> list[Path]:
    """Files, the audio in folders, and what lists (CSV, column wav) name; each once.

    Raises:
        InputError: a folder holds no audio, a list has no column wav, nothing is named.
    """
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


def kept_rows(csv: Path, teller: Teller, *, windowed: bool) -> list[Row]:
    """The rows of a table that was begun before.

    Raises:
        InputError: it is of another model, or of other words or windows.
    """
    if not csv.is_file():
        return []
    names = ["file", "model", *(["start", "end"] if windowed else []), *teller.names]
    table = read_table(csv, ["file", "model"])
    other = set(table["model"]) - {teller.model.trained.name}
    if other or list(table.columns) != names:
        was = f"of {' and '.join(sorted(other))}" if other else "of other words or windows"
        raise InputError(f"{csv}: is {was}; name another --csv, or remove it")
    return [{str(key): str(cell) for key, cell in row.items()} for row in table.to_dict("records")]


class Growing:
    """The table while it grows; written whole every ten seconds, or at the end."""

    def __init__(self, csv: Path | None, rows: list[Row]) -> None:
        self.csv = csv
        self.rows = rows
        self.written = time.monotonic()

    def add(self, rows: list[Row]) -> None:
        """Take the rows of a recording."""
        self.rows += rows
        if time.monotonic() - self.written > SECONDS_BETWEEN_FILES:
            self.write()

    def write(self) -> None:
        """Write all rows, if there are any."""
        self.written = time.monotonic()
        if self.csv and self.rows:
            write_table(pd.DataFrame(self.rows), self.csv)

    def for_a_terminal(self, words: Sequence[str]) -> str:
        """Its columns for the eye: the five nearest words are one."""
        table = pd.DataFrame(self.rows)
        shown = table[[name for name in ("file", "start", "end") if name in table]].copy()
        shown["label"] = table["label"].replace("", "(silent)")
        shown["agreement"] = table["agreement"]
        if "word 1" in table:
            shown["nearest words"] = [
                ", ".join(f"{row[f'word {i}']} {row[f'similarity {i}'][:5]}" for i in RANKS)
                if row["word 1"]
                else ""
                for row in self.rows
            ]
        for word in words:
            shown[word] = table[f"cosine {word}"].str[:6]
        return shown.map(plain).to_string(index=False)


def typed(row: Row) -> dict[str, str | float | None]:
    """A row for JSON: numbers are numbers, an empty cell is null."""
    return {
        name: cell if is_text(name) else float(cell) if cell else None for name, cell in row.items()
    }


def is_text(name: str) -> bool:
    """Whether a column holds text."""
    return name in ("file", "model", "label") or name.startswith("word ")


def progress(
    found: Iterable[tuple[Path, Any]], paths: Sequence[Path]
) -> Iterator[tuple[Path, Any]]:
    """The recordings; on stderr every ten seconds the rate and the time left, and at the end."""
    lengths = {path: sound.seconds(path) for path in paths}
    total, done, count = sum(lengths.values()), 0.0, 0
    begun = told = time.monotonic()
    for path, rows in found:
        yield path, rows
        done, count, now = done + lengths[path], count + 1, time.monotonic()
        if now - told > SECONDS_BETWEEN_LINES:
            rate = max(done, 1e-3) / (now - begun)
            left = (total - done) / rate
            say(f"{count} of {len(paths)}, {rate:.3g} s of audio a second, {left:.0f} s left")
            told = now
    spent = max(time.monotonic() - begun, 1e-9)
    say(f"{count} recordings in {spent:.1f} s, {done / spent:.3g} s of audio a second")


def check_figure(figure: Path, window: float | None, paths: Sequence[Path]) -> None:
    """Raise an InputError where there is nothing to draw over time."""
    if not window or len(paths) != 1:
        raise InputError("--figure: shows the windows of one recording: give --window, and one")
    if figure.suffix.lower() not in (".png", ".pdf"):
        raise InputError(f"--figure {figure}: .png or .pdf")


def say(line: str) -> None:
    """A line of the log."""
    print(f"predict: {line}", file=sys.stderr, flush=True)
