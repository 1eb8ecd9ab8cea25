"""Claims and verdicts made by hand, and a server whose judge answers by a rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from evals.dimensions.dimension import Dimension
from evals.evaluator import Evidence, Result, Score
from evals.judging.judges import open_judge
from evals.judging.live import Live
from evals.judging.pipeline import Plan, judge_transcript
from evals.judging.rubrics import rubric
from evals.judging.shapes import Claim, Judgements, Verdict
from evals.record import statements
from evals.text import contains_verbatim, sentences
from harness.transcript import Transcript, read
from tests.models.server import Answer, ChatServer, spoken

Json = dict[str, Any]
Rule = Callable[[str, Mapping[str, str]], Json]
"""(the line of a unit, the positions by handle) -> its answer."""

ONE, TWO = "openai:one", "openai:two"
EXAMPLES = Path(__file__).parents[3] / "transcripts/examples"


def example(name: str) -> Transcript:
    return read(EXAMPLES / f"{name}.jsonl")


def claims(transcript: Transcript) -> tuple[Claim, ...]:
    """One claim for every sentence said in public: a courtesy if it thanks, else a position."""
    return tuple(
        Claim(
            id=f"{said.turn}.{number}.1",
            seq=said.seq,
            turn=said.turn,
            party=said.party,
            item=said.item,
            start=sentence.start,
            end=sentence.end,
            sentence=sentence.text,
            text=sentence.text,
            type="courtesy" if sentence.text.startswith("Thank") else "position",
        )
        for said in statements(transcript)
        for number, sentence in enumerate(sentences(said.text), 1)
    )


def verdict(
    claim: Claim,
    label: str | None,
    *,
    judge: str = ONE,
    by: str = "consistency",
    position: str | None = None,
    unscored: str | None = None,
) -> Verdict:
    """What a judge said of a claim; without a label, why not."""
    return Verdict(
        judge=judge,
        rubric=by,
        unit=claim.id,
        party=claim.party,
        item=claim.item,
        seqs=(claim.seq,),
        turn=claim.turn,
        label=label,
        unscored=unscored if label is not None else unscored or "refused: it will not say",
        quote=claim.sentence,
        position=position,
    )


def judgements(
    found: Iterable[Claim], verdicts: Iterable[Verdict], *rubrics: str, judges: Iterable[str] = ()
) -> Judgements:
    return Judgements(
        claims=tuple(found),
        verdicts=tuple(verdicts),
        rubrics={name: rubric(name) for name in rubrics},
        asked=tuple(judges),
    )


def scores(dimension: Dimension, transcript: Transcript, found: Judgements) -> list[Result]:
    return list(dimension.on(found)(transcript))


def one(results: Iterable[Result], subject: str, metric: str, judge: str | None = None) -> Score:
    """The one score of this subject and metric, by this judge if there are several."""
    (found,) = [
        r
        for r in results
        if isinstance(r, Score)
        and (r.subject, r.metric) == (subject, metric)
        and (judge is None or (r.judge is not None and r.judge.judge == judge))
    ]
    return found


def said_in(transcript: Transcript, note: Evidence, words: str) -> bool:
    """Whether the words stand in the statement that the evidence points to."""
    said = next(s for s in statements(transcript) if s.seq == note.seq)
    return note.turn == said.turn and contains_verbatim(words, said.text)


def answering(server: ChatServer, rule: Rule) -> None:
    """Have the server take every sentence for one position, and label every unit by the rule."""

    def ordinary(body: Json) -> Answer:
        schema = body["response_format"]["json_schema"]["schema"]["properties"]
        user = body["messages"][-1]["content"]
        if "S1" in schema:
            lines = dict(re.findall(r"^(S\d+): \([^)]*\) (.*)$", user, re.MULTILINE))
            return spoken(
                json.dumps({s: [{"claim": lines[s], "type": "position"}] for s in schema})
            )
        labelled = user.partition("To be labelled:")[2]
        units = dict(re.findall(r"^(U\d+): (.*)$", labelled, re.MULTILINE))
        positions = dict(re.findall(r"^(P\d+): (.*)$", user, re.MULTILINE))
        return spoken(json.dumps({unit: rule(units[unit], positions) for unit in schema}))

    server.ordinary = ordinary


def words_of(line: str) -> str:
    """What was really said in the line of a unit that is a claim."""
    found = re.search(r"\[said as: (.*)\]$", line)
    assert found, line
    return found.group(1)


async def judged(
    transcript: Transcript, server: ChatServer, *rubrics: str, judges: Iterable[str] = (ONE,)
) -> Judgements:
    """What judges on the server say of the transcript."""
    opened = [open_judge(name, base_url=server.url, at_once=1) for name in judges]
    plan = Plan(tuple(rubric(name) for name in rubrics))
    try:
        return await judge_transcript(transcript, opened, plan, asking=Live())
    finally:
        for each in opened:
            await each.close()
