"""E5 alone: whom a condition lets assign itself data, for rules that ask it of every vault of a tenant.

The same principals and answers as among all routes of a vault, without the other routes: a large tenant has thousands of
delegated administrators, whose groups have tens of thousands of members, and telling every route of each takes minutes a vault.
"""

from collections.abc import Callable, Iterable, Mapping

from kvaudit.access.directory import Directory
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.node import Node
from kvaudit.access.escalation.steps import Setting
from kvaudit.access.escalation.vault_routes import VaultRoutes
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import Vault

_BIT = actions.ASSIGN_DATA_LIMITED
_KEPT = 1_000
"""Scopes of which the answers are kept: neighbours ask one after the other."""


class Delegates:
    """The delegated administrators of one estate.

    Args:
        directory: who is in which group.
        control: routes of the control plane.
        beside: others of whom the routes to a vault are told where they have one: its holders, and who may act as one of them.
    """

    def __init__(
        self, directory: Directory, control: VaultRoutes, beside: Callable[[Vault, frozenset[str]], Iterable[str]]
    ) -> None:
        self._directory = directory
        self._control = control
        self._beside = beside
        self._found: dict[tuple[int, Setting], Mapping[str, Answer]] = {}
        self._members: dict[str, frozenset[str]] = {}

    def of(self, vault: Vault) -> Mapping[str, Answer]:
        """Everybody who has the route to a vault → how surely; sorted."""
        setting, node = self._control.setting(vault), self._control.standings.node(vault.scope)
        groups = self._control.standings.naming_over(node, _BIT)
        if not groups:
            return {}
        found = self._at(node, setting)
        more = {}
        for name in self._beside(vault, groups):
            answer = Answer.DENIED if name in found else self._answer(name, node, setting)
            if answer is not Answer.DENIED:
                more[name] = answer
        return dict(sorted((*found.items(), *more.items())))

    def _at(self, node: Node, setting: Setting) -> Mapping[str, Answer]:
        return node.from_above(
            lambda item: self._found.get((id(item), setting)), lambda *args: self._made(setting, *args)
        )

    def _made(self, setting: Setting, node: Node, known: Mapping[str, Answer] | None) -> Mapping[str, Answer]:
        above = known or {}
        touched = self._touched(node, above)
        if len(self._found) >= _KEPT:
            self._found.clear()
        if touched:
            changed = {name: self._answer(name, node, setting) for name in touched}
            above = {name: answer for name, answer in {**above, **changed}.items() if answer is not Answer.DENIED}
        self._found[id(node), setting] = above
        return above

    def _touched(self, node: Node, above: Mapping[str, Answer]) -> set[str]:
        """Those for whom a node may differ from what stands above it."""
        here = node.naming(_BIT)
        touched = set(here).union(*map(self._control.standings.named_in, here))
        if node.denies or node.data_denies or (node.parent is not None and node.doubted != node.parent.doubted):
            touched.update(above)
        # Of those who may move the vault to data of their own every route is told.
        movers = self._control.moves.movers_at(node)
        for group in self._control.standings.naming_over(node, _BIT) if movers else ():
            members = self._below(group) & movers
            touched.update(members if group in here else members.difference(above))
        return touched

    def _below(self, group: str) -> frozenset[str]:
        """Those below a group who may be movers."""
        if group not in self._members:
            self._members[group] = self._directory.members_among(group, self._control.moves.named)
        return self._members[group]

    def _answer(self, principal_id: str, node: Node, setting: Setting) -> Answer:
        step = self._control.delegated(principal_id, node, setting)
        return step.answer if step else Answer.DENIED
