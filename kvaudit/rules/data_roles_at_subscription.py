"""A data-plane role is assigned at subscription scope or above

A principal holds a role over the data of this vault through an assignment at a subscription, at a management group or at
the root: it holds it over every vault below.

## Why it matters

Such an assignment reaches vaults that did not exist when it was made. It is the difference between the loss of one
application's secrets and the loss of all. At management groups changes also take hours to reach the data plane.

Roles that read only names and attributes, such as Key Vault Reader, are not counted. Neither are assignments with a
condition and eligible ones, which are shown.

## How to fix it

Assign the role at the vaults that the principal uses, or at their resource group, then remove the broad assignment. The
command removes it for every vault below its scope: make the narrow assignments first.

## References

- [Best practices for Azure RBAC](https://learn.microsoft.com/azure/role-based-access-control/best-practices)
- [Provide access to Key Vault with Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-guide)
- [Troubleshoot Azure RBAC](https://learn.microsoft.com/azure/role-based-access-control/troubleshooting)
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from kvaudit.access.answers import Citation, CitationKind, Holding
from kvaudit.access.counting import BROAD, BroadGrants, Tally
from kvaudit.access.subject import VaultAccess
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import all_operations_mask, mask_of
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.grants import (
    Grant,
    aside,
    by_grants,
    by_tally,
    removals,
)
from kvaudit.rules.judgement import Judgement, Rule, Severity, not_applicable
from kvaudit.rules.words import counted

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_KINDS = frozenset({CitationKind.ROLE_ASSIGNMENT, CitationKind.ELIGIBLE_ASSIGNMENT})
_WHAT = "hold a data-plane role at subscription scope or above"
_ELSEWHERE = not_applicable("the vault uses access policies, where a data-plane role gives nobody access")


@cache
def beyond_metadata_mask() -> int:
    """Every operation but those that read names, attributes, public keys, certificates, issuers and rotation policies."""
    metadata = (
        "secrets/list",
        "keys/get",
        "keys/list",
        "keys/getrotationpolicy",
        "certificates/get",
        "certificates/list",
        "certificates/getissuers",
        "certificates/listissuers",
    )
    return all_operations_mask() & ~mask_of(metadata)


def check(subject: VaultAccess) -> Judgement:
    """Fails an Azure RBAC vault over which a role that does more than read metadata is assigned broadly."""
    if subject.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    grants = [grant for holding in subject.holdings for grant in _broad_grants(holding)]
    return by_grants(
        subject,
        grants,
        _message,
        _WHAT,
        lambda kept: [az.list_role_assignments(subject.vault.id), *removals(subject.vault, kept)],
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same from counts."""
    if counts.vault.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    return by_tally(counts.tally(_asked()), _message, _WHAT)


@cache
def _asked() -> BroadGrants:
    return BroadGrants(beyond_metadata_mask())


def _message(tally: Tally) -> str:
    return (
        f"{counted(tally.allowed, 'data-plane role assignment')} at subscription scope or above"
        f" {'reaches' if tally.allowed == 1 else 'reach'} the vault, for {counted(tally.allowed_holders, 'principal')}"
        f"{aside(tally)}"
    )


def _is_broad(record: Citation) -> bool:
    """Whether a record names its principal itself (a group has a holding of its own) in a broad role assignment."""
    return (
        record.kind in _KINDS
        and not record.groups
        and record.scope is not None
        and scopes.level_of(record.scope) in BROAD
    )


def _broad_grants(holding: Holding) -> Iterator[Grant]:
    """The broad assignments behind one holding. One whose operations are all denied is none."""
    beyond = beyond_metadata_mask()
    for record in holding.via:
        held = record.mask & beyond
        if not held or not _is_broad(record):
            continue
        certain = held & (holding.allowed | holding.conditional)
        if not certain and not held & holding.unknown:
            continue
        answer = record.answer if certain else Answer.UNKNOWN
        gaps = () if certain else tuple(item for item in holding.via if item.kind is CitationKind.GAP)
        operation = record.role or "a role that was not read"
        yield Grant(holding.principal_id, holding.principal_type, holding.object, operation, answer, (record, *gaps))


RULE = Rule(
    id="data-roles-at-subscription",
    title="A data-plane role is assigned at subscription scope or above",
    severity=Severity.MEDIUM,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
    asked=(_asked(),),
)
