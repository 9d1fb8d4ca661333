"""Errors of Key Vault and of what stands around it, explained: what happened, why, and the smallest fix."""

from kvaudit.explain.explaining import explain
from kvaudit.explain.explanation import Cause, Confidence, Explanation, Kind

__all__ = ["Cause", "Confidence", "Explanation", "Kind", "explain"]
