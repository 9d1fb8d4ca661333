"""Where a change is made, in Bicep: the deployment's target scope and the resource that the change is scoped to."""

import re
from dataclasses import dataclass

from kvaudit.remediation import quoting

VAULT_API_VERSION = "2026-02-01"
"""Control-plane version: older ones retire on 2027-02-27 (facts azure.md 1.2)."""

_SCOPE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)"
    r"(?:/resourceGroups/(?P<group>[^/]+)"
    r"(?:/providers/Microsoft\.KeyVault/vaults/(?P<vault>[^/]+)"
    r"(?:/(?P<kind>secrets|keys|certificates)/(?P<object>[^/]+))?)?)?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A scope taken apart. Everything but `scope` is None where the scope does not reach so far."""

    scope: str
    subscription: str | None = None
    group: str | None = None
    vault: str | None = None
    kind: str | None = None
    object: str | None = None

    @property
    def level(self) -> str:
        """`managementGroup`, `subscription`, `resourceGroup`, `vault` or `object`."""
        if self.object:
            return "object"
        if self.vault:
            return "vault"
        if self.group:
            return "resourceGroup"
        return "subscription" if self.subscription else "managementGroup"


def place(scope: str) -> Place:
    """Takes a scope apart; one that is none of ours is treated as a management group or tenant."""
    found = _SCOPE.fullmatch(scope)
    return Place(scope, **found.groupdict()) if found else Place(scope)


def target(at: Place) -> str:
    """The command that deploys a file to a place, as a comment for the head of the file."""
    if at.level in ("vault", "object", "resourceGroup"):
        command = quoting.shell_command(
            "az",
            "deployment",
            "group",
            "create",
            subscription=at.subscription or "",
            resource_group=at.group or "",
            template_file="grant.bicep",
        )
        return f"// {quoting.one_line(command)}\ntargetScope = 'resourceGroup'\n"
    return f"targetScope = '{at.level}'\n"


def existing_vault(at: Place) -> str:
    """The vault, and the object in it, as existing resources named `vault` and `item`. Certificates have no resource type."""
    lines = [
        f"resource vault 'Microsoft.KeyVault/vaults@{VAULT_API_VERSION}' existing = {{",
        f"  name: {quoting.bicep(at.vault or '')}",
        "}",
    ]
    if at.object and at.kind in ("secrets", "keys"):
        lines += [
            f"\nresource item 'Microsoft.KeyVault/vaults/{at.kind}@{VAULT_API_VERSION}' existing = {{",
            "  parent: vault",
            f"  name: {quoting.bicep(at.object)}",
            "}",
        ]
    return "\n".join(lines) + "\n"
