"""What parsers read from the shapes that the services send (corpus README, "Shapes a parser has to bear")."""

import copy
import json
from importlib.resources import files
from typing import Any

import pytest
from sample_vault import APP, GROUP, ROLE, SUBSCRIPTION, TENANT, USER, VAULT, VAULT_ITEM
from samples import SAMPLES

from kvaudit.collectors.catalogue import COLLECTORS, by_kind, permissions_needed
from kvaudit.collectors.collector import Plane
from kvaudit.collectors.directory import batch_scope, deleted_scope, groups_scope, members_scope
from kvaudit.collectors.vault_objects import metadata_only
from kvaudit.model.authorization import DenyPrincipal
from kvaudit.model.directory import Membership
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.vaults import ObjectRef, PermissionModel, PermissionModelSource

ABSENT = object()


def parse(kind: str, **changes: Any) -> Any:
    """The sample of a kind with properties changed; `ABSENT` takes one out."""
    scope, item = SAMPLES[kind]
    item = copy.deepcopy(item)
    properties = item.get("properties", item)
    for key, value in changes.items():
        if value is ABSENT:
            properties.pop(key)
        else:
            properties[key] = value
    return by_kind()[kind].parse(item, scope)


@pytest.mark.parametrize(
    ("flag", "model", "source"),
    [
        (True, PermissionModel.AZURE_RBAC, PermissionModelSource.EXPLICIT),
        (False, PermissionModel.ACCESS_POLICIES, PermissionModelSource.EXPLICIT),
        (None, PermissionModel.ACCESS_POLICIES, PermissionModelSource.NULL),
        (ABSENT, PermissionModel.ACCESS_POLICIES, PermissionModelSource.ABSENT),
        ("true", None, None),
        ("false", None, None),
        (1, None, None),
        (0, None, None),
        ([], None, None),
        ({}, None, None),
    ],
)
def test_the_permission_model_is_said_only_by_true_false_null_or_absence(flag: Any, model: Any, source: Any) -> None:
    vault = parse("vaults", enableRbacAuthorization=flag)
    assert (vault.permission_model, vault.permission_model_source) == (model, source)
    assert (vault.id, vault.name) == (VAULT, "kv-payments"), "the vault itself is kept whatever its flag says"


@pytest.mark.parametrize("properties", [ABSENT, None, [], "x", 5])
def test_a_vault_without_properties_has_no_known_model(properties: Any) -> None:
    item = {key: value for key, value in VAULT_ITEM.items() if key != "properties"}
    if properties is not ABSENT:
        item["properties"] = properties
    vault = by_kind()["vaults"].parse(item, SUBSCRIPTION)
    assert vault.permission_model is None
    assert vault.access_policies is None
    assert (vault.location, vault.tags) == ("westeurope", {"team": "payments"})


@pytest.mark.parametrize(
    "policies",
    ["all", {}, [None], [{"permissions": {}}], [{"objectId": USER, "permissions": {"secrets": "get"}}]],
)
def test_unreadable_policies_make_the_model_unknown_and_never_empty(policies: Any) -> None:
    vault = parse("vaults", accessPolicies=policies)
    assert vault.permission_model is None


def test_a_vault_is_read_in_full() -> None:
    vault = parse("vaults")
    [policy] = vault.access_policies
    assert (policy.object_id, policy.tenant_id, policy.application_id) == (USER, TENANT, APP)
    assert policy.keys == ("wrapKey", "WRAPKEY"), "names stay as they stand"
    assert policy.secrets == ("Get", "all")
    assert policy.certificates == ()
    assert policy.storage is None, "a list that is absent is not an empty one"
    assert (vault.tenant_id, vault.sku) == (TENANT, "premium")
    assert vault.network_acls.ip_rules == ("203.0.113.0/24",)
    assert [item.status for item in vault.private_endpoint_connections] == ["Approved"]


def test_what_a_vault_leaves_out_is_none() -> None:
    for key in VAULT_ITEM["properties"]:
        vault = parse("vaults", **{key: ABSENT})
        assert vault.permission_model is not None, f"{key} may be absent"
    assert parse("vaults", accessPolicies=ABSENT).access_policies is None
    assert parse("vaults", accessPolicies=[]).access_policies == ()
    assert parse("vaults", sku="premium").sku is None
    assert parse("vaults", networkAcls=None).network_acls is None


@pytest.mark.parametrize(
    "identifier",
    [
        f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/managedHSMs/hsm",
        f"{VAULT}/secrets/s",
        f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/",
        "kv-payments",
        "",
        None,
    ],
)
def test_what_is_no_vault_is_refused(identifier: Any) -> None:
    with pytest.raises(ValueError, match="id"):
        by_kind()["vaults"].parse({**VAULT_ITEM, "id": identifier}, SUBSCRIPTION)


def test_a_vault_s_id_in_lower_case_is_the_same_place() -> None:
    lower = by_kind()["vaults"].parse({**VAULT_ITEM, "id": VAULT.lower() + "/"}, SUBSCRIPTION)
    assert lower.scope == parse("vaults").scope


def test_a_role_assignment_is_folded_and_knows_where_it_was_listed() -> None:
    record = parse("role_assignments")
    assert (record.scope, record.role, record.principal_id) == (VAULT.casefold(), ROLE, USER)
    assert record.listed_from == {SUBSCRIPTION.casefold()}
    tenant_wide = parse(
        "role_assignments", roleDefinitionId=f"/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"
    )
    assert tenant_wide.role == record.role, "with and without the subscription part it is the same role"
    assert parse("role_assignments", principalType=ABSENT).principal_type is None
    assert parse("role_assignments", scope="/").scope == "/"


@pytest.mark.parametrize("key", ["scope", "roleDefinitionId", "principalId"])
@pytest.mark.parametrize("value", [ABSENT, None, "", 5])
def test_an_assignment_that_does_not_say_who_what_or_where_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        parse("role_assignments", **{key: value})


def test_a_condition_is_never_lost() -> None:
    assert parse("role_assignments", condition="@Resource[...]").condition == "@Resource[...]"
    with pytest.raises(ValueError, match="condition"):
        parse("role_assignments", condition={"text": "@Resource[...]"})
    with pytest.raises(ValueError, match="condition"):
        parse("role_definitions", permissions=[{"actions": ["*"], "condition": True}])


def test_blocks_of_a_role_stay_apart_with_their_own_subtraction_and_condition() -> None:
    first, second = parse("role_definitions").permissions
    assert first.condition is not None
    assert second.condition is None
    assert (first.not_actions, second.not_actions) == ((), ("b",))
    assert second.data_actions == (), "old answers have no data actions"


def test_published_roles_keep_all_blocks_and_conditions() -> None:
    published = json.loads(files("kvaudit.data").joinpath("roles.json").read_bytes())["value"]
    parsed = [by_kind()["role_definitions"].parse(role, "/") for role in published]
    # Counted in the publication of 2026-08-22 (corpus README, "Role assignments and definitions").
    assert len(parsed) == 928
    assert sum(any(block.condition for block in role.permissions) for role in parsed) == 29
    assert sum(len(role.permissions) > 1 for role in parsed) == 16


@pytest.mark.parametrize("permissions", [ABSENT, None, {}, [None], [{"actions": "*"}], [{"notActions": [None]}]])
def test_permissions_that_cannot_be_read_are_refused(permissions: Any) -> None:
    for kind in ("role_definitions", "deny_assignments"):
        with pytest.raises(ValueError):  # noqa: PT011 - what is told depends on what is wrong
            parse(kind, permissions=permissions)


@pytest.mark.parametrize(
    ("sent", "effect"), [("enforced", "enforced"), ("Audit", "audit"), (None, None), (ABSENT, None), ("new", "new")]
)
def test_the_effect_of_a_deny_is_none_where_the_answer_hides_it(sent: Any, effect: str | None) -> None:
    assert parse("deny_assignments", denyAssignmentEffect=sent).effect == effect


@pytest.mark.parametrize("principals", [ABSENT, None, {}, [None], [{"type": "User"}]])
def test_a_deny_that_does_not_say_whom_it_denies_is_refused(principals: Any) -> None:
    with pytest.raises(ValueError, match=r"principals|id is missing"):
        parse("deny_assignments", principals=principals)


def test_a_deny_is_read_in_full() -> None:
    deny = parse("deny_assignments")
    assert deny.principals == (DenyPrincipal("00000000-0000-0000-0000-000000000000", "SystemDefined"),)
    assert deny.exclude_principals == (DenyPrincipal(USER, "User"),)
    assert deny.do_not_apply_to_child_scopes is True
    assert parse("deny_assignments", doNotApplyToChildScopes=ABSENT).do_not_apply_to_child_scopes is False
    with pytest.raises(ValueError, match="excludePrincipals"):
        parse("deny_assignments", excludePrincipals=[5])


def test_pim_instances() -> None:
    eligible = parse("role_eligibility_schedule_instances")
    assert (eligible.eligible, eligible.assignment_type, eligible.member_type) == (True, None, "Direct")
    active = parse("role_assignment_schedule_instances")
    assert (active.eligible, active.assignment_type) == (False, "Activated")
    assert active.origin_role_assignment_id is not None
    assert active.end == "2026-12-31T00:00:00Z"


@pytest.mark.parametrize(
    ("kind", "item", "name"),
    [
        ("secrets", {"id": f"{VAULT}/secrets/db", "properties": {"attributes": {"enabled": True}}}, "db"),
        ("secrets", {"id": "https://kv.vault.azure.net/secrets/db", "attributes": {"enabled": True}}, "db"),
        ("secrets", {"id": "https://kv.vault.azure.net:443/secrets/db/0123", "attributes": {"enabled": True}}, "db"),
        ("secrets", {"id": f"{VAULT}/secrets/secrets", "properties": {"attributes": {"enabled": True}}}, "secrets"),
        ("secrets", {"id": "https://kv.vault.azure.net/secrets/secrets", "attributes": {"enabled": True}}, "secrets"),
        ("keys", {"kid": "https://kv.vault.azure.net/keys/sign", "attributes": {"enabled": True}}, "sign"),
        ("keys", {"id": f"{VAULT}/keys/sign", "properties": {"attributes": {"enabled": True}}}, "sign"),
        ("certificates", {"id": "https://kv.vault.azure.net/certificates/tls", "attributes": {"enabled": True}}, "tls"),
    ],
)
def test_an_object_is_named_alike_by_resource_manager_and_the_vault(kind: str, item: Any, name: str) -> None:
    record = by_kind()[kind].parse(item, VAULT)
    assert record.ref == ObjectRef(kind, name)
    assert record.vault_id == VAULT.casefold()
    assert record.enabled is True


@pytest.mark.parametrize("identifier", ["https://[", "https://kv.vault.azure.net/keys/k", f"{VAULT}/secrets/", ""])
def test_what_names_no_secret_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="id"):
        by_kind()["secrets"].parse({"id": identifier}, VAULT)


@pytest.mark.parametrize(
    ("item", "node"),
    [
        (
            {"id": "/providers/Microsoft.Management/managementGroups/Root", "properties": {"displayName": "Contoso"}},
            HierarchyNode("/providers/microsoft.management/managementgroups/root", None, "Contoso"),
        ),
        (
            {
                "id": "/providers/Microsoft.Management/managementGroups/A",
                "properties": {"details": {"parent": {"id": "/providers/Microsoft.Management/managementGroups/Root"}}},
            },
            HierarchyNode(
                "/providers/microsoft.management/managementgroups/a",
                "/providers/microsoft.management/managementgroups/root",
            ),
        ),
        (
            {
                "id": "/providers/Microsoft.Management/managementGroups/A/subscriptions/S",
                "properties": {"parent": {"id": "/providers/Microsoft.Management/managementGroups/A"}},
            },
            HierarchyNode("/subscriptions/s", "/providers/microsoft.management/managementgroups/a"),
        ),
        (
            {"id": "/subscriptions/S", "properties": {"parent": None}},
            HierarchyNode("/subscriptions/s", None),
        ),
    ],
)
def test_nodes_of_the_tree(item: Any, node: HierarchyNode) -> None:
    assert by_kind()["management_groups"].parse(item, "/") == node


@pytest.mark.parametrize("identifier", ["/", "/subscriptions/", "/subscriptions/s/resourceGroups/g", "platform"])
def test_what_is_no_node_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="id"):
        by_kind()["management_groups"].parse({"id": identifier}, "/")


def test_directory_objects() -> None:
    user = parse("principals")
    assert (user.id, user.type, user.user_type) == (USER, "User", "Guest")
    app = parse("service_principals")
    assert (app.type, app.service_principal_type) == ("ServicePrincipal", "ManagedIdentity")
    assert app.alternative_names[1] == VAULT
    hidden = by_kind()["principals"].parse(
        {"@odata.type": "#microsoft.graph.group", "id": GROUP, "displayName": None}, "x"
    )
    assert (hidden.type, hidden.display_name) == ("Group", None), "what may not be read comes with nulls"
    untyped = by_kind()["principals"].parse({"id": GROUP}, "x")
    assert untyped.type is None
    role = by_kind()["principals"].parse({"@odata.type": "#microsoft.graph.directoryRole", "id": GROUP}, "x")
    assert role.type == "directoryRole", "what is no principal does not look like one"


def test_memberships_take_one_end_from_the_scope() -> None:
    assert parse("group_members") == Membership(GROUP, USER, "User")
    assert parse("service_principal_groups") == Membership(GROUP, APP, "ServicePrincipal")
    for scope in ("groups", "groups/", f"groups/{GROUP}/members", f"servicePrincipals/{GROUP}"):
        with pytest.raises(ValueError, match="scope"):
            by_kind()["group_members"].parse({"id": USER}, scope)


def test_a_batch_of_ids_has_the_same_scope_in_every_run() -> None:
    assert batch_scope([USER, GROUP]) == batch_scope([GROUP.upper(), USER])
    assert batch_scope([USER, GROUP]) != batch_scope([USER])


def test_scopes_of_the_directory() -> None:
    assert members_scope(GROUP) == f"groups/{GROUP}"
    assert groups_scope(APP) == f"servicePrincipals/{APP}"
    assert deleted_scope(USER) == f"directory/deletedItems/{USER}"


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        ({"id": "x"}, {"id": "x"}),
        ({"id": "x", "properties": {"value": "v"}}, {"id": "x", "properties": {}}),
        ({"id": "x", "attributes": "v"}, {"id": "x", "attributes": None}),
        (["v"], None),
    ],
)
def test_only_metadata_of_objects_is_kept(item: Any, kept: Any) -> None:
    assert metadata_only(item) == kept


def test_subscriptions() -> None:
    record = parse("subscriptions")
    assert record.scope == SUBSCRIPTION
    assert record.managed_by_tenants == (TENANT,)
    assert parse("subscriptions", tenantId=ABSENT, managedByTenants=ABSENT).tenant_id is None


def test_deleted_vaults() -> None:
    record = parse("deleted_vaults")
    assert record.purge_protection_enabled is True
    assert parse("deleted_vaults", vaultId=ABSENT).vault_id is None
    with pytest.raises(ValueError, match="deleted vault"):
        by_kind()["deleted_vaults"].parse({"id": VAULT}, SUBSCRIPTION)


def test_every_source_of_a_kind_reads_the_same_records() -> None:
    for collector in COLLECTORS:
        scope, item = SAMPLES[collector.kind]
        assert collector.parse(item, scope) == by_kind()[collector.kind].parse(item, scope)


def test_what_is_asked_for_is_pinned_and_read_only() -> None:
    for collector in COLLECTORS:
        assert (collector.api_version is None) == (collector.plane is Plane.GRAPH), collector.kind
        assert collector.path.startswith(("/", "{scope}")), collector.kind
        for need in collector.requires:
            reads = need.endswith(("/read", "/readMetadata/action")) or ".Read." in need
            assert reads, f"{collector.kind} asks for more than reading: {need}"


def test_permissions_are_grouped_by_plane() -> None:
    needed = permissions_needed()
    assert set(needed) == set(Plane)
    assert "Microsoft.KeyVault/vaults/read" in needed[Plane.ARM]
    assert "Directory.Read.All" in needed[Plane.GRAPH]
    assert "Microsoft.KeyVault/vaults/certificates/read" in needed[Plane.VAULT]
    assert sum(map(len, needed.values())) == len({(item.plane, need) for item in COLLECTORS for need in item.requires})
