"""`collect --dry-run` as a process."""

from pathlib import Path

from conftest_types import Run

from kvaudit.lab import Lab


def test_a_dry_run_tells_requests_and_permissions_and_leaves_nothing(contoso: Lab, run: Run, tmp_path: Path) -> None:
    words = ("collect", "--dry-run", "--auth", "client-secret", "--subscription", "Payments")
    done = run(*words, environment=contoso.environment("auditor"))
    assert done.code == 0, done.err
    assert "at least 18 requests for 1 subscriptions and 4 vaults" in done.out
    assert "Microsoft.Authorization/roleAssignments/read" in done.out
    assert list(tmp_path.iterdir()) == []


def test_without_a_dry_run_a_folder_is_needed(run: Run) -> None:
    done = run("collect", "--auth", "client-secret")
    assert done.code == 2
    assert "--snapshot" in done.err
