"""Estate files: every mistake at once with its place, samples that load, verbatim payloads, and no crash on anything."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.lab import EstateFileError, generate, load_estate
from kvaudit.lab.estate import Estate, fold
from kvaudit.lab.estate_file import parse_estate

HEAD = "tenant: {id: 11111111-1111-1111-1111-111111111111, name: Contoso}\n"
SAMPLES = ("contoso", "hostile")


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(EstateFileError) as caught:
        parse_estate(text.encode(), "e.yaml")
    return caught.value.mistakes


@pytest.mark.parametrize("sample", SAMPLES)
def test_samples_load(sample: str) -> None:
    estate = load_estate(sample)
    assert len(estate.role_definitions) >= 928
    assert "auditor" in estate.identities
    values = [
        version.value
        for kinds in estate.objects.values()
        for stored in kinds["secrets"].values()
        for version in stored.versions
    ]
    assert values
    assert all(value and value.startswith("kvaudit-planted-") for value in values)


def test_contoso_holds_every_kind_that_the_demo_tells_of() -> None:
    estate = load_estate("contoso")
    assert len(estate.subscriptions) >= 4
    assert len(estate.management_groups) >= 3
    assert len(estate.vaults) >= 25
    models = {json.dumps(raw["properties"].get("enableRbacAuthorization", "absent")) for raw in estate.vaults.values()}
    assert models == {"true", "false", "null", '"absent"'}
    policies = [entry for raw in estate.vaults.values() for entry in raw["properties"]["accessPolicies"]]
    assert any("applicationId" in entry for entry in policies)
    assert any(entry["objectId"] in estate.applications for entry in policies)
    assert any(estate.directory_object(entry["objectId"]) is None for entry in policies)
    assert {raw["properties"]["tenantId"] for raw in estate.vaults.values()} == set(estate.tenants)
    assert estate.deleted_vaults
    assert estate.hidden_members
    assert estate.role_eligibility_schedule_instances
    assert estate.role_assignment_schedule_instances
    effects = {raw["properties"]["denyAssignmentEffect"] for raw in estate.deny_assignments.values()}
    assert effects == {"enforced", "audit"}
    assert any("condition" in raw["properties"] for raw in estate.role_assignments.values())
    assert any("/secrets/" in raw["properties"]["scope"] for raw in estate.role_assignments.values())


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = (
        "tenant: {id: 1, name: x}\n"
        "subscriptions: [{id: 33333333-3333-3333-3333-000000000001, name: one, management_group: none}]\n"
        "vaults: [1, {name: kv-a, subscription: oen, group: rg}, {name: kv-b}]\n"
        "vualts: []\n"
        "users: {}\n"
        "users: []\n"
        "assignments: [{role: Readr, principal: Bob, scope: x}, {role: Reader, principal: Bob, scope: /, rolle: soon}]\n"
    )
    assert mistakes(text) == (
        "e.yaml:1:10 id is 1; it has to be a GUID such as 11111111-1111-1111-1111-000000000001",
        "e.yaml:2:71 there is no management group 'none'",
        "e.yaml:3:10 1 stands where a vault should; it has to be a mapping",
        "e.yaml:3:26 there is no subscription 'oen'; did you mean 'one'?",
        "e.yaml:3:57 a vault lacks subscription, group",
        "e.yaml:4:1 the estate has no 'vualts'; did you mean 'vaults'?",
        "e.yaml:5:1 users is a mapping; it has to be a list",
        "e.yaml:6:1 the key 'users' stands here a second time (first in line 5)",
        "e.yaml:7:16 there is no role 'Readr'; did you mean 'reader'?",
        "e.yaml:7:29 there is no principal 'Bob'",
        "e.yaml:7:45 'x' is no scope; write /, management-group:N, subscription:N, group:SUB/N, vault:N or secret:VAULT/N",
        "e.yaml:7:71 there is no principal 'Bob'",
        "e.yaml:7:97 an assignment has no 'rolle'; did you mean 'role'?",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "e.yaml:1:1 the file is empty"),
        ("- 1", "e.yaml:1:1 an estate is a mapping"),
        ("a: [", "e.yaml:2:1 did not find"),
        ("a: 'open", "e.yaml:1:9 found unexpected end"),
        ("\x00", "e.yaml:1:1 this is not YAML"),
        ("[" * 1_000_000, "e.yaml:1:101 the file nests too deeply"),
        ("a: &a [*a]", "e.yaml:1:4 the aliases of the file expand too far"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
            "the aliases of the file expand too far",
        ),
        ("x" * (33 * 1024 * 1024), "e.yaml:1:1 the file has"),
        (HEAD + "roles: [{name: r, permissions: [{actions: read}]}]", "e.yaml:2:34 actions is 'read'; it has to be a list of texts"),
        (HEAD + "denies: [{name: d, scope: /, permissions: [], effect: maybe}]", "effect is 'maybe'; it has to be one of enforced, audit"),
        (HEAD + "arm: [{name: x}]", "e.yaml:2:7 a payload under arm: needs the id"),
        (HEAD + "arm: [{value: [{id: /x/y}, 3]}]", "item 2 of value: it is no mapping"),
        (
            HEAD + "arm: [{id: /a, type: Microsoft.Authorization/roleAssignments, properties: {scope: /}}]",
            "needs properties.principalId, properties.roleDefinitionId",
        ),
        (HEAD + "graph: [{id: x}]", "e.yaml:2:9 a payload under graph: needs id and @odata.type"),
        (
            HEAD + 'graph: [{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#oauth2PermissionGrants", value: [{id: x}]}]',
            "item 1 of value: a payload under graph: oAuth2PermissionGrant needs clientId, resourceId",
        ),
        (HEAD + 'graph: [{id: x, "@odata.type": "#microsoft.graph.unifiedRoleAssignment", principalId: p, roleDefinitionId: r, endDateTime: soon}]', "endDateTime is no time"),
        (HEAD + "arm: [{id: /subscriptions/s/providers/Microsoft.ManagedServices/registrationAssignments/a, properties: {}}]", "needs properties.registrationDefinitionId"),
        (HEAD + "group_eligible: [{group: team, principal: ann}]", "e.yaml:2:19 there is no principal 'team'"),
        (HEAD + "group_active: [{group: team}]", "e.yaml:2:16 an active membership lacks principal"),
        (HEAD + "directory_roles: [{role: Global Admin, principal: ann}]", "e.yaml:2:20 there is no directory role 'Global Admin'; did you mean 'global administrator'?"),
        (HEAD + "resources: [{name: vm, type: machine, subscription: one, group: g}]", "e.yaml:2:24 type is 'machine'; it has to be a resource type such as Microsoft.Compute/virtualMachines"),
        (HEAD + "identities: [{name: ci, subscription: one, group: g}]", "e.yaml:2:14 an identity lacks principal"),
        (HEAD + "delegations: [{name: d, scope: /, tenant: Fabricam, authorizations: []}]", "e.yaml:2:35 there is no tenant 'Fabricam'"),
        (HEAD + "delegations: [{name: d, scope: /, tenant: Contoso, authorizations: []}]", "e.yaml:2:25 a subscription or a resource group is delegated, nothing else"),
        (HEAD + "locks: [{name: l, scope: /, level: Sometimes}]", "e.yaml:2:29 level is 'Sometimes'; it has to be one of CanNotDelete, ReadOnly"),
        (HEAD + "applications: [{id: 88888888-8888-8888-8888-000000000001, name: a, app_id: 77777777-7777-7777-7777-000000000001, federated_credentials: [{name: main}]}]", "a federated credential lacks issuer, subject"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place(text: str, told: str) -> None:
    assert told in mistakes(text)[0]


def test_scalars_follow_yaml_1_2() -> None:
    estate = parse_estate(
        (HEAD + "subscriptions: [{id: 33333333-3333-3333-3333-000000000001, name: no}]\n").encode(), "e"
    )
    assert next(iter(estate.subscriptions.values()))["displayName"] == "no"


def test_json_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "estate.json"
    file.write_text(
        json.dumps({"tenant": {"id": "11111111-1111-1111-1111-111111111111", "name": "Contoso"}}, indent="\t")
    )
    assert load_estate(file).home_tenant == "11111111-1111-1111-1111-111111111111"


def test_no_such_file_or_sample() -> None:
    with pytest.raises(FileNotFoundError):
        load_estate("no-such-sample")


def test_payloads_are_served_verbatim() -> None:
    """What was exported comes back as it was: lists, unknown keys and spellings included."""
    subscription = "33333333-3333-3333-3333-00000000000A"
    vault = {
        "id": f"/subscriptions/{subscription}/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/KV-Old",
        "name": "KV-Old",
        "type": "Microsoft.KeyVault/vaults",
        "unknown": [1, None],
        "properties": {"vaultUri": "https://kv-old.vault.azure.net"},
    }
    assignment = {
        "id": "/providers/Microsoft.Authorization/roleAssignments/a1",
        "properties": {"scope": "/", "principalId": "P", "roleDefinitionId": "/x/y", "condition": None},
    }
    secret = {"id": vault["id"] + "/secrets/One", "name": "One", "properties": {"attributes": {"exp": 5}}}  # type: ignore[operator]
    row = {
        "id": f"/subscriptions/{subscription}",
        "type": "/subscriptions",
        "name": subscription,
        "properties": {"parent": {"id": "/providers/Microsoft.Management/managementGroups/MG"}},
    }
    group = {
        "id": "/providers/Microsoft.Management/managementGroups/MG",
        "type": "Microsoft.Management/managementGroups",
        "name": "MG",
    }
    team = {"@odata.type": "#microsoft.graph.group", "id": "G", "members": [{"id": "P"}]}
    document = {
        "tenant": {"id": "11111111-1111-1111-1111-111111111111", "name": "Contoso"},
        "arm": [{"value": [vault, assignment], "nextLink": None}, secret, group, row],
        "graph": [{"value": [team]}],
    }
    estate = parse_estate(json.dumps(document).encode(), "e")
    assert estate.vaults == {fold(str(vault["id"])): vault}
    assert list(estate.role_assignments.values()) == [assignment]
    assert estate.objects[fold(str(vault["id"]))]["secrets"]["one"].current.expires == 5
    assert estate.subscription_parent == {subscription.casefold(): "mg"}
    assert estate.members == {"g": ["p"]}
    assert set(estate.subscriptions) == {subscription.casefold()}


def test_exported_lists_say_by_their_context_what_they_hold() -> None:
    base = "https://graph.microsoft.com/v1.0/$metadata#"
    identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci"
    vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"
    assignment = {"id": "a", "principalId": "P", "resourceId": "R", "appRoleId": "r"}
    instance = {"id": "i", "groupId": "G", "principalId": "P", "accessId": "member", "endDateTime": None}
    graph = [
        {"@odata.context": base + "users(id,displayName)", "value": [{"id": "U"}]},
        {"@odata.context": base + "servicePrincipals('R')/appRoleAssignedTo", "value": [assignment]},
        {"@odata.context": base + "applications('A')/federatedIdentityCredentials", "value": [{"id": "f"}]},
        {
            "@odata.context": base + "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
            "value": [instance],
        },
        {"@odata.type": "#microsoft.graph.application", "id": "B", "owners": [{"id": "U"}]},
    ]
    lock = {"id": f"{vault}/providers/Microsoft.Authorization/locks/l", "type": "Microsoft.Authorization/locks"}
    setting = {"id": f"{vault}/providers/Microsoft.Insights/diagnosticSettings/d", "name": "d"}
    arm = [
        {"id": f"{identity}/federatedIdentityCredentials/main", "name": "main"},
        {"id": "/subscriptions/S/providers/Microsoft.Security/pricings/KeyVaults", "name": "KeyVaults"},
        {"value": [lock, setting]},
    ]
    document = {"tenant": {"id": "11111111-1111-1111-1111-111111111111", "name": "Contoso"}, "arm": arm, "graph": graph}
    estate = parse_estate(json.dumps(document).encode(), "e")
    assert set(estate.users) == {"u"}
    assert estate.app_role_assignments == {"a": assignment}
    assert estate.federated_credentials == {"a": [{"id": "f"}]}
    assert estate.group_eligibility_schedule_instances == {"i": instance}
    assert estate.owners == {"b": ["u"]}
    assert estate.identity_federated_credentials == {fold(identity): [arm[0]]}
    assert estate.pricings == {"s": [arm[1]]}
    assert list(estate.locks.values()) == [lock]
    assert estate.diagnostic_settings == {fold(vault): [setting]}


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += _spots(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _spots(item, (*path, index))
    return found


SMALL = yaml.safe_load(
    HEAD
    + """
paging: {size: 3, empty_pages: true}
management_groups: [{name: root}]
subscriptions: [{id: 33333333-3333-3333-3333-000000000001, name: one, management_group: root}]
users: [{id: 44444444-4444-4444-4444-000000000001, name: ann, guest: true}]
groups: [{id: 55555555-5555-5555-5555-000000000001, name: team, members: [ann], owners: [ann]}]
service_principals: [{id: 66666666-6666-6666-6666-000000000001, name: job, app_id: 77777777-7777-7777-7777-000000000001, secret: s, graph: [a]}]
deleted_principals: [{id: 44444444-4444-4444-4444-000000000002, name: gone}]
roles: [{name: r, assignable_scopes: [/], permissions: [{actions: ["*"]}]}]
vaults: [{name: kv, subscription: one, group: rg, tags: {a: b}, policies: [{principal: ann, secrets: [get]}], secrets: [s, {name: t, expires: 5}], keys: [k], certificates: [c]}]
assignments: [{role: r, principal: team, scope: "vault:kv"}]
eligible: [{role: r, principal: ann, scope: "secret:kv/s"}]
active: [{role: r, principal: ann, scope: "group:one/rg", end: "2036-01-01T00:00:00Z"}]
denies: [{name: d, scope: "subscription:one", principals: [everyone], permissions: [{actions: ["*"]}]}]
arm: [{id: /subscriptions/s/resourceGroups/g/providers/A.B/c/d, type: A.B/c}, {value: [{id: /providers/Microsoft.Management/managementGroups/x, properties: {parent: {id: /y}}}]}]
graph: [{id: g, "@odata.type": "#microsoft.graph.group", members: [{id: x}]}, {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#roleManagement/directory/roleAssignments", value: [{id: r, principalId: p, roleDefinitionId: d}]}]
applications: [{id: 88888888-8888-8888-8888-000000000001, name: reg, app_id: 77777777-7777-7777-7777-000000000001, owners: [ann], federated_credentials: [{name: main, issuer: i, subject: s}]}]
group_eligible: [{group: team, principal: ann, access: owner, end: "2036-01-01T00:00:00Z"}]
group_active: [{group: team, principal: ann}]
directory_roles: [{role: Global Administrator, principal: ann, eligible: true}, {role: 99999999-9999-9999-9999-000000000001, principal: ann}]
consents: [{client: job, resource: job, principal: ann, scopes: [user_impersonation]}]
identities: [{name: ci, principal: job, subscription: one, group: rg, federated_credentials: [{name: main, issuer: i, subject: s}]}]
resources: [{name: vm, type: Microsoft.Compute/virtualMachines, subscription: one, group: rg, system_identity: job, user_identities: [ci], properties: {a: {b: [1]}}}]
delegations: [{name: offer, scope: "group:one/rg", tenant: Contoso, authorizations: [{principal: ann, role: Reader, delegated_roles: [Reader], eligible: true}]}]
locks: [{name: keep, scope: "resource:vm", level: ReadOnly}]
"""
)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.dictionaries(st.text(max_size=3), st.integers()))),
    st.dictionaries(
        st.sampled_from(["id", "name", "value", "x"]),
        st.one_of(st.none(), st.text(max_size=3), st.lists(st.integers())),
    ),
)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from(_spots(SMALL)), JUNK, st.booleans()), min_size=1, max_size=3))
def test_a_file_is_an_estate_or_a_list_of_mistakes(changes: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    """Whatever stands where: no other exception, and every mistake has a place."""
    document = json.loads(json.dumps(SMALL))
    for path, junk, delete in changes:
        target = document
        try:
            for step in path[:-1]:
                target = target[step]
            if delete:
                del target[path[-1]]
            else:
                target[path[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue
    made: Estate | tuple[str, ...]
    try:
        made = parse_estate(json.dumps(document).encode(), "e")
    except EstateFileError as problem:
        made = problem.mistakes
    assert isinstance(made, Estate) or (made and all(mistake.startswith("e:") for mistake in made))


def test_a_seed_makes_one_estate() -> None:
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


def test_generated_estates_hold_every_kind_of_identity_record_and_name_what_is_there() -> None:
    estates = [generate(seed) for seed in range(1, 9)]
    for kind in (
        "owners",
        "applications",
        "federated_credentials",
        "identity_federated_credentials",
        "group_eligibility_schedule_instances",
        "group_assignment_schedule_instances",
        "directory_role_assignments",
        "directory_role_eligibility_schedule_instances",
        "app_role_assignments",
        "oauth2_permission_grants",
        "delegations",
        "locks",
    ):
        assert any(getattr(estate, kind) for estate in estates), kind
    for estate in estates:
        held = {*estate.users, *estate.groups, *estate.service_principals, *estate.applications}
        for raw in estate.group_assignment_schedule_instances.values():
            assert {raw["groupId"], raw["principalId"]} <= held
        assert {*estate.owners, *(owner for owners in estate.owners.values() for owner in owners)} <= held
        for raw in estate.other_resources.values():
            attached = (raw.get("identity") or {}).get("userAssignedIdentities") or {}
            assert {fold(key) for key in attached} <= set(estate.other_resources)
    assert any("identity" in raw for estate in estates for raw in estate.other_resources.values())
