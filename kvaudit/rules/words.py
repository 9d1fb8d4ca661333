"""How rules name principals and places in their sentences. Tenant's text stands as it is: each format escapes it."""

from collections.abc import Iterable
from functools import lru_cache

from kvaudit.access.subject import VaultAccess
from kvaudit.model import scopes
from kvaudit.model.directory import Principal, PrincipalState

_KINDS = {
    "User": "user",
    "Group": "group",
    "ServicePrincipal": "service principal",
    "ForeignGroup": "foreign group",
    "Device": "device",
    "Application": "application registration",
}
_STATES = {
    PrincipalState.NOT_FOUND: ", which the directory does not hold,",
    PrincipalState.DELETED_RESTORABLE: ", which is deleted and can be restored,",
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
    return _named(subject.principal(principal_id), principal_type)


@lru_cache(maxsize=50_000)
def _named(principal: Principal, principal_type: str | None) -> str:
    kind = _KINDS.get(principal.type or principal_type or "", "principal")
    if principal.user_type == "Guest":
        kind = "guest"
    elif principal.service_principal_type == "ManagedIdentity":
        kind = "managed identity"
    words = f"{kind} {principal.display_name} ({principal.id})" if principal.display_name else f"{kind} {principal.id}"
    if principal.account_enabled is False:
        return f"{words}, whose account is disabled,"
    return words + _STATES.get(principal.state, "")


def place_words(subject: VaultAccess, scope: str | None) -> str:
    """A folded scope by its level and its name: `resource group rg-payments`, `subscription Applications`."""
    if scope is None:
        return "a scope that was not read"
    if scope == scopes.ROOT:
        return "the root scope /"
    level, name = scopes.level_of(scope), scope.rsplit("/", 1)[-1]
    if level == "subscription":
        name = subject.estate.subscription_names.get(name) or name
    return f"{'vault' if level == 'resource' else level} {name}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 role assignment`, `2 role assignments`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
