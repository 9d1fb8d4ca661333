"""`scan` and `demo` against the lab: everything that the estate holds is in the report, and nothing else happened."""

import csv
import json
import shlex
from pathlib import Path

from conftest_types import Run

from kvaudit.lab import Lab, start

PLANTED = "kvaudit-planted"
"""How every secret value of a sample estate begins."""


def test_every_vault_that_can_be_read_is_in_the_report_with_its_model(contoso: Lab, scanned: Path) -> None:
    report = json.loads((scanned / "findings.json").read_text())
    unreadable = "33333333-3333-3333-3333-000000000005"
    expected = {
        raw["name"]: ("azure_rbac" if raw["properties"].get("enableRbacAuthorization") is True else "access_policies")
        for raw in contoso.world.estate.vaults.values()
        if unreadable not in raw["id"]
    }
    assert {item["name"]: item["permission_model"] for item in report["vaults"]} == expected
    sources = {item["name"]: item["permission_model_source"] for item in report["vaults"]}
    assert (sources["kv-web-legacy"], sources["kv-web-test"], sources["kv-web-prod"]) == ("null", "absent", "explicit")


def test_what_could_not_be_read_is_a_gap_with_its_permission(scanned: Path) -> None:
    report = json.loads((scanned / "findings.json").read_text())
    gaps = {(item["kind"], item["scope"].rsplit("/", 1)[-1]): item for item in report["gaps"]}
    vaults = gaps["vaults", "33333333-3333-3333-3333-000000000005"]
    assert (vaults["status"], vaults["permission"]) == (403, "Microsoft.KeyVault/vaults/read")
    assert ("group_members", "55555555-5555-5555-5555-000000000006") in gaps, "the hidden membership is told"


def test_an_audit_reads_and_never_a_value(run: Run) -> None:
    """The journal of the lab after a scan: reads, the allowed queries, sign-in, and no vault's own endpoint."""
    with start("contoso") as lab:
        done = run("scan", "--auth", "client-secret", environment=lab.environment("auditor"))
        journal = list(lab.journal)
    assert done.code == 3, done.err
    writes = [e for e in journal if e.method not in {"GET", "HEAD"} and not e.host.startswith("login.")]
    queries = "/providers/Microsoft.ResourceGraph/resources"
    assert {entry.path for entry in writes} <= {"/v1.0/$batch", "/v1.0/directoryObjects/getByIds", queries}
    assert not [entry for entry in journal if entry.host.endswith("vault.azure.net")], "Resource Manager is quieter"
    assert not [entry for entry in journal if entry.status == 429]


def test_no_planted_value_and_no_token_is_anywhere(contoso: Lab, tmp_path: Path, run: Run) -> None:
    environment = contoso.environment("auditor")
    done = run("scan", "--auth", "client-secret", "--debug", "--objects=vault", "--out", "out", environment=environment)
    assert done.code == 3, done.err
    texts = [done.out, done.err]
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                import gzip

                data = gzip.decompress(data)
            texts.append(data.decode("utf-8", "replace"))
    everything = "\n".join(texts)
    assert PLANTED not in everything
    assert environment["AZURE_CLIENT_SECRET"] not in everything
    assert "eyJ" not in everything, "no part of a token"


def test_access_csv_has_one_row_for_each_holder(scanned: Path) -> None:
    with (scanned / "access.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    empty = [row for row in rows if row["vault"] == "kv-platform-empty"]
    held = [row for row in empty if row["allowed"] or row["conditional"] or row["unknown"]]
    assert held == [], "nobody is named in its policies"
    assert all(row["escalation"] for row in empty), "whoever is told of it all the same holds a route to it"
    assert [row for row in rows if row["vault"] == "kv-payments-prod" and "secrets/get" in row["allowed"]]


def test_the_demo_needs_nothing_and_ends_with_the_path_of_the_report(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--out", "my demo")
    assert done.code == 0, done.err
    last = done.out.strip().splitlines()[-1]
    assert (tmp_path / last).is_file()
    proposed = [shlex.split(line) for line in done.err.splitlines() if line.startswith("  kvaudit ")]
    assert proposed
    assert all(run(*words[1:]).code in (0, 4) for words in proposed), proposed
    again = run("demo", "--quiet")
    assert again.code == 0, again.err
    assert again.err == ""


def test_a_second_scan_takes_the_place_of_the_first(contoso: Lab, run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        done = run(
            "scan",
            "--auth",
            "client-secret",
            "--no-objects",
            "--out",
            "out",
            environment=contoso.environment("auditor"),
        )
        assert done.code == 3, done.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"access.csv", "findings.json", "report.html", "snapshot"}
