"""Answers as sentences: "allowed, because role assignment … gives Key Vault Secrets User at resource group …".

Tenant's text stands in these sentences as it is: each format escapes them (`cli.messages.shown` on a terminal).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.kinds import kind_words

_NO_GAPS: Mapping[str, Gap] = MappingProxyType({})

_KINDS = {
    "User": "user",
    "Group": "group",
    "ServicePrincipal": "service principal",
    "ForeignGroup": "foreign group",
    "Application": "application registration",
    "Device": "device",
}


_PLAIN = re.compile(r"[\w.@&()+/ -]{1,120}")
_LONGEST = 120
"""Characters of a name that a sentence shows; tenants may give some things names of thousands."""


def quoted(name: str) -> str:
    """A name as it stands in a sentence: in quotes when it could be taken for a part of the sentence, and cut to size."""
    if _PLAIN.fullmatch(name):
        return name
    cut = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return '"' + cut.replace('"', "'") + '"'


def principal_name(estate: Estate, principal_id: str | None) -> str:
    """A principal for a person: `group payments-ops`, or its ID where no name is known."""
    if principal_id is None:
        return "somebody who could not be read"
    principal = estate.principal(principal_id)
    kind = _KINDS.get(principal.type or "", "principal")
    if principal.user_type == "Guest":
        kind = "guest"
    if principal.service_principal_type == "ManagedIdentity":
        kind = "managed identity"
    return f"{kind} {quoted(principal.display_name or principal_id)}"


def scope_name(estate: Estate, scope: str | None) -> str:
    """A scope for a person: `resource group rg-payments`, `subscription Payments`."""
    if scope is None:
        return "an unknown scope"
    level = scopes.level_of(scope)
    if level == "root":
        return "the root scope /"
    last = scope.rsplit("/", 1)[-1]
    if level == "subscription":
        return f"subscription {quoted(estate.subscription_names.get(last) or last)}"
    if level == "resource" and "/microsoft.keyvault/vaults/" in scope:
        return f"vault {last}"
    if level == "object":
        return f"the object {'/'.join(scope.rsplit('/', 2)[-2:])}"
    return f"{level} {last}"


_COLLECTIONS = {
    "groups": "every group",
    "applications": "the application registrations",
    "servicePrincipals": "the service principals",
    "directory": "the directory",
    "directory/deletedItems": "what was deleted from the directory",
}
"""Scopes of gaps of a kind that the directory refuses altogether."""

_LOOK_UP = "directoryObjects/getByIds/"
_THINGS = {"groups": "group", "applications": "application registration", "servicePrincipals": "service principal"}


def gap_place(estate: Estate, gap: Gap) -> str:
    """Where something was not read: `subscription Payments`, `group operators`."""
    if gap.scope.startswith("/"):
        return scope_name(estate, scopes.fold(gap.scope))
    if gap.scope in _COLLECTIONS:
        return _COLLECTIONS[gap.scope]
    if gap.scope.startswith(_LOOK_UP):
        return _COLLECTIONS["directory"]
    kind, _, principal = gap.scope.partition("/")
    if kind not in _THINGS or not principal:
        return gap.scope
    name = estate.principal(principal.casefold()).display_name
    return f"{_THINGS[kind]} {quoted(name) if name else principal}"


def closing(gap: Gap) -> str:
    """What closes a gap, as a clause."""
    if gap.permission:
        return f"closed by {gap.permission}"
    return "asking again may close it" if gap.retryable else "no permission is known to close it"


def gap_sentence(estate: Estate, gap: Gap) -> str:
    """One gap on one line: what, where, why, its id, and what closes it."""
    return f"{_missing(estate, gap)}: {gap.reason} ({gap.id}); {closing(gap)}"


def _missing(estate: Estate, gap: Gap) -> str:
    what = kind_words(gap.kind)
    return f"{what} of {gap_place(estate, gap)}" if "/" in gap.scope else what


def citation_sentence(
    estate: Estate, citation: Citation, principal_id: str | None, gaps: Mapping[str, Gap] = _NO_GAPS
) -> str:
    """What one record gives, to whom, and through which groups, as a clause without a full stop.

    Args:
        gaps: by id: a citation of one of these tells what was not read, and not only the gap's id.
    """
    if citation.kind is CitationKind.GAP:
        gap = gaps.get(citation.id)
        if gap is None:
            return f"what could not be read ({citation.id}) may hide a record that decides"
        return f"{_missing(estate, gap)} could not be read ({gap.id}), which may hide a record that decides"
    where = scope_name(estate, citation.scope)
    if citation.kind is CitationKind.DENY_ASSIGNMENT:
        verb = "denies" if citation.answer is Answer.DENIED else "may deny"
        return f"deny assignment {_short(citation.id)} at {where} {verb} it" + _when(estate, citation)
    if citation.kind is CitationKind.VAULT:
        return citation.condition or f"the properties of {where} decide it"
    if citation.kind in _BESIDE:
        return _beside(estate, citation, principal_id)
    return _grant(estate, citation, principal_id, where) + _when(estate, citation)


_BESIDE = frozenset(
    {
        CitationKind.OWNERSHIP,
        CitationKind.DIRECTORY_ROLE,
        CitationKind.APPLICATION_PERMISSION,
        CitationKind.GROUP_SCHEDULE,
        CitationKind.RESOURCE_IDENTITY,
        CitationKind.FEDERATED_CREDENTIAL,
        CitationKind.DELEGATION,
    }
)
"""Records that give no access by themselves and open a route to somebody's who has it."""


def _beside(estate: Estate, citation: Citation, principal_id: str | None) -> str:
    """A record of a route: an ownership, a directory role, a resource's identity."""
    who, parts = principal_name(estate, principal_id), citation.id.split("/")
    until = f", until {citation.ends}" if citation.ends else ""
    waits = ", once it is activated" if citation.answer is Answer.CONDITIONAL else ""
    match citation.kind:
        case CitationKind.OWNERSHIP:
            thing = estate.principal(parts[1]) if len(parts) > 1 else None
            name = (thing.display_name if thing else None) or "/".join(parts[:2])
            return f"{who} is recorded as an owner of {quoted(name)}"
        case CitationKind.DIRECTORY_ROLE:
            return f"directory role {citation.role or 'that was not read'} of {who}{waits}{until}"
        case CitationKind.APPLICATION_PERMISSION:
            return f"{who} holds the application permission {citation.role or 'that was not read'}"
        case CitationKind.GROUP_SCHEDULE:
            return f"PIM for Groups, instance {_short(citation.id)}{waits}{until}"
        case CitationKind.RESOURCE_IDENTITY:
            return f"resource {_short(citation.id)} runs as the identity"
        case CitationKind.FEDERATED_CREDENTIAL:
            return f"federated credential {_short(citation.id)}"
    return f"delegation {_short(citation.id)} at {scope_name(estate, citation.scope)} gives {citation.role or 'a role'}{waits}"


def _grant(estate: Estate, citation: Citation, principal_id: str | None, where: str) -> str:
    chain = citation.groups
    doubtful = citation.answer is Answer.UNKNOWN
    receiver = principal_name(estate, principal_id if doubtful or not chain else chain[0])
    through = _through(estate, citation, principal_id)
    if citation.kind is CitationKind.ACCESS_POLICY:
        if doubtful:
            return f"the access policies of {where} may count for {receiver}{through}"
        return f"the access policies of {where} name {receiver}{through}"
    role = quoted(citation.role) if citation.role else "a role that was not read"
    record = _short(citation.id)
    if citation.kind is CitationKind.ELIGIBLE_ASSIGNMENT:
        verb = "may make" if doubtful else "makes"
        among = f"{receiver}{through}," if through.startswith(",") else f"{receiver}{through}"
        return f"eligible assignment {record} {verb} {among} eligible for {role} at {where}"
    return f"role assignment {record} {'may give' if doubtful else 'gives'} {role} at {where} to {receiver}{through}"


def _through(estate: Estate, citation: Citation, principal_id: str | None) -> str:
    chain = citation.groups
    if not chain:
        return ""
    if citation.answer is Answer.UNKNOWN:
        # Perhaps a member, perhaps a member whose grant is in doubt: the record alone does not say which.
        return f" through {', then '.join(principal_name(estate, group) for group in chain)}"
    via = f" through {', then '.join(principal_name(estate, group) for group in chain[1:])}" if chain[1:] else ""
    become = "can become" if citation.awaits else "is"
    return f", of which {principal_name(estate, principal_id)} {become} a member{via}"


def _when(estate: Estate, citation: Citation) -> str:
    waits = [", once it is activated"] if citation.kind is CitationKind.ELIGIBLE_ASSIGNMENT else []
    if citation.awaits:
        groups = " and of ".join(principal_name(estate, group) for group in citation.awaits)
        waits.append(f", once membership of {groups} is active")
    if citation.begins:
        waits.append(f", not before {citation.begins}")
    if words := citation.words:
        waits.append(f", {words}" if words.startswith("only ") else f", on the condition: {words}")
    return "".join(waits) + (f", until {citation.ends}" if citation.ends else "")


def _short(record_id: str) -> str:
    return record_id.rstrip("/").rsplit("/", 1)[-1]
