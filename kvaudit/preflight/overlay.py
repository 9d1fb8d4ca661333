"""An estate as it would be after a deployment: a snapshot plus what templates declare.

What a template changes follows Resource Manager (facts azure.md 1.1, 1.5): a vault that exists keeps its permission model
where the flag is left out; a list of access policies replaces the whole list; role assignments are added. What a template
leaves to the deployment becomes a gap on the vault it is about, so that answers are unknown and never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvaudit.model import scopes
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import AccessPolicy, PermissionModel, PermissionModelSource, Vault
from kvaudit.templates.declarations import (
    FileDeclarations,
    PoliciesDeclaration,
    PolicyDeclaration,
    RoleAssignmentDeclaration,
    VaultDeclaration,
)
from kvaudit.templates.model_on_create import has_new_default, model_on_create
from kvaudit.templates.unknown import Unknown

NOT_DEPLOYED = "11111111-1111-1111-1111-000000000000"
"""Subscription of a vault whose template does not say where it goes: a place that no grant of the snapshot reaches."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a deployment would leave behind.

    Attributes:
        estate: to be judged like any other.
        notes: what was assumed or could not be laid over, one sentence each.
    """

    estate: Estate
    notes: tuple[str, ...]


def laid_over(estate: Estate, declarations: Sequence[FileDeclarations]) -> Overlay:
    """The estate after the deployment of every template."""
    work = _Work(estate)
    for declared in declarations:
        work.take(declared)
    return Overlay(work.estate(), tuple(dict.fromkeys(work.notes)))


class _Work:
    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._vaults = {vault.scope: vault for vault in estate.vaults}
        self._by_name = {vault.name.casefold(): vault.scope for vault in estate.vaults}
        self._gaps: list[Gap] = []
        self._assignments: list[RoleAssignment] = []
        self.notes: list[str] = []

    def estate(self) -> Estate:
        return replace(
            self._estate,
            vaults=tuple(self._vaults.values()),
            role_assignments=(*self._estate.role_assignments, *self._assignments),
            gaps=(*self._estate.gaps, *self._gaps),
        )

    def take(self, declared: FileDeclarations) -> None:
        by_identity: dict[str, str] = {}
        for item in declared.vaults:
            scope = self._vault(item)
            if scope is not None:
                by_identity[item.identity] = scope
        for entry in declared.policies:
            self._policies(entry, by_identity)
        for number, grant in enumerate(declared.role_assignments):
            self._grant(grant, number, by_identity)
        self.notes += [f"{item.position}: not looked into: {item.reason}" for item in declared.undecided]

    def _vault(self, item: VaultDeclaration) -> str | None:
        if isinstance(item.name, Unknown):
            self.notes.append(f"{item.position}: a vault whose name is not decided was left out: {item.name.reason}")
            return None
        known = self._vaults.get(self._by_name.get(item.name.casefold(), ""))
        before = known or self._created(item, item.name)
        vault = self._with_model(before, item, exists=known is not None)
        vault = self._with_policies(vault, item.access_policies, f"{item.position}")
        if item.condition is not None:
            self._doubt(vault, f"{item.position}: whether the vault is deployed is not decided: {item.condition}")
            if vault != before:  # neither what it was nor what it may become is certain
                vault = replace(vault, permission_model=None, permission_model_source=None, access_policies=None)
        self._vaults[vault.scope] = vault
        self._by_name[vault.name.casefold()] = vault.scope
        return vault.scope

    def _created(self, item: VaultDeclaration, name: str) -> Vault:
        subscription = item.subscription_id if isinstance(item.subscription_id, str) else None
        group = item.resource_group if isinstance(item.resource_group, str) else None
        if subscription is None or group is None:
            self.notes.append(f"{item.position}: where {name} goes is not given: grants from above it are not counted")
        scope = f"/subscriptions/{subscription or NOT_DEPLOYED}/resourceGroups/{group or 'not-given'}"
        tenant = item.properties.get("tenantId")
        return Vault(
            id=f"{scope}/providers/Microsoft.KeyVault/vaults/{name}",
            name=name,
            tenant_id=tenant.casefold() if isinstance(tenant, str) else self._estate.tenant_id,
            access_policies=(),
        )

    def _with_model(self, vault: Vault, item: VaultDeclaration, *, exists: bool) -> Vault:
        if exists and item.rbac is None:
            return self._with_model_left_out(vault, item)
        model = model_on_create(item).model
        if isinstance(model, Unknown):
            self._doubt(vault, f"{item.position}: the permission model is not decided: {model.reason}")
            return replace(vault, permission_model=None, permission_model_source=None)
        if exists and vault.permission_model not in (None, model):
            self.notes.append(f"{item.position}: {vault.name} changes to {model.value}")
        source = PermissionModelSource.EXPLICIT if isinstance(item.rbac, bool) else PermissionModelSource.ABSENT
        return replace(vault, permission_model=model, permission_model_source=source)

    def _with_model_left_out(self, vault: Vault, item: VaultDeclaration) -> Vault:
        """A vault that exists, declared without the flag.

        From api-version 2026-02-01 on it keeps its model. What older ones and azurerm make of a vault on Azure RBAC is not
        established (facts azure.md 1.1 and 1.3); a vault on access policies keeps them with every version.
        """
        version = item.api_version
        keeps = isinstance(version, str) and has_new_default(version) is True
        if keeps or vault.permission_model is not PermissionModel.AZURE_RBAC:
            return vault
        by = f"api-version {version}" if isinstance(version, str) else "this version of the provider"
        text = (
            f"the model is left out, and whether {by} then keeps Azure RBAC on a vault that exists is not established"
        )
        self._doubt(vault, f"{item.position}: {text}")
        return replace(vault, permission_model=None, permission_model_source=None)

    def _with_policies(
        self, vault: Vault, entries: tuple[PolicyDeclaration, ...] | Unknown | None, where: str
    ) -> Vault:
        if entries is None:
            return vault
        if isinstance(entries, Unknown):
            self._doubt(vault, f"{where}: the access policies are not decided: {entries.reason}")
            return replace(vault, access_policies=None)
        return replace(vault, access_policies=self._entries(vault, entries, where))

    def _entries(
        self, vault: Vault, entries: Sequence[PolicyDeclaration], where: str
    ) -> tuple[AccessPolicy, ...] | None:
        """The entries; None where one of them is not decided: it may be anybody's, and give anything."""
        found = []
        told = len(self._gaps)
        for entry in entries:
            words: dict[str, tuple[str, ...]] = {}
            for kind, names in entry.permissions.items():
                if isinstance(names, Unknown):
                    self._doubt(vault, f"{where}: permissions of an access policy are not decided: {names.reason}")
                elif kind in ("keys", "secrets", "certificates", "storage"):
                    words[kind] = names
            if isinstance(entry.object_id, Unknown):
                self._doubt(vault, f"{where}: whom an access policy names is not decided: {entry.object_id.reason}")
                continue
            if isinstance(entry.application_id, Unknown):
                reason = entry.application_id.reason
                self._doubt(vault, f"{where}: the application beside a principal is not decided: {reason}")
                continue
            tenant = entry.tenant_id if isinstance(entry.tenant_id, str) else vault.tenant_id
            application = entry.application_id if isinstance(entry.application_id, str) else None
            found.append(
                AccessPolicy(
                    tenant_id=tenant.casefold() if tenant else None,
                    object_id=entry.object_id.casefold(),
                    application_id=application.casefold() if application else None,
                    keys=words.get("keys"),
                    secrets=words.get("secrets"),
                    certificates=words.get("certificates"),
                    storage=words.get("storage"),
                )
            )
        return tuple(found) if len(self._gaps) == told else None

    def _policies(self, item: PoliciesDeclaration, by_identity: dict[str, str]) -> None:
        scope = by_identity.get(item.vault_identity or "")
        if scope is None and isinstance(item.vault_name, str):
            scope = self._by_name.get(item.vault_name.casefold())
        if scope is None:
            self.notes.append(f"{item.position}: access policies of a vault that is not known were left out")
            return
        vault = self._vaults[scope]
        reason = item.entries.reason if isinstance(item.entries, Unknown) else item.deployed_if
        if isinstance(item.entries, Unknown) or reason is not None:
            self._doubt(vault, f"{item.position}: the access policies are not decided: {reason}")
            self._vaults[scope] = replace(vault, access_policies=None)
            return
        entries = self._entries(vault, item.entries, str(item.position))
        if entries is None or (vault.access_policies is None and item.mode != "replace"):
            self._vaults[scope] = replace(vault, access_policies=None)
            return
        named = {(entry.object_id, entry.application_id) for entry in entries}
        before = () if item.mode == "replace" else (vault.access_policies or ())
        if item.mode == "remove":
            kept = tuple(entry for entry in before if (entry.object_id, entry.application_id) not in named)
            self._vaults[scope] = replace(vault, access_policies=kept)
        else:  # `add` merges into an entry of the same principal; listing it beside the old one has the same effect
            self._vaults[scope] = replace(vault, access_policies=(*before, *entries))

    def _grant(self, item: RoleAssignmentDeclaration, number: int, by_identity: dict[str, str]) -> None:
        scope = self._scope_of(item, by_identity)
        role = item.role if isinstance(item.role, Unknown) else _role_guid(item.role)
        decides = (scope, role, item.principal_id, item.condition)
        missing = next((value.reason for value in decides if isinstance(value, Unknown)), item.deployed_if)
        if missing is not None:
            text = f"{item.position}: a role assignment is not decided: {missing}"
            if isinstance(scope, str):
                self._gaps.append(Gap("role_assignments", scope, text))
            else:  # it may stand at, or above, any vault that is deployed with it
                self.notes.append(text)
                self._gaps += [Gap("role_assignments", self._vaults[at].id, text) for at in by_identity.values()]
            return
        if isinstance(scope, str) and isinstance(role, str) and isinstance(item.principal_id, str):
            kind = item.principal_type if isinstance(item.principal_type, str) else None
            condition = item.condition if isinstance(item.condition, str) else None
            self._assignments.append(
                RoleAssignment(
                    id=f"{scope}/providers/Microsoft.Authorization/roleAssignments/declared-{item.position.line}-{number}",
                    scope=scope,
                    role=role,
                    principal_id=item.principal_id.casefold(),
                    principal_type=kind,
                    condition=condition,
                )
            )

    def _scope_of(self, item: RoleAssignmentDeclaration, by_identity: dict[str, str]) -> str | Unknown:
        identity = item.scope_identity
        if identity is not None:
            for known, scope in by_identity.items():
                if identity == known:
                    return scope
        return scopes.fold(item.scope) if isinstance(item.scope, str) else item.scope

    def _doubt(self, vault: Vault, reason: str) -> None:
        self._gaps.append(Gap("vaults", vault.id, reason))


def _role_guid(role: str) -> str | Unknown:
    """The GUID of a role that is named by GUID or by the name of a built-in role."""
    if _GUID.fullmatch(role.casefold()):
        return role.casefold()
    for name, definition in builtin_roles().items():
        if definition.role_name.casefold() == role.strip().casefold():
            return name
    return Unknown(f"{role[:80]!r} is the name of no built-in role")
