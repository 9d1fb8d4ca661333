"""The way to a vault, step by step: its name, a connection, TLS, `/healthstatus`, and whose tokens it takes."""

import ipaddress
import re

from kvaudit.clients.probes import Broke, ProbeAnswer, VaultProbes
from kvaudit.probe.catalogue import API_VERSION
from kvaudit.probe.results import Reach, State, Step
from kvaudit.probe.verdicts import state_of

LIST_QUERY = {"api-version": API_VERSION, "maxresults": "1"}

_TENANT = re.compile(r'\bauthorization(?:_uri)?="?https://[^/"\s]+/([0-9a-fA-F-]{36})\b')

_ORDER = ("dns", "tcp", "tls", "healthstatus")
_ENDS_AT = {
    Broke.NAME: "dns",
    Broke.LOOKUP: "dns",
    Broke.PROXY: "tcp",
    Broke.CONNECTION: "tcp",
    Broke.TLS: "tls",
    Broke.ANSWER: "healthstatus",
}


async def reach(probes: VaultProbes, host: str, caller_tenant: str | None) -> Reach:
    """How far a host can be reached. No token is sent.

    Args:
        host: of the vault.
        caller_tenant: folded tenant of the caller's token, or None where the token does not say.
    """
    if not probes.is_vault(host):
        return Reach(
            State.NOT_UNDER_SUFFIX, f"{host} is not under the vault suffix of the cloud; nothing was sent to it"
        )
    dns, state = await _look_up(probes, host)
    if state is not None:
        because = _no_name(host) if state is State.NO_SUCH_NAME else f"the name {host} could not be looked up"
        return Reach(state, because, (dns, *_skipped("tcp", "tls", "healthstatus", "challenge")))
    health = await probes.health(host)
    steps = _steps(dns, health, through_proxy=probes.proxy_of(host) is not None)
    if health.broke is not None:
        state = state_of(health) or State.NO_ANSWER
        return Reach(state, _why_unreached(health, host), (*steps, *_skipped("challenge")))
    return await _challenged(probes, host, caller_tenant, steps, health.client_address)


async def _look_up(probes: VaultProbes, host: str) -> tuple[Step, State | None]:
    """The step, and the state where it ends here."""
    if probes.proxy_of(host) is not None:
        return Step("dns", "skipped", "the proxy looks up the name"), None
    try:
        addresses = await probes.addresses(host)
    except OSError:
        return Step("dns", "failed", "the name server gave no answer"), State.LOOKUP_FAILED
    if not addresses:
        return Step("dns", "failed", "the name has no address"), State.NO_SUCH_NAME
    private = [item for item in addresses if ipaddress.ip_address(item.partition("%")[0]).is_private]
    kind = "a private endpoint" if private else "public"
    return Step("dns", "ok", f"{', '.join(addresses)} ({kind})"), None


def _skipped(*names: str) -> tuple[Step, ...]:
    return tuple(Step(name, "skipped", "not reached") for name in names)


def _steps(dns: Step, health: ProbeAnswer, *, through_proxy: bool) -> tuple[Step, ...]:
    """The steps up to the answer of `/healthstatus`: that it came proves those before it."""
    ended = _ENDS_AT.get(health.broke) if health.broke else None
    steps = [dns]
    if ended == "dns":
        steps = [Step("dns", "failed", health.reason)]
    details = {
        "tcp": "through the proxy" if through_proxy else "port 443",
        "tls": "the certificate was accepted",
        "healthstatus": health.reason,
    }
    for name in _ORDER[1:]:
        if ended is None or _ORDER.index(name) < _ORDER.index(ended):
            steps.append(Step(name, "ok", details[name]))
        elif name == ended:
            steps.append(Step(name, "failed", health.reason))
        else:
            steps.extend(_skipped(name))
    return tuple(steps)


def _why_unreached(health: ProbeAnswer, host: str) -> str:
    if health.broke is Broke.PROXY and health.code in {"502", "503", "504"}:
        return f"{health.reason}: most likely there is no vault of this name, or the proxy cannot reach it"
    if health.broke is Broke.NAME:
        return _no_name(host)
    return health.reason


def _no_name(host: str) -> str:
    return f"the name {host} has no address: there is no such vault, or the private DNS zone does not hold it"


async def _challenged(
    probes: VaultProbes, host: str, caller_tenant: str | None, steps: tuple[Step, ...], address: str | None
) -> Reach:
    """What the vault answers to a call without a token. Whether a firewall answers first is not established: both are read."""
    answer = await probes.challenge(host, "/secrets", LIST_QUERY)
    found = _TENANT.search(answer.challenge or "")
    tenant = found[1].casefold() if found else None
    if answer.status == 401:
        step = Step("challenge", "ok", f"takes tokens of tenant {tenant}" if tenant else "names no tenant")
    else:
        step = Step("challenge", "failed", answer.reason)
    steps = (*steps, step)
    if tenant and caller_tenant and tenant != caller_tenant:
        because = (
            f"the vault takes tokens of tenant {tenant}; this identity is of tenant {caller_tenant}, so none was sent"
        )
        return Reach(State.OTHER_TENANT, because, steps, tenant, address)
    state = state_of(answer) if answer.status != 401 else None
    if state is not None:
        return Reach(state, answer.reason, steps, tenant, address)
    return Reach(State.REACHABLE, f"{host} answers", steps, tenant, address)
