"""Why signing in failed, in a sentence a person can act on.

Codes: Microsoft Entra's list of `AADSTS` errors (learn.microsoft.com/entra/identity-platform/reference-error-codes). What
the service wrote is not repeated: it may quote what was sent.
"""

import re

from azure.identity import CredentialUnavailableError

from kvaudit.errors import CredentialError

_CODE = re.compile(r"AADSTS(\d{4,8})")

_SIGN_IN_AGAIN = "Sign in again: az login, or get a new token the way the first one came."

_KNOWN: dict[str, tuple[str, str]] = {
    "7000215": (
        "the client secret is wrong",
        "AZURE_CLIENT_SECRET must hold the secret's value, not its ID. Take it from the app registration, or make a new one.",
    ),
    "7000222": ("the client secret has expired", "Make a new one on the app registration and set AZURE_CLIENT_SECRET."),
    "700016": (
        "the application does not exist in this tenant",
        "Check AZURE_CLIENT_ID, and that AZURE_TENANT_ID or --tenant names the tenant where the application is.",
    ),
    "7000112": (
        "the application is disabled in this tenant",
        "Ask an administrator to enable its enterprise application.",
    ),
    "700027": (
        "the certificate is not one that the application trusts, or it has expired",
        "Upload its public part to the app registration, and check AZURE_CLIENT_CERTIFICATE_PATH.",
    ),
    "700024": ("the federated token has expired", "Let the platform write a new one, and check this machine's clock."),
    "700211": (
        "no federated credential of the application matches the token's issuer",
        "Check issuer and subject on the app registration.",
    ),
    "70021": (
        "no federated credential of the application matches the token",
        "Check issuer and subject on the app registration.",
    ),
    "700213": (
        "no federated credential of the application matches the token's subject",
        "Check the subject on the app registration.",
    ),
    "90002": ("the tenant does not exist in this cloud", "Check --tenant or AZURE_TENANT_ID, and --cloud."),
    "900023": ("the tenant is neither an ID nor a domain", "Check --tenant or AZURE_TENANT_ID."),
    "900382": ("the tenant is in another cloud", "Check --cloud."),
    "50020": (
        "the account is of another tenant and no guest in this one",
        "Check --tenant, or sign in with another account.",
    ),
    "50034": ("the account does not exist in this tenant", "Check the account and --tenant."),
    "50053": ("the account is locked", "Wait, or ask an administrator."),
    "50057": ("the account is disabled", "Ask an administrator, or sign in with another account."),
    "50076": (
        "multi-factor authentication is required",
        "Sign in interactively: az login --tenant TENANT, or --auth browser.",
    ),
    "50079": (
        "multi-factor authentication must be set up or used",
        "Sign in interactively: az login --tenant TENANT, or --auth browser.",
    ),
    "50126": ("the user name or password is wrong", "Check them, or use --auth browser."),
    "50158": ("a further sign-in step is required", "Sign in interactively: --auth browser."),
    "50173": ("the sign-in was revoked", _SIGN_IN_AGAIN),
    "500011": (
        "the tenant does not know the service that a token was asked for",
        "Check --cloud and the endpoints given.",
    ),
    "53000": ("Conditional Access requires a compliant device", "Run from one, or sign in as a workload identity."),
    "53003": ("Conditional Access blocks this sign-in", "Ask who owns the policy, or run from an allowed place."),
    "65001": ("the application was not granted what it asks for", "An administrator must consent to it."),
    "70008": ("the sign-in has expired", _SIGN_IN_AGAIN),
    "700082": ("the sign-in has expired after inactivity", _SIGN_IN_AGAIN),
    "70043": ("the sign-in has expired by a Conditional Access rule", _SIGN_IN_AGAIN),
    "700003": ("the device that signed in is gone", _SIGN_IN_AGAIN),
}

_HOW = {
    "default": "Sign in with az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or run where a managed "
    "identity is. --auth chooses one way and tells more.",
    "cli": "Sign in with az login, and check that az is on the PATH.",
    "managed-identity": "Run on an Azure resource that has an identity; AZURE_CLIENT_ID names a user-assigned one.",
    "workload-identity": "The pod needs the label azure.workload.identity/use and its service account the client ID.",
    "client-secret": "Check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET.",
    "certificate": "Check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_CERTIFICATE_PATH.",
    "browser": "Finish the sign-in in the browser within five minutes.",
    "device-code": "Finish the sign-in at the address shown, before the code expires.",
}


def credential_error(problem: Exception, *, auth: str, tenant: str | None) -> CredentialError:
    """The error that ends a command when no token could be had.

    Args:
        problem: what a credential of azure-identity raised.
        auth: the `--auth` choice.
        tenant: the tenant asked for, or None.
    """
    where = f" of tenant {tenant}" if tenant else ""
    code = _CODE.search(str(problem))
    if code is not None and code.group(1) in _KNOWN:
        what, hint = _KNOWN[code.group(1)]
        return CredentialError(f"signing in failed (AADSTS{code.group(1)}): {what}", hint=hint)
    if code is not None:
        return CredentialError(
            f"signing in failed with AADSTS{code.group(1)}",
            hint=f"https://login.microsoftonline.com/error?code={code.group(1)} explains it. {_HOW[auth]}",
        )
    if "Cannot connect to host" in str(problem):  # a chain of credentials wraps the network's error in its own
        return CredentialError(
            "the sign-in endpoint could not be reached", hint="Check the network, HTTPS_PROXY and SSL_CERT_FILE."
        )
    if isinstance(problem, CredentialUnavailableError) or auth == "default":
        return CredentialError(f"there is no credential for Microsoft Entra{where} (--auth {auth})", hint=_HOW[auth])
    return CredentialError(f"the credential{where} was refused (--auth {auth})", hint=_HOW[auth])
