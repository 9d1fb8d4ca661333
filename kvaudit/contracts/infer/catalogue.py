"""Which method of which client asks for which operation, in five languages.

Names of the current libraries come from `kvaudit/data/operations.json` (`sdk`); the libraries before them were generated
from the service's description, so that their methods are named after its operation IDs, spelled as the language does.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = {"python": "python", "csharp": "dotnet", "java": "java", "javascript": "js", "go": "go"}
"""Our name of a language -> that in the facts."""

KINDS = ("secrets", "keys", "certificates", "crypto", "legacy", "operation")
"""Kinds of clients. `legacy`: one client for all kinds of objects. `operation`: the making of a certificate."""

_OPERATION_OF = {"key.wrap": "keys/wrapKey", "key.unwrap": "keys/unwrapKey"}

_CRYPTO = ("encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify")

_LEGACY_IDS = """
secrets/set SetSecret | secrets/delete DeleteSecret | secrets/update UpdateSecret | secrets/get GetSecret
secrets/list GetSecrets ListSecrets | secrets/listVersions GetSecretVersions ListSecretVersions
secrets/listDeleted GetDeletedSecrets ListDeletedSecrets | secrets/getDeleted GetDeletedSecret
secrets/purge PurgeDeletedSecret | secrets/recover RecoverDeletedSecret | secrets/backup BackupSecret
secrets/restore RestoreSecret | keys/create CreateKey | keys/import ImportKey | keys/delete DeleteKey
keys/update UpdateKey | keys/get GetKey | keys/list GetKeys ListKeys | keys/listVersions GetKeyVersions ListKeyVersions
keys/backup BackupKey | keys/restore RestoreKey | keys/encrypt Encrypt | keys/decrypt Decrypt | keys/sign Sign
keys/verify Verify | keys/wrapKey WrapKey | keys/unwrapKey UnwrapKey | keys/listDeleted GetDeletedKeys ListDeletedKeys
keys/getDeleted GetDeletedKey | keys/purge PurgeDeletedKey | keys/recover RecoverDeletedKey
certificates/list GetCertificates ListCertificates | certificates/listVersions GetCertificateVersions ListCertificateVersions
certificates/delete DeleteCertificate | certificates/setContacts SetCertificateContacts
certificates/getContacts GetCertificateContacts | certificates/deleteContacts DeleteCertificateContacts
certificates/listIssuers GetCertificateIssuers ListCertificateIssuers | certificates/setIssuer SetCertificateIssuer
certificates/updateIssuer UpdateCertificateIssuer | certificates/getIssuer GetCertificateIssuer
certificates/deleteIssuer DeleteCertificateIssuer | certificates/create CreateCertificate
certificates/import ImportCertificate | certificates/getPolicy GetCertificatePolicy
certificates/updatePolicy UpdateCertificatePolicy | certificates/update UpdateCertificate
certificates/get GetCertificate | certificates/updateOperation UpdateCertificateOperation
certificates/getOperation GetCertificateOperation | certificates/deleteOperation DeleteCertificateOperation
certificates/merge MergeCertificate | certificates/backup BackupCertificate | certificates/restore RestoreCertificate
certificates/listDeleted GetDeletedCertificates ListDeletedCertificates | certificates/getDeleted GetDeletedCertificate
certificates/purge PurgeDeletedCertificate | certificates/recover RecoverDeletedCertificate
"""
"""Operation IDs of the data plane's Swagger (7.5) and the `List...` forms that the Java and Go libraries made of them."""

_MORE = {
    "python": "keys create_rsa_key keys/create,keys create_ec_key keys/create,keys create_oct_key keys/create,"
    "secrets delete_secret secrets/delete,secrets recover_deleted_secret secrets/recover,keys delete_key keys/delete,"
    "keys recover_deleted_key keys/recover,certificates delete_certificate certificates/delete,"
    "certificates recover_deleted_certificate certificates/recover,certificates create_certificate certificates/create",
    "csharp": "keys CreateRsaKey keys/create,keys CreateEcKey keys/create,keys CreateOctKey keys/create,"
    "certificates GetCertificateVersion certificates/get,certificates DownloadCertificate certificates/get,"
    "certificates DownloadCertificate secrets/get,crypto SignData keys/sign,crypto VerifyData keys/verify,"
    "operation Delete certificates/deleteOperation,operation Cancel certificates/updateOperation,"
    "operation UpdateStatus certificates/getOperation,operation WaitForCompletion certificates/getOperation",
    "java": "keys createRsaKey keys/create,keys createEcKey keys/create,keys createOctKey keys/create,"
    "certificates getCertificateVersion certificates/get,crypto signData keys/sign,crypto verifyData keys/verify",
    "javascript": "keys createRsaKey keys/create,keys createEcKey keys/create,keys createOctKey keys/create,"
    "certificates getCertificateVersion certificates/get,crypto signData keys/sign,crypto verifyData keys/verify",
    "go": "secrets NewListSecretsPager secrets/list,secrets NewListSecretVersionsPager secrets/listVersions,"
    "secrets NewListDeletedSecretsPager secrets/listDeleted,keys NewListKeysPager keys/list,"
    "keys NewListKeyVersionsPager keys/listVersions,keys NewListDeletedKeysPager keys/listDeleted,"
    "certificates NewListCertificatesPager certificates/list,secrets ListPropertiesOfSecrets secrets/list,"
    "certificates NewListCertificateVersionsPager certificates/listVersions,secrets ListSecrets secrets/list,"
    "certificates NewListDeletedCertificatesPager certificates/listDeleted,keys ListPropertiesOfKeys keys/list,"
    "secrets UpdateSecretProperties secrets/update,secrets BeginDeleteSecret secrets/delete,"
    "keys BeginDeleteKey keys/delete,certificates UpdateCertificatePolicy certificates/updatePolicy",
}
"""Further names of the current libraries (Python's aio clients wait themselves where the others begin) and of previews."""


_MAY_ASK = re.compile(
    r"vault|api-version|(?:secret|key|cert|certificate|crypto|cryptography)s?_?(?:async)?_?client", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation and the permission word that it takes."""

    operation: str
    word: str


@cache
def words() -> Mapping[str, str]:
    """Operation as the service names it -> permission word. Of several words that would do, the narrowest."""
    found = {}
    for item in _data_plane():
        name = _operation(item["id"])
        if name is not None:
            allowed = [word for word in item["accessPolicyAnyOf"] if not word.endswith("/manageissuers")]
            found[name] = (allowed or item["accessPolicyAnyOf"])[0]
    found["secrets/update"] = "secrets/update"
    return found


@cache
def methods(language: str) -> Mapping[str, Mapping[str, tuple[Asked, ...]]]:
    """Kind of client -> name of a method -> what it asks for, in one of `LANGUAGES`."""
    table: dict[str, dict[str, list[Asked]]] = {kind: {} for kind in KINDS}
    for kind, name, operation in (*_current(language), *_legacy(language), *_further(language)):
        asked = Asked(operation, words()[operation])
        entries = table[kind].setdefault(name, [])
        if asked not in entries:
            entries.append(asked)
    if language == "go":  # one client does both there
        for name, entries in table["crypto"].items():
            table["keys"].setdefault(name, entries)
    return {kind: {name: tuple(found) for name, found in entries.items()} for kind, entries in table.items()}


@cache
def telling_names(language: str) -> frozenset[str]:
    """Methods that hardly anything but a Key Vault library has: they say which operation, whatever they are called on."""
    names = {name for kind in ("secrets", "keys", "certificates") for name in methods(language)[kind]}
    return frozenset(
        name
        for name in names
        if re.search(r"propert|deleted|backup|rotation|certificate_?policy|begin_?delete", name, re.IGNORECASE)
    )


def is_lazy(method: str) -> bool:
    """Whether a method gives a pager, which asks nothing until somebody turns its pages."""
    return bool(re.match(r"(?i)(list_?|get_?properties_?of|get_?deleted_?\w+s$|new_?list|get_?\w+_?versions$)", method))


def may_ask(text: str) -> bool:
    """Whether a source file can hold a need at all. One that names no vault, no client and no version of an interface cannot."""
    return bool(_MAY_ASK.search(text))


def name_argument(language: str, kind: str, operation: str) -> int | None:
    """Which argument of a client's method is the object's name, from 0; None where none is.

    Setting a secret has its value beside the name: only this place may ever be looked at. The legacy client's class is called
    as many classes of applications are, whose methods take the name first: there, the value might stand in this place.
    """
    name = operation.partition("/")[2]
    if kind == "legacy" and operation == "secrets/set":
        return None
    if (
        kind in ("crypto", "operation")
        or name in ("list", "listDeleted", "restore")
        or re.search("Issuer|Contacts|random", name)
    ):
        return None
    if name in _CRYPTO:
        return 1 if language == "go" else None
    return (1 if language == "go" else 0) + (1 if kind == "legacy" else 0)


def object_name(text: str) -> str | None:
    """A text that can be the name of a secret, key or certificate; None for any other, and for one that is no literal."""
    return text if re.fullmatch(r"[0-9a-zA-Z-]{1,127}", text) else None


def _data_plane() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())[
        "dataPlane"
    ]
    return found


def _operation(identity: str) -> str | None:
    """`secret.listVersions` -> `secrets/listVersions`; None for what needs no word or is no operation of its own."""
    kind, _, name = identity.partition(".")
    if kind == "storage" or identity in ("key.randomBytes", "certificate.downloadPrivateKey"):
        return None
    return _OPERATION_OF.get(identity, f"{kind}s/{name}")


def _current(language: str) -> Iterator[tuple[str, str, str]]:
    for item in _data_plane():
        operation = _operation(item["id"])
        text = (item.get("sdk") or {}).get(LANGUAGES[language])
        if operation is None or not text:
            continue
        kind = "crypto" if operation.partition("/")[2] in _CRYPTO else operation.partition("/")[0]
        for name in re.findall(r"\w+", text.partition("Client.")[2]):
            yield kind, name, operation


def _legacy(language: str) -> Iterator[tuple[str, str, str]]:
    for entry in re.split(r"[|\n]", _LEGACY_IDS):
        operation, *names = entry.split() or [""]
        for name in names:
            yield "legacy", _spelled(name, language), operation
            if language == "go" and name.startswith(("Get", "List")) and name.endswith("s"):
                yield "legacy", f"{name}Complete", operation


def _further(language: str) -> Iterator[tuple[str, str, str]]:
    for entry in _MORE[language].split(","):
        kind, name, operation = entry.split()
        yield kind, name, operation


def _spelled(name: str, language: str) -> str:
    if language == "python":
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return name if language in ("csharp", "go") else name[0].lower() + name[1:]
