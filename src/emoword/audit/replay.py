"""Run recorded commands again, each in a folder that holds only what it read at the time.

A command is run as it was recorded, so that its outputs land at the same relative paths, in a
sandbox: links to its inputs, each with the very bytes that the record names, and nothing else. A
file that was edited since is not used; what its maker gives when run again is.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from difflib import unified_diff
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from emoword.audit.recording import sha256
from emoword.audit.records import Job, Ledger
from emoword.io.errors import InputError

# what recomputing would need; all other stages are run again
NEEDS = {
    "demo": "the audio's synthesis",
    "space": "the source of the word space",
    "transform-space": "the whole word space",
    "check-leaks": "the frames of the audio",
    "features": "audio",
    "join-features": "audio",
    "train": "audio and a training",
    "fetch": "the network",
    "paper": "LaTeX, which is no reader of strangers' archives",
    "page": "everything there is: it is for looking at",
}
# stages that ask whether audio files exist, and do not read them: empty ones do
LOOK_FOR_AUDIO = ("read-iemocap", "read-recordings")


class Replay:
    """What came out of jobs that were run again.

    Attributes:
        made: path -> the recomputed file.
        done: the jobs that ran.
        undone: job -> why it could not be run.
    """

    def __init__(self, ledger: Ledger, scratch: Path, roots: Sequence[tuple[str, Path]] = ()):
        """Prepare to run jobs again.

        Args:
            ledger: the jobs.
            scratch: an empty folder for sandboxes.
            roots: (as recorded, here): folders outside the root, such as a corpus.
        """
        self.ledger = ledger
        self.scratch = scratch
        self.roots = roots
        self.made: dict[str, Path] = {}
        self.done: list[Job] = []
        self.undone: dict[str, str] = {}
        self._hashes: dict[Path, str] = {}

    def hash(self, file: Path) -> str:
        """The sha256 of a file, taken once; empty if it is not there."""
        if file not in self._hashes:
            self._hashes[file] = sha256(file) if file.is_file() else ""
        return self._hashes[file]

    def here(self, path: str) -> Path:
        """Where a recorded file lies, or would lie, on this machine."""
        for recorded, ours in self.roots:
            if Path(path).is_relative_to(recorded):
                return ours / Path(path).relative_to(recorded)
        return self.ledger.file(path)

    def find(self, path: str, digest: str) -> Path | None:
        """A file with the bytes that a reader recorded: the one that lies there, or recomputed."""
        for file in (self.here(path), self.made.get(path)):
            if file is not None and digest and self.hash(file) == digest:
                return file
        return None

    def run(self, jobs: Iterable[Job], tell: Callable[[Job], None]) -> None:
        """Run jobs again, as many at a time as there are CPUs, each after those it reads from."""
        wanted = {job.name: job for job in jobs}
        sorter = TopologicalSorter(
            {
                name: [self.ledger.maker[path].name for path in job.inputs if self.comes(path, job)]
                for name, job in wanted.items()
            }
        )
        try:
            sorter.prepare()
        except CycleError as error:
            raise InputError(f"{self.ledger.root}: jobs that wait for one another") from error
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            running: dict[Future[str], tuple[Job, Path]] = {}
            while sorter.is_active():
                for name in sorter.get_ready():
                    made = self.sandbox(wanted[name]) if name in wanted else "not asked for"
                    if isinstance(made, str):
                        if name in wanted:
                            self.undone[name] = made
                            tell(wanted[name])
                        sorter.done(name)
                    else:
                        running[pool.submit(run_stage, *made)] = (wanted[name], made[1])
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job, place = running.pop(future)
                    failed = future.result()
                    if failed:
                        self.undone[job.name] = failed
                    else:
                        self.done.append(job)
                        self.take(job, place)
                    tell(job)
                    sorter.done(job.name)

    def comes(self, path: str, job: Job) -> bool:
        """Whether an input is made by another job."""
        return path in self.ledger.maker and self.ledger.maker[path].name != job.name

    def sandbox(self, job: Job) -> tuple[list[str], Path] | str:
        """Make a job's sandbox; returns its command and folder, or why it cannot be run."""
        if job.stage in NEEDS:
            return f"needs {NEEDS[job.stage]}"
        sources = {path: self.find(path, digest) for path, digest in job.inputs.items()}
        lost = [path for path, file in sources.items() if file is None]
        if lost:
            return self.why_lost(lost)
        folder = self.scratch / job.name.replace("/", "+")
        depth = max(map(ups, [*sources, *job.outputs]), default=0)
        place = folder.joinpath(*["x"] * (depth + 1))
        recorded = [old for old, _ in self.roots]
        for word in job.command:
            for part in (word, word.partition("=")[2]):
                known = any(Path(part).is_relative_to(root) for root in recorded)
                if not known and (Path(part).is_absolute() or ups(part) > depth):
                    return f"its command leads out of the folder: {word}"
        place.mkdir(parents=True)
        for path, file in sources.items():
            if file is not None and not Path(path).is_absolute():
                inside(place, path).symlink_to(file.absolute())
        if job.stage in LOOK_FOR_AUDIO:
            for audio in job.record.get("looked_for", []):
                if not Path(audio).is_absolute():
                    inside(place, audio).touch()
        return [str(self.moved(word)) for word in job.command], place

    def take(self, job: Job, place: Path) -> None:
        """Take note of what a job left in its sandbox."""
        for path in job.outputs:
            file = inside(place, path)
            if file.is_file():
                self.write_old_roots(file)
                self.made[path] = file

    def moved(self, path: str) -> str | Path:
        """An absolute path in one of `roots` as it is here; anything else as it is.

        Relative ones are linked at their place in the sandbox.
        """
        outside = Path(path).is_absolute()
        known = any(Path(path).is_relative_to(recorded) for recorded, _ in self.roots)
        return self.here(path) if outside and known else path

    def write_old_roots(self, file: Path) -> None:
        """Put the recorded folders back into a text that names files of a corpus."""
        for recorded, ours in self.roots:
            if Path(recorded).is_absolute() and file.suffix in (".csv", ".json"):
                old = file.read_bytes()
                file.write_bytes(old.replace(str(ours).encode(), recorded.encode()))

    def why_lost(self, lost: Sequence[str]) -> str:
        """Why a job cannot be run again: what it read is not there, or not as it was."""
        gone = [path for path in lost if not self.here(path).exists()]
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        if gone:
            outside = any(Path(gone[0]).is_relative_to(recorded) for recorded, _ in self.roots)
            remedy = "; say where it lies: emoword verify --corpus" if outside else ""
            return f"it read {gone[0]}{more}, not here{remedy}"
        return f"it read other bytes than lie in {lost[0]}{more}"


def run_stage(command: Sequence[str], place: Path) -> str:
    """Run a command of emoword in a folder, in a process of its own.

    Returns:
        What went wrong, in one line; nothing if all went well.
    """
    from emoword.cli import main

    log = place / "log"
    with (
        contextlib.chdir(place),
        log.open("w", encoding="utf-8") as stream,
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        try:
            main(command)
        except SystemExit as left:
            if left.code:
                return f"failed: {left.code}"
        except Exception as error:  # a file that nobody foresaw: say so, and go on
            return f"failed: {type(error).__name__}: {error}"
    return ""


def ups(path: str) -> int:
    """How many folders a relative path leads up."""
    return os.path.normpath(path).split("/").count("..")


def inside(place: Path, path: str) -> Path:
    """A recorded path in a sandbox, whose folder is made."""
    file = Path(os.path.normpath(place / path))
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def differences(there: Path, anew: Path, most: int = 3) -> Iterator[str]:
    """In words, where a text file differs from what it is when made anew."""
    try:
        ours = there.read_text(encoding="utf-8").split("\n")
        theirs = anew.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        return
    if len(ours) != len(theirs):
        changes = [x for x in unified_diff(theirs, ours, n=0, lineterm="") if x[0] in "+-"][2:]
        for change in changes[:most]:
            yield f"{'added' if change[0] == '+' else 'taken away'}: {clipped(change[1:])}"
        if len(changes) > most:
            yield f"and {len(changes) - most} more lines"
        return
    header = ours[0].split(",")
    pairs = [
        (number, a, b)
        for number, (a, b) in enumerate(zip(ours, theirs, strict=True), start=1)
        if a != b
    ]
    told = 0
    for number, a, b in pairs:
        cells, anew_cells = a.split(","), b.split(",")
        if there.suffix == ".csv" and len(cells) == len(anew_cells) == len(header) and number > 1:
            triples = zip(header, cells, anew_cells, strict=True)
            said = [f"{name}: {x!r}; made anew {y!r}" for name, x, y in triples if x != y]
        else:
            said = [f"{clipped(a)}; made anew {clipped(b)}"]
        for text in said[: most - told]:
            yield f"line {number}, {text}"
        told += len(said)
        if told > most:
            yield f"and more; {len(pairs)} lines differ"
            return


def clipped(line: str) -> str:
    """The beginning of a line, quoted."""
    return repr(line if len(line) <= 90 else line[:87] + "...")
