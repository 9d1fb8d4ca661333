"""Where a workload's access to one secret, key or certificate differs from that to the vault around it."""

from collections.abc import Sequence
from dataclasses import dataclass

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import Operation
from kvaudit.model.vaults import ObjectRef, Vault

_RANKS = {Answer.DENIED: 0, Answer.UNKNOWN: 1, Answer.CONDITIONAL: 2, Answer.ALLOWED: 3}
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Apart:
    """One object with records of its own.

    Attributes:
        more: operations whose answer is nearer to allowed there than on the vault: a role assigned on the object.
        less: operations whose answer is further from it: a deny assignment on the object.
    """

    ref: ObjectRef
    more: frozenset[str]
    less: frozenset[str]


def objects_apart(access: Access, principal_id: str, vault: Vault) -> tuple[Apart, ...]:
    """Every object of a vault on which a principal's answers differ from those on the vault, by kind and name."""
    refs = access.objects_with_records(vault)
    if not refs:
        return ()
    around = access.answers(principal_id, vault)
    found = []
    for ref in refs:
        there = access.answers(principal_id, vault, ref)
        more, less = (_differing(there, around, sign) for sign in (1, -1))
        if more or less:
            found.append(Apart(ref, more, less))
    return tuple(found)


def _differing(there: dict[Operation, Answer], around: dict[Operation, Answer], sign: int) -> frozenset[str]:
    return frozenset(item.word for item, answer in there.items() if (_RANKS[answer] - _RANKS[around[item]]) * sign > 0)


def on_words(refs: Sequence[object]) -> str:
    """` on secrets/a, secrets/b`, the first of them; nothing for the vault alone."""
    names = list(dict.fromkeys(str(ref) for ref in refs if ref))
    return f" on {', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}" if names else ""
