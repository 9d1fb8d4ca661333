"""A small estate for tests of the lab's faces: one vault of each model, one caller, and grants made to measure."""

import json
from datetime import UTC, datetime
from typing import Any

from kvaudit.lab.estate import Estate, Identity, StoredObject, StoredVersion, fold
from kvaudit.lab.http import Caller, Request, Response
from kvaudit.lab.world import World

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER_TENANT = "22222222-2222-2222-2222-222222222222"
SUBSCRIPTION = "33333333-3333-3333-3333-333333333333"
APP = "44444444-4444-4444-4444-444444444444"
CALLER = "55555555-5555-5555-5555-555555555555"
FOREIGNER = "55555555-5555-5555-5555-000000000002"
ROLE = "66666666-6666-6666-6666-666666666666"
SECRET = "kvaudit-planted-value"
BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-tests/providers/Microsoft.KeyVault/vaults"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLANES = {
    "vault": "https://vault.azure.net",
    "graph": "https://graph.microsoft.com",
    "arm": "https://management.azure.com",
}


def vault_id(name: str) -> str:
    return f"{BASE}/{name}"


def make_vault(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": vault_id(name),
        "name": name,
        "type": "Microsoft.KeyVault/vaults",
        "location": "westeurope",
        "properties": {"tenantId": TENANT, "accessPolicies": [], "vaultUri": f"https://{name}.vault.azure.net/"}
        | properties,
    }


def make_objects(count: int = 1) -> dict[str, dict[str, StoredObject]]:
    def stored(name: str, **fields: Any) -> StoredObject:
        return StoredObject(name, [StoredVersion("a" * 32, created=1_700_000_000, updated=1_700_000_000, **fields)])

    secrets = {"db": stored("db", value=SECRET)} | {
        f"s{index:03}": stored(f"s{index:03}", value=SECRET) for index in range(1, count)
    }
    key = {
        "kty": "RSA",
        "key_ops": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
        "n": "gQ",
        "e": "AQAB",
    }
    return {"secrets": secrets, "keys": {"db": stored("db", key=key)}, "certificates": {"db": stored("db")}}


def make_world(objects: int = 1) -> World:
    """Vaults `kv-rbac` and `kv-policies`, each with a secret, a key and a certificate named `db`."""
    estate = Estate(home_tenant=TENANT)
    for tenant, name in ((TENANT, "Contoso"), (OTHER_TENANT, "Fabrikam")):
        estate.tenants[tenant] = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": name}
    estate.subscriptions[SUBSCRIPTION] = {
        "id": f"/subscriptions/{SUBSCRIPTION}",
        "subscriptionId": SUBSCRIPTION,
        "displayName": "Tests",
        "tenantId": TENANT,
        "state": "Enabled",
    }
    for number, principal in enumerate((CALLER, FOREIGNER)):
        app = APP if number == 0 else f"44444444-4444-4444-4444-00000000000{number}"
        estate.service_principals[principal] = {"id": principal, "appId": app, "displayName": f"app {number}"}
        estate.client_secrets[app] = {"lab-only-credential"}
    estate.object_tenant[FOREIGNER] = OTHER_TENANT
    estate.identities["tester"] = Identity("tester", TENANT, CALLER, APP, "lab-only-credential")
    for vault in (make_vault("kv-rbac", enableRbacAuthorization=True), make_vault("kv-policies")):
        estate.vaults[fold(vault["id"])] = vault
        estate.objects[fold(vault["id"])] = make_objects(objects)
    return World(estate, clock=lambda: NOW)


def allow_word(world: World, word: str, vault: str = "kv-policies") -> None:
    """Give the caller exactly this word in an access policy (`secrets/get`)."""
    kind, name = word.split("/")
    entry = {"tenantId": TENANT, "objectId": CALLER, "permissions": {kind: [name]}}
    world.estate.vaults[fold(vault_id(vault))]["properties"]["accessPolicies"].append(entry)
    world.changed()


def allow_actions(world: World, *, data: tuple[str, ...] = (), actions: tuple[str, ...] = (), scope: str = "") -> None:
    """Give the caller exactly these actions and data actions, at the vault `kv-rbac` unless a scope is named."""
    number = len(world.estate.role_definitions) + 1
    role = f"{ROLE[:-4]}{number:04}"
    block = {"actions": list(actions), "notActions": [], "dataActions": list(data), "notDataActions": []}
    world.estate.role_definitions[role] = {
        "id": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "name": role,
        "properties": {"roleName": f"test {number}", "permissions": [block], "assignableScopes": ["/"]},
    }
    at = scope or vault_id("kv-rbac")
    key = f"{at.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{role}"
    world.estate.role_assignments[fold(key)] = {
        "id": key,
        "name": role,
        "properties": {
            "scope": at,
            "principalId": CALLER,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        },
    }
    world.changed()


def caller(world: World, plane: str = "vault", object_id: str = CALLER) -> Caller:
    return world.caller_for(object_id, audience=PLANES[plane])


def request(
    method: str, host: str, path: str, who: Caller | None, body: Any = None, query: dict[str, str] | None = None
) -> Request:
    return Request(
        method=method,
        host=host,
        path=path,
        query=query or {},
        headers={},
        body=b"" if body is None else json.dumps(body).encode(),
        caller=who,
    )


def error_of(response: Response) -> tuple[int, str | None, str | None]:
    """Status, code and inner code of an answer; (status, None, None) when it is no error."""
    body = response.body
    error = body.get("error", {}) if isinstance(body, dict) else {}
    return response.status, error.get("code"), (error.get("innererror") or {}).get("code")


def json_of(response: Response) -> dict[str, Any]:
    assert isinstance(response.body, dict), response
    return dict(response.body)
