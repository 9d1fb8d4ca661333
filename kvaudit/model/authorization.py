"""Role assignments, role definitions, deny assignments and PIM schedules, as Microsoft.Authorization sends them."""

from dataclasses import dataclass, field

from kvaudit.model import scopes


def role_guid(role_definition_id: str) -> str:
    """The folded GUID at the end of a role definition ID, which is the same with or without the subscription part."""
    return role_definition_id.rstrip("/").rsplit("/", 1)[-1].casefold()


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission block. Subtraction happens inside a block, blocks then add up (facts azure.md 2.1).

    Attributes:
        condition: ABAC condition of the block itself, or None.
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role. `name` is its folded GUID; `role_type` is `BuiltInRole`, `CustomRole`, or what Azure sent."""

    id: str
    name: str
    role_name: str
    role_type: str | None = None
    permissions: tuple[Permission, ...] = ()
    assignable_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role given to a principal at a scope.

    Attributes:
        id: as Azure sent it.
        scope: folded.
        role: folded GUID of the role definition.
        principal_id: folded object ID.
        principal_type: `User`, `Group`, `ServicePrincipal`, `ForeignGroup`, `Device`, or None where old answers lack it.
        condition: ABAC condition text, or None.
        delegated_managed_identity_resource_id: set on cross-tenant (Lighthouse) managed identities.
        listed_from: folded scopes of the listings that returned it. An assignment above a subscription that the
            subscription's own listing returned applies there, whether or not the management-group tree was readable.
    """

    id: str
    scope: str
    role: str
    principal_id: str
    principal_type: str | None = None
    condition: str | None = None
    description: str | None = None
    created_on: str | None = None
    delegated_managed_identity_resource_id: str | None = None
    listed_from: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class ScheduleInstance:
    """A PIM schedule instance: an eligible assignment, or an active one (`Assigned` or `Activated`).

    Attributes:
        eligible: True for roleEligibilityScheduleInstances, False for roleAssignmentScheduleInstances.
        assignment_type: `Assigned` or `Activated` on active ones, None on eligible ones.
        member_type: `Direct`, `Group` or `Inherited`.
        origin_role_assignment_id: on active ones, the role assignment that it shows as: count once, keep the end.
        start, end: ISO 8601 times or None.
    """

    id: str
    scope: str
    role: str
    principal_id: str
    eligible: bool
    principal_type: str | None = None
    assignment_type: str | None = None
    member_type: str | None = None
    origin_role_assignment_id: str | None = None
    condition: str | None = None
    start: str | None = None
    end: str | None = None
    listed_from: frozenset[str] = field(default=frozenset(), compare=False)


EVERYONE = "00000000-0000-0000-0000-000000000000"
"""The principal of a deny assignment that means everyone (type `SystemDefined`), facts azure.md 2.2."""


@dataclass(frozen=True, slots=True)
class DenyPrincipal:
    """A principal named by a deny assignment: folded ID, and its type as sent."""

    id: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class DenyAssignment:
    """A deny assignment.

    Attributes:
        effect: `enforced` or `audit` (audit denies nothing); None when the api-version read hides it: unknown.
        condition: of the assignment itself. Permission blocks may carry their own.
    """

    id: str
    name: str
    scope: str
    permissions: tuple[Permission, ...] = ()
    principals: tuple[DenyPrincipal, ...] = ()
    exclude_principals: tuple[DenyPrincipal, ...] = ()
    do_not_apply_to_child_scopes: bool = False
    is_system_protected: bool | None = None
    effect: str | None = None
    condition: str | None = None
    listed_from: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def level(self) -> str:
        """What kind of place the scope is, see `scopes.level_of`."""
        return scopes.level_of(self.scope)
