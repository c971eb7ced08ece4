"""Reading paper/claims.yaml, so that a mistake is named with its line."""

from pathlib import Path
from typing import Any

from emoword.io.errors import InputError
from emoword.io.yaml_files import line_in, read_yaml


def read_claims(path: Path) -> list[dict[str, Any]]:
    """Read claims; what may stand there is in resources/claims.schema.yaml.

    Raises:
        InputError: the file is missing, is not YAML, says what the schema does not know, or gives
            an id twice.
    """
    claims: list[dict[str, Any]] = read_yaml(path, "claims.schema.yaml")["claims"]
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if claim["id"] in seen:
            line = line_in(path, ["claims", number])
            raise InputError(f"{path}: line {line}: the id {claim['id']} stands there twice")
        seen.add(claim["id"])
    return claims
