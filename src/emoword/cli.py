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

from emoword import __version__
from emoword.errors import InputError

# name: (module, one line of help), in the order in which a datum travels
STAGES = {
    "demo": ("demo", "synthesise a miniature corpus in IEMOCAP's layout"),
    "polish": ("polish", "write the CSV of the Polish corpus, an example of own recordings"),
    "read-iemocap": ("iemocap", "IEMOCAP's files -> utterances.csv, annotations.csv"),
    "read-recordings": ("recordings", "a CSV of own recordings -> utterances.csv, annotations.csv"),
    "space": ("spaces", "GloVe, word2vec or BERT -> a memory-mapped word space"),
    "targets": ("targets", "utterances, annotations -> the words of label sets S1, S2, S3"),
    "features": ("features", "audio -> frames of an upstream, in one memory-mapped array"),
    "train": ("train", "features, targets, word space -> one trained run and its predictions"),
    "decide": ("decide", "predictions -> decision, similarities and word ranks per utterance"),
    "evaluate": ("evaluate", "decisions -> metrics.csv"),
    "intervals": ("intervals", "decisions -> intervals, and differences between models"),
    "neighbours": ("neighbours", "targets and predictions -> their nearest words"),
    "versus-paper": ("versus_paper", "our tables beside the paper's numbers, cell by cell"),
    "claims": ("claims", "differences, neighbours, targets -> does each claim of the paper hold"),
    "table": ("tables", "metrics, neighbours -> one of the paper's tables as CSV and LaTeX"),
    "figure": ("figures", "one figure as PDF and PNG"),
    "paper-numbers": ("paper_numbers", "the numbers that the paper's text names, as LaTeX macros"),
    "paper": ("paper", "text, numbers, tables and figures -> the reproduction report as PDF"),
}


def build_parser(stage: str | None) -> argparse.ArgumentParser:
    """Make the parser; only ``stage``'s own options are there, as only its module is imported."""
    parser = argparse.ArgumentParser(
        prog="emoword",
        description="Speech emotion recognition with word embeddings as labels. "
        "Each subcommand is one stage of the pipeline, and can be run by hand to audit one output; "
        "`./run` runs them all.",
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
    stage = next((name for name in arguments if not name.startswith("-")), None)
    parsed = build_parser(stage).parse_args(arguments)
    try:
        parsed.main(parsed)
    except InputError as error:
        sys.exit(f"emoword {parsed.stage}: {error}")
    except OSError as error:
        # a full disk, a missing permission: the user's to mend, and no bug of ours
        sys.exit(f"emoword {parsed.stage}: {error}")
