"""Whether the caller itself may list the objects of a vault, by `access`, from what a collection has read so far."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kvaudit.access.evaluator import Access
from kvaudit.collection.objects import MayList
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import Operation, operations
from kvaudit.snapshot.load import INTERRUPTED, load_estate
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter


def predictor(path: Path, writer: SnapshotWriter) -> Callable[[str | None], MayList]:
    """What `collect` asks before it asks the vaults' own endpoints.

    Only a certain `denied` keeps it from asking: where a gap or a condition leaves it open, the vault decides.

    Args:
        path: folder of the snapshot that is being written.
        writer: its writer.
    """

    def predict(principal_id: str | None) -> MayList:
        writer.flush()
        estate = load_estate(open_snapshot(path, allow_incomplete=True))
        # That the collection goes on hides nothing that is needed here: those listings are read.
        access = Access(replace(estate, gaps=tuple(gap for gap in estate.gaps if gap.code != INTERRUPTED)))
        vaults = {vault.scope: vault for vault in estate.vaults}
        words = {operation.word: operation for operation in operations()}
        known: dict[str, dict[Operation, Answer]] = {}

        def may_list(vault_id: str, kind: str) -> bool:
            vault = vaults.get(scopes.fold(vault_id))
            if vault is None or principal_id is None:
                return True
            if vault.scope not in known:  # one judgement answers for all lists of a vault
                known[vault.scope] = access.answers(principal_id.casefold(), vault)
            return known[vault.scope].get(words[f"{kind}/list"], Answer.DENIED) is not Answer.DENIED

        return may_list

    return predict
