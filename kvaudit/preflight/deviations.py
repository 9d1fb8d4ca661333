"""A workload's access differs from its contract

What a contract needs and the workload does not hold is answered with 403. What it holds beyond its needs is what an intruder
gets. What must stay denied and is held breaks the contract.

## How to fix it

Each finding has the least change as Azure CLI, Bicep and Terraform text (`-o json` or `--report json=PATH`): the built-in role
with the smallest excess at the vault, else a custom role, else an entry of the access policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kvaudit.preflight.check import Deviation
from kvaudit.rules.judgement import Severity


@dataclass(frozen=True, slots=True)
class DeviationRule:
    """How a kind of difference is shown."""

    rule_id: str
    title: str
    severity: Severity


RULES: Mapping[Deviation, DeviationRule] = {
    Deviation.BROKEN: DeviationRule("contract-broken", "An operation that must stay denied is held", Severity.HIGH),
    Deviation.MISSING: DeviationRule(
        "contract-missing", "A workload lacks what it needs: it will get 403", Severity.HIGH
    ),
    Deviation.EXCESS: DeviationRule("contract-excess", "A workload holds more than it needs", Severity.MEDIUM),
    Deviation.UNKNOWN: DeviationRule("contract-unknown", "Whether a contract is kept cannot be told", Severity.MEDIUM),
}
