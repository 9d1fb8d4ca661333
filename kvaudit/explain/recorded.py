"""What the records say of an error that is not about grants: network, tenant, names, locks, disabled objects."""

import ipaddress
from collections.abc import Callable, Mapping

from kvaudit.access.evaluator import Access
from kvaudit.explain.explanation import Cause, Kind
from kvaudit.explain.facts import Facts
from kvaudit.model import scopes
from kvaudit.model.vaults import Vault


def vaults_in(facts: Facts, access: Access) -> tuple[Vault, ...]:
    """The records of the vault that a text names: several where it has a name that several have, and no resource ID of one."""
    name = (facts.vault or "").casefold()
    found = tuple(item for item in access.estate.vaults if item.name.casefold() == name)
    scope = scopes.vault_of(scopes.fold(facts.resource or ""))
    return tuple(item for item in found if item.scope == scope) or found


def vault_in(facts: Facts, access: Access) -> Vault | None:
    """The record of the vault that a text names, or None; of several none is taken, see `not_clear`."""
    found = vaults_in(facts, access)
    return found[0] if len(found) == 1 else None


def not_clear(facts: Facts, access: Access) -> Cause | None:
    """That the records hold several vaults of the name, and how to say which one is meant; None where it is clear."""
    found = vaults_in(facts, access)
    if len(found) < 2:
        return None
    ids = ", ".join(item.id for item in found)
    return Cause(
        f"the records hold {len(found)} vaults {found[0].name}, and were not asked about either",
        f"{ids}: perhaps it was moved, or deleted and made anew, while it was read. To say which one is meant, begin the text "
        "with a line `Resource: ` and its resource ID",
    )


def recorded(kind: Kind, facts: Facts, access: Access) -> Cause | None:
    """What the records say of an error of this kind; None where they say nothing of it."""
    about_names = _OF_NAMES.get(kind)
    if about_names is not None:
        return about_names(facts, access)
    vault = vault_in(facts, access)
    about_vaults = _OF_VAULTS.get(kind)
    if about_vaults is not None and (several := not_clear(facts, access)) is not None:
        return several
    return about_vaults(vault, facts, access) if vault is not None and about_vaults is not None else None


def _network(vault: Vault, facts: Facts, _: Access) -> Cause | None:
    public = vault.public_network_access or "not set (enabled)"
    acls = vault.network_acls
    approved = sum((item.status or "").casefold() == "approved" for item in vault.private_endpoint_connections)
    told = f"public network access {public}"
    if acls is not None:
        told += f"; default action {acls.default_action or 'not set (Allow)'}, bypass {acls.bypass or 'not set'}"
        told += f", {len(acls.ip_rules)} address rules, {len(acls.virtual_network_rules)} subnets"
    told += f"; {approved} approved private endpoints"
    address = facts.caller.address
    if address and acls is not None and _covers(acls.ip_rules, address):
        return Cause(
            f"the records let {address} through",
            f"a rule of {vault.name} covers it: it was added a moment ago, or taken away since; {told}",
        )
    return Cause(f"the network settings of {vault.name}, as it was read", told)


def _covers(rules: tuple[str, ...], address: str) -> bool:
    for rule in rules:
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(rule, strict=False):
                return True
        except ValueError:
            continue
    return False


def _tenant(vault: Vault, facts: Facts, access: Access) -> Cause | None:
    if not vault.tenant_id:
        return None
    home = next(
        (item.tenant_id for item in access.estate.subscriptions if item.subscription_id == vault.subscription_id), None
    )
    because = f"{vault.name} trusts tenant {vault.tenant_id}"
    if home and home.casefold() != vault.tenant_id.casefold():
        because += f", and its subscription is of tenant {home}: it was moved, and the vault was not"
    if facts.found_tenant:
        because += f"; the token is of tenant {facts.found_tenant.casefold()}"
    return Cause("the records say whose tokens the vault takes", because)


def _template(vault: Vault, _: Facts, __: Access) -> Cause | None:
    said = vault.enabled_for_template_deployment
    value = "true" if said else "not set" if said is None else "false"
    return Cause("enabledForTemplateDeployment, as it was read", f"it is {value} on {vault.name}")


def _disabled(vault: Vault, facts: Facts, access: Access) -> Cause | None:
    asked = (facts.object or "").casefold()
    for item in access.estate.objects:
        if scopes.fold(item.vault_id) == vault.scope and str(item.ref).casefold() == asked and item.enabled is not None:
            return Cause(f"{item.ref}, as it was read", "it is enabled" if item.enabled else "it is disabled")
    return None


def _locked(vault: Vault, _: Facts, access: Access) -> Cause | None:
    over = access.estate.scopes_over(vault.scope)
    found = [item for item in access.estate.locks if scopes.fold(item.scope) in over]
    told = "; ".join(f"{item.level} {item.id}" for item in found[:5])
    return Cause(f"{len(found)} locks stand over {vault.name}", told) if found else None


def _deleted(facts: Facts, access: Access) -> Cause | None:
    name = (facts.vault or "").casefold()
    for item in access.estate.deleted_vaults:
        if item.name.casefold() == name:
            kept = "; purge protection keeps it until then" if item.purge_protection_enabled else ""
            until = item.scheduled_purge_date or "a date that was not read"
            return Cause(f"the records hold a soft-deleted vault {item.name}", f"{item.id}, kept until {until}{kept}")
    found = vaults_in(facts, access)
    many = f"{len(found)} vaults" if len(found) > 1 else "a vault"
    return Cause(f"the records hold {many} {found[0].name}", ", ".join(item.id for item in found)) if found else None


_OF_NAMES: Mapping[Kind, Callable[[Facts, Access], Cause | None]] = {
    Kind.NAME_TAKEN: _deleted,
    Kind.SOFT_DELETED: _deleted,
    Kind.VAULT_NOT_FOUND: _deleted,
}
_OF_VAULTS: Mapping[Kind, Callable[[Vault, Facts, Access], Cause | None]] = {
    Kind.FIREWALL: _network,
    Kind.PRIVATE_LINK: _network,
    Kind.TENANT: _tenant,
    Kind.TEMPLATE_ACCESS: _template,
    Kind.OBJECT_DISABLED: _disabled,
    Kind.SCOPE_LOCKED: _locked,
}
