"""The lab's reader of conditions: true, false, and None where nothing published says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.lab.conditions import Asked, truth
from kvaudit.lab.estate_file import builtin_role_definitions

ASKED = Asked(
    "Microsoft.KeyVault/vaults/secrets/getSecret/action", {"@resource[a:name]": "Db-1", "@request[b:id]": "x"}
)
T, F = "@Resource[A:name] StringEquals 'Db-1'", "@Resource[a:name] StringEquals 'db-1'"
GONE = "@Resource[a:gone] StringEquals 'x'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (T, True),
        (F, False),
        (GONE, None),
        (f"!({GONE})", None),
        ("@Resource[a:gone] StringNotEquals 'x'", None),
        (f"{T} AND {F}", False),
        (f"{T} && {F} OR {T}", True),
        (f"{T} OR {T} AND {F}", None),  # the two readings differ, and no precedence is published
        (f"{T} OR ({T} AND {F})", True),
        (f"({T} OR {T}) AND {F}", False),
        (f"{F} AND {GONE}", False),
        (f"{T} || {GONE}", True),
        (f"NOT {F}", True),
        ("@Resource[a:name] StringEqualsIgnoreCase 'db-1'", True),
        ("@Resource[a:name] StringIgnoreCaseEquals 'db-1'", True),
        ("@Resource[a:name] StringNotEquals 'db-1'", True),
        ("@Resource[a:name] StringNotEqualsIgnoreCase 'DB-1'", False),
        ("@Resource[a:name] StringStartsWith 'Db'", True),
        ("@Resource[a:name] StringLike 'D?-*'", True),
        ("@Resource[a:name] StringLike 'D\\?-*'", False),
        ("@Resource[a:name] StringNotLike 'x*'", True),
        ("@Resource[a:name] StringLike '[D]b-1'", False),
        ("@Resource[a:name] ForAnyOfAnyValues:StringEquals {'a', 'Db-1'}", True),
        ("@Resource[a:name] ForAllOfAllValues:StringNotEquals {'a', 'b'}", True),
        ("@Resource[a:name] ForAnyOfAllValues:StringEquals {'Db-1', 'b'}", False),
        ("@Request[b:id] GuidEquals 'X'", True),
        ("ActionMatches{'Microsoft.KeyVault/vaults/secrets/*'}", True),
        ("!(ActionMatches{'microsoft.keyvault/*/getsecret/action'})", False),
        ("SubOperationMatches{'anything'}", False),
        ("Exists @Resource[a:name]", True),
        ("Not Exists @Resource[a:gone]", True),
        ("@Resource[a:name] NumericSlightlyMore 3", None),
        ("@Resource[a:name] StringEquals", None),
        ("(", None),
        ("(" * 5000, None),
        ("", True),
        (None, True),
    ],
)
def test_truth(text: str | None, expected: bool | None) -> None:
    assert truth(text, ASKED) is expected


def test_bare_guids_with_and_without_hyphens() -> None:
    text = "@Request[r:id] ForAnyOfAnyValues:GuidEquals {00482a5a-887f-4fb3-b363-3b7fe8e74483, 49fc33c1886f4b21a00e1d9993234734}"
    for guid in ("00482A5A-887F-4FB3-B363-3B7FE8E74483", "49fc33c1-886f-4b21-a00e-1d9993234734"):
        assert truth(text, Asked("x", {"@request[r:id]": guid})) is True
    assert truth(text, Asked("x", {"@request[r:id]": "00000000-0000-0000-0000-000000000001"})) is False


def test_every_published_condition_can_be_read() -> None:
    """No condition of the built-in roles is nonsense to the reader: with its attributes there, the answer is yes or no."""
    import re

    for role in builtin_role_definitions().values():
        for block in role["properties"]["permissions"]:
            text = block.get("condition")
            if text:
                names = {name.casefold(): "true" for name in re.findall(r"@\w+\[[^\]]*\]", text)}
                asked = Asked("Microsoft.Authorization/roleAssignments/write", names)
                assert truth(text, asked) is not None, role["properties"]["roleName"]


@given(st.text(alphabet="@[]{}()'!&|,ab:AND OR StringEquals*?\\-0", max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    assert truth(text, ASKED) in {True, False, None}
