"""The form of an estate file: which keys an entry has and what stands under them.

Everything that is out of form is noted with its place and taken out of the document, so that what remains can be compiled
and the mistakes of both come out together.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kvaudit.lab.estate_yaml import Mistakes, Place, Rows, Table

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """What may stand under a key: `wanted` says it in words, `fits` decides."""

    wanted: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping with known keys.

    Attributes:
        what: what it is called in mistakes.
        keys: what may stand under each key.
        required: keys that must be there; an entry without one is dropped.
        short: the key that a plain text stands for, where one may be written instead of a mapping.
    """

    what: str
    keys: Mapping[str, "Form | Entry | Many"]
    required: tuple[str, ...] = ()
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list of entries."""

    entry: Entry


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_texts(value: Any) -> bool:
    return isinstance(value, Rows) and all(isinstance(item, str) and item for item in value)


def _is_pairs(value: Any) -> bool:
    return isinstance(value, Table) and all(isinstance(item, str) for item in value.values())


def _one_of(*words: str) -> Form:
    return Form("one of " + ", ".join(words), lambda value: value in words)


_TEXT = Form("a text", lambda value: isinstance(value, str) and value != "")
_EMPTY_TEXT = Form("a text", lambda value: isinstance(value, str))
_GUID_TEXT = Form(
    "a GUID such as 11111111-1111-1111-1111-000000000001",
    lambda value: isinstance(value, str) and _GUID.fullmatch(value) is not None,
)
_BOOL = Form("true or false", lambda value: isinstance(value, bool))
_BOOL_OR_NULL = Form("true, false or null", lambda value: value is None or isinstance(value, bool))
_NUMBER = Form("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0)
_DATE = Form("a time such as 2026-11-24T08:00:00Z", _is_date)
_TEXTS = Form("a list of texts", _is_texts)
_PAIRS = Form("a mapping of texts", _is_pairs)
_ANYTHING = Form("a mapping", lambda value: isinstance(value, Table))
_PAYLOADS = Form(
    "a list of payloads (mappings)",
    lambda value: isinstance(value, Rows) and all(isinstance(item, Table) for item in value),
)
_PRINCIPAL_TYPE = _one_of("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")

_TENANT = Entry("a tenant", {"id": _GUID_TEXT, "name": _TEXT, "domain": _TEXT}, ("id", "name"))
_BLOCK = Entry(
    "a permission block",
    {
        "actions": _TEXTS,
        "not_actions": _TEXTS,
        "data_actions": _TEXTS,
        "not_data_actions": _TEXTS,
        "condition": _TEXT,
    },
)
_POLICY = Entry(
    "an access policy",
    {
        "principal": _TEXT,
        "application": _GUID_TEXT,
        "tenant": _GUID_TEXT,
        "secrets": _TEXTS,
        "keys": _TEXTS,
        "certificates": _TEXTS,
        "storage": _TEXTS,
    },
    ("principal",),
)
_OBJECT = Entry(
    "an object of a vault",
    {
        "name": _TEXT,
        "enabled": _BOOL,
        "created": _NUMBER,
        "expires": _NUMBER,
        "content_type": _TEXT,
        "tags": _PAIRS,
        "value": _EMPTY_TEXT,
        "kty": _TEXT,
    },
    ("name",),
    short="name",
)
_VAULT = Entry(
    "a vault",
    {
        "name": _TEXT,
        "subscription": _TEXT,
        "group": _TEXT,
        "location": _TEXT,
        "tags": _PAIRS,
        "rbac": _BOOL_OR_NULL,
        "tenant": _GUID_TEXT,
        "sku": _TEXT,
        "policies": Many(_POLICY),
        "properties": _ANYTHING,
        "secrets": Many(_OBJECT),
        "keys": Many(_OBJECT),
        "certificates": Many(_OBJECT),
        "private_endpoints": _NUMBER,
        "diagnostic_settings": _TEXTS,
    },
    ("name", "subscription", "group"),
)
_PRINCIPAL: dict[str, Form | Entry | Many] = {"id": _GUID_TEXT, "name": _TEXT, "tenant": _GUID_TEXT}
_ASSIGNMENT: dict[str, Form | Entry | Many] = {
    "id": _GUID_TEXT,
    "role": _TEXT,
    "principal": _TEXT,
    "scope": _TEXT,
    "type": _PRINCIPAL_TYPE,
    "condition": _TEXT,
    "description": _EMPTY_TEXT,
    "created": _DATE,
    "delegated_managed_identity": _TEXT,
}
_SCHEDULED = _ASSIGNMENT | {"start": _DATE, "end": _DATE, "assignment_type": _one_of("Assigned", "Activated")}
_HELD = ("role", "principal", "scope")

ESTATE = Entry(
    "the estate",
    {
        "name": _TEXT,
        "tenant": _TENANT,
        "other_tenants": Many(_TENANT),
        "paging": Entry("paging", {"size": _NUMBER, "empty_pages": _BOOL}),
        "management_groups": Many(
            Entry("a management group", {"name": _TEXT, "display_name": _TEXT, "parent": _TEXT}, ("name",))
        ),
        "subscriptions": Many(
            Entry(
                "a subscription",
                {
                    "id": _GUID_TEXT,
                    "name": _TEXT,
                    "management_group": _TEXT,
                    "tenant": _GUID_TEXT,
                    "state": _one_of("Enabled", "Warned", "PastDue", "Disabled", "Deleted"),
                    "managed_by_tenants": _PAYLOADS,
                },
                ("id", "name"),
            )
        ),
        "users": Many(Entry("a user", _PRINCIPAL | {"guest": _BOOL, "upn": _TEXT, "enabled": _BOOL}, ("id", "name"))),
        "groups": Many(
            Entry(
                "a group",
                _PRINCIPAL
                | {
                    "members": _TEXTS,
                    "owners": _TEXTS,
                    "role_assignable": _BOOL,
                    "dynamic": _BOOL,
                    "hidden_members": _BOOL,
                },
                ("id", "name"),
            )
        ),
        "service_principals": Many(
            Entry(
                "a service principal",
                _PRINCIPAL
                | {
                    "app_id": _GUID_TEXT,
                    "secret": _TEXT,
                    "identity": _TEXT,
                    "graph": _TEXTS,
                    "kind": _TEXT,
                    "enabled": _BOOL,
                    "owners": _TEXTS,
                    "alternative_names": _TEXTS,
                },
                ("id", "name", "app_id"),
            )
        ),
        "applications": Many(
            Entry("an application", _PRINCIPAL | {"app_id": _GUID_TEXT, "owners": _TEXTS}, ("id", "name", "app_id"))
        ),
        "deleted_principals": Many(
            Entry(
                "a deleted principal",
                _PRINCIPAL | {"type": _one_of("user", "group", "servicePrincipal"), "deleted": _DATE},
                ("id", "name"),
            )
        ),
        "roles": Many(
            Entry(
                "a role",
                {
                    "id": _GUID_TEXT,
                    "name": _TEXT,
                    "description": _EMPTY_TEXT,
                    "assignable_scopes": _TEXTS,
                    "permissions": Many(_BLOCK),
                },
                ("name", "permissions"),
            )
        ),
        "vaults": Many(_VAULT),
        "deleted_vaults": Many(_VAULT),
        "assignments": Many(Entry("an assignment", _ASSIGNMENT, _HELD)),
        "eligible": Many(Entry("an eligible assignment", _SCHEDULED, _HELD)),
        "active": Many(Entry("an active assignment", _SCHEDULED, _HELD)),
        "denies": Many(
            Entry(
                "a deny assignment",
                {
                    "id": _GUID_TEXT,
                    "name": _TEXT,
                    "description": _EMPTY_TEXT,
                    "scope": _TEXT,
                    "effect": _one_of("enforced", "audit"),
                    "system": _BOOL,
                    "only_this_scope": _BOOL,
                    "principals": _TEXTS,
                    "exclude": _TEXTS,
                    "permissions": Many(_BLOCK),
                    "condition": _TEXT,
                },
                ("name", "scope", "permissions"),
            )
        ),
        "arm": _PAYLOADS,
        "graph": _PAYLOADS,
    },
    ("tenant",),
)
"""The whole file. `estates/contoso.yaml` is the example."""


def check_form(document: Table, mistakes: Mistakes) -> None:
    """Notes what is out of form and takes it out of the document."""
    _entry(document, ESTATE, mistakes)


def _entry(table: Table, form: Entry, mistakes: Mistakes) -> bool:
    """Checks the keys of a mapping; false when it lacks what it needs and is better dropped."""
    complete = True
    for key in list(table):
        if key not in form.keys:
            near = difflib.get_close_matches(key, form.keys, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(form.keys))}"
            mistakes.add(table.where(key), f"{form.what} has no {key!r}; {hint}")
            del table[key]
        elif not _fits(table, key, form.keys[key], mistakes):
            del table[key]
            complete = complete and key not in form.required
    missing = [key for key in form.required if key not in table and key not in table.places]
    if missing:
        mistakes.add(table.place, f"{form.what} lacks {', '.join(missing)}")
    return complete and not missing


def _fits(table: Table, key: str, form: Form | Entry | Many, mistakes: Mistakes) -> bool:
    value, place = table[key], table.where(key)
    if isinstance(form, Form):
        if form.fits(value):
            return True
        mistakes.add(place, f"{key} is {_told(value)}; it has to be {form.wanted}")
        return False
    if isinstance(form, Entry):
        if isinstance(value, Table):
            return _entry(value, form, mistakes)
        mistakes.add(place, f"{key} is {_told(value)}; it has to be a mapping")
        return False
    if not isinstance(value, Rows):
        mistakes.add(place, f"{key} is {_told(value)}; it has to be a list")
        return False
    _rows(value, form.entry, mistakes)
    return True


def _rows(rows: Rows, form: Entry, mistakes: Mistakes) -> None:
    """Checks every entry of a list and keeps the ones that are whole; short ones become mappings."""
    kept: list[tuple[Any, Place]] = []
    for item, place in zip(rows, rows.places, strict=True):
        entry = item
        if form.short is not None and isinstance(item, str) and item:
            entry = Table(place)
            entry[form.short] = item
            entry.places[form.short] = place
        if not isinstance(entry, Table):
            mistakes.add(place, f"{_told(item)} stands where {form.what} should; it has to be a mapping")
        elif _entry(entry, form, mistakes):
            kept.append((entry, place))
    rows[:] = [item for item, _ in kept]
    rows.places[:] = [place for _, place in kept]


def _told(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, Table):
        return "a mapping"
    if isinstance(value, Rows):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)[:60]
