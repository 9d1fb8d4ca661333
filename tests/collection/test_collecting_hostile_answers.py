"""Whatever answers: the run ends by itself, nothing is invented, and what was lost is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from collecting import AT_THE_VAULTS, NO_OBJECTS, collected, names_of, raw_of, records_of

from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.collectors.collector import Feature
from kvaudit.lab import start
from kvaudit.lab.faults import Fault
from kvaudit.snapshot.load import load_estate

PAYMENTS = "/subscriptions/33333333-3333-3333-3333-000000000001"
ONE = CollectRequest(subscriptions=("Payments",), objects=Objects.NONE)

NASTY: list[Any] = [
    None,
    True,
    17,
    "text",
    [],
    {},
    {"id": None},
    {"id": 17, "name": [], "properties": "x"},
    {"id": "/subscriptions/x", "name": "x", "properties": []},
    {"id": "@evil.example.net/", "name": "evil", "properties": {"vaultUri": "https://evil.example.net/"}},
    {"id": f"{PAYMENTS}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/a?b#c", "name": "a", "properties": {}},
    {
        "id": f"{PAYMENTS}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv-evil",
        "name": "kv-evil",
        "properties": {
            "tenantId": {"x": 1},
            "vaultUri": ["https://evil.example.net/"],
            "accessPolicies": [None, 1, {"objectId": 17}, {"objectId": "../../users"}, {"objectId": "x" * 5000}],
        },
    },
    {
        "id": "x",
        "properties": {"principalId": ["x"], "principalType": {"a": 1}, "scope": 1, "principals": [1, {"id": 2}]},
    },
    {"@odata.type": 17, "id": "55555555-5555-5555-5555-000000000001"},
    {"@odata.type": "#microsoft.graph.group", "id": "../../groups"},
    {"@odata.type": "#microsoft.graph.group", "id": {"x": 1}},
]


@pytest.mark.parametrize("request_", [NO_OBJECTS, CollectRequest(), AT_THE_VAULTS], ids=lambda item: item.objects.value)
def test_lists_of_anything_are_borne_stored_as_they_came_and_loaded(tmp_path: Path, request_: CollectRequest) -> None:
    with start("contoso") as lab:
        for path in (
            r"000000000001/providers/Microsoft\.",
            r"v1.0/directoryObjects/getByIds$",
            r"v1.0/servicePrincipals$",
        ):
            lab.world.faults.append(Fault(path=path, status=200, body={"value": NASTY}))
        snapshot = collected(lab, tmp_path / "s", request_)
        assert {entry.host.split(".", 1)[1] for entry in lab.journal} <= {
            "microsoftonline.com",
            "azure.com",
            "microsoft.com",
            "vault.azure.net",
        }
    estate = load_estate(snapshot)
    assert "kv-web-prod" in {vault.name for vault in estate.vaults}
    assert estate.gaps, "what could not be parsed is told"


def test_a_cloud_that_is_behind_is_asked_in_an_older_api_version(tmp_path: Path) -> None:
    message = "No registered resource provider found for location 'usgovvirginia' and API version '2026-02-01'."
    behind = {"error": {"code": "NoRegisteredProviderFound", "message": message}}
    request = CollectRequest(subscriptions=("Payments",), objects=Objects.ARM, source=Source.ARM)
    with start("contoso") as lab:
        clean = collected(lab, tmp_path / "clean", request)
        lab.world.faults.append(
            Fault(path=rf"{PAYMENTS}/providers/Microsoft.KeyVault/vaults$", status=400, body=behind, times=2)
        )
        snapshot = collected(lab, tmp_path / "s", request)
        asked = [
            entry.query["api-version"]
            for entry in lab.journal
            if entry.path.endswith("/Microsoft.KeyVault/vaults") and entry.status != 200
        ]
    assert asked == ["2026-02-01", "2023-07-01"]
    assert not snapshot.gaps()
    assert records_of(snapshot, "vaults") == records_of(clean, "vaults")
    assert [item.listing.api_version for item in snapshot.listings() if item.kind == "vaults"] == ["2021-10-01"]


_NO_SELECT = {"error": {"code": "Request_UnsupportedQuery", "message": "Unsupported query."}}


@pytest.mark.parametrize(
    ("fault", "described"),
    [
        (Fault(path=r"v1.0/directoryObjects/getByIds$", status=400, body=_NO_SELECT, times=1), "principals"),
        (
            Fault(
                path=r"v1.0/\$batch$",
                status=200,
                # The first batch asks for a deleted principal, the second for members of groups.
                body={"responses": [{"id": str(number), "status": 400, "body": _NO_SELECT} for number in range(20)]},
                skip=1,
                times=1,
            ),
            "group_members",
        ),
    ],
    ids=["getByIds", "members"],
)
def test_principals_are_read_without_details_where_graph_does_not_take_them_and_that_is_told_once(
    tmp_path: Path, fault: Fault, described: str
) -> None:
    access = CollectRequest(subscriptions=("Payments",), objects=Objects.NONE, features=frozenset({Feature.ACCESS}))
    with start("contoso") as lab:
        whole = collected(lab, tmp_path / "whole", access)
        lab.world.faults.append(replace(fault))
        snapshot = collected(lab, tmp_path / "s", access)
    assert [(gap.kind, gap.code) for gap in snapshot.gaps()] == [("principal_details", "Request_UnsupportedQuery")]
    assert {item["id"] for item in raw_of(snapshot, described)} == {item["id"] for item in raw_of(whole, described)}
    assert {item["id"] for item in raw_of(whole, described) if "accountEnabled" in item} > {
        item["id"] for item in raw_of(snapshot, described) if "accountEnabled" in item
    }
    assert {item.key for item in snapshot.listings()} == {item.key for item in whole.listings()}


@pytest.mark.parametrize("body", [{}, [], {"value": None}, {"error": "x"}])
def test_an_answer_that_is_no_list_is_a_gap_and_never_an_empty_list(tmp_path: Path, body: Any) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=rf"{PAYMENTS}/providers/Microsoft.KeyVault/vaults$", status=200, body=body))
        lab.world.faults.append(Fault(path=r"v1.0/directoryObjects/getByIds$", status=200, body=body))
        snapshot = collected(lab, tmp_path / "s", ONE)
    assert {"vaults", "principals"} <= {gap.kind for gap in snapshot.gaps()}
    assert "vaults" not in {listing.kind for listing in snapshot.listings()}


def test_whoever_stands_on_a_later_page_of_get_by_ids_is_not_called_deleted(tmp_path: Path) -> None:
    """It is not documented to have pages; where it sends a next link, what it leads to is read or is a gap."""
    body = {"value": [], "@odata.nextLink": "https://evil.example.net/v1.0/directoryObjects/getByIds"}
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"v1.0/directoryObjects/getByIds$", status=200, body=body))
        snapshot = collected(lab, tmp_path / "s", ONE)
        assert not any("deletedItems" in entry.path for entry in lab.journal)
    assert {gap.code for gap in snapshot.gaps() if gap.kind == "principals"} == {"ForeignNextLink"}


def test_parts_that_are_none_are_as_good_as_left_out(tmp_path: Path) -> None:
    parts = [17, {"id": ["0"], "status": 200, "body": {"value": []}}, {"id": "0", "status": "200"}]
    with start("contoso") as lab:
        clean = collected(lab, tmp_path / "clean", ONE)
        lab.world.faults.append(Fault(path=r"v1.0/\$batch$", status=200, body={"responses": parts}, times=1))
        snapshot = collected(lab, tmp_path / "s", ONE)
    assert snapshot.gaps() == clean.gaps()
    assert records_of(snapshot, "group_members") == records_of(clean, "group_members")


def test_a_subscription_and_a_vault_that_are_sent_twice_are_read_once(tmp_path: Path) -> None:
    with start("contoso") as lab:
        clean = collected(lab, tmp_path / "clean", CollectRequest(subscriptions=("Payments",)))
        subscription = lab.world.estate.subscriptions[PAYMENTS.rsplit("/", 1)[1]]
        vaults = raw_of(clean, "vaults")
        lab.world.faults += [
            Fault(
                path=r"management.azure.com/subscriptions$", status=200, body={"value": [subscription, subscription]}
            ),
            Fault(path=rf"{PAYMENTS}/providers/Microsoft.KeyVault/vaults$", status=200, body={"value": vaults * 2}),
        ]
        snapshot = collected(lab, tmp_path / "s", CollectRequest(subscriptions=("Payments",)))
    assert names_of(snapshot, "vaults") == names_of(clean, "vaults")
    assert records_of(snapshot, "secrets") == records_of(clean, "secrets")
    assert not snapshot.gaps()


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("https://evil.example.net/x", "ForeignNextLink"),
        ("https://kv-payments-prod.vault.azure.net/secrets/db-password", "ForeignNextLink"),
        (
            f"https://management.azure.com{PAYMENTS}/providers/Microsoft.Authorization/roleAssignments?$skiptoken=1",
            "PagingLoop",
        ),
    ],
)
def test_a_list_that_leads_elsewhere_or_in_circles_keeps_what_was_seen_and_is_a_gap(
    tmp_path: Path, link: str, code: str
) -> None:
    with start("contoso") as lab:
        clean = collected(lab, tmp_path / "clean", ONE)
        seen = raw_of(clean, "role_assignments")[:2]
        body = {"value": seen, "nextLink": link}
        lab.world.faults.append(
            Fault(path=rf"{PAYMENTS}/providers/Microsoft.Authorization/roleAssignments$", status=200, body=body)
        )
        snapshot = collected(lab, tmp_path / "s", ONE)
    assert [(gap.kind, gap.code) for gap in snapshot.gaps()] == [("role_assignments", code)]
    assert set(records_of(snapshot, "role_assignments")) == {
        record
        for record in records_of(clean, "role_assignments")
        if any(item["id"].encode() in record for item in seen)
    }


def test_a_tenant_without_pim_has_nobody_eligible_and_no_gap(tmp_path: Path) -> None:
    body = {"error": {"code": "AadPremiumLicenseRequired", "message": "The tenant needs a licence."}}
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"/role(Eligibility|Assignment)ScheduleInstances$", status=400, body=body))
        snapshot = collected(lab, tmp_path / "s", ONE)
    assert not snapshot.gaps()
    read = {listing.kind: listing.items for listing in snapshot.listings()}
    assert read["role_eligibility_schedule_instances"] == read["role_assignment_schedule_instances"] == 0


def test_where_the_effect_of_denies_is_not_offered_they_are_read_without_it_and_that_is_told(tmp_path: Path) -> None:
    body = {"error": {"code": "InvalidApiVersionParameter", "message": "The api-version is invalid."}}
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"000000000003/.*/denyAssignments$", status=400, body=body, times=1))
        snapshot = collected(
            lab, tmp_path / "s", CollectRequest(subscriptions=("Platform shared",), objects=Objects.NONE)
        )
    assert [gap.kind for gap in snapshot.gaps() if "enies" in gap.reason or "deny" in gap.reason] == [
        "deny_assignment_effects"
    ]
    denies = load_estate(snapshot).deny_assignments
    assert denies
    assert all(deny.effect is None for deny in denies)
    versions = {listing.api_version for listing in snapshot.listings() if listing.kind == "deny_assignments"}
    assert versions == {"2022-04-01"}


def test_parts_of_a_batch_that_graph_throttles_or_forgets_are_asked_again(tmp_path: Path) -> None:
    throttled = {"responses": [{"id": "0", "status": 429, "headers": {"Retry-After": "0.1"}, "body": {}}]}
    with start("contoso") as lab:
        clean = collected(lab, tmp_path / "clean", ONE)
        lab.world.faults.append(Fault(path=r"v1.0/\$batch$", status=200, body=throttled, times=1))
        snapshot = collected(lab, tmp_path / "s", ONE)
    assert not snapshot.gaps()
    for kind in ("group_members", "service_principal_groups", "deleted_principals"):
        assert records_of(snapshot, kind) == records_of(clean, kind), kind


def test_a_batch_that_fails_is_a_gap_for_each_of_its_parts(tmp_path: Path) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"v1.0/\$batch$", status=400, body={"error": {"code": "BadRequest"}}))
        snapshot = collected(lab, tmp_path / "s", ONE)
    told = {gap.scope for gap in snapshot.gaps() if gap.kind == "group_members"}
    assert told
    assert all(scope.startswith("groups/") for scope in told)
