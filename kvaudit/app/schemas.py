"""Every published schema: those of reports and questions, and those of the rooms beside `report`."""

from collections.abc import Callable, Mapping

from kvaudit.contracts.infer.schema import inferred_needs_schema
from kvaudit.explain.schema import explain_schema
from kvaudit.model.json_schema import Schema
from kvaudit.probe.schema import probe_schema
from kvaudit.report.schemas import SCHEMAS


def schemas() -> Mapping[str, Callable[[], Schema]]:
    """By name, sorted."""
    every = {**SCHEMAS, "explain": explain_schema, "inferred-needs": inferred_needs_schema, "probe": probe_schema}
    return dict(sorted(every.items()))
