"""Real payloads, recorded by others, served verbatim and scanned: every vault is in the report with the model it states."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from conftest_types import Run

from kvaudit.lab import Estate, start
from kvaudit.lab.estate import Identity, fold
from kvaudit.lab.estate_file import builtin_role_definitions
from kvaudit.lab.estate_verbatim import add_arm_payload

TENANT = "11111111-1111-1111-1111-111111111111"
AUDITOR = "66666666-6666-6666-6666-000000000001"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
KINDS = (
    "/microsoft.keyvault/vaults/",
    "/microsoft.authorization/roleassignments/",
    "/microsoft.authorization/roledefinitions/",
    "/deletedvaults/",
)


class _AnyTag(yaml.CSafeLoader):
    """Bears the tags of old recordings."""


_AnyTag.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, _, node: loader.construct_scalar(node))


def bodies(corpus: Path) -> Iterator[Any]:
    """Every JSON body of a recorded answer."""
    for line in (corpus / "recordings" / "exchanges-open.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)["response"].get("body")
    for path in sorted((corpus / "recordings").rglob("*.yaml")):
        if "keyvault" not in str(path) and "role" not in str(path):
            continue
        document: Any = yaml.load(path.read_bytes(), Loader=_AnyTag)  # noqa: S506 - a safe loader
        for interaction in document["interactions"]:
            body = (interaction.get("response") or {}).get("body")
            yield body.get("string") if isinstance(body, dict) else body


def payloads(corpus: Path) -> Iterator[dict[str, Any]]:
    """Vaults with properties, deleted vaults, role assignments and role definitions, each as it was sent."""
    for body in bodies(corpus):
        try:
            parsed: Any = json.loads(body)
        except (TypeError, ValueError):
            continue
        found: Any = (
            parsed.get("value") if isinstance(parsed, dict) and isinstance(parsed.get("value"), list) else [parsed]
        )
        for item in found:
            identity = fold(str(item.get("id", ""))) if isinstance(item, dict) else ""
            if (
                any(kind in identity for kind in KINDS)
                and isinstance(item.get("properties"), dict)
                and "/secrets/" not in identity
            ):
                yield item


def recorded_estate(corpus: Path) -> Estate:
    estate = Estate(name="recorded", home_tenant=TENANT, role_definitions=builtin_role_definitions())
    estate.tenants[TENANT] = {"tenantId": TENANT, "displayName": "Recorded", "defaultDomain": "recorded.example"}
    for item in payloads(corpus):
        identity = fold(item["id"])
        kind = str(item.get("type") or "").casefold()
        if "/microsoft.keyvault/vaults/" in identity and identity.count("/") == 8:
            list(add_arm_payload(estate, {**item, "type": "Microsoft.KeyVault/vaults"} if not kind else item))
        elif (
            ("/microsoft.authorization/roleassignments/" in identity and "scope" in item["properties"])
            or (
                "/microsoft.authorization/roledefinitions/" in identity
                and fold(str(item.get("name"))) not in estate.role_definitions
            )
            or "/deletedvaults/" in identity
        ):
            list(add_arm_payload(estate, item))
    for raw in estate.subscriptions.values():
        raw["tenantId"] = TENANT
    estate.service_principals[AUDITOR] = {
        "id": AUDITOR,
        "appId": AUDITOR,
        "displayName": "auditor",
        "servicePrincipalType": "Application",
    }
    estate.graph_permissions[AUDITOR] = frozenset({"Directory.Read.All"})
    estate.client_secrets[AUDITOR] = {"lab-only"}
    estate.identities["auditor"] = Identity("auditor", TENANT, AUDITOR, AUDITOR, "lab-only")
    identity = "/providers/Microsoft.Authorization/roleAssignments/99999999-9999-9999-9999-000000000001"
    properties = {
        "scope": "/",
        "principalId": AUDITOR,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{READER}",
    }
    estate.role_assignments[fold(identity)] = {
        "id": identity,
        "name": identity.rsplit("/", 1)[-1],
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": properties,
    }
    return estate


def test_every_recorded_vault_is_in_the_report_none_lost_none_invented(corpus: Path, run: Run, tmp_path: Path) -> None:
    estate = recorded_estate(corpus)
    with start(estate) as lab:
        done = run(
            "scan",
            "--auth",
            "client-secret",
            "--fail-on",
            "never",
            "--out",
            "out",
            environment=lab.environment("auditor"),
        )
    assert done.code in {0, 4}, done.err
    report = json.loads((tmp_path / "out" / "findings.json").read_text())
    expected = {
        fold(raw["id"]): (
            "azure_rbac" if raw["properties"].get("enableRbacAuthorization") is True else "access_policies"
        )
        for raw in estate.vaults.values()
    }
    assert {fold(item["id"]): item["permission_model"] for item in report["vaults"]} == expected
    models = list(expected.values())
    print(
        f"recorded estate: {len(expected)} vaults ({models.count('azure_rbac')} Azure RBAC), {len(estate.deleted_vaults)} deleted vaults, "
        f"{len(estate.role_assignments) - 1} role assignments, {len(estate.role_definitions)} role definitions, {len(report['gaps'])} gaps"
    )
    assert len(expected) > 50
