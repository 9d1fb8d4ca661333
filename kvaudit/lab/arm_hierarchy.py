"""Tenants, subscriptions, management groups, resource groups, the generic resource list and provider registration."""

from kvaudit.lab.arm_answers import everything, forbid, page
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.evaluator import decide_control
from kvaudit.lab.http import Caller, Request, Response, arm_error
from kvaudit.lab.records import delegated_grants, keys_below, scopes_over, standing_grants
from kvaudit.lab.world import World

MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups"
_LISTED = ("id", "name", "type", "kind", "managedBy", "sku", "location", "tags", "identity")
"""What the generic list tells of a resource: no properties."""


def tenants(world: World, request: Request) -> Response:
    """`GET /tenants`: those that the caller's token belongs to."""
    caller = _caller(request)
    return everything(
        [raw for key, raw in world.estate.tenants.items() if key.casefold() == caller.tenant_id.casefold()]
    )


def subscriptions(world: World, request: Request) -> Response:
    """`GET /subscriptions`: those of the caller's tenant in which it holds any assignment, at, above or below."""
    caller = _caller(request)
    return page(
        world,
        request,
        [raw for key, raw in sorted(world.estate.subscriptions.items()) if sees_subscription(world, caller, key, raw)],
    )


def sees_subscription(world: World, caller: Caller, key: str, raw: Raw) -> bool:
    """Whether the caller sees this subscription: it is of its tenant, and it holds an assignment at, above or below it; or
    it is delegated to the caller's tenant and gives the caller something.
    """
    if str(raw.get("tenantId") or world.estate.home_tenant).casefold() != caller.tenant_id.casefold():
        base = f"/subscriptions/{key}"
        given = (grant.scope for grant in delegated_grants(world, caller))
        return any(scope == base or scope.startswith(base + "/") for scope in given)
    ids = {fold(caller.object_id), *(fold(group) for group in caller.groups)}
    scope = f"/subscriptions/{key}"
    over = set(scopes_over(world, scope))
    return any(grant.scope in over or grant.scope.startswith(scope + "/") for grant in standing_grants(world, ids))


def subscription(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}`."""
    raw = world.estate.subscriptions[fold(subscription_id)]
    if not sees_subscription(world, _caller(request), fold(subscription_id), raw):
        return arm_error(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")
    return Response(200, raw)


def resource_groups(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}/resourcegroups`."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    refusal = forbid(world, request, "Microsoft.Resources/subscriptions/resourceGroups/read", scope)
    if refusal is not None:
        return refusal
    return page(
        world,
        request,
        [world.estate.resource_groups[key] for key in keys_below(world, "groups", world.estate.resource_groups, scope)],
    )


def resources(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}/resources`: what the caller may read, WITHOUT properties."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    wanted = request.query.get("$filter", "").casefold()
    found: list[Raw] = []
    for name, store in (("vaults", world.estate.vaults), ("others", world.estate.other_resources)):
        for key in keys_below(world, name, store, scope):
            raw = store[key]
            kind = str(raw.get("type", "Microsoft.KeyVault/vaults"))
            if "resourcetype eq" in wanted and f"'{kind.casefold()}'" not in wanted:
                continue
            if decide_control(world, _caller(request), f"{kind}/read", key).allowed:
                found.append({name: raw[name] for name in _LISTED if name in raw})
    return page(world, request, found)


def provider(world: World, request: Request, subscription_id: str, namespace: str) -> Response:  # noqa: ARG001
    """`GET .../providers/{namespace}`: whether it is registered."""
    missing = namespace.casefold() in world.estate.provider_registrations.get(fold(subscription_id), set())
    state = "NotRegistered" if missing else "Registered"
    identity = f"/subscriptions/{subscription_id}/providers/{namespace}"
    return Response(200, {"id": identity, "namespace": namespace, "registrationState": state})


def register_provider(world: World, request: Request, subscription_id: str, namespace: str) -> Response:
    """`POST .../providers/{namespace}/register`: a write, which an audit must never send."""
    refusal = forbid(world, request, f"{namespace}/register/action", f"/subscriptions/{fold(subscription_id)}")
    if refusal is not None:
        return refusal
    world.estate.provider_registrations.get(fold(subscription_id), set()).discard(namespace.casefold())
    return provider(world, request, subscription_id, namespace)


def management_groups(world: World, request: Request) -> Response:
    """`GET managementGroups`: those that the caller may read."""
    found = [
        _group_item(raw, world)
        for key, raw in sorted(world.estate.management_groups.items())
        if decide_control(world, _caller(request), "Microsoft.Management/managementGroups/read", _scope(key)).allowed
    ]
    return page(world, request, found)


def management_group(world: World, request: Request, name: str) -> Response:
    """`GET managementGroups/{id}`, with its parent."""
    refusal, raw = _readable_group(world, request, name)
    if refusal is not None or raw is None:
        return refusal or arm_error(404, "NotFound", name)
    parent = world.estate.management_groups.get(fold(raw.get("parent") or ""))
    item = _group_item(raw, world)
    item["properties"]["details"] = {"version": 1}
    if parent is not None:
        item["properties"]["details"]["parent"] = {
            "id": parent["id"],
            "name": parent["name"],
            "displayName": parent["displayName"],
        }
    return Response(200, item)


def descendants(world: World, request: Request, name: str) -> Response:
    """`GET managementGroups/{id}/descendants`: groups and subscriptions below, each with its parent."""
    refusal, raw = _readable_group(world, request, name)
    if refusal is not None or raw is None:
        return refusal or arm_error(404, "NotFound", name)
    found: list[Raw] = []
    waiting = [fold(name)]
    seen = set(waiting)
    while waiting:
        parent = waiting.pop(0)
        for key, group in sorted(world.estate.management_groups.items()):
            if fold(group.get("parent") or "") == parent and key not in seen:
                seen.add(key)
                waiting.append(key)
                found.append(
                    _descendant(
                        group["id"],
                        "Microsoft.Management/managementGroups",
                        group["name"],
                        group["displayName"],
                        parent,
                        world,
                    )
                )
        for key, above in sorted(world.estate.subscription_parent.items()):
            if above == parent and key in world.estate.subscriptions:
                title = str(world.estate.subscriptions[key].get("displayName"))
                found.append(_descendant(f"/subscriptions/{key}", "/subscriptions", key, title, parent, world))
    return page(world, request, found)


def _descendant(identity: str, kind: str, name: str, title: str, parent: str, world: World) -> Raw:
    above = world.estate.management_groups[parent]["id"]
    return {"id": identity, "type": kind, "name": name, "properties": {"displayName": title, "parent": {"id": above}}}


def _readable_group(world: World, request: Request, name: str) -> tuple[Response | None, Raw | None]:
    refusal = forbid(world, request, "Microsoft.Management/managementGroups/read", _scope(fold(name)))
    raw = world.estate.management_groups.get(fold(name))
    if refusal is None and raw is None:
        refusal = arm_error(404, "NotFound", f"Management group '{name}' could not be found.")
    return refusal, raw


def _group_item(raw: Raw, world: World) -> Raw:
    tenant = raw.get("tenantId") or world.estate.home_tenant
    return {
        "id": raw["id"],
        "type": "Microsoft.Management/managementGroups",
        "name": raw["name"],
        "properties": {"tenantId": tenant, "displayName": raw["displayName"]},
    }


def _scope(name: str) -> str:
    return f"/providers/microsoft.management/managementgroups/{name}"


def _caller(request: Request) -> Caller:
    if request.caller is None:
        raise ValueError("the token is checked before the route")
    return request.caller
