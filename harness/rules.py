"""The rules of procedure, as data: rounds, floor, what adopts a text, news, private meetings.

Knows nothing of who sits at the table or what is debated.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
"""A short handle: lower-case letters, digits and single hyphens."""


class Value(BaseModel):
    """A frozen value; field docstrings become descriptions in the JSON Schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Inject(Value):
    """News the chair announces at a given round of an item."""

    item: Id
    """The item under which it is announced."""
    round: int = Field(ge=1)
    """Before which round."""
    text: str
    """What the chair reads out."""


class Caucus(Value):
    """A private meeting of some parties after a round: talk only, nobody else hears it."""

    item: Id
    """The item under which it is held."""
    after_round: int = Field(ge=0)
    """0 means before the first round."""
    parties: tuple[Id, ...] = Field(min_length=2)
    """Who is in the room."""


class Rules(Value):
    """The rules of procedure, as data."""

    rounds: int = Field(default=2, ge=0, le=50)
    """Rounds of interventions per item after the opening statements; with 0 nobody hears anybody
    before the decision."""
    floor: Literal["round_robin", "rotating", "speakers_list"] = "rotating"
    """Who speaks next: fixed order, an order that shifts by one each round, or those who spoke
    least first."""
    decision: Literal["consensus", "majority", "veto"] = "consensus"
    """What adopts a text: nobody against; more for than against; a majority with no veto-holder
    against."""
    vetoes: tuple[Id, ...] = ()
    """Parties whose rejection blocks under `veto`."""
    ties: Literal["fail", "pass"] = "fail"
    """What an even split means under `majority` and `veto`."""
    silence: bool = False
    """Silence procedure: delegations are asked only whether they break silence; an unreadable reply
    is not silence."""
    package: Literal["none", "item", "agenda"] = "none"
    """`Nothing is agreed until everything is agreed`: over each item, over the whole agenda, or not
    at all."""
    right_of_reply: int = Field(default=1, ge=0)
    """Replies allowed per round to parties that were asked a question."""
    ballots: int = Field(default=1, ge=1, le=10)
    """How many texts the chair may put, one after the other, on an issue that stays open."""
    opening_statements: bool = True
    """Whether each party makes an opening statement on each item."""
    language: str = "English"
    """The language delegations that speak freely are told to use."""
    injects: tuple[Inject, ...] = ()
    """News the chair announces."""
    caucuses: tuple[Caucus, ...] = ()
    """Private meetings."""


class Agenda(Value):
    """A named selection of items, parties and rules."""

    id: Id
    """Short handle, used as `--agenda ID`."""
    title: str
    """What it is for."""
    parties: tuple[Id, ...]
    """Who sits at the table, in seat order."""
    items: tuple[Id, ...]
    """What is debated, in order."""
    rules: Rules = Rules()
    """The setting's rules with this agenda's changes."""
