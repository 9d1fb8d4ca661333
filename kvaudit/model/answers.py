"""The four answers that every question about access can have."""

from enum import StrEnum


class Answer(StrEnum):
    """May this principal do this operation? Never two-valued.

    `CONDITIONAL` names the condition or the missing activation in its citations; `UNKNOWN` names the gap.
    """

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DENIED = "denied"
    UNKNOWN = "unknown"
