"""Managed identities: who controls a resource that runs as one (E12, E27), who may attach or federate one, which tokens it takes (E28)."""

from collections.abc import Callable, Iterator
from functools import cached_property, partial

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.actors import Actors, ActorsByNode
from kvaudit.access.escalation.halves import Halves
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.node import Node
from kvaudit.access.escalation.powers import NONE, STRENGTH, sum_of
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.takeover import Takeover
from kvaudit.access.places import DENY_ASSIGNMENTS
from kvaudit.access.surroundings import GRANT_KINDS, Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap, once
from kvaudit.model.identities import FederatedCredential

HIDE_ROUTES = (*GRANT_KINDS, DENY_ASSIGNMENTS)
"""Kinds of which a gap at a place hides who controls it."""

_COMPUTE = (
    actions.MACHINES_WRITE,
    actions.SCRIPTS_WRITE,
    *(bit for found in actions.RUNS.values() for bit, name in found if name == "write"),
)
"""Bits of creating something that runs as an identity that is attached to it."""

_NOWHERE = (Answer.DENIED, "", 0)

_MAKERS = 100_000
"""Principals of whom it is kept where they may create something that runs code."""


class Identities:
    """Managed identities of one estate, and the resources that run as them.

    Args:
        around: where the records are.
        standings: who may do what where.
        halves: members of groups whom other records concern too.
    """

    def __init__(self, around: Surroundings, standings: Standings, halves: Halves) -> None:
        self._around = around
        self._estate = around.estate
        self._standings = standings
        self._halves = halves
        self._controlling: dict[int, ActorsByNode] = {}
        self._principal_of = {
            item.resource_id: item.principal_id for item in self._estate.user_assigned_identities if item.principal_id
        }
        self._gaps: dict[str, tuple[Gap, ...]] = {}
        self._makers: Kept[str, tuple[Answer, str, int]] = Kept(_MAKERS)
        self._assigned: dict[str, set[str]] = {}
        self._resources: dict[str, set[tuple[str, str]]] = {}
        for resource_id, principal in self._principal_of.items():
            self._assigned.setdefault(principal, set()).add(resource_id)
        for item in self._estate.resource_identities:
            where = (item.resource_id, item.resource_type)
            if item.principal_id:
                self._resources.setdefault(item.principal_id, set()).add(where)
            sent = dict(zip(item.user_assigned, item.user_assigned_principals, strict=False))
            for identity in item.user_assigned:
                known = self._principal_of.get(identity) or sent.get(identity)
                if known:
                    self._resources.setdefault(known, set()).add(where)
                    self._assigned.setdefault(known, set()).add(identity)
        self._applications: dict[str, list[str]] = {}
        for application in self._estate.applications:
            self._applications.setdefault(application.app_id, []).append(application.id)
        self._credentials: dict[str, list[FederatedCredential]] = {}
        for credential in self._estate.federated_credentials:
            self._credentials.setdefault(credential.target, []).append(credential)

    @property
    def targets(self) -> frozenset[str]:
        """Folded IDs of the principals that this family knows something about."""
        federated = {
            item.id
            for item in self._estate.principals.values()
            if item.app_id
            and any(key in self._credentials for key in self._applications.get(item.app_id.casefold(), ()))
        }
        return frozenset({*self._assigned, *self._resources, *federated})

    @cached_property
    def is_listed(self) -> bool:
        """Whether grants and denies of every subscription in which something runs as an identity were listed.

        A list that was refused is a gap that the estate tells; of one that nobody asked for there is no word.
        """
        items = self._estate.resource_identities, self._estate.user_assigned_identities
        subscriptions = {scopes.subscription_of(item.resource_id) or "" for found in items for item in found}
        return not any(map(self._around.unasked, subscriptions))

    def gaps(self, target: str) -> tuple[Gap, ...]:
        """What was not read of grants and denies where something runs as a principal, or where it may be attached."""
        if target not in self._gaps:
            running = {
                place
                for place, kind in self._resources.get(target, ())
                if kind in actions.RUNS or kind in actions.SHOWS
            }
            places = sorted(running.union(self._assigned.get(target, ())))
            self._gaps[target] = once(gap for place in places for gap in self._around.gaps_over(place, HIDE_ROUTES))
        return self._gaps[target]

    def actors(self, target: str) -> Iterator[Actors]:
        """Those who can act as one managed identity (E12), as `ways` tells them; a group stands for its members."""
        for resource, kind in self._resources.get(target, ()):
            bits = _any(actions.RUNS.get(kind, ()))
            if bits:
                yield self._controllers(bits).at(self._standings.node(resource))
        for identity in self._assigned.get(target, ()):
            node = self._standings.node(identity)
            yield self._attachers.at(node)
            yield self._controllers(actions.FEDERATE_IDENTITY).at(node)

    def ways_of(self, principal: str, target: str) -> Iterator[Takeover]:
        """The ways of one principal to act as one managed identity (E12), by its groups too."""
        for resource, kind in sorted(self._resources.get(target, ())):
            yield from self._runs(target, resource, actions.RUNS.get(kind, ()), "E12")(principal)
        for identity in sorted(self._assigned.get(target, ())):
            node = self._standings.node(identity)
            yield from self._attached(node, target, identity, principal)
            yield from self._federated_by(node, target, identity, principal)

    def _controllers(self, bits: int) -> ActorsByNode:
        """Those who hold any of some bits at a place."""
        if bits not in self._controlling:
            self._controlling[bits] = ActorsByNode(
                self._standings,
                self._halves,
                bits,
                lambda principal, node: self._standings.powers(principal, node).surest(bits),
            )
        return self._controlling[bits]

    @cached_property
    def _attachers(self) -> ActorsByNode:
        """Those who may attach the identity that is at a place to something of their own that runs code."""
        compute = sum_of(_COMPUTE)
        makers = frozenset(name for name, bits in self._standings.anywhere.items() if bits & compute)
        return ActorsByNode(
            self._standings,
            self._halves,
            actions.ASSIGN_IDENTITY,
            lambda principal, node: self._attaches(principal, node)[0],
            makers,
        )

    def ways(self, target: str) -> Iterator[Takeover]:
        """The ways to act as one managed identity or application, or to see what it fetched."""
        for resource, kind in sorted(self._resources.get(target, ())):
            yield from self._running(target, resource, actions.RUNS.get(kind, ()), "E12")
            yield from self._running(target, resource, actions.SHOWS.get(kind, ()), "E27")
        for resource in sorted(self._assigned.get(target, ())):
            yield from self._attaching(target, resource)
            yield from self._federating(target, resource)
        yield from self._federated(target)

    def _running(
        self, target: str, resource: str, known: tuple[tuple[int, str], ...], route: str
    ) -> Iterator[Takeover]:
        ways_of = self._runs(target, resource, known, route)
        for principal in sorted(self._standings.named(self._standings.node(resource))) if known else ():
            yield from ways_of(principal)

    def _runs(
        self, target: str, resource: str, known: tuple[tuple[int, str], ...], route: str
    ) -> Callable[[str], Iterator[Takeover]]:
        """By which anybody is asked whether it controls a resource that runs as a target."""
        name = resource.rsplit("/", 1)[-1]
        how = (
            f"runs code of its own on {name}, which runs as {{target}}"
            if route == "E12"
            else f"has {name}, which runs as {{target}}, show the secrets that it fetched"
        )
        bits = tuple(bit for bit, _ in known)
        return partial(self._controlled, self._standings.node(resource), target, resource, bits, route, how)

    def _controlled(
        self, node: Node, target: str, resource: str, bits: tuple[int, ...], route: str, how: str, principal: str
    ) -> Iterator[Takeover]:
        answer, found = self._standings.powers(principal, node).best(*bits)
        if answer is not Answer.DENIED:
            via = (*self._standings.citations(principal, resource, found), _runs_as(resource))
            again = partial(self._controlled, node, target, resource, bits, route, how)
            yield Takeover(route, principal, target, answer, actions.names_of(found), via, how, again=again)

    def _attaching(self, target: str, identity: str) -> Iterator[Takeover]:
        node = self._standings.node(identity)
        names = self._standings.naming_over(node, actions.ASSIGN_IDENTITY)
        for principal in sorted(names.union(*map(self._standings.named_in, names))):
            yield from self._attached(node, target, identity, principal)

    def _attached(self, node: Node, target: str, identity: str, principal: str) -> Iterator[Takeover]:
        """Whether somebody attaches an identity; denied where it may not do the other half, making something that runs as it."""
        if not self._standings.powers(principal, node).any & actions.ASSIGN_IDENTITY:
            return
        answer, where, bits = self._attaches(principal, node)
        via = (
            *self._standings.citations(principal, identity, actions.ASSIGN_IDENTITY),
            *(self._standings.citations(principal, where, bits) if bits else ()),
        )
        yield Takeover(
            "E12",
            principal,
            target,
            answer,
            actions.names_of(actions.ASSIGN_IDENTITY | bits),
            tuple(dict.fromkeys(via)),
            "attaches {target} to something of its own that runs code",
            again=partial(self._attached, node, target, identity),
        )

    def _attaches(self, principal: str, node: Node) -> tuple[Answer, str, int]:
        """How surely somebody attaches an identity at a node, and where and by which bit it makes something that runs as it."""
        held = self._standings.powers(principal, node)
        answer, where, bits = self._makes_compute(principal) if held.any & actions.ASSIGN_IDENTITY else _NOWHERE
        both = held.plus(bits, answer) if bits else NONE
        return both.answer(actions.ASSIGN_IDENTITY | bits), where, bits

    def _makes_compute(self, principal_id: str) -> tuple[Answer, str, int]:
        """Where, by which bit and how surely somebody may create something that runs as an identity."""
        return self._makers.get(principal_id) or self._makers.put(principal_id, self._made_by(principal_id))

    def _made_by(self, principal_id: str) -> tuple[Answer, str, int]:
        best = _NOWHERE
        for scope in self._standings.places_of(principal_id):
            answer, bits = self._standings.powers(principal_id, self._standings.node(scope)).best(*_COMPUTE)
            if STRENGTH[answer] < STRENGTH[best[0]]:
                best = (answer, scope, bits)
                if answer is Answer.ALLOWED:
                    break
        return best

    def _federating(self, target: str, identity: str) -> Iterator[Takeover]:
        node = self._standings.node(identity)
        for principal in sorted(self._standings.named(node)):
            yield from self._federated_by(node, target, identity, principal)

    def _federated_by(self, node: Node, target: str, identity: str, principal: str) -> Iterator[Takeover]:
        answer = self._standings.powers(principal, node).answer(actions.FEDERATE_IDENTITY)
        if answer is not Answer.DENIED:
            via = self._standings.citations(principal, identity, actions.FEDERATE_IDENTITY)
            how = "lets {target} take tokens of an issuer of its own (a federated credential)"
            names = actions.names_of(actions.FEDERATE_IDENTITY)
            again = partial(self._federated_by, node, target, identity)
            yield Takeover("E12", principal, target, answer, names, via, how, again=again)

    def _federated(self, target: str) -> Iterator[Takeover]:
        app_id = (self._estate.principal(target).app_id or "").casefold()
        owners = (*sorted(self._assigned.get(target, ())), *self._applications.get(app_id, ()))
        for owner in owners:
            for credential in self._credentials.get(owner, ()):
                via = (
                    Citation(
                        CitationKind.FEDERATED_CREDENTIAL,
                        f"{owner}/federatedIdentityCredentials/{credential.name}",
                        owner if owner.startswith("/") else None,
                    ),
                )
                how = f"presents a token of {credential.issuer or 'an issuer'} for {credential.subject or 'its subject'}, and is {{target}}"
                note = "who controls that subject is not known here"
                yield Takeover("E28", None, target, Answer.ALLOWED, ("tokens of another issuer",), via, how, note)


def _any(known: tuple[tuple[int, str], ...]) -> int:
    return sum_of(bit for bit, _ in known)


def _runs_as(resource: str) -> Citation:
    return Citation(CitationKind.RESOURCE_IDENTITY, resource, resource)
