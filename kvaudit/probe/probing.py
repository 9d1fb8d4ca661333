"""Probes vaults: many side by side, one vault's calls one after the other on one connection."""

import asyncio
from collections.abc import Sequence

from kvaudit.clients.probes import VaultProbes
from kvaudit.collection.together import together
from kvaudit.probe.catalogue import API_VERSION, Probe, probes
from kvaudit.probe.reachability import LIST_QUERY, reach
from kvaudit.probe.results import Found, Outcome, Probed, Reach, State
from kvaudit.probe.verdicts import found_by, state_of, told_of

AT_ONCE = 48
"""Vaults that are probed side by side: below the connections of a session (64), so that Resource Manager has some too."""

CALLS_BEFORE = 2
"""Calls to a vault before any operation is probed: `/healthstatus` and the one without a token."""


def calls_per_vault() -> int:
    """The most calls that one probe of one vault makes when nothing is repeated."""
    return CALLS_BEFORE + len(probes())


async def probe_vaults(clients: VaultProbes, hosts: Sequence[str], caller_tenant: str | None) -> dict[str, Probed]:
    """Probes every host once. What was found, by host.

    Args:
        hosts: of vaults, each once.
        caller_tenant: folded tenant of the caller's token, or None.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one(host: str) -> Probed:
        async with places:
            return await probe_vault(clients, host, caller_tenant)

    return dict(zip(hosts, await together([one(host) for host in hosts]), strict=True))


async def probe_vault(clients: VaultProbes, host: str, caller_tenant: str | None) -> Probed:
    """Probes one vault. What ends the probing (firewall, tenant, no connection) leaves every operation not probed."""
    way = await reach(clients, host, caller_tenant)
    if way.state is not State.REACHABLE:
        return Probed(host, way, _none(way.because))
    found: list[Found] = []
    for number, probe in enumerate(probes(), 1):
        path = probe.path.replace("{name}", clients.new_name()) if probe.needs_name else probe.path
        query = LIST_QUERY if 200 in probe.permitted else {"api-version": API_VERSION}
        answer = await clients.ask(host, path, query, last=number == len(probes()))
        state = state_of(answer)
        if answer.status == 404 and not probe.needs_name:
            state = State.SOFT_DELETED  # a living vault never answers a list with it
        if state is not None and state is not State.NO_ANSWER:
            return Probed(host, _ended(way, state, answer.reason), _rest(found, answer.reason))
        found.append(found_by(probe, answer))
    return Probed(host, way, tuple(found))


def _ended(way: Reach, state: State, because: str) -> Reach:
    if state is State.SOFT_DELETED:
        because = f"{because.rstrip('.')}. A living vault answers no list with 404: most likely it is soft-deleted, which keeps its name in DNS"
    return Reach(state, because, way.steps, way.tenant_id, way.client_address)


def _none(because: str) -> tuple[Found, ...]:
    return tuple(_missing(probe, because) for probe in probes())


def _rest(found: list[Found], because: str) -> tuple[Found, ...]:
    return (*found, *(_missing(probe, because) for probe in probes()[len(found) :]))


def _missing(probe: Probe, because: str) -> Found:
    return told_of(probe, Found(probe.word, Outcome.NOT_PROBED, because))
