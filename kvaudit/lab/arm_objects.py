"""What stands below a vault in Resource Manager: secrets and keys by name, endpoints, diagnostic settings; and resources of
other types, with the federated credentials of user-assigned identities.

Names and attributes only, as the real service: any Reader may list them, past the vault's firewall (azure.md 3).
"""

from kvaudit.lab.arm_answers import everything, forbid, page
from kvaudit.lab.estate import Raw, StoredObject, fold
from kvaudit.lab.http import Request, Response, arm_error
from kvaudit.lab.records import keys_below
from kvaudit.lab.world import World


def _missing(world: World, vault_id: str) -> Response | None:
    if fold(vault_id) in world.estate.vaults:
        return None
    name = vault_id.rsplit("/", 1)[-1]
    group = vault_id.split("/")[4]
    message = f"The Resource 'Microsoft.KeyVault/vaults/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    return arm_error(404, "ResourceNotFound", message)


def listing(world: World, request: Request, vault_id: str, kind: str) -> Response:
    """`GET {vault}/secrets` and `GET {vault}/keys`."""
    kind = kind.casefold()
    refusal = forbid(world, request, f"Microsoft.KeyVault/vaults/{kind}/read", fold(vault_id)) or _missing(
        world, vault_id
    )
    if refusal is not None:
        return refusal
    stored = world.estate.objects.get(fold(vault_id), {}).get(kind, {})
    return page(
        world, request, [_item(vault_id, kind, item) for _, item in sorted(stored.items()) if item.deleted_at is None]
    )


def one(world: World, request: Request, vault_id: str, kind: str, name: str) -> Response:
    """`GET {vault}/secrets/{name}`: attributes, never a value."""
    kind = kind.casefold()
    refusal = forbid(world, request, f"Microsoft.KeyVault/vaults/{kind}/read", fold(vault_id)) or _missing(
        world, vault_id
    )
    if refusal is not None:
        return refusal
    item = world.estate.objects.get(fold(vault_id), {}).get(kind, {}).get(name.casefold())
    if item is None or item.deleted_at is not None:
        return arm_error(404, "ResourceNotFound", f"The {kind[:-1]} '{name}' was not found.")
    return Response(200, _item(vault_id, kind, item))


def _item(vault_id: str, kind: str, item: StoredObject) -> Raw:
    version = item.current
    base = f"https://{vault_id.rsplit('/', 1)[-1]}.vault.azure.net/{kind}/{item.name}"
    attributes: Raw = {"enabled": version.enabled, "created": version.created, "updated": version.updated}
    if version.expires is not None:
        attributes["exp"] = version.expires
    if version.not_before is not None:
        attributes["nbf"] = version.not_before
    properties: Raw = {"attributes": attributes}
    if kind == "secrets":
        properties |= {"secretUri": base, "secretUriWithVersion": f"{base}/{version.version}"}
        if version.content_type:
            properties["contentType"] = version.content_type
    else:
        properties |= {"keyUri": base, "kty": version.key.get("kty", "RSA")}
    return {
        "id": f"{vault_id}/{kind}/{item.name}",
        "name": item.name,
        "type": f"Microsoft.KeyVault/vaults/{kind}",
        "tags": version.tags,
        "properties": properties,
    }


def private_endpoint_connections(world: World, request: Request, vault_id: str) -> Response:
    """`GET {vault}/privateEndpointConnections`."""
    action = "Microsoft.KeyVault/vaults/privateEndpointConnections/read"
    refusal = forbid(world, request, action, fold(vault_id)) or _missing(world, vault_id)
    return refusal or everything(world.estate.private_endpoints.get(fold(vault_id), []))


def diagnostic_settings(world: World, request: Request, vault_id: str) -> Response:
    """`GET {vault}/providers/Microsoft.Insights/diagnosticSettings`."""
    action = "Microsoft.Insights/diagnosticSettings/read"
    refusal = forbid(world, request, action, fold(vault_id)) or _missing(world, vault_id)
    return refusal or everything(world.estate.diagnostic_settings.get(fold(vault_id), []))


def listed_type(world: World, request: Request, subscription_id: str, kind: str) -> Response:
    """`GET /subscriptions/{id}/providers/{type}`: the resources of one type, with their properties."""
    scope = f"/subscriptions/{fold(subscription_id)}"
    return forbid(world, request, f"{kind}/read", scope) or page(world, request, _of_type(world, scope, kind))


def listed_type_in_group(world: World, request: Request, group_id: str, kind: str) -> Response:
    """`GET {resource group}/providers/{type}`."""
    return forbid(world, request, f"{kind}/read", fold(group_id)) or page(
        world, request, _of_type(world, group_id, kind)
    )


def _of_type(world: World, scope: str, kind: str) -> list[Raw]:
    store = world.estate.other_resources
    keys = keys_below(world, "others", store, scope)
    return [store[key] for key in keys if str(store[key].get("type")).casefold() == kind.casefold()]


def one_resource(world: World, request: Request, resource_id: str, kind: str) -> Response:
    """`GET {resource}` of a type that the lab lists."""
    refusal = forbid(world, request, f"{kind}/read", fold(resource_id))
    raw = world.estate.other_resources.get(fold(resource_id))
    if refusal is not None or raw is None:
        return refusal or _no_resource(resource_id)
    return Response(200, raw)


def _no_resource(resource_id: str) -> Response:
    parts = resource_id.split("/")
    message = (
        f"The Resource '{parts[6]}/{parts[7]}/{parts[8]}' under resource group '{parts[4]}' was not found. For more details "
        "please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return arm_error(404, "ResourceNotFound", message)


def federated_credentials(world: World, request: Request, identity_id: str) -> Response:
    """`GET {user-assigned identity}/federatedIdentityCredentials`."""
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read"
    refusal = forbid(world, request, action, fold(identity_id))
    if refusal is not None:
        return refusal
    if fold(identity_id) not in world.estate.other_resources:
        return _no_resource(identity_id)
    return page(world, request, world.estate.identity_federated_credentials.get(fold(identity_id), []))
