"""Access policies that a file lists for one of its vaults."""

from kvaudit.templates.declarations import FileDeclarations, VaultDeclaration
from kvaudit.templates.unknown import Unknown


def policies_of(vault: VaultDeclaration, declared: FileDeclarations) -> int | None:
    """How many entries the file gives the vault, in the vault itself and apart from it; None where that is not decided."""
    lists = [vault.access_policies]
    lists += [
        item.entries
        for item in declared.policies
        if item.mode != "remove" and item.vault_identity is not None and item.vault_identity == vault.identity
    ]
    number = 0
    undecided = False
    for entries in lists:
        if isinstance(entries, Unknown):
            undecided = True
        elif entries is not None:
            number += len(entries)
    return None if undecided and not number else number
