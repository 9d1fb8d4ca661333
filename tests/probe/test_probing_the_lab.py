"""Probes against the lab: what stands in the way is told apart, and verdicts are those of the lab's own evaluator."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import pytest
from probing_the_lab import let_sign_in, probed, probed_through

from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.evaluator import decide_data, uses_rbac
from kvaudit.lab.faults import Fault
from kvaudit.lab.vault_routes import find_route
from kvaudit.probe.catalogue import not_probed, probes
from kvaudit.probe.results import Outcome, State

HINDRANCES = {
    "kv-payments-prod": State.PRIVATE_LINK,
    "kv-payments-batch": State.FIREWALL,
    "kv-fabrikam-joint": State.OTHER_TENANT,
    "kv-web-old": State.SOFT_DELETED,
    "kv-no-such-vault": State.PROXY,
    "kv-web-cdn": State.REACHABLE,
}


def test_what_stands_in_the_way_is_told_apart(contoso: Lab) -> None:
    found = probed(contoso, HINDRANCES)
    assert {name: item.reach.state for name, item in found.items()} == HINDRANCES
    for name, item in found.items():
        assert item.is_complete is (name == "kv-web-cdn")
        assert [one.word for one in item] == [probe.word for probe in probes()]
    assert "502" in found["kv-no-such-vault"].reach.because
    assert found["kv-fabrikam-joint"].reach.tenant_id == "22222222-2222-2222-2222-222222222222"
    assert found["kv-web-cdn"].reach.client_address == "203.0.113.10"


def test_a_vault_of_another_tenant_gets_no_token(contoso: Lab) -> None:
    before = len(contoso.journal)
    probed(contoso, ["kv-fabrikam-joint"])
    sent = [entry for entry in contoso.journal[before:] if entry.host.startswith("kv-fabrikam-joint")]
    assert [entry.path for entry in sent] == ["/healthstatus", "/secrets"]
    assert {entry.caller for entry in sent} == {None}


@pytest.mark.parametrize("seed", [3, 11])
def test_verdicts_are_those_of_the_lab(seed: int) -> None:
    estate = generate(seed, Size(assignments=60, policies=6, active=6, denies=4, roles=6, auditor_lists=True))
    for vault in estate.vaults.values():
        vault["properties"] |= {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}
    auditor = estate.identities["auditor"].object_id
    others = [item for item in estate.service_principals if item != auditor]
    people = ["auditor", *(let_sign_in(estate, item) for item in others[:6])]
    names = [str(vault["name"]) for vault in estate.vaults.values()]
    seen: set[tuple[str, Outcome]] = set()
    with start(estate) as lab:
        for who in people:
            identity = lab.world.estate.identities[who]
            caller = lab.world.caller_for(identity.object_id, audience="https://vault.azure.net")
            for name, item in probed(lab, names, identity=who).items():
                raw = lab.world.vault_named(name)
                assert raw is not None
                if item.reach.state is State.OTHER_TENANT:
                    assert str(raw["properties"]["tenantId"]).casefold() != identity.tenant_id.casefold()
                    continue
                assert item.reach.state is State.REACHABLE
                for probe, found in zip(probes(), item, strict=True):
                    absent = "an-absent-name" if probe.needs_name else None
                    routed = find_route("GET", probe.path.replace("{name}", "an-absent-name"))
                    assert routed is not None
                    decision = decide_data(lab.world, caller, routed[0].needs, raw, absent)
                    assert (found.call, found.word) == (probe.id, probe.word)
                    assert (found.outcome is Outcome.ALLOWED) is decision.allowed, (who, name, found, decision)
                    assert found.outcome is not Outcome.NOT_PROBED
                    assert found.deny_assignment == decision.deny
                    seen.add((found.call, found.outcome))
    assert {call for call, outcome in seen if outcome is Outcome.DENIED} == {probe.id for probe in probes()}
    assert {call for call, outcome in seen if outcome is Outcome.ALLOWED} >= {
        "secret.list",
        "secret.listDeleted",
        "secret.getDeleted",
        "secret.listVersions",
        "key.list",
        "key.get",
    }


def test_nothing_but_reads_of_lists_and_absent_names_is_sent() -> None:
    with start("contoso") as lab:
        names = [str(vault["name"]) for vault in lab.world.estate.vaults.values()]
        before = lab.world.revision
        probed(lab, names)
        sent = [entry for entry in lab.journal if entry.host.endswith(".vault.azure.net")]
        assert {entry.method for entry in sent} == {"GET"}
        assert lab.world.revision == before
        for entry in sent:
            _, place, *name = entry.path.split("/")
            kind = place.removeprefix("deleted")
            assert place == "healthstatus" or kind in {"secrets", "keys", "certificates"}
            if name:
                assert entry.status in {403, 404}
                assert all(name[0] not in kinds.get(kind, {}) for kinds in lab.world.estate.objects.values()), (
                    entry.path
                )
        assert len({entry.path for entry in sent if entry.path.count("/") == 2}) > 3 * 10


def test_throttling_is_waited_for_and_no_verdict() -> None:
    with start("contoso") as lab:
        body = {"error": {"code": "Throttled", "message": "Request was not processed."}}
        lab.world.faults.append(Fault("kv-web-cdn.*/secrets$", status=429, body=body, times=1, skip=1))
        assert probed(lab, ["kv-web-cdn"])["kv-web-cdn"].is_complete
        lab.world.faults[:] = [Fault("kv-web-cdn.*/secrets/[^/]*$", status=429, body=body)]
        item = probed(lab, ["kv-web-cdn"])["kv-web-cdn"]
    outcomes = {one.word: one.outcome for one in item if one.decides}
    assert outcomes["secrets/get"] is Outcome.NOT_PROBED
    assert outcomes["secrets/list"] is outcomes["keys/get"] is Outcome.DENIED
    assert "throttled" in next(one.because for one in item if one.word == "secrets/get")


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault("kv-web-cdn.*/keys/", status=500, body={}), "keys/get"),
        (Fault("kv-web-cdn.*/keys/", status=0), "keys/get"),
        (Fault("kv-web-cdn.*/keys/", status=403, body={"error": {"code": "Forbidden", "message": "No."}}), "keys/get"),
        (Fault("kv-web-cdn.*/keys/", status=404, body={"error": {"code": "Other", "message": "No."}}), "keys/get"),
        (Fault("kv-web-cdn.*/keys/", status=200, body={"value": "kvaudit-planted-value"}), "keys/get"),
        (
            Fault("kv-web-cdn.*/keys/", status=302, headers={"Location": "https://kv-web-cdn.vault.azure.net/keys"}),
            "keys/get",
        ),
        (Fault("kv-web-cdn.*/certificates$", status=403, body=b"<html>"), "certificates/list"),
    ],
)
def test_answers_without_an_established_meaning_are_no_verdict(fault: Fault, word: str) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(fault)
        item = probed(lab, ["kv-web-cdn"])["kv-web-cdn"]
    assert {one.word for one in item if one.outcome is Outcome.NOT_PROBED} == {word}
    assert "kvaudit-planted-value" not in repr(item)


def test_a_firewall_that_closes_during_a_run_ends_it_without_a_verdict() -> None:
    message = "Client address is not authorized and caller is not a trusted service."
    with start("contoso") as lab:
        lab.world.faults.append(
            Fault("kv-web-cdn.*/keys$", status=403, body={"error": {"code": "Forbidden", "message": message}})
        )
        item = probed(lab, ["kv-web-cdn"])["kv-web-cdn"]
    assert item.reach.state is State.FIREWALL
    assert [one.outcome for one in item] == [*[Outcome.DENIED] * 5, *[Outcome.NOT_PROBED] * 6]


def test_a_refused_token_is_no_verdict() -> None:
    with start("contoso") as lab:
        body = {"error": {"code": "Unauthorized", "message": "AKV10032: Invalid issuer."}}
        lab.world.faults.append(Fault("kv-web-cdn.*/secrets$", status=401, body=body, skip=1))
        assert probed(lab, ["kv-web-cdn"])["kv-web-cdn"].reach.state is State.OTHER_TENANT


@contextmanager
def _proxy(answer: bytes) -> Iterator[dict[str, str]]:
    """Environment variables of a proxy that answers everything with the same bytes, then closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(answer)
                if b"Established" in answer:
                    connection.recv(4096)
                    connection.sendall(b"this is no TLS at all, whatever it was that came")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield {"HTTPS_PROXY": address, "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


@pytest.mark.parametrize(
    ("answer", "state", "failed"),
    [
        (b"HTTP/1.1 200 Connection Established\r\n\r\n", State.TLS, "tls"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", State.PROXY, "tcp"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", State.PROXY, "tcp"),
    ],
)
def test_the_step_that_fails_is_named(answer: bytes, state: State, failed: str) -> None:
    with _proxy(answer) as environ:
        item = probed_through(environ, ["kv-web-cdn"], signed_in=False)["kv-web-cdn"]
    assert item.reach.state is state
    assert [step.name for step in item.reach.steps if step.result == "failed"] == [failed]
    assert {one.outcome for one in item} == {Outcome.NOT_PROBED}


def test_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    environ = {"HTTPS_PROXY": address, "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    item = probed_through(environ, ["kv-web-cdn"], signed_in=False)["kv-web-cdn"]
    assert item.reach.state is State.PROXY
    assert "proxy" in item.reach.because


def test_a_name_without_an_address_and_a_lookup_that_failed() -> None:
    """No name ends in .invalid (RFC 6761); a machine without a name server cannot say so, which is another state."""
    environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    with pytest.raises(socket.gaierror) as told:
        socket.getaddrinfo("kv-web-cdn.vault.invalid", 443)
    has_none = told.value.errno in {socket.EAI_NONAME, socket.EAI_NODATA}
    item = probed_through(environ, ["kv-web-cdn"], signed_in=False, suffix=".vault.invalid")["kv-web-cdn"]
    assert item.reach.state is (State.NO_SUCH_NAME if has_none else State.LOOKUP_FAILED)
    assert [(step.name, step.result) for step in item.reach.steps] == [
        ("dns", "failed"),
        *((name, "skipped") for name in ("tcp", "tls", "healthstatus", "challenge")),
    ]


def test_every_call_that_the_facts_call_safe_is_a_probe() -> None:
    """And no other: what is safe under a condition, or of which nothing is said, is none."""
    raw = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())["dataPlane"]
    safe = {call["id"] for call in raw if (call.get("probeWithRandomName") or {}).get("safe") is True}
    assert {probe.id for probe in probes()} == safe
    assert {call["method"] for call in raw if call["id"] in safe} == {"GET"}


def test_a_call_that_needs_the_same_permission_and_is_answered_otherwise_is_no_verdict() -> None:
    body = {"error": {"code": "Forbidden", "message": "No.", "innererror": {"code": "AccessDenied"}}}
    with start(generate(5, Size(vaults=3, auditor_lists=True))) as lab:
        vault = next(item for item in lab.world.estate.vaults.values() if uses_rbac(item))
        vault["properties"] |= {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}
        vault["properties"]["tenantId"] = lab.world.estate.home_tenant
        lab.world.changed()
        lab.world.faults.append(Fault("/deletedcertificates", status=403, body=body))
        (item,) = probed(lab, [str(vault["name"])]).values()
    outcomes = {found.call: (found.outcome, found.decides) for found in item}
    assert outcomes["certificate.list"] == (Outcome.ALLOWED, True)
    assert outcomes["certificate.listDeleted"] == (Outcome.DENIED, False)


def test_every_operation_is_probed_or_says_why_not() -> None:
    words = {probe.word for probe in probes() if probe.decides}
    assert words == {f"{kind}/{word}" for kind in ("secrets", "keys", "certificates") for word in ("list", "get")}
    assert not words & set(not_probed())
    assert {"secrets/set", "keys/sign", "certificates/purge"} <= set(not_probed())
    assert all(not_probed().values())
