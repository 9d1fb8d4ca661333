"""Which keys of a document no schema names."""

from collections.abc import Iterable
from typing import Any


def undescribed(value: Any, schemas: list[Any], root: Any, path: str = "") -> Iterable[str]:
    """The places of keys that no schema in sight names."""
    known = [part for schema in schemas for part in parts(schema, root)]
    if isinstance(value, list):
        inner = [part["items"] for part in known if "items" in part]
        for item in value:
            yield from undescribed(item, inner, root, f"{path}[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            named = [part["properties"][key] for part in known if key in part.get("properties", {})]
            named += [part["additionalProperties"] for part in known if "additionalProperties" in part]
            if named:
                yield from undescribed(item, named, root, f"{path}.{key}")
            else:
                yield f"{path}.{key}"


def parts(schema: Any, root: Any) -> Iterable[Any]:
    """A schema and those that it is made of."""
    if "$ref" in schema:
        yield from parts(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    yield schema
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from parts(inner, root)
