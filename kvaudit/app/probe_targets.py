"""Which vaults `probe` is about, and what the records say of them."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kvaudit.access.evaluator import Access
from kvaudit.app.collect import collect_snapshot
from kvaudit.app.indexed import load_access
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.names import is_resource_id, refuse_several, vaults_named
from kvaudit.app.settings import Connection, Voice
from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.collectors.collector import Feature
from kvaudit.errors import ScopeError, UsageError
from kvaudit.model import scopes
from kvaudit.model.clouds import Cloud
from kvaudit.model.vaults import Vault

_NAME = re.compile(r"[A-Za-z][0-9A-Za-z-]{1,22}[0-9A-Za-z]")
_ADDRESS = re.compile(r"https://([0-9A-Za-z.-]{1,253})(?::443)?/*")


@dataclass(frozen=True, slots=True)
class Target:
    """One vault to probe.

    Attributes:
        name: as typed, or the last part of a resource ID.
        host: folded host of its endpoint.
        vault_id: folded resource ID where one was given, else None.
    """

    name: str
    host: str
    vault_id: str | None = None


def targets_of(texts: Sequence[str], cloud: Cloud) -> tuple[Target, ...]:
    """The vaults that are meant, each once, in this order.

    Args:
        texts: names, resource IDs, or addresses (`https://NAME.vault.azure.net`).

    Raises:
        UsageError: every text that names no vault of the cloud, and every two resource IDs of one address.
    """
    found: dict[str, Target] = {}
    wrong: list[str] = []
    mistakes = Mistakes()
    for text in texts:
        target = _target(text.strip(), cloud)
        if target is None:
            wrong.append(f"{text!r}")
            continue
        first = found.get(target.host, target)
        if target.vault_id and first.vault_id and target.vault_id != first.vault_id:
            mistakes.add(_one_address(first, target))
        found[target.host] = first if first.vault_id else target
    if wrong:
        mistakes.add(
            UsageError(
                f"{', '.join(wrong)} cannot be {'a vault' if len(wrong) == 1 else 'vaults'}",
                hint=f"Give a vault's name, its resource ID, or its address under {cloud.vault_suffix}.",
            )
        )
    mistakes.tell()
    return tuple(found.values())


def _one_address(first: Target, second: Target) -> UsageError:
    return UsageError(
        f"two resource IDs have one address, {second.host}, at which one vault answers",
        hint="Give the one of the vault that is there now.",
        details=tuple(item.vault_id for item in (first, second) if item.vault_id),
    )


def _target(text: str, cloud: Cloud) -> Target | None:
    suffix = cloud.vault_suffix.casefold()
    if is_resource_id(text):
        folded = scopes.fold(text)
        name = folded.rsplit("/", 1)[-1]
        usable = scopes.vault_of(folded) == folded and _NAME.fullmatch(name)
        return Target(text.rstrip("/").rsplit("/", 1)[-1], f"{name}{suffix}", folded) if usable else None
    address = _ADDRESS.fullmatch(text)
    host = address[1].casefold() if address else ""
    name = host.removesuffix(suffix) if host.endswith(suffix) else text
    return Target(name, f"{name.casefold()}{suffix}") if _NAME.fullmatch(name) else None


@dataclass(frozen=True, slots=True)
class Records:
    """What the records say, and where they come from.

    Attributes:
        access: over the records, or None where nothing could be read.
        source: `snapshot`, `live` or `none`.
        notes: what is missing, one sentence each.
    """

    access: Access | None
    source: str
    notes: tuple[str, ...] = ()

    def vault(self, target: Target) -> Vault | None:
        """The record of a vault that is probed, or None. Raises UsageError where several have its name."""
        if self.access is None:
            return None
        text = target.vault_id or target.name
        found = vaults_named(self.access.estate, text)
        refuse_several(text, found)
        return found[0] if found else None

    def refuse_unclear(self, targets: Sequence[Target]) -> None:
        """Raises UsageError for names that several vaults have, all of them."""
        mistakes = Mistakes()
        for target in targets:
            mistakes.of(partial(self.vault, target))
        mistakes.tell()


def records_from(folder: Path, voice: Voice) -> Records:
    """The records of `--from`. Raises SnapshotError."""
    return Records(load_access(folder, voice), "snapshot")


def live_records(
    targets: Sequence[Target], connection: Connection, voice: Voice, *, environ: Mapping[str, str] | None = None
) -> Records:
    """Reads what Resource Manager and Microsoft Graph say of access to these vaults, now, and keeps nothing of it.

    Resource Graph is not asked: it may lag behind, and lag is what is being looked for.

    Raises:
        CredentialError: no credential, a refused one, or one of another tenant.
    """
    with tempfile.TemporaryDirectory(prefix="kvaudit-") as folder:
        try:
            access = _collected(Path(folder) / "named", targets, connection, voice, environ)
        except ScopeError as problem:
            # One that cannot be seen must not hide the others: without names everything visible is read.
            try:
                access = _collected(Path(folder) / "visible", (), connection, voice, environ)
            except ScopeError:
                return Records(None, "none", (f"access was not looked up: {problem.message}",))
    return Records(access, "live")


def _collected(
    folder: Path,
    targets: Sequence[Target],
    connection: Connection,
    voice: Voice,
    environ: Mapping[str, str] | None,
) -> Access:
    ids = [item.vault_id for item in targets]
    subscriptions = {scopes.subscription_of(item) or "" for item in ids if item}
    request = CollectRequest(
        tenant=connection.tenant,
        subscriptions=tuple(sorted(subscriptions)) if ids and all(ids) else (),
        vaults=tuple(item.name for item in targets),
        objects=Objects.NONE,
        features=frozenset({Feature.ACCESS}),
        source=Source.ARM,
    )
    collect_snapshot(folder, request, connection, voice, environ=environ)
    return load_access(folder, voice)
