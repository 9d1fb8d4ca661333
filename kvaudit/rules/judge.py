"""Every rule on every vault: exactly one verdict each, and missing data is never good news."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kvaudit.access.evaluator import Access
from kvaudit.access.subject import VaultAccess
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judgement import Fires, Judgement, Rule, Verdict, unknown

_VAULTS = "vaults"


def judge(access: Access, rules: Sequence[Rule] = RULES) -> Iterator[tuple[Vault, Rule, Judgement]]:
    """The verdict of every rule on every vault, vault by vault, in the estate's order. A rule that raises is a bug.

    Answers are made as they are asked for and not kept: the caller decides what stays in memory.
    """
    for vault in access.estate.vaults:
        for rule, judgement in judge_vault(access.subject(vault), rules):
            yield vault, rule, judgement


def judge_vault(subject: VaultAccess, rules: Sequence[Rule] = RULES) -> Iterator[tuple[Rule, Judgement]]:
    """The verdict of every rule on one vault, in the order of the rules."""
    needed = frozenset({_VAULTS}).union(*(rule.needs for rule in rules))
    # Asked once per vault, not once per rule: a tenant may have thousands of gaps.
    gaps = subject.gaps(needed)
    for rule in rules:
        yield rule, judge_one(rule, subject, gaps)


def judge_one(rule: Rule, subject: VaultAccess, gaps: Sequence[Gap]) -> Judgement:
    """The verdict of one rule on one vault.

    Args:
        rule: which rule.
        subject: the vault and the access to it.
        gaps: what could not be read of the kinds that the rule needs and that covers the vault, of other kinds too.
    """
    if subject.vault.permission_model is None:
        # Every rule turns on the permission model or on another property, and without properties none is known.
        return unknown("the properties of the vault could not be read", (gap.id for gap in gaps if gap.kind == _VAULTS))
    judgement = rule.check(subject)
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
    kinds = ", ".join(sorted({gap.kind.replace("_", " ") for gap in missing}))
    if judgement.verdict is Verdict.FAIL:
        # What was seen is told all the same; it is only not a failure while something may be there unseen.
        reason = f"{judgement.message}, but what could not be read ({kinds}) may hold what is missing"
    else:
        reason = f"nothing was found, but what could not be read ({kinds}) may hide it"
    return replace(
        judgement, verdict=Verdict.UNKNOWN, message=reason, gaps=tuple(dict.fromkeys(gap.id for gap in missing)), fix=()
    )
