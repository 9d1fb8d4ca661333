"""Every rule. The order is the order of verdicts on one vault; reports sort by severity."""

from kvaudit.rules.access_policies_in_use import RULE as ACCESS_POLICIES_IN_USE
from kvaudit.rules.access_policy_self_grant import RULE as ACCESS_POLICY_SELF_GRANT
from kvaudit.rules.all_permission_policies import RULE as ALL_PERMISSION_POLICIES
from kvaudit.rules.data_roles_at_subscription import RULE as DATA_ROLES_AT_SUBSCRIPTION
from kvaudit.rules.delegated_administrator_reaches_data import RULE as DELEGATED_ADMINISTRATOR_REACHES_DATA
from kvaudit.rules.identity_takeover import RULE as IDENTITY_TAKEOVER
from kvaudit.rules.inert_access_policies import RULE as INERT_ACCESS_POLICIES
from kvaudit.rules.inert_data_roles import RULE as INERT_DATA_ROLES
from kvaudit.rules.judgement import Rule
from kvaudit.rules.orphaned_principals import RULE as ORPHANED_PRINCIPALS
from kvaudit.rules.permission_model_not_explicit import RULE as PERMISSION_MODEL_NOT_EXPLICIT
from kvaudit.rules.public_network_open import RULE as PUBLIC_NETWORK_OPEN
from kvaudit.rules.purge_protection_off import RULE as PURGE_PROTECTION_OFF
from kvaudit.rules.purge_rights_held import RULE as PURGE_RIGHTS_HELD
from kvaudit.rules.role_assignment_self_grant import RULE as ROLE_ASSIGNMENT_SELF_GRANT
from kvaudit.rules.standing_human_access_to_secrets import RULE as STANDING_HUMAN_ACCESS_TO_SECRETS
from kvaudit.rules.template_deployment_secrets import RULE as TEMPLATE_DEPLOYMENT_SECRETS

RULES: tuple[Rule, ...] = (
    PERMISSION_MODEL_NOT_EXPLICIT,
    ACCESS_POLICIES_IN_USE,
    INERT_ACCESS_POLICIES,
    INERT_DATA_ROLES,
    ACCESS_POLICY_SELF_GRANT,
    ROLE_ASSIGNMENT_SELF_GRANT,
    DELEGATED_ADMINISTRATOR_REACHES_DATA,
    IDENTITY_TAKEOVER,
    TEMPLATE_DEPLOYMENT_SECRETS,
    DATA_ROLES_AT_SUBSCRIPTION,
    STANDING_HUMAN_ACCESS_TO_SECRETS,
    ALL_PERMISSION_POLICIES,
    PURGE_RIGHTS_HELD,
    ORPHANED_PRINCIPALS,
    PURGE_PROTECTION_OFF,
    PUBLIC_NETWORK_OPEN,
)


def by_id(rule_id: str) -> Rule:
    """The rule of an ID in any case. Raises KeyError for an unknown one."""
    return {rule.id: rule for rule in RULES}[rule_id.strip().casefold()]
