"""What later parts of a collection need of raw items: the whole of them lies in the snapshot and not in memory as well."""

from collections.abc import Mapping
from typing import Any

_KEPT: Mapping[str, tuple[str, ...]] = {
    "vaults": ("vaultUri", "tenantId", "accessPolicies"),
    "role_assignments": ("principalId", "principalType"),
}


def slim(kind: str, raw: Any) -> Any:
    """The item with only those properties that something after its listing looks at; of other kinds the item itself."""
    if kind not in _KEPT or not isinstance(raw, dict):
        return raw
    properties = raw.get("properties")
    kept = {key: raw[key] for key in ("id", "name") if key in raw} if kind == "vaults" else {}
    if isinstance(properties, dict):
        kept["properties"] = {key: properties[key] for key in _KEPT[kind] if key in properties}
        if isinstance(properties.get("accessPolicies"), list):
            kept["properties"]["accessPolicies"] = [_entry(entry) for entry in properties["accessPolicies"]]
    return kept


def _entry(entry: Any) -> Any:
    return {key: entry.get(key) for key in ("objectId", "tenantId")} if isinstance(entry, dict) else entry
