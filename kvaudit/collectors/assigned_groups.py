"""Role assignments that reach a principal through its groups, told by Resource Manager: `assignedTo()` follows groups.

It needs no permission in Microsoft Graph. It names the group and not the chain, and says nothing of access policies, deny
assignments, eligibility or groups that hold no role assignment (facts azure.md 2.5), so it only ever adds memberships.
"""

from collections.abc import Callable

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.model.directory import Membership

_BETWEEN = "/assignedto/"


def assigned_scope(subscription: str, principal: str) -> str:
    """The listing's scope of what reaches one principal in one subscription.

    Args:
        subscription: folded scope.
        principal: folded object ID of a user or service principal.
    """
    return f"{subscription}{_BETWEEN}{principal}"


def names_group_of(principal: str) -> Callable[[Raw], bool]:
    """Whether an assignment that `assignedTo()` answered is a group's: then the principal is in that group."""

    def keep(raw: Raw) -> bool:
        properties = raw.get("properties") if isinstance(raw, dict) else None
        if not isinstance(properties, dict) or properties.get("principalType") != "Group":
            return False
        holder = properties.get("principalId")
        return isinstance(holder, str) and holder.strip().casefold() != principal

    return keep


def parse(raw: Raw, scope: str) -> Membership:
    """That the principal of the listing's scope is in the group which holds the assignment, directly or through others."""
    properties = payload.mapping(payload.mapping(raw, "role assignment").get("properties"), "properties")
    _, found, principal = scope.casefold().rpartition(_BETWEEN)
    if not found or not principal:
        raise payload.UnreadableItemError("the listing's scope names nobody")
    return Membership(group=payload.identifier(properties, "principalId"), member=principal)


ASSIGNED_GROUPS = Collector(
    kind="assigned_groups",
    plane=Plane.ARM,
    path=ROLE_ASSIGNMENTS.path,
    query={"$filter": "assignedTo('{id}')"},
    api_version=ROLE_ASSIGNMENTS.api_version,
    requires=ROLE_ASSIGNMENTS.requires,
    parse=parse,
)
