"""Every call to a vault is let through with its permission and with nothing less, in both models."""

import json
import re
from importlib import resources
from typing import Any

import pytest
from small_estate import (
    CALLER,
    SUBSCRIPTION,
    TENANT,
    allow_actions,
    allow_word,
    caller,
    error_of,
    json_of,
    make_world,
    request,
    vault_id,
)

from kvaudit.lab import vault_endpoint
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Response
from kvaudit.lab.vault_routes import find_route
from kvaudit.lab.world import World

OPERATIONS: list[dict[str, Any]] = [
    operation
    for operation in json.loads(resources.files("kvaudit.data").joinpath("operations.json").read_text())["dataPlane"]
    # Managed storage keys are gone from the SDKs; random bytes are a managed HSM's; the download is a composite.
    if operation["objectType"] != "storage"
    and operation["id"] not in {"key.randomBytes", "certificate.downloadPrivateKey"}
]
ALL_ACTIONS = sorted({action for operation in OPERATIONS for action in operation["dataActions"]})
ALL_WORDS = sorted({word for operation in OPERATIONS for word in operation["accessPolicyAnyOf"]})

BODIES: dict[str, Any] = {
    "secret.set": {"value": "x"},
    "key.create": {"kty": "RSA"},
    "key.import": {"key": {"kty": "RSA"}},
    "certificate.import": {"value": "x"},
}


def path_of(operation: dict[str, Any]) -> str:
    path = re.sub(r"\{(name|issuer|certificate-name)\}", "db", operation["path"])
    return path.replace("/{version}", "/" + "a" * 32)


def ask(world: World, vault: str, operation: dict[str, Any]) -> Response:
    method = operation["method"]
    body = None if method in {"GET", "DELETE"} else BODIES.get(operation["id"], {"value": "YWJj", "digest": "YWJj"})
    host = f"{vault}.vault.azure.net"
    query = {"api-version": "2025-07-01"}
    return vault_endpoint.handle(world, request(method, host, path_of(operation), caller(world), body, query))


def refused(response: Response) -> bool:
    return error_of(response)[2] in {"AccessDenied", "ForbiddenByRbac"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation["id"])
def test_one_data_action_is_enough_and_all_the_others_are_not(operation: dict[str, Any]) -> None:
    enough, others = make_world(), make_world()
    (needed,) = operation["dataActions"]
    allow_actions(enough, data=(needed,))
    allow_actions(others, data=tuple(action for action in ALL_ACTIONS if action != needed))

    assert not refused(ask(enough, "kv-rbac", operation))
    answer = ask(others, "kv-rbac", operation)
    assert error_of(answer) == (403, "Forbidden", "ForbiddenByRbac")
    assert f"Action: '{needed}'\r\n" in json_of(answer)["error"]["message"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation["id"])
def test_one_policy_word_is_enough_and_all_the_others_are_not(operation: dict[str, Any]) -> None:
    for word in operation["accessPolicyAnyOf"]:
        enough = make_world()
        allow_word(enough, word)
        assert not refused(ask(enough, "kv-policies", operation)), word
    others = make_world()
    for word in set(ALL_WORDS) - set(operation["accessPolicyAnyOf"]):
        allow_word(others, word)
    answer = ask(others, "kv-policies", operation)
    assert error_of(answer) == (403, "Forbidden", "AccessDenied")
    message = json_of(answer)["error"]["message"]
    assert any(
        f"does not have {word.replace('/', ' ').casefold()} permission" in message
        for word in operation["accessPolicyAnyOf"]
    )


def test_difference_between_the_labs_routes_and_the_products_table() -> None:
    """Written twice from the facts: what differs is printed, and there is nothing to print."""
    differences = []
    for operation in OPERATIONS:
        for method in operation["method"].split("|"):
            found = find_route(method, path_of(operation))
            if found is None:
                differences.append(f"{operation['id']}: the lab has no route")
                continue
            needs = found[0].needs
            on_object = operation["rbacScope"] != "vault"
            ours = ([needs.data_action], sorted(needs.policy_words), found[0].on_object)
            theirs = (
                operation["dataActions"],
                sorted(word.casefold() for word in operation["accessPolicyAnyOf"]),
                on_object,
            )
            if ours != theirs:
                differences.append(f"{operation['id']}: lab {ours}, data {theirs}")
    assert not differences, "\n".join(differences)


def test_a_grant_on_one_object_reads_that_object_and_lists_nothing() -> None:
    world = make_world(objects=2)
    actions = (
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    )
    allow_actions(world, data=actions, scope=vault_id("kv-rbac") + "/secrets/DB")

    def status(path: str) -> int:
        who = caller(world)
        return vault_endpoint.handle(
            world, request("GET", "kv-rbac.vault.azure.net", path, who, query={"api-version": "7.6"})
        ).status

    assert status("/secrets/db") == 200
    assert status("/secrets/Db/versions") == 200
    assert status("/secrets/s001") == 403
    assert status("/secrets") == 403
    assert status("/secrets/absent") == 403  # permission comes before existence


def test_an_all_policy_does_not_purge() -> None:
    world = make_world()
    allow_word(world, "secrets/all")
    by_id = {operation["id"]: operation for operation in OPERATIONS}
    assert ask(world, "kv-policies", by_id["secret.delete"]).status == 200
    assert error_of(ask(world, "kv-policies", by_id["secret.purge"])) == (403, "Forbidden", "AccessDenied")


def test_a_deny_assignment_is_named_in_the_refusal() -> None:
    world = make_world()
    needed = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
    allow_actions(world, data=(needed,))
    deny = (
        f"{vault_id('kv-rbac')}/providers/Microsoft.Authorization/denyAssignments/77777777-7777-7777-7777-777777777777"
    )
    world.estate.deny_assignments[fold(deny)] = {
        "id": deny,
        "properties": {
            "scope": f"/subscriptions/{SUBSCRIPTION}",
            "permissions": [{"dataActions": ["Microsoft.KeyVault/vaults/secrets/*"]}],
            "principals": [{"id": CALLER, "type": "ServicePrincipal"}],
        },
    }
    listing = next(operation for operation in OPERATIONS if operation["id"] == "secret.list")
    message = json_of(ask(world, "kv-rbac", listing))["error"]["message"]
    assert f"DenyAssignmentId: '{deny}'" in message
    assert TENANT in message
