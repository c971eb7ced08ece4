r"""Draw one figure as PDF (vector) and PNG, and write the numbers that it shows as CSV.

Each KIND has its own inputs: `emoword figure KIND --help`. Everything drawn is computed before,
as one table, which --data writes: what the figure shows can be audited there. The same input
gives the same bytes.

    emoword figure confusion --decisions decisions.csv \
        --pdf confusion.pdf --png confusion.png --data confusion.csv
"""

import argparse
from pathlib import Path
from typing import Protocol

import pandas as pd
from matplotlib.figure import Figure

from emoword.figures import claims as drawing_claims
from emoword.figures import confusion as drawing_confusion
from emoword.figures import curves as drawing_curves
from emoword.figures import map as drawing_map
from emoword.figures import neighbours as drawing_neighbours
from emoword.figures import network as drawing_network
from emoword.figures.style import add_notes, house_style, save
from emoword.io.files import write_table


class Kind(Protocol):
    """What a module that draws one kind of figure offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the inputs."""

    def numbers(self, arguments: argparse.Namespace) -> pd.DataFrame:
        """Read the inputs and compute the table of what the figure shows."""

    def draw(self, numbers: pd.DataFrame, /) -> tuple[Figure, list[str]]:
        """Draw the table; returns the figure and the notes to print below it."""


KINDS: dict[str, tuple[Kind, str]] = {
    "network": (drawing_network, "the network as configured, layer by layer"),
    "map": (drawing_map, "2-D map of the word space with each model's mean predictions"),
    "neighbours": (drawing_neighbours, "nearest words of the predictions, per model and emotion"),
    "confusion": (drawing_confusion, "confusion matrices of the models"),
    "claims": (drawing_claims, "the differences that the paper's claims are about"),
    "curves": (drawing_curves, "training and validation loss per epoch"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the kinds of figure, each a subcommand with its inputs."""
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for name, (kind, summary) in KINDS.items():
        subparser = kinds.add_parser(
            name,
            help=summary,
            description=kind.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        kind.add_arguments(subparser)
        subparser.add_argument("--pdf", type=Path, required=True, help="the figure as PDF (out)")
        subparser.add_argument("--png", type=Path, required=True, help="the figure as PNG (out)")
        subparser.add_argument("--data", type=Path, help="the numbers it shows, as CSV (out)")
        subparser.add_argument(
            "--title-note",
            default="",
            metavar="TEXT",
            help="printed above the figure, e.g. 'synthetic demo: says nothing about the paper'",
        )


def main(arguments: argparse.Namespace) -> None:
    """Draw the figure and write it; nothing is written unless all of it could be drawn."""
    kind, _ = KINDS[arguments.kind]
    numbers = kind.numbers(arguments)
    with house_style():
        figure, notes = kind.draw(numbers)
        add_notes(figure, notes, arguments.title_note)
        save(figure, arguments.pdf, arguments.png)
    if arguments.data:
        write_table(numbers, arguments.data)
