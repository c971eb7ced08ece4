"""Run the commands that results consist of again, in a folder of their own.

In the folder, what no command makes (predictions, frames) is a link to the file of the results, and
`paper` is the repository's own; commands write under names that were free. Of what the results
say, only config.json decides what runs, by the names and choices that `emoword.settings` lets pass.
"""

import signal
from collections.abc import Container, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from emoword.audit.recording import PACKAGE
from emoword.audit.results import Results
from emoword.cli import run
from emoword.io import files
from emoword.io.errors import InputError, plain
from emoword.pipeline import COPIED, Plan, Step
from emoword.settings import Recordings, Union

LONGEST = 1800  # seconds a command; on IEMOCAP's size the longest takes a tenth
CORPUS = "given-corpus"
OF_FRAMES, OF_WEIGHTS = ("check-leaks", "linear", "temperature"), ("check-leaks", "temperature")


@dataclass
class Remade:
    """What came out.

    Attributes:
        made: name -> the recomputed file.
        commands: how many ran.
        failed: a file or folder that a command should make -> why it did not.
        lacking: the same -> what it is made from, and is not here.
    """

    made: dict[str, Path] = field(default_factory=dict)
    commands: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)


def remake(given: Results, work: Path, corpus: Path | None) -> Remade:
    """Recompute in an empty folder what can be recomputed; ``corpus``: where it lies, if here."""
    plan = Plan(given.config, corpus=CORPUS if corpus else "")
    there = {*given.files, *(parent for name in given.files for parent in parents(name))}
    steps = [step for step in plan.steps() if step.usual or there.intersection(step.outputs)]
    usual = plan.usual()
    texts = {name: text for name, text in plan.written().items() if name in usual or name in there}
    outputs = {output for step in steps for output in step.outputs}
    output_of = {n: out for n in given.files if n not in texts and (out := behind(n, outputs))}
    (work / "paper").symlink_to(PACKAGE.parents[1] / "paper")
    if corpus:
        (work / CORPUS).symlink_to(corpus.resolve())
    remade = Remade()
    for name, text in texts.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text, encoding="utf-8")
        remade.made[name] = work / name
    for name, source in COPIED.items():
        if (work / source).is_file():
            remade.made[plan.at(name)] = work / source
    mirror({n: f for n, f in given.files.items() if n not in texts and n not in output_of}, work)
    for step in (bar := tqdm(steps, disable=None, leave=False)):
        bar.set_description(step.name)
        before = len(files.written)
        lacking = next((name for name in needs(step, plan) if not (work / name).exists()), "")
        if lacking:
            remade.lacking |= dict.fromkeys(step.outputs, lacking)
        elif failed := run_step(step, work):
            remade.failed |= dict.fromkeys(step.outputs, failed)
        else:
            remade.commands += 1
            written = [str(path) for path in files.written[before:]]
            remade.made |= {name: work / name for name in written if (work / name).is_file()}
            if corpus and step.makes == {"out": plan.folder}:
                rename_corpus(plan, work)
            continue
        # in place of what could not be recomputed, what the results have is taken as it is
        taken = {n: given.files[n] for n, output in output_of.items() if output in step.outputs}
        for name in taken:
            (work / name).unlink(missing_ok=True)
        mirror(taken, work)
    return remade


def needs(step: Step, plan: Plan) -> Iterator[str]:
    """What a command reads that may not be here, though all is well: an archive leaves it out."""
    frames, weights = step.name in OF_FRAMES, step.name in OF_WEIGHTS
    if step.name == "export":
        yield f"{step.subject[0]}/weights.safetensors"
        yield from held(plan.at(plan.first.space))
    for path in step.words:
        if not path.startswith("results/") or path in step.makes.values():
            continue
        if PurePosixPath(path).parent.name != "variants":
            yield from held(path)
            continue
        own, shards = plan.parts.variants[PurePosixPath(path).stem], plan.config.feature_shards
        for shard in range(1, shards + 1) if frames else ():
            yield plan.at(own.features, f"shard{shard}of{shards}/frames.npy")
        for folder in own.runs() if weights else ():
            yield plan.at(folder, "weights.safetensors")
        for folder in (own.space, *own.targets.values()):
            yield from held(plan.at(folder))


def held(path: str) -> list[str]:
    """A file, or what a folder of a label set or word space holds."""
    if "/spaces/" in path and not path.endswith(".json"):
        return [f"{path}/meta.json", f"{path}/vectors.npy"]
    return [f"{path}/words.csv"] if path.rpartition("/")[0].endswith("/targets") else [path]


def run_step(step: Step, work: Path) -> str:
    """Run a command in the working folder; returns why it failed, in one line."""
    try:
        with (
            chdir(work),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()) as said,
            at_most(LONGEST),
        ):
            run(step.name, step.words)
    except SystemExit:
        return in_one_line(said.getvalue())
    except InputError as error:
        return in_one_line(str(error))
    except Exception as error:  # whatever a stranger's file may lead to
        return in_one_line(f"{type(error).__name__}: {error}")
    return ""


def in_one_line(text: str) -> str:
    """The beginning of what was said."""
    return plain(" ".join(text.split()))[:300] or "failed"


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise TimeoutError when so much time has passed."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def rename_corpus(plan: Plan, work: Path) -> None:
    """Let what was read of a corpus name it as the configuration does."""
    own = plan.own
    root = str(Path(own.table).parent) if isinstance(own, Recordings) else plan.config.iemocap_root
    root = "results" if isinstance(own, Union) else root
    for name in ("utterances.csv", "annotations.csv", "corpus.json"):
        file = work / plan.at(name)
        old = file.read_bytes()
        file.write_bytes(old.replace(f"{CORPUS}/".encode(), f"{root}/".encode()))


def parents(name: str) -> Iterator[str]:
    """The folders that a file lies in: a/b/c -> a/b, a."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def behind(name: str, outputs: Container[str]) -> str:
    """The output that a file is or lies in; empty: none."""
    return next((own for own in (name, *parents(name)) if own in outputs), "")


def mirror(given: Mapping[str, Path], work: Path) -> None:
    """Link files of results into a folder, under the names that the workflow gives them.

    One whose place is taken, as it lies where a folder should be, is left out.
    """
    for name, file in given.items():
        place = work / name
        if name.startswith("results/"):
            with suppress(FileExistsError, NotADirectoryError):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(file)
