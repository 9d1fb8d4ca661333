"""The lab's own opinion on who may do what: plain, slow where it may be, and obviously right.

It is written from the published facts and shares no code with the product; the tests compare the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from kvaudit.lab.conditions import Asked, Attributes, holds
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.http import Caller
from kvaudit.lab.matching import matches
from kvaudit.lab.words import Word
from kvaudit.lab.words import word as word_named
from kvaudit.lab.world import World

EVERYONE = "00000000-0000-0000-0000-000000000000"


class Reason(StrEnum):
    """Why a call is allowed or not; the values that Key Vault prints are its `DecisionReason`."""

    ALLOWED = "Allowed"
    NO_ASSIGNMENT = "DeniedWithNoValidRBAC"
    DENY_ASSIGNMENT = "DeniedByDenyAssignment"
    CONDITION = "DeniedByCondition"
    NO_POLICY = "AccessDenied"
    WRONG_TENANT = "WrongTenant"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with the record that gives it.

    Attributes:
        allowed: whether the call goes through.
        reason: why.
        assignment: id of the role assignment that allows it, else None.
        deny: id of the deny assignment that stops it, else None.
    """

    allowed: bool
    reason: Reason
    assignment: str | None = None
    deny: str | None = None


def uses_rbac(vault: Raw) -> bool:
    """Whether the vault decides by Azure RBAC: only an explicit true says so; false, null and absent do not."""
    return (vault.get("properties") or {}).get("enableRbacAuthorization") is True


def vault_tenant(world: World, vault: Raw) -> str:
    """Tenant whose tokens the vault takes."""
    return str((vault.get("properties") or {}).get("tenantId") or world.estate.home_tenant).casefold()


def scopes_over(world: World, scope: str) -> list[str]:
    """Every scope whose assignments reach a scope: the root, its management groups, and each step of its path."""
    scope = fold(scope)
    chain = ["/"]
    parts = scope.split("/")
    if scope.startswith("/providers/microsoft.management/managementgroups/"):
        return chain + [_group_scope(name) for name in _groups_above(world, parts[4])]
    if len(parts) > 2 and parts[1] == "subscriptions":
        parent = world.estate.subscription_parent.get(parts[2])
        chain += [_group_scope(name) for name in _groups_above(world, parent)]
        chain += ["/".join(parts[:length]) for length in range(3, len(parts) + 1)]
    return chain


def _group_scope(name: str) -> str:
    return f"/providers/microsoft.management/managementgroups/{name}"


def _groups_above(world: World, name: str | None) -> list[str]:
    chain: list[str] = []
    while name is not None and name not in chain:
        chain.append(name)
        parent = world.estate.management_groups.get(name, {}).get("parent")
        name = fold(parent) if parent else None
    return list(reversed(chain))


def decide_control(
    world: World, caller: Caller, action: str, scope: str, attributes: Attributes | None = None
) -> Decision:
    """May the caller do this control-plane action on this resource or scope?

    Args:
        attributes: what conditions may ask about, for the writing of role assignments.
    """
    asked = Asked(action, attributes or {})
    return _decide_rbac(world, caller, asked, scopes_over(world, scope), data=False)


def decide_data(
    world: World,
    caller: Caller,
    word: str | Word,
    vault: Raw,
    object_name: str | None = None,
    application: str | None = None,
) -> Decision:
    """May the caller do this operation on the vault, or on one of its objects?

    Args:
        word: a permission word in any case: `secrets/get`; or a `Word` of a route that no word stands for alone.
        vault: the raw vault.
        object_name: name of the object within the word's kind (`db-password`); None for the vault as a whole.
        application: client id that acts for a user; the caller's own when None and the caller is a user.
    """
    if caller.tenant_id.casefold() != vault_tenant(world, vault):
        return Decision(allowed=False, reason=Reason.WRONG_TENANT)
    wanted = word if isinstance(word, Word) else word_named(word)
    if not uses_rbac(vault):
        return _decide_policies(world, caller, wanted, vault, application)
    subscription = world.estate.subscriptions.get(fold(vault["id"]).split("/")[2], {})
    if str(subscription.get("tenantId") or world.estate.home_tenant).casefold() != vault_tenant(world, vault):
        # Assignments live in the subscription's tenant; the vault trusts another one (azure.md 1.5).
        return Decision(allowed=False, reason=Reason.NO_ASSIGNMENT)
    scope = fold(vault["id"])
    chain = scopes_over(world, scope)
    kind = wanted.word.split("/")[0]
    if object_name and not wanted.vault_only and not wanted.writes:
        # Whether a grant on one object allows writes is disputed between Microsoft's pages (azure.md 2.1): here it does not.
        chain.append(f"{scope}/{kind}/{object_name.casefold()}")
    asked = Asked(wanted.data_action, _secret_attributes(vault, wanted, object_name))
    return _decide_rbac(world, caller, asked, chain, data=True)


def _secret_attributes(vault: Raw, wanted: Word, object_name: str | None) -> dict[str, str]:
    """Attributes that Key Vault gives to conditions: for secrets only (azure.md 2.3)."""
    if not wanted.word.startswith("secrets/"):
        return {}
    attributes = {"@resource[microsoft.keyvault/vaults:name]": str(vault["name"])}
    if object_name and wanted.word in {"secrets/set", "secrets/restore"}:
        attributes["@request[microsoft.keyvault/vaults/secrets:name]"] = object_name
    elif object_name and not wanted.vault_only:
        attributes["@resource[microsoft.keyvault/vaults/secrets:name]"] = object_name
    return attributes


def _decide_policies(world: World, caller: Caller, wanted: Word, vault: Raw, application: str | None) -> Decision:
    tenant = vault_tenant(world, vault)
    ids = _ids(caller)
    acting = application or (caller.app_id if caller.kind == "user" else None)
    kind = wanted.word.split("/")[0]
    for entry in (vault.get("properties") or {}).get("accessPolicies") or []:
        if (
            str(entry.get("tenantId") or "").casefold() != tenant
            or str(entry.get("objectId") or "").casefold() not in ids
        ):
            continue
        compound = entry.get("applicationId")
        if compound and str(compound).casefold() != (acting or "").casefold():
            continue
        named = {f"{kind}/{str(name).strip()}".casefold() for name in (entry.get("permissions") or {}).get(kind) or []}
        # `all` is everything but purge: the service refused purge under it (azure.md 1.5).
        everything = f"{kind}/all" in named and not wanted.word.endswith("/purge")
        if everything or named & wanted.policy_words:
            return Decision(allowed=True, reason=Reason.ALLOWED)
    return Decision(allowed=False, reason=Reason.NO_POLICY)


def _ids(caller: Caller) -> frozenset[str]:
    return frozenset({fold(caller.object_id), *(fold(group) for group in caller.groups)})


def _decide_rbac(world: World, caller: Caller, asked: Asked, chain: list[str], *, data: bool) -> Decision:
    ids = _ids(caller)
    for deny in world.estate.deny_assignments.values():
        if _denies(deny, ids, asked, chain, data=data):
            return Decision(allowed=False, reason=Reason.DENY_ASSIGNMENT, deny=str(deny["id"]))
    refused = Reason.NO_ASSIGNMENT
    for record in _grants(world):
        properties = record["properties"]
        if fold(properties["principalId"]) not in ids or fold(properties["scope"]) not in chain:
            continue
        role = world.estate.role_definitions.get(fold(properties["roleDefinitionId"]).rsplit("/", 1)[-1])
        for block in (role or {}).get("properties", {}).get("permissions") or []:
            if not _covers(block, asked.action, data=data):
                continue
            if holds(properties.get("condition"), asked) and holds(block.get("condition"), asked):
                return Decision(allowed=True, reason=Reason.ALLOWED, assignment=str(record["id"]))
            refused = Reason.CONDITION
    return Decision(allowed=False, reason=refused)


def _covers(block: Raw, action: str, *, data: bool) -> bool:
    """Whether a permission block covers an action: subtraction happens inside the block."""
    give, take = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    return any(matches(item, action, skip=not data) for item in block.get(give) or []) and not any(
        matches(item, action, skip=not data) for item in block.get(take) or []
    )


def _denies(deny: Raw, ids: frozenset[str], asked: Asked, chain: list[str], *, data: bool) -> bool:
    properties = deny["properties"]
    scope = fold(properties["scope"])
    if scope not in chain or (properties.get("doNotApplyToChildScopes") and scope != chain[-1]):
        return False
    if str(properties.get("denyAssignmentEffect") or "enforced").casefold() == "audit":
        return False
    named = {fold(item["id"]) for item in properties.get("principals") or []}
    if (
        not (EVERYONE in named or named & ids)
        or {fold(item["id"]) for item in properties.get("excludePrincipals") or []} & ids
    ):
        return False
    return any(
        _covers(block, asked.action, data=data)
        and holds(block.get("condition"), asked)
        and holds(properties.get("condition"), asked)
        for block in properties.get("permissions") or []
    )


def _grants(world: World) -> Iterator[Raw]:
    """Role assignments and active schedule instances that take effect now."""
    now = world.now()
    upheld: dict[str, list[Raw]] = {}
    for instance in world.estate.role_assignment_schedule_instances.values():
        origin = instance["properties"].get("originRoleAssignmentId")
        if origin and fold(origin) in world.estate.role_assignments:
            upheld.setdefault(fold(origin), []).append(instance)
        elif _is_running(instance, now):
            yield instance
    for key, assignment in world.estate.role_assignments.items():
        if key in world.effective_from and now < world.effective_from[key]:
            continue
        if key not in upheld or any(_is_running(instance, now) for instance in upheld[key]):
            yield assignment
    for assignment, until in world.lingering:
        if now < until:
            yield assignment


def _is_running(instance: Raw, now: datetime) -> bool:
    properties = instance["properties"]
    start, end = _time(properties.get("startDateTime")), _time(properties.get("endDateTime"))
    return (start is None or start <= now) and (end is None or now < end)


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
