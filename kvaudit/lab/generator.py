"""Estates from a seed: small and dense ones for tests of opinions, large ones for measurements.

The same seed and size give the same estate. Every kind of record that decides on access occurs, in proportions that make
both answers common.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kvaudit.lab.estate import Estate, Identity, Raw, StoredObject, StoredVersion, fold
from kvaudit.lab.estate_file import builtin_role_definitions
from kvaudit.lab.generator_access import Draw, add_access
from kvaudit.lab.generator_identities import IdentitySize, add_identities

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER_TENANT = "22222222-2222-2222-2222-222222222222"
_ROOT = TENANT
_CREATED = 1_767_225_600
_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each an estate holds.

    Attributes:
        groups_per_subscription: resource groups.
        secrets, keys, certificates: in each vault.
        roles: custom roles.
        policies: entries that a vault's access policies have at most.
        conditioned: share of role assignments that carry a condition.
        auditor_lists: whether the identity `auditor` may list the objects of every vault at the vault itself.
        identities: how many owners, credentials, identities of resources, privileges, consents and delegations.
    """

    management_groups: int = 3
    subscriptions: int = 2
    groups_per_subscription: int = 2
    vaults: int = 6
    secrets: int = 2
    keys: int = 1
    certificates: int = 1
    users: int = 5
    groups: int = 4
    service_principals: int = 3
    roles: int = 3
    assignments: int = 20
    policies: int = 3
    denies: int = 2
    eligible: int = 2
    active: int = 3
    conditioned: float = 0.15
    auditor_lists: bool = False
    identities: IdentitySize = field(default_factory=IdentitySize)


def generate(seed: int, size: Size | None = None) -> Estate:
    """The estate of a seed.

    It holds an identity `auditor`: Reader at the tenant root group, and what reads the directory in Graph.
    """
    made = size or Size()
    draw = Draw(random.Random(seed))  # noqa: S311 - repeatable on purpose
    estate = Estate(name=f"generated-{seed}", home_tenant=TENANT, role_definitions=builtin_role_definitions())
    _tenants_and_hierarchy(estate, made, draw)
    principals = _directory(estate, made, draw)
    _vaults(estate, made, draw, principals)
    add_access(
        estate,
        draw,
        principals,
        roles=made.roles,
        assignments=made.assignments,
        denies=made.denies,
        eligible=made.eligible,
        active=made.active,
        conditioned=made.conditioned,
    )
    # A source of chance of their own: what else a seed gives does not depend on how many of these there are.
    add_identities(estate, Draw(random.Random(f"identities/{seed}")), made.identities, OTHER_TENANT)  # noqa: S311
    _auditor(estate, lists=made.auditor_lists)
    return estate


def _tenants_and_hierarchy(estate: Estate, size: Size, draw: Draw) -> None:
    for identity, name in ((TENANT, "Contoso"), (OTHER_TENANT, "Fabrikam")):
        domain = f"{name.casefold()}.example"
        estate.tenants[identity] = {
            "id": f"/tenants/{identity}",
            "tenantId": identity,
            "displayName": name,
            "defaultDomain": domain,
            "domains": [domain],
            "countryCode": "DE",
            "tenantCategory": "Home",
        }
    for number in range(size.management_groups):
        name = _ROOT if number == 0 else f"mg-{number}"
        parent = None if number == 0 else draw.one(list(estate.management_groups))
        estate.management_groups[name] = {
            "id": f"/providers/Microsoft.Management/managementGroups/{name}",
            "name": name,
            "displayName": "Tenant Root Group" if number == 0 else f"Group {number}",
            "parent": parent,
            "tenantId": TENANT,
        }
    for number in range(1, size.subscriptions + 1):
        identity = f"33333333-3333-3333-3333-{number:012}"
        estate.subscriptions[identity] = {
            "id": f"/subscriptions/{identity}",
            "subscriptionId": identity,
            "displayName": f"Subscription {number}",
            "state": "Enabled",
            "tenantId": TENANT,
            "managedByTenants": [],
            "authorizationSource": "RoleBased",
        }
        if estate.management_groups:
            estate.subscription_parent[identity] = draw.one(list(estate.management_groups))
        for group in range(1, size.groups_per_subscription + 1):
            # rg-1 and rg-10: one name is the beginning of another, and scopes end at a slash.
            path = f"/subscriptions/{identity}/resourceGroups/rg-{group if group != 2 else 10}"
            estate.resource_groups[fold(path)] = {
                "id": path,
                "name": path.rsplit("/", 1)[-1],
                "type": "Microsoft.Resources/resourceGroups",
                "location": "westeurope",
                "properties": {"provisioningState": "Succeeded"},
            }


def _directory(estate: Estate, size: Size, draw: Draw) -> list[str]:
    """Users, groups (in groups, with cycles) and service principals. Gives every id, with one that nobody has."""
    for number in range(1, size.users + 1):
        identity = f"44444444-4444-4444-4444-{number:012}"
        estate.users[identity] = {
            "id": identity,
            "displayName": f"User {number}",
            "userPrincipalName": f"user{number}@contoso.example",
            "accountEnabled": draw.chance(0.9),
            "userType": "Member",
        }
    for number in range(1, size.service_principals + 1):
        identity = f"66666666-6666-6666-6666-{number:012}"
        estate.service_principals[identity] = {
            "id": identity,
            "appId": f"77777777-7777-7777-7777-{number:012}",
            "displayName": f"Workload {number}",
            "accountEnabled": True,
            "servicePrincipalType": draw.one(("Application", "ManagedIdentity")),
            "alternativeNames": [],
            "appOwnerOrganizationId": TENANT,
        }
    leaves = [*estate.users, *estate.service_principals]
    groups = [f"55555555-5555-5555-5555-{number:012}" for number in range(1, size.groups + 1)]
    for number, identity in enumerate(groups, start=1):
        estate.groups[identity] = {
            "id": identity,
            "displayName": f"Team {number}",
            "securityEnabled": True,
            "mailEnabled": False,
            "isAssignableToRole": False,
            "groupTypes": [],
        }
        inner = [group for group in draw.some(groups, 2) if group != identity]
        estate.members[identity] = draw.some(leaves, 4) + inner
    return [*leaves, *groups, "99999999-9999-9999-9999-000000000001"]


def _vaults(estate: Estate, size: Size, draw: Draw, principals: Sequence[str]) -> None:
    groups = list(estate.resource_groups.values())
    for number in range(1, size.vaults + 1):
        group = groups[(number - 1) % len(groups)]
        name = f"kv-{number:06}-{draw.one(('prod', 'test', 'core'))}"[:_LONGEST_NAME]
        identity = f"{group['id']}/providers/Microsoft.KeyVault/vaults/{name}"
        properties: Raw = {
            "sku": {"family": "A", "name": "standard"},
            "tenantId": OTHER_TENANT if draw.chance(0.05) else TENANT,
            "accessPolicies": _policies(draw, size.policies, principals),
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "vaultUri": f"https://{name}.vault.azure.net/",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": draw.one(("Enabled", "Enabled", "Disabled")),
        }
        model = draw.one((True, True, True, False, False, None, "absent"))
        if model != "absent":
            properties["enableRbacAuthorization"] = model
        if draw.chance(0.7):
            properties["enablePurgeProtection"] = True
        estate.vaults[fold(identity)] = {
            "id": draw.spelled(identity),
            "name": name,
            "type": "Microsoft.KeyVault/vaults",
            "location": "westeurope",
            "tags": {},
            "properties": properties,
        }
        estate.objects[fold(identity)] = _objects(name, size)


_WORDS = {
    "secrets": ["get", "list", "set", "delete", "recover", "backup", "restore", "purge"],
    "keys": [
        "get",
        "list",
        "create",
        "import",
        "update",
        "delete",
        "encrypt",
        "decrypt",
        "wrapKey",
        "unwrapKey",
        "sign",
        "verify",
        "backup",
        "restore",
        "recover",
        "purge",
        "release",
        "rotate",
        "getrotationpolicy",
        "setrotationpolicy",
    ],
    "certificates": [
        "get",
        "list",
        "create",
        "import",
        "update",
        "delete",
        "recover",
        "backup",
        "restore",
        "purge",
        "managecontacts",
        "manageissuers",
        "getissuers",
        "listissuers",
        "setissuers",
        "deleteissuers",
    ],
}


def _policies(draw: Draw, most: int, principals: Sequence[str]) -> list[Raw]:
    found: list[Raw] = []
    for principal in draw.some(principals, most):
        permissions: dict[str, Any] = {}
        for kind, words in _WORDS.items():
            if draw.chance(0.6):
                chosen = ["all"] if draw.chance(0.15) else [draw.cased(word) for word in draw.some(words, 6)]
                permissions[kind] = [*chosen, "teleport"] if draw.chance(0.05) else chosen
        entry: Raw = {
            "tenantId": OTHER_TENANT if draw.chance(0.08) else TENANT,
            "objectId": principal,
            "permissions": permissions,
        }
        if draw.chance(0.1):
            entry["applicationId"] = "77777777-7777-7777-7777-000000000001"
        found.append(entry)
    return found


def _objects(vault: str, size: Size) -> dict[str, dict[str, StoredObject]]:
    made: dict[str, dict[str, StoredObject]] = {"secrets": {}, "keys": {}, "certificates": {}}
    for kind, count in (("secrets", size.secrets), ("keys", size.keys), ("certificates", size.certificates)):
        for number in range(1, count + 1):
            name = f"{kind[:-1]}-{number}"
            made[kind][name] = StoredObject(name, [_version(vault, kind, name)])
    for name in made["certificates"]:
        for kind in ("secrets", "keys"):
            made[kind][name] = StoredObject(name, [_version(vault, kind, name)], managed=True)
    return made


def _version(vault: str, kind: str, name: str) -> StoredVersion:
    digest = hashlib.sha256(f"{vault}/{kind}/{name}".encode()).hexdigest()
    version = StoredVersion(digest[:32], created=_CREATED, updated=_CREATED)
    if kind == "secrets":
        version.value = f"kvaudit-planted-{digest[32:56]}"
    else:
        version.key = {"kty": "RSA", "key_ops": ["encrypt", "decrypt", "sign", "verify"], "n": digest, "e": "AQAB"}
    if kind == "certificates":
        version.x5t = digest[:27]
    return version


_AUDITOR_READS = frozenset(
    {
        "Directory.Read.All",
        "Application.Read.All",
        "RoleManagement.Read.Directory",
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    }
)
_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
_KEY_VAULT_READER = "21090545-7ca7-4776-b22c-e363652d74d2"

_AUDITOR_READS = frozenset(
    {
        "Directory.Read.All",
        "Application.Read.All",
        "RoleManagement.Read.Directory",
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    }
)
"""What an auditor may read of the directory who is to see owners, credentials, PIM and Entra roles too."""


def _auditor(estate: Estate, *, lists: bool) -> None:
    identity, app_id = "66666666-6666-6666-6666-999999999999", "77777777-7777-7777-7777-999999999999"
    estate.service_principals[identity] = {
        "id": identity,
        "appId": app_id,
        "displayName": "auditor",
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "alternativeNames": [],
        "appOwnerOrganizationId": TENANT,
    }
    secret = "lab-only-auditor-credential"  # noqa: S105 - planted, works against the lab alone
    estate.client_secrets[app_id] = {secret}
    estate.identities["auditor"] = Identity("auditor", TENANT, identity, app_id, secret)
    estate.graph_permissions[identity] = _AUDITOR_READS
    scope = f"/providers/Microsoft.Management/managementGroups/{_ROOT}"
    for number, role in enumerate((_READER, _KEY_VAULT_READER) if lists else (_READER,), start=1):
        name = f"aaaaaaaa-aaaa-aaaa-aaaa-{number:012}"
        key = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        estate.role_assignments[fold(key)] = {
            "id": key,
            "name": name,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "scope": scope,
                "principalId": identity,
                "principalType": "ServicePrincipal",
                "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
            },
        }
    if lists:
        words = {kind: ["list"] for kind in ("secrets", "keys", "certificates")}
        for vault in estate.vaults.values():
            vault["properties"]["accessPolicies"].append(
                {"tenantId": TENANT, "objectId": identity, "permissions": words}
            )
    # Every subscription hangs below the root, or the auditor would not see it.
    for subscription in estate.subscriptions:
        estate.subscription_parent.setdefault(subscription, _ROOT)
