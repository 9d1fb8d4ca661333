"""Vaults through Resource Manager: lists, writes with the rules of each api-version, soft delete and name collisions."""

import copy
import re
from datetime import datetime, timedelta

from kvaudit.lab.arm_answers import forbid, page
from kvaudit.lab.arm_authorization import forget_assignment
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.evaluator import decide_control
from kvaudit.lab.http import Request, Response, arm_error
from kvaudit.lab.records import by_scope, keys_below
from kvaudit.lab.world import World

_READ = "Microsoft.KeyVault/vaults/read"
_WRITE = "Microsoft.KeyVault/vaults/write"
_FIRST_RBAC_DEFAULT = "2026-02-01"
_FIRST_WITH_FLAG = "2019-09-01"
_NAME = re.compile(r"[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]", re.IGNORECASE)
_KEPT = ("enablePurgeProtection", "softDeleteRetentionInDays", "privateEndpointConnections")
"""Properties that stay when a full PUT leaves them out: they are irreversible, fixed at creation, or not the writer's."""


def _shown(raw: Raw, request: Request) -> Raw:
    """As the api-version shows it: contracts before 2019-09-01 do not know the permission model."""
    if (request.api_version or "") >= _FIRST_WITH_FLAG or "enableRbacAuthorization" not in (
        raw.get("properties") or {}
    ):
        return raw
    shown = copy.deepcopy(raw)
    del shown["properties"]["enableRbacAuthorization"]
    return shown


def by_subscription(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}/providers/Microsoft.KeyVault/vaults`."""
    return _listing(world, request, f"/subscriptions/{fold(subscription_id)}")


def by_group(world: World, request: Request, subscription_id: str, group: str) -> Response:
    """`GET .../resourceGroups/{name}/providers/Microsoft.KeyVault/vaults`."""
    return _listing(world, request, f"/subscriptions/{fold(subscription_id)}/resourcegroups/{group.casefold()}")


def _listing(world: World, request: Request, scope: str) -> Response:
    refusal = forbid(world, request, _READ, scope)
    if refusal is not None:
        return refusal
    vaults = world.estate.vaults
    found = [_shown(vaults[key], request) for key in keys_below(world, "vaults", vaults, scope)]
    return page(world, request, found, empty_first=True)


def _not_found(vault_id: str) -> Response:
    parts = vault_id.split("/")
    message = f"The Resource 'Microsoft.KeyVault/vaults/{parts[-1]}' under resource group '{parts[4]}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    return arm_error(404, "ResourceNotFound", message)


def one(world: World, request: Request, vault_id: str) -> Response:
    """`GET {vault}`."""
    refusal = forbid(world, request, _READ, fold(vault_id))
    if refusal is not None:
        return refusal
    raw = world.estate.vaults.get(fold(vault_id))
    return Response(200, _shown(raw, request)) if raw else _not_found(vault_id)


def put(world: World, request: Request, vault_id: str) -> Response:
    """`PUT {vault}`: creates, recovers or replaces; an update replaces every access policy."""
    body = request.json() or {}
    properties = dict(body.get("properties") or {})
    refusal = forbid(world, request, _WRITE, fold(vault_id))
    if refusal is not None:
        return refusal
    old = world.estate.vaults.get(fold(vault_id))
    problem = _refuse_properties(properties, (old or {}).get("properties")) or (
        None if old else _refuse_name(vault_id) or _collision(world, vault_id, properties)
    )
    if problem is not None:
        return problem
    mode = properties.pop("createMode", "default")
    if old is None and mode == "recover":
        return _recover(world, vault_id)
    flag = properties.get("enableRbacAuthorization")
    if old is not None:
        before = (old.get("properties") or {}).get("enableRbacAuthorization")
        if flag is None:
            # Not documented before 2026-02-01; from then on an omitted flag leaves the model as it is (azure.md 1.1).
            flag = before
        refusal = _refuse_model_change(world, request, vault_id, bool(before), bool(flag))
        if refusal is not None:
            return refusal
    elif flag is None and (request.api_version or "") >= _FIRST_RBAC_DEFAULT:
        flag = True
    if flag is None:
        properties.pop("enableRbacAuthorization", None)
    else:
        properties["enableRbacAuthorization"] = flag
    kept = {name: old["properties"][name] for name in _KEPT if name in old["properties"]} if old else {}
    world.estate.vaults[fold(vault_id)] = _stored(world, vault_id, body, kept | properties)
    world.estate.objects.setdefault(fold(vault_id), {"secrets": {}, "keys": {}, "certificates": {}})
    world.changed()
    return Response(200 if old else 201, world.estate.vaults[fold(vault_id)])


def _refuse_name(vault_id: str) -> Response | None:
    name = vault_id.rsplit("/", 1)[-1]
    if _NAME.fullmatch(name):
        return None
    message = f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
    return arm_error(400, "VaultNameNotValid", message)


def _refuse_properties(new: Raw, old: Raw | None) -> Response | None:
    """What can never be undone on a vault (azure.md 1.6)."""
    message = None
    if new.get("enablePurgeProtection") is False:
        message = 'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.'
    elif old and new.get("enableSoftDelete") is False and old.get("enableSoftDelete") is not False:
        message = "The property \"enableSoftDelete\" can be set to false only for creating new vault. Enabling the 'soft delete' functionality is an irreversible action."
    elif old and new.get("softDeleteRetentionInDays") not in {None, old.get("softDeleteRetentionInDays", 90)}:
        message = 'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.'
    return arm_error(400, "BadRequest", message) if message else None


def _stored(world: World, vault_id: str, body: Raw, properties: Raw) -> Raw:
    name = vault_id.rsplit("/", 1)[-1]
    defaults = {
        "tenantId": world.estate.home_tenant,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "vaultUri": f"https://{name}.vault.azure.net/",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
    }
    return {
        "id": vault_id,
        "name": name,
        "type": "Microsoft.KeyVault/vaults",
        "location": body.get("location", "westeurope"),
        "tags": body.get("tags") or {},
        "properties": {**defaults, **properties},
    }


def _purge_due(world: World) -> None:
    """Purges vaults that were deleted while the lab ran and whose retention has ended by its clock.

    Deleted vaults of the estate file stay whatever their dates: recorded ones are years old.
    """
    for key in [key for key, due in world.purge_due.items() if due <= world.now()]:
        _purge(world, key)


def _purge(world: World, key: str) -> None:
    raw = world.estate.deleted_vaults.pop(key)
    world.purge_due.pop(key, None)
    world.estate.deleted_vault_bodies.pop(key, None)
    world.estate.objects.pop(fold((raw.get("properties") or {}).get("vaultId") or "/"), None)
    world.changed()


def _collision(world: World, vault_id: str, properties: Raw) -> Response | None:
    """409 when the name is in use anywhere in the cloud, or by a deleted vault that is not being recovered."""
    _purge_due(world)
    name = vault_id.rsplit("/", 1)[-1]
    if world.vault_named(name) is not None:
        message = f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information on VaultAlreadyExists, soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
        return arm_error(409, "VaultAlreadyExists", message)
    deleted = next(
        (raw for raw in world.estate.deleted_vaults.values() if raw["name"].casefold() == name.casefold()), None
    )
    if deleted is None or properties.get("createMode") == "recover":
        return None
    message = f"A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete. (vault {name})"
    return arm_error(409, "ConflictError", message)


def _recover(world: World, vault_id: str) -> Response:
    for key, raw in list(world.estate.deleted_vaults.items()):
        if fold((raw.get("properties") or {}).get("vaultId", "")) == fold(vault_id):
            del world.estate.deleted_vaults[key]
            world.purge_due.pop(key, None)
            body = world.estate.deleted_vault_bodies.pop(key, None) or _stored(world, vault_id, raw, {})
            world.estate.vaults[fold(vault_id)] = body
            world.changed()
            return Response(200, body)
    return _not_found(vault_id)


def _refuse_model_change(world: World, request: Request, vault_id: str, before: bool, after: bool) -> Response | None:
    """400 `InsufficientPermissions` unless the caller may also write role assignments, unconditioned (azure.md 1.4)."""
    caller = request.caller
    if before is after or caller is None:
        return None
    action = "Microsoft.Authorization/roleAssignments/write"
    if decide_control(world, caller, action, fold(vault_id)).allowed:
        return None
    message = (
        "Caller is not allowed to change permission model. Caller: "
        f"appid={caller.app_id};oid={caller.object_id}; action={action}; resource={vault_id}; decision=NotAllowed"
    )
    return arm_error(400, "InsufficientPermissions", message)


def patch(world: World, request: Request, vault_id: str) -> Response:
    """`PATCH {vault}`: what is null or left out stays."""
    refusal = forbid(world, request, _WRITE, fold(vault_id))
    raw = world.estate.vaults.get(fold(vault_id))
    if refusal is not None or raw is None:
        return refusal or _not_found(vault_id)
    body = request.json() or {}
    changes = {name: value for name, value in (body.get("properties") or {}).items() if value is not None}
    before = raw["properties"].get("enableRbacAuthorization") is True
    refusal = _refuse_properties(changes, raw["properties"]) or _refuse_model_change(
        world, request, vault_id, before, bool(changes.get("enableRbacAuthorization", before))
    )
    if refusal is not None:
        return refusal
    raw["properties"].update(changes)
    if isinstance(body.get("tags"), dict):
        raw["tags"] = body["tags"]
    world.changed()
    return Response(200, raw)


def delete(world: World, request: Request, vault_id: str) -> Response:
    """`DELETE {vault}`: soft delete; role assignments of the vault go and never come back (azure.md 1.6)."""
    refusal = forbid(world, request, "Microsoft.KeyVault/vaults/delete", fold(vault_id))
    raw = world.estate.vaults.get(fold(vault_id))
    if refusal is not None or raw is None:
        return refusal or Response(204)
    del world.estate.vaults[fold(vault_id)]
    subscription, location = vault_id.split("/")[2], str(raw.get("location", "westeurope"))
    identity = (
        f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{raw['name']}"
    )
    now = world.now()
    days = int(raw["properties"].get("softDeleteRetentionInDays") or 90)
    world.estate.deleted_vault_bodies[fold(identity)] = raw
    world.purge_due[fold(identity)] = now + timedelta(days=days)
    world.estate.deleted_vaults[fold(identity)] = {
        "id": identity,
        "name": raw["name"],
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": raw["id"],
            "location": location,
            "tags": raw.get("tags") or {},
            "deletionDate": _stamp(now),
            "scheduledPurgeDate": _stamp(now + timedelta(days=days)),
            "purgeProtectionEnabled": bool(raw["properties"].get("enablePurgeProtection")),
        },
    }
    index = by_scope(world, "assignments", world.estate.role_assignments)
    gone = [key for at in (fold(vault_id), *index.below(fold(vault_id))) for key in index.at.get(at, ())]
    for key in gone:
        forget_assignment(world, key)
    world.changed()
    return Response(200)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def change_policies(world: World, request: Request, vault_id: str, operation: str) -> Response:
    """`PUT {vault}/accessPolicies/{add|replace|remove}`: single entries, by object and application id."""
    refusal = forbid(world, request, "Microsoft.KeyVault/vaults/accessPolicies/write", fold(vault_id))
    raw = world.estate.vaults.get(fold(vault_id))
    if refusal is not None or raw is None:
        return refusal or _not_found(vault_id)
    given = ((request.json() or {}).get("properties") or {}).get("accessPolicies") or []
    entries: list[Raw] = list(raw["properties"].get("accessPolicies") or [])
    for entry in given:
        same = [old for old in entries if _policy_key(old) == _policy_key(entry)]
        others = [old for old in entries if _policy_key(old) != _policy_key(entry)]
        match operation.casefold():
            case "replace":
                entries = [*others, entry]
            case "add":
                entries = [*others, _joined(same[0], entry) if same else entry]
            case _:
                entries = others
    raw["properties"]["accessPolicies"] = entries
    world.changed()
    return Response(
        200,
        {
            "id": f"{vault_id}/accessPolicies/",
            "type": "Microsoft.KeyVault/vaults/accessPolicies",
            "properties": {"accessPolicies": entries},
        },
    )


def _policy_key(entry: Raw) -> tuple[str, str]:
    return str(entry.get("objectId")).casefold(), str(entry.get("applicationId") or "").casefold()


def _joined(old: Raw, new: Raw) -> Raw:
    permissions = {
        kind: sorted(
            {*((old.get("permissions") or {}).get(kind) or []), *((new.get("permissions") or {}).get(kind) or [])}
        )
        for kind in {*(old.get("permissions") or {}), *(new.get("permissions") or {})}
    }
    return {**old, "permissions": permissions}


def deleted_by_subscription(world: World, request: Request, subscription_id: str) -> Response:
    """`GET /subscriptions/{id}/providers/Microsoft.KeyVault/deletedVaults`."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    refusal = forbid(world, request, "Microsoft.KeyVault/deletedVaults/read", scope)
    if refusal is not None:
        return refusal
    _purge_due(world)
    deleted = world.estate.deleted_vaults
    return page(world, request, [deleted[key] for key in keys_below(world, "deleted", deleted, scope)])


def deleted_one(world: World, request: Request, subscription_id: str, location: str, name: str) -> Response:
    """`GET .../locations/{location}/deletedVaults/{name}`."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    refusal = forbid(world, request, "Microsoft.KeyVault/locations/deletedVaults/read", scope)
    raw = world.estate.deleted_vaults.get(fold(request.path))
    if refusal is not None:
        return refusal
    return (
        Response(200, raw)
        if raw
        else arm_error(
            404,
            "DeletedVaultNotFound",
            f"The specified deleted vault '{name}' does not exist in location '{location}'.",
        )
    )


def purge(world: World, request: Request, subscription_id: str, location: str, name: str) -> Response:
    """`POST .../deletedVaults/{name}/purge`: refused while purge protection holds."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    refusal = forbid(world, request, "Microsoft.KeyVault/locations/deletedVaults/purge/action", scope)
    key = fold(request.path.removesuffix("/purge"))
    raw = world.estate.deleted_vaults.get(key)
    if refusal is not None:
        return refusal
    if raw is None:
        return arm_error(
            404,
            "DeletedVaultNotFound",
            f"The specified deleted vault '{name}' does not exist in location '{location}'.",
        )
    if raw["properties"].get("purgeProtectionEnabled"):
        return arm_error(
            400,
            "MethodNotAllowed",
            f"Operation 'DeletedVaultPurge' is not allowed on the vault '{name}': purge protection is enabled.",
        )
    _purge(world, key)
    return Response(202)


def check_name(world: World, request: Request, subscription_id: str) -> Response:
    """`POST .../checkNameAvailability`."""
    refusal = forbid(
        world, request, "Microsoft.KeyVault/checkNameAvailability/read", f"/subscriptions/{fold(subscription_id)}"
    )
    if refusal is not None:
        return refusal
    name = str((request.json() or {}).get("name", ""))
    taken = world.vault_named(name) is not None or any(
        raw["name"].casefold() == name.casefold() for raw in world.estate.deleted_vaults.values()
    )
    body: Raw = {"nameAvailable": not taken}
    if taken:
        body |= {"reason": "AlreadyExists", "message": f"The vault name '{name}' is already in use."}
    return Response(200, body)
