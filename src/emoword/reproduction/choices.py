"""What the paper leaves open: the ledger paper/choices.yaml."""

from pathlib import Path
from typing import Any

from emoword.io.errors import InputError
from emoword.io.yaml_files import line_in, read_yaml
from emoword.tables.latex import render, write_latex


def choices(ledger: Path, /, *, template: Path, out: Path) -> None:
    r"""Write what the paper leaves open, from its ledger, as LaTeX.

    What hangs on each choice is said by `emoword sensitivity`.

        emoword choices paper/choices.yaml --template paper/templates/choices.tex.j2 \
            --out choices.tex

    Args:
        ledger: paper/choices.yaml.
        template: paper/templates/choices.tex.j2.
        out: The ledger as LaTeX.
    """
    listed = read_choices(ledger)
    rows = [{"setting": "", "alternatives": [], "untried": "", **choice} for choice in listed]
    write_latex(render(template, {"choices": rows}), out)


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
