"""Lighthouse delegations through Resource Graph: rows of assignments and of the definitions that say who gets what."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kvaudit.collectors.resource_graph import subscription_of_row
from kvaudit.model import scopes

Matches = Callable[[Any], bool]


def joined(
    rows: Sequence[Any], subscriptions: Iterable[str], *, is_assignment: Matches, is_definition: Matches
) -> dict[str, list[Any] | None]:
    """Assignments with their definition in them, as Resource Manager sends them with `$expandRegistrationDefinition`.

    Args:
        rows: of `managedserviceresources`.
        subscriptions: folded scopes that were asked for.
        is_assignment, is_definition: which rows are which.

    Returns:
        by subscription; None where a row names a definition that is not among the rows: nobody would be seen in it.
    """
    definitions = {scopes.fold(row["id"]): row for row in rows if is_definition(row) and isinstance(row.get("id"), str)}
    found: dict[str, list[Any] | None] = {scope: [] for scope in subscriptions}
    for row in filter(is_assignment, rows):
        scope = subscription_of_row(row)
        items = found.get(scope or "")
        if items is None:
            continue
        properties = row.get("properties")
        definition = definitions.get(_definition_of(properties))
        if definition is None or not isinstance(properties, dict):
            found[scope or ""] = None
        else:
            items.append(row | {"properties": properties | {"registrationDefinition": definition}})
    return found


def _definition_of(properties: Any) -> str:
    identifier = properties.get("registrationDefinitionId") if isinstance(properties, Mapping) else None
    return scopes.fold(identifier) if isinstance(identifier, str) else ""
