"""The JSON Schemas of what kvaudit writes for programs, and of the contracts that it reads: `kvaudit schema KIND`.

They say what is promised: every key that is always there, its type and its meaning. Later versions add keys and never
rename one, so that a document with more keys than a schema knows is valid.
"""

from collections.abc import Callable, Mapping

from kvaudit.access.answers import CitationKind
from kvaudit.access.escalation import ROUTES, Confidence, Effect
from kvaudit.access.near import Miss
from kvaudit.contracts.schema import json_schema as contracts_schema
from kvaudit.model.answers import Answer
from kvaudit.model.json_schema import Schema, choice, document, flag, items, number, record, text
from kvaudit.model.permissions import operations
from kvaudit.model.vaults import PermissionModel, PermissionModelSource


def _table(values: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": values, "description": description}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _definitions() -> dict[str, Schema]:
    answers: list[str | None] = [item.value for item in Answer]
    return {
        "operation": choice([item.word for item in operations()], "A permission word of the data plane."),
        "answer": choice(answers, "What one principal may do. Never two-valued: unknown names what was not read."),
        "object": {"type": ["string", "null"], "description": "`secrets/NAME`, or null for the vault itself."},
        "gap": record(
            "Something that could not be read.",
            id=text("Stable: the same gap has the same id in every run."),
            kind=text("Kind of record that is missing."),
            scope=text("Where it is missing, as it was asked."),
            reason=text("What happened."),
            status=number("HTTP status; null when there was no answer.", maybe=True),
            code=text("The service's error code.", maybe=True),
            permission=text("What would close the gap.", maybe=True),
            retryable=flag("Whether asking again may succeed."),
            asked_at=text("ISO 8601 UTC time of the last attempt.", maybe=True),
        ),
        "citation": record(
            "A record that an answer rests on.",
            kind=choice([item.value for item in CitationKind], "What kind of record."),
            id=text(
                "Resource ID of the record; of an access policy the vault's with #accessPolicies/N; of a gap its id."
            ),
            scope=text("Where the record stands.", maybe=True),
            role=text("Name of the role.", maybe=True),
            groups=items(
                {"type": "string"}, "Object IDs from the group that the record names down to the principal's."
            ),
            condition=text("Condition, or the activation that is missing.", maybe=True),
            ends=text("ISO 8601 end of a time-bound grant.", maybe=True),
            answer=_ref("answer"),
        ),
    }


def _document(name: str, title: str, schema: Schema) -> Schema:
    return document(name, title, schema, _definitions())


def _citations(description: str) -> Schema:
    return items(_ref("citation"), description)


def _gaps(description: str) -> Schema:
    return items(_ref("gap"), description)


def _one_or_several(question: Schema, several: Schema) -> Schema:
    return {"anyOf": [question, several]}


def _route() -> Schema:
    return record(
        "A route to data of somebody who does not hold it.",
        route=choice([item.id for item in ROUTES], "Which route."),
        title=text("What it is called."),
        principal_id=text("Object ID; null for somebody outside the directory.", maybe=True),
        principal_type=text("User, Group, ServicePrincipal, …", maybe=True),
        display_name=text("The tenant's text.", maybe=True),
        answer=_ref("answer"),
        confidence=choice([item.value for item in Confidence], "How well established the route is."),
        effect=choice([item.value for item in Effect], "What it leads to."),
        permission_model=choice(
            [*(item.value for item in PermissionModel), None], "The model that it depends on; null: it exists in both."
        ),
        steps=text("What its holder would do."),
        actions=items({"type": "string"}, "What was found of what it takes."),
        leads_to=items(_ref("operation"), "Operations that it leads to."),
        target_id=text("Object ID of the principal as which it acts.", maybe=True),
        via=_citations("The records that give it."),
        notes=items({"type": "string"}, "What is uncertain about it."),
    )


def _not_assessed() -> Schema:
    return record(
        "Records of routes that were neither read nor refused.",
        kind=text("Kind of record."),
        routes=items({"type": "string"}, "Routes that rest on them."),
        missing=number("For how many things that matter they were not collected."),
        of=number("How many there are."),
    )


def _who_can() -> Schema:
    holder = record(
        "Somebody whose answer is not denied.",
        optional={"escalation": items({"type": "string"}, "Routes by which the principal can reach it: E1, …")},
        principal_id=text("Object ID; null for whoever a gap hides.", maybe=True),
        principal_type=text("User, Group, ServicePrincipal, …", maybe=True),
        display_name=text("The tenant's text.", maybe=True),
        application_id=text("For compound identities: the application that must be acting.", maybe=True),
        answer=_ref("answer"),
        via=_citations("The records, those that give most first."),
    )
    question = record(
        "One operation on one vault.",
        optional={
            "escalation": items(_route(), "With --include-escalation: routes to it of those who do not hold it."),
            "not_assessed": items(_not_assessed(), "Likewise: records of routes that nobody collected."),
        },
        operation=_ref("operation"),
        vault=text("Resource ID."),
        object=_ref("object"),
        answers=items(holder, "By answer, then by object ID. Nobody else may do it, unless a gap hides somebody."),
        gaps=_gaps("What could hide another holder or changes an answer given."),
        notes=items({"type": "string"}, "Told beside the answers, which they do not change."),
    )
    several = record(
        "Several operations or vaults: `questions`, vault by vault in order of their names.",
        questions=items(question, "Each as if it had been asked alone."),
        gaps=_gaps("What hides whole vaults, when all were asked about."),
    )
    return _document("who-can", "kvaudit who-can -o json", _one_or_several(question, several))


def _can() -> Schema:
    why = choice([item.value for item in Miss], "Why it does not count.")
    near = {"allOf": [_ref("citation"), {"required": ["why"], "properties": {"why": why}}]}
    question = record(
        "One operation of one principal on one vault.",
        principal_id=text("Object ID."),
        operation=_ref("operation"),
        vault=text("Resource ID."),
        object=_ref("object"),
        answer=_ref("answer"),
        because=_citations("The records that decide; empty when no record gives it."),
        gaps=_gaps("What makes the answer unknown."),
        notes=items({"type": "string"}, "Told beside the answer, which they do not change."),
        near=items(near, "Of a denied answer: records that come near to giving it, nearest first."),
    )
    several = record(
        "Several operations.",
        questions=items(question, "In the order in which they were asked."),
        gaps=_gaps("Empty: each question has its own."),
    )
    return _document("can", "kvaudit can -o json", _one_or_several(question, several))


def _access() -> Schema:
    words = items(
        _ref("operation"), "An operation stands in exactly one of allowed, conditional, unknown; in none: denied."
    )
    header = record(
        "The first line.",
        schema={"const": "kvaudit/access/1"},
        gaps=_gaps("Everything that was not read."),
    )
    row = record(
        "Every other line: one vault or object and one principal.",
        vault_id=text("Resource ID; null where a gap hides which vault.", maybe=True),
        vault=text("Its name.", maybe=True),
        object=_ref("object"),
        principal_id=text("Object ID; null where a gap hides who.", maybe=True),
        principal_type=text("User, Group, ServicePrincipal, …", maybe=True),
        display_name=text("The tenant's text.", maybe=True),
        application_id=text("The application that must be acting, or null.", maybe=True),
        allowed=words,
        conditional=words,
        unknown=words,
        escalation=items({"type": "string"}, "Routes by which the principal can reach data: E1, …"),
        via=_citations("The records, those that give most first."),
    )
    return _document("access", "A line of kvaudit access --format ndjson", _one_or_several(header, row))


def _finding(**more: Schema) -> Schema:
    evidence = record(
        "A record that a verdict rests on.",
        fingerprint=text("Of rule, vault, principal and operation: the same in every run."),
        message=text("What the record does."),
        record_id=text("Its ID.", maybe=True),
        principal_id=text("Object ID.", maybe=True),
        operation=text("Permission word or action.", maybe=True),
        answer=_ref("answer"),
        scope=text("Where it stands.", maybe=True),
    )
    return record(
        "One rule on one vault.",
        rule=text("Id of the rule."),
        severity=text("critical, high, medium, low or info."),
        vault_id=text("Resource ID."),
        vault=text("Its name."),
        evidence=items(evidence, "At most 50; the rest is counted."),
        evidence_count=number("All of them."),
        **more,
    )


def _vault() -> Schema:
    models: list[str | None] = [*(item.value for item in PermissionModel), None]
    sources: list[str | None] = [*(item.value for item in PermissionModelSource), None]
    counts = _table({"type": "integer"}, "Principals by kind.")
    return record(
        "A vault.",
        id=text("Resource ID."),
        name=text("Its name."),
        permission_model=choice(models, "null when its properties were not read."),
        permission_model_source=choice(sources, "How the property stood in what Azure sent."),
        subscription_id=text("Subscription.", maybe=True),
        resource_group=text("Resource group.", maybe=True),
        location=text("Region.", maybe=True),
        tenant_id=text("The tenant that the vault trusts.", maybe=True),
        tags=_table({"type": "string"}, "The tenant's text."),
        enable_purge_protection=flag("As Azure sent it.", maybe=True),
        enable_soft_delete=flag("As Azure sent it.", maybe=True),
        public_network_access=text("As Azure sent it.", maybe=True),
        network_default_action=text("Of the firewall.", maybe=True),
        access_policies=number("Entries; null when the list was absent.", maybe=True),
        readers=record(
            "Who can do `operation`, by answer.",
            operation=_ref("operation"),
            allowed=counts,
            conditional=counts,
            unknown=counts,
            people_in_groups=number("People who hold it through groups only."),
            allowed_with_members=number("Different principals who hold it, with every member of the groups that do."),
            on_single_objects=number("Principals who hold it on single secrets only."),
            more_may_be_hidden=flag("Whether a gap may hide further ones."),
        ),
    )


def _control() -> Schema:
    return record(
        "A control of a framework.",
        framework=text("Its name."),
        version=text("Its version."),
        id=text("Of the control."),
        title=text("Of the control."),
    )


def _rule() -> Schema:
    return record(
        "A rule.",
        id=text("Its id."),
        severity=text("critical, high, medium, low or info."),
        title=text("What is wrong."),
        needs=items({"type": "string"}, "Kinds of records that it rests on."),
    )


def _audit() -> Schema:
    coverage = record(
        "One kind of record.",
        asked=number("Listings asked."),
        read=number("Listings read to their end."),
        items=number("Records."),
        gaps=items({"type": "string"}, "Ids of gaps."),
    )
    touches = record(
        "What the gap makes unknown.",
        vaults=number("Vaults."),
        answers=number("Rows of access."),
        verdicts=number("Verdicts."),
    )
    schema = record(
        "The whole audit but the rows of access.",
        schema={"const": "kvaudit/audit/1"},
        tool=record("Who judged.", name=text("kvaudit"), version=text("Its version.")),
        generated_at=text("ISO 8601 UTC time of judging."),
        collected_at=text("ISO 8601 UTC time of collecting.", maybe=True),
        tenant_id=text("The tenant that was asked.", maybe=True),
        scope=_table(items({"type": "string"}, "Values."), "What was asked, in the words of the command line."),
        coverage=_table(coverage, "By kind of record."),
        gaps=items(
            {"allOf": [_ref("gap"), {"required": ["touches"], "properties": {"touches": touches}}]}, "Every gap."
        ),
        readiness=_table({"type": ["string", "integer", "null"]}, "Vaults by permission model, for 2027-02-27."),
        rules=items(_rule(), "Every rule."),
        verdicts=_table(
            _table({"type": "integer"}, "pass, fail, unknown, not_applicable: vaults."), "Counts by the rule's id."
        ),
        controls=_table(
            _control(), "Controls of published frameworks that findings name, by framework, version and id."
        ),
        vaults=items(_vault(), "Every vault, by name."),
        findings=items(
            _finding(
                message=text("What is wrong."),
                fingerprint=text("Of rule and vault."),
                fix=items({"type": "string"}, "Commands."),
                controls=items({"type": "string"}, "Keys of `controls`."),
            ),
            "Failed verdicts, most severe first.",
        ),
        not_assessed=items(_not_assessed(), "Records of routes to data that nobody collected."),
        managed_hsms=items(
            record("A managed HSM.", id=text("Resource ID."), name=text("Its name.")),
            "Managed HSMs: listed, and not assessed.",
        ),
        unknown_verdicts=items(
            _finding(reason=text("Why it is unknown."), gaps=items({"type": "string"}, "Ids of gaps.")),
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
