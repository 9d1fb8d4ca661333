"""Whether an export says everything: a gap that touches no row does not make it incomplete, one that may add a row does."""

import pytest
from builders import assignment, estate, gap, group, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.model.gaps import Gap
from kvaudit.report.access_rows import AccessTable

OTHER = "/subscriptions/33333333-3333-3333-3333-333333333333"


@pytest.mark.parametrize(
    ("hidden", "expand", "incomplete"),
    [
        (gap("secrets", vault("kv-app")), True, False),
        (gap("role_assignments"), False, True),
        (gap("vaults", OTHER), False, True),
        (gap("group_members", f"groups/{group('readers').id}"), False, False),
        (gap("group_members", f"groups/{group('readers').id}"), True, True),
    ],
    ids=["names of secrets", "assignments", "vaults", "members, not asked for", "members"],
)
def test_a_gap_counts_when_it_may_add_a_row(hidden: Gap, expand: bool, incomplete: bool) -> None:
    app, readers = vault("kv-app"), group("readers", user("anna"), is_read=hidden.kind != "group_members")
    what = estate(app, readers, assignment("Key Vault Secrets User", readers, app), hidden)
    table = AccessTable(Access(what), expand_groups=expand)
    assert not table.is_incomplete
    assert list(table.rows())
    assert table.is_incomplete is incomplete
    assert hidden.id in {item.id for item in table.gaps}
