"""Rights that changed while a run went on: what Resource Graph left out then looks like nothing being there."""

from collections.abc import Iterable

from kvaudit.collection.listing import Reading
from kvaudit.collection.visibility import Visibility
from kvaudit.collectors.resource_graph import TABLES
from kvaudit.model.gaps import Gap
from kvaudit.snapshot.layout import RIGHTS_CHANGED


def tell_contradictions(reading: Reading, visible: Visibility, subscriptions: Iterable[str]) -> None:
    """Notes a gap for what Resource Graph answered of subscriptions in which the caller was refused what it could read before.

    Its own permissions are asked before the rows are. Where Resource Manager afterwards refuses a list that they allow, or
    does not know the subscription any more, they ended in between, and nothing tells whether before the rows or after them.
    So it is too with rows that an earlier run read where this one cannot tell that the caller sees everything.

    Args:
        reading: what the collection shares; every list of the subscriptions was tried.
        visible: the caller's permissions as they were asked.
        subscriptions: folded scopes.
    """
    collectors = {route.collector.kind: route.collector for table in TABLES for route in table.routes}
    for scope in subscriptions:
        refused = [item for item in reading.refused_at.get(scope, ()) if visible.sees(scope, item.requires)]
        for kind, collector in sorted(collectors.items()):
            if refused and reading.is_finished(kind, scope):
                _tell(reading, kind, scope, f"{refused[0].kind} of the subscription were refused later")
            elif (
                scope in visible.denies  # it was looked at: a run that asks Resource Manager alone does not
                and reading.writer.source_of(kind, scope)
                and not visible.sees(scope, collector.requires)
            ):
                _tell(reading, kind, scope, f"when it was resumed, {visible.reason(scope)}")


def _tell(reading: Reading, kind: str, scope: str, why: str) -> None:
    reading.writer.add_gap(
        Gap(
            kind,
            scope,
            f"the caller's rights may have changed while it was read: {why}, and Resource Graph leaves out what may not be read",
            code=RIGHTS_CHANGED,
            retryable=True,
            asked_at=reading.now(),
        )
    )
