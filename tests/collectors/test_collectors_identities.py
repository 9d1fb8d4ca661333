"""What parsers read of identities, directory roles, consents and delegations (learn.microsoft.com/graph/api/resources)."""

import copy
from typing import Any

import pytest
from sample_vault import APP, GROUP, ROLE, SUBSCRIPTION, TENANT, USER
from samples import GLOBAL_ADMINISTRATOR, IDENTITY, REGISTRATION, SAMPLES

from kvaudit.collectors.catalogue import by_kind
from kvaudit.collectors.managed_identities import has_identity
from kvaudit.model.identities import (
    Application,
    ApplicationPermission,
    DelegatedAuthorization,
    FederatedCredential,
    Ownership,
)

ABSENT = object()


def parse(kind: str, **changes: Any) -> Any:
    """The sample of a kind with its own properties changed; `ABSENT` takes one out."""
    scope, item = SAMPLES[kind]
    item = copy.deepcopy(item)
    for key, value in changes.items():
        if value is ABSENT:
            item.pop(key)
        else:
            item[key] = value
    return by_kind()[kind].parse(item, scope)


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("group_owners", Ownership(GROUP, "Group", USER, "User")),
        ("application_owners", Ownership(REGISTRATION, "Application", APP, "ServicePrincipal")),
        ("service_principal_owners", Ownership(APP, "ServicePrincipal", USER, "User")),
        ("service_principal_owned_objects", Ownership(GROUP, "Group", APP, "ServicePrincipal")),
    ],
)
def test_what_is_owned_is_told_by_the_listing(kind: str, record: Ownership) -> None:
    assert parse(kind) == record
    wrong = "applications/x" if kind != "application_owners" else "groups/x"
    for scope in (wrong, "", f"{SAMPLES[kind][0]}/owners"):
        with pytest.raises(ValueError, match="scope"):
            by_kind()[kind].parse(SAMPLES[kind][1], scope)


def test_an_application_and_its_credentials_have_the_registration_s_id() -> None:
    assert parse("applications") == Application(REGISTRATION, APP, "payments-api")
    assert parse("application_federated_credentials").target == REGISTRATION
    for key in ("id", "appId"):
        with pytest.raises(ValueError, match=key):
            parse("applications", **{key: None})


def test_both_services_describe_a_federated_credential_alike() -> None:
    expected = FederatedCredential(
        IDENTITY.casefold(),
        "github-main",
        "https://token.actions.githubusercontent.com",
        "repo:contoso/payments:ref:refs/heads/main",
        ("api://AzureADTokenExchange",),
    )
    assert parse("federated_credentials") == expected
    assert parse("application_federated_credentials").subject == expected.subject
    matched_by_expression = parse("application_federated_credentials", subject=ABSENT)
    assert matched_by_expression.subject is None, "a credential without a subject is not lost"


def test_a_resource_runs_as_its_own_identity_and_as_those_attached() -> None:
    record = parse("resource_identities")
    assert record.resource_type == "microsoft.compute/virtualmachines"
    assert record.principal_id == GROUP
    assert record.user_assigned == (IDENTITY.casefold(), f"{IDENTITY.casefold()}-2")
    assert record.user_assigned_principals == (APP, ""), "Azure may leave out who an identity is"
    system = {"type": "SystemAssigned", "principalId": APP}
    assert parse("resource_identities", identity=system).user_assigned == ()
    several: tuple[Any, ...] = ({"userAssignedIdentities": [IDENTITY]}, {"userAssignedIdentities": {" ": {}}})
    for unreadable in ("UserAssigned", *several):
        with pytest.raises(ValueError, match="dentit"):
            parse("resource_identities", identity=unreadable)


@pytest.mark.parametrize("raw", [None, "x", {}, {"identity": None}, {"id": "x"}])
def test_resources_without_an_identity_are_told_apart(raw: Any) -> None:
    assert not has_identity(raw)
    assert has_identity(SAMPLES["resource_identities"][1])


def test_a_user_assigned_identity_is_a_resource_and_a_principal() -> None:
    record = parse("user_assigned_identities")
    assert (record.resource_id, record.principal_id, record.client_id) == (IDENTITY.casefold(), APP, USER)
    assert parse("user_assigned_identities", properties={}).principal_id is None


def test_who_is_eligible_for_a_group_and_as_what() -> None:
    eligible = parse("group_eligibility_schedule_instances")
    assert (eligible.group, eligible.principal_id, eligible.access) == (GROUP, USER, "member")
    assert (eligible.eligible, parse("group_assignment_schedule_instances").eligible) == (True, False)
    assert parse("group_eligibility_schedule_instances", groupId=ABSENT).group == GROUP
    assert parse("group_eligibility_schedule_instances", endDateTime=None).end is None
    with pytest.raises(ValueError, match="accessId"):
        parse("group_eligibility_schedule_instances", accessId=None)


def test_a_directory_role_is_its_template() -> None:
    held = parse("directory_role_assignments")
    assert (held.role_id, held.role_name) == (GLOBAL_ADMINISTRATOR, "Global Administrator")
    assert (held.principal_id, held.directory_scope, held.eligible) == (USER, "/", False)
    assert parse("directory_role_assignments", roleDefinition=ABSENT).role_id == GLOBAL_ADMINISTRATOR
    unit = "/administrativeUnits/1"
    assert parse("directory_role_assignments", directoryScopeId=unit).directory_scope == unit
    assert parse("directory_role_assignments", directoryScopeId=None, appScopeId="/x").directory_scope == "/x"
    with pytest.raises(ValueError, match="appScopeId"):
        parse("directory_role_assignments", directoryScopeId=None)
    eligible = parse("directory_role_eligibility_schedule_instances")
    assert (eligible.eligible, eligible.end) == (True, "2026-12-31T00:00:00Z")


def test_permissions_of_applications() -> None:
    record = parse("application_permissions")
    assert record == ApplicationPermission(APP, GROUP, "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9")
    with pytest.raises(ValueError, match="appRoleId"):
        parse("application_permissions", appRoleId=None)


def test_app_roles_have_names_and_one_that_cannot_be_read_has_none() -> None:
    record = parse("app_roles")
    assert (record.resource_id, record.names) == (
        GROUP,
        (("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", "Application.ReadWrite.All"),),
    )
    assert parse("app_roles", appRoles=[None, {"id": 5, "value": "x"}]).names == ()
    with pytest.raises(ValueError, match="appRoles"):
        parse("app_roles", appRoles="x")


def test_a_consent_is_one_user_s_or_everybody_s() -> None:
    one = parse("delegated_permissions")
    assert (one.client_id, one.principal_id, one.resource_id) == (APP, USER, GROUP)
    assert one.scopes == ("user_impersonation", "openid")
    everybody = parse("delegated_permissions", consentType="AllPrincipals", principalId=None, scope=None)
    assert (everybody.consent_type, everybody.principal_id, everybody.scopes) == ("AllPrincipals", None, ())


def test_a_delegation_says_who_of_which_tenant_gets_what() -> None:
    record = parse("delegations")
    assert (record.scope, record.managed_by_tenant) == (SUBSCRIPTION, TENANT)
    assert record.authorizations == (
        DelegatedAuthorization(USER, ROLE, "Fabrikam operators", (ROLE,)),
        DelegatedAuthorization(GROUP, ROLE, eligible=True),
    )
    unexpanded = parse("delegations", properties={"registrationDefinitionId": "x"})
    assert unexpanded.authorizations is None, "a definition that was not sent is not an empty one"
    with pytest.raises(ValueError, match="registration assignment"):
        parse("delegations", id=SUBSCRIPTION)
