"""What each command leaves when it is killed, or its disk, memory or input fails: a table.

    python tests/fault_matrix.py --out /tmp/faults            ten kills a command: half an hour
    python tests/fault_matrix.py --out /tmp/faults --kills 2

A command runs in a folder of links to small finished results, without its own outputs. After each
fault every output has to be away or whole; the command, run again, has to give the same bytes as
without faults and to sweep what was left; what it says of a fault is one line, without a traceback.
"""

import argparse
import platform
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from auditing import make_results
from emoword import __version__
from emoword.io.files import sha256_of
from emoword.pipeline import Plan
from emoword.settings import load_config

LONGEST = 120  # seconds; a command takes two to five
D = "results/demo"
# command -> the input that is cut, or changes while it is read
COMMANDS = {
    "demo": "",
    "read-iemocap": "corpus/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    "label-set": "annotations.csv",
    "encode": "targets/S1-*/words.csv",
    "features": "corpus/Session1/sentences/wav/*/*F000.wav",
    "train": "vectors/S1-*/vectors.npy",
    "decide": "runs/S1-lc-*/fold1-seed0/predictions.npy",
    "evaluate": "decisions/paper.csv",
    "table": "metrics.csv",
    "figure": "neighbours/paper_means.csv",
    "page": "nearest/paper.csv",
}
FAULTS = ("killed", "disk full", "memory", "read only", "input cut", "input changed")
Limit = Callable[[], None] | None


@dataclass
class Stage:
    """A command, and the files that it makes of the others of finished results.

    Attributes:
        words: the command as typed, without ``emoword``.
        root: the folder that holds the finished results.
        work: a folder of links to them, in which it runs.
        source: the input that faults are made in, as seen from ``work``; may be empty.
        made: its outputs -> their sha256.
        took: seconds that it takes.
        space: bytes of address space that it takes.
        findings: what is not as it should be.
    """

    words: Sequence[str]
    root: Path
    work: Path
    source: str
    made: dict[str, str] = field(default_factory=dict)
    took: float = 0
    space: int = 0
    findings: list[str] = field(default_factory=list)

    def prepare(self, outputs: Sequence[str]) -> None:
        """Link all files but the outputs, run the command once, and keep what it made in mind."""
        for path in [*self.root.glob("results/**/*"), self.root / "paper"]:
            name = path.relative_to(self.root)
            own = name.name != "settings.json" and any(name.is_relative_to(o) for o in outputs)
            if path.is_file() and not own and name.parts[-1][0] != ".":
                (self.work / name).parent.mkdir(parents=True, exist_ok=True)
                (self.work / name).symlink_to(path)
        (self.work / "paper").symlink_to(self.root / "paper")
        before, begun = self.files(), time.monotonic()
        process = self.start()
        while process.poll() is None:
            self.space = max(self.space, address_space(process.pid))
            time.sleep(0.02)
        status, said = ended(process)
        assert status == 0, said
        self.took = time.monotonic() - begun
        self.made = {name: sha256_of(self.work / name) for name in self.files() - before}
        self.clear()

    def files(self) -> set[str]:
        return {str(path.relative_to(self.work)) for path in self.work.rglob("*") if path.is_file()}

    def clear(self) -> None:
        for name in self.made:
            (self.work / name).unlink(missing_ok=True)
            for folder in Path(name).parents[:-2]:
                with suppress(OSError):  # not empty
                    (self.work / folder).rmdir()

    def start(self, limit: Limit = None, before: Sequence[str] = ()) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*before, sys.executable, "-m", "emoword", *self.words],
            cwd=self.work,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=limit,
        )

    def run(self, limit: Limit = None, before: Sequence[str] = ()) -> tuple[int, str]:
        return ended(self.start(limit, before))

    def whole(self) -> bool:
        """Whether each output is there and the same."""
        return all(
            (self.work / name).is_file() and sha256_of(self.work / name) == sha256
            for name, sha256 in self.made.items()
        )

    def check(self, fault: str, status: int, said: str) -> str:
        """What a fault led to: `in time` if it came too late to matter, else `a line`, or `cut`."""
        there = [name for name in self.made if (self.work / name).exists()]
        wrong = [n for n in there if sha256_of(self.work / n) != self.made[n]]
        line = said.strip().split("\n")[-1]
        if "Traceback" in said or status in (None, -signal.SIGSEGV, -signal.SIGABRT):
            self.findings.append(f"{fault}: status {status}: {line[:150]}")
            return "TRACEBACK" if "Traceback" in said else "CRASH"
        if status == 0:
            result = "no harm" if not wrong and self.whole() else "other output"
            if result != "no harm" and "input" not in fault:
                self.findings.append(f"{fault}: status 0, other output: {wrong[:2]}")
        elif wrong:
            self.findings.append(f"{fault}: half an output: {wrong[:2]}")
            result = "HALF"
        else:
            ours = "emoword" in line or line.startswith("OpenBLAS")  # which ends by itself
            if status > 0 and (not ours or len(line) > 900):
                self.findings.append(f"{fault}: says {line[:150]!r}")
            result = "a line" if status > 0 else "killed"
        self.clear()
        return result

    def again(self, fault: str) -> str:
        """Run without a fault: the same bytes, and nothing left beside them."""
        status, said = self.run()
        same = status == 0 and self.whole()
        left = [name for name in self.files() - {*self.made} if "/." in name]
        if not same or left:
            self.findings.append(
                f"{fault}: again: status {status}, {said[-150:]!r}, left {left[:2]}"
            )
        self.clear()
        return "same bytes" if same and not left else "NOT AGAIN"


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the end, but not for ever."""
    try:
        _, said = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return -signal.SIGABRT, "hangs"
    return process.returncode, said


def address_space(process: int) -> int:
    """Bytes that a process has mapped at most so far; 0 once it is gone."""
    with suppress(OSError):
        said = Path(f"/proc/{process}/status").read_text()
        for line in said.splitlines():
            if line.startswith("VmPeak:"):
                return int(line.split()[1]) * 1024
    return 0


def limited(kind: int, most: int) -> Limit:
    return lambda: resource.setrlimit(kind, (most, most))


def killed(stage: Stage, kills: int, moments: random.Random) -> Iterator[str]:
    """SIGKILL at random moments; the command is run again after the last."""
    for _ in range(kills):
        process = stage.start()
        time.sleep(moments.uniform(0, stage.took))
        process.kill()
        yield stage.check("killed", *ended(process))
    yield stage.again("killed")


def full(stage: Stage) -> Iterator[str]:
    """No file may be larger than a part of the largest output."""
    largest = max((stage.root / name).stat().st_size for name in stage.made)
    for most in (100, largest // 2):
        yield stage.check("disk full", *stage.run(limited(resource.RLIMIT_FSIZE, most)))
    yield stage.again("disk full")


def memory(stage: Stage) -> Iterator[str]:
    """Too little address space: for the imports, and nearly enough."""
    for part in (0.5, 0.95):
        most = int(part * stage.space)
        yield stage.check("memory", *stage.run(limited(resource.RLIMIT_AS, most)))
    yield stage.again("memory")


def read_only(stage: Stage) -> Iterator[str]:
    """The folders of the outputs cannot be written, nor by root, who gives up the right to."""
    plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    folders = {(stage.work / name).parent for name in stage.made} | {stage.work / D}
    folders |= {folder.parent for folder in folders if folder.parent.is_relative_to(stage.work / D)}
    folders = {folder for folder in folders if folder.is_dir()}
    for folder in folders:
        folder.chmod(0o555)
    yield stage.check("read only", *stage.run(before=plain if shutil.which("setpriv") else ()))
    for folder in folders:
        folder.chmod(0o755)
    yield stage.again("read only")


def source_of(stage: Stage) -> tuple[Path, bytes]:
    """The input, as a file of its own instead of a link, and what it holds."""
    path = stage.work / stage.source
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path, content


def cut(stage: Stage) -> Iterator[str]:
    """The input ends in its middle, and is empty."""
    path, content = source_of(stage)
    for part in (content[: len(content) // 2], b""):
        path.write_bytes(part)
        yield stage.check("input cut", *stage.run())
    path.write_bytes(content)
    yield stage.again("input cut")


def changed(stage: Stage, kills: int, moments: random.Random) -> Iterator[str]:
    """The input is cut at a random moment while the command runs."""
    path, content = source_of(stage)
    for _ in range(kills):
        process = stage.start()
        time.sleep(moments.uniform(0, stage.took))
        path.write_bytes(content[: len(content) // 2])
        yield stage.check("input changed", *ended(process))
        path.write_bytes(content)
    yield stage.again("input changed")


def stages(root: Path, work: Path, wanted: Sequence[str] = tuple(COMMANDS)) -> Iterator[Stage]:
    """The commands, one of each, ready to be harmed."""
    plan = Plan(load_config(root / D / "config.json"))
    steps = [step for step in plan.steps() if step.usual and "network" not in step.subject]
    found = {step.name: (step.words, step.outputs) for step in reversed(steps)}  # the first of each
    model = plan.first.models[0]
    common = ["--utterances", f"{D}/utterances.csv"]
    targets, out = f"{D}/{plan.first.targets['S1']}", f"{D}/features/logmel/shard1of1"
    words = ["features", f"{D}/features/logmel/settings.json", *common, "--shard", "1/1"]
    found["features"] = ([*words, "--out", out], (out,))
    out = f"{D}/{model.folder}/fold1-seed0"
    words = ["train", f"{D}/{model.folder}/settings.json", *common, "--truth", targets]
    words += ["--targets", targets, "--vectors", f"{D}/{plan.first.vectors['S1']}", "--fold", "1"]
    found["train"] = ([*words, "--features", f"{D}/features/logmel", "--out", out], (out,))
    for name in wanted:
        words, outputs = found[name]
        source = COMMANDS[name]
        first = sorted((root / D).glob(source))[0] if source else None
        stage = Stage(words, root, work / name, str(first.relative_to(root)) if first else "")
        stage.prepare(outputs)
        yield stage


def harm(stage: Stage, fault: str, kills: int, moments: random.Random) -> list[str]:
    """All of a fault; what each led to, the run afterwards last."""
    without_source = {
        "killed": lambda: killed(stage, kills, moments),
        "disk full": lambda: full(stage),
        "memory": lambda: memory(stage),
        "read only": lambda: read_only(stage),
    }
    of_source = {
        "input cut": lambda: cut(stage),
        "input changed": lambda: changed(stage, kills, moments),
    }
    if fault in of_source:
        return list(of_source[fault]()) if stage.source else []
    return list(without_source[fault]())


def in_short(outcomes: Sequence[str]) -> str:
    """``10 killed; same bytes``."""
    counts = {what: outcomes[:-1].count(what) for what in dict.fromkeys(outcomes[:-1])}
    return ", ".join(f"{n} {what}" for what, n in counts.items()) + f"; {outcomes[-1]}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder; results are kept there")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    given = parser.parse_args()
    root, work = given.out.resolve() / "root", given.out.resolve() / "work"
    if not root.exists():
        make_results(root)
    shutil.rmtree(work, ignore_errors=True)
    moments = random.Random(given.seed)  # noqa: S311  no secret
    tried, findings = 0, list[str]()
    print(
        f"emoword {__version__}, Python {platform.python_version()}, {platform.system()}, ", end=""
    )
    print(f"{datetime.now(UTC):%Y-%m-%d}: `python tests/fault_matrix.py --kills {given.kills}`\n")
    print("| command |", " | ".join(FAULTS), "|\n|---|" + "---|" * len(FAULTS))
    for stage in stages(root, work, given.commands):
        cells = []
        for fault in FAULTS:
            outcomes = harm(stage, fault, given.kills, moments)
            tried += len(outcomes)
            cells.append(in_short(outcomes) if outcomes else "-")
        print(f"| {stage.words[0]} |", " | ".join(cells), "|", flush=True)
        findings += [f"{stage.words[0]}: {finding}" for finding in stage.findings]
    print(f"\n{tried} runs, {len(findings)} findings", *findings, sep="\n")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
