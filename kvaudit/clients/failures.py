"""A read that failed, as a value that names what happened: `collection` makes a `Gap` of it."""

import json
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""Asking again later may succeed: the statuses that azure-core retries (azure-core `_retry.py`)."""

WITHOUT_TOKEN = "NoToken"  # noqa: S105 - a code, not a token
"""Code of a failure for want of a token: signing in worked for one endpoint and not for another."""

OUT_OF_TIME = "OutOfTime"
"""Code of a failure because the time for the run (`--time-budget`) was over."""

UNREACHED = frozenset({"NotReached", "NoAnswer"})
"""Codes of failures before there was any answer."""

_SENTENCE_LIMIT = 500
"""Characters kept of a service's own words; they come from the tenant's side and are escaped where shown."""


class ReadFailure(Exception):  # noqa: N818 - it is a failure that becomes a gap, not an error that ends the run
    """One read that did not succeed.

    Args:
        reason: what happened, one sentence.
        status: HTTP status, or None when there was no answer.
        code: the service's error code, the inner one where the vault sends it, or one of ours in the same style.
        retryable: whether asking again later may succeed.
    """

    def __init__(
        self, reason: str, *, status: int | None = None, code: str | None = None, retryable: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.code = code
        self.retryable = retryable


def failure_of_answer(status: int, body: Any, *, host: str) -> ReadFailure:
    """The failure that an answer with an error status stands for.

    Args:
        status: HTTP status, 400 or above.
        body: parsed JSON, or None when it was none.
        host: who answered.
    """
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    inner = error.get("innererror")
    outer_code = _text(error.get("code"))
    code = (_text(inner.get("code")) if isinstance(inner, dict) else None) or outer_code
    words = _first_sentence(_text(error.get("message")))
    reason = f"{host} answered {status}" + (f" {code}" if code else "") + (f": {words}" if words else "")
    return ReadFailure(reason, status=status, code=code, retryable=status in RETRYABLE_STATUSES)


def failure_of_exception(problem: Exception, *, host: str) -> ReadFailure:
    """The failure that an exception of a client stands for. The text of the exception is not shown: it may hold anything."""
    if isinstance(problem, HttpResponseError) and problem.response is not None:
        return failure_of_answer(problem.response.status_code or 0, _body_of(problem.response), host=host)
    name = (
        type(problem.inner_exception or problem).__name__ if isinstance(problem, AzureError) else type(problem).__name__
    )
    if isinstance(problem, IncompleteReadError):
        return ReadFailure(f"{host} broke off in the middle of its answer", code="IncompleteAnswer", retryable=True)
    if isinstance(problem, ServiceResponseError):
        return ReadFailure(f"{host} gave no usable answer ({name})", code="NoAnswer", retryable=True)
    if isinstance(problem, ServiceRequestError):
        return ReadFailure(f"{host} could not be reached ({name})", code="NotReached", retryable=True)
    return ReadFailure(f"reading from {host} failed ({name})", code="ReadFailed", retryable=True)


def _body_of(response: Any) -> Any:
    try:
        return json.loads(response.content if hasattr(response, "content") else response.body())
    except (ValueError, AzureError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _first_sentence(text: str | None) -> str | None:
    if text is None:
        return None
    line = " ".join(text.split())
    return line if len(line) <= _SENTENCE_LIMIT else line[:_SENTENCE_LIMIT] + "…"
