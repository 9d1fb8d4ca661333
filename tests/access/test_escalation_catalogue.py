"""The catalogue of routes is whole, and who-can tells routes apart from holders."""

from builders import assignment, estate, user, vault

from kvaudit.access.escalation import ROUTES
from kvaudit.access.evaluator import Access
from kvaudit.model.permissions import operation

anna, ben = user("anna"), user("ben")
modern = vault("kv-modern", enable_purge_protection=None)


def test_the_delegated_administrator_of_key_vault_reaches_key_vault_administrator() -> None:
    (route,) = Access(estate(anna, modern, assignment("Key Vault Data Access Administrator", anna))).routes_of(
        anna.id, modern
    )
    assert "Key Vault Administrator" in route.steps
    assert route.mask & operation("secrets/get").mask


def test_who_can_tells_routes_apart_from_holders() -> None:
    access = Access(estate(anna, ben, modern, assignment("Key Vault Secrets User", ben), assignment("Owner", anna)))
    get = operation("secrets/get")
    plain, more = access.who_can(get, modern), access.who_can(get, modern, include_escalation=True)
    assert plain.routes is None
    assert more.routes is not None
    assert plain.holdings == more.holdings
    assert {item.principal_id for item in more.routes} == {anna.id}
    assert {"E3", "E4"} <= {item.id for item in more.routes}
    assert "E15" not in {item.id for item in more.routes}
    assert more.not_assessed


def test_the_catalogue_is_whole() -> None:
    assert [item.id for item in ROUTES] == [f"E{number}" for number in range(1, 31)]
    assert all(item.source and item.actions and item.kinds for item in ROUTES)
