"""Which operations of the data plane a route leads to."""

from collections import Counter
from collections.abc import Iterator

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.answers import Effect
from kvaudit.access.escalation.catalogue import BY_ID
from kvaudit.access.escalation.powers import admitted_roles, led_to, sum_of
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.steps import Step
from kvaudit.access.grants import Record
from kvaudit.access.surroundings import Surroundings
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import all_operations_mask, mask_of
from kvaudit.model.vaults import Vault

_SHOWN = 3
_BY_DATA_ROLE = ("E4", "E5", "E6", "E8", "E20")
"""Routes that end in a data role: denies on the data plane close what it gives."""


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
        how = step.how
        if step.route == "E5":
            how, found = self._admitted(step, principal_id, vault)
        elif step.bits & actions.ACTIVATES:
            found = self._activated(principal_id, vault)
        else:
            found = self._operations(step)
        if step.route not in _BY_DATA_ROLE:
            return how, found
        mine, everybodys = self._standings.closed_data(principal_id, self._standings.node(vault.scope))
        return how, found & ~(everybodys | (mine if step.answer is Answer.ALLOWED else 0))

    def _operations(self, step: Step) -> int:
        if step.route in ("E9", "E10"):
            return mask_of(("secrets/get",))
        if step.route == "E11":
            return mask_of(("secrets/set",) if step.bits & actions.SECRETS_WRITE else ("keys/create",))
        if BY_ID[step.route].effect is not Effect.READ:
            return 0
        return step.mask or all_operations_mask()

    def _activated(self, principal_id: str, vault: Vault) -> int:
        """The operations that the roles lead to for which a principal or a group of it is eligible."""
        records = self._records_giving(actions.ACTIVATES, principal_id, vault)
        return sum_of(led_to(self._around.grants.power(item.role)) for item in records)

    def _records_giving(self, bits: int, principal_id: str, vault: Vault) -> Iterator[Record]:
        for item, _ in self._standings.records.naming(principal_id, vault.scope):
            if item.powers.any & bits:
                yield item.record

    def _admitted(self, step: Step, principal_id: str, vault: Vault) -> tuple[str, int]:
        """The roles that the conditions of a delegated administrator admit, those that give most first."""
        grants, roles = self._around.grants, self._standings.record_powers.roles_to_data
        masks: dict[str, int] = {}
        for record in self._records_giving(actions.LIMITED, principal_id, vault):
            for block in grants.power(record.role).permissions or ():
                texts = tuple(text for text in (record.condition, block.condition) if text)
                if texts:
                    admitted = admitted_roles(texts, roles, record.principal_id, record.principal_type)
                    masks.update((role, led_to(grants.power(role))) for role, _ in admitted)
        names = {role: grants.power(role).name or role for role in masks}
        ordered = sorted(masks, key=lambda role: (-masks[role].bit_count(), names[role], role))
        often = Counter(names.values())  # several roles may have one name, also that of a built-in one
        shown = ", ".join(names[it] if often[names[it]] == 1 else f"{names[it]} ({it})" for it in ordered[:_SHOWN])
        more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
        how = f"assigns itself what its condition admits: {shown}{more}" if shown else step.how
        return how, sum_of(masks.values())
