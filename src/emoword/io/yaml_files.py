"""Reading YAML that people write, so that a mistake is named with its line."""

import re
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
import msgspec
import yaml

from emoword.io.errors import InputError

T = TypeVar("T")


def read_yaml(path: Path, schema: str) -> Any:
    """Read a YAML file whose content is as resources/``schema`` says.

    Raises:
        InputError: the file is missing, is not YAML, or says what the schema does not know.
    """
    root, content = parsed(path)
    known = resources.files("emoword").joinpath(f"resources/{schema}").read_text("utf-8")
    validator = jsonschema.Draft202012Validator(yaml.safe_load(known))
    wrong = jsonschema.exceptions.best_match(validator.iter_errors(content))
    if wrong is not None:
        line = line_of(root, list(wrong.absolute_path))
        place = "/".join(map(str, wrong.absolute_path))
        raise InputError(f"{path}: line {line}: {place}: {wrong.message}")
    return content


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
    """A YAML file as nodes, which know their lines, and as plain values.

    Raises:
        InputError: the file is missing, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error


def line_in(path: Path, place: list[str | int]) -> int:
    """The line, from 1, on which a part of a YAML file begins."""
    return line_of(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), place)


def line_of(node: yaml.Node | None, path: list[str | int]) -> int:
    """The line, from 1, on which a part of a YAML document begins."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node.start_mark.line + 1 if node is not None else 1
