"""Every rule over files. The order is the order of verdicts on one file; reports sort by severity."""

from kvaudit.preflight.judgement import FileRule
from kvaudit.preflight.rules.access_policies_on_rbac_vault import RULE as ACCESS_POLICIES_ON_RBAC_VAULT
from kvaudit.preflight.rules.access_policies_replaced import RULE as ACCESS_POLICIES_REPLACED
from kvaudit.preflight.rules.legacy_keyvault_package import RULE as LEGACY_KEYVAULT_PACKAGE
from kvaudit.preflight.rules.management_sdk_too_old import RULE as MANAGEMENT_SDK_TOO_OLD
from kvaudit.preflight.rules.permission_model_implicit import RULE as PERMISSION_MODEL_IMPLICIT
from kvaudit.preflight.rules.provider_model_flag_removed import RULE as PROVIDER_MODEL_FLAG_REMOVED
from kvaudit.preflight.rules.provider_too_old import RULE as PROVIDER_TOO_OLD
from kvaudit.preflight.rules.public_network_declared_open import RULE as PUBLIC_NETWORK_DECLARED_OPEN
from kvaudit.preflight.rules.purge_protection_not_declared import RULE as PURGE_PROTECTION_NOT_DECLARED
from kvaudit.preflight.rules.rbac_vault_without_role_assignment import RULE as RBAC_VAULT_WITHOUT_ROLE_ASSIGNMENT
from kvaudit.preflight.rules.retiring_api_version import RULE as RETIRING_API_VERSION
from kvaudit.preflight.rules.script_model_not_stated import RULE as SCRIPT_MODEL_NOT_STATED
from kvaudit.preflight.rules.script_parameter_removed import RULE as SCRIPT_PARAMETER_REMOVED
from kvaudit.preflight.rules.script_policy_on_rbac_vault import RULE as SCRIPT_POLICY_ON_RBAC_VAULT
from kvaudit.preflight.rules.secret_in_plain_text import RULE as SECRET_IN_PLAIN_TEXT
from kvaudit.preflight.rules.soft_delete_retention_short import RULE as SOFT_DELETE_RETENTION_SHORT
from kvaudit.preflight.rules.vault_name_invalid import RULE as VAULT_NAME_INVALID

FILE_RULES: tuple[FileRule, ...] = (
    RETIRING_API_VERSION,
    PERMISSION_MODEL_IMPLICIT,
    ACCESS_POLICIES_ON_RBAC_VAULT,
    RBAC_VAULT_WITHOUT_ROLE_ASSIGNMENT,
    PROVIDER_MODEL_FLAG_REMOVED,
    ACCESS_POLICIES_REPLACED,
    PURGE_PROTECTION_NOT_DECLARED,
    PUBLIC_NETWORK_DECLARED_OPEN,
    SOFT_DELETE_RETENTION_SHORT,
    SECRET_IN_PLAIN_TEXT,
    VAULT_NAME_INVALID,
    SCRIPT_MODEL_NOT_STATED,
    SCRIPT_PARAMETER_REMOVED,
    SCRIPT_POLICY_ON_RBAC_VAULT,
    MANAGEMENT_SDK_TOO_OLD,
    PROVIDER_TOO_OLD,
    LEGACY_KEYVAULT_PACKAGE,
)


def by_id(rule_id: str) -> FileRule:
    """The rule of an ID in any case. Raises KeyError for an unknown one."""
    return {rule.id: rule for rule in FILE_RULES}[rule_id.strip().casefold()]
