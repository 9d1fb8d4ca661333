"""`--objects=vault`: only where the caller may, no more than was allowed, and the network told apart from the rights."""

import asyncio
from pathlib import Path

from collecting import AT_THE_VAULTS, FAST, NOW, unwatched
from collecting import collected as plainly_collected

from kvaudit.app.predicting import predictor
from kvaudit.clients.session import open_azure
from kvaudit.collection.collect import collect
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import DROPPED, Fault
from kvaudit.model.clouds import clouds
from kvaudit.snapshot.reader import Snapshot, open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

KINDS = {"secrets", "keys", "certificates"}


def collected(lab: Lab, folder: Path, request: CollectRequest, identity: str) -> Snapshot:
    """A collection that `access` guides, as the command's is."""

    async def run(writer: SnapshotWriter) -> None:
        async with open_azure(
            clouds()["public"], auth="client-secret", environ=lab.environment(identity), retries=FAST
        ) as azure:
            await collect(
                azure, request, writer, progress=unwatched, now=lambda: NOW, predict=predictor(folder, writer)
            )

    writer = SnapshotWriter.create(folder, header={})
    complete = False
    try:
        asyncio.run(run(writer))
        complete = True
    finally:
        writer.close(complete=complete, ended_at=NOW)
    return open_snapshot(folder)


def test_a_vault_that_the_records_close_is_not_asked_and_that_is_told(tmp_path: Path) -> None:
    """The auditor is a Reader: it reads every record, and holds no right at any vault but a few."""
    with start("contoso") as lab:
        snapshot = collected(lab, tmp_path / "s", AT_THE_VAULTS, "auditor")
        asked = {(entry.host.split(".")[0], entry.path[1:]) for entry in lab.journal if "vault.azure" in entry.host}
        refused = {
            (entry.host.split(".")[0], entry.path[1:])
            for entry in lab.journal
            if "vault.azure" in entry.host and entry.status == 403
        }
    not_asked = {
        (gap.scope.rsplit("/", 1)[-1].casefold(), gap.kind) for gap in snapshot.gaps() if gap.code == "NotAsked"
    }
    assert not_asked
    assert not not_asked & asked
    read = {listing.scope.casefold() for listing in snapshot.listings() if listing.kind == "vaults"}
    gaps = {(gap.kind, gap.scope.casefold()) for gap in snapshot.gaps()}
    listed = {(listing.kind, listing.scope.casefold()) for listing in snapshot.listings()}
    for _, vault in snapshot.items("vaults"):
        for kind in KINDS:
            assert ((kind, vault["id"].casefold()) in listed) != ((kind, vault["id"].casefold()) in gaps)
    assert read
    assert len(refused) < len(not_asked), "what is asked is mostly answered"


def test_no_more_endpoints_than_allowed_are_asked(tmp_path: Path) -> None:
    request = CollectRequest(objects=Objects.VAULT, objects_limit=3)
    with start("contoso") as lab:
        snapshot = collected(lab, tmp_path / "s", request, "owner")
        hosts = {entry.host for entry in lab.journal if "vault.azure" in entry.host}
    assert len(hosts) <= 3
    assert {gap.code for gap in snapshot.gaps()} & {"OverLimit", "NotAsked"}


def test_a_vault_that_refuses_and_one_that_cannot_be_reached_are_told_apart(tmp_path: Path) -> None:
    request = CollectRequest(vaults=("kv-web-prod",), objects=Objects.VAULT)
    reasons = []
    for status in (403, DROPPED):
        with start("contoso") as lab:
            path = r"kv-web-prod.*/(secrets|keys|certificates|healthstatus)$"
            closed = path.replace("|healthstatus", "") if status == 403 else path
            lab.world.faults.append(Fault(path=closed, status=status, body={"error": {"code": "ForbiddenByRbac"}}))
            snapshot = plainly_collected(
                lab, tmp_path / str(status), request
            )  # without a prediction every vault is asked
            # aiohttp itself repeats a request once when a kept connection turns out to be closed.
            assert sum(entry.path == "/healthstatus" for entry in lab.journal) <= (1 if status == 403 else 2)
        found = [gap.reason for gap in snapshot.gaps() if gap.kind in KINDS]
        assert len(found) == len(KINDS)
        reasons.append(found[0])
    assert "/healthstatus answers" in reasons[0]
    assert "/healthstatus does not answer" in reasons[1]


def test_pages_of_a_vault_are_followed_past_the_port_that_its_links_name() -> None:
    async def secrets(lab: Lab) -> list[str]:
        environment = lab.environment("id-web-release")
        async with open_azure(clouds()["public"], auth="client-secret", environ=environment, retries=FAST) as azure:
            pages = azure.vault_pages("https://kv-web-migrated.vault.azure.net/", "/secrets", api_version="7.5")
            return [item["id"] async for page in pages for item in page.items]

    with start("contoso") as lab:
        lab.world.empty_pages = True
        found = asyncio.run(secrets(lab))
        assert [entry.status for entry in lab.journal if entry.path == "/secrets"] == [200, 200]
    assert found
