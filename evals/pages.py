"""Pages for a browser: one file each, nothing from elsewhere, every text of a file escaped."""

from __future__ import annotations

from pathlib import Path

from harness.plain import clean

HERE = Path(__file__).parent
"""The styles that all pages share lie here, in pages.css."""


def render(template: Path, /, **values: object) -> str:
    """A template filled with values.

    Text is escaped where it is put in, and nothing in it can steer or hide: control and format
    characters are left out. The template may include what lies beside it, and pages.css.

    Args:
        template: The file, in Jinja's notation; a name it uses that has no value is an error.
        values: What the template calls by name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader((template.parent, HERE)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    # Globals, not arguments of the template: what it imports sees them too.
    environment.globals.update(values)
    return environment.get_template(template.name).render()
