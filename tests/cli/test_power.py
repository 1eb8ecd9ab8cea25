"""`tracktwo power`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from evals.comparison.power import Prospect, Spread
from harness.cli.power import ASSUMED, foreseen, power, spread_of
from harness.errors import UserError
from harness.sweep.running import run_experiment


def tracktwo_power(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(power)
    return CliRunner().invoke(app, list(arguments))


def told(*arguments: str) -> str:
    result = tracktwo_power(*arguments)
    assert isinstance(result.exception, UserError), result.output
    return str(result.exception)


def test_what_one_has_and_what_one_needs_in_words() -> None:
    result = tracktwo_power("--effect", "0.1", "--scenarios", "6", "--seeds", "3")

    assert result.exit_code == 0, result.output
    assert "6 scenarios of 3 seeds, one arm against the baseline: 36 debates." in result.output
    assert "found with probability .54" in result.output
    assert "probability .80 is 0.137" in result.output
    assert "That is not enough. 20 scenarios of 1 seed would take the fewest" in result.output
    assert "The short form with t quantiles says 0.136" in result.output
    assert "assumed, not measured" in result.output
    rows = [line.split() for line in result.output.splitlines() if line.split()[-1:] == [".81"]]
    assert ["20", "1", "40", ".81"] in rows


def test_more_scenarios_are_enough() -> None:
    output = tracktwo_power("--effect", "0.1", "--scenarios", "9", "--seeds", "5").output
    assert "That is enough." in output


def test_an_effect_that_is_lost_says_so_instead_of_a_table() -> None:
    output = tracktwo_power("--effect", "0.001", "--between", "0.5", "--within", "0.1").output
    assert "No number of scenarios up to 10,000 finds 0.001" in output
    assert "ENOUGH TO FIND" not in output


def test_json_is_the_whole_answer() -> None:
    result = tracktwo_power(
        "--effect", "0.1", "--between", "0.08", "--within", "0.2", "--arms", "4", "--json"
    )
    made = Prospect.model_validate_json(result.stdout)
    assert (made.between, made.within, made.source) == (0.08, 0.2, "as given")
    assert made.alpha == pytest.approx(0.0125)
    assert made.here.debates == 5 * 9 * 5
    assert json.loads(result.stdout)["enough"]


def test_arms_and_the_risk_taken_are_said() -> None:
    output = tracktwo_power("--effect", "0.1", "--arms", "4", "--alpha", "0.1").output
    assert "4 arms against the baseline" in output
    assert "at 0.025, 0.1 over 4 arms" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--effect", "0"), "--effect 0: name a difference above 0"),
        (("--effect", "0.1", "--scenarios", "5"), "--scenarios 5: with fewer than 6 no test"),
        (("--effect", "0.1", "--seeds", "0"), "--seeds 0: at least 1"),
        (("--effect", "0.1", "--arms", "0"), "--arms 0"),
        (("--effect", "0.1", "--power", "1"), "--power 1: a probability"),
        (("--effect", "0.1", "--alpha", "0.9"), "--alpha 0.9: a risk"),
        (("--effect", "0.1", "--between", "0", "--within", "0"), "where nothing varies"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    sentence = told(*arguments)
    assert said in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_what_an_experiment_found_takes_the_place_of_the_guess() -> None:
    known = Spread(0.2, 0.3, "found in transcripts/experiments/mine")
    assert spread_of(None, None) == Spread(0.05, 0.1, ASSUMED)
    assert spread_of(None, None, known) == known
    assert spread_of(0.1, None, known) == Spread(
        0.1, 0.3, "one as given, the other found in transcripts/experiments/mine"
    )
    assert spread_of(0.1, 0.4, known).source == "as given"
    assert foreseen(0.1, known, 9, 5).source == known.source


def test_names_of_folders_cannot_steer_the_terminal(tmp_path: Path) -> None:
    from rich.console import Console

    from harness.cli.power import _show

    path = tmp_path / "out.txt"
    with path.open("w", encoding="utf-8") as file:
        console = Console(file=file, width=200, highlight=False, markup=False, emoji=False)
        _show(console, foreseen(0.1, Spread(0.2, 0.3, "found in \x1b[31mred"), 9, 5))
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_the_spread_of_an_experiment_is_reckoned_with(tmp_path: Path) -> None:
    held = tmp_path / "chair-rules"
    run_experiment("chair-rules", out=held)
    done = tracktwo_power("--effect", "0.1", "--from", str(held))
    assert done.exit_code == 0, done.output
    assert "found in" in done.output
    assert "assumed, not measured" not in done.output


def test_a_folder_that_tells_no_spread_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path) in told("--effect", "0.1", "--from", str(tmp_path))
