"""The documented limits: how much goes through, when more does, and what a 429 looks like."""

from small_estate import APP, CALLER, FOREIGNER, SUBSCRIPTION, caller, json_of, make_world, request

from kvaudit.lab.http import Request, Response
from kvaudit.lab.throttling import Throttle
from kvaudit.lab.world import World


class Ticks:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def arm(world: World, method: str = "GET", subscription: str = SUBSCRIPTION, who: str = CALLER) -> Request:
    path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults"
    return request(method, "management.azure.com", path, caller(world, "arm", who))


def passed(throttle: Throttle, world: World, sent: Request, times: int) -> int:
    return sum(throttle.intercept(world, sent) is None for _ in range(times))


def test_resource_manager_lets_a_bucket_through_and_refills_it() -> None:
    ticks, world = Ticks(), make_world()
    throttle = Throttle(ticks)
    assert passed(throttle, world, arm(world), 300) == 250
    refused = throttle.intercept(world, arm(world))
    assert isinstance(refused, Response)
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "1"
    assert json_of(refused)["error"]["code"] == "SubscriptionRequestsThrottled"
    ticks.now += 2
    assert passed(throttle, world, arm(world), 300) == 50
    ticks.now += 3600
    assert passed(throttle, world, arm(world), 300) == 250


def test_buckets_are_per_subscription_principal_and_kind_of_request() -> None:
    world = make_world()
    throttle = Throttle(Ticks())
    assert passed(throttle, world, arm(world), 300) == 250
    assert passed(throttle, world, arm(world, subscription=APP), 300) == 250
    assert passed(throttle, world, arm(world, who=FOREIGNER), 300) == 250
    assert passed(throttle, world, arm(world, "PUT"), 300) == 200
    assert passed(throttle, world, arm(world, "DELETE"), 300) == 200


def test_resource_graph_has_a_window_and_no_retry_after() -> None:
    ticks, world = Ticks(), make_world()
    throttle = Throttle(ticks)
    sent = request("POST", "management.azure.com", "/providers/Microsoft.ResourceGraph/resources", caller(world, "arm"))
    assert passed(throttle, world, sent, 20) == 15
    ticks.now = 3.2
    refused = throttle.intercept(world, sent)
    assert refused is not None
    assert "Retry-After" not in refused.headers
    assert refused.headers["x-ms-user-quota-remaining"] == "0"
    assert refused.headers["x-ms-user-quota-resets-after"] == "00:00:02"
    ticks.now = 5.0
    assert passed(throttle, world, sent, 20) == 15


def test_a_vault_has_a_limit_of_its_own_and_the_others_are_not_touched() -> None:
    ticks, world = Ticks(), make_world()
    throttle = Throttle(ticks)
    one, other = (
        request("GET", f"{name}.vault.azure.net", "/secrets", caller(world)) for name in ("kv-rbac", "kv-policies")
    )
    assert passed(throttle, world, one, 4010) == 4000
    assert passed(throttle, world, other, 10) == 10
    refused = throttle.intercept(world, one)
    assert refused is not None
    assert json_of(refused)["error"]["code"] == "Throttled"
    assert "Retry-After" not in refused.headers
    ticks.now += 1
    assert passed(throttle, world, one, 500) == 400
    sign_in = request("POST", "login.microsoftonline.com", "/x/oauth2/v2.0/token", None)
    assert passed(throttle, world, sign_in, 5000) == 5000
