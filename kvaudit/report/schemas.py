"""The JSON Schemas of what kvaudit writes for programs, and of the contracts that it reads: `kvaudit schema KIND`.

They say what is promised: every key that is always there, its type and its meaning. Later versions add keys and never
rename one, so that a document with more keys than a schema knows is valid.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kvaudit.access.answers import CitationKind
from kvaudit.access.escalation import ROUTES, Confidence, Effect
from kvaudit.access.near import Miss
from kvaudit.contracts.schema import json_schema as contracts_schema
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operations
from kvaudit.model.vaults import PermissionModel, PermissionModelSource

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def _text(description: str, *, maybe: bool = False) -> Schema:
    return {"type": ["string", "null"] if maybe else "string", "description": description}


def _number(description: str, *, maybe: bool = False) -> Schema:
    return {"type": ["integer", "null"] if maybe else "integer", "description": description}


def _flag(description: str, *, maybe: bool = False) -> Schema:
    return {"type": ["boolean", "null"] if maybe else "boolean", "description": description}


def _list(item: Schema, description: str) -> Schema:
    return {"type": "array", "items": item, "description": description}


def _choice(values: list[str | None], description: str) -> Schema:
    return {"enum": values, "description": description}


def _object(description: str, *, optional: Mapping[str, Schema] | None = None, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": {**properties, **(optional or {})},
    }


def _table(values: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": values, "description": description}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _definitions() -> dict[str, Schema]:
    answers: list[str | None] = [item.value for item in Answer]
    return {
        "operation": _choice([item.word for item in operations()], "A permission word of the data plane."),
        "answer": _choice(answers, "What one principal may do. Never two-valued: unknown names what was not read."),
        "object": {"type": ["string", "null"], "description": "`secrets/NAME`, or null for the vault itself."},
        "gap": _object(
            "Something that could not be read.",
            id=_text("Stable: the same gap has the same id in every run."),
            kind=_text("Kind of record that is missing."),
            scope=_text("Where it is missing, as it was asked."),
            reason=_text("What happened."),
            status=_number("HTTP status; null when there was no answer.", maybe=True),
            code=_text("The service's error code.", maybe=True),
            permission=_text("What would close the gap.", maybe=True),
            retryable=_flag("Whether asking again may succeed."),
            asked_at=_text("ISO 8601 UTC time of the last attempt.", maybe=True),
        ),
        "citation": _object(
            "A record that an answer rests on.",
            kind=_choice([item.value for item in CitationKind], "What kind of record."),
            id=_text(
                "Resource ID of the record; of an access policy the vault's with #accessPolicies/N; of a gap its id."
            ),
            scope=_text("Where the record stands.", maybe=True),
            role=_text("Name of the role.", maybe=True),
            groups=_list(
                {"type": "string"}, "Object IDs from the group that the record names down to the principal's."
            ),
            condition=_text("Condition, or the activation that is missing.", maybe=True),
            ends=_text("ISO 8601 end of a time-bound grant.", maybe=True),
            answer=_ref("answer"),
        ),
    }


def _document(name: str, title: str, schema: Schema) -> Schema:
    return {
        "$schema": _DIALECT,
        "$id": f"urn:kvaudit:schema:{name}:1",
        "title": title,
        **schema,
        "$defs": _definitions(),
    }


def _citations(description: str) -> Schema:
    return _list(_ref("citation"), description)


def _gaps(description: str) -> Schema:
    return _list(_ref("gap"), description)


def _one_or_several(question: Schema, several: Schema) -> Schema:
    return {"anyOf": [question, several]}


def _route() -> Schema:
    return _object(
        "A route to data of somebody who does not hold it.",
        route=_choice([item.id for item in ROUTES], "Which route."),
        title=_text("What it is called."),
        principal_id=_text("Object ID; null for somebody outside the directory.", maybe=True),
        principal_type=_text("User, Group, ServicePrincipal, …", maybe=True),
        display_name=_text("The tenant's text.", maybe=True),
        answer=_ref("answer"),
        confidence=_choice([item.value for item in Confidence], "How well established the route is."),
        effect=_choice([item.value for item in Effect], "What it leads to."),
        permission_model=_choice(
            [*(item.value for item in PermissionModel), None], "The model that it depends on; null: it exists in both."
        ),
        steps=_text("What its holder would do."),
        actions=_list({"type": "string"}, "What was found of what it takes."),
        leads_to=_list(_ref("operation"), "Operations that it leads to."),
        target_id=_text("Object ID of the principal as which it acts.", maybe=True),
        via=_citations("The records that give it."),
        notes=_list({"type": "string"}, "What is uncertain about it."),
    )


def _not_assessed() -> Schema:
    return _object(
        "Records of routes that were neither read nor refused.",
        kind=_text("Kind of record."),
        routes=_list({"type": "string"}, "Routes that rest on them."),
        missing=_number("For how many things that matter they were not collected."),
        of=_number("How many there are."),
    )


def _who_can() -> Schema:
    holder = _object(
        "Somebody whose answer is not denied.",
        optional={"escalation": _list({"type": "string"}, "Routes by which the principal can reach it: E1, …")},
        principal_id=_text("Object ID; null for whoever a gap hides.", maybe=True),
        principal_type=_text("User, Group, ServicePrincipal, …", maybe=True),
        display_name=_text("The tenant's text.", maybe=True),
        application_id=_text("For compound identities: the application that must be acting.", maybe=True),
        answer=_ref("answer"),
        via=_citations("The records, those that give most first."),
    )
    question = _object(
        "One operation on one vault.",
        optional={
            "escalation": _list(_route(), "With --include-escalation: routes to it of those who do not hold it."),
            "not_assessed": _list(_not_assessed(), "Likewise: records of routes that nobody collected."),
        },
        operation=_ref("operation"),
        vault=_text("Resource ID."),
        object=_ref("object"),
        answers=_list(holder, "By answer, then by object ID. Nobody else may do it, unless a gap hides somebody."),
        gaps=_gaps("What could hide another holder or changes an answer given."),
        notes=_list({"type": "string"}, "Told beside the answers, which they do not change."),
    )
    several = _object(
        "Several operations or vaults: `questions`, vault by vault in order of their names.",
        questions=_list(question, "Each as if it had been asked alone."),
        gaps=_gaps("What hides whole vaults, when all were asked about."),
    )
    return _document("who-can", "kvaudit who-can -o json", _one_or_several(question, several))


def _can() -> Schema:
    why = _choice([item.value for item in Miss], "Why it does not count.")
    near = {"allOf": [_ref("citation"), {"required": ["why"], "properties": {"why": why}}]}
    question = _object(
        "One operation of one principal on one vault.",
        principal_id=_text("Object ID."),
        operation=_ref("operation"),
        vault=_text("Resource ID."),
        object=_ref("object"),
        answer=_ref("answer"),
        because=_citations("The records that decide; empty when no record gives it."),
        gaps=_gaps("What makes the answer unknown."),
        notes=_list({"type": "string"}, "Told beside the answer, which they do not change."),
        near=_list(near, "Of a denied answer: records that come near to giving it, nearest first."),
    )
    several = _object(
        "Several operations.",
        questions=_list(question, "In the order in which they were asked."),
        gaps=_gaps("Empty: each question has its own."),
    )
    return _document("can", "kvaudit can -o json", _one_or_several(question, several))


def _access() -> Schema:
    words = _list(
        _ref("operation"), "An operation stands in exactly one of allowed, conditional, unknown; in none: denied."
    )
    header = _object(
        "The first line.",
        schema={"const": "kvaudit/access/1"},
        gaps=_gaps("Everything that was not read."),
    )
    row = _object(
        "Every other line: one vault or object and one principal.",
        vault_id=_text("Resource ID; null where a gap hides which vault.", maybe=True),
        vault=_text("Its name.", maybe=True),
        object=_ref("object"),
        principal_id=_text("Object ID; null where a gap hides who.", maybe=True),
        principal_type=_text("User, Group, ServicePrincipal, …", maybe=True),
        display_name=_text("The tenant's text.", maybe=True),
        application_id=_text("The application that must be acting, or null.", maybe=True),
        allowed=words,
        conditional=words,
        unknown=words,
        escalation=_list({"type": "string"}, "Routes by which the principal can reach data: E1, …"),
        via=_citations("The records, those that give most first."),
    )
    return _document("access", "A line of kvaudit access --format ndjson", _one_or_several(header, row))


def _finding(**more: Schema) -> Schema:
    evidence = _object(
        "A record that a verdict rests on.",
        fingerprint=_text("Of rule, vault, principal and operation: the same in every run."),
        message=_text("What the record does."),
        record_id=_text("Its ID.", maybe=True),
        principal_id=_text("Object ID.", maybe=True),
        operation=_text("Permission word or action.", maybe=True),
        answer=_ref("answer"),
        scope=_text("Where it stands.", maybe=True),
    )
    return _object(
        "One rule on one vault.",
        rule=_text("Id of the rule."),
        severity=_text("critical, high, medium, low or info."),
        vault_id=_text("Resource ID."),
        vault=_text("Its name."),
        evidence=_list(evidence, "At most 50; the rest is counted."),
        evidence_count=_number("All of them."),
        **more,
    )


def _vault() -> Schema:
    models: list[str | None] = [*(item.value for item in PermissionModel), None]
    sources: list[str | None] = [*(item.value for item in PermissionModelSource), None]
    counts = _table({"type": "integer"}, "Principals by kind.")
    return _object(
        "A vault.",
        id=_text("Resource ID."),
        name=_text("Its name."),
        permission_model=_choice(models, "null when its properties were not read."),
        permission_model_source=_choice(sources, "How the property stood in what Azure sent."),
        subscription_id=_text("Subscription.", maybe=True),
        resource_group=_text("Resource group.", maybe=True),
        location=_text("Region.", maybe=True),
        tenant_id=_text("The tenant that the vault trusts.", maybe=True),
        tags=_table({"type": "string"}, "The tenant's text."),
        enable_purge_protection=_flag("As Azure sent it.", maybe=True),
        enable_soft_delete=_flag("As Azure sent it.", maybe=True),
        public_network_access=_text("As Azure sent it.", maybe=True),
        network_default_action=_text("Of the firewall.", maybe=True),
        access_policies=_number("Entries; null when the list was absent.", maybe=True),
        readers=_object(
            "Who can do `operation`, by answer.",
            operation=_ref("operation"),
            allowed=counts,
            conditional=counts,
            unknown=counts,
            people_in_groups=_number("People who hold it through groups only."),
            on_single_objects=_number("Principals who hold it on single secrets only."),
            more_may_be_hidden=_flag("Whether a gap may hide further ones."),
        ),
    )


def _control() -> Schema:
    return _object(
        "A control of a framework.",
        framework=_text("Its name."),
        version=_text("Its version."),
        id=_text("Of the control."),
        title=_text("Of the control."),
    )


def _audit() -> Schema:
    coverage = _object(
        "One kind of record.",
        asked=_number("Listings asked."),
        read=_number("Listings read to their end."),
        items=_number("Records."),
        gaps=_list({"type": "string"}, "Ids of gaps."),
    )
    touches = _object(
        "What the gap makes unknown.",
        vaults=_number("Vaults."),
        answers=_number("Rows of access."),
        verdicts=_number("Verdicts."),
    )
    rule = _object(
        "A rule.",
        id=_text("Its id."),
        severity=_text("critical, high, medium, low or info."),
        title=_text("What is wrong."),
        needs=_list({"type": "string"}, "Kinds of records that it rests on."),
    )
    schema = _object(
        "The whole audit but the rows of access.",
        schema={"const": "kvaudit/audit/1"},
        tool=_object("Who judged.", name=_text("kvaudit"), version=_text("Its version.")),
        generated_at=_text("ISO 8601 UTC time of judging."),
        collected_at=_text("ISO 8601 UTC time of collecting.", maybe=True),
        tenant_id=_text("The tenant that was asked.", maybe=True),
        scope=_table(_list({"type": "string"}, "Values."), "What was asked, in the words of the command line."),
        coverage=_table(coverage, "By kind of record."),
        gaps=_list(
            {"allOf": [_ref("gap"), {"required": ["touches"], "properties": {"touches": touches}}]}, "Every gap."
        ),
        readiness=_table({"type": ["string", "integer", "null"]}, "Vaults by permission model, for 2027-02-27."),
        rules=_list(rule, "Every rule."),
        verdicts=_table(
            _table({"type": "integer"}, "pass, fail, unknown, not_applicable: vaults."), "Counts by the rule's id."
        ),
        controls=_table(
            _control(), "Controls of published frameworks that findings name, by framework, version and id."
        ),
        vaults=_list(_vault(), "Every vault, by name."),
        findings=_list(
            _finding(
                message=_text("What is wrong."),
                fingerprint=_text("Of rule and vault."),
                fix=_list({"type": "string"}, "Commands."),
                controls=_list({"type": "string"}, "Keys of `controls`."),
            ),
            "Failed verdicts, most severe first.",
        ),
        not_assessed=_list(_not_assessed(), "Records of routes to data that nobody collected."),
        unknown_verdicts=_list(
            _finding(reason=_text("Why it is unknown."), gaps=_list({"type": "string"}, "Ids of gaps.")),
            "Verdicts that could not be reached.",
        ),
    )
    return _document("audit", "findings.json", schema)


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "access": _access,
    "audit": _audit,
    "can": _can,
    "contracts": contracts_schema,
    "who-can": _who_can,
}
"""Every published schema by its name."""
