"""Which principal and which vaults of an estate a contract means."""

from collections.abc import Mapping, Sequence

from kvaudit.access.evaluator import Access
from kvaudit.contracts.principals import PrincipalNames
from kvaudit.contracts.reading import Contract, ContractsError
from kvaudit.model.vaults import Vault


def resolve(contracts: Sequence[Contract], access: Access) -> list[tuple[Contract, str, tuple[Vault, ...]]]:
    """Every contract with the folded object ID of its principal and its vaults.

    Raises:
        ContractsError: principals and vaults that the estate does not know or that are ambiguous, all of them.
    """
    names = PrincipalNames(access.estate)
    # A vault that was moved may be listed at both places: which of the two is meant is not guessed.
    named: dict[str, list[Vault]] = {}
    for vault in access.estate.vaults:
        named.setdefault(vault.name.casefold(), []).append(vault)
    mistakes: list[str] = []
    resolved = []
    for contract in contracts:
        kind, text = contract.principal if isinstance(contract.principal, tuple) else (None, contract.principal)
        principals = names.meant_by(text, kind)
        if len(principals) != 1:
            mistakes.append(f"{contract.position}: {contract.name}: {_who(access, text, principals)}")
        vaults, missing = _vaults(contract, access, named)
        mistakes += [f"{contract.position}: {contract.name}: {text}" for text in missing]
        if len(principals) == 1:
            resolved.append((contract, principals[0], vaults))
    if mistakes:
        raise ContractsError(
            "the contracts name what the records do not hold",
            hint="An object ID always works for a principal; `kvaudit scan` lists the vaults.",
            details=tuple(mistakes),
        )
    return resolved


def _who(access: Access, text: str, found: tuple[str, ...]) -> str:
    if not found:
        return f"no principal is known by {text[:100]!r}"
    known = (f"{item} ({access.estate.principal(item).display_name or 'no name'})" for item in found)
    return f"{text[:100]!r} is the name of {len(found)} principals: {', '.join(known)}"


def _vaults(
    contract: Contract, access: Access, named: Mapping[str, Sequence[Vault]]
) -> tuple[tuple[Vault, ...], list[str]]:
    if contract.tags:
        wanted = {name.casefold(): value for name, value in contract.tags.items()}
        found = tuple(
            vault
            for vault in access.estate.vaults
            if all(
                {key.casefold(): text for key, text in vault.tags.items()}.get(name) == value
                for name, value in wanted.items()
            )
        )
        tags = ", ".join(f"{name}={value}" for name, value in contract.tags.items())
        return found, [] if found else [f"no vault has the tags {tags}"]
    chosen: list[Vault] = []
    missing: list[str] = []
    for name in contract.vaults:
        alike = named.get(name.strip().casefold(), ())
        try:
            chosen.append(access.vault(name))
        except KeyError:
            missing.append(f"there is no vault {name[:100]!r} in what was read")
        if len(alike) > 1:
            missing.append(f"{name[:100]!r} is the name of {len(alike)} vaults: {', '.join(item.id for item in alike)}")
    return tuple(dict.fromkeys(chosen)), missing
