"""`collect --resume` of a complete snapshot, as a process."""

import json
from pathlib import Path

from conftest_types import Run

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault

COLLECT = ("collect", "--auth", "client-secret", "--source", "arm", "--no-objects", "--snapshot", "s")


def test_a_permission_that_was_granted_since_closes_the_gap(run: Run, tmp_path: Path) -> None:
    refused = {"error": {"code": "AuthorizationFailed", "message": "No."}}
    with start("contoso") as lab:
        environment = lab.environment("auditor")
        lab.world.faults.append(Fault(path=r"/roleAssignments$", status=403, body=refused, times=1))
        words = (*COLLECT, "--subscription", "Payments")
        done = run(*words, environment=environment)
        assert done.code == 4, done.err
        assert json.loads((tmp_path / "s" / "gaps.ndjson").read_text().splitlines()[0])["kind"] == "role_assignments"
        done = run(*words, "--resume", environment=environment)
    assert done.code == 0, done.err
    assert (tmp_path / "s" / "gaps.ndjson").read_text() == ""


def test_another_request_does_not_go_on_with_a_snapshot(contoso: Lab, run: Run, tmp_path: Path) -> None:
    environment = contoso.environment("auditor")
    assert run(*COLLECT, "--subscription", "Payments", environment=environment).code == 0
    manifest = (tmp_path / "s" / "manifest.json").read_bytes()
    done = run(*COLLECT, "--subscription", "Mergers", "--resume", environment=environment)
    assert done.code == 2
    assert "subscriptions Payments" in done.err
    assert (tmp_path / "s" / "manifest.json").read_bytes() == manifest
