"""The JSON Schema of needs read from code: `kvaudit schema inferred-needs`."""

from kvaudit.contracts.infer.catalogue import words
from kvaudit.contracts.infer.draft import SCHEMA
from kvaudit.contracts.infer.needs import Grade
from kvaudit.model.json_schema import Schema, choice, document, items, number, record, text


def inferred_needs_schema() -> Schema:
    """Of `contracts infer -o json`."""
    need = record(
        "One operation that a line asks for.",
        word=choice(sorted(set(words().values())), "The permission word that it takes."),
        operation=choice(sorted(words()), "As the service names it, finer than the word."),
        grade=choice([item.value for item in Grade], "How sure; `name only` is no need in the draft."),
        file=text("Below the folder that was read."),
        line=number("First is 1."),
        why=text("What stands there: the call, or what implies it."),
        vault=text("Its name, where that is literal.", maybe=True),
        object=text("Name of the secret, key or certificate, where that is literal.", maybe=True),
    )
    schema = record(
        "What source code asks its vaults for.",
        schema=choice([SCHEMA], "What this is."),
        files=number("Files that were looked into to their end."),
        needs=items(need, "By word, grade, file and line."),
        problems=items(text("A sentence."), "What was not looked into: needs may be missing, exit code 4."),
        notes=items(text("A sentence."), "What is good to know and takes nothing from the answer."),
    )
    return document("inferred-needs", "kvaudit contracts infer -o json", schema)
