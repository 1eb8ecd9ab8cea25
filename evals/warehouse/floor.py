"""The views of what delegations did: turns, moves, votes, and what became of the issues."""

from __future__ import annotations

from evals.warehouse.shape import FILE, PLACE, TURN, Example, View, columns

TURNS = View(
    "turns",
    "One row a turn: what a delegation said, and how much it did.",
    columns(f"""
    {FILE}
    seq INTEGER: line number of the turn's first event
    {PLACE.strip()}
    call VARCHAR: the call that produced it; joins calls
    private BOOLEAN: whether others could not hear it: private meetings
    statement VARCHAR: what was said; null in votes without words and in failed turns
    words INTEGER: how many words that is
    citations VARCHAR[]: positions cited
    speech VARCHAR: free: the model worded it; composed: the dossier did
    note VARCHAR: private note of the delegation, its own business
    moves INTEGER: moves in order
    ruled_out INTEGER: moves out of order
    votes INTEGER: formal answers given
    failure VARCHAR: why there is no answer; never a vote, an abstention or silence
    why VARCHAR: the failure in words
    """),
    "transcripts",
    {
        **TURN,
        "call": "VARCHAR",
        "text": "VARCHAR",
        "citations": "VARCHAR[]",
        "speech": "VARCHAR",
        "failure": "JSON",
        "why": "VARCHAR",
    },
    """
    select file, min(seq), turn, any_value(party), any_value(item), any_value(phase),
      any_value(round), any_value(call),
      bool_or(audience is not null and kind not in ('note', 'ruled_out')),
      any_value(text) filter (kind = 'statement'),
      len(regexp_extract_all(any_value(text) filter (kind = 'statement'), '[^\\s]+')),
      any_value(citations) filter (kind = 'statement'), any_value(speech),
      any_value(text) filter (kind = 'note'),
      count(*) filter (kind = 'move'), count(*) filter (kind = 'ruled_out'),
      count(*) filter (kind = 'vote'),
      any_value(failure->>'$') filter (kind = 'failure'),
      any_value(why) filter (kind = 'failure')
    from lines where turn is not null group by file, turn
    """,
    (
        Example(
            "Which positions are cited most?",
            "select party, position, count(*) times from turns, unnest(citations) as c(position) "
            "group by all order by times desc, position limit 15",
        ),
        Example(
            "Who speaks how much, item by item?",
            "select item, party, count(statement) statements, sum(words) words "
            "from turns where not private group by all order by item, words desc",
        ),
    ),
)

MOVES = View(
    "moves",
    "One row a move, in order or ruled out.",
    columns(f"""
    {FILE}
    seq INTEGER: line number in the file
    {PLACE.strip()}
    move VARCHAR: propose, accept, reserve, reject, withdraw, concede or ask
    issue VARCHAR: issue
    option VARCHAR: option of the issue; null for ask
    offer VARCHAR: the offer answered, withdrawn or replaced
    tabled VARCHAR: handle of the offer this move put on the table
    asked VARCHAR: the party a question went to
    in_return_for VARCHAR: what a concession asks for, issue/option
    because VARCHAR: the position behind it
    in_order BOOLEAN: false where it was ruled out and changed nothing
    why VARCHAR: why it was ruled out
    """),
    "transcripts",
    {
        **TURN,
        "move": 'STRUCT("move" VARCHAR, issue VARCHAR, option VARCHAR, offer VARCHAR, '
        '"to" VARCHAR, in_return_for VARCHAR, because VARCHAR)',
        "offer": "VARCHAR",
        "why": "VARCHAR",
    },
    """
    select file, seq, turn, party, item, phase, round, move.move, move.issue, move.option,
      move.offer, offer, move."to", move.in_return_for, move.because, kind = 'move', why
    from lines where kind in ('move', 'ruled_out')
    """,
    (
        Example(
            "Who concedes, and on what?",
            "select party, issue, count(*) concessions from moves "
            "where in_order and move = 'concede' group by all order by concessions desc",
        ),
        Example(
            "Which moves are ruled out, and why?",
            "select party, move, why, count(*) times from moves where not in_order "
            "group by all order by times desc",
        ),
    ),
)

VOTES = View(
    "votes",
    "One row a formal answer on a tabled text.",
    columns(f"""
    {FILE}
    seq INTEGER: line number in the file
    {PLACE.strip()}
    issue VARCHAR: issue
    option VARCHAR: the option voted on
    vote VARCHAR: accept, reserve, reject or abstain
    because VARCHAR: the position behind it
    """),
    "transcripts",
    {**TURN, "issue": "VARCHAR", "option": "VARCHAR", "vote": "VARCHAR", "because": "VARCHAR"},
    """
    select file, seq, turn, party, item, phase, round, issue, option, vote, because
    from lines where kind = 'vote'
    """,
    (
        Example(
            "How does each party vote under each prompt?",
            "select v.party, s.prompt, v.vote, count(*) votes from votes v "
            "join seats s on s.file = v.file and s.seat = v.party "
            "group by all order by v.party, s.prompt, votes desc",
        ),
    ),
)

DECISIONS = View(
    "decisions",
    "One row an issue that was decided: what became of it.",
    columns(f"""
    {FILE}
    seq INTEGER: line number in the file
    item VARCHAR: agenda item
    issue VARCHAR: issue
    outcome VARCHAR: adopted; bracketed: put and not adopted; open: nothing could be put
    lapsed BOOLEAN: adopted, and then fell with its package: not agreed
    decided_by VARCHAR: declaration, vote or none
    option VARCHAR: the option adopted or voted on
    accept VARCHAR[]: parties that accepted
    reserve VARCHAR[]: parties that accepted with a reservation
    reject VARCHAR[]: parties that rejected
    abstain VARCHAR[]: parties that abstained
    missing VARCHAR[]: parties whose answer could not be had; never a vote
    brackets STRUCT("option" VARCHAR, holders VARCHAR[])[]: what stays on the table, and with whom
    why VARCHAR: the rule and the count, in words
    """),
    "transcripts",
    {
        "kind": "VARCHAR",
        "seq": "INTEGER",
        "item": "VARCHAR",
        "issue": "VARCHAR",
        "outcome": "VARCHAR",
        "by": "VARCHAR",
        "option": "VARCHAR",
        "accept": "VARCHAR[]",
        "reserve": "STRUCT(party VARCHAR)[]",
        "reject": "VARCHAR[]",
        "abstain": "VARCHAR[]",
        "missing": "VARCHAR[]",
        "brackets": "STRUCT(option VARCHAR, holders VARCHAR[])[]",
        "why": "VARCHAR",
        "stands": "BOOLEAN",
        "issues": "VARCHAR[]",
    },
    """
    with fallen as (
      select distinct file, unnest(issues) as issue from lines where kind = 'package' and not stands
    )
    select l.file, seq, item, l.issue, outcome, f.issue is not null, "by", option, accept,
      reserve.list_transform(lambda r: r.party), reject, abstain, missing, brackets, why
    from lines l left join fallen f on f.file = l.file and f.issue = l.issue
    where kind = 'decision'
    """,
    (
        Example(
            "Which issues are hardest to agree on?",
            "select item, issue, count(*) debates, "
            "avg((outcome = 'adopted' and not lapsed)::INTEGER) agreed "
            "from decisions group by all order by agreed, issue",
        ),
    ),
)

FLOOR = (TURNS, MOVES, VOTES, DECISIONS)
"""The views of what was said and done."""
