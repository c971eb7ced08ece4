"""The command line: ``emoword COMMAND ...``, one command a rule, grouped as the rooms are.

A command is a typed function: its parameters are the options, its docstring is the ``--help``. A
room is imported only when one of its commands is called, as torch and transformers take seconds.
"""

import difflib
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cyclopts
from cyclopts import App, Group

from emoword import __version__
from emoword.io.errors import InputError, in_words, plain

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 104  # of lines in docstrings, and what help puts around them


class Command(NamedTuple):
    """Where a command is defined (``room.module:function``), and what it does in one line."""

    where: str
    summary: str


GROUPS: dict[str, dict[str, Command]] = {
    "Use": {
        "predict": Command("inference.predict:predict", "recordings -> labels and nearest words"),
        "nearest": Command("inference.words:nearest", "arithmetic in a word space"),
        "query": Command("inference.query:query", "a word -> the utterances nearest to it"),
        "retrieval": Command(
            "inference.retrieval:retrieval", "Table A3: are the utterances of a word found"
        ),
        "export": Command(
            "inference.export:export", "runs -> a folder that predicts elsewhere, with its card"
        ),
        "emobox": Command("reproduction.compare:emobox", "decisions in the keyed format of EmoBox"),
        "summary": Command(
            "reproduction.summary:summary", "the result of a run in short, and what to open"
        ),
        "show": Command("tables.show:show", "tables as plain text"),
    },
    "Corpora": {
        "demo": Command("demo.corpus:demo", "synthesise a miniature corpus in IEMOCAP's layout"),
        "read-iemocap": Command(
            "corpora.iemocap:read_iemocap", "IEMOCAP -> utterances.csv, annotations.csv"
        ),
        "read-recordings": Command(
            "corpora.recordings:read_recordings", "a CSV of recordings -> the same"
        ),
        "unite": Command("corpora.union:unite", "several corpora that were read -> one"),
    },
    "Labels and word spaces": {
        "fetch": Command("spaces.fetch:fetch", "a public file, such as GloVe 840B, resumable"),
        "space": Command(
            "spaces.make:space", "GloVe, word2vec or BERT -> a memory-mapped word space"
        ),
        "transform-space": Command(
            "spaces.transforms:transform", "a space -> centred, shuffled, ..."
        ),
        "label-set": Command("labels.label_sets:label_set", "annotations -> words of S1, S2, S3"),
        "encode": Command("labels.vectors:encode_words", "the vectors of a label set's words"),
    },
    "Features and training": {
        "features": Command("features.extract:features", "audio -> frames of an upstream"),
        "train": Command("training.train:train", "one run: weights and predictions"),
    },
    "Evaluation": {
        "check-leaks": Command(
            "reproduction.leaks:check_leaks", "did test data leak into training"
        ),
        "decide": Command("evaluation.decide:decide", "predictions -> a decision an utterance"),
        "floors": Command("evaluation.floors:floors", "decisions of constant predictors"),
        "linear": Command(
            "evaluation.linear_reference:linear", "decisions of linear models on the same frames"
        ),
        "best-rate": Command(
            "evaluation.best_rate:best_rate", "each run at its best validated learning rate"
        ),
        "temperature": Command(
            "evaluation.temperature:temperature", "how sharp class scores are, against raters"
        ),
        "evaluate": Command("evaluation.evaluate:evaluate", "decisions -> metrics.csv"),
        "neighbours": Command(
            "evaluation.neighbours:neighbours", "targets, predictions -> nearest words"
        ),
        "intervals": Command(
            "statistics.intervals:intervals", "decisions -> intervals, differences"
        ),
    },
    "Tables, figures, reproduction": {
        "table": Command("tables.paper_tables:table", "one of the paper's tables as CSV and LaTeX"),
        "table4": Command(
            "reproduction.table4:table4", "Table 4 of a word space, no corpus needed"
        ),
        "control-table": Command(
            "reproduction.controls:control_table", "Table A2: controls and floors"
        ),
        "compare-spaces": Command(
            "reproduction.spaces_comparison:compare_spaces", "word spaces: Table A1"
        ),
        "cross-corpus": Command(
            "reproduction.cross_corpus:cross_corpus", "Table A4: several corpora, one word space"
        ),
        "unseen": Command(
            "reproduction.unseen:unseen", "Table A5: emotions that were never trained on"
        ),
        "space-audit": Command(
            "reproduction.space_audit:space_audit", "Table A7: what the word space brings along"
        ),
        "groups": Command(
            "reproduction.groups:groups", "Table A8: macro F1; sex, style, length, speakers"
        ),
        "compare": Command("reproduction.compare:compare", "published numbers beside M1's"),
        "versus-paper": Command(
            "reproduction.versus_paper:versus_paper", "our tables beside the paper's"
        ),
        "claims": Command("reproduction.claims:claims", "does each claim of the paper hold"),
        "choices": Command(
            "reproduction.choices:choices", "what the paper leaves open, as a table"
        ),
        "readings": Command(
            "reproduction.readings:readings", "distinct targets under each reading of section 4.2"
        ),
        "raters": Command(
            "reproduction.raters:raters", "Table A6: raters and models against the other raters"
        ),
        "sensitivity": Command(
            "reproduction.sensitivity:sensitivity", "what hangs on each open choice"
        ),
        "figure": Command("cli:figures", "one figure as PDF and PNG"),
        "paper-numbers": Command(
            "report.numbers:paper_numbers", "numbers of the report as LaTeX macros"
        ),
        "paper": Command("report.build:paper", "the reproduction report as PDF"),
        "page": Command("page.build:page", "the page that opens from disk"),
    },
    "Audit": {
        "trace": Command("audit.trace:trace", "a cell of a table -> metrics, runs, raters"),
        "verify": Command("audit.verify:verify", "recompute what needs no training, and compare"),
        "provenance": Command("audit.provenance:provenance", "gather the records of all jobs"),
        "archive": Command("audit.archive:archive", "what verify and trace need, in one zip"),
    },
}
# kind of figure: the module whose function figure_KIND draws it
FIGURES = {
    "network": "figures.network",
    "map": "figures.map",
    "neighbours": "figures.neighbours",
    "confusion": "figures.confusion",
    "targets": "figures.targets",
    "claims": "reproduction.claims_figure",
    "curves": "figures.curves",
    "unseen": "reproduction.unseen_figure",
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


def build_app(called: str | None) -> App:
    """The application; only the command that is called is imported."""
    app = App(
        name="emoword",
        version=f"emoword {__version__}",
        help="Speech emotion recognition with word embeddings as labels. `./run` runs all "
        "commands in order; each can be run by hand to audit one output: emoword COMMAND --help.",
        help_format="markdown",
        help_formatter="plain",
        result_action="return_value",
        console=wide_console() if "--help" in sys.argv else None,
    )
    for order, (title, commands) in enumerate(GROUPS.items()):
        group = Group(title, sort_key=order)
        for place, (name, command) in enumerate(commands.items()):
            if name == "figure":
                app.command(figures(App(name=name, group=group, sort_key=place)))
                continue
            summary = None if name == called else command.summary
            app.command(
                f"emoword.{command.where}", name=name, help=summary, group=group, sort_key=place
            )
    return app


def wide_console() -> "Console":
    """Where help is printed: wide enough for the examples, so that they can be pasted."""
    from rich.console import Console

    return Console(width=max(shutil.get_terminal_size().columns, WIDTH))


def figures(app: App) -> App:
    """Give ``emoword figure`` a command for each kind of figure."""
    app.help = (
        "Draw one figure as PDF (vector) and PNG.\n\nEverything drawn is computed before, as one "
        "table, which --data writes: what the figure shows can be audited there.\n\n"
        "    emoword figure confusion --decisions decisions.csv --pdf c.pdf --png c.png"
    )
    app.default_parameter = cyclopts.Parameter(consume_multiple=True, negative=())
    for kind, module in FIGURES.items():
        app.command(f"emoword.{module}:figure_{kind}", name=kind)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a user's mistake ends as one line on stderr and status 1 (2: of usage)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # `emoword ... | head` ends quietly
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # a scheduler's time limit: leave as for any error, so that temporary files are removed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments, record = without_record(arguments)
    name = arguments[0] if arguments and arguments[0] in COMMANDS else None
    try:
        for word in arguments:
            word.encode()  # a name that is not UTF-8 could not be written into any result
        if record is None:
            run(name, arguments)
            return
        from emoword.audit.recording import Recorder

        recorder = Recorder(arguments)
        run(name, arguments)
        recorder.write(record, seed_of(arguments))
    except Exception as error:
        # OSError: a full disk, a missing permission: the user's to mend, and no bug of ours
        said = str(error) if isinstance(error, (InputError, OSError)) else in_words(error)
        if not said:
            raise
        sys.exit(f"emoword {name}: {plain(said)}")


def run(name: str | None, arguments: Sequence[str]) -> None:
    """Parse the arguments and call the command."""
    if name is None and arguments and not arguments[0].startswith("-"):
        near = difflib.get_close_matches(arguments[0], COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "see emoword --help"
        print(f"emoword: there is no command {arguments[0]!r}; {hint}", file=sys.stderr)
        sys.exit(2)
    try:
        build_app(name)(arguments, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        said = " ".join(str(error).split())[:300]
        print(f"emoword {name or ''}: {said}; see emoword {name or ''} --help", file=sys.stderr)
        sys.exit(2)


def without_record(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """Take ``--record FILE`` out of the arguments; it may stand anywhere."""
    left, record = [], None
    words = iter(arguments)
    for word in words:
        if word == "--record":
            record = Path(next(words, os.devnull))
        else:
            left.append(word)
    return left, record


def seed_of(arguments: Sequence[str]) -> int | None:
    """The ``--seed`` of a training, for the record."""
    return int(arguments[arguments.index("--seed") + 1]) if "--seed" in arguments else None
