"""Questions about a few vaults of a large snapshot: answered from the index beside it, where there is one."""

from collections.abc import Sequence
from pathlib import Path

from kvaudit.access.evaluator import Access
from kvaudit.app.loading import load_told
from kvaudit.app.names import is_resource_id
from kvaudit.app.settings import Voice
from kvaudit.model import scopes
from kvaudit.model.vaults import Vault
from kvaudit.snapshot.index import UNUSABLE, open_index
from kvaudit.snapshot.index_file import IndexReader
from kvaudit.snapshot.index_read import estate_around, vault_at, vaults_named
from kvaudit.snapshot.reader import Snapshot, open_snapshot


def load_access(path: Path, voice: Voice) -> Access:
    """The evaluator over a snapshot, which leaves an index beside a large one."""
    return Access(load_told(open_snapshot(path), voice))


def access_around(path: Path, texts: Sequence[str], voice: Voice, *, members: bool) -> Access:
    """The evaluator over what can matter to some vaults; over everything where no index tells that.

    It answers who may do what on these vaults, and nothing about escalation or other vaults.

    Args:
        path: the snapshot folder.
        texts: names or resource IDs of vaults.
        voice: with `quiet` it is not told that a large snapshot is read.
        members: whether the members of groups will be listed.

    Raises:
        SnapshotError: the snapshot is missing, corrupt, incomplete or of a newer schema.
    """
    snapshot = open_snapshot(path)
    return _from_index(snapshot, texts, members=members) or Access(load_told(snapshot, voice))


def _from_index(snapshot: Snapshot, texts: Sequence[str], *, members: bool) -> Access | None:
    try:
        with open_index(snapshot) as index:
            vaults = [_vault(index, text) for text in texts]
            found = {vault.scope: vault for vault in vaults if vault}
            if not texts or None in vaults:  # whoever loads everything says what is near to a name that is not there
                return None
            return Access(estate_around(index, [found[scope] for scope in sorted(found)], members=members))
    except UNUSABLE:
        return None


def _vault(index: IndexReader, text: str) -> Vault | None:
    if is_resource_id(text):
        return vault_at(index, scopes.fold(text))
    found = vaults_named(index, text.strip())
    return found[0] if len(found) == 1 else None  # whoever loads everything says that there are two
