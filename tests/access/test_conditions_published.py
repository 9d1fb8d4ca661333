"""What Microsoft's pages say of a condition, page by page: their examples with the outcome that they state."""

import pytest

from kvaudit.access.conditions import Question, Verdict, admits_assignment, evaluate, evaluate_operation, parse
from kvaudit.model.permissions import operation
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import ObjectRef

YES, NO, OPEN = Verdict.TRUE, Verdict.FALSE, Verdict.UNDETERMINED

KEY_VAULT_DATA_ACCESS_ADMINISTRATOR = "8b54135c-b56d-4d72-a534-26097cfdc8d8"
KEY_VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
KEY_VAULT_CERTIFICATE_USER = "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba"
KEY_VAULT_CRYPTO_SERVICE_RELEASE_USER = "08bbd89e-9f13-488c-ac41-acfcb10c90ab"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
BACKUP_CONTRIBUTOR = "5e467623-bb1f-42f4-a55d-6e525e11384b"
BACKUP_READER = "a795c7a0-d4a2-40c1-ae25-d81f01202912"
MARKETING = "28c35fea-2099-4cf5-8ad9-473547bc9423"
SALES = "86951b8b-723a-407b-a74a-1bca3f0c95d0"
SOMEBODY = "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1"

# azure/key-vault/general/rbac-abac, "Condition examples".
READ_BY_PREFIX = """
(
  !(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})
  OR
  (
    @Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'test-app'
  )
)
"""
VAULT_BY_PREFIX = "@Resource[Microsoft.KeyVault/vaults:name] StringStartsWith 'kvsyn'"
CREATE_BY_PREFIX = """
(
  !(ActionMatches{'Microsoft.KeyVault/vaults/secrets/setSecret/action'})
  OR
  (
    @Request[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'app-'
  )
)
"""
VAULT_AND_SECRET = """
(
  !(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})
  OR
  (
    @Resource[Microsoft.KeyVault/vaults:name] StringStartsWith 'kv-prod'
    AND
    @Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'api-'
  )
)
"""
# azure/key-vault/general/howto-abac-conditions-cli, steps 4 and 6.
CLI_STEP_4 = (
    "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR "
    "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'test-app'))"
)
CLI_STEP_6 = (
    "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR "
    "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'test-app' OR "
    "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'api-'))"
)
METADATA_BY_PREFIX = (
    "!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/readMetadata/action'}) OR "
    "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'api-'"
)


@pytest.mark.parametrize(
    ("text", "word", "vault", "secret", "verdict"),
    [
        (READ_BY_PREFIX, "secrets/get", "kv-contoso", "test-app-secret1", YES),
        (READ_BY_PREFIX, "secrets/get", "kv-contoso", "test-db-password", NO),
        # The page says denied; which spelling reaches the condition when the caller writes another one, it does not.
        (READ_BY_PREFIX, "secrets/get", "kv-contoso", "Test-App-Secret1", OPEN),
        (READ_BY_PREFIX, "secrets/get", "kv-contoso", None, OPEN),
        (READ_BY_PREFIX, "secrets/list", "kv-contoso", None, YES),
        (READ_BY_PREFIX, "secrets/backup", "kv-contoso", "test-db-password", YES),
        (READ_BY_PREFIX, "keys/get", "kv-contoso", None, YES),
        (VAULT_BY_PREFIX, "secrets/get", "kvsynabaceuap0520", None, YES),
        (VAULT_BY_PREFIX, "secrets/list", "kvsynabaceuap0520", None, YES),
        (VAULT_BY_PREFIX, "secrets/get", "kvdenyabaceuap0520b", None, NO),
        (VAULT_BY_PREFIX, "keys/get", "kvsynabaceuap0520", None, OPEN),
        (VAULT_BY_PREFIX, "certificates/get", "kvdenyabaceuap0520b", None, OPEN),
        (CREATE_BY_PREFIX, "secrets/set", "kv-contoso", "app-one", YES),
        (CREATE_BY_PREFIX, "secrets/set", "kv-contoso", "one", NO),
        (CREATE_BY_PREFIX, "secrets/set", "kv-contoso", None, OPEN),
        (CREATE_BY_PREFIX, "secrets/get", "kv-contoso", "one", YES),
        (VAULT_AND_SECRET, "secrets/get", "kv-prod-1", "api-one", YES),
        (VAULT_AND_SECRET, "secrets/get", "kv-prod-1", "one", NO),
        (VAULT_AND_SECRET, "secrets/get", "kv-test-1", "api-one", NO),
        (VAULT_AND_SECRET, "secrets/get", "kv-test-1", None, NO),
        (VAULT_AND_SECRET, "secrets/get", "kv-prod-1", None, OPEN),
        (CLI_STEP_4, "secrets/get", "kv-contoso", "test-app-secret1", YES),
        (CLI_STEP_4, "secrets/get", "kv-contoso", "test-db-password", NO),
        (CLI_STEP_6, "secrets/get", "kv-contoso", "api-one", YES),
        (CLI_STEP_6, "secrets/get", "kv-contoso", "test-app-one", YES),
        (CLI_STEP_6, "secrets/get", "kv-contoso", "one", NO),
        # facts azure.md 2.3: the attribute is absent on collection calls, so list is refused.
        (METADATA_BY_PREFIX, "secrets/list", "kv-contoso", None, NO),
    ],
)
def test_key_vault_examples(text: str, word: str, vault: str, secret: str | None, verdict: Verdict) -> None:
    ref = ObjectRef("secrets", secret) if secret else None
    assert evaluate_operation([text], operation(word), vault, ref).verdict is verdict


@pytest.mark.parametrize(
    ("action", "source", "prefix"),
    [
        ("getSecret/action", "Resource", "test-app"),
        ("readMetadata/action", "Resource", "api-"),
        ("setSecret/action", "Request", "app-"),
        ("update/action", "Resource", "app-"),
        ("rotate/action", "Resource", "rotating-"),
        ("delete", "Resource", "temp-"),
        ("backup/action", "Resource", "critical-"),
        ("restore/action", "Request", "app-"),
        ("recover/action", "Resource", "app-"),
        ("purge/action", "Resource", "old-"),
    ],
)
def test_each_secret_action_has_its_attribute_source(action: str, source: str, prefix: str) -> None:
    # azure/key-vault/general/rbac-abac, "Azure Key Vault actions": one example for each action.
    full = f"Microsoft.KeyVault/vaults/secrets/{action}"
    other = "Request" if source == "Resource" else "Resource"
    for where, verdicts in ((source, (YES, NO, OPEN)), (other, (OPEN, OPEN, OPEN))):
        test = f"@{where}[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith '{prefix}'"
        condition = parse(f"!(ActionMatches{{'{full}'}}) OR {test}")
        questions = [Question(full, "kv-contoso", name) for name in (prefix + "x", "zzz", None)]
        assert tuple(evaluate(condition, question).verdict for question in questions) == verdicts
        assert evaluate(condition, Question("Microsoft.KeyVault/vaults/keys/read", "kv-contoso")).verdict is YES


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # azure/role-based-access-control/conditions-format, examples of operators. The page's Resource[name1] stands
        # for the value that it names.
        ("'abcd' StringLike 'a*c?'", True),
        ("'abcd' StringLike 'A*C?'", False),
        ("'abcd' StringLike 'a*c'", False),
        ("{'red', 'blue'} ForAnyOfAnyValues:StringEquals {'blue', 'green'}", True),
        ("{'red', 'blue'} ForAnyOfAnyValues:StringEquals {'orange', 'green'}", False),
        ("{'red', 'blue'} ForAllOfAnyValues:StringEquals {'orange', 'red', 'blue'}", True),
        ("{'red', 'blue'} ForAllOfAnyValues:StringEquals {'red', 'green'}", False),
        ("{10, 20} ForAnyOfAllValues:NumericLessThan {15, 18}", True),
        ("{10, 20} ForAllOfAllValues:NumericLessThan {5, 15, 18}", False),
        ("{10, 20} ForAllOfAllValues:NumericLessThan {25, 30}", True),
        ("{10, 20} ForAllOfAllValues:NumericLessThan {15, 25, 30}", False),
        ("ActionMatches{'Microsoft.Authorization/roleAssignments/*'}", True),
        ("ActionMatches{'Microsoft.Authorization/roleDefinitions/*'}", False),
    ],
)
def test_examples_of_operators(text: str, value: bool) -> None:
    question = Question("Microsoft.Authorization/roleAssignments/write")
    assert evaluate(parse(text), question).verdict is (YES if value else NO)
    assert evaluate(parse(f"NOT ({text})"), question).verdict is (NO if value else YES)


@pytest.mark.parametrize(
    "text",
    [
        "a AND b OR c",  # "the evaluation order is ambiguous"
        (
            "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:versionId] DateTimeEquals "
            "'2022-06-01T00:00:00.0Z' OR NOT Exists "
            "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:versionId]"
        ),
        "@Resource[Microsoft.Storage/storageAccounts:isHnsEnabled] BoolEquals true",
        (
            "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags:Project<$key_case_sensitive$>] "
            "StringEqualsIgnoreCase 'Cascade'"
        ),
        (
            "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags&$keys$&] "
            "ForAllOfAnyValues:StringEquals {'Project', 'Program'}"
        ),
        "@Environment[UtcNow] DateTimeGreaterThan '2026-06-01T00:00:00.0Z'",
        "@Environment[isPrivateLink] BoolEquals true",
        "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project] StringEquals 'Baker'",
        (
            "@Resource[Microsoft.KeyVault/vaults:name] StringEquals "
            "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]"
        ),
        "@Request[subOperation] ForAnyOfAnyValues:StringEqualsIgnoreCase {'Blob.List'}",
        "SubOperationMatches{'Blob.List'}",
    ],
)
def test_what_is_published_for_others_than_key_vault_is_undetermined(text: str) -> None:
    question = Question("Microsoft.KeyVault/vaults/secrets/getSecret/action", "kv-contoso", "db-password")
    outcome = evaluate(parse(text), question)
    assert outcome.verdict is OPEN
    assert outcome.reason


def test_a_storage_guard_lets_key_vault_actions_through() -> None:
    # azure/role-based-access-control/conditions-troubleshoot: the Read a blob action without Blob.List.
    text = (
        "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'} AND NOT "
        "SubOperationMatches{'Blob.List'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/"
        "blobs/tags:Project<$key_case_sensitive$>] StringEquals 'Cascade'))"
    )
    assert evaluate_operation([text], operation("secrets/get"), "kv-contoso", None).verdict is YES


def delegation(write: str, delete: str) -> str:
    return (
        f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR ({write})) AND "
        f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/delete'}})) OR ({delete}))"
    )


ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
BACKUP_ROLES = f"ForAnyOfAnyValues:GuidEquals {{{BACKUP_CONTRIBUTOR}, {BACKUP_READER}}}"
PRIVILEGED = f"{{{OWNER}, {RBAC_ADMINISTRATOR}, {USER_ACCESS_ADMINISTRATOR}}}"
# azure/role-based-access-control/delegate-role-assignments-examples.
CONSTRAIN_TYPES = delegation(
    *(
        f"@{source}[{ASSIGNMENT}:RoleDefinitionId] {BACKUP_ROLES} AND "
        f"@{source}[{ASSIGNMENT}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'User', 'Group'}}"
        for source in ("Request", "Resource")
    )
)
CONSTRAIN_GROUPS = delegation(
    *(
        f"@{source}[{ASSIGNMENT}:RoleDefinitionId] {BACKUP_ROLES} AND "
        f"@{source}[{ASSIGNMENT}:PrincipalId] ForAnyOfAnyValues:GuidEquals {{{MARKETING}, {SALES}}}"
        for source in ("Request", "Resource")
    )
)
ALL_BUT_PRIVILEGED_2023 = delegation(
    *(
        f"@{source}[{ASSIGNMENT}:RoleDefinitionId] ForAnyOfAnyValues:GuidNotEquals {PRIVILEGED}"
        for source in ("Request", "Resource")
    )
)
ALL_BUT_PRIVILEGED = delegation(
    *(
        f"@{source}[{ASSIGNMENT}:RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {PRIVILEGED}"
        for source in ("Request", "Resource")
    )
)


@pytest.mark.parametrize(
    ("text", "role", "principal", "principal_type", "verdict"),
    [
        (CONSTRAIN_TYPES, BACKUP_READER, SOMEBODY, "User", YES),
        (CONSTRAIN_TYPES, BACKUP_READER, SOMEBODY, "ServicePrincipal", NO),
        (CONSTRAIN_TYPES, BACKUP_READER, SOMEBODY, None, OPEN),
        (CONSTRAIN_TYPES, OWNER, SOMEBODY, None, NO),
        (CONSTRAIN_TYPES, BACKUP_READER, SOMEBODY, "ForeignGroup", OPEN),
        (CONSTRAIN_GROUPS, BACKUP_CONTRIBUTOR, SALES, "Group", YES),
        (CONSTRAIN_GROUPS, BACKUP_CONTRIBUTOR, SOMEBODY, "Group", NO),
        (CONSTRAIN_GROUPS, BACKUP_CONTRIBUTOR, None, None, OPEN),
        (CONSTRAIN_GROUPS, OWNER, SALES, "Group", NO),
        (ALL_BUT_PRIVILEGED, OWNER, SOMEBODY, "User", NO),
        (ALL_BUT_PRIVILEGED, KEY_VAULT_ADMINISTRATOR, SOMEBODY, "User", YES),
        # The page meant "none of these", the definition of ForAnyOfAnyValues makes it true of every role.
        (ALL_BUT_PRIVILEGED_2023, OWNER, SOMEBODY, "User", OPEN),
        (ALL_BUT_PRIVILEGED_2023, KEY_VAULT_ADMINISTRATOR, SOMEBODY, "User", YES),
    ],
)
def test_delegation_examples(
    text: str, role: str, principal: str | None, principal_type: str | None, verdict: Verdict
) -> None:
    assert admits_assignment(parse(text), role, principal, principal_type).verdict is verdict


@pytest.mark.parametrize(
    ("role", "verdict"),
    [
        (KEY_VAULT_ADMINISTRATOR, YES),
        (KEY_VAULT_ADMINISTRATOR.upper(), YES),
        (KEY_VAULT_CERTIFICATE_USER, NO),
        (KEY_VAULT_CRYPTO_SERVICE_RELEASE_USER, NO),
        (OWNER, NO),
        (USER_ACCESS_ADMINISTRATOR, NO),
        (None, OPEN),
    ],
)
def test_key_vault_data_access_administrator_reaches_key_vault_administrator(
    role: str | None, verdict: Verdict
) -> None:
    # facts azure.md 4 and 8, E5: it may assign exactly eight roles, Key Vault Administrator among them.
    blocks = builtin_roles()[KEY_VAULT_DATA_ACCESS_ADMINISTRATOR].permissions
    texts = [block.condition for block in blocks if block.condition]
    assert len(texts) == 1
    assert admits_assignment(parse(texts[0]), role, SOMEBODY, "User").verdict is verdict
    delete = "Microsoft.Authorization/roleAssignments/delete"
    assert admits_assignment(parse(texts[0]), role, SOMEBODY, "User", action=delete).verdict is verdict


def test_key_vault_data_access_administrator_admits_eight_roles() -> None:
    condition = parse(builtin_roles()[KEY_VAULT_DATA_ACCESS_ADMINISTRATOR].permissions[0].condition or "")
    verdicts = {role: admits_assignment(condition, role, SOMEBODY, "User").verdict for role in builtin_roles()}
    assert sum(verdict is YES for verdict in verdicts.values()) == 8
    assert set(verdicts.values()) == {YES, NO}
