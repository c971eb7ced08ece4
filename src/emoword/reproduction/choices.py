"""What the paper leaves open: the ledger paper/choices.yaml."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from emoword.io.yaml_files import Text, check_distinct, read_yaml_as


class Alternative(Struct, frozen=True, forbid_unknown_fields=True):
    """A variant that tries another choice, alone."""

    variant: Text
    says: Text


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """A choice: what the paper says and where, our default and why; the file's head says more."""

    choice: Text
    paper: Text
    place: Text
    default: Text
    why: Text
    setting: str = ""
    alternatives: tuple[Alternative, ...] = ()
    untried: str = ""

    def __post_init__(self) -> None:
        if not ((self.setting and self.alternatives) or self.untried):
            raise ValueError("give a setting and its alternatives, or why they are untried")


class Ledger(Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    choices: Annotated[tuple[Choice, ...], Meta(min_length=1)]


def read_choices(path: Path) -> tuple[Choice, ...]:
    """Read the ledger.

    Raises:
        InputError: the file is missing or wrong, or names a choice or variant twice.
    """
    choices = read_yaml_as(Ledger, path).choices
    names = ([own.choice, *(other.variant for other in own.alternatives)] for own in choices)
    check_distinct(path, "choices", names)
    return choices
