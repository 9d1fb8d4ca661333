"""Azure's clouds and the endpoints of each (facts azure.md 10; `kvaudit/data/clouds.json`)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

AUTHS = (
    "default",
    "cli",
    "managed-identity",
    "workload-identity",
    "client-secret",
    "certificate",
    "browser",
    "device-code",
)
"""The ways to sign in to a cloud: the choices of `--auth`. Here, because the command line may not load azure-identity for
the sake of its help."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Endpoints of one cloud; no trailing slashes.

    Attributes:
        name: `public`, `usgov`, `china`, or `custom` when endpoints were given one by one.
        arm: Resource Manager endpoint.
        arm_audience: token audience of Resource Manager.
        authority: Microsoft Entra endpoint.
        graph: Microsoft Graph endpoint.
        vault_suffix: DNS suffix of vaults with its leading dot. A vault token goes only to hosts below it.
    """

    name: str
    arm: str
    arm_audience: str
    authority: str
    graph: str
    vault_suffix: str

    @property
    def vault_audience(self) -> str:
        """Token audience of the vault data plane."""
        return f"https://{self.vault_suffix.lstrip('.')}"


@cache
def clouds() -> dict[str, Cloud]:
    """The known clouds by name."""
    raw = json.loads(files("kvaudit.data").joinpath("clouds.json").read_bytes())
    return {item["name"]: Cloud(**item) for item in raw["clouds"]}
