"""Who holds a control-plane action on a vault: what routes to data and self-grants are made of (facts azure.md 8).

The control plane is Azure RBAC on every vault, whatever its permission model and the tenant that it trusts.
"""

from collections.abc import Iterator

from kvaudit.access.answers import Citation, CitationKind, ControlHolding
from kvaudit.access.conditions import Verdict
from kvaudit.access.denies import Meets, action_verdict, meets, possible_citation, reaches, takes_action
from kvaudit.access.grants import ACTIVATION, Record, not_before
from kvaudit.access.places import DENY_ASSIGNMENTS
from kvaudit.access.roles import holds_action
from kvaudit.access.surroundings import Surroundings
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment, ScheduleInstance
from kvaudit.model.vaults import Vault

_STRENGTH = (Answer.ALLOWED, Answer.CONDITIONAL, Answer.UNKNOWN)


class ControlPlane:
    """Answers for one estate. What a role holds of an action is worked out once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._held: dict[tuple[str, str], tuple[tuple[Answer, str | None], ...]] = {}

    def holders(self, vault: Vault, action: str) -> tuple[ControlHolding, ...]:
        """Every principal that a record names and that holds, or may hold, an action on a vault.

        Conditional holders have a condition or must activate; unknown ones hang on a role, a deny or a place in the
        tree of management groups that was not read. Gaps that could hide a further holder are not told here.
        """
        by_principal: dict[str, list[Citation]] = {}
        placed, unplaced = self._around.records_over(vault)
        for record, is_placed in (*((item, True) for item in placed), *((item, False) for item in unplaced)):
            for citation in self.citations(record, action, vault, is_placed=is_placed):
                by_principal.setdefault(record.principal_id, []).append(citation)
        if not by_principal:
            return ()
        denies = tuple(self._denies(vault, action))
        unread = self._around.gaps_at(vault, (DENY_ASSIGNMENTS,))
        found = (
            self._holding(principal, action, citations, denies, doubted=bool(unread))
            for principal, citations in sorted(by_principal.items())
        )
        return tuple(item for item in found if item is not None)

    def citations(self, record: Record, action: str, vault: Vault, *, is_placed: bool = True) -> Iterator[Citation]:
        """What one record gives of an action, block by block, whoever holds it."""
        held = self._answers(record.role, action)
        if not held:
            return
        counts, begins, ends = self._around.grants.window(record)
        if not counts:
            return
        eligible = isinstance(record, ScheduleInstance) and record.eligible
        waits = [*([ACTIVATION] if eligible else ()), *([not_before(begins)] if begins else ())]
        kind = CitationKind.ELIGIBLE_ASSIGNMENT if eligible else CitationKind.ROLE_ASSIGNMENT
        name = self._around.grants.power(record.role).name
        for answer, condition in held:
            conditions = [text for text in (record.condition, condition) if text]
            verdict = action_verdict(conditions, action, vault)
            if verdict is Verdict.FALSE:
                continue
            settled = verdict is Verdict.TRUE and not waits
            given = Answer.CONDITIONAL if answer is Answer.ALLOWED and not settled else answer
            yield Citation(
                kind,
                record.id,
                record.scope,
                name,
                condition=" and ".join([*waits, *conditions]) or None,
                ends=ends,
                answer=given if is_placed else Answer.UNKNOWN,
                conditions=tuple(conditions),
                begins=begins,
            )

    def _answers(self, role: str, action: str) -> tuple[tuple[Answer, str | None], ...]:
        """What a role says of an action, block by block; the condition of the block beside it."""
        key = (role, action)
        if key not in self._held:
            permissions = self._around.grants.power(role).permissions
            if permissions is None:
                self._held[key] = ((Answer.UNKNOWN, None),)
            else:
                verdicts = {(holds_action(block, action), block.condition) for block in permissions}
                self._held[key] = tuple(
                    (Answer.ALLOWED if held else Answer.UNKNOWN, condition)
                    for held, condition in sorted(verdicts, key=str)
                    if held is not False
                )
        return self._held[key]

    def _denies(self, vault: Vault, action: str) -> Iterator[tuple[DenyAssignment, bool]]:
        placed, unplaced = self._around.denies_over(vault)
        for deny in placed:
            verdict = takes_action(deny, action, vault)
            if verdict is not Meets.NO and reaches(deny, vault.scope):
                yield deny, verdict is Meets.YES
        for deny in unplaced:
            # It stands at a management group, if above the vault at all.
            if not deny.do_not_apply_to_child_scopes and takes_action(deny, action, vault) is not Meets.NO:
                yield deny, False

    def _holding(
        self,
        principal: str,
        action: str,
        citations: list[Citation],
        denies: tuple[tuple[DenyAssignment, bool], ...],
        *,
        doubted: bool,
    ) -> ControlHolding | None:
        directory = self._around.directory
        if directory.type_of(principal) == "Application":
            return None
        via = sorted(
            citations, key=lambda item: (_STRENGTH.index(item.answer), item.id.casefold(), item.condition or "")
        )
        for deny, certain in denies:
            met = meets(deny, principal, directory)
            if met is Meets.YES and certain:
                return None
            if met is not Meets.NO:
                doubted = True
                via.append(possible_citation(deny))
        answer = Answer.UNKNOWN if doubted else via[0].answer
        return ControlHolding(principal, directory.type_of(principal), action, answer, tuple(via))
