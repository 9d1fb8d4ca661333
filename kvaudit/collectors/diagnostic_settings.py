"""Diagnostic settings of a vault: which logs go where."""

from collections.abc import Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.settings import DiagnosticSetting, LogSetting

_DESTINATIONS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")


def parse(raw: Raw, scope: str) -> DiagnosticSetting:
    """A diagnostic setting of the vault whose resource ID is the listing's scope."""
    item = payload.mapping(raw, "diagnostic setting")
    properties = payload.mapping(item.get("properties"), "properties")
    logs = properties.get("logs")
    destinations = (payload.optional_identifier(properties, name) for name in _DESTINATIONS)
    return DiagnosticSetting(
        id=payload.text(item, "id"),
        vault_id=scopes.fold(scope),
        name=payload.shown_text(item, "name") or "",
        logs=None if logs is None else tuple(map(_log, payload.items(properties, "logs"))),
        destinations=tuple(destination for destination in destinations if destination),
    )


def _log(raw: Any) -> LogSetting:
    line: Mapping[str, Any] = payload.mapping(raw, "logs")
    return LogSetting(
        category=payload.optional_text(line, "category"),
        category_group=payload.optional_text(line, "categoryGroup"),
        enabled=payload.optional_flag(line, "enabled"),
    )


DIAGNOSTIC_SETTINGS = Collector(
    kind="diagnostic_settings",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Insights/diagnosticSettings",
    api_version="2021-05-01-preview",  # the only one with log categories and their groups; no stable one followed
    requires=("Microsoft.Insights/diagnosticSettings/read",),
    parse=parse,
    feature=Feature.SETTINGS,
)
