"""Application registrations of the tenant, from Microsoft Graph v1.0."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model.identities import Application

APPLICATIONS_SCOPE = "applications"
"""The listing's scope: there is one for the tenant."""


def parse(raw: Raw, scope: str) -> Application:  # noqa: ARG001 - every parser has this signature
    """An application registration."""
    item = payload.mapping(raw, "application")
    return Application(
        id=payload.identifier(item, "id"),
        app_id=payload.identifier(item, "appId"),
        display_name=payload.shown_text(item, "displayName"),
    )


APPLICATIONS = Collector(
    kind="applications",
    plane=Plane.GRAPH,
    path="/v1.0/applications",
    query={"$select": "id,appId,displayName", "$top": "999"},
    requires=("Application.Read.All",),
    parse=parse,
    feature=Feature.IDENTITIES,
)
