"""The views of what debates were held on: positions on record, and texts that could be adopted."""

from __future__ import annotations

from evals.warehouse.shape import Example, View, columns

POSITIONS = View(
    "positions",
    "One row a position of a setting that was debated, as the run cards have it.",
    columns("""
    setting VARCHAR: the setting
    setting_sha VARCHAR: fingerprint of the setting; joins debates
    party VARCHAR: who holds it
    position VARCHAR: its id, as citations and `because` have it
    item VARCHAR: agenda item
    kind VARCHAR: interest, demand, offer, red_line or principle
    firmness INTEGER: 1 flexible to 5 non-negotiable
    confidential BOOLEAN: whether it reaches its own delegation only: keep it out of exports
    statement VARCHAR: what the party is on record as wanting
    supports VARCHAR[]: options it speaks for, issue/option
    opposes VARCHAR[]: options it speaks against
    priority VARCHAR: core or supplementary
    title VARCHAR: title of the source
    publisher VARCHAR: who published it
    published DATE: day of publication
    url VARCHAR: where it can be read
    """),
    "transcripts",
    {
        "kind": "VARCHAR",
        "setting_sha": "VARCHAR",
        "setting": "STRUCT(id VARCHAR, parties STRUCT(id VARCHAR, positions STRUCT(id VARCHAR, "
        "item VARCHAR, kind VARCHAR, firmness INTEGER, visibility VARCHAR, statement VARCHAR, "
        "supports VARCHAR[], opposes VARCHAR[], priority VARCHAR, source STRUCT(title VARCHAR, "
        "publisher VARCHAR, date DATE, url VARCHAR))[])[])",
    },
    """
    with cards as (
      select distinct setting_sha, setting from lines where kind = 'run_card'
    ), held as (
      select setting_sha, setting.id as setting, unnest(setting.parties) as party
      from cards
    ), one as (
      select distinct setting_sha, setting, party.id as party, unnest(party.positions) as p
      from held
    )
    select setting, setting_sha, party, p.id, p.item, p.kind, p.firmness,
      p.visibility = 'confidential', p.statement, p.supports, p.opposes, p.priority,
      p.source.title, p.source.publisher, p.source.date, p.source.url
    from one
    """,
    (
        Example(
            "Which firm positions are never cited?",
            "select party, position, firmness, statement from positions p where firmness >= 4 "
            "and not confidential and position not in (select unnest(citations) from turns "
            "where citations is not null) order by firmness desc, position",
        ),
    ),
)

OPTIONS = View(
    "options",
    "One row a text that could be adopted in a setting that was debated.",
    columns("""
    setting VARCHAR: the setting
    setting_sha VARCHAR: fingerprint of the setting; joins debates
    item VARCHAR: agenda item
    item_title VARCHAR: the item as the chair announces it
    issue VARCHAR: issue
    issue_title VARCHAR: the issue, as it reads after `on`
    weight DOUBLE: how much the issue counts in the weighted agreement rate
    option VARCHAR: option of the issue
    label VARCHAR: its gist
    text VARCHAR: the text itself
    """),
    "transcripts",
    {
        "kind": "VARCHAR",
        "setting_sha": "VARCHAR",
        "setting": "STRUCT(id VARCHAR, items STRUCT(id VARCHAR, title VARCHAR, issues STRUCT("
        "id VARCHAR, title VARCHAR, weight DOUBLE, options STRUCT(id VARCHAR, label VARCHAR, "
        "text VARCHAR)[])[])[])",
    },
    """
    with cards as (
      select distinct setting_sha, setting from lines where kind = 'run_card'
    ), items as (
      select distinct setting_sha, setting.id as setting, unnest(setting.items) as item from cards
    ), issues as (
      select setting_sha, setting, item, unnest(item.issues) as issue from items
    ), options as (
      select setting_sha, setting, item, issue, unnest(issue.options) as o from issues
    )
    select setting, setting_sha, item.id, item.title, issue.id, issue.title, issue.weight, o.id,
      o.label, o.text
    from options
    """,
    (
        Example(
            "Which texts are adopted, in words?",
            "select d.issue, o.label, count(*) debates from decisions d "
            "join debates t using (file) join options o on o.setting_sha = t.setting_sha "
            "and o.issue = d.issue and o.option = d.option "
            "where d.outcome = 'adopted' and not d.lapsed "
            "group by all order by debates desc, d.issue",
        ),
    ),
)

DOSSIER = (POSITIONS, OPTIONS)
"""The views of settings, as run cards have them."""
