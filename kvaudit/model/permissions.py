"""The catalogue of permission words: `secrets/get`, `keys/wrapKey`, and what each needs in both models.

The words and their data actions come from `kvaudit/data/permissions.json` (generated, with its source). Sets of
operations are bit masks: bit `operation.bit` of an int. A role's mask is computed once and tests are `mask & bit`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the data plane, named by its permission word.

    Attributes:
        word: as spelled in Azure, `kind/name`: `keys/unwrapKey`.
        bit: its place in masks; the mask of this operation alone is `1 << bit`.
        data_actions: Azure RBAC data actions that are all needed.
        policy_words: access-policy words of which any one is enough.
        vault_only: judged on the vault only, a grant on one object never satisfies it (lists, restore, contacts, issuers).
    """

    word: str
    bit: int
    data_actions: tuple[str, ...]
    policy_words: tuple[str, ...]
    vault_only: bool

    @property
    def kind(self) -> str:
        """`secrets`, `keys` or `certificates`."""
        return self.word.split("/", 1)[0]

    @property
    def mask(self) -> int:
        """The mask that holds this operation alone."""
        return 1 << self.bit


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation, in the order of the published catalogue, which is also the order of bits."""
    raw = json.loads(files("kvaudit.data").joinpath("permissions.json").read_bytes())
    return tuple(
        Operation(
            word=item["word"],
            bit=bit,
            data_actions=tuple(item["dataActions"]),
            policy_words=tuple(item["policyWordsAnyOf"]),
            vault_only=item["vaultOnly"],
        )
        for bit, item in enumerate(raw["operations"])
    )


@cache
def _by_folded_word() -> dict[str, Operation]:
    return {operation.word.casefold(): operation for operation in operations()}


def operation(word: str) -> Operation:
    """The operation of a permission word, given in any case. Raises KeyError for an unknown word."""
    return _by_folded_word()[word.strip().casefold()]


@cache
def all_operations_mask() -> int:
    """The mask of every operation."""
    return (1 << len(operations())) - 1


@cache
def vault_only_mask() -> int:
    """The mask of operations that exist on the vault only."""
    return mask_of(item.word for item in operations() if item.vault_only)


def mask_of(words: Iterable[str]) -> int:
    """The mask of permission words given in any case. Raises KeyError for an unknown word."""
    mask = 0
    for word in words:
        mask |= operation(word).mask
    return mask


def iter_operations(mask: int) -> Iterator[Operation]:
    """The operations of a mask, in catalogue order."""
    return iter(_operations_of(mask))


@lru_cache(maxsize=10_000)  # roles are few different ones
def _operations_of(mask: int) -> tuple[Operation, ...]:
    return tuple(item for item in operations() if mask & item.mask)


def words_of(mask: int) -> tuple[str, ...]:
    """The permission words of a mask, in catalogue order."""
    return tuple(item.word for item in iter_operations(mask))


def policy_mask(kind: str, names: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """The operations that an access policy's names of one kind grant, and the names that are unknown.

    `all` grants every operation of its kind except purge (facts azure.md 1.5: the service refused purge under
    an `all` policy). Names are compared without case; unknown ones are kept to be shown.

    Args:
        kind: `secrets`, `keys`, `certificates` or `storage`. Storage names grant no operation of the catalogue.
        names: as they stand in the policy.
    """
    if kind == "storage":
        return 0, ()
    mask = 0
    unknown = []
    for name in names:
        folded = name.strip().casefold()
        if folded == "all":
            mask |= mask_of(
                item.word for item in operations() if item.kind == kind and not item.word.endswith("/purge")
            )
        elif f"{kind}/{folded}" in _folded_policy_words():
            mask |= _folded_policy_words()[f"{kind}/{folded}"]
        else:
            unknown.append(name)
    return mask, tuple(unknown)


@cache
def _folded_policy_words() -> dict[str, int]:
    table: dict[str, int] = {}
    for item in operations():
        for word in item.policy_words:
            table[word.casefold()] = table.get(word.casefold(), 0) | item.mask
    return table
