"""The text of a change: Azure CLI, Bicep and Terraform, safe to paste whatever a name holds. Nothing here changes anything."""

from kvaudit.remediation.fix import Fix, PolicyEntry, RoleGrant
from kvaudit.remediation.policies import grant_policy
from kvaudit.remediation.roles import assign_custom_role, assign_role

__all__ = ["Fix", "PolicyEntry", "RoleGrant", "assign_custom_role", "assign_role", "grant_policy"]
