"""Every rule on every vault: exactly one verdict each, and missing data is never good news.

What can be counted for all vaults together is (`Rule.quick`), which is a hundred times faster than asking what everybody
holds; the rest is asked of the evaluator, and so is the evidence when somebody looks at it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from kvaudit.access.counting import Question
from kvaudit.access.evaluator import Access
from kvaudit.access.subject import VaultAccess
from kvaudit.model.gaps import Gap
from kvaudit.model.kinds import kind_words
from kvaudit.model.vaults import Vault
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judgement import Details, Evidence, Fires, Judgement, Rule, Told, Verdict, unknown

if TYPE_CHECKING:
    from kvaudit.access.bulk import Bulk
    from kvaudit.access.vault_counts import VaultCounts

_VAULTS = "vaults"
_NOT_AGAIN: Told = ((Evidence("the evidence was counted and could not be found again: please report this", ""),), ())
"""Counts found what the evaluator does not, which is a bug: said where the evidence would stand."""


def judge(access: Access, rules: Sequence[Rule] = RULES) -> Iterator[tuple[Vault, Rule, Judgement]]:
    """The verdict of every rule on every vault, vault by vault, in the estate's order. A rule that raises is a bug.

    Answers are made as they are asked for and not kept: the caller decides what stays in memory.
    """
    judges = Judges(access, rules)
    for vault in access.estate.vaults:
        subject = access.subject(vault)
        for rule, judgement in judges.told(vault, judges.row(subject, judges.counts(subject))):
            yield vault, rule, judgement


def judge_vault(subject: VaultAccess, rules: Sequence[Rule] = RULES) -> Iterator[tuple[Rule, Judgement]]:
    """The verdict of every rule on one vault, in the order of the rules."""
    needed = frozenset({_VAULTS}).union(*(rule.needs for rule in rules))
    # Asked once per vault, not once per rule: a tenant may have thousands of gaps.
    gaps = subject.gaps(needed)
    for rule in rules:
        yield rule, judge_one(rule, subject, gaps)


class Judges:
    """Judges the vaults of one estate one after the other, by what was counted for all of them where that is certain.

    Args:
        access: the evaluator.
        rules: what to judge by.
        asked: what else is counted of the vaults.

    Attributes:
        bulk: what is counted; None where there are no vaults.
    """

    def __init__(self, access: Access, rules: Sequence[Rule] = RULES, asked: Iterable[Question] = ()) -> None:
        self._access = access
        self._rules = tuple(rules)
        self._ways = [(rule.quick or _is_not_counted, rule.check) for rule in self._rules]
        self._needed = frozenset({_VAULTS}).union(*(rule.needs for rule in rules))
        questions = [*(question for rule in rules for question in rule.asked), *asked]
        self.bulk = access.bulk(questions) if access.estate.vaults else None
        self._of_vault = _counting(self.bulk) if self.bulk else None

    def counts(self, subject: VaultAccess) -> "VaultCounts | None":
        """What is counted of a vault."""
        return self._of_vault(subject) if self._of_vault else None

    def row(self, subject: VaultAccess, counts: "VaultCounts | None") -> list[Judgement]:
        """The judgement of each rule, in their order. Those that were counted have no evidence yet: see `told`."""
        if counts is not None and counts.has_no_gap(self._needed):  # then nothing is hidden: what was found stands
            return [quick(counts) or check(subject) for quick, check in self._ways]
        gaps = subject.gaps(self._needed)
        return [judge_one(rule, subject, gaps, counts) for rule in self._rules]

    def told(self, vault: Vault, row: Sequence[Judgement]) -> list[tuple[Rule, Judgement]]:
        """A row with evidence. It is worked out anew when somebody looks at it: nothing of the subject stays."""
        again = _Again(self._access, vault, self._rules)
        return [
            (rule, again.told(rule, found) if _has_details(found) else found)
            for rule, found in zip(self._rules, row, strict=True)
        ]


class _Again:
    """The evidence of one vault, all of it when one piece is looked at: what everybody holds is worked out once."""

    __slots__ = ("_access", "_made", "_rules", "_vault")

    def __init__(self, access: Access, vault: Vault, rules: tuple[Rule, ...]) -> None:
        self._access = access
        self._vault = vault
        self._rules = rules
        self._made: dict[str, Told] | None = None

    def told(self, rule: Rule, found: Judgement) -> Judgement:
        """A judgement with details that look here."""
        return Judgement(found.verdict, found.message, found.evidence_count, found.gaps, _LookedAtAgain(self, rule.id))

    def made(self, rule_id: str) -> Told:
        """Evidence and commands of a rule."""
        if self._made is None:
            judged = judge_vault(self._access.subject(self._vault), self._rules)
            self._made = {rule.id: (found.evidence, found.fix) for rule, found in judged if _has_details(found)}
        return self._made.get(rule_id, _NOT_AGAIN)


def _counting(bulk: "Bulk") -> "Callable[[VaultAccess], VaultCounts]":
    from kvaudit.access.vault_counts import VaultCounts  # roaring bitmaps are loaded where vaults are judged only

    return partial(VaultCounts, bulk)


def _is_not_counted(_: object) -> None:
    """Of a rule that asks the evaluator about every vault."""


def _has_details(found: Judgement) -> bool:
    """Whether there is evidence or a fix to look at: a failure that rests on no record may have commands all the same."""
    return bool(found.evidence_count) or found.verdict is Verdict.FAIL


class _LookedAtAgain(Details):
    """Details of one rule; small, because a large tenant has a hundred thousand of them."""

    __slots__ = ("_again", "_rule_id")

    def __init__(self, again: _Again, rule_id: str) -> None:
        self._again = again
        self._rule_id = rule_id

    def _look(self) -> Told:
        return self._again.made(self._rule_id)


def judge_one(rule: Rule, subject: VaultAccess, gaps: Sequence[Gap], counts: "VaultCounts | None" = None) -> Judgement:
    """The verdict of one rule on one vault.

    Args:
        rule: which rule.
        subject: the vault and the access to it.
        gaps: what could not be read of the kinds that the rule needs and that covers the vault, of other kinds too.
        counts: what was counted of the vault, if anything was.
    """
    if subject.vault.permission_model is None:
        # Every rule turns on the permission model or on another property, and without properties none is known.
        return unknown("the properties of the vault could not be read", (gap.id for gap in gaps if gap.kind == _VAULTS))
    judgement = (rule.quick(counts) if counts and rule.quick else None) or rule.check(subject)
    settled = {Verdict.NOT_APPLICABLE, Verdict.UNKNOWN}
    if rule.fires is Fires.ON_PRESENCE:
        settled.add(Verdict.FAIL)
    if judgement.verdict in settled:
        return judgement
    # A listing of vaults that broke off hides other vaults; this one's properties were read.
    missing = [gap for gap in gaps if gap.kind in rule.needs and gap.kind != _VAULTS]
    if not missing:
        return judgement
    return _hidden(judgement, missing)


def _hidden(judgement: Judgement, missing: Sequence[Gap]) -> Judgement:
    kinds = ", ".join(sorted({kind_words(gap.kind) for gap in missing}))
    if judgement.verdict is Verdict.FAIL:
        # What was seen is told all the same; it is only not a failure while something may be there unseen.
        reason = f"{judgement.message}, but what could not be read ({kinds}) may hold what is missing"
    else:
        reason = f"nothing was found, but what could not be read ({kinds}) may hide it"
    return replace(
        judgement, verdict=Verdict.UNKNOWN, message=reason, gaps=tuple(dict.fromkeys(gap.id for gap in missing))
    )
