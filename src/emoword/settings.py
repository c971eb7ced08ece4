"""Every choice, once: its name, type, default, meaning, and where the paper leaves it open.

config.yaml holds what differs from these defaults; unknown keys are refused. docs/settings.md is
made from this file. The defaults are the paper's, on IEMOCAP.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from emoword.io.errors import InputError, plain

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.]*\Z"  # safe as a part of a path
Name = Annotated[str, Meta(pattern=NAME)]
Word = Annotated[str, Meta(pattern=r"^[^-\s]", max_length=200)]
Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
File = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*\Z")]  # a path or name; no line ends
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
LabelSet = Literal["S1", "S2", "S3"]
VectorLoss = Literal[
    "mse", "mae", "lc", "cosine", "soft", "soft_words", "co_occurrence", "dirichlet", "triplet"
]
Loss = Literal[VectorLoss, "ce"]
Transform = Literal["none", "centred", "top_removed", "shuffled", "random"]
Precision = Literal["float32", "bfloat16"]
Sources = tuple[Literal["categorical", "attribute"], ...]
Words = tuple[Word, ...]
Meant = Literal[  # as IEMOCAP has them
    "Neutral",
    "Anger",
    "Sadness",
    "Happiness",
    "Excited",
    "Frustration",
    "Surprise",
    "Fear",
    "Disgust",
]
WordMap = dict[Word, Word]
Sizes = Annotated[tuple[Positive, ...], Meta(min_length=1)]
Rate = Annotated[float, Meta(gt=0, le=1000)]

CLASSES: Words = ("anger", "happiness", "sadness", "neutral")
LINES: Sources = ("categorical", "attribute")
LOSSES: tuple[VectorLoss, ...] = ("mse", "mae", "lc")
NOUNS = {
    **{"angry": "anger", "disgusted": "disgust", "excited": "excitement", "fearful": "fear"},
    **{"frustrated": "frustration", "happy": "happiness", "sad": "sadness"},
    "surprised": "surprise",
}


def choice(text: str, place: str = "", **bounds: Any) -> Meta:
    """What a setting means; ``place`` is the section in which the paper leaves it open."""
    return Meta(description=text, extra={"open": place} if place else None, **bounds)


class Base(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings; a key that they have not got is an error."""


class LabelSettings(Base, frozen=True, kw_only=True):
    """How labels and comments become words (paper, section 4.2)."""

    classes: Annotated[Words, choice("labels that take part; none: all that occur")] = CLASSES
    merge: Annotated[WordMap, choice("label -> label, in the ground truth and S1")] = field(
        default_factory=lambda: {"excitement": "happiness"}
    )
    merge_raters: Annotated[bool, choice("merge the raters' labels of S2 and S3 as well")] = False
    nouns: Annotated[WordMap, choice("label -> noun; raters' labels are lowered first")] = field(
        default_factory=lambda: dict(NOUNS)
    )
    drop: Annotated[Words, choice("raters' labels that are left out")] = ("other",)
    self_reports: Annotated[bool, choice("speakers count as raters of themselves", "4.1")] = False
    comments: Annotated[Sources, choice("lines whose comments are read for S3", "4.2")] = LINES
    spelling: Annotated[
        Literal["pyspellchecker", "hunspell", "none"],
        choice("the English list that comments are in; hunspell: the program, with en_US", "4.2"),
    ] = "pyspellchecker"
    comment_parts: Annotated[
        Literal["each", "whole"],
        choice(
            "of a comment with commas each part is judged, or all fall out with one that does",
            "4.2",
        ),
    ] = "each"
    lowercase: Annotated[bool, choice("look comments up in lower case", "4.2")] = True
    repeats: Annotated[
        Literal["count", "once"],
        choice("a word that a rater gives an utterance twice counts twice, or once", "4.2"),
    ] = "count"
    missing_words: Annotated[
        Literal["error", "drop"], choice("a label that the space lacks is an error, or is left out")
    ] = "error"


class NetworkSettings(Base, frozen=True, kw_only=True):
    """The network (paper, Figure 1)."""

    channels: Annotated[Sizes, choice("of the convolutions")] = (96, 256, 256)
    kernels: Annotated[Sizes, choice("widths of the convolutions, in frames")] = (15, 5, 3)
    pools: Annotated[Sizes, choice("max-pooling after each; 1: none", "Figure 1")] = (2, 2, 1)
    padding: Annotated[
        Literal["same", "valid"], choice("of the convolutions: zeros, or none", "Figure 1")
    ] = "same"
    lstm: Annotated[Positive, choice("width of each direction of the BLSTMs", "Figure 1")] = 64
    lstm_layers: Annotated[Positive, choice("BLSTM layers")] = 2
    lstm_dropout: Annotated[
        Literal["between", "each"], choice("between the BLSTMs, or after each", "Figure 1")
    ] = "between"
    hidden: Annotated[Sizes, choice("widths of the fully connected layers")] = (1024, 1024)
    dropout: Annotated[float, choice("of BLSTMs, and after fully connected layers", ge=0, lt=1)] = (
        0.5
    )

    def __post_init__(self) -> None:
        if not len(self.channels) == len(self.kernels) == len(self.pools):
            raise ValueError("channels, kernels, pools: unequal numbers of layers")


class TrainingSettings(Base, frozen=True, kw_only=True):
    """How a network is trained (paper, section 4.3)."""

    epochs: Annotated[Positive, choice("at most")] = 100
    steps: Annotated[
        int,
        choice(
            "optimiser steps at most, in place of epochs: a small corpus is trained as long as a "
            "large one; patience is then per cent of the epochs that they take; 0: epochs rule",
            ge=0,
            le=10**9,
        ),
    ] = 0
    learning_rate: Annotated[Rate, choice("the highest of OneCycle")] = 2e-3
    baseline_learning_rate: Annotated[Rate, choice("the same for the baseline")] = 2e-4
    cycle: Annotated[
        float, choice("share of the epochs that OneCycle is planned over", "4.3", gt=0, le=1)
    ] = 1.0
    optimiser: Annotated[Literal["adam", "adamw"], choice("torch's", "4.3")] = "adam"
    batch_size: Annotated[Positive, choice("utterances a step", "4.3")] = 32
    watch: Annotated[
        Literal["loss", "ua"], choice("the best epoch: lowest loss, or highest UA", "4.3")
    ] = "loss"
    patience: Annotated[Positive, choice("epochs without a better validation", "4.3")] = 20
    validation: Annotated[float, choice("share of the training folds", gt=0, lt=1)] = 0.2
    validation_by: Annotated[
        Literal["utterance", "speaker"], choice("what is drawn at random for validation", "4.3")
    ] = "utterance"
    standardise: Annotated[
        Literal["run", "corpus", "utterance", "none"],
        choice(
            "input frames by the run's training utterances, by those of each corpus of a union, by "
            "each utterance, or not",
            "4.3",
        ),
    ] = "run"
    precision: Annotated[Precision, choice("of matrix products, convolutions, LSTMs")] = "float32"
    corpora: Annotated[
        Literal["all", "own", "others"],
        choice("of a union, what is trained on: all, the tested corpus alone, all but it"),
    ] = "all"
    unseen: Annotated[
        Words, choice("classes of which neither utterance nor word is trained or validated on")
    ] = ()

    @property
    def of_a_union(self) -> bool:
        """Whether it matters of which corpus an utterance is."""
        return self.corpora != "all" or self.standardise == "corpus"


class Settings(Base, frozen=True, kw_only=True):
    """All that a variant of a dataset can choose."""

    space: Annotated[Name, choice("the word space, a block of `spaces`")] = "glove_840b"
    space_transform: Annotated[Transform, choice("a control made of its vectors")] = "none"
    upstream: Annotated[Name, choice("a block of `upstreams`")] = "wav2vec2_large"
    label_sets: Annotated[
        tuple[LabelSet, ...], choice("what M1, M2, M3 are trained on", min_length=1)
    ] = ("S1", "S2", "S3")
    losses: Annotated[tuple[VectorLoss, ...], choice("Table 1; lc: log-cosh", min_length=1)] = (
        LOSSES
    )
    table_loss: Annotated[VectorLoss, choice("the loss of Tables 3 to 6; one of `losses`")] = "lc"
    aggregate: Annotated[
        Literal["mean", "pooled"],
        choice("over folds: their mean, or their utterances pooled", "5.1"),
    ] = "mean"
    table4_examples: Annotated[
        tuple[Words, ...], choice("targets of Table 4: a label set and its words each")
    ] = ()
    table5: Annotated[
        Literal["mean", "vote"],
        choice(
            "the words nearest to an emotion's mean prediction, or those that most of its "
            "predictions have among their nearest",
            "5.2.1",
        ),
    ] = "mean"
    table5_by: Annotated[
        Literal["true", "predicted"],
        choice(
            "whose predictions are an emotion's: its utterances', or what is taken for it", "5.2.1"
        ),
    ] = "true"
    table6_ties: Annotated[
        Literal["frequent", "rare", "alphabet"],
        choice(
            "of words named equally often, l1 is the more frequent, rarer, or first one", "5.2.2"
        ),
    ] = "frequent"
    table6_missing_l2: Annotated[
        Literal["skip", "miss"],
        choice("utterances without a second word are left out, or are misses", "5.2.2"),
    ] = "skip"
    decision: Annotated[
        Literal["largest", "smallest"],
        choice("the similarity that decides; smallest: equation 5 as printed", "3.3"),
    ] = "largest"
    labels: LabelSettings = field(default_factory=LabelSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        if "S1" not in self.label_sets:
            raise ValueError("label_sets: S1 has to be among them; M1 and the baseline need it")
        for name in ("label_sets", "losses"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: one stands there twice")
        if self.table_loss not in self.losses:
            raise ValueError(f"table_loss {self.table_loss} is none of losses")


class Filter(Base, frozen=True, kw_only=True):
    """`filter` of a space: the words that are kept, which pass all of these."""

    most_frequent: Annotated[int, choice("the first so many; 0: all", "6", ge=0, le=10**9)] = 0
    lowercase_alphabetic: Annotated[bool, choice("lower-case letters alone", "6")] = False
    spelled: Annotated[bool, choice("what pyspellchecker's English list holds", "6")] = False
    words: Annotated[File, choice("a file of words, one a line", "6")] = ""


class Space(Base, frozen=True, kw_only=True, tag_field="format", tag="glove"):
    """A word space from a file in GloVe's text format."""

    source: Annotated[File, choice("the file that you have", min_length=1)]
    url: Annotated[
        str, choice("where it is fetched from", pattern=r"^https?://[^\x00-\x20]*\Z|^\Z")
    ] = ""
    sha256: Annotated[str, choice("of the fetched file", pattern=r"^[0-9a-f]{64}\Z|^\Z")] = ""
    hide_phrases: Annotated[bool, choice("words with an underscore are no neighbours")] = False
    filter: Filter = field(default_factory=Filter)


class Word2vec(Space, frozen=True, kw_only=True, tag="word2vec"):
    """word2vec's text format."""


class Word2vecBinary(Space, frozen=True, kw_only=True, tag="word2vec-binary"):
    """word2vec's binary format."""


class Bert(Space, frozen=True, kw_only=True, tag="bert"):
    """The word vectors of a BERT; ``source`` is a folder or a hub name."""

    words: Annotated[File, choice("a file of words, one a line; none: those of `embedded`")] = ""
    vector: Annotated[
        Literal["static", "last_layer"], choice("mean of input embeddings, or of outputs", "4.3")
    ] = "static"


class Embedded(Base, frozen=True, kw_only=True, tag_field="format", tag="embedded"):
    """The cut of GloVe 6B 100d that comes with emoword."""

    hide_phrases: Annotated[bool, choice("words with an underscore are no neighbours")] = False
    filter: Filter = field(default_factory=Filter)


class EmbeddedBert(Embedded, frozen=True, kw_only=True, tag="embedded-bert"):
    """The cut of all-MiniLM-L6-v2 that comes with emoword."""


AnySpace = Space | Word2vec | Word2vecBinary | Bert | Embedded | EmbeddedBert

Dtype = Literal["float32", "float16", "bfloat16"]


class LogMel(Base, frozen=True, kw_only=True, tag_field="kind", tag="logmel"):
    """Log-mel frames."""

    mels: Annotated[Positive, choice("mel bands")] = 80
    dtype: Annotated[Dtype, choice("how frames are stored")] = "float32"


class Mfcc(LogMel, frozen=True, kw_only=True, tag="mfcc"):
    """40 cepstra of log-mel frames."""


class Transformers(Base, frozen=True, kw_only=True, tag_field="kind", tag="transformers"):
    """A block of a pretrained wav2vec 2.0, HuBERT, WavLM or Whisper encoder."""

    model: Annotated[File, choice("a folder or hub name", min_length=1)]
    layer: Annotated[Positive, choice("the block, from 1: hidden_states[layer]", "4.3")]
    closing_norm: Annotated[bool, choice("apply the encoder's closing norm to it", "4.3")] = False
    dtype: Annotated[Dtype, choice("how frames are stored")] = "float32"
    precision: Annotated[Precision, choice("of the computation")] = "float32"


Upstream = LogMel | Mfcc | Transformers


class Dataset(Base, frozen=True, kw_only=True, tag_field="kind", tag="iemocap"):
    """A corpus with the settings to run it."""

    folds: Annotated[int, choice("how many folds; speakers are never split", ge=2, le=10_000)]
    seeds: Annotated[tuple[Seed, ...], choice("each fold is trained once with each", min_length=1)]
    settings: dict[str, Any] = field(default_factory=dict)
    variants: Annotated[
        tuple[Name, ...], choice("those that are run; tables show the first", min_length=1)
    ] = ("paper",)
    comparisons: dict[Name, tuple[Name, ...]] = field(default_factory=dict)
    skip_missing_audio: Annotated[bool, choice("otherwise missing audio is an error")] = False

    def __post_init__(self) -> None:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: one stands there twice")

    @property
    def kind(self) -> str:
        """What the config calls ``kind``."""
        return str(self.__struct_config__.tag)


class Demo(Dataset, frozen=True, kw_only=True, tag="demo"):
    """The synthetic miniature of IEMOCAP."""

    utterances: Annotated[int, choice("how many are synthesised", ge=60, le=100_000)] = 480
    synthesis_seed: Annotated[Seed, choice("of voices, raters and what is said")] = 0
    emotions: Annotated[tuple[Meant, ...], choice("those that are meant; none: all nine")] = ()


class Recordings(Dataset, frozen=True, kw_only=True, tag="recordings"):
    """Recordings of one's own."""

    table: Annotated[File, choice("CSV: wav, speaker, label; optional utterance, fold, style, sex")]
    annotations_table: Annotated[File, choice("CSV: utterance, rater, kind, text")] = ""


class Union(Dataset, frozen=True, kw_only=True, tag="union"):
    """Several datasets as one."""

    folds: Annotated[Literal[0], choice("none of its own, but those of all it is made of")] = 0
    of: Annotated[tuple[Name, ...], choice("other blocks of `datasets`", min_length=2)]


AnyDataset = Demo | Dataset | Recordings | Union


class Config(Base, frozen=True, kw_only=True):
    """config.yaml."""

    dataset: Annotated[Name, choice("what is run, a block of `datasets`")] = "demo"
    iemocap_root: Annotated[File, choice("the folder that holds Session1 .. Session5")] = ""
    device: Annotated[
        str, choice("auto: CUDA, else MPS, else CPU", pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)\Z")
    ] = "auto"
    feature_shards: Annotated[int, choice("jobs that compute the frames", ge=1, le=1000)] = 1
    datasets: dict[Name, AnyDataset]
    variants: dict[Name, dict[str, Any]] = field(default_factory=lambda: {"paper": {}})
    comparisons: dict[Name, tuple[Name, ...]] = field(default_factory=dict)
    spaces: dict[Name, AnySpace]
    upstreams: dict[Name, Upstream]

    def __post_init__(self) -> None:
        for name, own in self.datasets.items():
            if not isinstance(own, Union):
                continue
            known = [key for key, other in self.datasets.items() if not isinstance(other, Union)]
            if len(set(own.of)) < len(own.of) or not set(own.of) <= set(known):
                raise ValueError(f"datasets: {name}: of: each one of {', '.join(known)}, once")

    def corpora(self, dataset: str) -> dict[str, Dataset]:
        """The datasets that a union is made of, by name; of any other, itself.

        Raises:
            InputError: there is no such dataset.
        """
        own = one(self, "datasets", dataset)
        names = own.of if isinstance(own, Union) else (dataset,)
        return {name: self.datasets[name] for name in names}

    def folds(self, dataset: str) -> int:
        """How many folds there are; of a union, those of all its corpora."""
        return sum(own.folds for own in self.corpora(dataset).values())

    def rated(self, dataset: str) -> bool:
        """Whether there are raters, and so S2 and S3."""
        corpora = self.corpora(dataset).values()
        return all(not isinstance(own, Recordings) or own.annotations_table for own in corpora)

    def synthetic(self, dataset: str) -> bool:
        """Whether speech of it is made by emoword, so that its numbers say nothing of the paper."""
        return any(isinstance(own, Demo) for own in self.corpora(dataset).values())

    def comparisons_of(self, dataset: str) -> dict[str, tuple[str, ...]]:
        """Comparison -> its variants: those of every dataset, and the dataset's own.

        Of those of every dataset, variants that name S2 or S3 are for datasets with raters.
        """
        own, rated = one(self, "datasets", dataset), self.rated(dataset)
        shared = {
            comparison: tuple(v for v in variants if rated or not self._needs_raters(v))
            for comparison, variants in self.comparisons.items()
        }
        return {**shared, **own.comparisons}

    def _needs_raters(self, variant: str) -> bool:
        return bool({"S2", "S3"} & set(self.variants.get(variant, {}).get("label_sets", ())))

    def compared(self, dataset: str, comparison: str) -> tuple[str, ...]:
        """The variants of a comparison.

        Raises:
            InputError: the dataset has no such comparison.
        """
        known = self.comparisons_of(dataset)
        if comparison not in known:
            raise InputError(
                f"config: {dataset} has no comparison {comparison!r}; "
                f"it has {', '.join(sorted(known)) or 'none'}"
            )
        return known[comparison]

    def every_variant(self, dataset: str) -> tuple[str, ...]:
        """All variants that may be run: those of a plain run and of comparisons."""
        names = list(one(self, "datasets", dataset).variants)
        for compared in self.comparisons_of(dataset).values():
            names += compared
        return tuple(dict.fromkeys(names))


BLOCKS: dict[str, Any] = {"datasets": AnyDataset, "spaces": AnySpace, "upstreams": Upstream}


def read_config(values: Mapping[str, Any]) -> Config:
    """Check a configuration; a key that is null counts as absent.

    Raises:
        InputError: names the key and what may stand there.
    """
    given = without_nulls(values)
    try:
        # msgspec does not say which key of a map is wrong, so that each block is tried by itself
        for block, kind in BLOCKS.items():
            named = given.get(block)
            for name, value in named.items() if isinstance(named, Mapping) else ():
                place = f"{block}: {name!r}: "
                msgspec.convert(name, Name)
                msgspec.convert(value, kind)
        place = ""
        return msgspec.convert(given, Config)
    except msgspec.ValidationError as error:
        raise InputError(f"config: {place}{in_words(error)}") from None


def load_config(path: Path) -> Config:
    """Read the JSON that a run leaves as results/{dataset}/config.json.

    Raises:
        InputError: it cannot be read, or is no configuration.
    """
    try:
        return read_config(msgspec.json.decode(path.read_bytes(), type=dict[str, Any]))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None


def one(config: Config, block: str, name: str) -> Any:
    """A dataset, space, upstream or variant of the configuration.

    Raises:
        InputError: there is none of that name; lists those that there are.
    """
    blocks: Mapping[str, Any] = getattr(config, block)
    if name not in blocks:
        raise InputError(f"config: {block} has no {name!r}; it has {', '.join(sorted(blocks))}")
    return blocks[name]


def resolve(config: Config, dataset: str, variant: str) -> Settings:
    """The settings of a variant: the defaults, then the dataset's own, then the variant's.

    Raises:
        InputError: a setting is unknown or wrong, or asks for what the config or dataset lacks.
    """
    own = one(config, "datasets", dataset)
    values: dict[str, Any] = msgspec.to_builtins(Settings())
    for where, changes in (
        (f"datasets: {dataset}: settings", own.settings),
        (f"variants: {variant}", one(config, "variants", variant)),
    ):
        training = changes.get("training", {})
        if isinstance(training, Mapping) and training.get("steps") and "epochs" in training:
            raise InputError(f"config: {where}: training: give epochs or steps (the other null)")
        values = laid_over(values, changes)
        try:
            chosen = msgspec.convert(values, Settings)
        except msgspec.ValidationError as error:
            raise InputError(f"config: {where}: {in_words(error)}") from None
    one(config, "spaces", chosen.space)
    one(config, "upstreams", chosen.upstream)
    if set(chosen.label_sets) != {"S1"} and not config.rated(dataset):
        raise InputError(
            f"config: {variant}: S2 and S3 need ratings: give {dataset} an annotations_table, "
            "or write label_sets: [S1] in its settings"
        )
    training, classes = chosen.training, chosen.labels.classes
    if training.of_a_union and not isinstance(own, Union):
        raise InputError(
            f"config: {variant}: corpora, and standardise: corpus, are for a union; {dataset} is "
            "one corpus"
        )
    strange = sorted(set(training.unseen) - set(classes))
    if strange:
        raise InputError(
            f"config: {variant}: unseen: {', '.join(strange)}: not one of {dataset}'s classes "
            f"({', '.join(classes) or 'write them down'})"
        )
    return chosen


def laid_over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes``; blocks of settings are merged, maps of words are replaced."""
    result = dict(base)
    # two ways to say how long a training is: the last one holds, and leaves nothing of the other
    if "epochs" in changes:
        result.pop("steps", None)
    if changes.get("steps"):
        result.pop("epochs", None)
    for key, value in changes.items():
        is_block = key in ("labels", "network", "training") and isinstance(value, Mapping)
        result[key] = laid_over(base[key], value) if is_block else value
    return result


def without_nulls(value: Any) -> Any:
    """The same without the keys that are null: so a file takes away what another one gives."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def in_words(error: Exception) -> str:
    """Msgspec's message without its JSON path notation: ``datasets.demo.folds: ...``."""
    text, _, place = str(error).partition(" - at `")
    place = place.removesuffix("`").lstrip("$").lstrip(".")
    text = text.replace("Object contains unknown field", "unknown key")
    text = text.replace("Object missing required field", "missing the key")
    return plain(f"{place}: {text}" if place else text)
