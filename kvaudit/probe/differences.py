"""What the records say against what the vault said, and why they may differ. Delays: facts azure.md 1.9."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from kvaudit.access.answers import Citation, CitationKind, Decision
from kvaudit.access.evaluator import Access
from kvaudit.access.near import Miss
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import PermissionModel, Vault
from kvaudit.probe.results import Found, Outcome, State

_RBAC_DELAY = timedelta(minutes=10)
"""Role assignments take up to 10 minutes."""

_MANAGEMENT_GROUP_DELAY = timedelta(hours=24)
"""Data roles at a management group may take several hours; no page gives a number, so a day is held possible."""

_FRESH = timedelta(minutes=10)
"""Records that are younger are not called stale: what changed in between is still on its way, too."""


class Agreement(StrEnum):
    """How a probe and the records stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    SETTLED = "settled"
    """The records say conditional or unknown, and the probe says what holds for its own name."""
    NOT_COMPARED = "not_compared"


class Reason(StrEnum):
    """Why the records and the vault may say different things."""

    FIREWALL = "firewall"
    PRIVATE_LINK = "private_link"
    TENANT = "tenant"
    SOFT_DELETED = "soft_deleted"
    UNREACHABLE = "unreachable"
    DENY_ASSIGNMENT = "deny_assignment"
    MODEL_CHANGED = "model_changed"
    CONDITION = "condition"
    PROPAGATION = "propagation"
    STALE_TOKEN = "stale_token"  # noqa: S105 - a reason, not a token
    STALE_RECORDS = "stale_records"
    UNEXPLAINED = "unexplained"
    """Nothing that is known explains it: perhaps a hole in what kvaudit knows of Azure."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One possible reason, with what it rests on."""

    reason: Reason
    because: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One operation, as the vault and the records see it.

    Attributes:
        expected: what the records say, or None where there are none.
        differences: reasons, the likeliest first.
    """

    found: Found
    expected: Answer | None
    agreement: Agreement
    differences: tuple[Difference, ...] = ()


class Expectations:
    """What the records say of one identity.

    Args:
        access: over the records.
        principal_id: folded object ID of the identity.
        now: the time.
    """

    def __init__(self, access: Access, principal_id: str, now: datetime) -> None:
        self._access = access
        self._principal = principal_id
        self._now = now
        self._age = self._age_of(access.estate.collected_at)
        self._answers: dict[str, dict[str, Answer]] = {}

    def answers(self, vault: Vault) -> dict[str, Answer]:
        """What the records say of every operation on a vault, by word."""
        if vault.scope not in self._answers:
            found = self._access.answers(self._principal, vault)
            self._answers[vault.scope] = {item.word: answer for item, answer in found.items()}
        return self._answers[vault.scope]

    def compare(self, found: Found, vault: Vault, state: State, now_shown: frozenset[str] | None = None) -> Compared:
        """Compares one operation, and says why the two differ.

        Args:
            state: how far the vault could be reached.
            now_shown: operations that Resource Manager's own list of the caller's permissions shows now, or None where there
                is none: records that say otherwise are from before a change.

        A call that only stands beside the verdict is not compared: what Azure RBAC wants for it is partly inferred.
        """
        if not found.decides:
            return Compared(found, None, Agreement.NOT_COMPARED)
        expected = self.answers(vault)[found.word]
        if found.outcome is Outcome.NOT_PROBED:
            stopped = expected is not Answer.DENIED and state is not State.REACHABLE
            why = (Difference(_STATES.get(state, Reason.UNREACHABLE), found.because),) if stopped else ()
            return Compared(found, expected, Agreement.NOT_COMPARED, why)
        is_allowed = found.outcome is Outcome.ALLOWED
        is_open = expected in (Answer.CONDITIONAL, Answer.UNKNOWN)
        if not is_open and (expected is Answer.ALLOWED) is is_allowed:
            return Compared(found, expected, Agreement.AGREES)
        decision = self._access.can(self._principal, operation(found.word), vault)
        if is_open:
            return Compared(found, expected, Agreement.SETTLED, tuple(self._settling(decision, is_allowed)))
        shown = None if now_shown is None else found.word in now_shown
        reasons = (
            self._granted_since(decision, vault, shown=shown)
            if is_allowed
            else self._refused(found, decision, vault, shown=shown)
        )
        return Compared(found, expected, Agreement.DIFFERS, tuple(reasons))

    def _settling(self, decision: Decision, is_allowed: bool) -> Iterator[Difference]:
        if decision.answer is Answer.UNKNOWN:
            return
        held = "it was met here" if is_allowed else "it was not met here"
        for item in decision.because:
            if item.condition:
                # Nothing of a condition is known but that it did or did not hold for a name that cannot exist.
                yield Difference(Reason.CONDITION, f"holds only where {item.words or item.condition}; {held}")

    def _refused(self, found: Found, decision: Decision, vault: Vault, *, shown: bool | None) -> Iterator[Difference]:
        """The records say allowed and the vault says no.

        Args:
            shown: whether Resource Manager's list shows it now; None where there is none.
        """
        certain = False
        if found.deny_assignment is not None:
            certain = True
            yield Difference(Reason.DENY_ASSIGNMENT, self._deny_told(found.deny_assignment))
        if _shows_other_model(found, vault):
            certain = True
            said = "access policies" if vault.permission_model is PermissionModel.AZURE_RBAC else "Azure RBAC"
            yield Difference(
                Reason.MODEL_CHANGED, f"the vault refused as one that uses {said}; the records say that it does not"
            )
        if "condition" in found.decision:
            certain = True
            yield Difference(Reason.CONDITION, "the vault says that a condition was not met")
        if certain:
            return
        told = [*self._on_their_way(decision)]
        if shown is False:  # a new grant may be missing there, too: what may be on its way stands before it
            because = "Resource Manager's own list does not show it now either: most likely it was taken away since the records were read"
            told.append(Difference(Reason.STALE_RECORDS, because))
        else:
            told.extend(self._stale("taken away"))
        yield from told or [self._unexplained(decision)]

    def _deny_told(self, deny_id: str) -> str:
        known = any(scopes.fold(item.id) == scopes.fold(deny_id) for item in self._access.estate.deny_assignments)
        return f"the vault names deny assignment {deny_id}, which the records {'hold' if known else 'do not hold'}"

    def _on_their_way(self, decision: Decision) -> Iterator[Difference]:
        """Grants that may not be in force yet."""
        for item in decision.because:
            created = self._created(item)
            age = self._age_of(created)
            at_management_group = scopes.is_management_group(item.scope or "")
            bound = _MANAGEMENT_GROUP_DELAY if at_management_group else _RBAC_DELAY
            if age is not None and age <= bound:
                delay = "may take hours at a management group" if at_management_group else "takes up to 10 minutes"
                yield Difference(Reason.PROPAGATION, f"the role assignment was made {_words(age)} ago, and it {delay}")
            elif item.kind is CitationKind.ACCESS_POLICY and not self._is_old():
                yield Difference(
                    Reason.PROPAGATION, "a refusal right after an access policy was added is possible; ask again"
                )
            if item.groups:
                yield Difference(
                    Reason.STALE_TOKEN,
                    "the grant comes through a group: a token from before the membership does not carry it (60 to 90 "
                    "minutes, a managed identity's up to a day)",
                )

    def _created(self, citation: Citation) -> str | None:
        if citation.kind is not CitationKind.ROLE_ASSIGNMENT or citation.scope is None:
            return None
        placed = self._access.estate.assignment_columns.at(citation.scope)
        return next((item.created_on for item in placed if item.id == citation.id), None)

    def _granted_since(self, decision: Decision, vault: Vault, *, shown: bool | None) -> Iterator[Difference]:
        """The records say denied and the vault says yes.

        Args:
            shown: whether Resource Manager's list shows it now; None where there is none.
        """
        told = []
        if shown:
            because = "Resource Manager's own list shows it now: it was given since the records were read"
            told.append(Difference(Reason.STALE_RECORDS, because))
        if any(item.kind is CitationKind.DENY_ASSIGNMENT for item in decision.because):
            told.append(
                Difference(Reason.DENY_ASSIGNMENT, "the records hold a deny assignment that the vault did not enforce")
            )
        if any(item.why is Miss.CONDITION for item in self._access.near_misses(decision, vault)):
            told.append(Difference(Reason.CONDITION, "a grant of this identity hangs on a condition"))
        told.extend(() if shown else self._stale("given"))
        told.append(
            Difference(
                Reason.PROPAGATION, "a grant that was taken away stays in force for up to 10 minutes, longer in a token"
            )
        )
        yield from told
        if not self._is_old() and not shown:
            yield self._unexplained(decision)

    def _stale(self, what: str) -> Iterator[Difference]:
        if self._is_old():
            when = f"{_words(self._age)} old" if self._age is not None else "of an unknown time"
            yield Difference(Reason.STALE_RECORDS, f"the records are {when}; access may have been {what} since")

    def _is_old(self) -> bool:
        return self._age is None or self._age > _FRESH

    def _unexplained(self, decision: Decision) -> Difference:
        gaps = f"; {len(decision.gaps)} things could not be read" if decision.gaps else ""
        return Difference(
            Reason.UNEXPLAINED,
            f"nothing in the records explains it{gaps}: perhaps a hole in what kvaudit knows of Azure, please report it",
        )

    def _age_of(self, text: str | None) -> timedelta | None:
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return max(timedelta(0), self._now - (at if at.tzinfo else at.replace(tzinfo=UTC)))


_STATES = {
    State.FIREWALL: Reason.FIREWALL,
    State.PRIVATE_LINK: Reason.PRIVATE_LINK,
    State.OTHER_TENANT: Reason.TENANT,
    State.SOFT_DELETED: Reason.SOFT_DELETED,
}


def _shows_other_model(found: Found, vault: Vault) -> bool:
    code = (found.code or "").casefold()
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return code == "accessdenied"
    return vault.permission_model is PermissionModel.ACCESS_POLICIES and code == "forbiddenbyrbac"


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    hours = minutes // 60
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
