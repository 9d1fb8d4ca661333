"""`kvaudit check`: what contracts need, against what `access` says, with the least change that makes both agree."""

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from kvaudit.access.answers import Citation, CitationKind, Decision
from kvaudit.access.evaluator import Access
from kvaudit.contracts.reading import Contract
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import operation, operations
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault
from kvaudit.preflight.excess import excess_fix
from kvaudit.preflight.least_change import least_choice, missing_fix
from kvaudit.preflight.on_objects import Apart, objects_apart, on_words
from kvaudit.preflight.resolving import resolve
from kvaudit.remediation import Fix

MOST_OBJECTS = 10_000
"""Objects of one vault that a need may be about; more is unknown."""

_HELD = (Answer.ALLOWED, Answer.CONDITIONAL)


class Deviation(StrEnum):
    """How a workload's access differs from its contract."""

    MISSING = "missing"
    EXCESS = "excess"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ContractFinding:
    """One difference, or one answer that cannot be given.

    Attributes:
        words: the operations that it is about.
        object: `secrets/NAME`, or None for the vault.
        message: one sentence.
        because: the records that say so.
        gaps: what could not be read and would decide it.
        fix: the least change that mends it; None where none is known or something must be read first.
    """

    contract: Contract
    deviation: Deviation
    vault: Vault
    principal_id: str
    words: tuple[str, ...]
    object: str | None
    message: str
    because: tuple[Citation, ...] = ()
    gaps: tuple[Gap, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `check` found.

    Attributes:
        findings: by contract, then vault.
        kept: (contract, vault) pairs that hold exactly what they need, as far as can be told.
    """

    contracts: tuple[Contract, ...]
    findings: tuple[ContractFinding, ...]
    kept: tuple[tuple[Contract, Vault], ...] = ()
    gaps: tuple[Gap, ...] = ()


def check_contracts(contracts: Sequence[Contract], access: Access) -> CheckResult:
    """Compares every contract with an estate.

    Raises:
        ContractsError: principals and vaults that the estate does not know or that are ambiguous, all of them.
    """
    resolved = resolve(contracts, access)
    findings: list[ContractFinding] = []
    kept: list[tuple[Contract, Vault]] = []
    together: dict[tuple[str, str], list[Contract]] = {}
    for contract, principal_id, vaults in resolved:
        for vault in vaults:
            together.setdefault((principal_id, vault.scope), []).append(contract)
    for contract, principal_id, vaults in resolved:
        for vault in vaults:
            beside = tuple(together[principal_id, vault.scope])
            found = list(_Comparison(contract, principal_id, vault, access, beside).findings())
            findings += found
            if not found:
                kept.append((contract, vault))
    gaps = tuple(dict.fromkeys(gap for item in findings for gap in item.gaps))
    return CheckResult(tuple(contracts), tuple(findings), tuple(kept), gaps)


@dataclass(slots=True)
class _Comparison:
    """One contract against one vault.

    Attributes:
        beside: every contract of this principal on this vault, this one too: what one needs is no excess of another.
    """

    contract: Contract
    principal_id: str
    vault: Vault
    access: Access
    beside: tuple[Contract, ...]
    _missing: list[tuple[str, str | None, Decision]] = field(default_factory=list)
    _unknown: list[tuple[str, str | None, Decision]] = field(default_factory=list)
    _differing: tuple[Apart, ...] | None = None
    _spoken: dict[ObjectRef | None, frozenset[str]] = field(default_factory=dict)

    def findings(self) -> Iterator[ContractFinding]:
        unread: list[ContractFinding] = []
        for word in self.contract.needs:
            refs, gap = self._objects(word, self.contract)
            if gap is not None:
                unread.append(self._unread(word, gap))
            for ref in refs:
                self._need(word, ref)
        if self._missing:
            yield self._missing_finding()
        yield from (self._unknown_finding(*item) for item in self._unknown)
        yield from unread
        yield from self._forbidden()
        yield from self._excess()

    def _objects(self, word: str, contract: Contract) -> tuple[tuple[ObjectRef | None, ...], Gap | None]:
        """The objects that a need is about, `None` for the vault; and the gap when their names were not read."""
        asked = operation(word)
        patterns = contract.objects.get(asked.kind)
        if patterns is None or asked.vault_only or self._answer(word, None) is Answer.ALLOWED:
            less = (item.ref for item in self._apart() if word in item.less and _covers(contract, item.ref))
            return (None, *less), None
        named = tuple(ObjectRef(asked.kind, item) for item in patterns if not _is_pattern(item))
        wild = [item.casefold() for item in patterns if _is_pattern(item)]
        if not wild:
            return named, None
        if not self._were_read(asked.kind):
            return named, self._listing_gap(asked.kind)
        names = [
            item.ref.name
            for item in self.access.estate.objects
            if item.vault_id == self.vault.scope and item.ref.kind == asked.kind
        ]
        folded = {name: name.casefold() for name in names}
        matches = [[name for name in names if fnmatch.fnmatchcase(folded[name], item)] for item in wild]
        found = list(dict.fromkeys(name for some in matches for name in some))
        if len(found) > MOST_OBJECTS:
            text = f"{len(found):,} {asked.kind} match, and {MOST_OBJECTS:,} are judged at most: name fewer"
            return named, Gap(asked.kind, self.vault.id, text)
        # A pattern that no name matches yet is about names to come: only a grant on the vault covers those.
        to_come = () if all(matches) else (None,)
        return tuple(dict.fromkeys([*named, *(ObjectRef(asked.kind, name) for name in found), *to_come])), None

    def _apart(self) -> tuple[Apart, ...]:
        if self._differing is None:
            self._differing = objects_apart(self.access, self.principal_id, self.vault)
        return self._differing

    def _were_read(self, kind: str) -> bool:
        return self.access.estate.was_read(kind, self.vault.scope)

    def _listing_gap(self, kind: str) -> Gap:
        for gap in self.access.estate.gaps:
            if gap.kind == kind and scopes.fold(gap.scope) == self.vault.scope:
                return gap
        return Gap(kind, self.vault.id, f"the names of {kind} were not collected")

    def _decision(self, word: str, ref: ObjectRef | None) -> Decision:
        return self.access.can(self.principal_id, operation(word), self.vault, ref)

    def _answer(self, word: str, ref: ObjectRef | None) -> Answer:
        return self._decision(word, ref).answer

    def _in_force(self, decision: Decision) -> Answer:
        """The answer, where what only an activation would give counts as denied to those who cannot activate.

        Service principals activate nothing in PIM (ARCHITECTURE.md, section 5, 9): neither roles nor memberships.
        """
        if decision.answer is not Answer.CONDITIONAL:
            return decision.answer
        workload = self.access.estate.principal(self.principal_id).type == "ServicePrincipal"
        given = [item for item in decision.because if item.answer is not Answer.DENIED]
        return Answer.DENIED if workload and given and all(map(_needs_activation, given)) else decision.answer

    def _need(self, word: str, ref: ObjectRef | None) -> None:
        decision = self._decision(word, ref)
        if self._in_force(decision) is Answer.DENIED:
            self._missing.append((word, str(ref) if ref else None, decision))
        elif decision.answer is not Answer.ALLOWED:
            self._unknown.append((word, str(ref) if ref else None, decision))

    def _missing_finding(self) -> ContractFinding:
        words = tuple(dict.fromkeys(word for word, _, _ in self._missing))
        refs = list(dict.fromkeys(ref for _, ref, _ in self._missing))
        because = tuple(dict.fromkeys(item for _, _, decision in self._missing for item in decision.because))
        notes = tuple(text for text in self._missing[0][2].notes if not text.startswith("read: "))
        denied = any(item.answer is Answer.DENIED for item in because)
        activation = any(map(_needs_activation, because))
        why = f"; {notes[0]}" if notes else ""
        why = "; what it is eligible for must be activated, which a workload cannot do" if activation else why
        why = "; a deny assignment takes it" if denied else why
        return ContractFinding(
            self.contract,
            Deviation.MISSING,
            self.vault,
            self.principal_id,
            words,
            refs[0] if len(refs) == 1 else None,
            f"{self._missing_words()} will be answered with 403{why}",
            because,
            fix=None if denied else missing_fix(self.access, self.vault, self.principal_id, words, self.contract),
        )

    def _missing_words(self) -> str:
        """`keys/sign, and secrets/get on secrets/a, secrets/b`: words are told beside the objects that they are about."""
        parts: dict[str | None, tuple[dict[str, None], dict[str, None]]] = {}
        for word, ref, _ in self._missing:
            words, refs = parts.setdefault(ref and operation(word).kind, ({}, {}))
            words[word] = None
            if ref:
                refs[ref] = None
        return ", and ".join(f"{', '.join(words)}{on_words(list(refs))}" for words, refs in parts.values())

    def _unknown_finding(self, word: str, ref: str | None, decision: Decision) -> ContractFinding:
        on = f" on {ref}" if ref else ""
        if decision.answer is Answer.CONDITIONAL:
            said = next((item.words for item in decision.because if item.words), None)
            why = f"it holds on a condition: {said}" if said else "it holds only after an activation or a start to come"
        else:
            why = _why_unknown(decision)
        return self._finding(Deviation.UNKNOWN, (word,), ref, f"{word}{on}: {why}", decision)

    def _unread(self, word: str, gap: Gap) -> ContractFinding:
        text = f"{word}: which names match was not read: {gap.reason}"
        return ContractFinding(
            self.contract, Deviation.UNKNOWN, self.vault, self.principal_id, (word,), None, text, gaps=(gap,)
        )

    def _finding(
        self, deviation: Deviation, words: tuple[str, ...], ref: str | None, message: str, decision: Decision
    ) -> ContractFinding:
        return ContractFinding(
            self.contract,
            deviation,
            self.vault,
            self.principal_id,
            words,
            ref,
            message,
            decision.because,
            decision.gaps,
        )

    def _forbidden(self) -> Iterator[ContractFinding]:
        needed = {word for contract in self.beside for word in contract.needs}
        for word in self.contract.forbids:
            if word in self.contract.defaults and word in needed:
                continue  # the same workload needs it here by another contract: a need takes its word out of the defaults
            places = (None, *(item.ref for item in self._apart() if word in item.more))
            decisions = [(ref, self._decision(word, ref)) for ref in places]
            held = [item for item in decisions if self._in_force(item[1]) in _HELD]
            if held:
                yield self._broken(word, held)
            for ref, decision in decisions:
                if decision.answer is Answer.UNKNOWN:
                    why = _why_unknown(decision)
                    text = f"{word} must stay denied{on_words([ref])}: {why}"
                    yield self._finding(Deviation.UNKNOWN, (word,), str(ref) if ref else None, text, decision)

    def _broken(self, word: str, held: Sequence[tuple[ObjectRef | None, Decision]]) -> ContractFinding:
        certain = any(decision.answer is Answer.ALLOWED for _, decision in held)
        how = "held" if certain else "held on a condition or after activation"
        refs = [ref for ref, _ in held]
        because = tuple(dict.fromkeys(item for _, decision in held for item in decision.because))
        return ContractFinding(
            self.contract,
            Deviation.BROKEN,
            self.vault,
            self.principal_id,
            (word,),
            str(refs[0]) if len(refs) == 1 and refs[0] else None,
            f"{word} must stay denied and is {how}{on_words(refs)}",
            because,
            tuple(dict.fromkeys(gap for _, decision in held for gap in decision.gaps)),
            fix=self._taken_away(because),
        )

    def _excess(self) -> Iterator[ContractFinding]:
        """Everything held beyond needs and forbids (which are told as broken): on the vault, then on single objects."""
        everything = [item.word for item in operations()]
        yield from self._held_beyond([(None, word) for word in everything if word not in self._spoken_for(None)])
        apart = [
            (item.ref, word)
            for item in self._apart()
            for word in everything
            if word in item.more and word not in self._spoken_for(item.ref)
        ]
        yield from self._held_beyond(apart)

    def _held_beyond(self, places: Sequence[tuple[ObjectRef | None, str]]) -> Iterator[ContractFinding]:
        held: list[tuple[ObjectRef | None, str]] = []
        unknown: list[tuple[ObjectRef | None, str]] = []
        because: dict[Citation, None] = {}
        gaps: dict[Gap, None] = {}
        for ref, word in places:
            decision = self._decision(word, ref)
            if self._in_force(decision) in _HELD:
                held.append((ref, word))
                because.update(dict.fromkeys(decision.because))
            elif decision.answer is Answer.UNKNOWN:
                unknown.append((ref, word))
                gaps.update(dict.fromkeys(decision.gaps))
        told = {gap for _, _, decision in self._unknown for gap in decision.gaps}
        if unknown and not (gaps and told.issuperset(gaps)):
            yield self._perhaps_held(unknown, tuple(gaps))
        if held:
            words = tuple(dict.fromkeys(word for _, word in held))
            refs = list(dict.fromkeys(ref for ref, _ in held))
            yield ContractFinding(
                self.contract,
                Deviation.EXCESS,
                self.vault,
                self.principal_id,
                words,
                str(refs[0]) if len(refs) == 1 and refs[0] else None,
                f"held and not needed{on_words(refs)}: {', '.join(words)}",
                tuple(because),
                fix=self._taken_away(tuple(because)),
            )

    def _taken_away(self, because: tuple[Citation, ...]) -> Fix | None:
        """The fix that removes what these records give and keeps what any contract of the workload needs."""
        needed = [
            self._decision(word, ref)
            for contract in self.beside
            for word in contract.needs
            for ref in self._objects(word, contract)[0]
        ]
        return excess_fix(self.access, self.vault, self.principal_id, self.contract, because, needed)

    def _perhaps_held(self, places: Sequence[tuple[ObjectRef | None, str]], gaps: tuple[Gap, ...]) -> ContractFinding:
        """What may be held beyond need: told in one finding, since one gap makes dozens of operations unknown."""
        why = gaps[0].reason if gaps else "what was read does not decide it"
        words = tuple(dict.fromkeys(word for _, word in places))
        some = f"{words[0]} and {len(words) - 1} other operations" if len(words) > 1 else words[0]
        text = f"whether more is held than needed{on_words([ref for ref, _ in places])}, {some}: {why}"
        return ContractFinding(
            self.contract, Deviation.UNKNOWN, self.vault, self.principal_id, words, None, text, gaps=gaps
        )

    def _spoken_for(self, ref: ObjectRef | None) -> frozenset[str]:
        """Needs of every contract of the workload here, and forbids; with Azure RBAC also what the smallest choice of built-in roles gives beyond the needs.

        Nobody can hold less without a custom role, so that is no excess; with access policies every word stands alone.

        Args:
            ref: an object, for the needs that are about it; None for all needs, since most are granted on the vault.
        """
        if ref not in self._spoken:
            needs = tuple(
                dict.fromkeys(
                    word
                    for contract in self.beside
                    for word in contract.needs
                    if ref is None or (operation(word).kind == ref.kind and _covers(contract, ref))
                )
            )
            rbac = self.vault.permission_model is not PermissionModel.ACCESS_POLICIES
            least = least_choice(needs, self.contract) if needs and rbac else None
            self._spoken[ref] = frozenset((*needs, *self.contract.forbids, *(least.excess if least else ())))
        return self._spoken[ref]


def _covers(contract: Contract, ref: ObjectRef) -> bool:
    """Whether the needs of a contract are about an object, by its patterns; without any they are about all."""
    patterns = contract.objects.get(ref.kind)
    name = ref.name.casefold()
    return patterns is None or any(fnmatch.fnmatchcase(name, item.casefold()) for item in patterns)


def _why_unknown(decision: Decision) -> str:
    return decision.gaps[0].reason if decision.gaps else "what was read does not decide it"


def _needs_activation(item: Citation) -> bool:
    """Whether nothing of a record is in force until somebody activates it; a start that is to come needs nobody."""
    return item.kind is CitationKind.ELIGIBLE_ASSIGNMENT or (bool(item.awaits) and item.begins is None)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text
