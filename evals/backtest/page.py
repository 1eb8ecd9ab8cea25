"""A back-test as one HTML page: no script, nothing from elsewhere, light and dark.

Every text is escaped by the template engine; addresses are those of sources, which load only as
http or https.
"""

from __future__ import annotations

from pathlib import Path

from evals.backtest import words
from evals.backtest.history import NONE
from evals.backtest.shapes import IssueResult, IssueRow, Report, Share
from harness.plain import clean

TEMPLATE = "page.html.j2"


def to_html(report: Report) -> str:
    """The page, complete."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    environment.globals.update(words=words, segments=segments, told=told, NONE=NONE, kind=kind)
    return environment.get_template(TEMPLATE).render(report=report)


def segments(result: IssueResult) -> tuple[Share, ...]:
    """The parts of a bar in the order of the options: outcomes that came about."""
    return tuple(share for share in result.shares if share.count)


def kind(row: IssueRow, outcome: str) -> str:
    """How a part of a bar is drawn: what happened, no agreement, or another text."""
    if outcome in row.right:
        return "hit"
    return "open" if outcome == NONE else "text"


def told(result: IssueResult) -> str:
    """A bar in words, for those who do not see it."""
    parts = [
        f"{share.outcome} ({share.label}): {share.count} of {result.n} "
        f"[{share.low:.2f}, {share.high:.2f}]"
        for share in segments(result)
    ]
    return "; ".join((*parts, *result.why))
