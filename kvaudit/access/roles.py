"""What a role, or the permission blocks of a deny assignment, hold: computed once per distinct role.

Matching (facts azure.md 2.1): a `*` stands anywhere, spans `/`, letter case does not count. `a/*/b` seems to match
`a/b` too, inferred from built-in roles that work only so. An operation whose data action hangs on that alone is
*unsure*: unknown for data, held for control-plane actions, where a route to data that is overlooked is the worse error.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from kvaudit.access.conditions.patterns import action_pattern, fits
from kvaudit.model.authorization import Permission, RoleDefinition
from kvaudit.model.permissions import all_operations_mask, operations
from kvaudit.model.roles import builtin_roles

_FEW = 2
"""Wildcards up to which a regular expression is used: Azure takes one in a custom role's string and no built-in role has two
(facts azure.md 2.1). Beyond, its backtracking would let a hostile definition keep the evaluator busy for ever."""


@lru_cache(maxsize=100_000)
def _matcher(pattern: str, *, optional_segments: bool) -> Callable[[str], bool]:
    folded = pattern.casefold()
    if "*" not in folded:  # most strings of custom roles; an expression for each would cost more than all the rest
        return folded.__eq__
    if folded.count("*") > _FEW:
        parts = action_pattern(folded, optional_segments=optional_segments)
        return lambda action: fits(parts, action)
    pieces = folded.split("/*/") if optional_segments else [folded]
    texts = (".*".join(re.escape(part) for part in piece.split("*")) for piece in pieces)
    expression = re.compile("/(?:.*/)?".join(texts), re.DOTALL)
    return lambda action: expression.fullmatch(action) is not None


def matches(pattern: str, action: str) -> bool:
    """Whether a permission string matches an action, both in any case, by the plain meaning of `*`."""
    return _matcher(pattern, optional_segments=False)(action.casefold())


def may_match(pattern: str, action: str) -> bool:
    """Whether it matches plainly, or would if each `/*/` may also stand for a single `/`."""
    return _matcher(pattern, optional_segments="/*/" in pattern)(action.casefold())


@dataclass(frozen=True, slots=True)
class Block:
    """What one permission block holds of the data plane.

    Attributes:
        mask: operations held for certain.
        unsure: operations that hang on `/*/` matching `/`.
        condition: the block's own condition, or None.
    """

    mask: int
    unsure: int
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class RolePower:
    """A role as the evaluator sees it.

    Attributes:
        guid: folded GUID.
        name: the role's name, or None when its definition is nowhere to be found.
        blocks: those that hold something of the data plane.
        permissions: the definition's blocks, for control-plane actions; None when the definition is not known.
    """

    guid: str
    name: str | None
    blocks: tuple[Block, ...]
    permissions: tuple[Permission, ...] | None

    @property
    def is_known(self) -> bool:
        """Whether the definition was found in the snapshot or among the built-in roles."""
        return self.permissions is not None

    @property
    def touches_data(self) -> bool:
        """Whether the role holds, or may hold, any operation of the data plane."""
        return self.permissions is None or bool(self.blocks)


def power_of(guid: str, definition: RoleDefinition | None) -> RolePower:
    """The power of a role: by the snapshot's definition, else by the built-in catalogue, else unknown."""
    found = definition or builtin_roles().get(guid)
    if found is None:
        return RolePower(guid, None, (Block(0, all_operations_mask()),), None)
    blocks = tuple(block for item in found.permissions if (block := data_block(item)).mask | block.unsure)
    return RolePower(guid, found.role_name, blocks, found.permissions)


@lru_cache(maxsize=50_000)
def data_block(permission: Permission) -> Block:
    """The operations of one block: matched by dataActions, less those matched by its notDataActions.

    Actions never count here: they never grant data.
    """
    mask = unsure = 0
    for item in operations():
        held = _held(permission.data_actions, permission.not_data_actions, item.data_actions)
        if held is True:
            mask |= item.mask
        elif held is None:
            unsure |= item.mask
    return Block(mask, unsure, permission.condition)


def _held(granted: Iterable[str], removed: Iterable[str], needed: tuple[str, ...]) -> bool | None:
    """Whether all needed actions are held; None where it hangs on `/*/` matching `/`."""
    verdict: bool | None = True
    for action in needed:
        if any(matches(item, action) for item in removed) or not any(may_match(item, action) for item in granted):
            return False
        plain = any(matches(item, action) for item in granted)
        if not plain or any(may_match(item, action) for item in removed):
            verdict = None
    return verdict


@lru_cache(maxsize=100_000)
def holds_action(permission: Permission, action: str) -> bool | None:
    """Whether one block holds a control-plane action: here `/*/` matches `/`.

    None where only such a match of a notAction would take it away again.
    """
    if any(matches(item, action) for item in permission.not_actions):
        return False
    if not any(may_match(item, action) for item in permission.actions):
        return False
    return None if any(may_match(item, action) for item in permission.not_actions) else True


@lru_cache(maxsize=20_000)
def denied_operations(permission: Permission) -> tuple[int, int]:
    """The operations that a deny assignment's block takes: for certain, and possibly.

    Taking one of the data actions that an operation needs takes the operation.
    """
    certain = possible = 0
    for item in operations():
        verdicts = {
            _held(permission.data_actions, permission.not_data_actions, (action,)) for action in item.data_actions
        }
        if True in verdicts:
            certain |= item.mask
        elif None in verdicts:
            possible |= item.mask
    return certain, possible
