"""What debates, parties, items and texts are called where debates are compared.

A debate is called A, B, C or D, in the order in which they were given. Ids of a file that name
nothing in its setting stand for themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.setting import Setting

LETTERS = "ABCD"
"""What the debates are called, in order."""


def letters(debates: Iterable[int]) -> str:
    """What several debates are called together: `A and C`."""
    return joined([LETTERS[each] for each in debates])


def joined(words: Sequence[str]) -> str:
    """Words as a sentence lists them: `one, two and three`; empty if there are none."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


class Names:
    """What ids of one setting stand for."""

    def __init__(self, setting: Setting) -> None:
        """Take the setting."""
        self.parties = {party.id: party.name for party in setting.parties}
        self.items = {item.id: item.title for item in setting.items}
        issues = [issue for item in setting.items for issue in item.issues]
        self.issues = {issue.id: issue.heading for issue in issues}
        self.options = {
            (issue.id, option.id): option.label for issue in issues for option in issue.options
        }

    def party(self, party: str) -> str:
        """A party's name as it reads in a sentence."""
        return self.parties.get(party, party)

    def all(self, parties: Iterable[str]) -> str:
        """Several parties, as a sentence lists them."""
        return joined([self.party(each) for each in parties])

    def item(self, item: str) -> str:
        """An item's title."""
        return self.items.get(item, item)

    def issue(self, issue: str) -> str:
        """An issue's heading."""
        return self.issues.get(issue, issue)

    def option(self, issue: str, option: str) -> str:
        """A text by letter and gist."""
        label = self.options.get((issue, option), "")
        return f"({option}) {label}".rstrip()
