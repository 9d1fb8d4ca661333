"""Tokens end by the lab's clock: every face then answers the 401 of its service, with the challenge that clients go by."""

import http.client
import json
import ssl
from collections.abc import Iterator
from datetime import timedelta

import pytest
from small_estate import TENANT, allow_actions, allow_word, make_world

from kvaudit.lab import Lab, start

ARM, GRAPH, VAULT = "https://management.azure.com", "https://graph.microsoft.com", "https://vault.azure.net"
QUERY = b'{"query": "resources | project id"}'
FACES = [
    (ARM, "GET", "management.azure.com", "/subscriptions?api-version=2022-12-01", b"", "ExpiredAuthenticationToken"),
    (
        ARM,
        "POST",
        "management.azure.com",
        "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01",
        QUERY,
        "ExpiredAuthenticationToken",
    ),
    (GRAPH, "GET", "graph.microsoft.com", "/v1.0/users", b"", "InvalidAuthenticationToken"),
    (VAULT, "GET", "kv-policies.vault.azure.net", "/secrets?api-version=7.5", b"", "Unauthorized"),
]
CHALLENGES = {
    "ExpiredAuthenticationToken": f'Bearer authorization_uri="https://login.windows.net/{TENANT}", error="invalid_token"',
    "InvalidAuthenticationToken": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
    "Unauthorized": f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"',
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    estate = make_world().estate
    estate.graph_permissions[estate.identities["tester"].object_id] = frozenset({"Directory.Read.All"})
    with start(estate) as running:
        allow_word(running.world, "secrets/list")
        allow_actions(running.world, actions=("*/read",), scope="/")
        yield running


def send(lab: Lab, token: str, method: str, host: str, path: str, body: bytes) -> tuple[int, str, str]:
    """Status, challenge and body of an answer."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", int(lab.proxy_url.rsplit(":", 1)[1]), context=context)
    connection.set_tunnel(host, 443)
    connection.request(method, path, body=body, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("WWW-Authenticate", ""), text


@pytest.mark.parametrize(
    ("audience", "method", "host", "path", "body", "code"), FACES, ids=lambda value: str(value)[:24]
)
def test_a_token_that_has_ended_gets_the_challenge(
    lab: Lab, audience: str, method: str, host: str, path: str, body: bytes, code: str
) -> None:
    def token() -> str:
        who = lab.world.estate.identities["tester"].object_id
        return lab.world.issue_token(lab.world.caller_for(who, audience=audience))

    first = token()
    assert send(lab, first, method, host, path, body)[0] == 200
    lab.world.advance(timedelta(minutes=59))
    assert send(lab, first, method, host, path, body)[0] == 200
    lab.world.advance(timedelta(minutes=1))
    status, challenge, text = send(lab, first, method, host, path, body)
    assert status == 401
    assert challenge.startswith(CHALLENGES[code])
    assert json.loads(text)["error"]["code"] == code
    assert send(lab, token(), method, host, path, body)[0] == 200
