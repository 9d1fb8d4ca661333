"""Every kind of error in every form, from the services' own fixed phrases; two kinds in one text; texts of any content."""

import csv
import io
import json

import pytest
from forms import FORMS, VAULT_ID, Answer
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.explain import Confidence, Kind, explain

TENANT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
OTHER = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
OID = "22222222-2222-2222-2222-222222222222"
CALLER = f"appid=33333333-3333-3333-3333-333333333333;oid={OID};iss=https://sts.windows.net/{TENANT}/"


def rbac(deny: str = "null", reason: str = "DeniedWithNoValidRBAC") -> Answer:
    return Answer(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        f"definitions were changed recently, please observe propagation time.\r\nCaller: {CALLER}\r\nAction: "
        f"'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '{VAULT_ID}/secrets/db'\r\nAssignment: (not "
        f"found)\r\nDenyAssignmentId: {deny}\r\nDecisionReason: '{reason}' \r\nVault: kv-contoso;location=westeurope\r\n",
        "ForbiddenByRbac",
    )


POLICY = Answer(
    403,
    "Forbidden",
    f"The user, group or application '{CALLER}' does not have secrets get permission on key vault "
    "'kv-contoso;location=westeurope'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
    "AccessDenied",
)
FIREWALL = Answer(
    403,
    "Forbidden",
    f"Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\nCaller: {CALLER}"
    "\r\nVault: kv-contoso;location=westeurope",
    "ForbiddenByFirewall",
)
CLIENT = f"The client '{OID}' with object id '{OID}'"
KINDS: list[tuple[Kind, Answer]] = [
    (Kind.MISSING_ROLE, rbac()),
    (Kind.DENY_ASSIGNMENT, rbac(f"'/providers/microsoft.authorization/denyassignments/{OTHER}'", "DeniedByDenyAssignment")),
    (Kind.MISSING_POLICY, POLICY),
    (Kind.MISSING_POLICY, Answer(403, "Forbidden", f"The policy requires the caller '{CALLER}' to use on-behalf-of (OBO) flow. For more information on OBO, please see https://go.microsoft.com/fwlink/?linkid=2152310", "ForbiddenByPolicy")),
    (Kind.LINKED_AUTHORIZATION, Answer(403, "LinkedAuthorizationFailed", f"The client has permission to perform action 'Microsoft.Compute/images/read' on scope '{VAULT_ID}', however the current tenant '{TENANT}' is not authorized to access linked subscription '{OTHER}'.")),
    (Kind.FIREWALL, FIREWALL),
    (Kind.PRIVATE_LINK, Answer(403, "Forbidden", "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: " + CALLER, "ForbiddenByConnection")),
    (Kind.PRIVATE_LINK, Answer(403, "Forbidden", "Connection is not an approved private link and caller was ignored because bypass is not set")),
    (Kind.TENANT, Answer(401, "Unauthorized", f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{TENANT}/, found https://sts.windows.net/{OTHER}/.")),
    (Kind.TOKEN_AUDIENCE, Answer(401, "Unauthorized", "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com/.")),
    (Kind.STALE_TOKEN, Answer(401, "ExpiredAuthenticationToken", "The access token expiry UTC time '11/24/2026 7:00:00 AM' is earlier than current UTC time '11/24/2026 8:00:00 AM'.")),
    (Kind.CLAIMS_CHALLENGE, Answer(401, "TokenCreatedWithOutdatedPolicies", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies")),
    (Kind.OBJECT_DISABLED, Answer(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")),
    (Kind.KEY_OPERATION, Answer(403, "Forbidden", "Operation decrypt is not permitted on this key.", "KeyOperationForbidden")),
    (Kind.AZURE_POLICY, Answer(403, "RequestDisallowedByPolicy", "Resource 'kv-contoso' was disallowed by policy. Policy identifiers: '[]'.")),
    (Kind.SOFT_DELETED, Answer(409, "Conflict", "Secret db is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.", "ObjectIsDeletedButRecoverable")),
    (Kind.SOFT_DELETED, Answer(409, "ConflictError", "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault.")),
    (Kind.BEING_DELETED, Answer(409, "Conflict", "Secret db is currently being deleted.", "ObjectIsBeingDeleted")),
    (Kind.NAME_TAKEN, Answer(409, "VaultAlreadyExists", "The vault name 'kv-contoso' is already in use.")),
    (Kind.THROTTLED, Answer(429, "Throttled", "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached")),
    (Kind.MODEL_CHANGE_REFUSED, Answer(400, "InsufficientPermissions", "Caller is not allowed to change permission model. action=Microsoft.Authorization/roleAssignments/write; resource=x; decision=NotAllowed")),
    (Kind.PRINCIPAL_NOT_FOUND, Answer(400, "PrincipalNotFound", f"Principal {OID.replace('-', '')} does not exist in the directory {TENANT}.")),
    (Kind.ROLE_ASSIGNMENT_EXISTS, Answer(409, "RoleAssignmentExists", "The role assignment already exists.")),
    (Kind.CONTROL_PLANE_AUTHORIZATION, Answer(403, "AuthorizationFailed", f"{CLIENT} does not have authorization to perform action 'Microsoft.KeyVault/vaults/write' over scope '{VAULT_ID}' or the scope is invalid.")),
    (Kind.LINKED_AUTHORIZATION, Answer(403, "LinkedAuthorizationFailed", f"{CLIENT} has permission to perform action 'Microsoft.KeyVault/vaults/write' on scope '{VAULT_ID}'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action' on the linked scope(s) '/subscriptions/x' or the linked scope(s) are invalid.")),
    (Kind.SCOPE_LOCKED, Answer(409, "ScopeLocked", f"The scope '{VAULT_ID}' cannot perform delete operation because following scope(s) are locked: '/subscriptions/x'. Please remove the lock and try again.")),
    (Kind.ASSIGNMENT_LIMIT, Answer(400, "RoleAssignmentLimitExceeded", "No more role assignments can be created (code: RoleAssignmentLimitExceeded)")),
    (Kind.TEMPLATE_ACCESS, Answer(403, "KeyVaultParameterReferenceSecretRetrieveFailed", "The secret of KeyVault parameter 'password' cannot be retrieved. Http status code: 'Forbidden'.")),
    (Kind.VAULT_NOT_FOUND, Answer(404, "ResourceNotFound", "The Resource 'Microsoft.KeyVault/vaults/kv-contoso' under resource group 'rg' was not found.")),
    (Kind.OBJECT_NOT_FOUND, Answer(404, "SecretNotFound", "A secret with (name/id) db was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.")),
    (Kind.BAD_REQUEST, Answer(400, "BadParameter", "The request URI contains an invalid name: a_b")),
]  # fmt: skip
"""Texts: facts azure.md 1.4, 1.7 and 6, and the phrases of Resource Manager."""

_BY_CODE_ALONE = {Kind.CLAIMS_CHALLENGE, Kind.STALE_TOKEN, Kind.TEMPLATE_ACCESS}
"""Kinds that a description without the code does not tell for certain: rows of AzureDiagnostics have none."""


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_in_every_form(form: str) -> None:
    for kind, answer in KINDS:
        if form == "azurediagnostics" and kind in _BY_CODE_ALONE:
            continue
        found = explain(FORMS[form](answer))
        assert (found.kind, found.also) == (kind, ()), (form, answer, found)
        assert found.confidence is (Confidence.LIKELY if kind is Kind.MISSING_ROLE else Confidence.CERTAIN)
        assert found.status in (answer.status, None)
        assert found.causes[0].because
        assert found.next_step


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("answer", [rbac(), POLICY], ids=["role", "policy"])
def test_who_called_what_on_what_in_every_form(form: str, answer: Answer) -> None:
    found = explain(FORMS[form](answer))
    assert (found.caller.object_id, found.caller.tenant_id) == (OID, TENANT)
    assert (found.operation, found.vault) == ("secrets/get", "kv-contoso")
    fix = found.causes[0].fix
    assert fix is not None
    assert all(OID in text for text in fix.as_json().values())


def test_an_entry_for_an_application_acting_for_a_user_is_the_first_cause() -> None:
    answer = next(one for kind, one in KINDS if kind is Kind.MISSING_POLICY and "on-behalf-of" in one.message)
    assert "application beside the user" in explain(answer.body).causes[0].cause


def test_a_code_that_two_kinds_share_is_likely_both() -> None:
    found = explain(Answer(403, "Forbidden", "Refused.", "ForbiddenByPolicy").body)
    assert (found.kind, found.confidence, found.also) == (Kind.MISSING_POLICY, Confidence.LIKELY, (Kind.AZURE_POLICY,))


def test_no_role_is_proposed_for_the_management_plane_of_key_vault_itself() -> None:
    text = rbac().message.replace("Caller: appid", "Caller: name=KeyVault/ManagementPlane;appid")
    found = explain(Answer(400, "ForbiddenByRbac", text).body)
    assert (found.kind, found.caller.name) == (Kind.MISSING_ROLE, "KeyVault/ManagementPlane")
    assert all(cause.fix is None for cause in found.causes)


HOST = "kv-contoso.vault.azure.net"
UNKNOWN_HOSTS = [
    f"azure.core.exceptions.ServiceRequestError: <urllib3.connection.HTTPSConnection object at 0x7f>: Failed to resolve '{HOST}' ([Errno -2] Name or service not known)",
    f"System.AggregateException: Retry failed after 4 tries. (No such host is known. ({HOST}:443))",
    f"java.net.UnknownHostException: Failed to resolve '{HOST}' [A(1)] after 2 queries",
    f"RestError: getaddrinfo ENOTFOUND {HOST} {{\n  code: 'REQUEST_SEND_ERROR' }}",
    f'Get "https://{HOST}/secrets/db/": dial tcp: lookup {HOST}: no such host',
]


@pytest.mark.parametrize("text", UNKNOWN_HOSTS, ids=["python", "dotnet", "java", "javascript", "go"])
def test_a_vault_that_is_not_there(text: str) -> None:
    found = explain(text)
    assert (found.kind, found.confidence, found.vault) == (Kind.VAULT_NOT_FOUND, Confidence.LIKELY, "kv-contoso")


CHALLENGE = f'WWW-Authenticate: Bearer authorization="https://login.microsoftonline.com/{TENANT}", error="insufficient_claims", claims="eyJhY2Nlc3MiOnt9fQ=="'
IDENTITIES = [
    ("DefaultAzureCredential failed to retrieve a token from the included credentials.", Kind.WRONG_IDENTITY),
    ("azure.identity.CredentialUnavailableError: ManagedIdentityCredential authentication unavailable.", Kind.WRONG_IDENTITY),
    ("AADSTS700016: Application with identifier '3' was not found in the directory 'Contoso'.", Kind.WRONG_IDENTITY),
    ("AADSTS50076: Due to a configuration change made by your administrator, you must use multi-factor authentication.", Kind.CLAIMS_CHALLENGE),
    ("AADSTS53003: Access has been blocked by Conditional Access policies.", Kind.CLAIMS_CHALLENGE),
    (CHALLENGE, Kind.CLAIMS_CHALLENGE),
    ("AADSTS700082: The refresh token has expired due to inactivity.", Kind.STALE_TOKEN),
    ("AADSTS90002: Tenant 'contoso' not found.", Kind.TENANT),
    ("SecurityTokenExpiredException: IDX10223: Lifetime validation failed.", Kind.STALE_TOKEN),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), IDENTITIES)
def test_errors_of_signing_in(text: str, kind: Kind) -> None:
    assert (explain(text).kind, explain(text).confidence) == (kind, Confidence.CERTAIN)


BESIDE = [
    ("INFO cached token has expired, asking for a new one\n", Kind.STALE_TOKEN),
    ("WARN 429 Too Many Requests, will retry in 1 s\n", Kind.THROTTLED),
    ("DEBUG ManagedIdentity: identity not found, trying the next\n", Kind.WRONG_IDENTITY),
    (FORMS["python"](FIREWALL) + "\n", Kind.FIREWALL),
]


@pytest.mark.parametrize(("before", "other"), BESIDE)
@pytest.mark.parametrize("answer", [rbac(), POLICY], ids=["role", "policy"])
def test_two_kinds_in_one_text_are_both_told_and_nothing_is_certain(before: str, other: Kind, answer: Answer) -> None:
    alone = explain(answer.body).kind
    found = explain(before + FORMS["python"](answer))
    assert found.confidence is Confidence.LIKELY
    assert {found.kind, *found.also} == {alone, other}
    assert other is Kind.FIREWALL or found.kind is alone
    assert found.status in (403, None)
    told = [item for item in found.causes if item.beside]
    assert len(told) == 1
    assert found.also[0].value.replace("_", " ") in told[0].because


@pytest.mark.parametrize(("words", "kind"), BESIDE[:3])
def test_words_that_others_write_too_are_likely_at_most(words: str, kind: Kind) -> None:
    assert (explain(words).kind, explain(words).confidence) == (kind, Confidence.LIKELY)


def table(rows: list[dict[str, str]], delimiter: str) -> str:
    """As Log Analytics exports it: CSV with a byte order mark, and times of which the column names the zone."""
    out = io.StringIO()
    names = ["TimeGenerated [UTC]", *dict.fromkeys(name for row in rows for name in row)]
    writer = csv.DictWriter(out, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows({"TimeGenerated [UTC]": "11/24/2026, 8:00:00.000 AM", **row} for row in rows)
    return "\ufeff" + out.getvalue()


@pytest.mark.parametrize("kind", [Kind.MISSING_ROLE, Kind.MISSING_POLICY])
def test_the_last_record_that_failed_is_told(kind: Kind) -> None:
    is_rbac = kind is Kind.MISSING_ROLE
    challenge = {"OperationName": "Authentication", "ResultSignature": "Unauthorized", "HttpStatusCode": "401"}
    good = {"OperationName": "SecretList", "ResultSignature": "OK", "HttpStatusCode": "200"}
    bad = {
        "OperationName": "SecretGet",
        "HttpStatusCode": "403",
        "Id": f"https://{HOST}/secrets/db",
        "Identity": json.dumps({"claim": {"http://schemas.microsoft.com/identity/claims/objectidentifier": OID}}),
        "EnableRbacAuthorization": str(is_rbac),
        "IsAddressAuthorized": "True",
        "IsRbacAuthorized": "False",
        "IsAccessPolicyMatch": "False",
        "ResultType": "Failed",
    }
    for text in (
        json.dumps([good, bad, challenge]),
        "\n".join(json.dumps(item) for item in (good, bad, good, challenge)),
        json.dumps({"records": [bad, good]}),
        table([good, bad, challenge], ","),
        table([good, bad, challenge], "\t"),
    ):
        found = explain(text)
        assert (found.kind, found.operation, found.vault, found.object) == (
            kind, "secrets/get", "kv-contoso", "secrets/db",
        )  # fmt: skip
        assert (found.status, found.caller.object_id) == (403, OID)


HOSTILE = [
    "status" + "\n" * 100_000,
    *(
        piece * (100_000 // len(piece))
        for piece in (
            "www-authenticate Bearer ", "Bearer claims=", "DenyAssignmentId:", "Assignment:", "Expected one of ", "Resource:'",
            "over scope 'x", "The client 'x", "The user, group or application 'x", "perform action 'x", "Action: A/", "role", "AccessDenied ",
            "the vault name 'x", "resource 'microsoft.keyvault/vaults/x", "secret with (name/id) x", "KeyVaultParameterReference", "Aa", "(Aa",
            "code:", "HTTP/1", "a-", "a.", "iss=https://sts.", "found https://sts.", '\\u0027', "\\\\", "Vault: a", "key vault 'a", '{"a":', "[",
            "'Microsoft.KeyVault/vaults/a", "https://a", "&quot;", "\x1b[", "│ ", "\n ", "status code ", "deploy policy ", "403 after ", "principal 0",
            '{"operationName":"x","category":"y"}\n', 'OperationName,Category,"', "/secrets/a", "A secret with (name/id) a", "Client address: a", "\u00a0", "\v",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:16]) for text in HOSTILE])
def test_a_long_hostile_text_ends(text: str) -> None:
    """Each took the square of its length with unbounded patterns; the whole run would not end."""
    explain(text)


@pytest.mark.parametrize("kind", ["role", "deploy", "403 ", "policy ", "getSecret ", "data source ", "accesspolicies "])
def test_a_short_hostile_description_ends(kind: str) -> None:
    explain((kind * 2000)[:1999])


def test_of_ten_megabytes_both_ends_are_read_and_that_is_told() -> None:
    noise = "2026-11-24 08:00:00 INFO nothing happened\n" * 120_000
    assert explain(noise + noise + POLICY.body).kind is Kind.MISSING_POLICY
    assert explain(POLICY.body + noise).kind is Kind.MISSING_POLICY
    unseen = explain(noise + POLICY.body + noise)
    assert unseen.kind is Kind.UNKNOWN
    assert "most of the text was not looked at" in unseen.causes[-1].cause


_SHORT = st.text(max_size=7)
"""Shorter than any code of a service, so that nothing can be said of it."""

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(0, 300) | _SHORT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_SHORT, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["code", "error", "message", "innererror", "operationName", "category", "properties", "httpStatusCode", "identity"]
)


@settings(max_examples=60)
@given(st.dictionaries(NAMES | _SHORT, PLAIN, max_size=6))
def test_any_json_is_borne_and_says_nothing(value: dict[str, object]) -> None:
    found = explain(json.dumps(value))
    assert (found.kind, found.confidence) == (Kind.UNKNOWN, Confidence.UNKNOWN)
    json.dumps(found.as_json())


@given(st.sampled_from(KINDS), st.integers(0, 2000), st.integers(0, 200), st.sampled_from(sorted(FORMS)))
def test_a_text_that_was_cut_is_the_same_kind_or_says_less(
    case: tuple[Kind, Answer], start: int, length: int, form: str
) -> None:
    text = FORMS[form](case[1])
    found = explain(text[:start] + text[start + length :])
    related = {case[0], Kind.UNKNOWN, Kind.MISSING_ROLE, Kind.THROTTLED}
    assert found.kind in related or found.confidence is not Confidence.CERTAIN, found
