"""What is to be collected, and how a listing that is under way is told to whoever watches."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kvaudit.collectors.collector import Feature


class Objects(StrEnum):
    """Where the names and attributes of secrets, keys and certificates come from."""

    NONE = "none"
    ARM = "arm"
    VAULT = "vault"


class Source(StrEnum):
    """Where the records come from that both Resource Graph and Resource Manager have."""

    AUTO = "auto"
    """Resource Graph, and Resource Manager for what it cannot answer for certain."""

    RESOURCE_GRAPH = "resource-graph"
    """Resource Graph alone: what it cannot answer for certain is a gap."""

    ARM = "arm"
    """Resource Manager alone."""


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """What is to be collected; empty tuples mean everything that the caller can see.

    Attributes:
        tenant: tenant ID, or None for the credential's own.
        subscriptions: IDs or display names.
        management_groups: IDs of groups: the subscriptions below them.
        resource_groups: names: only vaults in such a group.
        vaults: names: only these vaults.
        objects: whether and where object names are read.
        objects_limit: vaults whose own endpoints are asked at most: many in a short time look like an attack.
        features: what is read beside them; what is left out is not assessed. `Feature.ACCESS` is always read.
        source: where records come from that two services have.
        verify_with_arm: whether what Resource Graph answers is read from Resource Manager too, and compared.
        assigned_to: folded object IDs: where the directory does not tell groups, Resource Manager is asked which assignments
            of groups reach these.
        time_budget: seconds for the whole run; what was not read by then is a gap. None: no bound.
    """

    tenant: str | None = None
    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    vaults: tuple[str, ...] = ()
    objects: Objects = Objects.ARM
    objects_limit: int = 2000
    features: frozenset[Feature] = frozenset(Feature)
    source: Source = Source.ARM
    verify_with_arm: bool = False
    assigned_to: tuple[str, ...] = ()
    time_budget: float | None = None

    def scope(self) -> dict[str, list[str]]:
        """The request in the words of the command line, for the manifest; what was not narrowed is left out."""
        words = {
            "tenant": (self.tenant,) if self.tenant else (),
            "subscriptions": self.subscriptions,
            "management_groups": self.management_groups,
            "resource_groups": self.resource_groups,
            "vaults": self.vaults,
            "objects": (self.objects.value,),
            "features": () if self.features >= set(Feature) else tuple(sorted(self.features)),
        }
        return {key: list(values) for key, values in words.items() if values}


class Progress(Protocol):
    """Is told how many listings of a kind are done; `total` is None while it is not known."""

    def __call__(self, kind: str, done: int, total: int | None) -> None:
        """Takes note."""
        ...
