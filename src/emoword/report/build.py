"""The report as a PDF: main.tex, the numbers, the tables, the figures."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec import Meta, Struct

from emoword.audit.recording import PACKAGE, code
from emoword.io.errors import InputError
from emoword.io.files import replacing
from emoword.io.yaml_files import read_yaml_as
from emoword.tables.latex import escape

NO_LATEX = (
    "LaTeX is not installed, and nothing else needs it. On Debian or Ubuntu: "
    "apt install latexmk texlive-latex-recommended texlive-fonts-recommended"
)
TIMEOUT = 300  # seconds; LaTeX that waits for something waits for ever


class Author(Struct, frozen=True, rename="kebab"):
    """A person, or (name) an entity."""

    name: str = ""
    given_names: str = ""
    family_names: str = ""


class Citation(Struct, frozen=True):
    """What is read of CITATION.cff."""

    authors: Annotated[tuple[Author, ...], Meta(min_length=1)]


Files = Annotated[tuple[Path, ...], Parameter(consume_multiple=True)]


def paper(
    text: Path,
    /,
    *,
    references: Path,
    numbers: Path,
    tables: Files,
    figures: Files,
    citation: Path,
    out: Path,
) -> None:
    r"""Build the reproduction report as a PDF: main.tex, the numbers, the tables, the figures.

    Everything is copied to a folder of its own and compiled there by latexmk, with the clock
    stopped, so that the same inputs give the same bytes. LaTeX's own words are printed where it
    fails.

        emoword paper paper/main.tex --references paper/refs.bib --numbers numbers.tex \
            --tables tables/*.tex --figures figures/*.pdf --citation CITATION.cff --out paper.pdf

    Args:
        text: paper/main.tex.
        references: paper/refs.bib.
        numbers: numbers.tex of `emoword paper-numbers`.
        tables: The tables' .tex files.
        figures: The figures' .pdf files.
        citation: CITATION.cff: whose software it is.
        out: The PDF.
    """
    if not (shutil.which("latexmk") and shutil.which("pdflatex")):
        raise InputError(NO_LATEX)
    sources = {"main.tex": text, "refs.bib": references, "numbers.tex": numbers}
    sources |= {path.name: path for path in [*tables, *figures]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for target, path in sources.items():
            shutil.copyfile(path, folder / target)
        (folder / "about.tex").write_text(about(citation), encoding="utf-8")
        compile_latex(folder)
        with replacing(out) as made:
            shutil.copyfile(folder / "main.pdf", made)


def about(citation: Path) -> str:
    """What the title says: the authors of CITATION.cff, and the commit that builds it.

    Raises:
        InputError: the file is missing, or names no authors.
    """
    people = read_yaml_as(Citation, citation).authors
    names = [one.name or f"{one.given_names} {one.family_names}".strip() for one in people]
    made_by, commit = code(), "of no commit"
    if made_by.commit:
        command = ["git", "-C", str(PACKAGE.parents[1]), "log", "-1", "--format=%cs"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        edited = " (edited)" if made_by.dirty else ""
        commit = f"commit {made_by.commit[:12]}{edited}, {asked.stdout.strip()}"
    values = {"Authors": ", ".join(names), "Commit": commit}
    lines = [rf"\newcommand{{\emo{name}}}{{{escape(value)}}}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def compile_latex(folder: Path) -> None:
    """Run latexmk on main.tex; no file outside of the folder can be written or run.

    Raises:
        InputError: LaTeX fails, or something that it refers to is not there.
    """
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
        "TEXMFOUTPUT": str(folder),
        "openout_any": "p",  # paranoid: no writing elsewhere
        "max_print_line": "1000",
    }
    command = ["latexmk", "-norc", "-pdf", "-interaction=nonstopmode", "-halt-on-error"]
    command += ["-pdflatex=pdflatex -no-shell-escape %O %S", "main.tex"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    log = folder / "main.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else done.stdout
    if done.returncode != 0:
        print(done.stdout[-4000:])
        raise InputError(f"LaTeX failed: {first_error(text)}")
    undefined = re.search(r"^.*Warning: (Citation|Reference) .*undefined.*$", text, re.MULTILINE)
    if undefined:
        raise InputError(f"main.tex: {undefined[0].strip()}")


def first_error(log: str) -> str:
    """The first error of a LaTeX log with the line that it names, as one line."""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("! "):
            place = next((after for after in lines[number:] if after.startswith("l.")), "")
            return f"{line[2:]} {place}".strip()
    return lines[-1] if lines else "it said nothing"
