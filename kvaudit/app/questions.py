"""`who-can` and `can`: from a snapshot and one or several questions to answers, their JSON and their sentences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kvaudit.access.answers import Decision, WhoCan
from kvaudit.access.evaluator import Access
from kvaudit.app.indexed import access_around, load_access
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.names import (
    objects_named,
    operations_named,
    principal_named,
    refuse_several,
    vault_not_found,
    vaults_named,
)
from kvaudit.app.settings import Voice
from kvaudit.app.steps import LARGE
from kvaudit.errors import ExitCode
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import Operation
from kvaudit.model.vaults import Vault
from kvaudit.report.answer_lines import decision_lines, gap_lines, place_name, who_can_lines
from kvaudit.report.answer_shapes import can_row, can_shape, who_can_rows, who_can_shape
from kvaudit.report.sentences import principal_name
from kvaudit.report.shapes import gap_shape
from kvaudit.snapshot.reader import open_snapshot

_HIDE_VAULTS = frozenset({"vaults", "subscriptions"})


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered question.

    Attributes:
        data: the JSON of `-o json`.
        lines: the sentences of the text output.
        rows: the rows of `-o tsv`.
    """

    data: Mapping[str, Any]
    lines: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Answers:
    """The answers to a command's questions, worked out one after the other while they are read.

    Attributes:
        items: each answer; to be read once.
        is_single: one question that the command line named: its JSON stands alone, not in a list.
        gaps: what hides whole vaults from a question about all of them; beside the answers.
        closing: lines after all answers, and lines on stderr; to be asked when `items` were read.
        exit_code: likewise.
    """

    items: Iterator[Answered]
    is_single: bool
    closing: Callable[[], tuple[str, ...]]
    exit_code: Callable[[], ExitCode]
    gaps: tuple[Mapping[str, Any], ...] = ()
    complaints: list[str] = field(default_factory=list)


def find_vault(access: Access, text: str) -> Vault:
    """The vault of a name or resource ID.

    Raises:
        UsageError: the snapshot has none, and what is near; or two of the name, as of a vault that was moved meanwhile.
    """
    found = vaults_named(access.estate, text)
    refuse_several(text, found)
    if not found:
        raise vault_not_found(access.estate, text)
    return found[0]


def ask_who_can(
    path: Path,
    words: Sequence[str],
    voice: Voice,
    *,
    vaults: Sequence[str],
    object_text: str | None,
    expand_groups: bool,
    include_escalation: bool = False,
) -> Answers:
    """Who may do operations on vaults or one of their objects.

    Args:
        words: operations, one or more.
        voice: how much to tell on stderr.
        vaults: names or resource IDs; none means every vault of the snapshot, in order of their names.
        object_text: `secrets/NAME`, asked in each vault.
        expand_groups: list every member of a group too.
        include_escalation: tell who does not hold it and has a route to it, apart from the holders.

    Raises:
        UsageError: unknown operations, vaults, or an object that cannot be: all of them at once.
    """
    mistakes = Mistakes()
    operations = mistakes.of(lambda: operations_named(words))
    objects = mistakes.of(lambda: objects_named(object_text, words))

    def load() -> Access:
        _not_for_long(path, mistakes, "vaults")
        if vaults and not include_escalation:
            return access_around(path, vaults, voice, members=expand_groups)
        return load_access(path, voice)

    loaded = mistakes.of(load)
    named = mistakes.of(lambda: _vaults_named(loaded.value, vaults))
    mistakes.tell()
    access, asked, refs = loaded.value, operations.value, objects.value
    places = named.value if vaults else _by_name(access.estate.vaults)
    is_single = len(asked) == 1 and len(vaults) == 1
    hidden = () if vaults else _hiding_vaults(access.estate)
    state = _Seen(access.estate, list(hidden))
    who_can = partial(access.who_can, expand_groups=expand_groups, include_escalation=include_escalation)

    def answers() -> Iterator[Answered]:
        for vault in places:
            for item in asked:
                found = who_can(item, vault, refs[item.word])
                state.take(found, item)
                yield _answered(access.estate, found, named=not is_single)

    return Answers(
        items=answers(),
        is_single=is_single,
        closing=lambda: tuple(gap_lines(access.estate, state.gaps)),
        exit_code=lambda: ExitCode.INCOMPLETE if state.incomplete else ExitCode.OK,
        gaps=tuple(gap_shape(gap) for gap in hidden),
    )


def _answered(estate: Estate, found: WhoCan, *, named: bool) -> Answered:
    """An answer in every form; `named`: its rows name the vault and the operation."""
    shape = who_can_shape(estate, found)
    return Answered(shape, tuple(who_can_lines(estate, found)), tuple(who_can_rows(shape, named=named)))


def _not_for_long(path: Path, mistakes: Mistakes, names: str) -> None:
    """Ends a step that would load a large snapshot only to find out what else is wrong."""
    records = open_snapshot(path).lines_written
    if mistakes and records >= LARGE:
        mistakes.leave(f"the names of {names} were not looked up: reading {records:,} records takes a while")


class _Seen:
    """What answers that went by could not say."""

    def __init__(self, estate: Estate, gaps: list[Gap]) -> None:
        self._estate = estate
        self._gaps = {gap.id: gap for gap in gaps}
        self.incomplete = bool(gaps)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Each gap once."""
        return tuple(self._gaps.values())

    def take(self, found: WhoCan, asked: Operation) -> None:
        self._gaps.update((gap.id, gap) for gap in found.gaps)
        unknown = any(item.answer(asked.mask) is Answer.UNKNOWN for item in found.holdings)
        self.incomplete = self.incomplete or bool(found.gaps) or unknown


def _vaults_named(access: Access, texts: Iterable[str]) -> list[Vault]:
    mistakes = Mistakes()
    found = [mistakes.of(partial(find_vault, access, text)) for text in texts]
    mistakes.tell()
    return _by_name({item.value.scope: item.value for item in found}.values())


def _by_name(vaults: Iterable[Vault]) -> list[Vault]:
    return sorted(vaults, key=lambda item: (item.name.casefold(), item.scope))


def _hiding_vaults(estate: Estate) -> tuple[Gap, ...]:
    """The gaps behind which whole vaults may be."""
    known = {vault.scope for vault in estate.vaults}
    return tuple(gap for gap in estate.gaps if gap.kind in _HIDE_VAULTS and scopes.fold(gap.scope) not in known)


def ask_can(
    path: Path,
    principal: str,
    words: Sequence[str],
    vault: str,
    voice: Voice,
    *,
    object_text: str | None,
    expect: str | None,
) -> Answers:
    """Whether a principal may do operations on a vault or one of its objects.

    Args:
        words: operations, one or more.
        voice: how much to tell on stderr.
        expect: the answer that is expected of every one, or None. With it the exit code is 0 or 3 only, and each
            answer that differs is one line of `complaints`.

    Raises:
        UsageError: unknown principal, operation, vault or object form: all of them at once.
    """
    mistakes = Mistakes()
    operations = mistakes.of(lambda: operations_named(words))
    objects = mistakes.of(lambda: objects_named(object_text, words))

    def load() -> Access:
        _not_for_long(path, mistakes, "the principal and the vault")
        return load_access(path, voice)

    loaded = mistakes.of(load)
    named = mistakes.of(lambda: principal_named(loaded.value.estate, principal))
    place = mistakes.of(lambda: find_vault(loaded.value, vault))
    mistakes.tell()
    asked, refs, access, who, where = operations.value, objects.value, loaded.value, named.value, place.value
    complaints: list[str] = []
    seen: list[Decision] = []

    def answers() -> Iterator[Answered]:
        for item in asked:
            decision = access.can(who, item, where, refs[item.word])
            seen.append(decision)
            if expect is not None and decision.answer.value != expect:
                complaints.append(_complaint(access.estate, decision, expect))
            near = access.near_misses(decision, where, refs[item.word])
            shape = can_shape(decision, near)
            lines = tuple(decision_lines(access.estate, decision, near, named=len(asked) > 1))
            yield Answered(shape, lines, (can_row(shape),))

    def exit_code() -> ExitCode:
        if expect is not None:
            return ExitCode.FINDINGS if complaints else ExitCode.OK
        return ExitCode.INCOMPLETE if any(item.answer is Answer.UNKNOWN for item in seen) else ExitCode.OK

    return Answers(answers(), len(asked) == 1, lambda: (), exit_code, complaints=complaints)


def _complaint(estate: Estate, decision: Decision, expect: str) -> str:
    who = principal_name(estate, decision.principal_id)
    where = place_name(estate, decision.vault_id, decision.object)
    return f"expected {expect}, but {decision.operation} on {where} is {decision.answer.value} for {who}"
