"""The back-test: what became of the issues in simulated debates, against what history did.

    history.py      what happened, from evals/backtests, and how it is read
    simulated.py    what became of each issue in a debate; which debates are runs of one system
    scoring.py      Brier and log score, base rates
    inference.py    interval and exact test over issues
    shapes.py       what a back-test says, as values
    report.py       all of it together
    words.py        numbers in words; Markdown
    page.py         one HTML page

It says how much of a system's runs fell on what happened at one summit. It does not say that the
system foresees what states do.
"""

from evals.backtest.history import Reading, load_history, outcomes_file
from evals.backtest.report import backtest
from evals.backtest.shapes import Report
from evals.backtest.simulated import Run, run_of, told_apart

__all__ = [
    "Reading",
    "Report",
    "Run",
    "backtest",
    "load_history",
    "outcomes_file",
    "run_of",
    "told_apart",
]
