"""A throw-away certificate authority, and one certificate for every host that the lab stands for."""

import ssl
from pathlib import Path

import trustme

CLOUD_HOSTS = (
    "management.azure.com",
    "management.core.windows.net",
    "login.microsoftonline.com",
    "login.windows.net",
    "graph.microsoft.com",
    "graph.windows.net",
    "management.usgovcloudapi.net",
    "management.core.usgovcloudapi.net",
    "login.microsoftonline.us",
    "graph.microsoft.us",
    "management.chinacloudapi.cn",
    "management.core.chinacloudapi.cn",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "microsoftgraph.chinacloudapi.cn",
)
"""Hosts of the control plane, of sign-in and of Graph in the three clouds (facts azure.md 10)."""

VAULT_SUFFIXES = (".vault.azure.net", ".vault.usgovcloudapi.net", ".vault.azure.cn")
"""DNS suffixes of vaults; a name below one is a vault's host."""


def write_certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Makes a new authority whose certificate lies in `folder`, and a server context for every host of the lab.

    The authority's private key is never written: it ends with the process.
    """
    authority = trustme.CA(organization_name="kvaudit lab", organization_unit_name="throw-away, this process only")
    names = (*CLOUD_HOSTS, *(f"*{suffix}" for suffix in VAULT_SUFFIXES), "localhost", "127.0.0.1")
    leaf = authority.issue_cert(*names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    ca_file = folder / "kvaudit-lab-ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    return ca_file, context
