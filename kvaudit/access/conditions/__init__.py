"""Conditions of Azure attribute-based access control (ABAC): reading, deciding and wording them.

A condition that cannot be read, or that turns on something Microsoft has not published, is UNDETERMINED with its
reason: an answer that rests on it is conditional, never allowed or denied.
"""

from kvaudit.access.conditions.evaluation import admits_assignment, decided_by_name, evaluate, evaluate_operation
from kvaudit.access.conditions.outcome import Outcome, Verdict
from kvaudit.access.conditions.parser import ConditionError, parse
from kvaudit.access.conditions.question import Assigned, Question, depends_on_secret, depends_on_vault
from kvaudit.access.conditions.tree import Condition
from kvaudit.access.conditions.wording import describe

__all__ = [
    "Assigned",
    "Condition",
    "ConditionError",
    "Outcome",
    "Question",
    "Verdict",
    "admits_assignment",
    "decided_by_name",
    "depends_on_secret",
    "depends_on_vault",
    "describe",
    "evaluate",
    "evaluate_operation",
    "parse",
]
