"""The lab's own opinion on who may do what: plain, slow where it may be, and obviously right.

It is written from the published facts and shares no code with the product; the tests compare the two.
"""

from dataclasses import dataclass
from enum import StrEnum

from kvaudit.lab.conditions import Asked, Attributes, truth
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.http import Caller
from kvaudit.lab.instants import runs
from kvaudit.lab.matching import matches
from kvaudit.lab.records import DelegatedGrant, by_scope, delegated_grants, effective_grants, scopes_over
from kvaudit.lab.words import Word
from kvaudit.lab.words import word as word_named
from kvaudit.lab.world import World

EVERYONE = "00000000-0000-0000-0000-000000000000"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


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


def decide_control(
    world: World, caller: Caller, action: str, scope: str, attributes: Attributes | None = None
) -> Decision:
    """May the caller do this control-plane action on this resource or scope?

    Args:
        attributes: what conditions may ask about, for the writing of role assignments.
    """
    asked = Asked(action, attributes or {})
    chain = scopes_over(world, scope)
    return _decide_rbac(world, caller, asked, chain, chain, data=False)


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
    place = fold(vault["id"])
    if object_name and not wanted.vault_only:
        place = f"{place}/{wanted.word.split('/')[0]}/{object_name.casefold()}"
    reach = scopes_over(world, place)
    # Whether a grant on one object allows writes is disputed between Microsoft's pages (azure.md 2.1): here it does not.
    grants_from = [scope for scope in reach if scope != place] if wanted.writes and object_name else reach
    asked = Asked(wanted.data_action, _secret_attributes(vault, wanted, object_name))
    return _decide_rbac(world, caller, asked, reach, grants_from, data=True)


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


def _decide_rbac(
    world: World, caller: Caller, asked: Asked, reach: list[str], grants_from: list[str], *, data: bool
) -> Decision:
    """Denies first, then any grant.

    Args:
        reach: scopes over what is asked about, from the root down to itself.
        grants_from: those of them whose grants count.
    """
    ids = _ids(caller)
    denies = by_scope(world, "denies", world.estate.deny_assignments)
    for key in (key for scope in reach for key in denies.at.get(scope, ())):
        deny = world.estate.deny_assignments[key]
        if _denies(deny, ids, asked, reach[-1], data=data):
            return Decision(allowed=False, reason=Reason.DENY_ASSIGNMENT, deny=str(deny["id"]))
    refused = Reason.NO_ASSIGNMENT
    for grant in effective_grants(world, ids):
        if grant.scope not in grants_from:
            continue
        role = world.estate.role_definitions.get(grant.role)
        for block in (role or {}).get("properties", {}).get("permissions") or []:
            if not _covers(block, asked.action, data=data):
                continue
            # What no page says (None) gives nothing: only a condition that is true lets a call through.
            if truth(grant.raw["properties"].get("condition"), asked) and truth(block.get("condition"), asked):
                return Decision(allowed=True, reason=Reason.ALLOWED, assignment=str(grant.raw["id"]))
            refused = Reason.CONDITION
    if not data:
        # Data actions are not delegatable: no request to a vault's endpoint is supported through Lighthouse (azure.md 2.4).
        for delegated in delegated_grants(world, caller):
            if delegated.scope in grants_from and _delegates(world, delegated, asked):
                return Decision(allowed=True, reason=Reason.ALLOWED, assignment=delegated.assignment)
    return Decision(allowed=False, reason=refused)


def _delegates(world: World, grant: DelegatedGrant, asked: Asked) -> bool:
    """Whether a Lighthouse authorization gives this action.

    Owner and roles with data actions cannot be delegated: an authorization that names one gives nothing. Of what writes
    authorization only role assignments for managed identities can be written, with the roles that the delegation lists.
    """
    definition = world.estate.role_definitions.get(grant.role) or {}
    blocks = definition.get("properties", {}).get("permissions") or []
    if grant.role == OWNER or any(block.get("dataActions") for block in blocks):
        return False
    if not any(_covers(block, asked.action, data=False) for block in blocks):
        return False
    action = asked.action.casefold()
    if not action.startswith("microsoft.authorization/") or action.endswith("/read"):
        return True
    if action not in {
        "microsoft.authorization/roleassignments/write",
        "microsoft.authorization/roleassignments/delete",
    }:
        return False
    told = {name.rpartition(":")[2].rstrip("]"): str(value) for name, value in asked.attributes.items()}
    principal = world.estate.service_principals.get(told.get("principalid", ""), {})
    managed = str(principal.get("servicePrincipalType")).casefold() == "managedidentity"
    return managed and told.get("roledefinitionid") in grant.assignable


def holds_directory_role(world: World, caller: Caller, role: str) -> bool:
    """Whether the caller holds an Entra role over the whole tenant now, itself or through a group.

    Args:
        role: folded template id.
    """
    if caller.tenant_id.casefold() != world.estate.home_tenant.casefold():
        return False
    ids, now = _ids(caller), world.now()
    return any(
        fold(str(raw["roleDefinitionId"])) == role
        and fold(str(raw["principalId"])) in ids
        and str(raw.get("directoryScopeId") or "/") == "/"
        and runs(raw.get("startDateTime"), raw.get("endDateTime"), now)
        for raw in world.estate.directory_role_assignments.values()
    )


def _covers(block: Raw, action: str, *, data: bool) -> bool:
    """Whether a permission block covers an action: subtraction happens inside the block."""
    give, take = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    return any(matches(item, action, skip=not data) for item in block.get(give) or []) and not any(
        matches(item, action, skip=not data) for item in block.get(take) or []
    )


def _denies(deny: Raw, ids: frozenset[str], asked: Asked, place: str, *, data: bool) -> bool:
    """Whether a deny assignment at or above a place stops these principals there."""
    properties = deny["properties"]
    if properties.get("doNotApplyToChildScopes") and fold(properties["scope"]) != place:
        return False
    if str(properties.get("denyAssignmentEffect") or "enforced").casefold() == "audit":
        return False
    named = {fold(item["id"]) for item in properties.get("principals") or []}
    excluded = {fold(item["id"]) for item in properties.get("excludePrincipals") or []}
    if excluded & ids or not (EVERYONE in named or named & ids):
        return False
    # A condition of which no page says whether it is true (None) does not spare anybody.
    return truth(properties.get("condition"), asked) is not False and any(
        _covers(block, asked.action, data=data) and truth(block.get("condition"), asked) is not False
        for block in properties.get("permissions") or []
    )
