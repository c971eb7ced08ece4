"""Names for what a long computation is made of: what another one has begun is not gone on with."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def code() -> list[bytes]:
    """The package's code: what was made by another is made anew."""
    return [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]


def fingerprint(parts: Iterable[bytes]) -> str:
    """The sha256 of parts in this order, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
