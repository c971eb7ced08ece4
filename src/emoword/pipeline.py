"""The commands that a folder of results consists of, but for trainings and what needs audio.

They follow from the configuration and the layout alone, so that nothing that lies beside the
results decides what `emoword verify` recomputes. The same commands stand in workflow/rules; a test
compares the two, word by word.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from emoword import layout
from emoword.layout import Variant
from emoword.settings import AnySpace, Config, Dataset, Demo, Embedded, Recordings, Union, one

TABLES = ("1", "2", "3", "4", "5", "6")
TEMPLATE = {"template": "paper/templates/table.tex.j2"}
LITERATURE = {"literature": "paper/literature.csv"}
REPORTED = "paper/reported.csv"
COPIED = {"tables/tables.tex": "paper/tables.tex", "tables/refs.bib": "paper/refs.bib"}


@dataclass(frozen=True)
class Step:
    """A command, below the working folder that holds ``results`` and ``paper``.

    Attributes:
        name: of the command.
        subject: what it is about, and stands without an option.
        reads: option -> what it is made from, or how.
        makes: option -> file or folder that it writes.
        usual: of a plain run; others are made when they are asked for.
        files: what it writes, if not what ``makes`` names.
    """

    name: str
    subject: Sequence[str] = ()
    reads: Mapping[str, Any] = field(default_factory=dict)
    makes: Mapping[str, str] = field(default_factory=dict)
    usual: bool = True
    files: Sequence[str] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The files or folders that it writes."""
        return tuple(self.files or self.makes.values())

    @property
    def words(self) -> list[str]:
        """The command as typed, without ``emoword``."""
        return [self.name, *self.subject, *option_words({**self.reads, **self.makes})]


def option_words(options: Mapping[str, Any]) -> Iterator[str]:
    """{"batch_size": 16, "pools": [2, 2]} -> --batch-size 16 --pools 2 2.

    True is a flag alone; False, None and what is empty are left out.
    """
    for name, value in options.items():
        if value is False or value is None or value in ("", [], ()):
            continue
        yield f"--{name.replace('_', '-')}"
        if isinstance(value, (list, tuple)):
            yield from map(str, value)
        elif value is not True:
            yield str(value)


def demo_options(own: Demo) -> dict[str, Any]:
    """The options of `emoword demo`."""
    return {"utterances": own.utterances, "seed": own.synthesis_seed, "emotions": own.emotions}


def reader_options(own: Dataset) -> dict[str, Any]:
    """The options that the readers of corpora share."""
    return {"folds": own.folds, "skip_missing_audio": own.skip_missing_audio}


def space_options(own: AnySpace) -> dict[str, Any]:
    """The options of `emoword space`; where the source is fetched from is not for it."""
    named = ("source", "words", "vector", "hide_phrases")
    return {
        "format": own.__struct_config__.tag,
        **{name: getattr(own, name, None) for name in named},
        "most_frequent": own.filter.most_frequent or None,
        "lowercase_alphabetic": own.filter.lowercase_alphabetic,
        "spelled": own.filter.spelled,
        "keep": own.filter.words,
    }


class Plan:
    """The commands of a dataset.

    Attributes:
        folder: ``results/{dataset}``.
        first: the variant that tables and figures show.
    """

    def __init__(self, config: Config, dataset: str = "", corpus: str = "") -> None:
        """Prepare.

        Args:
            config: the configuration.
            dataset: a block of it; empty: that which is run.
            corpus: where a corpus lies that is not made by emoword, if it is here.
        """
        self.config = config
        self.dataset = dataset or config.dataset
        self.own: Dataset = one(config, "datasets", self.dataset)
        self.parts = layout.parts_of(config, self.dataset)
        self.variants = [self.parts.variants[name] for name in self.own.variants]
        self.first = self.variants[0]
        self.folder = f"results/{self.dataset}"
        self.corpus = self.at("corpus") if isinstance(self.own, Demo) else corpus
        # nothing is compared with what the paper says but IEMOCAP
        self.reported = REPORTED if self.own.kind == "iemocap" else ""
        self.best_rate = self.at("comparisons/rates/best_rate.csv")

    def at(self, *names: str) -> str:
        """A path in the results; ``..`` is resolved."""
        return os.path.normpath("/".join((self.folder, *names)))

    def files(self, name: str, *kinds: str) -> dict[str, str]:
        """Kind -> the file of that ending; a table's kinds are CSV and LaTeX."""
        return {kind: self.at(f"{name}.{kind}") for kind in kinds or ("csv", "tex")}

    def variant(self, own: Variant) -> str:
        """The file of a variant."""
        return self.at(f"variants/{own.name}.json")

    def written(self) -> dict[str, str]:
        """The files that hold settings: path -> text, derived from the configuration."""
        made_by: dict[str, Struct] = {f"variants/{v.name}": v for v in self.parts.variants.values()}
        folders: dict[str, Struct] = {f"runs/{n}": own for n, own in self.parts.models.items()}
        folders |= {f"targets/{name}": own for name, own in self.parts.label_sets.items()}
        for name in {own.settings.upstream for own in self.parts.variants.values()}:
            own = layout.feature_settings(self.config, self.dataset, name)
            folders[f"features/{name}"] = own
        made_by |= {f"{folder}/settings": own for folder, own in folders.items()}
        return {
            self.at(f"{name}.json"): f"{layout.as_json(own)}\n" for name, own in made_by.items()
        }

    def usual(self) -> set[str]:
        """What of `written` a plain run makes."""
        names = set[str]()
        for own in self.variants:
            folders = (*own.targets.values(), own.features, *(m.folder for m in own.models))
            names |= {self.variant(own), *(self.at(f, "settings.json") for f in folders)}
        return names

    def steps(self) -> Iterator[Step]:
        """All commands, each behind those whose outputs it reads."""
        yield from self.read()
        yield from self.spaces()
        yield from self.labels()
        for own in self.parts.variants.values():
            yield from self.evaluation(own)
        yield from self.measured(self.own.variants)
        comparisons = self.config.comparisons_of(self.dataset)
        for name, variants in comparisons.items():
            yield from self.measured(variants, name)
        yield from self.tables()
        yield from self.claims()
        for name in self.figure_options():
            if name != "unseen":
                yield self.figure(name)
        for name, variants in comparisons.items():
            yield from self.comparison(name, variants)
        copied = {"copy_audio": self.first.synthetic}
        yield Step("page", [self.variant(self.first)], copied, {"out": self.at("report")})

    def read(self) -> Iterator[Step]:
        """The corpus, and its reader."""
        own = self.own
        if isinstance(own, Demo):
            yield Step("demo", reads=demo_options(own), makes={"out": self.corpus})
        if not self.corpus:
            return
        name, subject = "read-iemocap", [self.corpus]
        reads = {**reader_options(own), "expected": self.reported}
        if isinstance(own, Recordings):
            named = [Path(path).name for path in (own.table, own.annotations_table)]
            table, rated = (f"{self.corpus}/{name}" if name else "" for name in named)
            name, subject = "read-recordings", [table]
            reads["annotations_table"] = rated
        elif isinstance(own, Union):
            name, subject, reads = "unite", [f"{self.corpus}/{part}" for part in own.of], {}
        files = [self.at(file) for file in ("utterances.csv", "annotations.csv", "corpus.json")]
        yield Step(name, subject, reads, {"out": self.folder}, files=files)

    def spaces(self) -> Iterator[Step]:
        """The word spaces that come with emoword, and need no file of the user's."""
        needed = {own.settings.space for own in self.variants}
        for name, space in self.config.spaces.items():
            if isinstance(space, Embedded) and not space.filter.words:
                makes = {"out": f"results/spaces/{name}"}
                yield Step("space", (), space_options(space), makes, name in needed)

    def labels(self) -> Iterator[Step]:
        """Label sets, the word spaces that are transformed, and the vectors of the sets' words."""
        usual = {f for own in self.variants for f in (*own.targets.values(), *own.vectors.values())}
        corpus = {name: self.at(f"{name}.csv") for name in ("utterances", "annotations")}
        for name, made_by in self.parts.label_sets.items():
            space = f"results/spaces/{made_by.space}" if made_by.space else None
            out = self.at("targets", name)
            reads = {**corpus, "space": space, "reported": self.reported}
            is_usual = f"targets/{name}" in usual
            yield Step("label-set", [f"{out}/settings.json"], reads, {"out": out}, is_usual)
        transformed = {own.space: own for own in reversed(self.parts.variants.values())}
        for folder, own in transformed.items():
            transform, space = own.settings.space_transform, f"results/spaces/{own.settings.space}"
            if transform != "none":
                sets = self.first.targets.values() if transform == "shuffled" else ()
                options = {"transform": transform, "targets": [self.at(name) for name in sets]}
                makes = {"out": self.at(folder)}
                yield Step("transform-space", [space], options, makes, own in self.variants)
        for name, (targets, space) in self.parts.vectors.items():
            reads, makes = {"space": self.at(space)}, {"out": self.at("vectors", name)}
            is_usual = f"vectors/{name}" in usual
            yield Step("encode", [self.at("targets", targets)], reads, makes, is_usual)

    def evaluation(self, own: Variant) -> Iterator[Step]:
        """What the predictions of a variant say."""
        subject, usual, shown = [self.variant(own)], own in self.variants, own is self.first

        def made(stage: str, end: str = ".csv") -> str:
            return self.at(f"{stage}/{own.name}{end}")

        utterances = {"utterances": self.at("utterances.csv")}
        yield Step("check-leaks", subject, utterances, {"out": made("leaks", ".json")}, usual)
        makes = {"out": made("decisions"), "nearest": made("nearest")}
        yield Step("decide", subject, {}, makes, usual)
        makes = {"out": made("neighbours"), "means": made("neighbours", "_means.csv")}
        yield Step("neighbours", subject, {}, makes, shown)
        yield Step("floors", subject, {}, {"out": made("floors")}, shown)
        yield Step("linear", subject, {}, {"out": made("linear")}, usual)
        if self.config.rated(self.dataset):
            yield Step("temperature", subject, {}, {"out": made("temperatures")}, usual=False)

    def measured(self, variants: Sequence[str], comparison: str = "") -> Iterator[Step]:
        """Metrics, intervals and differences of the variants of a plain run, or of a comparison."""
        usual, place = not comparison, f"comparisons/{comparison}/" if comparison else ""
        stages = ("decisions", "linear") if usual else ("decisions",)
        decisions = [self.at(f"{stage}/{name}.csv") for stage in stages for name in variants]
        if comparison == "rates":
            files = [self.variant(self.parts.variants[name]) for name in variants]
            decisions.append(self.best_rate)
            yield Step("best-rate", files, {}, {"out": self.best_rate}, usual=False)
        utterances = {"utterances": self.at("utterances.csv")}
        yield Step(
            "evaluate", decisions, utterances, {"out": self.at(f"{place}metrics.csv")}, usual
        )
        makes = {name: self.at(f"{place}{name}.csv") for name in ("intervals", "differences")}
        yield Step("intervals", decisions, utterances, makes, usual)

    def tables(self) -> Iterator[Step]:
        """The paper's tables, and ours beside the paper's numbers."""
        first = [self.variant(self.first)]
        for number in TABLES:
            reads = {**LITERATURE, "reported": REPORTED, **TEMPLATE}
            makes = self.files(f"tables/table{number}", "csv", "tex", "json")
            yield Step("table", [number, *first], reads, makes)
        for command, table in (("retrieval", "A3"), ("groups", "A8"), ("raters", "A6")):
            yield self.further_table(command, first, {}, table)
        yield Step("compare", first, LITERATURE, {"out": self.at("compare.csv")}, usual=False)
        for name, run in self.first.final().items():
            makes = {"out": self.at("final", name)}
            yield Step("export", [self.at(run)], {}, makes, usual=False)
        makes = {"out": self.at("versus_paper.csv")}
        yield Step("versus-paper", first, {"reported": REPORTED}, makes)

    def further_table(
        self, command: str, subject: Sequence[str], reads: Mapping[str, str], table: str
    ) -> Step:
        """A table that is made when it is asked for."""
        makes = self.files(f"tables/table{table}")
        return Step(command, subject, {**reads, **TEMPLATE}, makes, usual=False)

    def claims(self) -> Iterator[Step]:
        """The paper's claims, and the numbers that the report's text names."""
        first = [self.variant(self.first)]
        reads = {"claims": "paper/claims.yaml", "reported": REPORTED, **LITERATURE}
        makes = {"csv": self.at("claims.csv"), "parts": self.at("claim_parts.csv")}
        makes |= {"tex": self.at("tables/claims.tex"), "html": self.at("claims.html")}
        yield Step("claims", first, {**reads, "templates": "paper/templates"}, makes)
        reads = {"features": self.at(self.first_shard, "meta.json")}
        makes = {"out": self.at("tables/numbers.tex")}
        yield Step("paper-numbers", first, reads, makes, usual=False)

    @property
    def first_shard(self) -> str:
        """The first frames of the variant that figures show."""
        return f"{self.first.features}/shard1of{self.config.feature_shards}"

    def figure(self, name: str) -> Step:
        """A figure, and the numbers that it shows."""
        said = "synthetic speech: says nothing about the paper"
        note = {"title_note": said if self.first.synthetic else ""}
        makes = self.files(f"figures/{name}", "pdf", "png")
        makes["data"] = self.at(f"figures/{name}.csv")
        options = {**self.figure_options()[name], **note}
        return Step("figure", [name], options, makes, usual=name != "unseen")

    def figure_options(self) -> dict[str, dict[str, Any]]:
        """Figure -> the options of its command."""
        own, name = self.first, self.first.name
        loss = {"loss": own.settings.table_loss}
        near = {"neighbours": self.at(f"neighbours/{name}.csv")}
        decisions = {"decisions": self.at(f"decisions/{name}.csv")}
        space = {"space": self.at(own.space)}
        means = self.at(f"neighbours/{name}_means.csv")
        runs = [self.at(run) for run in own.runs([own.settings.table_loss])]
        return {
            "network": {
                "features": self.at(self.first_shard),
                **space,
                **msgspec.structs.asdict(own.settings.network),
            },
            "map": {**near, "means": means, **space, "runs": runs, **loss},
            "neighbours": {**near, "nearest": self.at(f"nearest/{name}.csv"), **decisions, **loss},
            "targets": near,
            "confusion": {**decisions, **loss},
            "curves": {"history": [self.at(run, "history.csv") for run in own.runs()]},
            "claims": {"claims": self.at("claims.csv"), "parts": self.at("claim_parts.csv")},
            "unseen": {"table": self.at("tables/tableA5.csv")},
        }

    def comparison(self, name: str, variants: Sequence[str]) -> Iterator[Step]:
        """The tables of a comparison of variants."""
        place, utterances = self.at("comparisons", name), {"utterances": self.at("utterances.csv")}
        files = [self.variant(self.parts.variants[variant]) for variant in variants]
        tables = {
            "spaces": ("compare-spaces", {"comparison": place}, "A1"),
            "controls": (
                "control-table",
                {"controls": "paper/controls.yaml", "best_rate": self.best_rate},
                "A2",
            ),
            "cross_corpus": ("cross-corpus", utterances, "A4"),
            "unseen": ("unseen", utterances, "A5"),
            "space_audit": ("space-audit", {"lists": "paper/word_lists.yaml"}, "A7"),
        }
        if name in tables:
            command, reads, table = tables[name]
            yield self.further_table(command, files, reads, table)
        if name == "unseen":
            yield self.figure(name)
        elif name == "encodings":
            makes = {"csv": f"{place}/raters.csv", "tex": self.at("tables/encodings.tex")}
            yield Step("raters", files, TEMPLATE, makes, usual=False)
        elif name == "sensitivity":
            reads = {"choices": "paper/choices.yaml", "claims": "paper/claims.yaml"}
            reads |= {"reported": REPORTED, "template": "paper/templates/sensitivity.tex.j2"}
            makes = {"csv": f"{place}/sensitivity.csv", "verdicts": f"{place}/verdicts.csv"}
            makes["tex"] = self.at("tables/sensitivity.tex")
            yield Step("sensitivity", files, reads, makes, usual=False)
            if self.config.rated(self.dataset):
                makes = {"csv": f"{place}/readings.csv", "tex": self.at("tables/readings.tex")}
                reads, first = {"reported": REPORTED, **TEMPLATE}, [self.variant(self.first)]
                yield Step("readings", first, reads, makes, usual=False)
