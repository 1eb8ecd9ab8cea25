"""A script: what was written beforehand is said to the letter, or fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import events as e
from harness.errors import UserError
from harness.models.reference import Reference
from harness.models.script import Line, Scripted, read_script
from harness.setting import Rules
from harness.turn import Seated
from tests.rooms import Does, Held, Improviser, a_room, held, insists, silent, two_sides

SCRIPT = """\
- item: arms
  round: 0
  say: We open with a.
  cite: [us-limits-0-1]
  moves:
    - propose: limits-0/a
      because: us-limits-0-1
- item: arms
  round: 1
  moves:
    - reject: limits-0/b
      because: us-limits-0-1
    - concede: limits-0/c
    - ask: limits-0
      to: ru
- item: arms
  round: reply
  say: We have answered.
- item: arms
  round: decision
  votes:
    limits-0: {vote: accept, because: us-limits-0-2}
"""


def scripted(tmp_path: Path, text: str) -> Scripted:
    path = tmp_path / "lines.yaml"
    path.write_text(text)
    return Scripted(read_script(path), Reference())


def moves(past: Held, party: str = "us") -> list[tuple[str, str, str | None]]:
    return [
        (m.move.move, m.move.key, m.move.because) for m in past.of(e.MoveMade) if m.party == party
    ]


@pytest.mark.parametrize("speech", ["free", "composed"])
def test_a_script_is_followed_to_the_letter(tmp_path: Path, speech: str) -> None:
    seats: dict[str, Seated] = {"us": scripted(tmp_path, SCRIPT), "ru": insists("b")}
    past = held(a_room(two_sides(Rules(rounds=1)), seats, speech=speech))  # type: ignore[arg-type]
    assert moves(past) == [
        ("propose", "limits-0/a", "us-limits-0-1"),
        ("reject", "limits-0/b", "us-limits-0-1"),
        ("concede", "limits-0/c", None),
        ("ask", "limits-0", None),
    ]
    opening = next(s for s in past.of(e.Statement) if s.party == "us")
    assert (opening.text, opening.citations) == ("We open with a.", ("us-limits-0-1",))
    assert [(v.vote, v.because) for v in past.of(e.VoteCast) if v.party == "us"] == [
        ("accept", "us-limits-0-2")
    ]


def test_a_script_with_a_language_model_behind_it_is_followed_too(tmp_path: Path) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text(SCRIPT)
    behind = Improviser(1)
    seats: dict[str, Seated] = {"us": Scripted(read_script(path), behind), "ru": insists("b")}
    past = held(a_room(two_sides(Rules(rounds=2)), seats))
    assert [m[:2] for m in moves(past)][:3] == [
        ("propose", "limits-0/a"), ("reject", "limits-0/b"), ("concede", "limits-0/c"),
    ]  # fmt: skip
    assert {request.round for request in behind.asked if request.phase == "round"} == {2}
    assert not [f for f in past.of(e.TurnFailed) if f.party == "us" and f.round < 2]


def test_an_offer_is_meant_by_its_handle_or_by_its_text(tmp_path: Path) -> None:
    for named in ("O1", "limits-0/b"):
        text = f"- item: arms\n  round: 1\n  moves: [{{accept: {named}}}]\n"
        seats: dict[str, Seated] = {"us": scripted(tmp_path, text), "ru": insists("b")}
        rules = Rules(rounds=1, floor="round_robin", opening_statements=False)
        # ru has to speak first for its offer to be there.
        past = held(a_room(two_sides().model_copy(update={
            "parties": tuple(reversed(two_sides().parties))}), seats, rules=rules))  # fmt: skip
        assert moves(past) == [("accept", "limits-0/b", None)]
        assert past.state.issues["limits-0"].outcome == "adopted"


def test_turns_without_a_line_fall_to_the_seat_beside_the_script() -> None:
    behind = Does(silent, reads_prompts=False)
    script = Scripted((Line(item="arms", round=1, say="Only this."),), behind)
    past = held(a_room(two_sides(Rules(rounds=2)), {"us": script, "ru": insists("b")}))
    said = {(s.phase, s.round): s.text for s in past.of(e.Statement) if s.party == "us"}
    assert said["round", 1] == "Only this."
    assert {(r.phase, r.round) for r in behind.asked} == set(said) - {("round", 1)}


@pytest.mark.parametrize(
    "stale",
    [
        "moves: [{accept: limits-0/c}]",
        "moves: [{propose: limits-0/zz}]",
        "moves: [{accept: O99}]",
        "moves: [{propose: limits-0/a, because: ru-limits-0-1}]",
        "cite: [ru-limits-0-1]",
        "moves: [{ask: limits-0, to: us}]",
    ],
)
def test_a_line_that_no_longer_fits_fails_and_its_repair_is_left_to_the_other_seat(
    tmp_path: Path, stale: str
) -> None:
    text = f"- item: arms\n  round: 1\n  {stale}\n"
    seats: dict[str, Seated] = {"us": scripted(tmp_path, text), "ru": insists("b")}
    parties = tuple(reversed(two_sides().parties))  # so that O1 is an offer that can be accepted
    setting = two_sides().model_copy(update={"parties": parties})
    past = held(a_room(setting, seats, rules=Rules(rounds=1)))
    (unread,) = past.of(e.Unread)
    assert unread.call == "arms/round1/us#1"
    assert [c.model for c in past.of(e.ModelCall) if c.call.startswith("arms/round1/us")] == [
        "script", "reference",
    ]  # fmt: skip


def test_a_vote_that_the_script_leaves_out_is_not_filled_in(tmp_path: Path) -> None:
    text = "- item: arms\n  round: decision\n  say: We have no view.\n"
    path = tmp_path / "lines.yaml"
    path.write_text(text)
    seats: dict[str, Seated] = {
        "us": Scripted(read_script(path), Does(lambda _: "", reads_prompts=False)),
        "ru": insists("b"),
    }
    past = held(a_room(two_sides(), seats))
    assert [v for v in past.of(e.VoteCast) if v.party == "us"] == []
    assert past.of(e.Decided)[0].missing == ("us",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- item: arms\n  round: soon\n", r"lines\.yaml:1: 0\.round"),
        ("- item: arms\n  round: 0\n- item: arms\n  rond: 1\n", r"lines\.yaml:3: 1\."),
        (
            "- item: arms\n  round: 0\n  moves: [{adopt: limits-0/a}]\n",
            r"lines\.yaml:1: a move names",
        ),
        (
            "- item: arms\n  round: 0\n  moves: [{propose: x/a, accept: O1}]\n",
            r"lines\.yaml:1: a move names exactly one of propose, accept, ",
        ),
        ("- item: [\n", r"lines\.yaml:2: "),
        ("item: arms\nitem: x\n", r"lines\.yaml:\d: "),
    ],
)
def test_a_script_with_a_mistake_is_refused_by_file_and_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        scripted(tmp_path, text)


def test_a_script_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: cannot be read: No such file"):
        read_script(tmp_path / "none.yaml")
