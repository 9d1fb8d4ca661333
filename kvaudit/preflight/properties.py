"""One property of a declared vault, with what is not decided told as unknown."""

from collections.abc import Callable

from kvaudit.preflight.judgement import FileJudgement, unknown
from kvaudit.templates.declarations import VaultDeclaration
from kvaudit.templates.unknown import Unknown


def judge_property(
    vault: VaultDeclaration, name: str, judged: Callable[[VaultDeclaration, object], FileJudgement]
) -> FileJudgement:
    """The verdict on one property, by its name in Azure; `judged` gets None where the file leaves it out."""
    value = vault.properties.get(name)
    if isinstance(value, Unknown):
        return unknown(vault.address, vault.position, f"{name} is not decided: {value.reason}")
    return judged(vault, value)
