"""Every route that hangs on the control plane of one vault: pure, and worked out once for equal powers and settings."""

from dataclasses import replace
from functools import lru_cache

from kvaudit.access.escalation import access_policies, deployment, integrity, role_assignments, surroundings
from kvaudit.access.escalation.answers import route_number
from kvaudit.access.escalation.catalogue import BY_ID
from kvaudit.access.escalation.powers import STRENGTH, Powers
from kvaudit.access.escalation.steps import Setting, Step
from kvaudit.model.answers import Answer

_FAMILIES = (
    access_policies.routes,
    role_assignments.routes,
    deployment.routes,
    integrity.routes,
    surroundings.routes,
)


@lru_cache(maxsize=100_000)
def steps_of(held: Powers, setting: Setting) -> tuple[Step, ...]:
    """The routes of somebody who holds these powers at a vault of this setting: one step a route, the surest, by number.

    Where a family knows two ways of one route, the surer one counts; among equals the one that it names first.
    """
    if not held.any:
        return ()
    best: dict[str, Step] = {}
    for family in _FAMILIES:
        for found in family(held, setting):
            item = found
            if setting.model is None and BY_ID[item.route].model is not None:
                item = replace(item, answer=Answer.UNKNOWN, note="the permission model of the vault was not read")
            known = best.get(item.route)
            if known is None or STRENGTH[item.answer] < STRENGTH[known.answer]:
                best[item.route] = item
    return tuple(sorted(best.values(), key=lambda item: route_number(item.route)))
