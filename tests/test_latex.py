"""Escaping and templates: nothing that comes from data reaches TeX as markup."""

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoword.io.errors import InputError
from emoword.tables.latex import Latex, bold, escape, render

# What escape may write for a character, and what it stands for: a reader of our LaTeX that shares
# nothing with the writer.
COMMANDS = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textquotedbl{}": '"',
    r"\textquotesingle{}": "'",
    r"\textasciigrave{}": "`",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\{": "{",
    r"\}": "}",
    r"\$": "$",
    r"\&": "&",
    r"\#": "#",
    r"\%": "%",
    r"\_": "_",
    "{[}": "[",
    "{]}": "]",
    "{*}": "*",
    r"\textminus{}": "−",
    r"\textpm{}": "±",
    r"\texttimes{}": "×",
    r"\textdagger{}": "†",
    r"\textsubscript{1}": "₁",
    r"\textsubscript{2}": "₂",
    r"\ensuremath{\approx}": "≈",
    "{}": "",
}
TOKEN = re.compile(
    "|".join(map(re.escape, COMMANDS))
    + r"|\\texttt\{U\+([0-9A-F]{4,6})\}|([^\\{}$&#%_~^\"'`<>*\[\]])"
)
LATEX_IS_THERE = shutil.which("latexmk") is not None and shutil.which("pdflatex") is not None


def read(latex: str) -> str:
    """Turn escaped text into what it shows; fails at anything TeX would act upon."""
    shown, position = [], 0
    while position < len(latex):
        token = TOKEN.match(latex, position)
        assert token, f"markup at {latex[position:]!r}"
        code, plain = token.groups()
        shown.append(chr(int(code, 16)) if code else plain or COMMANDS[token.group()])
        position = token.end()
    return "".join(shown)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("anger", "anger"),
        ("100%_sure", r"100\%\_sure"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("a & b # c $ d", r"a \& b \# c \$ d"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("<s>", r"\textless{}s\textgreater{}"),
        ("don't", r"don\textquotesingle{}t"),
        ("[2cm]", "{[}2cm{]}"),
        ("*", "{*}"),
        ("a--b", "a-{}-b"),
        ("złość", "złość"),
        ("cafe\u0301", "café"),  # composed
        ("怒", r"\texttt{U+6012}"),
        ("😡", r"\texttt{U+1F621}"),
        ("a\nb\x00", r"a\texttt{U+000A}b\texttt{U+0000}"),
        ("\ud800", r"\texttt{U+D800}"),
        ("\u202eabc", r"\texttt{U+202E}abc"),  # right-to-left override
        (5531, "5531"),
        ("", ""),
    ],
)
def test_escape(text: object, latex: str) -> None:
    assert escape(text) == latex


@given(st.text(st.characters() | st.sampled_from("\\{}$&#%_^~\"'`<>[]*-,–’\n\x00"), max_size=40))
def test_escaped_text_shows_the_text_and_holds_no_markup(text: str) -> None:
    escaped = escape(text)
    assert read(escaped) == unicodedata.normalize("NFC", text)
    assert not re.search("--|,,|''|``|––", escaped)
    assert escaped.encode("utf-8").decode("utf-8") == escaped
    assert escape(escaped) is escaped


def test_latex_is_left_as_it_is_and_bold_escapes() -> None:
    assert escape(Latex(r"\emph{x}")) == r"\emph{x}"
    assert bold("a_b") == r"\textbf{a\_b}"
    assert bold(Latex("$x$")) == r"\textbf{$x$}"


def template(folder: Path, text: str) -> Path:
    path = folder / "t.tex.j2"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "expression",
    ["w", "w ~ ''", "[w]|join(', ')", "w|safe", "w|upper", "w|default('x')", "{'k': w}['k']"],
)
def test_no_road_around_the_escaping(tmp_path: Path, expression: str) -> None:
    text = render(template(tmp_path, r"\textbf{\VAR{" + expression + "}}\n"), {"w": "a_%"})
    assert text.lower() == "\\textbf{a\\_\\%}\n"


def test_template_syntax(tmp_path: Path) -> None:
    path = template(
        tmp_path,
        "\\BLOCK{for w in words}\n\\VAR{w|bold if loop.first else w} \\\\\n\\BLOCK{endfor}\n"
        "\\COMMENT{not shown}\\VAR{ready}\n",
    )
    values = {"words": ["a_", "b"], "ready": Latex(r"\LaTeX")}
    assert render(path, values) == "\\textbf{a\\_} \\\\\nb \\\\\n\\LaTeX\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"\VAR{nothing}", "'nothing' is undefined"),
        ("a\n\\BLOCK{if}", "line 2"),
        (r"\VAR{w.x.y}", "has no attribute"),
    ],
)
def test_a_broken_template_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        render(template(tmp_path, text), {"w": "word"})
    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such template"):
        render(tmp_path / "gone.tex.j2", {})


@pytest.mark.skipif(not LATEX_IS_THERE, reason="LaTeX is not installed")
def test_pdflatex_shows_every_character_that_is_not_replaced(tmp_path: Path) -> None:
    nasty = [chr(code) for code in range(0x20, 0x250)] + [
        chr(code) for code in range(0x2000, 0x2200)
    ]
    nasty += ["\x00", "\n\n", "\ud800", r"\end{document}", "%", r"\\[1cm]", "[x]", "*", "&&", "怒"]
    rows = "".join(f"{escape(word)} & x \\\\\n" for word in nasty if word.strip())
    (tmp_path / "nasty.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}"
        r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}\usepackage{textcomp,longtable}\begin{document}\begin{longtable}{ll}"
        f"\n{rows}"
        r"\end{longtable}\end{document}",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [*command, "nasty.tex"], cwd=tmp_path, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "nasty.log").read_text(errors="replace")
