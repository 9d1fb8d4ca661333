"""A tree of management groups far deeper than Azure's limit, as only a damaged or hostile snapshot has it, is answered as any other."""

import sys
from dataclasses import replace

import pytest
from builders import SUBSCRIPTION, assignment, deny, estate, group, management_group, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.permissions import operation
from kvaudit.report.build import build_audit

DEPTH = sys.getrecursionlimit() + 200
anna, ben, carl = user("anna"), user("ben"), user("carl")
team = group("team", ben, carl)
kv = vault("kv")
LEVELS = tuple(management_group(f"level-{number}") for number in range(DEPTH))


@pytest.fixture(scope="module")
def deep() -> Estate:
    tree = [HierarchyNode(scope, above) for above, scope in zip((None, *LEVELS), (*LEVELS, SUBSCRIPTION), strict=True)]
    people = (anna, team)
    records = [assignment("Owner", people[number % 2], scope) for number, scope in enumerate(LEVELS)]
    limited = [assignment("Key Vault Data Access Administrator", carl, scope) for scope in LEVELS[::7]]
    reading = [assignment("Key Vault Secrets User", team, scope) for scope in LEVELS[::5]]
    closing = replace(deny(ben, LEVELS[DEPTH // 2], actions=("*",)), exclude_principals=())
    return estate(anna, ben, carl, team, kv, *tree, *records, *limited, *reading, closing)


def test_routes_come_down_from_every_level(deep: Estate) -> None:
    access = Access(deep)
    found = access.routes(kv, expand_groups=True).routes
    owners = {item.principal_id for item in found if item.id == "E4"}
    assert owners == {anna.id, team.id, carl.id}
    (route,) = (item for item in found if item.id == "E4" and item.principal_id == anna.id)
    assert len(route.via) == DEPTH // 2
    assert list(access.escalations.delegates(kv)) == [carl.id]
    shown = {item.principal_id: item.escalation for item in access.rows(expand_groups=True)}
    assert "E4" in shown[carl.id]
    assert "E4" not in shown[ben.id]


def test_so_is_an_audit(deep: Estate) -> None:
    audit = build_audit(
        Access(deep), tool_version="0", generated_at="2026-11-24T06:00:00Z", scope={}, snapshot_path=None
    )
    assert "role-assignment-self-grant" in {finding.rule.id for finding in audit.findings}
    assert set(audit.readers) == {kv.scope}


def test_so_do_grants(deep: Estate) -> None:
    asked = operation("secrets/get")
    found = Access(deep).who_can(asked, kv, expand_groups=True)
    assert {item.principal_id for item in found.holdings} == {team.id, ben.id, carl.id}
    assert Access(deep).can(ben.id, asked, kv).answer is Answer.ALLOWED
