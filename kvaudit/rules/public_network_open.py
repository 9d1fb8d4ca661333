"""The vault answers on every network

Public network access is enabled and the firewall lets every address through.

## Why it matters

A vault that is open to the internet depends on identity alone: a stolen token or a leaked client secret can be used from
anywhere. A firewall or a private endpoint is the second lock. The firewall covers the data plane only; who may change
the vault through Resource Manager is decided by Azure RBAC wherever the call comes from.

## How to fix it

Admit the networks that use the vault (private endpoint, subnets or address ranges), then deny the rest. Trusted Microsoft
services can still pass when the firewall's bypass says so. Denying first and admitting later is an outage: look at the
vault's log for callers before. A change of the firewall does not change anybody's rights.

## References

- [Network security for Azure Key Vault](https://learn.microsoft.com/azure/key-vault/general/network-security)
- [Integrate Key Vault with Azure Private Link](https://learn.microsoft.com/azure/key-vault/general/private-link-service)
"""

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError, collapse_addresses
from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.model.vaults import NetworkAcls
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, passed, unknown

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_CLOSED = {"disabled", "securedbyperimeter"}
"""Values of `publicNetworkAccess` that admit no public address by themselves (facts azure.md 1.8)."""


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault whose public endpoint admits every address."""
    vault = subject.vault
    judgement = _judged(vault.public_network_access, vault.network_acls)
    if judgement.verdict is not Verdict.FAIL:
        return judgement
    why = _open_because(vault.network_acls) or ""
    return failed(
        judgement.message,
        [vault],
        lambda item: Evidence(why, item.id, scope=item.scope),
        lambda _: [az.update_vault(vault, default_action="Deny", bypass="AzureServices")],
    )


def quick(counts: "VaultCounts") -> Judgement:
    """The same without its evidence."""
    return _judged(counts.vault.public_network_access, counts.vault.network_acls)


@lru_cache(maxsize=4096)  # few vaults have a firewall of their own kind
def _judged(access: str | None, acls: NetworkAcls | None) -> Judgement:
    public = (access or "enabled").casefold()
    if public in _CLOSED:
        return passed()
    why = _open_because(acls)
    if why is None:
        return passed()
    if public != "enabled":
        return unknown(f"publicNetworkAccess is {access}, a value that this version does not know")
    return Judgement(Verdict.FAIL, f"the vault answers on every network: {why}", 1)


def _open_because(acls: NetworkAcls | None) -> str | None:
    if acls is None:
        return "it has no firewall"
    if (acls.default_action or "allow").casefold() != "deny":
        return f"the firewall's default action is {acls.default_action or 'not set, which allows'}"
    if _covers_everything(acls.ip_rules):
        return "the firewall's address rules together admit every address"
    return None


def _covers_everything(rules: tuple[str, ...]) -> bool:
    """Whether address rules add up to all of IPv4. A rule that is no address range admits nothing known."""
    networks = []
    for rule in rules:
        try:
            networks.append(IPv4Network(rule.strip(), strict=False))
        except (AddressValueError, NetmaskValueError, ValueError):
            continue
    return any(network.prefixlen == 0 for network in collapse_addresses(networks))


RULE = Rule(
    id="public-network-open",
    title="The vault answers on every network",
    severity=Severity.MEDIUM,
    needs=frozenset({"vaults"}),
    controls=("kv-firewall-or-private",),
    check=check,
    quick=quick,
)
