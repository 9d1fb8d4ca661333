"""`collect --dry-run` as a process."""

from pathlib import Path

from conftest_types import Run

from kvaudit.lab import Lab


def test_a_dry_run_tells_requests_and_permissions_and_leaves_nothing(contoso: Lab, run: Run, tmp_path: Path) -> None:
    shown = []
    for command in ("collect", "scan"):
        words = (command, "--dry-run", "--auth", "client-secret", "--subscription", "Payments")
        done = run(*words, environment=contoso.environment("auditor"))
        assert done.code == 0, done.err
        assert " to 30 requests for 1 subscriptions and 4 vaults" in done.out
        assert "Microsoft.Authorization/roleAssignments/read" in done.out
        shown.append(done.out)
    assert shown[0] == shown[1]
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_counts_what_is_asked_for(contoso: Lab, run: Run) -> None:
    words = ("collect", "--dry-run", "--auth", "client-secret", "--subscription", "Payments", "--source", "arm")
    for feature, requests in (("access", 10), ("identities", 13), ("settings", 19), ("objects", 18)):
        done = run(*words, "--feature", feature, environment=contoso.environment("auditor"))
        assert f"at least {requests} requests for 1 subscriptions and 4 vaults" in done.out, (feature, done.out)


def test_without_a_dry_run_a_folder_is_needed(run: Run) -> None:
    done = run("collect", "--auth", "client-secret")
    assert done.code == 2
    assert "--snapshot" in done.err


def test_a_refused_sign_in_is_told_in_our_words_alone(contoso: Lab, run: Run) -> None:
    """The sign-in libraries log whole answers; neither with nor without --debug may they reach a person's log."""
    environment = {**contoso.environment("auditor"), "AZURE_CLIENT_SECRET": "kvaudit-planted-wrong"}
    for auth in ("default", "client-secret"):
        for debug in ((), ("--debug",)):
            done = run("collect", "--dry-run", "--auth", auth, *debug, environment=environment)
            assert done.code == 2
            assert "AADSTS7000215" in done.err
            for quoted in ("Trace ID", "error_description", "kvaudit-planted-wrong", "DefaultAzureCredential failed"):
                assert quoted not in done.err, (auth, debug, done.err)
