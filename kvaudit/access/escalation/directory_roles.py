"""What the directory lets somebody become: owners of applications, directory roles, permissions on Microsoft Graph (E7, E13).

Role template IDs and what each role may change: Microsoft, entra/identity/role-based-access-control/permissions-reference;
IDs of Graph's application permissions: Microsoft, graph/permissions-reference. Who may change a role-assignable group:
entra groups-assign-member-owner (its owners, Privileged Role Administrator, Global Administrator).
"""

from collections.abc import Iterator, Mapping
from enum import Enum

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.directory import Directory
from kvaudit.access.escalation.actors import Actors, surest
from kvaudit.access.escalation.answers import Confidence
from kvaudit.access.escalation.powers import weaker
from kvaudit.access.escalation.takeover import Takeover, of_principal
from kvaudit.access.moments import Clock
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.identities import DirectoryRoleAssignment, Ownership
from kvaudit.model.permissions import all_operations_mask

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"


class Kind(Enum):
    """What a target is, as far as it matters who may act as it."""

    APPLICATION = "application"
    PLAIN_GROUP = "group"
    PROTECTED_GROUP = "role-assignable group"
    USER = "user"
    OTHER = "other"


_A, _G, _P, _U = Kind.APPLICATION, Kind.PLAIN_GROUP, Kind.PROTECTED_GROUP, Kind.USER

_BY_ROLE: Mapping[str, tuple[str, frozenset[Kind]]] = {
    GLOBAL_ADMINISTRATOR: ("Global Administrator", frozenset({_A, _G, _P, _U})),
    PRIVILEGED_ROLE_ADMINISTRATOR: ("Privileged Role Administrator", frozenset({_P})),
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": ("Privileged Authentication Administrator", frozenset({_U})),
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": ("Application Administrator", frozenset({_A})),
    "158c047a-c907-4556-b7ef-446551a6b5f7": ("Cloud Application Administrator", frozenset({_A})),
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": ("Groups Administrator", frozenset({_G})),
    "fe930be7-5e62-47db-91af-98c3a49a38b1": ("User Administrator", frozenset({_G, _U})),
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": ("Authentication Administrator", frozenset({_U})),
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": ("Helpdesk Administrator", frozenset({_U})),
    "966707d0-3269-4727-9be2-8c3a10f19b9d": ("Password Administrator", frozenset({_U})),
}
_OF_ANYBODY = frozenset({GLOBAL_ADMINISTRATOR, "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"})
"""Roles that reset the password of everybody; the others not those of administrators: `DirectoryRoles._is_ordinary`."""

_BY_PERMISSION: Mapping[str, tuple[str, frozenset[Kind]]] = {
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": ("Application.ReadWrite.All", frozenset({_A})),
    "06b708a9-e830-4db3-a914-8e69da51d44f": ("AppRoleAssignment.ReadWrite.All", frozenset({_A, _G, _P, _U})),
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": ("RoleManagement.ReadWrite.Directory", frozenset({_A, _G, _P, _U})),
    "62a82d76-70ea-41e2-9197-370581804d09": ("Group.ReadWrite.All", frozenset({_G})),
    "dbaae8cf-10b5-4b86-a4a1-f871c94c6695": ("GroupMember.ReadWrite.All", frozenset({_G})),
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7": ("Directory.ReadWrite.All", frozenset({_G})),
}
_PERMISSION_IDS = {name: guid for guid, (name, _) in _BY_PERMISSION.items()}

_HOW = {
    Kind.APPLICATION: "adds a credential to {target} and signs in as it",
    Kind.PLAIN_GROUP: "adds itself to {target}",
    Kind.PROTECTED_GROUP: "adds itself to {target}, which is role-assignable",
    Kind.USER: "resets the password of {target}",
}
_MFA = "multifactor authentication or Conditional Access may stand in the way"


class DirectoryRoles:
    """Who can become whom by the directory's own rights.

    Args:
        estate: the records.
        directory: types and memberships.
    """

    def __init__(self, estate: Estate, directory: Directory) -> None:
        self._estate = estate
        self._directory = directory
        self._applications: dict[str, list[str]] = {}
        for application in estate.applications:
            self._applications.setdefault(application.app_id, []).append(application.id)
        self._owners: dict[str, list[Ownership]] = {}
        self._guardians: set[str] = set()
        for item in estate.ownerships:
            if item.target_kind.casefold() != "group":
                self._owners.setdefault(item.target, []).append(item)
            elif estate.principal(item.target).is_assignable_to_role:
                self._guardians.add(item.owner)
        clock = Clock(estate.collected_at)
        self._roles = tuple(item for item in estate.directory_roles if not clock.is_past(item.end))
        self._privileged = frozenset(item.principal_id for item in estate.directory_roles)

    @property
    def targets(self) -> frozenset[str]:
        """Folded IDs of principals that somebody can act as by these rights: those of a group count for the group."""
        owned = {
            item.id
            for item in self._estate.principals.values()
            if item.id in self._owners or any(key in self._owners for key in self._registrations(item.app_id))
        }
        # Some may be known by their owners alone.
        owned.update(
            item.target for item in self._estate.ownerships if item.target_kind.casefold() == "serviceprincipal"
        )
        if not self._estate.directory_roles and not self._estate.application_permissions:
            return frozenset(owned)
        return frozenset(owned | {item.id for item in self._estate.principals.values() if item.type != "User"})

    def actors(self, target: str) -> Iterator[Actors]:
        """Those who can act as one principal without a directory role, which would let them act as anybody."""
        yield Actors(
            surest((item.principal_id, item.answer) for item in self._without_roles(target) if item.principal_id)
        )

    def ways_of(self, principal: str, target: str) -> Iterator[Takeover]:
        """The ways of one principal to act as another without a directory role, by its groups too."""
        yield from of_principal(self._without_roles(target), principal, self._directory)

    def _without_roles(self, target: str) -> Iterator[Takeover]:
        yield from self._owning(target)
        yield from self._permitted(target, self._kind(target))

    def ways(self, target: str) -> Iterator[Takeover]:
        """The ways to act as one principal."""
        yield from self._owning(target)
        kind = self._kind(target)
        if kind is Kind.OTHER:
            return
        for role in self._roles:
            yield from self._by_role(role, target, kind)
            if kind in (Kind.PLAIN_GROUP, Kind.PROTECTED_GROUP):
                yield from self._by_role_over_a_member(role, target)
        yield from self._permitted(target, kind)

    def _permitted(self, target: str, kind: Kind) -> Iterator[Takeover]:
        """The ways of applications by their permissions on Microsoft Graph."""
        for permission in self._estate.application_permissions:
            known = _BY_PERMISSION.get(_PERMISSION_IDS.get(permission.value or "", permission.app_role_id))
            if known and kind in known[1]:
                name = known[0]
                identity = f"servicePrincipals/{permission.principal_id}/appRoleAssignments/{permission.app_role_id}"
                via = (Citation(CitationKind.APPLICATION_PERMISSION, identity, role=name),)
                note = _MFA if kind is Kind.USER else ""
                how = _HOW[kind] if name not in _MAKES_ITSELF else f"gives itself what it needs, then {_HOW[kind]}"
                yield Takeover("E13", permission.principal_id, target, Answer.ALLOWED, (name,), via, how, note)

    def elevating(self) -> Iterator[Takeover]:
        """E7: those who may elevate themselves to User Access Administrator at `/`. They are their own target."""
        for role in self._roles:
            if role.directory_scope != "/" or role.role_id not in (GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR):
                continue
            first = "" if role.role_id == GLOBAL_ADMINISTRATOR else "makes itself Global Administrator, then "
            how = f"{first}gives itself User Access Administrator at / and assigns roles from there"
            answer = Answer.CONDITIONAL if role.eligible else Answer.ALLOWED
            sure = None if role.role_id == GLOBAL_ADMINISTRATOR else Confidence.MEDIUM
            names = (_BY_ROLE[role.role_id][0], "Microsoft.Authorization/elevateAccess/action")
            mask = all_operations_mask()
            yield Takeover("E7", role.principal_id, role.principal_id, answer, names, _cited(role), how, "", sure, mask)

    def _registrations(self, app_id: str | None) -> tuple[str, ...]:
        return tuple(self._applications.get((app_id or "").casefold(), ()))

    def _owning(self, target: str) -> Iterator[Takeover]:
        principal = self._directory.principal(target)
        if principal.service_principal_type == "ManagedIdentity":
            return  # nobody can add a credential to it
        for thing, kind in (
            (target, "servicePrincipals"),
            *((item, "applications") for item in self._registrations(principal.app_id)),
        ):
            for item in self._owners.get(thing, ()):
                via = (Citation(CitationKind.OWNERSHIP, f"{kind}/{thing}/owners/{item.owner}"),)
                how = "owns {target}, adds a credential and signs in as it"
                yield Takeover("E13", item.owner, target, Answer.ALLOWED, ("ownership of an application",), via, how)

    def _kind(self, target: str) -> Kind:
        principal = self._directory.principal(target)
        match self._directory.type_of(target):
            case "User":
                return Kind.USER
            case "Group":
                return Kind.PROTECTED_GROUP if principal.is_assignable_to_role else Kind.PLAIN_GROUP
            case "ServicePrincipal" if principal.service_principal_type != "ManagedIdentity":
                return Kind.APPLICATION
        return Kind.OTHER

    def _by_role(self, role: DirectoryRoleAssignment, target: str, kind: Kind) -> Iterator[Takeover]:
        known = _BY_ROLE.get(role.role_id)
        if known is None or kind not in known[1]:
            return
        answer = Answer.CONDITIONAL if role.eligible else Answer.ALLOWED
        if role.directory_scope != "/":
            answer = weaker(answer, self._within(role.directory_scope, target))
        if kind is Kind.USER and role.role_id not in _OF_ANYBODY:
            answer = weaker(answer, self._is_ordinary(target))
        if kind is Kind.PLAIN_GROUP and self._directory.principal(target).display_name is None:
            answer = weaker(
                answer, Answer.UNKNOWN
            )  # not described: it may be one that can hold roles, which is protected
        if answer is Answer.DENIED:
            return
        note = _MFA if kind is Kind.USER else ""
        yield Takeover("E13", role.principal_id, target, answer, (known[0],), _cited(role), _HOW[kind], note)

    def _by_role_over_a_member(self, role: DirectoryRoleAssignment, target: str) -> Iterator[Takeover]:
        """A role that resets the password of a user in a group that has access. Which user is left open.

        Where nobody knows whether a user is in it, neither does anybody know the route.
        """
        people, note = self._estate.people_in_groups, _MFA
        if not people.has_people(target) and not people.may_hide_people(target):
            return
        known = _BY_ROLE.get(role.role_id)
        if known is None or Kind.USER not in known[1]:
            return
        if self._kind(target) is Kind.PROTECTED_GROUP and role.role_id not in _OF_ANYBODY:
            return
        answer = Answer.CONDITIONAL if role.eligible else Answer.ALLOWED
        if role.directory_scope != "/":
            answer = Answer.UNKNOWN
        if not people.has_people(target):
            answer, note = Answer.UNKNOWN, f"{_MFA}; who is in the group was not read to the end"
        how = "resets the password of a member of {target}"
        yield Takeover("E13", role.principal_id, target, answer, (known[0],), _cited(role), how, note)

    def _is_ordinary(self, user: str) -> Answer:
        """Whether a user is one whose password more than the highest roles reset.

        Not those of members and owners of a role-assignable group, and of those who hold a directory role only some
        (Microsoft, permissions-reference: "can't change the credentials", "who can reset passwords").
        """
        groups = self._directory.chains_up(user)
        if user in self._guardians or any(self._kind(item) is Kind.PROTECTED_GROUP for item in groups):
            return Answer.DENIED
        return Answer.ALLOWED if self._privileged.isdisjoint({user, *groups}) else Answer.CONDITIONAL

    def _within(self, scope: str, target: str) -> Answer:
        """Whether a role at part of the directory reaches a target: who is in an administrative unit is not collected."""
        if scope.casefold().startswith("/administrativeunits/"):
            return Answer.UNKNOWN
        things = {target, *self._registrations(self._directory.principal(target).app_id)}
        return Answer.ALLOWED if scope.strip("/").casefold() in things else Answer.DENIED


_MAKES_ITSELF = frozenset({"AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"})


def _cited(role: DirectoryRoleAssignment) -> tuple[Citation, ...]:
    name = role.role_name or _BY_ROLE[role.role_id][0]
    text = "eligible, must be activated" if role.eligible else None
    answer = Answer.CONDITIONAL if role.eligible else Answer.ALLOWED
    return (Citation(CitationKind.DIRECTORY_ROLE, role.id, None, name, (), text, role.end, answer),)
