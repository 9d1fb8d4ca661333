"""`findings.json`, schema `kvaudit/audit/1`: the whole audit but the access rows, for programs.

The names in it are a promise (ARCHITECTURE.md, "The command line"): add to them, never rename or change the meaning of one.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from kvaudit.model.answers import Answer
from kvaudit.model.vaults import Vault
from kvaudit.report.audit import Audit, Finding, KindCoverage
from kvaudit.report.controls import Control, controls_of
from kvaudit.report.escalation_words import not_assessed_shape
from kvaudit.report.fingerprints import fingerprint
from kvaudit.report.json_lines import write_document
from kvaudit.report.readers import READ_SECRETS, Readers
from kvaudit.report.shapes import gap_shape
from kvaudit.rules.judgement import Evidence, Rule

SCHEMA = "kvaudit/audit/1"


def render(audit: Audit, out: BinaryIO) -> None:
    """Writes the audit as one JSON document, sorted, the same bytes for the same audit."""
    write_document(
        out,
        (
            ("schema", SCHEMA),
            ("tool", {"name": "kvaudit", "version": audit.tool_version}),
            ("generated_at", audit.generated_at),
            ("collected_at", audit.estate.collected_at),
            ("tenant_id", audit.estate.tenant_id),
            ("scope", {key: list(values) for key, values in audit.scope.items()}),
            ("coverage", {kind: _coverage(item) for kind, item in audit.coverage.items()}),
            ("gaps", iter([_gap(audit, index) for index in range(len(audit.gaps))])),
            ("readiness", _readiness(audit)),
            ("rules", iter([_rule(rule) for rule in audit.rules])),
            (
                "verdicts",
                {rule: {item.value: count for item, count in row.items()} for rule, row in audit.verdicts.items()},
            ),
            ("controls", _controls(audit)),
            ("vaults", _vaults(audit)),
            ("findings", (_finding(item) for item in audit.findings)),
            ("not_assessed", [not_assessed_shape(item) for item in audit.access.not_assessed()]),
            ("managed_hsms", [{"id": item.id, "name": item.name} for item in audit.estate.managed_hsms]),
            ("unknown_verdicts", (_unknown(item) for item in audit.unknowns)),
        ),
    )


def _coverage(item: KindCoverage) -> dict[str, Any]:
    return {"asked": item.asked, "read": item.read, "items": item.items, "gaps": list(item.gaps)}


def _gap(audit: Audit, index: int) -> dict[str, Any]:
    gap = audit.gaps[index]
    reach = audit.reach[gap.id]
    touches = {"vaults": reach.vaults, "answers": reach.answers, "verdicts": reach.verdicts}
    return {**gap_shape(gap), "touches": touches}


def _readiness(audit: Audit) -> dict[str, Any]:
    item = audit.readiness
    return {
        "retirement": "2027-02-27",
        "days_left": item.days_left,
        "azure_rbac": item.azure_rbac,
        "access_policies": item.access_policies,
        "null": item.null,
        "absent": item.absent,
        "unread": item.unread,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {"id": rule.id, "severity": rule.severity.value, "title": rule.title, "needs": sorted(rule.needs)}


def _vaults(audit: Audit) -> Iterator[dict[str, Any]]:
    for vault in sorted(audit.estate.vaults, key=lambda item: (item.name.casefold(), item.scope)):
        yield _vault(vault, audit.readers.get(vault.scope, Readers()))


def _vault(vault: Vault, readers: Readers) -> dict[str, Any]:
    acls = vault.network_acls
    return {
        "id": vault.id,
        "name": vault.name,
        "permission_model": vault.permission_model,
        "permission_model_source": vault.permission_model_source,
        "subscription_id": vault.subscription_id,
        "resource_group": vault.resource_group,
        "location": vault.location,
        "tenant_id": vault.tenant_id,
        "tags": dict(sorted(vault.tags.items())),
        "enable_purge_protection": vault.enable_purge_protection,
        "enable_soft_delete": vault.enable_soft_delete,
        "public_network_access": vault.public_network_access,
        "network_default_action": acls.default_action if acls else None,
        "access_policies": None if vault.access_policies is None else len(vault.access_policies),
        "readers": {"operation": READ_SECRETS, **_readers(readers)},
    }


def _readers(readers: Readers) -> dict[str, Any]:
    answers = (Answer.ALLOWED, Answer.CONDITIONAL, Answer.UNKNOWN)
    return {
        **{
            answer.value: {kind.value: count for kind, count in readers.counts.get(answer, {}).items()}
            for answer in answers
        },
        "people_in_groups": readers.members,
        "allowed_with_members": readers.everybody,
        "on_single_objects": readers.on_objects,
        "more_may_be_hidden": readers.hidden,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    rule, vault, judgement = finding.rule, finding.vault, finding.judgement
    return {
        "rule": rule.id,
        "severity": rule.severity.value,
        "vault_id": vault.id,
        "vault": vault.name,
        "message": judgement.message,
        "fingerprint": fingerprint(rule.id, vault.id),
        "evidence": [_evidence(rule, vault, item) for item in judgement.evidence],
        "evidence_count": judgement.evidence_count,
        "fix": list(judgement.fix),
        "controls": [item.key for item in controls_of(rule, vault.permission_model)],
    }


def _evidence(rule: Rule, vault: Vault, item: Evidence) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint(rule.id, vault.id, item.principal_id, item.operation),
        "message": item.message,
        "record_id": item.record_id,
        "principal_id": item.principal_id,
        "operation": item.operation,
        "answer": item.answer.value,
        "scope": item.scope,
    }


def _controls(audit: Audit) -> dict[str, dict[str, str]]:
    """The controls that findings name by their key, each told once: thirty of them may stand in every finding of a rule."""
    cases = {(finding.rule, finding.vault.permission_model) for finding in audit.findings}
    named: set[Control] = {control for case in cases for control in controls_of(*case)}
    return {
        control.key: {
            "framework": control.framework,
            "version": control.version,
            "id": control.id,
            "title": control.title,
        }
        for control in sorted(named, key=lambda item: item.key)
    }


def _unknown(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "severity": finding.rule.severity.value,
        "vault_id": finding.vault.id,
        "vault": finding.vault.name,
        "reason": finding.judgement.message,
        "gaps": sorted(finding.judgement.gaps),
        "evidence": [_evidence(finding.rule, finding.vault, item) for item in finding.judgement.evidence],
        "evidence_count": finding.judgement.evidence_count,
    }
