"""Verdicts of any judging command in one form: what build systems and code scanning are told."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from kvaudit.rules.judgement import Severity, Verdict


@dataclass(frozen=True, slots=True)
class ResultRule:
    """A rule as a format shows it.

    Attributes:
        page: its documentation in Markdown.
    """

    id: str
    title: str
    severity: Severity
    page: str


@dataclass(frozen=True, slots=True)
class ResultPlace:
    """Where a result belongs.

    Attributes:
        file: path with forward slashes, relative where it is below the current folder; None for a resource of Azure.
        line, column: from 1; 0 where the place is the whole file.
        subject: a vault's name, an address in the file.
        resource_id: of a resource of Azure, or None.
    """

    subject: str
    file: str | None = None
    line: int = 0
    column: int = 0
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict.

    Attributes:
        message: one sentence. Text of unknown origin may be in it: each format escapes it.
        fix: what to do, or None.
        texts: the fix as text that can be pasted: `az`, `bicep`, `terraform` -> text.
        about: what tells it from other results of the same rule about the same subject, or nothing.
        silenced: why it does not count: a remark in the file, an entry of a baseline; None when it counts.
    """

    rule_id: str
    severity: Severity
    verdict: Verdict
    message: str
    place: ResultPlace
    fix: str | None = None
    silenced: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable over runs and moved lines, 20 hex digits: rule, file or resource, subject, and what it is about."""
        where = self.place.resource_id or self.place.file or ""
        parts = (self.rule_id, where.casefold(), self.place.subject.casefold(), *([self.about] if self.about else []))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Results:
    """What a command found.

    Attributes:
        command: `lint`, `scan`, `check`.
        results: failed and unknown verdicts, most severe first; passes too where a command keeps them.
        incomplete: what could not be read, one sentence each. Never empty when something was not looked at.
        beyond: what was not asked for and may matter, one sentence each: modules and templates that stand elsewhere.
        counts: verdict -> how many, silenced ones apart.
    """

    command: str
    tool_version: str
    generated_at: str
    rules: tuple[ResultRule, ...]
    results: tuple[Result, ...]
    incomplete: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    counts: Mapping[Verdict, int] = field(default_factory=dict)

    def failed(self) -> tuple[Result, ...]:
        """Failed verdicts that count."""
        return tuple(item for item in self.results if item.verdict is Verdict.FAIL and item.silenced is None)

    def unknown(self) -> tuple[Result, ...]:
        """Verdicts that could not be given."""
        return tuple(item for item in self.results if item.verdict is Verdict.UNKNOWN)
