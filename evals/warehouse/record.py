"""The views of debates as a whole: who sat there, every line, every call."""

from __future__ import annotations

from evals.warehouse.shape import FILE, TURN, Example, View, columns

_SEATS = (
    "STRUCT(seat VARCHAR, model VARCHAR, prompt VARCHAR, prompt_sha VARCHAR, speech VARCHAR, "
    "guard BOOLEAN, memory VARCHAR, masked BOOLEAN)[]"
)
DEBATES = View(
    "debates",
    "One row a transcript, finished or not.",
    columns(f"""
    {FILE}
    debate VARCHAR: name of the debate
    created TIMESTAMP: when the file was begun, UTC
    setting VARCHAR: the setting
    setting_sha VARCHAR: fingerprint of the whole setting
    agenda VARCHAR: the agenda
    items VARCHAR[]: agenda items, in order
    parties VARCHAR[]: parties in seat order
    models MAP(VARCHAR, VARCHAR): party to model, as asked for; models['us']
    prompts MAP(VARCHAR, VARCHAR): party to persona prompt; null where none is used
    chair VARCHAR: model in the chair
    seed BIGINT: seed of everything drawn
    finished BOOLEAN: whether the chair closed the debate
    issues INTEGER: issues on the agenda
    adopted INTEGER: issues agreed; without those whose package lapsed
    bracketed INTEGER: issues whose text was not adopted, or lapsed with its package
    open INTEGER: issues decided without any text to put
    undecided INTEGER: issues not decided yet; 0 once finished
    turns INTEGER: turns taken
    failed_turns INTEGER: turns without an answer
    calls INTEGER: calls to language models; the reference negotiator and scripts are none
    tokens_read BIGINT: tokens read by models, cached ones included
    tokens_cached BIGINT: of these, read from a cache
    tokens_written BIGINT: tokens written by models
    cost DOUBLE: US dollars of the calls whose price is known; null where none is
    unpriced INTEGER: calls whose price is not known
    seconds DOUBLE: model time, summed over calls
    experiment VARCHAR: the experiment it belongs to; null where it belongs to none
    arm VARCHAR: its arm
    variation VARCHAR: the circumstance that was changed; null for the comparison itself
    scenario VARCHAR: the scenario: what arms are compared on
    standing BOOLEAN: whether the declaration still asks for exactly this debate; null if unknown
    notice VARCHAR: what everybody who reads the words should know
    """),
    "transcripts",
    {
        "kind": "VARCHAR",
        "debate": "VARCHAR",
        "created": "VARCHAR",
        "notice": "VARCHAR",
        "setting": "STRUCT(id VARCHAR, default_agenda VARCHAR, parties STRUCT(id VARCHAR)[], "
        "items STRUCT(id VARCHAR, issues STRUCT(id VARCHAR)[])[])",
        "setting_sha": "VARCHAR",
        "seats": _SEATS,
        "seed": "BIGINT",
        "outcome": "VARCHAR",
        "stands": "BOOLEAN",
        "issues": "VARCHAR[]",
        "turn": "VARCHAR",
        "started": "VARCHAR",
        "latency": "DOUBLE",
        "cost": "DOUBLE",
        "usage": "STRUCT(input BIGINT, output BIGINT, cached BIGINT)",
    },
    """
    with counted as (
      select file,
        any_value(debate) filter (kind = 'header') as debate,
        any_value(created) filter (kind = 'header') as created,
        any_value(notice) filter (kind = 'header') as notice,
        any_value(setting) filter (kind = 'run_card') as setting,
        any_value(setting_sha) filter (kind = 'run_card') as setting_sha,
        any_value(seats) filter (kind = 'run_card') as seats,
        any_value(seed) filter (kind = 'run_card') as seed,
        bool_or(kind = 'debate_closed') as finished,
        count(*) filter (kind = 'decision') as decided,
        count(*) filter (outcome = 'adopted') as adopted,
        count(*) filter (outcome = 'bracketed') as bracketed,
        count(*) filter (outcome = 'open') as open,
        coalesce(sum(len(issues)) filter (kind = 'package' and not stands), 0) as lapsed,
        count(distinct turn) as turns,
        count(*) filter (kind = 'failure') as failed_turns,
        count(*) filter (kind = 'model_call' and started is not null) as calls,
        coalesce(sum(usage.input) filter (started is not null), 0) as tokens_read,
        coalesce(sum(usage.cached) filter (started is not null), 0) as tokens_cached,
        coalesce(sum(usage.output) filter (started is not null), 0) as tokens_written,
        sum(cost) filter (started is not null) as cost,
        count(*) filter (started is not null and cost is null) as unpriced,
        coalesce(sum(latency) filter (started is not null), 0) as seconds
      from lines group by file
    ), shaped as (
      select *, seats.list_filter(lambda s: s.seat <> 'chair') as seated,
        setting.items.list_transform(lambda i: len(i.issues)).list_sum() as on_agenda
      from counted
    )
    select file, debate, created::TIMESTAMP, setting.id, setting_sha, setting.default_agenda,
      setting.items.list_transform(lambda i: i.id),
      setting.parties.list_transform(lambda p: p.id),
      map(seated.list_transform(lambda s: s.seat), seated.list_transform(lambda s: s.model)),
      map(seated.list_transform(lambda s: s.seat), seated.list_transform(lambda s: s.prompt)),
      seats.list_filter(lambda s: s.seat = 'chair')[1].model, seed, finished, on_agenda,
      adopted - lapsed, bracketed + lapsed, open, on_agenda - decided, turns, failed_turns, calls,
      tokens_read, tokens_cached, tokens_written, cost, unpriced, seconds,
      experiment, arm, variation, scenario, standing, notice
    from shaped left join placed using (file)
    """,
    (
        Example(
            "Which debates came furthest?",
            "select debate, adopted, issues, seconds from debates where finished "
            "order by adopted / issues desc, debate limit 10",
        ),
        Example(
            "How much is agreed in each arm of an experiment?",
            "select experiment, arm, count(*) debates, avg(adopted / issues) agreed from debates "
            "where finished and arm is not null and variation is null and standing is not false "
            "group by all order by experiment, agreed desc",
        ),
        Example(
            "What did each model cost?",
            "select model, count(*) calls, sum(tokens_read) as tokens_read, sum(tokens_written) as "
            "tokens_written, sum(cost) as cost, sum(seconds) as seconds from calls "
            "where by_model group by model order by calls desc",
        ),
    ),
    declared=True,
)

SEATS = View(
    "seats",
    "One row a seat of a debate, the chair's included.",
    columns(f"""
    {FILE}
    seat VARCHAR: party, or chair
    model VARCHAR: who sits there, as asked for
    prompt VARCHAR: persona prompt; null where none is used
    prompt_sha VARCHAR: fingerprint of the persona prompt
    speech VARCHAR: free: the model words the statements; composed: the dossier does
    guard BOOLEAN: whether moves across its own red lines were out of its reach
    memory VARCHAR: debate or item: how much of the record its prompts carry
    masked BOOLEAN: whether names were hidden although the prompt does not ask for it
    """),
    "transcripts",
    {"kind": "VARCHAR", "seats": _SEATS},
    """
    select file, s.seat, s.model, s.prompt, s.prompt_sha, s.speech, s.guard, s.memory, s.masked
    from (select file, unnest(seats) as s from lines where kind = 'run_card')
    """,
    (
        Example(
            "Who has sat where, how often?",
            "select seat, model, prompt, count(*) debates from seats group by all "
            "order by seat, debates desc",
        ),
    ),
)

EVENTS = View(
    "events",
    "One row a line of a transcript; the texts of prompts are left out.",
    columns(f"""
    {FILE}
    seq INTEGER: line number in the file, from 0
    kind VARCHAR: what happened; transcripts/README.md lists the kinds
    private BOOLEAN: whether it was not for everyone
    audience VARCHAR[]: the seats that may know of it; null for everyone
    turn VARCHAR: handle of the turn; null outside of turns
    party VARCHAR: whose turn it was
    item VARCHAR: agenda item
    issue VARCHAR: issue
    phase VARCHAR: opening, round, reply, caucus or decision
    round INTEGER: round of the item
    words VARCHAR: what was said, or why it happened
    """),
    "transcripts",
    {
        **TURN,
        "issue": "VARCHAR",
        "move": "STRUCT(issue VARCHAR)",
        "text": "VARCHAR",
        "words": "VARCHAR",
        "why": "VARCHAR",
        "inject": "STRUCT(text VARCHAR)",
    },
    """
    select file, seq, kind, audience is not null, audience, turn, party, item,
      coalesce(issue, move.issue), phase, round,
      coalesce(words, case when kind <> 'text' then text end, why, inject.text)
    from lines
    """,
    (
        Example(
            "What happened in the debates, by kind?",
            "select kind, count(*) events, count(distinct file) debates, "
            "count(*) filter (private) private from events group by kind order by events desc",
        ),
    ),
)

CALLS = View(
    "calls",
    "One row a question to a seat and its reply. What was sent is in the transcript alone.",
    columns(f"""
    {FILE}
    seq INTEGER: line number in the file
    call VARCHAR: item/phase+round/seat#attempt
    seat VARCHAR: party, or chair
    item VARCHAR: agenda item
    attempt INTEGER: 1, or 2 where the seat was asked to mend its reply
    by_model BOOLEAN: whether a language model answered; the reference negotiator is none
    model VARCHAR: the model that answered
    reply VARCHAR: the raw reply; the seat's own business
    unread VARCHAR: why the reply could not be read; null where it could
    finish VARCHAR: why the model stopped: stop, length, refusal ...
    failure VARCHAR: unreadable, refused, truncated, timeout, provider_error or overflow
    why VARCHAR: the failure in words
    tokens_read BIGINT: tokens read, cached ones included
    tokens_cached BIGINT: of these, read from a cache
    tokens_written BIGINT: tokens written
    cost DOUBLE: US dollars; null where no price is known
    seconds DOUBLE: from sending to the whole reply
    retries INTEGER: how often the client sent it again
    started TIMESTAMP: when it was sent, UTC
    temperature DOUBLE: sampling temperature on the wire
    """),
    "transcripts",
    {
        "kind": "VARCHAR",
        "seq": "INTEGER",
        "call": "VARCHAR",
        "seat": "VARCHAR",
        "started": "VARCHAR",
        "model": "VARCHAR",
        "reply": "VARCHAR",
        "finish": "VARCHAR",
        "failure": "JSON",
        "usage": "STRUCT(input BIGINT, output BIGINT, cached BIGINT)",
        "cost": "DOUBLE",
        "latency": "DOUBLE",
        "retries": "INTEGER",
        "why": "VARCHAR",
        "parameters": "STRUCT(temperature DOUBLE)",
    },
    """
    with unread as (
      select file, call, any_value(why) as unread from lines where kind = 'unread' group by all
    )
    select l.file, l.seq, l.call, l.seat, split_part(l.call, '/', 1),
      try_cast(regexp_extract(l.call, '#([0-9]+)$', 1) as INTEGER), l.started is not null,
      l.model, l.reply, u.unread, l.finish, l.failure->>'$.kind', l.failure->>'$.why',
      l.usage.input, l.usage.cached, l.usage.output, l.cost, l.latency, l.retries,
      l.started::TIMESTAMP, l.parameters.temperature
    from lines l left join unread u on u.file = l.file and u.call = l.call
    where l.kind = 'model_call'
    """,
    (
        Example(
            "How long do models take, and how often do they fail?",
            "select model, count(*) calls, median(seconds) median, quantile_cont(seconds, .95) "
            "slow, count(failure) failed, count(unread) unreadable from calls where by_model "
            "group by model order by calls desc",
        ),
    ),
)

RECORD = (DEBATES, SEATS, EVENTS, CALLS)
"""The views of debates as a whole."""
