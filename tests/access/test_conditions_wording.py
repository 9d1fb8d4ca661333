"""Conditions in words: what a person reads in an answer and in a report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.conditions import describe, parse
from kvaudit.access.conditions.wording import MAX_WORDS
from kvaudit.model.roles import builtin_roles

SECRETS = "Microsoft.KeyVault/vaults/secrets"
NAME = f"@Resource[{SECRETS}:name]"
VAULT = "@Resource[Microsoft.KeyVault/vaults:name]"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
ROLE = f"@Request[{ASSIGNMENT}:RoleDefinitionId]"
PRINCIPAL = f"@Request[{ASSIGNMENT}:PrincipalId]"
TYPE = f"@Request[{ASSIGNMENT}:PrincipalType]"
OWNER, READER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "acdd72a7338548efbd42f606fba81ae7"
ALICE, BOB = "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1", "b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2"
GET, SET = f"{SECRETS}/getSecret/action", f"{SECRETS}/setSecret/action"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{NAME} StringEquals 'db-password'", "only for secrets whose name is 'db-password'"),
        (f"{NAME} StringNotEqualsIgnoreCase 'db'", "only for secrets whose name is not 'db'"),
        (f"NOT ({NAME} StringEquals 'db')", "only for secrets whose name is not 'db'"),
        (f"NOT ({NAME} StringNotEquals 'db')", "only for secrets whose name is 'db'"),
        (f"@Request[{SECRETS}:name] StringStartsWith 'a-'", "only for secrets whose name starts with 'a-'"),
        (f"{VAULT} StringNotStartsWith 'a-'", "only in vaults whose name does not start with 'a-'"),
        (f"{VAULT} StringEndsWith '-a'", "only in vaults whose name ends with '-a'"),
        (f"{VAULT} StringNotEndsWith '-a'", "only in vaults whose name does not end with '-a'"),
        (f"{NAME} StringContains 'a'", "only for secrets whose name contains 'a'"),
        (f"{NAME} StringNotContains 'a'", "only for secrets whose name does not contain 'a'"),
        (f"{NAME} StringLike 'a*'", "only for secrets whose name matches 'a*'"),
        (f"{NAME} StringNotLike 'a*'", "only for secrets whose name does not match 'a*'"),
        (f"{NAME} ForAnyOfAnyValues:StringEquals {{'a', 'b', 'c'}}", "only for secrets whose name is 'a', 'b' or 'c'"),
        (
            f"NOT ({NAME} ForAnyOfAnyValues:StringEquals {{'a', 'b'}})",
            "only for secrets whose name is not 'a' and not 'b'",
        ),
        (
            f"{NAME} ForAnyOfAllValues:StringNotEquals {{'a', 'b'}}",
            "only for secrets whose name is not 'a' and not 'b'",
        ),
        # several values that have more than one reading keep their text
        (
            f"{NAME} ForAnyOfAnyValues:StringNotEquals {{'a', 'b'}}",
            f"only where {NAME} ForAnyOfAnyValues:StringNotEquals {{'a', 'b'}}",
        ),
        (f"{NAME} StringEquals {{'a', 'b'}}", f"only where {NAME} StringEquals {{'a', 'b'}}"),
        (
            f"NOT ({NAME} ForAnyOfAllValues:StringNotEquals {{'a', 'b'}})",
            f"only where not ({NAME} ForAnyOfAllValues:StringNotEquals {{'a', 'b'}})",
        ),
        (
            f"{NAME} StringStartsWith 'a' OR {NAME} StringStartsWith 'b'",
            "only for secrets whose name starts with 'a' or for secrets whose name starts with 'b'",
        ),
        (
            f"{VAULT} StringEquals 'a' AND {NAME} StringEquals 'b'",
            "only in vaults whose name is 'a'; only for secrets whose name is 'b'",
        ),
        (
            f"NOT ({VAULT} StringEquals 'a' AND ({NAME} StringEquals 'b' OR {NAME} StringEquals 'c'))",
            (
                "only in vaults whose name is not 'a' or "
                "(for secrets whose name is not 'b' and for secrets whose name is not 'c')"
            ),
        ),
        (
            "1 x 1 AND 2 y 2 OR 3 z 3",
            "only where 1 x 1 and where 2 y 2 or where 3 z 3 (the condition does not say which goes first)",
        ),
        (
            f"!(ActionMatches{{'{GET}'}}) OR {NAME} StringEquals 'a'",
            "for secrets/getSecret/action: only for secrets whose name is 'a'",
        ),
        (
            (
                f"((!(ActionMatches{{'{GET}'}}) AND !(ActionMatches{{'{SET}'}})) OR "
                f"({VAULT} StringEquals 'a' AND {NAME} StringEquals 'b'))"
            ),
            (
                "for secrets/getSecret/action and secrets/setSecret/action: only in vaults whose name is 'a' and "
                "for secrets whose name is 'b'"
            ),
        ),
        (f"ActionMatches{{'{GET}'}}", "only for the action secrets/getSecret/action"),
        (f"!(ActionMatches{{'{GET}'}})", "only for actions other than secrets/getSecret/action"),
        ("SubOperationMatches{'Blob.List'}", "only where SubOperationMatches{'Blob.List'}"),
        ("NOT SubOperationMatches{'Blob.List'}", "only where not (SubOperationMatches{'Blob.List'})"),
        ("Exists @Environment[UtcNow]", "only where @Environment[UtcNow] exists"),
        ("NOT Exists @Environment[UtcNow]", "only where @Environment[UtcNow] does not exist"),
        (f"{VAULT} StringEquals {NAME}", f"only where {VAULT} StringEquals {NAME}"),
        (f"{NAME} Frobnicates 'a'", f"only where {NAME} Frobnicates 'a'"),
        (f"{NAME} NumericLessThan 3", f"only where {NAME} NumericLessThan 3"),
        (f"{ROLE} GuidEquals {OWNER}", "only for the role Owner"),
        (f"{ROLE} GuidEquals {ALICE}", f"only for the role {ALICE}"),
        (f"{ROLE} ForAnyOfAnyValues:GuidEquals {{{OWNER}, {READER}}}", "only for the roles Owner or Reader"),
        (
            f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{OWNER}, {READER}}}",
            "only for roles other than Owner and Reader",
        ),
        (f"{PRINCIPAL} GuidEquals {ALICE}", f"only for the principal {ALICE}"),
        (f"{PRINCIPAL} GuidNotEquals {ALICE}", f"only for principals other than {ALICE}"),
        (
            f"{TYPE} ForAnyOfAnyValues:StringEqualsIgnoreCase {{'User', 'Group'}}",
            "only for principals of type User or Group",
        ),
        (f"{TYPE} StringNotEqualsIgnoreCase 'Group'", "only for principals not of type Group"),
        (f"{ROLE} GuidEquals admin", "only for the role admin"),
        (f"{NAME} ForAllOfAllValues:StringEquals {{}}", f"only where {NAME} ForAllOfAllValues:StringEquals {{}}"),
        ("@Resource[HasObotoken] boolequals true", "only where @Resource[HasObotoken] boolequals true"),
        (f"{NAME} GuidEquals {ALICE}", f"only where {NAME} GuidEquals {ALICE}"),
        (f"{TYPE} GuidEquals {ALICE}", f"only where {TYPE} GuidEquals {ALICE}"),
        (
            "@Resource[",
            "a condition that could not be read (line 1, column 1: an attribute is written @Source[name]): @Resource[",
        ),
    ],
)
def test_words(text: str, words: str) -> None:
    assert describe(parse(text)) == words


def test_long_lists_are_counted() -> None:
    names = ", ".join(f"'s{number}'" for number in range(25))
    assert describe(parse(f"{NAME} ForAnyOfAnyValues:StringEquals {{{names}}}")).endswith("'s7', 's8' or 16 more")


def test_the_delegation_of_key_vault_data_access_administrator_names_its_roles() -> None:
    block = builtin_roles()["8b54135c-b56d-4d72-a534-26097cfdc8d8"].permissions[0]
    words = describe(parse(block.condition or ""))
    assert words.startswith("for roleAssignments/write: only for the roles Key Vault Administrator, Key Vault ")
    assert "; for roleAssignments/delete: only for the roles Key Vault Administrator, " in words


@given(
    st.text(max_size=60).map(lambda part: part * 150) | st.text(max_size=60).map(lambda part: f"{NAME} x '{part * 50}'")
)
def test_hostile_text_is_bounded_and_printable(text: str) -> None:
    words = describe(parse(text))
    assert words.isprintable()
    assert len(words) <= 6 * MAX_WORDS  # an invisible character is spelled with six


def test_a_condition_of_many_parts_falls_back_to_its_text() -> None:
    text = " OR ".join(f"{NAME} StringEquals 's{number}'" for number in range(80))
    assert describe(parse(text)) == f"only where {text[:299]}…"
