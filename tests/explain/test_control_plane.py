"""Fixes that are no data role and no access policy: roles of Resource Manager, settings, names that are taken."""

import shlex
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.collectors.caller_permissions import holds
from kvaudit.explain import explain
from kvaudit.explain.control_plane import _ROLES, role_for
from kvaudit.model.roles import builtin_roles
from kvaudit.remediation import Fix

OID = "22222222-2222-2222-2222-222222222222"
GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-contoso"


def fix_for(action: str, scope: str = VAULT) -> Fix | None:
    text = f"(AuthorizationFailed) The client 'x' with object id '{OID}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid."
    return explain(text).causes[0].fix


@pytest.mark.parametrize("action", _ROLES)
def test_the_role_that_is_proposed_holds_the_action(action: str) -> None:
    role = next(item for item in builtin_roles().values() if item.role_name == role_for(action))
    assert holds(role.permissions, action)
    fix = fix_for(action)
    assert fix is not None
    assert role.name in fix.az
    assert OID in fix.terraform


def test_a_vault_that_may_not_exist_yet_is_mended_at_its_group() -> None:
    fix = fix_for("Microsoft.KeyVault/vaults/write")
    assert fix is not None
    assert f"--scope {GROUP}\n" in fix.az
    assert "give itself everything" in fix.az


SUBSCRIPTION = GROUP.partition("/resourceGroups")[0]


@pytest.mark.parametrize(
    ("action", "scope", "place"),
    [
        ("Microsoft.Authorization/roleAssignments/write", f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/{OID}", VAULT),
        ("Microsoft.Authorization/roleAssignments/write", f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/{OID}", SUBSCRIPTION),
        ("Microsoft.KeyVault/locations/deletedVaults/read", f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-contoso", SUBSCRIPTION),
        ("Microsoft.KeyVault/vaults/accessPolicies/write", f"{VAULT}/accessPolicies/add", VAULT),
        ("Microsoft.Resources/deployments/write", f"{GROUP}/providers/Microsoft.Resources/deployments/main", GROUP),
        ("Microsoft.Insights/diagnosticSettings/write", f"{VAULT}/providers/microsoft.insights/diagnosticSettings/all", VAULT),
        ("Microsoft.KeyVault/vaults/secrets/read", f"{VAULT}/secrets/db", f"{VAULT}/secrets/db"),
    ],
)  # fmt: skip
def test_the_role_is_assigned_at_a_place_where_one_can_be(action: str, scope: str, place: str) -> None:
    fix = fix_for(action, scope)
    assert fix is not None
    assert f"--scope {place}\n" in f"{fix.az}\n"
    assert scope == place or scope not in fix.az
    assert scope == place or scope not in fix.bicep + fix.terraform


def test_an_action_that_only_broad_roles_hold_gets_a_role_of_its_own() -> None:
    fix = fix_for("Microsoft.KeyVault/vaults/deploy/action")
    assert fix is not None
    assert '"Actions": ["Microsoft.KeyVault/vaults/deploy/action"]' in fix.az
    assert f'"AssignableScopes": ["{GROUP}"]' in fix.az


@given(st.text(max_size=40))
def test_any_scope_is_borne(scope: str) -> None:
    fix_for("Microsoft.KeyVault/vaults/deploy/action", scope)
    fix_for("Microsoft.KeyVault/vaults/write", f"/{scope}")


AT = "https://kv-contoso.vault.azure.net/secrets/db"


@pytest.mark.parametrize(
    ("text", "az"),
    [
        (f"KeyVaultParameterReferenceSecretRetrieveFailed {AT}", "az keyvault update --name kv-contoso --enabled-for-template-deployment true"),
        (f"Operation get is not allowed on a disabled secret. GET {AT}", "az keyvault secret set-attributes --vault-name kv-contoso --name db --enabled true"),
        (f"PUT {AT} Secret db is currently in a deleted but recoverable state", "az keyvault secret recover --vault-name kv-contoso --name db"),
        ("(ConflictError) A vault with the same name already exists in deleted state. vault name 'kv-contoso'", "az keyvault recover --name kv-contoso"),
    ],
)  # fmt: skip
def test_a_setting_or_a_name_is_mended(text: str, az: str) -> None:
    fix = explain(text).causes[0].fix
    assert fix is not None
    assert fix.az == az
    assert fix.bicep
    assert fix.terraform


def test_nothing_is_proposed_for_what_the_error_does_not_name() -> None:
    for text in (
        "Operation get is not allowed on a disabled secret.",
        "Secret x is in a deleted but recoverable state",
        "KeyVaultParameterReferenceNotFound",
    ):
        assert explain(text).causes[0].fix is None


@pytest.mark.parametrize(
    "hostile",
    ["$(touch x)", "`id`", ";rm -rf /", "\nrm -rf /", "\rrm -rf /", "\u2028rm", "&& id", "| id", " --yes", "# x"],
)
def test_text_of_an_error_never_becomes_a_command(hostile: str) -> None:
    """Every word of a fix's commands stays one: nothing of them ends, joins or begins a command."""
    for fix in (
        fix_for(f"Microsoft.KeyVault/x{hostile}/y", f"{GROUP}{hostile}"),
        fix_for("Microsoft.KeyVault/vaults/write", f"{GROUP}{hostile}/providers/Microsoft.KeyVault/vaults/kv{hostile}"),
    ):
        assert fix is not None
        words = shlex.shlex(fix.az, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        told = list(words)
        assert not [word for word in told if set(word) <= set(";|&()<>")]
        assert told.count("az") == fix.az.count("az role ")
        assert all(word.startswith("/subscriptions/") for option, word in pairwise(told) if option == "--scope")
