"""Texts that hold several errors, or quote some: what is told, and above all what is proposed, belongs to one of them."""

import json
import time

import pytest
from test_explanations import APP, KV, LOG, OID, POLICY, RBAC, TENANT, body

from kvaudit.explain import Kind, explain
from kvaudit.explain.explanation import Confidence
from kvaudit.explain.facts import LONGEST
from kvaudit.explain.several import MOST

OTHER = "44444444-4444-4444-4444-444444444444"
FIREWALL = (
    "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n"
    f"Caller: appid={APP};oid={OTHER};iss=https://sts.windows.net/{TENANT}/\r\nVault: kv-other;location=westeurope"
)
ROLE = body(RBAC, inner="ForbiddenByRbac")
NETWORK = body(FIREWALL, inner="ForbiddenByFirewall")


@pytest.mark.parametrize("text", [f"{ROLE}\n{NETWORK}", f"{NETWORK}\n{ROLE}", f"{NETWORK}\n{ROLE}\n{NETWORK}"])
def test_one_caller_never_gets_the_fix_of_another(text: str) -> None:
    found = explain(text)
    assert (found.kind, found.confidence, found.also) == (Kind.FIREWALL, Confidence.LIKELY, (Kind.MISSING_ROLE,))
    assert (found.vault, found.caller.object_id, found.operation) == ("kv-other", OTHER, None)
    network, role = [cause.fix.az for cause in found.causes if cause.fix]
    assert "kv-other" in network
    assert OID in role
    assert OTHER not in role


def test_of_several_of_one_kind_the_first_is_told_and_that_there_are_more() -> None:
    second = RBAC.replace(OID, OTHER).replace("kv-contoso", "kv-other").replace("getSecret", "setSecret")
    found = explain(f"{ROLE}\nGET https://kv-other.vault.azure.net/\n{body(second, inner='ForbiddenByRbac')}")
    assert (found.vault, found.operation, found.caller.object_id) == ("kv-contoso", "secrets/get", OID)
    assert any("other refusals" in cause.cause for cause in found.causes)


def test_a_message_that_an_sdk_prints_twice_is_one_error() -> None:
    found = explain(f"{RBAC}\nCode: Forbidden\nMessage: {RBAC}")
    assert not any("other refusals" in cause.cause for cause in found.causes)


def test_of_several_records_vault_object_and_caller_are_of_the_one_that_is_told() -> None:
    last = {
        **LOG,
        "resourceId": KV.upper().replace("KV-CONTOSO", "KV-OTHER"),
        "properties": {"httpStatusCode": 403, "id": "https://kv-other.vault.azure.net/keys/sign"},
        "operationName": "KeyGet",
        "identity": {"claim": {"http://schemas.microsoft.com/identity/claims/objectidentifier": OTHER}},
        "isRbacAuthorized": False,
    }
    found = explain(f"{json.dumps(LOG)}\n{json.dumps(last)}")
    assert (found.kind, found.operation, found.caller.object_id) == (Kind.MISSING_ROLE, "keys/get", OTHER)
    assert (found.vault or "").casefold() == "kv-other"
    assert found.object == "keys/sign"


@pytest.mark.parametrize(
    "text",
    [
        "redis.exceptions.ResponseError: code: KeyNotFound while reading the cache",
        "CosmosException : Response status code does not indicate success: TooManyRequests (429); Substatus: 3200",
        '{"error": {"code": "BadParameter", "message": "The parameter size is wrong."}}',
    ],
)
def test_a_code_that_other_services_use_too_is_never_certain_where_no_vault_is_named(text: str) -> None:
    assert explain(text).confidence is not Confidence.CERTAIN


def test_a_deny_assignment_in_the_words_of_resource_manager() -> None:
    message = (
        f"The client 'anna@contoso.com' with object id '{OID}' has permission to perform action 'Microsoft.KeyVault/vaults/"
        f"write' on scope '{KV}'; however, the access is denied because of the deny assignment with name 'stack' and Id "
        f"'{APP.replace('-', '')}' at scope '{KV}'."
    )
    found = explain(body(message, "DenyAssignmentAuthorizationFailed"))
    assert (found.kind, found.confidence) == (Kind.DENY_ASSIGNMENT, Confidence.CERTAIN)
    assert all(cause.fix is None for cause in found.causes)


def test_our_own_output_pasted_is_no_error_of_a_service() -> None:
    from kvaudit.app.explaining import _lines

    for text in (ROLE, NETWORK, body(POLICY)):
        assert explain("\n".join(_lines(explain(text)))).confidence is not Confidence.CERTAIN


def test_a_credential_that_was_passed_over_is_not_the_error_of_the_one_that_called() -> None:
    """DefaultAzureCredential logs each credential that had no token; the vault then refused one that had."""
    warning = "WARNING: ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint."
    found = explain(f"{warning}\n{ROLE}")
    assert (found.kind, found.also) == (Kind.MISSING_ROLE, (Kind.WRONG_IDENTITY,))
    assert explain(warning).kind is Kind.WRONG_IDENTITY


@pytest.mark.parametrize(
    ("last", "status"),
    [(ROLE, 403), (body("A secret with (name/id) db was not found in this key vault.", "SecretNotFound"), 404)],
)
def test_the_status_is_that_of_the_error_and_not_of_the_challenge_before(last: str, status: int) -> None:
    found = explain(
        f"Response status: 401\nAKV10000: Request is missing a Bearer or PoP token.\nResponse status: {status}\n{last}"
    )
    assert found.status == status


def test_a_refusal_by_a_deny_assignment_does_not_hide_another_for_want_of_a_role() -> None:
    denied = RBAC.replace("DenyAssignmentId: null", f"DenyAssignmentId: '{APP}'").replace(OID, OTHER)
    for text in (f"{ROLE}\n{body(denied)}", f"{body(denied)}\n{ROLE}"):
        found = explain(text)
        assert {found.kind, *found.also} == {Kind.DENY_ASSIGNMENT, Kind.MISSING_ROLE}
        assert found.confidence is Confidence.LIKELY
        assert found.caller.object_id == (OTHER if found.kind is Kind.DENY_ASSIGNMENT else OID)
        (role,) = [cause.fix.az for cause in found.causes if cause.fix]
        assert OID in role
        assert OTHER not in role


BEFORE = "GET https://kv-config.vault.azure.net/secrets/ok -> 200\n"


def test_an_address_beside_the_error_is_not_the_vault_that_the_service_names() -> None:
    found = explain(BEFORE + body(POLICY, inner="AccessDenied"))
    assert (found.vault, found.object) == ("kv-contoso", None)
    assert found.causes[0].fix is not None
    assert "kv-config" not in found.causes[0].fix.az


def test_of_several_vaults_or_objects_none_is_guessed() -> None:
    disabled = body("Operation get is not allowed on a disabled secret.", inner="SecretDisabled")
    for beside in ("https://kv-contoso.vault.azure.net/secrets/db", "https://kv-config.vault.azure.net/secrets/db"):
        found = explain(f"{BEFORE}GET {beside}\n{disabled}")
        assert found.object is None
        assert found.causes[0].fix is None
    deleting = explain(BEFORE + body("Secret db is currently being deleted.", "Conflict", "ObjectIsBeingDeleted"))
    assert deleting.object == "secrets/db"


@pytest.mark.parametrize(
    ("written", "address", "can_be_a_rule"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7.", "203.0.113.7", True),
        ("203.0.113.7:4432", "203.0.113.7", True),
        ("10.0.0.4", "10.0.0.4", False),
        ("2001:db8::1", "2001:db8::1", False),
        ("999.1.2.3", None, False),
        ("...", None, False),
    ],
)
def test_only_an_address_that_a_rule_can_hold_is_proposed(
    written: str, address: str | None, can_be_a_rule: bool
) -> None:
    found = explain(body(FIREWALL.replace("203.0.113.7", written), inner="ForbiddenByFirewall"))
    assert found.caller.address == address
    fix = found.causes[0].fix
    assert (fix is not None) is can_be_a_rule
    assert fix is None or f"--ip-address {address}\n" in fix.az


def refusal(number: int) -> str:
    return RBAC.replace(OID, f"{OID[:-12]}{number:012d}")


def test_hundreds_of_refusals_are_told_apart_and_how_many_there_are() -> None:
    text = "\n".join([*(refusal(number) for number in range(300)), FIREWALL])
    found = explain(text)
    assert (found.kind, found.also) == (Kind.FIREWALL, (Kind.MISSING_ROLE,)), "the last of 301 is of another kind"
    many = explain("\n".join(refusal(number) for number in range(300)))
    assert [cause.cause for cause in many.causes if cause.beside] == [
        "the text shows other refusals of the same kind (299)"
    ]


def test_beyond_the_bound_it_is_told_how_many_were_not_looked_at() -> None:
    short = [f"The client 'a{number}@contoso.com' does not have authorization" for number in range(MOST + 700)]
    found = explain("\n".join(short))
    told = [cause for cause in found.causes if "were not looked at" in cause.cause]
    assert [cause.cause for cause in told] == ["700 of 1,200 different refusals in the text were not looked at"]
    assert "the first 500 were" in told[0].because


def test_a_refusal_that_is_repeated_ten_thousand_times_is_one() -> None:
    found = explain("\n".join([RBAC] * 300))
    assert not any(cause.beside for cause in found.causes)
    found = explain("\n".join([" ".join(RBAC.split())] * 10_000))
    assert [cause.cause for cause in found.causes if cause.beside] == ["most of the text was not looked at"]


@pytest.mark.parametrize(
    "piece",
    [
        "The client '",
        "The client 'x' Vault: kv-a;location=x ",
        "the user, group or application '{}",
        "caller is not authorized to perform action on resource Action: 'a/b",
        "public network access is disabled and request code: Aa Bb ",
    ],
)
def test_hostile_logs_of_refusals_take_bounded_time(piece: str) -> None:
    """Every one in other words, as many as fit: each is found, and a bounded number looked into."""
    text = "".join(f"{piece}{number} " for number in range(LONGEST // len(piece)))[:LONGEST]
    before = time.process_time()
    explain(text)
    assert time.process_time() - before < 6
