"""Entra directory roles by their published template ids, the same in every tenant.

Source: learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference. Those that can reach a vault by
way of an identity, and a few that only read.
"""

from kvaudit.lab.estate import Raw

DIRECTORY_ROLES = {
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Authentication Administrator": "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Groups Administrator": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    "Password Administrator": "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
}
"""By name."""


def directory_role(name: str, identity: str) -> Raw:
    """A `unifiedRoleDefinition` as Graph sends it, without the list of its permissions."""
    return {
        "id": identity,
        "templateId": identity,
        "displayName": name,
        "description": name,
        "isBuiltIn": True,
        "isEnabled": True,
        "resourceScopes": ["/"],
        "rolePermissions": [],
        "version": "1",
    }


def directory_roles() -> dict[str, Raw]:
    """The published definitions by id, fresh copies."""
    return {identity: directory_role(name, identity) for name, identity in DIRECTORY_ROLES.items()}
