"""Azure Resource Manager: tokens, api-versions and routes. What stands behind a route is in the `arm_*` modules."""

import re
from collections.abc import Callable

from kvaudit.lab import arm_authorization, arm_governance, arm_hierarchy, arm_objects, arm_vaults
from kvaudit.lab.arm_answers import refuse_token
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Request, Response, arm_error
from kvaudit.lab.records import delegates_to
from kvaudit.lab.world import World

Handler = Callable[..., Response]

_SUBSCRIPTION = r"/subscriptions/([^/]+)"
_GROUP = _SUBSCRIPTION + r"/resourcegroups/([^/]+)"
_VAULT = r"(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.keyvault/vaults/[^/]+)"
_AUTHORIZATION = r"(.*)/providers/microsoft\.authorization/"
_LISTED = (
    r"(microsoft\.managedidentity/userassignedidentities|microsoft\.keyvault/managedhsms|microsoft\.network/privateendpoints|"
    r"microsoft\.compute/virtualmachines|microsoft\.web/sites)"
)
_IDENTITY = r"(" + _GROUP.replace("(", "(?:") + r"/providers/microsoft\.managedidentity/userassignedidentities/[^/]+)"
_MANAGEMENT = r"/providers/microsoft\.management/managementgroups"

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"/tenants", arm_hierarchy.tenants),
    ("GET", r"/subscriptions", arm_hierarchy.subscriptions),
    ("GET", _SUBSCRIPTION, arm_hierarchy.subscription),
    ("GET", _SUBSCRIPTION + r"/resourcegroups", arm_hierarchy.resource_groups),
    ("GET", _SUBSCRIPTION + r"/resources", arm_hierarchy.resources),
    ("POST", _SUBSCRIPTION + r"/providers/([^/]+)/register", arm_hierarchy.register_provider),
    ("GET", _SUBSCRIPTION + r"/providers/([^/]+)", arm_hierarchy.provider),
    ("GET", _MANAGEMENT, arm_hierarchy.management_groups),
    ("GET", _MANAGEMENT + r"/([^/]+)", arm_hierarchy.management_group),
    ("GET", _MANAGEMENT + r"/([^/]+)/descendants", arm_hierarchy.descendants),
    ("GET", _SUBSCRIPTION + r"/providers/microsoft\.keyvault/vaults", arm_vaults.by_subscription),
    ("GET", _GROUP + r"/providers/microsoft\.keyvault/vaults", arm_vaults.by_group),
    ("GET", _VAULT, arm_vaults.one),
    ("PUT", _VAULT, arm_vaults.put),
    ("PATCH", _VAULT, arm_vaults.patch),
    ("DELETE", _VAULT, arm_vaults.delete),
    ("PUT", _VAULT + r"/accesspolicies/(add|replace|remove)", arm_vaults.change_policies),
    ("GET", _SUBSCRIPTION + r"/providers/microsoft\.keyvault/deletedvaults", arm_vaults.deleted_by_subscription),
    (
        "GET",
        _SUBSCRIPTION + r"/providers/microsoft\.keyvault/locations/([^/]+)/deletedvaults/([^/]+)",
        arm_vaults.deleted_one,
    ),
    (
        "POST",
        _SUBSCRIPTION + r"/providers/microsoft\.keyvault/locations/([^/]+)/deletedvaults/([^/]+)/purge",
        arm_vaults.purge,
    ),
    ("POST", _SUBSCRIPTION + r"/providers/microsoft\.keyvault/checknameavailability", arm_vaults.check_name),
    ("GET", _SUBSCRIPTION + r"/providers/" + _LISTED, arm_objects.listed_type),
    ("GET", r"(/subscriptions/[^/]+/resourcegroups/[^/]+)/providers/" + _LISTED, arm_objects.listed_type_in_group),
    ("GET", r"(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/" + _LISTED + r"/[^/]+)", arm_objects.one_resource),
    ("GET", _IDENTITY + r"/federatedidentitycredentials", arm_objects.federated_credentials),
    ("GET", _SUBSCRIPTION + r"/providers/microsoft\.security/pricings", arm_governance.pricings),
    ("GET", _SUBSCRIPTION + r"/providers/microsoft\.security/pricings/([^/]+)", arm_governance.pricing),
    (
        "GET",
        _SUBSCRIPTION + r"/providers/microsoft\.authorization/classicadministrators",
        arm_governance.classic_administrators,
    ),
    (
        "GET",
        r"(.+)/providers/microsoft\.managedservices/registrationassignments",
        arm_governance.registration_assignments,
    ),
    ("GET", _AUTHORIZATION + r"locks", arm_governance.locks),
    ("POST", r"/providers/microsoft\.authorization/elevateaccess", arm_governance.elevate_access),
    ("GET", _VAULT + r"/(secrets|keys)", arm_objects.listing),
    ("GET", _VAULT + r"/(secrets|keys)/([^/]+)", arm_objects.one),
    ("GET", _VAULT + r"/privateendpointconnections", arm_objects.private_endpoint_connections),
    ("GET", _VAULT + r"/providers/microsoft\.insights/diagnosticsettings", arm_objects.diagnostic_settings),
    ("GET", _AUTHORIZATION + r"roleassignments", arm_authorization.role_assignments),
    ("GET", _AUTHORIZATION + r"roleassignments/([^/]+)", arm_authorization.role_assignment),
    ("PUT", _AUTHORIZATION + r"roleassignments/([^/]+)", arm_authorization.create_role_assignment),
    ("DELETE", _AUTHORIZATION + r"roleassignments/([^/]+)", arm_authorization.delete_role_assignment),
    ("GET", _AUTHORIZATION + r"roledefinitions", arm_authorization.role_definitions),
    ("GET", _AUTHORIZATION + r"roledefinitions/([^/]+)", arm_authorization.role_definition),
    ("GET", _AUTHORIZATION + r"denyassignments", arm_authorization.deny_assignments),
    ("GET", _AUTHORIZATION + r"denyassignments/([^/]+)", arm_authorization.deny_assignment),
    ("GET", _AUTHORIZATION + r"permissions", arm_authorization.permissions),
    (
        "GET",
        _AUTHORIZATION + r"(roleeligibilityscheduleinstances|roleassignmentscheduleinstances)",
        arm_authorization.schedule_instances,
    ),
)
_COMPILED = tuple((method, re.compile(pattern, re.IGNORECASE), handler) for method, pattern, handler in _ROUTES)


def handle(world: World, request: Request) -> Response:
    """Answer one request to a control-plane host."""
    refusal = _refuse(world, request)
    if refusal is not None:
        return refusal
    path = request.path.rstrip("/") or "/"
    known = False
    for method, pattern, handler in _COMPILED:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        known = True
        if method == request.method:
            return handler(world, request, *match.groups())
    if known:
        return arm_error(405, "MethodNotAllowed", f"The method {request.method} is not supported on this path.")
    return arm_error(404, "NotFound", f"The lab has no route for {request.method} {request.path}.")


def _refuse(world: World, request: Request) -> Response | None:
    refusal = refuse_token(world, request)
    if refusal is not None:
        return refusal
    if request.api_version is None:
        return arm_error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    return _refuse_subscription(world, request)


def _refuse_subscription(world: World, request: Request) -> Response | None:
    """404 for a subscription that is not there, 401 for a token of another tenant than the subscription's, unless it is
    delegated to that tenant.
    """
    parts = request.path.split("/")
    if request.caller is None or len(parts) < 3 or parts[1].casefold() != "subscriptions":
        return None
    subscription = world.estate.subscriptions.get(fold(parts[2]))
    if subscription is None:
        return arm_error(404, "SubscriptionNotFound", f"The subscription '{parts[2]}' could not be found.")
    tenant = str(subscription.get("tenantId") or world.estate.home_tenant)
    home = request.caller.tenant_id.casefold()
    if home != tenant.casefold() and not delegates_to(world, home, parts[2]):
        message = (
            f"The access token is from the wrong issuer 'https://sts.windows.net/{request.caller.tenant_id}/'. It must match the "
            f"tenant 'https://sts.windows.net/{tenant}/' associated with this subscription."
        )
        return arm_error(401, "InvalidAuthenticationTokenTenant", message)
    return None
