"""Injected faults: which requests they hit, how often, and what they do."""

from small_estate import allow_actions, caller, json_of, make_world, request, vault_id

from kvaudit.lab import vault_endpoint
from kvaudit.lab.estate import fold
from kvaudit.lab.faults import DROPPED, Fault, fault_for, faulty_answer, unregistered, vanishing
from kvaudit.lab.http import Request

LIST = "/subscriptions/x/providers/Microsoft.KeyVault/vaults"


def sent(method: str = "GET", host: str = "management.azure.com", path: str = LIST) -> Request:
    return request(method, host, path, None)


def test_a_fault_skips_then_happens_so_often_and_no_more() -> None:
    world = make_world()
    world.faults.append(Fault(path="microsoft.keyvault/VAULTS$", status=503, skip=2, times=3))
    hit = [fault_for(world, sent()) is not None for _ in range(7)]
    assert hit == [False, False, True, True, True, False, False]


def test_a_fault_hits_its_method_and_path_only_and_the_first_one_wins() -> None:
    world = make_world()
    world.faults += [
        Fault(path="^graph", status=500),
        Fault(path="vaults", method="PUT", status=DROPPED),
        Fault(path=".", status=418),
    ]
    hit = [fault_for(world, sent(method, host)) for method, host in (("GET", "graph.x"), ("PUT", "a"), ("GET", "a"))]
    assert [fault and fault.status for fault in hit] == [500, DROPPED, 418]


def test_a_fault_without_a_status_only_delays() -> None:
    assert faulty_answer(Fault(path=".", status=None, delay=2)) is None


def test_the_409_that_makes_stock_clients_register_a_provider() -> None:
    world = make_world()
    world.faults.append(unregistered())
    fault = fault_for(world, sent())
    assert fault is not None
    answer = faulty_answer(fault)
    assert answer is not None
    assert (answer.status, json_of(answer)["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    assert fault_for(world, sent("POST", path="/subscriptions/x/providers/Microsoft.KeyVault/register")) is None


def test_a_vault_vanishes_between_two_requests() -> None:
    world = make_world()
    allow_actions(world, data=("Microsoft.KeyVault/vaults/secrets/readMetadata/action",))
    world.faults.append(vanishing(vault_id("kv-rbac"), r"kv-rbac.*/secrets$", skip=1))
    listing = request("GET", "kv-rbac.vault.azure.net", "/secrets", caller(world), None, {"api-version": "7.6"})
    statuses: list[int] = []
    for _ in range(3):
        fault_for(world, listing)
        statuses.append(vault_endpoint.handle(world, listing).status)
    assert statuses == [200, 404, 404]
    assert fold(vault_id("kv-rbac")) not in world.estate.vaults
