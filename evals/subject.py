"""What a score is about, by id, so that scores are joined by name and never by position."""

from __future__ import annotations

DEBATE = "debate"
"""The debate as a whole."""


def item(item_id: str) -> str:
    """An item."""
    return f"item:{item_id}"


def issue(issue_id: str) -> str:
    """An issue."""
    return f"issue:{issue_id}"


def party(party_id: str) -> str:
    """A party."""
    return f"party:{party_id}"


def party_issue(party_id: str, issue_id: str) -> str:
    """A party on an issue."""
    return f"party:{party_id}/issue:{issue_id}"


def party_item(party_id: str, item_id: str) -> str:
    """A party on an item."""
    return f"party:{party_id}/item:{item_id}"


def pair(one: str, other: str) -> str:
    """Two parties."""
    return f"parties:{one}+{other}"
