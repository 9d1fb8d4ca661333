"""Groups with hidden membership: whatever Graph answers without the permission, nobody is certainly outside."""

from pathlib import Path

import pytest
from collecting import collected

from kvaudit.access.evaluator import Access
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.lab import start
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation
from kvaudit.snapshot.load import load_estate

HR = "55555555-5555-5555-5555-000000000006"
AUDITOR = "66666666-6666-6666-6666-000000000001"
PIPELINE = "66666666-6666-6666-6666-000000000006"
GRACE, FRANK = "44444444-4444-4444-4444-000000000007", "44444444-4444-4444-4444-000000000006"
REQUEST = CollectRequest(subscriptions=("Platform shared",), objects=Objects.NONE)


@pytest.mark.parametrize("looks_empty", [False, True])
@pytest.mark.parametrize("may_see", [False, True])
def test_members_of_a_hidden_group_are_unknown_without_the_permission(
    tmp_path: Path, looks_empty: bool, may_see: bool
) -> None:
    with start("contoso") as lab:
        lab.world.hidden_groups_look_empty = looks_empty
        lab.world.estate.members[HR].append(PIPELINE)
        lab.world.changed()
        if may_see:
            lab.world.estate.graph_permissions[AUDITOR] |= {"Member.Read.Hidden"}
        snapshot = collected(lab, tmp_path / "s", REQUEST)
    gaps = [(gap.code, gap.permission) for gap in snapshot.gaps() if gap.scope == f"groups/{HR}"]
    access = Access(load_estate(snapshot))
    vault = next(item for item in access.estate.vaults if item.name == "kv-hr-records")
    get = operation("secrets/get")
    answers = {who: access.can(who, get, vault).answer for who in (GRACE, PIPELINE, FRANK)}
    if may_see:
        assert gaps == []
        assert answers == {GRACE: Answer.ALLOWED, PIPELINE: Answer.ALLOWED, FRANK: Answer.DENIED}
    else:
        assert gaps == [("HiddenMembership", "GroupMember.Read.All and Member.Read.Hidden")]
        assert set(answers.values()) == {Answer.UNKNOWN}
