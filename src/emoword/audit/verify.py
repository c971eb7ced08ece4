"""Recompute everything that needs no training, and class every file."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from emoword.audit import archive
from emoword.audit.comparing import close, differences
from emoword.audit.provenance import LATER, evidence, sources
from emoword.audit.recording import Hashed, code, hashed, host, package_versions
from emoword.audit.remaking import Remade, behind, remake
from emoword.audit.results import Results, opened
from emoword.corpora.corpus import some
from emoword.io.errors import InputError, plain
from emoword.settings import Embedded

Kind = Literal["equal", "rounded", "recorded", "left out", "said", "wrong"]

# what no command can be run for, and why; names below the results
UNMADE = {
    "config.json": "all else is derived from it",
    "*.checkpoint.safetensors": "unfinished trainings, of no use any more",
    "*logs/*": "what jobs said",
    "*benchmarks/*": "times of jobs",
    "final/*/.snakemake_timestamp": "of Snakemake's own",
    "runs/*/fold*": "trainings",
    "runs/*": "of no variant of config.json",
    "targets/*": "of no variant of config.json",
    "vectors/*": "of no variant of config.json",
    "features/*": "frames of audio",
    "corpus/*": "the corpus",
    "utterances.csv": "read from the corpus: --corpus",
    "annotations.csv": "read from the corpus: --corpus",
    "corpus.json": "read from the corpus: --corpus",
    "paper.pdf": "needs LaTeX",
    "../spaces/*": "needs the source of the word space",
    "provenance.json": "the seal",
    "audit.zip": "an archive of these results",
}
# what has no record: written by the workflow itself, or for looking at
UNRECORDED = ["config.json", "*logs/*", "*benchmarks/*", "*/.snakemake_timestamp"]
UNRECORDED += ["variants/*", "*/settings.json", "tables/tables.tex", "tables/refs.bib", *LATER]
UNRECORDED += ["*.checkpoint.safetensors"]


@dataclass
class Verdict:
    """What is to be said of a file, and why; ``details`` are lines below it."""

    name: str
    kind: Kind
    why: str = ""
    details: list[str] = field(default_factory=list)


def verify(
    results: Path,
    /,
    *,
    corpus: Path | None = None,
    spaces: Path | None = None,
    quick: bool = False,
) -> None:
    """Recompute everything that needs no training, and class every file of some results.

    What is recomputed, and how, follows from config.json and this version of emoword alone:
    labels, vectors, decisions, nearest words, metrics, intervals, tables, figures, claims and the
    page, in a temporary folder, with the templates of this repository. Nothing else is written,
    links are not followed, and no record decides what is run.

    Each file is one of: recomputed and equal; recomputed and different; as it was recorded (in
    provenance.json, else by the job that made it), where recomputing would take a training or
    audio; changed, missing or added. The exit status is 1 if any file is different, changed,
    missing or added.

        emoword verify results/demo
        emoword verify audit.zip
        emoword verify audit.zip --corpus /data/IEMOCAP_full_release

    Not found is what is consistent throughout: predictions that were replaced, with everything
    that follows from them and all records made again. Against that only a training again helps
    (`./run --forceall`: the same bytes on the same kind of machine), or a sha256 of
    provenance.json that was published in time; it is printed for comparison.

    Args:
        results: Results of a dataset such as results/demo, under any name; an audit.zip, or what
            it was unpacked to.
        corpus: Where the corpus lies (IEMOCAP: the folder of Session1 .. Session5; recordings: the
            folder of the table; a union: that of the results of its corpora). Without it labels
            and comments are not read again.
        spaces: Where the word spaces lie, if not beside the results.
        quick: Compare with the records only, recompute nothing.
    """
    if corpus is not None and not corpus.is_dir():
        raise InputError(f"--corpus {corpus}: no such folder")
    with (
        opened(results, spaces) as given,
        TemporaryDirectory(prefix="emoword-verify-") as scratch,
    ):
        said = evidence(given)
        remade = Remade() if quick else remake(given, Path(scratch), corpus)
        verdicts = list(judge(given, said, remade, quick))
        print(report(given, remade, verdicts))
    if any(verdict.kind == "wrong" for verdict in verdicts):
        sys.exit(1)


def judge(
    given: Results, said: Mapping[str, Mapping[str, Hashed]], remade: Remade, quick: bool = False
) -> Iterator[Verdict]:
    """Class every file that is there, that was recorded (``said``), or that was recomputed."""
    for name, why in given.odd.items():
        yield Verdict(name, "wrong", why)
    for name, why in remade.failed.items():
        yield Verdict(name, "wrong", f"cannot be recomputed: {why}")
    for name, lacking in remade.lacking.items():
        if not is_left_out(lacking, given):
            yield Verdict(name, "wrong", f"cannot be recomputed: {lacking} is not here")
    yield from judge_sources(given)
    for name in sorted({*given.files, *said, *remade.made}):
        if not name.startswith("results/"):
            continue
        if name in given.files:
            yield judge_file(name, given, said.get(name, {}), remade, quick)
        elif reason := is_left_out(name, given):
            yield Verdict(name, "left out", reason)
        else:
            yield Verdict(name, "wrong", "is missing")


def judge_sources(given: Results) -> Iterator[Verdict]:
    """Class what an archive holds of a repository, and what is sealed of it, by this one."""
    ours = {name: hashed(path) for name, path in sources().items()}
    for name, path in given.files.items():
        if name.startswith("results/"):
            continue
        if name in ours and ours[name] == hashed(path):
            yield Verdict(name, "equal")
        elif name in archive.BESIDE:
            yield Verdict(name, "said", "about the archive")
        else:
            yield Verdict(name, "wrong", "is not this repository's, with which all was recomputed")
    for name, source in (given.provenance.sources if given.provenance else {}).items():
        if ours.get(name) != source:
            why = "of this repository is not what these results were made with"
            yield Verdict(name, "wrong", why)


def is_left_out(name: str, given: Results) -> str:
    """Why a file may be missing though all is well; empty if it may not."""
    if name.startswith("results/spaces/"):
        own = given.config.spaces.get(name.split("/")[2])
        if own is not None and not isinstance(own, Embedded):
            return "a word space: --spaces"
    seals = given.provenance.files if given.provenance else {}
    return archive.left_out(given.below(name), seals.get(name)) if given.packed else ""


def judge_file(
    name: str, given: Results, said: Mapping[str, Hashed], remade: Remade, quick: bool
) -> Verdict:
    """Class a file that is there, by what its command gives, and by what records say of it."""
    file, fresh = given.files[name], remade.made.get(name)
    here = hashed(file)
    broken = [f"is not what {who} says" for who, what in said.items() if what != here]
    if fresh:
        same = here == hashed(fresh)
        if not same and not close(file, fresh):
            why = "is not what its command gives"
            return Verdict(name, "wrong", why, [*differences(file, fresh), *broken])
        if broken:
            return Verdict(name, "wrong", broken[0], ["its command gives what lies there"])
        return Verdict(name, "equal" if same else "rounded")
    if broken:
        return Verdict(name, "wrong", broken[0], broken[1:])
    short = given.below(name)
    undone = {**dict.fromkeys(remade.failed, "its command fails"), **remade.lacking}
    out = undone.get(behind(name, undone), "")
    known = next((why for pattern, why in UNMADE.items() if fnmatchcase(short, pattern)), "")
    why = "not recomputed" if quick else f"needs {given.below(out)}" if out else known
    if not why:
        return Verdict(name, "wrong", "is made by nothing that config.json says")
    if said:
        return Verdict(name, "recorded", why)
    if any(fnmatchcase(short, pattern) for pattern in UNRECORDED):
        return Verdict(name, "said", why)
    return Verdict(name, "wrong", "has no record: what it held is not known", [why])


# ---------------------------------------------------------------------------------- in words


def report(given: Results, remade: Remade, verdicts: Sequence[Verdict]) -> str:
    """What was looked at, and what was found."""
    counts = Counter(verdict.kind for verdict in verdicts)
    lines = [
        f"{given.title}: {len(given.files)} files of the dataset {given.config.dataset}",
        f"recomputed   {counts['equal'] + counts['rounded']} files are what their commands give "
        f"({remade.commands} commands)",
    ]
    if counts["rounded"]:
        lines.append(f"             {counts['rounded']} of them but for rounding")
    for kind, title in (
        ("recorded", "as recorded"),
        ("left out", "left out"),
        ("said", "not covered"),
    ):
        reasons = Counter(verdict.why for verdict in verdicts if verdict.kind == kind)
        for why, count in sorted(reasons.items()):
            lines.append(f"{title:13}{count} files: {why}")
    lines += [*made_with(given), ""]
    wrong = [verdict for verdict in verdicts if verdict.kind == "wrong"]
    groups = dict[tuple[str, str, tuple[str, ...]], list[str]]()
    for verdict in wrong:
        folder, _, name = given.below(verdict.name).rpartition("/")
        top = "runs" if folder.startswith("runs/") else folder  # many alike
        place = f"{folder}/{name}".removeprefix(f"{top}/")
        groups.setdefault((top, verdict.why, tuple(verdict.details)), []).append(place)
    for (top, why, details), names in groups.items():
        lines.append(f"WRONG        {top}{'/' * bool(top)}{some(names, 4)} {why}")
        lines += [f"             {detail}" for detail in details]
    many = "1 file is wrong." if len(wrong) == 1 else f"{len(wrong)} files are wrong."
    lines.append(many if wrong else "Nothing is wrong.")
    return "\n".join(plain(line) for line in lines)


def made_with(given: Results) -> Iterator[str]:
    """With which code and packages the results were made, where these are others than here."""
    path = given.files.get(f"{given.folder}/provenance.json")
    if path:
        seal = hashed(path).sha256
        yield f"sealed by    sha256 {seal} of provenance.json: compare with the published one"
    else:
        yield "not sealed   there is no provenance.json: ./run --cores 1 audit gathers it"
    sealed = given.provenance.records if given.provenance else {}
    records = (given.records or sealed).values()
    ours, versions, processor = code(), package_versions(), host()["processor"]
    for digest, theirs in {record.code.sha256: record.code for record in records}.items():
        if digest != ours.sha256:
            yield f"other code   made by {theirs}; this is {ours}"
    then = {pair for record in records for pair in record.packages.items()}
    others = [f"{name} {v}" for name, v in sorted(then) if versions.get(name, v) != v]
    others += sorted({str(record.host.get("processor")) for record in records} - {processor})
    if others:
        yield f"other        {', '.join(others)}: rounding and drawing may differ"
