"""A whole collection of the sample estate: nothing lost, nothing invented, every listing accounted for."""

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from collecting import AT_THE_VAULTS, NO_OBJECTS, collected, kinds_of, names_of, raw_of, records_of

from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.collectors.catalogue import COLLECTORS
from kvaudit.collectors.collector import Plane
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault
from kvaudit.model import scopes
from kvaudit.model.estate import Estate
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import Snapshot

PER_SUBSCRIPTION = (
    "vaults",
    "deleted_vaults",
    "role_assignments",
    "role_definitions",
    "deny_assignments",
    "role_eligibility_schedule_instances",
    "role_assignment_schedule_instances",
    "resource_identities",
    "user_assigned_identities",
    "delegations",
    "locks",
    "defender_plans",
    "resource_groups",
    "classic_administrators",
    "managed_hsms",
)
MERGERS = "/subscriptions/33333333-3333-3333-3333-000000000005"


@pytest.fixture(scope="module")
def whole(contoso: Lab, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return collected(contoso, tmp_path_factory.mktemp("whole") / "s", CollectRequest())


@pytest.fixture(scope="module")
def estate(whole: Snapshot) -> Estate:
    return load_estate(whole)


def test_every_listing_of_every_subscription_was_read_or_is_a_gap(contoso: Lab, whole: Snapshot) -> None:
    read = {(listing.kind, scopes.fold(listing.scope)) for listing in whole.listings()}
    gaps = {(gap.kind, scopes.fold(gap.scope)) for gap in whole.gaps()}
    for subscription in contoso.world.estate.subscriptions:
        for kind in PER_SUBSCRIPTION:
            key = (kind, f"/subscriptions/{subscription}")
            assert (key in read) != (key in gaps), key


def test_what_the_unreadable_subscription_hides_is_told_with_what_would_open_it(whole: Snapshot) -> None:
    gaps = {gap.kind: gap for gap in whole.gaps() if gap.scope == MERGERS}
    assert set(gaps) == set(PER_SUBSCRIPTION)
    # The list of resources is not refused: it leaves out what the caller may not read, and must not look whole.
    assert gaps["resource_identities"].code == "NotSeen"
    for kind, gap in gaps.items():
        assert (gap.status, gap.retryable) == (403, False)
        assert gap.code == "AuthorizationFailed" or kind == "resource_identities"
        assert gap.permission is not None
        assert gap.permission.endswith("/read")
        assert gap.asked_at is not None


def test_every_vault_that_can_be_read_is_there_as_azure_sent_it(contoso: Lab, whole: Snapshot) -> None:
    expected = {key for key in contoso.world.estate.vaults if not key.startswith(MERGERS)}
    sent = {scopes.fold(item["id"]): item for item in raw_of(whole, "vaults")}
    assert set(sent) == expected
    for key, item in sent.items():
        assert item["properties"]["tenantId"] == contoso.world.estate.vaults[key]["properties"]["tenantId"]


def test_inherited_assignments_and_those_below_are_there(contoso: Lab, whole: Snapshot) -> None:
    levels = {scopes.level_of(scopes.fold(item["properties"]["scope"])) for item in raw_of(whole, "role_assignments")}
    assert levels >= {"management group", "subscription", "resource group", "resource", "object"}
    found = {scopes.fold(item["id"]) for item in raw_of(whole, "role_assignments")}
    hidden = {key for key in contoso.world.estate.role_assignments if key.startswith(MERGERS)}
    elsewhere = {
        key
        for key in contoso.world.estate.role_assignments
        if key.startswith("/providers/microsoft.management/managementgroups/")
    }
    assert set(contoso.world.estate.role_assignments) - hidden - elsewhere <= found


def test_the_directory_is_read_for_every_principal_that_a_record_names(contoso: Lab, estate: Estate) -> None:
    directory = contoso.world.estate
    for assignment in estate.role_assignments:
        known = directory.users.keys() | directory.groups.keys() | directory.service_principals.keys()
        state = estate.principal(assignment.principal_id).state.value
        if assignment.principal_id in known:
            assert state == "found", assignment
        elif assignment.principal_type != "ForeignGroup":
            assert state in {"not_found", "deleted_restorable"}, assignment


def test_groups_in_groups_are_read_to_the_bottom_and_cycles_end(estate: Estate) -> None:
    edges = {(edge.group, edge.member) for edge in estate.memberships}
    oncall, rotation = "55555555-5555-5555-5555-000000000002", "55555555-5555-5555-5555-000000000003"
    assert (oncall, rotation) in edges
    assert (rotation, oncall) in edges


def test_service_principals_are_asked_the_other_way_round(contoso: Lab, estate: Estate) -> None:
    asked = estate.member_of
    home = {
        key
        for key in contoso.world.estate.service_principals
        if contoso.world.estate.object_tenant.get(key, contoso.world.estate.home_tenant)
        == contoso.world.estate.home_tenant
    }
    assert set(asked) == home
    batch = "66666666-6666-6666-6666-000000000004"
    assert "55555555-5555-5555-5555-000000000001" in asked[batch], "through payments-rotation and payments-oncall"


def test_policy_entries_of_another_tenant_are_never_called_orphans(estate: Estate) -> None:
    foreign = [
        policy.object_id
        for vault in estate.vaults
        for policy in vault.access_policies or ()
        if policy.tenant_id != estate.tenant_id
    ]
    assert foreign
    assert {estate.principal(item).state.value for item in foreign} <= {"foreign", "unresolved", "found"}


def test_the_manifest_says_who_asked_and_of_which_tenant(contoso: Lab, whole: Snapshot) -> None:
    assert whole.tenant_id == contoso.world.estate.home_tenant
    assert whole.manifest["asked_by"]["app_id"] == contoso.environment("auditor")["AZURE_CLIENT_ID"]


def test_objects_through_resource_manager_are_names_and_attributes_alone(contoso: Lab, whole: Snapshot) -> None:
    assert {"secrets", "keys"} <= kinds_of(whole)
    assert "certificates" not in kinds_of(whole)
    assert {"db-password", "stripe-api-key", "old-token"} <= names_of(whole, "secrets")


def test_objects_at_the_vaults_come_with_certificates_and_refusals_are_gaps(contoso: Lab, tmp_path: Path) -> None:
    snapshot = collected(contoso, tmp_path / "s", AT_THE_VAULTS, identity="payments-api")
    read = {(listing.kind, listing.scope) for listing in snapshot.listings() if listing.kind == "secrets"}
    gaps = {(gap.kind, gap.scope) for gap in snapshot.gaps() if gap.kind == "secrets"}
    vaults = {item["id"] for item in raw_of(snapshot, "vaults")}
    assert {scope for _, scope in read | gaps} == vaults
    assert not read & gaps


def test_no_request_could_answer_a_value_and_no_file_holds_one(tmp_path: Path) -> None:
    with start("contoso") as lab:
        for number, request in enumerate((CollectRequest(), AT_THE_VAULTS)):
            collected(lab, tmp_path / str(number), request, identity="owner")
        for entry in lab.journal:
            assert entry.method == "GET" or entry.path.endswith(("/token", "/getByIds", "/$batch")), entry
            if "vault.azure.net" in entry.host:
                assert re.fullmatch(r"/(secrets|keys|certificates)|/healthstatus", entry.path), entry
        tokens = [entry.caller for entry in lab.journal if entry.caller]
        assert tokens
    for file in tmp_path.rglob("*"):
        content = _unpacked(file) if file.is_file() else b""
        assert b"kvaudit-planted" not in content, file
        assert b"lab-only-" not in content, file
        assert b"eyJ" not in content, file


def _unpacked(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


def test_the_requests_for_contoso_are_few(contoso: Lab, tmp_path: Path) -> None:
    before = len(contoso.journal)
    snapshot = collected(contoso, tmp_path / "s", NO_OBJECTS)
    asked = Counter(entry.host for entry in contoso.journal[before:])
    pages = sum(listing.pages for listing in snapshot.listings() if listing.scope.startswith("/"))
    refused = sum(gap.scope.startswith("/") for gap in snapshot.gaps())
    assert asked["management.azure.com"] == pages + refused, "one request a page or refusal, and none beside"
    assert asked["graph.microsoft.com"] <= 14
    assert asked["login.microsoftonline.com"] == 2


def test_without_graph_each_kind_is_told_once(contoso: Lab, tmp_path: Path) -> None:
    snapshot = collected(contoso, tmp_path / "s", identity="auditor-without-graph")
    gaps = Counter(gap.kind for gap in snapshot.gaps() if not gap.scope.startswith("/"))
    needed = {item.kind for item in COLLECTORS if item.plane is Plane.GRAPH}
    # Nobody is looked for among the deleted, no list is asked for, and names of permissions without permissions say nothing.
    assert gaps == dict.fromkeys(needed - {"deleted_principals", "service_principals", "app_roles"}, 1)
    assert all(gap.permission for gap in snapshot.gaps())
    assert {"vaults", "role_assignments"} <= kinds_of(snapshot)


def test_progress_ends_with_everything_done(contoso: Lab, tmp_path: Path) -> None:
    last: dict[str, tuple[int, int | None]] = {}

    def watch(kind: str, done: int, total: int | None) -> None:
        assert total is None or done <= total
        last[kind] = (done, total)

    collected(contoso, tmp_path / "s", CollectRequest(), watch=watch)
    assert all(done == total for done, total in last.values()), last


LOSSES = {
    "forbidden": (
        403,
        {
            "vaults": r"3-000000000001/providers/Microsoft.KeyVault/vaults$",
            "deny_assignments": r"3-000000000001/providers/Microsoft.Authorization/denyAssignments$",
            "role_eligibility_schedule_instances": r"3-000000000002/.*/roleEligibilityScheduleInstances$",
            "management_groups": r"/managementGroups/.*/descendants$",
            "keys": r"/vaults/kv-web-prod/keys$",
        },
    ),
    "vanished": (
        404,
        {
            "role_assignments": r"3-000000000001/providers/Microsoft.Authorization/roleAssignments$",
            "role_definitions": r"3-000000000002/providers/Microsoft.Authorization/roleDefinitions$",
            "secrets": r"/vaults/kv-web-prod/secrets$",
        },
    ),
    "broken": (
        500,
        {
            "deleted_vaults": r"3-000000000001/providers/Microsoft.KeyVault/deletedVaults$",
            "role_assignment_schedule_instances": r"3-000000000001/.*/roleAssignmentScheduleInstances$",
            "service_principals": r"graph.microsoft.com/v1.0/servicePrincipals$",
        },
    ),
}
"""What goes wrong -> the status, and for each kind the one listing that it befalls."""


@pytest.mark.parametrize("loss", LOSSES)
def test_a_failed_listing_is_one_gap_and_the_other_kinds_are_as_ever(
    whole: Snapshot, tmp_path: Path, loss: str
) -> None:
    status, listings = LOSSES[loss]
    with start("contoso") as lab:
        body = {"error": {"code": "Planted", "message": "planted"}}
        lab.world.faults.extend(Fault(path=path, status=status, body=body) for path in listings.values())
        snapshot = collected(lab, tmp_path / "s", CollectRequest())
    told = [gap for gap in snapshot.gaps() if gap.code == "Planted"]
    assert sorted(gap.kind for gap in told) == sorted(listings)
    assert all((gap.status, gap.retryable) == (status, status == 500) for gap in told)
    assert {bool(gap.permission) for gap in told} == {status == 403}, "a right closes a refusal, and nothing else"
    follows = {"secrets", "keys", "diagnostic_settings"}  # of vaults and principals that were not seen
    follows |= {item.kind for item in COLLECTORS if item.plane is Plane.GRAPH}
    for kind in kinds_of(whole):
        if kind in listings or kind in follows:
            assert records_of(snapshot, kind) <= records_of(whole, kind) or kind in follows, kind
        else:
            assert records_of(snapshot, kind) == records_of(whole, kind), kind
    lost = {kind for kind in listings if records_of(snapshot, kind) != records_of(whole, kind)}
    # Of roles nothing is lost: the built-in ones come with another subscription, those that records name one by one.
    assert lost >= listings.keys() & {"vaults", "role_assignments", "secrets", "service_principals"}


def test_objects_none_asks_nothing_about_objects(contoso: Lab, tmp_path: Path) -> None:
    before = len(contoso.journal)
    snapshot = collected(contoso, tmp_path / "s", CollectRequest(objects=Objects.NONE))
    assert not kinds_of(snapshot) & {"secrets", "keys", "certificates"}
    assert not any(entry.path.endswith(("/secrets", "/keys")) for entry in contoso.journal[before:])
