"""Sentences told beside an answer, which do not change it: network, disabled things, records without effect."""

from collections.abc import Iterable, Iterator

from kvaudit.access.places import ROLE_ASSIGNMENTS, Place
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.directory import PrincipalState
from kvaudit.model.permissions import Operation
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault

_SHOWN = 5
"""Names that one note spells out; the rest is counted."""


def for_decision(
    around: Surroundings, place: Place, operation: Operation, principal_id: str, answer: Answer, cited: bool
) -> tuple[str, ...]:
    """Notes to the answer about one principal."""
    found = list(for_place(around, place, operation, (principal_id,)))
    if around.directory.type_of(principal_id) == "Application":
        found.append(
            f"{principal_id} is the object ID of an application registration: grants to it are worth nothing, "
            "its service principal has another object ID"
        )
    if answer is Answer.DENIED and not cited:
        found.append(_what_was_read(around, place))
    return tuple(found)


def for_place(
    around: Surroundings, place: Place, operation: Operation, principals: Iterable[str | None]
) -> tuple[str, ...]:
    """Notes to an answer about one vault or object.

    Args:
        around: where the records are.
        place: the vault or object.
        operation: what was asked.
        principals: folded IDs of those whom the answer names.
    """
    vault = place.vault
    return (
        *_tenants(around, vault),
        *_network(vault),
        *_objects(around, place, operation),
        *_accounts(around, principals),
        *_inert(around, place, operation),
        *_policies(around, vault),
    )


def _tenants(around: Surroundings, vault: Vault) -> Iterator[str]:
    if around.tenants_differ(vault):
        yield (
            f"the vault trusts tenant {vault.tenant_id}, not the tenant of its subscription: tokens of the "
            "subscription's tenant are refused, and its role assignments are worth nothing here"
        )


def _network(vault: Vault) -> Iterator[str]:
    if (vault.public_network_access or "").casefold() == "disabled":
        yield "public network access is disabled: only private endpoints and trusted services reach the vault"
    elif vault.network_acls and (vault.network_acls.default_action or "").casefold() == "deny":
        yield "the vault's firewall admits only the networks in its rules"


def _objects(around: Surroundings, place: Place, operation: Operation) -> Iterator[str]:
    ref = place.object
    if ref is None:
        return
    if ref.kind == "certificates":
        yield f"the private key of a certificate is the secret of the same name: ask about secrets/get on secrets/{ref.name}"
    mine = [item for item in around.objects.get(place.vault.scope, ()) if _same(item.ref, ref)]
    if any(item.enabled is False for item in mine):
        yield f"{ref} is disabled (enabled: false): {operation.word} fails until it is enabled"
    listing = place.vault.scope
    if not mine and around.estate.was_read(ref.kind, listing):
        yield f"the listing of {ref.kind} in this vault was read and does not hold {ref.name}"
    if ref.kind == "secrets" and any(
        item.ref.kind == "certificates" and item.ref.name.casefold() == ref.name.casefold()
        for item in around.objects.get(place.vault.scope, ())
    ):
        yield f"{ref} holds the private key of the certificate of the same name"


def _same(one: ObjectRef, other: ObjectRef) -> bool:
    return one.kind == other.kind and one.name.casefold() == other.name.casefold()


def _accounts(around: Surroundings, principals: Iterable[str | None]) -> Iterator[str]:
    known = [
        around.estate.principals[item]
        for item in sorted({item for item in principals if item})
        if item in around.estate.principals
    ]
    disabled = [item.display_name or item.id for item in known if item.account_enabled is False]
    if disabled:
        yield f"accounts that are disabled (enabled: false) and cannot sign in: {_some(disabled)}"
    gone = [item.id for item in known if item.state is PrincipalState.NOT_FOUND]
    if gone:
        yield f"not found in the directory, so perhaps deleted or of another tenant: {_some(gone)}"
    restorable = [item.display_name or item.id for item in known if item.state is PrincipalState.DELETED_RESTORABLE]
    if restorable:
        yield f"deleted, and restorable with all access: {_some(restorable)}"


def _inert(around: Surroundings, place: Place, operation: Operation) -> Iterator[str]:
    vault = place.vault
    if vault.permission_model is PermissionModel.AZURE_RBAC and vault.access_policies:
        entries = len(vault.access_policies)
        yield (
            f"{entries} access {'policy entry is' if entries == 1 else 'policy entries are'} without effect: the vault uses "
            "Azure RBAC; changing the model back revives them"
        )
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        placed, _ = around.records_over(vault)
        inert = sum(
            1
            for record in placed
            if any(block.mask & operation.mask for block in around.grants.power(record.role).blocks)
        )
        if inert:
            yield (
                f"{inert} role {'assignment that names' if inert == 1 else 'assignments that name'} {operation.word} "
                f"{'is' if inert == 1 else 'are'} without effect: the vault uses access policies"
            )


def _policies(around: Surroundings, vault: Vault) -> Iterator[str]:
    if vault.permission_model is not PermissionModel.ACCESS_POLICIES:
        return
    entries = vault.access_policies or ()
    other = sum(
        1 for item in entries if item.tenant_id and vault.tenant_id and item.tenant_id != vault.tenant_id.casefold()
    )
    if other:
        yield f"{other} access policy entries name a tenant that is not the vault's and grant nothing"
    registrations = [
        item.object_id for item in entries if around.directory.type_of(item.object_id.casefold()) == "Application"
    ]
    if registrations:
        yield f"access policies name application registrations, which cannot hold access: {_some(registrations)}"
    words = sorted({word for item in entries for word in item.unknown_words})
    if words:
        yield f"access policies hold words that name no permission and grant nothing: {_some(words)}"


def _some(names: Iterable[str]) -> str:
    items = list(names)
    rest = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _what_was_read(around: Surroundings, place: Place) -> str:
    vault = place.vault
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        return f"read: the {len(vault.access_policies or ())} access policy entries of the vault; none gives it"
    chain = around.chain(vault, place.object)
    read = [item for item in chain if around.estate.was_read(ROLE_ASSIGNMENTS, item)]
    where = ", ".join(read) if read else "no listing of role assignments is on record"
    levels = ", ".join(scopes.level_of(item) for item in chain)
    return f"read: role assignments at {where}; none of those that reach the vault ({levels}) gives it"
