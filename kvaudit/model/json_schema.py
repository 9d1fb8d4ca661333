"""Parts of a JSON Schema (draft 2020-12): what every published schema is written in, room by room."""

from collections.abc import Mapping, Sequence
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def text(description: str, *, maybe: bool = False) -> Schema:
    """A string; null too where `maybe`."""
    return {"type": ["string", "null"] if maybe else "string", "description": description}


def number(description: str, *, maybe: bool = False) -> Schema:
    """A whole number; null too where `maybe`."""
    return {"type": ["integer", "null"] if maybe else "integer", "description": description}


def flag(description: str, *, maybe: bool = False) -> Schema:
    """A truth value; null too where `maybe`."""
    return {"type": ["boolean", "null"] if maybe else "boolean", "description": description}


def items(item: Schema, description: str) -> Schema:
    """A list."""
    return {"type": "array", "items": item, "description": description}


def choice(values: Sequence[str | None], description: str) -> Schema:
    """One of these values."""
    return {"enum": list(values), "description": description}


def record(description: str, *, optional: Mapping[str, Schema] | None = None, **properties: Schema) -> Schema:
    """An object whose named keys are always there; others may be."""
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": {**properties, **(optional or {})},
    }


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def document(name: str, title: str, schema: Schema, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """A whole schema of version 1."""
    whole = {"$schema": DIALECT, "$id": f"urn:kvaudit:schema:{name}:1", "title": title, **schema}
    return whole | ({"$defs": dict(definitions)} if definitions else {})
