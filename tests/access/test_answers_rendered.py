"""Every sentence of an answer, whole: what it rests on, what hides more, what comes near, and what is told beside it.

The golden is reviewed when it changes; the cases of `tests/cases/access` say which answers are right.
"""

import re
from collections.abc import Iterable, Iterator

import pytest
from builders import guid
from contoso_estate import GROUPS, PEOPLE, contoso, contoso_hidden
from syrupy.assertion import SnapshotAssertion

from kvaudit.access.answers import Citation, Holding
from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import operation, words_of
from kvaudit.model.vaults import ObjectRef

WHO_CAN = (
    ("secrets/get", "kv-app", None, False),
    ("secrets/get", "kv-app", None, True),
    ("secrets/get", "kv-app", "db-password", False),
    ("secrets/set", "kv-app", "new", True),
    ("keys/sign", "kv-app", None, True),
    ("certificates/get", "kv-app", "tls", False),
    ("secrets/list", "kv-more", None, True),
    ("secrets/get", "kv-policies", None, False),
    ("secrets/get", "kv-policies", None, True),
    ("secrets/purge", "kv-policies", None, False),
    ("secrets/get", "kv-foreign", None, False),
    ("secrets/get", "kv-unread", None, False),
)
CAN = (
    ("secrets/get", "kv-app", None, (*PEOPLE, "nobody")),
    ("secrets/get", "kv-app", "old", ("anna", "carl", "form", "hans", "jack", "kurt")),
    ("secrets/get", "kv-app", "tls", ("anna", "ruth")),
    ("secrets/get", "kv-more", None, ("bert", "jack", "lena", "nobody")),
    ("secrets/set", "kv-policies", None, ("anna", "bert", "carl", "form", "gina", "robot", "nobody")),
    ("secrets/get", "kv-foreign", None, ("anna",)),
)
HIDDEN_WHO_CAN = (
    ("secrets/get", "kv-app", None, True),
    ("secrets/get", "kv-more", None, False),
    ("secrets/get", "kv-unread", None, False),
)
HIDDEN_CAN = (
    ("secrets/get", "kv-app", None, ("anna", "carl", "kurt", "nobody")),
    ("secrets/get", "kv-more", None, ("anna", "kurt")),
    ("secrets/get", "kv-foreign", None, ("anna",)),
)
NAMES = {guid(name): name for name in (*PEOPLE, "lost", "partner", "reader")} | {
    item.id: item.principal.display_name or "" for item in GROUPS
}
ESTATES = {"contoso": (contoso, WHO_CAN, CAN), "hidden": (contoso_hidden, HIDDEN_WHO_CAN, HIDDEN_CAN)}
WhoCans = tuple[tuple[str, str, str | None, bool], ...]
Cans = tuple[tuple[str, str, str | None, tuple[str, ...]], ...]


@pytest.mark.parametrize("name", ESTATES)
def test_golden(name: str, snapshot: SnapshotAssertion) -> None:
    make, who_can, can = ESTATES[name]
    found = make()
    assert _readable(_rendered(found, who_can, can), found) == snapshot


def _rendered(found: Estate, who_can: WhoCans, can: Cans) -> Iterator[str]:
    access = Access(found)
    for asked in who_can:
        yield from _who_can(access, *asked)
    for question in can:
        yield from _can(access, *question)
    for vault in found.vaults:
        yield f"\nwhat hides something of {vault.name}:"
        yield from _gaps(access.gaps_for(vault))
    yield "\nwhat no collector told:"
    yield from _gaps(access.found_gaps())
    yield "\nobjects with records of their own:"
    yield from (f"  {vault.name}: {ref}" for vault in found.vaults for ref in access.objects_with_records(vault))
    yield "\nrows of one of them, and of vaults that a gap hides:"
    for row in access.rows():
        if row.vault_id is None or row.object == "secrets/DB-Password":
            yield from _row(row)


def _who_can(access: Access, word: str, name: str, ref: str | None, expand: bool) -> Iterator[str]:
    asked = operation(word)
    thing = ObjectRef(asked.kind, ref) if ref else None
    answer = access.who_can(asked, access.vault(name), thing, expand_groups=expand)
    yield (
        f"\nwho-can {answer.operation} --vault {answer.vault_id} --object {answer.object!r}"
        + " --expand-groups" * expand
    )
    for row in answer.holdings:
        yield from _row(row, asked.mask)
    yield from _gaps(answer.gaps)
    yield from (f"  note: {note}" for note in answer.notes)


def _can(access: Access, word: str, name: str, ref: str | None, people: tuple[str, ...]) -> Iterator[str]:
    asked, vault = operation(word), access.vault(name)
    thing = ObjectRef(asked.kind, ref) if ref else None
    told: set[str] = set()
    for who in people:
        decision = access.can(guid(who), asked, vault, thing)
        about = f"{decision.principal_id} {decision.operation} --vault {decision.vault_id} --object {decision.object!r}"
        yield f"\ncan {about}: {decision.answer}"
        yield from _citations(decision.because)
        yield from _gaps(decision.gaps)
        yield from (f"  note: {note}" for note in decision.notes if note not in told)
        repeated = sum(note in told for note in decision.notes)
        told.update(decision.notes)
        if repeated:
            yield f"  {repeated} of the notes above"
        for item in access.near_misses(decision, vault, thing):
            yield f"  near, {item.why}:"
            yield from (f"  {line}" for line in _citations((item.citation,)))


def _row(row: Holding, mask: int = -1) -> Iterator[str]:
    where = f"{row.vault_id} {row.object!r}" if mask == -1 else ""
    held = {"allowed": row.allowed, "conditional": row.conditional, "unknown": row.unknown}
    words = "; ".join(f"{name} {', '.join(words_of(value & mask))}" for name, value in held.items() if value & mask)
    who = f"{row.principal_id} ({row.principal_type})" + (f" with {row.application_id}" if row.application_id else "")
    yield f"  {where} {who}: {words}".replace("   ", "  ")
    yield from (f"  {line}" for line in _citations(row.via))


def _citations(found: Iterable[Citation]) -> Iterator[str]:
    for item in found:
        chain, awaited = " < ".join(item.groups), ", ".join(item.awaits)
        parts = (
            f"{item.answer} by {item.kind} {item.id}",
            item.scope and f"at {item.scope}",
            item.role and f"role {item.role}",
            chain and f"through {chain}",
            item.condition and f"if {item.condition}",
            item.words and f"({item.words})",
            awaited and f"awaits {awaited}",
            item.begins and f"from {item.begins}",
            item.ends and f"until {item.ends}",
            f"gives {_few(words_of(item.mask))}",
        )
        yield "  " + "; ".join(part for part in parts if part)


def _few(words: tuple[str, ...]) -> str:
    return ", ".join(words) if len(words) < 12 else f"{words[0]} to {words[-1]}, {len(words)}"


def _gaps(found: Iterable[Gap]) -> Iterator[str]:
    for gap in found:
        yield f"  gap {gap.id}: {gap.kind} at {gap.scope}: {gap.reason} [{gap.permission}]"


def _readable(lines: Iterable[str], found: Estate) -> str:
    """Names in place of IDs, and IDs of records without the scope that stands beside them."""
    text = "\n".join(lines)
    ids = [record.id for records in (found.role_assignments, found.schedule_instances) for record in records]
    for number, key in enumerate((*ids, *(item.id for item in found.deny_assignments))):
        text = text.replace(key, f"record-{number}")
    for key, name in {**NAMES, guid("nobody"): "nobody"}.items():
        text = text.replace(key, name)
    text = re.sub(r"/subscriptions/2{8}-[2-]*/resourcegroups/", "…/", text, flags=re.IGNORECASE)
    return re.sub(r"/providers/microsoft\.", "/…/", text, flags=re.IGNORECASE) + "\n"
