"""Fill in Jinja templates, in a sandbox: a template of whoever it is has no business elsewhere."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from emoword.io.errors import InputError


def fill(
    template: Path,
    values: Mapping[str, object],
    filters: Mapping[str, Callable[..., object]] | None = None,
    **options: Any,
) -> str:
    """Fill a template in; the same values give the same bytes.

    Args:
        template: a file; it can include others of its folder.
        values: what its expressions may name.
        filters: further filters, by name.
        options: of Jinja's environment; how values are escaped among them.

    Raises:
        InputError: the template is missing, is not valid, names something that is not there, or
            reaches for what a template has no business with.
    """
    environment = SandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader(template.parent),
        **options,
    )
    environment.filters.update(filters or {})
    try:
        return environment.get_template(template.name).render(values)
    except jinja2.TemplateNotFound as error:
        raise InputError(f"{template.parent / str(error)}: no such template") from error
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"{template}: line {error.lineno}: {error.message}") from error
    except (jinja2.UndefinedError, jinja2.exceptions.SecurityError) as error:
        raise InputError(f"{template}: {error.message}") from error
