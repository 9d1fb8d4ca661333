"""Applications that act as users: consents to `user_impersonation` on Azure Key Vault.

Such an application holds nothing itself. While a user is signed in to it, Key Vault sees that user (facts azure.md 5,
"compound identity"): it may do what the user may, in both permission models. So it is no holder and its own answer rests
on its own records; that it can act as somebody who is a holder is told beside the answer. An access policy that names a
user and an application is another thing: it counts for the two together only, and has a row of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from kvaudit.model.estate import Estate
from kvaudit.model.identities import DelegatedPermission

CONSENTS = "delegated_permissions"
KEY_VAULT = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
"""Application ID of Azure Key Vault's own service principal (facts azure.md 5, gotcha 6)."""

_SCOPE = "user_impersonation"
SHOWN = 5
"""Names that one note spells out; the rest is counted."""


class Consents:
    """Who consented to which application, in one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    @cached_property
    def for_everybody(self) -> tuple[str, ...]:
        """Folded object IDs of the applications that an administrator consented to for every user, sorted."""
        return tuple(sorted({item.client_id for item in self._grants() if _is_for_everybody(item)}))

    @cached_property
    def users(self) -> dict[str, tuple[str, ...]]:
        """Application -> the users who consented to it, both as folded object IDs, sorted."""
        single = (item for item in self._grants() if not _is_for_everybody(item))
        pairs = sorted({(item.client_id, item.principal_id or "") for item in single})
        table: dict[str, list[str]] = {}
        for client, user in pairs:
            table.setdefault(client, []).append(user)
        return {client: tuple(found) for client, found in table.items()}

    @cached_property
    def was_read(self) -> bool:
        """Whether the consents are known: listed, or Key Vault has no service principal here that one could consent to."""
        if any(gap.kind == CONSENTS for gap in self._estate.gaps):
            return False
        kinds = {listing.kind for listing in self._estate.listings}
        if CONSENTS in kinds:
            return True
        here = any(item.app_id == KEY_VAULT for item in self._estate.principals.values())
        return "service_principals" in kinds and not here

    def _grants(self) -> Iterator[DelegatedPermission]:
        for item in self._estate.delegated_permissions:
            resource = self._estate.principals.get(item.resource_id)
            other = resource is not None and resource.app_id not in (None, KEY_VAULT)
            if not other and _SCOPE in {scope.casefold() for scope in item.scopes}:
                yield item

    def about_holders(self, holds: Callable[[str], bool], *, anybody: bool) -> Iterator[str]:
        """Notes to an answer about a place.

        Args:
            holds: whether a user (folded ID) may do, or may perhaps do, what was asked.
            anybody: whether the answer names somebody at all.
        """
        if anybody and self.for_everybody:
            yield (
                f"{self._applications(self.for_everybody)} may act as any user who signs in to it (an administrator "
                "consented to user_impersonation on Key Vault for everybody), with that user's access"
            )
        by_users: dict[tuple[str, ...], list[str]] = {}
        for client, users in self.users.items():
            holders = tuple(user for user in users if holds(user))
            if holders and client not in self.for_everybody:
                by_users.setdefault(holders, []).append(client)
        for holders, clients in by_users.items():
            yield (
                f"{self._applications(clients)} may act as {self._names(holders)}, who consented to user_impersonation "
                "on Key Vault, with their access"
            )

    def about_user(self, user: str) -> Iterator[str]:
        """Notes to an answer about one user who may do, or may perhaps do, what was asked."""
        clients = sorted({*self.for_everybody, *(client for client, users in self.users.items() if user in users)})
        if clients:
            yield (
                f"{self._applications(clients)} may act as this user (consent to user_impersonation on Key Vault), with "
                "the same access"
            )

    def about_application(self, client: str, holds: Callable[[str], bool]) -> Iterator[str]:
        """Notes to an answer about an application's service principal: whom it can act as."""
        if client in self.for_everybody:
            yield (
                "this application may also act as any user who signs in to it (consent to user_impersonation on Key Vault "
                "for everybody): then it may do here what that user may"
            )
            return
        holders = tuple(user for user in self.users.get(client, ()) if holds(user))
        if holders:
            yield (
                f"this application may also act as {self._names(holders)}, who consented to user_impersonation on Key "
                "Vault and may do this"
            )

    def _applications(self, clients: Iterable[str]) -> str:
        items = list(clients)
        return f"{'application' if len(items) == 1 else 'applications'} {self._names(items)}"

    def _names(self, ids: Iterable[str]) -> str:
        return some(self._estate.principal(item).display_name or item for item in ids)


def _is_for_everybody(item: DelegatedPermission) -> bool:
    return item.principal_id is None or item.consent_type.casefold() == "allprincipals"


def some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    items = list(names)
    rest = len(items) - SHOWN
    return ", ".join(items[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
