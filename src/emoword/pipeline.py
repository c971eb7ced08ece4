"""The commands that a folder of results consists of, but for trainings and what needs audio.

They are derived from the configuration and the layout alone, so that what `emoword verify`
recomputes is decided here, and by nothing that lies beside the results. The same commands stand in
workflow/rules; a test compares the two, word by word.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Struct

from emoword import layout
from emoword.layout import Variant
from emoword.settings import Config, Dataset, Demo, Embedded, Recordings, Union, one

TABLES = ("1", "2", "3", "4", "5", "6")
TEMPLATE = {"template": "paper/templates/table.tex.j2"}
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
        outputs: the files or folders that it writes, if not those of ``makes``.
    """

    name: str
    subject: Sequence[str] = ()
    reads: Mapping[str, Any] = field(default_factory=dict)
    makes: Mapping[str, str] = field(default_factory=dict)
    usual: bool = True
    outputs: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", tuple(self.outputs or self.makes.values()))

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

    def at(self, *names: str) -> str:
        """A path in the results; ``..`` is resolved."""
        return os.path.normpath("/".join((self.folder, *names)))

    def files(self, name: str, *kinds: str) -> dict[str, str]:
        """Kind -> the file of that ending; a table's kinds are CSV and LaTeX."""
        return {kind: self.at(f"{name}.{kind}") for kind in kinds or ("csv", "tex")}

    def written(self) -> dict[str, str]:
        """The files that hold settings: path -> text, derived from the configuration."""
        variants, parts = self.parts.variants, self.parts
        texts = {f"variants/{name}.json": layout.as_json(own) for name, own in variants.items()}
        made_by: dict[str, Struct] = {
            f"targets/{name}": own for name, own in parts.label_sets.items()
        }
        made_by |= {f"runs/{name}": own for name, own in parts.models.items()}
        for name in {own.settings.upstream for own in variants.values()}:
            own = layout.feature_settings(self.config, self.dataset, name)
            made_by[f"features/{name}"] = own
        texts |= {f"{name}/settings.json": layout.as_json(own) for name, own in made_by.items()}
        return {self.at(name): f"{text}\n" for name, text in texts.items()}

    def usual(self) -> set[str]:
        """What of `written` a plain run makes."""
        names = {f"variants/{own.name}.json" for own in self.variants}
        for own in self.variants:
            folders = (*own.targets.values(), own.features, *(m.folder for m in own.models))
            names |= {f"{folder}/settings.json" for folder in folders}
        return {self.at(name) for name in names}

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
        yield from self.figures()
        for name, variants in comparisons.items():
            yield from self.comparison(name, variants)
        copied = {"copy_audio": self.first.synthetic}
        yield Step("page", [self.variant(self.first)], copied, {"out": self.at("report")})

    def read(self) -> Iterator[Step]:
        """The corpus, and its reader."""
        if isinstance(self.own, Demo):
            how = {
                "utterances": self.own.utterances,
                "seed": self.own.synthesis_seed,
                "emotions": self.own.emotions,
            }
            yield Step("demo", reads=how, makes={"out": self.corpus})
        if not self.corpus:
            return
        reads: dict[str, Any] = {
            "folds": self.own.folds,
            "skip_missing_audio": self.own.skip_missing_audio,
        }
        name, root = "read-iemocap", self.corpus
        if isinstance(self.own, Recordings):
            name, root = "read-recordings", f"{self.corpus}/{Path(self.own.table).name}"
            rated = Path(self.own.annotations_table).name
            reads["annotations_table"] = f"{self.corpus}/{rated}" if rated else None
        files = [self.at(file) for file in ("utterances.csv", "annotations.csv", "corpus.json")]
        if isinstance(self.own, Union):
            corpora = [f"{self.corpus}/{name}" for name in self.own.of]
            yield Step("unite", corpora, {}, {"out": self.folder}, outputs=files)
            return
        options = {**reads, "expected": self.reported}
        yield Step(name, [root], options, {"out": self.folder}, outputs=files)

    @property
    def reported(self) -> str:
        """What the paper says of IEMOCAP; nothing is compared with the demo's."""
        return REPORTED if self.own.kind == "iemocap" else ""

    def spaces(self) -> Iterator[Step]:
        """The word spaces that come with emoword, and those that are made of others."""
        needed = {own.settings.space for own in self.variants}
        for name, space in self.config.spaces.items():
            if isinstance(space, Embedded) and not space.filter.words:
                chosen = space.filter
                reads = {
                    "format": space.__struct_config__.tag,
                    "hide_phrases": space.hide_phrases,
                    "most_frequent": chosen.most_frequent or None,
                    "lowercase_alphabetic": chosen.lowercase_alphabetic,
                    "spelled": chosen.spelled,
                }
                yield Step("space", (), reads, {"out": f"results/spaces/{name}"}, name in needed)

    def labels(self) -> Iterator[Step]:
        """Label sets, the word spaces that are shuffled by them, and their vectors."""
        usual = {f for own in self.variants for f in (*own.targets.values(), *own.vectors.values())}
        corpus = {name: self.at(f"{name}.csv") for name in ("utterances", "annotations")}
        for name, made_by in self.parts.label_sets.items():
            space = f"results/spaces/{made_by.space}" if made_by.space else None
            out = self.at("targets", name)
            options = {**corpus, "space": space, "reported": self.reported}
            is_usual = f"targets/{name}" in usual
            yield Step("label-set", [f"{out}/settings.json"], options, {"out": out}, is_usual)
        transformed = {own.space: own for own in reversed(self.parts.variants.values())}
        for folder, own in transformed.items():
            chosen = own.settings
            if chosen.space_transform != "none":
                shuffled = chosen.space_transform == "shuffled"
                sets = [self.at(name) for name in self.first.targets.values()] if shuffled else []
                reads: dict[str, Any] = {"transform": chosen.space_transform, "targets": sets}
                space, makes = f"results/spaces/{chosen.space}", {"out": self.at(folder)}
                yield Step("transform-space", [space], reads, makes, own in self.variants)
        for name, (targets, space) in self.parts.vectors.items():
            makes = {"out": self.at("vectors", name)}
            reads = {"space": self.at(space)}
            is_usual = f"vectors/{name}" in usual
            yield Step("encode", [self.at("targets", targets)], reads, makes, is_usual)

    def evaluation(self, own: Variant) -> Iterator[Step]:
        """What the predictions of a variant say."""
        subject, name, usual = [self.variant(own)], own.name, own in self.variants
        leaks = {"out": self.at(f"leaks/{name}.json")}
        utterances = {"utterances": self.at("utterances.csv")}
        yield Step("check-leaks", subject, utterances, leaks, usual)
        out, nearest = self.at(f"decisions/{name}.csv"), self.at(f"nearest/{name}.csv")
        yield Step("decide", subject, {}, {"out": out, "nearest": nearest}, usual)
        out, means = (self.at(f"neighbours/{name}{end}.csv") for end in ("", "_means"))
        yield Step("neighbours", subject, {}, {"out": out, "means": means}, own is self.first)
        floors = {"out": self.at(f"floors/{name}.csv")}
        yield Step("floors", subject, {}, floors, own is self.first)
        yield Step("linear", subject, {}, {"out": self.at(f"linear/{name}.csv")}, usual)
        if self.config.rated(self.dataset):
            makes = {"out": self.at(f"temperatures/{name}.csv")}
            yield Step("temperature", subject, {}, makes, usual=False)

    def variant(self, own: Variant) -> str:
        """The file of a variant."""
        return self.at(f"variants/{own.name}.json")

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
        out = {"out": self.at(f"{place}metrics.csv")}
        yield Step("evaluate", decisions, utterances, out, usual)
        makes = {name: self.at(f"{place}{name}.csv") for name in ("intervals", "differences")}
        yield Step("intervals", decisions, utterances, makes, usual)

    @property
    def best_rate(self) -> str:
        """Decisions at the best validated rates."""
        return self.at("comparisons/rates/best_rate.csv")

    def tables(self) -> Iterator[Step]:
        """The paper's tables, and ours beside the paper's numbers."""
        first = self.variant(self.first)
        for number in TABLES:
            reads = {"literature": "paper/literature.csv", "reported": REPORTED, **TEMPLATE}
            makes = self.files(f"tables/table{number}", "csv", "tex", "json")
            yield Step("table", [number, first], reads, makes)
        yield Step("retrieval", [first], TEMPLATE, self.files("tables/tableA3"), usual=False)
        yield Step("groups", [first], TEMPLATE, self.files("tables/tableA8"), usual=False)
        makes, reads = {"out": self.at("compare.csv")}, {"literature": "paper/literature.csv"}
        yield Step("compare", [first], reads, makes, usual=False)
        yield Step("raters", [first], TEMPLATE, self.files("tables/tableA6"), usual=False)
        for name, run in self.first.final().items():
            makes = {"out": self.at("final", name)}
            yield Step("export", [self.at(run)], {}, makes, usual=False)
        makes = {"out": self.at("versus_paper.csv")}
        yield Step("versus-paper", [first], {"reported": REPORTED}, makes)

    def claims(self) -> Iterator[Step]:
        """The paper's claims, and the numbers that the report's text names."""
        reads = {
            "claims": "paper/claims.yaml",
            "literature": "paper/literature.csv",
            "reported": REPORTED,
            "templates": "paper/templates",
        }
        makes = {
            "csv": self.at("claims.csv"),
            "parts": self.at("claim_parts.csv"),
            "tex": self.at("tables/claims.tex"),
            "html": self.at("claims.html"),
        }
        yield Step("claims", [self.variant(self.first)], reads, makes)
        shard = f"shard1of{self.config.feature_shards}/meta.json"
        reads = {"features": self.at(self.first.features, shard)}
        makes = {"out": self.at("tables/numbers.tex")}
        yield Step("paper-numbers", [self.variant(self.first)], reads, makes, usual=False)

    def figures(self) -> Iterator[Step]:
        """The figures, and the numbers that each shows."""
        for name, options in self.figure_options().items():
            yield Step("figure", [name], options, self.figure_files(name))

    def figure_files(self, name: str) -> dict[str, str]:
        """A figure, and the numbers that it shows."""
        return {
            **self.files(f"figures/{name}", "pdf", "png"),
            "data": self.at(f"figures/{name}.csv"),
        }

    def figure_options(self) -> dict[str, dict[str, Any]]:
        """Figure -> the options of its command."""
        own, name = self.first, self.first.name
        shape = own.settings.network
        loss = {"loss": own.settings.table_loss}
        near = {"neighbours": self.at(f"neighbours/{name}.csv")}
        decisions = {"decisions": self.at(f"decisions/{name}.csv")}
        space = {"space": self.at(own.space)}
        shard = f"{own.features}/shard1of{self.config.feature_shards}"
        means = self.at(f"neighbours/{name}_means.csv")
        runs = [self.at(run) for run in own.table_runs()]
        options: dict[str, dict[str, Any]] = {
            "network": {
                "features": self.at(shard),
                **space,
                **{key: getattr(shape, key) for key in shape.__struct_fields__},
            },
            "map": {**near, "means": means, **space, "runs": runs, **loss},
            "neighbours": {**near, "nearest": self.at(f"nearest/{name}.csv"), **decisions, **loss},
            "targets": near,
            "confusion": {**decisions, **loss},
            "curves": {"history": [self.at(run, "history.csv") for run in own.runs()]},
            "claims": {"claims": self.at("claims.csv"), "parts": self.at("claim_parts.csv")},
        }
        return {key: {**o, **self.synthetic_note} for key, o in options.items()}

    @property
    def synthetic_note(self) -> dict[str, str]:
        """What stands above the figures of speech that emoword made."""
        said = "synthetic speech: says nothing about the paper"
        return {"title_note": said} if self.first.synthetic else {}

    def comparison(self, name: str, variants: Sequence[str]) -> Iterator[Step]:
        """The tables of a comparison of variants."""
        place = self.at("comparisons", name)
        files = [self.variant(self.parts.variants[variant]) for variant in variants]
        if name in ("spaces", "controls"):
            own = name == "spaces"
            command, table = ("compare-spaces", "A1") if own else ("control-table", "A2")
            rows = {"controls": "paper/controls.yaml", "best_rate": self.best_rate}
            reads = {**({"comparison": place} if own else rows), **TEMPLATE}
            yield Step(command, files, reads, self.files(f"tables/table{table}"), usual=False)
        if name in ("cross_corpus", "unseen"):
            command, table = ("cross-corpus", "A4") if name == "cross_corpus" else (name, "A5")
            reads = {"utterances": self.at("utterances.csv"), **TEMPLATE}
            yield Step(command, files, reads, self.files(f"tables/table{table}"), usual=False)
        if name == "unseen":
            options = {"table": self.at("tables/tableA5.csv"), **self.synthetic_note}
            yield Step("figure", [name], options, self.figure_files(name), usual=False)
        if name == "space_audit":
            reads = {"lists": "paper/word_lists.yaml", **TEMPLATE}
            yield Step("space-audit", files, reads, self.files("tables/tableA7"), usual=False)
        if name == "encodings":
            makes = {"csv": f"{place}/raters.csv", "tex": self.at("tables/encodings.tex")}
            yield Step("raters", files, TEMPLATE, makes, usual=False)
        if name == "sensitivity":
            options = {"choices": "paper/choices.yaml", "claims": "paper/claims.yaml"}
            options |= {"reported": REPORTED, "template": "paper/templates/sensitivity.tex.j2"}
            makes = {"csv": f"{place}/sensitivity.csv", "verdicts": f"{place}/verdicts.csv"}
            makes["tex"] = self.at("tables/sensitivity.tex")
            yield Step("sensitivity", files, options, makes, usual=False)
        if name == "sensitivity" and self.config.rated(self.dataset):
            makes = {"csv": f"{place}/readings.csv", "tex": self.at("tables/readings.tex")}
            subject = [self.variant(self.first)]
            yield Step("readings", subject, {"reported": REPORTED, **TEMPLATE}, makes, usual=False)
