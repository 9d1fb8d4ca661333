"""The form of an estate file. `estates/contoso.yaml` is the example."""

import re
from datetime import datetime
from typing import Any

from kvaudit.lab.estate_check import Entry, Form, Many
from kvaudit.lab.estate_yaml import Rows, Table

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


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
_TYPE = Form(
    "a resource type such as Microsoft.Compute/virtualMachines",
    lambda value: isinstance(value, str) and re.fullmatch(r"[\w.]+/\w+", value) is not None,
)
_PRINCIPAL_TYPE = _one_of("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")

_TENANT_KEYS: dict[str, Form | Entry | Many] = {"id": _GUID_TEXT, "name": _TEXT, "domain": _TEXT}
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
        "diagnostic_settings": Many(
            Entry("a diagnostic setting", {"name": _TEXT, "logs": _TEXTS, "groups": _TEXTS}, ("name",), short="name")
        ),
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

_FEDERATED = Entry(
    "a federated credential",
    {"name": _TEXT, "issuer": _TEXT, "subject": _TEXT, "audiences": _TEXTS},
    ("name", "issuer", "subject"),
)
_PLACED: dict[str, Form | Entry | Many] = {
    "name": _TEXT,
    "subscription": _TEXT,
    "group": _TEXT,
    "location": _TEXT,
    "tags": _PAIRS,
}
_GROUP_INSTANCE: dict[str, Form | Entry | Many] = {
    "group": _TEXT,
    "principal": _TEXT,
    "access": _one_of("member", "owner"),
    "start": _DATE,
    "end": _DATE,
}
_AUTHORIZATION = Entry(
    "an authorization",
    {"principal": _TEXT, "name": _TEXT, "role": _TEXT, "delegated_roles": _TEXTS, "eligible": _BOOL},
    ("principal", "role"),
)
_IDENTITY_SECTIONS: dict[str, Form | Entry | Many] = {
    "group_eligible": Many(Entry("an eligible membership", _GROUP_INSTANCE, ("group", "principal"))),
    "group_active": Many(Entry("an active membership", _GROUP_INSTANCE, ("group", "principal"))),
    "directory_roles": Many(
        Entry(
            "a directory role",
            {"role": _TEXT, "principal": _TEXT, "scope": _TEXT, "eligible": _BOOL, "start": _DATE, "end": _DATE},
            ("role", "principal"),
        )
    ),
    "consents": Many(
        Entry(
            "a consent",
            {"client": _TEXT, "resource": _TEXT, "principal": _TEXT, "scopes": _TEXTS},
            ("client", "resource"),
        )
    ),
    "identities": Many(
        Entry(
            "an identity",
            _PLACED | {"principal": _TEXT, "federated_credentials": Many(_FEDERATED)},
            ("name", "principal", "subscription", "group"),
        )
    ),
    "resources": Many(
        Entry(
            "a resource",
            _PLACED
            | {
                "type": _TYPE,
                "kind": _TEXT,
                "system_identity": _TEXT,
                "user_identities": _TEXTS,
                "properties": _ANYTHING,
            },
            ("name", "type", "subscription", "group"),
        )
    ),
    "delegations": Many(
        Entry(
            "a delegation",
            {"name": _TEXT, "scope": _TEXT, "tenant": _TEXT, "authorizations": Many(_AUTHORIZATION)},
            ("name", "scope", "tenant", "authorizations"),
        )
    ),
    "locks": Many(
        Entry(
            "a lock",
            {"name": _TEXT, "scope": _TEXT, "level": _one_of("CanNotDelete", "ReadOnly"), "notes": _EMPTY_TEXT},
            ("name", "scope"),
        )
    ),
}

ESTATE = Entry(
    "the estate",
    {
        "name": _TEXT,
        "tenant": Entry("a tenant", _TENANT_KEYS | {"premium": _BOOL}, ("id", "name")),
        "other_tenants": Many(Entry("a tenant", _TENANT_KEYS, ("id", "name"))),
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
                    "defender": _TEXTS,
                    "classic_administrators": Many(
                        Entry("a classic administrator", {"email": _TEXT, "role": _TEXT}, ("email",), short="email")
                    ),
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
            Entry(
                "an application",
                _PRINCIPAL | {"app_id": _GUID_TEXT, "owners": _TEXTS, "federated_credentials": Many(_FEDERATED)},
                ("id", "name", "app_id"),
            )
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
        **_IDENTITY_SECTIONS,
        "arm": _PAYLOADS,
        "graph": _PAYLOADS,
    },
    ("tenant",),
)
"""The whole file. `estates/contoso.yaml` is the example."""
