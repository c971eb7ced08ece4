"""Where results lie, and what their names say: the one place that knows the folders.

What several variants share is named by what it is: a label set, its vectors, and the runs of a
model lie under a readable name and a hash of the settings behind them, which a ``settings.json``
in the same folder holds. So a variant that is added, removed or moved repeats nothing.

    results/spaces/{space}                       a word space
    results/{dataset}/config.json                the configuration, complete
    results/{dataset}/variants/{variant}.json    a variant: its settings, and where its parts lie
    results/{dataset}/targets/{S2-1a2b3c4d}      a label set
    results/{dataset}/vectors/{S2-glove-...}     the vectors of its words
    results/{dataset}/features/{upstream}        frames, in shards
    results/{dataset}/runs/{S2-lc-...}/fold1-seed0   (fold0: no test fold, a final model)
    results/{dataset}/final/{M2}                 a final model, exported
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from emoword.io.errors import InputError
from emoword.settings import (
    Config,
    LabelSet,
    LabelSettings,
    Loss,
    NetworkSettings,
    Settings,
    TrainingSettings,
    Transform,
    Upstream,
    one,
    resolve,
)

S = TypeVar("S", bound=Struct)

MODEL_OF: dict[LabelSet, str] = {"S1": "M1", "S2": "M2", "S3": "M3"}
# These predict classes or words as classes: no word space is behind them (triplet takes the width
# of one).
SPACELESS = ("ce", "soft", "soft_words", "co_occurrence", "dirichlet")

# The choices of `Labels` that a label set does not hang on.
OF_COMMENTS = ("comments", "spelling", "comment_parts", "lowercase")
OF_RATERS = ("merge_raters", "self_reports", "repeats", "missing_words")
UNUSED: dict[LabelSet, tuple[str, ...]] = {
    "S1": OF_COMMENTS + OF_RATERS + ("drop",),
    "S2": OF_COMMENTS,
    "S3": (),
}


class LabelSetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a label set is made by; ``space`` is empty for S1, which any space serves."""

    label_set: LabelSet
    labels: LabelSettings
    space: str = ""


class RunSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model is trained by, on each fold and seed alike."""

    label_set: LabelSet
    loss: Loss
    labels: LabelSettings
    upstream: str
    space: str = ""
    space_transform: Transform = "none"
    network: NetworkSettings
    training: TrainingSettings


class FeatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What frames are made by; ``labels``: of utterances with one of these alone; none: of all."""

    upstream: Upstream
    labels: tuple[str, ...] = ()


class Model(Struct, frozen=True, kw_only=True):
    """The runs of one model: a label set and a loss, on all folds and seeds."""

    name: str
    label_set: LabelSet
    loss: Loss
    folder: str


class Variant(Struct, frozen=True, kw_only=True):
    """What ``variants/{variant}.json`` says: settings, and folders below the dataset's.

    Attributes:
        name: of the variant.
        dataset: its name; ``kind`` and ``synthetic`` are the dataset's.
        folds: numbered from 1.
        targets: label set -> folder; ``vectors`` likewise.
        space: folder of the word space, transformed or not.
        models: the word-embedding models by label set and loss, then the baseline.
    """

    name: str
    dataset: str
    kind: Literal["demo", "iemocap", "recordings", "union"]
    synthetic: bool
    folds: int
    seeds: tuple[int, ...]
    settings: Settings
    targets: dict[LabelSet, str]
    vectors: dict[LabelSet, str]
    space: str
    features: str
    models: tuple[Model, ...]

    def runs(self, losses: Sequence[str] | None = None) -> list[str]:
        """The folders of the runs, model by model; ``losses``: of these alone."""
        return [
            run_folder(model.folder, fold, seed)
            for model in self.models
            if losses is None or model.loss in losses
            for fold in range(1, self.folds + 1)
            for seed in self.seeds
        ]

    def final(self) -> dict[str, str]:
        """Model -> the folder of its run without a test fold: loss of the tables, first seed."""
        return {
            model.name: run_folder(model.folder, 0, self.seeds[0])
            for model in self.models
            if model.loss == self.settings.table_loss
        }


class Parts(Struct, frozen=True):
    """All that may be made of a dataset, by the names of its folders.

    Attributes:
        variants: every variant of a plain run and of comparisons.
        label_sets: folder below targets -> what makes it.
        vectors: folder below vectors -> the label set, and the space's folder below the dataset's.
        models: folder below runs -> what makes it.
    """

    variants: dict[str, Variant]
    label_sets: dict[str, LabelSetSettings]
    vectors: dict[str, tuple[str, str]]
    models: dict[str, RunSettings]


class Place(Struct, frozen=True):
    """A variant, and the folder of the dataset's results that its folders are below."""

    variant: Variant
    root: Path

    def path(self, folder: str) -> Path:
        """``targets/S1-...`` -> where it lies."""
        return self.root / folder

    @property
    def space(self) -> Path:
        """The folder of the word space."""
        return self.root / self.variant.space

    @property
    def features(self) -> Path:
        """The folder of the frames."""
        return self.root / self.variant.features

    def targets(self, label_set: LabelSet) -> Path:
        """The folder of a label set."""
        return self.root / self.variant.targets[label_set]

    def runs(self, losses: Sequence[str] | None = None) -> list[Path]:
        """The folders of the runs, as `Variant.runs`."""
        return [self.root / run for run in self.variant.runs(losses)]


def read_variant(path: Path) -> Place:
    """Read ``results/{dataset}/variants/{variant}.json``.

    Raises:
        InputError: it cannot be read, or is no variant of this version.
    """
    return Place(read_settings(path, Variant), path.parent.parent)


def read_settings(path: Path, kind: type[S]) -> S:
    """Read a JSON file of settings, such as ``runs/{model}/settings.json``.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not the settings of this version: {error}") from None


def as_json(value: Struct) -> str:
    """Settings as they lie in a file: every key, indented."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def digest(value: Struct) -> str:
    """Eight hexadecimal digits of the settings; a new choice that has its default changes none."""
    changed = msgspec.json.encode(_without_defaults(value), order="sorted")
    return hashlib.sha256(changed).hexdigest()[:8]


def _without_defaults(value: object) -> object:
    """The fields of settings, and of settings within them, that differ from their defaults."""
    if not isinstance(value, Struct):
        return value
    kept = {}
    for field in msgspec.structs.fields(value):
        own, make = getattr(value, field.name), field.default_factory
        if own != (field.default if make is msgspec.NODEFAULT else make()):
            kept[field.name] = _without_defaults(own)
    return kept


def labels_behind(labels: LabelSettings, label_set: LabelSet) -> LabelSettings:
    """The labels' choices with those that a label set does not hang on at their defaults."""
    unused, usual = set(UNUSED[label_set]), LabelSettings()
    if not labels.classes:  # then each label that is not dropped is a class
        unused -= {"drop"}
    return msgspec.structs.replace(labels, **{name: getattr(usual, name) for name in unused})


def label_set_settings(chosen: Settings | RunSettings, label_set: LabelSet) -> LabelSetSettings:
    """What makes a label set of a variant, or of a run."""
    space = "" if label_set == "S1" else chosen.space
    labels = labels_behind(chosen.labels, label_set)
    return LabelSetSettings(label_set=label_set, labels=labels, space=space)


def run_settings(chosen: Settings, label_set: LabelSet, loss: Loss) -> RunSettings:
    """What makes the runs of a model; the baseline has its own learning rate."""
    training, usual = chosen.training, TrainingSettings().baseline_learning_rate
    rate = training.baseline_learning_rate if loss == "ce" else training.learning_rate
    training = msgspec.structs.replace(training, learning_rate=rate, baseline_learning_rate=usual)
    has_space = loss not in SPACELESS
    return RunSettings(
        label_set=label_set,
        loss=loss,
        labels=labels_behind(chosen.labels, label_set),
        upstream=chosen.upstream,
        # S2 and S3 hold the words that the space has
        space=chosen.space if has_space or label_set != "S1" else "",
        space_transform=chosen.space_transform if has_space else "none",
        network=chosen.network,
        training=training,
    )


def joined(*words: str) -> str:
    """A name of the words that are not empty."""
    return "-".join(filter(None, words))


def transformed(space: str, transform: Transform) -> str:
    """``glove_840b-centred``; where nothing is transformed, the space alone."""
    return space if transform == "none" else joined(space, transform)


def target_name(made_by: LabelSetSettings) -> str:
    """``S2-glove_840b-1a2b3c4d``."""
    return joined(made_by.label_set, made_by.space, digest(made_by))


def vectors_name(chosen: Settings | RunSettings, label_set: LabelSet) -> str:
    """``S2-glove_840b-1a2b3c4d-centred``: a label set, in a space."""
    named = target_name(label_set_settings(chosen, label_set))
    space = chosen.space if label_set == "S1" else ""
    return joined(named, transformed(space, chosen.space_transform))


def run_name(made_by: RunSettings) -> str:
    """``S2-lc-wav2vec2_large-glove_840b-1a2b3c4d``."""
    space = transformed(made_by.space, made_by.space_transform)
    return joined(made_by.label_set, made_by.loss, made_by.upstream, space, digest(made_by))


def run_folder(model: str, fold: int | str, seed: int | str) -> str:
    """``runs/{model}/fold1-seed0``, below the folder of the dataset."""
    return f"{model}/fold{fold}-seed{seed}"


def space_folder(chosen: Settings | RunSettings) -> str:
    """The word space, from the dataset's folder; shuffled spaces are a dataset's own."""
    if chosen.space_transform == "none":
        return f"../spaces/{chosen.space}"
    return f"spaces/{chosen.space}-{chosen.space_transform}"


def variant_of(config: Config, dataset: str, name: str) -> Variant:
    """A variant of a dataset, with the folders of all that it is made of.

    Raises:
        InputError: there is none, or its settings are wrong.
    """
    own = one(config, "datasets", dataset)
    chosen = resolve(config, dataset, name)
    pairs: list[tuple[LabelSet, Loss]] = [
        (label_set, loss) for label_set in chosen.label_sets for loss in chosen.losses
    ]
    models = [
        Model(
            name="baseline" if loss == "ce" else MODEL_OF[label_set],
            label_set=label_set,
            loss=loss,
            folder=f"runs/{run_name(run_settings(chosen, label_set, loss))}",
        )
        for label_set, loss in [*pairs, ("S1", "ce")]
    ]
    return Variant(
        name=name,
        dataset=dataset,
        kind=own.kind,
        synthetic=config.synthetic(dataset),
        folds=config.folds(dataset),
        seeds=own.seeds,
        settings=chosen,
        targets={
            s: f"targets/{target_name(label_set_settings(chosen, s))}" for s in chosen.label_sets
        },
        vectors={s: f"vectors/{vectors_name(chosen, s)}" for s in chosen.label_sets},
        space=space_folder(chosen),
        features=f"features/{chosen.upstream}",
        models=tuple(models),
    )


def parts_of(config: Config, dataset: str) -> Parts:
    """All that may be made of a dataset.

    Raises:
        InputError: a variant is not there, or its settings are wrong.
    """
    parts = Parts({}, {}, {}, {})
    for name in config.every_variant(dataset):
        own = parts.variants[name] = variant_of(config, dataset, name)
        for label_set in own.targets:
            made_by = label_set_settings(own.settings, label_set)
            targets = target_name(made_by)
            parts.label_sets[targets] = made_by
            parts.vectors[vectors_name(own.settings, label_set)] = (targets, own.space)
        for model in own.models:
            trained_by = run_settings(own.settings, model.label_set, model.loss)
            parts.models[run_name(trained_by)] = trained_by
    return parts


def vectors_of_run(made_by: RunSettings) -> str | None:
    """The folder below vectors that a model is trained with, if it is."""
    return None if made_by.loss in SPACELESS else vectors_name(made_by, made_by.label_set)


def feature_settings(config: Config, dataset: str, upstream: str) -> FeatureSettings:
    """What frames of a dataset are made by: only utterances that take part in some variant.

    A label becomes a noun, is merged, and then is one of the classes or not (section 4.2).
    """
    made_by, taken = one(config, "upstreams", upstream), set[str]()
    for name in config.every_variant(dataset):
        labels = resolve(config, dataset, name).labels
        if not labels.classes:  # each label may be one
            return FeatureSettings(upstream=made_by)
        classes = set(labels.classes)
        classes |= {old for old, new in labels.merge.items() if new in classes}
        taken |= classes | {old for old, new in labels.nouns.items() if new in classes}
    return FeatureSettings(upstream=made_by, labels=tuple(sorted(taken)))
