"""Which operations of the data plane a route leads to."""

from collections.abc import Iterable

from kvaudit.access.answers import Holding
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.answers import Effect
from kvaudit.access.escalation.catalogue import BY_ID
from kvaudit.access.escalation.powers import admitted_roles
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.steps import Step
from kvaudit.access.escalation.takeover import Takeover
from kvaudit.access.surroundings import Surroundings
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import all_operations_mask, mask_of
from kvaudit.model.vaults import Vault

_SHOWN = 3
_SECRETS = ("secrets/get",)


class Reach:
    """Works out what routes lead to.

    Args:
        around: where the records are.
        standings: which of them reach a place.
    """

    def __init__(self, around: Surroundings, standings: Standings) -> None:
        self._around = around
        self._standings = standings

    def of(self, step: Step, principal_id: str, vault: Vault) -> tuple[str, int]:
        """What the holder of a step would do, in words, and the operations that it leads to."""
        if step.route == "E5":
            return self._admitted(step, principal_id, vault)
        if step.route in ("E9", "E10", "E18", "E26"):
            return step.how, mask_of(("keys/release",)) if step.route == "E26" else mask_of(_SECRETS)
        if step.route == "E11":
            return step.how, mask_of(("secrets/set",) if step.bits & actions.SECRETS_WRITE else ("keys/create",))
        if BY_ID[step.route].effect is not Effect.READ or step.route == "E17":
            return step.how, 0
        mine, everybodys = self._standings.closed_data(principal_id, self._standings.node(vault.scope))
        closed = everybodys | (mine if step.answer is Answer.ALLOWED else 0)
        return step.how, all_operations_mask() & ~(closed if step.route in ("E4", "E6", "E8", "E20") else 0)

    def _admitted(self, step: Step, principal_id: str, vault: Vault) -> tuple[str, int]:
        """The roles that the conditions of a delegated administrator admit, those that give most first."""
        grants, names = self._around.grants, {principal_id, *self._around.directory.chains_up(principal_id)}
        placed, unplaced = self._around.records_over(vault)
        masks: dict[str, int] = {}
        for record in (*placed, *unplaced):
            if record.principal_id not in names or not self._standings.given(record).any & actions.LIMITED:
                continue
            for block in grants.power(record.role).permissions or ():
                texts = tuple(text for text in (record.condition, block.condition) if text)
                roles = self._standings.record_powers.roles_to_data
                for role, _ in (
                    admitted_roles(texts, roles, record.principal_id, record.principal_type) if texts else ()
                ):
                    held = sum_of(item.mask for item in grants.power(role).blocks)
                    masks[grants.power(role).name or role] = held or all_operations_mask()
        ordered = sorted(masks, key=lambda name: (-masks[name].bit_count(), name))
        shown = ", ".join(ordered[:_SHOWN])
        more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
        how = f"assigns itself what its condition admits: {shown}{more}" if shown else step.how
        return how, sum_of(masks.values())

    def as_target(self, way: Takeover, holdings: Iterable[Holding]) -> int:
        """The operations that the target of a takeover holds on a vault, itself or through its groups."""
        if way.route == "E7":
            return all_operations_mask()
        if way.route == "E24":
            return all_operations_mask() if way.answer is not Answer.UNKNOWN else 0
        names = {way.target, *self._around.directory.chains_up(way.target)}
        return sum_of(item.allowed | item.conditional | item.unknown for item in holdings if item.principal_id in names)


def sum_of(masks: Iterable[int]) -> int:
    """Every operation of some masks."""
    found = 0
    for mask in masks:
        found |= mask
    return found
