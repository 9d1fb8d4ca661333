"""Role definitions, built-in and custom."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.collectors.permission_blocks import permission_blocks
from kvaudit.model.authorization import RoleDefinition, role_guid


def parse(raw: Raw, scope: str) -> RoleDefinition:  # noqa: ARG001 - every parser has this signature
    """A role definition with all its permission blocks, each with its own condition."""
    item = payload.mapping(raw, "role definition")
    properties = payload.mapping(item.get("properties"), "properties")
    identifier = payload.text(item, "id")
    return RoleDefinition(
        id=identifier,
        name=role_guid(identifier),
        role_name=payload.shown_text(properties, "roleName") or role_guid(identifier),
        role_type=payload.shown_text(properties, "type"),
        permissions=permission_blocks(properties),
        assignable_scopes=payload.optional_texts(properties, "assignableScopes") or (),
    )


ROLE_DEFINITIONS = Collector(
    kind="role_definitions",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Authorization/roleDefinitions",
    # With it, custom roles that can be assigned in single resource groups are listed too (facts azure.md 2.5).
    query={"$filter": "atScopeAndBelow()"},
    # Older versions drop the conditions of permission blocks: conditioned roles would look unconditioned.
    api_version="2022-05-01-preview",
    requires=("Microsoft.Authorization/roleDefinitions/read",),
    parse=parse,
)
