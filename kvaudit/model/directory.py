"""Principals of the directory, and who is a member of which group, as Microsoft Graph describes them."""

from dataclasses import dataclass
from enum import StrEnum


class PrincipalState(StrEnum):
    """What is known of a principal that a record names.

    Orphan, deleted but restorable, and unresolved are three different things (ARCHITECTURE.md "Access semantics" 13):
    Graph saying "not found" may mean "not permitted".
    """

    FOUND = "found"
    DELETED_RESTORABLE = "deleted_restorable"
    NOT_FOUND = "not_found"
    FOREIGN = "foreign"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, group, service principal or device.

    Attributes:
        id: folded object ID.
        type: `User`, `Group`, `ServicePrincipal`, `Device`, `ForeignGroup`, `Application` (a registration: grants
            to it are worth nothing), or None. Of one that Graph did not describe: what records state of it.
        state: see `PrincipalState`.
        display_name: tenant's text, or None when it was not readable.
        user_type: `Member` or `Guest` on users.
        service_principal_type: `Application`, `ManagedIdentity`, ... on service principals.
        is_assignable_to_role: on groups: only owners and privileged role administrators may change its members.
        visibility: on groups: `HiddenMembership` hides the members from whoever does not hold Member.Read.Hidden.
    """

    id: str
    type: str | None = None
    state: PrincipalState = PrincipalState.FOUND
    display_name: str | None = None
    user_principal_name: str | None = None
    app_id: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    service_principal_type: str | None = None
    alternative_names: tuple[str, ...] = ()
    is_assignable_to_role: bool | None = None
    visibility: str | None = None

    @property
    def hides_members(self) -> bool:
        """Whether it is a group whose members are hidden: it is also left out of the groups that Graph says one is in."""
        return (self.visibility or "").casefold() == "hiddenmembership"


@dataclass(frozen=True, slots=True)
class Membership:
    """One edge: `member` stands directly in `group` (folded object IDs)."""

    group: str
    member: str
    member_type: str | None = None
