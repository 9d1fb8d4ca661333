"""Escalation: the routes E1 to E30 to data that somebody has without holding it (facts azure.md 8).

Each family of routes is a small file of pure functions; `engine.Escalations` puts them together for a vault. Routes hang on
the scope and a few properties of the vault, so equal vaults share them: nothing is a product of vaults and principals.
"""

from kvaudit.access.escalation.answers import Confidence, Effect, EscalationRoute, NotAssessed, Routes, sorted_ids
from kvaudit.access.escalation.catalogue import BY_ID, IDENTITY_KINDS, ROUTES, RouteKind
from kvaudit.access.escalation.engine import Escalations
from kvaudit.access.escalation.gains import Gain
from kvaudit.access.escalation.identities import HIDE_ROUTES
from kvaudit.access.escalation.takeover import Takeovers

__all__ = [
    "BY_ID",
    "HIDE_ROUTES",
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
    "Takeovers",
    "sorted_ids",
]
