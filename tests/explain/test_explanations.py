"""Errors explained: every kind from the services' own words, in every wrapping, and nothing from words that mean nothing."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.evaluator import Access
from kvaudit.explain import Kind, explain
from kvaudit.explain.explanation import Confidence, Explanation
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.vaults import AccessPolicy, PermissionModel, PermissionModelSource, Vault

TENANT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
OID = "22222222-2222-2222-2222-222222222222"
APP = "33333333-3333-3333-3333-333333333333"
KV = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-contoso"
RBAC = (
    "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions "
    f"were changed recently, please observe propagation time.\r\nCaller: appid={APP};oid={OID};iss=https://sts.windows.net/{TENANT}/\r\n"
    f"Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '{KV}/secrets/db'\r\nAssignment: (not found)\r\n"
    "DenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: kv-contoso;location=westeurope\r\n"
)
POLICY = (
    f"The user, group or application 'appid={APP};oid={OID};numgroups=2;iss=https://sts.windows.net/{TENANT}/' does not have "
    "secrets list permission on key vault 'kv-contoso;location=westeurope'. For help resolving this issue, please see "
    "https://go.microsoft.com/fwlink/?linkid=2125287"
)


def body(message: str, code: str = "Forbidden", inner: str | None = None) -> str:
    error = {"code": code, "message": message, **({"innererror": {"code": inner}} if inner else {})}
    return json.dumps({"error": error})


KINDS = [
    (body(RBAC, inner="ForbiddenByRbac"), Kind.MISSING_ROLE, Confidence.LIKELY),
    (body(POLICY, inner="AccessDenied"), Kind.MISSING_POLICY, Confidence.CERTAIN),
    (body(POLICY, inner="ForbiddenByPolicy"), Kind.MISSING_POLICY, Confidence.CERTAIN),
    (body(RBAC.replace("DenyAssignmentId: null", f"DenyAssignmentId: '{OID.replace('2', '9')}'"), inner="ForbiddenByRbac"), Kind.DENY_ASSIGNMENT, Confidence.CERTAIN),
    (body("Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n", inner="ForbiddenByFirewall"), Kind.FIREWALL, Confidence.CERTAIN),
    (body("Public network access is disabled and request is not from a trusted service nor via an approved private link."), Kind.PRIVATE_LINK, Confidence.CERTAIN),
    (body(f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{TENANT}/, found https://sts.windows.net/{OID}/.", "Unauthorized"), Kind.TENANT, Confidence.CERTAIN),
    (body("AKV10022: Invalid audience.", "Unauthorized"), Kind.TOKEN_AUDIENCE, Confidence.CERTAIN),
    (body("The access token expiry UTC time is earlier than current UTC time.", "ExpiredAuthenticationToken"), Kind.STALE_TOKEN, Confidence.CERTAIN),
    ('WWW-Authenticate: Bearer authorization="x", error="insufficient_claims", claims="e30="', Kind.CLAIMS_CHALLENGE, Confidence.CERTAIN),
    ("ManagedIdentityCredential authentication unavailable. Multiple user assigned identities exist", Kind.WRONG_IDENTITY, Confidence.CERTAIN),
    (body("Operation get is not allowed on a disabled secret.", inner="SecretDisabled"), Kind.OBJECT_DISABLED, Confidence.CERTAIN),
    (body("Operation decrypt is not permitted on this key.", inner="KeyOperationForbidden"), Kind.KEY_OPERATION, Confidence.CERTAIN),
    (body("Resource 'kv' was disallowed by policy.", "RequestDisallowedByPolicy"), Kind.AZURE_POLICY, Confidence.CERTAIN),
    (body("Secret db is currently in a deleted but recoverable state, and its name cannot be reused.", "Conflict", "ObjectIsDeletedButRecoverable"), Kind.SOFT_DELETED, Confidence.CERTAIN),
    (body("Secret db is currently being deleted.", "Conflict", "ObjectIsBeingDeleted"), Kind.BEING_DELETED, Confidence.CERTAIN),
    (body("The vault name 'kv-contoso' is already in use.", "VaultAlreadyExists"), Kind.NAME_TAKEN, Confidence.CERTAIN),
    (body("Request was not processed because too many requests were received.", "Throttled"), Kind.THROTTLED, Confidence.CERTAIN),
    (body("Caller is not allowed to change permission model", "InsufficientPermissions"), Kind.MODEL_CHANGE_REFUSED, Confidence.CERTAIN),
    (body(f"Principal {OID.replace('-', '')} does not exist in the directory {TENANT}.", "PrincipalNotFound"), Kind.PRINCIPAL_NOT_FOUND, Confidence.CERTAIN),
    (body("The role assignment already exists.", "RoleAssignmentExists"), Kind.ROLE_ASSIGNMENT_EXISTS, Confidence.CERTAIN),
    (body(f"The client 'anna@contoso.com' with object id '{OID}' does not have authorization to perform action 'Microsoft.KeyVault/vaults/write' over scope '{KV}'", "AuthorizationFailed"), Kind.CONTROL_PLANE_AUTHORIZATION, Confidence.CERTAIN),
    (body("The client has permission on the scope; however the linked scope is refused", "LinkedAuthorizationFailed"), Kind.LINKED_AUTHORIZATION, Confidence.CERTAIN),
    (body("The scope cannot perform delete operation because following scope(s) are locked", "ScopeLocked"), Kind.SCOPE_LOCKED, Confidence.CERTAIN),
    (body("No more role assignments can be created", "RoleAssignmentLimitExceeded"), Kind.ASSIGNMENT_LIMIT, Confidence.CERTAIN),
    (body("The specified deleted vault 'kv-contoso' does not exist.", "DeletedVaultNotFound"), Kind.VAULT_NOT_FOUND, Confidence.CERTAIN),
    ("socket.gaierror: [Errno -2] Name or service not known: kv-contoso.vault.azure.net", Kind.VAULT_NOT_FOUND, Confidence.LIKELY),
    (body("A secret with (name/id) db was not found in this key vault.", "SecretNotFound"), Kind.OBJECT_NOT_FOUND, Confidence.CERTAIN),
    (body("The deployment failed", "KeyVaultParameterReferenceSecretRetrieveFailed"), Kind.TEMPLATE_ACCESS, Confidence.CERTAIN),
    (body("The property \"enablePurgeProtection\" cannot be set to false.", "BadRequest"), Kind.BAD_REQUEST, Confidence.CERTAIN),
    ("our Bicep deployment wiped the access policies that the portal had added", Kind.POLICIES_REPLACED, Confidence.LIKELY),
    (body("AKV10000: Request is missing a Bearer or PoP token.", "Unauthorized"), Kind.UNKNOWN, Confidence.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "confidence"), KINDS, ids=[f"{kind}-{number}" for number, (_, kind, _) in enumerate(KINDS)]
)
def test_the_kind_of_an_error(text: str, kind: Kind, confidence: Confidence) -> None:
    found = explain(text)
    assert (found.kind, found.confidence) == (kind, confidence)
    assert found.causes
    assert found.next_step


def test_every_promised_kind_is_told_somewhere() -> None:
    told = {kind for _, kind, _ in KINDS} | {Kind.CONDITION, Kind.PROPAGATION, Kind.WRONG_MODEL}
    assert told == set(Kind)


PYTHON = f"""Traceback (most recent call last):
  File "app.py", line 7, in <module>
    client.get_secret("db")
azure.core.exceptions.HttpResponseError: (Forbidden) {RBAC}
Code: Forbidden
Message: {RBAC}
Inner error: {{
    "code": "ForbiddenByRbac"
}}"""
DOTNET = f"""Azure.RequestFailedException: {RBAC}
Status: 403 (Forbidden)
ErrorCode: Forbidden

Content:
{body(RBAC, inner="ForbiddenByRbac")}"""
JAVA = f'com.azure.core.exception.HttpResponseException: Status code 403, "{body(RBAC, inner="ForbiddenByRbac")}"'
GO = f"GET https://kv-contoso.vault.azure.net/secrets/db/\n----\nRESPONSE 403: 403 Forbidden\nERROR CODE: Forbidden\n----\n{body(RBAC, inner='ForbiddenByRbac')}"
AZ = f'(Forbidden) {RBAC}\nCode: Forbidden\nMessage: {RBAC}\nInner error: {{\n    "code": "ForbiddenByRbac"\n}}'
TERRAFORM = (
    '╷\n│ Error: checking for presence of existing Secret "db" (Key Vault "https://kv-contoso.vault.azure.net/"): keyvault.BaseClient#GetSecret: Failure responding to request: StatusCode=403 -- Original Error: autorest/azure: Service returned an error. Status=403 Code="Forbidden" Message='
    + json.dumps(RBAC)
    + ' InnerError={"code":"ForbiddenByRbac"}\n│ \n╵'
)


@pytest.mark.parametrize(
    "text", [PYTHON, DOTNET, JAVA, GO, AZ, TERRAFORM, json.dumps({"log": body(RBAC, inner="ForbiddenByRbac")})]
)
def test_the_wrapping_does_not_matter(text: str) -> None:
    found = explain(text)
    assert found.kind is Kind.MISSING_ROLE
    assert found.operation == "secrets/get"
    assert found.vault == "kv-contoso"
    assert found.object == "secrets/db"
    assert found.caller.object_id == OID
    assert found.causes[0].fix
    assert "4633458b-17de-408a-b874-0445c86b69e6" in found.causes[0].fix.az
    assert f"{KV}" in found.causes[0].fix.terraform


def test_a_policy_is_proposed_in_three_tongues_and_says_what_it_replaces() -> None:
    fix = explain(body(POLICY)).causes[0].fix
    assert fix
    assert "--secret-permissions list" in fix.az
    assert "'list'" in fix.bicep
    assert 'secret_permissions = ["List"]' in fix.terraform
    assert "replaces" in explain(body(POLICY)).causes[0].because


LOG = {
    "time": "2026-11-24T08:00:00Z",
    "category": "AuditEvent",
    "operationName": "SecretGet",
    "resultSignature": "Forbidden",
    "resourceId": KV.upper(),
    "properties": {"httpStatusCode": 403, "id": "https://kv-contoso.vault.azure.net/secrets/db"},
    "identity": {"claim": {"http://schemas.microsoft.com/identity/claims/objectidentifier": OID, "appid": APP}},
    "callerIpAddress": "203.0.113.7",
}


def test_a_line_of_the_audit_log() -> None:
    found = explain(
        json.dumps({**LOG, "IsAddressAuthorized": True, "IsRbacAuthorized": False, "EnableRbacAuthorization": True})
    )
    assert (found.kind, found.operation, found.status) == (Kind.MISSING_ROLE, "secrets/get", 403)
    assert found.caller.object_id == OID
    assert explain(json.dumps({**LOG, "IsAddressAuthorized": False})).kind is Kind.FIREWALL
    assert (
        explain(json.dumps({**LOG, "IsAccessPolicyMatch": "false", "EnableRbacAuthorization": False})).kind
        is Kind.MISSING_POLICY
    )
    silent = explain(json.dumps(LOG))
    assert silent.kind is Kind.UNKNOWN, "a 403 alone does not say which check refused"
    assert "not which of its checks" in silent.causes[0].cause
    challenge = {**LOG, "operationName": "Authentication", "properties": {"httpStatusCode": 401}}
    assert "carried no token" in explain(json.dumps(challenge)).causes[0].cause


def estate(
    *assignments: RoleAssignment,
    model: PermissionModel = PermissionModel.AZURE_RBAC,
    policies: tuple[AccessPolicy, ...] = (),
) -> Access:
    scope = "/subscriptions/11111111-1111-1111-1111-111111111111"
    vaults = tuple(
        Vault(
            id=KV.replace("kv-contoso", name), name=name, tenant_id=TENANT, permission_model=model,
            permission_model_source=PermissionModelSource.EXPLICIT, access_policies=policies,
        )
        for name in ("kv-contoso", "kv-other")
    )  # fmt: skip
    kinds = ("role_assignments", "deny_assignments", "role_eligibility_schedule_instances")
    return Access(
        Estate(
            tenant_id=TENANT,
            subscriptions=(Subscription(scope.rpartition("/")[2], tenant_id=TENANT),),
            hierarchy=(HierarchyNode(scope, None),),
            vaults=vaults,
            role_assignments=assignments,
            principals={OID: Principal(OID, "ServicePrincipal")},
            member_of={OID: ()},
            listings=tuple(Listing(kind, scope, 0) for kind in kinds),
        )
    )


def grant(scope: str = KV, condition: str | None = None) -> RoleAssignment:
    listed = frozenset({"/subscriptions/11111111-1111-1111-1111-111111111111"})
    return RoleAssignment(
        "/assignments/a",
        scope,
        "4633458b-17de-408a-b874-0445c86b69e6",
        OID,
        "ServicePrincipal",
        condition,
        listed_from=listed,
    )


def checked(access: Access) -> Explanation:
    return explain(body(RBAC, inner="ForbiddenByRbac"), access=access)


def test_a_snapshot_says_what_is_really_wrong() -> None:
    assert checked(estate()).kind is Kind.MISSING_ROLE
    assert checked(estate()).confidence is Confidence.CERTAIN
    assert checked(estate(grant())).kind is Kind.PROPAGATION
    elsewhere = checked(estate(grant(KV.replace("kv-contoso", "kv-other"))))
    assert elsewhere.kind is Kind.MISSING_ROLE
    assert "somewhere else" in elsewhere.causes[0].cause
    named = "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'api'"
    assert checked(estate(grant(condition=named))).kind is Kind.CONDITION
    entry = AccessPolicy(TENANT, OID, None, secrets=("get",))
    assert checked(estate(policies=(entry,))).kind is Kind.WRONG_MODEL


def test_what_the_snapshot_cannot_say_is_told() -> None:
    found = explain(body(RBAC.replace("kv-contoso", "kv-gone")), access=estate())
    assert found.kind is Kind.MISSING_ROLE
    assert any("were not asked" in cause.cause for cause in found.causes)


@given(st.text(max_size=300))
def test_any_text_is_borne_and_random_text_is_unknown(text: str) -> None:
    assert explain(text).kind is Kind.UNKNOWN


WORDS = (
    "Forbidden",
    "403",
    "vault",
    "secret",
    "code",
    "'",
    '"',
    "{",
    "}",
    "\\n",
    "\\u0027",
    "Status=",
    "oid=",
    "/vaults/",
    "denied",
    "policy",
    "role",
    "get",
    ";",
    "\n",
    "\x1b[31m",
    "DenyAssignmentId:",
    "Resource:",
)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_words_of_errors_in_any_order_are_borne(words: list[str]) -> None:
    json.dumps(explain(" ".join(words)).as_json())


def test_a_fix_from_the_records_keeps_what_the_entry_holds() -> None:
    """`az keyvault set-policy` replaces a kind's permissions: those that are there must stand in the command."""
    entry = AccessPolicy(TENANT, OID, None, secrets=("List", "set"), keys=("get",))
    policies = estate(model=PermissionModel.ACCESS_POLICIES, policies=(entry,))
    found = explain(body(POLICY.replace("secrets list", "secrets get")), access=policies)
    assert (found.kind, found.confidence) == (Kind.MISSING_POLICY, Confidence.CERTAIN)
    fix = found.causes[0].fix
    assert fix is not None
    assert fix.az.endswith("--secret-permissions List set get")
    assert "--resource-group rg" in fix.az
    assert 'secret_permissions = ["List", "Set", "Get"]' in fix.terraform
    assert "key" not in fix.az.replace("keyvault", "")


def test_without_records_the_present_permissions_are_read_first() -> None:
    fix = explain(body(POLICY)).causes[0].fix
    assert fix is not None
    warning, read, *_ = fix.az.splitlines()
    assert "REPLACES" in warning
    assert read.startswith("az keyvault show --name kv-contoso --query ")
    assert OID in read


def test_the_fix_is_in_the_model_that_the_vault_uses() -> None:
    """The error speaks of a role, the records hold an entry of the policies, the vault uses Azure RBAC; and the reverse."""
    entry = AccessPolicy(TENANT, OID, None, secrets=("get",))
    fix = checked(estate(policies=(entry,))).causes[0].fix
    assert fix is not None
    assert "az role assignment create" in fix.az
    assert f"--scope {KV}" in fix.az
    policies = estate(grant(), model=PermissionModel.ACCESS_POLICIES)
    found = explain(body(POLICY.replace("secrets list", "secrets get")), access=policies)
    assert found.kind is Kind.WRONG_MODEL
    fix = found.causes[0].fix
    assert fix is not None
    assert "--secret-permissions get" in fix.az
    assert "REPLACES" not in fix.az


def test_no_role_is_proposed_where_none_helps() -> None:
    named = "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'api'"
    for found in (
        checked(estate(grant(condition=named))),
        explain(body(RBAC.replace("DenyAssignmentId: null", f"DenyAssignmentId: '{APP}'"))),
    ):
        assert found.kind in (Kind.CONDITION, Kind.DENY_ASSIGNMENT)
        assert all(cause.fix is None for cause in found.causes)


def test_a_role_elsewhere_is_mended_at_this_vault() -> None:
    fix = checked(estate(grant(KV.replace("kv-contoso", "kv-other")))).causes[0].fix
    assert fix is not None
    assert "kv-contoso" in fix.az
    assert "kv-other" not in fix.az
    assert "--assignee-principal-type ServicePrincipal" in fix.az


def test_a_grant_through_a_group_may_be_missing_in_the_token() -> None:
    group = "55555555-5555-5555-5555-555555555555"
    access = estate(replace(grant(), principal_id=group, principal_type="Group"))
    joined = replace(
        access.estate,
        member_of={OID: (group,)},
        principals={**access.estate.principals, group: Principal(group, "Group")},
    )
    found = checked(Access(joined))
    assert (found.kind, found.confidence) == (Kind.STALE_TOKEN, Confidence.LIKELY)
    assert group in found.causes[0].because
    assert "already grant it" in found.causes[1].cause


def test_another_kind_in_the_text_stays_told_beside_what_the_records_say() -> None:
    text = "429 Too Many Requests, will retry\n" + body(RBAC, inner="ForbiddenByRbac")
    found = explain(text, access=estate())
    assert (found.kind, found.confidence, found.also) == (Kind.MISSING_ROLE, Confidence.LIKELY, (Kind.THROTTLED,))
    assert any(cause.beside for cause in found.causes)
