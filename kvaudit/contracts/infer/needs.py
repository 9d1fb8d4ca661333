"""What was read from code: an operation, where, and how sure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How sure a need is."""

    CERTAIN = "certain"
    """The receiver of the call is a client of a Key Vault library, by what the same file says."""

    LIKELY = "likely"
    """The library is used in the file and the name fits, or the library asks for it on its own."""

    NAME_ONLY = "name only"
    """A method of that name is called on something unknown."""


@dataclass(frozen=True, slots=True)
class Need:
    """One operation that a line of code or configuration asks for.

    Attributes:
        operation: as the service names it, finer than a permission: `secrets/listVersions`.
        word: the permission word that it takes: `secrets/list`.
        file: as it is to be shown.
        line: first is 1.
        why: what stands there: the call, or what implies it.
        vault: name of the vault where a literal address or setting gives it.
        object: name of the secret, key or certificate where it is literal there.
    """

    operation: str
    word: str
    grade: Grade
    file: str
    line: int
    why: str
    vault: str | None = None
    object: str | None = None


@dataclass(frozen=True, slots=True)
class Inferred:
    """What was read from a folder.

    Attributes:
        needs: by word, then grade, file and line; each place once.
        files: number of files that were looked into to their end.
        problems: files that could not be looked into, and why, one sentence each.
        notes: what is good to know and takes nothing from the answer.
    """

    needs: tuple[Need, ...]
    files: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class PartlyReadError(ValueError):
    """A file of which a part could not be read.

    Attributes:
        needs: what the rest of it asks for.
    """

    def __init__(self, problem: str, needs: Iterable[Need]) -> None:
        super().__init__(problem)
        self.needs = in_order(needs)


def in_order(needs: Iterable[Need]) -> tuple[Need, ...]:
    """By word, grade, file and line; of the same operation at the same line the surest."""
    rank = {grade: number for number, grade in enumerate(Grade)}
    best: dict[tuple[str, str, int], Need] = {}
    for need in needs:
        key = (need.operation, need.file, need.line)
        if key not in best or rank[need.grade] < rank[best[key].grade]:
            best[key] = need
    return tuple(sorted(best.values(), key=lambda item: (item.word, rank[item.grade], item.file, item.line)))
