r"""Print what the paper leaves open, from its ledger: paper/choices.yaml.

    emoword choices --choices paper/choices.yaml                     # the README's table
    emoword choices --choices paper/choices.yaml --tex choices.tex   # with the reasons, as LaTeX

`emoword sensitivity` says what hangs on each choice.
"""

import argparse
from pathlib import Path
from typing import Any

from emoword.io.errors import InputError
from emoword.io.files import replacing
from emoword.io.yaml_files import line_in, read_yaml
from emoword.tables.latex import render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword choices``."""
    add = parser.add_argument
    add("--choices", type=Path, required=True, help="paper/choices.yaml")
    add("--template", type=Path, help="paper/templates/choices.tex.j2")
    add("--tex", type=Path, help="the ledger as LaTeX, written")


def main(arguments: argparse.Namespace) -> None:
    """Print the table for the README, or write the ledger as LaTeX."""
    choices = read_choices(arguments.choices)
    if (arguments.tex is None) != (arguments.template is None):
        raise InputError("--tex is made with --template paper/templates/choices.tex.j2: give both")
    if arguments.tex is None:
        print(markdown(choices))
        return
    rows = [{"setting": "", "alternatives": [], "untried": "", **choice} for choice in choices]
    text = render(arguments.template, {"choices": rows})
    with replacing(arguments.tex) as made:
        made.write_text(text, encoding="utf-8", newline="\n")


def read_choices(path: Path) -> list[dict[str, Any]]:
    """Read the ledger; what may stand there is in resources/choices.schema.yaml.

    Raises:
        InputError: the file is missing or wrong, or names a choice or variant twice.
    """
    choices: list[dict[str, Any]] = read_yaml(path, "choices.schema.yaml")["choices"]
    seen: set[str] = set()
    for number, choice in enumerate(choices):
        variants = [other["variant"] for other in choice.get("alternatives", [])]
        for name in (choice["choice"], *variants):
            if name in seen:
                line = line_in(path, ["choices", number])
                raise InputError(f"{path}: line {line}: {name} stands there twice")
            seen.add(name)
    return choices


def markdown(choices: list[dict[str, Any]]) -> str:
    """The ledger in short, as a table in Markdown."""
    lines = ["| choice | default | alternatives (variants) | switch |", "|---|---|---|---|"]
    for choice in choices:
        others = choice.get("alternatives", [])
        tried = "; ".join(f"{other['says']} (`{other['variant']}`)" for other in others)
        setting = f"`{choice['setting']}`" if "setting" in choice else ""
        cells = [choice["choice"], choice["default"], tried or "–", setting]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines)
