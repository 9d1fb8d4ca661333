"""What Resource Manager itself says that the caller may do on a vault's data plane.

A hint, no verdict: its list says nothing of deny assignments, of grants on single objects, and of access policies
(facts azure.md 2.5 and 6.2).
"""

from dataclasses import dataclass, replace

from kvaudit.clients.azure import Azure
from kvaudit.clients.failures import ReadFailure
from kvaudit.collectors.caller_permissions import API_VERSION, PATH, holds, parse
from kvaudit.model.permissions import operations
from kvaudit.model.vaults import PermissionModel, Vault


@dataclass(frozen=True, slots=True)
class Hint:
    """What Resource Manager's list of the caller's own permissions holds.

    Attributes:
        words: the operations that it shows without a condition; None where there is no list to go by.
        because: why there is none, "" where there is one.
    """

    words: frozenset[str] | None
    because: str = ""


async def hint_of(azure: Azure, vault: Vault) -> Hint:
    """Asks Resource Manager, once, for the caller's permissions on a vault."""
    if vault.permission_model is not PermissionModel.AZURE_RBAC:
        return Hint(None, "the vault uses access policies, of which Resource Manager's list says nothing")
    try:
        items = [
            item
            async for page in azure.arm_pages(PATH.format(scope=vault.id), api_version=API_VERSION)
            for item in page.items
        ]
        blocks = [replace(item, actions=item.data_actions, not_actions=item.not_data_actions) for item in parse(items)]
    except ReadFailure as problem:
        return Hint(None, problem.reason)
    except (KeyError, TypeError, ValueError):
        return Hint(None, "Resource Manager's list of the caller's permissions could not be read")
    return Hint(
        frozenset(item.word for item in operations() if all(holds(blocks, action) for action in item.data_actions))
    )
