"""What `access` returns: answers that cite their records."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from kvaudit.access.conditions import describe, parse
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault

if TYPE_CHECKING:
    from kvaudit.access.escalation.answers import EscalationRoute, NotAssessed


class CitationKind(StrEnum):
    """The kind of record that a citation names."""

    ROLE_ASSIGNMENT = "role_assignment"
    ACCESS_POLICY = "access_policy"
    ELIGIBLE_ASSIGNMENT = "eligible_assignment"
    DENY_ASSIGNMENT = "deny_assignment"
    VAULT = "vault"
    GAP = "gap"
    OWNERSHIP = "ownership"
    DIRECTORY_ROLE = "directory_role"
    APPLICATION_PERMISSION = "application_permission"
    GROUP_SCHEDULE = "group_schedule"
    RESOURCE_IDENTITY = "resource_identity"
    FEDERATED_CREDENTIAL = "federated_credential"
    DELEGATION = "delegation"


@dataclass(frozen=True, slots=True)
class Citation:
    """One record that an answer rests on: an element of `via` in every output.

    Attributes:
        id: resource ID of the assignment; for an access policy the vault's ID + `#accessPolicies/{index}`; for a gap its id.
        scope: folded scope where the record stands, or None for a gap.
        role: name of the role, or None (access policies, gaps).
        groups: folded IDs of the group chain from the group that the record names down to the group in which the
            principal stands; empty when the record names the principal itself.
        condition: what must be so, as the records write it: the text of conditions, what must be activated, the start that
            is still to come; joined by " and ". None where nothing must. `words` says it in plain English.
        ends: ISO 8601 end of a time-bound grant or of a time-bound membership on the chain, whichever comes first; or None.
        answer: what this record alone gives: allowed, conditional, unknown, or denied (a deny assignment).
        mask: the operations that this record alone touches.
        conditions: the texts of the ABAC conditions in `condition`.
        remark: what else `condition` says, in plain English already (the application that must be acting), or None.
        awaits: folded IDs of the groups whose membership must come into force first, nearest to the principal first.
        begins: ISO 8601 start that is still to come, or None.
    """

    kind: CitationKind
    id: str
    scope: str | None = None
    role: str | None = None
    groups: tuple[str, ...] = ()
    condition: str | None = None
    ends: str | None = None
    answer: Answer = Answer.ALLOWED
    mask: int = 0
    conditions: tuple[str, ...] = ()
    remark: str | None = None
    awaits: tuple[str, ...] = ()
    begins: str | None = None

    @property
    def words(self) -> str | None:
        """The conditions and the remark in plain English, joined by "; ", or None. Texts of the tenant are safe for a line.

        What must be activated is not among them: the kind, `awaits` and `begins` say that.
        """
        said = [describe(parse(text)) for text in self.conditions]
        return "; ".join([*said, self.remark] if self.remark else said) or None


@dataclass(frozen=True, slots=True)
class Holding:
    """What one principal holds on one vault or one object: a row of `kvaudit access`.

    An operation stands in exactly one of the three masks; in none means denied.

    Attributes:
        vault_id: the vault's ID as Azure sent it, or None where a gap hides which vault.
        object: `secrets/NAME`, or None for the vault itself.
        principal_id: folded object ID, or None where a gap hides who.
        principal_type: as the record or the directory says, or None.
        escalation: ids of escalation routes (`E1`, ...), sorted.
        via: the records, those that give most first.
        application_id: for compound identities, the application that must be acting.
    """

    vault_id: str | None
    object: str | None
    principal_id: str | None
    principal_type: str | None
    allowed: int = 0
    conditional: int = 0
    unknown: int = 0
    escalation: tuple[str, ...] = ()
    via: tuple[Citation, ...] = ()
    application_id: str | None = None

    def answer(self, mask: int) -> Answer:
        """The answer for one operation's mask."""
        if self.allowed & mask:
            return Answer.ALLOWED
        if self.conditional & mask:
            return Answer.CONDITIONAL
        return Answer.UNKNOWN if self.unknown & mask else Answer.DENIED


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to `can PRINCIPAL OPERATION VAULT`."""

    principal_id: str
    operation: str
    vault_id: str
    object: str | None
    answer: Answer
    because: tuple[Citation, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhoCan:
    """The answer to `who-can OPERATION --vault NAME`: every principal whose answer is not denied.

    Attributes:
        holdings: one per principal, each allowed, conditional or unknown on the operation; sorted by answer, then id.
        gaps: what could hide another holder or changes an answer that is given.
        notes: sentences told beside the answer (firewall, inert records), which do not change it.
        routes: the routes to this operation of those who do not hold it for certain, who are no holders; None where
            escalation was not asked for.
        not_assessed: where escalation was asked for: kinds of records that nobody collected, so that more may have a route.
    """

    operation: str
    vault_id: str
    object: str | None
    holdings: tuple[Holding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    routes: "tuple[EscalationRoute, ...] | None" = None
    not_assessed: "tuple[NotAssessed, ...]" = ()


@dataclass(frozen=True, slots=True)
class ControlHolding:
    """A principal that holds a control-plane action over a vault (for escalation and self-grant rules).

    Attributes:
        answer: allowed, conditional (condition, eligible) or unknown (deny not read, role not read).
        via: the assignments that give it.
    """

    principal_id: str
    principal_type: str | None
    action: str
    answer: Answer
    via: tuple[Citation, ...] = field(default=())


def tenant_citation(vault: Vault, mask: int) -> Citation:
    """The citation of a vault that trusts another tenant: nothing of this one's counts there."""
    text = f"the vault trusts tenant {vault.tenant_id}, which is not its subscription's"
    return Citation(CitationKind.VAULT, vault.id, vault.scope, None, (), text, None, Answer.DENIED, mask)
