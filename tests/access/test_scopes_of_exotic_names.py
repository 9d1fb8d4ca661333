"""Names of resource groups may hold letters of any script; two groups that Azure tells apart are never one."""

from collections import defaultdict

import pytest
from builders import SUBSCRIPTION, assignment, estate, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation

GROUPS = f"{SUBSCRIPTION}/resourceGroups/"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("rg-Straße", "rg-strasse", False),
        ("rg-straße", "RG-STRAßE", True),
        ("rg-ﬁnance", "rg-finance", False),
        ("rg-\u212aey", "rg-key", False),
        ("rg-ıd", "rg-id", False),
        ("rg-\u0130d", "rg-id", False),
        ("rg-\u017fales", "rg-sales", False),
        ("rg-größe", "RG-GRÖSSE", False),
        ("rg-größe", "RG-GRÖßE", True),
        ("rg-отдел", "RG-ОТДЕЛ", True),
        ("rg-ΟΔΟΣ", "rg-οδοσ", True),
        ("rg1", "RG1", True),
    ],
)
def test_a_grant_on_one_group_reaches_the_vaults_of_that_group(one: str, other: str, same: bool) -> None:
    anna = user("anna")
    app = vault(id=f"{GROUPS}{one}/providers/Microsoft.KeyVault/vaults/kv-app")
    access = Access(estate(app, anna, assignment("Key Vault Secrets User", anna, f"{GROUPS}{other}")))
    expected = Answer.ALLOWED if same else Answer.DENIED
    assert access.can(anna.id, operation("secrets/get"), app).answer is expected


def test_no_letter_becomes_several_and_none_outside_ascii_becomes_one_inside() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number in range(0x1F000):  # letters with two cases end below it
        letter = chr(number)
        folded = scopes.fold_name(letter)
        assert len(folded) == 1
        assert scopes.fold_name(folded) == folded
        assert folded.isascii() == letter.isascii()
        found[folded].append(letter)
    for letters in found.values():
        assert len({letter.upper() for letter in letters}) == 1, letters


def test_folding_is_letter_by_letter() -> None:
    text = "rg-ΟΔΟΣ Straße ǅ İı"
    assert scopes.fold_name(text) == "".join(map(scopes.fold_name, text))
