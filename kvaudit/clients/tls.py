"""One TLS context for every connection: making one costs 26 ms (ARCHITECTURE.md, "Dependencies")."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from kvaudit.errors import UsageError

_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def ca_bundle(environ: Mapping[str, str]) -> str | None:
    """The CA bundle that the environment names, or None for the system's own."""
    return next((environ[name] for name in _VARIABLES if environ.get(name)), None)


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """A verifying context.

    Raises:
        UsageError: the bundle that the environment names cannot be read.
    """
    bundle = ca_bundle(environ)
    try:
        if bundle is not None and Path(bundle).is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as problem:  # ssl.SSLError is one
        raise UsageError(
            f"the CA bundle {bundle} cannot be read: {problem.strerror or problem}",
            hint=f"{' or '.join(_VARIABLES)} must name a PEM file.",
        ) from problem
