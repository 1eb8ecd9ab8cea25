"""Transcripts to make pages of: one by people who attack their readers, one that judges read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from evals.judging import files
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.record import statements
from evals.text import sentences
from harness import events as e
from harness.setting import Party, Position, Setting
from harness.transcript import Transcript, dump, read

EXAMPLES = Path(__file__).resolve().parents[2] / "transcripts" / "examples"
REFERENCE = EXAMPLES / "reference-eight-of-twelve.jsonl"

SECRETS = (
    "CANARY-7f31", "PRIVATE-NOTE-aa2", "CAUCUS-WORDS-b91", "PROMPT-PIECE-c04", "us-hidden-2",
    "UNREAD-WHY-d55", "RAW-REPLY-e66",
)  # fmt: skip
"""What nobody outside may read; each stands in the transcript once or more."""

ATTACKS = (
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">",
    "</p></article></main></script><h1 id=\"T1\">Chair</h1> <a href=\"javascript:alert(1)\">x</a>",
    "\u202eesrever\u202c and \u200bzero\u200b width\u2066 isolates\u2069 \x07 bell",
    "{{ 7 * 7 }} {% for x in y %} ' \" ` & &lt;b&gt; --> <!-- ]]> \x1e separated \x00",
    "a word " * 7_500,
)  # fmt: skip
ODD = 'us\u200b-ss-1" onmouseover="alert(1)'
"""A citation of nothing, with what could break out of an attribute."""


def hostile(folder: Path) -> Path:
    """A debate whose delegations, prompts, sources and ids attack whoever shows it."""
    path = folder / "hostile.jsonl"
    events = tuple(_spoilt(read(REFERENCE)))
    lines = [dump(event.model_copy(update={"seq": seq})) for seq, event in enumerate(events)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _spoilt(transcript: Transcript) -> Iterator[e.Event]:
    number = 0
    for event in transcript.events:
        if isinstance(event, e.RunCard):
            setting = _spoilt_setting(event.setting)
            yield event.model_copy(update={"setting": setting})
        elif isinstance(event, e.ModelCall):
            yield from _asked(event)
        elif isinstance(event, e.Statement):
            text = f"{ATTACKS[number % len(ATTACKS)]} {event.text}"
            citations = (*event.citations, ODD, "us-hidden-1") if number < 3 else event.citations
            number += 1
            yield event.model_copy(update={"text": text, "citations": citations})
            yield _of(event, e.Note, audience=(event.party,), text=f"{SECRETS[1]} <b>note</b>")
            if number == 4:
                yield from _in_private(event)
        else:
            yield event


def _asked(call: e.ModelCall) -> Iterator[e.Event]:
    text = f"</script><script>alert(1)</script> {SECRETS[3]} <!-- &amp;"
    yield e.Text(audience=(call.seat,), sha="0123456789abcdef", text=text)
    sent = (e.Sent(role="system", parts=("0123456789abcdef",)),)
    reply = f"{SECRETS[6]} </script>"
    yield call.model_copy(update={"sent": sent, "reply": reply})
    if call.call.endswith("opening0/us#1"):
        yield e.Unread(audience=(call.seat,), call=call.call, why=f"{SECRETS[5]} <i>no JSON</i>")


def _in_private(event: e.Statement) -> Iterator[e.Event]:
    audience = ("us", "ru")
    yield e.CaucusOpened(audience=audience, item=event.item, parties=audience)
    changes = {"audience": audience, "turn": "T901", "text": f"{SECRETS[2]} <u>between us</u>"}
    yield event.model_copy(update=changes | {"phase": "caucus", "citations": ()})


def _of(event: e.Statement, kind: type[e.Note], **more: object) -> e.Note:
    place = {name: getattr(event, name) for name in e.TurnEvent.model_fields if name != "audience"}
    return kind.model_validate(place | more)


def _spoilt_setting(setting: Setting) -> Setting:
    fields = {name: getattr(setting, name) for name in Setting.model_fields}
    parties = tuple(_spoilt_party(party) for party in setting.parties)
    return Setting(**fields | {"title": "</title><script>alert(1)</script>", "parties": parties})


def _spoilt_party(party: Party) -> Party:
    first, *rest = party.positions
    source = first.source.model_copy(
        update={"url": "javascript:alert(1)", "title": '"><img src=x onerror=alert(1)>'}
    )
    spoilt = [first.model_copy(update={"source": source}), *rest]
    if party.id == "us":
        spoilt += [_hidden(first, "us-hidden-1"), _hidden(first, "us-hidden-2")]
    return party.model_copy(update={"positions": tuple(spoilt)})


def _hidden(like: Position, name: str) -> Position:
    return like.model_copy(
        update={
            "id": name,
            "statement": f"It could give more. {SECRETS[0]}",
            "spoken": "",
            "visibility": "confidential",
            "canary": SECRETS[0],
            "kind": "red_line",
            "firmness": 5,
            "opposes": ("scope-of-arms-control/b", "space-weapons/d"),
            "supports": (),
        }
    )


JUDGES = ("openai:one", "openai:two")


def judged(folder: Path) -> Path:
    """A real debate, with what two judges said of each sentence of it."""
    path = folder / "judged.jsonl"
    shutil.copy(REFERENCE, path)
    records = tuple(_records(read(path)))
    files.write(path, Judgements(asked=JUDGES).with_records(records))
    return path


LABELS = ("supported", "partial", "contradicted", "unsupported", "no_claim")


def _records(transcript: Transcript) -> Iterator[Claim | Verdict]:
    """The labels go round, so that all occur; the judges differ on every third sentence."""
    number = 0
    for said in statements(transcript):
        own = transcript.setting.party(said.party).positions
        for place, sentence in enumerate(sentences(said.text), 1):
            name = f"{said.turn}.{place}.1"
            yield Claim(
                id=name, seq=said.seq, turn=said.turn, party=said.party, item=said.item,
                start=sentence.start, end=sentence.end, sentence=sentence.text,
                text=sentence.text, type="position",
            )  # fmt: skip
            position = next(p.id for p in own if p.item == said.item)
            for judge in JUDGES:
                label = LABELS[(number + (judge == JUDGES[1] and number % 3 == 0)) % len(LABELS)]
                yield Verdict(
                    judge=judge, rubric="consistency", unit=name, party=said.party,
                    item=said.item, seqs=(said.seq,), turn=said.turn, label=label,
                    reason=f"Reason {number} of {judge}.", quote=sentence.text[:20],
                    position=position if label in LABELS[:3] else None,
                )  # fmt: skip
            number += 1
