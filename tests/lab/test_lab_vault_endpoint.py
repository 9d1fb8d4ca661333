"""A vault endpoint beside permissions: challenge, tokens, network, order of checks, pages, life of an object."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from small_estate import (
    FOREIGNER,
    OTHER_TENANT,
    SECRET,
    TENANT,
    allow_word,
    caller,
    error_of,
    json_of,
    make_vault,
    make_world,
    request,
    vault_id,
)

from kvaudit.lab import vault_endpoint
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Caller, Response
from kvaudit.lab.world import World

HOST = "kv-policies.vault.azure.net"
WORDS = ("get", "list", "set", "delete", "recover", "purge", "backup", "restore")


def world_with_everything(objects: int = 1) -> World:
    world = make_world(objects)
    for kind, extra in (
        ("secrets", ()),
        ("keys", ("create", "rotate", "update")),
        ("certificates", ("create", "import")),
    ):
        for word in (*WORDS, *extra):
            allow_word(world, f"{kind}/{word}")
    return world


def ask(
    world: World,
    method: str,
    path: str,
    body: Any = None,
    *,
    who: Caller | None = None,
    query: dict[str, str] | None = None,
) -> Response:
    sent = {"api-version": "7.6"} | (query or {})
    return vault_endpoint.handle(world, request(method, HOST, path, who or caller(world), body, sent))


def set_properties(world: World, **properties: Any) -> None:
    world.estate.vaults[fold(vault_id("kv-policies"))]["properties"] |= properties


def test_without_a_token_the_challenge_names_the_vaults_tenant_even_for_a_body_that_is_no_json() -> None:
    world = make_world()
    answer = vault_endpoint.handle(world, request("PUT", HOST, "/secrets/x", None))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'
    )
    assert "AKV10000" in json_of(answer)["error"]["message"]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (lambda world: caller(world, object_id=FOREIGNER), "AKV10032"),
        (lambda world: caller(world, "arm"), "AKV10022"),
    ],
    ids=["another tenant's token", "a token for Resource Manager"],
)
def test_a_token_that_is_not_for_this_vault(who: Any, code: str) -> None:
    world = world_with_everything()
    answer = ask(world, "GET", "/secrets", who=who(world))
    assert answer.status == 401
    assert code in json_of(answer)["error"]["message"]
    assert TENANT in answer.headers["WWW-Authenticate"]


def test_a_token_ends_by_the_labs_clock() -> None:
    world = world_with_everything()
    who = caller(world)
    assert ask(world, "GET", "/secrets", who=who).status == 200
    world.advance(timedelta(hours=2))
    assert ask(world, "GET", "/secrets", who=who).status == 401
    assert ask(world, "GET", "/secrets").status == 200


@pytest.mark.parametrize(
    ("properties", "inner"),
    [
        ({"networkAcls": {"defaultAction": "Deny"}}, "ForbiddenByFirewall"),
        ({"networkAcls": {"defaultAction": "deny", "ipRules": [{"value": "203.0.113.7/32"}]}}, "ForbiddenByFirewall"),
        ({"publicNetworkAccess": "Disabled"}, "ForbiddenByConnection"),
        ({"publicNetworkAccess": "disabled", "networkAcls": {"defaultAction": "Allow"}}, "ForbiddenByConnection"),
        ({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.0/24"}]}}, None),
        ({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.10"}]}}, None),
        ({"networkAcls": {"defaultAction": "Allow"}, "publicNetworkAccess": "Enabled"}, None),
    ],
)
def test_the_network_rules_of_a_vault(properties: dict[str, Any], inner: str | None) -> None:
    world = world_with_everything()
    set_properties(world, **properties)
    assert error_of(ask(world, "GET", "/secrets"))[2] == inner


def test_firewall_comes_before_the_token_and_the_token_before_the_permission() -> None:
    world = make_world()
    foreigner = caller(world, object_id=FOREIGNER)
    assert ask(world, "GET", "/secrets/absent", who=foreigner).status == 401
    set_properties(world, networkAcls={"defaultAction": "Deny"})
    assert error_of(ask(world, "GET", "/secrets/absent", who=foreigner))[2] == "ForbiddenByFirewall"


def test_healthstatus_answers_anybody() -> None:
    world = make_world()
    set_properties(world, publicNetworkAccess="Disabled")
    answer = vault_endpoint.handle(world, request("GET", HOST, "/healthstatus", None))
    assert answer.status == 200
    assert "addr=203.0.113.10" in answer.headers["x-ms-keyvault-network-info"]


def follow(world: World, path: str, **query: str) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    link: str | None = None
    while link is not None or not pages:
        if link is not None:
            parts = urlsplit(link)
            assert parts.netloc == f"{HOST}:443"
            assert parts.path == path
            query = dict(parse_qsl(parts.query))
        body = json_of(ask(world, "GET", path, query=query))
        pages.append(body["value"])
        link = body["nextLink"]
    return pages


@pytest.mark.parametrize("objects", [1, 24, 25, 26, 50, 51])
def test_lists_page_by_25_and_lose_nothing(objects: int) -> None:
    world = world_with_everything(objects)
    pages = follow(world, "/secrets")
    assert [len(page) for page in pages] == [25] * (objects // 25) + ([objects % 25] if objects % 25 else [])
    ids = [item["id"] for page in pages for item in page]
    assert len(set(ids)) == objects
    assert SECRET not in str(pages)


def test_maxresults_travels_with_the_next_link_and_pages_may_begin_empty() -> None:
    world = world_with_everything(5)
    world.empty_pages = True
    assert [len(page) for page in follow(world, "/secrets", maxresults="2")] == [0, 2, 2, 1]
    assert ask(world, "GET", "/secrets", query={"maxresults": "26"}).status == 400
    assert ask(world, "GET", "/secrets", query={"$skiptoken": "bm9uc2Vuc2U"}).status == 400


@pytest.mark.parametrize("kind", ["secrets", "keys", "certificates"])
def test_deleted_and_recovered_is_what_it_was(kind: str) -> None:
    world = world_with_everything()
    before = ask(world, "GET", f"/{kind}/db").body
    assert ask(world, "DELETE", f"/{kind}/db").status == 200
    assert ask(world, "GET", f"/{kind}/db").status == 404
    gone = json_of(ask(world, "GET", f"/deleted{kind}/db"))
    assert gone["recoveryId"] == f"https://{HOST}/deleted{kind}/db"
    assert gone["scheduledPurgeDate"] - gone["deletedDate"] == 90 * 86_400
    assert len(json_of(ask(world, "GET", f"/deleted{kind}"))["value"]) == 1
    assert ask(world, "POST", f"/deleted{kind}/db/recover").status == 200
    assert ask(world, "GET", f"/{kind}/db").body == before
    assert json_of(ask(world, "GET", f"/deleted{kind}"))["value"] == []


def test_names_of_deleted_objects_are_taken_until_they_are_purged() -> None:
    world = world_with_everything()
    assert error_of(ask(world, "POST", "/deletedsecrets/db/recover"))[2] == "RequestNotAllowedOnNonDeletedObject"
    ask(world, "DELETE", "/secrets/db")
    assert error_of(ask(world, "PUT", "/secrets/DB", {"value": "x"})) == (
        409,
        "Conflict",
        "ObjectIsDeletedButRecoverable",
    )
    set_properties(world, enablePurgeProtection=True)
    assert ask(world, "DELETE", "/deletedsecrets/db").status == 403
    set_properties(world, enablePurgeProtection=None)
    assert ask(world, "DELETE", "/deletedsecrets/db").status == 204
    assert error_of(ask(world, "GET", "/deletedsecrets/db"))[:2] == (404, "SecretNotFound")
    assert ask(world, "PUT", "/secrets/DB", {"value": "x"}).status == 200


@pytest.mark.parametrize("kind", ["secrets", "keys", "certificates"])
def test_a_backup_restores_the_object_and_only_where_its_name_is_free(kind: str) -> None:
    world = world_with_everything()
    before = ask(world, "GET", f"/{kind}/db").body
    blob = json_of(ask(world, "POST", f"/{kind}/db/backup"))
    assert SECRET not in blob["value"]
    assert ask(world, "POST", f"/{kind}/restore", blob).status == 409
    ask(world, "DELETE", f"/{kind}/db")
    ask(world, "DELETE", f"/deleted{kind}/db")
    assert ask(world, "POST", f"/{kind}/restore", blob).status == 200
    assert ask(world, "GET", f"/{kind}/db").body == before
    assert ask(world, "POST", f"/{kind}/restore", {"value": "bm9uc2Vuc2U"}).status == 400


def test_a_disabled_secret_is_refused_to_callers_who_may_read_it() -> None:
    world = world_with_everything()
    assert ask(world, "PATCH", "/secrets/db", {"attributes": {"enabled": False}}).status == 200
    assert error_of(ask(world, "GET", "/secrets/db")) == (403, "Forbidden", "SecretDisabled")


def test_versions_pile_up_and_the_newest_is_current() -> None:
    world = world_with_everything()
    second = json_of(ask(world, "PUT", "/secrets/db", {"value": "second"}))
    assert json_of(ask(world, "GET", "/secrets/db"))["value"] == "second"
    assert json_of(ask(world, "GET", "/secrets/db/" + "a" * 32))["value"] == SECRET
    assert json_of(ask(world, "GET", "/secrets/db/versions"))["value"][0]["id"] == second["id"]
    assert ask(world, "GET", "/secrets/db/" + "b" * 32).status == 404


def test_a_certificate_has_a_key_and_a_secret_that_go_and_come_with_it() -> None:
    world = world_with_everything()
    created = ask(world, "POST", "/certificates/tls/create", {"policy": {"issuer": {"name": "Self"}}})
    assert created.status == 202
    assert json_of(ask(world, "GET", "/certificates/tls/pending"))["status"] == "completed"
    assert json_of(ask(world, "GET", "/secrets/tls"))["contentType"] == "application/x-pkcs12"
    managed = [item for item in json_of(ask(world, "GET", "/keys"))["value"] if item.get("managed")]
    assert [item["kid"] for item in managed] == [f"https://{HOST}/keys/tls"]
    assert ask(world, "DELETE", "/secrets/tls").status == 403
    assert ask(world, "DELETE", "/certificates/tls").status == 200
    assert ask(world, "GET", "/secrets/tls").status == 404
    assert ask(world, "POST", "/deletedcertificates/tls/recover").status == 200
    assert ask(world, "GET", "/secrets/tls").status == 200


def test_crypto_round_trips_and_honours_key_operations() -> None:
    world = world_with_everything()
    for word in ("encrypt", "decrypt", "sign", "verify"):
        allow_word(world, f"keys/{word}")
    version = "a" * 32
    sealed = json_of(ask(world, "POST", f"/keys/db/{version}/encrypt", {"alg": "RSA-OAEP", "value": "YWJj"}))
    assert sealed["value"] != "YWJj"
    opened = json_of(ask(world, "POST", f"/keys/db/{version}/decrypt", {"alg": "RSA-OAEP", "value": sealed["value"]}))
    assert opened["value"] == "YWJj"
    signed = json_of(ask(world, "POST", f"/keys/db/{version}/sign", {"alg": "RS256", "value": "YWJj"}))["value"]
    for digest, right in (("YWJj", True), ("YWJk", False)):
        body = {"alg": "RS256", "digest": digest, "value": signed}
        assert json_of(ask(world, "POST", f"/keys/db/{version}/verify", body))["value"] is right
    ask(world, "PATCH", "/keys/db", {"key_ops": ["encrypt"]})
    refusal = ask(world, "POST", f"/keys/db/{version}/decrypt", {"alg": "RSA-OAEP", "value": "YWJj"})
    assert error_of(refusal)[2] == "KeyOperationForbidden"


def test_bad_requests() -> None:
    world = world_with_everything()
    assert error_of(ask(world, "PUT", "/secrets/no_such.name", {"value": "x"}))[:2] == (400, "BadParameter")
    assert error_of(ask(world, "PUT", "/secrets/ok"))[:2] == (400, "BadParameter")
    assert ask(world, "PUT", "/secrets/ok", {"value": "x" * 25_601}).status == 400
    assert ask(world, "GET", "/secrets/ok").status == 404
    version = request("GET", HOST, "/secrets", caller(world), query={"api-version": "9.9"})
    assert error_of(vault_endpoint.handle(world, version))[:2] == (400, "BadParameter")
    assert ask(world, "GET", "/nothing/here").status == 404


def test_a_vault_of_another_tenant_takes_that_tenants_tokens_only() -> None:
    world = make_world()
    vault = make_vault("kv-moved", tenantId=OTHER_TENANT)
    entry = {"tenantId": OTHER_TENANT, "objectId": FOREIGNER, "permissions": {"secrets": ["list"]}}
    vault["properties"]["accessPolicies"] = [entry]
    world.estate.vaults[fold(vault["id"])] = vault
    for who, status in ((caller(world), 401), (caller(world, object_id=FOREIGNER), 200)):
        sent = request("GET", "kv-moved.vault.azure.net", "/secrets", who, query={"api-version": "7.6"})
        assert vault_endpoint.handle(world, sent).status == status
