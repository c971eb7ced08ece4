"""Names for what a long computation is made of: it resumes nothing that another one has begun."""

import hashlib
from collections.abc import Iterable

from emoword.io.closure import closure


def fingerprint_with_code(module: str, parts: Iterable[bytes]) -> str:
    """The sha256 of the code that ``module`` is made of, and of parts in this order."""
    return fingerprint([*(path.read_bytes() for path in closure(module)), *parts])


def fingerprint(parts: Iterable[bytes]) -> str:
    """The sha256 of parts in this order, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
