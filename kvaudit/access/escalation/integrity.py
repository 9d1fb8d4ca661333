"""Routes that harm without reading: planting secrets and keys (E11), destroying (E16), taking a name over (E30)."""

from collections.abc import Iterator

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import Powers
from kvaudit.access.escalation.steps import Setting, Step, step


def routes(held: Powers, setting: Setting) -> Iterator[Step]:
    """E11, E16 and E30."""
    how = "writes secrets through Azure Resource Manager, over existing ones too, without reading any"
    yield from step("E11", held.best(actions.SECRETS_WRITE), how)
    how = "plants keys that do not exist yet through Azure Resource Manager"
    yield from step("E11", held.best(actions.KEYS_WRITE), how)
    purges = actions.VAULTS_DELETE | actions.PURGE
    if not setting.purge_protected:
        how = "deletes the vault and purges it: nothing of it comes back"
        yield from step("E16", (held.answer(purges), purges), how)
    how = "deletes the vault: it can be recovered for some days, without the role assignments on it"
    yield from step("E16", held.best(actions.VAULTS_DELETE), how)
    if not setting.purge_protected:
        again = purges | actions.VAULTS_CREATE
        how = "deletes and purges the vault and makes one of its own with the same name, which workloads go on trusting"
        yield from step("E30", (held.answer(again), again), how)
