"""The plan of a collection: what it promises is what the collection then asks."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from collecting import AT_THE_VAULTS, FAST, NOW, collected, unwatched

from kvaudit.clients.session import open_azure
from kvaudit.collection.plan import Plan, plan
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.collectors.catalogue import permissions_needed
from kvaudit.collectors.collector import Feature, Plane
from kvaudit.errors import ScopeError
from kvaudit.lab import Lab
from kvaudit.model.clouds import clouds
from kvaudit.snapshot.writer import SnapshotWriter


def planned(lab: Lab, folder: Path, request: CollectRequest) -> Plan:
    writer = SnapshotWriter.create(folder, header={})

    async def run() -> Plan:
        environment = lab.environment("auditor")
        async with open_azure(clouds()["public"], auth="client-secret", environ=environment, retries=FAST) as azure:
            return await plan(azure, request, writer, progress=unwatched, now=lambda: NOW)

    try:
        return asyncio.run(run())
    finally:
        writer.close(complete=False, ended_at=NOW)


@pytest.mark.parametrize(
    "request_",
    [
        CollectRequest(subscriptions=("Payments", "Web shop")),
        CollectRequest(subscriptions=("Payments",), features=frozenset({Feature.ACCESS, Feature.SETTINGS})),
        CollectRequest(subscriptions=("Payments",), features=frozenset({Feature.ACCESS}), objects=Objects.NONE),
        AT_THE_VAULTS,
    ],
)
def test_the_numbers_are_those_of_the_collection(contoso: Lab, tmp_path: Path, request_: CollectRequest) -> None:
    promised = planned(contoso, tmp_path / "plan", request_)
    before = len(contoso.journal)
    snapshot = collected(contoso, tmp_path / "s", request_)
    sent = Counter(
        "arm" if entry.host.startswith("management.") else "vault"
        for entry in contoso.journal[before:]
        if entry.host.startswith("management.") or "vault.azure.net" in entry.host
        # No plan can know what is asked where a vault refused, nor which user-assigned identities have access.
        if entry.path != "/healthstatus" and not entry.path.endswith("/federatedIdentityCredentials")
    )
    further_pages = sum(listing.pages - 1 for listing in snapshot.listings() if listing.scope.startswith("/"))
    by_plane = Counter[Plane]()
    for read in promised.reads:
        by_plane[read.plane] += read.requests or 0
    assert by_plane[Plane.ARM] + by_plane[Plane.VAULT] == promised.requests
    assert sum(sent.values()) == promised.requests + further_pages
    assert sent["vault"] == by_plane[Plane.VAULT]


def test_a_plan_reads_no_more_than_its_numbers_need(contoso: Lab, tmp_path: Path) -> None:
    before = len(contoso.journal)
    planned(contoso, tmp_path / "plan", CollectRequest())
    asked = {entry.path.rsplit("/", 1)[1] for entry in contoso.journal[before:] if entry.host.startswith("management.")}
    assert asked <= {"subscriptions", "vaults", "descendants", contoso.world.estate.home_tenant}


def test_a_plan_names_every_permission_that_its_reads_need(contoso: Lab, tmp_path: Path) -> None:
    everything = {need for needs in permissions_needed().values() for need in needs}
    named: set[str] = set()
    for objects in Objects:
        reads = planned(contoso, tmp_path / objects.value, CollectRequest(objects=objects)).reads
        named |= {need for read in reads for need in read.requires}
    assert named == everything


def test_a_scope_that_is_not_there_is_told_by_the_plan_too(contoso: Lab, tmp_path: Path) -> None:
    with pytest.raises(ScopeError):
        planned(contoso, tmp_path / "plan", CollectRequest(subscriptions=("Nowhere",)))
