"""The experiment file: which arms are compared, on which scenarios, and what was declared first."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from harness.rules import Id, Rules, Value
from harness.setting import sha

ALL = "all"
IN_TURN = "in-turn"
MAX_SEEDS = 1000

Direction = Literal["higher", "lower"]
Yardstick = Literal["reference", "no-talk", "solo"]


class Conditions(Value):
    """What a debate is held with; what is left out is as the file or the program has it."""

    prompt: str | None = None
    """Persona prompt by name, or a file beside the experiment file."""
    prompts: dict[Id, str] = Field(default_factory=dict)
    """Party -> persona prompt, where a party's differs."""
    model: str | None = None
    """Who sits in the seats, in the notation of `--model`."""
    models: dict[Id, str] = Field(default_factory=dict)
    """Party -> model, where a party's differs."""
    rotate_models: tuple[str, ...] = ()
    """Models that take the seats in turn over seeds and scenarios, so that neither a state nor
    speaking first is confounded with a model. Instead of `model`."""
    chair: str | None = None
    """Who words the chair's announcements."""
    speech: Literal["free", "composed"] | None = None
    """Who words the statements: the model, or the dossier."""
    guard: bool | None = None
    """Whether moves across a party's own red lines are out of its reach."""
    memory: Literal["debate", "item"] | None = None
    """What prompts carry of the record."""
    masked: bool | None = None
    """Whether names that give a party away are hidden, whatever the persona prompt says."""
    temperature: float | None = Field(default=None, ge=0)
    """Sampling temperature."""
    max_reply: int | None = Field(default=None, ge=1)
    """The most tokens a reply may have."""
    base_url: str | None = None
    """An OpenAI-compatible server for hosted models."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds after which a hosted call is given up."""
    wording: str | None = None
    """A file beside the experiment file with other statements for some positions: the same dossier
    in other words."""
    seed_shift: int | None = None
    """Added to every seed. Arms share their seeds, so that they are compared on the same draws;
    shift one only where chance itself is to be seen, as in a null experiment."""
    reverse_seats: bool = False
    """Whether the seats are taken in reverse order."""
    rules: Rules = Field(default_factory=Rules)
    """Changes to the rules of procedure, key by key."""


class Arm(Conditions):
    """One combination of persona prompt, model, chair and rules."""

    id: Id
    """Short handle, as rows of the results are called."""


class Variation(Conditions):
    """One circumstance changed for all arms, to see whether a difference between them survives."""

    id: Id
    """Short handle."""
    what: str
    """What is changed, in a few words."""


class Wording(Value):
    """A file of other statements."""

    setting: Id
    """The setting whose positions they are."""
    statements: dict[Id, str]
    """Position -> what it says, in other words."""


class Cross(Value):
    """Arms as all combinations of these; each by its handle."""

    prompt: dict[Id, str] = Field(default_factory=dict)
    model: dict[Id, str] = Field(default_factory=dict)
    chair: dict[Id, str] = Field(default_factory=dict)
    rules: dict[Id, Rules] = Field(default_factory=dict)


class Metric(Value):
    """A metric that is compared, and of whom."""

    metric: str = Field(pattern=r"^[a-z_]+/[a-z0-9_]+$")
    """`evaluator/metric`, as evals/README.md lists them."""
    of: str = "parties"
    """`debate`; `parties`: the mean over the parties that have a value; `treated`: the mean over
    those that have the arm's persona prompt and model; or a party's id."""
    better: Direction | None = None
    """Which way is better; None where neither is."""


class Primary(Metric):
    """The metric the experiment is decided by."""

    better: Direction = "higher"
    """Which way is better."""
    smallest: float = Field(gt=0)
    """The smallest difference that would matter, in the metric's unit."""


class Ceilings(Value):
    """What the whole experiment may use, however often it is called: all in its folder counts.

    Of processes at work at the same time each counts what was there when it began, and its own.
    """

    max_calls: int | None = Field(default=None, ge=0)
    max_tokens: int | None = Field(default=None, ge=0)
    max_cost: float | None = Field(default=None, ge=0)
    """US dollars."""
    max_minutes: float | None = Field(default=None, ge=0)
    """Of one invocation."""


class LimitsFile(Value):
    """How fast a provider may be asked; each provider or server has its own."""

    at_once: int | None = Field(default=None, ge=1)
    """Calls under way."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)


class Experiment(Value):
    """An experiment as it was declared."""

    id: Id
    """Short handle; also the name of the folder with its debates."""
    question: str
    """What is asked, in a sentence."""
    setting: str = "geneva-2021"
    """The setting, by name or folder."""
    settings: tuple[str, ...] = ()
    """Several settings; then a setting is the scenario, unless `unit` says otherwise."""
    agenda: Id | None = None
    """The agenda that parties and rules are taken from; the setting's default where left out."""
    parties: tuple[Id, ...] = ()
    """Parties in seat order, instead of the agenda's."""
    items: tuple[Id, ...] = ()
    """The items debated, instead of the agenda's."""
    unit: Literal["item", "setting"] | None = None
    """What a scenario is: an item debated by itself, or the agenda of a setting debated as a whole.
    Left out: the item where there is one setting, else the setting."""
    seeds: int = Field(ge=1, le=MAX_SEEDS)
    """Debates of each arm on each scenario; their seeds are 1, 2, ..."""
    arms: tuple[Arm, ...] = ()
    """The arms, listed."""
    cross: Cross | None = None
    """The arms, as all combinations."""
    common: Conditions = Field(default_factory=Conditions)
    """What all arms have unless they say otherwise."""
    baseline: Id
    """The arm that all others are compared with."""
    treat: str = ALL
    """Who has the arm's persona prompt and model: `all` parties; `in-turn`: one at a time, while
    the others have the baseline's; or a party's id. Everything else of an arm holds for all."""
    rotate_seats: bool = True
    """Whether the seats are taken in another order at each seed, so that no state always speaks
    first."""
    variations: tuple[Variation, ...] = ()
    """Circumstances under which the comparison is repeated: the robustness card."""
    beside: tuple[Yardstick, ...] = ()
    """Yardsticks that take debates of their own: the reference negotiator; no-talk, the baseline's
    models without a word being heard; solo, one model that plays all sides at once."""
    primary: Primary
    """What decides."""
    secondary: tuple[Metric, ...] = ()
    """What is looked at besides; all of it together is corrected for the number of looks."""
    judges: tuple[str, ...] = ()
    """Language models that judge what was said."""
    rubrics: tuple[str, ...] = ()
    """What judges are asked; all rubrics where left out."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """The risk of a false alarm that is taken."""
    budget: Ceilings = Field(default_factory=Ceilings)
    """What holding the debates may use."""
    limits: LimitsFile = Field(default_factory=LimitsFile)
    """How fast providers may be asked."""
    prices: dict[str, str] = Field(default_factory=dict)
    """Model -> IN/OUT in US dollars per million tokens, as for `--price`."""

    @property
    def sha(self) -> str:
        """Fingerprint of what was declared: the experiment's id beside its name.

        What holding it may cost and how fast it may go is not part of it.
        """
        stated = self.model_dump(
            mode="json", exclude_unset=True, exclude={"budget", "limits", "prices"}
        )
        return sha(json.dumps(stated, sort_keys=True))

    @property
    def scenario_unit(self) -> Literal["item", "setting"]:
        """What a scenario is."""
        return self.unit or ("setting" if len(self.settings) > 1 else "item")

    @property
    def every_setting(self) -> tuple[str, ...]:
        """The settings, one or several."""
        return self.settings or (self.setting,)
