"""Python code uses the old package azure-keyvault

From 4.0 on the package holds no code of its own, and what it held before gets no fixes.

## Why it matters

`from azure.keyvault import KeyVaultClient` fails as soon as the pin is raised; while it is not, the program reads secrets with
a client that nobody maintains.

## How to fix it

Depend on azure-keyvault-secrets, azure-keyvault-keys and azure-keyvault-certificates, and import their clients.

## References

- [azure-keyvault on PyPI](https://pypi.org/project/azure-keyvault/)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails
from kvaudit.templates.project import Project

_FIX = "use azure-keyvault-secrets, azure-keyvault-keys or azure-keyvault-certificates"


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per pin of the package, and per import of what it held."""
    for pin in project.pins:
        if (pin.ecosystem, pin.package) == ("pypi", "azure-keyvault"):
            subject = f"azure-keyvault {pin.constraint}".strip()
            yield fails(
                subject, pin.position, "azure-keyvault holds no code from 4.0 on, and none that is maintained", _FIX
            )
    for item in project.imports:
        message = "what is imported here left azure-keyvault with 4.0"
        yield fails(item.name, item.position, message, _FIX, severity=Severity.MEDIUM)


RULE = FileRule(
    id="legacy-keyvault-package",
    title="Python code uses the old package azure-keyvault",
    severity=Severity.LOW,
    check=check,
)
