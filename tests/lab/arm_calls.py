"""Calls to the control plane of a lab in this process, and the places of the sample estate that they name."""

from datetime import UTC, datetime
from typing import Any

from small_estate import json_of, request

from kvaudit.lab import arm, load_estate
from kvaudit.lab.http import Response
from kvaudit.lab.world import World

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOST = "management.azure.com"
PAYMENTS, WEB = (
    "/subscriptions/33333333-3333-3333-3333-000000000001",
    "/subscriptions/33333333-3333-3333-3333-000000000002",
)
VAULT = f"{PAYMENTS}/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv-payments-test"
POLICY_VAULT = f"{WEB}/resourceGroups/rg-web/providers/Microsoft.KeyVault/vaults/kv-web-test"
NEW = f"{PAYMENTS}/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv-brand-new"
AUTHORIZATION = "/providers/Microsoft.Authorization"
VERSIONS = {
    "roleassignments": "2022-04-01",
    "roledefinitions": "2022-05-01-preview",
    "denyassignments": "2024-07-01-preview",
    "permissions": "2022-05-01-preview",
}
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
ALICE = "44444444-4444-4444-4444-000000000001"


def sample_world() -> World:
    """The sample estate at a fixed time, in small pages."""
    return World(load_estate("contoso"), clock=lambda: NOW, page_size=20)


def call(
    world: World, method: str, path: str, body: Any = None, *, who: str = "owner", version: str = "", **query: str
) -> Response:
    identity = world.estate.identities[who]
    caller = world.caller_for(identity.object_id)
    kind = path.rstrip("/").rsplit("/", 1)[-1].casefold()
    asked = {"api-version": version or VERSIONS.get(kind, "2026-02-01")}
    asked |= {f"${name}": value for name, value in query.items()}
    return arm.handle(world, request(method, HOST, path, caller, body, asked))


def names(response: Response) -> list[str]:
    assert response.status == 200, response
    return [item["name"] for item in json_of(response)["value"]]
