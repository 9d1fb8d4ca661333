"""E6: whoever may write a custom role on every scope at which it is assignable adds data actions to it.

Custom roles with data actions cannot be assigned at management groups (Microsoft: role-based-access-control/custom-roles), so
only those count that are assigned at a subscription or below it.
"""

from collections.abc import Iterator, Mapping

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.powers import NONE, weaker
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer

_KEPT = 1_000
"""Scopes whose custom roles are kept: neighbours ask one after the other."""
_ANSWERS = 100_000
"""Answers that are kept of who may rewrite what."""


class CustomRoles:
    """Where custom roles are assigned.

    Args:
        around: where the records are.
        standings: who may write role definitions where.
    """

    def __init__(self, around: Surroundings, standings: Standings) -> None:
        self._around = around
        self._standings = standings
        self._assigned: dict[str, Mapping[str, frozenset[str]]] = {}
        self._writing: Kept[tuple[str, tuple[str, ...]], Answer] = Kept(_ANSWERS)
        self._rewriting: Kept[tuple[str, str], Answer] = Kept(_ANSWERS)
        definitions = around.estate.role_definitions
        self._custom = {
            guid: tuple(scopes.fold(item) for item in role.assignable_scopes)
            for guid, role in definitions.items()
            if (role.role_type or "").casefold() == "customrole"
        }

    def _at(self, scope: str) -> Mapping[str, frozenset[str]]:
        """The custom roles that are assigned at a folded scope below management groups → to whom."""
        if scope not in self._assigned:
            if len(self._assigned) >= _KEPT:
                self._assigned.clear()
            found: dict[str, set[str]] = {}
            table = self._around.estate.assignment_columns
            for row in table.rows_at(scope) if scope.startswith(scopes.SUBSCRIPTION_PREFIX) else ():
                role, _ = table.values.powers[table.columns.powers[row]]
                if role in self._custom:
                    found.setdefault(role, set()).add(table.values.principals[table.columns.principals[row]])
            self._assigned[scope] = {role: frozenset(holders) for role, holders in found.items()}
        return self._assigned[scope]

    def over(self, scope: str) -> tuple[str, ...]:
        """The scopes at or above a folded scope at which a custom role is assigned."""
        if not self._custom:
            return ()
        return tuple(item for item in scopes.path_ancestors(scope) if self._at(item))

    def rewriting(self, principal_id: str, places: tuple[str, ...]) -> Answer:
        """Whether a principal may give data actions to a custom role that is assigned at one of some scopes.

        Conditional where the role is assigned to others only: then it needs one of them.
        """
        found = NONE
        for place in places:
            key = (principal_id, place)
            answer = self._rewriting.get(key) or self._rewriting.put(key, self._rewriting_at(principal_id, place))
            found = found.plus(actions.REWRITES_ROLE, answer)
        return found.answer(actions.REWRITES_ROLE)

    def cited(self, principal_id: str, places: tuple[str, ...]) -> Iterator[Citation]:
        """The assignments, at some scopes, of custom roles that a principal may rewrite, and what lets it."""
        chains, scopes_of = self._around.directory.chains_up(principal_id), dict[str, None]()
        for place in places:
            for record in self._around.records.at(place):
                if record.role in self._at(place) and self._may_write(principal_id, record.role) is not Answer.DENIED:
                    name = self._around.grants.power(record.role).name
                    groups = chains.get(record.principal_id, ())
                    yield Citation(CitationKind.ROLE_ASSIGNMENT, record.id, place, name, groups)
                    scopes_of.update(dict.fromkeys(self._custom[record.role]))
        for scope in scopes_of:
            yield from self._standings.citations(principal_id, scope, actions.ROLES_WRITE)

    def _rewriting_at(self, principal_id: str, place: str) -> Answer:
        names = {principal_id, *self._around.directory.chains_up(principal_id)}
        found = NONE
        for role, holders in self._at(place).items():
            answer = self._may_write(principal_id, role)
            if answer is not Answer.DENIED and names.isdisjoint(holders):
                answer = weaker(answer, Answer.CONDITIONAL)
            found = found.plus(actions.REWRITES_ROLE, answer)
        return found.answer(actions.REWRITES_ROLE)

    def _may_write(self, principal_id: str, role: str) -> Answer:
        key = (principal_id, self._custom[role])  # thousands of roles share a few lists of assignable scopes
        answer = self._writing.get(key)
        if answer is None:
            answer = Answer.ALLOWED if key[1] else Answer.DENIED
            for scope in key[1]:
                held = self._standings.powers(principal_id, self._standings.node(scope))
                answer = weaker(answer, held.answer(actions.ROLES_WRITE))
            self._writing.put(key, answer)
        return answer
