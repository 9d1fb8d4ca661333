"""Routes through the vault's own properties: its access policies (E1, E2), its permission model (E3), its tenant (E19)."""

from collections.abc import Iterator

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.answers import Confidence
from kvaudit.access.escalation.powers import Powers
from kvaudit.access.escalation.steps import Setting, Step, at_most, step
from kvaudit.model.answers import Answer

ANOTHER_TENANT = (
    "an entry counts for principals of the tenant that the vault trusts only, which is not its subscription's"
)
WRITE_ALONE = "vaults/write alone: whether accessPolicies/write is checked beside it is not settled between the sources"


def routes(held: Powers, setting: Setting) -> Iterator[Step]:
    """E1, E2, E3 and E19."""
    limit = Answer.CONDITIONAL if setting.is_foreign else Answer.ALLOWED
    note = ANOTHER_TENANT if setting.is_foreign else ""
    if setting.may_use_policies:
        yield from _policies(held, limit, note)
    if setting.may_use_roles or setting.is_foreign:
        both = actions.VAULTS_WRITE | actions.ASSIGN
        how = "switches the vault to access policies, which also revives dormant ones, and adds an entry for itself"
        if not (setting.is_foreign and setting.may_use_policies):
            yield from step("E3", at_most((held.answer(both), both), limit), how, note)
    yield from step(
        "E19",
        at_most(held.best(actions.VAULTS_WRITE), Answer.UNKNOWN),
        "writes another tenant into the vault, so that principals of that tenant can be let in",
        "documented for moving a subscription; what else the service lets through is not established",
    )


def _policies(held: Powers, limit: Answer, note: str) -> Iterator[Step]:
    how = "adds an entry for itself to the access policies"
    yield from step("E1", at_most(held.best(actions.POLICIES_WRITE), limit), how, note)
    first = held.best(
        actions.ASSIGN,
        actions.ASSIGN_CONTROL_LIMITED,
        actions.REWRITES_ROLE,
        actions.ELIGIBILITY_WRITE,
        actions.SCHEDULES_WRITE,
    )
    how = "first gives itself a role that may write access policies, then adds an entry for itself"
    yield from step("E1", at_most(first, limit), how, note, Confidence.MEDIUM)
    both = actions.VAULTS_WRITE | actions.POLICIES_WRITE
    how = "writes the vault with an access policy for itself"
    yield from step("E2", at_most((held.answer(both), both), limit), how, note)
    yield from step("E2", at_most(held.best(actions.VAULTS_WRITE), Answer.UNKNOWN), how, WRITE_ALONE, Confidence.LOW)
