"""Snapshots from a seed, as large as asked: what a collection of a large tenant would have written.

The full size is that of ARCHITECTURE.md "Budgets": 100,000 vaults in 10,000 subscriptions, 2 million role assignments,
3,000 roles, 200,000 principals, 20,000 of them groups of which 100 hold 20,000 to 100,000 members, 500 deny assignments,
1 % of the assignments with a condition. A share of it shrinks everything alike but the depth of the tree; more than all of it
multiplies everything but the large groups, which stay 100 of 20,000 to 100,000 members.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvaudit.snapshot.writer import SnapshotWriter

TENANT = "11111111-1111-1111-1111-111111111111"
GROUP_PREFIX = "/providers/Microsoft.Management/managementGroups/"
WHEN = "2026-11-24T04:00:00Z"
KEY_VAULT = "Microsoft.KeyVault/vaults/"

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
EVERYONE = "00000000-0000-0000-0000-000000000000"

CONDITIONS = (
    "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringLike 'app-*'",
    "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'db-password'",
    "@Resource[Microsoft.KeyVault/vaults:name] StringLike 'kv-1*'",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are, and the least and the most members of a large group."""

    vaults: int
    subscriptions: int
    resource_groups: int
    management_groups: int
    assignments: int
    roles: int
    people: int
    workloads: int
    groups: int
    large_groups: int
    denies: int
    large_members: tuple[int, int]

    @classmethod
    def share(cls, part: float) -> "Size":
        """A share of the full size: 1.0 is all of it, 10 is one million vaults."""

        def of(number: int, least: int = 1) -> int:
            return max(least, round(number * part))

        people = of(150_000, 50)
        most = min(people, 150_000)  # who is in large groups; of 150,000 people that makes 20,000 to 100,000
        return cls(
            vaults=of(100_000),
            subscriptions=of(10_000),
            resource_groups=of(50_000),
            management_groups=of(200, 6),
            assignments=of(2_000_000),
            roles=of(3_000, 20),
            people=people,
            workloads=of(30_000, 10),
            groups=of(20_000, 10),
            large_groups=min(100, of(100)),
            denies=of(500),
            large_members=(most * 2 // 15, most * 2 // 3),
        )


def write_snapshot(folder: Path, size: Size, seed: int = 1) -> None:
    """Writes the snapshot of a size and a seed into a new folder."""
    tenant = Tenant(size, seed)
    writer = SnapshotWriter.create(folder, header={"tool_version": "0", "tenant_id": TENANT, "started_at": WHEN})
    for kind, scope, items in tenant.listings():
        writer.add_page(kind, scope, items)
        writer.finish_listing(kind, scope, items=len(items), pages=1, asked_at=WHEN)
    writer.close(complete=True, ended_at=WHEN)


def guid(kind: int, number: int) -> str:
    """An ID that is obviously nobody's: its first digits tell the kind."""
    return f"{kind * 11111111:08d}-{kind * 1111:04d}-{kind * 1111:04d}-{number >> 32 & 0xFFFF:04x}-{number & 0xFFFFFFFFFFFF:012x}"


class Tenant:
    """Draws listings one after the other; the same seed draws the same."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.random = random.Random(seed)
        self.people = [guid(4, number) for number in range(size.people)]
        self.groups = [guid(5, number) for number in range(size.groups)]
        self.workloads = [guid(6, number) for number in range(size.workloads)]
        self.management = [
            TENANT,
            *(f"mg-{number}" for number in range(1, size.management_groups)),
        ]
        self.subscriptions = [guid(3, number) for number in range(size.subscriptions)]
        self.resource_groups = [
            f"/subscriptions/{self.subscriptions[number % size.subscriptions]}/resourceGroups/rg-{number}"
            for number in range(size.resource_groups)
        ]
        self.vaults = [
            f"{self.resource_groups[number % size.resource_groups]}/providers/Microsoft.KeyVault/vaults/kv-{number}"
            for number in range(size.vaults)
        ]
        self.roles = [guid(7, number) for number in range(size.roles)]
        self.number = 0

    def listings(self) -> Iterator[tuple[str, str, list[Any]]]:
        """Kind, scope and items of every listing."""
        root = GROUP_PREFIX + TENANT
        yield (
            "subscriptions",
            "subscriptions",
            [
                {
                    "subscriptionId": item,
                    "displayName": f"Subscription {number}",
                    "tenantId": TENANT,
                    "state": "Enabled",
                }
                for number, item in enumerate(self.subscriptions)
            ],
        )
        yield "management_groups", root, list(self._hierarchy())
        yield "role_definitions", "/", [self._role(number) for number in range(self.size.roles)]
        yield from self._by_subscription()
        yield "deny_assignments", "/", [self._deny(number) for number in range(self.size.denies)]
        yield from self._directory()

    def _hierarchy(self) -> Iterator[dict[str, Any]]:
        yield {
            "id": GROUP_PREFIX + TENANT,
            "properties": {"displayName": "Tenant Root Group", "details": {"parent": None}},
        }
        for number, name in enumerate(self.management[1:], start=1):
            above = self.management[(number - 1) // 3]  # at most six levels at the full size
            yield {
                "id": GROUP_PREFIX + name,
                "properties": {"displayName": name, "parent": {"id": GROUP_PREFIX + above}},
            }
        for item in self.subscriptions:
            above = self.random.choice(self.management)
            yield {"id": f"/subscriptions/{item}", "properties": {"parent": {"id": GROUP_PREFIX + above}}}

    def _role(self, number: int) -> dict[str, Any]:
        """A third holds data actions, one in twenty writes vaults or role assignments."""
        kinds = ("secrets", "keys", "certificates")
        data: list[str] = []
        if number % 3 == 0:
            data = self.random.choice(
                (
                    [f"{KEY_VAULT}secrets/getSecret/action", f"{KEY_VAULT}secrets/readMetadata/action"],
                    [f"{KEY_VAULT}{self.random.choice(kinds)}/*"],
                    [f"{KEY_VAULT}*/read"],
                )
            )
        actions = ["Microsoft.KeyVault/vaults/read", f"Microsoft.Compute/virtualMachines/{number}/read"]
        if number % 20 == 1:
            actions.append(
                self.random.choice(
                    ("Microsoft.KeyVault/*", "Microsoft.KeyVault/vaults/write", "Microsoft.Authorization/*")
                )
            )
        return {
            "id": f"/providers/Microsoft.Authorization/roleDefinitions/{self.roles[number]}",
            "properties": {
                "roleName": f"Custom role {number}",
                "type": "CustomRole",
                "assignableScopes": ["/"],
                "permissions": [{"actions": actions, "notActions": [], "dataActions": data, "notDataActions": []}],
            },
        }

    def _by_subscription(self) -> Iterator[tuple[str, str, list[Any]]]:
        below: dict[str, list[str]] = {item: [] for item in self.subscriptions}
        for scope in (*self.resource_groups, *self.vaults):
            below[scope.split("/")[2]].append(scope)
        count = self.size.assignments
        shares = {"subscription": 0.4, "resource group": 0.4, "vault": 0.199}
        each = {
            "subscription": count * shares["subscription"] / self.size.subscriptions,
            "resource group": count * shares["resource group"] / self.size.resource_groups,
            "vault": count * shares["vault"] / self.size.vaults,
        }
        above = [
            self._assignment(GROUP_PREFIX + self.random.choice(self.management)) for _ in range(round(count * 0.001))
        ]
        yield "role_assignments", GROUP_PREFIX + TENANT, above
        for subscription in self.subscriptions:
            scope = f"/subscriptions/{subscription}"
            places = [(scope, each["subscription"])]
            places += [
                (item, each["vault" if "/vaults/" in item else "resource group"]) for item in below[subscription]
            ]
            found = [self._assignment(place) for place, mean in places for _ in range(self._about(mean))]
            yield "role_assignments", scope, found
            yield "vaults", scope, [self._vault(item) for item in below[subscription] if "/vaults/" in item]
            yield "deny_assignments", scope, []
            yield "role_eligibility_schedule_instances", scope, []
            yield "role_assignment_schedule_instances", scope, []

    def _about(self, mean: float) -> int:
        whole = int(mean)
        return whole + (self.random.random() < mean - whole)

    def _who(self) -> tuple[str, str]:
        draw = self.random.random()
        if draw < 0.02:
            return self.groups[self.random.randrange(self.size.large_groups)], "Group"
        if draw < 0.45:
            return self.random.choice(self.groups), "Group"
        if draw < 0.75:
            return self.random.choice(self.workloads), "ServicePrincipal"
        return self.random.choice(self.people), "User"

    def _assignment(self, scope: str) -> dict[str, Any]:
        self.number += 1
        principal, kind = self._who()
        draw = self.random.random()
        builtin = "/providers/Microsoft.Authorization/roleDefinitions/"
        conditioned = self.random.random() < 0.01
        if conditioned:  # such conditions are on names of vaults and secrets, so on roles that read them
            role = SECRETS_USER
        elif draw < 0.12:
            role = self.random.choice((SECRETS_USER, SECRETS_USER, ADMINISTRATOR, OWNER, CONTRIBUTOR))
        elif draw < 0.3:
            role = READER
        else:
            role = self.random.choice(self.roles)
        name = guid(8, self.number)
        return {
            "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
            "name": name,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "scope": scope,
                "roleDefinitionId": builtin + role,
                "principalId": principal,
                "principalType": kind,
                "condition": self.random.choice(CONDITIONS) if conditioned else None,
                "conditionVersion": "2.0" if conditioned else None,
                "createdOn": WHEN,
                "updatedOn": WHEN,
                "createdBy": "",
                "updatedBy": "",
                "delegatedManagedIdentityResourceId": None,
                "description": None,
            },
        }

    def _vault(self, identifier: str) -> dict[str, Any]:
        rbac = self.random.random() < 0.7
        entries = [] if rbac else [self._policy() for _ in range(self.random.randrange(6))]
        return {
            "id": identifier,
            "name": identifier.rsplit("/", 1)[-1],
            "location": "westeurope",
            "properties": {
                "tenantId": TENANT,
                "sku": {"name": "standard", "family": "A"},
                "enableRbacAuthorization": rbac,
                "accessPolicies": entries,
                "enableSoftDelete": True,
                "enablePurgeProtection": True if self.random.random() < 0.6 else None,
                "publicNetworkAccess": self.random.choice(("Enabled", "Disabled")),
                "vaultUri": f"https://{identifier.rsplit('/', 1)[-1]}.vault.azure.net/",
            },
        }

    def _policy(self) -> dict[str, Any]:
        words = self.random.choice((["get", "list"], ["get"], ["all"], ["get", "list", "set", "purge"]))
        permissions = {"keys": [], "secrets": words, "certificates": []}
        return {"tenantId": TENANT, "objectId": self._who()[0], "permissions": permissions}

    def _deny(self, number: int) -> dict[str, Any]:
        """As deployment stacks and managed applications make them: at resource groups and subscriptions mostly."""
        draw = self.random.random()
        if draw < 0.7:
            scope = self.random.choice(self.resource_groups)
        elif draw < 0.9:
            scope = f"/subscriptions/{self.random.choice(self.subscriptions)}"
        elif draw < 0.99:
            scope = self.random.choice(self.vaults)
        else:
            scope = GROUP_PREFIX + self.random.choice(self.management[1:])
        everyone = draw < 0.9
        named = (
            [{"id": EVERYONE, "type": "SystemDefined"}]
            if everyone
            else [{"id": self.random.choice(self.people), "type": "User"}]
        )
        spared = [{"id": self.random.choice(self.workloads), "type": "ServicePrincipal"}] if everyone else []
        name = guid(9, number)
        return {
            "id": f"{scope}/providers/Microsoft.Authorization/denyAssignments/{name}",
            "name": name,
            "properties": {
                "denyAssignmentName": f"Deny {number}",
                "scope": scope,
                "permissions": [
                    {
                        "actions": ["Microsoft.KeyVault/vaults/delete", "Microsoft.KeyVault/vaults/write"],
                        "notActions": [],
                        "dataActions": ["Microsoft.KeyVault/vaults/secrets/setSecret/action"] if number % 2 else [],
                        "notDataActions": [],
                    }
                ],
                "principals": named,
                "excludePrincipals": spared,
                "doNotApplyToChildScopes": False,
                "isSystemProtected": True,
                "denyAssignmentEffect": "enforced",
            },
        }

    def _directory(self) -> Iterator[tuple[str, str, list[Any]]]:
        everybody = [
            *(
                {
                    "@odata.type": "#microsoft.graph.user",
                    "id": item,
                    "displayName": f"User {number}",
                    "userType": "Member",
                    "accountEnabled": True,
                    "userPrincipalName": f"user{number}@contoso.example",
                }
                for number, item in enumerate(self.people)
            ),
            *(
                {"@odata.type": "#microsoft.graph.group", "id": item, "displayName": f"Group {number}"}
                for number, item in enumerate(self.groups)
            ),
        ]
        for start in range(0, len(everybody), 1000):
            yield "principals", f"directoryObjects/getByIds/{start}", everybody[start : start + 1000]
        yield (
            "service_principals",
            "servicePrincipals",
            [
                {
                    "id": item,
                    "displayName": f"Workload {number}",
                    "servicePrincipalType": "Application",
                    "accountEnabled": True,
                }
                for number, item in enumerate(self.workloads)
            ],
        )
        for item in self.workloads:
            found = [self.random.choice(self.groups)] if self.random.random() < 0.5 else []
            yield (
                "service_principal_groups",
                f"servicePrincipals/{item}",
                [{"@odata.type": "#microsoft.graph.group", "id": group} for group in found],
            )
        for number, item in enumerate(self.groups):
            yield "group_members", f"groups/{item}", list(self._members(number))

    def _members(self, number: int) -> Iterator[dict[str, Any]]:
        if number < self.size.large_groups:
            chosen = self.random.sample(range(self.size.people), self.random.randint(*self.size.large_members))
        else:
            chosen = [self.random.randrange(self.size.people) for _ in range(self.random.randrange(2, 60))]
            chosen = list(dict.fromkeys(chosen))
        for index in chosen:
            yield {"@odata.type": "#microsoft.graph.user", "id": self.people[index]}
        if number >= self.size.large_groups and self.random.random() < 0.36:
            nested = self.random.choice(self.groups)
            if nested != self.groups[number]:
                yield {"@odata.type": "#microsoft.graph.group", "id": nested}
