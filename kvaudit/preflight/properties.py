"""One property of a declared vault, with what is not decided told as unknown."""

from collections.abc import Callable, Mapping

from kvaudit.preflight.judgement import FileJudgement, unknown
from kvaudit.templates.declarations import Language, VaultDeclaration
from kvaudit.templates.unknown import Unknown
from kvaudit.templates.versions import highest, numbers

RENAMED_IN = "4.42.0"
"""From this version on azurerm knows the new name of the model flag; 5.0 knows no other (facts azure.md 1.3)."""

_AZURERM: Mapping[str, str] = {
    "enablePurgeProtection": "purge_protection_enabled",
    "enableRbacAuthorization": "rbac_authorization_enabled",
    "networkAcls": "network_acls",
    "networkAcls.defaultAction": "default_action of network_acls",
    "publicNetworkAccess": "public_network_access_enabled",
    "softDeleteRetentionInDays": "soft_delete_retention_days",
}
"""Properties of a vault -> arguments of `azurerm_key_vault` (the provider's documentation)."""

_AZURERM_VALUES: Mapping[tuple[str, str], str] = {("publicNetworkAccess", "Disabled"): "false"}
"""What an argument takes for a value of the property, where that is another one."""


def is_azurerm(vault: VaultDeclaration) -> bool:
    """Whether the azurerm provider's words declare the vault. `azapi_resource` has an api-version and Azure's own words."""
    return vault.language in (Language.TERRAFORM, Language.TERRAFORM_PLAN) and vault.api_version is None


def spelled(vault: VaultDeclaration, name: str) -> str:
    """A property, by its name in Azure, as whoever edits the file of this vault has to write it."""
    if not is_azurerm(vault):
        return name
    if name == "enableRbacAuthorization" and not knows_new_name(vault):
        return "enable_rbac_authorization"
    return _AZURERM.get(name, name)


def setting(vault: VaultDeclaration, name: str, value: str) -> str:
    """`NAME to VALUE`, as the file of this vault writes both."""
    written = _AZURERM_VALUES.get((name, value), value) if is_azurerm(vault) else value
    return f"{spelled(vault, name)} to {written}"


def knows_new_name(vault: VaultDeclaration) -> bool:
    """Whether the azurerm provider that the file asks for may know `rbac_authorization_enabled`."""
    end = highest(vault.provider_version or "", "terraform")
    if end.version is None:
        return True
    return numbers(end.version) > numbers(RENAMED_IN) if end.is_below else numbers(end.version) >= numbers(RENAMED_IN)


def judge_property(
    vault: VaultDeclaration, name: str, judged: Callable[[VaultDeclaration, object], FileJudgement]
) -> FileJudgement:
    """The verdict on one property, by its name in Azure; `judged` gets None where the file leaves it out."""
    value = vault.properties.get(name)
    if isinstance(value, Unknown):
        return unknown(vault.address, vault.position, f"{spelled(vault, name)} is not decided: {value.reason}")
    return judged(vault, value)
