"""The command line: ``emoword COMMAND ...``, one command a rule, grouped as the rooms are.

A command is a typed function: its parameters are the options, its docstring is the ``--help``. A
room is imported only when one of its commands is called, as torch and transformers take seconds.
"""

import difflib
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cyclopts
from cyclopts import App, Group

from emoword import __version__
from emoword.io.errors import InputError, in_words, plain

WIDTH = 104  # of lines in docstrings, and what help puts around them

# command -> the module of its function, which has the command's name unless `:` names it; a summary
GROUPS = {
    "Use": {
        "predict": ("inference.predict", "recordings -> labels and nearest words"),
        "nearest": ("inference.words", "arithmetic in a word space"),
        "query": ("inference.query", "a word -> the utterances nearest to it"),
        "retrieval": ("inference.retrieval", "Table A3: are the utterances of a word found"),
        "export": ("inference.export", "runs -> a folder that predicts elsewhere, with its card"),
        "emobox": ("reproduction.compare", "decisions in the keyed format of EmoBox"),
        "summary": ("reproduction.summary", "the result of a run in short, and what to open"),
        "show": ("tables.show", "tables as plain text"),
    },
    "Corpora": {
        "demo": ("demo.corpus", "synthesise a miniature corpus in IEMOCAP's layout"),
        "read-iemocap": ("corpora.iemocap", "IEMOCAP -> utterances.csv, annotations.csv"),
        "read-recordings": ("corpora.recordings", "a CSV of recordings -> the same"),
        "unite": ("corpora.union", "several corpora that were read -> one"),
    },
    "Labels and word spaces": {
        "fetch": ("spaces.fetch", "a public file, such as GloVe 840B, resumable"),
        "space": ("spaces.make", "GloVe, word2vec or BERT -> a memory-mapped word space"),
        "transform-space": ("spaces.transforms:transform", "a space -> centred, shuffled, ..."),
        "label-set": ("labels.label_sets", "annotations -> words of S1, S2, S3"),
        "encode": ("labels.vectors:encode_words", "the vectors of a label set's words"),
    },
    "Features and training": {
        "features": ("features.extract", "audio -> frames of an upstream"),
        "train": ("training.train", "one run: weights and predictions"),
    },
    "Evaluation": {
        "check-leaks": ("reproduction.leaks", "did test data leak into training"),
        "decide": ("evaluation.decide", "predictions -> a decision an utterance"),
        "floors": ("evaluation.floors", "decisions of constant predictors"),
        "linear": ("evaluation.linear_reference", "decisions of linear models on the same frames"),
        "best-rate": ("evaluation.best_rate", "each run at its best validated learning rate"),
        "temperature": ("evaluation.temperature", "how sharp class scores are, against raters"),
        "evaluate": ("evaluation.evaluate", "decisions -> metrics.csv"),
        "neighbours": ("evaluation.neighbours", "targets, predictions -> nearest words"),
        "intervals": ("statistics.intervals", "decisions -> intervals, differences"),
    },
    "Tables, figures, reproduction": {
        "table": ("tables.paper_tables", "one of the paper's tables as CSV and LaTeX"),
        "table4": ("reproduction.table4", "Table 4 of a word space, no corpus needed"),
        "control-table": ("reproduction.controls", "Table A2: controls and floors"),
        "compare-spaces": ("reproduction.spaces_comparison", "word spaces: Table A1"),
        "cross-corpus": ("reproduction.cross_corpus", "Table A4: several corpora, one word space"),
        "unseen": ("reproduction.unseen", "Table A5: emotions that were never trained on"),
        "space-audit": ("reproduction.space_audit", "Table A7: what the word space brings along"),
        "groups": ("reproduction.groups", "Table A8: macro F1; sex, style, length, speakers"),
        "compare": ("reproduction.compare", "published numbers beside M1's"),
        "versus-paper": ("reproduction.versus_paper", "our tables beside the paper's"),
        "claims": ("reproduction.claims", "does each claim of the paper hold"),
        "readings": ("reproduction.readings", "distinct targets under each reading of section 4.2"),
        "raters": ("reproduction.raters", "Table A6: raters and models against the other raters"),
        "sensitivity": ("reproduction.sensitivity", "what hangs on each open choice"),
        "figure": ("cli:figures", "one figure as PDF and PNG"),
        "paper-numbers": ("report.numbers", "numbers of the report as LaTeX macros"),
        "paper": ("report.build", "the reproduction report as PDF"),
        "page": ("page.build", "the page that opens from disk"),
    },
    "Audit": {
        "trace": ("audit.trace", "a cell of a table -> metrics, runs, raters"),
        "verify": ("audit.verify", "recompute what needs no training, and compare"),
        "provenance": ("audit.provenance", "gather the records of all jobs"),
        "archive": ("audit.archive", "what verify and trace need, in one zip"),
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
    console: Any = None
    if "--help" in sys.argv:  # wide enough for the examples, so that they can be pasted
        from rich.console import Console

        console = Console(width=max(shutil.get_terminal_size().columns, WIDTH))
    app = App(
        name="emoword",
        version=f"emoword {__version__}",
        help="Speech emotion recognition with word embeddings as labels. `./run` runs all "
        "commands in order; each can be run by hand to audit one output: emoword COMMAND --help.",
        help_format="markdown",
        help_formatter="plain",
        result_action="return_value",
        console=console,
    )
    for order, (title, commands) in enumerate(GROUPS.items()):
        group = Group(title, sort_key=order)
        for place, (name, (where, summary)) in enumerate(commands.items()):
            if name == "figure":
                app.command(figures(App(name=name, group=group, sort_key=place)))
                continue
            function = where if ":" in where else f"{where}:{name.replace('-', '_')}"
            said = None if name == called else summary
            app.command(f"emoword.{function}", name=name, help=said, group=group, sort_key=place)
    return app


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
    record = None
    if "--record" in arguments[:-1]:
        place = arguments.index("--record")
        record = Path(arguments[place + 1])
        del arguments[place : place + 2]
    name = arguments[0] if arguments and arguments[0] in COMMANDS else None
    try:
        for word in arguments:
            word.encode()  # a name that is not UTF-8 could not be written into any result
        if record is None:
            run(name, arguments)
            return
        from emoword.audit.recording import recorded

        with recorded(arguments, record):
            run(name, arguments)
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
