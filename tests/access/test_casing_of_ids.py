"""Azure sends one ID in many spellings of its letters: none of them changes a route.

Raw records are written and loaded as a collection's are, so what a parser, the loader or an evaluator forgets to fold shows.
"""

import random
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.access.escalation import EscalationRoute
from kvaudit.access.evaluator import Access
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

WHEN = "2026-11-24T06:00:00Z"
TENANT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
SUBSCRIPTION = "/subscriptions/1111aaaa-1111-1111-1111-111111111111"
TOP = f"/providers/Microsoft.Management/managementGroups/{TENANT}"
MIDDLE = "/providers/Microsoft.Management/managementGroups/mg-middle"
GROUP, MACHINES = f"{SUBSCRIPTION}/resourceGroups/rg-vaults", f"{SUBSCRIPTION}/resourceGroups/rg-machines"
MODERN, LEGACY = (f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-{name}" for name in ("modern", "legacy"))
MACHINE = f"{MACHINES}/providers/Microsoft.Compute/virtualMachines/vm-1"
IDENTITY = f"{MACHINES}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1"
SITE = f"{MACHINES}/providers/Microsoft.Web/sites/site-1"
PLACES = ("/", TOP, MIDDLE, SUBSCRIPTION, GROUP, MACHINES, MODERN, LEGACY, MACHINE, IDENTITY)


def guid(text: str) -> str:
    return "-".join(text * count for count in (4, 2, 2, 2, 6))


ANNA, BEN, OPS, TEAM, ROBOT, APP = (guid(item) for item in ("a1", "b2", "e5", "f6", "ab", "d4"))
WHO = {ANNA: "User", BEN: "User", OPS: "Group", TEAM: "Group", ROBOT: "ServicePrincipal", APP: "ServicePrincipal"}
APP_ID, REGISTRATION = guid("cd"), guid("ef")
KEY_VAULT = "Microsoft.KeyVault/vaults/"
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    guid("ca"): (("Microsoft.Authorization/roleDefinitions/write",), (), (SUBSCRIPTION,)),
    guid("cb"): (("Microsoft.KeyVault/vaults/read",), (f"{KEY_VAULT}secrets/getSecret/action",), (GROUP, MACHINES)),
    guid("cc"): (("Microsoft.KeyVault/vaults/deploy/action",), (), (SUBSCRIPTION,)),
    guid("da"): (("Microsoft.Compute/virtualMachines/*", "Microsoft.Resources/deployments/*"), (), (SUBSCRIPTION,)),
    guid("db"): (("*/resourceGroups/*", "Microsoft.ManagedIdentity/*/assign/action"), (), (SUBSCRIPTION,)),
}
BUILT_IN = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Data Access Administrator": "8b54135c-b56d-4d72-a534-26097cfdc8d8",
}
ASSIGNS = "@Request[Microsoft.Authorization/roleAssignments:%s] ForAnyOfAnyValues:GuidEquals{%s}"
CONDITIONS = (
    None,
    None,
    ASSIGNS % ("RoleDefinitionId", BUILT_IN["Key Vault Secrets User"]),
    ASSIGNS % ("PrincipalId", ANNA),
)


def definition(guid_of_role: str) -> str:
    return f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid_of_role}"


def assigned(number: int, role: str, who: str, at: str, condition: str | None) -> dict[str, Any]:
    name = f"99999999-9999-9999-9999-{number:012x}"
    above = "" if at == "/" else at
    return {
        "id": f"{above}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "properties": {
            "scope": at,
            "roleDefinitionId": definition(role),
            "principalId": who,
            "principalType": WHO[who],
            "condition": condition,
            "memberType": "Direct",
            "status": "Provisioned",
        },
    }


def denied(number: int, who: str, spared: str | None, at: str, action: str) -> dict[str, Any]:
    name = f"77777777-7777-7777-7777-{number:012x}"
    permission = {"actions": [action], "notActions": [], "dataActions": [], "notDataActions": []}
    return {
        "id": f"{at}/providers/Microsoft.Authorization/denyAssignments/{name}",
        "name": name,
        "properties": {
            "denyAssignmentName": "closed",
            "scope": at,
            "permissions": [permission],
            "principals": [{"id": who, "type": WHO.get(who, "SystemDefined")}],
            "excludePrincipals": [{"id": spared, "type": WHO[spared]}] if spared else [],
            "doNotApplyToChildScopes": False,
            "isSystemProtected": False,
            "denyAssignmentEffect": "enforced",
        },
    }


def described(who: str) -> dict[str, Any]:
    kind = WHO[who][0].lower() + WHO[who][1:]
    more = {"appId": APP_ID if who == APP else guid("ba")} if kind == "servicePrincipal" else {}
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": who, "displayName": who[:2], **more}


def vault(at: str, policies: list[dict[str, Any]]) -> dict[str, Any]:
    settings_of = {"enableRbacAuthorization": at == MODERN, "enabledForTemplateDeployment": True}
    return {
        "id": at,
        "name": at.rsplit("/", 1)[-1],
        "location": "westeurope",
        "properties": {"tenantId": TENANT, "accessPolicies": policies, "enabledForDeployment": True, **settings_of},
    }


def role(name: str) -> dict[str, Any]:
    actions, data, scopes = ROLES[name]
    permission = {"actions": actions, "notActions": [], "dataActions": data, "notDataActions": []}
    properties = {"roleName": name[:2], "type": "CustomRole", "assignableScopes": scopes, "permissions": [permission]}
    return {"id": definition(name), "name": name, "properties": properties}


def policy(who: str) -> dict[str, Any]:
    return {"tenantId": TENANT, "objectId": who, "permissions": {"keys": [], "secrets": ["get"], "certificates": []}}


FIXED: dict[str, dict[str, list[Any]]] = {
    "subscriptions": {
        "subscriptions": [
            {"subscriptionId": SUBSCRIPTION[15:], "tenantId": TENANT, "displayName": "s", "state": "Enabled"}
        ]
    },
    "management_groups": {
        TOP: [
            {"id": TOP, "properties": {"displayName": "top", "parent": None}},
            {"id": MIDDLE, "properties": {"displayName": "middle", "parent": {"id": TOP}}},
            {"id": SUBSCRIPTION, "properties": {"displayName": "s", "parent": {"id": MIDDLE}}},
        ]
    },
    "vaults": {SUBSCRIPTION: [vault(MODERN, []), vault(LEGACY, [policy(ROBOT), policy(TEAM)])]},
    "role_definitions": {SUBSCRIPTION: [role(name) for name in ROLES]},
    "role_assignment_schedule_instances": {SUBSCRIPTION: []},
    "principals": {"directoryObjects/getByIds/1": [described(who) for who in WHO]},
    "service_principals": {"servicePrincipals": [described(ROBOT), described(APP)]},
    "service_principal_groups": {f"servicePrincipals/{ROBOT}": [described(OPS)], f"servicePrincipals/{APP}": []},
    "group_members": {f"groups/{OPS}": [described(BEN), described(TEAM)], f"groups/{TEAM}": [described(ANNA)]},
    "resource_identities": {
        SUBSCRIPTION: [
            {
                "id": at,
                "name": at.rsplit("/", 1)[-1],
                "type": kind,
                "identity": {"type": "SystemAssigned", "principalId": ROBOT, "tenantId": TENANT},
            }
            for at, kind in ((MACHINE, "Microsoft.Compute/virtualMachines"), (SITE, "Microsoft.Web/sites"))
        ]
    },
    "user_assigned_identities": {
        SUBSCRIPTION: [
            {
                "id": IDENTITY,
                "name": "id-1",
                "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
                "properties": {"principalId": APP, "clientId": APP_ID, "tenantId": TENANT},
            }
        ]
    },
    "applications": {"applications": [{"id": REGISTRATION, "appId": APP_ID, "displayName": "app"}]},
}

OPTIONAL: tuple[tuple[str, str, Any], ...] = (
    ("group_owners", f"groups/{TEAM}", described(BEN)),
    ("application_owners", f"applications/{REGISTRATION}", described(ANNA)),
    (
        "group_eligibility_schedule_instances",
        f"groups/{OPS}",
        {"id": "pim-1", "groupId": OPS, "principalId": ANNA, "accessId": "member", "memberType": "direct"},
    ),
    (
        "directory_role_assignments",
        "directory",
        {
            "id": "role-1",
            "roleDefinitionId": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
            "principalId": OPS,
            "directoryScopeId": "/",
            "roleDefinition": {
                "templateId": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
                "displayName": "Groups Administrator",
            },
        },
    ),
    (
        "directory_role_assignments",
        "directory",
        {
            "id": "role-2",
            "roleDefinitionId": "158c047a-c907-4556-b7ef-446551a6b5f7",
            "principalId": BEN,
            "directoryScopeId": f"/{REGISTRATION}",
            "roleDefinition": {
                "templateId": "158c047a-c907-4556-b7ef-446551a6b5f7",
                "displayName": "Cloud Application",
            },
        },
    ),
    (
        "federated_credentials",
        IDENTITY,
        {
            "id": f"{IDENTITY}/federatedIdentityCredentials/f",
            "name": "f",
            "properties": {"issuer": "i", "subject": "s"},
        },
    ),
    (
        "delegations",
        SUBSCRIPTION,
        {
            "id": f"{SUBSCRIPTION}/providers/Microsoft.ManagedServices/registrationAssignments/{guid('9a')}",
            "properties": {
                "registrationDefinition": {
                    "properties": {
                        "managedByTenantId": guid("bb"),
                        "authorizations": [
                            {"principalId": guid("be"), "roleDefinitionId": BUILT_IN["Contributor"]},
                            {
                                "principalId": guid("bf"),
                                "roleDefinitionId": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
                                "delegatedRoleDefinitionIds": [BUILT_IN["Key Vault Secrets User"]],
                            },
                        ],
                    }
                }
            },
        },
    ),
)

names = st.sampled_from((*ROLES, *BUILT_IN.values()))
who = st.sampled_from(tuple(WHO))
holdings = st.lists(st.tuples(names, who, st.sampled_from(PLACES), st.sampled_from(CONDITIONS)), min_size=1, max_size=6)
closings = st.lists(
    st.tuples(
        st.sampled_from((*WHO, "00000000-0000-0000-0000-000000000000")),
        st.one_of(st.none(), who),
        st.sampled_from(PLACES[1:8]),
        st.sampled_from(("*", "Microsoft.KeyVault/*", "Microsoft.Authorization/*/write")),
    ),
    max_size=2,
)


def records(held: list[Any], waiting: list[Any], taken: list[Any], more: set[int]) -> dict[str, dict[str, list[Any]]]:
    found = {kind: {scope: list(items) for scope, items in by_scope.items()} for kind, by_scope in FIXED.items()}
    found["role_assignments"] = {SUBSCRIPTION: [assigned(number, *item) for number, item in enumerate(held)]}
    eligible = [assigned(number, *item) for number, item in enumerate(waiting, 100)]
    for item in eligible:
        item["id"] = item["id"].replace("roleAssignments", "roleEligibilityScheduleInstances")
    found["role_eligibility_schedule_instances"] = {SUBSCRIPTION: eligible}
    found["deny_assignments"] = {SUBSCRIPTION: [denied(number, *item) for number, item in enumerate(taken)]}
    for number in sorted(more):
        kind, scope, item = OPTIONAL[number]
        found.setdefault(kind, {}).setdefault(scope, []).append(item)
    return found


estates = st.builds(
    records, holdings, st.lists(holdings.map(lambda items: items[0]), max_size=2), closings, st.sets(st.integers(0, 6))
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def respelled(value: Any, chance: random.Random) -> Any:
    """The same with other letters in every ID, scope, action and type of a resource, each time it is written."""
    match value:
        case dict():
            return {key: item if key == "@odata.type" else respelled(item, chance) for key, item in value.items()}
        case list() | tuple():
            return [respelled(item, chance) for item in value]
        case str() if value.startswith(("/", "Microsoft.", "*/", "groups/", "applications/", "servicePrincipals/")):
            return spelled(value, chance)
        case str():
            return _ID.sub(lambda found: spelled(found[0], chance), value)
    return value


def spelled(text: str, chance: random.Random) -> str:
    return "".join(letter.upper() if chance.random() < 0.5 else letter.lower() for letter in text)


def loaded(what: Mapping[str, Mapping[str, list[Any]]], tenant: str) -> Access:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot"
        writer = SnapshotWriter.create(path, header={"tool_version": "0", "tenant_id": tenant, "started_at": WHEN})
        for kind, by_scope in what.items():
            for scope, items in by_scope.items():
                writer.add_page(kind, scope, items)
                writer.finish_listing(kind, scope, items=len(items), pages=1, asked_at=WHEN)
        writer.close(complete=True, ended_at=WHEN)
        return Access(load_estate(open_snapshot(path)))


def told(item: EscalationRoute) -> tuple[Any, ...]:
    cited = [(via.id.casefold(), via.kind, (via.scope or "").casefold(), via.groups, via.answer) for via in item.via]
    words = tuple(word.casefold() for word in (*item.actions, item.steps, *item.notes))
    return (item.id, item.principal_id, item.principal_type, item.answer, item.confidence, item.mask, *words, cited)


@settings(max_examples=60)
@given(estates, st.integers(0, 2**32))
def test_no_spelling_of_an_id_changes_a_route(what: dict[str, dict[str, list[Any]]], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    plain = loaded(what, TENANT)
    other = {
        kind: {respelled(scope, chance): respelled(items, chance) for scope, items in by_scope.items()}
        for kind, by_scope in what.items()
    }
    loud = loaded(other, spelled(TENANT, chance))
    assert not plain.estate.gaps
    assert not loud.estate.gaps
    for at in (MODERN, LEGACY):
        one, two = plain.vault(at), loud.vault(spelled(at, chance))
        for expand in (False, True):
            quiet, shouting = plain.routes(one, expand_groups=expand), loud.routes(two, expand_groups=expand)
            assert [told(item) for item in shouting.routes] == [told(item) for item in quiet.routes]
            assert shouting.not_assessed == quiet.not_assessed
            assert shouting.gaps == quiet.gaps == ()
        for person in WHO:
            found = [told(item) for item in loud.routes_of(spelled(person, chance), two)]
            assert found == [told(item) for item in plain.routes_of(person, one)]
