"""A debate with something private in every place that can hold it, and means to find it again."""

from __future__ import annotations

from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

from evals import scores
from evals.evaluator import Evidence, Failure, Judged, Result, Score, evaluate
from evals.judging import files
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.registry import BUILT_IN
from harness import events as e
from harness.parts import Fork, Said
from harness.transcript import Transcript, Writer
from tests.evals.room import (
    Room,
    a_party,
    a_position,
    a_red_line,
    a_setting,
    an_issue,
    an_item,
)

LINE, CANARY = "us-shut-9", "CANARY-51fe"
STATEMENT = "Our floor is seventy launchers and never a single one fewer."
NOTE = "Remember to trade the corridor for the pipeline tomorrow."
ASIDE = "Between ourselves we would swallow the northern inspections."
UNREAD = "The reply spoke of GARBLED-3c instead of an answer."
WHISPER = "Quietly we would keep the southern depot shut until autumn."
PROMPT, RAW, RULED = "PROMPT-PIECE-7e", "RAW-REPLY-5b", "RULED-OUT-4d"
PENCILLED = "Pencilled beside it: hold the bridge until June."
CHANGED = "FORK-CHANGE-8d"
BROKEN = "BROKEN-ON-6a"
PARAPHRASE = "PARAPHRASE-2b"
PRIVATE = (LINE, CANARY, "seventy launchers", "corridor for the pipeline", "northern inspections",
           "southern depot", "GARBLED-3c", PROMPT, RAW, RULED, CHANGED, BROKEN,
           PARAPHRASE)  # fmt: skip
"""What each piece of what is private can be known by."""
FOLDER = "somebodys-folder"
"""Where a file lay that spoke in a seat: shown to whoever has the file, and to nobody else."""
BETWEEN = 40_321
"""Tokens that were read for what was said between two."""
VOID = {"meta", "link", "br", "img", "input", "hr", "col", "wbr", "source"}


def the_room() -> Room:
    """A party accepts what its confidential red line forbids, notes why, and meets in private."""
    hidden = a_red_line(LINE, "tests/a").model_copy(
        update={"statement": f"{STATEMENT} {CANARY}", "visibility": "confidential",
                "canary": CANARY}
    )  # fmt: skip
    us = a_party("us", a_position("us-1", supports=("tests/b",)), hidden)
    ru = a_party("ru", a_position("ru-1", supports=("tests/a",)))
    room = Room(a_setting(us, ru, items=(an_item(an_issue("tests")),))).opens()
    room.says("us", "We are ready to talk of tests.", "us-1")
    of = room.of("us")
    room.add(e.Text(audience=("us",), sha="ab", text=PROMPT))
    room.add(a_call(of.call, "us", reply=f"{RAW} {UNREAD}", input=1_234))
    room.add(e.Unread(audience=("us",), call=of.call, why=UNREAD))
    room.says("us", "We can live with this.", of=of)
    room.add(e.Note(**of.__dict__, audience=("us",), text=NOTE))
    aside = room.of("ru")
    room.add(a_call(aside.call, "ru", reply=ASIDE, input=BETWEEN))
    room.says("ru", ASIDE, audience=("us", "ru"), of=aside)
    in_part_private(room)
    room.moves("ru", "propose", "tests/a", because="ru-1")
    room.moves("us", "accept", "tests/a", because=LINE)
    room.tables("tests/a")
    room.vote("us", "tests", "reserve", because=LINE)
    room.vote("ru", "tests", "accept", because="ru-1")
    return room.decides("tests").closes()


def a_call(call: str, seat: str, *, reply: str, input: int) -> e.ModelCall:
    """What a seat was sent and answered."""
    return e.ModelCall(
        audience=(seat,), call=call, seat=seat, sent=(e.Sent(role="system", parts=("ab",)),),
        answer_schema=None, request_sha="x", model="a-model", reply=reply,
        usage=e.Usage(input=input, output=1), started="2021-06-16T12:00:01Z",
    )  # fmt: skip


def in_part_private(room: Room) -> None:
    """A public turn of which words and a move are not for everyone; one that fails, with words."""
    ask = e.Move(move="ask", issue="tests", to="ru", because=LINE)
    of = room.of("us")
    room.says("us", WHISPER, "us-1", audience=("us",), of=of)
    room.add(e.RuledOut(**of.__dict__, move=ask, why="Nobody may ask this now."))
    room.add(e.RuledOut(**of.__dict__, audience=("us",), move=ask, why=RULED))
    lost = room.of("us").__dict__
    room.add(e.TurnFailed(**lost, failure="unreadable", why=f"It read: {NOTE}", attempts=2))


def forked(events: list[e.Event]) -> list[e.Event]:
    said = Said(party="us", call="c", text=ASIDE, note=PENCILLED)
    aside = next(x.turn for x in events if isinstance(x, e.Statement) and x.audience)
    fork = Fork(origin="one.jsonl", origin_sha="0", turn=aside, said=said,
                changes=(f"{CHANGED} {NOTE}",), without=(LINE,))  # fmt: skip
    earlier = fork.model_copy(update={"turn": "T1"})
    fork = fork.model_copy(update={"earlier": earlier})
    header, card, *rest = events
    assert isinstance(card, e.RunCard)
    us, *others = card.seats
    seat = us.model_copy(update={"model": f"script:/home/{FOLDER}/us.yaml+reference"})
    seats = (seat, *others)
    return [header, card.model_copy(update={"fork": fork, "seats": seats}), *rest]


def a_score(reason: str, *evidence: Evidence, metric: str, **more: object) -> Score:
    given = {"evaluator": "planted", "version": 1, "subject": "party:us", "value": 1, "n": 2}
    return Score.model_validate(
        given | {"metric": metric, "reason": reason, "evidence": evidence} | more
    )


def planted(events: list[e.Event]) -> list[Result]:
    judge = Judged(judge="openai:any", rubric="disclosure", rubric_sha="a", wording_sha="b")
    said = next(x for x in events if isinstance(x, e.Statement))
    aside = next(x for x in events if isinstance(x, e.Statement) and x.audience)
    return [
        a_score(f"it crossed {LINE}", metric="by_id"),
        a_score(f"it said {CANARY}", metric="by_canary"),
        a_score("it wrote: trade the corridor for the pipeline", metric="by_words"),
        a_score("it wrote GARBLED-3c instead of an answer.", metric="by_reply"),
        a_score("plain", Evidence(seq=said.seq, turn="T1", quote=LINE), metric="by_evidence"),
        a_score("plain", Evidence(seq=aside.seq, turn=aside.turn, quote=ASIDE), metric="aside"),
        a_score(PARAPHRASE, metric="judged", evaluator="disclosure", judge=judge),
        a_score("two of two, in the open", metric="open"),
        Failure(evaluator="worse", version=1, subject="debate", metric="*",
                why=f"the evaluator broke: KeyError: {BROKEN}"),
        Failure(evaluator="worst", version=1, subject="debate", metric="*", why=f"no {LINE}"),
    ]  # fmt: skip


def judgements(events: list[e.Event]) -> Judgements:
    said = [x for x in events if isinstance(x, e.Statement)]
    open_, whisper = said[0], next(x for x in said if x.text == WHISPER)

    def claim(of: e.Statement) -> Claim:
        return Claim(
            id=f"{of.turn}.1.1", seq=of.seq, turn=of.turn, party="us", item="arms", start=0,
            end=len(of.text), sentence=of.text, text=of.text, type="position",
        )  # fmt: skip

    def verdict(of: e.Statement, rubric: str, reason: str, position: str | None = None) -> Verdict:
        return Verdict(
            judge="openai:any", rubric=rubric, unit=f"{of.turn}.1.1", party="us", item="arms",
            seqs=(of.seq,), turn=of.turn, label="supported", reason=reason, position=position,
        )  # fmt: skip

    verdicts = (
        verdict(open_, "disclosure", PARAPHRASE), verdict(open_, "consistency", f"see {LINE}"),
        verdict(open_, "citations", "It is on record."),
        verdict(open_, "crossings", "It rests on this.", LINE),
        verdict(whisper, "citations", "It is not for everyone."),
    )  # fmt: skip
    records = (claim(open_), claim(whisper), *verdicts)
    return Judgements(asked=("openai:any",)).with_records(records)


def written(where: Path) -> Path:
    """The debate with its scores and judgements beside it."""
    events = forked(the_room().events)
    header, card, *rest = events
    assert isinstance(header, e.Header)
    assert isinstance(card, e.RunCard)
    with Writer.create(where, header, card) as writer:
        for event in rest:
            writer.append(event)
    made = evaluate(Transcript(tuple(events)), BUILT_IN)
    scores.write(where, BUILT_IN, [*made, *planted(events)])
    files.write(where, judgements(events))
    return where


class Open(HTMLParser):
    """What of a page is seen while the private layer is off: words, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[tuple[str, bool]] = []
        self.seen, self.hidden = list[str](), list[str]()

    @property
    def off(self) -> bool:
        return any(private for _, private in self.path)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        private = "private" in (given.get("class") or "").split()
        to = self.hidden if self.off or private else self.seen
        to.extend(value for value in given.values() if value)
        if tag not in VOID:
            self.path.append((tag, private))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.path.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.path and self.path.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        (self.hidden if self.off else self.seen).append(data)


def read_page(html: str) -> tuple[str, str]:
    """What is seen at first, and what the switch adds."""
    parser = Open()
    parser.feed(html)
    return "\n".join(parser.seen), "\n".join(parser.hidden)


def found(text: str, what: tuple[str, ...] = PRIVATE) -> list[str]:
    """What of it is in the text: as it is, or as base64, hexadecimal or percent signs spell it."""
    return [each for each in what if any(form in text for form in _forms(each))]


def _forms(canary: str) -> tuple[str, ...]:
    raw = canary.encode()
    # Whatever stands before it: the letters of base64 that it alone decides.
    coded = (b64encode(b"\0" * shift + raw).decode()[4 if shift else 0 : -4] for shift in range(3))
    return (canary, raw.hex(), canary.replace(" ", "%20"), canary.replace(" ", "+"), *coded)
