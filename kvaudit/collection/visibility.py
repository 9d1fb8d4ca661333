"""Whether the caller sees all of a subscription: what it may not read, Resource Graph leaves out without a word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.control_plane import read_denies
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors import caller_permissions
from kvaudit.collectors.deny_assignments import DENY_ASSIGNMENTS
from kvaudit.model import scopes
from kvaudit.model.authorization import Permission
from kvaudit.model.hierarchy import Subscription


@dataclass(slots=True)
class Visibility:
    """What is known of the caller's own reach.

    Attributes:
        blocks: folded scope of a subscription -> the caller's permission blocks there.
        denies: folded scope of a subscription -> raw deny assignments of its listing; None where they were not read.
    """

    blocks: dict[str, tuple[Permission, ...]] = field(default_factory=dict)
    denies: dict[str, list[Any] | None] = field(default_factory=dict)

    def sees(self, scope: str, actions: Iterable[str]) -> bool:
        """Whether the caller certainly holds all of these actions in a whole subscription."""
        denies = self.denies.get(scope)
        blocks = self.blocks.get(scope)
        if blocks is None or denies is None:
            return False
        actions = tuple(actions)
        return all(
            caller_permissions.holds(blocks, action) and not caller_permissions.hides(denies, action)
            for action in actions
        )

    def reason(self, scope: str) -> str:
        """Why not everything is seen."""
        if self.denies.get(scope) is None:
            return "the deny assignments were not read, and one may hide records"
        if scope not in self.blocks:
            return "the caller's own permissions could not be read"
        return "the caller may not read all of it, and what it may not read is left out silently"


async def read_visibility(reading: Reading, subscriptions: Sequence[Subscription], tenant: str | None) -> Visibility:
    """Asks for the caller's own permissions, and reads every deny assignment.

    What is held at the root management group is held in every subscription of the tenant, so one question can settle all.

    Args:
        reading: what the collection shares.
        subscriptions: those to be read.
        tenant: folded ID of the caller's tenant.
    """
    visible = Visibility()
    root = await _permissions(reading, f"{scopes.MANAGEMENT_GROUP_PREFIX}{tenant}") if tenant else ()
    # Only a right to read everything settles all; a lesser one may be more within a subscription.
    settled = root if root and caller_permissions.holds(root, "*/read") else None

    async def look(item: Subscription) -> None:
        denies = await read_denies(reading, item.scope)
        whole = reading.is_finished(DENY_ASSIGNMENTS.kind, item.scope)
        visible.denies[item.scope] = denies if whole else None
        reading.remember(DENY_ASSIGNMENTS.kind, item.scope, denies)
        blocks = settled if settled and item.tenant_id == tenant else await _permissions(reading, item.scope)
        if blocks is not None:
            visible.blocks[item.scope] = blocks

    await together(map(look, subscriptions))
    return visible


async def _permissions(reading: Reading, scope: str) -> tuple[Permission, ...] | None:
    """The caller's blocks at a scope; None when Resource Manager does not say: then it is asked for the records too."""
    path = caller_permissions.PATH.replace("{scope}", scope)
    try:
        async with reading.slot:
            pages = reading.azure.arm_pages(path, api_version=caller_permissions.API_VERSION)
            return caller_permissions.parse([item async for page in pages for item in page.items])
    except (ReadFailure, KeyError, TypeError, ValueError):
        return None
