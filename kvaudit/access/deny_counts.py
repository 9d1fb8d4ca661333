"""Deny assignments where many vaults are counted: whom each may meet, whom it spares and what it takes, worked out once."""

from pyroaring import BitMap

from kvaudit.access.denies import Meets, meets, taken, takes_action
from kvaudit.access.directory import Directory
from kvaudit.access.numbering import Classes, Numbers
from kvaudit.model.authorization import EVERYONE, DenyAssignment
from kvaudit.model.vaults import Vault

_EMPTY = BitMap()


class DenyCounts:
    """What is known of deny assignments.

    Args:
        directory: who is in which group.
        numbers: what sets are made of.
    """

    def __init__(self, directory: Directory, numbers: Numbers) -> None:
        self._directory = directory
        self._numbers = numbers
        self._met: dict[str, BitMap | None] = {}
        self._spared: dict[str, BitMap] = {}
        self._taken: dict[str, int] = {}
        self._actions: dict[tuple[str, str], Meets] = {}
        self._surely: dict[str, Classes[bool]] = {}

    def may_meet(self, deny: DenyAssignment) -> BitMap | None:
        """Everybody whom a deny assignment may meet, or more; None: anybody. Whom it spares is left aside."""
        if deny.id not in self._met:
            self._met[deny.id] = self._named_by(deny)
        return self._met[deny.id]

    def _named_by(self, deny: DenyAssignment) -> BitMap | None:
        found = BitMap()
        for item in {item.id.casefold() for item in deny.principals}:
            if item == EVERYONE or self._directory.hides_members(item):
                return None
            found |= self._numbers.set_of((item, *self._directory.everyone_below(item)))
        return found

    def spared(self, deny: DenyAssignment) -> BitMap:
        """Those whom a deny assignment excludes."""
        if deny.id not in self._spared:
            self._spared[deny.id] = self._numbers.set_of(item.id.casefold() for item in deny.exclude_principals)
        return self._spared[deny.id]

    def may_take(self, deny: DenyAssignment, vault: Vault) -> int:
        """The operations on a vault that a deny assignment takes from those whom it meets, or may take."""
        if _turns_on_vault(deny):
            return _either(deny, vault)
        if deny.id not in self._taken:
            self._taken[deny.id] = _either(deny, vault)
        return self._taken[deny.id]

    def may_take_action(self, deny: DenyAssignment, action: str, vault: Vault) -> bool:
        """Whether a deny assignment takes a control-plane action on a vault from those whom it meets, or may take it."""
        return self._takes_action(deny, action, vault) is not Meets.NO

    def takes_action_from_all(self, deny: DenyAssignment, action: str, vault: Vault, principals: BitMap) -> bool:
        """Whether it takes the action for certain, and from each of some principals."""
        if self._takes_action(deny, action, vault) is not Meets.YES:
            return False
        if deny.id not in self._surely:
            self._surely[deny.id] = Classes(
                self._numbers, lambda item: meets(deny, item, self._directory) is Meets.YES, are_alike=False
            )
        return principals.issubset(self._surely[deny.id].sets(principals).get(True, _EMPTY))

    def _takes_action(self, deny: DenyAssignment, action: str, vault: Vault) -> Meets:
        if _turns_on_vault(deny):
            return takes_action(deny, action, vault)
        key = (deny.id, action)
        if key not in self._actions:
            self._actions[key] = takes_action(deny, action, vault)
        return self._actions[key]


def _either(deny: DenyAssignment, vault: Vault) -> int:
    certain, possible = taken(deny, vault, None)
    return certain | possible


def _turns_on_vault(deny: DenyAssignment) -> bool:
    """Whether it may take one thing at one vault and another at the next: it has a condition, or is for one place alone."""
    return (
        deny.condition is not None
        or deny.do_not_apply_to_child_scopes
        or any(block.condition is not None for block in deny.permissions)
    )
