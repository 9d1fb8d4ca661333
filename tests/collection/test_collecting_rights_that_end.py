"""Rights that end in the middle of a run which is then stopped: what Resource Graph left out is never called empty."""

from collections.abc import Callable
from pathlib import Path

import pytest
from collecting import collected

from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.faults import Fault
from kvaudit.lab.world import World
from kvaudit.model import scopes
from kvaudit.snapshot.load import load_estate

AUTO = CollectRequest(objects=Objects.NONE, source=Source.AUTO)
EVERYONE = "00000000-0000-0000-0000-000000000000"


class Stopped(Exception):  # noqa: N818 - what stops a run here is no error of anything
    """Stops a run from the outside."""


def locked(scope: str) -> tuple[str, dict[str, object]]:
    """A deny assignment that takes every right to read a subscription from everybody."""
    name = "dddddddd-dddd-dddd-dddd-00000000000f"
    identity = f"{scope}/providers/Microsoft.Authorization/denyAssignments/{name}"
    properties = {
        "denyAssignmentName": "locked",
        "scope": scope,
        "permissions": [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}],
        "principals": [{"id": EVERYONE, "type": "SystemDefined"}],
        "excludePrincipals": [],
        "doNotApplyToChildScopes": False,
        "isSystemProtected": True,
        "denyAssignmentEffect": "enforced",
    }
    kind = "Microsoft.Authorization/denyAssignments"
    return scopes.fold(identity), {"id": identity, "name": name, "type": kind, "properties": properties}


def stopped(lab: Lab, folder: Path, when: Callable[[str], bool]) -> str:
    """Stops a run in which the rights in a subscription with vaults end before its vaults are asked for; its scope."""
    scope = f"/subscriptions/{scopes.subscription_of(next(iter(lab.world.estate.vaults)))}"
    key, deny = locked(scope)

    def end(world: World) -> None:
        world.estate.deny_assignments[key] = deny
        world.changed()

    def watch(kind: str, done: int, total: int | None) -> None:
        if when(kind):
            raise Stopped

    lab.world.faults.append(Fault(path="ResourceGraph", status=None, times=1, skip=1, effect=end))
    with pytest.raises(Stopped):
        collected(lab, folder, AUTO, watch=watch)
    assert key in lab.world.estate.deny_assignments
    return scope


@pytest.mark.parametrize(("refused", "restored"), [(True, True), (True, False), (False, False)])
def test_a_stopped_run_is_finished_without_believing_what_was_read_without_rights(
    tmp_path: Path, refused: bool, restored: bool
) -> None:
    with start(generate(8, Size(subscriptions=2, vaults=4, assignments=9, policies=2, roles=2, denies=0))) as lab:

        def when(kind: str) -> bool:
            if refused:
                return sum(entry.status == 403 for entry in lab.journal) > 4
            return kind == "vaults"  # the first that Resource Manager is to be asked for, and nothing was refused yet

        scope = stopped(lab, tmp_path / "s", when)
        if restored:
            lab.world.estate.deny_assignments.clear()
            lab.world.changed()
        elif not refused:  # Resource Manager does not even say any more what the caller may do
            lab.world.faults.append(Fault(path="/permissions$", status=403, body={"error": {"code": "No"}}))
        snapshot = collected(lab, tmp_path / "s", AUTO, resume=True)
        expected = {key for key in lab.world.estate.vaults if key.startswith(scope)}
    found = {vault.scope for vault in load_estate(snapshot).vaults}
    assert expected <= found or any(gap.kind == "vaults" and gap.scope == scope for gap in snapshot.gaps())
    if restored and refused:
        assert not snapshot.gaps()
