"""A caller who is Reader of one subscription and has no permission in the directory: little is refused, all of it is told."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest_types import Run

from kvaudit.lab import Lab, start
from kvaudit.lab.estate import fold

PAYMENTS = "/subscriptions/33333333-3333-3333-3333-000000000001"
NOBODY = "66666666-6666-6666-6666-000000000010"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture(scope="module")
def reader() -> Iterator[Lab]:
    """A lab whose identity `nobody` is Reader of Payments, and nothing else."""
    with start("contoso") as lab:
        assignment = (
            f"{PAYMENTS}/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-aaaa-aaaa-aaaa-000000000001"
        )
        lab.world.estate.role_assignments[fold(assignment)] = {
            "id": assignment,
            "name": assignment.rsplit("/", 1)[-1],
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "scope": PAYMENTS,
                "principalId": NOBODY,
                "principalType": "ServicePrincipal",
                "roleDefinitionId": f"{PAYMENTS}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
            },
        }
        lab.world.changed()
        yield lab


@pytest.mark.parametrize("source", ["auto", "arm"])
def test_what_a_reader_of_one_subscription_may_not_read_is_told_once_each_with_its_permission(
    reader: Lab, tmp_path: Path, run: Run, source: str
) -> None:
    reader.journal.clear()
    environment = reader.environment("nobody")
    never = ("--fail-on", "never")
    done = run("scan", "--auth", "client-secret", "--source", source, *never, "--out", "out", environment=environment)
    assert done.code == 4, done.err
    refused = [entry.path for entry in reader.journal if entry.status == 403]
    assert len(refused) == len(set(refused)) <= 3
    report = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert {vault["name"] for vault in report["vaults"]} == {
        raw["name"] for raw in reader.world.estate.vaults.values() if PAYMENTS in raw["id"]
    }
    assert report["findings"]
    told = [(gap["kind"], gap["scope"]) for gap in report["gaps"]]
    assert len(told) == len(set(told))
    assert all(gap["permission"] for gap in report["gaps"])
    assert all("Read" in gap["permission"] or gap["kind"] == "management_groups" for gap in report["gaps"])
    assert "kvaudit permissions" in done.out
