"""What a principal is: a user, a group, a service principal, an application registration."""

from collections.abc import Mapping
from functools import cached_property
from itertools import chain

from kvaudit.access.memberships import Edges
from kvaudit.model.estate import Estate


class PrincipalTypes:
    """Types of principals by folded ID: by the directory, else by the records that name them, else by the memberships.

    What has members, or may get some, is a group whatever these records call it, unless the directory itself says otherwise:
    only of a group are members listed, schedules kept or memberships told. Of one of another tenant none are, so what is
    recorded as one stays one.

    Args:
        estate: the records.
        recorded: what the records that name a principal say about its type.
        edges: memberships; what has members is a group.
    """

    def __init__(self, estate: Estate, recorded: Mapping[str, str | None], edges: Edges) -> None:
        self._estate = estate
        self._recorded = recorded
        self._edges = edges
        self._known: dict[str, str | None] = {}

    def of(self, principal_id: str) -> str | None:
        """`User`, `Group`, ...; None where nothing says it."""
        try:
            return self._known[principal_id]
        except KeyError:
            found = self._estate.principal(principal_id).type
            if not found:
                found = self._recorded.get(principal_id) or self._member_types.get(principal_id)
                found = "Group" if found != "ForeignGroup" and self._has_members(principal_id) else found
            self._known[principal_id] = found
            return found

    def knows(self, kind: str) -> bool:
        """Whether anything says of anybody that it is of a type."""
        return (
            kind in self._estate.membership_columns.types
            or kind in self._recorded.values()
            or kind in self._estate.ids_by_type
        )

    def is_recorded(self, principal_id: str) -> bool:
        """Whether a role assignment or a membership names this ID."""
        return (
            principal_id in self._recorded
            or principal_id in self._member_types
            or principal_id in self._edges.awaited_by_member
            or self._has_members(principal_id)
        )

    def _has_members(self, principal_id: str) -> bool:
        return (
            principal_id in self._edges.members
            or principal_id in self._edges.awaited_by_group
            or principal_id in self._named_by_members
        )

    @cached_property
    def _named_by_members(self) -> frozenset[str]:
        """The groups that service principals said that they are in."""
        return frozenset(chain.from_iterable(self._estate.member_of.values()))

    @cached_property
    def _member_types(self) -> Mapping[str, str]:
        return self._estate.membership_columns.type_of_member
