"""Whatever fails, the run ends by itself, no fact is invented and every loss is a gap.

The run draws a few of the faults; `nox -s chaos` runs all of them at 1, 5 and 20 %.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from chaos import PASSING, STAYING, STRUCK, Dice, after, forbid, ids_of, of_one_vault, vanish

from kvaudit.access.evaluator import Access
from kvaudit.clients.failures import UNREACHED
from kvaudit.clients.retries import RetrySettings
from kvaudit.clients.session import open_azure
from kvaudit.collection.collect import collect
from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.errors import KvauditError
from kvaudit.lab import start
from kvaudit.lab.world import BadConnection, World
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.clouds import clouds
from kvaudit.model.permissions import operations
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import Snapshot, open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

NOW = "2026-11-24T08:00:00Z"
REQUEST = CollectRequest(objects=Objects.ARM, source=Source.AUTO)
BUDGET = 60.0
"""Seconds that a run may take by its own budget; the watchdog adds a little."""

EVERYTHING = bool(os.environ.get("KVAUDIT_CHAOS"))
SAMPLE = {("html", 0.05), ("reset", 0.05), ("repeated link", 0.05), ("tokens end", 0.05), ("untrusted", 0.05)}
MILD = [(name, share) for name in PASSING for share in (0.01, 0.05) if EVERYTHING or (name, share) in SAMPLE]
HARD = [name for name in (*PASSING, *STAYING) if EVERYTHING or name in {"503", "forbidden", "no list"}]


def run(folder: Path, strike: Callable[[World], None], *, tries: int, request: CollectRequest = REQUEST) -> Snapshot:
    """A collection of the sample while faults strike, with a watchdog."""
    retries = RetrySettings(
        tries=tries, connect_tries=tries, first_wait=0.01, longest_wait=0.05, budget=20, read_timeout=1.0
    )

    async def read(environment: dict[str, str], writer: SnapshotWriter) -> None:
        async with (
            asyncio.timeout(BUDGET + 10),
            open_azure(
                clouds()["public"], auth="client-secret", environ=environment, retries=retries, time_budget=BUDGET
            ) as azure,
        ):
            await collect(azure, request, writer, progress=lambda *_: None, now=lambda: NOW)

    with start("contoso") as lab:
        strike(lab.world)
        writer = SnapshotWriter.create(folder, header={})
        complete = False
        try:
            asyncio.run(read(lab.environment(), writer))
            complete = True
        finally:
            writer.close(complete=complete, ended_at=NOW)
    return open_snapshot(folder)


@cache
def clean() -> tuple[Snapshot, Access]:
    """The run without faults; its folder lives as long as the process."""
    folder = TemporaryDirectory(prefix="kvaudit-chaos-")
    _KEPT.append(folder)
    snapshot = run(Path(folder.name) / "clean", lambda _: None, tries=2)
    return snapshot, Access(load_estate(snapshot))


_KEPT: list[TemporaryDirectory[str]] = []
KINDS = ("vaults", "role_assignments", "role_definitions", "deny_assignments", "principals", "secrets", "keys")


def told(snapshot: Snapshot) -> set[tuple[str, str, str]]:
    return {(gap.kind, scopes.fold(gap.scope), gap.code or "") for gap in snapshot.gaps()}


def answers(access: Access) -> dict[tuple[str, str, str], Answer]:
    """What everybody whom a record names may do in every vault."""
    people = sorted(access.estate.principals)
    words = [item for item in operations() if item.word in {"secrets/get", "keys/sign", "secrets/set"}]
    return {
        (vault.scope, person, word.word): access.can(person, word, vault).answer
        for vault in access.estate.vaults
        for person in people
        for word in words
    }


def assert_nothing_invented(snapshot: Snapshot) -> None:
    """What was read is what there is; what is missing is told; an answer is the true one or unknown."""
    whole, truth = clean()
    for kind in KINDS:
        read, there = (ids_of(raw for _, raw in item.items(kind)) for item in (snapshot, whole))
        assert read <= there, kind
    access = Access(load_estate(snapshot))
    kinds_with_gaps = {gap.kind for gap in access.estate.gaps}
    for kind in KINDS:
        if ids_of(raw for _, raw in snapshot.items(kind)) != ids_of(raw for _, raw in whole.items(kind)):
            assert {kind, "vaults", "subscriptions", "role_assignments"} & kinds_with_gaps, kind
    known = answers(truth)
    for question, answer in answers(access).items():
        if answer is not Answer.UNKNOWN and question in known:
            assert answer is known[question] or known[question] is Answer.UNKNOWN, (question, answer, known[question])
    lost = {vault.scope for vault in truth.estate.vaults} - {vault.scope for vault in access.estate.vaults}
    hiding = {scopes.fold(gap.scope) for gap in access.estate.gaps if gap.kind in {"vaults", "subscriptions"}}
    for vault in lost:
        assert any(scopes.is_within(vault, scope) for scope in hiding), vault


@pytest.mark.parametrize(("fault", "share"), MILD)
def test_what_passes_costs_nothing(tmp_path: Path, fault: str, share: float) -> None:
    dice = Dice(share, seed=7)
    snapshot = run(tmp_path / "s", lambda world: PASSING[fault](world, dice), tries=8)
    whole, truth = clean()
    assert told(snapshot) == told(whole)
    access = Access(load_estate(snapshot))
    assert answers(access) == answers(truth)
    for kind in KINDS:
        assert ids_of(raw for _, raw in snapshot.items(kind)) == ids_of(raw for _, raw in whole.items(kind)), kind


@pytest.mark.parametrize("fault", HARD)
def test_what_is_lost_is_told_and_nothing_is_invented(tmp_path: Path, fault: str) -> None:
    dice = Dice(0.2, seed=11)
    strike = (PASSING | STAYING)[fault]
    try:
        snapshot = run(tmp_path / "s", lambda world: strike(world, dice), tries=2)
    except KvauditError:
        return  # not even the list of subscriptions could be read: the command ends and says so
    assert_nothing_invented(snapshot)


MOMENTS = range(2, 60, 3) if EVERYTHING else (4, 11, 20)
"""Requests after which something happens; the run makes about a hundred."""


@pytest.mark.parametrize("requests", MOMENTS)
@pytest.mark.parametrize("effect", [forbid, vanish])
def test_a_subscription_that_is_taken_away_in_the_middle_is_told(
    tmp_path: Path, effect: Callable[[World], None], requests: int
) -> None:
    snapshot = run(tmp_path / "s", after(requests, effect), tries=2, request=replace(REQUEST, objects=Objects.NONE))
    assert_nothing_invented(snapshot)
    if requests < 30:  # later its lists are read, and nothing is lost
        assert any(gap.scope.casefold() == f"/subscriptions/{STRUCK}" for gap in snapshot.gaps())


@pytest.mark.parametrize("bad", BadConnection)
def test_one_vault_that_cannot_be_reached_is_one_vaults_loss(tmp_path: Path, bad: BadConnection) -> None:
    request = replace(REQUEST, objects=Objects.VAULT, subscriptions=("Payments",))
    clean_run = run(tmp_path / "clean", lambda _: None, tries=2, request=request)
    vault = next(item for _, item in clean_run.items("vaults") if item["name"] == "kv-payments-prod")
    host = vault["properties"]["vaultUri"].split("/")[2]
    snapshot = run(tmp_path / "s", of_one_vault(bad, host), tries=2, request=request)
    mine = {(kind, code) for kind, scope, code in told(snapshot) if scope == scopes.fold(vault["id"])}
    assert {kind for kind, _ in mine} == {"secrets", "keys", "certificates"}
    assert {code for _, code in mine} <= UNREACHED
    others = [{gap for gap in told(item) if gap[1] != scopes.fold(vault["id"])} for item in (snapshot, clean_run)]
    assert others[0] == others[1]


def test_a_run_ends_within_its_budget_whatever_the_service_does(tmp_path: Path) -> None:
    """Every answer comes late for ever; the budget is what ends it, and what was not read is told."""

    async def read(environment: dict[str, str], writer: SnapshotWriter) -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with (
            asyncio.timeout(30),
            open_azure(clouds()["public"], auth="client-secret", environ=environment, time_budget=3.0) as azure,
        ):
            await collect(azure, REQUEST, writer, progress=lambda *_: None, now=lambda: NOW)
        return loop.time() - started

    with start("contoso") as lab:
        dice = Dice(1.0, seed=1)

        def after_the_subscriptions(world: World) -> None:
            PASSING["503"](world, dice)
            refuse = world.interceptors.pop()
            world.interceptors.append(
                lambda world, request: None if request.path.endswith("/subscriptions") else refuse(world, request)
            )

        after_the_subscriptions(lab.world)
        writer = SnapshotWriter.create(tmp_path / "s", header={})
        took = asyncio.run(read(lab.environment(), writer))
        writer.close(complete=True, ended_at=NOW)
    assert took < 15
    codes = {gap.code for gap in open_snapshot(tmp_path / "s").gaps()}
    assert "OutOfTime" in codes
