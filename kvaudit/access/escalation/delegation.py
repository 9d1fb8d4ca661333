"""E24: principals of another tenant who act here through Azure Lighthouse, unseen by listings of role assignments.

Data-plane requests are not supported through a delegation, nor are Owner, roles with data actions and roles that write
authorization; User Access Administrator counts for managed identities and the roles named beside it (facts azure.md 2.4).
"""

from collections.abc import Iterator

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import sum_of, weaker
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.takeover import Takeover
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.identities import DelegatedAuthorization, Delegation
from kvaudit.model.permissions import all_operations_mask
from kvaudit.model.vaults import PermissionModel, Vault


class Delegations:
    """The delegations of one estate by scope."""

    def __init__(self, around: Surroundings, standings: Standings) -> None:
        self._around = around
        self._standings = standings
        self._at: dict[str, list[Delegation]] = {}
        for item in around.estate.delegations:
            self._at.setdefault(item.scope, []).append(item)

    def ways(self, vault: Vault) -> Iterator[Takeover]:
        """The routes of principals of managing tenants to one vault."""
        for scope in scopes.path_ancestors(vault.scope) if self._at else ():
            for delegation in self._at.get(scope, ()):
                yield from self._of(delegation, vault)

    def _of(self, delegation: Delegation, vault: Vault) -> Iterator[Takeover]:
        tenant = delegation.managed_by_tenant or "another tenant"
        if delegation.authorizations is None:
            via = (_cited(delegation, None, Answer.UNKNOWN),)
            how = f"acts from tenant {tenant} with whatever the delegation gives"
            note = "the definition of the delegation was not in what Azure sent"
            words, mask = ("an Azure Lighthouse delegation",), all_operations_mask()
            yield Takeover("E24", None, "", Answer.UNKNOWN, words, via, how, note, mask=mask)
            return
        for item in delegation.authorizations:
            answer, bits, how, mask = self._reach(delegation, item, vault)
            if answer is not Answer.DENIED:
                name = self._around.grants.power(item.role).name
                via = (_cited(delegation, name, answer),)
                yield Takeover(
                    "E24",
                    item.principal_id,
                    item.principal_id,
                    answer,
                    actions.names_of(bits),
                    via,
                    f"acts from tenant {tenant} and {how}",
                    mask=mask,
                )

    def _reach(
        self, delegation: Delegation, item: DelegatedAuthorization, vault: Vault
    ) -> tuple[Answer, int, str, int]:
        """The answer for one principal, the bits that it rests on, what it would do, and the operations it comes to."""
        record = RoleAssignment(delegation.id, delegation.scope, item.role, item.principal_id)
        node = self._standings.node(vault.scope)
        held = self._standings.after_denies(item.principal_id, node, self._standings.given(record))
        if item.eligible:
            held = held.awaiting()
        if vault.permission_model is not PermissionModel.AZURE_RBAC:
            answer, bits = held.best(actions.POLICIES_WRITE)
            return answer, bits, "adds an entry for itself to the access policies", all_operations_mask()
        mask = sum_of(block.mask for role in item.delegated_roles for block in self._around.grants.power(role).blocks)
        if mask and held.any & actions.ASSIGN:
            # The roles go to managed identities only, which it must be able to run code as.
            answer = weaker(held.answer(actions.ASSIGN), Answer.CONDITIONAL)
            return answer, actions.ASSIGN, "assigns a data role to a managed identity that it can act as", mask
        return Answer.DENIED, 0, "", 0


def _cited(delegation: Delegation, role: str | None, answer: Answer) -> Citation:
    return Citation(CitationKind.DELEGATION, delegation.id, delegation.scope, role, answer=answer)
