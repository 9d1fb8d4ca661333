"""What makes two pieces of evidence of two runs the same one: rule, vault, principal and operation."""

import hashlib

from kvaudit.model import scopes


def fingerprint(rule_id: str, vault_id: str, principal_id: str | None = None, operation: str | None = None) -> str:
    """A stable fingerprint, 20 hex digits. Baselines and diffs compare these; messages and record ids may change.

    Args:
        rule_id: the rule.
        vault_id: resource ID in any case.
        principal_id: object ID in any case, or None where the evidence names nobody.
        operation: permission word or control-plane action, or None.
    """
    parts = (rule_id, scopes.fold(vault_id), (principal_id or "").casefold(), (operation or "").casefold())
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]
