"""HTML pages from Jinja templates in which everything is escaped: one file, no network."""

from collections.abc import Mapping
from pathlib import Path

from emoword.io.templates import fill


def render_page(template: Path, values: Mapping[str, object]) -> str:
    """Fill a template in, every value escaped for HTML; errors as `emoword.io.templates`."""
    return fill(template, values, autoescape=True)
