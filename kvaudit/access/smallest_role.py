"""The smallest role, or combination of roles, that gives certain operations, and what it gives beyond them.

Excess is weighed, not only counted: a role that reads every secret is no smaller than one that lists names, however short
its list. A role's own weight in a choice is what it adds beyond the operations that were asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from kvaudit.access.roles import holds_action, power_of
from kvaudit.model.authorization import Permission, RoleDefinition
from kvaudit.model.permissions import iter_operations, mask_of, operations, words_of

MOST_ROLES = 3
"""Roles that one choice combines: one for secrets, keys and certificates each. More assignments are harder to review
than the custom role that is offered beside them."""

_MOST_CANDIDATES = 60
"""Different roles that are combined with each other, those with the least excess first. The built-in roles are a dozen;
a tenant may hold thousands of custom roles, and the combinations of those have no end."""

_SECRET_VALUES = 1000
_FINAL = 500
_USES_OR_MOVES = 200
_CHANGES = 100
_READS_NAMES = 1
"""Weights of one excess operation, ours: what reads every secret weighs more than everything else of its kind together,
names and attributes next to nothing (facts azure.md 5, the weights under `derivedLeastExcess`)."""

_HEAVY = frozenset({"decrypt", "unwrapKey", "sign", "release", "backup", "restore", "delete"})
_LIGHT = frozenset({"get", "list", "getrotationpolicy", "getissuers", "listissuers"})

CHANGES_ACCESS = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleDefinitions/write",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.KeyVault/vaults/accessPolicies/write",
    "Microsoft.KeyVault/vaults/deploy/action",
    "Microsoft.KeyVault/vaults/secrets/write",
    "Microsoft.KeyVault/vaults/delete",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
)
"""Control-plane actions with which a holder changes vaults or who has access (facts azure.md 4 and 8)."""


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """Roles that together give what was asked.

    Attributes:
        roles: sorted by name; one or more.
        excess: permission words beyond those asked, in catalogue order. A word that the roles give only perhaps (a
            condition, a wildcard whose meaning is not published) counts here, and never as given.
        inseparable: those of `excess` that come with the same data actions: no role, custom ones neither, is without them.
        weight: of the excess; a choice with less is smaller.
        caveats: reasons to prefer another choice, as phrases; such choices rank after those without.
    """

    roles: tuple[RoleDefinition, ...]
    excess: tuple[str, ...]
    inseparable: tuple[str, ...]
    weight: int
    caveats: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the roles."""
        return tuple(role.role_name for role in self.roles)

    @property
    def is_exact(self) -> bool:
        """Whether no role could be smaller."""
        return len(self.excess) == len(self.inseparable)

    @property
    def rank(self) -> tuple[bool, int, int, int, tuple[str, ...]]:
        """What choices are sorted by: caveats, weight, excess words, number of roles, names."""
        return bool(self.caveats), self.weight, len(self.excess), len(self.roles), self.names


@dataclass(frozen=True, slots=True)
class SmallestRoles:
    """The answer to "which role do I need for these operations".

    Attributes:
        words: what was asked, each once, in catalogue order.
        best: the smallest choice; None when no combination of at most `MOST_ROLES` gives all of it.
        others: every other single role that gives all of it, smallest first.
        custom: the permission block of a custom role that holds exactly what is needed.
    """

    words: tuple[str, ...]
    best: RoleChoice | None
    others: tuple[RoleChoice, ...]
    custom: Permission

    @property
    def needs_custom_role(self) -> bool:
        """Whether a custom role would hold less than the best choice."""
        return self.best is None or not self.best.is_exact


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A role as masks: what it surely gives of what is wanted, and all that it may give beyond."""

    role: RoleDefinition
    gives: int
    excess: int
    caveats: tuple[str, ...]


def smallest_roles(words: Iterable[str], *, roles: Mapping[str, RoleDefinition]) -> SmallestRoles:
    """The smallest choice of roles that gives every operation.

    Least excess by weight first, then fewer excess words, fewer roles, name. Roles that can also change vaults or access,
    that are in preview, or that Microsoft made for one of its services come after all others.

    Args:
        words: permission words in any case, at least one.
        roles: by GUID: `builtin_roles()`, or those of a tenant.

    Raises:
        KeyError: a word is unknown.
        ValueError: no word was given.
    """
    wanted = mask_of(words)
    if not wanted:
        raise ValueError("no operation was given")
    custom = Permission(data_actions=data_actions_for(wanted))
    inseparable = _held_with(custom) & ~wanted
    found = [item for item in (_candidate(role, wanted) for role in roles.values()) if item.gives]
    singles = sorted(
        (_choice((item,), inseparable) for item in found if item.gives == wanted), key=lambda item: item.rank
    )
    choices = [*singles, *_combined(_useful(found), wanted, inseparable)]
    best = min(choices, key=lambda item: item.rank, default=None)
    others = tuple(item for item in singles if item is not best)
    return SmallestRoles(words_of(wanted), best, others, custom)


def data_actions_for(mask: int) -> tuple[str, ...]:
    """The data actions that the operations of a mask need, each once, in catalogue order."""
    return tuple(dict.fromkeys(action for item in iter_operations(mask) for action in item.data_actions))


def given_by(role: RoleDefinition) -> tuple[int, int]:
    """The masks of operations that a role gives for certain, and of those that it gives perhaps."""
    certain = perhaps = 0
    for block in power_of(role.name, role).blocks:
        if block.condition is None:
            certain |= block.mask
            perhaps |= block.unsure
        else:
            perhaps |= block.mask | block.unsure
    return certain, perhaps & ~certain


@cache
def weight_of(word: str) -> int:
    """How much one excess operation weighs."""
    name = word.rsplit("/", 1)[-1]
    if word == "secrets/get":
        return _SECRET_VALUES
    if name == "purge":
        return _FINAL
    if name in _HEAVY:
        return _USES_OR_MOVES
    return _READS_NAMES if name in _LIGHT else _CHANGES


def caveats_of(role: RoleDefinition) -> tuple[str, ...]:
    """Why a role is no first choice, as phrases; empty for most."""
    found = []
    if any(holds_action(block, action) is not False for block in role.permissions for action in CHANGES_ACCESS):
        found.append("it can also change vaults or who has access")
    if role.role_type == "BuiltInRole" and "Service Role" in role.role_name:
        found.append("Microsoft made it for one of its own services")
    if role.role_type == "BuiltInRole" and "(Preview)" in role.role_name:
        found.append("it is in preview and may change")
    return tuple(found)


def _candidate(role: RoleDefinition, wanted: int) -> _Candidate:
    certain, perhaps = given_by(role)
    gives = certain & wanted
    return _Candidate(role, gives, (certain | perhaps) & ~wanted, caveats_of(role) if gives else ())


def _held_with(permission: Permission) -> int:
    """Every operation that a block of exactly these data actions gives."""
    held = frozenset(permission.data_actions)
    return mask_of(item.word for item in operations() if held.issuperset(item.data_actions))


def _weight(mask: int) -> int:
    return sum(weight_of(word) for word in words_of(mask))


def _useful(found: Iterable[_Candidate]) -> list[_Candidate]:
    """Those worth combining: none that another one beats in everything, and not too many."""
    kept: list[_Candidate] = []
    for item in sorted(found, key=lambda one: (bool(one.caveats), _weight(one.excess), one.role.role_name)):
        beaten = any(not item.gives & ~one.gives and not one.excess & ~item.excess for one in kept)
        if not beaten:
            kept.append(item)
    return kept[:_MOST_CANDIDATES]


def _combined(candidates: list[_Candidate], wanted: int, inseparable: int) -> Iterator[RoleChoice]:
    for size in range(2, MOST_ROLES + 1):
        for group in combinations(candidates, size):
            covered = 0
            for item in group:
                covered |= item.gives
            if covered == wanted:
                yield _choice(group, inseparable)


def _choice(group: tuple[_Candidate, ...], inseparable: int) -> RoleChoice:
    excess = 0
    for item in group:
        excess |= item.excess
    return RoleChoice(
        roles=tuple(sorted((item.role for item in group), key=lambda role: (role.role_name, role.name))),
        excess=words_of(excess),
        inseparable=words_of(excess & inseparable),
        weight=_weight(excess),
        caveats=tuple(dict.fromkeys(text for item in group for text in item.caveats)),
    )
