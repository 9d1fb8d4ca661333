"""Soft-deleted vaults of a subscription."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.collectors.vaults import API_VERSION, OLDER_API_VERSIONS
from kvaudit.model.vaults import DeletedVault


def parse(raw: Raw, scope: str) -> DeletedVault:  # noqa: ARG001 - every parser has this signature
    """A deleted vault: its ID has another form (`.../locations/{l}/deletedVaults/{v}`) and names the vault it was."""
    item = payload.mapping(raw, "deleted vault")
    properties = payload.optional_mapping(item, "properties")
    identifier = payload.text(item, "id")
    if "/deletedvaults/" not in identifier.casefold():
        raise payload.UnreadableItemError("id is not the ID of a deleted vault")
    return DeletedVault(
        id=identifier,
        name=payload.shown_text(item, "name") or identifier.rstrip("/").rsplit("/", 1)[-1],
        vault_id=payload.shown_text(properties, "vaultId"),
        location=payload.shown_text(properties, "location"),
        deletion_date=payload.shown_text(properties, "deletionDate"),
        scheduled_purge_date=payload.shown_text(properties, "scheduledPurgeDate"),
        purge_protection_enabled=payload.shown_flag(properties, "purgeProtectionEnabled"),
    )


DELETED_VAULTS = Collector(
    kind="deleted_vaults",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.KeyVault/deletedVaults",
    api_version=API_VERSION,
    older=OLDER_API_VERSIONS,
    requires=("Microsoft.KeyVault/deletedVaults/read",),
    parse=parse,
)
