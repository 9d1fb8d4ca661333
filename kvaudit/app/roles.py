"""`roles`: which built-in role is the smallest for some operations, and what each built-in role gives."""

from collections.abc import Iterator, Sequence
from typing import Any

from kvaudit.access.smallest_role import RoleChoice, SmallestRoles, caveats_of, given_by, smallest_roles
from kvaudit.app.names import operations_named
from kvaudit.model.authorization import Permission, RoleDefinition
from kvaudit.model.permissions import all_operations_mask, iter_operations, words_of
from kvaudit.model.roles import builtin_roles, roles_date
from kvaudit.report.text import counted

_OTHERS = 6
"""Other roles that the text spells out; `-o json` has them all."""

_NAMED = 6
"""Operations beyond those asked that are named for such a role; more are counted."""


def ask_roles(words: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...], list[dict[str, Any]]]:
    """The JSON, the sentences and the table of `roles OPERATION...`: one row per choice, the best first.

    Raises:
        UsageError: words that name no operation.
    """
    found = smallest_roles((item.word for item in operations_named(words)), roles=builtin_roles())
    choices = [*([found.best] if found.best else []), *found.others]
    rows = [
        {
            "roles": " + ".join(item.names),
            "excess": " ".join(item.excess),
            "caveats": "; ".join(item.caveats),
        }
        for item in choices
    ]
    return _shape(found), tuple(_lines(found)), rows


def _shape(found: SmallestRoles) -> dict[str, Any]:
    return {
        "operations": list(found.words),
        "best": _choice_shape(found.best) if found.best else None,
        "others": [_choice_shape(item) for item in found.others],
        "custom_role": custom_role_shape(found.words, found.custom) if found.needs_custom_role else None,
        "roles_date": roles_date(),
    }


def _choice_shape(choice: RoleChoice) -> dict[str, Any]:
    return {
        "roles": [{"name": role.role_name, "id": role.name} for role in choice.roles],
        "excess": list(choice.excess),
        "inseparable": list(choice.inseparable),
        "caveats": list(choice.caveats),
    }


def custom_role_shape(words: Sequence[str], permission: Permission) -> dict[str, Any]:
    """A custom role as `az role definition create --role-definition` takes it; the subscription is the reader's to fill in."""
    return {
        "Name": f"Key Vault {' '.join(words)}"[:128],
        "IsCustom": True,
        "Description": f"Holds {', '.join(words)} on key vaults, and nothing else."[:1024],
        "Actions": list(permission.actions),
        "NotActions": list(permission.not_actions),
        "DataActions": list(permission.data_actions),
        "NotDataActions": list(permission.not_data_actions),
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION_ID"],
    }


def _lines(found: SmallestRoles) -> Iterator[str]:
    asked = ", ".join(found.words)
    if found.best is None:
        yield f"No built-in role gives {asked}, and no three of them together."
    else:
        yield f"{' and '.join(found.best.names)}: the smallest for {asked}"
        yield from _beyond(found.best)
    if found.others:
        yield ""
        yield "These give it too:"
        yield from (f"  {item.names[0]}: {_more(item)}" for item in found.others[:_OTHERS])
        if len(found.others) > _OTHERS:
            yield f"  and {len(found.others) - _OTHERS} more (-o json lists them)"
    if found.needs_custom_role:
        yield ""
        yield (
            "No built-in role fits exactly. A custom role would hold only:"
            if found.best
            else "A custom role would hold:"
        )
        yield from (f"  {action}" for action in found.custom.data_actions)
        yield "To make it, with your subscription in place of SUBSCRIPTION_ID:"
        yield f"  kvaudit roles {' '.join(found.words)} -o json --query custom_role > role.json"
        yield "  az role definition create --role-definition @role.json"


def _more(choice: RoleChoice) -> str:
    """`7 operations more`, named where they are few, and what speaks against the choice."""
    count = counted(len(choice.excess), "operation")
    text = f"{count} more" if choice.excess else "nothing more"
    named = f": {', '.join(choice.excess)}" if 0 < len(choice.excess) <= _NAMED else ""
    return text + named + (f"; but {', and '.join(choice.caveats)}" if choice.caveats else "")


def _beyond(choice: RoleChoice) -> Iterator[str]:
    for caveat in choice.caveats:
        yield f"  but {caveat}"
    spare = [word for word in choice.excess if word not in choice.inseparable]
    if spare:
        yield f"  more than was asked: {', '.join(spare)}"
    if choice.inseparable:
        yield f"  comes with it, in any role: {', '.join(choice.inseparable)} (the same data action)"
    if not choice.excess:
        yield "  nothing more than was asked"


def list_roles() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The JSON and the text of `roles` without an operation: every built-in role that gives something of the data plane."""
    shapes = [_role_shape(role) for role in sorted(builtin_roles().values(), key=lambda item: item.role_name)]
    holding = [item for item in shapes if item["operations"] or item["maybe"]]
    return holding, tuple(_list_lines(holding))


def _role_shape(role: RoleDefinition) -> dict[str, Any]:
    certain, perhaps = given_by(role)
    return {
        "name": role.role_name,
        "id": role.name,
        "operations": list(words_of(certain)),
        "maybe": list(words_of(perhaps)),
        "caveats": list(caveats_of(role)),
    }


def _list_lines(shapes: Sequence[dict[str, Any]]) -> Iterator[str]:
    for shape in shapes:
        yield f"{shape['name']} ({shape['id']})"
        yield from (f"  {line}" for line in _by_kind(shape["operations"]))
        yield from (f"  but {caveat}" for caveat in shape["caveats"])
    yield ""
    yield f"Built-in roles as published by Microsoft on {roles_date()}. `kvaudit roles OPERATION...` finds the smallest one."


def _by_kind(words: Sequence[str]) -> Iterator[str]:
    """`secrets: get list`, or `keys: every operation`, for each kind of which there is one."""
    for kind in ("secrets", "keys", "certificates"):
        every = [item.word for item in iter_operations(all_operations_mask()) if item.kind == kind]
        held = [word for word in words if word.startswith(f"{kind}/")]
        if held:
            yield f"{kind}: {'every operation' if held == every else ' '.join(word.split('/')[1] for word in held)}"
