"""The command line: arguments in, one call, words out. One file per verb.

Exit codes: 0 done; 1 a defect of ours, with traceback, or debates of an experiment that broke off
twice; 2 something the user can mend; 3 stopped by a ceiling; 130 interrupted. Nothing heavy is
imported until a verb runs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

from harness.cli.backtest import backtest
from harness.cli.calibrate import calibrate
from harness.cli.check import check
from harness.cli.experiment import experiment
from harness.cli.export import export
from harness.cli.fork import fork
from harness.cli.import_ import import_
from harness.cli.models import models
from harness.cli.new import new
from harness.cli.page import page
from harness.cli.power import power
from harness.cli.prompt import app as prompt
from harness.cli.query import query
from harness.cli.read import read
from harness.cli.results import results
from harness.cli.run import run
from harness.cli.score import score
from harness.cli.validate_judge import validate_judge
from harness.cli.view import view
from harness.errors import UserError

app = typer.Typer(
    help="Rehearse a negotiation between states with language models, and score the record. "
    "The words are simulated and no state's.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: drawing it with rich costs more than everything else `--help` does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 debates of an experiment broke off twice; 2 something to mend; "
    "3 stopped by a ceiling; 130 interrupted.",
)
VERBS = (
    run,
    score,
    read,
    page,
    view,
    export,
    experiment,
    results,
    power,
    query,
    fork,
    backtest,
    calibrate,
    validate_judge,
    check,
    models,
    new,
)
for verb in VERBS:
    app.command()(verb)
app.command("import")(import_)
app.add_typer(prompt, name="prompt")


def main() -> None:
    """Run the command line; what the user can mend is one sentence, without a traceback."""
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        _gone()
    except SystemExit as done:
        if isinstance(done.__context__, BrokenPipeError):  # the libraries make an exit of it
            _gone()
        raise


def _gone() -> NoReturn:
    """Whoever read the pipe has enough: nothing more to say, and nothing went wrong."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for the last flush
    raise SystemExit(0) from None
