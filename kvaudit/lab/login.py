"""The sign-in endpoint: instance discovery, OpenID metadata and tokens for client credentials.

Error numbers and texts are those of the Microsoft identity platform as its documentation lists them
(learn.microsoft.com/entra/identity-platform/reference-error-codes).
"""

import base64
import time
import uuid
from urllib.parse import parse_qsl, urlsplit

import orjson

from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.graph_directory import permissions_of
from kvaudit.lab.http import Request, Response
from kvaudit.lab.world import TOKEN_LIFETIME, World

_ANY_TENANT = frozenset({"common", "organizations", "consumers"})


def handle(world: World, request: Request) -> Response:
    """Answer one request to the sign-in host."""
    path = request.path.rstrip("/")
    if path.casefold() == "/common/discovery/instance":
        return _instance_discovery(request)
    tenant, _, rest = path.lstrip("/").partition("/")
    rest = rest.casefold()
    if rest in {"v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"}:
        return _openid_configuration(world, request, tenant)
    if rest in {"oauth2/v2.0/token", "oauth2/token"} and request.method == "POST":
        return _token(world, request, tenant)
    if rest.startswith("userrealm/") or "/userrealm/" in rest or path.casefold().startswith("/common/userrealm/"):
        return Response(200, {"ver": "1.0", "account_type": "Managed", "cloud_instance_name": request.host})
    return Response(404, b"")


def _instance_discovery(request: Request) -> Response:
    authority = request.query.get("authorization_endpoint", f"https://{request.host}/common/oauth2/v2.0/authorize")
    tenant = authority.split("/")[3] if authority.count("/") > 3 else "common"
    return Response(
        200,
        {
            "tenant_discovery_endpoint": f"https://{request.host}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": request.host,
                    "preferred_cache": "login.windows.net" if request.host.endswith(".com") else request.host,
                    "aliases": [request.host, *(["login.windows.net"] if request.host.endswith(".com") else [])],
                }
            ],
        },
    )


def _known_tenant(world: World, tenant: str) -> str | None:
    """The tenant's id for an id or one of its domains; the home tenant for `common` and `organizations`."""
    wanted = tenant.casefold()
    if wanted in _ANY_TENANT:
        return world.estate.home_tenant
    for tenant_id, raw in world.estate.tenants.items():
        domains = {str(name).casefold() for name in (raw.get("defaultDomain"), *(raw.get("domains") or ())) if name}
        if wanted == tenant_id.casefold() or wanted in domains:
            return tenant_id
    return None


def _openid_configuration(world: World, request: Request, tenant: str) -> Response:
    found = _known_tenant(world, tenant)
    if found is None:
        return _refused(400, "invalid_tenant", 90002, _no_tenant(tenant))
    base = f"https://{request.host}/{tenant if tenant.casefold() in _ANY_TENANT else found}"
    issuer_tenant = "{tenantid}" if tenant.casefold() in _ANY_TENANT else found
    return Response(
        200,
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "issuer": f"https://{request.host}/{issuer_tenant}/v2.0",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": request.host.partition(".")[2],
        },
    )


def _token(world: World, request: Request, tenant: str) -> Response:
    found = _known_tenant(world, tenant)
    if found is None:
        return _refused(400, "invalid_request", 90002, _no_tenant(tenant))
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if form.get("grant_type") != "client_credentials":
        message = f"The app requested an unsupported grant type '{form.get('grant_type')}'."
        return _refused(400, "unsupported_grant_type", 70003, message)
    client, secret = _client_of(request, form)
    principal = _service_principal(world, client, found)
    if principal is None:
        message = (
            f"Application with identifier '{client}' was not found in the directory '{_display(world, found)}'. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by any "
            "user in the tenant. You may have sent your authentication request to the wrong tenant."
        )
        return _refused(400, "unauthorized_client", 700016, message)
    if secret not in world.estate.client_secrets.get(client.casefold(), set()):
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
            f"the client secret ID, for a secret added to app '{client}'."
        )
        return _refused(401, "invalid_client", 7000215, message)
    return _issued(world, principal, _audience(form))


def _client_of(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the form or from basic authentication."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "basic":
        client, _, secret = base64.b64decode(value).decode().partition(":")
        return client, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _service_principal(world: World, app_id: str, tenant: str) -> Raw | None:
    for principal in world.estate.service_principals.values():
        if (
            str(principal.get("appId", "")).casefold() == app_id.casefold()
            and world.estate.tenant_of(principal["id"]) == tenant
        ):
            return principal
    return None


def _audience(form: dict[str, str]) -> str:
    """The resource a token is for: from `scope` (v2, ends with /.default) or `resource` (v1)."""
    scope = next((word for word in form.get("scope", "").split() if word.endswith("/.default")), "")
    return (scope.removesuffix("/.default") or form.get("resource", "")).rstrip("/")


def _issued(world: World, principal: Raw, audience: str) -> Response:
    caller = world.caller_for(fold(principal["id"]), audience=audience)
    seconds = int(TOKEN_LIFETIME.total_seconds())
    is_graph = "graph" in urlsplit(audience).netloc.split(".")[0]
    return Response(
        200,
        {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": world.issue_token(caller, permissions_of(world, caller) if is_graph else ()),
        },
        {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"},
    )


def _no_tenant(tenant: str) -> str:
    return (
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct "
        "cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
    )


def _display(world: World, tenant: str) -> str:
    return str(world.estate.tenants.get(tenant, {}).get("displayName") or tenant)


def _refused(status: int, error: str, number: int, message: str) -> Response:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    timestamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    text = f"AADSTS{number}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
    body = {
        "error": error,
        "error_description": text,
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return Response(status, orjson.dumps(body), {"Content-Type": "application/json; charset=utf-8"})
