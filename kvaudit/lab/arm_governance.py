"""What watches over scopes in Resource Manager: locks, Defender plans, classic administrators, Lighthouse delegations."""

from collections.abc import Mapping

from kvaudit.lab.arm_answers import everything, forbid, page
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.evaluator import holds_directory_role
from kvaudit.lab.http import Request, Response, arm_error
from kvaudit.lab.records import keys_below, scopes_over
from kvaudit.lab.world import World

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""Template id of the Entra role, the same in every tenant."""

USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"


def _on_and_below(world: World, name: str, store: Mapping[str, Raw], scope: str) -> list[Raw]:
    return [store[key] for key in keys_below(world, name, store, scope)]


def locks(world: World, request: Request, scope: str) -> Response:
    """`GET {scope}/providers/Microsoft.Authorization/locks`: at the scope and below; at and above with `atScope()`."""
    refusal = forbid(world, request, "Microsoft.Authorization/locks/read", scope or "/")
    if refusal is not None:
        return refusal
    store = world.estate.locks
    if "atscope()" in request.query.get("$filter", "").casefold():
        over = set(scopes_over(world, fold(scope or "/")))
        found = [raw for key, raw in sorted(store.items()) if _lock_scope(key) in over]
    else:
        found = _on_and_below(world, "locks", store, scope or "/")
    return page(world, request, found)


def _lock_scope(key: str) -> str:
    """The folded scope that a lock stands on."""
    return key.rpartition("/providers/microsoft.authorization/locks/")[0] or "/"


def pricings(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}/providers/Microsoft.Security/pricings`: plans of Defender for Cloud. Never paged."""
    refusal = forbid(world, request, "Microsoft.Security/pricings/read", f"/subscriptions/{fold(subscription_id)}")
    return refusal or everything(_plans(world, subscription_id))


def pricing(world: World, request: Request, subscription_id: str, name: str) -> Response:
    """`GET …/pricings/{plan}`."""
    refusal = forbid(world, request, "Microsoft.Security/pricings/read", f"/subscriptions/{fold(subscription_id)}")
    if refusal is not None:
        return refusal
    found = [raw for raw in _plans(world, subscription_id) if str(raw["name"]).casefold() == name.casefold()]
    return Response(200, found[0]) if found else arm_error(404, "ResourceNotFound", f"The plan '{name}' was not found.")


def _plans(world: World, subscription_id: str) -> list[Raw]:
    """The plans of the estate; a subscription of which it says nothing has the one for Key Vault switched off."""
    known = world.estate.pricings.get(fold(subscription_id))
    return known if known is not None else [plan(subscription_id, "KeyVaults", "Free")]


def plan(subscription_id: str, name: str, tier: str) -> Raw:
    """A Defender plan as Resource Manager sends it.

    Args:
        tier: `Standard` (on) or `Free` (off).
    """
    return {
        "id": f"/subscriptions/{subscription_id}/providers/Microsoft.Security/pricings/{name}",
        "name": name,
        "type": "Microsoft.Security/pricings",
        "properties": {"pricingTier": tier, "freeTrialRemainingTime": "PT0S"},
    }


def classic_administrators(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}/providers/Microsoft.Authorization/classicAdministrators`."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    refusal = forbid(world, request, "Microsoft.Authorization/classicAdministrators/read", scope)
    return refusal or page(world, request, world.estate.classic_administrators.get(fold(subscription_id), []))


def registration_assignments(world: World, request: Request, scope: str) -> Response:
    """`GET {scope}/providers/Microsoft.ManagedServices/registrationAssignments`; definitions only when asked for.

    Whether the list of a subscription holds the delegations of its resource groups is not documented: here it does.
    """
    refusal = forbid(world, request, "Microsoft.ManagedServices/registrationAssignments/read", scope)
    if refusal is not None:
        return refusal
    expand = request.query.get("$expandRegistrationDefinition", "").casefold() == "true"
    found = _on_and_below(world, "delegations", world.estate.delegations, scope)
    return page(world, request, [raw if expand else _without_definition(raw) for raw in found])


def _without_definition(raw: Raw) -> Raw:
    kept = {name: value for name, value in raw["properties"].items() if name != "registrationDefinition"}
    return {**raw, "properties": kept}


def elevate_access(world: World, request: Request) -> Response:
    """`POST /providers/Microsoft.Authorization/elevateAccess`: a Global Administrator becomes User Access Administrator at `/`."""
    caller = request.caller
    if caller is None or not holds_directory_role(world, caller, GLOBAL_ADMINISTRATOR):
        return forbid(world, request, "Microsoft.Authorization/elevateAccess/action", "/") or Response(200)
    name = f"e1e7a7ed-{fold(caller.object_id)[9:]}"
    identity = f"/providers/Microsoft.Authorization/roleAssignments/{name}"
    world.estate.role_assignments[fold(identity)] = {
        "id": identity,
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "scope": "/",
            "principalId": caller.object_id,
            "principalType": "User",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{USER_ACCESS_ADMINISTRATOR}",
        },
    }
    world.changed()
    return Response(200)
