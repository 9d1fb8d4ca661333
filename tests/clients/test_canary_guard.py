"""What of a canary passes the guard: five writes to its own name, in its own vault, with its own body."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.clients.canary_names import PREFIX, UPDATE_BODY, CanaryNames, worthless_value
from kvaudit.clients.read_only import ProbeNames, ReadOnlyGuard
from kvaudit.errors import ReadOnlyError
from kvaudit.model.clouds import clouds

HOST = "kv-one.vault.azure.net"
VALUE = json.dumps({"value": worthless_value()})
UPDATE = json.dumps(UPDATE_BODY)
OWN = "{own}"

PASSES = [
    ("PUT", f"/secrets/{OWN}", VALUE),
    ("PATCH", f"/secrets/{OWN}/", UPDATE),
    ("DELETE", f"/secrets/{OWN}", None),
    ("POST", f"/deletedsecrets/{OWN}/recover", None),
    ("DELETE", f"/deletedsecrets/{OWN}", None),
]
REFUSED = [
    ("GET", f"/secrets/{OWN}", None),
    ("GET", f"/deletedsecrets/{OWN}", None),
    ("POST", f"/secrets/{OWN}/backup", None),
    ("PUT", f"/keys/{OWN}", VALUE),
    ("DELETE", f"/keys/{OWN}", None),
    ("DELETE", f"/certificates/{OWN}", None),
    ("PUT", f"/secrets/{OWN}/", VALUE),
    ("PUT", f"/secrets/{OWN}", None),
    ("PUT", f"/secrets/{OWN}", "[]"),
    ("PUT", f"/secrets/{OWN}", json.dumps({"value": "chosen by somebody"})),
    ("PUT", f"/secrets/{OWN}", json.dumps({"value": worthless_value(), "tags": {}})),
    ("PATCH", f"/secrets/{OWN}", UPDATE),
    ("PATCH", f"/secrets/{OWN}/", json.dumps({"attributes": {"enabled": True}})),
    ("PATCH", f"/secrets/{OWN}/0123456789abcdef0123456789abcdef", UPDATE),
    ("DELETE", f"/secrets/{OWN}", "{}"),
    ("POST", f"/deletedsecrets/{OWN}/recover", "{}"),
    ("POST", f"/deletedsecrets/{OWN}", None),
    ("PUT", "/secrets/db-password", VALUE),
    ("DELETE", "/secrets/db-password", None),
    ("DELETE", "/deletedsecrets/db-password", None),
    ("DELETE", f"/secrets/{PREFIX}{'0' * 32}", None),
    ("DELETE", f"/secrets/{OWN}/../db-password", None),
    ("DELETE", f"/secrets/{OWN}%2f..%2fdb-password", None),
    ("PUT", "/secrets/restore", VALUE),
]


def numbered(requests: list[tuple[str, str, str | None]]) -> list[str]:
    """Names without the bodies, which are random: workers of a parallel run must collect the same names."""
    return [f"{number}-{method}-{path}" for number, (method, path, _) in enumerate(requests, 1)]


def guarded() -> tuple[ReadOnlyGuard, str]:
    """A guard with a canary, and the canary's name."""
    names = CanaryNames()
    name = names.new(HOST)
    return ReadOnlyGuard(clouds()["public"], ProbeNames(), names), name


@pytest.mark.parametrize(("method", "path", "body"), PASSES, ids=numbered(PASSES))
def test_its_own_writes_pass(method: str, path: str, body: str | None) -> None:
    guard, name = guarded()
    guard.check(method, f"https://{HOST}{path.replace(OWN, name)}?api-version=7.5", {}, body)


@pytest.mark.parametrize(("method", "path", "body"), REFUSED, ids=numbered(REFUSED))
def test_everything_else_is_refused(method: str, path: str, body: str | None) -> None:
    guard, name = guarded()
    with pytest.raises(ReadOnlyError):
        guard.check(method, f"https://{HOST}{path.replace(OWN, name)}", {}, body)


@pytest.mark.parametrize(("method", "path", "body"), PASSES, ids=numbered(PASSES))
def test_in_another_vault_or_without_a_canary_nothing_is_written(method: str, path: str, body: str | None) -> None:
    guard, name = guarded()
    with pytest.raises(ReadOnlyError):
        guard.check(method, f"https://kv-two.vault.azure.net{path.replace(OWN, name)}", {}, body)
    for without in (None, CanaryNames()):
        with pytest.raises(ReadOnlyError):
            ReadOnlyGuard(clouds()["public"], ProbeNames(), without).check(
                method, f"https://{HOST}{path.replace(OWN, name)}", {}, body
            )


@pytest.mark.parametrize("header", ["X-HTTP-Method", "X-HTTP-Method-Override"])
def test_no_header_turns_a_write_into_another(header: str) -> None:
    guard, name = guarded()
    with pytest.raises(ReadOnlyError):
        guard.check("DELETE", f"https://{HOST}/secrets/{name}", {header: "GET"}, None)


def test_a_new_canary_takes_the_place_of_the_old() -> None:
    names = CanaryNames()
    guard = ReadOnlyGuard(clouds()["public"], ProbeNames(), names)
    old, new = names.new(HOST), names.new(HOST)
    guard.check("DELETE", f"https://{HOST}/secrets/{new}", {}, None)
    with pytest.raises(ReadOnlyError):
        guard.check("DELETE", f"https://{HOST}/secrets/{old}", {}, None)


@pytest.mark.parametrize("name", ["db-password", PREFIX, f"{PREFIX}x", f"{PREFIX}{'0' * 32}/x", f"x{PREFIX}{'0' * 32}"])
def test_only_a_canarys_name_is_opened_again(name: str) -> None:
    with pytest.raises(ValueError, match="canary"):
        CanaryNames().again(HOST, name)


parts = st.sampled_from(["secrets", "keys", "deletedsecrets", OWN, "db-password", "recover", "backup", "", ".."])
bodies: st.SearchStrategy[Any] = st.sampled_from([None, VALUE, UPDATE, "{}", "", "{"])


@given(
    method=st.sampled_from(["PUT", "PATCH", "DELETE", "POST", "OPTIONS"]),
    path=st.lists(parts, max_size=5).map(lambda found: "/" + "/".join(found)),
    body=bodies,
)
def test_whatever_write_passes_is_one_of_the_five(method: str, path: str, body: Any) -> None:
    guard, name = guarded()
    try:
        guard.check(method, f"https://{HOST}{path.replace(OWN, name)}", {}, body)
    except ReadOnlyError:
        return
    assert (method, path, body or None) in PASSES
