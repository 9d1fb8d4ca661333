"""The credentials of `--auth`, from azure-identity. Each reads the same environment variables as the Azure SDKs do."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from azure.identity import DeviceCodeCredential, InteractiveBrowserCredential
from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from kvaudit.clients.policies import USER_AGENT
from kvaudit.clients.tokens import TokenSource
from kvaudit.errors import CredentialError
from kvaudit.model.clouds import Cloud

INTERACTIVE = frozenset({"browser", "device-code"})

PROCESS_TIMEOUT = 30
"""Seconds for `az account get-access-token`. azure-identity's 10 are too few for a cold start on a slow machine."""

INTERACTIVE_TIMEOUT = 300
"""Seconds that a person has to finish signing in: azure-identity's own limit for the browser."""

TOKEN_TIMEOUT = 60
"""Seconds for one token request without a person, its repetitions included."""

_SIGN_IN_TRIES = 2
"""Repetitions of a token request; the patience above ends them too."""


def credential_maker(
    auth: str,
    *,
    cloud: Cloud,
    tenant: str | None,
    environ: Mapping[str, str],
    transport: Any,
    ca_file: str | None,
    prompt: Callable[[str], None],
) -> Callable[[], TokenSource]:
    """A function that makes the credential of an `--auth` choice.

    Args:
        auth: one of `kvaudit.model.clouds.AUTHS`.
        cloud: whose sign-in endpoint is asked.
        tenant: the tenant to sign in to; wins over AZURE_TENANT_ID.
        environ: environment variables.
        transport: azure-core transport for token requests of the async credentials.
        ca_file: CA bundle for the credentials that only exist without async, or None for the default.
        prompt: shows a person where to sign in (`device-code`).

    Raises:
        CredentialError: environment variables that the choice needs are not set, all of them named at once.
    """
    common: dict[str, Any] = {
        "authority": cloud.authority,
        "transport": transport,
        "retry_total": _SIGN_IN_TRIES,
        "user_agent": USER_AGENT,
        "additionally_allowed_tenants": ["*"],
    }
    if auth in INTERACTIVE:
        return _for_a_person(auth, cloud=cloud, tenant=tenant, ca_file=ca_file, prompt=prompt)
    needs = _Needs(auth, environ, tenant)
    match auth:
        case "default":
            return lambda: DefaultAzureCredential(process_timeout=PROCESS_TIMEOUT, **common)
        case "cli":
            return lambda: AzureCliCredential(tenant_id=tenant or "", process_timeout=PROCESS_TIMEOUT)
        case "managed-identity":
            assigned = environ.get("AZURE_CLIENT_ID") or None
            return lambda: ManagedIdentityCredential(client_id=assigned, transport=transport)
        case "workload-identity":
            tenant_id, client_id, file = needs("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
            return lambda: WorkloadIdentityCredential(
                tenant_id=tenant_id, client_id=client_id, token_file_path=file, **common
            )
        case "client-secret":
            tenant_id, client_id, password = needs("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
            return lambda: ClientSecretCredential(tenant_id, client_id, password, **common)
        case "certificate":
            tenant_id, client_id, path = needs("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")
            return lambda: _certificate(tenant_id, client_id, path, environ, common)
    raise ValueError(f"there is no --auth {auth}")


def _for_a_person(
    auth: str, *, cloud: Cloud, tenant: str | None, ca_file: str | None, prompt: Callable[[str], None]
) -> Callable[[], TokenSource]:
    """`browser` and `device-code`, which azure-identity only has without async."""
    settings: dict[str, Any] = {
        "authority": cloud.authority,
        "retry_total": _SIGN_IN_TRIES,
        "user_agent": USER_AGENT,
        "timeout": INTERACTIVE_TIMEOUT,
        **({"tenant_id": tenant} if tenant else {}),
        **({"connection_verify": ca_file} if ca_file else {}),
    }
    if auth == "browser":
        return lambda: _InThread(lambda: InteractiveBrowserCredential(**settings))

    def show(address: str, code: str, _: Any) -> None:
        prompt(f"To sign in, open {address} and enter {code}")

    return lambda: _InThread(lambda: DeviceCodeCredential(prompt_callback=show, **settings))


class _Needs:
    """Looks up environment variables; `--tenant` stands for AZURE_TENANT_ID."""

    def __init__(self, auth: str, environ: Mapping[str, str], tenant: str | None) -> None:
        self._auth = auth
        self._settings = {**environ, **({"AZURE_TENANT_ID": tenant} if tenant else {})}

    def __call__(self, *names: str) -> list[str]:
        """Their values. Raises CredentialError that names every one that is not set."""
        missing = [name for name in names if not self._settings.get(name)]
        if missing:
            raise CredentialError(
                f"--auth {self._auth} needs {' and '.join(missing)}",
                hint="Set them in the environment" + (", or give --tenant." if "AZURE_TENANT_ID" in missing else "."),
            )
        return [self._settings[name] for name in names]


def _certificate(
    tenant_id: str, client_id: str, path: str, environ: Mapping[str, str], common: Mapping[str, Any]
) -> TokenSource:
    password = environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD") or None
    try:
        return CertificateCredential(tenant_id, client_id, path, password=password, **common)
    except (OSError, ValueError, TypeError) as problem:
        raise CredentialError(
            f"the certificate {path} cannot be used: {type(problem).__name__}",
            hint="AZURE_CLIENT_CERTIFICATE_PATH names a PEM or PKCS12 file with its private key; "
            "AZURE_CLIENT_CERTIFICATE_PASSWORD opens it.",
        ) from None  # the original's text could quote the file


class _InThread:
    """A credential that only exists without async, asked in a thread that does not keep the process alive.

    A thread of asyncio's own pool would: Ctrl-C would wait until the code shown to a person expires.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._credential = make()

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        """A token, asked in its own thread."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(setter: Callable[[Any], None], value: Any) -> None:
            if not answer.done():
                setter(value)

        def ask() -> None:
            try:
                outcome, setter = self._credential.get_token_info(*scopes, options=options), answer.set_result
            except Exception as problem:  # noqa: BLE001 - handed to the waiting coroutine as it is
                outcome, setter = problem, answer.set_exception
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, setter, outcome)

        threading.Thread(target=ask, name="sign-in", daemon=True).start()
        return await answer

    async def close(self) -> None:
        """Gives up the credential."""
        self._credential.close()
