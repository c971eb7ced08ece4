"""Reading YAML that people write, so that a mistake is named with its line."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import yaml

from emoword.io.errors import InputError

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1)]


def read_yaml_as(kind: type[T], path: Path) -> T:
    """Read a YAML file as a struct of msgspec.

    Raises:
        InputError: the file is missing, is not YAML, or says what the struct does not know.
    """
    root, content = parsed(path)
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", place)]
        where = "/".join(map(str, steps))
        raise InputError(f"{path}: line {line_of(root, steps)}: {where}: {message}") from None


def parsed(path: Path) -> tuple[yaml.Node | None, Any]:
    """A YAML file as nodes, which know their lines, and as plain values."""
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error


def check_distinct(path: Path, key: str, names: Iterable[Iterable[str]]) -> None:
    """Raise an InputError if an entry of the list ``key`` has a name that stood there before."""
    seen: set[str] = set()
    for number, own in enumerate(names):
        for name in own:
            if name in seen:
                line = line_of(parsed(path)[0], [key, number])
                raise InputError(f"{path}: line {line}: {name} stands there twice")
            seen.add(name)


def line_of(node: yaml.Node | None, path: list[str | int]) -> int:
    """The line, from 1, on which a part of a YAML document begins."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node.start_mark.line + 1 if node is not None else 1
