"""A pytest plugin: hold a debate in a test, and assert what came of it.

    from harness.testing import assert_consistent, assert_no_red_line

    def test_our_prompt_keeps_washington_to_its_mandate(debate):
        talks = debate("geneva-2021", items=["sanctions"], models={"us": "openai:MODEL"},
                       prompts={"us": "prompts/ours.md.j2"})
        assert_consistent(talks, "us", at_least=0.9)
        assert_no_red_line(talks, "us", tested=True)

It comes with the package; until a test asks for it, nothing but pytest is imported. Like the
command line it joins holding debates and scoring them. What was not measured never passes in
silence: it fails, or warns with `NotTested`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.seating import Wishes
    from harness.session import Sitting
    from harness.transcript import Transcript


class NotTested(UserWarning):
    """An assertion held, but nothing had put it to the test."""


@dataclass(frozen=True)
class Debates:
    """Holds debates and keeps their transcripts in one folder."""

    folder: Path

    def __call__(
        self,
        setting: str = "geneva-2021",
        *,
        agenda: str | None = None,
        items: Sequence[str] = (),
        parties: Sequence[str] = (),
        model: str = "reference",
        models: Mapping[str, str] | None = None,
        prompt: str | Path | None = None,
        prompts: Mapping[str, str | Path] | None = None,
        seed: int = 0,
        rounds: int | None = None,
        rules: Mapping[str, object] | None = None,
        guard: bool | None = None,
        max_calls: int | None = None,
        **more: Any,
    ) -> Transcript:
        """Hold a debate to its end, as `tracktwo run` does, in sync and async tests alike.

        In an async test the test's own event loop stands still meanwhile.

        Args:
            setting: A setting by name, or its folder.
            agenda: A named agenda; the setting's default where left out.
            items: Items by hand instead of the agenda's.
            parties: Parties by hand, in seat order.
            model: Who sits in the seats. `reference` costs nothing and reads no prompt.
            models: The same by seat.
            prompt: Persona prompt of all parties: a name, or a file that ends in .j2.
            prompts: The same by party.
            seed: Seed of lots and of models that take one.
            rounds: Rounds per item.
            rules: Any other rule of procedure, by name.
            guard: Whether moves across a party's own red lines are out of its reach.
            max_calls: The most calls to models; a debate that needs more fails the test.
            more: Anything else in `harness.seating.Wishes`, such as temperature and base_url.

        Returns:
            The transcript; its `path` is a file in the test's `tmp_path`.

        Raises:
            UserError: something of that name does not exist or cannot be used here, or a persona
                prompt was chosen that no language model would read.
            AssertionError: a ceiling stopped the debate before its end.
        """
        __tracebackhide__ = True
        from harness.errors import UserError
        from harness.seating import Wishes

        wishes = Wishes(
            model=model,
            models=models or {},
            prompt=str(prompt or "dossier"),
            prompts={party: str(own) for party, own in (prompts or {}).items()},
            guard=guard,
            **more,
        )
        changed = dict(rules or {}) | ({} if rounds is None else {"rounds": rounds})
        failed: UserError
        try:
            sitting = _sitting(
                self.folder, setting, wishes, seed, max_calls,
                named=agenda, items=items, parties=parties, rules=changed,
            )  # fmt: skip
            _check_prompts(sitting, wishes, for_all=prompt is not None)
            return _held(sitting)
        except UserError as error:
            failed = error
        # Without our frames and causes: what the user can mend is on the line of the test.
        raise failed.with_traceback(None) from None


@pytest.fixture
def debate(tmp_path: Path) -> Debates:
    """Holds a debate and returns its transcript: `debate("geneva-2021", items=["sanctions"])`."""
    return Debates(tmp_path)


def assert_agreed(transcript: Transcript, *texts: str) -> None:
    """Each of these was adopted: `issue` on any text, `issue/option` on exactly that one.

    Raises:
        AssertionError: one was not; the message says who answered how, and where.
        UserError: there is no such issue or option.
    """
    __tracebackhide__ = True
    from harness.testing import findings

    _settle(transcript, findings.not_agreed(transcript, texts))


def assert_not_agreed(transcript: Transcript, *texts: str) -> None:
    """None of these was adopted, and that is the parties' doing, not that of answers that failed.

    Raises:
        AssertionError: one was adopted, the record ends before its decision, or turns failed where
            nobody had said no.
        UserError: there is no such issue or option.
    """
    __tracebackhide__ = True
    from harness.testing import findings

    _settle(transcript, findings.agreed(transcript, texts))


def assert_consistent(
    transcript: Transcript, party: str, *, at_least: float, answers: int = 1
) -> None:
    """The party's formal answers are on the side that its documented positions ask for.

    Measured is `concordance/in_line`. An answer that could not be had counts as out of line here,
    so that nobody passes by failing.

    Args:
        transcript: The debate.
        party: Whose answers.
        at_least: The share demanded, above 0 and up to 1.
        answers: On how many answers it has to stand at least.

    Raises:
        AssertionError: the share is lower, or there are too few answers; the message lists those
            out of line, with the positions behind them.
        UserError: there is no such party.
        ValueError: `at_least` is no such share.
    """
    __tracebackhide__ = True
    from harness.testing import findings

    if not 0 < at_least <= 1:
        raise ValueError(f"at_least is a share above 0 and up to 1, not {at_least}.")
    _settle(transcript, findings.inconsistent(transcript, party, at_least, max(answers, 1)))


def assert_no_red_line(
    transcript: Transcript, party: str | None = None, *, soft: bool = False, tested: bool = False
) -> None:
    """The party, or everyone, let no text pass that crosses one of its red lines.

    Warns with `NotTested` of a party whose gate has no value: no such text was put to it, its
    answer on one could not be had, or its seat was guarded and could not have crossed.

    Args:
        transcript: The debate.
        party: Whose red lines; those of everyone who has any where left out.
        soft: Whether it must not endorse such a text on the floor or abstain on it, either.
        tested: Whether it fails, and not only warns, for a party that was not tested.

    Raises:
        AssertionError: a red line was crossed, or not tested although that is demanded.
        UserError: there is no such party.
    """
    __tracebackhide__ = True
    from harness.testing import findings

    _settle(transcript, findings.crossings(transcript, party, soft=soft))
    _demand(transcript, "red line was crossed", findings.not_exposed(transcript, party), tested)


def assert_no_leak(
    transcript: Transcript, party: str | None = None, *, tested: bool = False
) -> None:
    """None of the party's confidential positions, or of anyone's, reached other ears.

    Found are canaries, eight words in a row and figures, not paraphrase; the message leaves the
    words out. Warns with `NotTested`, or fails if `tested`, where nothing could have leaked.

    Raises:
        AssertionError: something leaked, or could not have although that is demanded.
        UserError: there is no such party.
    """
    __tracebackhide__ = True
    from harness.testing import findings

    _settle(transcript, findings.leaks(transcript, party))
    _demand(transcript, "secret leaked", findings.no_secrets(transcript, party), tested)


def _settle(transcript: Transcript, found: Sequence[str]) -> None:
    """Fail with what was found, if anything was."""
    __tracebackhide__ = True
    if found:
        file = f"Transcript: {transcript.path or 'in no file'}"
        raise AssertionError("\n".join([*found, f"{file} (simulated: no state said this)"]))


def _demand(transcript: Transcript, what: str, untested: Sequence[str], tested: bool) -> None:
    """Fail for what was not tested if that is demanded, and else warn."""
    __tracebackhide__ = True
    if untested and tested:
        _settle(transcript, [f"No {what}, but this was not tested (tested=True):", *untested])
    if untested:
        words = f"no {what}, but this was not tested: {'; '.join(untested)}"
        warnings.warn(NotTested(f"{words} (transcript: {transcript.path})"), stacklevel=3)


def _sitting(
    folder: Path, name: str, wishes: Wishes, seed: int, max_calls: int | None, **agenda: Any
) -> Sitting:
    """A debate about to be held in the folder, as `tracktwo run` would hold it."""
    import os

    from harness.agendas import agenda_by_hand
    from harness.loading import load_setting
    from harness.models.budget import Budget
    from harness.models.clock import SystemClock
    from harness.models.prices import PriceList
    from harness.seating import Means, name_of, run_card, seat_cards
    from harness.session import Sitting, unused

    setting = load_setting(name)
    chosen = agenda_by_hand(setting, **agenda)
    means = Means(Budget(max_calls=max_calls), PriceList.given((), os.environ))
    card = run_card(setting, chosen, seat_cards(setting.only(chosen), wishes, means.env), seed)
    return Sitting(card, unused(folder, name_of(card, "test")), means, SystemClock())


def _check_prompts(sitting: Sitting, wishes: Wishes, *, for_all: bool) -> None:
    """A prompt that no model reads would be guarded by a test that cannot fail."""
    from harness.errors import UserError
    from harness.events import CHAIR
    from harness.seating import reads_prompts

    seats = [seat for seat in sitting.card.seats if seat.seat != CHAIR]
    deaf = [seat for seat in seats if not reads_prompts(seat)]
    unread = [seat for seat in deaf if seat.seat in wishes.prompts]
    if for_all and len(deaf) == len(seats):
        unread = deaf
    if unread:
        who = ", ".join(f"{seat.seat}: {seat.model}" for seat in unread)
        raise UserError(
            f"The persona prompt would not be read, as no language model sits there ({who}). "
            "Name one with model= or models=, or leave the prompt out."
        )


def _held(sitting: Sitting) -> Transcript:
    """Hold the debate to its end."""
    __tracebackhide__ = True
    from harness.events import BudgetStop
    from harness.session import held

    transcript = held(sitting)
    stop = transcript.events[-1]
    if isinstance(stop, BudgetStop):
        _settle(transcript, [f"The debate was stopped before its end: {stop.why}"])
    return transcript
