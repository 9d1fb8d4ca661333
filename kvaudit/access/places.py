"""The records that reach a place: a vault, or one object in it.

Scopes inherit down: `/`, the management groups, the subscription, the resource group, the vault, the object. A record
that stands at a management group reaches a subscription when the tree says so, or when a listing within that subscription
returned it: Azure lists what is inherited, so this holds even where the tree could not be read. Where neither is known and
the subscription's own listing was not read, the record may reach it.

Records are kept by scope; what is inherited is one layer that every vault below shares.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from kvaudit.access.directory import Directory
from kvaudit.access.grants import Given, Grants, Record, given_by_policy
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment, RoleAssignment, ScheduleInstance
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import ObjectRef, Vault

Scoped = TypeVar("Scoped", RoleAssignment | ScheduleInstance, DenyAssignment)

ROLE_ASSIGNMENTS = "role_assignments"
ELIGIBILITY = "role_eligibility_schedule_instances"
ACTIVE = "role_assignment_schedule_instances"
DENY_ASSIGNMENTS = "deny_assignments"

_KEPT = 2048
"""Scopes whose records are kept once they were made."""


class Columns(Protocol):
    """Records by scope, made when they are asked for."""

    @property
    def starts(self) -> Mapping[str, object]:
        """The folded scopes at which a record stands."""

    def at(self, scope: str) -> tuple[Any, ...]:
        """The records at a scope."""


class _NoColumns:
    """No further records."""

    starts: Mapping[str, object] = MappingProxyType({})

    def at(self, scope: str) -> tuple[Any, ...]:  # noqa: ARG002 - as in `Columns`
        return ()


def kind_of(record: Record | DenyAssignment) -> str:
    """The kind of listing that a record comes from."""
    if isinstance(record, DenyAssignment):
        return DENY_ASSIGNMENTS
    if isinstance(record, ScheduleInstance):
        return ELIGIBILITY if record.eligible else ACTIVE
    return ROLE_ASSIGNMENTS


class ByScope(Generic[Scoped]):
    """Records of one estate by scope, and which of those above a subscription reach it.

    Args:
        estate: for the tree and for what was read.
        records: the records.
        columns: further records, of which there may be millions: they are made when they are asked for.
    """

    def __init__(self, estate: Estate, records: Iterable[Scoped], columns: Columns | None = None) -> None:
        self._estate = estate
        self._columns: Columns = columns or _NoColumns()
        self._made: dict[str, tuple[Scoped, ...]] = {}
        self._at: dict[str, list[Scoped]] = {}
        for record in records:
            self._at.setdefault(record.scope, []).append(record)
        self._above: list[Scoped] = [
            item for scope in self.scopes() if scopes.is_management_group(scope) for item in self.at(scope)
        ]
        by_listings: dict[frozenset[str], list[Scoped]] = {}
        for record in self._above:
            by_listings.setdefault(record.listed_from, []).append(record)
        self._listed: list[tuple[frozenset[str | None], list[Scoped]]] = [
            (frozenset(map(scopes.subscription_of, listings)), found) for listings, found in by_listings.items()
        ]
        self._nodes = {node.scope: node.parent for node in estate.hierarchy}

    def at(self, scope: str) -> tuple[Scoped, ...]:
        """Records that stand at exactly this folded scope."""
        found = self._made.get(scope)
        if found is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            found = self._made[scope] = (*self._columns.at(scope), *self._at.get(scope, ()))
        return found

    def over(self, scope: str, subscription: str) -> tuple[Scoped, ...]:
        """Those of a folded scope at or above a subscription that reach it: what stands at `/` stands in one tenant."""
        found = self.at(scope)
        if scope != scopes.ROOT or self._estate.is_of_one_tenant:
            return found
        return tuple(item for item in found if self._estate.may_stand_over(item.listed_from, subscription))

    def beside_columns(self, scope: str) -> tuple[Scoped, ...]:
        """Those of them that are not kept in columns."""
        return tuple(self._at[scope]) if scope in self._at else ()

    def _listed_in(self, subscription: str) -> Iterator[Scoped]:
        """Records above a subscription that its own listings returned."""
        return (item for listings, found in self._listed if subscription in listings for item in found)

    def listed_below(self, subscription: str, chain: tuple[str, ...]) -> tuple[Scoped, ...]:
        """Records above a subscription that its own listings returned and that no scope of its chain holds."""
        return tuple(item for item in self._listed_in(subscription) if item.scope not in chain)

    def unplaced(self, subscription: str, chain: tuple[str, ...]) -> tuple[Scoped, ...]:
        """Records of which nobody knows whether they stand above the subscription."""
        if not self._above or self.is_whole(subscription):
            return ()
        over = {*chain, *(item.scope for item in self._listed_in(subscription))}
        return tuple(
            item
            for item in self._above
            if item.scope not in over
            and not self._estate.was_read(kind_of(item), scopes.SUBSCRIPTION_PREFIX + subscription)
        )

    def is_whole(self, subscription: str) -> bool:
        """Whether the tree says everything that stands above the subscription, up to the root group."""
        chain = (scopes.SUBSCRIPTION_PREFIX + subscription, *self._estate.management_group_chain(subscription))
        return all(item in self._nodes for item in chain) and self._nodes[chain[-1]] is None

    def scopes(self) -> Iterator[str]:
        """The folded scopes at which a record stands."""
        return iter(dict.fromkeys((*self._columns.starts, *self._at)))


@dataclass(eq=False)
class Layer:
    """What the records of one scope give, by folded principal ID.

    Attributes:
        settled: what holds at every place below.
        open: records whose answer depends on the place.
        pairs: access policies that count for a principal with an application only: (principal, application) -> given.
        types: what the records say of a principal's type.
    """

    settled: dict[str, tuple[Given, ...]] = field(default_factory=dict)
    open: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    pairs: dict[tuple[str, str], tuple[Given, ...]] = field(default_factory=dict)
    at_object: bool = False
    _groups: frozenset[str] | None = None
    _shady: frozenset[str] | None = None
    _veiled: frozenset[str] | None = None

    def groups(self, directory: Directory) -> frozenset[str]:
        """Those whom the records name and through whom others may hold something. Worked out once."""
        if self._groups is None:
            self._groups = frozenset(item for item in self.principals() if directory.may_be_group(item))
        return self._groups

    def shady(self, directory: Directory) -> frozenset[str]:
        """The groups among them whose members were not all read. Worked out once."""
        if self._shady is None:
            self._shady = frozenset(item for item in self.groups(directory) if directory.is_shady(item))
        return self._shady

    def veiled(self, directory: Directory) -> frozenset[str]:
        """The groups among them of which nobody could read who is eligible for membership. Worked out once."""
        if self._veiled is None:
            self._veiled = frozenset(item for item in self.groups(directory) if directory.unread_eligibility(item))
        return self._veiled

    def principals(self) -> frozenset[str]:
        """Everybody whom the records of this layer name."""
        return frozenset({*self.settled, *self.open, *(principal for principal, _ in self.pairs)})


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that decides access at a vault or an object.

    Attributes:
        layers: grants, from the root down.
        denies: deny assignments that reach the place (or may, see `unplaced_denies`), and apply to the vault's data plane.
        hidden: gaps that could hold a grant: whoever has no certain answer is unknown.
        hidden_denies: gaps that could hold a deny: nobody is certainly allowed.
        blind: gaps that hide how the vault authorises at all: every answer is unknown.
    """

    vault: Vault
    object: ObjectRef | None
    universe: int
    layers: tuple[Layer, ...] = ()
    denies: tuple[DenyAssignment, ...] = ()
    unplaced_denies: tuple[DenyAssignment, ...] = ()
    hidden: tuple[Gap, ...] = ()
    hidden_denies: tuple[Gap, ...] = ()
    blind: tuple[Gap, ...] = ()


def layer_of(
    records: Iterable[Record], grants: Grants, ref: ObjectRef | None = None, *, at_object: bool = False
) -> Layer:
    """The layer of the records of one scope."""
    settled: dict[str, list[Given]] = {}
    still_open: dict[str, list[Record]] = {}
    for record in records:
        if not grants.power(record.role).touches_data:
            continue
        if grants.depends_on_place(record):
            still_open.setdefault(record.principal_id, []).append(record)
        else:
            given = grants.given_by(record, None, ref, at_object=at_object)
            if given:
                settled.setdefault(record.principal_id, []).extend(given)
    return Layer(
        settled={key: tuple(value) for key, value in settled.items()},
        open={key: tuple(value) for key, value in still_open.items()},
        at_object=at_object,
    )


def unsure_layer(records: Iterable[Record], grants: Grants, gap: Gap) -> Layer:
    """The layer of records of which nobody knows whether they reach the place: they give unknown at most."""
    settled: dict[str, list[Given]] = {}
    for record in records:
        for given in grants.given_by(record, None, None):
            citation = replace(given.citation, answer=Answer.UNKNOWN)
            settled.setdefault(record.principal_id, []).append(Given(citation, (*given.gaps, gap)))
    return Layer(settled={key: tuple(value) for key, value in settled.items()})


def policy_layer(vault: Vault, counts: Callable[[str], bool]) -> Layer:
    """The layer of a vault's access policies.

    Args:
        vault: the vault.
        counts: whether a folded object ID can receive access at all (an application registration cannot).
    """
    settled: dict[str, list[Given]] = {}
    pairs: dict[tuple[str, str], list[Given]] = {}
    for index, entry in enumerate(vault.access_policies or ()):
        principal = entry.object_id.casefold()
        given = given_by_policy(vault, index, entry)
        if given is None or not counts(principal):
            continue
        if entry.application_id:
            pairs.setdefault((principal, entry.application_id.casefold()), []).append(given)
        else:
            settled.setdefault(principal, []).append(given)
    return Layer(
        settled={key: tuple(value) for key, value in settled.items()},
        pairs={key: tuple(value) for key, value in pairs.items()},
    )
