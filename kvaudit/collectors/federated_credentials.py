"""Federated credentials: tokens of an issuer that are taken for an application or a user-assigned identity.

Two services answer them in two shapes: Graph for applications, Resource Manager for user-assigned identities. Whoever
controls the subject at the issuer acts as the identity (facts azure.md 8, E12 and E28).
"""

from collections.abc import Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.identities import FederatedCredential


def parse_of_identity(raw: Raw, scope: str) -> FederatedCredential:
    """A credential of the user-assigned identity whose resource ID is the listing's scope."""
    item = payload.mapping(raw, "federated credential")
    properties = payload.optional_mapping(item, "properties")
    return _credential(scopes.fold(scope), payload.text(item, "name"), properties)


def parse_of_application(raw: Raw, scope: str) -> FederatedCredential:
    """A credential of the application that the listing's scope `applications/{id}` names."""
    item = payload.mapping(raw, "federated credential")
    return _credential(payload.scope_id(scope, "applications"), payload.text(item, "name"), item)


def _credential(target: str, name: str, stated: Mapping[str, Any]) -> FederatedCredential:
    # A credential that matches claims by an expression has no subject; it is a credential all the same.
    return FederatedCredential(
        target=target,
        name=name,
        issuer=payload.shown_text(stated, "issuer"),
        subject=payload.shown_text(stated, "subject"),
        audiences=payload.shown_texts(stated, "audiences"),
    )


FEDERATED_CREDENTIALS = Collector(
    kind="federated_credentials",
    plane=Plane.ARM,
    path="{scope}/federatedIdentityCredentials",
    api_version="2023-01-31",
    requires=("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",),
    parse=parse_of_identity,
    feature=Feature.IDENTITIES,
)

APPLICATION_FEDERATED_CREDENTIALS = Collector(
    kind="application_federated_credentials",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}/federatedIdentityCredentials",
    requires=("Application.Read.All",),
    parse=parse_of_application,
    feature=Feature.IDENTITIES,
)
