"""What the compiler made of a Bicep file, at the places where the file says it.

The compiled template holds every value; only the syntax tree knows lines. What both mean by the same name gets the place
of the tree; the rest (a module of a registry, a loop that the tree does not follow) stands at the beginning of the file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from kvaudit.sources.json_source import parse_json
from kvaudit.sources.located import Position
from kvaudit.templates.arm import read_template
from kvaudit.templates.declarations import FileDeclarations, Language, Undecided, VaultDeclaration


class _Placed(Protocol):
    @property
    def position(self) -> Position: ...


T = TypeVar("T", bound=_Placed)


def merged(
    compiled: str, syntax: FileDeclarations, file: str, parameters: Mapping[str, Any] | None = None
) -> FileDeclarations:
    """The declarations of a compiled template with the places, lines and files of the syntax tree.

    Args:
        compiled: JSON text that the compiler wrote.
        syntax: of the same file.
        file: its name, for places.
        parameters: values by name.

    Raises:
        UsageError: the compiler wrote no JSON.
    """
    root = parse_json(compiled, f"{file} (compiled)").root
    found = read_template(root, file, parameters=parameters, language=Language.BICEP)
    start = Position(file, 1, 1)
    vaults = _placed(found.vaults, syntax.vaults, lambda item: item.identity, start)
    return replace(
        found,
        files=syntax.files,
        vaults=tuple(_flag_place(item, syntax.vaults) for item in vaults),
        policies=_placed(
            found.policies, syntax.policies, lambda item: (item.vault_identity, _last(item.address)), start
        ),
        role_assignments=_placed(
            found.role_assignments, syntax.role_assignments, lambda item: (item.scope_identity, str(item.role)), start
        ),
        secrets=_placed(found.secrets, syntax.secrets, lambda item: _last(item.address), start),
        others=_placed(found.others, syntax.others, lambda item: _last(item.address), start),
        outputs=_placed(found.outputs, syntax.outputs, lambda item: item.name, start),
        secure_values=_placed(found.secure_values, syntax.secure_values, lambda item: item.name, start),
        undecided=tuple(Undecided(start, item.reason) for item in found.undecided),
        lines=syntax.lines,
    )


def _last(address: str) -> str:
    return address.rpartition("/")[2].casefold()


def _placed(found: Sequence[T], known: Iterable[T], key: Callable[[T], object], start: Position) -> tuple[T, ...]:
    """Each at the place of the one that the syntax tree knows by the same key, the first to the first.

    Where as many are left on both sides, they are the same ones in the same order.
    """
    waiting: dict[object, list[Position]] = {}
    for item in known:
        waiting.setdefault(key(item), []).append(item.position)
    last: dict[object, Position] = {}
    places: list[Position | None] = []
    for item in found:
        same = waiting.get(key(item))
        if same:
            last[key(item)] = same.pop(0)
        places.append(last.get(key(item)))
    left = [at for rest in waiting.values() for at in rest]
    if len(left) == places.count(None):
        places = [left.pop(0) if at is None else at for at in places]
    return tuple(replace(item, position=at or start) for item, at in zip(found, places, strict=True))  # type: ignore[type-var]


def _flag_place(vault: VaultDeclaration, known: Sequence[VaultDeclaration]) -> VaultDeclaration:
    same = next((item for item in known if item.position == vault.position), None)
    return replace(vault, rbac_at=same.rbac_at if same is not None else vault.position)
