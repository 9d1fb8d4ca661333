"""What a subscription says around its vaults: locks, Defender, classic administrators, resource groups, managed HSMs."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.collectors.vaults import API_VERSION, OLDER_API_VERSIONS
from kvaudit.model import scopes
from kvaudit.model.settings import ClassicAdministrator, DefenderPlan, Lock, ManagedHsm, ResourceGroup

_LOCK = "/providers/microsoft.authorization/locks/"
_HSM = "/providers/microsoft.keyvault/managedhsms/"


def parse_lock(raw: Raw, scope: str) -> Lock:  # noqa: ARG001 - every parser has this signature
    """A lock. Where it stands is told by its ID alone."""
    item = payload.mapping(raw, "lock")
    identifier = payload.text(item, "id")
    place, found, _ = scopes.fold_name(identifier).rpartition(_LOCK)
    if not found:
        raise payload.UnreadableItemError("id is not that of a lock")
    properties = payload.mapping(item.get("properties"), "properties")
    return Lock(
        id=identifier,
        scope=scopes.fold(place),
        name=payload.shown_text(item, "name") or identifier.rsplit("/", 1)[-1],
        level=payload.text(properties, "level"),
        notes=payload.shown_text(properties, "notes"),
    )


def parse_defender_plan(raw: Raw, scope: str) -> DefenderPlan:
    """The plan of the subscription that is the listing's scope."""
    properties = payload.mapping(payload.mapping(raw, "Defender plan").get("properties"), "properties")
    return DefenderPlan(
        scope=scopes.fold(scope),
        tier=payload.text(properties, "pricingTier"),
        sub_plan=payload.shown_text(properties, "subPlan"),
    )


def parse_classic_administrator(raw: Raw, scope: str) -> ClassicAdministrator:
    """A classic administrator. Its roles stand in one text, with semicolons between them."""
    item = payload.mapping(raw, "classic administrator")
    properties = payload.mapping(item.get("properties"), "properties")
    roles = (part.strip() for part in payload.text(properties, "role").split(";"))
    return ClassicAdministrator(
        id=payload.text(item, "id"),
        scope=scopes.fold(scope),
        email=payload.shown_text(properties, "emailAddress"),
        roles=tuple(role for role in roles if role),
    )


def parse_resource_group(raw: Raw, scope: str) -> ResourceGroup:  # noqa: ARG001 - every parser has this signature
    """A resource group."""
    item = payload.mapping(raw, "resource group")
    identifier = payload.identifier(item, "id")
    if "/resourcegroups/" not in identifier:
        raise payload.UnreadableItemError("id is not that of a resource group")
    return ResourceGroup(
        scope=identifier,
        name=payload.shown_text(item, "name") or identifier.rsplit("/", 1)[-1],
        location=payload.shown_text(item, "location"),
        managed_by=payload.optional_identifier(item, "managedBy"),
    )


def parse_managed_hsm(raw: Raw, scope: str) -> ManagedHsm:  # noqa: ARG001 - every parser has this signature
    """A managed HSM: that it is there, and nothing of what is in it."""
    item = payload.mapping(raw, "managed HSM")
    identifier = payload.text(item, "id")
    if _HSM not in scopes.fold_name(identifier):
        raise payload.UnreadableItemError("id is not that of a managed HSM")
    return ManagedHsm(
        id=identifier,
        name=payload.shown_text(item, "name") or identifier.rstrip("/").rsplit("/", 1)[-1],
        location=payload.shown_text(item, "location"),
    )


LOCKS = Collector(
    kind="locks",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Authorization/locks",  # at and below the scope
    api_version="2016-09-01",
    requires=("Microsoft.Authorization/locks/read",),
    parse=parse_lock,
    feature=Feature.SETTINGS,
)

DEFENDER_PLANS = Collector(
    kind="defender_plans",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Security/pricings/KeyVaults",  # one object, no list
    api_version="2024-01-01",
    older=("2023-01-01", "2018-06-01"),
    requires=("Microsoft.Security/pricings/read",),
    parse=parse_defender_plan,
    feature=Feature.SETTINGS,
)

CLASSIC_ADMINISTRATORS = Collector(
    kind="classic_administrators",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Authorization/classicAdministrators",
    api_version="2015-07-01",
    requires=("Microsoft.Authorization/classicAdministrators/read",),
    parse=parse_classic_administrator,
    feature=Feature.SETTINGS,
)

RESOURCE_GROUPS = Collector(
    kind="resource_groups",
    plane=Plane.ARM,
    path="{scope}/resourcegroups",
    api_version="2021-04-01",
    requires=("Microsoft.Resources/subscriptions/resourceGroups/read",),
    parse=parse_resource_group,
    feature=Feature.SETTINGS,
)

MANAGED_HSMS = Collector(
    kind="managed_hsms",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.KeyVault/managedHSMs",
    api_version=API_VERSION,
    older=OLDER_API_VERSIONS,
    requires=("Microsoft.KeyVault/managedHSMs/read",),
    parse=parse_managed_hsm,
    feature=Feature.SETTINGS,
)
