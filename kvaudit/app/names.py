"""From what a person types to the record that is meant: principals, operations and objects."""

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import partial

from kvaudit.app.mistakes import Mistakes
from kvaudit.contracts.principals import PrincipalNames
from kvaudit.errors import UsageError
from kvaudit.model import scopes
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import Operation, operation, operations
from kvaudit.model.vaults import ObjectRef, Vault

_KINDS = ("secrets", "keys", "certificates")
_OBJECT_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")


def principal_named(estate: Estate, text: str) -> str:
    """The folded object ID of a principal.

    Args:
        text: object ID, application ID, user principal name, display name, or resource ID of a managed identity.
            An object ID that the snapshot does not know is taken as it is: the answer is then about a principal
            that no record names.

    Raises:
        UsageError: no principal has this name, or several have (each candidate is listed).
    """
    found = PrincipalNames(estate).meant_by(text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{text!r} is the name of {len(found)} principals",
            hint="Give the object ID of the one that is meant.",
            details=tuple(_candidate(estate.principal(item)) for item in found),
        )
    raise UsageError(f"the snapshot knows no principal named {text!r}", hint=_near_principals(estate, text))


def _near_principals(estate: Estate, text: str) -> str:
    if is_resource_id(text):
        return "No identity of this resource was read. The object ID of the identity always works."
    known = {item.display_name for item in estate.principals.values() if item.display_name}
    near = difflib.get_close_matches(text, sorted(known), n=3)
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    return f"{hint}Names come from Microsoft Graph; an object ID always works."


def _candidate(principal: Principal) -> str:
    names = (principal.display_name, principal.user_principal_name or principal.app_id)
    parts = (principal.id, principal.type or "unknown type", *(name for name in names if name))
    return "  ".join(parts)


def operations_named(words: Iterable[str]) -> tuple[Operation, ...]:
    """The operations of permission words in any case, in this order, each once; a comma separates words too.

    Raises:
        UsageError: no word, or words that name no operation: every one of them, with what is near.
    """
    found, mistakes = _sorted_out(words)
    if mistakes:
        names = ", ".join(repr(word) for word in mistakes)
        raise UsageError(f"there is no operation {names}", hint=" ".join(dict.fromkeys(map(_near, mistakes))))
    if not found:
        raise UsageError("no operation was named", hint=_OPERATIONS)
    return found


def _sorted_out(words: Iterable[str]) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    """Operations, each once, and the words that name none."""
    found: dict[str, Operation] = {}
    mistakes: list[str] = []
    for word in (part.strip() for text in words for part in text.split(",")):
        if not word:
            continue
        try:
            found.setdefault(operation(word).word, operation(word))
        except KeyError:
            mistakes.append(word)
    return tuple(found.values()), tuple(mistakes)


_OPERATIONS = "Operations look like secrets/get, keys/wrapKey, certificates/list; `kvaudit roles` lists them all."


def _near(word: str) -> str:
    known = {item.word.casefold(): item.word for item in operations()}
    near = difflib.get_close_matches(word.casefold(), known, n=3, cutoff=0.5)
    return f"Did you mean {', '.join(known[item] for item in near)}?" if near else _OPERATIONS


def objects_named(text: str | None, words: Iterable[str]) -> dict[str, ObjectRef | None]:
    """The object of `--object secrets/NAME` for each operation that words name; None where no text was given.

    Words that name no operation are passed over: see `operations_named`.

    Raises:
        UsageError: the text is no `kind/NAME`, the name cannot exist; or, of every operation that it cannot be asked with,
            that the kind is not its own, or that it exists on the vault only.
    """
    asked, _ = _sorted_out(words)
    if text is None:
        return {item.word: None for item in asked}
    kind, _, name = text.partition("/")
    kind = kind.casefold()
    if kind not in _KINDS or not _OBJECT_NAME.fullmatch(name):
        raise UsageError(
            f"--object {text!r} is no object of a vault",
            hint="Give it as secrets/NAME, keys/NAME or certificates/NAME; names hold letters, digits and hyphens.",
        )
    ref = ObjectRef(kind, name)
    mistakes = Mistakes()
    for item in asked:
        mistakes.of(partial(_check_object, ref, item))
    mistakes.tell()
    return {item.word: ref for item in asked}


def _check_object(ref: ObjectRef, asked: Operation) -> None:
    if ref.kind != asked.kind:
        raise UsageError(f"{asked.word} is not an operation on {ref.kind}", hint=f"Ask about {asked.kind}/{ref.name}.")
    if asked.vault_only:
        raise UsageError(
            f"{asked.word} exists on the vault only, never on one object",
            hint="Leave out --object. A grant on one object never allows this operation.",
        )


def vaults_named(estate: Estate, text: str) -> tuple[Vault, ...]:
    """The vaults of a name, or the one of a resource ID, in any case."""
    wanted, folded, by_id = text.strip().casefold(), scopes.fold(text), is_resource_id(text)
    return tuple(
        vault for vault in estate.vaults if (vault.scope == folded if by_id else vault.name.casefold() == wanted)
    )


def refuse_several(text: str, found: Sequence[Vault]) -> None:
    """Raises UsageError where a text is the name of several vaults, as of one that was moved meanwhile: none is guessed."""
    if len(found) > 1:
        raise UsageError(
            f"the snapshot holds {len(found)} vaults {text!r}: perhaps it was moved, or deleted and made anew, while it was read",
            hint="Give the resource ID.",
            details=tuple(vault.id for vault in found),
        )


def vault_not_found(estate: Estate, text: str) -> UsageError:
    """The error for a vault that the snapshot does not hold, with what is near."""
    names = sorted({vault.name for vault in estate.vaults})
    near = difflib.get_close_matches(text, names, n=3)
    deleted = [vault.name for vault in estate.deleted_vaults if vault.name.casefold() == text.casefold()]
    if deleted:
        return UsageError(f"vault {text!r} is soft-deleted; nobody can use it until it is recovered")
    hint = f"Did you mean {', '.join(near)}?" if near else f"The snapshot holds {len(names)} vaults."
    return UsageError(f"the snapshot holds no vault {text!r}", hint=hint)


def is_resource_id(text: str) -> bool:
    """Whether the text is a full resource ID and not a name."""
    return scopes.fold(text).startswith(scopes.SUBSCRIPTION_PREFIX)
