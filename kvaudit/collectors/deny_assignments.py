"""Deny assignments."""

from collections.abc import Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.collectors.permission_blocks import permission_blocks
from kvaudit.model import scopes
from kvaudit.model.authorization import DenyAssignment, DenyPrincipal


def parse(raw: Raw, scope: str) -> DenyAssignment:
    """A deny assignment. Its effect is None where the answer does not show it: 2022-04-01 hides `denyAssignmentEffect`.

    The effect is folded, because Azure's enumerations come in several spellings. A value that is neither `enforced`
    nor `audit` stays as it is: it is not known to deny, and not known to let pass.
    """
    item = payload.mapping(raw, "deny assignment")
    properties = payload.mapping(item.get("properties"), "properties")
    effect = payload.optional_text(properties, "denyAssignmentEffect")
    if properties.get("principals") is None:
        raise payload.UnreadableItemError("principals are missing")  # without them there is no telling whom it denies
    return DenyAssignment(
        id=payload.text(item, "id"),
        name=payload.shown_text(properties, "denyAssignmentName") or payload.shown_text(item, "name") or "",
        scope=scopes.fold(payload.text(properties, "scope")),
        permissions=permission_blocks(properties),
        principals=_principals(properties, "principals"),
        exclude_principals=_principals(properties, "excludePrincipals"),
        do_not_apply_to_child_scopes=payload.optional_flag(properties, "doNotApplyToChildScopes") or False,
        is_system_protected=payload.optional_flag(properties, "isSystemProtected"),
        effect=effect.casefold() if effect else None,
        condition=payload.optional_text(properties, "condition"),
        listed_from=payload.listed_from(scope),
    )


def _principals(properties: Mapping[str, Any], key: str) -> tuple[DenyPrincipal, ...]:
    entries = (payload.mapping(entry, key) for entry in payload.items(properties, key))
    return tuple(
        DenyPrincipal(id=payload.text(entry, "id").strip().casefold(), type=payload.optional_text(entry, "type"))
        for entry in entries
    )


DENY_ASSIGNMENTS = Collector(
    kind="deny_assignments",
    plane=Plane.ARM,
    # No filter: at, above and below the scope (facts azure.md 2.5).
    path="{scope}/providers/Microsoft.Authorization/denyAssignments",
    api_version="2024-07-01-preview",
    requires=("Microsoft.Authorization/denyAssignments/read",),
    parse=parse,
)

FALLBACK_API_VERSION = "2022-04-01"
"""Asked where 2024-07-01-preview is not there yet. It hides the effect: tell a gap beside it."""
