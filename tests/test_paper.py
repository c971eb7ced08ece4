"""The report: its numbers from small records, and LaTeX where it is installed."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from emoword import layout
from emoword.io.errors import InputError
from emoword.layout import Model
from emoword.report.build import about, first_error, paper
from emoword.report.numbers import paper_numbers, power
from emoword.settings import Loss, NetworkSettings, Settings, TrainingSettings, Transformers
from small_results import meta_of
from variant_files import write_variant

PAPER = Path(__file__).parents[1] / "paper"
needs_latex = pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")
HOSTILE = r"50%_\input{x}"
MODELS = [Model(name=m, label_set="S1", loss="lc", folder=m) for m in ("M1", "baseline", "M2")]
CHOSEN = Settings(
    network=NetworkSettings(channels=(8, 16), kernels=(3, 3), pools=(1, 1), lstm=4, hidden=(32,)),
    training=TrainingSettings(epochs=30),
)


def numbers(folder: Path, models: list[Model] = MODELS) -> dict[str, str]:
    """What `emoword paper-numbers` writes, from records as small as they can be."""
    files: dict[str, Any] = {"corpus.json": {"utterances": 240}}
    for model in models:
        loss: Loss = "ce" if model.name == "baseline" else "lc"
        settings = json.loads(layout.as_json(layout.run_settings(CHOSEN, "S1", loss)))
        files[f"{model.name}/fold1-seed0/run.json"] = {
            **{"model": model.name, "settings": settings, "collapsed": model.name == "M2"},
            **{"device": "cpu", "machine": "x86_64"},
            "versions": {"emoword": "9.9", "python": "3.11", "torch": "2.0"},
        }
    files["space/meta.json"] = {"source": "g.txt", "words": 20526, "dim": 100}
    files["S1/summary.json"] = {
        **{"label_set": "S1", "utterances": 182, "classes": ["anger", "fear"]},
        **{"utterances_by_class": {"fear": 100, "anger": 82}},
        **{"utterances_by_fold": {"1": 90, "2": 92}, "distinct_targets": 2, "distinct_words": 2},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    meta = meta_of(1, 1, 1024, Transformers(model=HOSTILE, layer=14))
    (folder / "meta.json").write_text(layout.as_json(meta))
    head = {"variant": "paper", "fold": "mean", "measured_on": "class"}
    head |= {"speakers": "10", "folds": "5", "seeds": "1"}
    rows = [
        {**head, "model": m, "loss": loss, "metric": k, "value": v}
        | {"low": v - 0.05, "high": v + 0.05}
        for m, loss, v in (("M1", "lc", 0.56), ("baseline", "ce", 0.574))
        for k in ("UA", "WA")
    ]
    pd.DataFrame(rows).to_csv(folder / "intervals.csv", index=False)
    (folder / "claims.csv").write_text("verdict\nsupported\nundecided\nundecided\n")
    chosen: dict[str, Any] = {"network": CHOSEN.network, "training": CHOSEN.training}
    about: dict[str, Any] = {"dataset": HOSTILE, "kind": "demo", "targets": {"S1": "S1"}}
    variant = write_variant(folder, **about, folds=1, models=models, **chosen)
    paper_numbers(variant, features=folder / "meta.json", out=folder / "numbers.tex")
    text = (folder / "numbers.tex").read_text()
    return dict(re.findall(r"\\newcommand\{\\emo(\w+)\}\{(.*)\}\n", text))


def test_numbers(tmp_path: Path) -> None:
    made = numbers(tmp_path)
    assert made["Dataset"] == r"50\%\_\textbackslash{}input\{x\}"
    assert made["Upstream"].startswith(r"the outputs of layer 14 of 50\%")
    assert made["PerClass"] == "anger 82, fear 100"
    rates = (made["LearningRate"], made["BaselineRate"])
    assert rates == (r"$2\cdot 10^{-3}$", r"$2\cdot 10^{-4}$")
    assert (made["Epochs"], made["Channels"]) == ("30 epochs", "8, 16")
    assert made["MOneUA"] == r"56.0\% (51.0--61.0)"
    assert made["BaselineUA"] == r"57.4\% (52.4--62.4)"
    assert (made["Gain"], made["LinearGain"]) == ("$-1.4$ points", "not measured")
    assert made["FigureTop"] == "12bp"
    assert (made["Runs"], made["Collapsed"]) == ("3", "1 of 3")
    assert made["Verdicts"] == "1 supported, 2 undecided"
    assert (made["Seeds"], made["SpaceWords"]) == ("1 seed", "20,526")
    assert (made["TargetsSOne"], made["TargetsSTwo"]) == ("2", "0")
    assert "says nothing about the paper" in made["Note"]


def test_the_text_types_no_number_of_ours_and_names_what_there_is(tmp_path: Path) -> None:
    text = (PAPER / "main.tex").read_text()
    used = set(re.findall(r"\\emo(\w+)", text)) - {"Note", "Once"}
    assert used <= set(numbers(tmp_path)) | {"Authors", "Commit"}
    # of numbers of two digits and more: layer 14, and the levels of intervals
    prose = text[text.index(r"\begin{multicols}") : text.index(r"\bibliographystyle")]
    prose = re.sub(r"\\[a-z]+\s*(\[[^]]*\])?\{[^{}]*\}", "", prose)
    assert set(re.findall(r"\d[\d.]+", prose)) <= {"14", "93", "95", "97", "2.0"}


def test_a_rate_as_a_power() -> None:
    assert power(1.5e-3) == r"$1.5\cdot 10^{-3}$"
    assert power(1.0) == r"$1\cdot 10^{0}$"


def test_runs_without_a_baseline_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs runs of a baseline and of a word-embedding model"):
        numbers(tmp_path, MODELS[:1])


def build(folder: Path, body: str) -> Path:
    """Compile a document of this body with one table and the project's references."""
    (folder / "numbers.tex").write_text("\\newcommand{\\emoSeeds}{5}\n")
    (folder / "table1.tex").write_text("table one\n")
    (folder / "figure.pdf").write_bytes(b"")
    head = "\\documentclass{article}\\usepackage{natbib}\\pdfinfoomitdate=1\\pdftrailerid{}"
    tail = "\\bibliographystyle{plainnat}\\bibliography{refs}\\end{document}\n"
    text = f"{head}\\input{{numbers}}\\begin{{document}}{body}{tail}"
    (folder / "text.tex").write_text(text)
    paper(
        folder / "text.tex",
        references=PAPER / "refs.bib",
        numbers=folder / "numbers.tex",
        tables=(folder / "table1.tex",),
        figures=(folder / "figure.pdf",),
        citation=PAPER.parent / "CITATION.cff",
        out=folder / "p.pdf",
    )
    return folder / "p.pdf"


def test_the_title_names_authors_and_commit(tmp_path: Path) -> None:
    path = tmp_path / "CITATION.cff"
    people = "- {family-names: O_Neil, given-names: Ann}\n- {name: The others}\n"
    path.write_text(f"cff-version: 1.2.0\nauthors:\n{people}")
    text = about(path)
    assert r"\newcommand{\emoAuthors}{Ann O\_Neil, The others}" in text
    assert re.search(
        r"\\emoCommit\}\{(commit [0-9a-f]{12}.*, \d{4}-\d\d-\d\d|of no commit)\}", text
    )
    path.write_text("cff-version: 1.2.0\n")
    with pytest.raises(InputError, match=r"CITATION\.cff: .*authors"):
        about(path)
    path.write_text("authors:\n- {family-names: Seed}\n- name:\n")
    with pytest.raises(InputError, match="line 3: authors/1/name: Expected `str`, got `null`"):
        about(path)


def test_without_latex_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = "apt install latexmk texlive-latex-recommended texlive-fonts-recommended"
    with pytest.raises(InputError, match=wanted):
        build(tmp_path, "")
    assert not (tmp_path / "p.pdf").exists()


@needs_latex
def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    body = r"\emoSeeds{} seeds \cite{stanley2023emotion} \input{table1} "
    body += r"\IfFileExists{tableA1.tex}{\input{tableA1}}{none}"
    first = build(tmp_path, body).read_bytes()
    assert first.startswith(b"%PDF")
    assert build(tmp_path, body).read_bytes() == first


@needs_latex
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (r"\cite{stanley2023emotion} \nosuchmacro", r"LaTeX failed: Undefined control sequence"),
        (r"\cite{stanley2023emotion} \ref{nowhere}", "Reference `nowhere' .* undefined"),
        (r"\cite{nobody1900nothing}", "nobody1900nothing|LaTeX failed"),
        (r"\cite{stanley2023emotion} \input{tableA1}", "LaTeX failed: .*tableA1"),
    ],
)
def test_a_mistake_in_the_text_is_said_in_one_line(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as stopped:
        build(tmp_path, body)
    assert "\n" not in str(stopped.value)


def test_first_error() -> None:
    log = "noise\n! Undefined control sequence.\n<recently read> \\x\nl.12 \\x\n"
    assert first_error(log) == "Undefined control sequence. l.12 \\x"
    assert first_error("") == "it said nothing"
