"""The lab's opinion, case by case, from the published facts (azure.md 2 and the points of the design's section 5)."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from kvaudit.lab.estate import Estate
from kvaudit.lab.estate_file import parse_estate
from kvaudit.lab.evaluator import Reason, decide_control, decide_data
from kvaudit.lab.world import World

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOME, FOREIGN = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
APP = "77777777-7777-7777-7777-000000000001"
BASE = f"""
name: cases
tenant: {{id: {HOME}, name: Contoso}}
other_tenants: [{{id: {FOREIGN}, name: Fabrikam}}]
management_groups: [{{name: root}}, {{name: child, parent: root}}, {{name: other, parent: root}}]
subscriptions: [{{id: 33333333-3333-3333-3333-000000000001, name: one, management_group: child}}]
users:
  - {{id: 44444444-4444-4444-4444-000000000001, name: ann}}
  - {{id: 44444444-4444-4444-4444-000000000002, name: bob}}
  - {{id: 44444444-4444-4444-4444-000000000003, name: stranger, tenant: {FOREIGN}}}
groups:
  - {{id: 55555555-5555-5555-5555-000000000001, name: outer, members: [middle]}}
  - {{id: 55555555-5555-5555-5555-000000000002, name: middle, members: [inner]}}
  - {{id: 55555555-5555-5555-5555-000000000003, name: inner, members: [ann, outer, job]}}
service_principals: [{{id: 66666666-6666-6666-6666-000000000001, name: job, app_id: {APP}}}]
roles:
  - name: no-get
    permissions: [{{data_actions: ["Microsoft.KeyVault/vaults/secrets/*"], not_data_actions: [Microsoft.KeyVault/vaults/secrets/getSecret/action]}}]
  - name: two-blocks
    permissions:
      - {{data_actions: ["Microsoft.KeyVault/vaults/secrets/*"], not_data_actions: ["Microsoft.KeyVault/vaults/secrets/*"]}}
      - {{data_actions: [microsoft.keyvault/VAULTS/secrets/getsecret/ACTION]}}
  - {{name: any-data, permissions: [{{data_actions: ["*"]}}]}}
  - {{name: read-any, permissions: [{{data_actions: ["*/read"]}}]}}
  - {{name: any-action, permissions: [{{actions: ["*"]}}]}}
  - {{name: below-vaults, permissions: [{{actions: ["Microsoft.KeyVault/vaults/*/read"]}}]}}
  - {{name: bounded, permissions: [{{data_actions: ["Microsoft.KeyVault/vaults/secrets/*"], condition: "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-other'"}}]}}
vaults:
  - {{name: kv-rbac, subscription: one, group: rg1, rbac: true, secrets: [db, DB-2]}}
  - {{name: kv-ten, subscription: one, group: rg10, rbac: true}}
  - {{name: kv-joint, subscription: one, group: rg1, rbac: true, tenant: {FOREIGN}}}
"""
GET = ("ann", "secrets/get", "kv-rbac", None)


@cache
def _parsed(extra: str) -> Estate:
    return parse_estate((BASE + extra).encode(), "case")


def world_of(extra: str) -> World:
    return World(_parsed(extra), clock=lambda: NOW)


def principal_of(world: World, name: str) -> str:
    for store in (world.estate.users, world.estate.groups, world.estate.service_principals):
        for key, raw in store.items():
            if raw["displayName"] == name:
                return key
    raise LookupError(name)


def ask(world: World, who: str, word: str, vault: str, item: str | None, application: str | None = None) -> Any:
    raw = world.vault_named(vault)
    assert raw is not None
    caller = world.caller_for(principal_of(world, who), audience="https://vault.azure.net", application=application)
    return decide_data(world, caller, word, raw, item)


def grants(*rows: str) -> str:
    return "assignments:\n" + "".join(f"  - {{{row}}}\n" for row in rows)


USER = "role: Key Vault Secrets User, principal: ann"
CASES: list[tuple[str, str, tuple[str, str, str, str | None], bool]] = [
    ("nothing gives nothing", "", GET, False),
    ("at the vault", grants(USER + ", scope: 'vault:kv-rbac'"), GET, True),
    ("at the group", grants(USER + ", scope: 'group:one/rg1'"), GET, True),
    ("at the subscription", grants(USER + ", scope: 'subscription:one'"), GET, True),
    ("at its management group", grants(USER + ", scope: 'management-group:child'"), GET, True),
    ("at the group above that", grants(USER + ", scope: 'management-group:root'"), GET, True),
    ("at the root", grants(USER + ", scope: /"), GET, True),
    ("at a management group beside", grants(USER + ", scope: 'management-group:other'"), GET, False),
    (
        "rg1 is no part of rg10",
        grants(USER + ", scope: 'group:one/rg1'"),
        ("ann", "secrets/get", "kv-ten", None),
        False,
    ),
    (
        "scopes are compared without case",
        grants(USER + ", scope: '/SUBSCRIPTIONS/33333333-3333-3333-3333-000000000001/RESOURCEGROUPS/RG1'"),
        GET,
        True,
    ),
    ("somebody else", grants(USER + ", scope: /"), ("bob", "secrets/get", "kv-rbac", None), False),
    ("through three groups in a cycle", grants("role: any-data, principal: outer, scope: /"), GET, True),
    (
        "a workload through groups",
        grants("role: any-data, principal: outer, scope: /"),
        ("job", "keys/sign", "kv-rbac", None),
        True,
    ),
    ("Owner has no data access", grants("role: Owner, principal: ann, scope: /"), GET, False),
    ("actions * are no data actions", grants("role: any-action, principal: ann, scope: /"), GET, False),
    ("data actions * are", grants("role: any-data, principal: ann, scope: /"), GET, True),
    ("subtraction within a block", grants("role: no-get, principal: ann, scope: /"), GET, False),
    (
        "and only of what is named",
        grants("role: no-get, principal: ann, scope: /"),
        ("ann", "secrets/list", "kv-rbac", None),
        True,
    ),
    (
        "another role gives it back",
        grants("role: no-get, principal: ann, scope: /", USER + ", scope: /"),
        GET,
        True,
    ),
    ("another block gives it back, in any case", grants("role: two-blocks, principal: ann, scope: /"), GET, True),
    (
        "but only that",
        grants("role: two-blocks, principal: ann, scope: /"),
        ("ann", "secrets/list", "kv-rbac", None),
        False,
    ),
    (
        "* spans slashes",
        grants("role: read-any, principal: ann, scope: /"),
        ("ann", "keys/getrotationpolicy", "kv-rbac", None),
        True,
    ),
    ("*/read is not getSecret", grants("role: read-any, principal: ann, scope: /"), GET, False),
    (
        "one object: its own read",
        grants(USER + ", scope: 'secret:kv-rbac/db'"),
        ("ann", "secrets/get", "kv-rbac", "DB"),
        True,
    ),
    ("one object: not the vault", grants(USER + ", scope: 'secret:kv-rbac/db'"), GET, False),
    (
        "one object: not its neighbour",
        grants(USER + ", scope: 'secret:kv-rbac/db'"),
        ("ann", "secrets/get", "kv-rbac", "db-2"),
        False,
    ),
    (
        "one object: never a list",
        grants(USER + ", scope: 'secret:kv-rbac/db'"),
        ("ann", "secrets/list", "kv-rbac", "db"),
        False,
    ),
    (
        "one object: no writes here",
        grants("role: Key Vault Administrator, principal: ann, scope: 'secret:kv-rbac/db'"),
        ("ann", "secrets/set", "kv-rbac", "db"),
        False,
    ),
    (
        "the vault covers its objects",
        grants("role: Key Vault Administrator, principal: ann, scope: 'vault:kv-rbac'"),
        ("ann", "secrets/set", "kv-rbac", "db"),
        True,
    ),
    (
        "assignments on a vault of another tenant are worthless",
        grants(USER + ", scope: 'vault:kv-joint'"),
        ("ann", "secrets/get", "kv-joint", None),
        False,
    ),
    ("a condition inside the role", grants("role: bounded, principal: ann, scope: /"), GET, False),
]


@pytest.mark.parametrize(
    ("extra", "question", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_roles(extra: str, question: tuple[str, str, str, str | None], expected: bool) -> None:
    assert ask(world_of(extra), *question).allowed is expected


NAME_IS_DB = (
    "role: Key Vault Administrator, principal: ann, scope: 'vault:kv-rbac', "
    "condition: \"((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/*'})) OR "
    "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'db'))\""
)


@pytest.mark.parametrize(
    ("word", "item", "expected"),
    [
        ("secrets/get", "db", True),
        ("secrets/get", "db-2", False),
        ("secrets/get", None, False),  # nobody named a secret
        ("secrets/list", None, False),  # a name condition on readMetadata breaks the list
        ("secrets/set", "db", False),  # set knows @Request only
        ("keys/sign", None, True),  # not targeted
    ],
)
def test_a_condition_on_secret_names(word: str, item: str | None, expected: bool) -> None:
    decision = ask(world_of(grants(NAME_IS_DB)), "ann", word, "kv-rbac", item)
    assert decision.allowed is expected
    assert decision.reason is (Reason.ALLOWED if expected else Reason.CONDITION)


def deny(**fields: str) -> str:
    row = {
        "name": "d",
        "scope": "'group:one/rg1'",
        "principals": "[everyone]",
        "permissions": "[{data_actions: [Microsoft.KeyVault/vaults/secrets/*]}]",
    } | fields
    return grants("role: any-data, principal: ann, scope: /", "role: any-data, principal: bob, scope: /") + (
        "denies: [{" + ", ".join(f"{key}: {value}" for key, value in row.items()) + "}]\n"
    )


@pytest.mark.parametrize(
    ("extra", "word", "expected"),
    [
        (deny(), "secrets/get", False),
        (deny(), "keys/sign", True),
        (deny(effect="audit"), "secrets/get", True),
        (deny(effect="enforced"), "secrets/get", False),
        (deny(principals="[bob]"), "secrets/get", True),
        (deny(principals="[outer]"), "secrets/get", False),
        (deny(exclude="[ann]"), "secrets/get", True),
        (deny(exclude="[outer]"), "secrets/get", True),
        (deny(exclude="[bob]"), "secrets/get", False),
        (deny(scope="'group:one/rg10'"), "secrets/get", True),
        (deny(only_this_scope="true"), "secrets/get", True),
        (deny(only_this_scope="true", scope="'vault:kv-rbac'"), "secrets/get", False),
        (deny(permissions="[{actions: ['*']}]"), "secrets/get", True),
        (deny(condition="'nobody can read this ]['"), "secrets/get", False),
        (deny(condition="\"@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-ten'\""), "secrets/get", True),
    ],
)
def test_deny_assignments(extra: str, word: str, expected: bool) -> None:
    decision = ask(world_of(extra), "ann", word, "kv-rbac", None)
    assert decision.allowed is expected
    assert (decision.deny is None) is expected


def policy_vault(policies: str, rbac: str = "") -> str:
    """The base with one more vault, on access policies."""
    return f"  - {{name: kv-policy, subscription: one, group: rg1{rbac}, policies: [{policies}]}}\n"


ANN_GET = "{principal: ann, secrets: [Get]}"


@pytest.mark.parametrize(
    ("extra", "question", "expected"),
    [
        (policy_vault(ANN_GET), ("ann", "secrets/get"), True),
        (policy_vault(ANN_GET, ", rbac: false"), ("ann", "secrets/get"), True),
        (policy_vault(ANN_GET, ", rbac: null"), ("ann", "secrets/get"), True),
        (policy_vault(ANN_GET, ", rbac: true"), ("ann", "secrets/get"), False),
        (policy_vault(ANN_GET), ("ann", "secrets/list"), False),
        (policy_vault(ANN_GET), ("bob", "secrets/get"), False),
        (policy_vault("{principal: outer, secrets: [get]}"), ("ann", "secrets/get"), True),
        (policy_vault("{principal: ann, secrets: [ALL]}"), ("ann", "secrets/restore"), True),
        (policy_vault("{principal: ann, secrets: [all]}"), ("ann", "secrets/purge"), False),
        (policy_vault("{principal: ann, secrets: [all, purge]}"), ("ann", "secrets/purge"), True),
        (policy_vault("{principal: ann, secrets: [set]}"), ("ann", "secrets/update"), True),
        (policy_vault("{principal: ann, certificates: [manageissuers]}"), ("ann", "certificates/getissuers"), True),
        (policy_vault("{principal: ann, certificates: [manageissuers]}"), ("ann", "certificates/setissuers"), False),
        (policy_vault(f"{{principal: ann, tenant: {FOREIGN}, secrets: [get]}}"), ("ann", "secrets/get"), False),
        (policy_vault("") + grants(USER + ", scope: /"), ("ann", "secrets/get"), False),
        (policy_vault(ANN_GET) + deny(), ("ann", "secrets/get"), True),  # denies are Azure RBAC's
    ],
)
def test_access_policies(extra: str, question: tuple[str, str], expected: bool) -> None:
    assert ask(world_of(extra), *question, "kv-policy", None).allowed is expected


@pytest.mark.parametrize(
    ("application", "expected"), [(None, False), (APP, True), ("77777777-7777-7777-7777-000000000009", False)]
)
def test_an_entry_with_an_application_counts_for_that_application_acting_for_that_user(
    application: str | None, expected: bool
) -> None:
    world = world_of(policy_vault(f"{{principal: ann, application: {APP}, secrets: [get]}}"))
    assert ask(world, "ann", "secrets/get", "kv-policy", None, application).allowed is expected


def test_tokens_of_another_tenant_than_the_vaults_are_refused() -> None:
    world = world_of(policy_vault("{principal: stranger, secrets: [get]}"))
    assert ask(world, "stranger", "secrets/get", "kv-policy", None).reason is Reason.WRONG_TENANT
    assert ask(world, "ann", "secrets/get", "kv-joint", None).reason is Reason.WRONG_TENANT


ELIGIBLE = f"eligible: [{{{USER}, scope: /}}]\n"
ACTIVE = f"active: [{{{USER}, scope: /, start: 2026-11-24T08:00:00Z, end: 2026-11-24T16:00:00Z}}]\n"


@pytest.mark.parametrize(
    ("extra", "hours", "expected"),
    [(ELIGIBLE, 0, False), (ACTIVE, 0, True), (ACTIVE, 3.9, True), (ACTIVE, 4, False), (ACTIVE, -5, False)],
)
def test_eligible_is_no_access_and_active_ends(extra: str, hours: float, expected: bool) -> None:
    world = world_of(extra)
    world.advance(timedelta(hours=hours))
    assert ask(world, *GET).allowed is expected


@pytest.mark.parametrize(
    ("role", "action", "scope", "expected"),
    [
        ("Owner", "Microsoft.KeyVault/vaults/write", "vault:kv-rbac", True),
        ("Reader", "Microsoft.KeyVault/vaults/write", "vault:kv-rbac", False),
        ("Reader", "Microsoft.KeyVault/vaults/secrets/read", "vault:kv-rbac", True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", "vault:kv-rbac", False),
        # Key Vault Reader holds vaults/*/read only, and reads the vault: `/*/` covers `/` (azure.md 2.1, inferred).
        ("below-vaults", "Microsoft.KeyVault/vaults/read", "vault:kv-rbac", True),
        ("below-vaults", "Microsoft.KeyVault/vaultsother/read", "vault:kv-rbac", False),
    ],
)
def test_the_control_plane(role: str, action: str, scope: str, expected: bool) -> None:
    world = world_of(grants(f"role: {role}, principal: ann, scope: /"))
    caller = world.caller_for(principal_of(world, "ann"))
    vault = world.vault_named(scope.partition(":")[2])
    assert vault is not None
    assert decide_control(world, caller, action, vault["id"]).allowed is expected


ADMINISTRATOR, USER_ROLE = "00482a5a-887f-4fb3-b363-3b7fe8e74483", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


@pytest.mark.parametrize(("role", "expected"), [(ADMINISTRATOR, True), (USER_ROLE, False), (None, False)])
def test_a_constrained_administrator_assigns_what_its_condition_admits(role: str | None, expected: bool) -> None:
    """Key Vault Data Access Administrator may give Key Vault Administrator, never Owner, and nothing unnamed."""
    world = world_of(grants("role: Key Vault Data Access Administrator, principal: ann, scope: /"))
    caller = world.caller_for(principal_of(world, "ann"))
    attributes = {"@request[microsoft.authorization/roleassignments:roledefinitionid]": role} if role else {}
    vault = world.vault_named("kv-rbac")
    assert vault is not None
    action = "Microsoft.Authorization/roleAssignments/write"
    assert decide_control(world, caller, action, vault["id"], attributes).allowed is expected


def test_an_eligible_member_has_nothing_until_the_membership_is_activated() -> None:
    text = (
        BASE
        + """
assignments: [{role: Key Vault Secrets User, principal: outer, scope: "vault:kv-rbac"}]
"""
    )
    world = World(parse_estate(text.encode(), "cases.yaml"), clock=lambda: NOW)
    bob, middle = "44444444-4444-4444-4444-000000000002", "55555555-5555-5555-5555-000000000002"
    vault = world.vault_named("kv-rbac")
    assert vault is not None
    held = {"id": "1", "groupId": middle, "principalId": bob, "accessId": "member"}
    world.estate.group_eligibility_schedule_instances["1"] = held

    def reads() -> bool:
        return decide_data(world, world.caller_for(bob), "secrets/get", vault).allowed

    assert not reads()
    # An owner may add members; being one gives no membership.
    world.estate.group_assignment_schedule_instances["2"] = held | {"id": "2", "accessId": "owner"}
    assert not reads()
    times = {"startDateTime": "2026-11-24T12:00:00Z", "endDateTime": "2026-11-24T20:00:00Z"}
    world.estate.group_assignment_schedule_instances["1"] = held | times
    assert reads()
    signed_in = world.caller_for(bob)
    world.advance(timedelta(hours=8))
    assert not reads()
    # Groups are in the token: what was activated when it was issued stays in it.
    assert decide_data(world, signed_in, "secrets/get", vault).allowed
