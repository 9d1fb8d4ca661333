"""`--source`, `--time-budget` and the clouds, as a process."""

import json
from pathlib import Path

import pytest
from conftest_types import Run

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault

COLLECT = ("collect", "--auth", "client-secret", "--no-objects", "--feature", "access", "--subscription", "Payments")


def manifest(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / "manifest.json").read_text())
    return content


def test_resource_graph_is_asked_unless_told_otherwise_and_that_is_told(contoso: Lab, run: Run, tmp_path: Path) -> None:
    environment = contoso.environment()
    done = run(*COLLECT, "--snapshot", "auto", "--verbose", environment=environment)
    assert done.code == 0, done.err
    assert "may lag behind changes" in done.err
    assert "resource-graph" in done.err, "the table of statistics"
    assert manifest(tmp_path / "auto")["source"] == "auto"
    requests = manifest(tmp_path / "auto")["requests"]
    assert isinstance(requests, dict)
    assert set(requests) == {"arm", "graph", "resource-graph"}
    done = run(*COLLECT, "--snapshot", "arm", "--source", "arm", environment=environment)
    assert done.code == 0, done.err
    assert "Resource Graph" not in done.err


def test_a_run_over_its_budget_ends_with_gaps(run: Run, tmp_path: Path) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path="denyAssignments", status=None, delay=300))
        done = run(
            *COLLECT, "--snapshot", "s", "--source", "arm", "--time-budget", "10s", environment=lab.environment()
        )
    assert done.code == 4, done.err
    gaps = [json.loads(line) for line in (tmp_path / "s" / "gaps.ndjson").read_text().splitlines()]
    assert ("deny_assignments", "OutOfTime", True) in {(gap["kind"], gap["code"], gap["retryable"]) for gap in gaps}


@pytest.mark.parametrize("text", ["0", "-1", "soon", "5d", ""])
def test_a_length_of_time_that_is_none_is_refused(run: Run, text: str) -> None:
    done = run(*COLLECT, "--snapshot", "s", "--time-budget", text)
    assert done.code == 2
    assert "--time-budget" in done.err


def test_nothing_can_be_compared_with_itself(run: Run) -> None:
    done = run(*COLLECT, "--snapshot", "s", "--source", "arm", "--verify-with-arm")
    assert done.code == 2
    assert "Leave one of them out" in done.err


@pytest.mark.parametrize("cloud", ["usgov", "china"])
def test_the_other_clouds_are_asked_at_their_own_endpoints(contoso: Lab, run: Run, cloud: str) -> None:
    before = len(contoso.journal)
    done = run(*COLLECT, "--snapshot", cloud, "--cloud", cloud, environment=contoso.environment())
    assert done.code in {0, 4}, done.err
    hosts = {entry.host for entry in contoso.journal[before:]}
    suffixes = {"usgov": (".us", ".usgovcloudapi.net"), "china": (".cn",)}[cloud]
    assert all(host.endswith(suffixes) for host in hosts), hosts
    assert any(host.startswith("management.") for host in hosts)
