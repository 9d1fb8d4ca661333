"""Azure Lighthouse: what a subscription has delegated to another tenant. Role assignments do not show it (facts azure.md 2.4)."""

from collections.abc import Iterator, Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.authorization import role_guid
from kvaudit.model.identities import DelegatedAuthorization, Delegation

_TYPE = "/providers/microsoft.managedservices/registrationassignments/"


def parse(raw: Raw, scope: str) -> Delegation:  # noqa: ARG001 - every parser has this signature
    """A registration assignment with its definition, which says who gets what."""
    item = payload.mapping(raw, "registration assignment")
    identifier = payload.text(item, "id")
    place, found, _ = scopes.fold_name(identifier).rpartition(_TYPE)
    if not found:
        raise payload.UnreadableItemError("id is not that of a registration assignment")
    definition = payload.optional_mapping(payload.optional_mapping(item, "properties"), "registrationDefinition")
    stated = payload.optional_mapping(definition, "properties")
    return Delegation(
        id=identifier,
        scope=scopes.fold(place),
        managed_by_tenant=payload.optional_identifier(stated, "managedByTenantId"),
        name=payload.shown_text(stated, "registrationDefinitionName"),
        authorizations=tuple(_authorizations(stated)) if stated.get("authorizations") is not None else None,
    )


def _authorizations(stated: Mapping[str, Any]) -> Iterator[DelegatedAuthorization]:
    for key in ("authorizations", "eligibleAuthorizations"):
        for entry in payload.items(stated, key):
            line = payload.mapping(entry, key)
            yield DelegatedAuthorization(
                principal_id=payload.identifier(line, "principalId"),
                role=role_guid(payload.text(line, "roleDefinitionId")),
                principal_name=payload.shown_text(line, "principalIdDisplayName"),
                delegated_roles=tuple(map(role_guid, payload.optional_texts(line, "delegatedRoleDefinitionIds") or ())),
                eligible=key == "eligibleAuthorizations",
            )


DELEGATIONS = Collector(
    kind="delegations",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.ManagedServices/registrationAssignments",
    query={"$expandRegistrationDefinition": "true"},
    api_version="2022-10-01",
    requires=(
        "Microsoft.ManagedServices/registrationAssignments/read",
        "Microsoft.ManagedServices/registrationDefinitions/read",
    ),
    parse=parse,
    feature=Feature.IDENTITIES,
)
