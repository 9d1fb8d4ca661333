"""Reads the cases of tests/cases/access and makes an estate of each, through the product's own parsers."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kvaudit.collectors.catalogue import by_kind
from kvaudit.collectors.consents import DELEGATED_PERMISSIONS
from kvaudit.collectors.delegations import DELEGATIONS
from kvaudit.collectors.group_schedules import (
    GROUP_ASSIGNMENT_SCHEDULE_INSTANCES,
    GROUP_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.vaults import ObjectRef

FOLDER = Path(__file__).resolve().parent.parent / "cases" / "access"

_FIELDS = {
    "subscriptions": "subscriptions",
    "management_groups": "hierarchy",
    "vaults": "vaults",
    "role_assignments": "role_assignments",
    "role_definitions": "role_definitions",
    "deny_assignments": "deny_assignments",
    "role_eligibility_schedule_instances": "schedule_instances",
    "role_assignment_schedule_instances": "schedule_instances",
    "principals": "principals",
    "service_principals": "principals",
    "group_members": "memberships",
    "service_principal_groups": "member_of",
    "secrets": "objects",
    "keys": "objects",
    "certificates": "objects",
    "group_eligibility_schedule_instances": "group_schedule_instances",
    "group_assignment_schedule_instances": "group_schedule_instances",
    "delegated_permissions": "delegated_permissions",
    "delegations": "delegations",
    "resource_identities": "resource_identities",
    "user_assigned_identities": "user_assigned_identities",
    "applications": "applications",
    "application_owners": "ownerships",
    "service_principal_owners": "ownerships",
    "group_owners": "ownerships",
    "directory_role_assignments": "directory_roles",
    "directory_role_eligibility_schedule_instances": "directory_roles",
}


_OF_IDENTITIES = (
    DELEGATED_PERMISSIONS,
    DELEGATIONS,
    GROUP_ASSIGNMENT_SCHEDULE_INSTANCES,
    GROUP_ELIGIBILITY_SCHEDULE_INSTANCES,
)
_PARSE = {item.kind: item.parse for item in (*by_kind().values(), *_OF_IDENTITIES)}


def cases() -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every case with the number of its point."""
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for case in document["cases"]:
            yield document["point"], case


def estate_of(case: Mapping[str, Any]) -> Estate:
    """The estate that a case's records make."""
    found: dict[str, list[Any]] = {field: [] for field in _FIELDS.values()}
    listings = []
    asked: dict[str, list[str]] = {}
    for kind, by_scope in case["records"].items():
        parse = _PARSE[kind]
        for scope, items in by_scope.items():
            listings.append(Listing(kind, scope, len(items)))
            records = [parse(item, scope) for item in items]
            if kind == "service_principal_groups":
                asked[scope.split("/")[1]] = [record.group for record in records]
            else:
                found[_FIELDS[kind]].extend(records)
    gaps = (Gap(item["kind"], item["scope"], "could not be read", status=403) for item in case["gaps"])
    return Estate(
        tenant_id="aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        collected_at=case.get("collected_at"),
        subscriptions=tuple(found["subscriptions"]),
        hierarchy=tuple(found["hierarchy"]),
        vaults=tuple(found["vaults"]),
        role_assignments=tuple(found["role_assignments"]),
        role_definitions={item.name: item for item in found["role_definitions"]},
        deny_assignments=tuple(found["deny_assignments"]),
        schedule_instances=tuple(found["schedule_instances"]),
        principals={
            **{item.id: item for item in found["principals"]},
            **{
                key: Principal(key, state=PrincipalState(state))
                for key, state in case.get("principal_states", {}).items()
            },
        },
        memberships=tuple(found["memberships"]),
        member_of={key: tuple(groups) for key, groups in asked.items()},
        objects=tuple(found["objects"]),
        group_schedule_instances=tuple(found["group_schedule_instances"]),
        delegated_permissions=tuple(found["delegated_permissions"]),
        delegations=tuple(found["delegations"]),
        resource_identities=tuple(found["resource_identities"]),
        user_assigned_identities=tuple(found["user_assigned_identities"]),
        applications=tuple(found["applications"]),
        ownerships=tuple(found["ownerships"]),
        directory_roles=tuple(found["directory_roles"]),
        gaps=tuple(gaps),
        listings=tuple(listings),
    )


def object_of(text: str | None) -> ObjectRef | None:
    """The object of `secrets/NAME`."""
    return ObjectRef(*text.split("/", 1)) if text else None


def flat_records(case: Mapping[str, Any]) -> list[str]:
    """Every record, listing, gap and state of a case as text, to tell how far two cases are apart."""
    found = [f"gap {json.dumps(gap, sort_keys=True)}" for gap in case["gaps"]]
    found.extend(f"state {item}" for item in case.get("principal_states", {}).items())
    found.append(f"at {case.get('collected_at')}")
    for kind, by_scope in case["records"].items():
        for scope, items in by_scope.items():
            found.append(f"{kind} {scope}")
            found.extend(f"{kind} {scope} {json.dumps(item, sort_keys=True)}" for item in items)
    return sorted(found)
