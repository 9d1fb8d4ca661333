"""What the HTML page shows, prepared for its template: plain values, in the order in which they are shown."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from kvaudit.access.answers import Holding
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import words_of
from kvaudit.model.vaults import PermissionModel, PermissionModelSource, Vault
from kvaudit.report.audit import Audit, Finding
from kvaudit.report.controls import controls_of
from kvaudit.report.gap_words import closing, gap_place, touches, weight
from kvaudit.report.grouping import RuleFindings, by_rule
from kvaudit.report.sentences import citation_sentence, principal_name, scope_name
from kvaudit.report.text import counted
from kvaudit.rules.judgement import Severity

SECTIONS_KEPT = 500
"""Vaults that have a section of their own; the rest is in the tables, findings.json and access.csv."""

FINDINGS_SHOWN = 200
EVIDENCE_SHOWN = 10
HOLDERS_SHOWN = 100


class View:
    """Everything that the template asks for.

    Args:
        audit: what to show.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self.worst: dict[str, Severity] = {}
        for finding in audit.findings:
            severity = finding.rule.severity
            if finding.vault.scope not in self.worst or severity.rank < self.worst[finding.vault.scope].rank:
                self.worst[finding.vault.scope] = severity
        self.order = sorted(audit.estate.vaults, key=lambda item: (self._rank(item), item.name.casefold(), item.scope))
        self.numbers = {vault.scope: number for number, vault in enumerate(self.order)}
        self.holdings: list[Holding] = list(audit.access.rows())
        self._by_vault: defaultdict[str, list[Holding]] = defaultdict(list)
        for holding in self.holdings:
            if holding.vault_id is not None:
                self._by_vault[holding.vault_id].append(holding)
        principals = sorted(
            {holding.principal_id for holding in self.holdings if holding.principal_id},
            key=lambda item: (principal_name(audit.estate, item).casefold(), item),
        )
        self.principal_numbers = {principal: number for number, principal in enumerate(principals)}

    def _rank(self, vault: Vault) -> int:
        return self.worst[vault.scope].rank if vault.scope in self.worst else len(Severity)

    @property
    def title(self) -> str:
        """What the report is about, for the heading."""
        return f"{counted(len(self._audit.estate.vaults), 'key vault')}"

    @property
    def scope(self) -> str:
        """What was asked for, in the words of the command line."""
        return ", ".join(f"{key.replace('_', ' ')}: {', '.join(values)}" for key, values in self._audit.scope.items())

    @property
    def listings_asked(self) -> int:
        """Listings that were asked."""
        return sum(item.asked for item in self._audit.coverage.values())

    @property
    def listings_read(self) -> int:
        """Listings that were read to their end."""
        return sum(item.read for item in self._audit.coverage.values())

    @cached_property
    def gaps(self) -> list[dict[str, str]]:
        """Gaps, those that matter most first."""
        audit = self._audit
        ranked = sorted(audit.gaps, key=lambda gap: (-weight(audit, gap), gap.kind, gap.scope))
        return [
            {
                "id": gap.id,
                "what": gap.kind.replace("_", " "),
                "where": gap_place(audit, gap),
                "why": gap.reason,
                "touches": touches(audit, gap),
                "closing": closing(gap),
            }
            for gap in ranked
        ]

    @property
    def coverage(self) -> list[dict[str, Any]]:
        """Counts by kind of record."""
        return [
            {"kind": kind.replace("_", " "), "asked": item.asked, "read": item.read, "items": item.items}
            for kind, item in sorted(self._audit.coverage.items())
        ]

    @property
    def deadline(self) -> str:
        """How long it is until 2027-02-27, or since."""
        days = self._audit.readiness.days_left
        return f"{counted(days, 'day')} left." if days >= 0 else f"It was {counted(-days, 'day')} ago."

    @property
    def models(self) -> list[dict[str, Any]]:
        """Counts by permission model."""
        item = self._audit.readiness
        rows = (
            (item.azure_rbac, "Azure RBAC", ""),
            (item.access_policies, "access policies", "written down; legacy, still supported"),
            (item.null + item.absent, "access policies, not written down", "Azure RBAC if created again"),
            (item.unread, "could not be read", ""),
        )
        return [{"number": number, "name": name, "note": note} for number, name, note in rows]

    @cached_property
    def rules(self) -> list[dict[str, Any]]:
        """Rules that failed or could not decide, most severe first."""
        return [self._rule(item) for item in by_rule(self._audit) if item.findings or item.unknowns]

    def _rule(self, item: RuleFindings) -> dict[str, Any]:
        counts = [f"{counted(len(item.findings), 'vault')} failed"] if item.findings else []
        counts += [f"{counted(len(item.unknowns), 'vault')} not decided"] if item.unknowns else []
        frameworks: defaultdict[str, list[str]] = defaultdict(list)
        for control in controls_of(item.rule):
            frameworks[f"{control.framework} {control.version}"].append(control.id)
        shown = [
            f"{name}: {', '.join(ids)}" for name, ids in frameworks.items() if name.startswith(("CIS", "Microsoft"))
        ]
        return {
            "id": item.rule.id,
            "severity": item.rule.severity.value,
            "title": item.rule.title,
            "counts": ", ".join(counts),
            "controls": "; ".join(shown[-3:]),
            "routes": [{"vaults": route.vaults, "message": route.evidence.message} for route in item.routes[:10]],
            "findings": [self._finding(finding) for finding in item.findings[:FINDINGS_SHOWN]],
            "unknowns": [f"{found.vault.name}: {found.judgement.message}" for found in item.unknowns[:FINDINGS_SHOWN]],
        }

    def _finding(self, finding: Finding) -> dict[str, Any]:
        judgement = finding.judgement
        evidence = judgement.evidence[:EVIDENCE_SHOWN]
        return {
            "vault": finding.vault.name,
            "number": self.numbers[finding.vault.scope],
            "message": judgement.message,
            "evidence": [
                {"message": item.message, "record": item.record_id, "answer": item.answer.value} for item in evidence
            ],
            "more": judgement.evidence_count - len(evidence),
            "fix": "\n".join(judgement.fix),
        }

    @property
    def vaults_cut(self) -> int:
        """Vaults without a section of their own."""
        return max(0, len(self.order) - SECTIONS_KEPT)

    @cached_property
    def vaults(self) -> list[dict[str, Any]]:
        """A section per vault."""
        titles: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        for finding in self._audit.findings:
            rule = finding.rule
            titles[finding.vault.scope].append({"id": rule.id, "severity": rule.severity.value, "title": rule.title})
        return [
            {
                "number": self.numbers[vault.scope],
                "name": vault.name,
                "id": vault.id,
                "model": model_words(vault),
                "place": self.place(vault),
                "facts": _facts(vault),
                "findings": titles[vault.scope],
                "holders": [self._holder(item) for item in self._by_vault[vault.id][:HOLDERS_SHOWN]],
            }
            for vault in self.order[:SECTIONS_KEPT]
        ]

    def place(self, vault: Vault) -> str:
        """Resource group and subscription of a vault."""
        return f"{vault.resource_group or 'no resource group'}, {self.subscription(vault)}"

    def subscription(self, vault: Vault) -> str:
        """Name of the vault's subscription."""
        return scope_name(self._audit.estate, f"/subscriptions/{vault.subscription_id}").removeprefix("subscription ")

    def _holder(self, holding: Holding) -> dict[str, Any]:
        estate = self._audit.estate
        return {
            "number": self.principal_numbers.get(holding.principal_id or "", -1),
            "name": principal_name(estate, holding.principal_id),
            "object": holding.object,
            "lines": [{"answer": answer.value, "words": words} for answer, words in answers_of(holding)],
            "because": [citation_sentence(estate, item, holding.principal_id) for item in holding.via[:EVIDENCE_SHOWN]],
        }

    @cached_property
    def principals(self) -> list[dict[str, Any]]:
        """A section per principal that a record names."""
        estate = self._audit.estate
        names = {vault.id: vault for vault in estate.vaults}
        held: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for holding in self.holdings:
            vault = names.get(holding.vault_id or "")
            if holding.principal_id is None or vault is None:
                continue
            for answer, words in answers_of(holding):
                held[holding.principal_id].append(
                    {
                        "vault": vault.name,
                        "number": self.numbers[vault.scope],
                        "object": holding.object,
                        "answer": answer.value,
                        "words": words,
                    }
                )
        return [
            {
                "number": number,
                "id": principal,
                "name": principal_name(estate, principal),
                "note": f"{estate.principal(principal).state.value.replace('_', ' ')}, holds access to {counted(len({row['number'] for row in held[principal]}), 'vault')}",
                "holdings": held[principal][:SECTIONS_KEPT],
            }
            for principal, number in list(self.principal_numbers.items())[: 4 * SECTIONS_KEPT]
        ]


def answers_of(holding: Holding) -> Iterator[tuple[Answer, str]]:
    """What a holding allows, allows on a condition, and leaves unknown: each as one line of permission words."""
    for answer, mask in (
        (Answer.ALLOWED, holding.allowed),
        (Answer.CONDITIONAL, holding.conditional),
        (Answer.UNKNOWN, holding.unknown),
    ):
        if mask:
            yield answer, ", ".join(words_of(mask))


def model_words(vault: Vault) -> str:
    """The permission model of a vault, and whether it is written down."""
    if vault.permission_model is None:
        return "model not read"
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return "Azure RBAC"
    written = vault.permission_model_source is PermissionModelSource.EXPLICIT
    return "access policies" if written else "access policies, not written down"


def _facts(vault: Vault) -> str:
    purge = "purge protection on" if vault.enable_purge_protection else "purge protection off"
    days = vault.soft_delete_retention_in_days
    network = f"public network access {vault.public_network_access or 'Enabled (not set)'}"
    firewall = vault.network_acls.default_action if vault.network_acls else None
    endpoints = counted(len(vault.private_endpoint_connections), "private endpoint")
    parts = [
        purge,
        f"soft delete {days} days" if days else "",
        network,
        f"firewall default {firewall}" if firewall else "no firewall",
        endpoints,
    ]
    return "; ".join(part for part in parts if part) + "."
