"""Routes in full: with the records that give them. What is told of a principal is the same for vaults that stand alike."""

from collections.abc import Iterator
from typing import Any

from kvaudit.access.answers import Citation, CitationKind, Holding
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.answers import EscalationRoute
from kvaudit.access.escalation.catalogue import BY_ID, RouteKind
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.reach import Reach
from kvaudit.access.escalation.steps import Step
from kvaudit.access.escalation.takeover import Takeover
from kvaudit.access.escalation.vault_routes import VaultRoutes
from kvaudit.access.surroundings import Surroundings
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import mask_of, operation
from kvaudit.model.vaults import Vault

_KEPT = 20_000
"""Routes that are kept, or as many as the last vault has."""
_CITED = 200_000
"""Records that are kept of rights which somebody holds elsewhere."""

_OF_HOLDERS = frozenset({"E17", "E26", "E29"})
"""Routes that rest on what somebody holds of the data plane."""

_REAL = {
    actions.DEPLOYS: actions.DEPLOY_GROUP | actions.DEPLOYMENTS_WRITE,
    actions.INSTALLS: actions.MACHINES_WRITE,
    actions.MOVES_SUBSCRIPTION: actions.MOVE_SUBSCRIPTIONS,
    actions.REWRITES_ROLE: actions.ROLES_WRITE,
    actions.LIFTS_DENY: actions.DENIES_DELETE
    | actions.DENIES_WRITE
    | actions.STACKS_DENY_SETTING
    | actions.STACKS_DELETE,
}
"""Bits that are worked out → the bits that records give."""
_WORKED_OUT = sum(_REAL)
_TOGETHER = _REAL[actions.DEPLOYS]


class Telling:
    """Tells the routes of one estate.

    Args:
        around: where the records are.
        control: routes of the control plane.
    """

    def __init__(self, around: Surroundings, control: VaultRoutes) -> None:
        self._estate = around.estate
        self._directory = around.directory
        self._control = control
        self._reach = Reach(around, control.standings)
        self._elsewhere: Kept[tuple[str, int], tuple[Citation, ...]] = Kept(_CITED)
        self._kept: Kept[Any, EscalationRoute] = Kept(_KEPT)

    def expects(self, routes: int) -> None:
        """Keep as many routes as a vault has, so that the next one may share them."""
        self._kept.most = max(_KEPT, routes)

    def told(self, item: Step, principal_id: str, vault: Vault, held: Holding | None) -> EscalationRoute:
        """One route of a principal, which holds something of the vault's data or nothing."""
        if item.route in _OF_HOLDERS and held is not None:
            words, holding = _of_holder(BY_ID[item.route], held)
            return self._made(item, principal_id, vault, words, holding)
        context = self._control.context(vault)
        key = (
            item,
            principal_id,
            self._control.standings.settled(principal_id, context.node),
            context.customised if item.bits & actions.REWRITES_ROLE else (),
            context.group if item.route == "E20" else "",
            None if self._estate.is_of_one_tenant else vault.subscription_id,
        )
        route = self._kept.get(key) or self._kept.put(key, self._made(item, principal_id, vault, (), ()))
        return route if route.vault_id == vault.id else _of_vault(route, vault.id)

    def _made(
        self,
        item: Step,
        principal_id: str,
        vault: Vault,
        words: tuple[str, ...],
        holding: tuple[Citation, ...],
    ) -> EscalationRoute:
        kind, bits = BY_ID[item.route], item.bits
        for worked_out, real in _REAL.items() if bits & _WORKED_OUT else ():
            if bits & worked_out:
                bits = (bits & ~worked_out) | (real & self._control.anywhere(principal_id))
        how, mask = self._reach.of(item, principal_id, vault)
        via = (*self._cited(principal_id, vault, bits), *self._beside(item, principal_id, vault)) if bits else ()
        if item.bits & (actions.REWRITES_ROLE | actions.LIFTS_DENY):  # what several records rest on is cited once
            via = tuple(dict.fromkeys(via))
        return EscalationRoute(
            id=item.route,
            title=kind.title,
            principal_id=principal_id,
            principal_type=self._directory.type_of(principal_id),
            vault_id=vault.id,
            answer=item.answer,
            confidence=item.confidence or kind.confidence,
            effect=kind.effect,
            model=kind.model,
            mask=mask,
            actions=(*words, *_named(bits)),
            via=(*holding, *via),
            steps=how,
            notes=(item.note,) if item.note else (),
        )

    def _beside(self, item: Step, principal_id: str, vault: Vault) -> Iterator[Citation]:
        """The records that a step rests on beside those that give its rights: what is rewritten, removed or held elsewhere."""
        if item.route == "E20":
            yield from self._control.moves.cited(principal_id, self._control.context(vault).group)
        if item.bits & actions.REWRITES_ROLE:
            roles = self._control.custom_roles
            yield from roles.cited(principal_id, roles.over(vault.scope))
        if item.bits & actions.LIFTS_DENY:
            for deny, _ in self._control.lifted(principal_id, self._control.standings.node(vault.scope)):
                yield Citation(CitationKind.DENY_ASSIGNMENT, deny.id, deny.scope, answer=Answer.DENIED)

    def _cited(self, principal_id: str, vault: Vault, bits: int) -> tuple[Citation, ...]:
        standings = self._control.standings
        found = standings.citations(principal_id, vault.scope, bits)
        here = standings.given_at(principal_id, standings.node(vault.scope))
        missing = bits & ~here
        if missing & _TOGETHER:  # they count where both are
            missing |= bits & _TOGETHER
        return (*dict.fromkeys((*found, *self._anywhere(principal_id, missing))),) if missing & actions.HELD else found

    def _anywhere(self, principal_id: str, bits: int) -> tuple[Citation, ...]:
        """The records at any scope that give a principal some bits."""
        key = (principal_id, bits)
        found = self._elsewhere.get(key)
        if found is None:
            found = self._control.standings.citations_anywhere(principal_id, bits)
            self._elsewhere.put(key, found, 1 + len(found))
        return found

    def taken_over(self, way: Takeover, vault: Vault, reached: int) -> EscalationRoute:
        """A route through an identity, which leads to some operations."""
        kind = BY_ID[way.route]
        name = self._estate.principal(way.target).display_name if way.target else None
        return EscalationRoute(
            id=way.route,
            title=kind.title,
            principal_id=way.principal_id,
            principal_type=self._directory.type_of(way.principal_id) if way.principal_id else None,
            vault_id=vault.id,
            answer=way.answer,
            confidence=way.confidence or kind.confidence,
            effect=kind.effect,
            model=kind.model,
            mask=reached,
            actions=way.actions,
            via=way.via,
            steps=way.how.replace("{target}", name or way.target),
            target=way.target if way.target not in ("", way.principal_id) else None,
            notes=(way.note,) if way.note else (),
        )


def _of_vault(route: EscalationRoute, vault_id: str) -> EscalationRoute:
    """The same route to another vault; `replace` would ask for every field by name."""
    return EscalationRoute(
        route.id,
        route.title,
        route.principal_id,
        route.principal_type,
        vault_id,
        route.answer,
        route.confidence,
        route.effect,
        route.model,
        route.mask,
        route.actions,
        route.via,
        route.steps,
        route.target,
        route.notes,
    )


def _of_holder(kind: RouteKind, held: Holding) -> tuple[tuple[str, ...], tuple[Citation, ...]]:
    """What somebody holds of the operations that a route rests on, and the records that give it.

    A route that rests on no operation in particular rests on all that its holder has.
    """
    if kind.id == "E29":
        return kind.actions, held.via
    words = tuple(word for word in kind.actions if held.answer(operation(word).mask) is not Answer.DENIED)
    return words, tuple(item for item in held.via if item.mask & mask_of(words))


def _named(bits: int) -> tuple[str, ...]:
    activates = ("activation of an eligible role",) if bits & actions.ACTIVATES else ()
    return (*activates, *actions.names_of(bits))
