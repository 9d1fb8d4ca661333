"""Escalation: the routes E1 to E30 to data that somebody has without holding it (facts azure.md 8).

Each family of routes is a small file of pure functions; `engine.Escalations` puts them together for a vault. Routes hang on
the scope and a few properties of the vault, so equal vaults share them: nothing is a product of vaults and principals.
"""

from kvaudit.access.escalation.answers import Confidence, Effect, EscalationRoute, NotAssessed, Routes, sorted_ids
from kvaudit.access.escalation.catalogue import BY_ID, IDENTITY_KINDS, ROUTES, RouteKind
from kvaudit.access.escalation.engine import Escalations
from kvaudit.access.escalation.gains import Gain

__all__ = [
    "BY_ID",
    "IDENTITY_KINDS",
    "ROUTES",
    "Confidence",
    "Effect",
    "EscalationRoute",
    "Escalations",
    "Gain",
    "NotAssessed",
    "RouteKind",
    "Routes",
    "sorted_ids",
]
