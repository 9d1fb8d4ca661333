"""The lab's own opinion on who may do what: plain, slow where it may be, and obviously right.

It is written from the published facts and shares no code with the product; the tests compare the two.
"""

from dataclasses import dataclass
from enum import StrEnum

from kvaudit.lab.estate import Raw
from kvaudit.lab.http import Caller
from kvaudit.lab.world import World


class Reason(StrEnum):
    """Why a call is allowed or not; the values that Key Vault prints are its `DecisionReason`."""

    ALLOWED = "Allowed"
    NO_ASSIGNMENT = "DeniedWithNoValidRBAC"
    DENY_ASSIGNMENT = "DeniedByDenyAssignment"
    CONDITION = "DeniedByCondition"
    NO_POLICY = "AccessDenied"
    WRONG_TENANT = "WrongTenant"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with the record that gives it.

    Attributes:
        allowed: whether the call goes through.
        reason: why.
        assignment: id of the role assignment that allows it, else None.
        deny: id of the deny assignment that stops it, else None.
    """

    allowed: bool
    reason: Reason
    assignment: str | None = None
    deny: str | None = None


def uses_rbac(vault: Raw) -> bool:
    """Whether the vault decides by Azure RBAC: only an explicit true says so; false, null and absent do not."""
    return vault.get("properties", {}).get("enableRbacAuthorization") is True


def decide_control(world: World, caller: Caller, action: str, scope: str) -> Decision:
    """May the caller do this control-plane action on this resource or scope?"""
    raise NotImplementedError


def decide_data(
    world: World,
    caller: Caller,
    word: str,
    vault: Raw,
    object_name: str | None = None,
    application: str | None = None,
) -> Decision:
    """May the caller do this operation on the vault, or on one of its objects?

    Args:
        word: a permission word in any case: `secrets/get`.
        vault: the raw vault.
        object_name: name of the object within the word's kind (`db-password`); None for the vault as a whole.
        application: client id that acts for a user; the caller's own when None and the caller is a user.
    """
    raise NotImplementedError
