"""From what a person types to the one principal that is meant, or a list of those that it could be."""

import pytest
from builders import estate, guid, user, workload

from kvaudit.app.names import operations_named, principal_named
from kvaudit.errors import UsageError
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.identities import ResourceIdentity, UserAssignedIdentity

RESOURCES = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-app/providers"
SITE = f"{RESOURCES}/Microsoft.Web/sites/shop"
IDENTITY = f"{RESOURCES}/Microsoft.ManagedIdentity/userAssignedIdentities/batch"


def contoso() -> Estate:
    return estate(
        user("anna", user_principal_name="anna@contoso.example"),
        user("twin"),
        Principal(guid("other twin"), "Group", display_name="twin"),
        workload("api", app_id=guid("api app"), alternative_names=(f"{RESOURCES}/Microsoft.Web/sites/api",)),
        workload("batch"),
        Principal(guid("registration"), "Application", display_name="api registration", app_id=guid("api app")),
        user_assigned_identities=(UserAssignedIdentity(IDENTITY, guid("batch"), guid("client")),),
        resource_identities=(
            ResourceIdentity(SITE, "Microsoft.Web/sites", guid("shop")),
            ResourceIdentity(
                f"{SITE}2", "Microsoft.Web/sites", guid("shop2"), (IDENTITY,), user_assigned_principals=(guid("batch"),)
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (guid("anna").upper(), "anna"),
        ("ANNA", "anna"),
        ("anna@CONTOSO.example", "anna"),
        (guid("api app"), "api"),
        (f"{RESOURCES}/microsoft.web/sites/API", "api"),
        (f"{IDENTITY}/", "batch"),
        (guid("client"), "batch"),
        (SITE.lower(), "shop"),
        ("99999999-9999-9999-9999-999999999999", "99999999-9999-9999-9999-999999999999"),
    ],
)
def test_one_principal_is_meant(text: str, name: str) -> None:
    assert principal_named(contoso(), text) == guid(name)


@pytest.mark.parametrize(
    ("text", "candidates"), [("twin", {"User", "Group"}), (f"{SITE}2", {guid("shop2"), guid("batch")})]
)
def test_several_could_be_meant(text: str, candidates: set[str]) -> None:
    with pytest.raises(UsageError) as refused:
        principal_named(contoso(), text)
    assert len(refused.value.details) == 2
    assert all(any(word in line for line in refused.value.details) for word in candidates)


@pytest.mark.parametrize(("text", "says"), [("ana", "anna"), (f"{RESOURCES}/Microsoft.Web/sites/none", "object ID")])
def test_nobody_is_meant(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        principal_named(contoso(), text)
    assert says in (refused.value.hint or "")


def test_operations_are_read_in_any_case_each_once_and_in_order() -> None:
    found = operations_named(("KEYS/SIGN, secrets/get", "keys/sign"))
    assert [item.word for item in found] == ["keys/sign", "secrets/get"]
    with pytest.raises(UsageError, match="no operation was named"):
        operations_named((" , ",))
