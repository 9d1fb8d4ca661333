"""Who may do which operation on which vault or object, and which record says so. The one evaluator of the product.

Semantics: ARCHITECTURE.md, "Access semantics"; facts azure.md 1 to 3 and 5. Memberships: `kvaudit.access.directory`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from kvaudit.access import notes
from kvaudit.access.answers import Citation, CitationKind, ControlHolding, Decision, Holding, WhoCan, tenant_citation
from kvaudit.access.control import ControlPlane
from kvaudit.access.counting import Question
from kvaudit.access.escalation import EscalationRoute, Escalations, NotAssessed, Routes
from kvaudit.access.places import DENY_ASSIGNMENTS, Place
from kvaudit.access.subject import VaultAccess
from kvaudit.access.surroundings import GRANT_KINDS, Surroundings
from kvaudit.access.verdicts import Judge, Verdict
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, once
from kvaudit.model.permissions import Operation, all_operations_mask, operations
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault

if TYPE_CHECKING:
    from kvaudit.access.bulk import Bulk
    from kvaudit.access.near import NearMiss

_ORDER = {Answer.ALLOWED: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.DENIED: 3}
_HIDES_VAULTS = frozenset({"vaults", "subscriptions"})


class Access:
    """Answers questions about access in one estate.

    Args:
        estate: everything that the snapshot says.
    """

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._around = Surroundings(estate)
        self._directory = self._around.directory
        self._judge = Judge(self._directory, self._around.grants)
        self._control = ControlPlane(self._around)
        self._last_place: Place | None = None

    @cached_property
    def _vaults(self) -> tuple[dict[str, Vault], dict[str, Vault]]:
        """By scope, and by name."""
        vaults = self.estate.vaults
        return {item.scope: item for item in vaults}, {item.name.casefold(): item for item in vaults}

    def vault(self, name_or_id: str) -> Vault:
        """The vault of a name or a resource ID, in any case. Raises KeyError when the estate has none."""
        text, (by_scope, by_name) = name_or_id.strip(), self._vaults
        return by_scope[scopes.fold(text)] if text.startswith("/") else by_name[text.casefold()]

    def subject(self, vault: Vault) -> VaultAccess:
        """What a rule gets: a vault, and the access to it."""
        return VaultAccess(self, vault)

    def bulk(self, questions: Iterable[Question]) -> "Bulk":
        """Counts of all vaults together. The estate must have one."""
        from kvaudit.access.bulk import Bulk  # roaring bitmaps are loaded where many vaults are judged only

        return Bulk(self._around, self._control, questions)

    def can(
        self,
        principal_id: str,
        operation: Operation,
        vault: Vault,
        object: ObjectRef | None = None,  # noqa: A002
    ) -> Decision:
        """Whether a principal may do an operation on a vault, or on one object in it, and why.

        An operation that exists on the vault only is judged on the vault whatever the object.

        Args:
            principal_id: object ID in any case.
            operation: what it would do.
            vault: where.
            object: the object, or None: judged on the vault.

        Raises:
            ValueError: the object is not of the operation's kind.
        """
        ref = _object_of(operation, object)
        principal_id = principal_id.strip().casefold()
        place = self._around.place(vault, ref)
        verdict = self._judge.verdict(principal_id, place)
        answer = _answer(verdict, operation.mask)
        because = tuple(item for item in verdict.citations if item.mask & operation.mask and _counts(item, answer))
        if self._is_foreign_to(vault):
            because = (tenant_citation(vault, operation.mask),)
        told = notes.Told((principal_id,), because, self._holds(operation, place))
        return Decision(
            principal_id=principal_id,
            operation=operation.word,
            vault_id=vault.id,
            object=str(place.object) if place.object else None,
            answer=answer,
            because=because,
            gaps=self._cited(because, verdict.gaps),
            notes=notes.for_decision(self._around, place, operation, principal_id, answer, told),
        )

    def answers(self, principal_id: str, vault: Vault, ref: ObjectRef | None = None) -> dict[Operation, Answer]:
        """What `can` answers for every operation on a vault, or for those that exist on an object, without the reasons."""
        verdict = self._judge.verdict(principal_id.strip().casefold(), self._around.place(vault, ref))
        asked = (item for item in operations() if ref is None or (item.kind == ref.kind and not item.vault_only))
        return {item: _answer(verdict, item.mask) for item in asked}

    def who_can(
        self,
        operation: Operation,
        vault: Vault,
        object: ObjectRef | None = None,  # noqa: A002
        *,
        expand_groups: bool = False,
        include_escalation: bool = False,
    ) -> WhoCan:
        """Everybody whose answer is not denied.

        Args:
            operation: what they may do.
            vault: where.
            object: the object, or None: judged on the vault.
            expand_groups: list every member of a group too. Without, a group stands for its members.
            include_escalation: tell beside the holders who does not hold it for certain and has a route to it.

        Raises:
            ValueError: the object is not of the operation's kind.
        """
        ref = _object_of(operation, object)
        place = self._around.place(vault, ref)
        found: list[Holding] = []
        gaps: list[Gap] = [*place.blind, *place.hidden, *place.hidden_denies]
        for holding, verdict in self._rows(place, expand_groups=expand_groups, mask=operation.mask):
            answer = holding.answer(operation.mask)
            if answer is Answer.DENIED:
                continue
            via = tuple(item for item in holding.via if item.mask & operation.mask and _counts(item, answer))
            found.append(replace(holding, via=via))
            gaps.extend(self._cited(via, verdict.gaps))
        found.sort(
            key=lambda item: (_ORDER[item.answer(operation.mask)], item.principal_id or "~", item.application_id or "")
        )
        told = notes.Told(
            tuple(item.principal_id for item in found if item.principal_id),
            tuple(citation for item in found for citation in item.via),
            self._holds(operation, place),
        )
        complete = WhoCan(
            operation=operation.word,
            vault_id=vault.id,
            object=str(place.object) if place.object else None,
            holdings=tuple(found),
            gaps=once(gaps),
            notes=notes.for_place(self._around, place, operation, told),
        )
        if not include_escalation:
            return complete
        return self._with_routes(complete, operation, vault, expand_groups=expand_groups)

    def _with_routes(self, answer: WhoCan, operation: Operation, vault: Vault, *, expand_groups: bool) -> WhoCan:
        # What counts with an application beside its principal is never allowed.
        holders = {item.principal_id for item in answer.holdings if item.answer(operation.mask) is Answer.ALLOWED}
        routes = self.routes(vault, expand_groups=expand_groups)
        kept = tuple(
            item
            for item in routes.routes
            if item.mask & operation.mask and (item.principal_id is None or item.principal_id not in holders)
        )
        gaps = once((*answer.gaps, *routes.gaps))
        return replace(answer, routes=kept, gaps=gaps, not_assessed=routes.not_assessed)

    def _holds(self, operation: Operation, place: Place) -> Callable[[str], bool]:
        return lambda principal: bool(self._judge.verdict(principal, place).held & operation.mask)

    def near_misses(
        self,
        decision: Decision,
        vault: Vault,
        object: ObjectRef | None = None,  # noqa: A002
    ) -> "tuple[NearMiss, ...]":
        """Records that come near to giving what a decision denies, and why each does not count; for other answers none."""
        from kvaudit.access.near import near_misses  # asked by `can` only

        return near_misses(self._around, vault, object, decision)

    def holdings(
        self,
        vault: Vault,
        object: ObjectRef | None = None,  # noqa: A002
        *,
        expand_groups: bool = False,
        with_routes: bool = True,
    ) -> tuple[Holding, ...]:
        """What everybody holds on a vault, or on one object in it, sorted by principal. Nobody who holds nothing.

        A row says everything that its principal holds, also through groups, and the ids of its routes to more. Without
        `expand_groups` the rows are those of the principals that a record names; a row without a principal stands for
        whoever a gap hides. Without `with_routes` the ids are left out.
        """
        held = self._held(vault, object, expand_groups=expand_groups)
        return tuple(self.escalating(vault, held)) if with_routes else held

    def _held(self, vault: Vault, ref: ObjectRef | None = None, *, expand_groups: bool = False) -> tuple[Holding, ...]:
        place = self._around.place(vault, ref)
        return tuple(holding for holding, _ in self._rows(place, expand_groups=expand_groups))

    def escalating(self, vault: Vault, holdings: Iterable[Holding]) -> Iterator[Holding]:
        """Rows of a vault with the ids of the routes that their principals have to more."""
        return self.escalations.escalating(vault, holdings)

    def with_routes_only(
        self, vault: Vault, beside: Iterable[Holding], *, expand_groups: bool = False
    ) -> Iterator[Holding]:
        """Those who have a route to a vault and stand not among the rows of its holders (`beside`), sorted."""
        return self.escalations.rows_beside(vault, beside, expand_groups=expand_groups)

    def rows(self, *, expand_groups: bool = False) -> Iterator[Holding]:
        """Every holding: vault by vault, with the objects at which records stand, then the vaults that a gap hides.

        Behind the holders of a vault come those who hold nothing there and have a route to it (`escalation`).
        """
        for vault in self.estate.vaults:
            rows = self.holdings(vault, expand_groups=expand_groups)
            yield from rows
            yield from self.with_routes_only(vault, rows, expand_groups=expand_groups)
            for ref in self.objects_with_records(vault):
                yield from self.holdings(vault, ref, expand_groups=expand_groups)
        for gap in self.estate.gaps:
            if gap.kind in _HIDES_VAULTS and scopes.fold(gap.scope) not in self._vaults[0]:
                everything = all_operations_mask()
                citation = Citation(CitationKind.GAP, gap.id, answer=Answer.UNKNOWN, mask=everything)
                yield Holding(None, None, None, None, unknown=everything, via=(citation,))

    def objects_with_records(self, vault: Vault) -> tuple[ObjectRef, ...]:
        """The objects of an Azure RBAC vault at which a role or deny assignment stands, sorted."""
        if vault.permission_model is PermissionModel.ACCESS_POLICIES or self._is_foreign_to(vault):
            return ()
        return self._around.objects_with_records(vault)

    @cached_property
    def escalations(self) -> Escalations:
        """The routes of this estate; worked out when they are first asked for."""
        return Escalations(self._around, self._held, self._holding_of, self._named_on, self.objects_with_records)

    def _named_on(self, vault: Vault) -> frozenset[str]:
        return self._principals(self._around.place(vault), expand_groups=False)

    def _holding_of(self, principal_id: str, vault: Vault, ref: ObjectRef | None = None) -> Holding | None:
        place = self._last_place
        if place is None or place.vault is not vault or place.object != ref:  # asked for many principals of one place
            place = self._last_place = self._around.place(vault, ref)
        verdict = self._judge.verdict(principal_id, place, pairs=False)
        return self._holding(place, principal_id, verdict) if verdict.held else None

    def routes(self, vault: Vault, *, expand_groups: bool = False, only: frozenset[str] | None = None) -> Routes:
        """Every route (E1 to E30, or `only` some of them) to the data of a vault, with the records that give it."""
        return self.escalations.routes(vault, expand_groups=expand_groups, only=only)

    def routes_of(self, principal_id: str, vault: Vault) -> tuple[EscalationRoute, ...]:
        """The routes of one principal (object ID in any case) to the data of a vault."""
        return self.escalations.routes_of(principal_id, vault)

    def not_assessed(self) -> tuple[NotAssessed, ...]:
        """The kinds of records of routes that nobody collected: told once, never silently absent."""
        return self.escalations.not_assessed

    def control_holders(self, vault: Vault, action: str) -> tuple[ControlHolding, ...]:
        """Every principal that a record gives a control-plane action on a vault, sorted by principal."""
        return self._control.holders(vault, action)

    def gaps_for(self, vault: Vault) -> tuple[Gap, ...]:
        """What was not read and may change an answer about a vault: of its scopes, roles and groups."""
        place = self._around.place(vault)
        gaps = [*place.blind, *place.hidden, *place.hidden_denies]
        for layer in place.layers:
            for holder in sorted(layer.groups(self._directory)):
                gaps.extend(self._directory.hides_members(holder))
            gaps.extend(gap for given in layer.settled.values() for item in given for gap in item.gaps)
        around = self._around.gaps_at(vault, (*GRANT_KINDS, DENY_ASSIGNMENTS))  # of the control plane too, in any model
        return once((*self.estate.gaps_over(vault.scope, _ABOUT_VAULTS), *around, *gaps))

    def found_gaps(self) -> tuple[Gap, ...]:
        """Gaps that no collector told and that answers rest on: roles, groups and properties that were never read."""
        told = {gap.id for gap in self.estate.gaps}
        found = (gap for vault in self.estate.vaults for gap in self.gaps_for(vault))
        return tuple(gap for gap in once(found) if gap.id not in told)

    def _rows(self, place: Place, *, expand_groups: bool, mask: int | None = None) -> Iterator[tuple[Holding, Verdict]]:
        """Who holds something, at least everybody who holds an operation of the mask; the rest may be left out."""
        for principal in sorted(self._principals(place, expand_groups=expand_groups, mask=mask)):
            verdict = self._judge.verdict(principal, place, pairs=False)
            if verdict.held:
                yield self._holding(place, principal, verdict), verdict
        for principal, application in sorted(self._pairs(place, expand_groups=expand_groups)):
            verdict = self._judge.pair_verdict(principal, application, place)
            if verdict.held:
                yield self._holding(place, principal, verdict, application), verdict
        stranger = self._judge.stranger_verdict(place, members=expand_groups)
        if stranger.held:
            yield self._holding(place, None, stranger), stranger

    def _principals(self, place: Place, *, expand_groups: bool, mask: int | None = None) -> frozenset[str]:
        named = {item for layer in place.layers for item in (*layer.settled, *layer.open)}
        named.update(item.id.casefold() for deny in place.denies for item in deny.exclude_principals)
        if expand_groups:
            for holder in named if mask is None else self._worth_expanding(place, named, mask):
                named = named | self._directory.everyone_below(holder)
        return frozenset(named)

    def _worth_expanding(self, place: Place, named: set[str], mask: int) -> set[str]:
        """The holders whose members may hold an operation of the mask.

        All of them while anything was not read that could hide a grant or a member: then each is a doubt to be told.
        """
        touching: set[str] = set()
        for layer in place.layers:
            touching.update(
                holder for holder, given in layer.settled.items() if any(item.citation.mask & mask for item in given)
            )
            touching.update(layer.open)
        if place.blind or place.hidden or any(self._directory.hides_members(holder) for holder in touching):
            return named
        return touching

    def _pairs(self, place: Place, *, expand_groups: bool) -> set[tuple[str, str]]:
        pairs = {pair for layer in place.layers for pair in layer.pairs}
        if expand_groups:
            pairs |= {
                (member, application)
                for holder, application in pairs
                for member in self._directory.everyone_below(holder)
            }
        return pairs

    def _holding(
        self, place: Place, principal: str | None, verdict: Verdict, application: str | None = None
    ) -> Holding:
        return Holding(
            vault_id=place.vault.id,
            object=str(place.object) if place.object else None,
            principal_id=principal,
            principal_type=self._directory.type_of(principal) if principal else None,
            allowed=verdict.allowed,
            conditional=verdict.conditional,
            unknown=verdict.unknown,
            via=tuple(item for item in verdict.citations if item.mask & verdict.held),
            application_id=application,
        )

    def _is_foreign_to(self, vault: Vault) -> bool:
        return vault.permission_model is PermissionModel.AZURE_RBAC and self._around.tenants_differ(vault)

    def _cited(self, citations: Iterable[Citation], gaps: Iterable[Gap]) -> tuple[Gap, ...]:
        cited = {item.id for item in citations if item.kind is CitationKind.GAP}
        return tuple(gap for gap in gaps if gap.id in cited)


_ABOUT_VAULTS = frozenset(
    {
        "vaults",
        "role_assignments",
        "role_definitions",
        "deny_assignments",
        "role_eligibility_schedule_instances",
        "role_assignment_schedule_instances",
        "management_groups",
    }
)


def _object_of(operation: Operation, ref: ObjectRef | None) -> ObjectRef | None:
    if ref is None or operation.vault_only:
        return None
    if ref.kind != operation.kind:
        raise ValueError(f"{operation.word} is not an operation on {ref.kind}: ask about {operation.kind}/{ref.name}")
    return ref


def _answer(verdict: Verdict, mask: int) -> Answer:
    if verdict.allowed & mask:
        return Answer.ALLOWED
    if verdict.conditional & mask:
        return Answer.CONDITIONAL
    return Answer.UNKNOWN if verdict.unknown & mask else Answer.DENIED


def _counts(citation: Citation, answer: Answer) -> bool:
    """Whether a citation is a reason for an answer: unknown rests on everything, the others on what says just that."""
    return citation.answer is answer or (answer is Answer.UNKNOWN and citation.answer is not Answer.DENIED)
