"""Answers as sentences: "allowed, because role assignment … gives Key Vault Secrets User at resource group …".

Tenant's text stands in these sentences as it is: each format escapes them (`cli.messages.shown` on a terminal).
"""

from kvaudit.access.answers import Citation, CitationKind, Decision
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate


def principal_name(estate: Estate, principal_id: str | None) -> str:
    """A principal for a person: `group payments-ops`, or its ID where no name is known."""
    if principal_id is None:
        return "somebody who could not be read"
    principal = estate.principal(principal_id)
    kind = {
        "User": "user",
        "Group": "group",
        "ServicePrincipal": "service principal",
        "ForeignGroup": "foreign group",
    }.get(principal.type or "", "principal")
    if principal.user_type == "Guest":
        kind = "guest"
    if principal.service_principal_type == "ManagedIdentity":
        kind = "managed identity"
    return f"{kind} {principal.display_name or principal_id}"


def scope_name(estate: Estate, scope: str | None) -> str:
    """A scope for a person: `resource group rg-payments`, `subscription Payments`."""
    if scope is None:
        return "an unknown scope"
    level = scopes.level_of(scope)
    if level == "root":
        return "the root scope /"
    last = scope.rsplit("/", 1)[-1]
    if level == "subscription":
        names = {item.subscription_id: item.display_name for item in estate.subscriptions}
        return f"subscription {names.get(last) or last}"
    if level == "resource" and "/microsoft.keyvault/vaults/" in scope:
        return f"vault {last}"
    if level == "object":
        return f"the object {'/'.join(scope.rsplit('/', 2)[-2:])}"
    return f"{level} {last}"


def citation_sentence(estate: Estate, citation: Citation, principal_id: str | None) -> str:
    """What one record gives, to whom, and through which groups, as a clause without a full stop."""
    where = scope_name(estate, citation.scope)
    if citation.kind is CitationKind.GAP:
        return f"what could not be read ({citation.id}) may hide a record that decides"
    if citation.kind is CitationKind.DENY_ASSIGNMENT:
        return f"deny assignment {_short(citation.id)} at {where} denies it" + _when(citation)
    if citation.kind is CitationKind.VAULT:
        return f"the properties of {where} decide it" + _when(citation)
    chain = citation.groups
    receiver = principal_name(estate, chain[0] if chain else principal_id)
    if citation.kind is CitationKind.ACCESS_POLICY:
        text = f"the access policies of {where} name {receiver}"
    else:
        verb = "makes eligible for" if citation.kind is CitationKind.ELIGIBLE_ASSIGNMENT else "gives"
        record = "eligible assignment" if citation.kind is CitationKind.ELIGIBLE_ASSIGNMENT else "role assignment"
        text = f"{record} {_short(citation.id)} {verb} {citation.role or 'a role that was not read'} at {where} to {receiver}"
    return text + _membership(estate, chain, principal_id) + _when(citation)


def _membership(estate: Estate, chain: tuple[str, ...], principal_id: str | None) -> str:
    if not chain:
        return ""
    through = [principal_name(estate, group) for group in chain[1:]]
    via = f" through {', then '.join(through)}" if through else ""
    return f", of which {principal_name(estate, principal_id)} is a member{via}"


def _when(citation: Citation) -> str:
    text = f", on the condition: {citation.condition}" if citation.condition else ""
    return text + (f", until {citation.ends}" if citation.ends else "")


def _short(record_id: str) -> str:
    return record_id.rstrip("/").rsplit("/", 1)[-1]


def decision_sentences(estate: Estate, decision: Decision) -> tuple[str, ...]:
    """A decision as lines: the answer with its first reason, further reasons, gaps, then notes beside the answer."""
    reasons = [citation_sentence(estate, item, decision.principal_id) for item in decision.because]
    if not reasons:
        reasons = ["no record that was read gives it"] if decision.answer is Answer.DENIED else []
    gaps = {gap.id: gap for gap in decision.gaps}
    lines = [f"{decision.answer.value}, because {reasons[0]}" if reasons else decision.answer.value]
    lines.extend(f"and {reason}" for reason in reasons[1:])
    lines.extend(f"not read: {gap.kind} at {gap.scope}: {gap.reason} ({gap.id})" for gap in gaps.values())
    lines.extend(f"note: {note}" for note in decision.notes)
    return tuple(lines)
