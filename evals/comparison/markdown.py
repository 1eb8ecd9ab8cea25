"""A result as Markdown, fit for a README."""

from __future__ import annotations

from collections.abc import Iterator

from evals.comparison.presented import Grid, Section, sections
from evals.comparison.shapes import Results
from evals.comparison.shown import Cell


def to_markdown(results: Results) -> str:
    """All sections as Markdown."""
    parts = [f"# {_safe(results.experiment.id)}"]
    for section in sections(results):
        parts += list(_markdown(section))
    return "\n\n".join(parts) + "\n"


def _markdown(section: Section) -> Iterator[str]:
    if section.title:
        yield f"## {_safe(section.title)}"
    yield from map(_safe, section.words)
    if section.grid is not None:
        yield _markdown_table(section.grid)
    if section.points:
        yield "\n".join(f"- {_safe(point)}" for point in section.points)
    yield from (f"*{_safe(note)}*" for note in section.notes)


def _markdown_table(grid: Grid) -> str:
    rows = [[_cell(cell) for cell in row] for row in grid.rows]
    lines = [list(grid.head), ["---"] * len(grid.head), *rows]
    return "\n".join("| " + " | ".join(map(_safe, line)) + " |" for line in lines)


def _cell(cell: Cell) -> str:
    """On one line: an interval belongs to its number, all else is a remark."""
    return "".join(
        (cell.main, *(f" {part}" if part.startswith("[") else f"; {part}" for part in cell.small))
    )


def _safe(text: str) -> str:
    """Text that cannot break out of a table cell or start a tag, a link or emphasis."""
    flat = " ".join(text.split())
    for character in "\\|`<*_":
        flat = flat.replace(character, "\\" + character)
    return flat.replace("](", "]\\(")
