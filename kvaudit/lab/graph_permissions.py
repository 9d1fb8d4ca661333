"""Which app permissions let a caller read which kind of directory object.

Written from the permission tables of learn.microsoft.com/graph/api (user-get, group-get, serviceprincipal-get,
group-list-members, directoryobject-getbyids) and learn.microsoft.com/graph/permissions-reference.
"""

from collections.abc import Mapping
from typing import Any

USER = "#microsoft.graph.user"
GROUP = "#microsoft.graph.group"
SERVICE_PRINCIPAL = "#microsoft.graph.servicePrincipal"
APPLICATION = "#microsoft.graph.application"
DEVICE = "#microsoft.graph.device"

DIRECTORY_WIDE = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})

READERS: Mapping[str, frozenset[str]] = {
    USER: DIRECTORY_WIDE | {"User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All"},
    GROUP: DIRECTORY_WIDE
    | {"Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All"},
    SERVICE_PRINCIPAL: DIRECTORY_WIDE
    | {"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"},
    APPLICATION: DIRECTORY_WIDE
    | {"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"},
    DEVICE: DIRECTORY_WIDE | {"Device.Read.All"},
}
"""Any one of these reads every object of the type."""

MEMBER_READERS = DIRECTORY_WIDE | {
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
}
"""Any one of these lists a group's members and owners."""

MEMBERSHIP_READERS: Mapping[str, frozenset[str]] = {
    USER: DIRECTORY_WIDE | {"User.Read.All", "GroupMember.Read.All"},
    GROUP: MEMBER_READERS,
    SERVICE_PRINCIPAL: DIRECTORY_WIDE | {"Application.Read.All", "Application.ReadWrite.All"},
}
"""Any one of these answers memberOf, getMemberGroups and checkMemberGroups of an object of the type."""

HIDDEN_MEMBERSHIP = "Member.Read.Hidden"
"""Needed beside the others for groups whose `visibility` is HiddenMembership."""

ORGANIZATION_READERS = DIRECTORY_WIDE | {"Organization.Read.All", "Organization.ReadWrite.All"}

FEDERATED_CREDENTIAL_READERS = frozenset(
    {"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"}
)
"""Any one of these lists an application's federated credentials. Directory.Read.All is not among them
(application-list-federatedidentitycredentials)."""

APP_ROLE_READERS = DIRECTORY_WIDE | {
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
}
"""Any one of these lists app role assignments (serviceprincipal-list-approleassignedto)."""

GRANT_READERS = DIRECTORY_WIDE | {"DelegatedPermissionGrant.Read.All", "DelegatedPermissionGrant.ReadWrite.All"}
"""Any one of these lists consents (oauth2permissiongrant-list)."""

ROLE_READERS = DIRECTORY_WIDE | {
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
}
"""Any one of these lists assignments and definitions of Entra roles (rbacapplication-list-roleassignments)."""

_ROLE_PIM = ("RoleManagement.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory")

ROLE_ELIGIBILITY_READERS = (
    "RoleEligibilitySchedule.Read.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    *_ROLE_PIM,
)
"""Any one of these lists who is eligible for Entra roles (rbacapplication-list-roleeligibilityscheduleinstances). The PIM
faces name all of them, in this order, in their refusal."""

ROLE_SCHEDULE_READERS = (
    "RoleAssignmentSchedule.Read.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    *_ROLE_PIM,
)

GROUP_ELIGIBILITY_READERS = (
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "PrivilegedAccess.Read.AzureADGroup",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
)
"""As a public report of the refusal lists them (EasyPIM 37)."""

GROUP_SCHEDULE_READERS = (
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "PrivilegedAccess.Read.AzureADGroup",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
)

LIMITED_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    USER: ("displayName", "userPrincipalName", "mail", "accountEnabled", "userType"),
    GROUP: ("displayName", "description", "mail", "securityEnabled", "visibility"),
    SERVICE_PRINCIPAL: ("displayName", "appId", "accountEnabled", "servicePrincipalType"),
    APPLICATION: ("displayName", "appId"),
    DEVICE: ("displayName", "deviceId", "accountEnabled"),
}
"""Properties that come back as null when the caller may know of the object but not read it."""


def limited(object_type: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The object as a caller sees it who may not read its type: id and null fields.

    Source: learn.microsoft.com/graph/permissions-overview, "Limited information returned for inaccessible member
    objects".
    """
    return {"@odata.type": object_type, "id": raw["id"]} | dict.fromkeys(LIMITED_PROPERTIES.get(object_type, ()))
