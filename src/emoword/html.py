"""HTML pages from Jinja templates in which everything is escaped: one file, no network."""

from collections.abc import Mapping
from pathlib import Path

import jinja2

from emoword.errors import InputError


def render_page(template: Path, values: Mapping[str, object]) -> str:
    """Fill a template in; the same values give the same bytes.

    Raises:
        InputError: the template is missing, is not valid, or names something that is not there.
    """
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader(template.parent),
    )
    try:
        return environment.get_template(template.name).render(values)
    except jinja2.TemplateNotFound as error:
        raise InputError(f"{template.parent / str(error)}: no such template") from error
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"{template}: line {error.lineno}: {error.message}") from error
    except jinja2.UndefinedError as error:
        raise InputError(f"{template}: {error.message}") from error
