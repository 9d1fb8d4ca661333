"""Rights that changed while a run went on: what Resource Graph left out then looks like nothing being there."""

from collections.abc import Iterable

from kvaudit.collection.listing import Reading
from kvaudit.collection.visibility import Visibility
from kvaudit.collectors.resource_graph import TABLES
from kvaudit.model.gaps import Gap

CHANGED = "RightsChanged"
"""Code of the gap of a listing that may have been cut while it was read."""


def tell_contradictions(reading: Reading, visible: Visibility, subscriptions: Iterable[str]) -> None:
    """Notes a gap for what Resource Graph answered of subscriptions in which the caller was refused what it could read before.

    Its own permissions are asked before the rows are. Where Resource Manager afterwards refuses a list that they allow, or
    does not know the subscription any more, they ended in between, and nothing tells whether before the rows or after them.

    Args:
        reading: what the collection shares; every list of the subscriptions was tried.
        visible: the caller's permissions as they were asked.
        subscriptions: folded scopes.
    """
    kinds = sorted({route.collector.kind for table in TABLES for route in table.routes})
    for scope in subscriptions:
        refused = [item for item in reading.refused_at.get(scope, ()) if visible.sees(scope, item.requires)]
        for kind in kinds if refused else ():
            if reading.is_finished(kind, scope):
                reading.writer.add_gap(
                    Gap(
                        kind,
                        scope,
                        f"the caller's rights changed while it was read: {refused[0].kind} of the subscription were refused "
                        "later, and Resource Graph leaves out what may not be read",
                        code=CHANGED,
                        retryable=True,
                        asked_at=reading.now(),
                    )
                )
