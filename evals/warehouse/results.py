"""The views made from scores, and from what experiments declared."""

from __future__ import annotations

from evals.warehouse.shape import Example, View, columns

_INTERVAL = "STRUCT(low DOUBLE, high DOUBLE, level DOUBLE, method VARCHAR)"
_RESULT = {
    "kind": "VARCHAR", "evaluator": "VARCHAR", "version": "INTEGER", "subject": "VARCHAR",
    "metric": "VARCHAR",
}  # fmt: skip
_WHAT = """
    file VARCHAR: the transcript; what views are joined by
    evaluator VARCHAR: name of the evaluator
    version INTEGER: its version
    metric VARCHAR: the metric; evals/README.md has every formula
    subject VARCHAR: debate, item:ID, party:ID, party:ID/issue:ID, parties:ID+ID ...
    party VARCHAR: the party in the subject, if any
    item VARCHAR: the item in the subject, if any
    issue VARCHAR: the issue in the subject, if any
"""
_NAMED = """
      nullif(regexp_extract(subject, 'party:([^/]+)', 1), ''),
      nullif(regexp_extract(subject, 'item:([^/]+)', 1), ''),
      nullif(regexp_extract(subject, 'issue:([^/]+)', 1), '')
"""

SCORES = View(
    "scores",
    "One row a score. Transcripts have scores once `tracktwo score` made them.",
    columns(f"""
    {_WHAT.strip()}
    value DOUBLE: the value; true is 1; null where there is none, and `reason` says why
    label VARCHAR: the value in a word, for metrics that are categories
    n INTEGER: cases it stands on
    hits INTEGER: the numerator of a share of cases
    unscored INTEGER: further cases that could not be scored
    low DOUBLE: lower end of the interval; null where nothing is estimated
    high DOUBLE: upper end
    reason VARCHAR: why this value, in words
    judge VARCHAR: the judge behind it; null where code alone made it
    rubric VARCHAR: what the judge was asked
    calibrated BOOLEAN: whether the judge's errors were measured; null without a judge
    corrected DOUBLE: the value corrected for these errors
    corrected_low DOUBLE: lower end of its interval
    corrected_high DOUBLE: upper end
    screen BOOLEAN: whether it only flags what to read
    greyed VARCHAR: the check of the battery that its judge failed; empty if none
    stale BOOLEAN: whether the transcript has changed since; null where it is not at hand
    """),
    "scores",
    {
        **_RESULT, "value": "JSON", "label": "VARCHAR", "n": "INTEGER", "hits": "INTEGER",
        "unscored": "INTEGER", "interval": _INTERVAL, "reason": "VARCHAR",
        "judge": "STRUCT(judge VARCHAR, rubric VARCHAR, gold VARCHAR)",
        "corrected": f"STRUCT(value DOUBLE, interval {_INTERVAL})", "screen": "BOOLEAN",
        "greyed": "VARCHAR",
    },
    f"""
    select file, evaluator, version, metric, subject, {_NAMED}, value::DOUBLE, label, n, hits,
      unscored, "interval".low, "interval".high, reason, judge.judge, judge.rubric,
      case when judge is not null then judge.gold is not null end,
      corrected.value, corrected."interval".low, corrected."interval".high,
      coalesce(screen, false), coalesce(greyed, ''), stale
    from lines where kind = 'score'
    """,
    (
        Example(
            "How does each arm do on a metric?",
            "select d.arm, s.metric, count(s.value) debates, avg(s.value) mean, "
            "sum(s.unscored) unscored from scores s join debates d using (file) "
            "where s.evaluator = 'concordance' and s.metric = 'in_line' and s.subject = 'debate' "
            "and not s.stale group by all order by mean desc",
        ),
        Example(
            "Which red lines were crossed?",
            "select file, party, hits, n from scores where metric = 'crossed_hard' and hits > 0 "
            "and party is not null order by hits desc",
        ),
    ),
)  # fmt: skip

EVIDENCE = View(
    "evidence",
    "One row an event that a score rests on.",
    columns(f"""
    {_WHAT.strip()}
    seq INTEGER: line of the transcript; joins events
    turn VARCHAR: handle of its turn; joins turns
    quote VARCHAR: the words or the fact that count
    private BOOLEAN: whether the quote is not for everyone: keep it out of exports
    """),
    "scores",
    {
        **_RESULT,
        "evidence": "STRUCT(seq INTEGER, turn VARCHAR, quote VARCHAR, private BOOLEAN)[]",
    },
    f"""
    select file, evaluator, version, metric, subject, {_NAMED}, e.seq, e.turn, e.quote,
      coalesce(e.private, false)
    from (select *, unnest(evidence) as e from lines where kind = 'score')
    """,
    (
        Example(
            "What stands behind the votes out of line?",
            "select e.file, e.party, e.turn, e.quote from evidence e "
            "where e.metric = 'in_line' and e.party is not null and not e.private "
            "order by e.file, e.seq limit 20",
        ),
    ),
)

FAILURES = View(
    "failures",
    "One row a statement that something could not be scored. It is never a 0.",
    columns(f"""
    {_WHAT.strip()}
    why VARCHAR: the reason
    """),
    "scores",
    {**_RESULT, "why": "VARCHAR"},
    f"""
    select file, evaluator, version, metric, subject, {_NAMED}, why
    from lines where kind = 'failure'
    """,
    (
        Example(
            "What could not be scored, and why?",
            "select evaluator, metric, why, count(*) times from failures "
            "group by all order by times desc",
        ),
    ),
)

CELLS = View(
    "cells",
    "One row a debate that an experiment asks for, held or not, as it was last declared.",
    columns("""
    experiment VARCHAR: the experiment
    experiment_sha VARCHAR: fingerprint of its declaration
    folder VARCHAR: where its debates lie
    arm VARCHAR: the arm
    role VARCHAR: baseline, arm or yardstick
    variation VARCHAR: the circumstance that was changed; null for the comparison itself
    scenario VARCHAR: the scenario
    seed BIGINT: the seed
    file VARCHAR: its transcript; null where there is none yet
    finished BOOLEAN: whether it was held to its end
    broke INTEGER: how often it broke off
    why VARCHAR: why it did so last
    """),
    "cells",
    {},
    "select * from lines",
    (
        Example(
            "Which debates of the experiments are still missing, or broke off?",
            "select experiment, arm, scenario, count(*) planned, count(*) filter (not finished) "
            "missing, sum(broke) broke_off from cells group by all order by missing desc",
        ),
    ),
    declared=True,
)

RESULTS = (SCORES, EVIDENCE, FAILURES)
"""The views made from files of scores."""
