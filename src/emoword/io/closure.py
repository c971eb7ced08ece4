"""The code that a result is made by: a module and what it imports, read from the source itself.

The rules declare these files as inputs, and what a training resumes from carries their fingerprint,
so that an edit of the code repeats exactly the work that it can change.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

# No result hangs on the version and the names that a user imports, nor on the wording of messages.
# What settings and layout say reaches a stage as settings.json or a variant's file: its inputs; a
# stage whose tables get other columns (schemas) is edited itself.
# The `__init__.py` of a room holds a docstring and nothing else (tests/test_closure.py).
NOT_COUNTED = ("", "io.errors", "settings", "layout", "schemas")


@cache
def closure(*modules: str, package: Path = PACKAGE) -> tuple[Path, ...]:
    """The files of these modules and of all modules of the package that they import.

    Args:
        modules: names below the package, such as ``training.train``.
        package: the package's folder.

    Returns:
        Sorted paths, below ``package``.

    Raises:
        ImportError: an import names a module that the package does not have.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found or module in NOT_COUNTED:
            continue
        path = _file(package, module)
        if path is None:
            raise ImportError(f"{package.name} has no module {module!r}")
        found[module] = path
        waiting += _imported(package, path)
    return tuple(sorted(found.values()))


def _file(package: Path, module: str) -> Path | None:
    """The file of a module or of a folder of modules; None if there is none."""
    place = package.joinpath(*module.split("."))
    candidates = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _imported(package: Path, path: Path) -> Iterator[str]:
    """The package's modules that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            named = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ImportError(f"{path}, line {node.lineno}: a relative import; name it in full")
            named = [(str(node.module), alias.name) for alias in node.names]
        else:
            continue
        for source, name in named:
            root, _, module = source.partition(".")
            if root == package.name:
                # a name is a module of its own, or is defined in the module it is imported from
                inner = f"{module}.{name}".strip(".")
                yield inner if _file(package, inner) else module


def fingerprint_with_code(module: str, parts: Iterable[bytes]) -> str:
    """The sha256 of the code that ``module`` is made of, and of parts in this order."""
    return fingerprint([*(path.read_bytes() for path in closure(module)), *parts])


def fingerprint(parts: Iterable[bytes]) -> str:
    """The sha256 of parts in this order, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
