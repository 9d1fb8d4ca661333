"""The guard: what an audit may send, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.clients.read_only import ProbeNames, ReadOnlyGuard
from kvaudit.errors import ExitCode, ReadOnlyError
from kvaudit.model.clouds import clouds

PUBLIC = clouds()["public"]
ARM, GRAPH, VAULT = "https://management.azure.com", "https://graph.microsoft.com", "https://kv-one.vault.azure.net"
SUBSCRIPTION = f"{ARM}/subscriptions/33333333-3333-3333-3333-000000000001"
GROUP = "/groups/55555555-5555-5555-5555-000000000001/members?$top=999"


def guard(names: ProbeNames | None = None) -> ReadOnlyGuard:
    return ReadOnlyGuard(PUBLIC, names or ProbeNames())


def batch(*parts: dict[str, Any]) -> str:
    return json.dumps({"requests": [{"id": str(number), **part} for number, part in enumerate(parts)]})


PASSES = [
    ("GET", f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01", None),
    ("HEAD", SUBSCRIPTION, None),
    ("POST", f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01", '{"query": "resources"}'),
    ("GET", f"{GRAPH}/v1.0/servicePrincipals?$top=999", None),
    ("POST", f"{GRAPH}/v1.0/directoryObjects/getByIds", '{"ids": []}'),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "GET", "url": GROUP})),
    ("GET", f"{VAULT}/secrets?api-version=7.5&$skiptoken=x", None),
    ("GET", f"{VAULT}/keys", None),
    ("GET", f"{VAULT}/certificates", None),
    ("GET", f"{VAULT}/keys/signing/rotationpolicy", None),
    ("GET", f"{VAULT}/certificates/tls/policy", None),
    ("GET", f"{VAULT}/secrets/db-password/versions", None),
    ("GET", f"{VAULT}/healthstatus", None),
]


@pytest.mark.parametrize(("method", "url", "body"), PASSES)
def test_reads_pass(method: str, url: str, body: str | None) -> None:
    guard().check(method, url, {"Authorization": "Bearer x"}, body)


REFUSED = [
    # Resource Manager: no writes, not even the registration of a provider
    ("POST", f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/register?api-version=2016-02-01", None),
    ("PUT", f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v", "{}"),
    ("PATCH", f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v", "{}"),
    ("DELETE", f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v", None),
    ("POST", f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/s/listKeys", None),
    ("POST", f"{ARM}/providers/Microsoft.ResourceGraph/resources/", "{}"),
    ("PUT", f"{ARM}/providers/Microsoft.ResourceGraph/resources", "{}"),
    ("POST", f"{ARM}/providers/Microsoft.ResourceGraph/queries", "{}"),
    ("POST", f"{GRAPH}/providers/Microsoft.ResourceGraph/resources", "{}"),
    ("get", SUBSCRIPTION, None),
    # vaults: no value, no use of a key, no backup
    ("GET", f"{VAULT}/secrets/db-password", None),
    ("GET", f"{VAULT}/secrets/db-password/", None),
    ("GET", f"{VAULT}/secrets/db-password/0123456789abcdef0123456789abcdef", None),
    ("GET", f"{VAULT}//secrets/db-password", None),
    ("GET", f"{VAULT}/secrets/../secrets/db-password", None),
    ("GET", f"{VAULT}/secrets/x/versions/../../db-password", None),
    ("GET", f"{VAULT}/secrets%2Fdb-password", None),
    ("GET", f"{VAULT}/secrets/db%2Dpassword", None),
    ("GET", f"{VAULT}/Secrets/db-password", None),
    ("GET", f"{VAULT}/deletedsecrets/db-password", None),
    ("GET", f"{VAULT}/deletedkeys/signing", None),
    ("POST", f"{VAULT}/secrets/db-password/backup", None),
    ("POST", f"{VAULT}/keys/signing/sign", "{}"),
    ("POST", f"{VAULT}/keys/signing/decrypt", "{}"),
    ("POST", f"{VAULT}/keys/signing/release", "{}"),
    ("PUT", f"{VAULT}/secrets/kvaudit", "{}"),
    ("HEAD", f"{VAULT}/secrets/db-password", None),
    # other places, other schemes
    ("GET", "https://evil.example.net/secrets", None),
    ("GET", "https://vault.azure.net/secrets", None),
    ("GET", "https://kv-one.vault.azure.net.evil.example.net/secrets", None),
    ("GET", "https://a.b.vault.azure.net/secrets", None),
    ("GET", "https://management.azure.com@evil.example.net/subscriptions", None),
    ("GET", "https://user@management.azure.com/subscriptions", None),
    ("GET", "https://management.azure.com:444/subscriptions", None),
    ("GET", "http://management.azure.com/subscriptions", None),
    # Graph: reads only, also inside a batch
    ("POST", f"{GRAPH}/v1.0/groups", "{}"),
    ("POST", f"{GRAPH}/beta/$batch", batch({"method": "GET", "url": GROUP})),
    ("POST", f"{GRAPH}/v1.0/$batch", None),
    ("POST", f"{GRAPH}/v1.0/$batch", "[]"),
    ("POST", f"{GRAPH}/v1.0/$batch", '{"requests": []}'),
    ("POST", f"{GRAPH}/v1.0/$batch", batch(*[{"method": "GET", "url": GROUP}] * 21)),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "GET", "url": GROUP}, {"method": "DELETE", "url": GROUP})),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "get", "url": GROUP})),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "GET", "url": "https://evil.example.net/"})),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "GET", "url": "//evil.example.net/"})),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "GET", "url": "/$batch"})),
    ("POST", f"{GRAPH}/v1.0/$batch", batch({"method": "GET", "url": GROUP, "body": {}})),
    (
        "POST",
        f"{GRAPH}/v1.0/$batch",
        batch({"method": "GET", "url": GROUP, "headers": {"X-HTTP-Method-Override": "DELETE"}}),
    ),
    # a read that carries a body is no read
    ("GET", SUBSCRIPTION, "{}"),
]


@pytest.mark.parametrize(("method", "url", "body"), REFUSED)
def test_everything_else_is_refused(method: str, url: str, body: str | None) -> None:
    with pytest.raises(ReadOnlyError) as caught:
        guard().check(method, url, {}, body)
    assert caught.value.exit_code is ExitCode.FAILED
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "header",
    [
        "X-HTTP-Method",
        "x-http-method",
        "X-HTTP-METHOD-OVERRIDE",
        "X-Method-Override",
        "x_http_method",
        " X-HTTP-Method ",
    ],
)
@pytest.mark.parametrize(("method", "url", "body"), PASSES[:5])
def test_no_header_may_change_the_method(header: str, method: str, url: str, body: str | None) -> None:
    with pytest.raises(ReadOnlyError):
        guard().check(method, url, {header: "DELETE"}, body)


def test_the_value_route_is_open_for_names_of_this_process_alone() -> None:
    names, others = ProbeNames(), ProbeNames()
    mine, theirs = names.new(), others.new()
    guard(names).check("GET", f"{VAULT}/secrets/{mine}", {}, None)
    with pytest.raises(ReadOnlyError):
        guard(names).check("GET", f"{VAULT}/secrets/{theirs}", {}, None)
    assert len({names.new() for _ in range(100)}) == 100


methods = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", ""]
) | st.text(max_size=8)
hosts = st.sampled_from(["management.azure.com", "graph.microsoft.com", "kv-one.vault.azure.net", "evil.example.net"])
paths = st.lists(
    st.sampled_from(
        [
            "secrets",
            "keys",
            "certificates",
            "db-password",
            "versions",
            "policy",
            "backup",
            "v1.0",
            "$batch",
            "..",
            ".",
            "",
            "%2e%2e",
        ]
    )
    | st.text(max_size=6),
    max_size=5,
).map(lambda parts: "/" + "/".join(parts))


@given(method=methods, host=hosts, path=paths)
def test_whatever_passes_is_a_read_of_an_endpoint_of_the_cloud(method: str, host: str, path: str) -> None:
    try:
        guard().check(method, f"https://{host}{path}", {}, None)
    except ReadOnlyError:
        return
    except ValueError:
        return  # not an address at all
    assert method in {"GET", "HEAD"} or (host, method) == ("graph.microsoft.com", "POST")
    assert host != "evil.example.net"
    if host == "kv-one.vault.azure.net":
        parts = path.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0].split("/")
        assert len(parts) == 2 or parts[-1] in {"versions", "policy", "rotationpolicy"}


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_batch_of_any_shape_is_judged_and_never_breaks(body: Any) -> None:
    with pytest.raises(ReadOnlyError):
        guard().check("POST", f"{GRAPH}/v1.0/$batch", {}, json.dumps(body))
