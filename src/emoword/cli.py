"""The command line: ``emoword STAGE ...``, one subcommand a stage, one module a subcommand.

A stage's module has ``add_arguments(parser)`` and ``main(arguments)``, and is imported only when
its subcommand is called, since torch and transformers take seconds to import. Its docstring is
the text of its ``--help``.
"""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from emoword import __version__
from emoword.io.errors import InputError

# name: (module, one line of help), in the order in which a datum travels
STAGES = {
    "demo": ("demo.corpus", "synthesise a miniature corpus in IEMOCAP's layout"),
    "polish": ("demo.polish", "write the CSV of the Polish corpus, an example of own recordings"),
    "read-iemocap": ("corpora.iemocap", "IEMOCAP's files -> utterances.csv, annotations.csv"),
    "read-recordings": (
        "corpora.recordings",
        "a CSV of own recordings -> utterances.csv, annotations.csv",
    ),
    "fetch": ("spaces.fetch", "a public file, such as GloVe 840B, resumable"),
    "space": ("spaces.make", "GloVe, word2vec or BERT -> a memory-mapped word space"),
    "transform-space": (
        "spaces.transforms",
        "a word space -> centred, shuffled, ..., for controls",
    ),
    "targets": (
        "labels.label_sets",
        "utterances, annotations -> the words of label sets S1, S2, S3",
    ),
    "features": ("features.extract", "audio -> frames of an upstream, in one memory-mapped array"),
    "join-features": ("features.join", "shards of features -> one folder"),
    "train": (
        "training.train",
        "features, targets, word space -> one trained run and its predictions",
    ),
    "check-leaks": (
        "reproduction.leaks",
        "runs -> whether test data leaked into training; fails if so",
    ),
    "decide": (
        "evaluation.decide",
        "predictions -> decision, similarities and word ranks per utterance",
    ),
    "floors": ("evaluation.floors", "training parts -> decisions of constant predictors"),
    "evaluate": ("evaluation.evaluate", "decisions -> metrics.csv"),
    "intervals": (
        "statistics.intervals",
        "decisions -> confidence intervals, differences between models",
    ),
    "neighbours": ("evaluation.neighbours", "targets and predictions -> their nearest words"),
    "versus-paper": (
        "reproduction.versus_paper",
        "our tables beside the paper's numbers, cell by cell",
    ),
    "claims": (
        "reproduction.claims",
        "differences, neighbours, targets -> does each claim of the paper hold",
    ),
    "table": (
        "tables.paper_tables",
        "metrics, neighbours -> one of the paper's tables as CSV and LaTeX",
    ),
    "control-table": ("reproduction.controls", "Table A2: controls beside the default, and floors"),
    "choices": (
        "reproduction.choices",
        "what the paper leaves open, and the alternatives, as a table",
    ),
    "sensitivity": (
        "reproduction.sensitivity",
        "what hangs on each choice that the paper leaves open",
    ),
    "compare-spaces": ("reproduction.spaces_comparison", "metrics by word space -> Table A1"),
    "figure": ("figures.figure", "one figure as PDF and PNG"),
    "paper-numbers": ("report.numbers", "the numbers that the paper's text names, as LaTeX macros"),
    "paper": (
        "report.build",
        "text, numbers, tables and figures -> the reproduction report as PDF",
    ),
    "page": ("page.build", "all of it as a page that opens from disk: tables, runs, utterances"),
    "trace": ("audit.trace", "a cell of a table -> metrics, runs, predictions, raters, recomputed"),
    "verify": (
        "audit.verify",
        "recompute what needs no training, compare it with files and records",
    ),
    "provenance": ("audit.provenance", "gather the records of all jobs into provenance.json"),
    "archive": ("audit.archive", "what verify and trace need, in one zip that is an RO-Crate"),
}


def build_parser(stage: str | None) -> argparse.ArgumentParser:
    """Make the parser; only ``stage``'s own options are there, as only its module is imported."""
    parser = argparse.ArgumentParser(
        prog="emoword",
        description="Speech emotion recognition with word embeddings as labels. "
        "Each subcommand is one stage of the pipeline, and can be run by hand to audit one output; "
        "`./run` runs them all.",
    )
    parser.add_argument(
        "--record",
        default=argparse.SUPPRESS,  # for --help only: without_record has taken it out before
        metavar="JSON",
        help="written when the stage is done: the command, the files read and written with their "
        "sha256, versions of code and packages, host, begin and end; may stand anywhere",
    )
    parser.add_argument("--version", action="version", version=f"emoword {__version__}")
    subparsers = parser.add_subparsers(dest="stage", metavar="STAGE", required=True)
    for name, (module_name, summary) in STAGES.items():
        if name != stage:
            subparsers.add_parser(name, help=summary)
            continue
        module = importlib.import_module(f"emoword.{module_name}")
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(main=module.main)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one stage; a user's mistake ends as one line on stderr and status 1."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # `emoword ... | head` ends quietly
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # a scheduler's time limit: leave as for any error, so that temporary files are removed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments, record = without_record(arguments)
    stage = next((name for name in arguments if not name.startswith("-")), None)
    parsed = build_parser(stage).parse_args(arguments)
    try:
        if record is None:
            parsed.main(parsed)
            return
        from emoword.audit.recording import Recorder

        recorder = Recorder(arguments)
        parsed.main(parsed)
        recorder.write(record, getattr(parsed, "seed", None))
    except InputError as error:
        sys.exit(f"emoword {parsed.stage}: {error}")
    except OSError as error:
        # a full disk, a missing permission: the user's to mend, and no bug of ours
        sys.exit(f"emoword {parsed.stage}: {error}")


def without_record(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """Take ``--record FILE`` out of the arguments; it may stand behind `figure KIND`, too."""
    parser = argparse.ArgumentParser(prog="emoword", add_help=False, allow_abbrev=False)
    parser.add_argument("--record", type=Path)
    known, rest = parser.parse_known_args(arguments)
    return rest, known.record
