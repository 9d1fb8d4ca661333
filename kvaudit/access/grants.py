"""What one record gives, on its own, at one place: the smallest step of every answer.

Time (facts azure.md 2.4): an activated or time-bound assignment shows twice, as an assignment and as an instance of its
schedule. Both are one grant, which keeps the end. An instance that ended before the snapshot did gives nothing, nor does
the assignment that only it upholds; one that has not begun is conditional on its start.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.conditions import Verdict, evaluate_operation
from kvaudit.access.memberships import Way
from kvaudit.access.moments import Clock, earliest, latest
from kvaudit.access.roles import Block, RolePower, power_of
from kvaudit.model.answers import Answer
from kvaudit.model.assignments import RoleAssignments
from kvaudit.model.authorization import RoleAssignment, RoleDefinition, ScheduleInstance
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import iter_operations, mask_of, operations, vault_only_mask
from kvaudit.model.vaults import AccessPolicy, ObjectRef, Vault

Record = RoleAssignment | ScheduleInstance

Texts = tuple[str, ...]

ACTIVATION = "eligible, must be activated"

_WRITES = ("set", "update", "create", "import", "delete", "recover", "purge", "rotate", "setrotationpolicy")


def object_writes_mask() -> int:
    """Operations that change an object: whether a grant on one object allows them is disputed between Microsoft's pages.

    Reads, exports (backup, release) and the use of keys change nothing (facts azure.md 2.1; kinds in operations.json).
    """
    return mask_of(item.word for item in operations() if item.word.split("/", 1)[1] in _WRITES)


def kind_mask(kind: str) -> int:
    """The operations of one kind of object."""
    return mask_of(item.word for item in operations() if item.kind == kind)


def not_before(begins: str) -> str:
    """A start that is still to come, as a citation's `condition` states it."""
    return f"not before {begins}"


@dataclass(frozen=True, slots=True)
class Given:
    """What one record gives: its citation, and the gaps that keep it from saying more."""

    citation: Citation
    gaps: tuple[Gap, ...] = ()

    def through(self, chain: tuple[str, ...], ends: str | None) -> "Given":
        """The same for a member: through a chain of groups, memberships of which end at a time or never."""
        return Given(replace(self.citation, groups=chain, ends=earliest(self.citation.ends, ends)), self.gaps)

    def after(self, way: Way) -> "Given":
        """The same for somebody who is not in the group yet: once the memberships on the way are in force."""
        return Given(after(self.citation, way), self.gaps)


def after(citation: Citation, way: Way) -> Citation:
    """What a record gives somebody who is not in the group yet: once the memberships on the way are in force."""
    waits = [
        f"eligible for membership of group {item.group}, must be activated" for item in way.awaited if item.activation
    ]
    begins, ends = citation.begins, citation.ends
    for item in way.awaited:
        begins, ends = latest(begins, item.begins), earliest(ends, item.ends)
        waits.extend([not_before(item.begins)] if item.begins else ())
    return replace(
        citation,
        answer=Answer.CONDITIONAL if citation.answer is Answer.ALLOWED else citation.answer,
        condition=" and ".join([*waits, *([citation.condition] if citation.condition else [])]),
        begins=begins,
        ends=ends,
        awaits=tuple(item.group for item in way.awaited),
    )


class Grants:
    """Turns records into what they give. Roles are worked out once each.

    Args:
        definitions: the snapshot's role definitions by folded GUID.
        instances: schedule instances; the active ones are matched with the assignments that they uphold.
        assignments: every role assignment.
        now: ISO 8601 time at which access is judged (the snapshot's), or None: then nothing has ended.
    """

    def __init__(
        self,
        definitions: Mapping[str, RoleDefinition],
        assignments: RoleAssignments,
        instances: Sequence[ScheduleInstance],
        now: str | None,
    ) -> None:
        self._definitions = definitions
        self._powers: dict[str, RolePower] = {}
        self._role_gaps: dict[str, Gap] = {}
        self._clock = Clock(now)
        self._upheld: dict[str, list[ScheduleInstance]] = {}
        self._timed_scopes: set[str] = set()
        self.loose_instances = tuple(self._match(assignments, instances))

    def _match(self, assignments: RoleAssignments, instances: Sequence[ScheduleInstance]) -> Iterator[ScheduleInstance]:
        """Remember which active instance upholds which assignment; yield the instances that stand alone."""
        active = [item for item in instances if not item.eligible]
        named = (item.origin_role_assignment_id for item in active)
        by_id = assignments.by_ids({origin.casefold() for origin in named if origin})
        by_grant = {
            (item.scope, item.role, item.principal_id): item
            for scope in {item.scope for item in active if not item.origin_role_assignment_id}
            for item in assignments.at(scope)
        }
        for instance in instances:
            origin = (instance.origin_role_assignment_id or "").casefold()
            shown_as = None
            if not instance.eligible:
                same = (instance.scope, instance.role, instance.principal_id)
                shown_as = by_id.get(origin) or (None if origin else by_grant.get(same))
            if shown_as is None:
                yield instance
            else:
                self._upheld.setdefault(shown_as.id.casefold(), []).append(instance)
                self._timed_scopes.add(shown_as.scope)

    def power(self, guid: str) -> RolePower:
        """The power of a role, by its folded GUID."""
        if guid not in self._powers:
            self._powers[guid] = power_of(guid, self._definitions.get(guid))
        return self._powers[guid]

    def role_gap(self, guid: str) -> Gap:
        """The gap of a role whose definition is neither in the snapshot nor built in."""
        if guid not in self._role_gaps:
            self._role_gaps[guid] = Gap(
                kind="role_definitions",
                scope=f"/providers/Microsoft.Authorization/roleDefinitions/{guid}",
                reason="a role assignment names this role, and its definition was not read",
                permission="Microsoft.Authorization/roleDefinitions/read",
            )
        return self._role_gaps[guid]

    def depends_on_place(self, record: Record) -> bool:
        """Whether what the record gives depends on the vault or the object: it has a condition, or its role has."""
        return record.condition is not None or any(block.condition for block in self.power(record.role).blocks)

    def is_timed(self, record: RoleAssignment) -> bool:
        """Whether schedule instances uphold an assignment: then its time decides too."""
        return bool(self._upheld) and record.id.casefold() in self._upheld

    def holds_timed(self, scope: str) -> bool:
        """Whether such an assignment stands at a folded scope."""
        return scope in self._timed_scopes

    def window(self, record: Record) -> tuple[bool, str | None, str | None]:
        """Whether the record counts at all, when it begins (only if that is still to come), and when it ends."""
        spans: Sequence[ScheduleInstance] = (
            (record,) if isinstance(record, ScheduleInstance) else self._upheld.get(record.id.casefold(), ())
        )
        if not spans:
            return True, None, None
        running = [item for item in spans if not self._clock.is_past(item.end)]
        if not running:
            return False, None, None
        begins = (
            None
            if any(not self._clock.is_future(item.start) for item in running)
            else min(i.start or "" for i in running)
        )
        ends = None if any(item.end is None for item in running) else max(item.end or "" for item in running)
        return True, begins, ends

    def given_by(
        self, record: Record, vault: Vault | None, ref: ObjectRef | None, *, at_object: bool = False
    ) -> tuple[Given, ...]:
        """What a role assignment or a schedule instance gives.

        Args:
            record: the record.
            vault: the place asked about, for conditions; None leaves it open.
            ref: the object asked about, or None for the vault.
            at_object: the record's scope is the object itself: vault-only words are not given, writes are disputed.
        """
        counts, begins, ends = self.window(record)
        if not counts:
            return ()
        power = self.power(record.role)
        eligible = isinstance(record, ScheduleInstance) and record.eligible
        waits = (*((ACTIVATION,) if eligible else ()), *((not_before(begins),) if begins else ()))
        masks: dict[tuple[Answer, Texts], int] = {}
        for block in power.blocks:
            texts = tuple(text for text in (record.condition, block.condition) if text)
            for answer, mask in _block_answers(block, texts, vault, ref):
                key = (Answer.CONDITIONAL if waits and answer is Answer.ALLOWED else answer, texts)
                masks[key] = masks.get(key, 0) | mask
        if at_object and ref is not None:
            masks = _on_object_only(masks, ref)
        gaps = () if power.is_known else (self.role_gap(record.role),)
        kind = CitationKind.ELIGIBLE_ASSIGNMENT if eligible else CitationKind.ROLE_ASSIGNMENT
        return tuple(
            Given(
                Citation(
                    kind,
                    record.id,
                    record.scope,
                    power.name,
                    condition=" and ".join((*waits, *texts)) or None,
                    ends=ends,
                    answer=answer,
                    mask=mask,
                    conditions=texts,
                    begins=begins,
                ),
                gaps,
            )
            for (answer, texts), mask in masks.items()
            if mask
        )


def _block_answers(
    block: Block, texts: Texts, vault: Vault | None, ref: ObjectRef | None
) -> Iterator[tuple[Answer, int]]:
    if not texts:
        yield Answer.ALLOWED, block.mask
        yield Answer.UNKNOWN, block.unsure
        return
    for item in iter_operations(block.mask | block.unsure):
        verdict = evaluate_operation(texts, item, vault.name if vault else None, ref).verdict
        if verdict is Verdict.FALSE:
            continue
        if block.unsure & item.mask:
            yield Answer.UNKNOWN, item.mask
        else:
            yield (Answer.ALLOWED if verdict is Verdict.TRUE else Answer.CONDITIONAL), item.mask


def _on_object_only(masks: Mapping[tuple[Answer, Texts], int], ref: ObjectRef) -> dict[tuple[Answer, Texts], int]:
    found: dict[tuple[Answer, Texts], int] = {}
    within = kind_mask(ref.kind) & ~vault_only_mask()
    writes = object_writes_mask()
    for (answer, texts), mask in masks.items():
        for key, part in (
            ((answer, texts), mask & within & ~writes),
            ((Answer.UNKNOWN, texts), mask & within & writes),
        ):
            if part:
                found[key] = found.get(key, 0) | part
    return found


def certain_mask(vault: Vault, entry: AccessPolicy) -> int | None:
    """The operations that one entry of the access policies gives for certain: 0 for nothing; None: see `given_by_policy`."""
    given, own, asked = entry.mask, entry.tenant_id, vault.tenant_id
    if not given or (own and asked and own != asked and own.casefold() != asked.casefold()):
        return 0
    return None if entry.application_id or bool(own) != bool(asked) else given


def given_by_policy(vault: Vault, index: int, entry: AccessPolicy) -> Given | None:
    """What one entry of the access policies gives, or None: nothing.

    An entry of another tenant than the vault's gives nothing (facts azure.md 1.5). An entry with an application is
    conditional on that application acting for the principal.
    """
    if certain_mask(vault, entry) == 0:
        return None
    where = f"{vault.id}#accessPolicies/{index}"
    if bool(entry.tenant_id) != bool(vault.tenant_id):
        gap = Gap("vaults", vault.id, "the tenant of the vault or of an access policy was not read")
        return Given(
            Citation(CitationKind.ACCESS_POLICY, where, vault.scope, answer=Answer.UNKNOWN, mask=entry.mask), (gap,)
        )
    if entry.application_id:
        text = f"only while application {entry.application_id} acts for it"
        return Given(
            Citation(
                CitationKind.ACCESS_POLICY,
                where,
                vault.scope,
                condition=text,
                answer=Answer.CONDITIONAL,
                mask=entry.mask,
                remark=text,
            )
        )
    return Given(Citation(CitationKind.ACCESS_POLICY, where, vault.scope, mask=entry.mask))
