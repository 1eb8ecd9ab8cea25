"""Agendas put together by hand: other items, parties or rules than a setting's own agendas have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from pydantic import ValidationError

from harness.errors import UserError
from harness.setting import Agenda, Rules, Setting


def agenda_by_hand(
    setting: Setting,
    named: str | None = None,
    *,
    items: Sequence[str] = (),
    parties: Sequence[str] = (),
    rules: Mapping[str, object] | None = None,
) -> Agenda:
    """An agenda of the setting, with other items, parties or rules where the user named some.

    Args:
        setting: The whole setting.
        named: Id of the agenda; the setting's default where left out.
        items: Ids of the items, in order, instead of the agenda's.
        parties: Ids of the parties, in seat order, instead of the agenda's.
        rules: The rules of procedure that are to differ, by name.

    Raises:
        UserError: something of that name does not exist, or the rules do not fit the table.
    """
    known = [each.id for each in setting.agendas]
    if named is not None and named not in known:
        raise UserError(f"{setting.id} has no agenda {named!r}; it has {', '.join(known)}.")
    chosen = setting.agenda(named or setting.default_agenda)
    picked = _listed("item", items, [item.id for item in setting.items]) or chosen.items
    seated = _listed("party", parties, [party.id for party in setting.parties]) or chosen.parties
    changed = chosen.rules.model_copy(update=_changes(rules or {}))
    _check_table(changed, picked, seated)
    by_hand = bool(items or parties)
    return Agenda(
        id="by-hand" if by_hand else chosen.id,
        title=chosen.title,
        parties=seated,
        items=picked,
        rules=changed,
    )


def _changes(rules: Mapping[str, object]) -> dict[str, object]:
    """The changed rules as values that have been checked, so that they can be copied in."""
    try:
        checked = Rules.model_validate(dict(rules))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(
            f"Rule {first['loc'][0]}: {first['msg']}, not {first['input']!r}."
        ) from error
    return {name: getattr(checked, name) for name in rules}


def _check_table(rules: Rules, items: Sequence[str], parties: Sequence[str]) -> None:
    """Whether the rules can be carried out with these items and parties."""
    if len(parties) < 2:
        raise UserError("A debate needs at least two parties.")
    unseated = [party for party in rules.vetoes if party not in parties]
    if unseated:
        raise UserError(f"A veto needs a seat: {', '.join(unseated)} has none.")
    for caucus in rules.caucuses:
        if caucus.item in items and not set(caucus.parties) <= set(parties):
            raise UserError(
                f"A private meeting on {caucus.item} seats {', '.join(caucus.parties)}; not all of "
                "them are at this table. Seat them, or leave the item out."
            )


def _listed(what: str, given: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(given))
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(known)}."
            raise UserError(f"There is no {what} {name!r}.{hint}")
    return names
