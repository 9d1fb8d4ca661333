"""Applications that act as users: who is told of it, in which words, and which consents count."""

import pytest
from builders import estate, gap, guid, user
from syrupy.assertion import SnapshotAssertion
from told import named

from kvaudit.access.consents import KEY_VAULT, Consents
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.identities import DelegatedPermission

anna, ben = user("anna"), user("ben")
vault_service = Principal(guid("vault service"), "ServicePrincipal", app_id=KEY_VAULT)
graph = Principal(guid("graph"), "ServicePrincipal", app_id=guid("graph app"))
mail = Principal(guid("mail"), "ServicePrincipal", display_name="Mail")
NAMES = ("anna", "ben", "mail", "backup", "portal", "wiki", "carl")


def consent(
    client: str, who: str | None, *scopes: str, of: str = "vault service", kind: str = "Principal"
) -> DelegatedPermission:
    said = scopes or ("openid", "User_Impersonation")
    return DelegatedPermission("1", guid(client), kind, who and guid(who), guid(of), said)


def with_consents(*items: DelegatedPermission) -> Estate:
    return estate(anna, ben, vault_service, graph, mail, delegated_permissions=items)


COUNTS = {
    "of one user": (consent("wiki", "anna"), {"wiki": ["anna"]}, []),
    "of everybody": (consent("wiki", None, kind="AllPrincipals"), {}, ["wiki"]),
    "of everybody, told by the kind alone": (consent("wiki", "anna", kind="allPrincipals"), {}, ["wiki"]),
    "of everybody, told by nobody's ID": (consent("wiki", None), {}, ["wiki"]),
    "to something else": (consent("wiki", "anna", "openid"), {}, []),
    "on another service": (consent("wiki", "anna", of="graph"), {}, []),
    "on a service that was not read": (consent("wiki", "anna", of="nobody"), {"wiki": ["anna"]}, []),
    "on a service that says nothing of its application": (consent("wiki", "anna", of="mail"), {"wiki": ["anna"]}, []),
}


@pytest.mark.parametrize("name", COUNTS)
def test_which_consents_count(name: str) -> None:
    item, users, everybody = COUNTS[name]
    found = Consents(with_consents(item))
    assert found.users == {guid(client): tuple(map(guid, who)) for client, who in users.items()}
    assert found.for_everybody == tuple(map(guid, everybody))


def test_what_is_told(snapshot: SnapshotAssertion) -> None:
    """Names are those of the directory; of more than five, the rest is counted."""
    many = [consent("portal", f"user-{number}") for number in range(7)]
    found = Consents(
        with_consents(
            consent("mail", None, kind="AllPrincipals"),
            consent("mail", "anna"),
            consent("wiki", "anna"),
            consent("backup", "anna"),
            consent("wiki", "ben"),
            consent("backup", "ben"),
            *many,
        )
    )
    readers = {anna.id, ben.id, *(item.principal_id for item in many)}
    asked = {
        "holders": found.about_holders(lambda who: who in readers, anybody=True),
        "holders, anna alone": found.about_holders(lambda who: who == anna.id, anybody=True),
        "nobody": found.about_holders(lambda _: False, anybody=False),
        "anna": found.about_user(anna.id),
        "carl": found.about_user(guid("carl")),
        "mail": found.about_application(mail.id, lambda _: True),
        "wiki": found.about_application(guid("wiki"), lambda who: who in readers),
        "wiki, for nobody": found.about_application(guid("wiki"), lambda _: False),
        "portal": found.about_application(guid("portal"), lambda _: True),
        "anna as an application": found.about_application(anna.id, lambda _: True),
    }
    text = "\n".join(f"{title}: {note}" for title, notes in asked.items() for note in (*notes, "."))
    assert named(text, NAMES) == snapshot
    alone = Consents(with_consents(consent("wiki", "anna")))
    assert list(alone.about_user(ben.id)) == []


def test_whether_consents_are_known() -> None:
    listed = Listing("delegated_permissions", f"servicePrincipals/{vault_service.id}", 0)
    here, elsewhere = estate(vault_service), estate(graph)
    assert not Consents(here).was_read
    assert Consents(elsewhere).was_read, "nobody can consent to Key Vault where it has no service principal"
    assert Consents(estate(vault_service, listings=(listed,))).was_read
    assert not Consents(estate(graph, listings=())).was_read
    refused = gap("delegated_permissions", "servicePrincipals")
    assert not Consents(estate(vault_service, refused, listings=(listed,))).was_read
