"""What can go wrong, as one tree.

    HarnessError
    ├── UserError              the user can mend it: printed as one sentence, without a traceback
    │   ├── SettingError       a setting's files, one `Problem` a place
    │   ├── TranscriptError    a transcript that cannot be read, resumed or replayed
    │   │   └── TranscriptInUse    another process is writing it
    │   ├── ModelUnavailable   a model named for a seat cannot be used here
    │   └── ProviderDown       a provider gave no answer for too long; the debate can be resumed
    ├── ModelFailure           a call that gave no reply; becomes a `failure` event, never a move
    └── BudgetExhausted        a ceiling was reached; becomes a `budget_stop` event

Everything outside this tree is a defect of ours and keeps its traceback.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

FailureKind = Literal["unreadable", "refused", "truncated", "timeout", "provider_error", "overflow"]
"""Why a turn has no answer. None of them is ever a vote, an acceptance or an abstention."""


class HarnessError(Exception):
    """Root of all errors of ours."""


class UserError(HarnessError):
    """The user can mend it: the message is one plain sentence with the next step."""


class Problem(NamedTuple):
    """One defect of a file, and where it stands."""

    file: str
    line: int
    """1-based; 0 where the file as a whole is meant."""
    column: int
    """1-based; 0 where no column is meant."""
    message: str
    """What stands there, what was expected, and the nearest valid value where one is close."""

    def __str__(self) -> str:
        """The problem as `file:line:column: message`."""
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{place}: {self.message}"


class SettingError(UserError):
    """A setting that does not load; carries every problem found, not only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems and say them, one a line."""
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class TranscriptError(UserError):
    """A transcript that cannot be read, resumed or replayed."""


class TranscriptInUse(TranscriptError):
    """Another process is writing the transcript."""


class ModelUnavailable(UserError):
    """A model named for a seat cannot be used here; the message says what is missing."""


class ProviderDown(UserError):
    """A provider gave no answer for longer than patience lasts; the transcript can be resumed."""


class ModelFailure(HarnessError):
    """A call to a model that gave no usable reply."""

    def __init__(self, kind: FailureKind, why: str) -> None:
        """Keep the kind of failure and the reason in words."""
        self.kind: FailureKind = kind
        self.why = why
        super().__init__(f"{kind}: {why}")


class BudgetExhausted(HarnessError):
    """A ceiling the user set on calls, tokens, cost or minutes was reached."""

    def __init__(self, ceiling: str, why: str) -> None:
        """Keep which ceiling it was, and the figures in words."""
        self.ceiling = ceiling
        self.why = why
        super().__init__(why)
