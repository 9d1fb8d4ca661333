"""`kvaudit lint`: every rule over everything that some paths declare, with remarks in the files that silence a rule."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, Verdict
from kvaudit.preflight.rules.catalogue import FILE_RULES
from kvaudit.sources.located import Position
from kvaudit.templates.project import Project

_IGNORE = re.compile(r"kvaudit:ignore=(?P<rules>[a-z0-9-]+(?:,[a-z0-9-]+)*)(?P<reason>[^\n]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A failed or unknown verdict.

    Attributes:
        silenced: the reason that a remark in the file gives for ignoring it; None for a finding that counts.
    """

    rule: FileRule
    judgement: FileJudgement
    silenced: str | None = None

    @property
    def severity(self) -> Severity:
        """Of this case, else of the rule."""
        return self.judgement.severity or self.rule.severity


@dataclass(frozen=True, slots=True)
class LintResult:
    """Everything that a report shows.

    Attributes:
        findings: failed verdicts, most severe first, then by place; silenced ones too.
        unknowns: verdicts that cannot be given before the deployment, by place.
        verdicts: rule id -> verdict -> count, without silenced ones.
        mistakes: remarks in files that name no rule or give no reason: (place, message).
    """

    project: Project
    rules: tuple[FileRule, ...]
    today: date
    findings: tuple[LintFinding, ...]
    unknowns: tuple[LintFinding, ...]
    verdicts: Mapping[str, Mapping[Verdict, int]]
    mistakes: tuple[tuple[Position, str], ...] = ()


def lint(project: Project, today: date, rules: Sequence[FileRule] = FILE_RULES) -> LintResult:
    """Judges a project."""
    remarks = _Remarks(project, {rule.id for rule in FILE_RULES})
    counts: dict[str, Counter[Verdict]] = {rule.id: Counter() for rule in rules}
    findings: list[LintFinding] = []
    unknowns: list[LintFinding] = []
    for rule in rules:
        # A module that several files use is judged with each: what is the same in all is told once.
        for judgement in dict.fromkeys(rule.check(project, today)):
            silenced = remarks.reason(rule.id, judgement.position) if judgement.verdict is Verdict.FAIL else None
            if silenced is None:
                counts[rule.id][judgement.verdict] += 1
            finding = LintFinding(rule, judgement, silenced)
            if judgement.verdict is Verdict.FAIL:
                findings.append(finding)
            elif judgement.verdict is Verdict.UNKNOWN:
                unknowns.append(finding)
    findings.sort(key=lambda item: (item.severity.rank, item.judgement.position, item.rule.id, item.judgement.subject))
    unknowns.sort(key=lambda item: (item.judgement.position, item.rule.id, item.judgement.subject))
    return LintResult(project, tuple(rules), today, tuple(findings), tuple(unknowns), counts, tuple(remarks.mistakes))


class _Remarks:
    """Remarks `kvaudit:ignore=RULE[,RULE] reason` in the files: on the line of a finding, or on one of their own above it."""

    def __init__(self, project: Project, known: set[str]) -> None:
        self._by_place: dict[tuple[str, int, str], str] = {}
        self.mistakes: list[tuple[Position, str]] = []
        for file, lines in project.lines.items():
            for number, found in _found(lines):
                at = Position(file, number, found.start() + 1)
                reason = found["reason"].rstrip(" \t\r\f\v-*/#>").strip(" :-")
                for rule in found["rules"].casefold().split(","):
                    if rule not in known:
                        self.mistakes.append((at, f"{rule[:60]} is no rule: `kvaudit rules` lists them"))
                    elif not reason:
                        self.mistakes.append((at, f"kvaudit:ignore={rule} gives no reason, and ignores nothing"))
                    else:
                        self._by_place[(file, number, rule)] = reason

    def reason(self, rule: str, at: Position) -> str | None:
        """Why a finding at a place is ignored, or None."""
        for line in (at.line, at.line - 1):
            reason = self._by_place.get((at.file, line, rule))
            if reason is not None:
                return reason
        return None


def _found(lines: Sequence[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(lines, 1):
        found = _IGNORE.search(line) if "kvaudit:" in line else None
        if found:
            yield number, found
