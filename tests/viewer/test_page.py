"""The page of a debate: what stands in the file, and what nobody can put there."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness import events as e
from harness.events import NOTICE
from harness.transcript import Transcript
from harness.viewer.page.conversation import conversation
from harness.viewer.page.entries import Said
from harness.viewer.page.page import fragments, page, policy
from harness.viewer.page.sections import SECTIONS
from harness.viewer.page.summary import summary
from harness.viewer.reading import Reading, reading_of
from tests.evals.room import Room, a_party, a_position, a_red_line, a_setting, an_issue, an_item
from tests.evals.talks import half_agreed
from tests.viewer.handmade import a_reading
from tests.viewer.hostile import EXAMPLES, JUDGES, ODD, REFERENCE, SECRETS, hostile, judged

VOID = frozenset(("meta", "link", "img", "br", "hr", "input"))
TRANSCRIPTS = sorted(EXAMPLES.glob("*.jsonl"))


class Tags(HTMLParser):
    """Everything in a page that is not text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def ids(self) -> list[str]:
        return [found for _, attrs in self.tags if (found := attrs.get("id")) is not None]

    @property
    def links(self) -> list[str]:
        return [found for tag, attrs in self.tags if tag == "a" and (found := attrs.get("href"))]

    def within(self, name: str) -> list[str]:
        return [text for tag, text in self.texts if tag == name]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def read_by_judges(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return reading_of(judged(tmp_path_factory.mktemp("judged")))


def all_of(reading: Reading) -> Tags:
    return Tags(page(reading))


def sound(tags: Tags) -> None:
    """What every page has to keep to, whatever is in the transcript."""
    assert tags.wrong == []
    assert tags.open == []
    assert [name for name, count in Counter(tags.ids).items() if count > 1] == []
    known = set(tags.ids)
    assert [link for link in tags.links if link[0] == "#" and link[1:] not in known] == []
    assert [link for link in tags.links if not re.match(r"#|https?://", link)] == []
    assert [name for _, attrs in tags.tags for name in attrs if name.startswith("on")] == []
    assert [tag for tag, attrs in tags.tags if "style" in attrs] == []
    outside = [(t, a) for t, a in tags.tags if a.get("src") or (t == "link")]
    assert outside == []


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("public", [False, True], ids=["private", "public"])
def test_every_link_of_a_real_page_leads_somewhere_and_nothing_is_loaded(
    path: Path, public: bool
) -> None:
    reading = reading_of(path, public=public)
    tags = all_of(reading)
    sound(tags)
    turns = {event.turn for event in reading.transcript.events if isinstance(event, e.TurnEvent)}
    issues = {f"issue-{i.id}" for item in reading.setting.items for i in item.issues}
    scores = {f"score-{number}" for number in range(len(reading.results))}
    assert turns | issues | scores <= set(tags.ids)


@pytest.mark.parametrize("public", [False, True], ids=["private", "public"])
def test_nothing_that_was_said_becomes_markup(attacked: Path, public: bool) -> None:
    html = page(reading_of(attacked, public=public))
    tags = Tags(html)
    sound(tags)
    plain = Counter(tag for tag, _ in all_of(reading_of(REFERENCE, public=public)).tags)
    spoilt = Counter(tag for tag, _ in tags.tags)
    for tag in ("script", "img", "h1", "style", "form", "main", "iframe", "base"):
        assert spoilt[tag] == plain[tag], tag
    assert not any("\u202e" in text or "\u200b" in text for text in tags.within("div"))
    assert "<script>document.title" not in html
    assert any("<script>document.title" in text for _, text in tags.texts)


def test_a_statement_of_fifty_kilobytes_is_all_there(attacked: Path) -> None:
    said = "".join(text for _, text in Tags(page(reading_of(attacked, public=True))).texts)
    assert ("a word " * 7_500).strip() in said


def test_a_citation_of_nothing_leads_nowhere(attacked: Path) -> None:
    tags = all_of(reading_of(attacked, public=True))
    shown = ODD.replace("\u200b", "")
    assert any(text.startswith(shown) for text in tags.within("span"))
    assert not any("onmouseover" in str(attrs) for _, attrs in tags.tags)


def test_a_source_that_is_no_web_address_is_no_link(attacked: Path) -> None:
    tags = all_of(reading_of(attacked))
    assert not any("javascript" in link for link in tags.links)
    outside = [attrs for tag, attrs in tags.tags if str(attrs.get("href", "")).startswith("http")]
    assert outside
    assert all(attrs.get("rel") == "noopener noreferrer" for attrs in outside)


def test_a_public_page_holds_no_private_byte(attacked: Path) -> None:
    html = page(reading_of(attacked, public=True))
    assert [secret for secret in SECRETS if secret in html] == []
    # A party may name a position in public that nobody else knows; then the name alone is public.
    assert "us-hidden-1 (not among the positions shown)" in html
    assert "pos-us-hidden" not in html
    assert 'id="sent"' not in html
    assert 'id="show-private"' not in html


def test_a_private_page_has_it_all_behind_the_switch(attacked: Path) -> None:
    html = page(reading_of(attacked))
    assert [secret for secret in SECRETS if secret not in html] == []
    tags = Tags(html)
    hidden = {attrs["id"] for _, attrs in tags.tags if "private" in str(attrs.get("class")).split()
              and attrs.get("id")}  # fmt: skip
    assert {"T901", "pos-us-hidden-1", "pos-us-hidden-2", "calls"} <= hidden
    notes = [a for tag, a in tags.tags if "note" in str(a.get("class")).split()]
    assert len(notes) == 24 + 3  # a note a statement, and what could not be read
    assert all("private" in str(attrs["class"]).split() for attrs in notes)


def test_the_policy_names_the_style_and_the_script_of_the_page_and_nothing_else() -> None:
    html = page(reading_of(REFERENCE))
    tags = Tags(html)
    named = next(str(a["content"]) for t, a in tags.tags if t == "meta" and "http-equiv" in a)
    (style,) = tags.within("style")
    script = tags.within("script")[-1]
    for text, source in ((style, "style-src"), (script, "script-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}';" in named
    assert named.startswith("default-src 'none';")
    assert "unsafe" not in named
    assert "connect-src 'none'" in named


def test_an_app_sends_the_policy_itself_and_may_add_to_the_head() -> None:
    html = page(reading_of(REFERENCE), served=True, extra_head='<script src="/x.js"></script>')
    assert "http-equiv" not in html
    assert '<script src="/x.js"></script>\n</head>' in html
    assert "script-src 'sha256-" in policy(served=True)
    assert "connect-src 'self'" in policy(served=True)


def test_every_page_says_on_screen_and_in_print_that_the_words_are_simulated() -> None:
    tags = all_of(reading_of(REFERENCE))
    assert NOTICE in tags.within("p")
    (style,) = tags.within("style")
    assert f'@bottom-center {{ content: "{NOTICE}"' in style


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_page_is_small(path: Path) -> None:
    reading = reading_of(path)
    turns = len({ev.turn for ev in reading.transcript.events if isinstance(ev, e.TurnEvent)})
    assert len(page(reading).encode()) < 350_000 + 11_000 * turns


def test_fragments_are_the_parts_of_the_page() -> None:
    reading = reading_of(REFERENCE)
    html = page(reading)
    made = fragments(reading)
    assert set(made.sections) == {*(section.name for section in SECTIONS), "outline", "head"}
    assert all(part.strip() in html for part in made.sections.values())
    place = -1
    for seq, part in made.entries:
        assert f'data-seq="{seq}"' in part
        assert html.find(part.strip()) > place
        place = html.find(part.strip())
    turns = {ev.turn for ev in reading.transcript.events if isinstance(ev, e.TurnEvent)}
    assert sum('<article class="entry turn' in part for _, part in made.entries) == len(turns)


def test_an_entry_keeps_its_number_while_its_turn_grows() -> None:
    whole = reading_of(REFERENCE)
    events = whole.transcript.events
    move = next(ev for ev in events if isinstance(ev, e.MoveMade))
    part = Reading(
        whole.file, Transcript(events[: move.seq]), (), whole.judgements, None, public=False
    )
    before, after = dict(fragments(part).entries), dict(fragments(whole).entries)
    statement = move.seq - 1
    assert before[statement] != after[statement]
    assert "proposes" in after[statement]
    assert "proposes" not in before[statement]


def test_the_summary_counts_what_the_mechanism_decided() -> None:
    found = summary(reading_of(REFERENCE))
    assert (found.adopted, found.of) == (8, 12)
    assert [(each.heading, each.label) for each in found.agreed][:2] == [
        ("Scope of arms control", "Integrated dialogue, no fixed list"),
        ("1985 principle and dialogue", "Dialogue with the 1985 principle"),
    ]
    ambassadors = next(each for each in found.agreed if "ambassadors" in each.heading)
    assert ambassadors.by == "Russia; with reservation: United States"
    assert all("held by" in each.by for each in found.others)
    assert [(each.face.id, each.points, each.steps) for each in found.gave] == [
        ("ru", 35, 6),
        ("us", 14, 4),
    ]


def test_without_judges_the_furthest_departure_is_counted_from_votes_and_red_lines() -> None:
    line = a_red_line("us-red", "limits/a")
    want = a_position("us-want", 4, supports=("limits/b",))
    party = a_party("us", want, line)
    other = a_party("ru", a_position("ru-want", 2, supports=("limits/a",)))
    room = Room(a_setting(party, other, items=(an_item(an_issue("limits")),))).opens()
    room.moves("ru", "propose", "limits/a").says("us", "We could live with it.")
    room.votes("limits/a", us="accept", ru="accept").closes()
    found = summary(held(room))
    (first, *_) = found.departures
    assert (first.how, first.position.id, first.face.id) == ("red line", "us-red", "us")
    assert first.by == "counted from moves and votes"
    assert not found.read


def test_judged_contradictions_come_first_and_name_position_and_judges(
    read_by_judges: Reading,
) -> None:
    found = summary(read_by_judges)
    assert found.read
    assert [each.how for each in found.departures] == ["judged"] * 3
    for each in found.departures:
        said = next(
            event.text
            for event in read_by_judges.transcript.events
            if isinstance(event, e.Statement) and event.turn == each.turn
        )
        assert each.words
        assert each.words in said
        assert read_by_judges.setting.holder(each.position.id) == each.face.id
        assert set(each.by.removeprefix("judged by ").split(", ")) <= set(JUDGES)


def test_judged_sentences_are_marked_exactly_where_they_stand(read_by_judges: Reading) -> None:
    tags = all_of(read_by_judges)
    sound(tags)
    classes = Counter(
        name
        for tag, attrs in tags.tags
        for name in str(attrs.get("class", "")).split()
        if tag == "a" and "judged" in str(attrs.get("class"))
    )
    sentences = len(read_by_judges.judgements.claims)
    assert classes["judged"] == sentences
    assert classes["is-contradicted"] > 0
    claim = read_by_judges.judgements.claims[0]
    assert claim.sentence in "".join(tags.within("a"))
    told = "".join(text for _, text in tags.texts)
    assert all(verdict.reason in told for verdict in read_by_judges.judgements.verdicts)


def test_history_is_compared_as_backtests_read_it() -> None:
    past = summary(reading_of(REFERENCE)).past
    assert past is not None
    assert len(past.rows) + past.left_out == 12
    assert all(row.what and row.source and row.url.startswith("https://") for row in past.rows)
    assert 0 < past.same < len(past.rows)


def held(room: Room) -> Reading:
    from evals.evaluator import evaluate
    from evals.judging.shapes import Judgements
    from evals.registry import BUILT_IN

    transcript = room.transcript
    results = evaluate(transcript, BUILT_IN)
    return Reading("room.jsonl", transcript, results, Judgements(), None, public=False)


def small() -> Room:
    parties = (a_party("us", a_position("us-1")), a_party("ru"))
    setting = a_setting(*parties, items=(an_item(an_issue("limits")), an_item(item_id="other")))
    return Room(setting).opens()


def test_failures_repairs_stops_and_rulings_are_shown_as_such() -> None:
    room = small()
    room.says("us", "Second try.", of=room.of("us", attempt=2))
    room.fails("ru", "timeout")
    room.move("us", "withdraw", "limits/a")
    room.add(e.BudgetStop(ceiling="calls", why="4 of 4 used"))
    room.add(e.Resumed(at="2021-06-16T13:00:00Z", trimmed=12))
    tags = all_of(held(room))
    sound(tags)
    told = "".join(text for _, text in tags.texts)
    for words in (
        "Second attempt:", "No answer", "timeout", "ruled out of order:",
        "Stopped by the ceiling on calls: 4 of 4 used.", "12 bytes of a torn line were cut off.",
        "The record ends before the talks were closed", "Not taken up so far.",
        "taken up again once",
    ):  # fmt: skip
        assert words in told, words


def test_a_statement_that_one_party_did_not_hear_is_not_shown_as_public() -> None:
    room = small()
    of = room.of("us")
    room.says("us", "Only for some.", audience=("us",), of=of)
    room.move("us", "propose", "limits/a", of=of)
    tags = all_of(held(room))
    turn = next(attrs for _, attrs in tags.tags if attrs.get("id") == "T1")
    said = [a for _, a in tags.tags if "said" in str(a.get("class")).split()]
    assert "private" not in str(turn["class"]).split()
    assert [str(attrs["class"]) for attrs in said] == ["said private"]


def test_a_red_line_crossed_by_a_move_is_flagged() -> None:
    us = a_party("us", a_red_line("us-red", "limits/a"))
    room = Room(a_setting(us, a_party("ru"), items=(an_item(an_issue("limits")),))).opens()
    room.moves("us", "propose", "limits/a").moves("ru", "accept", "limits/a")
    told = [text for text in all_of(held(room)).within("strong") if "red line" in text]
    assert told[0] == "⚑ across its red line "
    assert len(told) == 2  # the chip and the position itself


def test_a_conversation_without_a_mechanism_has_a_page() -> None:
    setting = a_setting(a_party("us"), a_party("ru"), items=(an_item(),))
    tags = all_of(held(Room(setting).opens().says("us", "Hello.").says("ru", "Good day.")))
    sound(tags)
    told = "".join(text for _, text in tags.texts)
    assert "No issue was before the parties" in told
    assert "Good day." in told


def test_a_decision_without_the_chairs_words_names_parties_and_no_ids() -> None:
    told = conversation(a_reading(half_agreed().transcript))
    said = [each.words for each in told.entries if isinstance(each, Said) and each.marked]
    assert said == [
        "every delegation has declared that it accepts this text",
        "consensus: 1 for, 1 against; RU cannot accept the text",
    ]


def test_no_reason_for_a_decision_on_the_page_has_an_id_for_a_party() -> None:
    html = page(reading_of(EXAMPLES / "scripted-us-votes-against-its-own-text.jsonl"))
    names = re.findall(r"\w+(?= cannot accept the text)", html)
    assert set(names) == {"US", "RU"}
    assert len(names) >= 6
