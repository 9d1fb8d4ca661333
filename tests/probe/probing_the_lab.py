"""What the tests of this room share: a run of probes at a lab, as one of its identities."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kvaudit.clients.retries import RetrySettings
from kvaudit.clients.session import open_azure
from kvaudit.lab import Lab
from kvaudit.lab.estate import Estate, Identity
from kvaudit.model.clouds import clouds
from kvaudit.probe.probing import probe_vaults
from kvaudit.probe.results import Probed

SUFFIX = ".vault.azure.net"
FAST = RetrySettings(tries=3, connect_tries=2, first_wait=0.01, longest_wait=0.02, longest_retry_after=1.5, budget=10)


def probed(
    lab: Lab, vaults: Iterable[str], *, identity: str = "auditor", retries: RetrySettings = FAST
) -> dict[str, Probed]:
    """What an identity of the lab finds at vaults, by their names."""
    return probed_through(lab.environment(identity), vaults, retries=retries)


def probed_through(
    environ: Mapping[str, str],
    vaults: Iterable[str],
    *,
    retries: RetrySettings = FAST,
    signed_in: bool = True,
    suffix: str = SUFFIX,
) -> dict[str, Probed]:
    """The same with environment variables; without signing in the caller's tenant is not known."""
    cloud = replace(clouds()["public"], vault_suffix=suffix)

    async def run() -> dict[str, Probed]:
        async with open_azure(cloud, auth="client-secret", environ=environ, retries=retries) as azure:
            tenant = (await azure.sign_in()).tenant_id if signed_in else None
            return await probe_vaults(azure.probes, [f"{name}{suffix}" for name in vaults], tenant)

    return {host.removesuffix(suffix): item for host, item in asyncio.run(run()).items()}


def let_sign_in(estate: Estate, object_id: str) -> str:
    """Gives a service principal of an estate a secret. The name to sign in by."""
    app_id = str(estate.service_principals[object_id]["appId"])
    estate.client_secrets[app_id.casefold()] = {"lab-only-credential"}
    tenant = estate.tenant_of(object_id)
    estate.identities[object_id] = Identity(object_id, tenant, object_id, app_id, "lab-only-credential")
    return object_id
