"""Run the commands that results consist of again, in a folder of their own.

The folder holds what no command makes (predictions, frames) as links to the files of the results,
which are read, and `paper`, the repository's own; what a command gives is written into it, under
names that were free. Of what the results say, only config.json decides what runs, and only by the
names and choices that `emoword.settings` lets pass.
"""

import signal
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from itertools import chain
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
    """Recompute what can be recomputed of some results.

    Args:
        given: the results.
        work: an empty folder, in which it is done.
        corpus: where the corpus lies, if it is here.
    """
    plan = Plan(given.config, corpus=CORPUS if corpus else "")
    there = {*given.files, *(parent for name in given.files for parent in parents(name))}
    steps = [step for step in plan.steps() if step.usual or there.intersection(step.outputs)]
    usual = plan.usual()
    texts = {name: text for name, text in plan.written().items() if name in usual or name in there}
    outputs = {output for step in steps for output in step.outputs}
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
    kept = {
        name: file
        for name, file in given.files.items()
        if name not in texts and outputs.isdisjoint((name, *parents(name)))
    }
    mirror(kept, work)
    for step in (bar := tqdm(steps, disable=None, leave=False)):
        bar.set_description(step.name)
        lacking = next((name for name in needs(step, plan) if not (work / name).exists()), "")
        if lacking:
            remade.lacking |= dict.fromkeys(step.outputs, lacking)
        else:
            attempt(step, work, remade)
        if step.outputs[0] not in {**remade.lacking, **remade.failed}:
            if corpus and step.name.startswith(("read-", "unite")):
                rename_corpus(plan, work)
            continue
        # in place of what could not be recomputed, what the results have is taken as it is
        for name in given.files:
            if not set(step.outputs).isdisjoint((name, *parents(name))) and name not in texts:
                (work / name).unlink(missing_ok=True)
                mirror({name: given.files[name]}, work)
    return remade


def needs(step: Step, plan: Plan) -> Iterator[str]:
    """What a command reads that may not be here, though all is well: an archive leaves it out."""
    if step.name == "export":
        yield f"{step.subject[0]}/weights.safetensors"
        yield from held(plan.at(plan.first.space))
    values = (v if isinstance(v, (list, tuple)) else [v] for v in step.reads.values())
    for word in (*step.subject, *chain.from_iterable(values)):
        path = PurePosixPath(str(word))
        if path.parts[:1] != ("results",):
            continue
        if path.parent.name == "variants":
            own = plan.parts.variants[path.stem]
            folders = [own.space, *own.targets.values()]
            files = list[str]()
            if step.name in ("check-leaks", "linear", "temperature"):
                shards = plan.config.feature_shards
                parts = (f"{own.features}/shard{k}of{shards}" for k in range(1, shards + 1))
                files = [f"{folder}/frames.npy" for folder in parts]
            if step.name in ("check-leaks", "temperature"):
                files += [f"{folder}/weights.safetensors" for folder in own.runs()]
            yield from (plan.at(file) for file in files)
            yield from chain.from_iterable(held(plan.at(folder)) for folder in folders)
        else:
            yield from held(str(path))


def held(path: str) -> list[str]:
    """A file, or what a folder of a label set or word space holds."""
    if "/spaces/" in path and not path.endswith(".json"):
        return [f"{path}/meta.json", f"{path}/vectors.npy"]
    return [f"{path}/words.csv"] if path.rpartition("/")[0].endswith("/targets") else [path]


def attempt(step: Step, work: Path, remade: Remade) -> None:
    """Run a command, and take note of what it wrote."""
    before = len(files.written)
    with chdir(work):
        failed = run_step(step)
    if failed:
        remade.failed |= dict.fromkeys(step.outputs, failed)
        return
    remade.commands += 1
    written = dict.fromkeys(str(path) for path in files.written[before:])
    remade.made |= {name: work / name for name in written if (work / name).is_file()}


def run_step(step: Step) -> str:
    """Run a command in the working folder; returns why it failed, in one line."""
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as said, at_most(LONGEST):
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
