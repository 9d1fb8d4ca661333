"""Files of parameter values for Bicep: `using './main.bicep'`, then `param name = value`."""

import re
from typing import Any

from kvaudit.sources.located import Node
from kvaudit.templates.arm_evaluation import DeploymentPlace, Evaluator
from kvaudit.templates.bicep_expressions import Names
from kvaudit.templates.bicep_syntax import parse_bicep, parts, text
from kvaudit.templates.bicep_values import BicepValues

_USING = re.compile(r"^[ \t]*using[ \t]+'([^'\n]+)'", re.MULTILINE)
_PARAMETER = re.compile(r"^([ \t]*)param([ \t]+\w+[ \t]*=)", re.MULTILINE)


def used_by_parameters(source: str) -> str | None:
    """The path that a parameter file says it is for, relative to it; None for `using none` or a published template."""
    found = _USING.search(source)
    return found[1] if found and not found[1].startswith(("br:", "br/", "ts:", "ts/")) else None


def bicep_parameter_values(source: str, file: str) -> dict[str, Any]:
    """Values by name; `Unknown` where one is decided by the deployment, such as `getSecret()`.

    Raises:
        UsageError: the parser is not installed.
    """
    # The grammar knows `param name type`; with `var` in its place, columns kept, the value is read as it stands.
    root = parse_bicep(_PARAMETER.sub(r"\1var  \2", source), file)
    named = {text(parts(item)[0]): parts(item)[-1] for item in parts(root) if item.type == "variable_declaration"}
    values = BicepValues(file=file, names=Names(variables=frozenset(named)))
    table = Node({name: values.value(node) for name, node in named.items()}, 1, 1)
    evaluator = Evaluator(Node({"variables": table}, 1, 1), {}, DeploymentPlace())
    return {name: evaluator.text(f"[variables('{name}')]") for name in named}
