"""The canaries of `probe --write-canary`: whether one may be written in a vault, and what is told before and afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kvaudit.app.clock import now
from kvaudit.app.probe_targets import Target
from kvaudit.clients.azure import Azure
from kvaudit.clients.canary_names import PREFIX, CanaryNames
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import Vault
from kvaudit.probe.canary import Canary, CanaryResult, removal
from kvaudit.probe.differences import Expectations
from kvaudit.probe.journal import Journal
from kvaudit.probe.leftovers import find_leftovers
from kvaudit.probe.results import Probed, State

_WRITES = (
    f"--write-canary writes one secret {PREFIX}… in each vault, with a random value that is never read back, and takes it "
    "away again: set, update, delete, recover, delete, purge"
)
_LIMITS = (
    "its verdicts hold for its own name only: conditions on names and Azure Policy may decide otherwise for others; Event "
    "Grid subscribers and alerts see it come and go"
)
WARNINGS = (_WRITES, _LIMITS)
"""Told before a canary is written."""

_NEEDED = ("secrets/set", "secrets/delete", "secrets/purge")


@dataclass(frozen=True, slots=True)
class CanaryWish:
    """What was asked of canaries.

    Attributes:
        journal: folder where they are noted.
        anyway: whether one is written although it may not be possible to take it away.
    """

    journal: Path
    anyway: bool = False


def refusal(vault: Vault | None, expectations: Expectations | None, probed: Probed) -> str | None:
    """Why no canary should be written in a vault: what could not be taken away again. None where all is well."""
    if vault is None or expectations is None:
        return "the records do not say whether it could be taken away again"
    answers = expectations.answers(vault)
    missing = [word for word in _NEEDED if answers[word] is not Answer.ALLOWED]
    if missing:
        return f"the records do not say that {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} allowed"
    if vault.permission_model is None:
        return "the vault's properties were not read, and with them whether purge protection is on"
    if vault.enable_purge_protection:
        return "purge protection is on: it would stay, deleted, for the whole retention"
    if probed.reach.state is not State.REACHABLE:
        return "the vault was not reached"
    return None


async def write_canaries(
    azure: Azure,
    names: CanaryNames,
    wish: CanaryWish,
    targets: Sequence[Target],
    vaults: Mapping[str, Vault | None],
    probed: Mapping[str, Probed],
    expectations: Expectations | None,
) -> dict[str, CanaryResult]:
    """One vault after the other: at most one canary is under way when a run is interrupted."""
    done: dict[str, CanaryResult] = {}
    for target in targets:
        why_not = refusal(vaults[target.host], expectations, probed[target.host])
        is_reached = probed[target.host].reach.state is State.REACHABLE
        if why_not is not None and not (wish.anyway and is_reached):
            done[target.host] = CanaryResult(None, because=f"no canary was written: {why_not}")
            continue
        left = await find_leftovers(azure, target.host, probed[target.host], datetime.fromisoformat(now()).timestamp())
        canary = Canary(azure.probes, names, Journal(wish.journal), target.host, target.name, found=left.names)
        result = await canary.walk()
        if left.because and not result.because:
            result = replace(result, because=f"canaries of earlier runs may be there: {left.because}")
        done[target.host] = result
    return done


def leftovers(wish: CanaryWish, targets: Sequence[Target]) -> list[str]:
    """Two lines for every canary of these vaults that may still be there: that, and the command that removes it."""
    journal = Journal(wish.journal)
    found = ((target, name) for target in targets for name in journal.leftovers(target.host))
    return [
        line
        for target, name in found
        for line in (
            f"a canary may still be in {target.name}; the next run with --write-canary there takes it away, or:",
            f"  {removal(target.name, name)}",
        )
    ]
