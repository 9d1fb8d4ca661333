"""A secret's value stands in a file

Whoever reads the repository, the deployment's history or the state file reads the secret.

## Why it matters

A value in a template is in every clone, in every backup, and in the deployment history of Azure. Deleting the line does not
delete it from the history of the repository.

## How to fix it

Treat the value as known to everybody: change it. Then pass it as a secure parameter, or write the secret outside of the
deployment.

## References

- [Secrets in templates](https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes
from kvaudit.templates.project import Project


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared secret, and per output that shows one. The value is never repeated."""
    for declared in project.declarations:
        for item in declared.secrets:
            if item.is_plain:
                fix = "change the secret, then pass it as a secure parameter"
                yield fails(item.address, item.position, "the value of this secret stands in the file", fix)
            else:
                yield passes(item.address, item.position)
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
