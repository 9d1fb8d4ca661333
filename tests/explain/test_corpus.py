"""Recorded incidents and answers of the real services: right, or honestly unknown. Nothing of them stands here."""

import csv
import json
from pathlib import Path

from kvaudit.explain import explain

EXPECTED = {
    "rbac-missing-role": {"missing_role"}, "wrong-scope": {"missing_role"}, "firewall": {"firewall"},
    "firewall-trusted-service": {"firewall"}, "firewall-public-access-off": {"private_link"}, "firewall-private-endpoint": {"firewall"},
    "propagation": {"propagation"}, "policies-overwritten": {"policies_replaced"}, "accesspolicies-required": {"bad_request"},
    "principal-not-found": {"principal_not_found"}, "compound-identity": {"missing_policy"}, "wrong-object-id": {"missing_policy"},
    "soft-delete-object": {"soft_deleted"}, "purge-permission": {"missing_policy"}, "soft-delete-vault": {"name_taken", "soft_deleted"},
    "certificate-needs-secret": {"missing_policy"}, "wrong-model": {"wrong_model", "missing_role"}, "list-needed": {"missing_policy"},
    "control-plane-needed": {"control_plane_authorization"}, "sdk-implied-permission": {"missing_policy"}, "rbac-vault-third-party": {"wrong_model"},
    "assignment-exists": {"role_assignment_exists"}, "false-negative-check": {"wrong_model"}, "template-deployment": {"template_access"},
    "purge-protection": {"bad_request"},
}  # fmt: skip
"""Class of a recorded incident -> kinds that are right for it. Classes that are no error of a call have none."""


def test_recorded_incidents(corpus: Path) -> None:
    with (corpus / "incidents.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = []
    for row in rows:
        text = row["symptom"] + ("" if row["exact_error_text"] == "-" else f". {row['exact_error_text']}")
        found = explain(text).kind.value
        if found not in EXPECTED.get(row["class"], set()):
            wrong.append(f"{row['id']} {row['class']}: {found}")
    print(f"{len(rows) - len(wrong)} of {len(rows)} incidents right; the others: {'; '.join(wrong)}")
    assert len(rows) - len(wrong) >= 34
    assert all(item.endswith(": unknown") for item in wrong), "what is not right is honestly unknown"


def test_recorded_errors_are_right_or_unknown(corpus: Path) -> None:
    by_code = {
        "PrincipalNotFound": "principal_not_found", "RoleAssignmentExists": "role_assignment_exists", "CreateRoleAssignmentFailed": "role_assignment_exists",
        "ObjectIsDeletedButRecoverable": "soft_deleted", "ObjectIsBeingDeleted": "being_deleted", "SecretNotFound": "object_not_found",
        "KeyNotFound": "object_not_found", "CertificateNotFound": "object_not_found", "PendingCertificateNotFound": "object_not_found",
        "CertificateIssuerNotFound": "object_not_found", "ContactsNotFound": "object_not_found", "AuthorizationFailed": "control_plane_authorization",
        "BadParameter": "bad_request", "DeletedVaultNotFound": "vault_not_found", "ResourceNotFound": "vault_not_found", "SecretDisabled": "object_disabled",
        "ForbiddenByPolicy": "missing_policy", "StorageAccountNotFound": "object_not_found",
    }  # fmt: skip
    asked = known = 0
    for line in (corpus / "recordings" / "exchanges-open.jsonl").read_text(encoding="utf-8").splitlines():
        response = json.loads(line)["response"]
        if not isinstance(response.get("status"), int) or response["status"] < 400:
            continue
        content = response.get("body")
        text = content if isinstance(content, str) else json.dumps(content)
        kind = explain(text or "").kind.value
        asked += 1
        known += kind != "unknown"
        assert kind == "unknown" or any(code in (text or "") and kind == right for code, right in by_code.items()), (
            kind,
            text,
        )
    print(f"{known} of {asked} recorded errors told, the others honestly unknown")
    assert asked > 50
