"""The JSON Schema of an explanation: `kvaudit schema explain`."""

from kvaudit.explain.explanation import Confidence, Kind
from kvaudit.model.json_schema import Schema, choice, document, items, number, or_null, record, text
from kvaudit.model.permissions import operations


def explain_schema() -> Schema:
    """Of `explain -o json` and of `Explanation.as_json()`."""
    kinds = [item.value for item in Kind]
    fix = record(
        "The smallest change, in three tongues; null where there is none to make.",
        az=text("Commands of the Azure CLI, for a POSIX shell."),
        bicep=text("A Bicep file."),
        terraform=text("HCL for the azurerm provider."),
    )
    cause = record(
        "One reason.",
        cause=text("One sentence."),
        because=text("What in the error, or in the records, says so."),
        fix=or_null(fix),
    )
    caller = record(
        "Who called, as far as the error says.",
        object_id=text("Object ID.", maybe=True),
        app_id=text("Application (client) ID.", maybe=True),
        tenant_id=text("Of the token.", maybe=True),
        name=text("As the error writes it.", maybe=True),
        address=text("Of the client, where the firewall names it.", maybe=True),
    )
    schema = record(
        "An error, explained.",
        kind=choice(kinds, "What went wrong."),
        confidence=choice(
            [item.value for item in Confidence],
            "certain: the service's own code or phrase says this and nothing else; likely: it points there; unknown: neither.",
        ),
        also=items(choice(kinds, "A kind."), "Other kinds that the text shows as well; then nothing is certain."),
        status=number("HTTP status.", maybe=True),
        operation=choice([*(item.word for item in operations()), None], "Permission word of the data plane."),
        data_action=text("Data action or control-plane action that was refused.", maybe=True),
        caller=caller,
        vault=text("Its name.", maybe=True),
        object=text("`secrets/NAME`, or null.", maybe=True),
        causes=items(cause, "The likeliest first."),
        next_step=text("What to do now."),
    )
    return document("explain", "kvaudit explain -o json", schema)
