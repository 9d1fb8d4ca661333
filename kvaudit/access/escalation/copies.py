"""Routes of the data plane: copying objects by backup and restore (E17), exporting keys under an own attestation (E26)."""

from collections.abc import Iterator
from functools import lru_cache

from kvaudit.access.answers import Holding
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import weaker
from kvaudit.access.escalation.steps import Step
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import mask_of, operation

_USES = {
    "secrets": ("secrets/get",),
    "certificates": ("secrets/get",),
    "keys": ("keys/decrypt", "keys/sign", "keys/unwrapKey"),
}
"""What an object is copied for: whoever holds all of it has no need to. A certificate's private key is the secret of its name."""

BACKUPS = mask_of(f"{kind}/backup" for kind in _USES)
"""The operations that copy an object out of a vault."""

_SAID_ALREADY = (Answer.DENIED, Answer.UNKNOWN)
"""Where the operation itself is unknown, that is told of the operation; a route adds nothing to it."""


@lru_cache(maxsize=50_000)
def steps_of_masks(allowed: int, conditional: int, unknown: int, creates: Answer) -> tuple[Step, ...]:
    """E17 and E26 of somebody who holds these operations.

    Args:
        allowed, conditional, unknown: operations by answer.
        creates: whether it may make a vault of its own in the same subscription, to restore into.
    """
    return tuple(_steps(Holding(None, None, None, None, allowed, conditional, unknown), creates))


def _steps(held: Holding, creates: Answer) -> Iterator[Step]:
    copied = [
        (kind, answer)
        for kind, uses in _USES.items()
        if (answer := held.answer(operation(f"{kind}/backup").mask)) not in _SAID_ALREADY
        and any(held.answer(operation(use).mask) is not Answer.ALLOWED for use in uses)
    ]
    if copied:
        sure = creates is Answer.ALLOWED and any(answer is Answer.ALLOWED for _, answer in copied)
        answer = Answer.ALLOWED if sure else Answer.CONDITIONAL
        kinds = " and ".join(kind for kind, _ in copied)
        where = "a vault of its own" if creates is Answer.ALLOWED else "a vault that it controls"
        how = f"backs up {kinds} and restores the copies into {where} in the same subscription and geography"
        bits = actions.VAULTS_CREATE if creates is Answer.ALLOWED else 0
        yield Step("E17", answer, bits, how, mask=mask_of(use for kind, _ in copied for use in _USES[kind]))
    answer = weaker(held.answer(operation("keys/update").mask), held.answer(operation("keys/release").mask))
    if answer not in _SAID_ALREADY:
        how = "rewrites the release policy of an exportable key, where it is not immutable, and releases the key to itself"
        note = "which keys are exportable, and whose policy is immutable, is not collected"
        yield Step("E26", weaker(answer, Answer.CONDITIONAL), 0, how, note, mask=mask_of(_USES["keys"]))
