"""What an error of a hosted model means: a failure on the record, or something the user must mend.

Works for every provider: by LangChain's own error classes where the plugin raises them, else by the
HTTP status and the name of the error.
"""

from __future__ import annotations

from harness.errors import FailureKind, ModelUnavailable
from harness.events import CallFailure
from harness.models.providers import PROVIDERS

MAX_WORDS = 300
"""Characters of a provider's words that are kept."""

_PASSING = (408, 429)
_REJECTED = (400, 422)
_TOO_LARGE = (400, 413, 422)
_SCHEMA_WORDS = ("response format", "json schema", "structured output", "schema", "grammar")
_TOO_LONG = (
    "context length",
    "context window",
    "context size",
    "prompt is too long",
    "input tokens exceed",
    "too many input tokens",
)
_NO_CREDIT = "insufficient_quota"


def failure_of(error: Exception) -> CallFailure | None:
    """The failure behind the error; None where the error is a defect of ours.

    An exception class of a library is the provider's doing. A built-in one (TypeError, KeyError) is
    a defect and keeps its traceback, but for those that say that the network failed.
    """
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return CallFailure(kind="timeout", why="gave no answer in time")
    if isinstance(error, OSError):
        return CallFailure(kind="provider_error", why=f"could not be reached: {words(error)}")
    if type(error).__module__ == "builtins":
        return None
    return CallFailure(kind=_kind(error), why=_why(error))


def is_outage(error: Exception) -> bool:
    """Whether the provider may be down: not reached, no answer in time, 5xx, too many requests."""
    status = status_of(error)
    if status is not None:
        return status >= 500 or status in _PASSING
    named = type(error).__name__
    return isinstance(error, OSError) or any(word in named for word in ("Timeout", "Connect"))


def unavailable(error: Exception, spec: str, base_url: str | None) -> ModelUnavailable | None:
    """What the user has to mend before this model can answer; None where it is not that."""
    provider = PROVIDERS[spec.partition(":")[0]]
    where = f"the server at {base_url}" if base_url else provider.name
    key = " or ".join(provider.keys) or "its login"
    match status_of(error):
        case 401:
            return ModelUnavailable(f"{where} did not accept the key for {spec}: check {key}.")
        case 403:
            return ModelUnavailable(f"{where} does not let this key use {spec}: check {key}.")
        case 404:
            hint = "check the name and the address" if base_url else "check the name"
            return ModelUnavailable(f"{where} has no model for {spec}: {hint} ({words(error)}).")
        case 429 if getattr(error, "code", None) == _NO_CREDIT:
            return ModelUnavailable(f"The account behind {key} has no credit left for {spec}.")
        case _:
            return None


def about_schema(error: Exception) -> bool:
    """Whether the provider rejected the request because of the schema."""
    said = words(error).lower().replace("_", " ")
    return status_of(error) in _REJECTED and any(word in said for word in _SCHEMA_WORDS)


def about_seed(error: Exception) -> bool:
    """Whether the provider rejected the request because of the seed."""
    return status_of(error) in _REJECTED and "seed" in words(error).lower()


def status_of(error: Exception) -> int | None:
    """The HTTP status behind the error; None where there is none."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def words(error: Exception) -> str:
    """What the provider said, on one line, cut to a readable length."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    return on_one_line(str(said or getattr(error, "message", None) or error))


def on_one_line(text: str) -> str:
    """The text without line breaks, cut to a readable length."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def _kind(error: Exception) -> FailureKind:
    from langchain_core.exceptions import ContextOverflowError

    # LangChain looks for the code in words that no longer hold it.
    said = f"{getattr(error, 'code', None)} {words(error)}".lower().replace("_", " ")
    too_long = status_of(error) in _TOO_LARGE and any(word in said for word in _TOO_LONG)
    return "overflow" if too_long or isinstance(error, ContextOverflowError) else "provider_error"


def _why(error: Exception) -> str:
    status = status_of(error)
    return f"answered {status}: {words(error)}" if status else words(error)
