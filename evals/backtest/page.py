"""A back-test as one HTML page: no script, nothing from elsewhere, light and dark.

Every text is escaped by the template engine; addresses are those of sources, which load only as
http or https.
"""

from __future__ import annotations

from pathlib import Path

from evals.backtest import words
from evals.backtest.history import NONE
from evals.backtest.shapes import IssueResult, IssueRow, Report, Share
from evals.pages import render

TEMPLATE = Path(__file__).with_name("page.html.j2")


def to_html(report: Report) -> str:
    """The page, complete."""
    return render(
        TEMPLATE, report=report, words=words, segments=segments, told=told, NONE=NONE, kind=kind
    )


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
