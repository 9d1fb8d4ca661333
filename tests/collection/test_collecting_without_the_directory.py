"""Without Microsoft Graph the groups of single principals come from Resource Manager, which only ever adds memberships."""

from dataclasses import replace
from pathlib import Path

from collecting import collected

from kvaudit.access.evaluator import Access
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.collectors.collector import Feature
from kvaudit.lab import start
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation
from kvaudit.snapshot.load import load_estate

AUDITOR = "66666666-6666-6666-6666-000000000001"
GRACE, FRANK = "44444444-4444-4444-4444-000000000007", "44444444-4444-4444-4444-000000000006"
REQUEST = CollectRequest(
    subscriptions=("Platform shared",),
    vaults=("kv-hr-records",),
    objects=Objects.NONE,
    features=frozenset({Feature.ACCESS}),
)


def test_assignments_of_groups_that_reach_a_principal_are_known_without_the_directory(tmp_path: Path) -> None:
    """Grace is in the group that may read the vault's secrets; of Frank nothing is known, which is not that he may not."""
    with start("contoso") as lab:
        lab.world.estate.graph_permissions[AUDITOR] = frozenset()
        lab.world.changed()
        asked = replace(REQUEST, assigned_to=(GRACE, FRANK))
        blind, told = (collected(lab, tmp_path / name, item) for name, item in (("blind", REQUEST), ("told", asked)))
        paths = [entry.query.get("$filter", "") for entry in lab.journal]
    assert sum("assignedTo" in text for text in paths) == 2
    get = operation("secrets/get")
    answers = []
    for snapshot in (blind, told):
        access = Access(load_estate(snapshot))
        [vault] = access.estate.vaults
        answers.append([access.can(who, get, vault).answer for who in (GRACE, FRANK)])
    assert answers == [[Answer.UNKNOWN, Answer.UNKNOWN], [Answer.ALLOWED, Answer.UNKNOWN]]


def test_who_may_read_the_directory_does_not_ask(tmp_path: Path) -> None:
    with start("contoso") as lab:
        collected(lab, tmp_path / "s", replace(REQUEST, subscriptions=("Payments",), vaults=(), assigned_to=(GRACE,)))
        assert not any("assignedTo" in entry.query.get("$filter", "") for entry in lab.journal)
