"""What conditions decide: a table for every published rule and every open point."""

import pytest

from kvaudit.access.conditions import (
    Question,
    Verdict,
    admits_assignment,
    depends_on_secret,
    depends_on_vault,
    evaluate,
    evaluate_operation,
    parse,
)
from kvaudit.access.conditions.evaluation import (
    ABSENT_NEGATED,
    AMBIGUOUS,
    LETTER_CASE,
    SEVERAL_VALUES,
)
from kvaudit.access.conditions.operators import Relation, compare
from kvaudit.access.conditions.tree import Condition
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef

YES, NO, OPEN = Verdict.TRUE, Verdict.FALSE, Verdict.UNDETERMINED

SECRETS = "Microsoft.KeyVault/vaults/secrets"
GET, SET, LIST = f"{SECRETS}/getSecret/action", f"{SECRETS}/setSecret/action", f"{SECRETS}/readMetadata/action"
NAME = f"@Resource[{SECRETS}:name]"
VAULT = "@Resource[Microsoft.KeyVault/vaults:name]"
ROLE = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
GUID = "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1"
OTHER_GUID = "b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2"
T, F, U = "1 NumericEquals 1", "1 NumericEquals 2", "@Environment[UtcNow] BoolEquals true"

ON_SECRET = Question(GET, "kv-contoso", "db-password")
ON_VAULT = Question(GET, "kv-contoso")
ON_LIST = Question(LIST, "kv-contoso", collection=True)


def verdict(text: str, question: Question = ON_SECRET, *, denies: bool = False) -> Verdict:
    condition = parse(text)
    assert isinstance(condition, Condition), condition
    outcome = evaluate(condition, question, denies=denies)
    assert bool(outcome.reasons) is (outcome.verdict is OPEN)
    return outcome.verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'abc' StringEquals 'abc'", YES),
        ("'abc' StringEquals 'ABC'", NO),
        ("'abc' stringequals 'abc'", YES),
        ("'abc' StringEqualsIgnoreCase 'ABC'", YES),
        ("'abc' StringNotEquals 'abc'", NO),
        ("'abc' StringNotEqualsIgnoreCase 'ABC'", NO),
        ("'abc' StringStartsWith 'ab'", YES),
        ("'abc' StringStartsWith 'bc'", NO),
        ("'abc' StringStartsWithIgnoreCase 'AB'", YES),
        ("'abc' StringNotStartsWith 'ab'", NO),
        ("'abc' StringNotStartsWithIgnoreCase 'B'", YES),
        ("'abc' StringEndsWith 'bc'", YES),
        ("'abc' StringEndsWith 'ab'", NO),
        ("'abc' StringNotEndsWith 'bc'", NO),
        ("'abc' StringContains 'b'", YES),
        ("'abc' StringContains 'd'", NO),
        ("'abc' StringNotContains 'd'", YES),
        ("'abc' StringEndsWithIgnoreCase 'BC'", OPEN),
        ("'abc' StringLike 'a*'", YES),
        ("'abc' StringLike '*abc*'", YES),
        ("'abc' StringLike 'a?c'", YES),
        ("'abc' StringLike 'a?'", NO),
        ("'abc' StringLike '?abc'", NO),
        ("'abc' StringNotLike 'a*'", NO),
        ("'abc' StringLikeIgnoreCase 'A*'", YES),
        ("'abc' StringNotLikeIgnoreCase 'B*'", YES),
        ("'a' StringLikeIgnoreCase 'A*'", YES),
        ("'abc' StringLike 'x*'", NO),
        (r"'a*c' StringLike 'a\*c'", YES),
        (r"'abc' StringLike 'a\*c'", NO),
        (r"'a?c' StringLike 'a\?c'", YES),
        (r"'abc' StringLike 'a\?c'", NO),
        (r"'abc' StringLike 'a\bc'", OPEN),
        (r"'abc' StringEquals 'a\bc'", NO),
        ("'K' StringEqualsIgnoreCase '\u212a'", OPEN),
        ("'K' StringEqualsIgnoreCase 'k'", YES),
        ("3 NumericEquals 3", YES),
        ("3 NumericNotEquals 3", NO),
        ("-3 NumericLessThan 3", YES),
        ("3 NumericLessThan 3", NO),
        ("3 NumericLessThanEquals 3", YES),
        ("4 NumericLessThanEquals 3", NO),
        ("10 NumericGreaterThan 9", YES),
        ("3 NumericGreaterThan 3", NO),
        ("3 NumericGreaterThanEquals 3", YES),
        ("2 NumericGreaterThanEquals 3", NO),
        ("3 NumericNotLessThan 3", OPEN),
        ("3.5 NumericEquals 3.5", OPEN),
        ("'3' NumericEquals 3", OPEN),
        ("1" * 19 + " NumericEquals " + "1" * 19, OPEN),
        ("true BoolEquals TRUE", YES),
        ("true boolnotequals true", NO),
        ("true BoolEquals false", NO),
        ("'true' BoolEquals true", OPEN),
        ("'2026-06-01T00:00:00.0Z' DateTimeEquals '2026-06-01T00:00:00Z'", YES),
        ("'2026-06-01T00:00:00.05Z' DateTimeLessThan '2026-06-01T00:00:00.5Z'", YES),
        ("'2026-06-01T00:00:00Z' DateTimeNotEquals '2026-06-01T00:00:00Z'", NO),
        ("'2026-06-01T00:00:00Z' DateTimeGreaterThanEquals '2026-05-31T23:59:59.9999999Z'", YES),
        ("'2026-06-01' DateTimeEquals '2026-06-01'", OPEN),
        (f"{GUID} GuidEquals {GUID.upper()}", YES),
        (f"{GUID} GuidEquals {GUID.replace('-', '')}", YES),
        (f"'{GUID}' GuidEquals {GUID}", YES),
        (f"{GUID} GuidNotEquals {OTHER_GUID}", YES),
        (f"{GUID} GuidEquals {GUID[:-1]}", OPEN),
        ("abc StringEquals 'abc'", OPEN),
        ("'abc' LIKE 'abc'", OPEN),
        ("'abc' ForAnyOfAnyValues:StringStartsWith 'abc'", OPEN),
        ("true ForAnyOfAnyValues:BoolEquals true", OPEN),
        ("'abc' ForSomeValues:StringEquals 'abc'", OPEN),
        ("'abc' :StringEquals 'abc'", OPEN),
        ("'abc' StringEquals {'abc'}", YES),
        ("'abc' StringEquals {'abc', 'abd'}", OPEN),
        ("'abc' StringEquals {'x', 'y'}", NO),
        ("'abc' ForAnyOfAnyValues:StringEquals 'abc'", YES),
        ("{1, 5} ForAnyOfAnyValues:NumericGreaterThan {4, 9}", YES),
        ("{1, 5} ForAllOfAnyValues:NumericGreaterThan {4, 9}", NO),
        ("{1, 5} ForAnyOfAllValues:NumericGreaterThan {4, 9}", NO),
        ("{5, 10} ForAnyOfAllValues:NumericGreaterThan {4, 9}", YES),
        ("{5, 10} ForAllOfAllValues:NumericGreaterThan {4, 9}", NO),
        ("'a' ForAnyOfAllValues:StringNotEquals {'a', 'b'}", NO),
        ("'c' ForAnyOfAllValues:StringNotEquals {'a', 'b'}", YES),
        ("'a' ForAnyOfAnyValues:StringNotEquals {'a', 'b'}", OPEN),
        ("'c' ForAnyOfAnyValues:StringNotEquals {'a', 'b'}", YES),
        ("'a' ForAnyOfAnyValues:StringNotEquals {'a'}", NO),
        ("'a' ForAllOfAnyValues:StringNotEquals {'a', 'b'}", OPEN),
        ("{} ForAnyOfAnyValues:StringEquals {'a'}", OPEN),
        ("{} ForAllOfAnyValues:StringEquals {'a'}", OPEN),
        ("'a' ForAnyOfAllValues:StringEquals {}", OPEN),
    ],
)
def test_operators(text: str, expected: Verdict) -> None:
    assert verdict(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"ActionMatches{{'{GET}'}}", YES),
        (f"actionmatches{{'{GET.upper()}'}}", YES),
        (f"ActionMatches{{'{SET}'}}", NO),
        (f"NOT ActionMatches{{'{SET}'}}", YES),
        ("ActionMatches{'*'}", YES),
        ("ActionMatches{'Microsoft.KeyVault/*/getSecret/*'}", YES),
        ("ActionMatches{'Microsoft.KeyVault/vaults/secret?/getSecret/action'}", NO),
        ("ActionMatches{'Microsoft.KeyVault/vaults/*/secrets/getSecret/action'}", OPEN),
        ("ActionMatches{'Microsoft.Storage/*/read'}", NO),
        ("ActionMatches{'*', '*'}", OPEN),
        ("ActionMatches{}", OPEN),
        ("ActionMatches{abc}", OPEN),
        ("SubOperationMatches{'x'}", OPEN),
        ("NOT SubOperationMatches{'x'}", OPEN),
        ("Frobnicates{'x'}", OPEN),
    ],
)
def test_functions(text: str, expected: Verdict) -> None:
    assert verdict(text) is expected


@pytest.mark.parametrize(
    ("text", "secret", "vault", "listing"),
    [
        # positive tests fail on the absent attribute; what a negation gives there is not published
        (f"{NAME} StringEquals 'db-password'", YES, OPEN, NO),
        (f"NOT ({NAME} StringEquals 'other')", YES, OPEN, OPEN),
        (f"NOT (NOT ({NAME} StringEquals 'db-password'))", YES, OPEN, NO),
        (f"{NAME} StringNotEquals 'other'", YES, OPEN, OPEN),
        (f"NOT ({NAME} StringNotEquals 'db-password')", YES, OPEN, OPEN),
        (f"{NAME} ForAnyOfAnyValues:StringEquals {{'x', 'db-password'}}", YES, OPEN, NO),
        (f"{NAME} ForAllOfAnyValues:StringEquals {{'x', 'db-password'}}", YES, OPEN, OPEN),
        (f"'db-password' StringEquals {NAME}", YES, OPEN, OPEN),
        # a test that is there decides, whatever the absent one would give
        (f"{NAME} StringEquals 'x' OR {VAULT} StringEquals 'kv-contoso'", YES, YES, YES),
        (f"{NAME} StringNotEquals 'x' AND {VAULT} StringEquals 'kv-other'", NO, NO, NO),
        # Exists is published for either answer
        (f"Exists {NAME}", YES, YES, NO),
        (f"NOT Exists {NAME}", NO, NO, YES),
        (f"Exists {VAULT}", YES, YES, YES),
        ("Exists @Environment[UtcNow]", OPEN, OPEN, OPEN),
        # the name in the request is published for setSecret and restore
        (f"@Request[{SECRETS}:name] StringEquals 'db-password'", OPEN, OPEN, OPEN),
        (f"@Principal[{SECRETS}:name] StringEquals 'db-password'", OPEN, OPEN, OPEN),
        (f"@Resource[{SECRETS}:tags] StringEquals 'db-password'", OPEN, OPEN, OPEN),
        (f"@resource[{SECRETS.lower()}:NAME] StringEquals 'db-password'", YES, OPEN, NO),
        (f"{NAME} GuidEquals {GUID}", OPEN, OPEN, OPEN),
        (f"{VAULT} StringEquals 'kv-contoso'", YES, YES, YES),
        (f"{VAULT} StringEquals {NAME}", NO, OPEN, OPEN),
    ],
)
def test_attributes_of_key_vault(text: str, secret: Verdict, vault: Verdict, listing: Verdict) -> None:
    assert (verdict(text), verdict(text, ON_VAULT), verdict(text, ON_LIST)) == (secret, vault, listing)


@pytest.mark.parametrize(
    ("text", "name", "grants", "denies"),
    [
        ("StringEquals 'db'", "db", YES, OPEN),
        ("StringEquals 'db'", "DB", OPEN, OPEN),
        ("StringEquals 'db'", "x", NO, NO),
        ("StringNotEquals 'db'", "db", OPEN, NO),
        ("StringNotEquals 'db'", "DB", OPEN, OPEN),
        ("StringNotEquals 'db'", "x", YES, YES),
        ("StringStartsWith 'app-'", "app-1", YES, OPEN),
        ("StringNotStartsWith 'app-'", "app-1", OPEN, NO),
        ("StringStartsWith '1-'", "1-a", YES, YES),
        ("StringNotStartsWith '1-'", "1-a", NO, NO),
        ("StringLike '*'", "db", YES, YES),
        ("StringNotLike '*'", "db", NO, NO),
        ("StringEqualsIgnoreCase 'DB'", "db", YES, YES),
        ("StringNotEqualsIgnoreCase 'DB'", "db", NO, NO),
    ],
)
def test_letter_case_of_a_name_may_be_chosen_by_the_caller(
    text: str, name: str, grants: Verdict, denies: Verdict
) -> None:
    question = Question(GET, "kv-contoso", name)
    assert verdict(f"{NAME} {text}", question) is grants
    assert verdict(f"{NAME} {text}", question, denies=True) is denies


@pytest.mark.parametrize(
    ("text", "question", "reason"),
    [
        (f"{T} OR {F} AND {F}", ON_SECRET, AMBIGUOUS),
        (f"{NAME} StringEquals 'DB-password'", ON_SECRET, LETTER_CASE),
        (f"{NAME} StringNotEquals 'x'", ON_LIST, ABSENT_NEGATED),
        ("'a' ForAnyOfAnyValues:StringNotEquals {'a', 'b'}", ON_SECRET, SEVERAL_VALUES),
        (f"{NAME} StringEquals 'x'", ON_VAULT, "it holds for secrets whose name is 'x'"),
        (f"NOT ({NAME} StringEquals 'x')", ON_VAULT, "it holds for secrets whose name is not 'x'"),
        (f"{VAULT} StringLike 'x*'", Question(GET), "it holds in vaults whose name matches 'x*'"),
        (
            f"{NAME} StringEquals 'x' OR {VAULT} StringEquals 'y' OR {NAME} StringEquals 'x'",
            Question(GET),
            "it holds for secrets whose name is 'x'; it holds in vaults whose name is 'y'",
        ),
        (
            f"{VAULT} StringEquals 'kv-contoso'",
            Question("Microsoft.KeyVault/vaults/keys/read", "kv-contoso"),
            "attributes of Key Vault are published for data actions on secrets only",
        ),
        (
            f"{VAULT} StringEquals 'kv-contoso'",
            Question("Microsoft.KeyVault/vaults/secrets/read", "kv-contoso"),
            "attributes of Key Vault are published for data actions on secrets only",
        ),
        (
            "{" + ",".join(["1"] * 101) + "} ForAnyOfAnyValues:NumericEquals {" + ",".join(["2"] * 100) + "}",
            ON_SECRET,
            "it compares more than 10000 pairs of values",
        ),
    ],
)
def test_an_open_outcome_says_why(text: str, question: Question, reason: str) -> None:
    outcome = evaluate(parse(text), question)
    assert (outcome.verdict, outcome.reason) == (OPEN, reason)


def test_a_condition_that_cannot_be_read_is_open_and_says_where() -> None:
    outcome = evaluate(parse("@Resource[a"), ON_SECRET)
    assert outcome.verdict is OPEN
    assert "line 1, column 1" in outcome.reason
    assert evaluate(parse("@Resource[a"), ON_SECRET, denies=True) == outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ROLE} GuidEquals {GUID}", YES),
        (f"{ROLE} GuidEquals {OTHER_GUID}", NO),
        (f"{ROLE} StringEquals '{GUID}'", OPEN),
        (f"{ROLE.replace('Request', 'Resource')} GuidEquals {GUID}", OPEN),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalId] GuidEquals " + OTHER_GUID, YES),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'user'", YES),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEquals 'user'", OPEN),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEquals 'Group'", NO),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalType] GuidEquals " + GUID, OPEN),
        ("@Request[Microsoft.Authorization/roleAssignments:Description] StringEquals 'Group'", OPEN),
        (f"@Resource[HasObotoken] boolequals true && ({ROLE} GuidEquals {OTHER_GUID})", NO),
        (f"@Resource[HasObotoken] boolequals true && ({ROLE} GuidEquals {GUID})", OPEN),
        (f"{NAME} StringEquals 'x'", OPEN),
    ],
)
def test_attributes_of_an_assignment_being_written(text: str, expected: Verdict) -> None:
    assert admits_assignment(parse(text), GUID, OTHER_GUID, "User").verdict is expected


@pytest.mark.parametrize(
    ("texts", "word", "ref", "expected"),
    [
        ([], "secrets/get", None, YES),
        ([f"{NAME} StringEquals 'db'", f"{VAULT} StringEquals 'kv-contoso'"], "secrets/get", "secrets/db", YES),
        ([f"{NAME} StringEquals 'db'", f"{VAULT} StringEquals 'other'"], "secrets/get", "secrets/db", NO),
        ([f"{NAME} StringEquals 'db'"], "secrets/get", None, OPEN),
        ([f"{NAME} StringEquals 'db'"], "secrets/get", "certificates/db", YES),
        ([f"{NAME} StringEquals 'db'"], "secrets/get", "keys/db", OPEN),
        ([f"{NAME} StringEquals 'db'"], "secrets/list", None, NO),
        ([f"@Request[{SECRETS}:name] StringEquals 'db'"], "secrets/restore", None, OPEN),
        ([f"@Request[{SECRETS}:name] StringEquals 'db'"], "secrets/list", None, OPEN),
        (["(", f"{VAULT} StringEquals 'other'"], "secrets/get", None, NO),
        (["(", T], "secrets/get", None, OPEN),
    ],
)
def test_operations(texts: list[str], word: str, ref: str | None, expected: Verdict) -> None:
    reference = ObjectRef(*ref.split("/")) if ref else None
    assert evaluate_operation(texts, operation(word), "kv-contoso", reference).verdict is expected


def test_a_record_without_a_guid_is_open() -> None:
    assert admits_assignment(parse(f"{ROLE} GuidEquals {GUID}"), "not-a-guid", None, None).verdict is OPEN


def test_values_of_two_kinds_do_not_compare() -> None:
    with pytest.raises(TypeError, match="does not compare bool with str"):
        compare(Relation.LESS_THAN, True, "1")


def test_what_a_condition_depends_on() -> None:
    read = [parse(text) for text in (T, f"{VAULT} StringEquals 'a'", f"NOT (Exists {NAME} OR {T})")]
    conditions = [condition for condition in read if isinstance(condition, Condition)]
    assert [depends_on_vault(condition) for condition in conditions] == [False, True, False]
    assert [depends_on_secret(condition) for condition in conditions] == [False, False, True]
    requested = parse(f"'a' StringEquals @Request[{SECRETS}:name]")
    assert isinstance(requested, Condition)
    assert depends_on_secret(requested)
