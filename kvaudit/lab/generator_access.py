"""Records that decide on access, drawn at random: custom roles, assignments, PIM instances and denies."""

import random
from collections.abc import Sequence
from typing import Any, TypeVar

from kvaudit.lab.estate import Estate, Raw, fold

Item = TypeVar("Item")

BUILT_IN = (
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",  # Key Vault Administrator
    "21090545-7ca7-4776-b22c-e363652d74d2",  # Key Vault Reader
    "4633458b-17de-408a-b874-0445c86b69e6",  # Key Vault Secrets User
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",  # Key Vault Secrets Officer
    "12338af0-0e69-4776-bea7-57ae8d297424",  # Key Vault Crypto User
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",  # Key Vault Crypto Officer
    "a4417e6f-fecd-4de8-b567-7b0420556985",  # Key Vault Certificates Officer
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",  # Key Vault Certificate User
    "f25e0fa2-a7c8-4377-a976-54943a77a395",  # Key Vault Contributor
    "8b54135c-b56d-4d72-a534-26097cfdc8d8",  # Key Vault Data Access Administrator
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
    "b24988ac-6180-42a0-ab88-20f7382dd24c",  # Contributor
)
"""Published built-in roles that matter on a vault."""

_DATA = tuple(
    f"Microsoft.KeyVault/vaults/{tail}"
    for tail in (
        "*",
        "secrets/*",
        "keys/*",
        "certificates/*",
        "*/read",
        "*/action",
        "secrets/getSecret/action",
        "secrets/readMetadata/action",
        "secrets/setSecret/action",
        "secrets/purge/action",
        "keys/read",
        "keys/sign/action",
        "keys/decrypt/action",
        "keyrotationpolicies/read",
        "certificates/read",
        "certificatecas/*",
        "certificatecontacts/write",
        "*/purge/action",
        "SECRETS/GETSECRET/ACTION",
    )
)
_ACTIONS = (
    "*",
    "*/read",
    "Microsoft.KeyVault/vaults/*",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.Authorization/*",
)
_DENIED = (
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.KeyVault/vaults/accessPolicies/write",
    "Microsoft.Authorization/roleAssignments/write",
    "*/write",
)
"""Control-plane actions that denies take: users can deny no reads (azure.md 2.2)."""
_CONDITIONS = (
    "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR (@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'secret-1'))",
    "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/*'})) OR (@Resource[Microsoft.KeyVault/vaults:name] StringLike 'kv-*-prod'))",
    "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'secret' AND @Resource[Microsoft.KeyVault/vaults:name] StringNotEquals 'kv-000001-prod'",
    "@Request[Microsoft.KeyVault/vaults/secrets:name] StringEqualsIgnoreCase 'SECRET-2'",
)


class Draw:
    """Draws from one source of chance, so that a seed decides everything."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self._source.random() < share

    def one(self, items: Sequence[Item]) -> Item:
        """One of them."""
        return items[int(self._source.random() * len(items))]

    def some(self, items: Sequence[Item], most: int) -> list[Item]:
        """From none to `most` of them, each once."""
        return self._source.sample(items, min(len(items), self._source.randint(0, most)))

    def cased(self, word: str) -> str:
        """A word in one of the spellings that Azure sends."""
        return self.one((word, word, word.casefold(), word[:1].upper() + word[1:]))

    def spelled(self, identifier: str) -> str:
        """A resource id, sometimes in the spelling of another service."""
        return identifier if self.chance(0.8) else self.one((identifier.casefold(), identifier.upper()))


def add_access(
    estate: Estate,
    draw: Draw,
    principals: Sequence[str],
    *,
    roles: int,
    assignments: int,
    denies: int,
    eligible: int,
    active: int,
    conditioned: float,
) -> None:
    """Adds that many records of each kind.

    Args:
        conditioned: share of assignments with a condition.
    """
    for number in range(1, roles + 1):
        _add_role(estate, draw, number)
    chosen = [*BUILT_IN, *(f"88888888-8888-8888-8888-{number:012}" for number in range(1, roles + 1))]
    places = _Places(estate)
    for number in range(1, assignments + 1):
        _add_assignment(estate, draw, _held(estate, draw, principals, chosen, places, conditioned), number)
    for number in range(1, eligible + 1):
        held = _held(estate, draw, principals, chosen, places, conditioned)
        _add_instance(estate, draw, held, number, eligible=True)
    for number in range(1, active + 1):
        held = _held(estate, draw, principals, chosen, places, 0)
        _add_instance(estate, draw, held, number, eligible=False)
    for number in range(1, denies + 1):
        _add_deny(estate, draw, principals, places, number)


class _Places:
    """Scopes to draw from: wide ones are drawn seldom, vaults often, one object now and then."""

    def __init__(self, estate: Estate) -> None:
        self._groups = ["/", *(raw["id"] for raw in estate.management_groups.values())]
        self._subscriptions = [raw["id"] for raw in estate.subscriptions.values()]
        self._resource_groups = [raw["id"] for raw in estate.resource_groups.values()]
        self._vaults = [raw["id"] for raw in estate.vaults.values()]
        self._objects = estate.objects

    def draw(self, draw: Draw) -> str:
        scope: str = draw.one(
            draw.one(
                (self._groups, self._subscriptions, self._resource_groups, self._vaults, self._vaults, self._vaults)
            )
            or ["/"]
        )
        if "/vaults/" not in scope.casefold() or not draw.chance(0.25):
            return draw.spelled(scope)
        kind = draw.one(("secrets", "keys", "certificates"))
        names = list(self._objects[fold(scope)][kind])
        return draw.spelled(f"{scope}/{kind}/{draw.one(names)}" if names else scope)


def _add_role(estate: Estate, draw: Draw, number: int) -> None:
    guid = f"88888888-8888-8888-8888-{number:012}"
    blocks: list[Raw] = [
        {
            "actions": draw.some(_ACTIONS, 2),
            "notActions": draw.some(_ACTIONS[1:], 1),
            "dataActions": draw.some(_DATA, 3),
            "notDataActions": draw.some(_DATA[1:], 2),
        }
        for _ in range(draw.one((1, 1, 2)))
    ]
    estate.role_definitions[guid] = {
        "id": f"/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": guid,
        "properties": {
            "roleName": f"Custom {number}",
            "type": "CustomRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": blocks,
        },
    }


def _type_of(estate: Estate, principal: str) -> str:
    if principal in estate.groups:
        return "Group"
    return "ServicePrincipal" if principal in estate.service_principals else "User"


def _held(
    estate: Estate, draw: Draw, principals: Sequence[str], roles: Sequence[str], places: _Places, conditioned: float
) -> Raw:
    principal = draw.one(principals)
    condition = draw.one(_CONDITIONS) if draw.chance(conditioned) else None
    return {
        "scope": places.draw(draw),
        "principalId": principal,
        "principalType": _type_of(estate, principal),
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{draw.one(roles)}",
        "condition": condition,
        "conditionVersion": "2.0" if condition else None,
    }


def _put(store: dict[str, Raw], collection: str, name: str, properties: Raw) -> Raw:
    scope = str(properties["scope"])
    key = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/{collection}/{name}"
    store[fold(key)] = {
        "id": key,
        "name": name,
        "type": f"Microsoft.Authorization/{collection}",
        "properties": properties,
    }
    return store[fold(key)]


def _add_assignment(estate: Estate, draw: Draw, held: Raw, number: int) -> Raw:
    name = f"aaaaaaaa-aaaa-4aaa-8aaa-{number:012}"
    dates = {"createdOn": "2026-03-02T09:00:00Z", "updatedOn": "2026-03-02T09:00:00Z", "createdBy": ""}
    return _put(estate.role_assignments, "roleAssignments", name, held | dates | {"description": draw.one((None, "x"))})


def _add_instance(estate: Estate, draw: Draw, held: Raw, number: int, *, eligible: bool) -> None:
    """An eligible instance, or an active one with the assignment that shows for it; some have ended."""
    properties: dict[str, Any] = held | {
        "status": "Provisioned",
        "memberType": "Direct",
        "startDateTime": "2026-01-05T08:00:00Z",
        "endDateTime": draw.one((None, "2036-01-05T08:00:00Z", "2026-02-05T08:00:00Z")),
    }
    if eligible:
        name = f"eeeeeeee-eeee-4eee-8eee-{number:012}"
        _put(estate.role_eligibility_schedule_instances, "roleEligibilityScheduleInstances", name, properties)
        return
    shown = _add_assignment(estate, draw, held, 900_000_000 + number)
    properties |= {"assignmentType": draw.one(("Assigned", "Activated")), "originRoleAssignmentId": shown["id"]}
    name = f"bbbbbbbb-bbbb-4bbb-8bbb-{number:012}"
    _put(estate.role_assignment_schedule_instances, "roleAssignmentScheduleInstances", name, properties)


def _add_deny(estate: Estate, draw: Draw, principals: Sequence[str], places: _Places, number: int) -> None:
    everyone = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
    named = [{"id": item, "type": _type_of(estate, item)} for item in draw.some(principals, 3)]
    properties: Raw = {
        "denyAssignmentName": f"deny-{number}",
        "description": "",
        "scope": places.draw(draw),
        "doNotApplyToChildScopes": draw.chance(0.15),
        "principals": [everyone] if draw.chance(0.5) else named,
        "excludePrincipals": [{"id": item, "type": _type_of(estate, item)} for item in draw.some(principals, 3)],
        "isSystemProtected": draw.chance(0.5),
        "denyAssignmentEffect": draw.one(("enforced", "enforced", "audit")),
        "permissions": [
            {
                "actions": draw.some(_DENIED, 1),
                "notActions": [],
                "dataActions": draw.some(_DATA[1:], 2),
                "notDataActions": draw.some(_DATA[6:], 1),
            }
        ],
    }
    _put(estate.deny_assignments, "denyAssignments", f"dddddddd-dddd-4ddd-8ddd-{number:012}", properties)
