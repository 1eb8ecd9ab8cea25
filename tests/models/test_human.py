"""A person in the seat: typed commands become the same answers as any other seat's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import pytest

from harness import events as e
from harness.models.human import Human
from harness.setting import Rules
from harness.turn import Answer, Reply, Request, Seated, read
from tests.rooms import Does, Speech, a_room, held, insists, silent, two_sides


def a_request(phase: str = "round", speech: Speech = "free") -> Request:
    """What the American delegation is asked, with a Russian offer on the table."""
    watching = Does(silent, reads_prompts=False)
    seats: dict[str, Seated] = {
        "us": insists("a") if phase == "decision" else watching,
        "ru": insists("b"),
    }
    if phase == "decision":
        seats["us"] = watching
    held(a_room(two_sides(Rules(rounds=1), issues=2), seats, speech=speech))
    return next(request for request in watching.asked if request.phase == phase)


class Terminal:
    """Types lines one after the other and keeps what was shown."""

    closes = False
    """Whether it is closed after the last line; else nobody may ask for another."""

    def __init__(self, *typed: str) -> None:
        self._typed = iter(typed)
        self.shown: list[str] = []

    def ask(self, prompt: str) -> str:
        self.shown.append(prompt)
        for line in self._typed:
            return line
        assert self.closes, self.shown[-1:]
        raise EOFError

    def tell(self, text: str) -> None:
        self.shown.append(text)


def answered(request: Request, *typed: str) -> tuple[Answer, Terminal]:
    terminal = Terminal(*typed)
    reply = asyncio.run(Human(terminal.ask, terminal.tell).answer(request))
    assert reply.text is not None
    outcome = read(reply.text, request, own_words=True)
    assert isinstance(outcome, Answer)
    return outcome, terminal


def test_a_whole_turn_is_typed() -> None:
    answer, _ = answered(
        a_request(),
        "propose limits-0/a",
        "because us-limits-0-1",
        "reject O1",
        "accept O2",
        "ask ru limits-0",
        "cite us-limits-0-1",
        "say We propose our text, and \"quotes\" are fine.",
        "done",
    )  # fmt: skip
    assert [(m.move, m.key, m.offer, m.because, m.to) for m in answer.moves] == [
        ("propose", "limits-0/a", None, "us-limits-0-1", None),
        ("reject", "limits-0/b", "O1", None, None),
        ("accept", "limits-1/b", "O2", None, None),
        ("ask", "limits-0", None, None, "ru"),
    ]
    assert answer.statement == 'We propose our text, and "quotes" are fine.'
    assert answer.citations == ("us-limits-0-1",)


def test_a_decision_is_typed() -> None:
    answer, terminal = answered(
        a_request("decision"),
        "vote limits-0 reject",
        "because us-limits-0-1",
        "say Not this.",
        "done",
        "vote limits-1 abstain",
        "done",
    )
    assert answer.votes == {
        "limits-0": ("reject", "us-limits-0-1"),
        "limits-1": ("abstain", None),
    }
    assert any("not yet: $.votes: 'limits-1' is a required property" in x for x in terminal.shown)


def test_a_person_who_says_nothing_speaks_through_the_dossier_in_a_composed_seat() -> None:
    answer, _ = answered(a_request(speech="composed"), "propose limits-0/a", "done")
    assert answer.statement is None
    aloud, _ = answered(a_request(speech="composed"), "say Our own words.", "done")
    assert aloud.statement == "Our own words."


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("accept O9", "not possible: "),
        ("propose limits-0/zz", "not possible: "),
        ("propose limits-0", "not possible: "),
        ("withdraw O1", "not possible: "),
        ("ask zz limits-0", "not possible: "),
        ("adopt limits-0/a", "'adopt limits-0/a' cannot be done here; `help` lists what can"),
        ("cite ru-limits-0-1", "cannot be done here"),
        ("because us-limits-0-1", "cannot be done here"),
        ("vote limits-0 accept", "cannot be done here"),
        ("undo", "cannot be done here"),
        ('propose "limits', "cannot read that: "),
        ("show everything", "cannot be done here"),
    ],
)
def test_a_typing_error_is_said_at_once_and_changes_nothing(typed: str, said: str) -> None:
    answer, terminal = answered(a_request(), typed, "say Hello.", "done")
    assert (answer.moves, answer.citations, dict(answer.votes)) == ((), (), {})
    assert [line for line in terminal.shown if said in line], terminal.shown


def test_the_last_move_can_be_undone() -> None:
    answer, _ = answered(
        a_request(), "propose limits-0/a", "propose limits-1/c", "undo", "say Hello.", "done"
    )
    assert [m.key for m in answer.moves] == ["limits-0/a"]


def test_a_free_seat_has_to_say_something() -> None:
    _, terminal = answered(a_request(), "done", "say Hello.", "done")
    assert "  not yet: $.statement: nothing was said" in terminal.shown


def test_mandate_options_and_offers_are_in_view_and_can_be_seen_again() -> None:
    _, terminal = answered(
        a_request(), "show mandate", "show options", "show offers", "help", "say Hello.", "done"
    )
    shown = "\n".join(terminal.shown)
    assert shown.count("us-limits-0-1 (demand, firmness 4, public)") == 2
    assert shown.count("  O1 by ru: limits-0/b") == 2
    assert shown.count("limits-1/c The text c on limits-1.") == 2
    assert "ru-limits-0-1" not in shown
    assert "US> " in shown


@pytest.mark.parametrize("typed", [(), ("propose limits-0/a",), ("say Hello.",)])
def test_a_closed_terminal_interrupts_the_debate_and_answers_nothing(
    typed: Iterable[str],
) -> None:
    terminal = Terminal(*typed)
    terminal.closes = True
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(Human(terminal.ask, terminal.tell).answer(a_request()))


def test_a_person_sits_through_a_whole_debate() -> None:
    class Patient(Terminal):
        def ask(self, prompt: str) -> str:
            self.turn = getattr(self, "turn", [])
            if not self.turn:
                decision = any("tabled: limits-0" in line for line in self.shown[-30:])
                self.turn = ["vote limits-0 accept"] * decision + ["say We are here.", "done"]
            line: str = self.turn.pop(0)
            return line

    terminal = Patient()
    seats: dict[str, Seated] = {"us": Human(terminal.ask, terminal.tell), "ru": insists("b")}
    past = held(a_room(two_sides(Rules(rounds=1)), seats, speech="free"))
    assert past.of(e.TurnFailed) == []
    assert {s.text for s in past.of(e.Statement) if s.party == "us"} == {"We are here."}
    assert past.state.issues["limits-0"].outcome in ("adopted", "bracketed")
    assert {call.model for call in past.of(e.ModelCall) if call.seat == "us"} == {"human"}


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    setting = two_sides()
    party = setting.parties[0]
    nasty = "\x1b[2J\x07 text\nwith lines"
    setting = setting.model_copy(
        update={
            "parties": (
                party.model_copy(
                    update={
                        "positions": tuple(
                            p.model_copy(update={"statement": nasty}) for p in party.positions
                        )
                    }
                ),
                setting.parties[1],
            )
        }
    )
    terminal = Terminal("say Hello.", "done")
    watching = Does(silent, reads_prompts=False)
    held(a_room(setting, {"us": watching}, speech="free"))
    reply = asyncio.run(Human(terminal.ask, terminal.tell).answer(watching.asked[0]))
    assert isinstance(reply, Reply)
    assert json.loads(reply.text or "")["statement"] == "Hello."
    assert not [line for line in terminal.shown if "\x1b" in line or "\x07" in line]


def test_leave_hands_the_seat_to_the_stand_in_for_good() -> None:
    request = a_request()
    terminal = Terminal("propose limits-0/a", "leave")
    stand_in = Does(silent, reads_prompts=False)
    person = Human(terminal.ask, terminal.tell, stand_in)
    first, second = (asyncio.run(person.answer(request)) for _ in range(2))
    assert (first.model, second.model) == ("does", "does")
    assert first.parameters == {"instead_of": "human", "because": "the person had left"}
    assert stand_in.asked == [request, request]
    assert json.loads(first.text or "")["moves"] == []  # what was typed went with the person
    assert any("leave  " in line for line in terminal.shown)


def test_nobody_can_leave_where_nothing_stands_in() -> None:
    _, terminal = answered(a_request(), "leave", "say Hello.", "done")
    assert any("'leave' cannot be done here" in line for line in terminal.shown)
    assert not any("leave  " in line for line in terminal.shown)


def test_the_chairs_voice_is_typed() -> None:
    terminal = Terminal(*(["We begin.", ""] * 9))
    voice = Human(terminal.ask, terminal.tell)
    past = held(a_room(two_sides(), {"us": insists("a"), "ru": insists("b")}, voice=voice))
    spoken = past.of(e.ChairSpoke)
    assert spoken
    assert {words.text for words in spoken} == {"We begin."}
    assert len([c for c in past.of(e.ModelCall) if c.seat == "chair"]) > len(spoken)
    assert any("We take up: " in line for line in terminal.shown)
