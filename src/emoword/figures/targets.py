"""The idea of Table 4: example targets of S1, S2 and S3, and the words nearest to them, as dots."""

import math
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from emoword.figures import style
from emoword.figures.neighbours import LINE, lowest, panel
from emoword.schemas import NEIGHBOURS
from emoword.tables.word_tables import parse_words

MOST = 4  # panels in a row


def figure_targets(*, neighbours: Path, words: style.Count = 5, out: style.Out) -> None:
    """Example targets of the label sets, and the words nearest to each, with their similarities.

    A target is the mean of the vectors of an utterance's words (equation 4); the examples are those
    of Table 4. Bold: words of the target.

    Args:
        neighbours: neighbours.csv; its `target` rows are shown.
        words: Per target.
        out: Where it goes; the title note is not printed, as it is about speech.
    """
    rows = NEIGHBOURS.read(neighbours, "kind", "name", "words", "rank", "word", "similarity")
    rows = rows[(rows["kind"] == "target") & (rows["rank"] <= words)]
    out.without_note().publish(draw, numbers(rows))


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The targets with their nearest words.

    Returns:
        Columns label_set, target (its words, such as ``anger ×3, furious``), rank, word,
        similarity, own (whether the word is one of the target's).
    """
    multisets = [dict(parse_words(words)) for words in rows["words"]]
    said = [
        ", ".join(word if n == 1 else f"{word} ×{n}" for word, n in sorted(own.items()))
        for own in multisets
    ]
    own = [word in words for word, words in zip(rows["word"], multisets, strict=True)]
    table = rows.rename(columns={"name": "label_set"})[["label_set", "rank", "word", "similarity"]]
    table.insert(1, "target", said)
    return table.assign(own=own).reset_index(drop=True)


def draw(numbers: pd.DataFrame) -> Figure:
    """Draw a panel a target, all on one scale."""
    panels = [rows for _, rows in numbers.groupby(["label_set", "target"], sort=False)]
    if not panels:
        figure = Figure(figsize=(style.PAGE, 0.2))
        style.note(figure, ["No utterance has a target of several words in this dataset."])
        return figure
    columns = min(MOST, len(panels))
    lines = math.ceil(len(panels) / columns)
    count = int(numbers["rank"].max())
    layout = ConstrainedLayoutEngine(w_pad=0.08)
    figure = Figure((style.PAGE, lines * (count * LINE + 0.62) + 0.2), layout=layout)
    grid = figure.subplots(lines, columns, sharex=True, squeeze=False)
    low = lowest(numbers)
    for axes, rows in zip(grid.flat, panels, strict=False):
        own = set(rows.loc[rows["own"], "word"])
        panel(axes, rows.dropna(subset="similarity"), own, style.INK)
        axes.set(xlim=(low, 1), ylim=(count + 0.6, 0.4))
        label_set, target = rows[["label_set", "target"]].iloc[0]
        title = style.wrapped(f"{label_set}: {target}", 72 * style.PAGE / columns - 40, style.TEXT)
        axes.set_title("\n".join(title))
    style.finish_grid(grid, len(panels), "cosine similarity")
    style.note(figure, ["Words nearest to the mean vector of the target's words; bold: these."])
    return figure
