r"""LaTeX from Jinja templates in which every variable is escaped unless it is marked as LaTeX.

A template is LaTeX with ``\VAR{expression}``, ``\BLOCK{statement}`` and ``\COMMENT{text}``.
Jinja's own autoescaping knows HTML alone, so the escaping hangs on ``finalize``, which Jinja calls
on the result of every expression: forgetting it is impossible, and what is LaTeX already says so
by its type.
"""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from emoword.io.files import replacing
from emoword.io.templates import fill

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # T1 fonts have ligatures of these (`` '' << >>), and " is a shorthand of babel's in places
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    # at the start of a row they would be read as the \\ before it: \\[2pt], \\*
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    # signs of our own tables
    "−": r"\textminus{}",
    "±": r"\textpm{}",
    "×": r"\texttimes{}",
    "†": r"\textdagger{}",
    "≈": r"\ensuremath{\approx}",
    "₁": r"\textsubscript{1}",
    "₂": r"\textsubscript{2}",
}
# What pdflatex shows with T1 fonts (t1enc.dfu): printable ASCII, the letters of most European
# languages, and the punctuation that lies between words.
_SHOWN = (
    {chr(code) for code in range(0x20, 0x7F)}
    | {chr(code) for code in range(0xC0, 0x17F)} - set("ĦħĸĿŀŉŦŧ")
    | set("ȘșȚț‘’“”–—…€")
)
# -- --- ,, '' become other signs when they meet
_LIGATURE = re.compile("(?<=[-,–‘’])(?=[-,–‘’])")


class Latex(str):
    """Text that is LaTeX already and is written as it stands."""

    __slots__ = ()


def escape(value: object) -> Latex:
    r"""Turn anything (with ``str``, unless it is `Latex`) into LaTeX that shows its text alone.

    Letters are composed first (Unicode NFC). A character that pdflatex cannot show, control
    characters and lone surrogates included, becomes a visible ``\texttt{U+XXXX}``. The result is
    for text mode, of characters that ``\usepackage[T1]{fontenc}`` shows.
    """
    if isinstance(value, Latex):
        return value
    text = unicodedata.normalize("NFC", str(value))
    shown = (_SPECIAL.get(c, c if c in _SHOWN else rf"\texttt{{U+{ord(c):04X}}}") for c in text)
    return Latex(_LIGATURE.sub("{}", "".join(shown)))


def bold(value: object) -> Latex:
    """Set anything in bold, escaped unless it is `Latex`."""
    return Latex(rf"\textbf{{{escape(value)}}}")


def render(template: Path, values: Mapping[str, object]) -> str:
    """Fill a template in (see `io.templates.fill`); the same values give the same bytes.

    Raises:
        InputError: the template is missing, is not valid, or names something that is not there.
    """
    return fill(
        template,
        values,
        filters={"bold": bold},
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\COMMENT{",
        comment_end_string="}",
        autoescape=False,
        finalize=escape,
    )


def write_latex(text: str, path: Path) -> None:
    """Write LaTeX: UTF-8, Unix line ends."""
    with replacing(path) as made:
        made.write_text(text, encoding="utf-8", newline="\n")
