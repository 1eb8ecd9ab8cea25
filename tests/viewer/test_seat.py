"""People in seats, in whole debates through the app: what they see, send, and leave on record."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from harness import events as e
from harness.session import Sitting
from harness.setting import Rules, Setting
from harness.transcript import Transcript, dump, read
from harness.viewer.app import build as built
from harness.viewer.app import debate, seat, shelf
from harness.viewer.app.desk import Desk
from tests.rooms import (
    a_party,
    a_position,
    a_setting,
    a_sitting,
    an_issue,
    an_item,
    lines,
    outcomes,
    sat,
    two_sides,
)  # fmt: skip

HOME = "http://127.0.0.1:7210"
PATIENCE = 20.0


class Table:
    """A room that begins debates: each by its name in the address."""

    def __init__(self, debates: Mapping[str, Callable[[Path], Sitting]]) -> None:
        self._debates = debates

    def routes(self, desk: Desk) -> Sequence[BaseRoute]:
        async def begin(request: Request) -> Response:
            name = request.path_params["name"]
            path = desk.folder / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            desk.hold(self._debates[name](path))
            return PlainTextResponse("begun")

        async def stop(request: Request) -> Response:
            await desk.stop(request.path_params["name"])
            return PlainTextResponse("stopped")

        return [Route("/begin/{name:path}", begin), Route("/stop/{name:path}", stop)]


def sits(
    setting: Setting | None = None, *, chair: str = "reference", resume: bool = False, **models: str
) -> Callable[[Path], Sitting]:
    """A debate in which these sit; the reference negotiator wherever nobody else does."""
    talks = setting or two_sides(Rules(rounds=1))

    def sitting(path: Path) -> Sitting:
        return a_sitting(path, talks, model="reference", chair=chair, models=models, resume=resume)

    return sitting


class House:
    """The app at work, and browsers that visit it."""

    def __init__(self, folder: Path, debates: Mapping[str, Callable[[Path], Sitting]]) -> None:
        self.folder = folder
        self.desk = Desk(folder)
        self.app = built.build(self.desk, rooms=[shelf, seat, debate, Table(debates)])
        self.first = self.browser()

    def browser(self) -> TestClient:
        visitor = TestClient(self.app, base_url=HOME, headers={"origin": HOME})
        visitor.portal = self.first.portal if hasattr(self, "first") else None
        return visitor

    def begin(self, name: str = "talks") -> None:
        assert self.first.get(f"/begin/{name}").text == "begun"

    def record(self, name: str = "talks") -> Transcript:
        return read(self.folder / f"{name}.jsonl")


class Person:
    """Somebody with a browser of their own, at one seat."""

    def __init__(self, house: House, seat: str = "us", debate: str = "talks") -> None:
        self.browser = house.browser()
        self.address = f"/seat/{quote(debate)}/{seat}"

    def page(self) -> str:
        return self.browser.get(self.address).text

    def does(self, what: str, expected: int = 200, /, **fields: str | list[str]) -> str:
        """Send a form; a name with a colon is written with two underscores."""
        data = {name.replace("__", ":"): value for name, value in fields.items()}
        response = self.browser.post(self.address, data={"do": what, **data})
        assert response.status_code == expected, response.text
        return response.text

    def takes(self, **terms: str) -> str:
        return self.does("take", **terms)

    def now(self) -> dict[str, object]:
        response = self.browser.post(self.address, data={"do": "here"})
        found: dict[str, object] = response.json()
        return found

    def turn(self, after: str = "") -> str:
        """The call that waits for them, as soon as there is one other than `after`."""

        def theirs() -> bool:
            return self.now()["call"] not in ("", after) or over(self)

        until(theirs)
        return str(self.now()["call"])

    def answers(self, call: str, expected: int = 200, /, **fields: str | list[str]) -> str:
        return self.does("answer", expected, call=call, **fields)

    def talks_through(self, *, until_phase: str = "", **fields: str | list[str]) -> None:
        """Answer every question with the same words, and abstain, to the end or a phase."""
        call = ""
        while (call := self.turn(call)) and not (until_phase and f"/{until_phase}" in call):
            self.answers(
                call, **{"statement": "We are here.", "vote__limits-0": "abstain"} | fields
            )


def over(person: Person) -> bool:
    return str(person.now()["version"]).endswith(" over")


def until(so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < give_up, "waited for too long"
        time.sleep(0.01)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    open_: list[House] = []

    def over_(**debates: Callable[[Path], Sitting]) -> House:
        made = House(tmp_path, debates or {"talks": sits(us="human")})
        made.first.__enter__()
        open_.append(made)
        return made

    yield over_
    for made in open_:
        made.first.__exit__(None, None, None)


Opens = Callable[..., House]


def by(record: Transcript, seat: str = "us") -> list[str | None]:
    return [call.model for call in record.calls if call.seat == seat]


def of(record: Transcript, kind: type) -> list[e.Event]:
    return [event for event in record.events if isinstance(event, kind)]


def test_a_person_plays_a_whole_debate(house: Opens, tmp_path: Path) -> None:
    table = house(talks=sits(two_sides(Rules(rounds=1), issues=2), us="human"))
    table.begin()
    person = Person(table)
    person.takes()
    call = person.turn()
    assert call == "arms/opening0/us#1"
    person.answers(
        call, statement="We open.", note="Be patient.", cite=["us-limits-0-1"],
        **{"offer__limits-0": "propose limits-0/a", "because__offer__limits-0": "us-limits-0-1"},
    )  # fmt: skip
    call = person.turn(call)
    shown = person.page()
    asked_for = re.findall(r'<option value="(limits-[^"]*)"', shown)
    assert asked_for
    assert {key.partition("/")[0] for key in asked_for} == {"limits-1"}  # never on the same issue
    offered = re.search(r"(O[0-9]+), the State of RU: “", shown)
    assert offered is not None
    person.answers(
        call, statement="We move.",
        **{f"on__{offered[1]}": "reject", "offer__limits-0": "concede limits-0/c",
           "return__limits-0": "limits-1/a", "ask__limits-0": "ru"},
    )  # fmt: skip
    call = person.turn(call)
    assert "/decision" in call
    person.answers(
        call, **{"vote__limits-0": "accept", "vote__limits-1": "reject",
                 "because__vote__limits-1": "us-limits-1-1"},
    )  # fmt: skip
    assert person.turn(call) == ""
    record = table.record()
    assert record.finished
    assert by(record) == ["human"] * 3
    assert not of(record, e.Unread)
    assert not of(record, e.TurnFailed)
    assert of(record, e.RuledOut) == []
    mine = [x for x in of(record, e.MoveMade) if isinstance(x, e.MoveMade) and x.party == "us"]
    assert [(m.move.move, m.move.issue, m.move.because, m.move.to) for m in mine] == [
        ("propose", "limits-0", "us-limits-0-1", None),
        ("reject", "limits-0", None, None),
        ("concede", "limits-0", None, None),
        ("ask", "limits-0", None, "ru"),
    ]
    assert (mine[2].move.key, mine[2].move.in_return_for) == ("limits-0/c", "limits-1/a")
    votes = [v for v in record.events if isinstance(v, e.VoteCast) and v.party == "us"]
    assert ("limits-1", "reject", "us-limits-1-1") in [(v.issue, v.vote, v.because) for v in votes]
    (note,) = [n for n in record.events if isinstance(n, e.Note)]
    assert (note.text, note.audience) == ("Be patient.", ("us",))
    assert "The talks are closed" in person.page()
    again = sat(a_sitting(tmp_path / "again.jsonl", record.setting, model=f"replay:{record.path}",
                          chair="reference"))  # fmt: skip
    assert lines(again.events[2:]) == lines(record.events[2:])


def test_nobody_sees_a_mandate_without_the_key_of_its_seat(house: Opens) -> None:
    table = house()
    table.begin()
    person, other = Person(table), Person(table)
    assert "The record holds us-" not in person.page()
    assert "The record holds us-limits-0-1." in person.takes()
    for seen in (other.page(), other.does("take", 409), other.does("answer", 409, call="x")):
        assert "This seat is taken" in seen
        assert "The record holds" not in seen
    assert other.browser.post(other.address, data={"do": "here"}).status_code == 409
    assert table.browser().get(person.address + "?key=guess").status_code == 409
    assert "The record holds us-limits-0-1." in person.page()
    (cookie,) = person.browser.cookies.jar
    assert cookie.path == "/seat"
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"


def test_the_key_in_the_address_leads_back_to_the_seat(house: Opens) -> None:
    table = house()
    table.begin()
    found = re.search(r'value="([^"]*[?]key=[^"]*)"', Person(table).takes())
    assert found is not None
    elsewhere = table.browser()
    came = elsewhere.get(found[1])
    assert "key=" not in str(came.url)
    assert "The record holds us-limits-0-1." in came.text


def test_who_leaves_the_seat_makes_room_for_somebody_else(house: Opens) -> None:
    table = house()
    table.begin()
    person, other = Person(table), Person(table)
    person.takes()
    person.does("leave")
    assert "The record holds" not in person.page()
    assert "The record holds us-limits-0-1." in other.takes()
    assert "This seat is taken" in person.page()


@pytest.mark.parametrize(("fields", "why"), [
    ({"statement": "  "}, "Say something"),
    ({"on:O2": "adopt"}, "This cannot be sent: $.moves[0]"),
    ({"on:O2": "accept", "because:on:O2": "ru-limits-0-1"}, "This cannot be sent: $.moves[0]"),
    ({"offer:limits-0": "propose limits-0/zz"}, "This cannot be sent: $.moves[0]"),
    ({"offer:limits-0": "withdraw O2"}, "This cannot be sent: $.moves[0]"),
    ({"return:limits-0": "limits-1/a"}, "Ask for a return on the matter of limits-0 only where"),
    ({"ask:limits-0": "us"}, "This cannot be sent: $.moves[0]"),
    ({"cite": "ru-limits-0-1"}, "This cannot be sent: $.citations"),
    ({"cite": ["us-limits-0-1"] * 5}, "Cite 4 positions at most."),
])  # fmt: skip
def test_an_answer_that_is_refused_says_why_and_keeps_what_was_typed(
    house: Opens, fields: dict[str, str | list[str]], why: str
) -> None:
    table = house()
    table.begin()
    person = Person(table)
    person.takes()
    call = person.turn()
    person.answers(call, statement="We open.")
    call = person.turn(call)
    typed = {"statement": "Our <words>.", "note": "Our note.", "cite": "us-limits-0-2"} | fields
    shown = person.answers(call, 422, **typed)
    found = re.search(r'<p class="wrong" id="wrong" role="alert">([^<]*)', shown)
    assert found is not None
    assert found[1].replace("&#39;", "'").startswith(why)
    assert "Our note.</textarea>" in shown
    if "statement" not in fields:
        assert "Our &lt;words&gt;.</textarea>" in shown
    if "cite" not in fields:
        assert 'value="us-limits-0-2" checked' in shown
    assert person.now()["call"] == call  # the question waits on
    assert len(by(table.record())) == 1


def test_a_vote_is_wanted_on_every_tabled_text(house: Opens) -> None:
    table = house(talks=sits(two_sides(Rules(rounds=1), issues=2), us="human"))
    table.begin()
    person = Person(table)
    person.takes()
    person.talks_through(until_phase="decision")
    call = str(person.now()["call"])
    shown = person.answers(call, 422, **{"vote__limits-0": "reject"})
    assert "Vote on every tabled text: " in shown
    assert re.search(r'name="vote:limits-0" value="reject" checked', shown)
    person.answers(call, **{"vote__limits-0": "reject", "vote__limits-1": "reserve"})
    person.turn(call)
    cast = {v.issue: v.vote for v in table.record().events
            if isinstance(v, e.VoteCast) and v.party == "us"}  # fmt: skip
    assert cast == {"limits-0": "reject", "limits-1": "reserve"}


@pytest.mark.parametrize(("model", "at_limit", "expected"), [
    ("human", "nothing", [None, "human", "human"]),
    ("human+reference", "turn", ["reference", "human", "human"]),
    ("human+reference", "rest", ["reference"] * 2),  # the two reference negotiators agree
])  # fmt: skip
def test_when_time_is_up_what_was_chosen_happens(
    house: Opens, model: str, at_limit: str, expected: list[str | None]
) -> None:
    table = house(talks=sits(us=model))
    table.begin()
    person = Person(table)
    person.takes(limit="0.6", at_limit=at_limit)
    call = person.turn()
    assert 0 < float(str(person.now()["left"])) <= 0.6
    until(lambda: person.now()["call"] != call)
    late = person.answers(call, 422, statement="Too <late>.")
    assert "That turn is over: what you wrote was not sent." in late
    assert "Too &lt;late&gt;.</textarea>" in late
    person.talks_through()
    record = table.record()
    answered = [None if call.failure else call.model for call in record.calls if call.seat == "us"]
    assert answered == expected
    failed = [(f.failure, f.phase) for f in record.events if isinstance(f, e.TurnFailed)]
    assert failed == ([("timeout", "opening")] if at_limit == "nothing" else [])
    assert record.finished


def test_the_seat_is_handed_over_and_taken_back(house: Opens) -> None:
    table = house(talks=sits(us="human+reference"))
    table.begin()
    person = Person(table)
    shown = person.takes()
    assert "Hand the seat to reference" in shown
    call = person.turn()
    person.does("over", **{"for": "turn"})
    call = person.turn(call)
    person.answers(call, statement="Ours again.")
    call = person.turn(call)
    person.does("over")
    until(lambda: over(person))
    record = table.record()
    assert by(record) == ["reference", "human", "reference"]
    stood = [c for c in record.calls if c.model == "reference" and c.seat == "us"]
    assert {c.parameters["because"] for c in stood} == {"the person handed over"}


def test_who_is_handed_nothing_over_can_still_go_on(house: Opens) -> None:
    """Taking back what was not given away, and handing over where nothing stands in."""
    table = house()
    table.begin()
    person = Person(table)
    assert "Hand the seat" not in person.takes()
    assert "There is no stand-in" in person.does("over", 400)
    person.does("back")
    assert "A seat cannot do" in person.does("adopt", 400)
    person.talks_through()
    assert table.record().finished


@pytest.mark.parametrize("terms", [
    {"at_limit": "turn", "limit": "9"}, {"limit": "soon"}, {"limit": "-1"},
    {"at_limit": "accept"}, {"away": "0"}, {"limit": "nan"},
])  # fmt: skip
def test_terms_that_cannot_be_kept_leave_the_seat_free(house: Opens, terms: dict[str, str]) -> None:
    table = house()
    table.begin()
    person = Person(table)
    assert 'role="alert"' in person.does("take", 400, **terms)
    assert "The record holds us-limits-0-1." in person.takes()


def test_a_page_that_was_closed_hands_over_and_its_person_comes_back(house: Opens) -> None:
    talks = sits(two_sides(Rules(rounds=2)), us="human+reference", ru="human")
    table = house(talks=talks)
    table.begin()
    person, other = Person(table), Person(table, "ru")
    person.takes(on_leaving="rest", away="2")
    other.takes()
    call = person.turn()  # gives signs of life
    until(lambda: "reference" in by(table.record()))  # and then none for a while
    assert "reference sits here for you" in person.page()
    person.does("back")
    theirs = other.turn()
    person.now()
    other.answers(theirs, statement="We open.")
    person.now()
    other.answers(other.turn(theirs), statement="We go on.")
    assert person.turn(call).startswith("arms/round")
    (stood,) = [c for c in table.record().calls if c.model == "reference"]
    assert stood.parameters["because"] == "the person had left"


def secretive() -> Setting:
    """Two parties with something of their own that nobody else may see."""

    def party(name: str, wants: str) -> tuple[object, ...]:
        return (
            a_position(f"{name}-1", supports=(f"limits/{wants}",), statement=f"{name} wants it."),
            a_position(f"{name}-x", statement=f"CANARY-{name}", confidential=True),
        )

    item = an_item(an_issue("limits", 2))
    rules = Rules(rounds=1, caucuses=())
    return a_setting(
        a_party("us", *party("us", "a")), a_party("ru", *party("ru", "b")),  # type: ignore[arg-type]
        a_party("de", a_position("de-1")), items=(item,), rules=rules,
    )  # fmt: skip


def test_two_people_never_see_each_others_mandate_notes_or_sealed_words(house: Opens) -> None:
    table = house(talks=sits(secretive(), us="human", ru="human"))
    table.begin()
    people = {name: Person(table, name) for name in ("us", "ru")}
    calls = dict.fromkeys(people, "")
    seen: dict[str, list[str]] = {"us": [], "ru": []}
    for name, person in people.items():
        seen[name].append(person.takes())
    said: list[str] = []
    while any(not over(person) for person in people.values()):
        for name, person in people.items():
            call = str(person.now()["call"])
            seen[name].append(person.page())
            if not call or call == calls[name]:
                continue
            sealed = "/opening" in call or "/decision" in call
            mine = f"SAID-{name}-{len(said)} <script>alert(1)</script>"
            others = [w for w in said if not w.startswith(f"SAID-{name}")]
            if sealed and others and "/opening" in call:
                assert others[-1].partition(" ")[0] not in seen[name][-1]
            seen[name].append(
                person.answers(call, statement=mine, note=f"NOTE-{name}",
                               **{"vote__limits": "abstain", "offer__limits": ""})
            )  # fmt: skip
            said.append(mine)
            calls[name] = call
    for name, other in (("us", "ru"), ("ru", "us")):
        pages = "\n".join([*seen[name], people[name].page()])
        assert f"CANARY-{name}" in pages
        assert f"NOTE-{name}" in pages
        assert f"SAID-{other}" in pages  # in the end they heard each other
        for secret in (f"CANARY-{other}", f"NOTE-{other}", f"{other} wants it."):
            assert secret not in pages
        assert "<script>alert" not in pages
        assert "&lt;script&gt;alert(1)" in pages
    assert len([n for n in table.record().events if isinstance(n, e.Note)]) >= 4


def test_votes_of_others_stay_sealed_until_one_has_voted(house: Opens) -> None:
    talks = sits(two_sides(Rules(rounds=1)), us="human", ru="human")
    table = house(talks=talks)
    table.begin()
    us, ru = Person(table), Person(table, "ru")
    us.takes()
    ru.takes()
    us.answers(us.turn(), statement="Us.", **{"offer__limits-0": "propose limits-0/c"})
    ru.answers(ru.turn(), statement="Ru.")
    while "/decision" not in str(us.now()["call"]):
        assert not over(us), "nothing was put to a vote"
        for person in (us, ru):
            if "/round" in (call := str(person.now()["call"])):
                person.answers(call, statement="Go on.")
    us.answers(str(us.now()["call"]), **{"vote__limits-0": "accept"})
    ballot = ru.turn()
    assert "/decision" in ballot
    assert "votes accept" in us.page()
    assert "votes accept" not in ru.page()
    ru.answers(ballot, **{"vote__limits-0": "reject"})
    until(lambda: over(ru))
    assert "votes accept" in ru.page()


def test_a_debate_with_a_person_is_stopped_and_resumed(house: Opens) -> None:
    def resumed(path: Path) -> Sitting:
        return sits(us="human", resume=True)(path.with_name("talks.jsonl"))

    table = house(talks=sits(us="human"), again=resumed)
    table.begin()
    person = Person(table)
    person.takes(limit="300")
    call = person.turn()
    person.answers(call, statement="Said once.")
    call = person.turn(call)
    assert table.first.get("/stop/talks").text == "stopped"
    assert "The debate is not being held now" in person.page()
    assert not table.record().finished
    table.begin("again")
    assert person.turn() == call
    assert float(str(person.now()["left"])) > 200  # on the terms they sat down on
    person.talks_through(statement="Said after.")
    record = table.record()
    assert record.finished
    assert [c.call for c in record.calls if c.seat == "us"].count("arms/opening0/us#1") == 1
    said = [s.text for s in record.events if isinstance(s, e.Statement) and s.party == "us"]
    assert said == ["Said once.", "Said after.", "Said after."]
    assert len(of(record, e.Resumed)) == 1
    replay = f"replay:{record.path}"
    again = sat(a_sitting(table.folder / "replayed.jsonl", record.setting, model=replay,
                          chair="reference"))  # fmt: skip
    assert [dump(x.model_copy(update={"seq": 0})) for x in again.debate] == [
        dump(x.model_copy(update={"seq": 0})) for x in record.debate
    ]


def test_the_chairs_voice_words_what_the_chair_has_done(house: Opens) -> None:
    table = house(talks=sits(chair="human"))
    table.begin()
    person = Person(table, "chair")
    shown = person.takes()
    call = person.turn()
    shown = person.page()
    assert "We take up: Item arms." in shown
    assert "Answer with one JSON object" not in shown
    assert "Your mandate" not in shown
    assert "The record holds" not in shown
    assert "points" not in shown
    person.answers(call, statement="Welcome, all.")
    spoken = 1
    while call := person.turn(call):
        person.answers(call, statement="")
        spoken += 1
    record = table.record()
    assert [c.text for c in record.events if isinstance(c, e.ChairSpoke)] == ["Welcome, all."]
    assert by(record, "chair") == ["human"] * spoken
    assert record.finished
    plain = sat(a_sitting(table.folder / "plain.jsonl", record.setting, model="reference",
                          chair="reference"))  # fmt: skip
    assert outcomes(plain.state) == outcomes(record.state)


def test_red_lines_are_marked_where_they_can_be_crossed(house: Opens) -> None:
    line = a_position("us-line", opposes=("limits/b",), firmness=5, kind="red_line")
    setting = a_setting(
        a_party("us", line), a_party("ru", a_position("ru-1", supports=("limits/b",))),
        items=(an_item(an_issue("limits", 2)),), rules=Rules(rounds=1),
    )  # fmt: skip
    table = house(talks=sits(setting, us="human"))
    table.begin()
    person = Person(table)
    person.takes()
    call = person.turn()
    shown = person.page()
    choices = dict(re.findall(r'<option value="propose (limits/.)">([^<]*)', shown))
    assert "crosses your red line" in choices["limits/b"]
    assert "crosses your red line" not in choices["limits/a"]
    assert "✗ Red line" in shown
    person.answers(call, statement="Hello.")
    person.turn(call)
    assert re.search(r'<option value="accept"[^>]*>accept ✗ crosses your red line', person.page())


def test_seats_that_are_none(house: Opens) -> None:
    table = house()
    table.begin()
    assert table.first.get("/seat/nothing/us").status_code == 400
    assert table.first.get("/seat/talks/zz").status_code == 400
    assert table.first.get("/seat/..%2F..%2Fetc%2Fpasswd/us").status_code == 400
    assert table.first.get("/seat/talks/ru").status_code == 404  # the reference negotiator's
    assert "not being held here with a person" in Person(table, "ru").does("take", 400)


def test_a_name_that_needs_quoting_has_seats_too(house: Opens) -> None:
    name = "a b/ü?&+%"
    table = house(**{name: sits(us="human")})
    table.begin(quote(name))
    person = Person(table, debate=name)
    assert "The record holds us-limits-0-1." in person.takes()
    person.talks_through()
    assert table.record(name).finished


def test_a_page_made_of_a_record_that_grew_meanwhile_does_not_pass_for_the_newest(
    house: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = house()
    talks.begin()
    us = Person(talks)
    us.takes()
    us.talks_through(until_phase="decision")
    call, old = us.turn(), talks.record()
    reading = threading.Event()

    def slowly(path: Path) -> Transcript:
        reading.set()
        until(lambda: not talks.desk.people)
        return old

    monkeypatch.setattr(seat, "read", slowly)
    with ThreadPoolExecutor() as other_tab:
        slow = other_tab.submit(us.page)
        assert reading.wait(PATIENCE)
        us.answers(call, **{"vote__limits-0": "abstain"})
        page = slow.result()
    assert over(us)
    assert "not being held" not in page
    shown = re.search('data-version="(.*?)"', page)
    assert shown is not None
    assert shown[1] != us.now()["version"]  # so that the page asks for the newer one
    monkeypatch.undo()
    assert "The talks are closed" in us.page()


def bar_of(table: House, name: str = "talks") -> str:
    """The bar over the debate, as somebody sees it who sits nowhere."""
    page = table.browser().get(f"/debates/{quote(name)}").text
    return page.partition('id="app-bar"')[2].partition("</nav>")[0]


def test_the_bar_over_a_debate_offers_the_seats_that_are_free_by_their_names(house: Opens) -> None:
    name = "a b/talks"
    table = house(**{name: sits(us="human", chair="human")})
    table.begin(quote(name))
    until(lambda: len(table.desk.people.get(name, {})) == 2)
    assert f'<a href="/seat/{quote(name)}/us">Take the seat of US</a>' in bar_of(table, name)
    assert ">Take the chair\u2019s voice</a>" in bar_of(table, name)

    person, voice = Person(table, debate=name), Person(table, "chair", debate=name)
    person.takes()
    voice.takes()
    bar = bar_of(table, name)
    assert ">The seat of US is taken</span>" in bar
    assert ">The chair\u2019s voice is taken</span>" in bar
    assert "/seat/" not in bar

    person.does("leave")
    assert ">Take the seat of US</a>" in bar_of(table, name)
