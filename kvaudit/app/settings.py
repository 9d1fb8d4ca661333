"""What the command line says about where to connect, how to sign in and how much to tell."""

from dataclasses import dataclass, replace

from kvaudit.errors import UsageError
from kvaudit.model.clouds import Cloud, clouds


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to connect and how to sign in.

    Attributes:
        auth: one of the `--auth` choices.
        tenant: tenant to sign in to, or None for the credential's own.
    """

    cloud: Cloud
    auth: str = "default"
    tenant: str | None = None
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Voice:
    """How much to tell on stderr, and whether colour may be used."""

    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    no_color: bool = False


def cloud_of(
    name: str,
    *,
    arm_endpoint: str | None = None,
    authority: str | None = None,
    vault_suffix: str | None = None,
    graph_endpoint: str | None = None,
) -> Cloud:
    """A known cloud, with endpoints replaced one by one where given.

    Raises:
        UsageError: every endpoint that is not an https URL without a path, or a suffix that is not a DNS name.
    """
    cloud = clouds()[name]
    mistakes = [
        f"{option} {value!r} is not an https address without a path"
        for option, value in (
            ("--arm-endpoint", arm_endpoint),
            ("--authority", authority),
            ("--graph-endpoint", graph_endpoint),
        )
        if value is not None and not _is_endpoint(value)
    ]
    if vault_suffix is not None and not _is_suffix(vault_suffix):
        mistakes.append(f"--vault-suffix {vault_suffix!r} is not a DNS suffix such as .vault.azure.net")
    if mistakes:
        raise UsageError(
            "an endpoint cannot be used",
            details=tuple(mistakes),
            hint="Example: --arm-endpoint https://management.azure.com",
        )
    if arm_endpoint:
        arm = arm_endpoint.rstrip("/")
        cloud = replace(cloud, name="custom", arm=arm, arm_audience=arm)
    if authority:
        cloud = replace(cloud, name="custom", authority=authority.rstrip("/"))
    if graph_endpoint:
        cloud = replace(cloud, name="custom", graph=graph_endpoint.rstrip("/"))
    if vault_suffix:
        cloud = replace(cloud, name="custom", vault_suffix="." + vault_suffix.strip(".").casefold())
    return cloud


def _is_endpoint(value: str) -> bool:
    scheme, separator, rest = value.rstrip("/").partition("://")
    return scheme.casefold() == "https" and bool(separator) and bool(rest) and not set(rest) & set("/?#@ \\")


def _is_suffix(value: str) -> bool:
    labels = value.strip(".").split(".")
    return len(labels) >= 2 and all(label and label.replace("-", "").isalnum() and label.isascii() for label in labels)
