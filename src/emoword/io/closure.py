"""The code that a result is made by: a module and what it imports, read from the source itself.

The rules declare these files as inputs, and a checkpoint carries their fingerprint, so that an
edit of the code repeats exactly the work that it can change.
"""

import ast
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
            yield from _below(package, (alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ImportError(f"{path}, line {node.lineno}: a relative import; name it in full")
            source = node.module or ""
            if source.partition(".")[0] != package.name:
                continue
            own = source.partition(".")[2]
            for alias in node.names:
                inner = f"{own}.{alias.name}".lstrip(".")
                # a name is a module of its own, or is defined in the module it is imported from
                yield inner if _file(package, inner) else own


def _below(package: Path, names: Iterable[str]) -> Iterator[str]:
    """``emoword.io.files`` -> ``io.files``; other packages are left out."""
    for name in names:
        if name.partition(".")[0] == package.name:
            yield name.partition(".")[2]
