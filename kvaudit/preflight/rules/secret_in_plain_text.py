"""A secret's value stands in a file

Whoever reads the repository, the deployment's history or the state file reads the secret.

## Why it matters

A value in a template is in every clone, in every backup, and in the deployment history of Azure. Deleting the line does not
delete it from the history of the repository.

Found are: a value at the secret itself, one that is made of defaults, variables or a file of parameter values, a plain default or
given value of a secure parameter, and outputs made of secure parameters or of the answer of a list function. Empty texts and
marks that a pipeline replaces (`#{token}#`, `$(Variable)`, `<password>`, `GEN-PASSWORD`) are no values.

## How to fix it

Treat the value as known to everybody: change it. Then pass it as a secure parameter, or write the secret outside of the
deployment.

## References

- [Secrets in templates](https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes
from kvaudit.templates.declarations import FileDeclarations, SecretDeclaration
from kvaudit.templates.project import Project

_FIX = "change the secret, then pass it as a secure parameter without a default"


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared secret, secure parameter with a plain value, and output that shows one.

    The value is never repeated.
    """
    for declared in project.declarations:
        told = {
            f"{kind} {item.name}".casefold() for item in declared.secure_values for kind in ("parameter", "variable")
        }
        for item in declared.secrets:
            yield _judged(item, told)
        for value in declared.secure_values:
            yield fails(value.name, value.position, value.why, _FIX)
        yield from _outputs(declared)


def _judged(item: SecretDeclaration, told: set[str]) -> FileJudgement:
    """A secret whose value is that of a secure parameter is told once, at the parameter."""
    if not item.is_plain or (item.made_of and told.issuperset(name.casefold() for name in item.made_of)):
        return passes(item.address, item.position)
    if not item.made_of:
        return fails(item.address, item.position, "the value of this secret stands in the file", _FIX)
    message = f"the value of this secret is made of what stands in the files: {', '.join(item.made_of)}"
    return fails(item.address, item.position, message, _FIX, severity=Severity.HIGH)


def _outputs(declared: FileDeclarations) -> Iterator[FileJudgement]:
    for output in declared.outputs:
        message = f"the output {output.why}; outputs are kept in the deployment's history"
        fix = "leave the output out, or make it a secure output"
        yield fails(output.name, output.position, message, fix, severity=Severity.HIGH)


RULE = FileRule(
    id="secret-in-plain-text",
    title="A secret's value stands in a file",
    severity=Severity.CRITICAL,
    check=check,
)
