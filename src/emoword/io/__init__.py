"""Files, errors, templates: what every room uses."""
