"""Routes through somebody else's identity: read for what matters, told once where refused, finished when cut off."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from collecting import NO_OBJECTS, collected, records_of, unwatched

from kvaudit.collection.request import CollectRequest, Objects, Progress
from kvaudit.collectors.catalogue import COLLECTORS
from kvaudit.collectors.collector import Feature, Plane
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault
from kvaudit.model.estate import Estate
from kvaudit.model.identities import Ownership
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import Snapshot, open_snapshot

STORY = Path(__file__).with_name("identities.yaml")
READERS, INNER, STANDBY, ADMINS, UNRELATED = (f"55555555-5555-5555-5555-00000000000{n}" for n in range(1, 6))
ANNA, BEN, CLEO, DAN = (f"44444444-4444-4444-4444-00000000000{n}" for n in range(1, 5))
AUDITOR, _, API, JANITOR, BATCH, _, PORTAL, KEY_VAULT, GRAPH = (
    f"66666666-6666-6666-6666-00000000000{n}" for n in range(1, 10)
)
REGISTRATION, PORTAL_REGISTRATION = "88888888-8888-8888-8888-000000000003", "88888888-8888-8888-8888-000000000007"
SUBSCRIPTION = "/subscriptions/33333333-3333-3333-3333-000000000001"
IDENTITIES = f"{SUBSCRIPTION}/resourcegroups/rg-payments/providers/microsoft.managedidentity/userassignedidentities"

GROUP_KINDS = ("group_owners", "group_eligibility_schedule_instances", "group_assignment_schedule_instances")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start(STORY) as running:
        yield running


@pytest.fixture(scope="module")
def whole(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return collected(lab, tmp_path_factory.mktemp("whole") / "s", NO_OBJECTS)


@pytest.fixture(scope="module")
def estate(whole: Snapshot) -> Estate:
    return load_estate(whole)


def test_nothing_is_missing(whole: Snapshot, estate: Estate) -> None:
    assert whole.gaps() == ()
    kinds = {item.kind for item in COLLECTORS if item.feature in {Feature.IDENTITIES, Feature.SETTINGS}}
    assert kinds <= {listing.kind for listing in estate.listings}, "what there is none of is proved too"


def test_owners_of_what_matters_service_principals_among_them(estate: Estate) -> None:
    assert set(estate.ownerships) == {
        Ownership(READERS, "Group", ANNA, "User"),
        Ownership(INNER, "Group", JANITOR, "ServicePrincipal"),  # a list of owners leaves service principals out
        Ownership(API, "ServicePrincipal", DAN, "User"),
        Ownership(REGISTRATION, "Application", DAN, "User"),
    }


def test_pim_for_groups_is_followed_through_groups_that_are_eligible(estate: Estate) -> None:
    found = {(item.group, item.principal_id, item.access, item.eligible) for item in estate.group_schedule_instances}
    assert found == {
        (READERS, STANDBY, "member", True),
        (READERS, BEN, "member", False),
        (STANDBY, BEN, "owner", True),
    }
    assert all(estate.was_read("group_members", f"groups/{group}") for group in (READERS, INNER, STANDBY, ADMINS))


def test_directory_roles_and_who_holds_them_through_a_group(estate: Estate) -> None:
    found = {(item.role_name, item.principal_id, item.eligible) for item in estate.directory_roles}
    assert found == {("Global Administrator", ADMINS, False), ("Privileged Role Administrator", BEN, True)}
    assert (ADMINS, CLEO) in {(edge.group, edge.member) for edge in estate.memberships}


def test_credentials_of_applications_and_identities(estate: Estate) -> None:
    assert {(item.target, item.name) for item in estate.federated_credentials} == {
        (REGISTRATION, "github"),
        (f"{IDENTITIES}/id-batch", "aks"),
    }
    [resource] = estate.resource_identities
    assert (resource.resource_type, resource.user_assigned_principals) == (
        "microsoft.compute/virtualmachines",
        (BATCH,),
    )


def test_what_applications_may_do(estate: Estate) -> None:
    permissions = {(item.principal_id, item.value) for item in estate.application_permissions}
    assert (JANITOR, "Application.ReadWrite.All") in permissions
    assert (AUDITOR, "RoleManagement.Read.Directory") in permissions
    [consent] = estate.delegated_permissions
    assert (consent.client_id, consent.consent_type, consent.resource_id) == (PORTAL, "AllPrincipals", KEY_VAULT)


def test_what_stands_around_the_vault(estate: Estate) -> None:
    [delegation] = estate.delegations
    assert (delegation.scope, delegation.authorizations and delegation.authorizations[0].principal_name) == (
        SUBSCRIPTION,
        "Operators",
    )
    assert [item.tier for item in estate.defender_plans] == ["Standard"]
    assert [item.scope for item in estate.locks] == [f"{SUBSCRIPTION}/resourcegroups/rg-payments"]
    assert [item.roles for item in estate.classic_administrators] == [("ServiceAdministrator",)]
    [setting] = estate.diagnostic_settings
    assert setting.vault_id == estate.vaults[0].scope


def test_everybody_who_was_found_has_a_name(estate: Estate) -> None:
    found = {ANNA, BEN, CLEO, DAN, JANITOR, STANDBY, ADMINS}
    assert {estate.principal(item).state.value for item in found} == {"found"}
    assert estate.principal(STANDBY).is_assignable_to_role is True
    assert estate.principal(READERS).is_assignable_to_role is False


def test_what_does_not_matter_is_not_asked_about(estate: Estate) -> None:
    asked = {(listing.kind, listing.scope) for listing in estate.listings}
    assert not {item for item in asked if UNRELATED in item[1]}
    assert not {item for item in asked if PORTAL_REGISTRATION in item[1]}
    assert ("federated_credentials", f"{IDENTITIES}/id-idle") not in asked
    assert not {kind for kind, scope in asked if scope == f"servicePrincipals/{BATCH}"} & {"service_principal_owners"}


def test_a_kind_that_is_refused_is_told_once_with_its_permission(lab: Lab, tmp_path: Path) -> None:
    snapshot = collected(lab, tmp_path / "s", NO_OBJECTS, identity="names-only")
    gaps = {gap.kind: gap for gap in snapshot.gaps()}
    assert Counter(gap.kind for gap in snapshot.gaps()) == dict.fromkeys(gaps, 1)
    refused = {item.kind for item in COLLECTORS if item.plane is Plane.GRAPH and item.feature is Feature.IDENTITIES}
    assert set(gaps) == refused - {"group_owners", "app_roles"} | {"service_principals"}
    assert all(gap.permission for gap in gaps.values())
    assert {gaps[kind].scope for kind in GROUP_KINDS if kind in gaps} == {"groups"}


def test_what_is_refused_is_not_asked_again_and_again(tmp_path: Path) -> None:
    ids = [f"55555555-5555-5555-5555-0000000001{n:02}" for n in range(50)]
    text = STORY.read_text(encoding="utf-8").replace("members: [inner]", f"members: [inner, {', '.join(ids)}]")
    groups = "".join(f"  - {{id: {item}, name: g{item[-2:]}}}\n" for item in ids)
    path = tmp_path / "estate.yaml"
    path.write_text(text.replace("service_principals:\n", f"{groups}service_principals:\n"), encoding="utf-8")
    with start(path) as lab:
        requests = {}
        for identity in ("auditor", "names-only"):
            before = len(lab.journal)
            snapshot = collected(lab, tmp_path / identity, NO_OBJECTS, identity=identity)
            requests[identity] = sum(entry.path.endswith("/$batch") for entry in lab.journal[before:])
            read = Counter(listing.kind for listing in snapshot.listings())
            assert read["group_owners"] >= 52
    spared = 2 * 52 // 20  # two kinds for 52 groups, of which the first request asks
    assert requests["names-only"] <= requests["auditor"] - spared


def test_a_tenant_without_the_licence_has_nobody_eligible(tmp_path: Path) -> None:
    path = tmp_path / "estate.yaml"
    path.write_text(STORY.read_text(encoding="utf-8").replace("name: Contoso,", "name: Contoso, premium: false,"))
    with start(path) as lab:
        snapshot = collected(lab, tmp_path / "s", NO_OBJECTS)
    assert snapshot.gaps() == ()
    estate = load_estate(snapshot)
    assert estate.group_schedule_instances == ()
    for kind in GROUP_KINDS:
        assert estate.was_read(kind, f"groups/{READERS}"), kind
    assert estate.was_read("directory_role_eligibility_schedule_instances", "directory")


def test_a_tenant_without_key_vault_s_application_has_no_consents(tmp_path: Path) -> None:
    lines = STORY.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "estate.yaml"
    path.write_text("\n".join(line for line in lines if "Azure Key Vault" not in line).replace("consents:", ""))
    with start(path) as lab:
        snapshot = collected(lab, tmp_path / "s", NO_OBJECTS)
    assert snapshot.gaps() == ()
    assert "delegated_permissions" in {listing.kind for listing in snapshot.listings()}


@pytest.mark.parametrize("code", ["MissingSubscriptionRegistration", "Subscription Not Registered"])
def test_a_provider_that_was_never_registered_has_nothing(tmp_path: Path, code: str) -> None:
    body = {"error": {"code": code, "message": "Please register."}}
    with start(STORY) as lab:
        lab.world.faults.append(Fault(path=r"/(pricings/KeyVaults|registrationAssignments)$", status=409, body=body))
        snapshot = collected(lab, tmp_path / "s", NO_OBJECTS)
    assert snapshot.gaps() == ()
    read = {listing.kind: listing.items for listing in snapshot.listings()}
    assert (read["defender_plans"], read["delegations"]) == (0, 0)


@pytest.mark.parametrize("features", [{Feature.ACCESS}, {Feature.ACCESS, Feature.SETTINGS}])
def test_what_is_left_out_is_not_asked(lab: Lab, tmp_path: Path, features: set[Feature]) -> None:
    request = CollectRequest(objects=Objects.NONE, features=frozenset(features))
    snapshot = collected(lab, tmp_path / "s", request)
    read = {listing.kind for listing in snapshot.listings()}
    left_out = {item.kind for item in COLLECTORS if item.feature not in features}
    assert not read & left_out
    assert ("locks" in read) == (Feature.SETTINGS in features)


class Stopped(Exception):  # noqa: N818 - what stops a run here is no error of anything
    """Stops a run from the outside."""


def stopping_at(wanted: str) -> Progress:
    """Progress that stops the run when a kind is done."""

    def stop(kind: str, done: int, total: int | None) -> None:
        if kind == wanted and done == (total or 0) > 0:
            raise Stopped

    return stop


def test_a_run_that_was_stopped_in_the_directory_is_finished(lab: Lab, tmp_path: Path, whole: Snapshot) -> None:
    for number, kind in enumerate(("group_members", "group_owners", "application_owners", "federated_credentials")):
        folder = tmp_path / str(number)
        with pytest.raises(Stopped):
            collected(lab, folder, NO_OBJECTS, watch=stopping_at(kind))
        open_snapshot(folder, allow_incomplete=True)
        snapshot = collected(lab, folder, NO_OBJECTS, resume=True, watch=unwatched)
        assert snapshot.gaps() == ()
        for other in {listing.kind for listing in whole.listings()}:
            assert records_of(snapshot, other) == records_of(whole, other), (kind, other)
