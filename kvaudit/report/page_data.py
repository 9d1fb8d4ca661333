"""The data of the HTML report: everything that its tables, sections and searches show, as columns of numbers.

Read by `reports/templates/js/data.js`; -1 stands for none everywhere.
"""

from collections import defaultdict
from typing import Any

from kvaudit.access.answers import Citation, Holding
from kvaudit.access.escalation import ROUTES
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operations, words_of
from kvaudit.model.vaults import Vault
from kvaudit.report.audit import Audit, Finding
from kvaudit.report.page_codec import Phrases, Table
from kvaudit.report.readers import READ_SECRETS, Kind, Readers, kind_of
from kvaudit.report.sentences import citation_sentence, principal_name
from kvaudit.report.text import visible
from kvaudit.rules.judgement import Severity

ROWS_KEPT = 200_000
"""Different rows of access kept in the page: it opens in under two seconds with these. Vaults with the worst findings
come first; of the others the page says that their rows stand in access.csv."""

_ROUTES = tuple(item.id for item in ROUTES)
KINDS = tuple(kind.value for kind in Kind)
ANSWERS = tuple(answer.value for answer in Answer)
SEVERITIES = tuple(severity.value for severity in Severity)


class PageData:
    """Collects the data of one page.

    Args:
        audit: what to show.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._phrases = Phrases()
        self._sets: Table[int] = Table()
        self._rows: Table[tuple[Any, ...]] = Table()
        self._principals: Table[str] = Table()
        self._recorded: dict[str, str | None] = {}
        self._because: dict[tuple[Citation, str | None], int] = {}
        self._lists: Table[tuple[Any, ...]] = Table()
        self._gap_numbers = {gap.id: number for number, gap in enumerate(audit.gaps)}
        self._rule_numbers = {rule.id: number for number, rule in enumerate(audit.rules)}
        self.vaults = sorted(audit.estate.vaults, key=lambda item: (item.name.casefold(), item.scope))
        self._numbers = {vault.scope: number for number, vault in enumerate(self.vaults)}
        self.vaults_without_rows = 0

    def build(self) -> dict[str, Any]:
        """The whole of it, as JSON values."""
        findings = self._findings(self._audit.findings)
        unknowns = self._findings(self._audit.unknowns)
        rows = self._rows_by_vault()
        vaults = self._vault_columns(rows)
        principals = self._principal_columns()
        return {
            "words": [item.word for item in operations()],
            "read": next(item.bit for item in operations() if item.word == READ_SECRETS),
            "kinds": KINDS,
            "answers": ANSWERS,
            "severities": SEVERITIES,
            "models": ["azure_rbac", "access_policies"],
            "rules": [
                {"id": rule.id, "severity": rule.severity.rank, "title": rule.title} for rule in self._audit.rules
            ],
            "routes": [{"id": item.id, "title": item.title, "confidence": item.confidence.value} for item in ROUTES],
            "gaps": [visible(f"{gap.kind} at {gap.scope}: {gap.reason}") for gap in self._audit.gaps],
            "gapIds": [gap.id for gap in self._audit.gaps],
            "vaults": vaults,
            "principals": principals,
            "findings": findings,
            "unknowns": unknowns,
            "rows": self._rows.items,
            "lists": self._lists.items,
            "sets": [[_bit(word) for word in words_of(mask)] for mask in self._sets.items],
            "phrases": self._phrases.phrases.items,
            "guids": self._phrases.guid_digits,
            "strings": self._phrases.strings.items,
        }

    def _name(self, principal_id: str | None) -> str:
        return principal_name(self._audit.estate, principal_id)

    def _principal(self, principal_id: str | None, recorded: str | None = None) -> int:
        if principal_id is None:
            return -1
        if recorded is not None:
            self._recorded.setdefault(principal_id, recorded)
        return self._principals.number(principal_id)

    def _rows_by_vault(self) -> list[list[int] | int]:
        """The numbers of each vault's rows; -1 for a vault whose rows are not kept."""
        worst: defaultdict[str, int] = defaultdict(lambda: len(SEVERITIES))
        for finding in self._audit.findings:
            worst[finding.vault.scope] = min(worst[finding.vault.scope], finding.rule.severity.rank)
        table: list[list[int] | int] = [-1] * len(self.vaults)
        for vault in sorted(self.vaults, key=lambda item: (worst[item.scope], self._numbers[item.scope])):
            if len(self._rows) >= ROWS_KEPT:
                self.vaults_without_rows += 1
                continue
            subject = self._audit.access.subject(vault)
            access = self._audit.access
            holdings = (
                *access.escalating(vault, subject.holdings),
                *access.with_routes_only(vault, subject.holdings),
                *subject.object_holdings,
            )
            table[self._numbers[vault.scope]] = [self._row(vault, holding) for holding in holdings]
        return table

    def _row(self, vault: Vault, holding: Holding) -> int:
        because = tuple(self._citation(vault, item, holding.principal_id) for item in holding.via)
        return self._rows.number(
            (
                self._principal(holding.principal_id, holding.principal_type),
                self._phrases.string(holding.object),
                self._phrases.string(holding.application_id),
                self._sets.number(holding.allowed),
                self._sets.number(holding.conditional),
                self._sets.number(holding.unknown),
                self._lists.number(tuple(_ROUTES.index(route) for route in holding.escalation)),
                *because,
            )
        )

    def _citation(self, vault: Vault, citation: Citation, principal_id: str | None) -> int:
        key = (citation, principal_id)
        number = self._because.get(key)
        if number is None:
            text = citation_sentence(self._audit.estate, citation, principal_id)
            number = self._phrases.phrase(text, vault, self._name(principal_id) if principal_id else None)
            if citation.scope != vault.scope:
                # Told of many vaults: without places of this one, it is the same phrase for all of them.
                number = self._phrases.phrase(text)
            self._because[key] = number
        return number

    def _findings(self, findings: tuple[Finding, ...]) -> dict[str, list[int]]:
        columns: dict[str, list[int]] = {
            name: [] for name in ("vault", "rule", "message", "evidence", "count", "fix", "gaps")
        }
        for finding in findings:
            vault, judgement = finding.vault, finding.judgement
            columns["vault"].append(self._numbers[vault.scope])
            columns["rule"].append(self._rule_numbers[finding.rule.id])
            columns["message"].append(self._phrases.phrase(judgement.message, vault))
            columns["count"].append(judgement.evidence_count)
            columns["fix"].append(
                self._lists.number(tuple(self._phrases.phrase(line, vault) for line in judgement.fix))
            )
            columns["gaps"].append(
                self._lists.number(
                    tuple(self._gap_numbers[gap] for gap in sorted(judgement.gaps) if gap in self._gap_numbers)
                )
            )
            columns["evidence"].append(self._evidence(finding))
        return columns

    def _evidence(self, finding: Finding) -> int:
        """The number of a list that holds message, record and principal of each piece of evidence, one after the other."""
        flat = []
        for item in finding.judgement.evidence:
            name = self._audit.estate.principal(item.principal_id).display_name if item.principal_id else None
            flat.append(self._phrases.phrase(item.message, finding.vault, name))
            flat.append(self._phrases.phrase(item.record_id, finding.vault))
            flat.append(self._principal(item.principal_id))
        return self._lists.number(tuple(flat))

    def _vault_columns(self, rows: list[list[int] | int]) -> dict[str, list[Any]]:
        names = {item.subscription_id: item.display_name for item in self._audit.estate.subscriptions}
        columns: defaultdict[str, list[Any]] = defaultdict(list)
        for number, vault in enumerate(self.vaults):
            values = self._vault(vault, names) | _reader_numbers(self._audit.readers.get(vault.scope, Readers()))
            for key, value in values.items():
                columns[key].append(value)
            columns["rows"].append(rows[number])
        return dict(columns)

    def _vault(self, vault: Vault, names: dict[str, str | None]) -> dict[str, int]:
        string = self._phrases.string
        model = (
            -1 if vault.permission_model is None else ("azure_rbac", "access_policies").index(vault.permission_model)
        )
        return {
            "name": string(vault.name),
            "id": self._phrases.phrase(vault.id, name=vault.name),
            "subscription": string(names.get(vault.subscription_id or "") or vault.subscription_id),
            "group": string(vault.resource_group),
            "location": string(vault.location),
            "tags": string(", ".join(f"{key}={value}" for key, value in sorted(vault.tags.items())) or None),
            "model": model,
            "source": string(vault.permission_model_source),
            "network": string(_network(vault)),
            "purge": -1 if vault.permission_model is None else int(bool(vault.enable_purge_protection)),
        }

    def _principal_columns(self) -> dict[str, list[int]]:
        columns: defaultdict[str, list[int]] = defaultdict(list)
        estate = self._audit.estate
        for principal_id in self._principals.items:
            principal = estate.principal(principal_id)
            kind = kind_of(principal, self._recorded.get(principal_id))
            columns["id"].append(self._phrases.phrase(principal_id))
            columns["name"].append(self._phrases.string(principal.display_name))
            columns["label"].append(self._phrases.string(self._name(principal_id)))
            columns["kind"].append(KINDS.index(kind))
            columns["state"].append(self._phrases.string(principal.state.value))
            columns["account"].append(self._phrases.string(principal.user_principal_name or principal.app_id))
        return dict(columns)


def _bit(word: str) -> int:
    return next(item.bit for item in operations() if item.word == word)


def _reader_numbers(readers: Readers) -> dict[str, int]:
    others = (Kind.FOREIGN, Kind.UNRESOLVED)
    return {
        "people": readers.of(Answer.ALLOWED, Kind.PERSON),
        "guests": readers.of(Answer.ALLOWED, Kind.GUEST),
        "groups": readers.of(Answer.ALLOWED, Kind.GROUP),
        "members": readers.members,
        "workloads": readers.of(Answer.ALLOWED, Kind.WORKLOAD),
        "others": sum(readers.of(Answer.ALLOWED, kind) for kind in others),
        "conditional": readers.total(Answer.CONDITIONAL),
        "unknown": readers.total(Answer.UNKNOWN),
        "objects": readers.on_objects,
        "hidden": int(readers.hidden),
    }


def _network(vault: Vault) -> str | None:
    if vault.permission_model is None:
        return None
    if (vault.public_network_access or "").casefold() == "disabled":
        return "private endpoints only"
    if vault.network_acls is not None and (vault.network_acls.default_action or "").casefold() == "deny":
        return "selected networks"
    return "every network"
