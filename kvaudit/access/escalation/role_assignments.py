"""Routes through Azure RBAC itself: assigning (E4, E5, E8), rewriting roles (E6), lifting denies (E22), delegating (E24)."""

from collections.abc import Iterator

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.answers import Confidence
from kvaudit.access.escalation.powers import Powers
from kvaudit.access.escalation.steps import Setting, Step, at_most, step
from kvaudit.model.answers import Answer


def routes(held: Powers, setting: Setting) -> Iterator[Step]:
    """E4, E5, E6, E8, E22 and the part of E24 that somebody of this tenant can begin."""
    if setting.may_use_roles:
        yield from step(
            "E4", held.best(actions.ASSIGN), "assigns itself a role with data access, such as Key Vault Administrator"
        )
        yield from step("E5", held.best(actions.ASSIGN_DATA_LIMITED), "assigns a role that the condition admits")
        yield from step(
            "E6", held.best(actions.REWRITES_ROLE), "adds data actions to a custom role that is assigned over the vault"
        )
        yield from _privileged_identity_management(held)
    yield from step(
        "E22", held.best(actions.LIFTS_DENY), "removes the deny assignment that closes another of its routes"
    )
    both = actions.DELEGATE | actions.ASSIGN
    yield from step(
        "E24",
        (held.answer(both), both),
        "delegates the resources to another tenant (Azure Lighthouse), from where they are reached unseen by role assignments",
        "data-plane requests through a delegation are not supported: what is reached is what its control-plane roles open",
    )


def _privileged_identity_management(held: Powers) -> Iterator[Step]:
    granting = held.best(actions.SCHEDULES_WRITE, actions.ELIGIBILITY_WRITE)
    yield from step("E8", granting, "grants itself an active or eligible role with data access through PIM")
    activating = held.best(actions.ACTIVATES)
    yield from step("E8", activating, "activates a role for which it is eligible", "", Confidence.HIGH)
    yield from step(
        "E8",
        at_most(held.best(actions.PIM_RULES_WRITE), Answer.CONDITIONAL),
        "weakens the rules (approval, MFA) under which an eligible role is activated",
    )
