"""Reading paper/claims.yaml, so that a mistake is named with its line."""

from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from emoword.errors import InputError


def read_claims(path: Path) -> list[dict[str, Any]]:
    """Read claims; what may stand there is in resources/claims.schema.yaml.

    Raises:
        InputError: the file is missing, is not YAML, or says what the schema does not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    schema = resources.files("emoword").joinpath("resources/claims.schema.yaml").read_text("utf-8")
    validator = jsonschema.Draft202012Validator(yaml.safe_load(schema))
    wrong = jsonschema.exceptions.best_match(validator.iter_errors(content))
    if wrong is not None:
        line = line_of(root, list(wrong.absolute_path))
        place = "/".join(map(str, wrong.absolute_path))
        raise InputError(f"{path}: line {line}: {place}: {wrong.message}")
    claims: list[dict[str, Any]] = content["claims"]
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if claim["id"] in seen:
            line = line_of(root, ["claims", number])
            raise InputError(f"{path}: line {line}: the id {claim['id']} stands there twice")
        seen.add(claim["id"])
    return claims


def line_of(node: yaml.Node | None, path: list[str | int]) -> int:
    """The line, from 1, on which a part of a YAML document begins."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node.start_mark.line + 1 if node is not None else 1
