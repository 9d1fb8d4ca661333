"""How rules name principals and places in their sentences. Tenant's text stands as it is: each format escapes it."""

from collections.abc import Iterable

from kvaudit.access.subject import VaultAccess
from kvaudit.model import scopes

_KINDS = {
    "User": "user",
    "Group": "group",
    "ServicePrincipal": "service principal",
    "ForeignGroup": "foreign group",
    "Device": "device",
    "Application": "application registration",
}


def principal_words(subject: VaultAccess, principal_id: str | None, principal_type: str | None = None) -> str:
    """A principal by kind, name (where it is known) and ID (always): `group payments-ops (3333…)`.

    Args:
        subject: where the directory's records are.
        principal_id: folded object ID, or None where a gap hides who.
        principal_type: what the record that names it says, used when the directory was not readable.
    """
    if principal_id is None:
        return "somebody who could not be read"
    principal = subject.principal(principal_id)
    kind = _KINDS.get(principal.type or principal_type or "", "principal")
    if principal.user_type == "Guest":
        kind = "guest"
    elif principal.service_principal_type == "ManagedIdentity":
        kind = "managed identity"
    named = f"{kind} {principal.display_name} ({principal_id})" if principal.display_name else f"{kind} {principal_id}"
    return f"{named}, whose account is disabled," if principal.account_enabled is False else named


def place_words(scope: str | None) -> str:
    """A scope by its level and last name: `resource group rg-payments`."""
    if scope is None:
        return "a scope that was not read"
    if scope == scopes.ROOT:
        return "the root scope /"
    level = scopes.level_of(scope)
    return f"{'vault' if level == 'resource' else level} {scope.rsplit('/', 1)[-1]}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 role assignment`, `2 role assignments`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
