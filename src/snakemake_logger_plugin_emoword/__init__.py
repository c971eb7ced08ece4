"""Progress of a run in few lines, for `snakemake --logger emoword`, which ./run adds.

A stage is a rule: one line when all its jobs are done. On a terminal the last line is live, with a
bar; in a pipe a long stage has a line each half minute. A job that fails is said with the last
lines of its log. Everything that Snakemake says is in .snakemake/log, as ever.
"""

import logging
import os
import shutil
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from emoword.io.errors import plain

BAR = 24  # characters
EVERY = 30  # seconds between two lines of a stage in a pipe
LAST = 12  # lines of a failed job's log
ASKED = ("mem_mb", "runtime", "cpus_per_task", "gpu", "gres", "slurm_partition")  # of a scheduler
NOTHING = "Nothing to be done"  # goes by times: an edit that keeps them is not seen
SAID = ("Trying to restart", "Complete log")


@dataclass
class Stage:
    """The jobs of a rule.

    Attributes:
        total: how many are planned.
        done, running: job ids.
        busy: seconds in which at least one ran, up to ``since``.
        since: when the last one began or ended.
        told: the time of its last line in a pipe.
        asks: the resources that one of its jobs asks a scheduler for.
    """

    total: int
    done: set[int] = field(default_factory=set)
    running: set[int] = field(default_factory=set)
    busy: float = 0
    since: float = 0
    told: float = 0
    asks: str = ""

    def tick(self) -> None:
        """Count the time since the last change, if a job ran; called before each change."""
        now = time.monotonic()
        if self.running:
            self.busy += now - self.since
        self.told = self.told or now
        self.since = now

    def __str__(self) -> str:
        """``23/50, 1 min left``, by what the jobs took so far."""
        counted, left = f"{len(self.done)}/{self.total}", self.total - len(self.done)
        if left <= 0:
            return f"{counted}, {duration(self.busy)}"
        if not self.done:
            return counted
        return f"{counted}, {duration(self.busy / len(self.done) * left, coarse=True)} left"


class LogHandler(LogHandlerBase):
    """What Snakemake sends its log records to."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.stream = sys.stdout if self.common_settings.dryrun else sys.stderr
        terminal = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.live = terminal and not self.common_settings.dryrun
        plain_text = self.common_settings.nocolor or os.environ.get("NO_COLOR")
        self.coloured = terminal and not plain_text
        self.clear = "\r\x1b[K" if self.live else ""  # takes the live line away
        self.stages: dict[str, Stage] = {}
        self.rule_of: dict[int, str] = {}
        self.groups: list[str] = []
        self.failed = False
        self.begun = time.monotonic()
        self.last = ""  # what Snakemake said without running anything

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one record, and write what it changes."""
        try:
            self.take(record)
        except Exception:  # a handler must never stop a run
            self.handleError(record)

    def take(self, record: Any) -> None:
        """One record, by the kind of event that Snakemake gives it."""
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self.plan(record.stats)
            case LogEvent.JOB_INFO:
                self.start(record)
            case LogEvent.JOB_FINISHED:
                self.finish(record.job_id)
            case LogEvent.JOB_ERROR:
                self.fail(record)
            case LogEvent.GROUP_INFO:
                self.groups.append(str(record.group_id))
            case LogEvent.GROUP_ERROR:
                for log in record.aux_logs:
                    self.say_log("jobs that were submitted together failed", log)
            case LogEvent.PROGRESS if record.done == record.total and not self.failed:
                self.say(f"{record.total} jobs in {duration(time.monotonic() - self.begun)}")
            case None | LogEvent.ERROR:
                self.message(record)

    def plan(self, stats: dict[str, int]) -> None:
        """What is to be made; a dry run says it again at its end, and is told then."""
        if not self.stages:
            self.stages = {rule: Stage(n) for rule, n in stats.items() if rule != "total"}
            return
        width = max(map(len, self.stages))
        for rule, stage in self.stages.items():
            self.say(f"{rule:{width}} {stage.total:4} {stage.asks}".rstrip())
        self.say(f"{stats['total']} jobs would run; with -p, each with its command")
        if self.groups:
            grouped = ", ".join(f"{n} of {kind}" for kind, n in Counter(self.groups).items())
            self.say(f"submitted together: {grouped}; the others by themselves, or run here")

    def start(self, record: Any) -> None:
        """A job begins, or is submitted."""
        rule = record.rule_name
        stage = self.stages.setdefault(rule, Stage(0))
        if not record.output:  # a rule that only collects
            del self.stages[rule]
            return
        if self.common_settings.dryrun:
            asked = dict(record.resources.items())
            if "mem_mb" in asked:
                stage.asks = ", ".join(f"{key}={asked[key]}" for key in ASKED if key in asked)
            return
        self.rule_of[record.jobid] = rule
        stage.tick()
        stage.running.add(record.jobid)
        self.draw()

    def finish(self, job: int) -> None:
        """A job is done."""
        rule = self.rule_of.get(job, "")
        if (stage := self.stages.get(rule)) is None:
            return
        stage.tick()
        stage.done.add(job)
        stage.running.discard(job)
        whole = len(stage.done) >= stage.total
        if whole or (not self.live and stage.since - stage.told > EVERY):
            stage.told = stage.since
            self.say(f"{rule} {stage}", "32" if whole else "")
        self.draw()

    def fail(self, record: Any) -> None:
        """A job failed: the end of its log. Jobs that went with it are whole, or never began."""
        stage = self.stages.get(record.rule_name)
        if stage:
            stage.tick()
            stage.running.discard(record.jobid)
        logs = [log for log in record.log if Path(log).is_file()]
        if record.indent and (not logs or all(Path(path).exists() for path in record.output)):
            return
        self.failed = True
        for log in logs:
            self.say_log(f"{record.rule_name} failed", log)
        if not logs:
            self.say(f"{record.rule_name} failed, and wrote no log: {record.rule_msg or ''}", "31")

    def say_log(self, what: str, log: str) -> None:
        """The last lines of a log, and where it lies."""
        lines = list[str]()
        with suppress(OSError):
            lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
        self.say(f"{what}; the log ({log}) ends with", "31")
        for line in lines[-LAST:] or ["(it is empty)"]:
            self.say(f"    {line}")

    def message(self, record: logging.LogRecord) -> None:
        """What Snakemake says beside events: warnings, errors, and of the rest what matters."""
        text = record.getMessage()
        # a failed job, which has its own event; an account that Slurm knows by itself
        if "CalledProcessError in file" in text or "SLURM account" in text:
            return
        if record.levelno >= logging.WARNING:
            for line in text.splitlines():
                self.say(line, "31" if record.levelno >= logging.ERROR else "33")
        elif record.levelno == logging.INFO and text not in ("", "None"):
            if self.stages and text.startswith(SAID[: 1 + self.failed]):
                self.say(text)
            self.last = text

    def say(self, text: str, colour: str = "") -> None:
        """One line, above the live one."""
        text = plain(text)
        if colour and self.coloured:
            text = f"\x1b[{colour}m{text}\x1b[0m"
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Text in place of the live line."""
        self.stream.write(f"{self.clear}{text}")
        self.stream.flush()

    def draw(self) -> None:
        """The live line: what runs, that with the most jobs first, and a bar of it."""
        if not self.live:
            return
        running = [(name, stage) for name, stage in self.stages.items() if stage.running]
        running.sort(key=lambda named: -named[1].total)
        line = "; ".join(f"{name} {stage}" for name, stage in running)
        if running:
            _, stage = running[0]
            full = BAR * len(stage.done) // max(1, stage.total)
            line = f"[{'#' * full:.<{BAR}}] {line}"
        self.write(line[: shutil.get_terminal_size().columns - 1])

    def close(self) -> None:
        """The end: of a call that ran nothing, what Snakemake said last."""
        self.write("")
        if not self.stages and self.last:
            self.say(self.last)
        if self.last.startswith(NOTHING) and not self.common_settings.dryrun:
            from emoword.audit.provenance import edited_since  # pandas: only where it is needed

            for config in Path("results").glob("*/config.json"):
                if edited := edited_since(config.parent):
                    self.say(f"WARNING: {edited}", "33")
        self.last = ""
        super().close()


def duration(seconds: float, coarse: bool = False) -> str:
    """``40 s``, ``2 min 10 s``, ``3 h 5 min``; coarse: in tens of seconds, then whole minutes.

    >>> [duration(s) for s in (0.2, 59.7, 130, 600, 11100)]
    ['1 s', '1 min', '2 min 10 s', '10 min', '3 h 5 min']
    >>> [duration(s, coarse=True) for s in (3, 44, 89, 130, 11100)]
    ['10 s', '40 s', '1 min', '2 min', '3 h 5 min']
    """
    step = 60 if seconds >= 3600 or (coarse and seconds >= 60) else 10 if coarse else 1
    whole = max(1, round(seconds / step)) * step
    parts = ((whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n)
