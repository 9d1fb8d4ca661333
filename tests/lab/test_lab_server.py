"""The proxy and the wire: what gets through, what does not, and that every answer arrives whole."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import DROPPED, Fault

ARM = "management.azure.com"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start("contoso") as running:
        yield running


def port_of(lab: Lab) -> int:
    return int(lab.proxy_url.rsplit(":", 1)[1])


def connect(lab: Lab, host: str = ARM) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", port_of(lab), context=context, timeout=5)
    connection.set_tunnel(host, 443)
    return connection


def token(lab: Lab, identity: str = "owner", audience: str = "https://management.azure.com") -> dict[str, str]:
    caller = lab.world.caller_for(lab.world.estate.identities[identity].object_id, audience=audience)
    return {"Authorization": f"Bearer {lab.world.issue_token(caller)}"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("example.org", 403),
        ("storage.blob.core.windows.net", 403),
        ("login.example.org", 403),
        ("vault.azure.net", 403),
        ("a.b.vault.azure.net", 403),
        ("kv-nobody-made.vault.azure.net", 502),
    ],
)
def test_nothing_leaves(lab: Lab, host: str, status: int) -> None:
    with pytest.raises(OSError, match=str(status)):
        connect(lab, host).connect()


@pytest.mark.parametrize(
    "host",
    [
        ARM,
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "kv-web-prod.vault.azure.net",
        "kv-web-old.vault.azure.net",
    ],
)
def test_hosts_of_azure_are_the_lab(lab: Lab, host: str) -> None:
    """A soft-deleted vault keeps its name in DNS (azure.md 1.6)."""
    connection = connect(lab, host)
    connection.request("GET", "/")
    assert connection.getresponse().status >= 400
    connection.close()


def test_a_plain_request_is_told_to_use_connect(lab: Lab) -> None:
    with socket.create_connection(("127.0.0.1", port_of(lab)), timeout=5) as plain:
        plain.sendall(b"GET http://management.azure.com/ HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while piece := plain.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 405")
    assert answer.endswith(b"use CONNECT.\n")


def test_one_connection_serves_many_requests_and_large_answers_arrive_whole(lab: Lab) -> None:
    connection = connect(lab)
    path = "/subscriptions/33333333-3333-3333-3333-000000000001/providers/Microsoft.Authorization/roleDefinitions"
    for version in ("2022-04-01", "2022-05-01-preview"):
        connection.request("GET", f"{path}?api-version={version}", headers=token(lab))
        assert len(json.load(connection.getresponse())["value"]) == 929
    connection.request("GET", f"{path}?api-version=2022-04-01", headers=token(lab) | {"Connection": "close"})
    assert len(json.load(connection.getresponse())["value"]) == 929
    connection.close()


def test_head_has_the_headers_of_get_and_no_body(lab: Lab) -> None:
    connection = connect(lab)
    connection.request("HEAD", "/subscriptions?api-version=2022-12-01", headers=token(lab))
    answer = connection.getresponse()
    assert int(answer.headers["Content-Length"]) > 0
    assert answer.read() == b""
    connection.close()


def test_bodies_come_by_length_and_in_chunks(lab: Lab) -> None:
    body = json.dumps({"name": "kv-web-prod"}).encode()
    path = "/subscriptions/33333333-3333-3333-3333-000000000001/providers/Microsoft.KeyVault/checkNameAvailability"
    for chunked in (False, True):
        connection = connect(lab)
        sent = (piece for piece in (body[:5], body[5:])) if chunked else body
        connection.request(
            "POST", f"{path}?api-version=2026-02-01", body=sent, headers=token(lab), encode_chunked=chunked
        )
        assert json.load(connection.getresponse())["nameAvailable"] is False
        connection.close()


def test_the_journal_says_who_asked_what(lab: Lab) -> None:
    connection = connect(lab)
    connection.request("GET", "/subscriptions?api-version=2022-12-01&x=a%20b", headers=token(lab))
    size = len(connection.getresponse().read())
    connection.request("GET", "/subscriptions?api-version=2022-12-01")
    connection.getresponse().read()
    connection.close()
    known, unknown = lab.journal[-2:]
    assert (known.method, known.host, known.path, known.status) == ("GET", ARM, "/subscriptions", 200)
    assert known.query == {"api-version": "2022-12-01", "x": "a b"}
    assert known.caller == lab.world.estate.identities["owner"].object_id
    assert known.response_bytes == size
    assert (unknown.caller, unknown.status) == (None, 401)


def test_a_dropped_connection_and_a_failing_lab(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    lab.world.faults.append(Fault(path="/subscriptions$", status=DROPPED, times=1))
    connection = connect(lab)
    connection.request("GET", "/subscriptions?api-version=2022-12-01", headers=token(lab))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
        connection.getresponse()
    connection.close()
    lab.world.faults.clear()

    def broken(world: object, request: object) -> None:
        raise RuntimeError("a bug")

    lab.world.interceptors.append(broken)
    try:
        connection = connect(lab)
        connection.request("GET", "/subscriptions?api-version=2022-12-01", headers=token(lab))
        answer = connection.getresponse()
        assert answer.status == 500
        assert json.load(answer)["error"]["code"] == "LabFailure"
        connection.close()
    finally:
        lab.world.interceptors.clear()
    assert "a bug" in caplog.text


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\x00", b"CONNECT\r\n\r\n", b"x" * 100_000, b""])
def test_junk_ends_one_connection_and_not_the_lab(lab: Lab, junk: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port_of(lab)), timeout=5) as plain:
        plain.sendall(junk)
        plain.shutdown(socket.SHUT_WR)
        plain.recv(100)
    connection = connect(lab)
    connection.request("GET", "/subscriptions?api-version=2022-12-01", headers=token(lab))
    assert connection.getresponse().status == 200
    connection.close()


def test_closing_takes_certificate_thread_and_port_away() -> None:
    lab = start("contoso")
    port, ca_file = port_of(lab), lab.ca_file
    idle = connect(lab)
    idle.connect()
    with pytest.raises(OSError, match="in use"):
        start("contoso", port=port)
    lab.close()
    lab.close()
    idle.close()
    assert not ca_file.exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "kvaudit-lab" and not thread.daemon]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    assert "PRIVATE KEY" not in repr(lab.environment())
