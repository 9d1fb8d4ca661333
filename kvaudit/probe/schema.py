"""The JSON Schema of a run of probes: `kvaudit schema probe`."""

from kvaudit.model.answers import Answer
from kvaudit.model.json_schema import Schema, choice, document, flag, items, number, or_null, record, text
from kvaudit.model.permissions import operations
from kvaudit.probe.differences import Agreement, Reason
from kvaudit.probe.results import Outcome, State

_OUTCOMES = [item.value for item in Outcome]


def probe_schema() -> Schema:
    """Of `probe -o json`, and of `probe.json` that `scan --probe` writes."""
    schema = record(
        "A run of probes.",
        identity=record(
            "Who asked, as the token says.",
            object_id=text("Object ID.", maybe=True),
            app_id=text("Application (client) ID.", maybe=True),
            tenant_id=text("Tenant.", maybe=True),
            name=text("Display name or user principal name.", maybe=True),
        ),
        records=record(
            "What the vaults are compared with.",
            source=choice(["snapshot", "live", "none"], "Where the records come from."),
            collected_at=text("ISO 8601 UTC time of collecting.", maybe=True),
            notes=items({"type": "string"}, "What is missing."),
        ),
        rounds=number("How often was probed."),
        vaults=items(_vault(), "In the order in which they were asked for."),
        notes=items({"type": "string"}, "What a probe cannot show."),
    )
    return document("probe", "kvaudit probe -o json", schema)


def _vault() -> Schema:
    step = record(
        "One step on the way to the vault.",
        step=choice(["dns", "tcp", "tls", "healthstatus", "challenge"], "Which."),
        result=choice(["ok", "failed", "skipped"], "How it went."),
        detail=text("One clause."),
    )
    reachability = record(
        "Whether the vault can be reached from here; says nothing of permissions.",
        state=choice([item.value for item in State], "How far it can be reached."),
        because=text("One sentence."),
        tenant_id=text("Whose tokens the vault takes, as its challenge says.", maybe=True),
        client_address=text("The address that the vault saw.", maybe=True),
        steps=items(step, "In order."),
    )
    canary = record(
        "What became of the canary; null where none was asked for.",
        name=text("Its name; null where none was written.", maybe=True),
        because=text("Why none was written, why it is still there, or why earlier ones may be.", maybe=True),
        removal=text("The command that removes it, where it is still there.", maybe=True),
        leftovers=items({"type": "string"}, "Names of canaries of earlier runs that were found and taken away."),
    )
    hint = record(
        "Resource Manager's own list of the caller's permissions: a hint.",
        known=flag("Whether there is one to go by."),
        because=text("Why there is none.", maybe=True),
    )
    return record(
        "One vault.",
        vault=text("Its name."),
        vault_id=text("Resource ID, where it is known.", maybe=True),
        host=text("Of its endpoint."),
        reachability=reachability,
        operations=items(_operation(), "Every operation of the data plane, in the catalogue's order."),
        calls=items(_call(), "Every call that is a probe, in the order in which they are made."),
        canary=or_null(canary),
        arm_permissions=hint,
    )


def _call() -> Schema:
    return record(
        "One call.",
        call=text("Its id in the catalogue of operations: secret.listDeleted."),
        request=text("Method and path."),
        operation=choice([item.word for item in operations()], "The permission that it needs."),
        decides=flag("Whether its answer is the verdict of the operation, or stands beside it."),
        outcome=choice(_OUTCOMES, "What the vault said."),
        because=text("The call and its answer, or why there was none."),
        status=number("HTTP status.", maybe=True),
        code=text("The service's error code.", maybe=True),
    )


def _operation() -> Schema:
    difference = record(
        "One possible reason.",
        reason=choice([item.value for item in Reason], "Which."),
        because=text("What it rests on."),
    )
    return record(
        "One operation, as the vault and the records see it.",
        operation=choice([item.word for item in operations()], "Permission word."),
        outcome=choice(_OUTCOMES, "What the vault said."),
        because=text("The call and its answer, or why it was not probed.", maybe=True),
        status=number("HTTP status.", maybe=True),
        code=text("The service's error code.", maybe=True),
        expected=choice([*(item.value for item in Answer), None], "What the records say; null where there are none."),
        arm_permissions=flag("Whether Resource Manager's list shows it; null where there is none.", maybe=True),
        agreement=choice([item.value for item in Agreement], "How the two stand to each other."),
        differences=items(difference, "The likeliest first."),
    )
