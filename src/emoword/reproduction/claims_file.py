"""What may stand in paper/claims.yaml, whose head says when a claim holds."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from emoword.io.yaml_files import Text, check_distinct, read_yaml_as

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$")]
WordModel = Literal["M1", "M2", "M3"]
# a model, or a key of literature.csv
OF_RUNS = r"M[123] (mse|mae|lc|soft_words)|baseline ce|(ridge|logistic) linear"
Model = Annotated[str, Meta(pattern=rf"^({OF_RUNS}|[a-z]+\d{{4}}[a-z]+)$")]
Models = Annotated[tuple[Model, ...], Meta(min_length=1)]
Measure = Annotated[str, Meta(pattern=r"^(class (UA|WA)|S[123] cosine|S[23] top10_l[12])$")]
Measures = Annotated[tuple[Measure, ...], Meta(min_length=1)]
Near = Annotated[str, Meta(pattern=r"^M[123] \S+ \S+$")]


class Claim(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every claim has: its place in the paper, and what it says in our words.

    ``quote``: the paper's own, shortened; none: the claim is ours. ``on_paper``: what the paper's
    own numbers say, where they do not bear it out.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]+$")]
    place: Text
    says: Text
    quote: str = ""
    on_paper: str = ""

    @property
    def kind(self) -> str:
        """As the file has it."""
        return str(self.__struct_config__.tag)


class Pair(Struct, frozen=True, forbid_unknown_fields=True):
    """Each of these models is held against each of those."""

    these: Models
    those: Models


class Differs(Claim, frozen=True, kw_only=True):
    """Differences between models (``pairs``), or between variants of a ``comparison``.

    In a comparison each of ``models`` is held against itself in the other variants (``best``: that
    variant against the others), or pairs are compared ``within`` some of its variants.
    """

    measures: Measures
    pairs: tuple[Pair, ...] = ()
    comparison: Name | None = None
    models: tuple[Model, ...] = ()
    best: Name | None = None
    within: tuple[Name, ...] = ()
    margin: Annotated[float, Meta(ge=0)] = 0.0
    because: str = ""

    def __post_init__(self) -> None:
        if bool(self.pairs) == bool(self.models):
            raise ValueError("give either pairs or models")
        if bool(self.comparison) != bool(self.models or self.within):
            raise ValueError("a comparison has models, or pairs within variants")
        if (self.kind in ("similar", "not_less")) != (self.margin > 0 and bool(self.because)):
            raise ValueError("`similar` and `not_less` have a margin and say because of what")


class Greater(Differs, frozen=True, kw_only=True, tag="greater"):
    """Above zero."""


class NoDifference(Differs, frozen=True, kw_only=True, tag="no_difference"):
    """None is significant."""


class Similar(Differs, frozen=True, kw_only=True, tag="similar"):
    """Within the margin."""


class NotLess(Differs, frozen=True, kw_only=True, tag="not_less"):
    """Above minus the margin."""


class Contains(Claim, frozen=True, kw_only=True, tag="contains"):
    """Model, emotion and word: the word is among the nearest of the emotion's predictions."""

    loss: Name
    present: tuple[Near, ...] = ()
    absent: tuple[Near, ...] = ()


class Spelling(Claim, frozen=True, kw_only=True, tag="spelling"):
    """More of a model's nearest words than of the others' are the emotion's word respelled."""

    loss: Name
    emotion: Text
    model: WordModel
    others: tuple[WordModel, ...]


class Mixtures(Claim, frozen=True, kw_only=True, tag="mixtures"):
    """Of each mixed target of Table 4, two words or more are like words nearest to it."""


class Count(Claim, frozen=True, kw_only=True, tag="count"):
    """As many distinct targets as the paper counts."""

    label_set: Literal["S1", "S2", "S3"]


class Unmeasured(Claim, frozen=True, kw_only=True, tag="unmeasured"):
    """What cannot be evaluated yet."""

    needs: Text


AnyClaim = (
    Greater | NoDifference | Similar | NotLess | Contains | Spelling | Mixtures | Count | Unmeasured
)


class Claims(Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    claims: Annotated[tuple[AnyClaim, ...], Meta(min_length=1)]


def read_claims(path: Path) -> tuple[AnyClaim, ...]:
    """Read paper/claims.yaml.

    Raises:
        InputError: the file is missing or wrong, or gives an id twice.
    """
    claims = read_yaml_as(Claims, path).claims
    check_distinct(path, "claims", ([claim.id] for claim in claims))
    return claims
