"""Sentences told beside an answer, which do not change it: network, disabled things, records without effect."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.conditions.question import WRITE_ASSIGNMENT
from kvaudit.access.consents import some
from kvaudit.access.denies import is_idle
from kvaudit.access.grants import Record
from kvaudit.access.places import ELIGIBILITY, ROLE_ASSIGNMENTS, Place
from kvaudit.access.roles import denied_operations, holds_action
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.directory import PrincipalState
from kvaudit.model.permissions import Operation
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault

_PIM_RULES = "whether an activation needs approval, multifactor authentication or a reason is in PIM's role settings, which are not read"


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says, as far as notes depend on it.

    Attributes:
        principals: folded IDs of those whom the answer names.
        cited: the records that it cites.
        holds: whether a principal may do, or may perhaps do, what was asked.
    """

    principals: tuple[str, ...]
    cited: tuple[Citation, ...]
    holds: Callable[[str], bool]


def for_decision(
    around: Surroundings, place: Place, operation: Operation, principal_id: str, answer: Answer, told: Told
) -> tuple[str, ...]:
    """Notes to the answer about one principal."""
    found = [*_about(around, place, operation, told), *_delegated(around, place.vault, principal_id)]
    kind = around.directory.type_of(principal_id)
    if kind == "Application":
        found.append(
            f"{principal_id} is the object ID of an application registration: grants to it are worth nothing, "
            "its service principal has another object ID"
        )
    elif kind == "ServicePrincipal":
        found.extend(around.consents.about_application(principal_id, told.holds))
    elif answer is not Answer.DENIED and kind == "User":
        found.extend(around.consents.about_user(principal_id))
    if answer is Answer.DENIED and not told.cited:
        found.append(_what_was_read(around, place))
        found.extend(_below_is_open(around, place.vault))
    return (*found, *_not_assessed(around, place))


def for_place(around: Surroundings, place: Place, operation: Operation, told: Told) -> tuple[str, ...]:
    """Notes to an answer about everybody at one vault or object."""
    return (
        *_about(around, place, operation, told),
        *_delegated(around, place.vault, None),
        *around.consents.about_holders(told.holds, anybody=bool(told.principals)),
        *_not_assessed(around, place),
    )


def _about(around: Surroundings, place: Place, operation: Operation, told: Told) -> Iterator[str]:
    vault = place.vault
    yield from _tenants(around, vault)
    yield from _network(vault)
    yield from _objects(around, place, operation)
    yield from _accounts(around, told.principals)
    yield from _activations(told.cited)
    yield from _root(around, vault, told.cited)
    yield from _audits(place, operation)
    yield from _inert(around, place, operation)
    yield from _policies(around, vault)


def _activations(cited: Iterable[Citation]) -> Iterator[str]:
    if any(item.kind is CitationKind.ELIGIBLE_ASSIGNMENT or item.awaits for item in cited):
        yield _PIM_RULES


def _root(around: Surroundings, vault: Vault, cited: Iterable[Citation]) -> Iterator[str]:
    """Grants at `/`: only elevated access, or who used it, makes them (facts azure.md 2.4)."""
    given = {item.id for item in cited if item.scope == scopes.ROOT and item.kind is not CitationKind.DENY_ASSIGNMENT}
    if given:
        one = len(given) == 1
        yield (
            f"{len(given)} of the records cited {'stands' if one else 'stand'} at /, above every management group: "
            "elevated access, or made with it"
        )
    powerful = [
        item for item in around.records.at(scopes.ROOT) if item.id not in given and _assigns_roles(around, item)
    ]
    if powerful and vault.permission_model is not PermissionModel.ACCESS_POLICIES:
        one = len(powerful) == 1
        yield (
            f"{len(powerful)} {'record at / (elevated access) lets its holder' if one else 'records at / (elevated access) let their holders'} "
            f"take any role on this vault"
        )


def _assigns_roles(around: Surroundings, record: Record) -> bool:
    permissions = around.grants.power(record.role).permissions or ()
    return around.grants.window(record)[0] and any(holds_action(item, WRITE_ASSIGNMENT) for item in permissions)


def _audits(place: Place, operation: Operation) -> Iterator[str]:
    """Deny assignments that would take the operation and only audit (facts azure.md 2.2; 12, 11: one report doubts it)."""
    names = [
        deny.name
        for deny in place.denies
        if is_idle(deny) and any(denied_operations(block)[0] & operation.mask for block in deny.permissions)
    ]
    if names:
        yield (
            f"deny assignments with effect audit log {operation.word} and deny nothing: {some(names)}; one public report "
            "says that some tenants enforce them all the same"
        )


def _below_is_open(around: Surroundings, vault: Vault) -> Iterator[str]:
    """Whether a list of eligibility at a subscription shows what stands below it is not documented (facts azure.md 2.4, 12)."""
    if vault.permission_model is not PermissionModel.AZURE_RBAC or not around.estate.was_read(
        ELIGIBILITY, f"{scopes.SUBSCRIPTION_PREFIX}{vault.subscription_id}"
    ):
        return
    shown = any(item.eligible and scopes.path_ancestors(item.scope)[1:] for item in around.estate.schedule_instances)
    if not shown:
        yield (
            "eligibility was listed at the subscription, and whether Azure shows there what stands on a resource group or "
            "vault is not documented: none was shown"
        )


def _delegated(around: Surroundings, vault: Vault, principal_id: str | None) -> Iterator[str]:
    """Azure Lighthouse: Azure takes no role with data actions in a delegation, and vaults no delegated data-plane request."""
    for item in around.estate.delegations:
        if not scopes.is_within(vault.scope, item.scope):
            continue
        tenant = item.managed_by_tenant or "that was not read"
        named = principal_id in {one.principal_id for one in item.authorizations or ()}
        if principal_id is None or named:
            level = scopes.level_of(item.scope)
            yield (
                f"{'this principal acts from tenant' if named else f'the {level} is delegated to tenant'} {tenant} through "
                "Azure Lighthouse, which gives no access to secrets, keys and certificates of itself"
                + (
                    "; a delegated role that writes vaults can edit these access policies"
                    if vault.permission_model is PermissionModel.ACCESS_POLICIES
                    else ""
                )
            )


def _not_assessed(around: Surroundings, place: Place) -> Iterator[str]:
    """One line of what nobody asked for, and what could therefore be said of nobody."""
    directory = around.directory
    groups = sorted(
        {
            item
            for layer in place.layers
            for item in layer.groups(directory)
            if directory.type_of(item) == "Group" and not directory.is_assessed(item)
        }
    )
    missing = []
    if groups:
        names = some(around.estate.principal(item).display_name or item for item in groups)
        missing.append(f"who is eligible for membership of {names} (PIM for Groups)")
    if not around.consents.was_read:
        missing.append("which applications users consented to for Key Vault")
    if missing:
        yield f"not assessed: {'; '.join(missing)}"


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


def _accounts(around: Surroundings, principals: Iterable[str]) -> Iterator[str]:
    known = [around.directory.principal(item) for item in sorted(set(principals))]
    disabled = [item.display_name or item.id for item in known if item.account_enabled is False]
    if disabled:
        yield f"accounts that are disabled (enabled: false) and cannot sign in: {some(disabled)}"
    gone = [item.id for item in known if item.state is PrincipalState.NOT_FOUND]
    if gone:
        yield f"not found in the directory, so perhaps deleted or of another tenant: {some(gone)}"
    restorable = [item.display_name or item.id for item in known if item.state is PrincipalState.DELETED_RESTORABLE]
    if restorable:
        yield f"deleted, and restorable with all access: {some(restorable)}"
    foreign = [item.display_name or item.id for item in known if item.state is PrincipalState.FOREIGN]
    if foreign:
        yield f"of another tenant, so this directory does not hold them: {some(foreign)}"
    unresolved = [item.id for item in known if item.state is PrincipalState.UNRESOLVED]
    if unresolved:
        yield f"not looked up in the directory, so whether they still exist is not known: {some(unresolved)}"


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
        said = (
            "entry names a tenant that is not the vault's and grants"
            if other == 1
            else "entries name a tenant that is not the vault's and grant"
        )
        yield f"{other} access policy {said} nothing"
    named = dict.fromkeys(item.object_id for item in entries)
    registrations = [item for item in named if around.directory.type_of(item.casefold()) == "Application"]
    if registrations:
        yield f"access policies name application registrations, which cannot hold access: {some(registrations)}"
    words = sorted({word for item in entries for word in item.unknown_words})
    if words:
        yield f"access policies hold words that name no permission and grant nothing: {some(words)}"


def _what_was_read(around: Surroundings, place: Place) -> str:
    vault = place.vault
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        entries = len(vault.access_policies or ())
        return f"read: the {entries} access policy {'entry' if entries == 1 else 'entries'} of the vault; none gives it"
    chain = around.chain(vault, place.object)
    where = ", ".join(item for item in chain if around.estate.was_read(ROLE_ASSIGNMENTS, item))
    counts = Counter(scopes.level_of(item) for item in chain)
    levels = ", ".join(level if number == 1 else f"{number} {level}s" for level, number in counts.items())
    return f"read: role assignments at {where}; none of those that reach it ({levels}) gives it"
