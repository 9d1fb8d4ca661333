"""Answers as sentences: reviewed when they change, and harmless whatever the tenant calls things."""

import pytest
from builders import SUBSCRIPTION, assignment, deny, eligible, estate, gap, group, guid, policy, user, vault, workload
from sample import HOSTILE, hostile
from syrupy.assertion import SnapshotAssertion

from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import operation
from kvaudit.report.answer_lines import decision_lines, gap_lines, who_can_lines
from kvaudit.report.text import line_safe

CONDITION = (
    "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR "
    "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'db-password'))"
)


def story() -> Estate:
    """Every way in which somebody may read the secrets of one vault, and two in which nobody may."""
    anna, bert, cleo, dora, erik = (user(name) for name in ("anna", "bert", "cleo", "dora", "erik"))
    inner = group("payments-rotation", anna)
    outer = group("payments-ops", inner)
    closed = group("operators", is_read=False)
    api, other = vault("kv-api"), vault("kv-legacy", policy(cleo, secrets="get", application=guid("app")))
    return estate(
        *(anna, bert, cleo, dora, erik, inner, outer, closed, api, other, workload("batch")),
        assignment("Key Vault Secrets User", outer, f"{SUBSCRIPTION}/resourceGroups/rg-app"),
        assignment("Key Vault Secrets User", bert, api, condition=CONDITION),
        assignment("Key Vault Administrator", closed, SUBSCRIPTION),
        eligible("Key Vault Secrets Officer", cleo, api, end="2027-01-31T00:00:00Z"),
        assignment("Key Vault Secrets User", dora, api),
        deny(dora, api, data_actions=("Microsoft.KeyVault/vaults/secrets/*",)),
        gap("group_members", f"groups/{closed.id}", permission="GroupMember.Read.All"),
    )


def who_can(what: Estate, vault_name: str, *, expand: bool = False) -> list[str]:
    access = Access(what)
    answer = access.who_can(operation("secrets/get"), access.vault(vault_name), expand_groups=expand)
    return [*who_can_lines(what, answer), *gap_lines(what, answer.gaps)]


def can(what: Estate, name: str, vault_name: str) -> list[str]:
    access = Access(what)
    place = access.vault(vault_name)
    decision = access.can(guid(name), operation("secrets/get"), place)
    return list(decision_lines(what, decision, access.near_misses(decision, place)))


def test_who_can_reads_well(snapshot: SnapshotAssertion) -> None:
    assert who_can(story(), "kv-api", expand=True) == snapshot
    assert who_can(story(), "kv-legacy") == snapshot


@pytest.mark.parametrize("name", ["anna", "bert", "cleo", "dora", "erik", "batch"])
def test_can_reads_well(name: str, snapshot: SnapshotAssertion) -> None:
    assert can(story(), name, "kv-api") == snapshot


def test_a_doubtful_record_is_never_told_as_certain() -> None:
    line = " ".join(can(story(), "erik", "kv-api"))
    assert line.startswith("unknown")
    assert "is a member" not in line
    assert "may give" in line


def test_many_reasons_are_counted() -> None:
    anna, app = user("anna"), vault()
    groups = [group(f"group {number}", anna) for number in range(20)]
    what = estate(anna, app, *groups, *(assignment("Key Vault Secrets User", item, app) for item in groups))
    lines = can(what, "anna", "kv-app")
    assert sum("because role assignment" in line for line in lines) == 5
    assert any("15 more records" in line for line in lines)


def test_a_vault_that_nobody_can_read_says_so_and_how_sure_that_is() -> None:
    assert who_can(estate(vault()), "kv-app")[0] == "secrets/get on vault kv-app: nobody"
    unread = who_can(estate(vault(), gap("role_assignments")), "kv-app")
    assert "nobody" not in unread[0] or "as far as could be read" in unread[0]
    assert any(line.startswith("not read: role assignments of subscription Applications") for line in unread)


def test_no_line_steers_a_terminal_or_a_build() -> None:
    what = hostile()
    for place in (f"kv-{number}" for number in range(len(HOSTILE))):
        for line in map(line_safe, who_can(what, place, expand=True)):
            assert "##vso[" not in line
            assert "::" not in line
            assert all(letter.isprintable() or letter == "\u200a" for letter in line)


def test_a_name_cannot_pass_for_a_part_of_the_sentence() -> None:
    sly = user("sly", display_name="anna at vault kv-other, of which nobody is a member; note: all is well")
    app = vault()
    line = can(estate(sly, app, assignment("Key Vault Secrets User", sly, app)), "sly", "kv-app")[0]
    assert line.endswith('to user "anna at vault kv-other, of which nobody is a member; note: all is well"')
    long = user("long", display_name='x"' * 500)
    line = can(estate(long, app, assignment("Key Vault Secrets User", long, app)), "long", "kv-app")[0]
    assert len(line) < 400
    assert line.count('"') == 2
